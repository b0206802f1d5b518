"""Distances between annotations, against independent implementations."""

from math import cos, exp, isclose, pi, sin
from random import Random

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.cocoeval import COCOeval, Params
from pydantic import JsonValue
from scipy.optimize import linear_sum_assignment
from scipy.stats import kendalltau
from seqeval.metrics import f1_score
from sklearn.metrics import jaccard_score
from tests.tasktypes.annotation.making import (
    BOXES,
    ENTITIES,
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

from preceptor.tasktypes.annotation import AnnotationAnswer, brush
from preceptor.tasktypes.annotation.agreement import likeness, outlines
from preceptor.tasktypes.annotation.agreement.answers import order_distance, set_distance, tree_distance
from preceptor.tasktypes.annotation.agreement.matching import best_pairs, can_meet, marks_alike
from preceptor.tasktypes.annotation.agreement.texts import edits, text_distance, word_error_rate
from preceptor.tasktypes.annotation.files.spans import tagged
from preceptor.tasktypes.annotation.shapes import Area, Painted, Spot, Track, marks_of, turned_box
from preceptor.tasktypes.annotation.task_type import board_of
from preceptor.tasktypes.annotation.values import Keyframe

SENTENCE = "Ada met Bob at Acme in Rome"


def distance_of(inner: str, one: AnnotationAnswer, other: AnnotationAnswer, **data: JsonValue) -> dict[str, float]:
    return dict(TYPE.distance(task(**data), one, other, config(inner)))


# Spans


@pytest.mark.parametrize("seed", range(20))
def test_exact_span_agreement_is_one_less_the_f1_of_seqeval(seed: int) -> None:
    rng = Random(seed)
    words = SENTENCE.split()
    starts = [SENTENCE.index(word) for word in words]

    def drawn() -> list[tuple[int, int, str]]:
        found, at = [], 0
        while at < len(words):
            length = rng.choice([1, 1, 2])
            if rng.random() < 0.6 and at + length <= len(words):
                last = at + length - 1
                found.append((starts[at], starts[last] + len(words[last]), rng.choice(["PER", "ORG"])))
            at += length + 1
        return found

    one, other = drawn(), drawn()
    spans = [answer(*(span(*each, id=f"r{n}") for n, each in enumerate(drawn_spans))) for drawn_spans in (one, other)]
    distance = TYPE.distance(task(text=SENTENCE), spans[0], spans[1], config(ENTITIES, span_match="exact"))["entity"]
    tags = [[tag for _, tag in tagged(SENTENCE, each)] for each in (one, other)]
    expected = 1 - float(f1_score([tags[0]], [tags[1]])) if one or other else 0.0
    assert distance == pytest.approx(expected)


def test_overlapping_spans_count_by_how_much_they_share() -> None:
    distance = distance_of(ENTITIES, answer(span(0, 10)), answer(span(5, 10)), text=SENTENCE)
    assert distance["entity"] == pytest.approx(0.5)


def test_spans_with_other_labels_do_not_match() -> None:
    assert distance_of(ENTITIES, answer(span(0, 3)), answer(span(0, 3, "ORG")), text=SENTENCE)["entity"] == 1.0


def test_two_who_find_nothing_agree_and_one_who_does_not_disagrees() -> None:
    assert distance_of(ENTITIES, answer(), answer(), text=SENTENCE)["entity"] == 0.0
    assert distance_of(ENTITIES, answer(span(0, 3)), answer(), text=SENTENCE)["entity"] == 1.0


# Areas


def coco_box_overlap(a: list[float], b: list[float]) -> float:
    return float(coco_mask.iou(np.array([a]), np.array([b]), [0])[0][0])


Box = tuple[float, float, float, float]
boxes = st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(1, 40), st.floats(1, 40))


@given(boxes, boxes)
def test_box_overlap_is_that_of_pycocotools(a: Box, b: Box) -> None:
    areas = [turned_box(*each, 0.0, (100.0, 100.0)) for each in (a, b)]
    assert likeness.area_overlap(*areas) == pytest.approx(coco_box_overlap(list(a), list(b)), abs=1e-9)
    outlines_of = outlines.overlap(*(area.pixels for area in areas))
    assert outlines_of == pytest.approx(coco_box_overlap(list(a), list(b)), abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(boxes, boxes, st.floats(0, 360), st.floats(0, 360))
def test_turned_boxes_overlap_like_their_pixels(a: Box, b: Box, turn_a: float, turn_b: float) -> None:
    size = (100.0, 60.0)
    areas = [turned_box(*each, turn, size) for each, turn in ((a, turn_a), (b, turn_b))]
    scale, shift = 3, 200
    masks = [
        outlines.rasterised([(x * scale + shift, y * scale + shift) for x, y in area.pixels], 800, 700)
        for area in areas
    ]
    assert likeness.area_overlap(*areas) == pytest.approx(likeness.mask_overlap(*masks), abs=0.08)


def test_turning_follows_the_picture_and_not_its_percents() -> None:
    # 20 % of 200 pixels across and 40 % of 100 down are both 40 pixels: a square, which a quarter turn maps to itself.
    square = turned_box(50, 40, 20, 40, 90, (200.0, 100.0))
    assert [(round(x, 6), round(y, 6)) for x, y in square.corners] == [(50, 40), (50, 80), (30, 80), (30, 40)]


@pytest.mark.parametrize("seed", range(10))
def test_polygons_overlap_as_pycocotools_masks_do(seed: int) -> None:
    rng = Random(seed)

    def star(x: float, y: float) -> list[tuple[float, float]]:
        radii = [rng.uniform(25, 90) for _ in range(12)]
        return [(x + r * cos(2 * pi * n / 12), y + r * sin(2 * pi * n / 12)) for n, r in enumerate(radii)]

    a, b = star(150, 150), star(190, 160)
    runs = [coco_mask.merge(coco_mask.frPyObjects([[c for p in each for c in p]], 320, 320)) for each in (a, b)]
    expected = float(coco_mask.iou([runs[0]], [runs[1]], [0])[0][0])
    assert outlines.overlap(a, b) == pytest.approx(expected, abs=0.02)


def test_an_outline_that_crosses_itself_is_filled_by_the_even_odd_rule() -> None:
    bow, square = [(0, 0), (2, 2), (2, 0), (0, 2)], [(0, 0), (2, 0), (2, 2), (0, 2)]
    assert outlines.areas(bow, square) == pytest.approx((2.0, 4.0, 2.0))


def test_circles_overlap_as_geometry_says() -> None:
    circle = [(cos(2 * pi * n / 512), sin(2 * pi * n / 512)) for n in range(512)]
    moved = [(x + 0.5, y) for x, y in circle]
    lens = 2 * np.arccos(0.25) - 0.25 * np.sqrt(4 - 0.25)
    assert outlines.areas(circle, moved)[2] == pytest.approx(lens, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_mask_overlap_is_that_of_pycocotools(seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = [rng.random((40, 60)) < share for share in (0.3, 0.6)]
    runs = [coco_mask.encode(np.asfortranarray(mask.astype(np.uint8))) for mask in masks]
    expected = float(coco_mask.iou([runs[0]], [runs[1]], [0])[0][0])
    painted = [Painted(tuple(brush.encode(mask)), 60, 40) for mask in masks]
    assert likeness.likeness(*painted) == pytest.approx(expected)


def test_a_mask_and_an_outline_of_the_same_square_agree() -> None:
    mask = np.zeros((100, 100), dtype=bool)
    mask[20:60, 10:50] = True
    area = Area(((10, 20), (50, 20), (50, 60), (10, 60)))
    assert likeness.likeness(Painted(brush.encode(mask), 100, 100), area) == 1.0


def test_key_points_compare_as_in_pycocotools() -> None:
    """COCO's object keypoint similarity with the image as the object, and sigma half of our constant."""
    evaluation = COCOeval.__new__(COCOeval)
    evaluation.params = Params(iouType="keypoints")
    evaluation.params.kpt_oks_sigmas = np.array([likeness.KEYPOINT_CONSTANT / 2])
    truth = {"keypoints": [40, 30, 2], "area": 200 * 100, "bbox": [0, 0, 200, 100], "num_keypoints": 1}
    found = {"keypoints": [52, 35, 2], "score": 1.0}
    evaluation._gts, evaluation._dts = {(1, 1): [truth]}, {(1, 1): [found]}
    expected = float(evaluation.computeOks(1, 1)[0][0])
    ours = likeness.spot_likeness(Spot(20, 30, 200, 100), Spot(26, 35, 200, 100))
    assert ours == pytest.approx(expected, rel=1e-6)
    assert ours == pytest.approx(exp(-169 / (2 * 20_000 * likeness.KEYPOINT_CONSTANT**2)))


def test_boxes_are_matched_so_that_the_total_is_best() -> None:
    # Greedily the first pair would take the best partner of the second and leave it with none.
    one = answer(box(0, 0, 20, 20, id="a"), box(8, 0, 20, 20, id="b"))
    other = answer(box(6, 0, 20, 20, id="c"), box(30, 0, 0.5, 20, id="d"))
    pairs = best_pairs([0.0, 8.0], [6.0, 14.0], lambda a, b: max(0.0, 1 - abs(a - b) / 10))
    assert [(left, right) for left, right, _ in pairs.pairs] == [(0, 0), (1, 1)]
    assert 0 < distance_of(BOXES, one, other, image=PICTURE)["box"] < 1


def test_a_box_that_one_person_missed_costs_its_share() -> None:
    one = answer(box(0, 0, 20, 20, id="a"), box(50, 50, 20, 20, id="b"))
    assert distance_of(BOXES, one, answer(box(0, 0, 20, 20)), image=PICTURE)["box"] == pytest.approx(1 / 3)


# Video


def track(*frames: tuple[int, float, bool], last: int = 20) -> Track:
    return Track(tuple(Keyframe(frame=f, x=x, y=0, width=10, height=10, enabled=on) for f, x, on in frames), last)


def test_boxes_of_videos_move_on_straight_lines_and_end_where_they_are_switched_off() -> None:
    shown = likeness.boxes_of(track((1, 0, True), (11, 50, False), (15, 0, True)), 20)
    assert shown[6].x == pytest.approx(25)
    assert sorted(shown) == [*range(1, 12), *range(15, 21)]
    assert likeness.box_at(track((1, 0, True), (11, 50, False)), 12, 20) is None


def test_tracks_overlap_by_shared_over_joint_area_of_all_frames() -> None:
    a, b = track((1, 0, True), (10, 0, False), last=10), track((1, 5, True), (5, 5, False), last=10)
    # Half of each box is shared in 5 frames: 5 * 50 of 10 * 100 + 5 * 100 - 5 * 50.
    assert likeness.track_overlap(a, b) == pytest.approx(250 / 1250)
    assert likeness.track_overlap(a, a) == pytest.approx(1.0)


# Time


AUDIO = (
    '<Audio name="audio" value="$audio"/>'
    '<Labels name="who" toName="audio"><Label value="A"/><Label value="B"/></Labels>'
)


def stretch(start: float, end: float, label: str = "A", id: str = "r1") -> dict[str, JsonValue]:
    return result("who", "audio", "labels", {"start": start, "end": end, "channel": 0, "labels": [label]}, id)


def test_stretches_of_time_compare_by_label_and_length() -> None:
    one = answer(stretch(0, 10), stretch(10, 20, "B", "r2"))
    other = answer(stretch(0, 15), stretch(15, 20, "B", "r2"))
    assert distance_of(AUDIO, one, other, audio="media:a.wav")["who"] == pytest.approx(1 - 15 / 25)


def test_a_stretch_cut_in_two_is_the_same_time() -> None:
    one = answer(stretch(0, 10))
    other = answer(stretch(0, 4), stretch(4, 10, id="r2"))
    assert distance_of(AUDIO, one, other, audio="media:a.wav")["who"] == 0.0


# Answers


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_edits_of_characters_are_those_of_jiwer(a: str, b: str) -> None:
    found = jiwer.process_characters(a, b) if a else None
    expected = found.substitutions + found.insertions + found.deletions if found else len(b)
    assert edits(a, b) == expected


words = st.lists(st.sampled_from(["the", "cat", "sat", "on", "mats"]), min_size=1, max_size=8).map(" ".join)


@given(words, words)
def test_word_error_rate_is_that_of_jiwer(reference: str, said: str) -> None:
    assert word_error_rate(reference, said) == pytest.approx(jiwer.wer(reference, said))


@given(st.text(max_size=30), st.text(max_size=30))
def test_text_distance_is_symmetric_and_within_bounds(a: str, b: str) -> None:
    assert text_distance(a, b) == text_distance(b, a)
    assert 0.0 <= text_distance(a, b) <= 1.0
    assert text_distance(a, a) == 0.0


@given(st.permutations(list("abcdef")), st.permutations(list("abcdef")))
def test_orders_compare_by_kendalls_tau_of_scipy(a: list[str], b: list[str]) -> None:
    ranks = [[order.index(item) for item in "abcdef"] for order in (a, b)]
    assert order_distance(a, b) == pytest.approx((1 - kendalltau(*ranks).statistic) / 2)


@given(st.sets(st.sampled_from("abcde"), min_size=1), st.sets(st.sampled_from("abcde"), min_size=1))
def test_several_choices_compare_by_jaccards_index_of_sklearn(a: set[str], b: set[str]) -> None:
    flags = [[item in each for item in "abcde"] for each in (a, b)]
    ours = set_distance({(item,) for item in a}, {(item,) for item in b})
    assert ours == pytest.approx(1 - jaccard_score(*flags))


def test_places_of_a_tree_are_nearer_with_a_common_ancestor() -> None:
    cat, dog, oak = ("Animal", "Cat"), ("Animal", "Dog"), ("Plant", "Oak")
    assert tree_distance([cat], [dog]) == pytest.approx(2 / 3)
    assert tree_distance([cat], [oak]) == 1.0
    assert tree_distance([cat], [cat]) == 0.0


def test_ratings_and_numbers_compare_by_their_range() -> None:
    inner = f'{TEXT}<Rating name="r" toName="text" maxRating="5"/><Number name="n" toName="text" min="0" max="10"/>'
    one = answer(result("r", "text", "rating", {"rating": 1}), result("n", "text", "number", {"number": 2}, "r2"))
    other = answer(result("r", "text", "rating", {"rating": 3}), result("n", "text", "number", {"number": 7}, "r2"))
    assert distance_of(inner, one, other, text="x") == {"r": 0.5, "n": 0.5}


def test_answers_about_regions_compare_on_the_regions_that_both_have() -> None:
    inner = f'{BOXES}<TextArea name="words" toName="image" perRegion="true"/>'
    said = [result("words", "image", "textarea", {"text": [text]}, id) for text, id in (("abcd", "a"), ("abxx", "b"))]
    one, other = answer(box(0, 0, 20, 20, id="a"), said[0]), answer(box(1, 0, 20, 20, "Dog", id="b"), said[1])
    apart = distance_of(inner, one, other, image=PICTURE)
    assert apart["words"] == pytest.approx(0.5)
    assert apart["box"] == 1.0


def test_relations_compare_between_the_same_regions() -> None:
    inner = f'{ENTITIES}<Relations><Relation value="knows"/></Relations>'
    arrow: dict[str, JsonValue] = {"type": "relation", "direction": "right", "labels": ["knows"]}
    one = answer(span(0, 3, id="a"), span(8, 11, id="b"), {**arrow, "from_id": "a", "to_id": "b"})
    same = answer(span(0, 3, id="c"), span(8, 11, id="d"), {**arrow, "from_id": "d", "to_id": "c", "direction": "left"})
    back = answer(span(0, 3, id="c"), span(8, 11, id="d"), {**arrow, "from_id": "d", "to_id": "c"})
    assert distance_of(inner, one, same, text=SENTENCE)["relations"] == 0.0
    assert distance_of(inner, one, back, text=SENTENCE)["relations"] == 1.0


def test_copies_in_a_repeater_are_one_aspect() -> None:
    inner = (
        '<Repeater on="$list"><Text name="t{{idx}}" value="$list[{{idx}}]"/>'
        '<Choices name="c{{idx}}" toName="t{{idx}}"><Choice value="x"/><Choice value="y"/></Choices></Repeater>'
    )
    chosen = [
        answer(*(result(f"c{n}", f"t{n}", "choices", {"choices": [c]}, f"r{n}") for n, c in enumerate(given)))
        for given in ("xxyy", "xyyy")
    ]
    assert distance_of(inner, *chosen, list=["a", "b", "c", "d"]) == {"c{{idx}}": 0.25}
    assert list(TYPE.aspects(config(inner))) == ["c{{idx}}"]


def test_a_control_that_neither_saw_is_not_compared() -> None:
    inner = (
        f'{TEXT}<Choices name="c" toName="text"><Choice value="x"/><Choice value="y"/></Choices>'
        '<TextArea name="why" toName="text" visibleWhen="choice-selected" whenTagName="c" whenChoiceValue="y"/>'
    )
    x = answer(result("c", "text", "choices", {"choices": ["x"]}))
    assert distance_of(inner, x, x, text="t") == {"c": 0.0}


def test_all_distances_are_symmetric_and_zero_for_the_same_answer() -> None:
    rng = Random(5)
    drawn = [
        answer(*(box(rng.uniform(0, 60), rng.uniform(0, 60), rng.uniform(5, 40), rng.uniform(5, 40),
                     rng.choice(["Cat", "Dog"]), id=f"r{n}", rotation=rng.choice([0, 30])) for n in range(3)))
        for _ in range(6)
    ]  # fmt: skip
    for one in drawn:
        assert distance_of(BOXES, one, one, image=PICTURE)["box"] == pytest.approx(0.0, abs=1e-9)
        for other in drawn:
            there = distance_of(BOXES, one, other, image=PICTURE)["box"]
            assert isclose(there, distance_of(BOXES, other, one, image=PICTURE)["box"], abs_tol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_looking_only_at_marks_that_can_meet_changes_nothing(seed: int) -> None:
    rng = Random(seed)

    def drawn() -> AnnotationAnswer:
        return answer(
            *(
                box(rng.uniform(0, 80), rng.uniform(0, 80), rng.uniform(1, 20), rng.uniform(1, 20), id=f"r{n}",
                    rotation=rng.choice([0, 0, 45]))
                for n in range(30)
            )
        )  # fmt: skip

    board = board_of(task(image=PICTURE), config(BOXES))
    one, other = (list(marks_of(each, board).values()) for each in (drawn(), drawn()))
    quick = best_pairs(one, other, marks_alike, can_meet(one, other))
    table = np.array([[marks_alike(a, b) for b in other] for a in one])
    rows, columns = linear_sum_assignment(table, maximize=True)
    assert sum(weight for _, _, weight in quick.pairs) == pytest.approx(table[rows, columns].sum())


def test_thousands_of_marks_are_compared_by_what_can_meet() -> None:
    spans = [span(5 * n, 5 * n + 4, id=f"r{n}") for n in range(2_000)]
    shifted = [span(5 * n + 1, 5 * n + 5, id=f"r{n}") for n in range(2_000)]
    payload = task(text="word " * 2_000)
    board = board_of(payload, config(ENTITIES))
    one, other = (list(marks_of(answer(*each), board).values()) for each in (spans, shifted))
    looked_at = can_meet(one, other)
    assert looked_at.sum() <= 3 * 2_000
    distance = TYPE.distance(payload, answer(*spans), answer(*shifted), config(ENTITIES))["entity"]
    assert distance == pytest.approx(1 - 3 / 5)
