"""Dataset releases: built with progress, read as their card, downloaded by signed links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.orm import Session

import preceptor.datasets.jobs  # noqa: F401  asking for a release defers a job, which has to be registered
from preceptor.datasets import service as datasets
from preceptor.datasets.errors import NotFitted, NothingToRelease
from preceptor.datasets.models import Release, ReleaseState
from preceptor.datasets.options import THRESHOLD_MIN, DecidedBy, ReleaseOptions, options_of
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentRuntime, Db, Now
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.markdown import render_markdown
from preceptor.kit.storage import Storage
from preceptor.people.identify import SignedIn
from preceptor.tasktypes.base import Shape
from preceptor.training import service as training
from preceptor.training.models import TrainingRun
from preceptor.web.client_frame import Fields, Frame, Sent, address, frame, frame_to_change
from preceptor.web.pages import Client, Page, Pages, go

router = APIRouter()

PAGE_ROWS = 50
README = "README.md"
BUILDING = (ReleaseState.QUEUED, ReleaseState.BUILDING)


@dataclass(frozen=True)
class FileRow:
    """A file of a release; the manifest's own size and rows are not in it."""

    path: str
    sha256: str
    bytes: int | None
    rows: int | None


@router.get("/projects/{project_id}/releases")
def show_releases(page: Page, session: Db, client: Client, project_id: str, cursor: str | None = None) -> Response:
    return _list(page, session, client, frame(session, client, project_id, "releases"), cursor)


def _list(
    page: Pages, session: Session, client: SignedIn, at: Frame, cursor: str | None = None, error: str | None = None
) -> HTMLResponse:
    before = read_cursor("release", cursor)
    found = datasets.list_releases(session, client.actor, at.project.id, before=before, limit=PAGE_ROWS + 1)
    shown, more = found[:PAGE_ROWS], len(found) > PAGE_ROWS
    here = f"{at.base}/releases"
    live = "hx-request" in page.request.headers and error is None
    return page.show(
        "client/releases_live.html" if live else "client/releases.html",
        status=200 if error is None else 422,
        at=at,
        rows=[(release, show_id("release", release.id)) for release in shown],
        building=any(release.state in BUILDING for release in shown),
        next_href=address(here, cursor=show_id("release", shown[-1].id)) if more else None,
        first_href=here if cursor else None,
        error=error,
        choices=datasets.choices(session, at.project.id),
        threshold_min=THRESHOLD_MIN,
    )


@router.post("/projects/{project_id}/releases")
def request_release(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "releases")
    try:
        release = datasets.request_release(
            session, client.actor, at.project.id, fields.text("title"), options=_options(fields), now=now
        )
    except (Invalid, NothingToRelease, NotFitted) as error:
        return _list(page, session, client, at, error=error.message)
    return go(f"{at.base}/releases/{show_id('release', release.id)}")


def _options(fields: Fields) -> ReleaseOptions:
    """What the form asks for; `Invalid` for what no form of ours sends."""
    by, threshold = fields.text("decided_by"), fields.text("threshold")
    try:
        return ReleaseOptions(
            DecidedBy(by) if by else None, float(threshold) if threshold else None, fields.checked("gold")
        )
    except ValueError:
        raise Invalid("Choose how answers are decided, and give the threshold as a number such as 0.9.") from None


@router.get("/projects/{project_id}/releases/{release_id}")
def show_release(
    page: Page, session: Db, client: Client, now: Now, runtime: CurrentRuntime, project_id: str, release_id: str
) -> Response:
    at = frame(session, client, project_id, "releases")
    release = _release(session, client, at, release_id)
    if release.state is not ReleaseState.READY:
        live = "hx-request" in page.request.headers
        template = "client/release_live.html" if live else "client/release_building.html"
        return page.show(template, at=at, release=release, release_id=release_id, building=release.state in BUILDING)
    if "hx-request" in page.request.headers:
        # The page that watched the build: it is ready now, so show the whole of it.
        return Response(status_code=200, headers={"HX-Refresh": "true"})
    return page.show(
        "client/release.html",
        at=at,
        release=release,
        release_id=release_id,
        options=options_of(release),
        card=_card(session, client, runtime.storage, release.id),
        files=[_file_row(release, path) for path in datasets.file_names(release)],
        changes=datasets.changes_since_last(session, client.actor, runtime.storage, release.id),
        snippets=snippets(at, release),
        runs=_runs(session, client, release),
    )


def _release(session: Session, client: SignedIn, at: Frame, release_id: str) -> Release:
    release = datasets.release_for_client(session, client.actor, read_id("release", release_id))
    if release.project_id != at.project.id:
        raise NotFound("release")
    return release


def _card(session: Session, client: SignedIn, storage: Storage, release_id: UUID) -> str:
    """The dataset card without its YAML header, as safe HTML."""
    text = storage.get(datasets.file_key(session, client.actor, release_id, README)).decode()
    if text.startswith("---\n"):
        text = text.partition("\n---\n")[2]
    return render_markdown(text, first_heading=2)


def _file_row(release: Release, path: str) -> FileRow:
    if path == datasets.MANIFEST:
        return FileRow(path, release.sha256 or "", None, None)
    fact = (release.manifest or {})["files"][path]
    return FileRow(path, fact["sha256"], fact["bytes"], fact["rows"])


def _runs(session: Session, client: SignedIn, release: Release) -> list[tuple[TrainingRun, str]]:
    found = training.list_runs(session, client.actor, project_id=release.project_id)
    return [(run, show_id("model", run.id)) for run in found if run.release_id == release.id]


TRAINERS: Mapping[Shape, str] = {"preference": "Reward", "unpaired": "KTO", "sft": "SFT"}
"""TRL's trainer that takes a table as it is."""


def snippets(at: Frame, release: Release) -> list[tuple[str, str]]:
    """Code to load and train, ready to be copied; `release-N` is the folder of the downloaded files."""
    folder, tables = f"release-{release.number}", at.project.kind.kind.tables
    rows: Mapping[str, int] = (release.manifest or {})["rows"]
    filled = [name for name in tables if rows.get(name)]
    named = [*filled[:1], *(["judgments"] if rows.get("judgments") else [])]
    load = "\n".join(["from datasets import load_dataset\n", *(_loading(folder, each) for each in named)])
    export = f"preceptor export {show_id('release', release.id)} {folder}"
    found = [("Fetch all files", export), ("Load with datasets", f"{load}\nprint({named[0]}[0])")]
    for name in (each for each in filled if tables[each].shape in TRAINERS):
        return [*found, ("Train with TRL", _training(folder, name, TRAINERS[tables[name].shape]))]
    return found


def _loading(folder: str, table: str) -> str:
    return f'{table} = load_dataset("parquet", data_files="{folder}/{table}/*.parquet", split="train")'


def _training(folder: str, table: str, trainer: str) -> str:
    return (
        "from datasets import load_dataset\n"
        f"from trl import {trainer}Config, {trainer}Trainer\n\n"
        f"{_loading(folder, table)}\n"
        f"trainer = {trainer}Trainer(\n"
        '    model="HuggingFaceTB/SmolLM2-135M-Instruct",\n'
        f'    args={trainer}Config(output_dir="{trainer.lower()}", max_length=1024),\n'
        f"    train_dataset={table},\n"
        ")\n"
        "trainer.train()"
    )


@router.get("/projects/{project_id}/releases/{release_id}/file")
def open_file(
    session: Db,
    client: Client,
    now: Now,
    runtime: CurrentRuntime,
    project_id: str,
    release_id: str,
    path: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Sends the browser to a signed link to one file, which works for 15 minutes."""
    at = frame(session, client, project_id, "releases")
    release = _release(session, client, at, release_id)
    return RedirectResponse(_link(session, client, runtime.storage, release, path, now), status_code=303)


def _link(session: Session, client: SignedIn, storage: Storage, release: Release, path: str, now: datetime) -> str:
    return datasets.file_link(session, client.actor, storage, release.id, path, now=now)
