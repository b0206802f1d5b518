"""How one row of a file becomes a task: its material by the task type's importer, and what every task has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from pydantic import BaseModel

from preceptor.people import content
from preceptor.projects.importing.mapping import ColumnMapping
from preceptor.tasktypes.importing import Importer, RowReader, RowRefused, Values

EXTERNAL_ID_CHARACTERS_MAX = 200
TOPIC_CHARACTERS_MAX = 200
EXPLANATION_CHARACTERS_MAX = 5_000
PRIORITY_MIN, PRIORITY_MAX, PRIORITY_USUAL = 1, 9, 5
OVERLAP_MIN, OVERLAP_MAX = 1, 100
RATINGS_NAMED_MAX = 50


@dataclass(frozen=True, slots=True)
class ImportedTask:
    """A task out of a file. Its payload is valid; labels that came along stand beside it (see `Material`)."""

    line: int
    external_id: str
    payload: BaseModel
    priority: int = PRIORITY_USUAL
    """1 is most urgent, 9 least."""
    overlap: int | None = None
    topic: str | None = None
    gold: BaseModel | None = None
    gold_explanation: str | None = None
    imported_answer: BaseModel | None = None
    imported_votes: Mapping[str, int] = field(default_factory=dict)
    content_ratings: tuple[str, ...] = ()


def convert(row: Values, mapping: ColumnMapping, importer: Importer, line: int = 0) -> ImportedTask:
    """The task in a row; RowRefused says which column is wrong and how to mend it.

    Without an id the task is named by the SHA-256 of its payload.
    """
    reader = RowReader(row, mapping.columns)
    found = importer.convert(row, mapping.columns)
    external_id = reader.text("external_id", EXTERNAL_ID_CHARACTERS_MAX)
    return ImportedTask(
        line=line,
        external_id=external_id or sha256(found.payload.model_dump_json(exclude_none=True).encode()).hexdigest(),
        payload=found.payload,
        priority=reader.whole_number("priority", PRIORITY_MIN, PRIORITY_MAX) or PRIORITY_USUAL,
        overlap=reader.whole_number("overlap", OVERLAP_MIN, OVERLAP_MAX),
        topic=reader.text("topic", TOPIC_CHARACTERS_MAX),
        gold=found.gold,
        gold_explanation=reader.text("gold_explanation", EXPLANATION_CHARACTERS_MAX),
        imported_answer=found.imported_answer,
        imported_votes=found.imported_votes,
        content_ratings=_ratings(reader),
    )


def _ratings(reader: RowReader) -> tuple[str, ...]:
    """What the task may show: a list, or names with commas in between."""
    names = reader.names("content_ratings", RATINGS_NAMED_MAX)
    try:
        return content.known([name.lower().replace("-", "_").replace(" ", "_") for name in names])
    except ValueError as error:
        raise RowRefused(f"{str(error).capitalize()}.", reader.columns["content_ratings"]) from None
