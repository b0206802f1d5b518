"""Label Studio's own files: all judgments as annotations, the joint answers, and the short form (JSON_MIN).

Format: Label Studio's "JSON" and "JSON_MIN" exports, as its SDK's converter reads and writes them.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

from pydantic import JsonValue

from preceptor.tasktypes.annotation.files.streams import JsonList
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, AnnotationPayload
from preceptor.tasktypes.annotation.release import results_json
from preceptor.tasktypes.base import Consensus, ReleasedJudgment, ReleasedTask, Row

Task = ReleasedTask[AnnotationPayload, AnnotationAnswer]
Judgment = ReleasedJudgment[AnnotationAnswer]

_SIMPLE = {"choices": "choices", "textarea": "text"}


class LabelStudioExporter:
    """Writes `tasks.json` (every counted judgment as an annotation), `joint.json`, `tasks_min.json`, `config.xml`."""

    def __init__(self, config: AnnotationConfig) -> None:
        self._config = config
        self._tasks, self._joint, self._short = JsonList(), JsonList(), JsonList()
        self._people: dict[str, int] = {}
        self._annotations = 0

    def add(self, task: Task, submissions: Sequence[Judgment], consensus: Consensus) -> None:
        """Take one task."""
        number = self._tasks.count + 1
        given = [self._annotation(judgment) for judgment in submissions if judgment.counted]
        truth = [self._truth(task.known_answer)] if task.known_answer is not None else []
        self._tasks.add(label_studio_task(task.payload, [*truth, *given], number, task.external_id))
        joint = _joint(task, consensus, bool(given))
        if joint is not None:
            self._annotations += 1
            annotation: Row = {**_empty_annotation(self._annotations), "result": joint}
            self._joint.add(label_studio_task(task.payload, [annotation], number, task.external_id))
        for annotation in (*truth, *given):
            self._short.add(short_form(task.payload, annotation, number))

    def close(self, folder: Path) -> None:
        """Write the files."""
        self._tasks.write(folder / "tasks.json")
        self._joint.write(folder / "joint.json")
        self._short.write(folder / "tasks_min.json")
        (folder / "config.xml").write_text(self._config.label_config, encoding="utf-8")

    def _annotation(self, judgment: Judgment) -> Row:
        self._annotations += 1
        person = self._people.setdefault(judgment.person_pseudonym, len(self._people) + 1)
        return annotation_of(judgment, self._annotations, person)

    def _truth(self, answer: AnnotationAnswer) -> Row:
        self._annotations += 1
        return {**_empty_annotation(self._annotations), "result": results_json(answer), "ground_truth": True}


def annotation_of(judgment: Judgment, number: int, person: int) -> Row:
    """A judgment as Label Studio keeps an annotation. Its author is a number and a pseudonym."""
    at = judgment.submitted_at.isoformat() if judgment.submitted_at else ""
    return {
        **_empty_annotation(number),
        "unique_id": judgment.submission_id,
        "result": results_json(judgment.answer),
        "completed_by": {"id": person, "email": f"{judgment.person_pseudonym}@contributor.invalid"},
        "lead_time": judgment.seconds,
        "created_at": at,
        "updated_at": at,
    }


def _empty_annotation(number: int) -> Row:
    return {
        "id": number,
        "completed_by": {"id": 0, "email": "joint@contributor.invalid"},
        "result": [],
        "was_cancelled": False,
        "ground_truth": False,
        "created_at": "",
        "updated_at": "",
        "lead_time": None,
    }


def _joint(task: Task, consensus: Consensus, judged: bool) -> list[JsonValue] | None:
    if task.known_answer is not None:
        return results_json(task.known_answer)
    if judged:
        return cast("list[JsonValue]", consensus.answer.get("result", [])) if consensus.answer is not None else None
    return results_json(task.imported_answer) if task.imported_answer is not None else None


def label_studio_task(
    payload: AnnotationPayload, annotations: Sequence[Row], number: int, external_id: str | None = None
) -> dict[str, JsonValue]:
    """A task as Label Studio exports it. Our id of it goes into `meta`."""
    predictions: list[JsonValue] = [
        {
            "id": index,
            "model_version": each.model_version or "",
            "score": each.score,
            "result": each.model_dump(mode="json", exclude_none=True)["result"],
        }
        for index, each in enumerate(payload.predictions, 1)
    ]
    meta = dict(payload.meta or {})
    if external_id is not None:
        meta["external_id"] = external_id
    return {
        "id": number,
        "data": dict(payload.data),
        "meta": meta,
        "annotations": cast("list[JsonValue]", list(annotations)),
        "predictions": predictions,
        "total_annotations": len(annotations),
        "cancelled_annotations": 0,
        "total_predictions": len(predictions),
    }


def short_form(payload: AnnotationPayload, annotation: Row, number: int) -> dict[str, JsonValue]:
    """One annotation of a task in JSON_MIN: the data's fields, and each control's values under its name."""
    by_control: dict[str, list[Mapping[str, JsonValue]]] = {}
    for result in cast("list[Mapping[str, JsonValue]]", annotation["result"]):
        if "from_name" in result:
            by_control.setdefault(str(result["from_name"]), []).append(result)
    completed = annotation["completed_by"]
    return {
        **payload.data,
        "id": number,
        **{name: _shortened(results) for name, results in by_control.items()},
        "annotator": completed.get("id") if isinstance(completed, dict) else completed,
        "annotation_id": annotation["id"],
        "created_at": annotation["created_at"],
        "updated_at": annotation["updated_at"],
        "lead_time": annotation["lead_time"],
    }


def _shortened(results: Sequence[Mapping[str, JsonValue]]) -> JsonValue:
    short: list[JsonValue] = []
    kind = str(results[0].get("type"))
    for result in results:
        value = dict(cast("Mapping[str, JsonValue]", result["value"]))
        only = value.get(_SIMPLE.get(kind, ""))
        for key in ("original_width", "original_height"):
            if key in result:
                value[key] = result[key]
        short.append(only[0] if isinstance(only, list) and len(only) == 1 else value)
    return short[0] if kind in _SIMPLE and len(short) == 1 else short
