"""Rows of a dataset release: prompts alone, models' answers marked right or wrong, and every submission by itself."""

import json
from collections.abc import Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table
from preceptor.tasktypes.prompt.agreement import fails
from preceptor.tasktypes.prompt.completeness import all_findings, asked_text, judged_runs
from preceptor.tasktypes.prompt.models import PromptAnswer, PromptConfig, PromptPayload
from preceptor.tasktypes.writing import counting

Task = ReleasedTask[PromptPayload, PromptAnswer]
Judgment = ReleasedJudgment[PromptAnswer]

FROM_JUDGMENTS: Final = "judgments"
FROM_IMPORT: Final = "imported"
FROM_KEY: Final = "gold"

_MESSAGES: Final = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
_TEXTS: Final = pa.list_(pa.string())
_RULE: Final = pa.struct([("kind", pa.string()), ("severity", pa.string()), ("message", pa.string())])
_ORIGIN: Final = [
    ("task_id", pa.string()),
    ("external_id", pa.string()),
    ("topic", pa.string()),
    ("submission_id", pa.string()),
    ("person", pa.string()),
    ("label_source", pa.string()),
    ("gold", pa.bool_()),
]
_ABOUT_PROMPT: Final = [
    ("difficulty", pa.string()),
    ("tags", _TEXTS),
    ("reference", pa.string()),
    ("grading", pa.string()),
    ("why_fails", pa.string()),
]

TABLES: Final = {
    "prompt_only": Table(
        pa.schema(
            [
                ("prompt", _MESSAGES),
                *_ABOUT_PROMPT,
                ("model_fails", pa.bool_()),
                ("runs", pa.int64()),
                ("runs_failed", pa.int64()),
                ("words", pa.int64()),
                *_ORIGIN,
            ]
        ),
        "prompt_only",
        "One prompt that somebody wrote and that counts.",
    ),
    "unpaired": Table(
        pa.schema(
            [
                ("prompt", _MESSAGES),
                ("completion", _MESSAGES),
                ("label", pa.bool_()),
                ("reason", pa.string()),
                ("model", pa.string()),
                *_ORIGIN,
            ]
        ),
        "unpaired",
        "One answer of a model to such a prompt: true where the writer found it right, false where it fails.",
    ),
}

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("person", pa.string()),
        ("brief_topic", pa.string()),
        ("brief_difficulty", pa.string()),
        ("brief", pa.string()),
        ("constraints", _TEXTS),
        ("rules", pa.string()),
        ("examples", _TEXTS),
        ("existing", _TEXTS),
        ("must_fail", pa.bool_()),
        ("fails_because", pa.string()),
        ("messages", _MESSAGES),
        *_ABOUT_PROMPT,
        ("constraints_met", pa.list_(pa.int64())),
        (
            "runs",
            pa.list_(
                pa.struct(
                    [
                        ("generation", pa.string()),
                        ("shown_as", pa.string()),
                        ("source", pa.string()),
                        ("prompt_key", pa.string()),
                        ("text", pa.string()),
                        ("verdict", pa.string()),
                        ("reason", pa.string()),
                    ]
                )
            ),
        ),
        ("runs_waived", pa.bool_()),
        ("model_fails", pa.bool_()),
        ("words", pa.int64()),
        (
            "rules_broken",
            pa.list_(pa.struct([("kind", pa.string()), ("severity", pa.string()), ("message", pa.string())])),
        ),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)


def release_rows(task: Task, submissions: Sequence[Judgment], config: PromptConfig) -> ReleaseRows:
    """A row for every prompt that counts: they are different prompts, not votes about one.

    A known prompt stands alone, and where nobody wrote, one that came with the file is used.
    """
    chosen = _chosen(task, submissions)
    return ReleaseRows(
        judgments=tuple(_judgment_row(task, submission, config) for submission in submissions),
        tables={
            "prompt_only": tuple(_prompt_row(task, answer, origin, config) for answer, origin in chosen),
            "unpaired": tuple(row for answer, origin in chosen for row in _run_rows(task, answer, origin)),
        },
    )


Origin = tuple[str, Judgment | None]


def _chosen(task: Task, submissions: Sequence[Judgment]) -> list[tuple[PromptAnswer, Origin]]:
    if task.known_answer is not None:
        return [(task.known_answer, (FROM_KEY, None))]
    counted = [each for each in submissions if each.counted and counting.collapsed(asked_text(each.answer))]
    if counted:
        return [(each.answer, (FROM_JUDGMENTS, each)) for each in counted]
    return [(task.imported_answer, (FROM_IMPORT, None))] if task.imported_answer is not None else []


def _origin(task: Task, origin: Origin) -> dict[str, object]:
    source, submission = origin
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic or task.payload.topic or None,
        "submission_id": submission.submission_id if submission else None,
        "person": submission.person_pseudonym if submission else None,
        "label_source": source,
        "gold": task.gold,
    }


def _messages(answer: PromptAnswer) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.content} for turn in answer.messages]


def _about(answer: PromptAnswer) -> dict[str, object]:
    return {
        "difficulty": answer.difficulty or None,
        "tags": list(answer.tags),
        "reference": answer.reference,
        "grading": answer.grading,
        "why_fails": answer.why_fails,
    }


def _prompt_row(task: Task, answer: PromptAnswer, origin: Origin, config: PromptConfig) -> Row:
    judged = judged_runs(answer)
    values = {
        "prompt": _messages(answer),
        **_about(answer),
        "model_fails": fails(answer, config),
        "runs": len(judged),
        "runs_failed": sum(run.verdict == "fail" for run in judged),
        "words": counting.words(asked_text(answer)),
        **_origin(task, origin),
    }
    return cast("Row", values)


def _run_rows(task: Task, answer: PromptAnswer, origin: Origin) -> list[Row]:
    return [
        cast(
            "Row",
            {
                "prompt": _messages(answer),
                "completion": [{"role": "assistant", "content": run.text}],
                "label": run.verdict == "ok",
                "reason": run.reason,
                "model": run.source,
                **_origin(task, origin),
            },
        )
        for run in judged_runs(answer)
        if run.text.strip()
    ]


def _judgment_row(task: Task, submission: Judgment, config: PromptConfig) -> Row:
    answer, payload = submission.answer, task.payload
    values = {
        "submission_id": submission.submission_id,
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "person": submission.person_pseudonym,
        "brief_topic": payload.topic,
        "brief_difficulty": payload.difficulty,
        "brief": payload.brief,
        "constraints": list(payload.constraints),
        "rules": json.dumps([rule.model_dump(mode="json") for rule in payload.rules]) if payload.rules else None,
        "examples": list(payload.examples),
        "existing": list(payload.existing),
        "must_fail": payload.must_fail,
        "fails_because": payload.fails_because,
        "messages": _messages(answer),
        **_about(answer),
        "constraints_met": list(answer.constraints_met),
        "runs": [run.model_dump() for run in answer.runs],
        "runs_waived": answer.runs_waived,
        "model_fails": fails(answer, config),
        "words": counting.words(asked_text(answer)),
        "rules_broken": [
            {"kind": each.kind, "severity": each.severity, "message": each.message}
            for each in all_findings(payload, answer, config)
        ],
        "seconds": submission.seconds,
        "state": submission.state,
        "counted": submission.counted,
        "guidelines_version": submission.guidelines_version,
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "gold": task.gold,
    }
    return cast("Row", values)
