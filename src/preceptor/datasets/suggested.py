"""What a release says of suggestions: for each judgment, whether one was shown and what became of it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
from sqlalchemy import Row as SqlRow

from preceptor.kit.ids import show_id
from preceptor.tasktypes.base import ReleaseRows, Row

BLIND: Final = "blind"
"""There was a suggestion, and the task was drawn to be judged without it."""
SHOWN: Final = "shown"
"""It was shown, and the answer was given before anybody measured what became of it."""
COLUMNS: Final = [pa.field("suggestion", pa.string()), pa.field("suggestion_model", pa.string())]


def with_columns(schema: pa.Schema) -> pa.Schema:
    """The schema of a kind's judgments with what is said of suggestions behind it."""
    for column in COLUMNS:
        schema = schema.append(column)
    return schema


def state_of(judgment: SqlRow[Any]) -> str | None:
    """`accepted`, `edited`, `rejected`, `blind`; None where the task had no suggestion."""
    if judgment.suggestion_shown is None:
        return None
    if not judgment.suggestion_shown:
        return BLIND
    return str(judgment.suggestion_outcome) if judgment.suggestion_outcome else SHOWN


def told(rows: ReleaseRows, judgments: Sequence[SqlRow[Any]]) -> ReleaseRows:
    """A task's rows with the columns about suggestions in every judgment."""
    said = {show_id("submission", judgment.id): _said(judgment) for judgment in judgments}
    return replace(rows, judgments=tuple({**row, **said[str(row["submission_id"])]} for row in rows.judgments))


def _said(judgment: SqlRow[Any]) -> Row:
    return {"suggestion": state_of(judgment), "suggestion_model": judgment.suggestion_model or None}
