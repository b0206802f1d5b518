"""What an importer is: which columns mean what, and how a row becomes a payload."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import BaseModel

from preceptor.tasktypes.importing.rows import Values


@dataclass(frozen=True)
class Way:
    """A layout that an import understands, with an example row as people would write it."""

    name: str
    columns: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class Material:
    """What a row holds: a valid payload, and beside it the labels that came along.

    `imported_answer` and `imported_votes` (label -> count) are what others decided before; `gold` is a known
    answer to measure people by. None of them is ever part of the payload.
    """

    payload: BaseModel
    imported_answer: BaseModel | None = None
    imported_votes: Mapping[str, int] = field(default_factory=dict)
    gold: BaseModel | None = None


class Importer(Protocol):
    """Reads the rows of files for one task type. Pure.

    Targets are what a column can mean; a mapping names the column of each. What every task has (its id, priority,
    overlap, topic, the explanation of a known answer) is read elsewhere.
    """

    @property
    def ways(self) -> tuple[Way, ...]:
        """Layouts that are understood without a mapping, the usual one first."""

    @property
    def targets(self) -> Mapping[str, tuple[str, ...]]:
        """Target -> names of columns that mean it, best first, in lower case with underscores."""

    @property
    def titles(self) -> Mapping[str, str]:
        """Target -> what to call it, for those that a person maps by hand."""

    def settle(self, found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
        """The recognised columns without those that another one makes superfluous.

        `found`: target -> column. `by_name`: every column of the file by its name in lower case with underscores.
        """

    def missing(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """What a mapping still lacks, in words; empty when it can work."""

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """The material of a row. RowRefused says which column is wrong and how to mend it."""
