"""Claiming, working, submitting: through HTTP, on a real database."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.projects.models import ProjectState, Task
from preceptor.work import rules, service
from preceptor.work.models import Claim, ClaimState, Submission
from tests.factories import PREFER_A, User, World, join, make_contributor, make_world


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now())


@pytest.fixture
def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def claim(client: TestClient, world: World, user: User) -> dict[str, Any]:
    answer = client.post(f"/api/v1/projects/{show_id('project', world.project.id)}/claims", headers=user.headers)
    assert answer.status_code in (200, 201), answer.text
    body: dict[str, Any] = answer.json()
    return body


def submit(client: TestClient, claim_id: str, user: User, answer: dict[str, Any] = PREFER_A) -> Any:
    return client.post(f"/api/v1/claims/{claim_id}/submission", headers=user.headers, json={"answer": answer})


def test_claim_reserves_the_rate_shown(client: TestClient, session: Session, world: World, worker: User) -> None:
    claimed = claim(client, world, worker)
    assert claimed["rate"] == {"amount": "0.42", "currency": "USD"}
    funds = money.project_funds(session, world.project.id, "USD")
    assert (funds.escrow.minor, funds.reserved.minor) == (100_000 - 42, 42)


def test_second_click_returns_the_open_claim(client: TestClient, world: World, worker: User) -> None:
    first, second = claim(client, world, worker), claim(client, world, worker)
    assert first["id"] == second["id"]


def test_contributor_never_sees_ids_or_positions_of_responses(client: TestClient, world: World, worker: User) -> None:
    shown = claim(client, world, worker)["task"]["responses"]
    assert [response["id"] for response in shown] == ["A", "B"]


def test_answers_are_stored_in_response_ids(client: TestClient, session: Session, world: World, worker: User) -> None:
    claimed = claim(client, world, worker)
    assert submit(client, claimed["id"], worker).status_code == 201
    stored, held = session.execute(select(Submission, Claim).join(Claim, Claim.id == Submission.claim_id)).one()
    assert stored.answer["ranks"] == {held.display_order[0]: 1, held.display_order[1]: 2}


def test_submitting_twice_is_the_same_as_once(client: TestClient, session: Session, world: World, worker: User) -> None:
    claimed = claim(client, world, worker)
    first, second = (submit(client, claimed["id"], worker).json() for _ in range(2))
    assert first["id"] == second["id"]
    assert session.scalar(select(func.count()).select_from(Submission)) == 1


def test_a_different_second_answer_is_refused(client: TestClient, world: World, worker: User) -> None:
    claimed = claim(client, world, worker)
    submit(client, claimed["id"], worker)
    other = {**PREFER_A, "ranks": {"A": 2, "B": 1}}
    refused = submit(client, claimed["id"], worker, other)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_submitted")


@pytest.mark.parametrize(
    "answer",
    [{}, {"ranks": {"A": 1}}, {"ranks": {"A": 1, "C": 2}}, {"ranks": {"A": 0, "B": 1}}, {"ranks": "A"}, {"rank": {}}],
)
def test_answers_that_do_not_fit_the_task_are_refused_by_name(
    client: TestClient, session: Session, world: World, worker: User, answer: dict[str, Any]
) -> None:
    claimed = claim(client, world, worker)
    refused = submit(client, claimed["id"], worker, answer)
    assert (refused.status_code, refused.json()["code"]) == (422, "incomplete_answer")
    assert session.scalar(select(func.count()).select_from(Submission)) == 0


def test_nobody_judges_the_same_task_twice(client: TestClient, world: World, worker: User) -> None:
    seen = []
    for _ in world.tasks:
        claimed = claim(client, world, worker)
        seen.append(claimed["task_id"])
        submit(client, claimed["id"], worker)
    assert len(set(seen)) == len(world.tasks)
    answer = client.post(f"/api/v1/projects/{show_id('project', world.project.id)}/claims", headers=worker.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_work_left")


def test_a_foreign_claim_is_as_good_as_missing(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    stranger = join(session, world, now=clock.now())[0]
    claimed = claim(client, world, worker)
    assert submit(client, claimed["id"], stranger).status_code == 404
    put = client.put(f"/api/v1/claims/{claimed['id']}/draft", headers=stranger.headers, json={"draft": {}, "number": 1})
    assert put.status_code == 404
    assert client.get(f"/api/v1/claims/{claimed['id']}", headers=stranger.headers).status_code == 404


def test_drafts_survive_and_late_ones_change_nothing(client: TestClient, world: World, worker: User) -> None:
    claimed = claim(client, world, worker)
    url = f"/api/v1/claims/{claimed['id']}/draft"
    for number, text in [(1, "a"), (3, "abc"), (2, "ab")]:
        put = client.put(url, headers=worker.headers, json={"draft": {"justification": text}, "number": number})
        assert put.status_code == 200
    assert client.get(f"/api/v1/claims/{claimed['id']}", headers=worker.headers).json()["draft"] == {
        "justification": "abc"
    }


def test_an_overdue_claim_goes_back_to_the_queue_with_its_money(
    client: TestClient, runtime: Runtime, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    clock.at += timedelta(seconds=600) + rules.LEASE_GRACE + timedelta(seconds=1)
    refused = submit(client, claimed["id"], worker)
    assert (refused.status_code, refused.json()["code"]) == (410, "lease_over")
    assert service.sweep(runtime.sessions, now=clock.now()) == 1
    session.expire_all()
    assert money.project_funds(session, world.project.id, "USD").reserved.minor == 0
    assert session.scalar(select(func.sum(Task.taken))) == 0


def test_an_answer_within_the_grace_is_taken(client: TestClient, world: World, worker: User, clock: FixedClock) -> None:
    claimed = claim(client, world, worker)
    clock.at += timedelta(seconds=610)
    assert submit(client, claimed["id"], worker).status_code == 201


def test_the_draft_returns_with_the_task_after_an_expired_lease(
    client: TestClient, runtime: Runtime, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    draft = {"justification": "half a thought"}
    client.put(f"/api/v1/claims/{claimed['id']}/draft", headers=worker.headers, json={"draft": draft, "number": 1})
    clock.at += timedelta(hours=1)
    service.sweep(runtime.sessions, now=clock.now())
    project = show_id("project", world.project.id)
    again = client.post(
        f"/api/v1/projects/{project}/claims", headers=worker.headers, json={"task_id": claimed["task_id"]}
    ).json()
    assert again["id"] != claimed["id"]
    assert again["draft"] == draft


def test_heartbeats_keep_the_lease_and_count_time_once(
    client: TestClient, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    url = f"/api/v1/claims/{claimed['id']}/heartbeat"
    for _ in range(30):
        clock.at += timedelta(seconds=20)
        client.post(url, headers=worker.headers)
        client.post(url, headers=worker.headers)  # a doubled beat adds nothing
    beaten = client.post(url, headers=worker.headers).json()
    assert beaten["worked_seconds"] == 600
    assert beaten["leased_until"] > claimed["leased_until"]


def test_skipped_tasks_do_not_come_back(client: TestClient, world: World, worker: User) -> None:
    first = claim(client, world, worker)
    skipped = client.post(f"/api/v1/claims/{first['id']}/skip", headers=worker.headers, json={"reason": "unclear"})
    assert skipped.json()["state"] == "skipped"
    assert claim(client, world, worker)["task_id"] != first["task_id"]


def test_two_reports_take_a_broken_task_out_of_the_queue(
    client: TestClient, session: Session, world: World, clock: FixedClock
) -> None:
    for user in join(session, world, now=clock.now(), people=2):
        claimed = claim(client, world, user)
        body = {"reason": "broken", "comment": "nothing is shown"}
        assert client.post(f"/api/v1/claims/{claimed['id']}/flag", headers=user.headers, json=body).status_code == 200
    session.expire_all()
    assert [task.state for task in world.tasks] == ["flagged", "open", "open"]
    hidden = session.scalars(select(Event.subject_id).where(Event.kind == "work.task_hidden")).all()
    assert hidden == [world.tasks[0].id]


def test_nothing_is_claimable_without_money(client: TestClient, session: Session, clock: FixedClock) -> None:
    poor = make_world(session, now=clock.now(), budget_minor=0)
    user = join(session, poor, now=clock.now())[0]
    answer = client.post(f"/api/v1/projects/{show_id('project', poor.project.id)}/claims", headers=user.headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "not_funded")
    assert session.scalar(select(func.count()).select_from(Claim)) == 0


def test_scattered_money_is_gathered_for_the_last_claims(
    client: TestClient, session: Session, clock: FixedClock
) -> None:
    # 32 parts of 3 cents each: no part holds the rate of 42, all together hold two of them.
    world = make_world(session, now=clock.now(), budget_minor=96, rate_minor=42, tasks=3, overlap=1)
    users = join(session, world, now=clock.now(), people=3)
    for user in users[:2]:
        claim(client, world, user)
    answer = client.post(f"/api/v1/projects/{show_id('project', world.project.id)}/claims", headers=users[2].headers)
    assert answer.json()["code"] == "not_funded"
    assert money.project_funds(session, world.project.id, "USD").escrow.minor == 96 - 84


def test_closing_lets_live_claims_finish_but_starts_none(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    world.project.state = ProjectState.CLOSING
    session.flush()
    late = join(session, world, now=clock.now())[0]
    project = show_id("project", world.project.id)
    assert client.post(f"/api/v1/projects/{project}/claims", headers=late.headers).json()["code"] == "project_not_open"
    assert submit(client, claimed["id"], worker).status_code == 201


def test_strangers_to_the_project_are_told_to_join(
    client: TestClient, session: Session, world: World, clock: FixedClock
) -> None:
    stranger = make_contributor(session, now=clock.now())
    answer = client.post(f"/api/v1/projects/{show_id('project', world.project.id)}/claims", headers=stranger.headers)
    assert answer.json()["code"] == "not_joined"


def test_approval_pays_exactly_the_rate_once_and_the_ledger_agrees(
    client: TestClient, runtime: Runtime, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    submit(client, claimed["id"], worker)
    assert service.sweep(runtime.sessions, now=clock.now()) == 1
    assert service.sweep(runtime.sessions, now=clock.now()) == 0
    assert money.balance(session, AccountKind.CONTRIBUTOR, worker.id, "USD").minor == 42
    proof = money.prove(session)
    held, wrong = service.prove_work(session)
    assert proof.ok
    assert proof.imbalance_minor == 0
    assert wrong == []
    assert len(held) == 9


def test_every_change_of_state_leaves_one_event(
    client: TestClient, runtime: Runtime, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    claimed = claim(client, world, worker)
    submit(client, claimed["id"], worker)
    service.sweep(runtime.sessions, now=clock.now())
    kinds = session.scalars(select(Event.kind).where(Event.person_id == worker.id, Event.project_id.is_not(None)))
    assert list(kinds) == ["work.claimed", "work.submitted", "work.approved"]


def test_the_rate_of_a_claim_cannot_be_changed_even_by_sql(
    client: TestClient, session: Session, world: World, worker: User
) -> None:
    claim(client, world, worker)
    held = session.scalars(select(Claim)).one()
    held.rate_minor = 1
    with pytest.raises(Exception, match="append-only"):
        session.flush()


def test_claim_states_follow_the_table() -> None:
    assert set(rules.MOVES) == set(ClaimState)
    assert rules.MOVES[ClaimState.APPROVED] == frozenset()
