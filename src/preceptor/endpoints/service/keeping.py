"""Endpoints of an organization: adding, changing, deleting."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preceptor.endpoints import access, queries
from preceptor.endpoints.chat import Target
from preceptor.endpoints.errors import BadAddress, EndpointOff, NameTaken
from preceptor.endpoints.guard import Reach, parse_url
from preceptor.endpoints.models import EndpointKind, EndpointState, ModelEndpoint
from preceptor.endpoints.sealing import seal, unseal
from preceptor.endpoints.settings import EndpointChanges, EndpointIn
from preceptor.kit import events
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id

LOCAL_MODEL = "SmolLM2-135M-Instruct"
PLAIN = ("name", "model", "price_input", "price_output", "currency", "requests_per_minute", "concurrency", "state")


def list_endpoints(
    session: Session, actor: Actor, *, org_id: UUID | None = None, before: UUID | None = None, limit: int | None = None
) -> list[ModelEndpoint]:
    """Endpoints of one organization, or of all that the actor belongs to; newest first."""
    if org_id is not None:
        access.require_client(actor, org_id)
    org_ids = [org_id] if org_id is not None else access.organizations_of(actor)
    return list(session.scalars(queries.endpoints_of(org_ids, before=before, limit=limit)))


def create_endpoint(
    session: Session, actor: Actor, org_id: UUID, given: EndpointIn, *, secret: bytes, now: datetime
) -> ModelEndpoint:
    """Add an endpoint. Its address is checked for form here, and for where it leads whenever it is asked."""
    access.require_client(actor, org_id, *access.MANAGERS)
    local = given.kind is EndpointKind.LOCAL
    made_id = new_id()
    key = _key(given.api_key)
    base_url = "" if local else _address(given.base_url, key is not None)
    endpoint = ModelEndpoint(
        id=made_id,
        org_id=org_id,
        name=given.name,
        kind=given.kind,
        base_url=base_url,
        model=given.model.strip() or LOCAL_MODEL,
        sealed_key=seal(key, made_id, secret) if key and not local else None,
        parameters=given.parameters.model_dump(exclude_none=True),
        price_input=given.price_input,
        price_output=given.price_output,
        currency=given.currency,
        requests_per_minute=given.requests_per_minute,
        concurrency=given.concurrency,
        created_by=actor.person_id,
        created_at=now,
        changed_at=now,
    )
    with _named(session, endpoint.name):
        session.add(endpoint)
    _record(session, actor, "endpoints.created", endpoint, now, {"name": endpoint.name, "model": endpoint.model})
    return endpoint


def change_endpoint(
    session: Session, actor: Actor, endpoint_id: UUID, changes: EndpointChanges, *, secret: bytes, now: datetime
) -> ModelEndpoint:
    """Change what is given. A new address without a new key takes the key away: it was meant for the old server."""
    endpoint = access.endpoint_for_client(session, actor, endpoint_id, *access.MANAGERS, lock=True)
    if changes.state is EndpointState.RETIRED:
        raise Invalid("Delete the endpoint instead of giving it this state.")
    before = {name: str(getattr(endpoint, name)) for name in (*PLAIN, "base_url")}
    with _named(session, changes.name or endpoint.name):
        for name in PLAIN:
            value = getattr(changes, name)
            if value is not None:
                setattr(endpoint, name, value)
        if changes.parameters is not None:
            endpoint.parameters = changes.parameters.model_dump(exclude_none=True)
        key_changed = _change_server(endpoint, changes, secret)
        endpoint.changed_at = now
    after = {name: str(getattr(endpoint, name)) for name in before}
    changed = {name: value for name, value in after.items() if value != before[name]}
    _record(session, actor, "endpoints.changed", endpoint, now, {**changed, "key_changed": key_changed})
    return endpoint


def _change_server(endpoint: ModelEndpoint, changes: EndpointChanges, secret: bytes) -> bool:
    """Address and key, which belong together; whether the key is another one now."""
    if endpoint.kind is EndpointKind.LOCAL:
        return False
    url = endpoint.base_url if changes.base_url is None else _address(changes.base_url, with_key=False)
    moved = url != endpoint.base_url
    endpoint.base_url = url
    if changes.api_key is None and not moved:
        return False
    key = _key(changes.api_key)
    _address(url, with_key=key is not None)
    endpoint.sealed_key = seal(key, endpoint.id, secret) if key else None
    return True


def delete_endpoint(session: Session, actor: Actor, endpoint_id: UUID, *, now: datetime) -> None:
    """Take an endpoint out of use for good. Its key is erased; what it generated stays, and names it."""
    endpoint = access.endpoint_for_client(session, actor, endpoint_id, *access.MANAGERS, lock=True)
    endpoint.state, endpoint.sealed_key, endpoint.changed_at = EndpointState.RETIRED, None, now
    _record(session, actor, "endpoints.deleted", endpoint, now, {"name": endpoint.name})


def target_of(endpoint: ModelEndpoint, *, secret: bytes, reach: Reach) -> Target:
    """Where and as whom to ask. For a local endpoint the address is filled in when its server runs."""
    if endpoint.state is not EndpointState.ON:
        raise EndpointOff
    key = unseal(endpoint.sealed_key, endpoint.id, secret) if endpoint.sealed_key else None
    local = endpoint.kind is EndpointKind.LOCAL
    return Target(endpoint.base_url, endpoint.model, key, reach=reach, managed=local)


def _key(given: SecretStr | None) -> str | None:
    key = given.get_secret_value().strip() if given is not None else ""
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        message = "A key is printable text without spaces. Copy it again from where it was made."
        raise Invalid(message, [{"path": "api_key", "message": message}])
    return key


def _address(given: str, with_key: bool) -> str:
    parts = parse_url(given)
    if with_key and parts.scheme == "http" and not _near(parts.hostname or ""):
        message = "Use https: over http the key could be read on its way."
        raise BadAddress(message, [{"path": "base_url", "message": message}])
    return parts.geturl()


def _near(host: str) -> bool:
    """Whether the name looks like one of the own network, where people run servers without certificates."""
    return "." not in host or host.replace(".", "").isdigit() or ":" in host or host.endswith((".local", ".internal"))


@contextmanager
def _named(session: Session, name: str) -> Iterator[None]:
    """Around what writes an endpoint: a name that another one has is refused, and nothing is written."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            message = f"There is an endpoint named {name!r} already. Give this one another name."
            raise NameTaken(message, [{"path": "name", "message": message}]) from None
        raise


def _record(
    session: Session, actor: Actor, kind: str, endpoint: ModelEndpoint, now: datetime, data: dict[str, Any]
) -> None:
    events.record(session, actor, kind, "endpoint", endpoint.id, at=now, org_id=endpoint.org_id, data=data)
