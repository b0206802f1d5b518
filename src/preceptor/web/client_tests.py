"""Entry tests of an organization: made from items with known answers, watched, retired."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from preceptor.assessments import access as tests
from preceptor.assessments.models import Assessment
from preceptor.assessments.service import assessments
from preceptor.assessments.service.assessments import Figures
from preceptor.assessments.settings import ITEMS_MAX, AssessmentIn, ItemIn
from preceptor.http.edge import Db, Now
from preceptor.http.uploads import UploadTooLarge
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import SignedIn
from preceptor.people.models import Organization, Qualification
from preceptor.people.service import organizations, qualifications
from preceptor.projects import access
from preceptor.projects.importing import RowProblem, read_tasks
from preceptor.projects.models import Project
from preceptor.projects.service import overview
from preceptor.tasktypes.base import problems_of, task_type, to_json
from preceptor.tasktypes.working import working
from preceptor.web.client_frame import Fields, refusal
from preceptor.web.client_material import material_of, words_of
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors
from preceptor.web.workspace import excerpt, ratings_of

router = APIRouter()

USUAL_TYPE: Final = "comparison"
"""Of tests that are made from a file alone."""
LIST: Final = "/tests/manage"
FILE_BYTES_MAX = 20 * 1024 * 1024
GOLD_SHOWN_MAX = 200
PROJECTS_MAX = 50
MINUTE, HOUR = 60, 3600
STARTING_VALUES: Final = {
    "title": "",
    "introduction": "",
    "qualification_title": "",
    "qualification_id": "",
    "pass_percent": "80",
    "time_minutes": "30",
    "attempts_max": "3",
    "cooldown_hours": "24",
    "questions": "5",
    "practice_items": "1",
}
_FIELDS: Final = {"time_limit_seconds": "time_minutes", "cooldown_seconds": "cooldown_hours"}


@dataclass(frozen=True)
class TestRow:
    """A test on the client's list."""

    __test__ = False  # the name is the domain's, not pytest's

    test: Assessment
    key: str
    qualification: str
    figures: Figures


async def read_test_form(request: Request) -> Fields:
    """The form of a test, which may carry a file; one that announces too much is not read."""
    announced = request.headers.get("content-length", "")
    if not announced.isdigit() or int(announced) > FILE_BYTES_MAX:
        raise UploadTooLarge(limit_bytes=FILE_BYTES_MAX)
    return Fields(await request.form())


SentTest = Annotated[Fields, Depends(read_test_form, scope="function")]


# --- The list


@router.get(LIST)
def list_tests(page: Page, session: Db, client: Client, org: Annotated[str, Query(max_length=100)] = "") -> Response:
    mine = organizations.list_organizations(session, client.actor)
    shown = _organization(mine, org)
    found = assessments.assessments_of(session, client.actor, shown.id)
    numbers = assessments.figures_of(session, client.actor, shown.id)
    titles = {each.id: each.title for each in qualifications.list_qualifications(session, client.actor, shown.id)}
    rows = [
        TestRow(test, show_id("assessment", test.id), titles[test.qualification_id], numbers[test.id]) for test in found
    ]
    return page.show(
        "client/tests.html",
        organization=shown,
        mine=[(each, show_id("organization", each.id)) for each in mine],
        rows=rows,
        may_create=_manages(client, shown.id),
        new_href=f"{LIST}/new?org={show_id('organization', shown.id)}",
    )


def _manages(client: SignedIn, org_id: UUID) -> bool:
    return client.actor.org_roles.get(org_id) in access.MANAGERS


def _organization(mine: list[Organization], org: str) -> Organization:
    wanted = read_id("organization", org) if org else (mine[0].id if mine else None)
    shown = next((each for each in mine if each.id == wanted), None)
    if shown is None:
        raise NotFound("organization")
    return shown


# --- Making one


@router.get(f"{LIST}/new")
def new_test(
    page: Page,
    session: Db,
    client: Client,
    org: Annotated[str, Query(max_length=100)] = "",
    project: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    mine = organizations.list_organizations(session, client.actor)
    source = _source(session, client, project) if project else None
    shown = next(each for each in mine if each.id == source.org_id) if source else _organization(mine, org)
    tests.require_client(client.actor, shown.id, *tests.MANAGERS)
    return _form(page, session, client, shown, source, STARTING_VALUES)


def _source(session: Session, client: SignedIn, project: str) -> Project:
    return access.project_for_client(session, client.actor, read_id("project", project), *access.MANAGERS)


def _form(
    page: Pages,
    session: Session,
    client: SignedIn,
    organization: Organization,
    source: Project | None,
    values: dict[str, str],
    *,
    picked: frozenset[str] = frozenset(),
    error: Invalid | None = None,
) -> HTMLResponse:
    gold = access.gold_tasks(session, client.actor, source.id, limit=GOLD_SHOWN_MAX) if source else []
    cards = overview.project_cards(session, client.actor, limit=PROJECTS_MAX).cards
    projects = [card.project for card in cards if card.project.org_id == organization.id]
    held: list[Qualification] = qualifications.list_qualifications(session, client.actor, organization.id)
    return page.show(
        "client/test_form.html",
        status=200 if error is None else 422,
        organization=organization,
        org_id=show_id("organization", organization.id),
        source=source,
        source_id=show_id("project", source.id) if source else "",
        projects=[(show_id("project", each.id), each.title) for each in projects],
        gold=[
            (
                show_id("task", task.id),
                excerpt(source, task.payload, ratings=ratings_of(source, task)) if source else "",
                answer.explanation,
            )
            for task, answer in gold
        ],
        picked=picked,
        values={**STARTING_VALUES, **values},
        qualifications=[(show_id("qualification", each.id), each.title) for each in held],
        errors={_FIELDS.get(path, path): said for path, said in field_errors(error).items()} if error else {},
        problems=error.problems[1:20] if error else [],
    )


@router.post(LIST)
def create_test(page: Page, session: Db, client: Client, now: Now, fields: SentTest) -> Response:
    """Make a test of an uploaded file's gold rows and of the gold tasks that were picked."""
    source = _source(session, client, fields.text("project")) if fields.text("project") else None
    mine = organizations.list_organizations(session, client.actor)
    shown = (
        next(each for each in mine if each.id == source.org_id) if source else _organization(mine, fields.text("org"))
    )
    tests.require_client(client.actor, shown.id, *tests.MANAGERS)
    try:
        with session.begin_nested():
            wanted = _read(fields, source, [*_uploaded(fields, source), *_picked(session, client, source, fields)])
            made = assessments.create_assessment(session, client.actor, shown.id, wanted, now=now)
    except Invalid as error:
        picked = frozenset(fields.all("gold"))
        return _form(page, session, client, shown, source, fields.plain(), picked=picked, error=error)
    return go(
        f"{LIST}/{show_id('assessment', made.id)}", "The test is ready. Projects can require its qualification now."
    )


def _uploaded(fields: Fields, source: Project | None) -> Iterator[ItemIn]:
    """Items out of the file: rows of any layout that an import understands, each with `gold` and `gold_explanation`."""
    file = fields.form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return
    kind = task_type(source.task_type if source else USUAL_TYPE)
    for row in read_tasks(file.file, file.filename, kind.importer):
        if isinstance(row, RowProblem):
            raise refusal("file", f"Line {row.line}: {row.field + ': ' if row.field else ''}{row.problem}")
        if row.gold is None or not row.gold_explanation:
            raise refusal("file", f"Line {row.line}: every item needs gold (the known answer) and gold_explanation.")
        yield ItemIn(payload=to_json(row.payload), answer=to_json(row.gold), explanation=row.gold_explanation)


def _picked(session: Session, client: SignedIn, source: Project | None, fields: Fields) -> Iterator[ItemIn]:
    if source is None:
        return
    wanted = {read_id("task", key) for key in fields.all("gold")}
    for task, gold in access.gold_tasks(session, client.actor, source.id, limit=GOLD_SHOWN_MAX):
        if task.id in wanted:
            explanation = gold.explanation or "The project's known answer."
            yield ItemIn(payload=task.payload, answer=gold.answer, explanation=explanation)


def _read(fields: Fields, source: Project | None, items: list[ItemIn]) -> AssessmentIn:
    if not items:
        raise refusal("items", "Upload a file of items, or pick gold tasks of a project.")
    if len(items) > ITEMS_MAX:
        raise refusal("items", f"A test holds at most {ITEMS_MAX} items.")
    practice = fields.whole("practice_items", "Items for practice")
    chosen = fields.text("qualification_id")
    given = {
        "title": fields.text("title"),
        "introduction": fields.text("introduction"),
        "qualification_id": read_id("qualification", chosen) if chosen else None,
        "qualification_title": None if chosen else fields.text("qualification_title") or fields.text("title"),
        "task_type": source.task_type if source else USUAL_TYPE,
        "config": source.config if source else None,
        "pass_percent": fields.whole("pass_percent", "The pass mark"),
        "time_limit_seconds": fields.whole("time_minutes", "The time limit", times=MINUTE),
        "attempts_max": fields.whole("attempts_max", "Attempts"),
        "cooldown_seconds": fields.whole("cooldown_hours", "The wait between attempts", times=HOUR),
        "questions": fields.whole("questions", "Questions in an attempt"),
        "items": [
            item.model_copy(update={"practice": True}) if place < practice else item for place, item in enumerate(items)
        ],
    }
    try:
        return AssessmentIn.model_validate(given)
    except ValidationError as error:
        problems = [{"path": one.path or "questions", "message": one.message} for one in problems_of(error)]
        raise Invalid(problems[0]["message"], problems) from None


# --- One test


@router.get(f"{LIST}/{{assessment_id}}")
def show_test(page: Page, session: Db, client: Client, assessment_id: str) -> Response:
    found = tests.assessment_for_client(session, client.actor, read_id("assessment", assessment_id))
    manages = _manages(client, found.org_id)
    kind = working(found.task_type, found.config)
    items = tests.gold_items(session, client.actor, found.id) if manages else []
    held = qualifications.list_qualifications(session, client.actor, found.org_id)
    return page.show(
        "client/test.html",
        test=found,
        key=assessment_id,
        qualification=next(each.title for each in held if each.id == found.qualification_id),
        figures=assessments.figures(session, client.actor, found.id),
        manages=manages,
        items=[
            (
                item,
                material_of(kind, kind.payload(item.payload), page.sign(found.org_id)),
                words_of(kind, kind.payload(item.payload), kind.answer(item.answer)),
            )
            for item in items
        ],
    )


@router.post(f"{LIST}/{{assessment_id}}/retire")
def retire_test(session: Db, client: Client, now: Now, assessment_id: str) -> Response:
    found = read_id("assessment", assessment_id)
    assessments.retire_assessment(session, client.actor, found, now=now)
    return go(
        f"{LIST}/{assessment_id}", "The test is retired. Running attempts may be finished; what was earned stays."
    )
