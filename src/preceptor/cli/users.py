"""`preceptor user`: accounts from the command line, for the first operator and for scripts."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table
from sqlalchemy.orm import Session

import preceptor.people.jobs  # noqa: F401  (registers the mail job that services defer)
from preceptor.cli.connect import console, installation, refusals
from preceptor.kit.db import transaction
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import SYSTEM
from preceptor.people.identify import SCOPES
from preceptor.people.models import Person
from preceptor.people.passwords import passwords_for
from preceptor.people.queries import PEOPLE_FILTERS, PeopleWanted
from preceptor.people.service import accounts, directory, keys, organizations

app = typer.Typer(help="Accounts: make, list, roles, API keys, passwords.", no_args_is_help=True)

LISTED_MAX = 200
Email = Annotated[str, typer.Argument(help="The person's e-mail address.")]


class RoleName(StrEnum):
    OPERATOR = "operator"
    CONTRIBUTOR = "contributor"
    REVIEWER = "reviewer"


@app.command()
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="Shown to others; the part before the @ when left out.")] = "",
    operator: Annotated[bool, typer.Option("--operator", help="Runs this installation.")] = False,
    contributor: Annotated[bool, typer.Option("--contributor", help="May work on tasks.")] = False,
    reviewer: Annotated[bool, typer.Option("--reviewer", help="May decide about work.")] = False,
    organization: Annotated[str, typer.Option(help="Found an organization with this owner.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Make an account whose address counts as confirmed.

    The first one of an installation: preceptor user create you@example.org --operator
    """
    password = _read_password(password_stdin)
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        now = runtime.clock.now()
        person = accounts.create_person(
            session,
            SYSTEM,
            email=email,
            name=name or email.partition("@")[0],
            password=password,
            is_operator=operator,
            is_contributor=contributor,
            is_reviewer=reviewer,
            confirmed=True,
            passwords=passwords_for(runtime.settings),
            now=now,
        )
        if organization:
            organizations.create_organization(session, SYSTEM, name=organization, owner_id=person.id, now=now)
        link = None
        if password is None:
            link = accounts.mail_reset(session, person, base_url=runtime.settings.base_url, now=now)
    console.print(f"Made [bold]{person.email}[/bold] ({_roles(person) or 'no role yet'}).")
    console.print(f"Sign in at {runtime.settings.base_url}/sign-in" if link is None else f"Set a password: {link}")


def _read_password(from_stdin: bool) -> str | None:
    """From standard input, or asked twice on a terminal; left empty means a link instead."""
    stdin = typer.get_text_stream("stdin")
    if from_stdin:
        return stdin.readline().rstrip("\n")
    if not stdin.isatty():
        return None
    prompt = "Password (empty: make a link that sets it)"
    return typer.prompt(prompt, hide_input=True, confirmation_prompt=True, default="", show_default=False) or None


@app.command("list")
def list_people(
    search: Annotated[str, typer.Argument(help="Words in name or address.")] = "",
    only: Annotated[str, typer.Option(help=f"One of {', '.join(PEOPLE_FILTERS)}.")] = "all",
) -> None:
    """List people, newest first."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        if only not in PEOPLE_FILTERS:
            raise Invalid(f"{only!r} is not one of {', '.join(PEOPLE_FILTERS)}.")
        page = directory.list_people(session, SYSTEM, PeopleWanted(search, only, limit=LISTED_MAX))
    table = Table("e-mail", "name", "roles", "state", "made on", box=None)
    for person in page.people:
        state = person.state.value if person.email_confirmed_at else "not confirmed"
        table.add_row(person.email, person.name, _roles(person), state, f"{person.created_at:%Y-%m-%d}")
    console.print(table)
    if page.next_before is not None:
        console.print(f"The newest {LISTED_MAX} are shown. Search for words to see others.")


@app.command()
def role(
    email: Email,
    name: Annotated[RoleName, typer.Argument(help="Which role.")],
) -> None:
    """Give somebody a role. They are taken away in the pages, by an operator with a reason."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        person = _find(session, email)
        held = {each: getattr(person, f"is_{each.value}") for each in RoleName} | {name: True}
        accounts.set_roles(
            session,
            SYSTEM,
            person.id,
            is_operator=held[RoleName.OPERATOR],
            is_contributor=held[RoleName.CONTRIBUTOR],
            is_reviewer=held[RoleName.REVIEWER],
            now=runtime.clock.now(),
        )
    console.print(f"[bold]{person.email}[/bold]: {_roles(person)}")


@app.command()
def key(
    email: Email,
    scope: Annotated[list[str], typer.Option(help=f"Repeat for several: {', '.join(SCOPES)}.")],
    name: Annotated[str, typer.Option(help="What the key is for.")] = "command line",
    days: Annotated[int, typer.Option(min=1, max=3650, help="How long it works.")] = 90,
) -> None:
    """Make an API key. It is printed once, alone on standard output, so that a script can take it."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        now = runtime.clock.now()
        person = _find(session, email)
        _, secret = keys.create_key(
            session,
            SYSTEM,
            person_id=person.id,
            name=name,
            scopes=scope,
            expires_at=now + timedelta(days=days),
            now=now,
        )
    typer.echo(secret)


@app.command("reset-password")
def reset_password(email: Email) -> None:
    """Print (and mail) a link that sets a new password; it works once, within an hour."""
    with refusals(), installation() as runtime, transaction(runtime.sessions) as session:
        person = _find(session, email)
        link = accounts.mail_reset(session, person, base_url=runtime.settings.base_url, now=runtime.clock.now())
    typer.echo(link)


def _find(session: Session, email: str) -> Person:
    person = directory.find_by_email(session, SYSTEM, email)
    if person is None:
        raise NotFound("person")
    return person


def _roles(person: Person) -> str:
    held = {"operator": person.is_operator, "contributor": person.is_contributor, "reviewer": person.is_reviewer}
    return ", ".join(name for name, has in held.items() if has)
