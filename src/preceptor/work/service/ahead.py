"""The task that is set aside for a person while they finish the present one, so that it can stand on the desk at once.

It holds its place and its pay like any claim, and nothing else: it begins when it is opened (`begin`), and whatever
comes in between lets it go as if it had never been. The task may come to the same person again, and nothing is held
against them. Who has nothing else to do takes it over (`make_room`), so that nobody waits for work that nobody does.

Lock order, as everywhere: membership, claim, task, parts of accounts.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.kit.events import SYSTEM, Actor
from preceptor.work import access, queries_ahead, rules, rules_ahead
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service.endings import give_back


def begin(
    session: Session,
    actor: Actor,
    terms: Row[Any],
    *,
    task_id: UUID | None = None,
    claim_id: UUID | None = None,
    now: datetime,
) -> UUID | None:
    """Open what is set aside for the person (only that task or claim, where one is named); returns the claim's id.

    Lease, worked time and the moment it was claimed start now. None where there is nothing, or where task or terms
    have changed since. The caller has locked the membership.
    """
    values = {
        "project_id": terms.project_id,
        "person_id": actor.person_id,
        "task_id": task_id,
        "claim_id": claim_id,
        "leased_until": rules.lease_end(now, terms.lease_seconds),
        "rate_minor": terms.rate_minor,
        "currency": terms.currency,
        "guidelines_version_id": terms.guidelines_version_id,
        "rubric_version_id": terms.rubric_version_id,
        "actor_kind": actor.kind,
        "org_id": terms.org_id,
        "now": now,
    }
    begun: UUID | None = session.scalar(queries_ahead.BEGIN, values)
    return begun


def keep_ahead(session: Session, claim: Claim, *, now: datetime) -> UUID | None:
    """A sign of life from the desk of an open claim keeps what is set aside beside it; returns that claim's id."""
    if claim.state is not ClaimState.OPEN:
        return None
    values = {
        "project_id": claim.project_id,
        "person_id": claim.person_id,
        "until": rules_ahead.lease_end(now),
        "kept_max": rules_ahead.KEPT_MAX,
    }
    kept: UUID | None = session.scalar(queries_ahead.KEEP, values)
    return kept


def let_go_ahead(session: Session, actor: Actor, claim_id: UUID, *, now: datetime) -> None:
    """The desk is left: what it had fetched ahead goes back. Changes nothing once that was opened or has ended."""
    claim = access.own_claim(session, actor, claim_id, lock=True)
    if claim.state is ClaimState.AHEAD:
        let_go(session, actor, [claim], now=now)


def let_go_own(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> None:
    """Let go what is set aside for the person in a project, if anything."""
    assert actor.person_id is not None
    let_go(session, actor, session.scalars(queries_ahead.own(actor.person_id, project_id)).all(), now=now)


def let_go_idle(session: Session, limit: int, *, now: datetime) -> int:
    """Let go what is set aside to no purpose; returns how much."""
    claims = session.scalars(queries_ahead.to_let_go(now, limit)).all()
    let_go(session, SYSTEM, claims, now=now)
    return len(claims)


def make_room(session: Session, who: Mapping[str, Any], task_id: UUID | None, *, now: datetime) -> UUID | None:
    """Take back one task that is set aside for somebody else, for a person who finds nothing else.

    `who` says the project, the person and the ratings that they may be shown (`allowed`). The task's place is free for
    this transaction alone; None where there is none.
    """
    claim = session.scalar(queries_ahead.of_others(who["person_id"], who["project_id"], who["allowed"], task_id))
    if claim is None:
        return None
    let_go(session, SYSTEM, [claim], now=now)
    return claim.task_id


def let_go(session: Session, actor: Actor, claims: Sequence[Claim], *, now: datetime) -> None:
    """End locked claims that were set aside: place and money go back."""
    if claims:
        give_back(session, actor, claims, ClaimState.EXPIRED, rules_ahead.NOT_BEGUN, now=now)
