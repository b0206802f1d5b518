"""Nothing adverse without a receipt: the database refuses it whatever the application does."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.fairness import rules
from preceptor.fairness import service as fairness
from preceptor.fairness.errors import DecidesAboutThemselves, HumanNeeded, StatementNeeded
from preceptor.fairness.models import DecisionReceipt, ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM, Actor
from preceptor.people.service import accounts
from preceptor.work import service as work
from preceptor.work.models import Decision, SubmissionState
from tests.factories import World, join, make_contributor, make_world
from tests.fairness.cases import NOT_MET, WHY, make_case
from tests.web.acting import judge

MOVED = """
    INSERT INTO decision_receipt (id, kind, person_id, project_id, submission_id, rule, rule_version, statement,
                                  evidence, decided_by, decided_at, appeal_until)
    VALUES (gen_random_uuid(), :kind, :person, :project, :submission, 'review', '1', 'Because.', '[]', :decider, now(),
            now())
"""


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), review_percent=100)


def refused(session: Session, statement: str, **values: object) -> None:
    with pytest.raises(DBAPIError, match="without a decision receipt"), session.begin_nested():
        session.execute(text(statement), values)


@pytest.mark.parametrize("state", ["rejected", "returned"])
def test_work_is_not_turned_down_without_a_receipt(
    session: Session, clock: FixedClock, world: World, state: str
) -> None:
    person = join(session, world, now=clock.now())[0]
    submission = judge(session, person, world, clock)
    refused(session, f"UPDATE submission SET state = '{state}' WHERE id = :id", id=submission.id)


def test_a_receipt_of_another_kind_does_not_do(session: Session, clock: FixedClock, world: World) -> None:
    person = join(session, world, now=clock.now())[0]
    submission = judge(session, person, world, clock)
    values = {"kind": "return", "person": person.id, "project": world.project.id, "submission": submission.id}
    session.execute(text(MOVED), {**values, "decider": world.reviewer.id})
    refused(session, "UPDATE submission SET state = 'rejected' WHERE id = :id", id=submission.id)
    session.execute(text("UPDATE submission SET state = 'returned' WHERE id = :id"), {"id": submission.id})


@pytest.mark.parametrize("state", ["paused", "retraining", "removed"])
def test_a_place_is_not_closed_without_a_receipt(session: Session, clock: FixedClock, world: World, state: str) -> None:
    person = join(session, world, now=clock.now())[0]
    refused(session, f"UPDATE membership SET state = '{state}' WHERE person_id = :id", id=person.id)


def test_a_place_is_not_closed_twice_by_the_same_receipt(session: Session, clock: FixedClock, world: World) -> None:
    person = join(session, world, now=clock.now())[0]
    receipt = fairness.give_receipt(
        session, world.client.actor, ReceiptKind.PAUSE, person.id, project_id=world.project.id, rule="fit",
        rule_version="1", statement="Another field is asked for now.", now=clock.now(),
    )  # fmt: skip
    change = "UPDATE membership SET state = :state, receipt_id = :receipt WHERE person_id = :id"
    session.execute(text(change), {"state": "paused", "receipt": receipt.id, "id": person.id})
    session.execute(text(change), {"state": "active", "receipt": receipt.id, "id": person.id})
    refused(session, change, state="paused", receipt=receipt.id, id=person.id)


def test_a_receipt_about_somebody_else_does_not_do(session: Session, clock: FixedClock, world: World) -> None:
    one, other = join(session, world, now=clock.now(), people=2)
    receipt = fairness.give_receipt(
        session, world.client.actor, ReceiptKind.PAUSE, other.id, project_id=world.project.id, rule="fit",
        rule_version="1", statement="Another field is asked for now.", now=clock.now(),
    )  # fmt: skip
    change = "UPDATE membership SET state = 'paused', receipt_id = :receipt WHERE person_id = :id"
    refused(session, change, receipt=receipt.id, id=one.id)


def test_nobody_is_suspended_without_a_receipt(session: Session, clock: FixedClock) -> None:
    person = make_contributor(session, now=clock.now())
    refused(session, "UPDATE person SET state = 'suspended' WHERE id = :id", id=person.id)


def test_receipts_are_never_rewritten(session: Session, clock: FixedClock) -> None:
    make_case(session, clock)
    for statement in ("UPDATE decision_receipt SET statement = 'x'", "DELETE FROM decision_receipt"):
        with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
            session.execute(text(statement))


def test_nobody_decides_about_themselves(session: Session, clock: FixedClock) -> None:
    person = make_contributor(session, now=clock.now())
    values = {"kind": "suspend", "person": person.id, "project": None, "submission": None, "decider": person.id}
    with pytest.raises(DBAPIError, match="nobody_decides_about_themselves"), session.begin_nested():
        session.execute(text(MOVED), values)
    with pytest.raises(DecidesAboutThemselves):
        give(session, clock, person.id, actor=person.actor)


def give(
    session: Session, clock: FixedClock, person_id: UUID, *, actor: Actor, statement: str = WHY
) -> DecisionReceipt:
    return fairness.give_receipt(
        session, actor, ReceiptKind.SUSPEND, person_id, rule="conduct", rule_version="1",
        statement=statement, now=clock.now(),
    )  # fmt: skip


def test_the_system_decides_against_nobody(session: Session, clock: FixedClock, world: World) -> None:
    with pytest.raises(HumanNeeded):
        give(session, clock, world.reviewer.id, actor=SYSTEM)


def test_a_decision_says_why(session: Session, clock: FixedClock, world: World) -> None:
    with pytest.raises(StatementNeeded):
        give(session, clock, world.reviewer.id, actor=world.operator.actor, statement="  ")


def test_a_rejection_leaves_a_receipt_with_its_ground(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock)
    receipt = case.receipt
    assert (receipt.kind, receipt.rule, receipt.rule_version) == (ReceiptKind.REJECT, rules.REVIEW, "rubric 1")
    assert (receipt.person_id, receipt.decided_by) == (case.person.id, case.world.reviewer.id)
    assert receipt.statement == WHY
    assert [link["kind"] for link in receipt.evidence] == ["review", "criterion"]
    assert NOT_MET.comment in receipt.evidence[1]["text"]
    assert NOT_MET.quote in receipt.evidence[1]["text"]
    assert receipt.appeal_until - receipt.decided_at == timedelta(seconds=case.world.project.appeal_seconds)
    assert case.submission.state is SubmissionState.REJECTED


def test_each_return_has_its_own_receipt_and_an_approval_none(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    assert case.receipt.kind is ReceiptKind.RETURN
    person = join(session, case.world, now=clock.now())[0]
    approved = judge(session, person, case.world, clock)
    work.decide(session, case.world.reviewer.actor, approved.id, Decision.APPROVE, comment="", now=clock.now())
    assert session.scalar(select(DecisionReceipt).where(DecisionReceipt.submission_id == approved.id)) is None


def test_a_suspension_leaves_a_receipt(session: Session, clock: FixedClock, world: World) -> None:
    person = make_contributor(session, now=clock.now())
    reason = "Shares the account with others."
    accounts.suspend(session, world.operator.actor, person.id, reason=reason, now=clock.now())
    receipt = session.scalars(select(DecisionReceipt).where(DecisionReceipt.person_id == person.id)).one()
    assert (receipt.kind, receipt.statement, receipt.decided_by) == (ReceiptKind.SUSPEND, reason, world.operator.id)
    assert person.person.receipt_id == receipt.id


def test_every_decision_has_a_rule_to_rest_on() -> None:
    for kind in (ReceiptKind.RETRAIN, ReceiptKind.PAUSE, ReceiptKind.REMOVE, ReceiptKind.SUSPEND):
        offered = rules.rules_for(kind)
        assert offered
        assert all(rules.rule_for(kind, rule.key) is rule and rules.text_of(rule.key, rule.version) for rule in offered)
    assert rules.rule_for(ReceiptKind.RETRAIN, "conduct") is None
