"""Reviewing through its pages: order, blindness, reasons, money, and who may not."""

from datetime import timedelta

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.projects.models import Membership, ProjectReviewer
from preceptor.web import review
from preceptor.work.models import Decision, Review, Submission, SubmissionState
from preceptor.work.service import CriterionVerdict, decide, prove_work, review_overview
from tests.factories import User, World, join, make_client, make_contributor, make_user, make_world, signed
from tests.web.acting import Desk, Seating, judge, statements

HOSTILE = '<script>alert("x")</script>'
WHY_NOT = "The second answer adds up; look at the sum again."


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2, review_percent=100)


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def desk(seat: Seating, world: World) -> Desk:
    return seat(world.reviewer)


@pytest.fixture
def workers(session: Session, world: World, clock: FixedClock) -> list[User]:
    return join(session, world, now=clock.now(), people=2)


def path_of(submission: Submission) -> str:
    return f"/review/submission/{show_id('submission', submission.id)}"


def next_path(world: World) -> str:
    return f"/review/{show_id('project', world.project.id)}/next"


def proven(session: Session) -> bool:
    session.flush()
    return money.prove(session).ok and prove_work(session)[1] == []


def test_the_queue_counts_what_others_submitted(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    for worker in workers:
        judge(session, worker, world, clock)
    shown = desk.get("/review")
    assert shown.status_code == 200
    assert next_path(world) in shown.text
    lines = review_overview.review_queue(session, world.reviewer.actor, now=clock.now())
    assert [(line.waiting, line.elsewhere) for line in lines] == [(2, 0)]
    assert lines[0].deadline_at == clock.now() + timedelta(seconds=world.project.review_seconds)


def test_the_oldest_comes_first_and_approving_opens_the_next_one(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    first = judge(session, workers[0], world, clock)
    clock.at += timedelta(minutes=1)
    second = judge(session, workers[1], world, clock)
    assert desk.get(next_path(world)).headers["location"] == path_of(first)
    answered = desk.post(path_of(first), decision="approve", verdict_right="met", worked_seconds="42")
    assert answered.headers["location"] == path_of(second)
    review_row = session.scalars(select(Review)).one()
    assert (review_row.decision, review_row.worked_seconds) == (Decision.APPROVE, 42)
    assert review_row.criteria == [{"key": "right", "verdict": "met", "comment": "", "quote": ""}]
    paid = money.balance(session, AccountKind.CONTRIBUTOR, workers[0].id, "USD")
    assert paid.minor == 42
    last = desk.post(path_of(second), decision="approve")
    assert last.headers["location"] == "/review"
    assert proven(session)


def test_rejecting_needs_reasons_and_loses_nothing_that_was_written(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    desk.get(path_of(given))
    refused = desk.post(
        path_of(given), decision="reject", comment="short", comment_right="kept words", quote_right="adds up",
    )  # fmt: skip
    assert refused.status_code == 422
    for kept in ("short", "kept words", "adds up", "At least 20 characters"):
        assert kept in refused.text
    no_criterion = desk.post(path_of(given), decision="reject", comment=WHY_NOT)
    assert no_criterion.status_code == 422
    assert "at least one criterion" in no_criterion.text
    assert session.scalar(select(func.count()).select_from(Review)) == 0
    done = desk.post(
        path_of(given), decision="reject", comment=WHY_NOT, verdict_right="not_met", comment_right="It is even.",
        quote_right="adds up",
    )  # fmt: skip
    assert done.status_code == 303
    row = session.scalars(select(Review)).one()
    assert row.criteria == [{"key": "right", "verdict": "not_met", "comment": "It is even.", "quote": "adds up"}]
    assert money.balance(session, AccountKind.CONTRIBUTOR, workers[0].id, "USD").minor == 0
    assert money.project_funds(session, world.project.id, "USD").reserved.minor == 0
    assert proven(session)


def test_returning_needs_a_comment_and_the_next_reviewer_reads_it(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    assert desk.post(path_of(given), decision="return").status_code == 422
    assert desk.post(path_of(given), decision="return", comment=WHY_NOT).status_code == 303
    from preceptor.work import service as work

    shown = {"ranks": {"A": 1, "B": 2}, "strength": 3, "justification": "Now I have looked at the sum again."}
    again = work.submit(session, workers[0].actor, given.claim_id, shown, now=clock.now())
    session.flush()
    page = desk.get(path_of(again))
    assert "Revision 2" in page.text
    assert WHY_NOT in page.text
    assert proven(session)


def test_a_decision_is_not_taken_without_a_choice(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    assert desk.post(path_of(given), decision="maybe", comment=WHY_NOT).status_code == 422
    session.refresh(given)
    assert given.state is SubmissionState.SUBMITTED


def test_what_was_decided_meanwhile_is_said_and_changes_nothing(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    desk.post(path_of(given), decision="approve")
    late = desk.post(path_of(given), decision="reject", comment=WHY_NOT, verdict_right="not_met")
    assert late.headers["location"] == path_of(given)
    assert session.scalars(select(Review.decision)).all() == [Decision.APPROVE]


def test_skipping_leaves_it_to_others_and_goes_on(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    first, second = judge(session, workers[0], world, clock), judge(session, workers[1], world, clock)
    desk.get(path_of(first))
    gone_on = desk.post(f"{path_of(first)}/skip", skip="")
    assert gone_on.headers["location"].startswith(path_of(second))
    assert show_id("submission", first.id) in gone_on.headers["location"]
    session.refresh(first)
    assert first.reviewer_id is None
    both = desk.post(f"{path_of(second)}/skip", skip=show_id("submission", first.id))
    assert both.headers["location"] == "/review"


def test_a_blind_project_never_names_the_author_and_hides_other_judgments_until_decided(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    judge(session, workers[1], world, clock, better="r2", why="Somebody else thinks otherwise, for a reason.")
    before = desk.get(path_of(given)).text
    assert workers[0].person.name not in before
    assert show_id("person", workers[0].id) not in before
    assert "Somebody else thinks otherwise" not in before
    for inside in ("source", "r1", "r2"):
        assert f'"{inside}"' not in before
    desk.post(path_of(given), decision="approve")
    after = desk.get(path_of(given)).text
    assert "Somebody else thinks otherwise" in after
    assert workers[0].person.name not in after
    assert workers[1].person.name not in after


def test_an_open_project_names_the_author(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    world.project.blind_review = False
    session.flush()
    given = judge(session, workers[0], world, clock)
    assert workers[0].person.name in desk.get(path_of(given)).text


def test_nobody_reviews_their_own(session: Session, world: World, seat: Seating, clock: FixedClock) -> None:
    person = make_user(session, now=clock.now(), is_contributor=True, is_reviewer=True)
    session.add(Membership(project_id=world.project.id, person_id=person.id, joined_at=clock.now()))
    session.add(ProjectReviewer(project_id=world.project.id, person_id=person.id, created_at=clock.now()))
    session.flush()
    own = judge(session, signed(session, person.person, now=clock.now()), world, clock)
    desk = seat(person, "reviewer")
    assert desk.get(next_path(world)).headers["location"] == "/review"
    assert desk.get(path_of(own)).status_code == 403
    assert desk.post(path_of(own), decision="approve").status_code == 403
    assert desk.post(f"{path_of(own)}/skip").status_code == 403
    assert session.scalar(select(func.count()).select_from(Review)) == 0


def test_what_somebody_else_has_open_is_refused_with_the_next_step(
    session: Session, world: World, desk: Desk, seat: Seating, workers: list[User], clock: FixedClock
) -> None:
    other = make_user(session, now=clock.now(), is_reviewer=True)
    session.add(ProjectReviewer(project_id=world.project.id, person_id=other.id, created_at=clock.now()))
    given = judge(session, workers[0], world, clock)
    desk.get(path_of(given))
    refused = seat(other).get(path_of(given))
    assert refused.status_code == 409
    assert "Take the next one" in refused.text
    kept = seat(other).post(path_of(given), decision="return", comment=WHY_NOT)
    assert kept.status_code == 409
    assert WHY_NOT in kept.text


def test_every_review_page_is_closed_to_everybody_else(
    session: Session, world: World, seat: Seating, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock)
    ids = {
        "submission_id": show_id("submission", given.id),
        "project_id": show_id("project", world.project.id),
    }
    stranger = make_user(session, now=clock.now(), is_reviewer=True)
    _, client_owner = make_client(session, now=clock.now())
    routes = [route for route in review.router.routes if isinstance(route, APIRoute)]
    assert len(routes) >= 6
    for route in routes:
        path = route.path.format(**ids)
        for user in (workers[1], client_owner, make_contributor(session, now=clock.now())):
            desk = seat(user)
            answers = [desk.get(path) if method == "GET" else desk.post(path) for method in route.methods or ()]
            assert {answer.status_code for answer in answers} == {403}, path
        if "{submission_id}" in route.path:
            desk = seat(stranger)
            answer = desk.get(path) if "GET" in (route.methods or ()) else desk.post(path, decision="approve")
            assert answer.status_code == 404, path
    assert seat(stranger).get(next_path(world)).headers["location"] == "/review"
    assert show_id("project", world.project.id) not in seat(stranger).get("/review").text


def test_my_decisions_can_be_searched_filtered_and_paged(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = judge(session, workers[0], world, clock), judge(session, workers[1], world, clock)
    desk.post(path_of(first), decision="approve", comment="Well seen, with the place named.")
    desk.post(path_of(second), decision="return", comment=WHY_NOT)
    everything = desk.get("/review/done").text
    assert path_of(first) in everything
    assert path_of(second) in everything
    found = desk.get("/review/done?q=sum+again").text
    assert path_of(second) in found
    assert path_of(first) not in found
    returned = desk.get("/review/done?show=return").text
    assert path_of(second) in returned
    assert path_of(first) not in returned
    monkeypatch.setattr(review, "PAGE_ROWS", 1)
    page_one = desk.get("/review/done").text
    assert path_of(first) not in page_one
    cursor = show_id("review", session.scalars(select(Review.id).where(Review.submission_id == second.id)).one())
    assert f"cursor={cursor}" in page_one
    assert path_of(first) in desk.get(f"/review/done?cursor={cursor}").text


def test_agreement_leaves_the_author_out_and_is_unknown_without_others(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=1, overlap=3, review_percent=100)
    people = join(session, world, now=clock.now(), people=3)
    odd = judge(session, people[0], world, clock, better="r2")
    actor = world.reviewer.actor
    decide(session, actor, odd.id, Decision.APPROVE, comment="", now=clock.now())
    assert review_overview.review_record(session, actor).with_consensus.value is None
    agreed = [judge(session, person, world, clock) for person in people[1:]]
    # Two others say r1: approving r2 is not borne out, approving r1 is split (one against one) for each of them.
    record = review_overview.review_record(session, actor)
    assert (record.with_consensus.value, record.with_consensus.n) == (0.0, 1)
    decide(session, actor, agreed[0].id, Decision.APPROVE, comment="", now=clock.now())
    lines = {line.submission.id: line.support for line in review_overview.decisions_made(session, actor)}
    assert lines == {odd.id: review_overview.Support.NO, agreed[0].id: review_overview.Support.SPLIT}


def test_reviewers_who_judge_the_same_answer_alike_agree(session: Session, clock: FixedClock) -> None:
    world = make_world(session, now=clock.now(), tasks=1, overlap=3, review_percent=100)
    second = make_user(session, now=clock.now(), is_reviewer=True)
    session.add(ProjectReviewer(project_id=world.project.id, person_id=second.id, created_at=clock.now()))
    people = join(session, world, now=clock.now(), people=3)
    same, alike, other = [
        judge(session, person, world, clock, better=better)
        for person, better in zip(people, ("r1", "r1", "r2"), strict=True)
    ]
    mine, theirs = world.reviewer.actor, second.actor
    decide(session, mine, same.id, Decision.APPROVE, comment="", now=clock.now())
    decide(session, theirs, other.id, Decision.APPROVE, comment="", now=clock.now())
    assert review_overview.review_record(session, mine).with_reviewers.value is None
    unmet = [CriterionVerdict("right", "not_met")]
    decide(session, theirs, alike.id, Decision.REJECT, comment=WHY_NOT, criteria=unmet, now=clock.now())
    assert review_overview.review_record(session, mine).with_reviewers.value == 0.0


def test_strange_words_are_shown_and_not_run(
    session: Session, world: World, desk: Desk, workers: list[User], clock: FixedClock
) -> None:
    given = judge(session, workers[0], world, clock, why=f"{HOSTILE} and enough words to submit it.")
    page = desk.get(path_of(given)).text
    assert HOSTILE not in page
    refused = desk.post(path_of(given), decision="reject", comment=HOSTILE[:15], comment_right=HOSTILE)
    assert HOSTILE not in refused.text
    desk.post(path_of(given), decision="approve", comment=f"{HOSTILE} {HOSTILE}")
    assert HOSTILE not in desk.get("/review/done").text
    assert HOSTILE not in desk.get(path_of(given)).text


def test_lists_take_few_statements_however_long_they_are(
    runtime: Runtime, session: Session, desk: Desk, world: World, workers: list[User], clock: FixedClock
) -> None:
    def cost(path: str) -> int:
        with statements(runtime) as seen:
            assert desk.get(path).status_code == 200
        return len(seen)

    first = judge(session, workers[0], world, clock)
    desk.post(path_of(first), decision="approve")
    before = {path: cost(path) for path in ("/review", "/review/done")}
    for worker, count in ((workers[0], 2), (workers[1], 3)):
        for _ in range(count):
            given = judge(session, worker, world, clock)
            desk.post(path_of(given), decision="approve")
    assert {path: cost(path) for path in before} == before
    assert before["/review"] <= 11
    assert before["/review/done"] <= 10
