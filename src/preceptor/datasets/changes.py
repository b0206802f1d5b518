"""What differs between two releases of a project, counted in rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

_COLUMNS = ("task_id", "pair_digests", "judgment_digests")


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows of one config. A row is changed when its task had another one in its place."""

    added: int = 0
    changed: int = 0
    removed: int = 0

    def plus(self, other: "RowChanges") -> "RowChanges":
        return RowChanges(self.added + other.added, self.changed + other.changed, self.removed + other.removed)


@dataclass(frozen=True, slots=True)
class ReleaseChanges:
    """From one release to a later one."""

    pairs: RowChanges
    judgments: RowChanges


@dataclass(frozen=True, slots=True)
class _TaskRows:
    task_id: str
    pairs: Sequence[str]
    judgments: Sequence[str]


def compare(older: Sequence[Path], newer: Sequence[Path]) -> ReleaseChanges:
    """Compare two releases by their provenance files. Memory is flat: both are in task order and read side by side."""
    pairs = judgments = RowChanges()
    for before, after in _side_by_side(_tasks(older), _tasks(newer)):
        pairs = pairs.plus(_changes(before.pairs if before else (), after.pairs if after else ()))
        judgments = judgments.plus(_changes(before.judgments if before else (), after.judgments if after else ()))
    return ReleaseChanges(pairs, judgments)


def _changes(before: Sequence[str], after: Sequence[str]) -> RowChanges:
    same = (Counter(before) & Counter(after)).total()
    changed = min(len(before), len(after)) - same
    return RowChanges(max(0, len(after) - len(before)), changed, max(0, len(before) - len(after)))


def _side_by_side(
    older: Iterator[_TaskRows], newer: Iterator[_TaskRows]
) -> Iterator[tuple[_TaskRows | None, _TaskRows | None]]:
    """Tasks of both sides joined by id; None where one side lacks the task."""
    before, after = next(older, None), next(newer, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before.task_id < after.task_id):
            yield before, None
            before = next(older, None)
        elif before is None or after.task_id < before.task_id:
            yield None, after
            after = next(newer, None)
        else:
            yield before, after
            before, after = next(older, None), next(newer, None)


def _tasks(files: Sequence[Path]) -> Iterator[_TaskRows]:
    for file in files:
        with pq.ParquetFile(file) as parquet:
            for batch in parquet.iter_batches(columns=list(_COLUMNS)):
                for row in batch.to_pylist():
                    yield _TaskRows(row["task_id"], row["pair_digests"], row["judgment_digests"])
