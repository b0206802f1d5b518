"""Rows of a dataset release: joint answers, single marks, and every judgment, in Label Studio's results."""

import json
from collections.abc import Sequence
from typing import Final, cast

import pyarrow as pa
from pydantic import JsonValue

from preceptor.tasktypes.annotation.board import Board
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationPayload
from preceptor.tasktypes.annotation.shapes import Area, Mark, Span, Times, between, full_text, in_characters, marks_of
from preceptor.tasktypes.base import (
    Consensus,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Table,
    to_json,
)

Task = ReleasedTask[AnnotationPayload, AnnotationAnswer]
Judgment = ReleasedJudgment[AnnotationAnswer]

FROM_JUDGMENTS = "judgments"
FROM_IMPORT = "imported"
FROM_KEY = "gold"
DIGITS = 4

ANNOTATIONS_SCHEMA: Final = pa.schema(
    [
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("data", pa.string()),
        ("result", pa.string()),
        ("label_source", pa.string()),
        (
            "labels",
            pa.list_(
                pa.struct(
                    [
                        ("unit", pa.string()),
                        ("label", pa.string()),
                        ("votes", pa.int64()),
                        ("share", pa.float64()),
                        ("probability", pa.float64()),
                    ]
                )
            ),
        ),
        ("judgments", pa.int64()),
        ("gold", pa.bool_()),
    ]
)

REGIONS_SCHEMA: Final = pa.schema(
    [
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("region_id", pa.string()),
        ("submission_id", pa.string()),
        ("person", pa.string()),
        ("control", pa.string()),
        ("object", pa.string()),
        ("type", pa.string()),
        ("labels", pa.list_(pa.string())),
        ("text", pa.string()),
        ("start", pa.float64()),
        ("end", pa.float64()),
        ("box", pa.list_(pa.float64())),
        ("page", pa.int64()),
        ("value", pa.string()),
    ]
)

JUDGMENT_SCHEMA: Final = pa.schema(
    [
        ("submission_id", pa.string()),
        ("task_id", pa.string()),
        ("external_id", pa.string()),
        ("topic", pa.string()),
        ("person", pa.string()),
        ("data", pa.string()),
        ("result", pa.string()),
        ("seconds", pa.float64()),
        ("state", pa.string()),
        ("counted", pa.bool_()),
        ("guidelines_version", pa.int64()),
        ("submitted_at", pa.string()),
        ("gold", pa.bool_()),
    ]
)

TABLES: Final = {
    "annotations": Table(
        ANNOTATIONS_SCHEMA,
        "plain",
        "One row is a task with the joint answer of all who judged it, as Label Studio results in JSON.",
        "- `data`: the task's data as JSON.\n- `result`: Label Studio results as JSON; null where the answers decide "
        "nothing.\n- `labels`: every question with a known set of answers, with votes and how sure the answer is.",
    ),
    "regions": Table(
        REGIONS_SCHEMA,
        "plain",
        "One row is one mark (a span, box, stretch of time …) that one person made in a judgment that counts.",
        "- `start`, `end`: characters of the text (Python indices), seconds, frames or units of the time column.\n"
        "- `box`: left, top, width and height of what encloses an area, in percent of the image.\n"
        "- `value`: the whole value as JSON.",
    ),
}


def release_rows(task: Task, submissions: Sequence[Judgment], consensus: Consensus, board: Board) -> ReleaseRows:
    """One row of `annotations` for each task that somebody judged or that came with an answer, marks, judgments.

    A known answer comes before the joint one, the joint one before an imported one (`label_source`). Units without
    a majority are counted as undecided.
    """
    counted = [submission for submission in submissions if submission.counted]
    result, source = _joint(task, consensus, bool(counted))
    undecided = sum(unit.label is None and bool(unit.counts) for unit in consensus.units.values())
    rows: tuple[Row, ...] = ()
    if source is not None:
        rows = (_task_row(task, consensus, result, source, len(counted)),)
    marks = tuple(
        _region_row(task, submission, mark, board)
        for submission in counted
        for mark in marks_of(submission.answer, board).values()
    )
    return ReleaseRows(
        judgments=tuple(_judgment_row(task, submission) for submission in submissions),
        tables={"annotations": rows, "regions": marks},
        undecided=undecided,
    )


def results_json(answer: AnnotationAnswer) -> list[JsonValue]:
    """Results as Label Studio keeps them."""
    return cast("list[JsonValue]", to_json(answer).get("result", []))


def _dumped(value: JsonValue) -> str:
    return json.dumps(value, ensure_ascii=False)


def _joint(task: Task, consensus: Consensus, judged: bool) -> tuple[list[JsonValue] | None, str | None]:
    if task.known_answer is not None:
        return results_json(task.known_answer), FROM_KEY
    if judged:
        joint = consensus.answer
        return (cast("list[JsonValue]", joint.get("result", [])) if joint is not None else None), FROM_JUDGMENTS
    if task.imported_answer is not None:
        return results_json(task.imported_answer), FROM_IMPORT
    return None, None


def _task_row(task: Task, consensus: Consensus, result: list[JsonValue] | None, source: str, judged: int) -> Row:
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "data": _dumped(task.payload.data),
        "result": _dumped(result) if result is not None else None,
        "label_source": source,
        "labels": [_unit_row(consensus, unit) for unit, votes in consensus.units.items() if votes.counts],
        "judgments": judged,
        "gold": task.gold,
    }


def _unit_row(consensus: Consensus, unit: str) -> Row:
    found = consensus.units[unit]
    chances = consensus.posterior.units.get(unit, {}) if consensus.posterior is not None else {}
    chance = chances.get(found.label) if found.label is not None else None
    return {
        "unit": unit,
        "label": found.label,
        "votes": sum(found.counts.values()),
        "share": round(found.share, DIGITS) if found.share is not None else None,
        "probability": round(chance, DIGITS) if chance is not None else None,
    }


def _region_row(task: Task, submission: Judgment, mark: Mark, board: Board) -> Row:
    target = board.objects.get(mark.object)
    text = full_text(target) if target else None
    start: float | None = None
    end: float | None = None
    quoted: str | None = None
    box: list[JsonValue] | None = None
    match mark.shape:
        case Span(first, last):
            start, end = float(first), float(last)
            if text is not None:
                start, end = float(in_characters(text, first)), float(in_characters(text, last))
                quoted = between(text, first, last)
        case Times(first_time, last_time):
            start, end = first_time, last_time
        case Area(corners):
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            sides = (min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))
            box = [round(side, DIGITS) for side in sides]
        case _:
            pass
    # A mask as text would be by far the largest column; it is in the judgment and in the COCO file.
    value = {key: each for key, each in mark.result.value.items() if key != "rle"}
    return {
        "task_id": task.task_id,
        "external_id": task.external_id,
        "region_id": mark.id,
        "submission_id": submission.submission_id,
        "person": submission.person_pseudonym,
        "control": mark.control,
        "object": mark.object,
        "type": mark.result.type,
        "labels": cast("list[JsonValue]", sorted(mark.all_labels)),
        "text": quoted,
        "start": start,
        "end": end,
        "box": box,
        "page": mark.page,
        "value": _dumped(value),
    }


def _judgment_row(task: Task, submission: Judgment) -> Row:
    return {
        "submission_id": submission.submission_id,
        "task_id": task.task_id,
        "external_id": task.external_id,
        "topic": task.topic,
        "person": submission.person_pseudonym,
        "data": _dumped(task.payload.data),
        "result": _dumped(results_json(submission.answer)),
        "seconds": submission.seconds,
        "state": submission.state,
        "counted": submission.counted,
        "guidelines_version": submission.guidelines_version,
        "submitted_at": submission.submitted_at.isoformat() if submission.submitted_at else None,
        "gold": task.gold,
    }
