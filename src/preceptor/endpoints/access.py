"""The only ways to an endpoint or generation that somebody asked for. Neither is ever a contributor's to list."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.endpoints import queries
from preceptor.endpoints.models import EndpointState, Generation, ModelEndpoint
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.access import acts_as_operator, require_org_role
from preceptor.people.models import OrgRole

MANAGERS = (OrgRole.OWNER, OrgRole.MANAGER)


def require_client(actor: Actor, org_id: UUID, *roles: str) -> None:
    """Members of the organization with one of the roles (none named: any), and operators; strangers get NotFound."""
    if not acts_as_operator(actor):
        require_org_role(actor, org_id, *roles)


def organizations_of(actor: Actor) -> list[UUID]:
    """Organizations whose endpoints the actor may see."""
    return [org_id for org_id in actor.org_roles if actor.org_id in (None, org_id)]


def endpoint_for_client(
    session: Session, actor: Actor, endpoint_id: UUID, *roles: str, lock: bool = False
) -> ModelEndpoint:
    """An endpoint of the actor's organization; one that was deleted is not there."""
    found = session.scalar(queries.endpoint(endpoint_id, lock=lock))
    if found is None or found.state is EndpointState.RETIRED:
        raise NotFound("endpoint")
    try:
        require_client(actor, found.org_id, *roles)
    except NotFound:
        raise NotFound("endpoint") from None
    return found


def generation_for_client(session: Session, actor: Actor, generation_id: UUID) -> Generation:
    found = session.get(Generation, generation_id)
    if found is None:
        raise NotFound("generation")
    try:
        require_client(actor, found.org_id)
    except NotFound:
        raise NotFound("generation") from None
    return found
