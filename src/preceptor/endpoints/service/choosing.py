"""Which endpoints a project uses, in what role, and how much of them one contributor may use."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from preceptor.endpoints import access, queries
from preceptor.endpoints.models import EndpointRole, ModelEndpoint, ProjectEndpoint
from preceptor.endpoints.settings import MODELS_PER_ROLE_MAX, Choice
from preceptor.kit import events
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id


def chosen(
    session: Session, project_id: UUID, role: EndpointRole | None = None
) -> list[tuple[ProjectEndpoint, ModelEndpoint]]:
    """What a project uses. The project came through an access function."""
    return [row._tuple() for row in session.execute(queries.chosen(project_id, role))]


def choose(
    session: Session,
    actor: Actor,
    *,
    org_id: UUID,
    project_id: UUID,
    role: EndpointRole,
    choices: Sequence[Choice],
    now: datetime,
) -> None:
    """Set the endpoints of a role, in order. The project came through an access function, for change."""
    if len(choices) > MODELS_PER_ROLE_MAX:
        raise Invalid(f"A project uses at most {MODELS_PER_ROLE_MAX} models in one role.")
    wanted = [(_own(session, actor, org_id, choice), choice) for choice in choices]
    if len({endpoint.id for endpoint, _ in wanted}) < len(wanted):
        raise Invalid("An endpoint is chosen twice. Choose each one once.")
    session.execute(
        delete(ProjectEndpoint).where(ProjectEndpoint.project_id == project_id, ProjectEndpoint.role == role)
    )
    session.add_all(
        ProjectEndpoint(
            project_id=project_id,
            endpoint_id=endpoint.id,
            role=role,
            position=position,
            tokens_max=choice.tokens_max,
            turns_max=choice.turns_max,
            created_at=now,
        )
        for position, (endpoint, choice) in enumerate(wanted)
    )
    session.flush()
    data = {"role": role.value, "endpoints": [endpoint.name for endpoint, _ in wanted]}
    events.record(
        session,
        actor,
        "endpoints.chosen",
        "project",
        project_id,
        at=now,
        org_id=org_id,
        project_id=project_id,
        data=data,
    )


def _own(session: Session, actor: Actor, org_id: UUID, choice: Choice) -> ModelEndpoint:
    endpoint = access.endpoint_for_client(session, actor, read_id("endpoint", choice.endpoint_id))
    if endpoint.org_id != org_id:
        raise NotFound("endpoint")
    return endpoint
