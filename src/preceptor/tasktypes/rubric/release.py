"""Rows of a dataset release: rubrics as rating projects and HealthBench's graders take them, and every judgment."""

import json
from collections.abc import Sequence
from typing import Final, cast

import pyarrow as pa

from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, ReleaseRows, Row, Table, to_json
from preceptor.tasktypes.rating.models import Criterion
from preceptor.tasktypes.rating.reading import yes_no
from preceptor.tasktypes.rating.release import CRITERIA, criteria_rows
from preceptor.tasktypes.released import (
    FROM_IMPORT,
    FROM_JUDGMENTS,
    FROM_KEY,
    JUDGMENT_COLUMNS,
    MESSAGES,
    RESPONSES,
    TASK_COLUMNS,
    judgment_columns,
    message_rows,
    task_columns,
)
from preceptor.tasktypes.rubric.agreement import DECISION, favoured_proposal, unit_name
from preceptor.tasktypes.rubric.models import (
    QUESTIONS,
    CriterionVerdict,
    RubricAnswer,
    RubricConfig,
    RubricCriterion,
    RubricPayload,
    written,
)

Task = ReleasedTask[RubricPayload, RubricAnswer]
Judgment = ReleasedJudgment[RubricAnswer]
DIGITS = 4
RUBRICS, CRITERIA_TABLE = "rubrics", "criteria"

_DRAFT: Final = pa.list_(
    pa.struct(
        [
            ("id", pa.string()),
            ("statement", pa.string()),
            ("kind", pa.string()),
            ("points", pa.int64()),
            ("rationale", pa.string()),
            ("fine", pa.list_(pa.string())),
        ]
    )
)
_HEALTHBENCH: Final = pa.list_(
    pa.struct([("criterion", pa.string()), ("points", pa.int64()), ("tags", pa.list_(pa.string()))])
)
_VERDICTS: Final = pa.list_(
    pa.struct(
        [
            ("criterion", pa.string()),
            *((question, pa.bool_()) for question in QUESTIONS),
            ("decision", pa.string()),
            ("proposal", pa.string()),
            ("comment", pa.string()),
        ]
    )
)

TABLES: Final = {
    RUBRICS: Table(
        schema=pa.schema(
            [
                ("prompt_id", pa.string()),
                ("prompt", MESSAGES),
                ("rubrics", _HEALTHBENCH),
                ("criteria", CRITERIA),
                ("draft", _DRAFT),
                ("responses", RESPONSES),
                ("context", pa.string()),
                ("points_total", pa.int64()),
                ("person", pa.string()),
                ("submission_id", pa.string()),
                ("label_source", pa.string()),
                *TASK_COLUMNS,
            ]
        ),
        shape="plain",
        about="One row per rubric: each author's, or the one that validators left of the draft.",
        columns=(
            "`rubrics` is HealthBench's form (`criterion`, `points`, `tags`). `criteria` is what a rating project "
            "takes as criteria of the task, `draft` what a project that validates rubrics takes: the file imports "
            "into both."
        ),
    ),
    CRITERIA_TABLE: Table(
        schema=pa.schema(
            [
                ("prompt", MESSAGES),
                ("criterion_id", pa.string()),
                ("statement", pa.string()),
                ("kind", pa.string()),
                ("points", pa.int64()),
                ("decision", pa.string()),
                ("mended", pa.string()),
                *((question, pa.float64()) for question in QUESTIONS),
                ("keep", pa.float64()),
                ("mend", pa.float64()),
                ("drop", pa.float64()),
                ("judgments", pa.int64()),
                ("proposals", pa.list_(pa.string())),
                ("comments", pa.list_(pa.string())),
                *TASK_COLUMNS,
            ]
        ),
        shape="plain",
        about="One row per validated criterion: the share of validators for each answer.",
    ),
}

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        *JUDGMENT_COLUMNS,
        *TASK_COLUMNS,
        ("prompt", MESSAGES),
        ("context", pa.string()),
        ("responses", RESPONSES),
        ("draft", _DRAFT),
        ("written", _DRAFT),
        ("verdicts", _VERDICTS),
        ("missing", pa.list_(pa.string())),
        ("comment", pa.string()),
        ("answer", pa.string()),
    ]
)


def rating_criteria(criteria: Sequence[RubricCriterion]) -> list[Criterion]:
    """The rubric as criteria of a rating task: yes or no, weighted by points, each yes with a quote."""
    return [
        Criterion.model_validate({**yes_no(each.id, _title(each), float(each.points)), "description": _about(each)})
        for each in criteria
    ]


def _title(criterion: RubricCriterion) -> str:
    # A rating's title is shorter than the longest statement; the whole stands in the description then.
    return criterion.statement if len(criterion.statement) <= 500 else f"{criterion.statement[:499]}…"


def _about(criterion: RubricCriterion) -> str:
    whole = "" if _title(criterion) == criterion.statement else f"{criterion.statement}\n\n"
    return f"{whole}{criterion.rationale}"[:2_000]


def release_rows(
    task: Task, submissions: Sequence[Judgment], consensus: Consensus, config: RubricConfig
) -> ReleaseRows:
    """Rows of one task. A known answer comes before judgments, and these before an answer that came with the file.

    Undecided counts criteria whose fate the validators left open; they stay in the rubric as they were.
    """
    judgments = tuple(_judgment(task, submission) for submission in submissions)
    counted = [submission for submission in submissions if submission.counted]
    if config.mode == "author":
        rubrics = _authored(task, counted)
        return ReleaseRows(judgments, {RUBRICS: tuple(rubrics), CRITERIA_TABLE: ()}, undecided=int(not rubrics))
    answers = [submission.answer for submission in counted]
    return ReleaseRows(
        judgments,
        {
            RUBRICS: tuple(_validated(task, consensus, answers)),
            CRITERIA_TABLE: tuple(_criterion(task, each, consensus, answers) for each in task.payload.draft if answers),
        },
        undecided=sum(_decision(consensus, each) is None for each in task.payload.draft),
    )


def _authored(task: Task, counted: Sequence[Judgment]) -> list[Row]:
    if task.known_answer is not None:
        return [_rubric(task, written(task.payload, task.known_answer), FROM_KEY)]
    if not counted and task.imported_answer is not None:
        return [_rubric(task, written(task.payload, task.imported_answer), FROM_IMPORT)]
    return [_rubric(task, written(task.payload, each.answer), FROM_JUDGMENTS, each) for each in counted]


def _validated(task: Task, consensus: Consensus, answers: Sequence[RubricAnswer]) -> list[Row]:
    if not answers:
        return []
    kept = []
    for criterion in task.payload.draft:
        decision = _decision(consensus, criterion)
        if decision == "mend":
            mended = favoured_proposal(criterion.id, answers) or criterion.statement
            criterion = criterion.model_copy(update={"statement": mended, "fine": []})
        if decision != "drop":
            kept.append(criterion)
    return [_rubric(task, kept, FROM_JUDGMENTS)] if kept else []


def _decision(consensus: Consensus, criterion: RubricCriterion) -> str | None:
    unit = consensus.units.get(unit_name(criterion.id, DECISION))
    return unit.label if unit is not None else None


def _rubric(task: Task, criteria: Sequence[RubricCriterion], origin: str, submission: Judgment | None = None) -> Row:
    return cast(
        "Row",
        {
            "prompt_id": task.external_id or task.task_id,
            "prompt": message_rows(task.payload.prompt),
            "rubrics": [
                {"criterion": each.statement, "points": each.points, "tags": [f"kind:{each.kind}"]} for each in criteria
            ],
            "criteria": criteria_rows(rating_criteria(criteria)),
            "draft": [to_json(each) for each in criteria],
            "responses": _responses(task),
            "context": task.payload.context,
            "points_total": sum(each.points for each in criteria if each.points > 0),
            "person": submission.person_pseudonym if submission else None,
            "submission_id": submission.submission_id if submission else None,
            "label_source": origin,
            **task_columns(task),
        },
    )


def _responses(task: Task) -> list[Row]:
    return [
        cast("Row", {"id": each.id, "source": each.source, "messages": message_rows(each.messages)})
        for each in task.payload.responses
    ]


def _criterion(task: Task, criterion: RubricCriterion, consensus: Consensus, answers: Sequence[RubricAnswer]) -> Row:
    verdicts = [verdict for answer in answers if (verdict := answer.verdicts.get(criterion.id)) is not None]
    decision = _decision(consensus, criterion)
    mended = favoured_proposal(criterion.id, answers) if decision == "mend" else None
    return cast(
        "Row",
        {
            "prompt": message_rows(task.payload.prompt),
            "criterion_id": criterion.id,
            "statement": criterion.statement,
            "kind": criterion.kind,
            "points": criterion.points,
            "decision": decision,
            "mended": mended,
            **{question: _share([getattr(verdict, question) for verdict in verdicts], True) for question in QUESTIONS},
            **{one: _share([verdict.decision for verdict in verdicts], one) for one in ("keep", "mend", "drop")},
            "judgments": len(verdicts),
            "proposals": [verdict.proposal for verdict in verdicts if verdict.proposal.strip()],
            "comments": [verdict.comment for verdict in verdicts if verdict.comment.strip()],
            **task_columns(task),
        },
    )


def _share(given: Sequence[object], wanted: object) -> float | None:
    said = [each for each in given if each is not None]
    return round(sum(each == wanted for each in said) / len(said), DIGITS) if said else None


def _judgment(task: Task, submission: Judgment) -> Row:
    payload, answer = task.payload, submission.answer
    return cast(
        "Row",
        {
            **judgment_columns(submission),
            **task_columns(task),
            "prompt": message_rows(payload.prompt),
            "context": payload.context,
            "responses": _responses(task),
            "draft": [to_json(each) for each in payload.draft],
            "written": None if answer.criteria is None else [to_json(each) for each in answer.criteria],
            "verdicts": [_verdict(name, verdict) for name, verdict in sorted(answer.verdicts.items())],
            "missing": list(answer.missing),
            "comment": answer.comment,
            "answer": json.dumps(to_json(answer), ensure_ascii=False, sort_keys=True),
        },
    )


def _verdict(name: str, verdict: CriterionVerdict) -> Row:
    return {"criterion": name, **cast("Row", verdict.model_dump(mode="json"))}
