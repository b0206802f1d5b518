"""A client's money: the wallet, the escrow of each project, statements."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentRuntime, Db, Now
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import minor_digits
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.errors import NotEnoughMoney
from preceptor.money.service import ClientLine, ClientStatement
from preceptor.people.models import Organization
from preceptor.people.service import organizations
from preceptor.projects.models import ProjectState
from preceptor.projects.service import overview
from preceptor.web.client_frame import Frame, Sent, address, csv_download, frame, frame_to_change, money_field
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.work.service.dossier import tasks_of_claims
from preceptor.work.service.live import project_live

router = APIRouter()

PAGE_ROWS = 50
EXPORT_ROWS = 500
PROJECTS_MAX = 50
LINE_WORDS: Final = {
    ("top_up", True): "Paid in",
    ("funding", True): "Added from the wallet",
    ("funding", False): "Set aside for a project",
    ("defunding", True): "Back from a project",
    ("defunding", False): "Back to the wallet",
    ("claim", False): "Paid for an approved judgment",
    ("appeal", False): "Paid for a judgment after an appeal",
    ("appeal", True): "Set aside for a judgment after an appeal",
}
CSV_HEADER: Final = ("line", "at", "what", "amount", "balance_after", "currency", "note")


def said(line: ClientLine) -> str:
    """A line of a statement in words."""
    return LINE_WORDS.get((line.source_kind, line.amount.minor >= 0), line.purpose.replace("_", " ").capitalize())


# --- One project


@router.get("/projects/{project_id}/money")
def show_project_money(
    page: Page, session: Db, client: Client, now: Now, project_id: str, cursor: str | None = None
) -> Response:
    return _project_money(page, session, frame(session, client, project_id, "money"), now, cursor)


def _project_money(
    page: Pages,
    session: Session,
    at: Frame,
    now: Now,
    cursor: str | None = None,
    error: str | None = None,
    amount: str = "",
) -> HTMLResponse:
    project = at.project
    statement = money.project_statement(
        session, project.id, project.currency, before=read_cursor("posting", cursor), limit=PAGE_ROWS
    )
    here = f"{at.base}/money"
    paid = [line.source_id for line in statement.lines if line.source_kind in ("claim", "appeal")]
    tasks = tasks_of_claims(session, project, paid)
    return page.show(
        "client/project_money.html",
        status=200 if error is None else 422,
        at=at,
        live=project_live(session, project, now=now),
        wallet=money.wallet_balance(session, project.org_id, project.currency),
        lines=[(line, said(line), _task_href(at, tasks.get(line.source_id))) for line in statement.lines],
        next_href=_next(here, statement),
        first_href=here if cursor else None,
        export_href=f"{here}/statement.csv",
        may_fund=at.manages and project.state not in (ProjectState.CLOSING, ProjectState.CLOSED),
        may_take_back=at.manages and project.state is not ProjectState.OPEN,
        error=error,
        amount=amount,
    )


def _task_href(at: Frame, task_id: UUID | None) -> str | None:
    return None if task_id is None else f"{at.base}/tasks/{show_id('task', task_id)}"


def _next(here: str, statement: ClientStatement, **query: str) -> str | None:
    before = statement.next_before
    return None if before is None else address(here, **query, cursor=show_id("posting", before))


@router.post("/projects/{project_id}/money/fund")
def fund(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "money")
    project = at.project
    if project.state in (ProjectState.CLOSING, ProjectState.CLOSED):
        return _project_money(page, session, at, now, error="A project that is closing takes no more money.")
    try:
        amount = money_field(fields, "amount", project.currency)
        money.fund_project(session, client.actor, org_id=project.org_id, project_id=project.id, amount=amount, now=now)
    except (Invalid, NotEnoughMoney) as error:
        return _project_money(page, session, at, now, error=error.message, amount=fields.text("amount"))
    return go(f"{at.base}/money", f"{amount} is now in the project's escrow.")


@router.post("/projects/{project_id}/money/take-back")
def take_back(page: Page, session: Db, client: Client, now: Now, project_id: str) -> Response:
    """Everything that no claim has reserved goes back to the wallet; an open project keeps its money."""
    at = frame_to_change(session, client, project_id, "money")
    project = at.project
    if project.state is ProjectState.OPEN:
        message = "An open project keeps its money, so that nobody's next task is unfunded. Pause it first."
        return _project_money(page, session, at, now, error=message)
    returned = money.take_back_escrow(
        session, client.actor, org_id=project.org_id, project_id=project.id, currency=project.currency, now=now
    )
    return go(f"{at.base}/money", f"{returned} went back to the wallet.")


@router.get("/projects/{project_id}/money/statement.csv")
def export_project_statement(runtime: CurrentRuntime, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "money")
    currency = at.project.currency

    def page_of(own: Session, before: UUID | None) -> ClientStatement:
        return money.project_statement(own, at.project.id, currency, before=before, limit=EXPORT_ROWS)

    return csv_download(f"statement-{at.key}.csv", CSV_HEADER, _exported(runtime, page_of))


def _exported(
    runtime: Runtime, page_of: Callable[[Session, UUID | None], ClientStatement]
) -> Iterator[tuple[object, ...]]:
    # Its own session: the request's one has ended when the answer is written.
    with runtime.sessions() as own:
        before = None
        while True:
            statement = page_of(own, before)
            for line in statement.lines:
                yield (
                    show_id("posting", line.posting_id),
                    line.at.isoformat(),
                    said(line),
                    line.amount.amount,
                    line.balance_after.amount,
                    line.amount.currency,
                    line.note or "",
                )
            own.expunge_all()
            before = statement.next_before
            if before is None:
                return


# --- The organization's wallet


@router.get("/money")
def show_money(
    page: Page,
    session: Db,
    client: Client,
    org: Annotated[str, Query(max_length=100)] = "",
    currency: Annotated[str, Query(max_length=3)] = "",
    cursor: str | None = None,
) -> Response:
    """What the organization holds, where it is set aside, and how it moved."""
    mine = organizations.list_organizations(session, client.actor)
    shown = _organization(mine, org)
    wallets = money.wallets_of(session, [shown.id]).get(shown.id, [])
    chosen = (
        currency if currency in {held.currency for held in wallets} else (wallets[0].currency if wallets else "USD")
    )
    statement = money.wallet_statement(
        session, shown.id, chosen, before=read_cursor("posting", cursor), limit=PAGE_ROWS
    )
    cards = overview.project_cards(session, client.actor, limit=PROJECTS_MAX).cards
    projects = [card.project for card in cards if card.project.org_id == shown.id]
    named = {project.id: (project.title, show_id("project", project.id)) for project in projects}
    query = {"org": org, "currency": currency}
    return page.show(
        "client/money.html",
        organization=shown,
        org_id=show_id("organization", shown.id),
        mine=[(each, show_id("organization", each.id)) for each in mine],
        wallets=wallets,
        currency=chosen,
        projects=projects,
        funds=money.funds_of_projects(session, [project.id for project in projects]),
        lines=[
            (line, said(line), named.get(line.other_owner) if line.other_owner else None) for line in statement.lines
        ],
        balance=statement.balance,
        next_href=_next("/money", statement, **query),
        first_href=address("/money", **query) if cursor else None,
        export_href=address("/money/statement.csv", org=show_id("organization", shown.id), currency=chosen),
    )


def _organization(mine: list[Organization], org: str) -> Organization:
    wanted = read_id("organization", org) if org else (mine[0].id if mine else None)
    shown = next((each for each in mine if each.id == wanted), None)
    if shown is None:
        raise NotFound("organization")
    return shown


@router.get("/money/statement.csv")
def export_wallet_statement(
    runtime: CurrentRuntime,
    session: Db,
    client: Client,
    org: Annotated[str, Query(max_length=100)] = "",
    currency: Annotated[str, Query(max_length=3)] = "USD",
) -> Response:
    shown = _organization(organizations.list_organizations(session, client.actor), org)
    minor_digits(currency)

    def page_of(own: Session, before: UUID | None) -> ClientStatement:
        return money.wallet_statement(own, shown.id, currency, before=before, limit=EXPORT_ROWS)

    return csv_download(f"wallet-{currency}.csv", CSV_HEADER, _exported(runtime, page_of))
