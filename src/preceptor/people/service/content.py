"""What people choose to see, and how much of it they were given today."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.people import content
from preceptor.people.content import Exposure
from preceptor.people.models import ContentChoice, ContentSeen

# Only below the limit: two projects at the same moment cannot go past it together.
_COUNT: Final = text("""
    INSERT INTO content_seen (person_id, rating, day, seen)
    SELECT c.person_id, c.rating, :day, 1 FROM content_choice c
    WHERE c.person_id = :person_id AND c.rating = ANY(:ratings)
    ORDER BY c.rating
    ON CONFLICT (person_id, rating, day) DO UPDATE SET seen = content_seen.seen + 1
    WHERE content_seen.seen < (
        SELECT c.daily_limit FROM content_choice c
        WHERE c.person_id = content_seen.person_id AND c.rating = content_seen.rating)
    RETURNING rating
""")


def exposure(session: Session, person_id: UUID, *, now: datetime) -> dict[str, Exposure]:
    """Rating -> what the person chose and has seen today; ratings not chosen are absent. One statement."""
    rows = session.execute(
        select(ContentChoice.rating, ContentChoice.daily_limit, ContentSeen.seen)
        .outerjoin(
            ContentSeen,
            (ContentSeen.person_id == ContentChoice.person_id)
            & (ContentSeen.rating == ContentChoice.rating)
            & (ContentSeen.day == now.date()),
        )
        .where(ContentChoice.person_id == person_id)
    )
    return {rating: Exposure(limit, seen or 0) for rating, limit, seen in rows}


def choose(session: Session, actor: Actor, wanted: Mapping[str, int], *, now: datetime) -> None:
    """See exactly these ratings from now on, each up to so many tasks a day. What is open stays open."""
    assert actor.person_id is not None, "only persons choose what they see"
    for rating, limit in wanted.items():
        if rating not in content.RATINGS:
            raise Invalid(f"There is no content rating {rating!r}.")
        if not content.DAILY_LIMIT_MIN <= limit <= content.DAILY_LIMIT_MAX:
            bounds = f"{content.DAILY_LIMIT_MIN} to {content.DAILY_LIMIT_MAX}"
            message = f"{content.RATINGS[rating]}: the limit is a whole number from {bounds} tasks a day."
            raise Invalid(message, [{"path": f"limit_{rating}", "message": message}])
    session.execute(
        delete(ContentChoice).where(ContentChoice.person_id == actor.person_id, ContentChoice.rating.not_in(wanted))
    )
    for rating, limit in wanted.items():
        values = {"person_id": actor.person_id, "rating": rating, "daily_limit": limit, "chosen_at": now}
        fresh = insert(ContentChoice).values(values)
        again = {"daily_limit": limit, "chosen_at": now}
        session.execute(fresh.on_conflict_do_update(index_elements=["person_id", "rating"], set_=again))
    events.record(
        session,
        actor,
        "person.content_chosen",
        "person",
        actor.person_id,
        at=now,
        person_id=actor.person_id,
        data={"ratings": dict(wanted)},
    )
    session.flush()


def count_shown(session: Session, person_id: UUID, ratings: Collection[str], *, now: datetime) -> bool:
    """Count one more task of these ratings; False, with nothing promised, where a limit is reached meanwhile.

    The caller rolls back then.
    """
    wanted = {"person_id": person_id, "ratings": sorted(ratings), "day": now.date()}
    return len(session.execute(_COUNT, wanted).all()) == len(set(ratings))
