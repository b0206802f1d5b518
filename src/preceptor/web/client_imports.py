"""Bringing tasks into a project: upload, layout, progress, report."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

import preceptor.projects.jobs  # noqa: F401  accepting a file defers a job, which has to be registered
from preceptor.http.edge import CurrentRuntime, Db, Now, get_signed_in
from preceptor.http.uploads import Upload, received
from preceptor.kit.errors import Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import NotSignedIn, SignedIn
from preceptor.projects import access
from preceptor.projects.importing import OPTIONAL_COLUMNS, titles_of
from preceptor.projects.jobs import opened
from preceptor.projects.models import Import, ImportState
from preceptor.projects.rules import TAKES_TASKS
from preceptor.projects.service import imports
from preceptor.projects.service.layouts import Layout, look_into
from preceptor.web.client_frame import Frame, Sent, frame, frame_to_change
from preceptor.web.pages import Client, Page, Pages, WrongRole, go, roles_of

router = APIRouter()

PROBLEMS_SHOWN_MAX = 1_000


@router.get("/projects/{project_id}/imports")
def show_imports(page: Page, session: Db, client: Client, project_id: str) -> Response:
    at = frame(session, client, project_id, "import")
    found = imports.imports_of(session, client.actor, at.project.id)
    return page.show(
        "client/imports.html",
        at=at,
        may_import=at.manages and at.project.state in TAKES_TASKS,
        rows=[(each, show_id("import", each.id)) for each in found],
        ways=at.project.kind.kind.importer.ways,
        optional=OPTIONAL_COLUMNS,
        limit_bytes=page.runtime.settings.upload_bytes_max,
    )


@router.post("/projects/{project_id}/imports")
async def import_file(request: Request, runtime: CurrentRuntime, project_id: str) -> Response:
    """Take a file in and have it imported in the background; answers with the page that shows it.

    Its own short transactions: no connection may wait for gigabytes to arrive.
    """
    found = read_id("project", project_id)
    await run_in_threadpool(_authorize, request, runtime, found)
    async with received(request, runtime) as upload:
        accepted = await run_in_threadpool(_accept, request, runtime, found, upload)
    to = f"/projects/{project_id}/imports/{show_id('import', accepted.id)}"
    if "json" in request.headers.get("accept", ""):
        return JSONResponse({"redirect": to}, 202)
    return go(to)


def _authorize(request: Request, runtime: Runtime, project_id: UUID) -> SignedIn:
    with runtime.sessions.begin() as session:
        known = get_signed_in(request, session, runtime.clock.now())
        if known is None:
            raise NotSignedIn
        if "client" not in roles_of(known):
            raise WrongRole
        access.project_for_client(session, known.actor, project_id, *access.MANAGERS)
        return known


def _accept(request: Request, runtime: Runtime, project_id: UUID, upload: Upload) -> Import:
    known = _authorize(request, runtime, project_id)
    key = imports.file_key(project_id, upload.digest)
    runtime.storage.put(key, upload.path)
    with runtime.sessions.begin() as session:
        return imports.accept_file(
            session,
            known.actor,
            project_id,
            filename=upload.filename,
            stored_key=key,
            digest=upload.digest,
            size=upload.size,
            mapping=None,
            now=runtime.clock.now(),
        )


@router.get("/projects/{project_id}/imports/{import_id}")
def show_import(page: Page, session: Db, client: Client, project_id: str, import_id: str) -> Response:
    """How far an import has come, and its report. While it runs the page asks for the part that moves."""
    at = frame(session, client, project_id, "import")
    found = access.import_for_client(session, client.actor, at.project.id, read_id("import", import_id))
    return _show(page, at, found, import_id)


def _show(page: Pages, at: Frame, found: Import, import_id: str, error: Invalid | None = None) -> Response:
    template = "client/import_live.html" if "hx-request" in page.request.headers else "client/import.html"
    ended = found.state in (ImportState.DONE, ImportState.FAILED)
    return page.show(
        template,
        status=200 if error is None else 422,
        at=at,
        found=found,
        import_id=import_id,
        ended=ended,
        layout=_layout(page.runtime, found, at) if ended else None,
        may_map=at.manages and found.state is ImportState.FAILED and at.project.state in TAKES_TASKS,
        mapped=_mapped(at),
        problems=found.problems[:PROBLEMS_SHOWN_MAX],
        error=error.message if error else None,
    )


def _mapped(at: Frame) -> list[tuple[str, str]]:
    """What the page lets people name columns for, of an import's targets."""
    return list(titles_of(at.project.kind.kind.importer).items())


def _layout(runtime: Runtime, found: Import, at: Frame) -> Layout:
    with opened(runtime.storage, found.file_key) as file:
        return look_into(file, found, at.project.kind.kind.importer)


@router.post("/projects/{project_id}/imports/{import_id}/again")
def import_again(
    page: Page, session: Db, client: Client, now: Now, project_id: str, import_id: str, fields: Sent
) -> Response:
    """Import a file that failed once more, with the columns named by hand."""
    at = frame_to_change(session, client, project_id, "import")
    failed = access.import_for_client(session, client.actor, at.project.id, read_id("import", import_id))
    mapping = {target: fields.text(f"column_{target}") for target, _ in _mapped(at) if fields.text(f"column_{target}")}
    try:
        again = imports.accept_file(
            session,
            client.actor,
            at.project.id,
            filename=failed.filename,
            stored_key=failed.file_key,
            digest=failed.digest,
            size=failed.size_bytes,
            mapping=mapping or None,
            now=now,
        )
    except Invalid as error:
        return _show(page, at, failed, import_id, error)
    return go(f"{at.base}/imports/{show_id('import', again.id)}")
