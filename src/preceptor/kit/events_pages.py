"""The audit log as pages of events. Callers decide who may read which: this module knows no people."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from preceptor.kit.events import Event

KIND_CHARACTERS_MAX = 100
DOMAINS = ("work", "project", "people", "money", "import", "assessment", "dataset", "training", "jobs")
"""First words of event kinds, for filters; others are found by typing them."""


@dataclass(frozen=True)
class EventsWanted:
    """Which events: everything that is set must fit."""

    kind: str = ""
    """The beginning of a kind ("work", "work.claimed") or a word in it."""
    person_id: UUID | None = None
    """Concerned by it, or the one who did it."""
    project_id: UUID | None = None
    org_id: UUID | None = None
    subject_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 50


def list_events(session: Session, wanted: EventsWanted) -> list[Event]:
    """Events, newest first, in one statement."""
    return list(session.scalars(_events(wanted)))


def _events(wanted: EventsWanted) -> Select[tuple[Event]]:
    found = select(Event).order_by(Event.id.desc()).limit(wanted.limit)
    if kind := wanted.kind.strip()[:KIND_CHARACTERS_MAX]:
        found = found.where(Event.kind.icontains(kind, autoescape=True))
    if wanted.person_id is not None:
        found = found.where(or_(Event.person_id == wanted.person_id, Event.actor_id == wanted.person_id))
    for column, value in (
        (Event.project_id, wanted.project_id),
        (Event.org_id, wanted.org_id),
        (Event.subject_id, wanted.subject_id),
    ):
        if value is not None:
            found = found.where(column == value)
    if wanted.since is not None:
        found = found.where(Event.at >= wanted.since)
    if wanted.until is not None:
        found = found.where(Event.at < wanted.until)
    return found if wanted.before is None else found.where(Event.id < wanted.before)
