"""Selects about people, returned and not executed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Delete, Select, and_, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

from preceptor.kit.events import Event
from preceptor.people.models import (
    ApiKey,
    AuthSession,
    EmailToken,
    Invitation,
    Member,
    Organization,
    OrgRole,
    OutboxMail,
    Passkey,
    PasskeyChallenge,
    Person,
    PersonQualification,
    PersonState,
    Qualification,
    RateWindow,
    TokenPurpose,
)

PEOPLE_FILTERS = ("all", "operators", "clients", "contributors", "reviewers", "suspended", "unconfirmed", "simulated")


def person_by_email(email: str) -> Select[tuple[Person]]:
    return select(Person).where(func.lower(Person.email) == email.lower())


def live_sessions(person_id: UUID, now: datetime) -> Select[tuple[AuthSession]]:
    """Sessions that can still be used, the one seen last first."""
    return (
        select(AuthSession)
        .where(
            AuthSession.person_id == person_id,
            AuthSession.revoked_at.is_(None),
            AuthSession.expires_at > now,
        )
        .order_by(AuthSession.last_seen_at.desc(), AuthSession.id.desc())
    )


def keys(person_id: UUID, *, org_id: UUID | None = None) -> Select[tuple[ApiKey]]:
    """A person's keys that were not revoked, newest first; with `org_id` only those bound to it."""
    wanted = select(ApiKey).where(ApiKey.person_id == person_id, ApiKey.revoked_at.is_(None))
    return (wanted if org_id is None else wanted.where(ApiKey.org_id == org_id)).order_by(ApiKey.id.desc())


def passkeys(person_id: UUID) -> Select[tuple[Passkey]]:
    return select(Passkey).where(Passkey.person_id == person_id).order_by(Passkey.id)


def passkey_by_credential(credential_id: bytes) -> Select[tuple[Passkey]]:
    return select(Passkey).where(Passkey.credential_id == credential_id)


def open_token(token_hash: bytes, purpose: TokenPurpose, now: datetime) -> Select[tuple[EmailToken]]:
    return select(EmailToken).where(
        EmailToken.token_hash == token_hash,
        EmailToken.purpose == purpose,
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > now,
    )


def open_invitation(token_hash: bytes, now: datetime) -> Select[tuple[Invitation]]:
    return select(Invitation).where(Invitation.token_hash == token_hash, *_invitation_open(now))


def open_invitations(org_id: UUID, now: datetime) -> Select[tuple[Invitation]]:
    return select(Invitation).where(Invitation.org_id == org_id, *_invitation_open(now)).order_by(Invitation.id)


def unanswered_invitations(org_id: UUID, email: str) -> Select[tuple[Invitation]]:
    """Neither accepted nor withdrawn, expired ones too: the unique index counts them."""
    return select(Invitation).where(
        Invitation.org_id == org_id,
        func.lower(Invitation.email) == email.lower(),
        Invitation.accepted_at.is_(None),
        Invitation.revoked_at.is_(None),
    )


def _invitation_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (Invitation.accepted_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now)


def members(org_id: UUID) -> Select[tuple[Member, Person]]:
    """Members with their persons, in the order they joined."""
    return (
        select(Member, Person)
        .join(Person, Person.id == Member.person_id)
        .where(Member.org_id == org_id)
        .order_by(Member.created_at, Member.person_id)
    )


def owners(org_id: UUID) -> Select[tuple[int]]:
    return select(func.count()).where(Member.org_id == org_id, Member.role == OrgRole.OWNER)


def memberships(person_id: UUID) -> Select[tuple[Organization, OrgRole]]:
    return (
        select(Organization, Member.role)
        .join(Member, Member.org_id == Organization.id)
        .where(Member.person_id == person_id)
        .order_by(Organization.name)
    )


def qualifications_held(person_id: UUID) -> Select[tuple[PersonQualification, Qualification, str]]:
    """(grant, qualification, organization name), revoked ones too, newest first."""
    return (
        select(PersonQualification, Qualification, Organization.name)
        .join(Qualification, Qualification.id == PersonQualification.qualification_id)
        .join(Organization, Organization.id == Qualification.org_id)
        .where(PersonQualification.person_id == person_id)
        .order_by(PersonQualification.id.desc())
    )


def held(person_id: UUID, qualification_id: UUID) -> Select[tuple[PersonQualification]]:
    return select(PersonQualification).where(
        PersonQualification.person_id == person_id,
        PersonQualification.qualification_id == qualification_id,
        PersonQualification.revoked_at.is_(None),
    )


def qualifications_of(org_id: UUID) -> Select[tuple[Qualification]]:
    return select(Qualification).where(Qualification.org_id == org_id).order_by(Qualification.title, Qualification.id)


def operators_and(person_id: UUID) -> Select[tuple[Person]]:
    """All operators and one person, locked in the order of their ids.

    Two operators who step down at once therefore wait for each other instead of in a circle.
    """
    return (
        select(Person)
        .where(or_(Person.is_operator, Person.id == person_id))
        .order_by(Person.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


@dataclass(frozen=True, slots=True)
class PeopleWanted:
    """Which people an operator's list shows. `before` is the last id of the page before (newest first)."""

    search: str = ""
    filter: str = "all"
    before: UUID | None = None
    limit: int = 50


def people(wanted: PeopleWanted) -> Select[tuple[Person]]:
    """One row more than `limit`, so that the caller knows whether there is a next page."""
    select_people = select(Person).where(_matches(wanted.search), _in_filter(wanted.filter))
    if wanted.before is not None:
        select_people = select_people.where(Person.id < wanted.before)
    return select_people.order_by(Person.id.desc()).limit(wanted.limit + 1)


def count_people(search: str) -> Select[tuple[int, ...]]:
    """One row with a count for each of `PEOPLE_FILTERS`, in that order."""
    counts = [func.count().filter(_in_filter(name)) for name in PEOPLE_FILTERS]
    return select(*counts).select_from(Person).where(_matches(search))


def _matches(search: str) -> ColumnElement[bool]:
    """Every word must stand somewhere in the name or address."""
    words = search.split()[:8]
    found = [or_(Person.name.icontains(w, autoescape=True), Person.email.icontains(w, autoescape=True)) for w in words]
    return and_(True, *found)


def _in_filter(name: str) -> ColumnElement[bool]:
    choices: dict[str, ColumnElement[bool]] = {
        "operators": Person.is_operator.is_(True),
        "contributors": Person.is_contributor.is_(True),
        "reviewers": Person.is_reviewer.is_(True),
        "clients": exists().where(Member.person_id == Person.id),
        "suspended": Person.state == PersonState.SUSPENDED,
        "unconfirmed": Person.email_confirmed_at.is_(None),
        "simulated": Person.simulated.is_(True),
    }
    return choices.get(name, and_(True))


def events_about(person_id: UUID, limit: int) -> Select[tuple[Event]]:
    """What concerns a person, newest first."""
    return select(Event).where(Event.person_id == person_id).order_by(Event.id.desc()).limit(limit)


def outbox(before: UUID | None, limit: int) -> Select[tuple[OutboxMail]]:
    """Mail, newest first; one more than `limit`."""
    wanted = select(OutboxMail).order_by(OutboxMail.id.desc()).limit(limit + 1)
    return wanted if before is None else wanted.where(OutboxMail.id < before)


def windows(key: str, starts: tuple[datetime, datetime]) -> Select[tuple[datetime, int]]:
    return select(RateWindow.window_start, RateWindow.count).where(
        RateWindow.key == key, RateWindow.window_start.in_(starts)
    )


def count_one(key: str, start: datetime) -> Insert:
    """One more in this window; the row stays locked until the end of the transaction."""
    row = {"key": key, "window_start": start, "count": 1}
    more = {"count": RateWindow.count + 1}
    return insert(RateWindow).values(row).on_conflict_do_update(index_elements=["key", "window_start"], set_=more)


def leftovers(now: datetime, old: datetime) -> tuple[Delete, ...]:
    """What nobody needs any more: finished windows, challenges, and sessions and links long over."""
    tables: tuple[tuple[Any, Any, datetime], ...] = (
        (RateWindow, RateWindow.window_start, old),
        (PasskeyChallenge, PasskeyChallenge.expires_at, now),
        (EmailToken, EmailToken.expires_at, old),
        (AuthSession, AuthSession.expires_at, old),
    )
    return tuple(delete(table).where(column < limit) for table, column, limit in tables)


def organizations() -> Select[tuple[Organization]]:
    """All organizations, by name."""
    return select(Organization).order_by(Organization.name, Organization.id)
