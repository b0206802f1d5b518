"""Alpha straight from arrays of judgments: the same numbers as from counts, at any size, with strange indices."""

from collections import Counter

import krippendorff
import numpy as np
import pytest

from preceptor.quality.agreement import Metric, alpha, alpha_of
from preceptor.quality.agreement_people import alpha_without_each
from preceptor.quality.agreement_scale import ROWS_MAX_FOR_BOOTSTRAP
from preceptor.quality.labels import BadLabels, Labels, NamedLabels

METRICS: list[Metric] = ["nominal", "ordinal", "interval", "ratio"]


def crowd(rng: np.random.Generator, items: int = 80, people: int = 9, classes: int = 4) -> Labels:
    """Some items judged by two, some by seven, each by different people."""
    rows = [
        (item, int(person), int(rng.binomial(classes - 1, (item % 5 + 1) / 7)))
        for item in range(items)
        for person in rng.choice(people, rng.integers(1, 8), replace=False)
    ]
    return Labels.of(*zip(*rows, strict=True), classes=classes)


def as_counts(labels: Labels) -> list[dict[int, int]]:
    items: list[Counter[int]] = [Counter() for _ in range(labels.items)]
    for item, label in zip(labels.item.tolist(), labels.label.tolist(), strict=True):
        items[item][label] += 1
    return [dict(item) for item in items]


@pytest.mark.parametrize("metric", METRICS)
def test_arrays_give_what_counts_give(metric: Metric) -> None:
    labels = crowd(np.random.default_rng(1))
    straight = alpha_of(labels, metric)
    counted = alpha(as_counts(labels), metric)
    assert straight.value == pytest.approx(counted.value, abs=1e-12)
    assert straight.n == counted.n


@pytest.mark.parametrize("metric", METRICS)
def test_arrays_give_what_an_independent_package_gives(metric: Metric) -> None:
    labels = crowd(np.random.default_rng(2))
    table = np.full((labels.people, labels.items), np.nan)
    table[labels.person, labels.item] = labels.label + 1.0
    expected = krippendorff.alpha(reliability_data=table, level_of_measurement=metric)
    assert alpha_of(labels, metric, values=[1.0, 2.0, 3.0, 4.0]).value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", METRICS)
def test_intervals_from_arrays_and_from_counts_are_alike(metric: Metric) -> None:
    labels = crowd(np.random.default_rng(3))
    straight = alpha_of(labels, metric, rng=np.random.default_rng(5), resamples=4000)
    counted = alpha(as_counts(labels), metric, rng=np.random.default_rng(6), resamples=4000)
    assert (straight.low, straight.high) == pytest.approx((counted.low, counted.high), abs=0.02)


def test_the_order_of_judgments_and_names_of_people_change_nothing() -> None:
    labels = crowd(np.random.default_rng(4))
    turned = Labels(labels.item[::-1], labels.person[::-1] * 0, labels.label[::-1], labels.items, 1, labels.classes)
    assert alpha_of(turned).value == pytest.approx(alpha_of(labels).value)


def test_a_huge_class_and_a_huge_item_index_cost_nothing() -> None:
    item, label = [0, 0, 10**9, 10**9, 7, 7], [0, 10**9, 3, 3, 10**9, 10**9]
    huge = alpha_of(Labels.of(item, [0, 1, 0, 1, 0, 1], label))
    small = alpha([{0: 1, 2: 1}, {1: 2}, {2: 2}])
    assert huge.value == pytest.approx(small.value)


def test_items_with_hundreds_of_labels_of_many_classes_are_counted_too() -> None:
    rng = np.random.default_rng(6)
    label = np.minimum(rng.geometric(0.1, 40 * 300) - 1, 59)
    labels = Labels.of(np.repeat(np.arange(40), 300), np.tile(np.arange(300), 40), label, classes=60)
    assert alpha_of(labels, "ordinal").value == pytest.approx(alpha(as_counts(labels), "ordinal").value)


def test_what_the_classes_stand_for_moves_the_interval_scale() -> None:
    labels = crowd(np.random.default_rng(7))
    named = [{[0.0, 1.0, 10.0, 100.0][label]: n for label, n in item.items()} for item in as_counts(labels)]
    spaced = alpha_of(labels, "interval", values=[0.0, 1.0, 10.0, 100.0])
    assert spaced.value == pytest.approx(alpha(named, "interval").value)
    assert spaced.value != pytest.approx(alpha_of(labels, "interval").value, abs=1e-3)


def test_a_distance_of_named_classes_is_used() -> None:
    labels = crowd(np.random.default_rng(8), classes=3)

    def severity(one: str, other: str) -> float:
        return 1.0 if "severe" in (one, other) else 0.25

    by_name = alpha_of(labels, severity, values=["none", "mild", "severe"])
    counted = [{["none", "mild", "severe"][label]: n for label, n in item.items()} for item in as_counts(labels)]
    assert by_name.value == pytest.approx(alpha(counted, severity).value)


def test_very_many_kinds_of_items_get_the_interval_that_resampling_would_give() -> None:
    rng = np.random.default_rng(9)
    items = ROWS_MAX_FOR_BOOTSTRAP + 2_000
    truth = rng.integers(0, 200, items)
    label = np.where(rng.random((items, 4)) < 0.6, truth[:, np.newaxis], rng.integers(0, 200, (items, 4))).ravel()
    labels = Labels.of(np.repeat(np.arange(items), 4), np.tile(np.arange(4), items), label)
    estimate = alpha_of(labels, rng=rng)
    # Nominal alpha is nearly a mean over items here, with expected disagreement near 1.
    shares = (label.reshape(-1, 4)[:, :, np.newaxis] == label.reshape(-1, 4)[:, np.newaxis]).sum((1, 2)) / 12
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.high - estimate.low == pytest.approx(2 * 1.96 * shares.std() / np.sqrt(items), rel=0.25)


def test_nothing_to_compare_one_rater_and_one_class_are_unknown_with_a_reason() -> None:
    nothing = alpha_of(Labels.of([], [], []), rng=np.random.default_rng(0))
    alone = alpha_of(Labels.of([0, 1, 2], [0, 0, 0], [0, 1, 0]), rng=np.random.default_rng(0))
    uniform = alpha_of(Labels.of([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 0, 0]), rng=np.random.default_rng(0))
    for estimate in (nothing, alone, uniform):
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
        assert estimate.reason


def test_a_person_who_disagrees_with_all_pushes_alpha_below_zero() -> None:
    labels = Labels.of(np.repeat(np.arange(30), 2), np.tile([0, 1], 30), np.tile([0, 1, 1, 0], 15))
    assert (alpha_of(labels).value or 0) < -0.5


def test_values_that_do_not_fit_the_scale_are_refused() -> None:
    labels = crowd(np.random.default_rng(1))
    with pytest.raises(BadLabels, match="one per class"):
        alpha_of(labels, "interval", values=[1.0, 2.0])
    with pytest.raises(ValueError, match="finite"):
        alpha_of(labels, "interval", values=[1.0, 2.0, float("nan"), 4.0])
    with pytest.raises(ValueError, match="negative"):
        alpha_of(labels, "ratio", values=[-1.0, 2.0, 3.0, 4.0])
    with pytest.raises(ValueError, match="needs numbers"):
        alpha_of(labels, "interval", values=["a", "b", "c", "d"])


@pytest.mark.parametrize("metric", METRICS)
def test_leaving_each_person_out_is_counting_again_without_them(metric: Metric) -> None:
    labels = crowd(np.random.default_rng(11), items=40)
    found = alpha_without_each(labels, metric)
    again = [alpha_of(labels.where(labels.person != person), metric).value for person in range(labels.people)]
    assert found.without == pytest.approx(np.array(again, dtype=float), abs=1e-10)
    assert found.rise == pytest.approx(found.without - (found.alpha.value or 0))


def test_agreement_rises_most_without_the_person_who_answers_at_random() -> None:
    rng = np.random.default_rng(12)
    truth = np.repeat(rng.integers(0, 3, 200), 5)
    person = np.tile(np.arange(5), 200)
    label = np.where((person == 3) | (rng.random(1000) < 0.1), rng.integers(0, 3, 1000), truth)
    found = alpha_without_each(Labels.of(np.repeat(np.arange(200), 5), person, label))
    assert int(np.argmax(found.rise)) == 3
    assert (np.delete(found.rise, 3) < 0).all()


def test_a_person_with_nobody_beside_them_changes_nothing_and_two_people_cannot_spare_one() -> None:
    labels = Labels.of([0, 0, 1, 1, 2], [0, 1, 0, 1, 2], [0, 0, 1, 0, 1], people=4)
    found = alpha_without_each(labels)
    assert np.isnan(found.without[:2]).all()
    assert found.rise[2:].tolist() == [0, 0]
    assert found.compared.tolist() == [2, 2, 0, 0]


def test_leaving_out_needs_one_label_per_person_and_item() -> None:
    with pytest.raises(BadLabels, match="more than once"):
        alpha_without_each(Labels.of([0, 0, 0, 1, 1], [0, 0, 1, 0, 1], [0, 1, 1, 0, 0]))
    unknown = alpha_without_each(Labels.of([], [], []))
    assert unknown.alpha.reason == "no item has labels from two people"


def test_repeats_in_the_rows_can_be_read_away_before_counting() -> None:
    rows = [("t1", "ann", "x"), ("t1", "ann", "y"), ("t1", "bo", "y"), ("t2", "ann", "x"), ("t2", "bo", "x")]
    items, people, given = (list(column) for column in zip(*rows, strict=True))
    read = NamedLabels.read(items, people, given, repeats="last")
    assert read.dropped == 1
    assert alpha_of(read.labels).value == pytest.approx(1.0)
