"""API keys: shown once, stored as a digest."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor, record
from preceptor.people import access, queries, rules
from preceptor.people.errors import UnknownScope
from preceptor.people.identify import SCOPES, digest
from preceptor.people.models import ApiKey, Member, Person


def create_key(
    session: Session,
    actor: Actor,
    *,
    person_id: UUID,
    name: str,
    scopes: Iterable[str],
    org_id: UUID | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its secret, which is never shown again.

    A key bound to an organization sees no other. Keys are made in a browser by their person, or by an operator.
    """
    access.require_self_in_browser(actor, person_id)
    person = session.get_one(Person, person_id, with_for_update=True)
    wanted = _check_scopes(scopes)
    if "operate" in wanted and not person.is_operator and actor.kind != "system":
        raise UnknownScope("Only an operator's key can have the scope operate.")
    if org_id is not None and session.get(Member, (org_id, person_id)) is None:
        raise Invalid("A key can only be bound to an organization that its person is a member of.")
    if expires_at is not None and expires_at <= now:
        raise Invalid(
            "The key would be over already. Choose a later day.", [{"path": "expires_at", "message": "Past."}]
        )
    if len(session.scalars(queries.keys(person_id)).all()) >= rules.KEYS_PER_PERSON_MAX:
        raise Invalid(f"You have {rules.KEYS_PER_PERSON_MAX} keys. Revoke one that you no longer use.")
    prefix = secrets.token_hex(4)
    secret = f"pk_{prefix}_{secrets.token_hex(32)}"
    key = ApiKey(
        person_id=person_id,
        org_id=org_id,
        name=rules.clean_name(name),
        prefix=prefix,
        secret_hash=digest(secret),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    data = {"scopes": wanted, "prefix": prefix}
    record(
        session, actor, "people.key_created", "api_key", key.id, at=now, org_id=org_id, person_id=person_id, data=data
    )
    return key, secret


def _check_scopes(scopes: Iterable[str]) -> list[str]:
    asked = set(scopes)
    if not asked or not asked <= set(SCOPES):
        raise UnknownScope(f"Choose at least one of the scopes {', '.join(SCOPES)}.")
    return [scope for scope in SCOPES if scope in asked]


def list_keys(session: Session, actor: Actor, person_id: UUID) -> list[ApiKey]:
    """A person's keys, newest first: one's own, or anybody's for an operator."""
    if actor.person_id != person_id:
        access.require_operator(actor)
    return list(session.scalars(queries.keys(person_id, org_id=actor.org_id)))


def revoke_key(session: Session, actor: Actor, key_id: UUID, *, now: datetime) -> ApiKey:
    """Stop a key at once. Revoking twice is the same as once."""
    key = access.key_of_person(session, actor, key_id)
    access.require_self_in_browser(actor, key.person_id)
    if key.revoked_at is None:
        key.revoked_at = now
        record(
            session,
            actor,
            "people.key_revoked",
            "api_key",
            key.id,
            at=now,
            org_id=key.org_id,
            person_id=key.person_id,
            data={"prefix": key.prefix},
        )
    return key
