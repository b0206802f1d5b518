"""Claims that end without an answer: skipped, given back, expired; and reports of broken tasks."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.money.rules import Move, Place
from preceptor.projects.models import OverlapMode, Task, TaskState
from preceptor.projects.service import mixing
from preceptor.work import access, queries, queries_ahead, rules, rules_ahead
from preceptor.work.errors import ClaimEnded
from preceptor.work.models import Claim, ClaimState, Flag, Submission, SubmissionState
from preceptor.work.service import overlap


def skip_claim(
    session: Session, actor: Actor, claim_id: UUID, reason: str, comment: str = "", *, now: datetime
) -> Claim:
    """Leave a task for others and never see it again. Costs the person nothing."""
    if reason not in rules.SKIP_REASONS:
        raise Invalid(f"{reason!r} is not a reason to skip. Use one of {', '.join(rules.SKIP_REASONS)}.")
    return _end(session, actor, claim_id, ClaimState.SKIPPED, f"{reason} {comment}".strip(), now)


def release_claim(session: Session, actor: Actor, claim_id: UUID, *, now: datetime) -> Claim:
    """Give a task back and stop for now: what was set aside as the next one goes back, too."""
    claim = access.own_claim(session, actor, claim_id, lock=True)
    if claim.state is ClaimState.AHEAD:
        give_back(session, actor, [claim], ClaimState.EXPIRED, rules_ahead.NOT_BEGUN, now=now)
        return claim
    aside = session.scalars(queries_ahead.own(claim.person_id, claim.project_id)).all()
    if aside and claim.state is ClaimState.OPEN:
        # Both tasks before any money, in the order in which everybody locks them.
        session.execute(queries.tasks_locked([claim.task_id, *(each.task_id for each in aside)]))
        give_back(session, actor, aside, ClaimState.EXPIRED, rules_ahead.NOT_BEGUN, now=now)
    return _end(session, actor, claim_id, ClaimState.RELEASED, "released", now)


def flag_task(session: Session, actor: Actor, claim_id: UUID, reason: str, comment: str, *, now: datetime) -> Claim:
    """Report the task of a claim as broken; ends the claim. Enough reports take the task out of the queue."""
    if reason not in rules.FLAG_REASONS:
        raise Invalid(f"{reason!r} is not a reason to flag. Use one of {', '.join(rules.FLAG_REASONS)}.")
    claim = _end(session, actor, claim_id, ClaimState.SKIPPED, f"flagged: {reason}", now)
    row = {
        "id": new_id(),
        "task_id": claim.task_id,
        "project_id": claim.project_id,
        "person_id": claim.person_id,
        "reason": reason,
        "comment": comment[:2000],
        "created_at": now,
    }
    session.execute(insert(Flag).values(row).on_conflict_do_nothing())
    events.record(
        session,
        actor,
        "work.task_flagged",
        "task",
        claim.task_id,
        at=now,
        project_id=claim.project_id,
        person_id=claim.person_id,
        data={"reason": reason},
    )
    if (session.scalar(queries.open_flags(claim.task_id)) or 0) >= rules.FLAGS_TO_HIDE:
        _hide(session, actor, claim, now)
    return claim


def _hide(session: Session, actor: Actor, claim: Claim, now: datetime) -> None:
    """Take a task out of the queue until a manager has looked."""
    # The claim's end has locked the task already.
    task = session.scalars(select(Task).where(Task.id == claim.task_id).with_for_update(key_share=True)).one()
    if task.state in (TaskState.OPEN, TaskState.GOLD):
        session.refresh(task)
        mixing.move(task, TaskState.FLAGGED)
        session.flush()
        events.record(
            session,
            actor,
            "work.task_hidden",
            "task",
            claim.task_id,
            at=now,
            project_id=claim.project_id,
            data={"reports": rules.FLAGS_TO_HIDE},
        )


def resolve_flags(session: Session, actor: Actor, task: Task, *, keep: bool, now: datetime) -> None:
    """A manager looked: the task goes back to the queue, or is retired. The caller has checked access."""
    resolution = "kept" if keep else "retired"
    open_flags = update(Flag).where(Flag.task_id == task.id, Flag.resolved_at.is_(None))
    session.execute(open_flags.values(resolved_at=now, resolution=resolution))
    session.refresh(task, with_for_update=True)
    mixing.move(task, mixing.place_of(session, task) if keep else TaskState.RETIRED)
    overlap.back_in_queue(session, task, now=now)
    events.record(session, actor, f"work.task_{resolution}", "task", task.id, at=now, project_id=task.project_id)


def _end(session: Session, actor: Actor, claim_id: UUID, to: ClaimState, reason: str, now: datetime) -> Claim:
    claim = access.own_claim(session, actor, claim_id, lock=True)
    if claim.state is to:
        return claim
    if to not in rules.MOVES[claim.state]:
        raise ClaimEnded
    give_back(session, actor, [claim], to, reason, now=now)
    return claim


def give_back(
    session: Session, actor: Actor, claims: Sequence[Claim], to: ClaimState, reason: str, *, now: datetime
) -> None:
    """End locked claims without pay: their slots return to the queue and their money to escrow.

    Lock order: claims (held by the caller), tasks by place in their queue, then the parts of accounts
    as `money.post` sorts them.
    """
    tasks = session.execute(queries.tasks_locked([claim.task_id for claim in claims])).all()
    for claim in claims:
        session.execute(update(Task).where(Task.id == claim.task_id).values(taken=Task.taken - 1))
    money.post(session, [return_move(session, claim, now) for claim in claims], now=now)
    for claim in claims:
        if claim.state is ClaimState.RETURNED:
            _lapse_returned(session, claim, now)
        told = "let_go" if claim.state is ClaimState.AHEAD else to.value
        claim.state, claim.reason, claim.ended_at = to, reason, now
        events.record(
            session,
            actor,
            f"work.{told}",
            "claim",
            claim.id,
            at=now,
            project_id=claim.project_id,
            person_id=claim.person_id,
            data={"task": str(claim.task_id), "reason": reason},
        )
    session.flush()
    adaptive = [task_id for task_id, mode in tasks if mode == OverlapMode.ADAPTIVE]
    if adaptive:
        overlap.after_change(session, adaptive, now=now)


def return_move(session: Session, claim: Claim, now: datetime) -> Move:
    """The posting that takes a claim's reservation back to escrow."""
    escrow = money.ensure_account(session, AccountKind.ESCROW, claim.project_id, claim.currency, now=now)
    reserved = money.ensure_account(session, AccountKind.RESERVED, claim.project_id, claim.currency, now=now)
    return Move(
        "claim",
        claim.id,
        "return",
        Place(AccountKind.RESERVED, reserved.id, claim.money_part),
        Place(AccountKind.ESCROW, escrow.id, claim.money_part),
        Money(claim.rate_minor, claim.currency),
    )


def _lapse_returned(session: Session, claim: Claim, now: datetime) -> None:
    returned = select(Submission).where(Submission.claim_id == claim.id, Submission.state == SubmissionState.RETURNED)
    for submission in session.scalars(returned):
        submission.state, submission.decided_at = SubmissionState.LAPSED, now
