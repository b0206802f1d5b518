"""What an import's file looks like inside, for the person who has to say which column is which."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from preceptor.projects.importing import RawRow, RowProblem, Suggestions, detect, read_rows
from preceptor.projects.models import Import
from preceptor.tasktypes.importing import Importer

ROWS_LOOKED_AT = 50
EXAMPLES = 3
EXAMPLE_CHARACTERS = 120


@dataclass(frozen=True)
class Layout:
    """Columns with example values. `found` names the column of each target that was recognised; `missing` the rest."""

    columns: Mapping[str, tuple[str, ...]]
    found: Mapping[str, str]
    missing: tuple[str, ...]

    @property
    def recognised(self) -> bool:
        return bool(self.columns) and not self.missing


def look_into(file: BinaryIO, found: Import, importer: Importer) -> Layout:
    """The layout of a file from its first rows; without columns where no row can be read."""
    rows: list[RawRow] = []
    for row in read_rows(file, found.filename):
        if isinstance(row, RowProblem):
            continue
        rows.append(row)
        if len(rows) == ROWS_LOOKED_AT:
            break
    names = list(dict.fromkeys(name for row in rows for name in row.values))
    seen = detect(names, [row.values for row in rows], importer)
    examples = {
        name: tuple(_example(row.values[name]) for row in rows[:EXAMPLES] if name in row.values) for name in names
    }
    if isinstance(seen, Suggestions):
        return Layout(examples, found.mapping or seen.found, seen.missing)
    return Layout(examples, found.mapping or seen.columns, ())


def _example(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= EXAMPLE_CHARACTERS else f"{text[:EXAMPLE_CHARACTERS]}…"
