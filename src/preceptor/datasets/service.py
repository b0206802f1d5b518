"""Releases: asked for, built in the background, downloaded. A finished one never changes."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from preceptor.datasets import access, queries
from preceptor.datasets.access import MANIFEST, file_key, file_names, finished_release, release_for_client
from preceptor.datasets.building import PROVENANCE, Built, build
from preceptor.datasets.changes import ReleaseChanges, compare
from preceptor.datasets.errors import FolderNotEmpty, NotFitted, NothingToRelease
from preceptor.datasets.models import Release, ReleaseState
from preceptor.datasets.options import KEY, DecidedBy, ReleaseOptions, options_of, usual
from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.datasets.reading import snapshot
from preceptor.kit import events
from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import new_id
from preceptor.kit.jobs import defer
from preceptor.kit.locks import only_one
from preceptor.kit.runtime import Runtime
from preceptor.kit.storage import Storage
from preceptor.projects.access import MANAGERS, project_for_client
from preceptor.projects.models import Project
from preceptor.work.service.fitting import newest_fit

__all__ = [
    "MANIFEST",
    "DecidedBy",
    "ReleaseChanges",
    "ReleaseOptions",
    "build_release",
    "changes_since_last",
    "choices",
    "export_release",
    "file_key",
    "file_link",
    "file_names",
    "finished_release",
    "list_releases",
    "options_of",
    "release_for_client",
    "request_release",
    "store",
]

TITLE_CHARACTERS_MAX = 200
BUILD_JOB = "datasets.build_release"
UNFORESEEN = "The build stopped unexpectedly. Build the release again; if that fails too, ask the operator."

KNOWN_CHANGES_MAX = 256
_known_changes: dict[tuple[tuple[str, ...], tuple[str, ...]], ReleaseChanges] = {}

Progress = Callable[[int, int], None]
"""Called with tasks done and tasks in all."""


def request_release(
    session: Session,
    actor: Actor,
    project_id: UUID,
    title: str,
    *,
    options: ReleaseOptions | None = None,
    now: datetime,
) -> Release:
    """Number a new release and have it built. Managers only; `NothingToRelease` where nothing was judged, `NotFitted`
    where answers are to be decided by a posterior that no fit has given yet.

    Lock: the project, so that two requests get two numbers.
    """
    project = project_for_client(session, actor, project_id, *MANAGERS, lock=True)
    title = " ".join(title.split())
    if not 1 <= len(title) <= TITLE_CHARACTERS_MAX:
        raise Invalid(f"Give the release a title of 1 to {TITLE_CHARACTERS_MAX} characters.")
    if not session.scalar(queries.is_releasable(project_id)):
        raise NothingToRelease
    settled = _settled(session, project_id, options or ReleaseOptions())
    release_id = new_id()
    release = Release(
        id=release_id,
        project_id=project_id,
        number=int(session.scalar(queries.last_number(project_id)) or 0) + 1,
        title=title,
        folder=f"releases/{release_id.hex}",
        # What was asked for; the rest of the manifest comes with the files.
        manifest={KEY: settled.as_json()},
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(release)
    session.flush()
    _tell(session, actor, project, release, "dataset.release_requested", now)
    # One build of a release at a time, should a retry meet a run that is still alive.
    defer(session, BUILD_JOB, lock=f"release:{release_id.hex}", release_id=str(release_id))
    return release


def _settled(session: Session, project_id: UUID, options: ReleaseOptions) -> ReleaseOptions:
    fit = newest_fit(session, project_id)
    if options.decided_by is DecidedBy.POSTERIOR and fit is None:
        raise NotFitted
    return options.settled(usual(fit))


def choices(session: Session, project_id: UUID) -> tuple[DecidedBy, ...]:
    """How answers of a project that came through an access function can be decided, the usual way first."""
    fit = newest_fit(session, project_id)
    if fit is None:
        return (DecidedBy.MAJORITY,)
    return tuple(sorted(DecidedBy, key=lambda by: by is not usual(fit)))


def list_releases(
    session: Session, actor: Actor, project_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> list[Release]:
    """A project's releases, newest first."""
    project_for_client(session, actor, project_id)
    return list(session.scalars(queries.releases_of(project_id, before, limit)))


def build_release(runtime: Runtime, release_id: UUID, progress: Progress | None = None) -> Release:
    """Build a release, store its files, and only then call it ready. Running it again after that changes nothing.

    Opens its own transactions: one snapshot to read from, and short ones for state and progress. A second
    builder of the same release (a command line beside the worker) waits, and finds it finished.
    """
    with only_one(runtime.engine, release_id):
        if _start(runtime, release_id):
            _build(runtime, release_id, progress or _silent)
    with transaction(runtime.sessions) as session:
        return session.get_one(Release, release_id)


def _build(runtime: Runtime, release_id: UUID, progress: Progress) -> None:
    with _failure_noted(runtime, release_id), _workplace(runtime) as folder:
        built = _build_into(runtime, release_id, folder, progress)
        with transaction(runtime.sessions) as session:
            stored_under = session.get_one(Release, release_id).folder
        store(runtime.storage, folder, stored_under)
        _finish(runtime, release_id, built)


def store(storage: Storage, folder: Path, prefix: str) -> None:
    """Copy a local folder into storage."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            storage.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path)


def _start(runtime: Runtime, release_id: UUID) -> bool:
    """Whether there is something to build; marks it as being built."""
    with transaction(runtime.sessions) as session:
        release = session.scalars(queries.release(release_id, lock=True)).one()
        if release.state is ReleaseState.READY:
            return False
        release.state, release.failure = ReleaseState.BUILDING, None
        release.rows_done, release.rows_total = 0, session.scalar(queries.releasable_count(release.project_id))
    return True


def _build_into(runtime: Runtime, release_id: UUID, folder: Path, progress: Progress) -> Built:
    with snapshot(runtime.engine) as session:
        release = session.get_one(Release, release_id)
        project = session.get_one(Project, release.project_id)
        name = pseudonyms(runtime.settings.signing_key(), project.org_id)
        done, total = 0, release.rows_total or 0

        def on_page(tasks: int) -> None:
            nonlocal done
            done += tasks
            with transaction(runtime.sessions) as own:
                own.execute(update(Release).where(Release.id == release_id).values(rows_done=done))
            progress(done, max(total, done))

        return build(session, project, release, name, folder, on_page)


def _finish(runtime: Runtime, release_id: UUID, built: Built) -> None:
    now = runtime.clock.now()
    with transaction(runtime.sessions) as session:
        release = session.scalars(queries.release(release_id, lock=True)).one()
        release.state, release.built_at, release.rows_total = ReleaseState.READY, now, release.rows_done
        release.manifest, release.sha256 = built.manifest, built.sha256
        release.pairs, release.judgments = built.rows, built.judgments
        _tell(session, SYSTEM, session.get_one(Project, release.project_id), release, "dataset.released", now)


@contextmanager
def _failure_noted(runtime: Runtime, release_id: UUID) -> Iterator[None]:
    """A build that stops for whatever reason does not say "building" for ever; the error goes on its way."""
    try:
        yield
    except BaseException as error:
        why = error.message if isinstance(error, AppError) else UNFORESEEN
        with transaction(runtime.sessions) as session:
            release = session.scalars(queries.release(release_id, lock=True)).one()
            if release.state is not ReleaseState.READY:
                release.state, release.failure = ReleaseState.FAILED, why
                project = session.get_one(Project, release.project_id)
                _tell(session, SYSTEM, project, release, "dataset.release_failed", runtime.clock.now())
        raise


@contextmanager
def _workplace(runtime: Runtime) -> Iterator[Path]:
    """An empty folder on the data disk, gone afterwards."""
    place = runtime.settings.data_dir / "building"
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place, prefix="release-") as folder:
        yield Path(folder)


def _tell(session: Session, actor: Actor, project: Project, release: Release, kind: str, now: datetime) -> None:
    events.record(
        session,
        actor,
        kind,
        "release",
        release.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data={"number": release.number, "title": release.title, "sha256": release.sha256, "failure": release.failure},
    )


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


# --- Getting at the files


def file_link(session: Session, actor: Actor, storage: Storage, release_id: UUID, path: str, *, now: datetime) -> str:
    """A signed link to one file, for 15 minutes, for whoever holds it."""
    return storage.sign(file_key(session, actor, release_id, path), now=now)


def export_release(session: Session, actor: Actor, storage: Storage, release_id: UUID, folder: Path) -> Release:
    """Copy a finished release into an empty local folder. All of it arrives, or nothing does."""
    found = access.finished_release(session, actor, release_id)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(f"{folder} has files in it already. Name a new or empty folder.")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".export-") as aside:
        for path in access.file_names(found):
            target = Path(aside) / "release" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            storage.download(f"{found.folder}/{path}", target)
        if folder.exists():
            folder.rmdir()
        shutil.move(Path(aside) / "release", folder)
    return found


def changes_since_last(session: Session, actor: Actor, storage: Storage, release_id: UUID) -> ReleaseChanges | None:
    """Rows added, changed and removed since the finished release before; None where this is the first.

    Reads the provenance of both; asked again, it answers from memory.
    """
    found = access.finished_release(session, actor, release_id)
    before = session.scalar(queries.release_before(found))
    if before is None:
        return None
    return _compared(storage, _provenance_keys(before), _provenance_keys(found))


def _provenance_keys(found: Release) -> tuple[str, ...]:
    return tuple(f"{found.folder}/{path}" for path in access.file_names(found) if path.startswith(PROVENANCE))


def _compared(storage: Storage, older: tuple[str, ...], newer: tuple[str, ...]) -> ReleaseChanges:
    # Finished releases never change, so neither does the answer; keys are never used twice.
    if (older, newer) not in _known_changes:
        if len(_known_changes) >= KNOWN_CHANGES_MAX:
            _known_changes.clear()
        _known_changes[older, newer] = _compare_stored(storage, older, newer)
    return _known_changes[older, newer]


def _compare_stored(storage: Storage, older: tuple[str, ...], newer: tuple[str, ...]) -> ReleaseChanges:
    with tempfile.TemporaryDirectory() as folder:

        def fetched(side: str, keys: tuple[str, ...]) -> list[Path]:
            paths = [Path(folder) / f"{side}-{number:05}.parquet" for number in range(len(keys))]
            for key, path in zip(keys, paths, strict=True):
                storage.download(key, path)
            return paths

        return compare(fetched("older", older), fetched("newer", newer))
