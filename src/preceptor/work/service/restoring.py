"""What an overturned decision becomes: work is approved and paid, a place in a project or an account is open again."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from preceptor.fairness.models import DecisionReceipt, ReceiptKind
from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.people.models import Person, PersonState
from preceptor.people.service import accounts
from preceptor.projects.models import Membership, MembershipState, OverlapMode, Project, Task
from preceptor.work import queries_ahead, rules
from preceptor.work.models import Claim, ClaimState, Submission, SubmissionState
from preceptor.work.service import ahead, deciding, overlap

RULE = "appeal"
"""By which rule a restored submission is approved; the receipt of the first decision leads to the appeal."""


@dataclass(frozen=True)
class Restored:
    """What an overturned decision changed, in a sentence for the person."""

    words: str
    paid: Money | None = None


def restore(session: Session, actor: Actor, receipt: DecisionReceipt, *, now: datetime) -> Restored:
    """Undo what a decision did. The caller has locked the receipt and written the outcome."""
    match receipt.kind:
        case ReceiptKind.RETURN | ReceiptKind.REJECT:
            assert receipt.submission_id is not None
            return restore_submission(session, actor, receipt.submission_id, now=now)
        case ReceiptKind.RETRAIN | ReceiptKind.PAUSE | ReceiptKind.REMOVE:
            return _restore_membership(session, actor, receipt, now)
        case ReceiptKind.SUSPEND:
            return _restore_account(session, actor, receipt, now)


def restore_submission(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> Restored:
    """Approve a returned or rejected submission as it stands, and pay it: once, whatever else happened since.

    From the reservation while that is there, else anew (`money.pay_owed`). Its task counts it again; when its place
    was given to somebody else meanwhile, the task wants one judgment more than before, so that both count and the
    overlap is never exceeded. A claim that was approved and paid since keeps that: then only the record changes. So it
    does when the person took the same task again and holds or answered it: that claim brings the pay.

    Lock order: a revision that waits for review, claim, submission (as deciding and expiring lock them), task, money.
    """
    claim_id = session.scalars(select(Submission.claim_id).where(Submission.id == submission_id)).one()
    revision, claim = _lock_with_revision(session, claim_id)
    submission = session.get_one(Submission, submission_id, with_for_update=True, populate_existing=True)
    restoration = rules.APPEAL_MOVES.get(claim.state)
    if restoration is None:
        return Restored("The work was approved and paid before; that stays as it is.")
    if claim.state in (ClaimState.EXPIRED, ClaimState.RELEASED) and _taken_again(session, claim):
        return Restored("You took the same task again since; its pay comes with that claim.")
    _let_go_skipped(session, actor, claim, now)
    _let_go_ahead(session, actor, claim, now)
    if revision is not None:
        revision.state, revision.decided_at = SubmissionState.LAPSED, now
    _count(session, claim, restoration)
    _pay(session, actor, claim, restoration, now)
    submission.state, submission.decided_at = SubmissionState.APPROVED, now
    claim.state, claim.ended_at = ClaimState.APPROVED, now
    pay = Money(claim.rate_minor, claim.currency)
    deciding.tell_approved(session, actor, submission, pay, RULE, now=now)
    session.flush()
    if session.get_one(Project, claim.project_id).overlap_mode is OverlapMode.ADAPTIVE:
        overlap.after_change(session, [claim.task_id], now=now)
    return Restored("Your work is approved as you sent it and paid.", pay)


def _lock_with_revision(session: Session, claim_id: UUID) -> tuple[Submission | None, Claim]:
    """A claim and its revision that waits for review, if there is one, locked.

    The revision comes first, so one that is sent this instant is not seen before its claim is ours. Then both are let
    go and locked anew: else it would wait for review of a claim that is approved. Ends, since each round means that
    the person has sent another answer.
    """
    waiting = select(Submission).where(Submission.claim_id == claim_id, Submission.state == SubmissionState.SUBMITTED)
    held = select(Claim).where(Claim.id == claim_id).with_for_update().execution_options(populate_existing=True)
    while True:
        with session.begin_nested() as savepoint:
            revision = session.scalar(waiting.with_for_update().execution_options(populate_existing=True))
            claim = session.scalars(held).one()
            if revision is not None or claim.state is not ClaimState.SUBMITTED:
                return revision, claim
            savepoint.rollback()


def _taken_again(session: Session, claim: Claim) -> bool:
    """Whether the person has the task of an expired or released claim by another claim now."""
    others = select(Claim.id).where(
        Claim.task_id == claim.task_id,
        Claim.person_id == claim.person_id,
        Claim.id != claim.id,
        Claim.state.not_in([ClaimState.AHEAD, ClaimState.EXPIRED, ClaimState.RELEASED, ClaimState.SKIPPED]),
    )
    return session.scalar(others.limit(1)) is not None


def _let_go_skipped(session: Session, actor: Actor, claim: Claim, now: datetime) -> None:
    """Where the person took the task again and skipped it, nothing will be paid by that claim: it counts as given
    back, so that the one that is approved after all is the person's only one of the task."""
    skipped = select(Claim).where(
        Claim.task_id == claim.task_id,
        Claim.person_id == claim.person_id,
        Claim.id != claim.id,
        Claim.state == ClaimState.SKIPPED,
    )
    for other in session.scalars(skipped.with_for_update()):
        other.state = ClaimState.RELEASED
        events.record(
            session,
            actor,
            "work.released",
            "claim",
            other.id,
            at=now,
            project_id=other.project_id,
            person_id=other.person_id,
            data={"task": str(other.task_id), "reason": "the first answer counts after all"},
        )
    session.flush()


def _let_go_ahead(session: Session, actor: Actor, claim: Claim, now: datetime) -> None:
    """Where the task is set aside as the person's next one, they need not do it again."""
    aside = session.scalars(queries_ahead.own(claim.person_id, claim.project_id)).one_or_none()
    if aside is not None and aside.task_id == claim.task_id:
        ahead.let_go(session, actor, [aside], now=now)


def _pay(session: Session, actor: Actor, claim: Claim, restoration: rules.Restoration, now: datetime) -> None:
    if restoration.reserved:
        deciding.pay_from_reservation(session, claim, now=now)
        return
    project = session.get_one(Project, claim.project_id)
    amount = Money(claim.rate_minor, claim.currency)
    money.pay_owed(session, actor, money.Owed(claim.id, project.org_id, project.id, claim.person_id, amount), now=now)


def _count(session: Session, claim: Claim, restoration: rules.Restoration) -> None:
    """Count the judgment again; `wanted` grows only when every place is taken."""
    counts = {
        "wanted": func.greatest(Task.wanted, Task.taken + restoration.taken),
        "taken": Task.taken + restoration.taken,
        "done": Task.done + restoration.done,
    }
    session.execute(update(Task).where(Task.id == claim.task_id).values(counts))


def _restore_membership(session: Session, actor: Actor, receipt: DecisionReceipt, now: datetime) -> Restored:
    """Open a place again, unless another decision governs it by now."""
    held = session.get_one(
        Membership, (receipt.project_id, receipt.person_id), with_for_update=True, populate_existing=True
    )
    if held.receipt_id != receipt.id or held.state is not rules.MEMBERSHIP_DECISIONS[receipt.kind]:
        return Restored("Your place in the project has been decided anew since; that decision stays.")
    reopen_place(session, actor, held, RULE, now=now)
    return Restored("Your place in the project is open again.")


def reopen_place(session: Session, actor: Actor, held: Membership, rule: str, *, now: datetime, why: str = "") -> None:
    """Make a locked membership active. The receipt stays named: another decision needs one of its own."""
    if MembershipState.ACTIVE not in rules.MEMBERSHIP_MOVES[held.state]:
        raise AssertionError(f"membership of {held.person_id} cannot go from {held.state} to active")
    before, held.state = held.state, MembershipState.ACTIVE
    # Tasks may have been given back meanwhile: the search starts at the front again.
    held.cursor = -1
    session.flush()
    events.record(
        session,
        actor,
        "project.member_reinstated",
        "project",
        held.project_id,
        at=now,
        project_id=held.project_id,
        person_id=held.person_id,
        data={"before": before.value, "rule": rule} | ({"reason": why} if why else {}),
    )


def _restore_account(session: Session, actor: Actor, receipt: DecisionReceipt, now: datetime) -> Restored:
    person = session.get_one(Person, receipt.person_id)
    if person.receipt_id != receipt.id or person.state is not PersonState.SUSPENDED:
        return Restored("Your account has been opened or decided about anew since.")
    accounts.unsuspend(session, actor, person.id, reason="An appeal was right.", now=now)
    return Restored("Your account is open again.")
