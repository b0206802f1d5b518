"""Sessions: signed-in browsers. The cookie holds the secret; the table only its digest."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor, record
from preceptor.kit.settings import Settings
from preceptor.people import access, queries, rules
from preceptor.people.errors import NotActive
from preceptor.people.identify import digest
from preceptor.people.models import AuthSession, Person, PersonState
from preceptor.people.passwords import Passwords
from preceptor.people.service import limits

USER_AGENT_CHARACTERS_MAX = 300
SESSION_LASTS = timedelta(days=int(Settings.model_fields["session_days"].default))


class SignInRefusal(StrEnum):
    """Why nobody was signed in. `WRONG` covers unknown addresses too; the others need the right password."""

    WRONG = "wrong"
    UNCONFIRMED = "unconfirmed"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class Visit:
    """Where a sign-in comes from."""

    user_agent: str | None
    address: str | None


def sign_in(
    session: Session,
    *,
    email: str,
    password: str,
    visit: Visit,
    lasts: timedelta = SESSION_LASTS,
    passwords: Passwords,
    now: datetime,
) -> str | SignInRefusal:
    """Start a session and return its secret, or say why not.

    A refusal is returned and not raised, because its count must be committed. Raises `Limited` after too many tries
    for one address or from one network. Lock order: the address's count, then the network's.
    """
    email = email.strip()
    limits.count(session, limits.SIGN_IN_PER_EMAIL, email, now=now)
    person = session.scalar(queries.person_by_email(email))
    fits = passwords.verify(person.password_hash if person else None, password)
    # Last, so that people behind one network wait for each other only for a moment.
    limits.count(session, limits.SIGN_IN_PER_NETWORK, rules.network_of(visit.address), now=now)
    if person is None or not fits:
        _note_failure(session, person, visit, now=now)
        return SignInRefusal.WRONG
    if person.state is PersonState.SUSPENDED:
        return SignInRefusal.SUSPENDED
    if person.email_confirmed_at is None:
        return SignInRefusal.UNCONFIRMED
    if person.password_hash is not None and passwords.is_outdated(person.password_hash):
        person.password_hash = passwords.hash(password)
    limits.forgive(session, limits.SIGN_IN_PER_EMAIL, email)
    return start_session(session, person.id, user_agent=visit.user_agent, address=visit.address, lasts=lasts, now=now)


def _note_failure(session: Session, person: Person | None, visit: Visit, *, now: datetime) -> None:
    actor = Actor(None, "system", "sign-in")
    person_id = person.id if person else None
    data = {"network": rules.network_of(visit.address)}
    record(session, actor, "people.sign_in_failed", "person", person_id, at=now, person_id=person_id, data=data)


def start_session(
    session: Session,
    person_id: UUID,
    *,
    user_agent: str | None,
    address: str | None,
    now: datetime,
    active_role: str | None = None,
    lasts: timedelta = SESSION_LASTS,
    method: str = "password",
) -> str:
    """Start a session for a person who has proved who they are; returns the secret for the cookie."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotFound("person")
    if person.state is not PersonState.ACTIVE:
        raise NotActive
    secret = secrets.token_urlsafe(32)
    row = AuthSession(
        person_id=person_id,
        token_hash=digest(secret),
        active_role=active_role,
        user_agent=(user_agent or "")[:USER_AGENT_CHARACTERS_MAX] or None,
        address=address,
        created_at=now,
        last_seen_at=now,
        expires_at=now + lasts,
    )
    session.add(row)
    session.flush()
    actor = Actor(person_id, "person", person.name)
    record(session, actor, "people.signed_in", "session", row.id, at=now, person_id=person_id, data={"method": method})
    return secret


def list_sessions(session: Session, actor: Actor, person_id: UUID, *, now: datetime) -> list[AuthSession]:
    """Where a person is signed in, the latest first: the person's own, or anybody's for an operator."""
    if actor.person_id != person_id:
        access.require_operator(actor)
    return list(session.scalars(queries.live_sessions(person_id, now)))


def sign_out(session: Session, actor: Actor, session_id: UUID, *, now: datetime) -> None:
    """End the session that the actor came by. Ending one that has ended changes nothing."""
    _revoke(session, actor, access.own_session(session, actor, session_id), "people.signed_out", now=now)


def revoke_session(session: Session, actor: Actor, session_id: UUID, *, now: datetime) -> None:
    """End another session of one's own, on a computer left behind, say."""
    row = access.own_session(session, actor, session_id)
    access.require_self_in_browser(actor, row.person_id)
    _revoke(session, actor, row, "people.session_revoked", now=now)


def _revoke(session: Session, actor: Actor, row: AuthSession, kind: str, *, now: datetime) -> None:
    if row.revoked_at is None:
        row.revoked_at = now
        record(session, actor, kind, "session", row.id, at=now, person_id=row.person_id)


def revoke_others(session: Session, actor: Actor, *, keep: UUID | None, now: datetime) -> int:
    """End every session of one's own but `keep`; returns how many."""
    assert actor.person_id is not None
    access.require_self_in_browser(actor, actor.person_id)
    return _revoke_all_but(session, actor, actor.person_id, keep, now=now)


def revoke_all(session: Session, actor: Actor, person_id: UUID, *, now: datetime) -> int:
    """End every session of a person; returns how many. For the person, or an operator."""
    if actor.person_id != person_id:
        access.require_operator(actor)
    return _revoke_all_but(session, actor, person_id, None, now=now)


def _revoke_all_but(session: Session, actor: Actor, person_id: UUID, keep: UUID | None, *, now: datetime) -> int:
    ended = session.scalars(
        update(AuthSession)
        .where(AuthSession.person_id == person_id, AuthSession.revoked_at.is_(None), AuthSession.expires_at > now)
        .where(AuthSession.id.is_distinct_from(keep))
        .values(revoked_at=now)
        .returning(AuthSession.id)
    ).all()
    for session_id in ended:
        record(session, actor, "people.session_revoked", "session", session_id, at=now, person_id=person_id)
    return len(ended)


def wear_client_hat(session: Session, actor: Actor, session_id: UUID, *, now: datetime) -> None:
    """After founding an organization: the pages of a client, from the next request on."""
    row = access.own_session(session, actor, session_id)
    row.active_role = "client"
    record(
        session,
        actor,
        "people.role_chosen",
        "session",
        row.id,
        at=now,
        person_id=row.person_id,
        data={"role": "client"},
    )


def choose_role(session: Session, actor: Actor, session_id: UUID, role: str, *, now: datetime) -> None:
    """Put on another of one's hats in the pages. Raises `NotFound` for a hat that the actor does not have."""
    held = set(actor.roles) | ({"client"} if actor.org_roles else set())
    if role not in held:
        raise NotFound("role")
    row = access.own_session(session, actor, session_id)
    if row.active_role == role:
        return
    row.active_role = role
    record(
        session, actor, "people.role_chosen", "session", row.id, at=now, person_id=row.person_id, data={"role": role}
    )
