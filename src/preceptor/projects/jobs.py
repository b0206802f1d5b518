"""Background entry points of projects."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from preceptor.kit.errors import AppError
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime
from preceptor.kit.storage import Storage
from preceptor.projects.importing import RowProblem
from preceptor.projects.models import Import
from preceptor.projects.service import imports
from preceptor.projects.service.imports import Outcome


@job("projects.run_import")
def run_import(runtime: Runtime, import_id: str) -> None:
    carry_out(runtime, UUID(import_id))


Progress = Callable[[int, float], None]


def carry_out(runtime: Runtime, import_id: UUID, *, progress: Progress | None = None) -> Import | None:
    """Import an accepted file, or take it up again after a crash; None where it had ended already.

    `progress` is told the rows read and which share of the file they are.

    Three kinds of transactions: a short one to begin, one for all rows together, and a short one each
    2,000 rows beside it so that pages see it move. Ends as done, or as failed with the problems.
    """
    with runtime.sessions.begin() as session:
        found = imports.begin(session, import_id)
    if found is None:
        return None
    with opened(runtime.storage, found.file_key) as file:
        outcome = _load(runtime, found, file, progress)
    if outcome.problem_count:
        with runtime.sessions.begin() as session:
            imports.finish(session, import_id, outcome, now=runtime.clock.now())
    with runtime.sessions() as session:
        return session.get_one(Import, import_id)


def _load(runtime: Runtime, found: Import, file: BinaryIO, progress: Progress | None) -> Outcome:
    def note(rows: int) -> None:
        with runtime.sessions.begin() as session:
            imports.note_progress(session, found.id, rows)
        if progress is not None:
            progress(rows, file.tell() / max(1, found.size_bytes))

    with runtime.sessions() as session:
        try:
            outcome = imports.load(session, found, file, now=runtime.clock.now(), progress=note)
        except AppError as refusal:
            return imports.refused_file(RowProblem(0, None, refusal.message))
        # Nothing of a file with a problem is kept, and nothing of one that another run has finished first.
        if not outcome.problem_count and imports.finish(session, found.id, outcome, now=runtime.clock.now()):
            session.commit()
        return outcome


@contextmanager
def opened(storage: Storage, key: str) -> Iterator[BinaryIO]:
    """A stored file to read and seek in: in place where storage is a local folder, else a local copy."""
    if storage.folder is not None:
        with (storage.folder / key).open("rb") as file:
            yield file
        return
    with tempfile.TemporaryDirectory(prefix="preceptor-import-") as folder:
        path = Path(folder) / "file"
        storage.download(key, path)
        with path.open("rb") as file:
            yield file
