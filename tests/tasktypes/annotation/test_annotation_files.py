"""Files in and out: what is imported, answered and released is the same again; other tools read what we write."""

import json
import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pydantic import JsonValue
from seqeval.metrics.sequence_labeling import get_entities
from tests.tasktypes.annotation.making import (
    BOXES,
    ENTITIES,
    IMAGE,
    PICTURE,
    TEXT,
    TYPE,
    answer,
    box,
    config,
    result,
    span,
    task,
)

from preceptor.tasktypes.annotation import AnnotationAnswer, AnnotationConfig, AnnotationPayload, brush
from preceptor.tasktypes.annotation.files.subtitles import textgrid, webvtt
from preceptor.tasktypes.annotation.values import BY_TYPE
from preceptor.tasktypes.base import ReleasedJudgment, ReleasedTask, to_json
from preceptor.tasktypes.importing import RowRefused

ID = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True)
NAME = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LABELS = st.lists(WORDS, min_size=1, max_size=3)
PERCENT = st.floats(0, 100, allow_nan=False)
COUNT = st.integers(0, 1000)
BOX = {"x": PERCENT, "y": PERCENT, "width": PERCENT, "height": PERCENT, "rotation": st.floats(0, 360)}
VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "choices": {"choices": LABELS | st.lists(LABELS, max_size=2)},
    "taxonomy": {"taxonomy": st.lists(LABELS, max_size=3)},
    "rating": {"rating": st.integers(0, 10)},
    "number": {"number": st.floats(-1e9, 1e9)},
    "datetime": {"datetime": st.just("2026-03-01T10:00")},
    "textarea": {"text": st.lists(WORDS, max_size=3)},
    "pairwise": {"selected": st.sampled_from(["left", "right"])},
    "ranker": {"ranker": st.dictionaries(NAME, st.lists(ID, max_size=3), max_size=3)},
    "labels": {"start": COUNT, "end": COUNT, "text": WORDS, "labels": LABELS},
    "hypertextlabels": {
        "start": st.just("/p[1]/text()[1]"), "end": st.just("/p[2]/text()[1]"),
        "startOffset": COUNT, "endOffset": COUNT, "hypertextlabels": LABELS,
        "globalOffsets": st.fixed_dictionaries({"start": COUNT, "end": COUNT}),
    },
    "paragraphlabels": {
        "start": st.just("0"), "end": st.just("1"), "startOffset": COUNT, "endOffset": COUNT, "paragraphlabels": LABELS
    },
    "timelinelabels": {
        "ranges": st.lists(st.fixed_dictionaries({"start": COUNT, "end": COUNT}), min_size=1, max_size=1),
        "timelinelabels": LABELS,
    },
    "timeserieslabels": {"start": COUNT, "end": COUNT, "instant": st.booleans(), "timeserieslabels": LABELS},
    "rectangle": BOX,
    "rectanglelabels": {**BOX, "rectanglelabels": LABELS},
    "ellipse": {"x": PERCENT, "y": PERCENT, "radiusX": PERCENT, "radiusY": PERCENT, "rotation": st.floats(0, 360)},
    "ellipselabels": {"x": PERCENT, "y": PERCENT, "radiusX": PERCENT, "radiusY": PERCENT, "ellipselabels": LABELS},
    "polygon": {"points": st.lists(st.tuples(PERCENT, PERCENT).map(list), min_size=3, max_size=6)},
    "polygonlabels": {
        "points": st.lists(st.tuples(PERCENT, PERCENT).map(list), min_size=3, max_size=6), "closed": st.just(True),
        "polygonlabels": LABELS,
    },
    "keypoint": {"x": PERCENT, "y": PERCENT, "width": st.floats(0, 5)},
    "keypointlabels": {"x": PERCENT, "y": PERCENT, "width": st.floats(0, 5), "keypointlabels": LABELS},
    "brush": {"format": st.just("rle"), "rle": st.lists(st.integers(0, 255), min_size=6, max_size=20)},
    "brushlabels": {
        "format": st.just("rle"), "rle": st.lists(st.integers(0, 255), min_size=6, max_size=20), "brushlabels": LABELS
    },
    "videorectangle": {
        "framesCount": COUNT, "duration": st.floats(0, 100), "labels": LABELS,
        "sequence": st.lists(
            st.fixed_dictionaries({**BOX, "frame": COUNT, "enabled": st.booleans(), "time": st.floats(0, 9)}),
            min_size=1, max_size=3,
        ),
    },
    "ocrlabels": {**{key: st.floats(0, 1) for key in BOX}, "pageIndex": st.integers(1, 9), "ocrlabels": LABELS},
    "chatmessage": {
        "chatmessage": st.fixed_dictionaries({"role": st.just("user"), "content": WORDS, "createdAt": COUNT})
    },
}  # fmt: skip


def regions() -> st.SearchStrategy[dict[str, Any]]:
    """Results of every type."""
    optional = {
        "origin": st.sampled_from(["manual", "prediction", "prediction-changed"]),
        "score": st.floats(0, 1),
        "item_index": st.integers(0, 5),
        "parentID": ID,
        "meta": st.fixed_dictionaries({"text": st.lists(WORDS, min_size=1, max_size=2)}),
        "original_width": st.integers(1, 4000),
        "original_height": st.integers(1, 4000),
        "original_length": st.floats(0, 1e5),
        "image_rotation": st.just(0),
    }
    return st.sampled_from(sorted(VALUES)).flatmap(
        lambda kind: st.fixed_dictionaries(
            {
                "id": ID,
                "from_name": NAME,
                "to_name": NAME,
                "type": st.just(kind),
                "value": st.fixed_dictionaries(VALUES[kind]),
            },
            optional=optional,
        )
    )


relations = st.fixed_dictionaries(
    {"type": st.just("relation"), "from_id": ID, "to_id": ID, "direction": st.sampled_from(["left", "right", "bi"])},
    optional={"labels": LABELS},
)


def released(payload: AnnotationPayload, given: AnnotationAnswer) -> tuple[Any, Any]:
    """A task and the only judgment of it, as a release sees them."""
    return (
        ReleasedTask("tsk_1", "ext-1", payload),
        ReleasedJudgment("sub_1", "person_a", given, 12.5, "approved"),
    )


def exported(settings_: AnnotationConfig, folder: Path, *pairs: tuple[Any, Any]) -> Path:
    """All files of a release, each writer in its own folder."""
    writers = TYPE.exporters(settings_)
    for payload, marked in pairs:
        one, judgment = released(payload, marked)
        consensus = TYPE.consensus(payload, [marked], settings_)
        for writer in writers.values():
            writer.add(one, [judgment], consensus)
    for name, writer in writers.items():
        (folder / name).mkdir()
        writer.close(folder / name)
    return folder


def imported(row: dict[str, JsonValue]) -> Any:
    """A row through the importer, its columns found by name."""
    names = {name.lower() for name in row}
    columns = {
        target: next(alias for alias in aliases if alias in names)
        for target, aliases in TYPE.importer.targets.items()
        if any(alias in names for alias in aliases)
    }
    return TYPE.importer.convert(row, columns)


def test_every_type_of_result_is_among_those_tried() -> None:
    assert set(VALUES) == {*BY_TYPE, "labels"}


@settings(max_examples=60, deadline=None)
@given(st.lists(regions() | relations, max_size=4), st.lists(regions(), max_size=2))
def test_import_answer_export_import_gives_the_same(
    results: list[dict[str, JsonValue]], predicted: list[dict[str, JsonValue]]
) -> None:
    row: dict[str, JsonValue] = {
        "data": {"text": "x"},
        "annotations": [{"result": cast("JsonValue", results)}],
        "predictions": [{"result": cast("JsonValue", predicted), "model_version": "m", "score": 0.5}],
    }
    first = imported(row)
    stored = AnnotationAnswer.model_validate(to_json(first.imported_answer))
    assert stored.model_dump(mode="json", exclude_none=True)["result"] == results

    from preceptor.tasktypes.annotation.files.label_studio import LabelStudioExporter

    writer = LabelStudioExporter(config(TEXT + '<TextArea name="t" toName="text"/>'))
    one, judgment = released(first.payload, stored)
    writer.add(one, [judgment], TYPE.consensus(first.payload, [], config(ENTITIES)))
    again = imported(_written(writer)[0])
    assert again.payload.model_copy(update={"meta": None}) == first.payload
    assert again.imported_answer == stored


def _written(writer: Any) -> list[dict[str, JsonValue]]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        writer.close(Path(folder))
        return cast("list[dict[str, JsonValue]]", json.loads((Path(folder) / "tasks.json").read_text()))


def test_columns_of_a_row_are_its_data() -> None:
    found = imported({"text": "[sic] Hello", "n": 3, "list": '["a", "b"]', "id": "7", "priority": 1, "empty": None})
    assert found.payload.data == {"text": "[sic] Hello", "n": 3, "list": ["a", "b"], "id": "7"}


def test_the_ground_truth_of_a_file_becomes_the_known_answer() -> None:
    row: dict[str, JsonValue] = {
        "data": {"text": "Ada"},
        "annotations": [
            {"result": [span(0, 1)], "was_cancelled": True},
            {"result": [span(0, 2)]},
            {"result": [span(0, 3)], "ground_truth": True},
        ],
    }
    found = imported(row)
    assert found.gold.regions[0].value["end"] == 3
    assert found.imported_answer is None
    row["annotations"] = row["annotations"][:2]  # type: ignore[index]
    assert imported(row).imported_answer.regions[0].value["end"] == 2


def test_predictions_without_ids_get_the_same_ids_each_time() -> None:
    bare = {key: value for key, value in span(0, 3).items() if key != "id"}
    row: dict[str, JsonValue] = {"data": {"text": "Ada"}, "predictions": [{"result": [cast("JsonValue", bare)]}]}
    assert imported(row).payload == imported(row).payload
    assert imported(row).payload.predictions[0].result[0].id == "p0_0"


@pytest.mark.parametrize(
    "row",
    [
        {"data": {"text": "a"}, "annotations": "nothing"},
        {"data": {"text": "a"}, "annotations": [{"result": "x"}]},
        {"data": {"text": "a"}, "annotations": [{"result": [{"type": "choices"}]}]},
        {"data": {"text": "a"}, "predictions": [3]},
        {"data": [1]},
        {"gold": "[]"},
    ],
    ids=["text-annotations", "text-result", "result-without-names", "number-prediction", "list-data", "no-data"],
)
def test_rows_that_are_no_tasks_are_refused_in_words(row: dict[str, JsonValue]) -> None:
    with pytest.raises(RowRefused):
        imported(row)


def test_json_min_holds_the_data_and_short_values(tmp_path: Path) -> None:
    inner = f'{TEXT}<Choices name="c" toName="text"><Choice value="x"/></Choices><TextArea name="t" toName="text"/>'
    given_ = answer(
        result("c", "text", "choices", {"choices": ["x"]}), result("t", "text", "textarea", {"text": ["a", "b"]}, "r2")
    )
    folder = exported(config(inner), tmp_path, (task(text="hello"), given_))
    (row,) = json.loads((folder / "label_studio" / "tasks_min.json").read_text())
    assert row["text"] == "hello"
    assert row["c"] == "x"
    assert row["t"] == {"text": ["a", "b"]}
    assert row["lead_time"] == 12.5


def test_coco_files_are_read_by_pycocotools(tmp_path: Path) -> None:
    mask = np.zeros((100, 200), dtype=bool)
    mask[10:30, 20:60] = True
    inner = (
        f'{BOXES}<BrushLabels name="mask" toName="image"><Label value="Cat"/></BrushLabels>'
        '<PolygonLabels name="poly" toName="image"><Label value="Hat"/></PolygonLabels>'
    )
    size: dict[str, JsonValue] = {"original_width": 200, "original_height": 100}
    packed: dict[str, JsonValue] = {"format": "rle", "rle": list(brush.encode(mask)), "brushlabels": ["Cat"]}
    points: dict[str, JsonValue] = {"points": [[0, 0], [50, 0], [0, 50]], "polygonlabels": ["Hat"]}
    given_ = answer(
        box(10, 20, 30, 40, "Dog", "a"),
        result("mask", "image", "brushlabels", packed, "b", **size),
        result("poly", "image", "polygonlabels", points, "c", **size),
    )
    folder = exported(config(inner), tmp_path, (task(image=PICTURE), given_))
    coco = COCO(str(folder / "coco" / "instances.json"))
    names = {category["id"]: category["name"] for category in coco.loadCats(coco.getCatIds())}
    found = {names[each["category_id"]]: each for each in coco.loadAnns(coco.getAnnIds())}
    assert found["Dog"]["bbox"] == [20, 20, 60, 40]
    assert found["Hat"]["area"] == pytest.approx(100 * 50 / 2)
    assert np.array_equal(coco.annToMask(found["Cat"]).astype(bool), mask)
    assert found["Cat"]["bbox"] == list(coco_mask.toBbox(coco.annToRLE(found["Cat"])))
    assert coco.annToMask(found["Dog"]).sum() == pytest.approx(60 * 40, rel=0.02)
    assert coco.loadImgs(coco.getImgIds())[0]["file_name"] == PICTURE


def test_categories_keep_the_numbers_that_the_config_gives() -> None:
    from preceptor.tasktypes.annotation.files.coco import categories
    from preceptor.tasktypes.annotation.reading import plan_of

    labels = '<Label value="a"/><Label value="b" category="1"/><Label value="c"/>'
    plan = plan_of(f'<View>{IMAGE}<RectangleLabels name="r" toName="image">{labels}</RectangleLabels></View>')
    assert categories(plan) == {"a": 2, "b": 1, "c": 3}


def test_yolo_lines_are_centre_and_size_from_0_to_1(tmp_path: Path) -> None:
    folder = exported(config(BOXES), tmp_path, (task(image=PICTURE), answer(box(10, 20, 30, 40, "Dog")))) / "yolo"
    assert (folder / "classes.txt").read_text().split() == ["Cat", "Dog"]
    (labels,) = (folder / "labels").iterdir()
    assert labels.read_text() == "1 0.250000 0.400000 0.300000 0.400000\n"


def test_conll_tags_are_read_by_seqeval_and_spacy_lines_hold_offsets(tmp_path: Path) -> None:
    text = "👋 Ada Byron works at Acme."
    given_ = answer(span(3, 12), span(22, 26, "ORG", "r2"))  # UTF-16 units: the hand takes two
    folder = exported(config(ENTITIES), tmp_path, (task(text=text), given_)) / "spans"
    lines = (folder / "spans.conll").read_text().splitlines()
    assert lines[:2] == ["-DOCSTART- -X- O", ""]
    tokens = [line.split(" -X- _ ") for line in lines[2:] if line]
    assert all(len(token) == 2 for token in tokens)
    entities = get_entities([tag for _, tag in tokens])
    found = {kind: " ".join(tokens[n][0] for n in range(first, last + 1)) for kind, first, last in entities}
    assert found == {"PER": "Ada Byron", "ORG": "Acme"}
    (line,) = [json.loads(each) for each in (folder / "spans.jsonl").read_text().splitlines()]
    assert [line["text"][start:end] for start, end, _ in line["entities"]] == ["Ada Byron", "Acme"]


def test_subtitles_hold_speakers_and_transcripts(tmp_path: Path) -> None:
    inner = (
        '<Audio name="a" value="$audio"/><Labels name="who" toName="a"><Label value="Ann"/><Label value="Bo"/></Labels>'
        '<TextArea name="said" toName="a" perRegion="true"/>'
    )
    times: dict[str, JsonValue] = {"start": 0.5, "end": 2.25, "channel": 0}
    given_ = answer(
        result("who", "a", "labels", {**times, "labels": ["Ann"]}, "r1", original_length=4.0),
        result("said", "a", "textarea", {**times, "text": ["Is 1 < 2?\n\nYes"]}, "r1"),
        result("who", "a", "labels", {"start": 2, "end": 3, "channel": 0, "labels": ["Bo"]}, "r2", original_length=4.0),
    )
    folder = exported(config(inner), tmp_path, (task(audio="media:x.wav"), given_)) / "subtitles"
    assert (folder / "ext-1.vtt").read_text() == (
        "WEBVTT\n\n1\n00:00:00.500 --> 00:00:02.250\n<v Ann>Is 1 &lt; 2?\nYes\n\n"
        "2\n00:00:02.000 --> 00:00:03.000\n<v Bo>\n"
    )
    grid = (folder / "ext-1.TextGrid").read_text()
    assert "xmax = 4.000000" in grid
    assert re.findall(r'name = "(.*)"', grid) == ["Ann", "Bo"]
    assert re.findall(r'text = "(.*)"', grid) == ["", "Is 1 < 2?  Yes", "", "", "Bo", ""]


@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0.1, 10), st.sampled_from("AB")), min_size=1, max_size=8))
def test_intervals_of_a_textgrid_follow_each_other_without_gaps(drawn: list[tuple[float, float, str]]) -> None:
    cues = sorted((start, start + length, label, "") for start, length, label in drawn)
    grid = textgrid(cues, 70.0)
    for tier in grid.split("        intervals: size")[1:]:
        starts = [float(each) for each in re.findall(r"            xmin = (.*)", tier)]
        ends = [float(each) for each in re.findall(r"            xmax = (.*)", tier)]
        assert starts[0] == 0.0
        assert ends[-1] == 70.0
        assert starts[1:] == ends[:-1]


def test_hours_are_written_in_webvtt() -> None:
    assert "01:00:01.500 --> 02:00:00.000" in webvtt([(3601.5, 7200.0, "", "x")])


def test_only_files_that_the_config_can_fill_are_written() -> None:
    assert set(TYPE.exporters(config(ENTITIES))) == {"label_studio", "spans"}
    assert set(TYPE.exporters(config(BOXES))) == {"label_studio", "coco", "yolo"}


# Masks


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_a_packed_mask_unpacks_to_itself(width: int, height: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    assert np.array_equal(brush.decode(brush.encode(mask), width, height), mask)


def test_long_runs_are_cut_at_65536() -> None:
    mask = np.ones((300, 400), dtype=bool)
    assert brush.decode(brush.encode(mask), 400, 300).all()


@pytest.mark.parametrize("cut", [0, 3, 8, 12])
def test_broken_masks_are_refused(cut: int) -> None:
    packed = brush.encode(np.eye(10, dtype=bool))
    with pytest.raises(brush.BrokenMask):
        brush.decode(packed[:cut], 10, 10)
    with pytest.raises(brush.BrokenMask, match="bytes where"):
        brush.decode(packed, 11, 10)
    with pytest.raises(brush.BrokenMask, match="not accepted"):
        brush.decode(packed, 100_000, 100_000)


# Releases


def test_rows_of_a_release_fit_their_schemas_and_can_be_imported_again() -> None:
    import pyarrow as pa

    settings_ = config(ENTITIES)
    payload, given_ = task(text="👋 Ada"), answer(span(3, 6))
    one, judgment = released(payload, given_)
    rows = TYPE.rows(one, [judgment], TYPE.consensus(payload, [given_], settings_), settings_)
    for name, table in TYPE.tables.items():
        assert pa.Table.from_pylist(list(rows.tables[name]), schema=table.schema).num_rows == 1
    assert pa.Table.from_pylist(list(rows.judgments), schema=TYPE.judgment_schema).num_rows == 1
    (region,) = rows.tables["regions"]
    assert (region["text"], region["start"], region["end"]) == ("Ada", 2.0, 5.0)
    (row,) = rows.judgments
    again = imported({"data": row["data"], "imported_answer": row["result"]})
    assert (again.payload, again.imported_answer) == (payload, given_)
