"""What tests of endpoints share: endpoints of an organization, and events read back."""

import json
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.endpoints.models import EndpointKind, EndpointRole, Generation, ModelEndpoint, ProjectEndpoint
from preceptor.endpoints.service import choosing, keeping
from preceptor.endpoints.settings import Choice, EndpointIn
from preceptor.kit.clock import Clock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from tests.factories import World

KEY = "sk-" + "very-secret-0123456789"


def make_endpoint(session: Session, runtime: Runtime, world: World, url: str, **given: Any) -> ModelEndpoint:
    settings = {"name": f"Model {url[-8:]}", "base_url": url, "model": "tiny", "api_key": KEY, **given}
    return keeping.create_endpoint(
        session,
        world.client.actor,
        world.organization.id,
        EndpointIn.model_validate(settings),
        secret=runtime.settings.signing_key(),
        now=runtime.clock.now(),
    )


def make_local(
    session: Session, runtime: Runtime, world: World, name: str = "Local model", **given: Any
) -> ModelEndpoint:
    parameters = {"max_tokens": 40, "temperature": 0.2}
    return make_endpoint(
        session, runtime, world, "", name=name, kind=EndpointKind.LOCAL, model="", api_key=None,
        **{"parameters": parameters, **given},
    )  # fmt: skip


def use(
    session: Session,
    world: World,
    clock: Clock,
    *endpoints: ModelEndpoint,
    role: EndpointRole = EndpointRole.GENERATE,
    tokens_max: int | None = None,
    turns_max: int | None = None,
) -> list[tuple[ProjectEndpoint, ModelEndpoint]]:
    """Let the world's project use these, in this order."""
    choices = [
        Choice(endpoint_id=show_id("endpoint", each.id), tokens_max=tokens_max, turns_max=turns_max)
        for each in endpoints
    ]
    choosing.choose(
        session,
        world.client.actor,
        org_id=world.organization.id,
        project_id=world.project.id,
        role=role,
        choices=choices,
        now=clock.now(),
    )
    return choosing.chosen(session, world.project.id)


def events_of(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """(name, data) of the events of a finished stream."""
    found = []
    for block in stream.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields.get("event", ""), json.loads(fields["data"])))
    return found


def done(stream: str) -> dict[str, Any]:
    """The last event of a stream, which says how it ended."""
    name, data = events_of(stream)[-1]
    assert name == "done"
    return data


def generations(session: Session) -> list[Generation]:
    session.flush()
    session.expire_all()
    return list(session.scalars(select(Generation).order_by(Generation.id)))
