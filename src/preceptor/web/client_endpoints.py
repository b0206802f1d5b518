"""Model endpoints of a client's organizations: keeping, trying and watching them, and choosing them for a project."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from preceptor.endpoints import access, asking, local
from preceptor.endpoints.models import EndpointKind, EndpointRole, EndpointState, Generation, ModelEndpoint
from preceptor.endpoints.service import choosing, keeping, testing, usage
from preceptor.endpoints.service.generating import Begun
from preceptor.endpoints.service.usage import Usage
from preceptor.endpoints.settings import Choice, EndpointChanges, EndpointIn, Parameters
from preceptor.http.edge import Ask, CurrentRuntime, Db, Now
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.markdown import render_markdown
from preceptor.kit.money import CURRENCIES
from preceptor.people.identify import SignedIn
from preceptor.people.service import organizations
from preceptor.tasktypes.base import problems_of
from preceptor.web.client_frame import Fields, Frame, Sent, frame, frame_to_change, refusal
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors

router = APIRouter()

LIST = "/models/endpoints"
GENERATIONS_SHOWN = 10
ROLES: tuple[tuple[EndpointRole, str, str], ...] = (
    (EndpointRole.GENERATE, "Answer people while they work", "The first is the first model of a task, and so on."),
    (EndpointRole.JUDGE, "Judge like one more annotator", "Asked with the rubric, and measured like everybody."),
    (EndpointRole.PRELABEL, "Suggest answers beforehand", "People accept, change or reject what is suggested."),
)
STARTING: dict[str, str] = {
    "name": "",
    "kind": EndpointKind.OPENAI.value,
    "base_url": "",
    "model": "",
    "temperature": "",
    "top_p": "",
    "max_tokens": "1024",
    "system_prompt": "",
    "price_input": "0",
    "price_output": "0",
    "currency": "USD",
    "requests_per_minute": "60",
    "concurrency": "4",
}


@dataclass(frozen=True)
class Row:
    """An endpoint in the list."""

    endpoint: ModelEndpoint
    usage: Usage

    @property
    def href(self) -> str:
        return _href(self.endpoint)


def _href(endpoint: ModelEndpoint) -> str:
    return f"{LIST}/{show_id('endpoint', endpoint.id)}"


# --- The organization's endpoints


@router.get(LIST)
def list_endpoints(page: Page, session: Db, client: Client, now: Now) -> Response:
    """All endpoints with what they were used for in the last days."""
    found = keeping.list_endpoints(session, client.actor)
    used = usage.usage_of(session, found, now=now)
    return page.show(
        "client/endpoints.html",
        rows=[Row(endpoint, used[endpoint.id]) for endpoint in found],
        may_add=bool(_managed(client)),
        days=usage.DAYS,
    )


@router.get(f"{LIST}/new")
def new_endpoint(page: Page, session: Db, client: Client, kind: str = "") -> Response:
    values = STARTING | ({"kind": kind, "name": "Local model"} if kind == EndpointKind.LOCAL else {})
    return _form(page, session, client, values)


@router.post(LIST)
def add_endpoint(page: Page, session: Db, client: Client, now: Now, fields: Sent) -> Response:
    """Add an endpoint; its page then asks it something at once."""
    try:
        with session.begin_nested():
            managed = _managed(client)
            chosen = fields.text("organization")
            org_id = (
                read_id("organization", chosen) if chosen else next(iter(managed), next(iter(client.actor.org_roles)))
            )
            given = _read(EndpointIn, {**_given(fields), "kind": fields.text("kind") or EndpointKind.OPENAI.value})
            secret = page.runtime.settings.signing_key()
            made = keeping.create_endpoint(session, client.actor, org_id, given, secret=secret, now=now)
    except Invalid as error:
        return _form(page, session, client, {**STARTING, **_without_key(fields)}, error=error)
    return go(f"{_href(made)}?ask=1", "The endpoint is added. It is asked something now.")


def _organization_of(client: SignedIn, shown: str) -> UUID:
    if shown:
        return read_id("organization", shown)
    return next(iter(_managed(client) or client.actor.org_roles))


@router.get(f"{LIST}/{{endpoint_id}}")
def show_endpoint(page: Page, session: Db, client: Client, now: Now, endpoint_id: str, ask: bool = False) -> Response:
    endpoint = access.endpoint_for_client(session, client.actor, read_id("endpoint", endpoint_id))
    return _form(page, session, client, _values(endpoint), endpoint=endpoint, ask=ask, now=now)


@router.post(f"{LIST}/{{endpoint_id}}")
def change_endpoint(page: Page, session: Db, client: Client, now: Now, endpoint_id: str, fields: Sent) -> Response:
    """Change an endpoint. An empty key field leaves the key as it is."""
    endpoint = access.endpoint_for_client(session, client.actor, read_id("endpoint", endpoint_id), *access.MANAGERS)
    try:
        with session.begin_nested():
            changes = _read(EndpointChanges, {**_given(fields), **_state_of(fields)})
            secret = page.runtime.settings.signing_key()
            keeping.change_endpoint(session, client.actor, endpoint.id, changes, secret=secret, now=now)
    except Invalid as error:
        session.refresh(endpoint)
        values = {**_values(endpoint), **_without_key(fields)}
        return _form(page, session, client, values, endpoint=endpoint, error=error, now=now)
    return go(_href(endpoint), "The endpoint is saved.")


@router.post(f"{LIST}/{{endpoint_id}}/delete")
def delete_endpoint(session: Db, client: Client, now: Now, endpoint_id: str) -> Response:
    keeping.delete_endpoint(session, client.actor, read_id("endpoint", endpoint_id), now=now)
    return go(LIST, "The endpoint is deleted, and its key with it.")


@router.post(f"{LIST}/{{endpoint_id}}/test")
async def test_endpoint(request: Request, ask: Ask, runtime: CurrentRuntime, endpoint_id: str) -> Response:
    """Ask the endpoint something short: the fragment with its answer, time and cost. No transaction waits for it."""
    wanted = read_id("endpoint", endpoint_id)

    def begin(session: Session, actor: Actor, now: datetime) -> Begun:
        return testing.begin_test(session, actor, wanted, now=now)

    found: Generation | None = None
    refused = ""
    try:
        begun = await asyncio.to_thread(ask.do, "projects", begin)
        ended = await asking.complete(runtime, begun)
        found = await asking.in_transaction(runtime, lambda session: session.get_one(Generation, ended.generation_id))
    except AppError as error:
        if error.kind in ("not_found", "forbidden", "unauthenticated"):
            raise
        refused = error.message
    pages = Pages(request, runtime, getattr(request.state, "signed_in", None))
    return pages.show(
        "client/endpoint_tested.html",
        tried=found,
        refused=refused,
        question=testing.QUESTION,
        html=render_markdown(found.text) if found is not None else "",
    )


# --- A project's choice


@router.get("/projects/{project_id}/endpoints")
def show_choice(page: Page, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "models")
    return _choice(page, session, client, at)


@router.post("/projects/{project_id}/endpoints")
def choose(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    """Set the endpoints of one role, in the order of the numbers given."""
    at = frame_to_change(session, client, project_id, "models")
    try:
        with session.begin_nested():
            role = _role(fields)
            choosing.choose(
                session,
                client.actor,
                org_id=at.project.org_id,
                project_id=at.project.id,
                role=role,
                choices=_choices(fields),
                now=now,
            )
    except Invalid as error:
        return _choice(page, session, client, at, error=error)
    return go(f"{at.base}/endpoints", "The models of this project are saved.")


def _choice(
    page: Pages, session: Session, client: SignedIn, at: Frame, *, error: Invalid | None = None
) -> HTMLResponse:
    found = choosing.chosen(session, at.project.id)
    offered = keeping.list_endpoints(session, client.actor, org_id=at.project.org_id)
    chosen = {(used.role, used.endpoint_id): used for used, _ in found}
    return page.show(
        "client/project_endpoints.html",
        status=200 if error is None else 422,
        at=at,
        offered=offered,
        roles=[
            (role, title, words, {each.id: chosen.get((role, each.id)) for each in offered})
            for role, title, words in ROLES
        ],
        asks="generate" in at.project.kind.kind.services,
        error=error.message if error is not None else None,
    )


def _role(fields: Fields) -> EndpointRole:
    try:
        return EndpointRole(fields.text("role"))
    except ValueError:
        raise refusal("role", "Choose one of the roles on this page.") from None


def _choices(fields: Fields) -> list[Choice]:
    rows = fields.rows("use", "endpoint", "place", "tokens", "turns")
    placed = [(int(row["place"]), row) for row in rows if row["place"].isdigit()]
    return [
        _read(
            Choice,
            {
                "endpoint_id": row["endpoint"],
                "tokens_max": row["tokens"] or None,
                "turns_max": row["turns"] or None,
            },
        )
        for _, row in sorted(placed, key=lambda each: each[0])
    ]


# --- Forms


def _form(
    page: Pages,
    session: Session,
    client: SignedIn,
    values: dict[str, str],
    *,
    endpoint: ModelEndpoint | None = None,
    error: Invalid | None = None,
    ask: bool = False,
    now: datetime | None = None,
) -> HTMLResponse:
    managed = _managed(client)
    mine = [org for org in organizations.list_organizations(session, client.actor) if org.id in managed]
    used = usage.usage_of(session, [endpoint], now=now)[endpoint.id] if endpoint is not None and now else usage.NOTHING
    return page.show(
        "client/endpoint.html",
        status=200 if error is None else 422,
        endpoint=endpoint,
        href=_href(endpoint) if endpoint is not None else LIST,
        manages=endpoint is None or endpoint.org_id in managed,
        values=values,
        errors={name.removeprefix("parameters."): words for name, words in field_errors(error).items()}
        if error
        else {},
        org_options=[(show_id("organization", org.id), org.name) for org in mine],
        currency_options=[(each, each) for each in sorted(CURRENCIES)],
        lacking=local.missing(),
        ask=ask,
        usage=used,
        days=usage.DAYS,
        chart=_chart(used),
        newest=usage.newest(session, endpoint, GENERATIONS_SHOWN) if endpoint is not None else [],
    )


def _messages(error: Invalid | None) -> dict[str, str]:
    found = field_errors(error) if error is not None else {}
    return {name.removeprefix("parameters."): words for name, words in found.items()}


def _chart(used: Usage) -> dict[str, Any] | None:
    """Cost (or, where nothing costs, tokens) of each day."""
    if not used.days:
        return None
    costly = used.cost > 0
    values = [float(day.cost) if costly else day.tokens for day in used.days]
    return {
        "kind": "bar",
        "x": [int(day.at.timestamp()) for day in used.days],
        "x_kind": "time",
        "series": [{"label": "Cost" if costly else "Tokens", "values": values}],
        "y_min": 0,
    }


def _managed(client: SignedIn) -> list[UUID]:
    """The organizations whose endpoints the client may change."""
    return [org_id for org_id, role in client.actor.org_roles.items() if role in access.MANAGERS]


def _given(fields: Fields) -> dict[str, object]:
    """What the form says, as the settings' shapes take it; empty optional fields are left out."""
    names: Sequence[str] = ("name", "base_url", "model", "price_input", "price_output", "currency")
    given: dict[str, object] = {name: fields.text(name) for name in names if fields.text(name)}
    given["name"] = fields.text("name")
    given["requests_per_minute"] = fields.whole("requests_per_minute", "Requests per minute")
    given["concurrency"] = fields.whole("concurrency", "Questions at a time")
    if fields.text("api_key"):
        given["api_key"] = fields.text("api_key")
    parameters = {name: fields.text(name) for name in ("temperature", "top_p", "max_tokens") if fields.text(name)}
    given["parameters"] = {**parameters, "system_prompt": fields.text("system_prompt")}
    return given


def _state_of(fields: Fields) -> dict[str, object]:
    return {"state": EndpointState.ON if fields.checked("on") else EndpointState.OFF}


def _without_key(fields: Fields) -> dict[str, str]:
    """A refused form again; the key has to be typed anew."""
    return {name: text for name, text in fields.plain().items() if name not in ("api_key", "csrf_token")}


def _read(shape: Any, given: dict[str, object]) -> Any:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        problems = [
            {"path": each.path or "form", "message": f"{each.message[:1].upper()}{each.message[1:]}."}
            for each in problems_of(error)
        ]
        raise Invalid(problems[0]["message"], problems) from None


def _values(endpoint: ModelEndpoint) -> dict[str, str]:
    parameters = Parameters.model_validate(endpoint.parameters).model_dump(exclude_none=True)
    return {
        **STARTING,
        **{name: str(value) for name, value in parameters.items()},
        "name": endpoint.name,
        "kind": endpoint.kind.value,
        "base_url": endpoint.base_url,
        "model": endpoint.model,
        "price_input": plain(endpoint.price_input),
        "price_output": plain(endpoint.price_output),
        "currency": endpoint.currency,
        "requests_per_minute": str(endpoint.requests_per_minute),
        "concurrency": str(endpoint.concurrency),
        "on": "true" if endpoint.state is EndpointState.ON else "",
    }


def plain(value: Decimal) -> str:
    """A decimal without zeros at its end."""
    return f"{value.normalize():f}" if value else "0"
