"""Rows of a dataset release: SFT, preference pairs of corrected drafts, and every demonstration by itself."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table
from preceptor.tasktypes.demonstration.agreement import whole_text
from preceptor.tasktypes.demonstration.completeness import all_findings
from preceptor.tasktypes.demonstration.models import DemonstrationAnswer, DemonstrationConfig, DemonstrationPayload
from preceptor.tasktypes.messages import trainer_messages
from preceptor.tasktypes.writing import counting, edits

Task = ReleasedTask[DemonstrationPayload, DemonstrationAnswer]
Judgment = ReleasedJudgment[DemonstrationAnswer]

FROM_JUDGMENTS: Final = "judgments"
FROM_IMPORT: Final = "imported"
FROM_KEY: Final = "gold"
APPROVED: Final = "approved"
_DAWN: Final = datetime.min.replace(tzinfo=UTC)

_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_SOURCES: Final = pa.list_(pa.struct([("url", pa.string()), ("title", pa.string()), ("quote", pa.string())]))
_ORIGIN: Final = [
    ("task_id", pa.string()),
    ("external_id", pa.string()),
    ("topic", pa.string()),
    ("submission_id", pa.string()),
    ("person", pa.string()),
    ("label_source", pa.string()),
    ("gold", pa.bool_()),
]

TABLES: Final = {
    "sft": Table(
        pa.schema(
            [
                ("messages", _MESSAGES),
                ("prompt", _MESSAGES),
                ("completion", _MESSAGES),
                ("sources", _SOURCES),
                ("words", pa.int64()),
                *_ORIGIN,
            ]
        ),
        "sft",
        "One demonstration: the conversation with its ideal answer, also parted into prompt and completion.",
    ),
    "preference": Table(
        pa.schema(
            [
                ("prompt", _MESSAGES),
                ("chosen", _MESSAGES),
                ("rejected", _MESSAGES),
                ("share_changed", pa.float64()),
                ("rejected_source", pa.string()),
                *_ORIGIN,
            ]
        ),
        "preference",
        "A draft that somebody corrected: the corrected text is chosen, the draft rejected.",
    ),
}

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("person", pa.string()),
        ("prompt", _MESSAGES),
        ("brief", pa.string()),
        ("draft", pa.string()),
        ("draft_source", pa.string()),
        ("reference", pa.string()),
        ("text", pa.string()),
        ("turns", _MESSAGES),
        ("sources", _SOURCES),
        ("note", pa.string()),
        ("words", pa.int64()),
        ("characters", pa.int64()),
        (
            "rules_broken",
            pa.list_(
                pa.struct(
                    [("rule", pa.int64()), ("kind", pa.string()), ("severity", pa.string()), ("message", pa.string())]
                )
            ),
        ),
        ("edits", pa.list_(pa.struct([("op", pa.string()), ("text", pa.string())]))),
        ("words_deleted", pa.int64()),
        ("words_inserted", pa.int64()),
        ("share_changed", pa.float64()),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)


def release_rows(task: Task, submissions: Sequence[Judgment], config: DemonstrationConfig) -> ReleaseRows:
    """Training rows of the demonstrations that were chosen, and one judgment row per submission.

    There is no vote about texts. Of each task the best one is trained on: an approved one before others that count,
    the latest of several; with `release = all` every one that counts. A known answer comes before all, and where
    nobody wrote, an answer that came with the file is used.
    """
    chosen = _chosen(task, submissions, config)
    sft = tuple(_sft_row(task, answer, origin) for answer, origin in chosen)
    preference = tuple(
        _preference_row(task, answer, origin)
        for answer, origin in chosen
        if config.mode == "edit" and task.payload.draft and answer.text != task.payload.draft
    )
    judgments = tuple(_judgment_row(task, submission, config) for submission in submissions)
    return ReleaseRows(
        judgments=judgments,
        tables={"sft": sft, "preference": preference},
        undecided=0 if chosen or not submissions else 1,
    )


Origin = tuple[str, Judgment | None]


def _chosen(
    task: Task, submissions: Sequence[Judgment], config: DemonstrationConfig
) -> list[tuple[DemonstrationAnswer, Origin]]:
    if task.known_answer is not None:
        return [(task.known_answer, (FROM_KEY, None))]
    counted = [each for each in submissions if each.counted and counting.collapsed(whole_text(each.answer))]
    if counted:
        kept = counted if config.release == "all" else [max(counted, key=_merit)]
        return [(each.answer, (FROM_JUDGMENTS, each)) for each in kept]
    if task.imported_answer is not None:
        return [(task.imported_answer, (FROM_IMPORT, None))]
    return []


def _merit(submission: Judgment) -> tuple[bool, datetime, str]:
    return submission.state == APPROVED, submission.submitted_at or _DAWN, submission.submission_id


def _origin(task: Task, origin: Origin) -> Row:
    source, submission = origin
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "submission_id": submission.submission_id if submission else None,
        "person": submission.person_pseudonym if submission else None,
        "label_source": source,
        "gold": task.gold,
    }


def _written(answer: DemonstrationAnswer) -> list[dict[str, str]]:
    """What was written, as messages."""
    if answer.turns:
        return [{"role": turn.role, "content": turn.content} for turn in answer.turns]
    return [{"role": "assistant", "content": answer.text}]


def _sources(answer: DemonstrationAnswer) -> list[dict[str, str]]:
    return [source.model_dump() for source in answer.sources]


def _sft_row(task: Task, answer: DemonstrationAnswer, origin: Origin) -> Row:
    """`completion` is the last turn alone, `prompt` all before it."""
    messages = [*trainer_messages(task.payload.messages), *_written(answer)]
    values = {
        "messages": messages,
        "prompt": messages[:-1],
        "completion": messages[-1:],
        "sources": _sources(answer),
        "words": counting.words(whole_text(answer)),
        **_origin(task, origin),
    }
    return cast("Row", values)


def _preference_row(task: Task, answer: DemonstrationAnswer, origin: Origin) -> Row:
    draft = task.payload.draft or ""
    values = {
        "prompt": trainer_messages(task.payload.messages),
        "chosen": [{"role": "assistant", "content": answer.text}],
        "rejected": [{"role": "assistant", "content": draft}],
        "share_changed": edits.changes(edits.edit_script(draft, answer.text)).share,
        "rejected_source": task.payload.draft_source,
        **_origin(task, origin),
    }
    return cast("Row", values)


def _judgment_row(task: Task, submission: Judgment, config: DemonstrationConfig) -> Row:
    answer, text = submission.answer, whole_text(submission.answer)
    values = {
        "submission_id": submission.submission_id,
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "person": submission.person_pseudonym,
        "prompt": trainer_messages(task.payload.messages) or None,
        "brief": task.payload.brief,
        "draft": task.payload.draft,
        "draft_source": task.payload.draft_source,
        "reference": task.payload.reference,
        "text": answer.text,
        "turns": [turn.model_dump() for turn in answer.turns],
        "sources": _sources(answer),
        "note": answer.note,
        "words": counting.words(text),
        "characters": counting.characters(text),
        "rules_broken": [
            {"rule": each.rule, "kind": each.kind, "severity": each.severity, "message": name + each.message}
            for name, each in all_findings(answer, config)
        ],
        **_edit_columns(task.payload.draft if config.mode == "edit" else None, answer.text),
        "seconds": submission.seconds,
        "state": submission.state,
        "counted": submission.counted,
        "guidelines_version": submission.guidelines_version,
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "gold": task.gold,
    }
    return cast("Row", values)


def _edit_columns(draft: str | None, text: str) -> dict[str, object]:
    if draft is None:
        return {"edits": [], "words_deleted": None, "words_inserted": None, "share_changed": None}
    script = edits.edit_script(draft, text)
    sums = edits.changes(script)
    return {
        "edits": [{"op": edit.op, "text": edit.text} for edit in script],
        "words_deleted": sums.words_deleted,
        "words_inserted": sums.words_inserted,
        "share_changed": sums.share,
    }
