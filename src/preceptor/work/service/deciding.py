"""What a decision does to submission, claim, task and money. Used by reviewers and by the sweep alike.

With its decision an answer to a gold task is compared at the latest, since its author may then learn of it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from preceptor.fairness.models import DecisionReceipt
from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.money.rules import Move, Place
from preceptor.projects.models import OverlapMode, Project, Task
from preceptor.work import rules
from preceptor.work.models import Claim, ClaimState, Decision, Submission
from preceptor.work.service import gold, overlap
from preceptor.work.service.endings import return_move


def approve(session: Session, actor: Actor, submissions: Sequence[Submission], rule: str, *, now: datetime) -> None:
    """Approve locked submissions and post their pay. `rule` says by which rule: a review, a deadline, sampling."""
    claims = _lock_claims(session, submissions)
    _open_accounts(session, claims.values(), now)
    money.post(session, [_earning(session, claims[item.claim_id], now) for item in submissions], now=now)
    for submission in submissions:
        claim = claims[submission.claim_id]
        _set(submission, claim, Decision.APPROVE, now)
        tell_approved(session, actor, submission, Money(claim.rate_minor, claim.currency), rule, now=now)
    session.flush()
    gold.score(session, submissions, now=now)


def pay_from_reservation(session: Session, claim: Claim, *, now: datetime) -> None:
    """Post the pay of one locked claim whose reservation is still there."""
    _open_accounts(session, [claim], now)
    money.post(session, [_earning(session, claim, now)], now=now)


def tell_approved(
    session: Session, actor: Actor, submission: Submission, pay: Money, rule: str, *, now: datetime
) -> None:
    """Record that a submission was approved, by which rule, for how much."""
    _tell(session, actor, submission, "work.approved", now, rule, {"pay": pay.amount, "currency": pay.currency})


def send_back(
    session: Session, actor: Actor, submission: Submission, receipt: DecisionReceipt, *, now: datetime
) -> None:
    """Return a locked submission for revision: the claim stays the person's, with time to revise."""
    claim = _lock_claims(session, [submission])[submission.claim_id]
    project = session.get_one(Project, submission.project_id)
    adaptive = _count(session, submission, {"done": Task.done - 1})
    _set(submission, claim, Decision.RETURN, now)
    claim.leased_until = now + timedelta(seconds=project.revision_seconds)
    claim.draft, claim.draft_number, claim.last_beat_at = None, 0, None
    data = {"until": claim.leased_until.isoformat(), "receipt": str(receipt.id)}
    _tell(session, actor, submission, "work.returned", now, receipt.rule, data)
    session.flush()
    if adaptive:
        overlap.after_change(session, [submission.task_id], now=now)
    gold.score(session, [submission], now=now)


def reject(session: Session, actor: Actor, submission: Submission, receipt: DecisionReceipt, *, now: datetime) -> None:
    """Reject a locked submission: its slot returns to the queue, its reservation to escrow."""
    claim = _lock_claims(session, [submission])[submission.claim_id]
    adaptive = _count(session, submission, {"taken": Task.taken - 1, "done": Task.done - 1})
    money.post(session, [return_move(session, claim, now)], now=now)
    _set(submission, claim, Decision.REJECT, now)
    claim.ended_at = now
    _tell(session, actor, submission, "work.rejected", now, receipt.rule, {"receipt": str(receipt.id)})
    session.flush()
    if adaptive:
        overlap.after_change(session, [submission.task_id], now=now)
    gold.score(session, [submission], now=now)


def _count(session: Session, submission: Submission, counts: Mapping[str, ColumnElement[int]]) -> bool:
    """Change the counts of a submission's task, locking it; whether its overlap is adaptive."""
    mode = select(Project.overlap_mode).where(Project.id == submission.project_id).scalar_subquery()
    counted = update(Task).where(Task.id == submission.task_id).values(dict(counts)).returning(mode)
    return session.scalar(counted) == OverlapMode.ADAPTIVE


def _open_accounts(session: Session, claims: Iterable[Claim], now: datetime) -> None:
    """First pay opens an account. In one order: two sweeps that open the same two would wait for each other."""
    for person_id, currency in sorted({(claim.person_id, claim.currency) for claim in claims}):
        money.ensure_account(session, AccountKind.CONTRIBUTOR, person_id, currency, now=now)


def _lock_claims(session: Session, submissions: Sequence[Submission]) -> dict[object, Claim]:
    """Read anew under the lock: a row that was loaded before must not hide what has changed since."""
    ids = [submission.claim_id for submission in submissions]
    locked = select(Claim).where(Claim.id.in_(ids)).order_by(Claim.id).with_for_update()
    found = session.scalars(locked.execution_options(populate_existing=True))
    return {claim.id: claim for claim in found}


def _set(submission: Submission, claim: Claim, decision: Decision, now: datetime) -> None:
    submission_state, claim_state = rules.DECISIONS[decision]
    if claim_state not in rules.MOVES[claim.state]:
        raise AssertionError(f"claim {claim.id} cannot go from {claim.state} to {claim_state}")
    submission.state, submission.decided_at = submission_state, now
    claim.state = claim_state
    if claim_state is ClaimState.APPROVED:
        claim.ended_at = now


def _earning(session: Session, claim: Claim, now: datetime) -> Move:
    reserved = money.ensure_account(session, AccountKind.RESERVED, claim.project_id, claim.currency, now=now)
    person = money.ensure_account(session, AccountKind.CONTRIBUTOR, claim.person_id, claim.currency, now=now)
    return Move(
        "claim",
        claim.id,
        "earn",
        Place(AccountKind.RESERVED, reserved.id, claim.money_part),
        Place(AccountKind.CONTRIBUTOR, person.id),
        Money(claim.rate_minor, claim.currency),
    )


def _tell(
    session: Session, actor: Actor, submission: Submission, kind: str, now: datetime, rule: str, data: dict[str, str]
) -> None:
    events.record(
        session,
        actor,
        kind,
        "submission",
        submission.id,
        at=now,
        project_id=submission.project_id,
        person_id=submission.person_id,
        data={"task": str(submission.task_id), "rule": rule, **data},
    )
