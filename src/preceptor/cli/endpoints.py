"""`preceptor endpoints`: model endpoints from the command line, and the small local model."""

import asyncio
import secrets
import signal
import threading
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import SecretStr, ValidationError
from rich.table import Table
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.cli.connect import console, installation, refusals
from preceptor.endpoints import asking, local
from preceptor.endpoints.chat import Outcome
from preceptor.endpoints.models import EndpointKind, EndpointState, Generation, ModelEndpoint
from preceptor.endpoints.service import keeping, testing
from preceptor.endpoints.service.generating import Begun
from preceptor.endpoints.settings import EndpointIn
from preceptor.kit.db import run_in_transaction, transaction
from preceptor.kit.errors import Invalid
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import Organization
from preceptor.tasktypes.base import problems_of

app = typer.Typer(help="Models that projects may ask.", no_args_is_help=True)

Org = Annotated[str, typer.Option("--org", help="The organization's id (org_...) or exact name; not needed with one.")]


@app.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    url: Annotated[str, typer.Option(help="Such as https://models.example.com/v1.")] = "",
    model: Annotated[str, typer.Option(help="The model to ask for.")] = "",
    org: Org = "",
    key_file: Annotated[
        Path | None, typer.Option(help="File that holds the API key; without it you are asked.", exists=True)
    ] = None,
    no_key: Annotated[bool, typer.Option("--no-key", help="The server wants none.")] = False,
    local_model: Annotated[bool, typer.Option("--local", help="The small model that runs on this machine.")] = False,
    price_input: Annotated[str, typer.Option(help="Per million tokens in.")] = "0",
    price_output: Annotated[str, typer.Option(help="Per million tokens out.")] = "0",
    currency: Annotated[str, typer.Option()] = "USD",
) -> None:
    """Add a model endpoint. The key is read from a file or asked for, so that it stays out of the shell's history."""
    key = None if local_model or no_key else _key(key_file)
    with refusals(), installation() as runtime:
        given = _given(
            name=name,
            kind=EndpointKind.LOCAL if local_model else EndpointKind.OPENAI,
            base_url=url,
            model=model,
            api_key=SecretStr(key) if key else None,
            price_input=_price(price_input),
            price_output=_price(price_output),
            currency=currency,
        )
        with transaction(runtime.sessions) as session:
            secret, now = runtime.settings.signing_key(), runtime.clock.now()
            org_id = _organization(session, org)
            made = keeping.create_endpoint(session, SYSTEM, org_id, given, secret=secret, now=now)
    console.print(f"{show_id('endpoint', made.id)}  {made.name}")


@app.command("list")
def list_all() -> None:
    """All endpoints of this installation."""
    with refusals(), installation() as runtime, runtime.sessions() as session:
        wanted = select(ModelEndpoint).where(ModelEndpoint.state != EndpointState.RETIRED).order_by(ModelEndpoint.id)
        table = Table("id", "name", "model", "address", "key", "state", box=None)
        for each in session.scalars(wanted):
            address = each.base_url or "this machine"
            key = "set" if each.sealed_key else "–"
            table.add_row(show_id("endpoint", each.id), each.name, each.model, address, key, each.state.value)
        console.print(table)


@app.command("test")
def test(endpoint: Annotated[str, typer.Argument(help="An endpoint's id (mep_...) or exact name.")]) -> None:
    """Ask an endpoint something short. Exit status 1 when it does not answer."""
    with refusals(), installation() as runtime:
        found = asyncio.run(_tested(runtime, endpoint))
        local.stop()
    if found.outcome is not Outcome.FINISHED:
        console.print(f"[red]{found.error}[/red]")
        raise typer.Exit(1)
    console.print(found.text.strip())
    console.print(
        f"[dim]{found.model_version or found.model}: first word after {found.first_token_ms} ms, all after "
        f"{found.latency_ms} ms, {found.input_tokens} + {found.output_tokens} tokens, "
        f"{found.cost.normalize():f} {found.currency}[/dim]"
    )


@app.command("serve-local")
def serve_local(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Serve the small local model with an OpenAI-compatible API until Ctrl-C."""
    with refusals():
        key = secrets.token_urlsafe(24)
        server = local.LocalServer.start(port=port, threads=threads, api_key=key)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    console.print(f"Address  [bold]{server.base_url}[/bold]", highlight=False)
    console.print(f"Key      {key}", highlight=False)
    console.print(f"Model    {keeping.LOCAL_MODEL} (Ctrl-C stops it)", highlight=False)
    while server.running and not stopping.wait(0.2):
        pass
    server.stop()


async def _tested(runtime: Runtime, endpoint: str) -> Generation:
    def begin(session: Session) -> Begun:
        return testing.begin_test(session, SYSTEM, endpoint_named(session, endpoint), now=runtime.clock.now())

    begun = await asking.begin_when_free(lambda: run_in_transaction(runtime.sessions, begin))
    ended = await asking.complete(runtime, begun)
    return await asking.in_transaction(runtime, lambda session: session.get_one(Generation, ended.generation_id))


def endpoint_named(session: Session, wanted: str) -> UUID:
    """An endpoint by its id or exact name."""
    if wanted.startswith("mep_"):
        return read_id("endpoint", wanted)
    named = select(ModelEndpoint.id).where(ModelEndpoint.name == wanted, ModelEndpoint.state != EndpointState.RETIRED)
    found = list(session.scalars(named))
    if len(found) != 1:
        raise Invalid(f"{len(found)} endpoints are named {wanted!r}. Give the id; `preceptor endpoints list` shows it.")
    return found[0]


def _organization(session: Session, wanted: str) -> UUID:
    if wanted.startswith("org_"):
        return read_id("organization", wanted)
    every = select(Organization).order_by(Organization.name)
    found = list(session.scalars(every.where(Organization.name == wanted) if wanted else every))
    if len(found) != 1:
        names = ", ".join(each.name for each in found[:10]) or "none"
        raise Invalid(f"Name the organization with --org. There are: {names}.")
    return found[0].id


def _key(file: Path | None) -> str:
    return file.read_text().strip() if file is not None else typer.prompt("API key", hide_input=True, default="")


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is not a price such as 0.15") from None


def _given(**fields: object) -> EndpointIn:
    try:
        return EndpointIn.model_validate(fields)
    except ValidationError as error:
        problems = [{"path": each.path, "message": each.message} for each in problems_of(error)]
        raise Invalid("The endpoint cannot be added like this.", problems) from None
