"""Claiming: a person gets a task under a lease, its rate locked and its pay reserved."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import JsonValue
from sqlalchemy import Row, TextClause, select
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
from preceptor.people.content import Exposure
from preceptor.people.service.content import exposure
from preceptor.projects.errors import NotEligible
from preceptor.projects.models import MembershipState, Project, ProjectState, Task
from preceptor.projects.rules import CLOSED_PLACES
from preceptor.tasktypes.working import working
from preceptor.work import access, queries, queries_ahead, queries_gold, queries_rated, rules, rules_ahead, rules_gold
from preceptor.work.errors import (
    ContentLimitReached,
    NotFunded,
    NotJoined,
    NotQualified,
    NoWorkLeft,
    ProjectNotOpen,
    TaskTaken,
)
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service import ahead, showing, suggesting
from preceptor.work.service.suggesting import ShownSuggestion

POSITION_MAX = 2**62
# From the system's entropy: whoever foresees a check knows when to take care.
_DRAWS = random.SystemRandom()


@dataclass(frozen=True)
class ClaimedWork:
    """An open claim, or one set aside as the next, with what its person may see: the payload in shown names, never ids,
    sources or gold."""

    claim: Claim
    project_id: UUID
    task_type: str
    config: dict[str, Any]
    shown: dict[str, JsonValue]
    ratings: tuple[str, ...]
    """What project and task may show; the desk covers them until asked."""
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
    task = session.execute(select(Task.payload, Task.content_ratings).where(Task.id == claim.task_id)).one()
    kind = project.kind
    shown = kind.present(kind.payload(task.payload), claim.display_order)
    suggestion = suggesting.as_shown(kind, shown, claim, suggesting.of_claim(session, claim.id))
    ratings = content.together(project.content_ratings, task.content_ratings)
    return ClaimedWork(claim, project.id, project.task_type, project.config, shown, ratings, False, suggestion)


def _claim(session: Session, actor: Actor, project_id: UUID, task_id: UUID | None, now: datetime) -> ClaimedWork:
    # Lock order: project (key share), membership, task, content seen, parts of escrow, parts of reserved. The second
    # makes one person's requests queue up; skip_locked lets different people pass each other.
    who: dict[str, Any] = {"project_id": project_id, "person_id": actor.person_id}
    terms = session.execute(queries.LOCK_MEMBERSHIP, who).one_or_none()
    if terms is None:
        raise NotJoined
    chosen = _exposure(session, actor, terms, now)
    who["allowed"] = content.open_to(chosen)
    refusal = _refusal(terms) or showing.refusal_of(terms.content_ratings, chosen)
    picked = None if refusal or task_id or terms.ahead_ratings is not None else _pick_drawn(session, who, terms)
    if picked is None:
        held = _held(session, who)
        if held is not None:
            return open_work(session, held)
        if refusal:
            raise refusal
        aside = session.scalar(queries_ahead.RATINGS, who)
        begun = _begin_ahead(session, actor, terms, aside, chosen, task_id, now)
        if begun is not None:
            return replace(open_work(session, begun), fresh=True)
        picked = _pick_instead(session, who, terms, chosen, task_id, aside is not None, now)
    if not _counted(session, actor, terms, picked.content_ratings, now):
        # Something in another project was shown meanwhile. Look again, with less that may be shown.
        return _claim(session, actor, project_id, task_id, now)
    return _take_picked(session, actor, terms, picked, ClaimState.OPEN, now)


def fetch_ahead(session: Session, actor: Actor, claim_id: UUID, *, now: datetime) -> ClaimedWork | None:
    """Set the next task aside for whoever works on this open claim, so that it can be on the desk before it is begun.

    Asking again gives the same. None when the claim is not open any more, when queue or money are too short to spare a
    task (`rules_ahead.TASKS_EACH`) and wherever the person could not claim: nothing is refused that was not asked for.
    None also where a task was set aside beside this claim before and let go: whoever could look at one after another
    would learn which of them never come again, and those are checks.
    """
    claim = access.own_claim(session, actor, claim_id)
    who: dict[str, Any] = {"project_id": claim.project_id, "person_id": actor.person_id}
    terms = session.execute(queries.LOCK_MEMBERSHIP, who).one_or_none()
    if terms is None:
        return None
    chosen = _exposure(session, actor, terms, now)
    if _refusal(terms) or showing.refusal_of(terms.content_ratings, chosen):
        return None
    asked = {
        "claim_id": claim_id,
        "tasks_each": rules_ahead.TASKS_EACH,
        "people_max": rules_ahead.PEOPLE_MAX,
        "not_begun": rules_ahead.NOT_BEGUN,
        "escrow_id": terms.escrow_id,
        "rate_minor": terms.rate_minor,
    }
    standing = session.execute(queries_ahead.STANDING, {**who, **asked}).one()
    if not standing.at_work:
        return None
    if standing.ahead_id is not None:
        work = open_work(session, session.get_one(Claim, standing.ahead_id, populate_existing=True))
        return None if showing.refusal_of(work.ratings, chosen) else work
    if standing.had_one or not standing.affordable or not rules_ahead.is_long_enough(standing.free, standing.people):
        return None
    picked = _pick_drawn(session, {**who, "allowed": content.open_to(chosen)}, terms, beside=True)
    try:
        return _take_picked(session, actor, terms, picked, ClaimState.AHEAD, now) if picked is not None else None
    except NotFunded:
        return None


@dataclass(frozen=True)
class Begun:
    """What is new about a task that was set aside, once it is open: its lease, and what it may show by now."""

    leased_until: datetime
    ratings: tuple[str, ...]


def begin_ahead(session: Session, actor: Actor, project_id: UUID, claim_id: UUID, *, now: datetime) -> Begun | None:
    """Open this claim that was set aside: what `claim_next` does, in two statements, for a desk that has the task.

    None, and nothing done, where `claim_next` has to say what comes next.
    """
    who = {"project_id": project_id, "person_id": actor.person_id}
    terms = session.execute(queries.LOCK_MEMBERSHIP, who).one_or_none()
    if terms is None or terms.ahead_ratings is None or _refusal(terms):
        return None
    ratings = content.together(terms.content_ratings, terms.ahead_ratings)
    if showing.refusal_of(ratings, _exposure(session, actor, terms, now)):
        return None
    if ahead.begin(session, actor, terms, claim_id=claim_id, now=now) is None:
        return None
    _count_begun(session, actor, terms, terms.ahead_ratings, now)
    return Begun(rules.lease_end(now, terms.lease_seconds), ratings)


def _begin_ahead(
    session: Session,
    actor: Actor,
    terms: Row[Any],
    aside: Sequence[str] | None,
    chosen: Mapping[str, Exposure],
    task_id: UUID | None,
    now: datetime,
) -> Claim | None:
    """Open what is set aside for the person, whose ratings are `aside`.

    What cannot be opened stays for the sweep to let go: its money would be locked here before another task is.
    """
    if aside is None or showing.refusal_of(content.together(terms.content_ratings, aside), chosen):
        return None
    begun = ahead.begin(session, actor, terms, task_id=task_id, now=now)
    if begun is None:
        return None
    _count_begun(session, actor, terms, aside, now)
    return session.get_one(Claim, begun, populate_existing=True)


def _count_begun(session: Session, actor: Actor, terms: Row[Any], aside: Sequence[str], now: datetime) -> None:
    if not _counted(session, actor, terms, aside, now):
        raise ContentLimitReached


def _pick_instead(
    session: Session,
    who: dict[str, Any],
    terms: Row[Any],
    chosen: Mapping[str, Exposure],
    task_id: UUID | None,
    beside: bool,
    now: datetime,
) -> Row[Any]:
    """The named task, or another than the one that is set aside and cannot be opened, or one worth waiting for."""
    if task_id is not None:
        return _pick_one(session, who, task_id, chosen, now)
    drawn = _pick_drawn(session, who, terms, beside=True) if beside else None
    return drawn or _pick_waiting(session, who, terms, chosen, now)


def _take_picked(
    session: Session, actor: Actor, terms: Row[Any], picked: Row[Any], state: ClaimState, now: datetime
) -> ClaimedWork:
    kind = working(terms.task_type, terms.config)
    payload = kind.payload(picked.payload)
    order = kind.display_order(payload, random.Random(new_id().int))
    claim = _take(session, actor, terms, picked, order, state, now)
    shown = kind.present(payload, claim.display_order)
    kept = suggesting.attach(session, terms, kind, payload, claim, now=now)
    suggestion = suggesting.as_shown(kind, shown, claim, kept)
    ratings = content.together(terms.content_ratings, picked.content_ratings)
    return ClaimedWork(claim, terms.project_id, terms.task_type, terms.config, shown, ratings, True, suggestion)


def _refusal(terms: Row[Any]) -> AppError | None:
    if terms.project_state != ProjectState.OPEN:
        return ProjectNotOpen()
    if terms.membership_state in CLOSED_PLACES:
        state = MembershipState(terms.membership_state)
        return NotEligible(CLOSED_PLACES[state], reasons=f"membership_{state.value}")
    if terms.membership_state != MembershipState.ACTIVE:
        return NotJoined()
    return None if terms.qualified else NotQualified()


# --- What may be shown to whom


def _exposure(session: Session, actor: Actor, terms: Row[Any], now: datetime) -> dict[str, Exposure]:
    """What the person chose to see, read only where the project, its queue or what is set aside is rated."""
    if not (terms.content_ratings or terms.has_rated or terms.ahead_ratings):
        return {}
    assert actor.person_id is not None
    return exposure(session, actor.person_id, now=now)


def _counted(session: Session, actor: Actor, terms: Row[Any], of_task: Sequence[str], now: datetime) -> bool:
    """Count what the task shows against the person's day; False, with nothing counted, where that is full by now."""
    assert actor.person_id is not None
    ratings = content.together(terms.content_ratings, of_task)
    return showing.count(session, actor.person_id, ratings, now=now)


def _nothing_left(session: Session, who: dict[str, Any], terms: Row[Any], chosen: Mapping[str, Exposure]) -> AppError:
    """Why there is no task: none is free, or only such as the person is not shown."""
    return showing.left_over(_kept_back(session, who, terms), chosen) or NoWorkLeft()


def _kept_back(session: Session, who: dict[str, Any], terms: Row[Any]) -> Sequence[list[str]]:
    return session.scalars(queries_rated.KEPT_BACK, who).all() if terms.has_rated else []


# --- Picking


def _held(session: Session, who: dict[str, Any]) -> Claim | None:
    return session.scalar(queries.open_claim(who["person_id"], who["project_id"]))


def _pick_drawn(session: Session, who: dict[str, Any], terms: Row[Any], *, beside: bool = False) -> Row[Any] | None:
    """What a draw gives: a gold task at the project's rate, else the next one of the queue.

    A queue that is empty for the person gives nothing, drawn or not: checks alone would cost the client money and
    tell the person what they are. A gold task leaves the person's place in the queue where it is. `beside` an open
    claim, else it finds nothing for who has one.
    """
    if rules_gold.is_drawn(terms.gold_percent, _DRAWS.random()):
        where = {**who, "cursor": terms.cursor, "pool": rules_gold.POOL}
        pick = queries_gold.PICK_GOLD_AMONG_RATED if terms.has_rated else queries_gold.PICK_GOLD
        drawn = session.execute(queries_ahead.beside_open(pick) if beside else pick, where).one_or_none()
        if drawn is not None:
            return drawn
    return _pick_unlocked(session, who, terms, beside)


def _pick_unlocked(session: Session, who: dict[str, Any], terms: Row[Any], beside: bool) -> Row[Any] | None:
    """The first free task behind the person's cursor, else from the start, passing over what others have locked."""
    cursor: int = terms.cursor
    bounds = [(cursor, POSITION_MAX)] + ([(-1, cursor)] if cursor >= 0 else [])
    statement = queries_ahead.beside_open(_statement(terms)) if beside else _statement(terms)
    pool = {"pool": rules_gold.POOL} if terms.gold_percent else {}
    for after, until in bounds:
        picked = session.execute(statement, {**who, **pool, "after": after, "until": until}).one_or_none()
        if picked is not None:
            return picked
    return None


def _statement(terms: Row[Any]) -> TextClause:
    if terms.has_rated:
        return queries_gold.PICK_BESIDE_GOLD_AMONG_RATED if terms.gold_percent else queries_rated.PICK_AMONG_RATED
    return queries_gold.PICK_BESIDE_GOLD if terms.gold_percent else queries.PICK_FREE


def _pick_waiting(
    session: Session, who: dict[str, Any], terms: Row[Any], chosen: Mapping[str, Exposure], now: datetime
) -> Row[Any]:
    """Wait for tasks that are free but locked, then take what is set aside for others, so that "no work left" is true
    when said.

    One task at a time, in a savepoint: a task that is full when its lock comes is let go at once, so that nobody
    waits for one task while keeping others from people who wait too. Ends, since each round means that somebody
    else has taken a task, or that one less is set aside.
    """
    first = queries_rated.FIRST_AMONG_RATED if terms.has_rated else queries.FIRST_FREE
    while True:
        task_id = session.scalar(first, who) or ahead.make_room(session, who, None, now=now)
        if task_id is None:
            raise _nothing_left(session, who, terms, chosen)
        picked = _pick_exactly(session, {**who, "task_id": task_id})
        if picked is not None:
            return picked


def _pick_exactly(session: Session, where: dict[str, Any]) -> Row[Any] | None:
    """One task, waited for; in a savepoint, since a task that is full when its lock comes would stay locked."""
    with session.begin_nested() as savepoint:
        picked = session.execute(queries.PICK_ONE, where).one_or_none()
        if picked is None:
            savepoint.rollback()
    return picked


def _pick_one(
    session: Session, who: dict[str, Any], task_id: UUID, chosen: Mapping[str, Exposure], now: datetime
) -> Row[Any]:
    where = {**who, "task_id": task_id}
    picked = _pick_exactly(session, where)
    if picked is None and ahead.make_room(session, who, task_id, now=now):
        picked = _pick_exactly(session, where)
    if picked is None:
        ratings = session.scalar(queries_rated.RATINGS_OF, where)
        raise showing.refusal_of(ratings or [], chosen) or TaskTaken()
    return picked


def _take(
    session: Session,
    actor: Actor,
    terms: Row[Any],
    picked: Row[Any],
    order: list[str],
    state: ClaimState,
    now: datetime,
) -> Claim:
    is_open = state is ClaimState.OPEN
    fixed = {
        "task_id": picked.id,
        "project_id": terms.project_id,
        "person_id": actor.person_id,
        "leased_until": rules.lease_end(now, terms.lease_seconds) if is_open else rules_ahead.lease_end(now),
        "rate_minor": terms.rate_minor,
        "currency": terms.currency,
        "guidelines_version_id": terms.guidelines_version_id,
        "rubric_version_id": terms.rubric_version_id,
        "state": state,
    }
    values = fixed | {
        "claim_id": new_id(),
        "posting_id": new_id(),
        "position": picked.position,
        "org_id": terms.org_id,
        "actor_kind": actor.kind,
        "told": "work.claimed" if is_open else "work.set_aside",
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
    return _as_written(session, fixed | {"id": values["claim_id"], "created_at": now, "last_beat_at": now}, taken)


def _as_written(session: Session, fixed: dict[str, Any], taken: Row[Any]) -> Claim:
    """The claim just written, known to the session without being read back."""
    claim = Claim(
        **fixed,
        **taken._mapping,
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
