"""Looking people up: for operators only, since it shows personal data."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import Actor, Event
from preceptor.people import access, queries
from preceptor.people.models import (
    ApiKey,
    AuthSession,
    Organization,
    OrgRole,
    OutboxMail,
    Person,
    PersonQualification,
    Qualification,
)
from preceptor.people.queries import PeopleWanted

EVENTS_SHOWN_MAX = 50


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """One page of people, newest first; `next_before` is None on the last."""

    people: list[Person]
    next_before: UUID | None


def list_people(session: Session, actor: Actor, wanted: PeopleWanted) -> PeoplePage:
    """People whose name or address holds every word of the search."""
    access.require_operator(actor)
    found = list(session.scalars(queries.people(wanted)))
    shown = found[: wanted.limit]
    return PeoplePage(shown, shown[-1].id if len(found) > wanted.limit else None)


def count_people(session: Session, actor: Actor, search: str) -> dict[str, int]:
    """How many people each filter would show."""
    access.require_operator(actor)
    row = session.execute(queries.count_people(search)).one()
    return dict(zip(queries.PEOPLE_FILTERS, map(int, row), strict=True))


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that an operator sees of one person here."""

    person: Person
    memberships: list[tuple[Organization, OrgRole]]
    qualifications: list[tuple[PersonQualification, Qualification, str]]
    sessions: list[AuthSession]
    keys: list[ApiKey]
    events: list[Event]


def read_dossier(session: Session, actor: Actor, person_id: UUID, *, now: datetime) -> Dossier:
    person = access.person_for_operator(session, actor, person_id)
    return Dossier(
        person,
        [(organization, role) for organization, role in session.execute(queries.memberships(person_id))],
        [(held, kind, org) for held, kind, org in session.execute(queries.qualifications_held(person_id))],
        list(session.scalars(queries.live_sessions(person_id, now))),
        list(session.scalars(queries.keys(person_id))),
        list(session.scalars(queries.events_about(person_id, EVENTS_SHOWN_MAX))),
    )


def find_by_email(session: Session, actor: Actor, email: str) -> Person | None:
    """The person with this address, in any case of letters."""
    access.require_operator(actor)
    return session.scalar(queries.person_by_email(email.strip()))


def read_outbox(
    session: Session, actor: Actor, *, before: UUID | None, limit: int = 50
) -> tuple[list[OutboxMail], UUID | None]:
    """Mail that was or would be sent, newest first, and where the next page starts."""
    access.require_operator(actor)
    found = list(session.scalars(queries.outbox(before, limit)))
    shown = found[:limit]
    return shown, shown[-1].id if len(found) > limit else None


def list_organizations(session: Session, actor: Actor) -> list[Organization]:
    """Every organization of the installation, by name."""
    access.require_operator(actor)
    return list(session.scalars(queries.organizations()))
