"""Agreement of answers that are hardly ever equal: distances, and alpha by any of them."""

import difflib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preceptor.quality.agreement import alpha
from preceptor.quality.agreement_distance import alpha_by_distance
from preceptor.quality.distances import (
    box_iou,
    boxes_iou,
    edit_distance,
    interval_iou,
    jaccard,
    masi,
    span_f1,
    span_overlap,
)


def squared(one: float, other: float) -> float:
    return (one - other) ** 2


def test_all_pairs_give_what_alpha_of_counts_gives() -> None:
    rng = np.random.default_rng(1)
    items = [rng.normal(rng.normal(0, 2), 1, 2 + index % 4).tolist() for index in range(40)]
    found = alpha_by_distance(items, squared, rng=rng)
    counted = alpha([dict.fromkeys(item, 1) for item in items], "interval", rng=rng)
    assert not found.sampled
    assert found.alpha.value == pytest.approx(counted.value, abs=1e-12)
    assert (found.alpha.low, found.alpha.high) == pytest.approx((counted.low, counted.high), abs=0.04)


def test_a_sample_of_pairs_comes_near_and_says_that_it_is_one() -> None:
    rng = np.random.default_rng(2)
    items = [rng.normal(place, 1, 4).tolist() for place in rng.normal(0, 2, 300)]
    exact = alpha([dict.fromkeys(item, 1) for item in items], "interval")
    found = alpha_by_distance(items, squared, rng=rng, pairs_max=5_000, resamples=200)
    assert found.sampled
    assert (found.pairs, found.pairs_possible) == (5_000, 1200 * 1199 // 2)
    assert found.alpha.value == pytest.approx(exact.value, abs=0.03)
    assert found.alpha.low is not None
    assert found.alpha.high is not None
    assert found.alpha.low < (exact.value or 0) < found.alpha.high


def test_a_sample_needs_a_generator() -> None:
    with pytest.raises(ValueError, match="generator"):
        alpha_by_distance([[1.0, 2.0], [3.0, 4.0]] * 10, squared, pairs_max=100)


def test_nothing_to_compare_and_no_difference_are_unknown_with_a_reason() -> None:
    alone = alpha_by_distance([["a"], []], edit_distance)
    same = alpha_by_distance([["a", "a"], ["a", "a"]], edit_distance)
    assert alone.alpha.value is None
    assert alone.observed is None
    assert same.alpha.value is None
    assert same.alpha.reason == "all labels are the same, so agreement by chance is undefined"


def test_a_distance_that_is_no_distance_is_refused() -> None:
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="distance"):
            alpha_by_distance([[wrong, 0.0]], lambda one, other: one + other)


def test_spans_agree_by_what_they_share() -> None:
    one, other = [(0, 5, "person"), (8, 12, "place")], [(0, 5, "person"), (8, 14, "place")]
    assert span_f1(one, other) == pytest.approx(0.5)
    assert span_overlap(one, other) == pytest.approx(1 - 2 * 9 / (9 + 11))
    assert span_overlap([(0, 4, "a"), (2, 6, "a")], [(0, 6, "a")]) == 0
    assert span_f1([(0, 5, "person")], [(0, 5, "place")]) == 1
    assert span_f1([], []) == span_overlap([], []) == 0
    assert span_f1([], one) == span_overlap([], one) == 1


def test_boxes_and_stretches_agree_by_intersection_over_union() -> None:
    assert box_iou((0, 0, 2, 2), (1, 1, 3, 3)) == pytest.approx(1 - 1 / 7)
    assert box_iou((0, 0, 1, 1), (5, 5, 6, 6)) == 1
    assert interval_iou((0, 10), (5, 15)) == pytest.approx(2 / 3)
    assert interval_iou((3, 3), (3, 3)) == 0
    assert boxes_iou([(0, 0, 1, 1), (5, 5, 6, 6)], [(5, 5, 6, 6)]) == pytest.approx(0.5)
    assert boxes_iou([], []) == 0
    assert boxes_iou([], [(0, 0, 1, 1)]) == 1
    with pytest.raises(ValueError, match="ends before"):
        box_iou((2, 0, 1, 1), (0, 0, 1, 1))


def test_sets_agree_more_where_one_holds_the_other() -> None:
    assert jaccard({"a", "b"}, {"b", "c"}) == pytest.approx(2 / 3)
    assert masi({"a"}, {"a", "b"}) == pytest.approx(1 - 2 / 3 * 1 / 2)
    assert masi({"a", "b"}, {"b", "c"}) == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi(set(), set()) == jaccard(set(), set()) == 0
    assert masi({"a"}, set()) == 1


def edits_by_table(one: str, other: str) -> int:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


@given(st.text("abc", max_size=90), st.text("abc", max_size=90))
def test_edits_are_those_of_the_textbook_table(one: str, other: str) -> None:
    longer = max(len(one), len(other), 1)
    assert edit_distance(one, other) == edits_by_table(one, other) / longer
    assert edit_distance(one, other) == edit_distance(other, one)


def test_texts_are_compared_by_character_or_by_word() -> None:
    assert edit_distance("kitten", "sitting") == pytest.approx(3 / 7)
    assert edit_distance(["a", "good", "answer"], ["a", "bad", "answer"]) == pytest.approx(1 / 3)
    assert edit_distance("", "") == 0
    assert edit_distance("", "x") == 1


def test_writers_of_like_answers_agree_beyond_chance() -> None:
    answers = [
        ["the dose is five grams", "the dose is 5 grams", "a dose of five grams"],
        ["stop after the second day", "stop after two days", "stop it on the second day"],
        ["ask a doctor first", "first ask a doctor", "ask your doctor first"],
    ]
    found = alpha_by_distance(answers, lambda one, other: edit_distance(one.split(), other.split()))
    by_ratio = alpha_by_distance(answers, lambda a, b: 1 - difflib.SequenceMatcher(None, a, b).ratio())
    assert (found.alpha.value or 0) > 0.3
    assert (by_ratio.alpha.value or 0) > 0.3
