"""Files that tasks show and answers hold, over the API: sent whole or resumably, listed, fetched, deleted."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

import preceptor.media.jobs  # noqa: F401  deleting a file defers a job, which has to be registered
from preceptor.api.projects import require_reading
from preceptor.api.schemas import Out, PageSize
from preceptor.http.cursor import read_cursor
from preceptor.http.downloads import disposition, ranged
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.http.idempotency import OnceStreamed, StreamedKey
from preceptor.http.media import MediaOut, UploadNowhere, actor_of, media_out, place_of
from preceptor.http.tus import tus_router
from preceptor.http.uploads import Upload, received
from preceptor.kit.db import transaction
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.media import access, rules
from preceptor.media import service as media_service
from preceptor.media.errors import MediaTooLarge
from preceptor.media.finishing import take_whole
from preceptor.media.kinds import MediaKind, type_named
from preceptor.media.models import Media
from preceptor.people import access as people
from preceptor.people.identify import require_scope
from preceptor.projects import access as projects

router = APIRouter(prefix="/api/v1", tags=["media"])
router.include_router(tus_router("/media/uploads"))

FILE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file as the body, or a form with the field `file`.",
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


class UsedOut(Out):
    tasks: int
    answers: int


class ListedMediaOut(MediaOut):
    used_by: UsedOut = Field(description="A file that something uses cannot be deleted.")


class MediaPage(Out):
    items: list[ListedMediaOut]
    next_cursor: str | None


Whose = Annotated[str | None, Query(examples=["prj_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"], max_length=40)]


@router.post("/media", status_code=201, response_model=MediaOut, openapi_extra=FILE_BODY)
async def add_media(
    request: Request,
    runtime: CurrentRuntime,
    once: OnceStreamed,
    project: Whose = None,
    claim: Annotated[str | None, Query(description="For a file in the answer to an open claim.", max_length=40)] = None,
    organization: Annotated[str | None, Query(max_length=40)] = None,
    filename: Annotated[str | None, Query(max_length=500, examples=["street.jpg"])] = None,
    sha256: Annotated[str | None, Query(max_length=64, description="Checked against what arrives.")] = None,
) -> Response:
    """Send a file of up to 64 MiB whole, for a project, an organization or a claim (name one of them).

    What it is is found from its content. The same file sent again is the same file; its `url` goes into payloads.
    """
    named = {"project": project or "", "claim": claim or "", "organization": organization or "", "sha256": sha256 or ""}
    await run_in_threadpool(_authorize, request, runtime, named)
    if int(request.headers.get("content-length") or 0) > rules.SMALL_FILE_BYTES_MAX + 64 * 1024:
        raise _too_large()
    async with received(request, runtime, filename=filename) as upload:
        if upload.size > rules.SMALL_FILE_BYTES_MAX:
            raise _too_large()
        return await run_in_threadpool(_take, request, runtime, upload, named, once)


def _too_large() -> MediaTooLarge:
    mebibytes = rules.SMALL_FILE_BYTES_MAX // 1024**2
    told = f"In one request a file may have {mebibytes} MiB. Send larger ones by tus: /api/v1/media/uploads."
    return MediaTooLarge(told)


def _authorize(request: Request, runtime: Runtime, named: dict[str, str]) -> None:
    with transaction(runtime.sessions) as session:
        actor = actor_of(request, session, runtime)
        require_scope(actor, "projects", "work")
        place_of(session, actor, named)


def _take(request: Request, runtime: Runtime, upload: Upload, named: dict[str, str], once: StreamedKey) -> Response:
    now = runtime.clock.now()
    with transaction(runtime.sessions) as session:
        actor = actor_of(request, session, runtime)
        org_id, project_id = place_of(session, actor, named)
        begun = media_service.create_upload(
            session,
            actor,
            org_id,
            name=upload.filename,
            length=upload.size,
            quota=runtime.settings.media_bytes_max,
            project_id=project_id,
            announced_sha256=named["sha256"] or None,
            now=now,
        )
    kept = take_whole(runtime, begun, upload.path, actor=actor)
    with transaction(runtime.sessions) as session:
        gate = once.gate(session, actor.person_id, now=now)
        out = media_out(kept, runtime.settings.signing_key(), actor.person_id, now=now)
        return gate.answer(lambda: out, content=upload.digest)


@router.get("/media")
def list_media(
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    now: Now,
    project: Whose = None,
    organization: Annotated[str | None, Query(max_length=40)] = None,
    q: Annotated[str, Query(max_length=200, description="Words of the name.")] = "",
    kind: MediaKind | None = None,
    sort: Annotated[str, Query(pattern="^(newest|name|largest)$")] = "newest",
    cursor: str | None = None,
    limit: PageSize = 50,
) -> MediaPage:
    """The files of a project (filed there or used by it) or of a whole organization; name one of them."""
    require_reading(actor)
    org_id, project_id = _whose(session, actor, project, organization)
    found = media_service.list_media(
        session,
        org_id,
        project_id,
        search=q,
        kind=kind,
        sort=sort,
        after=read_cursor("media", cursor),
        limit=limit,
    )
    key = runtime.settings.signing_key()
    items = [_listed(media_out(media, key, actor.person_id, now=now), used) for media, used in found.items]
    return MediaPage(items=items, next_cursor=show_id("media", found.next_after) if found.next_after else None)


def _whose(session: Session, actor: Actor, project: str | None, organization: str | None) -> tuple[UUID, UUID | None]:
    if project:
        found = projects.project_for_client(session, actor, read_id("project", project))
        return found.org_id, found.id
    if not organization:
        raise UploadNowhere("Say whose files: `project` or `organization`, with its id.")
    return people.organization(session, actor, read_id("organization", organization)).id, None


def _listed(out: MediaOut, used: media_service.Used) -> ListedMediaOut:
    return ListedMediaOut(**out.model_dump(), used_by=UsedOut(tasks=used.tasks, answers=used.answers))


@router.get("/media/{media_id}")
def get_media(media_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now) -> ListedMediaOut:
    """One file of an organization of yours."""
    media = _media(session, actor, media_id)
    used = media_service.used_by(session, [media.id])[media.id]
    return _listed(media_out(media, runtime.settings.signing_key(), actor.person_id, now=now), used)


@router.get("/media/{media_id}/content", response_class=Response)
def get_content(request: Request, media_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> Response:
    """The file itself, whole or one range of it."""
    media = _media(session, actor, media_id)
    found = type_named(media.media_type)
    headers = {
        "Content-Disposition": disposition("attachment", rules.served_name(media.name, found)),
        "Cache-Control": "private, no-cache",
    }
    key = rules.media_key(media.org_id, media.id)
    return ranged(request, runtime.storage, key, headers=headers, media_type=found.mime, digest=media.sha256)


@router.delete("/media/{media_id}", status_code=204)
def delete_media(media_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Delete a file that no task and no answer uses."""
    require_scope(actor, "projects")
    media_service.delete_media(session, actor, read_id("media", media_id), now=now)


def _media(session: Session, actor: Actor, media_id: str) -> Media:
    require_reading(actor)
    return access.media_for_client(session, actor, read_id("media", media_id))
