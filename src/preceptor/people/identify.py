"""Who is asking: a session cookie or an API key, looked up in one statement each."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, text, update
from sqlalchemy.orm import Session

from preceptor.kit.errors import AppError, Kind
from preceptor.kit.events import Actor, ActorKind
from preceptor.people.models import AuthSession

SEEN_EVERY = timedelta(minutes=5)
SCOPES = ("work", "read", "projects", "review", "operate")
"""work: claim and submit; read: see what its person sees; projects: change an organization's projects;
review: decide submissions; operate: everything an operator does."""


class NotSignedIn(AppError):
    """Sign in first, or send an API key as `Authorization: Bearer pk_...`."""

    code = "not_signed_in"
    kind: Kind = "unauthenticated"


class BadKey(AppError):
    """This API key is unknown, expired or revoked. Make a new one under Settings, API keys."""

    code = "bad_api_key"
    kind: Kind = "unauthenticated"


class ScopeMissing(AppError):
    """This API key may not do that. Make a key with the scope it needs."""

    code = "scope_missing"
    kind: Kind = "forbidden"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An actor with the session or the API key it came by; the other is None."""

    actor: Actor
    email: str
    session_id: UUID | None = None
    active_role: str | None = None
    last_seen_at: datetime | None = None
    key_id: UUID | None = None


_PERSON = """
    p.id AS person_id, p.email, p.name, p.is_operator, p.is_contributor, p.is_reviewer,
    ARRAY(SELECT m.org_id::text || ':' || m.role FROM member m WHERE m.person_id = p.id) AS org_roles
"""
_BY_KEY = text(f"""
    SELECT {_PERSON}, k.scopes, k.org_id AS key_org, k.id AS key_id, k.last_used_at
    FROM api_key k JOIN person p ON p.id = k.person_id
    WHERE k.secret_hash = :hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
      AND p.state = 'active'
""")
# A key that many requests use at once is marked by one of them; the others must not wait for it.
_KEY_USED = text("""
    UPDATE api_key SET last_used_at = :now
    WHERE id = (SELECT id FROM api_key WHERE id = :key_id FOR UPDATE SKIP LOCKED)
""")
_BY_TOKEN = text(f"""
    SELECT {_PERSON}, s.id AS session_id, s.active_role, s.last_seen_at
    FROM auth_session s JOIN person p ON p.id = s.person_id
    WHERE s.token_hash = :hash AND s.revoked_at IS NULL AND s.expires_at > :now AND p.state = 'active'
""")


def digest(secret: str) -> bytes:
    """What is stored of a secret that has 256 random bits: its SHA-256."""
    return hashlib.sha256(secret.encode()).digest()


def csrf_token(session_secret: str, key: bytes) -> str:
    """The token that forms and scripts of one session must send back."""
    return hmac.new(key, b"csrf" + session_secret.encode(), hashlib.sha256).hexdigest()


def by_api_key(session: Session, secret: str, *, now: datetime) -> SignedIn:
    """The person behind an API key, with the key's scopes. Unknown, expired and revoked look the same."""
    row = session.execute(_BY_KEY, {"hash": digest(secret), "now": now}).one_or_none()
    if row is None:
        raise BadKey
    actor = _actor(row, "api_key", frozenset(row.scopes), row.key_org)
    return SignedIn(actor, row.email, last_seen_at=row.last_used_at, key_id=row.key_id)


def by_session(session: Session, secret: str, *, now: datetime) -> SignedIn | None:
    """The person behind a session cookie, or None when it is unknown, expired or revoked."""
    row = session.execute(_BY_TOKEN, {"hash": digest(secret), "now": now}).one_or_none()
    if row is None:
        return None
    actor = _actor(row, "person", None, None)
    return SignedIn(actor, row.email, row.session_id, row.active_role, row.last_seen_at)


def note_seen(session: Session, found: SignedIn, *, now: datetime) -> None:
    """Keep "last seen" and "last used" true to a few minutes without writing on every request."""
    if found.last_seen_at is not None and now - found.last_seen_at <= SEEN_EVERY:
        return
    if found.session_id is not None:
        session.execute(update(AuthSession).where(AuthSession.id == found.session_id).values(last_seen_at=now))
    elif found.key_id is not None:
        session.execute(_KEY_USED, {"key_id": found.key_id, "now": now})


def require_scope(actor: Actor, scope: str, *others: str) -> None:
    """A browser session may do all that its person may; a key only what one of the scopes named allows."""
    if actor.scopes is not None and actor.scopes.isdisjoint({scope, *others}):
        raise ScopeMissing(f"This API key lacks the scope {scope!r}. Make a key that has it.", scope=scope)


def _actor(row: Row[Any], kind: ActorKind, scopes: frozenset[str] | None, key_org: UUID | None) -> Actor:
    memberships = (entry.split(":") for entry in cast("list[str]", row.org_roles))
    org_roles = {UUID(org): role for org, role in memberships if key_org in (None, UUID(org))}
    flags = {"operator": row.is_operator, "contributor": row.is_contributor, "reviewer": row.is_reviewer}
    roles = frozenset(role for role, held in flags.items() if held)
    return Actor(row.person_id, kind, row.name, roles, org_roles, scopes, key_org)
