"""Bringing tasks in over the API: a streamed file, or a batch of JSON."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

import preceptor.projects.jobs  # noqa: F401  accepting a file defers a job, which has to be registered
from preceptor.api.projects import require_reading
from preceptor.api.schemas import In, Out
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now, get_signed_in
from preceptor.http.idempotency import Once, OnceStreamed, StreamedKey
from preceptor.http.uploads import Upload, received
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import NotSignedIn, require_scope
from preceptor.projects import access
from preceptor.projects.models import Import, ImportState
from preceptor.projects.service import imports
from preceptor.projects.service.adding import Added
from preceptor.projects.settings import BATCH_TASKS_MAX, TaskIn

router = APIRouter(prefix="/api/v1", tags=["imports"])

MAPPING_CHARACTERS_MAX = 10_000
FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file (JSONL, JSON array, CSV or Parquet, also gzipped), or a form with the field `file`.",
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}


class ProblemOut(Out):
    line: int = Field(description="Where, from 1; in Parquet the row. 0 is the file as a whole.")
    field: str | None
    problem: str


class ImportOut(Out):
    id: str = Field(examples=["imp_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    project_id: str
    filename: str
    digest: str = Field(description="SHA-256 of the file.")
    size_bytes: int
    state: ImportState
    rows_read: int
    created: int
    already_there: int
    problem_count: int
    problems: list[ProblemOut] = Field(description="The first 1,000. With any problem nothing was imported.")
    created_at: datetime
    finished_at: datetime | None


class ImportsOut(Out):
    items: list[ImportOut]
    next_cursor: None = None


class TasksIn(In):
    tasks: list[TaskIn] = Field(
        max_length=BATCH_TASKS_MAX,
        examples=[
            [
                {
                    "external_id": "prime-1",
                    "payload": {
                        "prompt": [{"role": "user", "content": "Name a prime."}],
                        "responses": [
                            {"id": "r1", "messages": [{"role": "assistant", "content": "7"}]},
                            {"id": "r2", "messages": [{"role": "assistant", "content": "9"}]},
                        ],
                    },
                }
            ]
        ],
    )


class AddedOut(Out):
    created: int
    already_there: int


@router.post("/projects/{project_id}/tasks", status_code=201, response_model=AddedOut)
def add_tasks(project_id: str, body: TasksIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Add up to 1,000 tasks at once, all or none. An `external_id` that the project has is left as it is."""
    require_scope(actor, "projects")
    found = read_id("project", project_id)
    return once.answer(lambda: added_out(imports.import_tasks_now(session, actor, found, body.tasks, now=now)))


@router.post("/projects/{project_id}/imports", status_code=202, response_model=ImportOut, openapi_extra=FILE_BODY)
async def import_file(
    project_id: str,
    request: Request,
    runtime: CurrentRuntime,
    once: OnceStreamed,
    filename: Annotated[str | None, Query(max_length=500, examples=["march.jsonl"])] = None,
    mapping: Annotated[
        str | None,
        Query(
            max_length=MAPPING_CHARACTERS_MAX,
            description="Which column holds what, as JSON; without it the usual layouts are recognised.",
            examples=['{"prompt": "question", "response_a": "text1", "response_b": "text2"}'],
        ),
    ] = None,
) -> Response:
    """Send a file of tasks; it is imported in the background, all or nothing. The same file is imported once.

    Ask for the import until its state is `done` or `failed`.
    """
    found, columns = read_id("project", project_id), read_mapping(mapping)
    # Its own short transactions: no connection may wait for gigabytes to arrive.
    await run_in_threadpool(_authorize, request, runtime, found)
    async with received(request, runtime, filename=filename) as upload:
        columns = columns or read_mapping(upload.fields.get("mapping"))
        return await run_in_threadpool(_accept, request, runtime, found, upload, columns, once)


def _authorize(request: Request, runtime: Runtime, project_id: UUID) -> None:
    with runtime.sessions.begin() as session:
        known = get_signed_in(request, session, runtime.clock.now())
        if known is None:
            raise NotSignedIn
        require_scope(known.actor, "projects")
        access.project_for_client(session, known.actor, project_id, *access.MANAGERS)


def _accept(
    request: Request,
    runtime: Runtime,
    project_id: UUID,
    upload: Upload,
    columns: dict[str, str] | None,
    once: StreamedKey,
) -> Response:
    key = imports.file_key(project_id, upload.digest)
    runtime.storage.put(key, upload.path)
    now = runtime.clock.now()

    def make(session: Session, actor: Actor) -> ImportOut:
        return import_out(
            imports.accept_file(
                session,
                actor,
                project_id,
                filename=upload.filename,
                stored_key=key,
                digest=upload.digest,
                size=upload.size,
                mapping=columns,
                now=now,
            )
        )

    with runtime.sessions.begin() as session:
        known = get_signed_in(request, session, now)
        if known is None:
            raise NotSignedIn
        actor = known.actor
        gate = once.gate(session, actor.person_id, now=now)
        return gate.answer(lambda: make(session, actor), status=202, content=upload.digest)


def read_mapping(text: str | None) -> dict[str, str] | None:
    """A column mapping as JSON text, checked for its shape only."""
    if not text:
        return None
    try:
        columns = json.loads(text)
    except ValueError:
        raise Invalid('A mapping is a JSON object such as {"prompt": "question"}.') from None
    if not isinstance(columns, dict) or not all(isinstance(column, str) for column in columns.values()):
        raise Invalid("A mapping names one column for each target.")
    return columns


@router.get("/projects/{project_id}/imports", response_model=ImportsOut)
def list_imports(project_id: str, session: Db, actor: CurrentActor) -> ImportsOut:
    """The project's latest imports, newest first."""
    require_reading(actor)
    found = imports.imports_of(session, actor, read_id("project", project_id))
    return ImportsOut(items=[import_out(one, problems_max=0) for one in found])


@router.get("/projects/{project_id}/imports/{import_id}", response_model=ImportOut)
def get_import(project_id: str, import_id: str, session: Db, actor: CurrentActor) -> ImportOut:
    """How far an import is, and what was wrong with the file."""
    require_reading(actor)
    found = access.import_for_client(session, actor, read_id("project", project_id), read_id("import", import_id))
    return import_out(found)


def import_out(found: Import, *, problems_max: int = imports.PROBLEMS_KEPT_MAX) -> ImportOut:
    problems: list[dict[str, Any]] = found.problems or []
    return ImportOut(
        id=show_id("import", found.id),
        project_id=show_id("project", found.project_id),
        filename=found.filename,
        digest=found.digest,
        size_bytes=found.size_bytes,
        state=found.state,
        rows_read=found.rows_read or 0,
        created=found.created or 0,
        already_there=found.already_there or 0,
        problem_count=found.problem_count or 0,
        problems=[ProblemOut(**problem) for problem in problems[:problems_max]],
        created_at=found.created_at,
        finished_at=found.finished_at,
    )


def added_out(added: Added) -> AddedOut:
    return AddedOut(created=added.created, already_there=added.already_there)
