"""Challenges to known answers: who may say it and decide it, and how a wrong key is made good."""

from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.fairness import service as fairness
from preceptor.fairness.models import Appeal, AppealOrigin, DecisionReceipt, ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import show_id
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.people.models import OutboxMail
from preceptor.projects.access import RoleTooSmall
from preceptor.projects.models import GoldCorrection, Membership, MembershipState, Task, TaskGold
from preceptor.work import rules_gold, service
from preceptor.work.errors import ReasonNeeded
from preceptor.work.errors_gold import (
    AlreadyChallenged,
    ChallengeDecided,
    ChallengeTooLate,
    ConcernedYourself,
    KeyUnchanged,
    KeyUnusable,
    WordsNeeded,
)
from preceptor.work.models import Submission
from preceptor.work.models_quality import ChallengeState, GoldChallenge, GoldResult
from preceptor.work.service import challenges, deciding, gold, membership_decisions
from preceptor.work.service.challenges import Outcome
from tests.factories import User, World, join, make_client
from tests.work.golden import answer_gold, golden_world

WORDS = "Both add up here; the second one even says why."
REASON = "We looked again, and the second answer is the right one."


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return golden_world(session, clock, tasks=60, gold=1, overlap=50)


@pytest.fixture
def people(session: Session, world: World, clock: FixedClock) -> list[User]:
    return join(session, world, now=clock.now(), people=3)


def challenge(
    session: Session, world: World, person: User, clock: FixedClock, better: str = "r2"
) -> tuple[Submission, GoldChallenge]:
    given = answer_gold(session, world, person, clock, better)
    return given, challenges.challenge_gold(session, person.actor, given.id, WORDS, now=clock.now())


def decide(
    session: Session, world: World, found: GoldChallenge, outcome: Outcome, clock: FixedClock, **more: object
) -> GoldChallenge:
    return challenges.decide_challenge(
        session,
        world.client.actor,
        found.id,
        outcome,
        REASON,
        now=clock.now(),
        **more,  # type: ignore[arg-type]
    )


# --- The contributor


def test_a_person_learns_of_the_check_only_when_the_answer_is_decided(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    given = answer_gold(session, world, people[0], clock, "r2", decided=False)
    assert challenges.seen_gold(session, people[0].actor, given.id) is None
    with pytest.raises(NotFound):
        challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=clock.now())
    deciding.approve(session, SYSTEM, [given], "not sampled for review", now=clock.now())
    seen = challenges.seen_gold(session, people[0].actor, given.id)
    assert seen is not None
    assert (seen.result.passed, seen.explanation) == (False, "It adds up.")
    assert set(seen.key["ranks"]) == {"A", "B"}  # type: ignore[arg-type]
    assert any(reason.startswith("You ranked") for reason in seen.reasons)


def test_ordinary_foreign_and_missing_submissions_look_the_same(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    given = answer_gold(session, world, people[0], clock)
    assert challenges.seen_gold(session, people[1].actor, given.id) is None
    ordinary = session.scalars(
        select(Submission).where(Submission.person_id == people[0].id, Submission.task_id != given.task_id)
    ).first()
    refused = [given.id] if ordinary is None else [given.id, ordinary.id]
    for actor, submission_id in [(people[1].actor, refused[0]), (people[0].actor, refused[-1] if ordinary else None)]:
        if submission_id is not None:
            with pytest.raises(NotFound):
                challenges.challenge_gold(session, actor, submission_id, WORDS, now=clock.now())


def test_a_challenge_needs_words_and_is_made_once_and_in_time(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    given = answer_gold(session, world, people[0], clock, "r2")
    with pytest.raises(WordsNeeded):
        challenges.challenge_gold(session, people[0].actor, given.id, "Wrong.", now=clock.now())
    late = clock.now() + timedelta(seconds=world.project.appeal_seconds + 1)
    with pytest.raises(ChallengeTooLate):
        challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=late)
    first = challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=clock.now())
    assert challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=late).id == first.id
    with pytest.raises(AlreadyChallenged):
        challenges.challenge_gold(session, people[0].actor, given.id, WORDS + " Again.", now=clock.now())


# --- Who decides


def test_only_managers_who_did_not_answer_the_task_decide(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    _, stranger = make_client(session, now=clock.now())
    for actor, refusal in [
        (stranger.actor, NotFound), (people[0].actor, NotFound), (world.reviewer.actor, NotFound),
    ]:  # fmt: skip
        with pytest.raises(refusal):
            challenges.decide_challenge(session, actor, found.id, Outcome.DISMISS, REASON, now=clock.now())
    # The manager has answered it too, earlier, as a contributor.
    session.add(Membership(project_id=world.project.id, person_id=world.client.id, joined_at=clock.now()))
    session.flush()
    answer_gold(session, world, world.client, clock)
    with pytest.raises(ConcernedYourself):
        decide(session, world, found, Outcome.DISMISS, clock)


def test_viewers_see_neither_gold_nor_challenges(session: Session, world: World, clock: FixedClock) -> None:

    viewer = replace(world.client.actor, org_roles={world.organization.id: "viewer"})
    for ask in (gold.gold_page, gold.gold_summary, challenges.list_challenges):
        with pytest.raises(RoleTooSmall):
            ask(session, viewer, world.project.id)


def test_a_decision_needs_a_reason_and_is_made_once(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    with pytest.raises(ReasonNeeded):
        challenges.decide_challenge(session, world.client.actor, found.id, Outcome.DISMISS, "No.", now=clock.now())
    decide(session, world, found, Outcome.DISMISS, clock)
    assert decide(session, world, found, Outcome.DISMISS, clock).state is ChallengeState.DISMISSED
    with pytest.raises(ChallengeDecided):
        challenges.decide_challenge(
            session, world.client.actor, found.id, Outcome.THEIRS, REASON + " So there.", now=clock.now()
        )


def test_a_dismissed_challenge_leaves_everything_and_tells_the_person(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    decide(session, world, found, Outcome.DISMISS, clock)
    assert session.get_one(TaskGold, found.task_id).version == 1
    assert session.scalars(select(GoldResult.passed)).all() == [False]
    told = session.scalars(select(OutboxMail).order_by(OutboxMail.created_at)).all()[-1]
    assert told.to_email == people[0].person.email
    assert REASON in told.body


# --- Making good


def test_an_upheld_challenge_corrects_the_key_and_compares_everybody_anew(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    answer_gold(session, world, people[1], clock, "r1")
    _, found = challenge(session, world, people[0], clock)
    decide(session, world, found, Outcome.THEIRS, clock)
    known = session.get_one(TaskGold, found.task_id)
    assert (known.version, known.answer["ranks"], known.explanation) == (2, {"r2": 1, "r1": 2}, "")
    assert "justification" not in known.answer or known.answer["justification"] == ""
    results = {row.person_id: (row.passed, row.version) for row in session.scalars(select(GoldResult))}
    assert results == {people[0].id: (True, 2), people[1].id: (False, 2)}
    kept = session.scalars(select(GoldCorrection)).one()
    assert (kept.version, kept.answer["ranks"], kept.corrected_by) == (1, {"r1": 1, "r2": 2}, world.client.id)
    told = session.scalars(select(Event.person_id).where(Event.kind == "work.gold_rescored")).all()
    assert set(told) == {people[0].id, people[1].id}
    mails = set(session.scalars(select(OutboxMail.to_email)))
    assert {people[0].person.email, people[1].person.email} <= mails
    assert people[2].person.email not in mails


def test_a_correction_starts_the_watch_for_leaks_anew(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    assert session.get_one(TaskGold, found.task_id).leak is not None
    decide(session, world, found, Outcome.THEIRS, clock)
    known = session.get_one(TaskGold, found.task_id)
    assert (known.leak, known.leak_log_e) == (None, 0.0)


def test_a_withdrawn_task_measures_nobody_and_is_ordinary_work_again(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    decide(session, world, found, Outcome.WITHDRAW, clock)
    task = session.get_one(Task, found.task_id)
    assert (task.state, task.wanted) == ("open", 50)
    assert session.get(TaskGold, task.id) is None
    assert session.scalar(select(func.count()).select_from(GoldResult)) == 0
    assert found.new_answer is None
    assert found.state is ChallengeState.UPHELD
    assert service.prove_work(session)[1] == []


def test_a_key_must_say_something_and_something_new(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    _, found = challenge(session, world, people[0], clock)
    for answer in ({}, {"ranks": {"r1": 1}}, {"ranks": "r1"}, {"ranks": {"A": 1, "B": 2}}):
        with pytest.raises(KeyUnusable):
            decide(session, world, found, Outcome.CORRECT, clock, answer=answer)
    with pytest.raises(KeyUnchanged):
        decide(session, world, found, Outcome.CORRECT, clock, answer={"ranks": {"r1": 1, "r2": 2}, "strength": 3})
    decide(session, world, found, Outcome.CORRECT, clock, answer={"ranks": {"r1": 1, "r2": 1}})
    assert session.scalars(select(GoldResult.score)).all() == [0.5]


def retrain(session: Session, world: World, person: User, clock: FixedClock, evidence: list[str]) -> DecisionReceipt:
    return membership_decisions.decide_about_member(
        session, world.client.actor, world.project.id, person.id, ReceiptKind.PAUSE, rule="below_standard",
        reason="Known answers were missed again and again.", evidence=evidence, now=clock.now(),
    )  # fmt: skip


def evidence_key(submission: Submission) -> str:
    return f"gold:{show_id('submission', submission.id)}"


def test_a_decision_that_rested_on_the_wrong_key_is_overturned(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:
    given, found = challenge(session, world, people[0], clock)
    receipt = retrain(session, world, people[0], clock, [evidence_key(given)])
    decide(session, world, found, Outcome.THEIRS, clock)
    appeal = session.scalars(select(Appeal)).one()
    assert (appeal.receipt_id, appeal.origin, appeal.state) == (receipt.id, AppealOrigin.GOLD_CHALLENGE, "overturned")
    held = session.get_one(Membership, (world.project.id, people[0].id), populate_existing=True)
    assert held.state is MembershipState.ACTIVE


def test_a_decision_stands_that_rests_on_another_missed_answer_too(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock, tasks=60, gold=2, overlap=50)
    person = join(session, world, now=clock.now())[0]
    given, found = challenge(session, world, person, clock)
    other = answer_gold(session, world, person, clock, "r2")
    retrain(session, world, person, clock, [evidence_key(given), evidence_key(other)])
    decide(session, world, found, Outcome.THEIRS, clock)
    assert session.scalar(select(func.count()).select_from(Appeal)) == 0
    held = session.get_one(Membership, (world.project.id, person.id), populate_existing=True)
    assert held.state is MembershipState.PAUSED


def test_a_rejected_answer_is_paid_when_the_key_falls_that_it_was_rejected_by(
    session: Session, world: World, people: list[User], clock: FixedClock
) -> None:

    given = answer_gold(session, world, people[0], clock, "r2", decided=False)
    before = money.balance(session, AccountKind.CONTRIBUTOR, people[0].id, "USD").minor
    receipt = fairness.give_receipt(
        session, world.reviewer.actor, ReceiptKind.REJECT, people[0].id, project_id=world.project.id,
        submission_id=given.id, rule="review", rule_version="rubric 1", statement="It contradicts the known answer.",
        evidence=[fairness.Link("gold", show_id("submission", given.id), "missed")], now=clock.now(),
    )  # fmt: skip
    deciding.reject(session, world.reviewer.actor, given, receipt, now=clock.now())
    found = challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=clock.now())
    decide(session, world, found, Outcome.THEIRS, clock)
    assert money.balance(session, AccountKind.CONTRIBUTOR, people[0].id, "USD").minor == before + 42
    session.refresh(given)
    assert given.state == "approved"
    assert money.prove(session).ok
    assert service.prove_work(session)[1] == []


def test_what_a_decision_rests_on_besides_decides_whether_it_falls() -> None:
    mine = ("gold", "sub_1")
    assert rules_gold.falls_with([mine], "sub_1")
    assert rules_gold.falls_with([("review", "rev_1"), mine], "sub_1")
    assert not rules_gold.falls_with([mine, ("criterion", "right")], "sub_1")
    assert not rules_gold.falls_with([mine, ("evidence", "evd_1")], "sub_1")
    assert not rules_gold.falls_with([("gold", "sub_2")], "sub_1")


# --- Over the API


def test_a_challenge_goes_its_way_over_the_api(
    session: Session, client: TestClient, world: World, people: list[User], clock: FixedClock
) -> None:
    given = answer_gold(session, world, people[0], clock, "r2")
    path = f"/api/v1/submissions/{show_id('submission', given.id)}"
    seen = client.get(f"{path}/gold", headers=people[0].headers).json()
    assert (seen["passed"], seen["challenge"]) == (False, None)
    made = client.post(f"{path}/challenge", headers=people[0].headers, json={"words": WORDS})
    assert made.status_code == 201, made.text
    project = f"/api/v1/projects/{show_id('project', world.project.id)}"
    listed = client.get(f"{project}/challenges", headers=world.client.headers).json()
    assert [item["id"] for item in listed["items"]] == [made.json()["id"]]
    assert show_id("person", people[0].id) not in str(listed)
    decided = client.post(
        f"/api/v1/challenges/{made.json()['id']}/decision",
        headers=world.client.headers,
        json={"outcome": "theirs", "reason": REASON},
    )
    assert decided.json()["state"] == "upheld", decided.text
    gold = client.get(f"{project}/gold", headers=world.client.headers).json()["items"]
    assert [(item["version"], item["passed"]["value"], item["open_challenges"]) for item in gold] == [(2, 1.0, 0)]
    for headers in (people[0].headers, world.reviewer.headers):
        assert client.get(f"{project}/gold", headers=headers).status_code in (403, 404)
        assert client.get(f"{project}/challenges", headers=headers).status_code in (403, 404)
