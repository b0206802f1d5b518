"""Whole numbers that stand for ids in interfaces that know no other ids."""

import random
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.projects.models import OutsideNumber

NUMBER_BITS = 53
"""What every reader of JSON keeps exactly."""
TRIES = 5
# Numbers must not tell how many there are.
_DRAWS = random.SystemRandom()


def numbers_of(session: Session, things: Sequence[UUID]) -> dict[UUID, int]:
    """The number of each thing, drawn where it has none yet. The caller may see these things."""
    wanted = set(things)
    found: dict[UUID, int] = {}
    for _ in range(TRIES):
        rows = session.execute(
            select(OutsideNumber.thing_id, OutsideNumber.number).where(OutsideNumber.thing_id.in_(wanted))
        )
        found = {row.thing_id: row.number for row in rows}
        missing = sorted(wanted - found.keys())
        if not missing:
            return found
        drawn = [{"number": _DRAWS.getrandbits(NUMBER_BITS) or 1, "thing_id": thing} for thing in missing]
        # A number that is taken, or a thing that somebody else has just numbered, is looked at again.
        session.execute(insert(OutsideNumber).values(drawn).on_conflict_do_nothing())
    raise RuntimeError(f"{len(wanted - found.keys())} numbers could not be drawn in {TRIES} tries")


def thing_of(session: Session, number: int, what: str) -> UUID:
    """What a number stands for. NotFound for one that was never given; the caller checks who may see it."""
    known = 0 < number < 1 << NUMBER_BITS
    found = session.scalar(select(OutsideNumber.thing_id).where(OutsideNumber.number == number)) if known else None
    if found is None:
        raise NotFound(what)
    return found
