"""The next task, set aside while the present one is worked on: what it holds, when it begins, how it is let go."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import Event
from preceptor.kit.ids import new_id, show_id
from preceptor.money import service as money
from preceptor.people.service import content
from preceptor.projects.models import GuidelinesVersion, Membership, MembershipState, ProjectState, Task, TaskState
from preceptor.work import queries_ahead, queries_own, rules_ahead, service
from preceptor.work.errors import ClaimEnded, NoWorkLeft, ProjectNotOpen
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service import ClaimedWork
from tests.factories import PREFER_A, User, World, join, make_world
from tests.work.golden import golden_world

TASKS = 8


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=TASKS)


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def take(session: Session, person: User, world: World, clock: FixedClock) -> Claim:
    return service.claim_next(session, person.actor, world.project.id, now=clock.now()).claim


def fetch(session: Session, person: User, claim: Claim, clock: FixedClock) -> ClaimedWork | None:
    return service.fetch_ahead(session, person.actor, claim.id, now=clock.now())


def fetched(session: Session, person: User, claim: Claim, clock: FixedClock) -> Claim:
    found = fetch(session, person, claim, clock)
    assert found is not None
    return found.claim


def submit(session: Session, person: User, claim: Claim, clock: FixedClock) -> None:
    service.submit(session, person.actor, claim.id, PREFER_A, now=clock.now())


def proven(session: Session) -> bool:
    session.flush()
    return service.prove_work(session)[1] == [] and money.prove(session).wrong == []


def reserved(session: Session, world: World) -> int:
    return money.project_funds(session, world.project.id, "USD").reserved.minor


def kinds_of(session: Session, claim: Claim) -> list[str]:
    return list(session.scalars(select(Event.kind).where(Event.subject_id == claim.id).order_by(Event.id)))


# --- What it holds, and its beginning


def test_a_task_set_aside_holds_its_place_and_its_pay(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    assert aside.state is ClaimState.AHEAD
    assert aside.task_id != first.task_id
    assert session.get_one(Task, aside.task_id, populate_existing=True).taken == 1
    assert reserved(session, world) == 2 * 42
    assert service.project_progress(session, world.project.id, now=clock.now()).committed.minor == 2 * 42
    assert proven(session)


def test_fetching_again_gives_the_same_task(session: Session, world: World, person: User, clock: FixedClock) -> None:
    first = take(session, person, world, clock)
    assert fetched(session, person, first, clock).id == fetched(session, person, first, clock).id


def test_what_was_set_aside_is_what_is_claimed_next_and_begins_then(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    clock.at += timedelta(seconds=90)
    submit(session, person, first, clock)
    began = clock.now()
    held = service.claim_next(session, person.actor, world.project.id, now=began)
    assert held.fresh
    assert held.claim.id == aside.id
    assert (held.claim.state, held.claim.created_at, held.claim.last_beat_at) == (ClaimState.OPEN, began, began)
    assert held.claim.leased_until == began + timedelta(seconds=world.project.lease_seconds)
    assert held.claim.worked_seconds == 0
    assert kinds_of(session, aside) == ["work.set_aside", "work.claimed"]
    assert proven(session)


def test_it_is_not_open_work_and_nothing_can_be_done_with_it(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    assert [claim.id for claim, _ in session.execute(queries_own.open_claims(person.id))] == [first.id]
    for deed in (
        lambda: service.save_draft(session, person.actor, aside.id, {"justification": "x"}, 1, now=clock.now()),
        lambda: service.beat(session, person.actor, aside.id, now=clock.now()),
        lambda: submit(session, person, aside, clock),
        lambda: service.skip_claim(session, person.actor, aside.id, "other", now=clock.now()),
    ):
        with pytest.raises(ClaimEnded):
            deed()
    assert take(session, person, world, clock).id == first.id


def test_skipping_the_present_task_begins_the_next(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    service.skip_claim(session, person.actor, first.id, "other", now=clock.now())
    assert take(session, person, world, clock).id == aside.id


def test_a_named_task_is_claimed_beside_what_is_set_aside_or_begins_it(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    submit(session, person, first, clock)
    other = world.tasks[-1].id
    named = service.claim_task(session, person.actor, world.project.id, other, now=clock.now()).claim
    assert named.task_id == other
    submit(session, person, named, clock)
    begun = service.claim_task(session, person.actor, world.project.id, aside.task_id, now=clock.now()).claim
    assert begun.id == aside.id


# --- Letting go


def let_go_by_leaving(session: Session, person: User, aside: Claim, world: World, clock: FixedClock) -> None:
    service.let_go_ahead(session, person.actor, aside.id, now=clock.now())


def let_go_by_silence(session: Session, person: User, aside: Claim, world: World, clock: FixedClock) -> None:
    clock.at += rules_ahead.LEASE + timedelta(seconds=1)
    assert service.let_go_idle(session, now=clock.now()) == 1


def let_go_by_release(session: Session, person: User, aside: Claim, world: World, clock: FixedClock) -> None:
    service.release_claim(session, person.actor, aside.id, now=clock.now())


@pytest.mark.parametrize("let_go", [let_go_by_leaving, let_go_by_silence, let_go_by_release])
def test_what_is_let_go_leaves_no_trace_and_may_come_again(
    session: Session, world: World, person: User, clock: FixedClock, let_go: Any
) -> None:
    first = take(session, person, world, clock)
    before = money.project_funds(session, world.project.id, "USD")
    aside = fetched(session, person, first, clock)
    let_go(session, person, aside, world, clock)
    assert money.project_funds(session, world.project.id, "USD") == before
    assert session.get_one(Task, aside.task_id, populate_existing=True).taken == 0
    assert (aside.state, aside.reason) == (ClaimState.EXPIRED, rules_ahead.NOT_BEGUN)
    assert kinds_of(session, aside) == ["work.set_aside", "work.let_go"]
    again = service.claim_task(session, person.actor, world.project.id, aside.task_id, now=clock.now())
    assert again.claim.id == first.id, "one at a time"
    submit(session, person, first, clock)
    again = service.claim_task(session, person.actor, world.project.id, aside.task_id, now=clock.now())
    assert again.claim.task_id == aside.task_id
    assert proven(session)


def test_leaving_changes_nothing_once_the_task_has_begun(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    submit(session, person, first, clock)
    begun = take(session, person, world, clock)
    service.let_go_ahead(session, person.actor, aside.id, now=clock.now())
    assert begun.state is ClaimState.OPEN


def test_giving_the_present_task_back_lets_the_next_go(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    service.release_claim(session, person.actor, first.id, now=clock.now())
    assert (first.state, aside.state) == (ClaimState.RELEASED, ClaimState.EXPIRED)
    assert reserved(session, world) == 0


def test_signs_of_life_keep_it_for_a_while_and_not_for_ever(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    minutes = 0
    while service.keep_ahead(session, first, now=clock.now()) == aside.id:
        assert minutes <= 20
        clock.at += timedelta(minutes=1)
        minutes += 1
        service.let_go_idle(session, now=clock.now())
    assert minutes == rules_ahead.KEPT_MAX // timedelta(minutes=1) + 1


def pause(session: Session, world: World, person: User, aside: Claim) -> None:
    world.project.state = ProjectState.PAUSED


def leave(session: Session, world: World, person: User, aside: Claim) -> None:
    session.get_one(Membership, (world.project.id, person.id)).state = MembershipState.LEFT


def retire(session: Session, world: World, person: User, aside: Claim) -> None:
    session.get_one(Task, aside.task_id).state = TaskState.RETIRED


@pytest.mark.parametrize("change", [pause, leave, retire])
def test_the_sweep_lets_go_what_cannot_begin_any_more(
    session: Session, world: World, person: User, clock: FixedClock, change: Any
) -> None:
    aside = fetched(session, person, take(session, person, world, clock), clock)
    assert service.let_go_idle(session, now=clock.now()) == 0
    change(session, world, person, aside)
    session.flush()
    assert service.let_go_idle(session, now=clock.now()) == 1
    assert aside.state is ClaimState.EXPIRED


def new_rate(session: Session, world: World, aside: Claim, clock: FixedClock) -> None:
    world.project.rate_minor = 50


def new_guidelines(session: Session, world: World, aside: Claim, clock: FixedClock) -> None:
    version = GuidelinesVersion(project_id=world.project.id, number=1, body="Anew.", created_at=clock.now())
    session.add(version)
    session.flush()
    world.project.guidelines_version_id = version.id


def retired(session: Session, world: World, aside: Claim, clock: FixedClock) -> None:
    session.get_one(Task, aside.task_id).state = TaskState.RETIRED


@pytest.mark.parametrize("change", [new_rate, new_guidelines, retired])
def test_what_has_changed_since_is_claimed_anew(
    session: Session, world: World, person: User, clock: FixedClock, change: Any
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    change(session, world, aside, clock)
    session.flush()
    submit(session, person, first, clock)
    held = take(session, person, world, clock)
    assert held.id != aside.id
    assert held.rate_minor == world.project.rate_minor
    assert held.guidelines_version_id == world.project.guidelines_version_id
    assert session.get_one(Task, held.task_id).state is TaskState.OPEN
    assert service.let_go_idle(session, now=clock.now()) == 1
    assert session.get_one(Claim, aside.id, populate_existing=True).state is ClaimState.EXPIRED
    assert proven(session)


def test_a_paused_project_begins_nothing(session: Session, world: World, person: User, clock: FixedClock) -> None:
    first = take(session, person, world, clock)
    fetched(session, person, first, clock)
    submit(session, person, first, clock)
    world.project.state = ProjectState.PAUSED
    session.flush()
    with pytest.raises(ProjectNotOpen):
        take(session, person, world, clock)


def test_a_closing_project_waits_for_it_and_closes_with_the_next_sweep(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    fetched(session, person, first, clock)
    submit(session, person, first, clock)
    service.approve_due(session, now=clock.now())
    world.project.state = ProjectState.CLOSING
    session.flush()
    assert service.close_finished_projects(session, now=clock.now()) == 0
    assert service.let_go_idle(session, now=clock.now()) == 1
    assert service.close_finished_projects(session, now=clock.now()) == 1


# --- When it is fetched


def test_nothing_is_set_aside_for_who_does_not_work_on_that_task(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    submit(session, person, first, clock)
    assert fetch(session, person, first, clock) is None
    take(session, person, world, clock)
    assert fetch(session, person, first, clock) is None, "asked late, from the desk of the last task"


def test_a_short_queue_spares_nothing(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=rules_ahead.TASKS_EACH + 1, overlap=1)
    person, other = join(session, world, now=clock.now(), people=2)
    claim = take(session, person, world, clock)
    assert fetch(session, person, claim, clock) is not None
    theirs = take(session, other, world, clock)
    assert fetch(session, other, theirs, clock) is None


def test_nothing_is_set_aside_without_money(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=TASKS, budget_minor=42)
    person = join(session, world, now=clock.now())[0]
    assert fetch(session, person, take(session, person, world, clock), clock) is None


def test_who_finds_nothing_else_takes_what_is_set_aside_for_others(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=5, overlap=1)
    busy, *others = join(session, world, now=clock.now(), people=5)
    present = take(session, busy, world, clock)
    aside = fetched(session, busy, present, clock)
    got = [take(session, other, world, clock).task_id for other in others]
    assert aside.task_id in got
    assert len({present.task_id, *got}) == 5
    assert session.get_one(Claim, aside.id, populate_existing=True).state is ClaimState.EXPIRED
    assert proven(session)
    submit(session, busy, present, clock)
    with pytest.raises(NoWorkLeft):
        take(session, busy, world, clock)


def test_a_named_task_is_taken_from_who_has_only_set_it_aside(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=TASKS, overlap=1)
    busy, other = join(session, world, now=clock.now(), people=2)
    aside = fetched(session, busy, take(session, busy, world, clock), clock)
    got = service.claim_task(session, other.actor, world.project.id, aside.task_id, now=clock.now())
    assert got.claim.task_id == aside.task_id
    assert proven(session)


# --- Content and checks


def test_content_counts_as_shown_when_it_begins(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    world.project.content_ratings = ["violence"]
    session.flush()
    content.choose(session, person.actor, {"violence": 5}, now=clock.now())
    first = take(session, person, world, clock)
    fetched(session, person, first, clock)
    assert content.exposure(session, person.id, now=clock.now())["violence"].seen == 1
    submit(session, person, first, clock)
    take(session, person, world, clock)
    assert content.exposure(session, person.id, now=clock.now())["violence"].seen == 2


def test_nothing_is_set_aside_that_the_limit_would_not_allow(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    world.project.content_ratings = ["violence"]
    session.flush()
    content.choose(session, person.actor, {"violence": 1}, now=clock.now())
    assert fetch(session, person, take(session, person, world, clock), clock) is None


def test_one_task_is_set_aside_beside_another_and_no_second_one_to_choose_from(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    service.let_go_ahead(session, person.actor, aside.id, now=clock.now())
    assert fetch(session, person, first, clock) is None
    submit(session, person, first, clock)
    second = take(session, person, world, clock)
    fetched(session, person, second, clock)


def test_what_was_rated_since_it_was_fetched_says_so_when_it_begins(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    content.choose(session, person.actor, {"violence": 5}, now=clock.now())
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    session.get_one(Task, aside.task_id).content_ratings = ["violence"]
    session.flush()
    submit(session, person, first, clock)
    begun = service.begin_ahead(session, person.actor, world.project.id, aside.id, now=clock.now())
    assert begun is not None
    assert begun.ratings == ("violence",)


def test_what_was_rated_since_it_was_fetched_is_not_given_to_who_did_not_choose_it(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    first = take(session, person, world, clock)
    aside = fetched(session, person, first, clock)
    session.get_one(Task, aside.task_id).content_ratings = ["violence"]
    session.flush()
    assert fetch(session, person, first, clock) is None
    submit(session, person, first, clock)
    assert service.begin_ahead(session, person.actor, world.project.id, aside.id, now=clock.now()) is None
    assert take(session, person, world, clock).id != aside.id


def test_free_tasks_are_counted_by_the_index_of_the_queue_alone(session: Session, world: World, person: User) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    values = {
        "project_id": world.project.id, "person_id": person.id, "claim_id": new_id(), "escrow_id": None,
        "tasks_each": 3, "people_max": 200, "not_begun": "", "rate_minor": 1,
    }  # fmt: skip
    plan = "\n".join(session.scalars(text(f"EXPLAIN {queries_ahead.STANDING.text}"), values))
    assert "ix_task_claimable " in plan
    assert "ix_task_claimable_rated" in plan


def test_a_check_that_was_fetched_is_never_given_again(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock, tasks=20, gold=1, percent=50)
    person = join(session, world, now=clock.now())[0]
    gold = world.tasks[0].id
    met = 0
    for _ in range(12):
        claim = take(session, person, world, clock)
        aside = fetched(session, person, claim, clock)
        met += [claim.task_id, aside.task_id].count(gold)
        service.let_go_ahead(session, person.actor, aside.id, now=clock.now())
        submit(session, person, claim, clock)
    assert met <= 1


# --- Over HTTP


def test_programs_fetch_ahead_too(client: TestClient, session: Session, world: World, person: User) -> None:
    claims = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    first = client.post(claims, headers=person.headers).json()
    aside = client.post(f"/api/v1/claims/{first['id']}/ahead", headers=person.headers)
    assert (aside.status_code, aside.json()["state"]) == (201, "ahead")
    assert [each["id"] for each in aside.json()["task"]["responses"]] == ["A", "B"]
    again = client.post(f"/api/v1/claims/{first['id']}/ahead", headers=person.headers)
    assert (again.status_code, again.json()["id"]) == (200, aside.json()["id"])
    beat = client.post(f"/api/v1/claims/{first['id']}/heartbeat", headers=person.headers).json()
    assert beat["ahead_claim_id"] == aside.json()["id"]
    client.post(f"/api/v1/claims/{first['id']}/submission", headers=person.headers, json={"answer": PREFER_A})
    begun = client.post(claims, headers=person.headers)
    assert (begun.status_code, begun.json()["id"], begun.json()["state"]) == (201, aside.json()["id"], "open")
    late = client.post(f"/api/v1/claims/{first['id']}/ahead", headers=person.headers)
    assert late.status_code == 204


def test_nobody_fetches_at_the_desk_of_another(
    client: TestClient, session: Session, world: World, person: User, clock: FixedClock
) -> None:
    claim = take(session, person, world, clock)
    other = join(session, world, now=clock.now())[0]
    asked = client.post(f"/api/v1/claims/{show_id('claim', claim.id)}/ahead", headers=other.headers)
    assert asked.status_code == 404
