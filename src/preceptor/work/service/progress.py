"""While somebody works: drafts and heartbeats."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.projects.models import Project
from preceptor.work import access, queries, rules
from preceptor.work.errors import ClaimEnded
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service.process import Paste, note_pastes, note_saved


def save_draft(
    session: Session,
    actor: Actor,
    claim_id: UUID,
    draft: dict[str, Any],
    number: int,
    *,
    pastes: Sequence[Paste] = (),
    now: datetime,
) -> int:
    """Keep a draft and return the number that is stored. An older number that arrives late changes nothing.

    `pastes` are those since the last draft; with the draft they are kept as evidence of how the answer came about.
    """
    try:
        packed = orjson.dumps(draft)
    except orjson.JSONEncodeError as error:
        raise Invalid(f"The draft cannot be stored: {error}.") from error
    if len(packed) > rules.DRAFT_BYTES_MAX:
        limit = rules.DRAFT_BYTES_MAX // 1024
        raise Invalid(f"The draft is larger than {limit} KiB. Shorten it, or submit it in parts.")
    values = {
        "claim_id": claim_id,
        "person_id": actor.person_id,
        "draft": packed.decode(),
        "number": number,
        "now": now,
    }
    if session.execute(queries.SAVE_DRAFT, values).one_or_none() is not None:
        note_saved(session, claim_id, packed, now=now)
        if pastes:
            note_pastes(session, claim_id, pastes, now=now)
        return number
    claim = access.own_claim(session, actor, claim_id)
    if claim.state not in (ClaimState.OPEN, ClaimState.RETURNED):
        raise ClaimEnded
    return claim.draft_number


def beat(session: Session, actor: Actor, claim_id: UUID, *, now: datetime) -> Claim:
    """A sign of life: counts worked time (the union of beats) and keeps the lease from running out under work."""
    claim = access.own_claim(session, actor, claim_id, lock=True)
    if claim.state not in (ClaimState.OPEN, ClaimState.RETURNED):
        raise ClaimEnded
    if rules.lease_is_over(claim.leased_until, now):
        return claim
    claim.worked_seconds += rules.worked_between(claim.last_beat_at, now)
    claim.last_beat_at = max(claim.last_beat_at or now, now)
    if claim.state is ClaimState.OPEN:
        lease_seconds = session.get_one(Project, claim.project_id).lease_seconds
        claim.leased_until = rules.kept_lease(claim.leased_until, claim.created_at, lease_seconds, now)
    session.flush()
    return claim
