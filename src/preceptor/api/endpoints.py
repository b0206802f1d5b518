"""Model endpoints over the API. Keys go in and never come out."""

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field, SecretStr, ValidationError
from sqlalchemy.orm import Session

from preceptor.api.schemas import In, MoneyOut, Out, PageSize
from preceptor.endpoints import access, asking
from preceptor.endpoints.chat import Outcome
from preceptor.endpoints.models import (
    EndpointKind,
    EndpointRole,
    EndpointState,
    Generation,
    ModelEndpoint,
    ProjectEndpoint,
)
from preceptor.endpoints.service import choosing, keeping, testing
from preceptor.endpoints.service.generating import Begun
from preceptor.endpoints.settings import MODELS_PER_ROLE_MAX, Choice, EndpointChanges, EndpointIn, Parameters
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects import access as projects
from preceptor.tasktypes.base import problems_of

router = APIRouter(prefix="/api/v1", tags=["endpoints"])

PRICE = "Per million tokens, as a decimal with at most six digits after the point."


class NewEndpointIn(In):
    org_id: str = Field(examples=["org_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    name: str = Field(examples=["Our model, staging"])
    kind: EndpointKind = EndpointKind.OPENAI
    base_url: str = Field(
        default="", description="Up to and including the version.", examples=["https://models.example.com/v1"]
    )
    model: str = Field(default="", examples=["our-model-7b"])
    api_key: SecretStr | None = Field(default=None, description="Kept sealed; no answer ever holds it.")
    parameters: Parameters = Parameters()
    price_input: Decimal = Field(default=Decimal(0), description=PRICE, examples=["0.15"])
    price_output: Decimal = Field(default=Decimal(0), description=PRICE, examples=["0.60"])
    currency: str = "USD"
    requests_per_minute: int = 60
    concurrency: int = Field(default=4, description="Questions under way at a time, over all people and processes.")


class ChangedEndpointIn(In):
    name: str | None = None
    base_url: str | None = Field(default=None, description="A new address needs the key again.")
    model: str | None = None
    api_key: SecretStr | None = Field(default=None, description="A new key; an empty one takes the key away.")
    parameters: Parameters | None = None
    price_input: Decimal | None = None
    price_output: Decimal | None = None
    currency: str | None = None
    requests_per_minute: int | None = None
    concurrency: int | None = None
    state: EndpointState | None = Field(default=None, description="`on` or `off`.")


class EndpointOut(Out):
    id: str = Field(examples=["mep_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    org_id: str
    name: str
    kind: EndpointKind
    base_url: str
    model: str
    has_key: bool
    parameters: dict[str, Any]
    price_input: MoneyOut
    price_output: MoneyOut
    requests_per_minute: int
    concurrency: int
    state: EndpointState
    created_at: datetime
    changed_at: datetime


class EndpointsOut(Out):
    items: list[EndpointOut]
    next_cursor: str | None


class GenerationOut(Out):
    id: str = Field(examples=["gen_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    endpoint_id: str
    outcome: Outcome
    text: str
    error: str
    finish_reason: str | None
    model: str
    model_version: str | None
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool
    cost: MoneyOut
    first_token_ms: int | None
    latency_ms: int | None
    tries: int
    created_at: datetime
    finished_at: datetime | None


class ChoiceOut(Out):
    endpoint_id: str
    name: str
    tokens_max: int | None
    turns_max: int | None


class ChoicesIn(In):
    role: EndpointRole = EndpointRole.GENERATE
    endpoints: list[Choice] = Field(max_length=MODELS_PER_ROLE_MAX, description="In order: the first is model A.")


class ChoicesOut(Out):
    generate: list[ChoiceOut]
    judge: list[ChoiceOut]
    prelabel: list[ChoiceOut]


@router.post("/endpoints", status_code=201, response_model=EndpointOut)
def create_endpoint(
    body: NewEndpointIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> EndpointOut:
    """Add a model endpoint to an organization."""
    require_scope(actor, "projects")
    given = _checked(EndpointIn, body, "org_id")
    org_id, secret = read_id("organization", body.org_id), runtime.settings.signing_key()
    return endpoint_out(keeping.create_endpoint(session, actor, org_id, given, secret=secret, now=now))


@router.get("/endpoints", response_model=EndpointsOut)
def list_endpoints(
    session: Db,
    actor: CurrentActor,
    org_id: Annotated[str | None, Query()] = None,
    cursor: str | None = None,
    limit: PageSize = 50,
) -> EndpointsOut:
    """Endpoints of your organizations, newest first."""
    require_scope(actor, "read", "projects")
    org = read_id("organization", org_id) if org_id else None
    before = read_cursor("endpoint", cursor)
    found = keeping.list_endpoints(session, actor, org_id=org, before=before, limit=limit + 1)
    items = [endpoint_out(endpoint) for endpoint in found[:limit]]
    return EndpointsOut(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/endpoints/{endpoint_id}", response_model=EndpointOut)
def get_endpoint(endpoint_id: str, session: Db, actor: CurrentActor) -> EndpointOut:
    require_scope(actor, "read", "projects")
    return endpoint_out(access.endpoint_for_client(session, actor, read_id("endpoint", endpoint_id)))


@router.patch("/endpoints/{endpoint_id}", response_model=EndpointOut)
def change_endpoint(
    endpoint_id: str, body: ChangedEndpointIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> EndpointOut:
    """Change the fields that are given."""
    require_scope(actor, "projects")
    changes, secret = _checked(EndpointChanges, body), runtime.settings.signing_key()
    found = read_id("endpoint", endpoint_id)
    return endpoint_out(keeping.change_endpoint(session, actor, found, changes, secret=secret, now=now))


@router.delete("/endpoints/{endpoint_id}", status_code=204, response_class=Response)
def delete_endpoint(endpoint_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Take an endpoint out of use. Its key is erased; what it wrote stays in the data."""
    require_scope(actor, "projects")
    keeping.delete_endpoint(session, actor, read_id("endpoint", endpoint_id), now=now)


@router.post("/endpoints/{endpoint_id}/test", response_model=GenerationOut)
async def test_endpoint(endpoint_id: str, ask: Ask, runtime: CurrentRuntime) -> GenerationOut:
    """Ask the endpoint something short, and see answer, time and cost. Endpoint failures are in the answer."""
    wanted = read_id("endpoint", endpoint_id)

    def begin(session: Session, actor: Actor, now: datetime) -> Begun:
        return testing.begin_test(session, actor, wanted, now=now)

    begun = await asyncio.to_thread(ask.do, "projects", begin)
    ended = await asking.complete(runtime, begun)
    read = await asking.in_transaction(runtime, lambda session: session.get_one(Generation, ended.generation_id))
    return generation_out(read)


@router.get("/generations/{generation_id}", response_model=GenerationOut)
def get_generation(generation_id: str, session: Db, actor: CurrentActor) -> GenerationOut:
    """Who wrote a text of your organization's data, when, and what it cost."""
    require_scope(actor, "read", "projects")
    return generation_out(access.generation_for_client(session, actor, read_id("generation", generation_id)))


@router.get("/projects/{project_id}/endpoints", response_model=ChoicesOut)
def project_endpoints(project_id: str, session: Db, actor: CurrentActor) -> ChoicesOut:
    """The models that a project uses."""
    require_scope(actor, "read", "projects")
    project = projects.project_for_client(session, actor, read_id("project", project_id))
    return _choices_out(choosing.chosen(session, project.id))


@router.put("/projects/{project_id}/endpoints", response_model=ChoicesOut)
def choose_endpoints(project_id: str, body: ChoicesIn, session: Db, actor: CurrentActor, now: Now) -> ChoicesOut:
    """Set the models of one role, with what one contributor may use of each."""
    require_scope(actor, "projects")
    project = projects.project_for_client(session, actor, read_id("project", project_id), *projects.MANAGERS)
    choosing.choose(
        session,
        actor,
        org_id=project.org_id,
        project_id=project.id,
        role=body.role,
        choices=body.endpoints,
        now=now,
    )
    return _choices_out(choosing.chosen(session, project.id))


def _checked(shape: Any, body: In, *without: str) -> Any:
    """The body in the domain's own shape, which has the limits; refusals name the field."""
    given = {name: getattr(body, name) for name in body.model_fields_set if name not in without}
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        problems = [{"path": each.path, "message": each.message} for each in problems_of(error)]
        raise Invalid(f"{problems[0]['path']}: {problems[0]['message']}", problems) from None


def endpoint_out(endpoint: ModelEndpoint) -> EndpointOut:
    return EndpointOut(
        id=show_id("endpoint", endpoint.id),
        org_id=show_id("organization", endpoint.org_id),
        name=endpoint.name,
        kind=endpoint.kind,
        base_url=endpoint.base_url,
        model=endpoint.model,
        has_key=endpoint.sealed_key is not None,
        parameters=endpoint.parameters,
        price_input=exact(endpoint.price_input, endpoint.currency),
        price_output=exact(endpoint.price_output, endpoint.currency),
        requests_per_minute=endpoint.requests_per_minute,
        concurrency=endpoint.concurrency,
        state=endpoint.state,
        created_at=endpoint.created_at,
        changed_at=endpoint.changed_at,
    )


def generation_out(generation: Generation) -> GenerationOut:
    return GenerationOut(
        id=show_id("generation", generation.id),
        endpoint_id=show_id("endpoint", generation.endpoint_id),
        outcome=generation.outcome,
        text=generation.text,
        error=generation.error,
        finish_reason=generation.finish_reason,
        model=generation.model,
        model_version=generation.model_version,
        input_tokens=generation.input_tokens,
        output_tokens=generation.output_tokens,
        tokens_estimated=generation.tokens_estimated,
        cost=exact(generation.cost, generation.currency),
        first_token_ms=generation.first_token_ms,
        latency_ms=generation.latency_ms,
        tries=generation.tries,
        created_at=generation.created_at,
        finished_at=generation.finished_at,
    )


def exact(value: Decimal, currency: str) -> MoneyOut:
    """An amount finer than the currency's smallest coin, in plain digits."""
    plain = f"{value.normalize():f}"
    return MoneyOut(amount=plain, currency=currency)


def _choices_out(found: list[tuple[ProjectEndpoint, ModelEndpoint]]) -> ChoicesOut:
    roles: dict[str, list[ChoiceOut]] = {role.value: [] for role in EndpointRole}
    for used, endpoint in found:
        roles[used.role.value].append(
            ChoiceOut(
                endpoint_id=show_id("endpoint", endpoint.id),
                name=endpoint.name,
                tokens_max=used.tokens_max,
                turns_max=used.turns_max,
            )
        )
    return ChoicesOut(**roles)
