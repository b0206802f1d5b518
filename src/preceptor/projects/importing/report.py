"""From a file to tasks and problems in one stream, and the account of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

from preceptor.projects.importing.converting import ImportedTask, convert
from preceptor.projects.importing.mapping import ColumnMapping, Suggestions, detect, mapping_of
from preceptor.projects.importing.readers import RawRow, RowProblem, file_digest, read_rows
from preceptor.tasktypes.importing import Importer, RowRefused

PROBLEMS_REPORTED_MAX = 1_000
SAMPLE_ROWS = 50
TEXT_CHARACTERS_MAX = 1_000


def read_tasks(
    file: BinaryIO, filename: str, importer: Importer, mapping: Mapping[str, str] | None = None
) -> Iterator[ImportedTask | RowProblem]:
    """Every row of a seekable binary file as a task or as a problem, in file order, with flat memory.

    Without a mapping the layout is found from the columns of the first rows; where that fails, the one
    problem says what is missing. MappingRefused (before the first row) where an explicit mapping cannot work.
    """
    fixed = None if mapping is None else mapping_of(mapping, importer)
    items = _tasks(read_rows(file, filename), importer, fixed)
    return (_presentable(item) if isinstance(item, RowProblem) else item for item in items)


def _presentable(problem: RowProblem) -> RowProblem:
    """The problem in text that can be stored: keys of a hostile file may hold NUL or half characters."""
    return RowProblem(problem.line, problem.field and _readable(problem.field), _readable(problem.problem))


def _readable(text: str) -> str:
    return text[:TEXT_CHARACTERS_MAX].replace("\0", "\ufffd").encode(errors="replace").decode()


def detect_layout(file: BinaryIO, filename: str, importer: Importer) -> ColumnMapping | Suggestions | RowProblem:
    """What the layout of a file seems to be, from its first rows; the first problem where none can be read."""
    sample = _sample(read_rows(file, filename))
    file.seek(0)
    rows = [row for row in sample if isinstance(row, RawRow)]
    problems = [row for row in sample if isinstance(row, RowProblem)]
    if not rows:
        return problems[0] if problems else RowProblem(0, None, "The file has no rows.")
    return _detected(rows, importer)


def _tasks(
    rows: Iterator[RawRow | RowProblem], importer: Importer, mapping: ColumnMapping | None
) -> Iterator[ImportedTask | RowProblem]:
    if mapping is None:
        sample = _sample(rows)
        rows = chain(sample, rows)
        good = [row for row in sample if isinstance(row, RawRow)]
        found = _detected(good, importer) if good else None
        if isinstance(found, Suggestions):
            yield RowProblem(good[0].line, None, found.message)
            return
        mapping = found
    for row in rows:
        if isinstance(row, RowProblem) or mapping is None:
            # Without a mapping there was no good row to find one from.
            yield row if isinstance(row, RowProblem) else RowProblem(row.line, None, "The layout is unknown.")
        else:
            yield _converted(row, mapping, importer)


def _converted(row: RawRow, mapping: ColumnMapping, importer: Importer) -> ImportedTask | RowProblem:
    try:
        return convert(row.values, mapping, importer, row.line)
    except RowRefused as refusal:
        return RowProblem(row.line, refusal.field, refusal.problem)
    except RecursionError:
        return RowProblem(row.line, None, "The row is nested too deeply. Material needs few levels.")


def _sample(rows: Iterator[RawRow | RowProblem]) -> list[RawRow | RowProblem]:
    sample: list[RawRow | RowProblem] = []
    good = 0
    for row in rows:
        sample.append(row)
        good += isinstance(row, RawRow)
        if good >= SAMPLE_ROWS or len(sample) >= PROBLEMS_REPORTED_MAX:
            break
    return sample


def _detected(rows: list[RawRow], importer: Importer) -> ColumnMapping | Suggestions:
    columns = dict.fromkeys(name for row in rows for name in row.values)
    return detect(list(columns), [row.values for row in rows], importer)


@dataclass(frozen=True)
class ImportReport:
    """The account of one file.

    `rows`: rows seen, good and bad. `tasks`: distinct tasks found. `problems`: the first 1,000 of
    `problem_count`. `duplicates_in_file`: rows that repeat an earlier one exactly and were left out.
    `digest`: SHA-256 of the file as it was brought.
    """

    rows: int
    tasks: int
    problems: tuple[RowProblem, ...]
    problem_count: int
    duplicates_in_file: int
    digest: str


class ImportRun:
    """One pass over a file: hands out distinct good tasks and keeps count of everything else.

    Iterate over `tasks`, then ask for `report`. Two rows with one external id are a duplicate when their
    material is the same, and a problem when it is not. About 100 bytes are kept for each task, nothing else.
    """

    def __init__(
        self, file: BinaryIO, filename: str, importer: Importer, mapping: Mapping[str, str] | None = None
    ) -> None:
        self._digest = file_digest(file)
        self._items = read_tasks(file, filename, importer, mapping)
        self._seen: dict[str, int] = {}
        self._problems: list[RowProblem] = []
        self._problem_count = 0
        self._duplicates = 0

    def tasks(self) -> Iterator[ImportedTask]:
        """Good, distinct tasks in file order."""
        for item in self._items:
            if isinstance(item, RowProblem):
                self._note(item)
            elif self._is_new(item):
                yield item

    @property
    def report(self) -> ImportReport:
        """The account so far; complete once `tasks` is exhausted."""
        return ImportReport(
            rows=len(self._seen) + self._problem_count + self._duplicates,
            tasks=len(self._seen),
            problems=tuple(self._problems),
            problem_count=self._problem_count,
            duplicates_in_file=self._duplicates,
            digest=self._digest,
        )

    def _note(self, problem: RowProblem) -> None:
        self._problem_count += 1
        if len(self._problems) < PROBLEMS_REPORTED_MAX:
            self._problems.append(problem)

    def _is_new(self, task: ImportedTask) -> bool:
        fingerprint = _fingerprint(task)
        before = self._seen.get(task.external_id)
        if before is None:
            self._seen[task.external_id] = fingerprint
            return True
        if before == fingerprint:
            self._duplicates += 1
        else:
            problem = f"The id {task.external_id!r} names other material further up. Give each task its own id."
            self._note(RowProblem(task.line, None, problem))
        return False


def check_file(
    file: BinaryIO, filename: str, importer: Importer, mapping: Mapping[str, str] | None = None
) -> ImportReport:
    """Read a whole file without importing anything, and say what was found."""
    run = ImportRun(file, filename, importer, mapping)
    for _ in run.tasks():
        pass
    return run.report


def _fingerprint(task: ImportedTask) -> int:
    parts = [task.payload, task.gold, task.imported_answer]
    return hash((task.content_ratings, *(part.model_dump_json() for part in parts if part is not None)))
