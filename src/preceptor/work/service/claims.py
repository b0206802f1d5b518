"""Claiming: a person gets a task under a lease, its rate locked and its pay reserved."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import JsonValue
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, make_transient_to_detached

from preceptor.kit.errors import AppError
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.money.rules import BUSY_PARTS
from preceptor.people import content
from preceptor.people.service.content import count_shown, exposure
from preceptor.projects.errors import NotEligible
from preceptor.projects.models import MembershipState, Project, ProjectState, Task
from preceptor.projects.rules import CLOSED_PLACES
from preceptor.tasktypes.working import working
from preceptor.work import queries, queries_gold, rules, rules_gold
from preceptor.work.errors import (
    ContentLimitReached,
    ContentNotChosen,
    NotFunded,
    NotJoined,
    NotQualified,
    NoWorkLeft,
    ProjectNotOpen,
    TaskTaken,
)
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service import suggesting
from preceptor.work.service.suggesting import ShownSuggestion

POSITION_MAX = 2**62
# From the system's entropy: whoever foresees a check knows when to take care.
_DRAWS = random.SystemRandom()


@dataclass(frozen=True)
class ClaimedWork:
    """An open claim with what its person may see: the payload in shown names, never ids, sources or gold."""

    claim: Claim
    project_id: UUID
    task_type: str
    config: dict[str, Any]
    shown: dict[str, JsonValue]
    fresh: bool
    """False when the claim was open already and this is a repeat of the question."""
    suggestion: ShownSuggestion | None = None
    """A model's answer that the person is shown; None where there is none, and where the task is judged blind."""


def claim_next(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> ClaimedWork:
    """Lease the most urgent free task of a project to the person who asks.

    Asking again while a claim is open returns that claim, so a reload or a double click never takes a second
    task. `NoWorkLeft` is said only after waiting once for tasks that were merely locked.
    """
    return _claim(session, actor, project_id, None, now)


def claim_task(session: Session, actor: Actor, project_id: UUID, task_id: UUID, *, now: datetime) -> ClaimedWork:
    """Lease one named task, under the same conditions; `TaskTaken` when it is not free for this person.

    An open claim on another task of the project is returned as it is: one at a time.
    """
    return _claim(session, actor, project_id, task_id, now)


def open_work(session: Session, claim: Claim) -> ClaimedWork:
    """An existing claim with its task as it was shown."""
    project = session.get_one(Project, claim.project_id)
    payload = session.scalars(select(Task.payload).where(Task.id == claim.task_id)).one()
    kind = project.kind
    shown = kind.present(kind.payload(payload), claim.display_order)
    suggestion = suggesting.as_shown(kind, shown, claim, suggesting.of_claim(session, claim.id))
    return ClaimedWork(claim, project.id, project.task_type, project.config, shown, False, suggestion)


def _claim(session: Session, actor: Actor, project_id: UUID, task_id: UUID | None, now: datetime) -> ClaimedWork:
    # Lock order: project (key share), membership, task, parts of escrow, parts of reserved. The second makes one
    # person's requests queue up; skip_locked lets different people pass each other.
    who = {"project_id": project_id, "person_id": actor.person_id}
    terms = session.execute(queries.LOCK_MEMBERSHIP, who).one_or_none()
    if terms is None:
        raise NotJoined
    refusal = _refusal(terms) or _content_refusal(session, actor, terms, now)
    picked = None if refusal or task_id else _pick_drawn(session, who, terms)
    if picked is None:
        held = _held(session, who)
        if held is not None:
            return open_work(session, held)
        if refusal:
            raise refusal
        picked = _pick_one(session, who, task_id) if task_id else _pick_waiting(session, who)
    kind = working(terms.task_type, terms.config)
    payload = kind.payload(picked.payload)
    order = kind.display_order(payload, random.Random(new_id().int))
    claim = _take(session, actor, terms, picked, order, now)
    shown = kind.present(payload, claim.display_order)
    kept = suggesting.attach(session, terms, kind, payload, claim, now=now)
    suggestion = suggesting.as_shown(kind, shown, claim, kept)
    return ClaimedWork(claim, project_id, terms.task_type, terms.config, shown, True, suggestion)


def _refusal(terms: Row[Any]) -> AppError | None:
    if terms.project_state != ProjectState.OPEN:
        return ProjectNotOpen()
    if terms.membership_state in CLOSED_PLACES:
        state = MembershipState(terms.membership_state)
        return NotEligible(CLOSED_PLACES[state], reasons=f"membership_{state.value}")
    if terms.membership_state != MembershipState.ACTIVE:
        return NotJoined()
    return None if terms.qualified else NotQualified()


def _content_refusal(session: Session, actor: Actor, terms: Row[Any], now: datetime) -> AppError | None:
    """Whether the project shows what the person did not choose to see, or has seen enough of today."""
    if not terms.content_ratings:
        return None
    assert actor.person_id is not None
    shown = exposure(session, actor.person_id, now=now)
    missing = content.not_chosen(terms.content_ratings, shown)
    if missing:
        return ContentNotChosen(content.invitation(missing))
    used_up = content.used_up(terms.content_ratings, shown)
    if used_up:
        return ContentLimitReached(
            f"You have seen as much as you chose for today: {', '.join(used_up).lower()}. It goes on tomorrow (UTC), "
            "or change the limit in your settings."
        )
    return None


def _held(session: Session, who: dict[str, Any]) -> Claim | None:
    return session.scalar(queries.open_claim(who["person_id"], who["project_id"]))


def _pick_drawn(session: Session, who: dict[str, Any], terms: Row[Any]) -> Row[Any] | None:
    """What a draw gives: a gold task at the project's rate, else the next one of the queue.

    A queue that is empty for the person gives nothing, drawn or not: checks alone would cost the client money and
    tell the person what they are. A gold task leaves the person's place in the queue where it is.
    """
    if rules_gold.is_drawn(terms.gold_percent, _DRAWS.random()):
        where = {**who, "cursor": terms.cursor, "pool": rules_gold.POOL}
        drawn = session.execute(queries_gold.PICK_GOLD, where).one_or_none()
        if drawn is not None:
            return drawn
    return _pick_unlocked(session, who, terms)


def _pick_unlocked(session: Session, who: dict[str, Any], terms: Row[Any]) -> Row[Any] | None:
    """The first free task behind the person's cursor, else from the start, passing over what others have locked."""
    cursor: int = terms.cursor
    bounds = [(cursor, POSITION_MAX)] + ([(-1, cursor)] if cursor >= 0 else [])
    statement = queries_gold.PICK_BESIDE_GOLD if terms.gold_percent else queries.PICK_FREE
    pool = {"pool": rules_gold.POOL} if terms.gold_percent else {}
    for after, until in bounds:
        picked = session.execute(statement, {**who, **pool, "after": after, "until": until}).one_or_none()
        if picked is not None:
            return picked
    return None


def _pick_waiting(session: Session, who: dict[str, Any]) -> Row[Any]:
    """Wait for tasks that are free but locked, so that "no work left" is true when said.

    One task at a time, in a savepoint: a task that is full when its lock comes is let go at once, so that nobody
    waits for one task while keeping others from people who wait too. Ends, since each round means that somebody
    else has taken a task.
    """
    while (task_id := session.scalar(queries.FIRST_FREE, who)) is not None:
        with session.begin_nested() as savepoint:
            picked = session.execute(queries.PICK_ONE, {**who, "task_id": task_id}).one_or_none()
            if picked is not None:
                return picked
            savepoint.rollback()
    raise NoWorkLeft


def _pick_one(session: Session, who: dict[str, Any], task_id: UUID) -> Row[Any]:
    picked = session.execute(queries.PICK_ONE, {**who, "task_id": task_id}).one_or_none()
    if picked is None:
        raise TaskTaken
    return picked


def _take(session: Session, actor: Actor, terms: Row[Any], picked: Row[Any], order: list[str], now: datetime) -> Claim:
    fixed = {
        "task_id": picked.id,
        "project_id": terms.project_id,
        "person_id": actor.person_id,
        "leased_until": rules.lease_end(now, terms.lease_seconds),
        "rate_minor": terms.rate_minor,
        "currency": terms.currency,
        "guidelines_version_id": terms.guidelines_version_id,
        "rubric_version_id": terms.rubric_version_id,
    }
    values = fixed | {
        "claim_id": new_id(),
        "posting_id": new_id(),
        "position": picked.position,
        "org_id": terms.org_id,
        "actor_kind": actor.kind,
        "escrow_id": terms.escrow_id,
        "reserved_id": terms.reserved_id,
        "spread": picked.id.int % BUSY_PARTS,
        "display_order": order,
        "now": now,
    }
    try:
        taken = _reserve_and_write(session, values, now)
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise TaskTaken from error
        raise
    if taken is None:
        raise NotFunded
    if terms.content_ratings and not count_shown(session, values["person_id"], terms.content_ratings, now=now):
        raise ContentLimitReached
    return _as_written(session, fixed | {"id": values["claim_id"], "created_at": now, "last_beat_at": now}, taken)


def _as_written(session: Session, fixed: dict[str, Any], taken: Row[Any]) -> Claim:
    """The claim just written, known to the session without being read back."""
    claim = Claim(
        **fixed,
        **taken._mapping,
        state=ClaimState.OPEN,
        draft_number=0,
        worked_seconds=0,
        reason=None,
        ended_at=None,
    )
    make_transient_to_detached(claim)
    session.add(claim)
    return claim


def _reserve_and_write(session: Session, values: dict[str, Any], now: datetime) -> Row[Any] | None:
    """Take a part of the escrow that nobody has locked, else wait for one, else gather scattered money."""
    if values["escrow_id"] is None or values["reserved_id"] is None:
        values |= _accounts(session, values, now)
    taken = session.execute(queries.TAKE_FREE, values).one_or_none()
    if taken is not None:
        return taken
    rate = Money(values["rate_minor"], values["currency"])
    if not money.wait_for_part(session, values["escrow_id"], rate, spread=values["spread"]):
        escrow = money.ensure_account(session, AccountKind.ESCROW, values["project_id"], rate.currency, now=now)
        if money.gather(session, escrow, rate, now=now) is None:
            return None
    return session.execute(queries.TAKE_FREE, values).one_or_none()


def _accounts(session: Session, values: dict[str, Any], now: datetime) -> dict[str, UUID]:
    kinds = {"escrow_id": AccountKind.ESCROW, "reserved_id": AccountKind.RESERVED}
    return {
        name: money.ensure_account(session, kind, values["project_id"], values["currency"], now=now).id
        for name, kind in kinds.items()
    }
