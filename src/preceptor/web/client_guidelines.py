"""Guidelines and rubric: written, previewed, published as versions, compared."""

import difflib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.errors import Invalid, NotFound
from preceptor.projects import access
from preceptor.projects.models import ProjectState
from preceptor.projects.service import projects
from preceptor.projects.service.starting import USUAL_RUBRIC
from preceptor.projects.settings import Criterion
from preceptor.tasktypes.base import problems_of, task_type
from preceptor.web.client_frame import Fields, Frame, Sent, frame, frame_to_change
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors

router = APIRouter()

CONTEXT_LINES = 3


@dataclass(frozen=True)
class DiffLine:
    """A line of a comparison: `sign` is "+", "-", " " or "@" for a gap."""

    sign: str
    text: str


@router.get("/projects/{project_id}/guidelines")
def show_guidelines(
    page: Page,
    session: Db,
    client: Client,
    project_id: str,
    older: Annotated[int, Query(alias="from", ge=0)] = 0,
    newer: Annotated[int, Query(alias="to", ge=0)] = 0,
) -> Response:
    return _show(page, session, frame(session, client, project_id, "guidelines"), older=older, newer=newer)


def _show(
    page: Pages,
    session: Session,
    at: Frame,
    *,
    older: int = 0,
    newer: int = 0,
    body: str | None = None,
    criteria: list[dict[str, object]] | None = None,
    errors: dict[str, str] | None = None,
) -> HTMLResponse:
    versions = access.guidelines_versions(session, at.project)
    rubrics = access.rubric_versions(session, at.project)
    starting = task_type(at.project.task_type).templates()[0].guidelines
    by_number = {version.number: version for version in versions}
    if newer and (newer not in by_number or older not in by_number):
        raise NotFound("version")
    return page.show(
        "client/guidelines.html",
        status=422 if errors else 200,
        at=at,
        may_publish=at.manages and at.project.state is not ProjectState.CLOSED,
        versions=versions,
        rubrics=rubrics,
        body=body if body is not None else (versions[0].body if versions else starting),
        criteria=criteria or (rubrics[0].criteria if rubrics else list(USUAL_RUBRIC)),
        errors=errors or {},
        compared=(older, newer) if newer else None,
        lines=diff(by_number[older].body, by_number[newer].body) if newer else [],
    )


def diff(older: str, newer: str) -> list[DiffLine]:
    """What changed, line by line, with a little of what stands around it."""
    found = difflib.unified_diff(older.splitlines(), newer.splitlines(), n=CONTEXT_LINES, lineterm="")
    lines = []
    for line in list(found)[2:]:
        lines.append(DiffLine("@", "") if line.startswith("@@") else DiffLine(line[:1], line[1:]))
    return lines


@router.post("/projects/{project_id}/guidelines")
def publish_guidelines(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "guidelines")
    body = fields.text("body").replace("\r\n", "\n")
    before = at.project.guidelines_version_id
    try:
        version = projects.publish_guidelines(session, client.actor, at.project.id, body, now=now)
    except Invalid as error:
        return _show(page, session, at, body=body, errors=field_errors(error))
    if version.id == before:
        return go(f"{at.base}/guidelines", "Nothing has changed, so there is no new version.", tone="info")
    return go(f"{at.base}/guidelines", f"Version {version.number} of the guidelines is published.")


@router.post("/projects/{project_id}/rubric")
def publish_rubric(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "guidelines")
    rows = _criteria(fields)
    try:
        criteria = [_criterion(number, row) for number, row in enumerate(rows, start=1)]
        version = projects.publish_rubric(session, client.actor, at.project.id, criteria, now=now)
    except Invalid as error:
        return _show(page, session, at, criteria=rows, errors={"rubric": error.message})
    return go(f"{at.base}/guidelines#rubric", f"Version {version.number} of the rubric is published.")


def _criteria(fields: Fields) -> list[dict[str, object]]:
    """The rubric's rows as they were typed. Anchors stand one a line: `3 = can be defended`."""
    names = ("title", "description", "key", "scale_min", "scale_max", "weight", "anchors")
    return [
        {**row, "key": row["key"] or f"criterion_{number}", "anchors": _anchors(row["anchors"])}
        for number, row in enumerate(fields.rows("criterion", *names), start=1)
    ]


def _anchors(text: str) -> dict[str, str]:
    anchors = {}
    for line in text.splitlines():
        point, _, meaning = line.partition("=")
        if meaning.strip():
            anchors[point.strip()] = meaning.strip()
    return anchors


def _criterion(number: int, row: dict[str, object]) -> Criterion:
    try:
        return Criterion.model_validate(row)
    except ValidationError as error:
        first = problems_of(error, 1)[0]
        field = first.path.split(".")[0].replace("_", " ")
        raise Invalid(f"Criterion {number}{', ' + field if field else ''}: {first.message}.") from None
