"""Dataset releases over the API."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

import preceptor.datasets.jobs  # noqa: F401  asking for a release defers a job, which has to be registered
from preceptor.api.schemas import In, Out, PageSize
from preceptor.datasets import service
from preceptor.datasets.changes import RowChanges
from preceptor.datasets.models import Release, ReleaseState
from preceptor.datasets.options import THRESHOLD_MIN, DecidedBy, ReleaseOptions, options_of
from preceptor.http.cursor import read_cursor
from preceptor.http.downloads import attachment
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.http.idempotency import Once
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope

router = APIRouter(prefix="/api/v1", tags=["releases"])


class ReleaseIn(In):
    title: str = Field(min_length=1, max_length=200, examples=["Spring pilot"])
    decided_by: DecidedBy | None = Field(
        None, description="Left out: by majority, until known answers show that the newest fit is no worse."
    )
    threshold: float | None = Field(
        None,
        ge=THRESHOLD_MIN,
        lt=1,
        description=f"Least probability of an answer decided by posterior. Left out: {THRESHOLD_MIN}.",
    )
    gold: bool = Field(False, description="Gold tasks give pairs too, with the known answer and marked.")


class ReleaseFileOut(Out):
    path: str = Field(examples=["pairs/train-00000.parquet"])
    bytes: int | None
    rows: int | None
    sha256: str | None


class ConsensusOut(Out):
    decided_by: DecidedBy
    threshold: float | None = Field(description="Null where votes decide.")
    gold: bool


class ReleaseOut(Out):
    id: str = Field(examples=["rel_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    project_id: str
    number: int
    title: str
    state: ReleaseState
    consensus: ConsensusOut
    sha256: str | None = Field(description="Digest of manifest.json, which holds those of all other files.")
    pairs: int | None
    judgments: int | None
    tasks_done: int
    tasks_total: int | None
    failure: str | None
    created_at: datetime
    built_at: datetime | None
    files: list[ReleaseFileOut] = Field(description="Empty until the release is ready.")


class ReleasesOut(Out):
    items: list[ReleaseOut]
    next_cursor: str | None


class RowChangesOut(Out):
    added: int
    changed: int
    removed: int


class ChangesOut(Out):
    first: bool = Field(description="There is no earlier finished release to compare with; all counts are 0.")
    pairs: RowChangesOut
    judgments: RowChangesOut


@router.get("/projects/{project_id}/releases", response_model=ReleasesOut)
def list_releases(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    cursor: str | None = None,
    limit: Annotated[PageSize, Query()] = 50,
) -> ReleasesOut:
    """Releases of a project, newest first."""
    require_scope(actor, "read")
    found = service.list_releases(
        session, actor, read_id("project", project_id), before=read_cursor("release", cursor), limit=limit
    )
    next_cursor = show_id("release", found[-1].id) if len(found) == limit else None
    return ReleasesOut(items=[release_out(release) for release in found], next_cursor=next_cursor)


@router.post("/projects/{project_id}/releases", status_code=201, response_model=ReleaseOut)
def request_release(
    project_id: str, body: ReleaseIn, once: Once, session: Db, actor: CurrentActor, now: Now
) -> Response:
    """Have a release built from what is judged now. Look at it again until its state is `ready`."""
    require_scope(actor, "projects")
    project = read_id("project", project_id)
    options = ReleaseOptions(body.decided_by, body.threshold, body.gold)
    return once.answer(
        lambda: release_out(service.request_release(session, actor, project, body.title, options=options, now=now))
    )


@router.get("/releases/{release_id}", response_model=ReleaseOut)
def get_release(release_id: str, session: Db, actor: CurrentActor) -> ReleaseOut:
    """One release with its files, or how far its build has come."""
    require_scope(actor, "read")
    return release_out(service.release_for_client(session, actor, read_id("release", release_id)))


@router.get("/releases/{release_id}/changes", response_model=ChangesOut)
def get_changes(release_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> ChangesOut:
    """Rows added, changed and removed since the finished release before this one."""
    require_scope(actor, "read")
    found = service.changes_since_last(session, actor, runtime.storage, read_id("release", release_id))
    pairs, judgments = (found.pairs, found.judgments) if found else (RowChanges(), RowChanges())
    return ChangesOut(first=found is None, pairs=_changes_out(pairs), judgments=_changes_out(judgments))


@router.get("/releases/{release_id}/files/{path:path}", response_class=Response)
def download(
    release_id: str, path: str, request: Request, session: Db, actor: CurrentActor, runtime: CurrentRuntime
) -> Response:
    """One file, whole or in ranges. `path` is as in `files`, or `manifest.json`."""
    require_scope(actor, "read")
    return attachment(request, runtime.storage, service.file_key(session, actor, read_id("release", release_id), path))


def release_out(release: Release) -> ReleaseOut:
    files: dict[str, dict[str, Any]] = (release.manifest or {}).get("files", {})
    return ReleaseOut(
        id=show_id("release", release.id),
        project_id=show_id("project", release.project_id),
        number=release.number,
        title=release.title,
        state=release.state,
        consensus=_consensus_out(options_of(release)),
        sha256=release.sha256,
        pairs=release.pairs,
        judgments=release.judgments,
        tasks_done=release.rows_done,
        tasks_total=release.rows_total,
        failure=release.failure,
        created_at=release.created_at,
        built_at=release.built_at,
        files=[
            ReleaseFileOut(path=path, bytes=fact["bytes"], rows=fact["rows"], sha256=fact["sha256"])
            for path, fact in sorted(files.items())
        ],
    )


def _consensus_out(options: ReleaseOptions) -> ConsensusOut:
    by = options.decided_by or DecidedBy.MAJORITY
    return ConsensusOut(decided_by=by, threshold=options.threshold, gold=options.gold)


def _changes_out(changes: RowChanges) -> RowChangesOut:
    return RowChangesOut(added=changes.added, changed=changes.changed, removed=changes.removed)
