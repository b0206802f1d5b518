"""A thin surface in Label Studio's own terms, on which its unmodified SDK works.

Creating projects, importing, annotating and exporting. It lies under `/ls`: give the SDK `base_url=".../ls"` and an
API key of ours as `api_key`. Everything runs through the same services as `/api/v1`: a project is a draft until it is
opened, an annotation is a claim and a submission of the key's person, paid and reviewed as any other. Ids are whole
numbers (see `projects.service.numbers`). What is not here (storages, views, webhooks, machine learning
backends) answers 404.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, cast
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

import preceptor
from preceptor.api.label_studio_import import limited_body, rows_of, task_in
from preceptor.api.projects import require_reading
from preceptor.datasets.annotated import judgments_of
from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now, get_signed_in
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import NotSignedIn, require_scope
from preceptor.projects import access
from preceptor.projects.models import Project, Task
from preceptor.projects.service import imports, projects, tasks
from preceptor.projects.service.numbers import numbers_of, thing_of
from preceptor.projects.settings import BATCH_TASKS_MAX, ProjectChanges, ProjectSettings
from preceptor.tasktypes.annotation import AnnotationPayload
from preceptor.tasktypes.annotation.files.label_studio import annotation_of, label_studio_task, short_form
from preceptor.tasktypes.annotation.models import Prediction
from preceptor.tasktypes.annotation.reading import read
from preceptor.tasktypes.base import ReleasedJudgment, Row
from preceptor.work import service as work
from preceptor.work.errors import AnotherTaskOpen
from preceptor.work.models import Submission
from preceptor.work.service import ClaimedWork, suggesting

router = APIRouter(prefix="/ls/api", include_in_schema=False)

KIND = "annotation"
VERSION = "1.21.0"
"""Of Label Studio, whose API this follows."""
PAGE_MAX = 200
EXPORT_PAGE = 100
FORMATS = ("JSON", "JSON_MIN")
PERSON_DIGITS = 12
"""Of a pseudonym, as a number of 48 bits."""


class NotAnnotation(Invalid):
    """This project is of another kind of work, which Label Studio's API cannot describe. Use /api/v1."""

    code = "not_an_annotation_project"


class _Sent(BaseModel):
    """What the SDK sends; it has many fields for which there is nothing here."""

    model_config = ConfigDict(extra="ignore")


class ProjectSent(_Sent):
    title: str | None = None
    description: str | None = None
    label_config: str | None = None
    expert_instruction: str | None = None


class AnnotationSent(_Sent):
    result: list[dict[str, Any]] = Field(default_factory=list)
    was_cancelled: bool | None = None
    parent_prediction: int | None = None
    """The prediction that the annotation began with."""


# --- What there is


@router.get("/version")
@router.get("/version/")
def version() -> dict[str, Any]:
    """Which API this is. The SDK asks in order to choose between kinds of export."""
    return {
        "release": VERSION,
        "edition": "Community",
        "label-studio-os-package": {"version": VERSION, "short_version": VERSION},
        "preceptor": {"version": preceptor.__version__},
    }


@router.get("/current-user/whoami")
@router.get("/current-user/whoami/")
def whoami(session: Db, actor: CurrentActor) -> dict[str, Any]:
    """The person behind the key."""
    return {
        "id": _person(session, actor),
        "username": actor.name,
        "first_name": actor.name,
        "last_name": "",
        "email": "",
    }


# --- Projects


@router.post("/projects/", status_code=201)
def create_project(body: ProjectSent, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """A draft of kind `annotation` in the key's organization; instructions become its guidelines."""
    require_scope(actor, "projects")
    config: Row = {} if body.label_config is None else {"label_config": body.label_config}
    settings = ProjectSettings(
        title=body.title or "New project", summary=body.description or "", task_type=KIND, config=config
    )
    project = projects.create_project(session, actor, _organization(actor), settings, now=now)
    if body.expert_instruction:
        projects.publish_guidelines(session, actor, project.id, body.expert_instruction, now=now)
    return _project(session, actor, project)


@router.get("/projects/")
def list_projects(
    session: Db, actor: CurrentActor, page: Annotated[int, Query(ge=1, le=100_000)] = 1, page_size: int = 50
) -> JSONResponse:
    """Annotation projects of the key's organizations, newest first."""
    require_reading(actor)
    size = max(1, min(page_size, PAGE_MAX))
    found = [project for project in _all_projects(session, actor) if project.task_type == KIND]
    shown = found[(page - 1) * size : page * size]
    if not shown and page > 1:
        raise NotFound("page")
    content = {
        "count": len(found),
        "next": None,
        "previous": None,
        "results": [_project(session, actor, project) for project in shown],
    }
    return JSONResponse(content)


@router.get("/projects/{project_id}")
@router.get("/projects/{project_id}/")
def get_project(project_id: int, session: Db, actor: CurrentActor) -> dict[str, Any]:
    """One project."""
    require_reading(actor)
    return _project(session, actor, _annotation_project(session, actor, project_id))


@router.patch("/projects/{project_id}/")
def update_project(project_id: int, body: ProjectSent, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """Change title, description, labeling config or instructions."""
    require_scope(actor, "projects")
    project = _annotation_project(session, actor, project_id)
    given: dict[str, Any] = {}
    if body.title is not None:
        given["title"] = body.title
    if body.description is not None:
        given["summary"] = body.description
    if body.label_config is not None:
        given["config"] = {**project.config, "label_config": body.label_config}
    if given:
        project = projects.update_project(session, actor, project.id, ProjectChanges.model_validate(given), now=now)
    if body.expert_instruction:
        projects.publish_guidelines(session, actor, project.id, body.expert_instruction, now=now)
    return _project(session, actor, project)


@router.post("/projects/{project_id}/validate/")
def validate_config(project_id: int, body: ProjectSent, session: Db, actor: CurrentActor) -> Response:
    """Whether a labeling config is understood: 204, or 400 with what is wrong and where."""
    require_reading(actor)
    _annotation_project(session, actor, project_id)
    errors = [str(finding) for finding in read(body.label_config or "").errors]
    if not errors:
        return Response(status_code=204)
    return JSONResponse({"detail": "Validation error", "validation_errors": {"label_config": errors}}, status_code=400)


# --- Tasks


@router.post("/projects/{project_id}/import", status_code=201)
async def import_tasks(
    project_id: int, request: Request, runtime: CurrentRuntime, return_task_ids: bool = False
) -> JSONResponse:
    """Add tasks, all or none, up to 10,000 at once. Tasks that the project has already are left alone."""
    body = await limited_body(request)

    def add() -> dict[str, Any]:
        with runtime.sessions() as session, session.begin():
            signed_in = get_signed_in(request, session, runtime.clock.now())
            if signed_in is None:
                raise NotSignedIn
            return _imported(session, signed_in.actor, project_id, body, return_task_ids, runtime)

    return JSONResponse(await run_in_threadpool(add), status_code=201)


@router.get("/tasks/")
def list_tasks(
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    project: int,
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    page_size: int = 100,
) -> dict[str, Any]:
    """A page of a project's tasks with their annotations, for its client."""
    require_reading(actor)
    found = _annotation_project(session, actor, project)
    shown = tasks.numbered_page(session, actor, found.id, page, max(1, min(page_size, PAGE_MAX)))
    rows = _shown_tasks(session, found, shown, runtime)
    total = tasks.task_counts(session, actor, found.id).total
    return {"tasks": rows, "total": total, "total_annotations": sum(len(row["annotations"]) for row in rows)}


@router.get("/tasks/{task_id}")
@router.get("/tasks/{task_id}/")
def get_task(task_id: int, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> dict[str, Any]:
    """One task with its annotations, for its client."""
    require_reading(actor)
    task = access.task_of_client(session, actor, thing_of(session, task_id, "task"))
    project = _only_annotation(access.project_for_client(session, actor, task.project_id))
    return _shown_tasks(session, project, [task], runtime)[0]


@router.get("/projects/{project_id}/next")
@router.get("/projects/{project_id}/next/")
def next_task(project_id: int, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """Claim the next task, or the one that is open: for contributors, who do not see the list.

    Its prediction is what the person is suggested; there is none where there is nothing, and on blind tasks.
    """
    require_scope(actor, "work")
    claimed = work.claim_next(session, actor, thing_of(session, project_id, "project"), now=now)
    if claimed.task_type != KIND:
        raise NotAnnotation
    payload = AnnotationPayload.model_validate(claimed.shown).model_copy(update={"predictions": _predicted(claimed)})
    return {**label_studio_task(payload, [], _number(session, claimed.claim.task_id)), "project": project_id}


# --- Annotations


@router.get("/tasks/{task_id}/annotations/")
def list_annotations(task_id: int, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> list[Any]:
    """What people made of a task, for its client."""
    return cast("list[Any]", get_task(task_id, session, actor, runtime)["annotations"])


@router.post("/tasks/{task_id}/annotations/", status_code=201)
def create_annotation(task_id: int, body: AnnotationSent, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """Claim a task and submit its answer as the key's person, who has joined the project as a contributor.

    Whoever sends an answer to a task that they were never sent has not met its suggestion, and is compared with nobody.
    """
    require_scope(actor, "work")
    if body.was_cancelled:
        raise Invalid("A task is skipped in the workspace, with a reason; it cannot be cancelled here.")
    task = access.task_of_contributor(session, actor, thing_of(session, task_id, "task"))
    sent_before = suggesting.was_sent(session, actor, task.id)
    claimed = work.claim_task(session, actor, task.project_id, task.id, now=now)
    if claimed.task_type != KIND:
        raise NotAnnotation
    if claimed.claim.task_id != task.id:
        raise AnotherTaskOpen
    if claimed.fresh and not sent_before:
        suggesting.drop_unsent(session, claimed.claim.id)
    elif body.parent_prediction is not None and claimed.suggestion is not None:
        suggesting.note_use(session, actor, claimed.claim.id, True, now=now)
    submission = work.submit(session, actor, claimed.claim.id, {"result": body.result}, now=now)
    return _annotation(session, submission, task_id, actor)


# --- Export


@router.get("/projects/{project_id}/export/formats")
def export_formats(project_id: int, session: Db, actor: CurrentActor) -> list[str]:
    """Formats that `export` writes; a release has many more."""
    require_reading(actor)
    _annotation_project(session, actor, project_id)
    return list(FORMATS)


@router.get("/projects/{project_id}/export")
def export(
    project_id: int,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    export_type: str | None = None,
    exportType: str | None = None,
    download_all_tasks: bool = False,
) -> StreamingResponse:
    """All tasks with annotations as they stand now, as JSON or JSON_MIN."""
    require_reading(actor)
    wanted = (export_type or exportType or "JSON").upper()
    if wanted not in FORMATS:
        raise Invalid(
            f"The format {wanted[:30]!r} is not written here ({', '.join(FORMATS)}). Build a release for others."
        )
    project = _annotation_project(session, actor, project_id)
    chunks = list(_exported(session, actor, project, wanted, download_all_tasks, runtime))
    name = f"project-{project_id}-{wanted.lower()}.json"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(iter(chunks), media_type="application/json", headers=headers)


# --- Inside


def _predicted(claimed: ClaimedWork) -> list[Prediction]:
    if claimed.suggestion is None:
        return []
    model = claimed.suggestion.model or None
    return [Prediction.model_validate({"result": claimed.suggestion.answer["result"], "model_version": model})]


def _number(session: Session, thing: UUID) -> int:
    return numbers_of(session, [thing])[thing]


def _person(session: Session, actor: Actor) -> int | None:
    return _number(session, actor.person_id) if actor.person_id is not None else None


def _organization(actor: Actor) -> UUID:
    if actor.org_id is not None:
        return actor.org_id
    if len(actor.org_roles) == 1:
        return next(iter(actor.org_roles))
    raise Invalid("This key is not bound to one organization. Make a key for the organization that the project is for.")


def _annotation_project(session: Session, actor: Actor, project_id: int) -> Project:
    return _only_annotation(access.project_for_client(session, actor, thing_of(session, project_id, "project")))


def _only_annotation(project: Project) -> Project:
    if project.task_type != KIND:
        raise NotAnnotation
    return project


def _all_projects(session: Session, actor: Actor) -> Iterator[Project]:
    before: UUID | None = None
    while True:
        page = projects.list_projects(session, actor, before=before, limit=projects.PROJECTS_PAGE_MAX)
        yield from page.projects
        before = page.next_before
        if before is None:
            return


def _project(session: Session, actor: Actor, project: Project) -> dict[str, Any]:
    counts = tasks.task_counts(session, actor, project.id)
    guidelines = access.current_guidelines(session, project)
    return {
        "id": _number(session, project.id),
        "title": project.title,
        "description": project.summary,
        "label_config": project.config.get("label_config", ""),
        "expert_instruction": guidelines.body if guidelines else "",
        "created_at": project.created_at.isoformat(),
        "is_draft": project.state == "draft",
        "is_published": project.state == "open",
        "maximum_annotations": project.overlap,
        "task_number": counts.total,
        "finished_task_number": counts.finished,
        "total_annotations_number": counts.judgments_done,
    }


def _imported(
    session: Session, actor: Actor, project_id: int, body: bytes, return_ids: bool, runtime: Runtime
) -> dict[str, Any]:
    require_scope(actor, "projects")
    project = _annotation_project(session, actor, project_id)
    given = [task_in(project, row, number) for number, row in enumerate(rows_of(body))]
    created = 0
    for start in range(0, len(given), BATCH_TASKS_MAX):
        batch = given[start : start + BATCH_TASKS_MAX]
        created += imports.import_tasks_now(session, actor, project.id, batch, now=runtime.clock.now()).created
    answer: dict[str, Any] = {
        "task_count": created,
        "annotation_count": sum(task.imported_answer is not None or task.gold is not None for task in given),
        "prediction_count": sum(len(cast("list[Any]", task.payload.get("predictions", []))) for task in given),
        "duration": 0,
        "file_upload_ids": [],
        "found_formats": [],
        "data_columns": [],
    }
    if return_ids:
        ids = tasks.ids_of(session, actor, project.id, [task.external_id for task in given])
        numbers = numbers_of(session, list(ids.values()))
        answer["task_ids"] = [numbers[ids[task.external_id]] for task in given]
    return answer


def _name(project: Project, runtime: Runtime) -> Pseudonym:
    return pseudonyms(runtime.settings.signing_key(), project.org_id)


def _shown_tasks(session: Session, project: Project, shown: Sequence[Task], runtime: Runtime) -> list[dict[str, Any]]:
    """Tasks in Label Studio's form, people as numbers that say nothing outside of the project's organization."""
    given = judgments_of(session, project, shown, _name(project, runtime))
    submissions = [submission for made in given.values() for submission, _ in made]
    numbers = numbers_of(session, [project.id, *given, *submissions])
    rows: list[dict[str, Any]] = []
    for task in shown:
        annotations = [
            {**annotation_of(judgment, numbers[made], _person_number(judgment)), "task": numbers[task.id]}
            for made, judgment in given[task.id]
        ]
        payload = AnnotationPayload.model_validate(task.payload)
        row = label_studio_task(payload, annotations, numbers[task.id], task.external_id)
        rows.append({**row, "project": numbers[project.id], "is_labeled": task.done >= task.overlap})
    return rows


def _person_number(judgment: ReleasedJudgment[Any]) -> int:
    return int(judgment.person_pseudonym.removeprefix("p_")[:PERSON_DIGITS], 16)


def _annotation(session: Session, submission: Submission, task_id: int, actor: Actor) -> dict[str, Any]:
    at = submission.created_at.isoformat()
    return {
        "id": _number(session, submission.id),
        "task": task_id,
        "project": _number(session, submission.project_id),
        "completed_by": _person(session, actor),
        "result": submission.answer.get("result", []),
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": at,
        "updated_at": at,
        "lead_time": float(submission.worked_seconds or 0),
    }


def _exported(
    session: Session, actor: Actor, project: Project, form: str, everything: bool, runtime: Runtime
) -> Iterator[bytes]:
    after: UUID | None = None
    first = True
    yield b"[\n"
    while True:
        page = tasks.list_tasks(session, actor, project.id, after=after, limit=EXPORT_PAGE)
        for row in _shown_tasks(session, project, page.tasks, runtime):
            for entry in _entries(row, form, everything):
                yield (b"" if first else b",\n") + json.dumps(entry, ensure_ascii=False).encode()
                first = False
        after = page.next_after
        if after is None:
            break
    yield b"\n]\n"


def _entries(row: dict[str, Any], form: str, everything: bool) -> list[dict[str, Any]]:
    if not row["annotations"] and not everything:
        return []
    if form == "JSON":
        return [row]
    payload = AnnotationPayload(data=row["data"])
    return [short_form(payload, annotation, row["id"]) for annotation in row["annotations"]]
