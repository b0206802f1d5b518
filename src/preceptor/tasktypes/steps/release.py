"""Rows of a dataset release: process rewards as TRL takes them, corrected steps, every judgment."""

import json
from collections.abc import Iterator, Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table
from preceptor.tasktypes.messages import plain_content
from preceptor.tasktypes.released import (
    FROM_IMPORT,
    FROM_JUDGMENTS,
    FROM_KEY,
    JUDGMENT_COLUMNS,
    MESSAGES,
    SPANS,
    TASK_COLUMNS,
    judgment_columns,
    message_rows,
    span_rows,
    task_columns,
)
from preceptor.tasktypes.steps.agreement import RIGHT, labels, unit_name
from preceptor.tasktypes.steps.models import (
    FINAL,
    StepMark,
    StepsAnswer,
    StepsConfig,
    StepsPayload,
    first_wrong,
)

Task = ReleasedTask[StepsPayload, StepsAnswer]
Judgment = ReleasedJudgment[StepsAnswer]
DIGITS = 4
STEPWISE, CORRECTIONS, CORRECTED = "stepwise", "corrections", "corrected"

_SOURCES: Final = pa.list_(
    pa.struct([("id", pa.string()), ("title", pa.string()), ("text", pa.string()), ("url", pa.string())])
)
_MARKS: Final = pa.list_(
    pa.struct(
        [
            ("step", pa.int64()),
            ("verdict", pa.string()),
            ("category", pa.string()),
            ("correction", pa.string()),
            ("comment", pa.string()),
            ("quotes", SPANS),
            ("urls", pa.list_(pa.string())),
        ]
    )
)
_CORRECTION_COLUMNS: Final = [
    ("step", pa.int64()),
    ("original", pa.string()),
    ("correction", pa.string()),
    ("category", pa.string()),
    ("comment", pa.string()),
    ("votes_wrong", pa.int64()),
    ("votes", pa.int64()),
    ("person", pa.string()),
    ("submission_id", pa.string()),
    *TASK_COLUMNS,
]

TABLES: Final = {
    STEPWISE: Table(
        schema=pa.schema(
            [
                ("prompt", pa.string()),
                ("completions", pa.list_(pa.string())),
                ("labels", pa.list_(pa.bool_())),
                ("verdicts", pa.list_(pa.string())),
                ("shares", pa.list_(pa.float64())),
                ("first_wrong", pa.int64()),
                ("final_answer", pa.string()),
                ("final_correct", pa.bool_()),
                ("complete", pa.bool_()),
                ("joiner", pa.string()),
                ("source", pa.string()),
                ("label_source", pa.string()),
                *TASK_COLUMNS,
            ]
        ),
        shape="stepwise",
        about="One row per response: its steps with whether each is good, as process reward training takes them.",
        columns=(
            "Steps end with the first wrong one where the project says so (PRM800K's form), else at the first that is "
            "undecided; `complete` says whether all are there. `shares` is the share of people behind each verdict, "
            "empty where the labels came with the file."
        ),
    ),
    CORRECTIONS: Table(
        schema=pa.schema([("prompt", MESSAGES), ("chosen", MESSAGES), ("rejected", MESSAGES), *_CORRECTION_COLUMNS]),
        shape="preference",
        about="A step as somebody corrected it, against the step as it was; both after the same steps before it.",
        columns="`chosen` and `rejected` are one answer each: the steps before, then the step, which alone differs.",
    ),
    CORRECTED: Table(
        schema=pa.schema([("messages", MESSAGES), *_CORRECTION_COLUMNS]),
        shape="sft",
        about="The prompt and the answer up to and with the corrected step.",
    ),
}

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        *JUDGMENT_COLUMNS,
        *TASK_COLUMNS,
        ("prompt", MESSAGES),
        ("steps", pa.list_(pa.string())),
        ("cut", pa.string()),
        ("joiner", pa.string()),
        ("sources", _SOURCES),
        ("final_answer", pa.string()),
        ("reference", pa.string()),
        ("response_source", pa.string()),
        ("marks", _MARKS),
        ("first_wrong", pa.int64()),
        ("final_correct", pa.bool_()),
        ("comment", pa.string()),
        ("answer", pa.string()),
    ]
)


def release_rows(task: Task, submissions: Sequence[Judgment], consensus: Consensus, config: StepsConfig) -> ReleaseRows:
    """Rows of one task. A known answer comes before judgments, and these before an answer that came with the file.

    Undecided counts steps that were judged without a majority.
    """
    verdicts, origin = _verdicts(task, submissions, consensus, config)
    row = _stepwise(task, verdicts, consensus, origin, config)
    fixes = list(_fixes(task, submissions, verdicts))
    judged = [consensus.units.get(unit_name(at)) for at in range(len(task.payload.steps))]
    return ReleaseRows(
        judgments=tuple(_judgment(task, submission) for submission in submissions),
        tables={
            STEPWISE: () if row is None else (row,),
            CORRECTIONS: tuple(_correction(task, at, mark, shared) for at, mark, shared in fixes),
            CORRECTED: tuple(_rewritten(task, at, mark, shared) for at, mark, shared in fixes),
        },
        undecided=sum(unit is not None and bool(unit.counts) and unit.label is None for unit in judged),
    )


def _verdicts(
    task: Task, submissions: Sequence[Judgment], consensus: Consensus, config: StepsConfig
) -> tuple[dict[str, str], str]:
    """Label by unit, and what it rests on."""
    if task.known_answer is not None:
        return labels(task.payload, task.known_answer, config), FROM_KEY
    if task.imported_answer is not None and not any(submission.counted for submission in submissions):
        return labels(task.payload, task.imported_answer, config), FROM_IMPORT
    return {unit: one.label for unit, one in consensus.units.items() if one.label is not None}, FROM_JUDGMENTS


def _stepwise(
    task: Task, verdicts: dict[str, str], consensus: Consensus, origin: str, config: StepsConfig
) -> Row | None:
    said = list(_said(task, verdicts, config))
    if not said:
        return None
    final = verdicts.get(FINAL)
    shares = [
        unit.share if origin == FROM_JUDGMENTS and (unit := consensus.units.get(unit_name(at))) is not None else None
        for at in range(len(said))
    ]
    return cast(
        "Row",
        {
            "prompt": prompt_text(task.payload),
            "completions": [step.strip() for step in task.payload.steps[: len(said)]],
            "labels": [verdict == "correct" or (verdict == "neutral" and config.neutral_is_good) for verdict in said],
            "verdicts": said,
            "shares": [None if share is None else round(share, DIGITS) for share in shares],
            "first_wrong": said.index("wrong") if "wrong" in said else None,
            "final_answer": task.payload.final_answer,
            "final_correct": None if final is None else final == RIGHT,
            "complete": len(said) == len(task.payload.steps),
            "joiner": task.payload.joiner,
            "source": task.payload.response_source,
            "label_source": origin,
            **task_columns(task),
        },
    )


def _said(task: Task, verdicts: dict[str, str], config: StepsConfig) -> Iterator[str]:
    """Verdicts from the first step on, without a gap, and to the first wrong one where rows end there."""
    for at in range(len(task.payload.steps)):
        verdict = verdicts.get(unit_name(at))
        if verdict is None:
            return
        yield verdict
        if verdict == "wrong" and config.cut_at_first_error:
            return


def prompt_text(payload: StepsPayload) -> str:
    """The prompt as one text, as stepwise trainers take it: a single message as it is, several with their roles."""
    if len(payload.prompt) == 1:
        return plain_content(payload.prompt[0])
    return "\n\n".join(f"{message.role}: {plain_content(message)}" for message in payload.prompt)


def _fixes(
    task: Task, submissions: Sequence[Judgment], verdicts: dict[str, str]
) -> Iterator[tuple[int, StepMark, Row]]:
    """Corrections of counted judgments, but for steps that people together call right."""
    counted = [submission for submission in submissions if submission.counted]
    for submission in counted:
        for at, mark in sorted(submission.answer.marks.items()):
            known = at < len(task.payload.steps) and verdicts.get(unit_name(at)) not in ("correct", "neutral")
            if known and mark.correction.strip():
                yield at, mark, _fix_columns(task, at, mark, submission, counted)


def _fix_columns(task: Task, at: int, mark: StepMark, submission: Judgment, counted: Sequence[Judgment]) -> Row:
    given = [each.answer.marks[at].verdict for each in counted if at in each.answer.marks]
    return {
        "step": at,
        "original": task.payload.steps[at].strip(),
        "correction": mark.correction.strip(),
        "category": mark.category,
        "comment": mark.comment,
        "votes_wrong": given.count("wrong"),
        "votes": sum(verdict is not None for verdict in given),
        "person": submission.person_pseudonym,
        "submission_id": submission.submission_id,
        **task_columns(task),
    }


def _said_by_model(task: Task, at: int, step: str) -> list[Row]:
    return [{"role": "assistant", "content": task.payload.before(at) + step.strip()}]


def _correction(task: Task, at: int, mark: StepMark, shared: Row) -> Row:
    told = {
        "prompt": message_rows(task.payload.prompt),
        "chosen": _said_by_model(task, at, mark.correction),
        "rejected": _said_by_model(task, at, task.payload.steps[at]),
    }
    return cast("Row", {**told, **shared})


def _rewritten(task: Task, at: int, mark: StepMark, shared: Row) -> Row:
    messages = [*message_rows(task.payload.prompt), *_said_by_model(task, at, mark.correction)]
    return cast("Row", {"messages": messages, **shared})


def _judgment(task: Task, submission: Judgment) -> Row:
    payload, answer = task.payload, submission.answer
    return cast(
        "Row",
        {
            **judgment_columns(submission),
            **task_columns(task),
            "prompt": message_rows(payload.prompt),
            "steps": list(payload.steps),
            "cut": payload.cut,
            "joiner": payload.joiner,
            "sources": [source.model_dump(mode="json") for source in payload.sources],
            "final_answer": payload.final_answer,
            "reference": payload.reference,
            "response_source": payload.response_source,
            "marks": [_mark(at, mark) for at, mark in sorted(answer.marks.items())],
            "first_wrong": first_wrong(answer),
            "final_correct": answer.final_correct,
            "comment": answer.comment,
            "answer": json.dumps(answer.model_dump(mode="json", exclude_none=True), ensure_ascii=False, sort_keys=True),
        },
    )


def _mark(at: int, mark: StepMark) -> Row:
    return cast(
        "Row",
        {
            "step": at,
            "verdict": mark.verdict,
            "category": mark.category,
            "correction": mark.correction,
            "comment": mark.comment,
            "quotes": span_rows(mark.quotes),
            "urls": list(mark.urls),
        },
    )
