"""Rows of files as annotation tasks: Label Studio's task JSON, or plain rows whose columns are the data."""

import re
from collections.abc import Mapping
from typing import Final, cast

from pydantic import BaseModel, JsonValue, ValidationError

from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationPayload
from preceptor.tasktypes.importing import Material, RowReader, RowRefused, Values, Way, kind_of

GOLD: Final = "gold"
ANSWER: Final = "imported_answer"
_TASK_COLUMNS: Final = {
    "data": ("data",),
    "annotations": ("annotations", "completions"),
    "predictions": ("predictions",),
}
_KEYS: Final = {GOLD: ("gold", "gold_answer"), ANSWER: ("imported_answer",)}
# Columns about the task that contributors should not find in its data.
_ABOUT: Final = frozenset({"priority", "overlap", "gold_explanation", "meta", "content_ratings", "content_rating"})
_REGION_KEY_NAMES: Final = (
    "id from_name to_name type value origin parentID meta score item_index original_width original_height "
    "original_length image_rotation hidden readonly locked"
)
_REGION_KEYS: Final = frozenset(_REGION_KEY_NAMES.split())
_ID_CHARACTERS: Final = 100

WAYS: Final = (
    Way(
        "Columns as data",
        "any",
        "Each column is a field of the data under its own name, for `$name` in the labeling config. A cell that begins "
        "with [ or { is read as JSON, so that CSV can carry lists.",
        '{"text": "The train to Bergen leaves at nine.", "id": "sentence-1"}',
    ),
    Way(
        "Label Studio tasks",
        "data (and annotations, predictions)",
        "Label Studio's task format, as it exports it. An annotation marked ground_truth becomes the known answer; "
        "otherwise the first one that was not skipped is kept as imported answer. Predictions become suggestions.",
        '{"data": {"text": "The train to Bergen leaves at nine."}, "predictions": []}',
    ),
)


class LabelStudioImporter:
    """See `preceptor.tasktypes.importing.Importer`; knows both layouts of `WAYS`."""

    ways = WAYS
    targets: Mapping[str, tuple[str, ...]] = {**_TASK_COLUMNS, **_KEYS}
    titles: Mapping[str, str] = {
        "data": "Data (an object)",
        "annotations": "Annotations (Label Studio)",
        "predictions": "Predictions (Label Studio)",
        GOLD: "Known answer (JSON)",
        ANSWER: "Answer that came along (JSON)",
    }

    def settle(self, found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
        """Everything that was recognised."""
        return dict(found)

    def missing(self, columns: Mapping[str, str]) -> tuple[str, ...]:
        """Nothing: which fields are needed only the labeling config knows (`AnnotationType.fits`)."""
        return ()

    def convert(self, row: Values, columns: Mapping[str, str]) -> Material:
        """The payload, the known answer and the one that came along."""
        reader = RowReader(row, columns)
        data = _parsed(reader, "data")
        if data is None or not isinstance(data, dict):
            if data is not None and "data" in columns and not isinstance(data, str):
                raise RowRefused(f"Must be an object with the task's fields, is {kind_of(data)}.", columns["data"])
            data = _columns_as_data(row, columns)
        annotations = _parsed(reader, "annotations")
        predictions = _predictions(_parsed(reader, "predictions"), columns.get("predictions"))
        meta = row.get("meta")
        given = {"data": data, "predictions": predictions, "meta": meta if isinstance(meta, dict) and meta else None}
        truth, first = _chosen_annotations(annotations, columns.get("annotations"))
        return Material(
            payload=_validated(AnnotationPayload, given, columns.get("data")),
            imported_answer=_answer(reader, ANSWER) or _annotation(first, columns.get("annotations")),
            gold=_answer(reader, GOLD) or _annotation(truth, columns.get("annotations")),
        )


def _parsed(reader: RowReader, target: str) -> JsonValue:
    value = reader.value(target)
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        return reader.json_cell(value, target)
    return value


def _columns_as_data(row: Values, columns: Mapping[str, str]) -> dict[str, JsonValue]:
    """Every column but those that hold answers or say something about the task."""
    answers = {columns[target] for target in (*_KEYS, "annotations", "predictions") if target in columns}
    data: dict[str, JsonValue] = {}
    for name, value in row.items():
        if name in answers or re.sub(r"[\s-]+", "_", name.strip().lower()) in _ABOUT or value is None:
            continue
        data[name] = _cell(value, name, columns)
    if not data:
        raise RowRefused("The row has no data. Give at least one column with what is to be annotated.")
    return data


def _cell(value: JsonValue, name: str, columns: Mapping[str, str]) -> JsonValue:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return RowReader({name: value}, {name: name}).json_cell(value, name)
    except RowRefused:
        # Text may begin with a bracket and still be text.
        return value


def _chosen_annotations(value: JsonValue, column: str | None) -> tuple[JsonValue, JsonValue]:
    """The ground truth, and the first of the others that was not skipped."""
    if value is None or value == "":
        return None, None
    if not isinstance(value, list):
        raise RowRefused(f"Must be a list of annotations, is {kind_of(value)}.", column)
    usable = [each for each in value if isinstance(each, dict) and not each.get("was_cancelled") and "result" in each]
    truth = next((each for each in usable if each.get("ground_truth") is True), None)
    return truth, next((each for each in usable if each is not truth), None) if truth is None else None


def _predictions(value: JsonValue, column: str | None) -> list[JsonValue]:
    if value is None or value == "":
        return []
    if not isinstance(value, list):
        raise RowRefused(f"Must be a list of predictions, is {kind_of(value)}.", column)
    found: list[JsonValue] = []
    for number, each in enumerate(value):
        if not isinstance(each, dict):
            raise RowRefused(f"A prediction must be an object with result, is {kind_of(each)}.", column)
        score, version = each.get("score"), each.get("model_version")
        found.append(
            {
                "result": results(each.get("result"), f"p{number}", column),
                "score": score if isinstance(score, int | float) and not isinstance(score, bool) else None,
                "model_version": str(version) if version not in (None, "") else None,
            }
        )
    return found


def results(value: JsonValue, prefix: str, column: str | None = None) -> list[JsonValue]:
    """Results as people write them: without ids where nothing refers to them, with keys that only Label Studio reads.

    Missing ids are made up from the place in the list, so that importing again gives the same.
    """
    if value is None:
        return []
    if not isinstance(value, list):
        raise RowRefused(f"A result must be a list, is {kind_of(value)}.", column)
    return [_result(each, f"{prefix}_{number}", column) for number, each in enumerate(value)]


def _result(value: JsonValue, made_up: str, column: str | None) -> JsonValue:
    if not isinstance(value, dict):
        raise RowRefused(f"A result must hold objects, not {kind_of(value)}.", column)
    if value.get("type") == "relation":
        kept = {key: each for key, each in value.items() if key in ("type", "from_id", "to_id", "direction", "labels")}
        return {key: each for key, each in kept.items() if each is not None}
    kept = {key: each for key, each in value.items() if key in _REGION_KEYS and each is not None}
    given = kept.get("id")
    kept["id"] = str(given)[:_ID_CHARACTERS] if given not in (None, "") else made_up
    if isinstance(kept.get("meta"), dict) and not kept["meta"]:
        del kept["meta"]
    return kept


def _annotation(value: JsonValue, column: str | None) -> AnnotationAnswer | None:
    if not isinstance(value, dict):
        return None
    return cast(
        "AnnotationAnswer", _validated(AnnotationAnswer, {"result": results(value.get("result"), "a", column)}, column)
    )


def _answer(reader: RowReader, target: str) -> AnnotationAnswer | None:
    value = _parsed(reader, target)
    if value is None or value == "":
        return None
    column = reader.columns[target]
    given = value.get("result") if isinstance(value, dict) else value
    return cast("AnnotationAnswer", _validated(AnnotationAnswer, {"result": results(given, "a", column)}, column))


def _validated(model: type[BaseModel], given: object, column: str | None) -> BaseModel:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = [str(step) for step in detail["loc"] if step not in ("region", "relation")]
        problem = detail["msg"].removeprefix("Value error, ")
        raise RowRefused(f"{problem} (at {'.'.join(place)})." if place else f"{problem}.", column) from None
