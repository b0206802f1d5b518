"""A client's projects: the list, the form, the overview and the moves between states."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import CURRENCIES, Money
from preceptor.media.errors import MediaQuotaFull
from preceptor.money import service as money
from preceptor.money.errors import NotEnoughMoney
from preceptor.people import content
from preceptor.people.identify import SignedIn
from preceptor.people.models import Organization
from preceptor.people.service import organizations, qualifications
from preceptor.projects import access
from preceptor.projects.models import Project, ProjectState
from preceptor.projects.rules import CHANGEABLE, CheckItem
from preceptor.projects.service import overview, projects, starting
from preceptor.projects.service.checklist import checklist
from preceptor.projects.service.overview import SORTS
from preceptor.tasktypes.base import AnyTaskType, Row, Template, task_type, task_types, to_json
from preceptor.web import client_settings as form
from preceptor.web.client_frame import Fields, Frame, Sent, address, frame, frame_to_change, money_field
from preceptor.web.client_live import live_view
from preceptor.web.config_form import config_again, settings_of
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors

router = APIRouter()

LIST = "/projects"
PAGE_ROWS = 20
MENDED_AT = {
    # Where each line of the checklist is put right.
    "config": "/settings",
    "guidelines": "/guidelines",
    "rubric": "/guidelines#rubric",
    "tasks": "/imports",
    "rate": "/settings#pay",
    "funds": "/money",
    "qualification": "/settings#people",
    "models": "/endpoints",
}


# --- The list


@router.get(LIST)
def list_projects(
    page: Page,
    session: Db,
    client: Client,
    q: Annotated[str, Query(max_length=200)] = "",
    state: str = "",
    sort: str = "new",
    start: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    wanted = ProjectState(state) if state in set(ProjectState) else None
    sort = sort if sort in SORTS else "new"
    found = overview.project_cards(
        session, client.actor, search=q, state=wanted, sort=sort, offset=start, limit=PAGE_ROWS
    )
    counts = projects.count_by_state(session, client.actor)
    total = sum(counts.values())
    chips = [("All", address(LIST, q=q, sort=_sort(sort)), wanted is None, total)]
    chips += [
        (each.value.capitalize(), address(LIST, q=q, sort=_sort(sort), state=each.value), wanted is each, counts[each])
        for each in ProjectState
        if each in counts
    ]
    return page.show(
        "client/projects.html",
        cards=found.cards,
        funds=money.funds_of_projects(session, [card.project.id for card in found.cards]),
        total=total,
        q=q,
        chips=chips,
        sort=sort,
        sorts=list(SORTS.items()),
        hidden={"state": wanted.value} if wanted else {},
        may_create=_managed(client) != [],
        next_href=_page_of(q, wanted, sort, found.next_offset) if found.next_offset is not None else None,
        previous_href=_page_of(q, wanted, sort, max(0, start - PAGE_ROWS)) if start else None,
        shown=f"{start + 1}–{start + len(found.cards)}" if found.cards else None,
    )


def _sort(sort: str) -> str:
    return "" if sort == "new" else sort


def _page_of(q: str, state: ProjectState | None, sort: str, start: int) -> str:
    return address(LIST, q=q, state=state.value if state else "", sort=_sort(sort), start=start)


def _managed(client: SignedIn) -> list[UUID]:
    """The organizations in which the client may make projects."""
    return [org_id for org_id, role in client.actor.org_roles.items() if role in access.MANAGERS]


# --- The form


@router.get(f"{LIST}/new")
def new_project(page: Page, session: Db, client: Client, task_type: str = "", template: str = "") -> Response:
    """The templates to start from; with one chosen, the form filled in by it."""
    if not task_type:
        return page.show("client/templates.html", kinds=list(task_types().values()))
    kind = projects.kind_of(task_type)
    chosen = starting.template_of(kind, template) if template else kind.templates()[0]
    values = {**form.STARTING_VALUES, "title": chosen.title, "summary": chosen.summary, "template": chosen.key}
    return _form(page, session, client, kind, values, chosen.config)


@router.post(LIST)
def create_project(page: Page, session: Db, client: Client, now: Now, fields: Sent) -> Response:
    """Make a draft, and fund it where a budget is given. Refused as a whole, with messages at the fields."""
    org_id = _organization_of(client, fields.text("organization"))
    access.require_role(client.actor, org_id, *access.MANAGERS)
    try:
        settings = form.read_settings(fields)
        start = _start(fields)
        examples = fields.checked("examples")
        # Files go into the store before anything of the project is written: they may take a moment.
        files = starting.send_examples(page.runtime, client.actor, org_id, start) if start and examples else {}
        with session.begin_nested():
            project = projects.create_project(session, client.actor, org_id, settings, now=now)
            if start:
                starting.furnish(session, client.actor, project, start, examples=examples, files=files, now=now)
            if fields.text("budget"):
                _fund(session, client, project, money_field(fields, "budget", project.currency), now)
    except (Invalid, NotEnoughMoney, MediaQuotaFull) as error:
        kind = projects.kind_of(fields.text("task_type"))
        config = config_again(kind.config_model, fields, kind.templates()[0].config)
        return _form(page, session, client, kind, fields.plain(), config, error=error)
    return go(f"{LIST}/{show_id('project', project.id)}", "The project is a draft now. See below what it still needs.")


def _start(fields: Fields) -> Template | None:
    """The template that the form started from."""
    key = fields.text("template")
    return starting.template_of(projects.kind_of(fields.text("task_type")), key) if key else None


def _fund(session: Session, client: SignedIn, project: Project, amount: Money, now: datetime) -> None:
    money.fund_project(session, client.actor, org_id=project.org_id, project_id=project.id, amount=amount, now=now)


def _organization_of(client: SignedIn, shown: str) -> UUID:
    if shown:
        return read_id("organization", shown)
    return next(iter(_managed(client) or client.actor.org_roles))


@router.get("/projects/{project_id}/settings")
def show_settings(page: Page, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "settings")
    kind = task_type(at.project.task_type)
    config = {**to_json(kind.config_model()), **at.project.config}
    return _form(page, session, client, kind, form.values_of(at.project), config, at=at)


@router.post("/projects/{project_id}/settings")
def change_settings(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "settings")
    kind = task_type(at.project.task_type)
    try:
        with session.begin_nested():
            projects.update_project(
                session, client.actor, at.project.id, form.read_changes(fields, at.project), now=now
            )
    except AppError as error:
        session.refresh(at.project)
        values = {**form.values_of(at.project), **fields.plain()}
        config = config_again(kind.config_model, fields, at.project.config)
        return _form(page, session, client, kind, values, config, at=at, error=error)
    return go(f"{at.base}/settings", "The settings are saved.")


def _form(
    page: Pages,
    session: Session,
    client: SignedIn,
    kind: AnyTaskType,
    values: dict[str, str],
    config: Row,
    *,
    at: Frame | None = None,
    error: AppError | None = None,
) -> HTMLResponse:
    mine = [org for org in organizations.list_organizations(session, client.actor) if org.id in _managed(client)]
    org_id = at.project.org_id if at else (mine[0].id if mine else None)
    qualified = qualifications.list_qualifications(session, client.actor, org_id) if org_id else []
    return page.show(
        "client/project_form.html",
        status=200 if error is None else 422,
        at=at,
        kind=kind,
        config_settings=settings_of(kind.config_model, config),
        start=_template(kind, values.get("template", "")) if at is None else None,
        values={**form.STARTING_VALUES, **values},
        errors=_messages(error),
        allowed=CHANGEABLE[at.project.state] if at else CHANGEABLE[ProjectState.DRAFT],
        org_options=[(show_id("organization", org.id), org.name) for org in mine],
        wallets=_wallets(session, mine),
        ratings=content.RATINGS,
        currency_options=[(each, each) for each in sorted(CURRENCIES)],
        qualifications=[(show_id("qualification", each.id), each.title) for each in qualified],
    )


def _template(kind: AnyTaskType, key: str) -> Template | None:
    return next((each for each in kind.templates() if each.key == key), None)


def _messages(error: AppError | None) -> dict[str, str]:
    if error is None:
        return {}
    if isinstance(error, NotEnoughMoney):
        return {"budget": error.message}
    if isinstance(error, MediaQuotaFull):
        return {"examples": error.message}
    return {form.field_of(path): message for path, message in field_errors(error).items()}


def _wallets(session: Session, mine: list[Organization]) -> list[tuple[str, list[Money]]]:
    held = money.wallets_of(session, [org.id for org in mine])
    return [(org.name, held.get(org.id, [])) for org in mine]


@router.post("/projects/estimate")
def show_estimate(page: Page, client: Client, fields: Sent) -> Response:
    """What rate, time, overlap and budget come to, while they are typed."""
    return page.show("client/estimate.html", estimate=form.estimate(fields), values=fields.plain())


# --- The overview


@router.get("/projects/{project_id}")
def show_project(page: Page, session: Db, client: Client, now: Now, project_id: str) -> Response:
    at = frame(session, client, project_id, "overview")
    return page.show(
        "client/overview.html",
        at=at,
        items=[(item, at.base + MENDED_AT[item.key]) for item in _before_opening(session, at.project)],
        view=live_view(page, session, at, now=now),
    )


def _before_opening(session: Session, project: Project) -> list[CheckItem]:
    waits = project.state in (ProjectState.DRAFT, ProjectState.PAUSED)
    return checklist(session, project) if waits else []


@router.get("/projects/{project_id}/live")
def show_live(page: Page, session: Db, client: Client, now: Now, project_id: str) -> Response:
    """The part of the overview that moves, asked for again and again by the page."""
    at = frame(session, client, project_id, "overview")
    return page.show("client/live.html", at=at, view=live_view(page, session, at, now=now))


@router.post("/projects/{project_id}/state")
def move_project(session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "overview")
    match fields.text("to"):
        case "open":
            projects.open_project(session, client.actor, at.project.id, now=now)
            said = "The project is open. Contributors who qualify can take its tasks now."
        case "pause":
            projects.pause_project(session, client.actor, at.project.id, now=now, reason=fields.text("reason"))
            said = "The project is paused. Nobody gets a new task; what was begun goes on."
        case "resume":
            projects.resume_project(session, client.actor, at.project.id, now=now)
            said = "The project is open again."
        case "close":
            projects.close_project(session, client.actor, at.project.id, now=now, reason=fields.text("reason"))
            said = (
                "The project is closing. Work that was begun is finished and paid; then the rest of the money returns."
            )
        case other:
            raise Invalid(f"{other!r} is nothing that a project can do. Use open, pause, resume or close.")
    return go(at.base, said)
