"""Kappas and kin: published worked examples, an independent implementation, and the edges."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from preceptor.quality.chance import (
    Credit,
    cohen_kappa,
    credit_table,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    percent_agreement,
)
from preceptor.quality.intervals import Estimate
from preceptor.quality.labels import UNKNOWN, BadLabels, Labels

# Four raters, twelve subjects, missing ratings: cac.raw4raters of Gwet's irrCAC (after Krippendorff 2011).
FOUR_RATERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
# Ten subjects by fourteen psychiatrists into five categories: Fleiss' kappa 0.210 (Fleiss 1971, as often reprinted).
FOURTEEN_RATERS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
# Two abstractors, three diagnoses: cont3x3abstractors of irrCAC.
ABSTRACTORS = [[13, 0, 0], [0, 20, 7], [0, 4, 56]]
MEASURES: list[Callable[..., Estimate]] = [percent_agreement, fleiss_kappa, gwet_ac1, gwet_ac2]


def by_raters(ratings: Sequence[Sequence[int | None]]) -> Labels:
    rows = [
        (item, person, value - 1)
        for person, given in enumerate(ratings)
        for item, value in enumerate(given)
        if value is not None
    ]
    return Labels.of(*zip(*rows, strict=True))


def by_counts(counts: Sequence[Sequence[int]]) -> Labels:
    rows = [
        (item, person, label)
        for item, row in enumerate(counts)
        for person, label in enumerate(label for label, n in enumerate(row) for _ in range(n))
    ]
    return Labels.of(*zip(*rows, strict=True))


def two(table: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    cells = [(row, column) for row, line in enumerate(table) for column, n in enumerate(line) for _ in range(n)]
    one, other = zip(*cells, strict=True)
    return list(one), list(other)


def pairs(one: Sequence[int], other: Sequence[int]) -> Labels:
    items = np.arange(len(one))
    return Labels.of(np.tile(items, 2), np.repeat([0, 1], len(one)), [*one, *other])


def test_worked_example_with_missing_ratings() -> None:
    labels = by_raters(FOUR_RATERS)
    assert percent_agreement(labels).value == pytest.approx(0.8181818, abs=1e-7)
    assert gwet_ac1(labels).value == pytest.approx(0.77544, abs=1e-5)
    assert fleiss_kappa(labels).value == pytest.approx(0.76117, abs=1e-5)


def test_worked_example_of_fleiss() -> None:
    assert fleiss_kappa(by_counts(FOURTEEN_RATERS)).value == pytest.approx(0.210, abs=5e-4)


def test_worked_example_of_two_abstractors() -> None:
    one, other = two(ABSTRACTORS)
    assert cohen_kappa(one, other).value == pytest.approx(0.7964094, abs=1e-7)
    assert gwet_ac1(pairs(one, other)).value == pytest.approx(0.8493305, abs=1e-7)
    assert percent_agreement(pairs(one, other)).value == pytest.approx(0.89, abs=1e-12)


def test_worked_example_of_cohen() -> None:
    assert cohen_kappa(*two([[20, 5], [10, 15]])).value == pytest.approx(0.4)


@pytest.mark.parametrize("credit", ["none", "linear", "quadratic"])
def test_two_raters_give_what_an_independent_package_gives(credit: Credit) -> None:
    rng = np.random.default_rng(1)
    one = rng.integers(0, 5, 200)
    other = np.clip(one + rng.integers(-1, 2, 200), 0, 4)
    expected = cohen_kappa_score(one, other, weights=None if credit == "none" else credit)
    assert cohen_kappa(one, other, credit=credit).value == pytest.approx(expected, abs=1e-12)


def test_part_credit_is_what_its_formula_says() -> None:
    # Gwet 2014, section 4.4, item by item and class by class.
    labels = by_raters(FOUR_RATERS)
    weights = credit_table(5, "quadratic")
    counts = labels.counts.toarray()
    several = counts[counts.sum(1) >= 2]
    agree = [(row * (weights @ row - 1)).sum() / (row.sum() * (row.sum() - 1)) for row in several]
    shares = (counts / counts.sum(1, keepdims=True)).mean(0)
    chance = weights.sum() / (5 * 4) * (shares * (1 - shares)).sum()
    assert gwet_ac2(labels).value == pytest.approx((np.mean(agree) - chance) / (1 - chance), abs=1e-12)


def test_credit_tables_are_the_published_ones() -> None:
    assert credit_table(3, "linear")[0].tolist() == [1, 0.5, 0]
    assert credit_table(3, "quadratic")[0].tolist() == [1, 0.75, 0]
    assert credit_table(3, "ordinal")[0] == pytest.approx([1, 2 / 3, 0])
    assert credit_table(3, "linear", [0, 1, 10])[0] == pytest.approx([1, 0.9, 0])


def test_nearly_one_class_leaves_ac1_high_where_kappa_falls_to_nothing() -> None:
    one, other = two([[118, 5], [2, 0]])
    assert (cohen_kappa(one, other).value or 0) < 0.05
    assert (gwet_ac1(pairs(one, other)).value or 0) > 0.9


def test_classes_on_offer_that_nobody_used_lower_chance_in_ac1() -> None:
    one, other = two([[8, 2], [3, 7]])
    few, many = pairs(one, other), pairs(one, other)
    more = Labels(many.item, many.person, many.label, many.items, many.people, 10)
    assert (gwet_ac1(more).value or 0) > (gwet_ac1(few).value or 0)


def test_missing_labels_are_left_out_by_pairs() -> None:
    one, other = [0, 1, 1, UNKNOWN, 0, 0], [0, 1, 0, 1, UNKNOWN, 0]
    assert cohen_kappa(one, other) == cohen_kappa([0, 1, 1, 0], [0, 1, 0, 0])


def test_intervals_cover_what_resampling_one_by_one_gives() -> None:
    rng = np.random.default_rng(4)
    one = rng.integers(0, 3, 120)
    other = np.where(rng.random(120) < 0.7, one, rng.integers(0, 3, 120))
    drawn = []
    for _ in range(800):
        chosen = rng.integers(0, 120, 120)
        drawn.append(cohen_kappa_score(one[chosen], other[chosen]))
    estimate = cohen_kappa(one, other, rng=rng, resamples=4000)
    assert (estimate.low, estimate.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.03)
    for measure in MEASURES:
        found = measure(pairs(one.tolist(), other.tolist()), rng=rng)
        assert found.low is not None
        assert found.high is not None
        assert found.low < (found.value or 0) < found.high


@pytest.mark.parametrize("measure", MEASURES)
def test_nothing_to_compare_is_unknown_with_a_reason(measure: Callable[..., Estimate]) -> None:
    for labels in (Labels.of([], [], [], classes=2), Labels.of([0, 1], [0, 0], [0, 1])):
        estimate = measure(labels, rng=np.random.default_rng(0))
        assert estimate.value is None
        assert estimate.reason == "no item has labels from two people"


def test_one_class_only_is_unknown_for_kappa_and_told_apart_by_ac1() -> None:
    uniform = Labels.of([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0], classes=2)
    assert fleiss_kappa(uniform).value is None
    assert fleiss_kappa(uniform).reason is not None
    assert cohen_kappa([0, 0], [0, 0]).value is None
    assert gwet_ac1(uniform).value == 1.0
    only = Labels.of([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0])
    assert gwet_ac1(only).value is None


def test_people_who_always_differ_are_below_zero() -> None:
    assert cohen_kappa([0, 1] * 10, [1, 0] * 10).value == pytest.approx(-1.0)
    assert (fleiss_kappa(pairs([0, 1] * 10, [1, 0] * 10)).value or 0) < 0


def test_unusable_columns_are_refused() -> None:
    with pytest.raises(BadLabels, match="differ in length"):
        cohen_kappa([0, 1], [0])
    with pytest.raises(BadLabels, match="indices"):
        cohen_kappa([0.5, 1.0], [0.0, 1.0])
    with pytest.raises(BadLabels, match="outside"):
        cohen_kappa([0, 3], [0, 1], classes=2)
    with pytest.raises(BadLabels, match="below"):
        cohen_kappa([0, -5], [0, 1])
    with pytest.raises(ValueError, match="at most"):
        gwet_ac2(Labels.of([0, 0], [0, 1], [0, 10**9]))


def test_a_huge_class_index_costs_nothing_where_classes_are_only_compared() -> None:
    labels = Labels.of([0, 0, 1, 1], [0, 1, 0, 1], [0, 10**9, 10**9, 10**9])
    assert percent_agreement(labels).value == pytest.approx(0.5)
    assert gwet_ac1(labels).value is not None
    assert cohen_kappa([0, 10**9, 5], [0, 10**9, 6]).value is not None
