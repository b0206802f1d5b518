"""Columns that rows of several kinds of work share, with their Arrow types."""

from collections.abc import Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import AnswerT, PayloadT, ReleasedJudgment, ReleasedTask, Row
from preceptor.tasktypes.messages import Message, trainer_messages
from preceptor.tasktypes.spans import Span

MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
SPANS: Final = pa.list_(
    pa.struct(
        [
            ("where", pa.string()),
            ("message", pa.int64()),
            ("start", pa.int64()),
            ("end", pa.int64()),
            ("text", pa.string()),
        ]
    )
)
RESPONSES: Final = pa.list_(pa.struct([("id", pa.string()), ("source", pa.string()), ("messages", MESSAGES)]))

TASK_COLUMNS: Final = [
    ("task_id", pa.string()),
    ("external_id", pa.string()),
    ("topic", pa.string()),
    ("gold", pa.bool_()),
]
JUDGMENT_COLUMNS: Final = [
    ("submission_id", pa.string()),
    ("person", pa.string()),
    ("shown_order", pa.list_(pa.string())),
    ("seconds", pa.float64()),
    ("state", pa.string()),
    ("counted", pa.bool_()),
    ("guidelines_version", pa.int64()),
    ("submitted_at", pa.string()),
]

FROM_JUDGMENTS = "judgments"
FROM_IMPORT = "imported"
FROM_KEY = "gold"


def task_columns(task: ReleasedTask[PayloadT, AnswerT]) -> Row:
    """Where a row comes from."""
    return {"task_id": task.task_id, "external_id": task.external_id, "topic": task.topic, "gold": task.gold}


def judgment_columns(submission: ReleasedJudgment[AnswerT]) -> Row:
    """Who judged, when, and what became of it."""
    return {
        "submission_id": submission.submission_id,
        "person": submission.person_pseudonym,
        "shown_order": list(submission.shown_order),
        "seconds": submission.seconds,
        "state": submission.state,
        "counted": submission.counted,
        "guidelines_version": submission.guidelines_version,
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
    }


def span_rows(spans: Sequence[Span]) -> list[Row]:
    """Quotes as rows of `SPANS`."""
    return [cast("Row", span.model_dump(mode="json")) for span in spans]


def message_rows(messages: Sequence[Message]) -> list[Row]:
    """A conversation as rows of `MESSAGES`."""
    return [cast("Row", message) for message in trainer_messages(messages)]
