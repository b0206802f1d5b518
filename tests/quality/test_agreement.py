"""Krippendorff's alpha: what it says at the edges, and that others compute the same."""

import csv
import gzip
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import krippendorff
import numpy as np
import pytest

from preceptor.quality import Judgment, alpha, as_numbers, count_labels
from preceptor.quality.agreement import Metric

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

# Krippendorff 2011, example C/D: four observers, twelve units, missing labels; the ratings by observer.
OBSERVERS = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
WORKED = [dict(Counter(v for v in unit if v is not None)) for unit in zip(*OBSERVERS, strict=True)]


def real_rows(name: str) -> list[dict[str, str]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs {path}, which is not part of the project")
    with gzip.open(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


def independent_alpha(items: Sequence[Mapping[float, int]], metric: Metric) -> float:
    values = sorted({value for item in items for value in item})
    counts = np.array([[item.get(value, 0) for value in values] for item in items])
    return float(krippendorff.alpha(value_counts=counts, value_domain=values, level_of_measurement=metric))


def test_worked_example_of_two_observers_and_two_values() -> None:
    # Krippendorff 2011, example A: ten units, alpha = 0.095.
    first = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
    second = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]
    items = [dict(Counter(pair)) for pair in zip(first, second, strict=True)]
    assert alpha(items).value == pytest.approx(0.095, abs=5e-4)


def test_worked_example_of_two_observers_and_five_values() -> None:
    # Krippendorff 2011, example B: twelve units, alpha = 0.692.
    items = [dict(Counter(pair)) for pair in zip("aabbdcccedda", "babbbccceddd", strict=True)]
    assert alpha(items).value == pytest.approx(0.692, abs=5e-4)


@pytest.mark.parametrize(
    ("metric", "published"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_worked_example_with_missing_labels(metric: Metric, published: float) -> None:
    assert alpha(WORKED, metric).value == pytest.approx(published, abs=5e-4)


def test_an_item_with_one_label_changes_nothing() -> None:
    assert alpha([*WORKED, {4: 1}, {}]) == alpha(WORKED)


def test_a_function_as_distance_gives_the_same_as_the_metric_it_spells_out() -> None:
    squared = alpha(WORKED, lambda a, b: float((a - b) ** 2))
    unequal = alpha(WORKED, lambda a, b: 1.0)
    assert squared.value == pytest.approx(alpha(WORKED, "interval").value)
    assert unequal.value == pytest.approx(alpha(WORKED, "nominal").value)


def test_shifting_all_values_far_away_changes_nothing() -> None:
    far = [{value + 10**8: count for value, count in item.items()} for item in WORKED]
    assert alpha(far, "interval").value == pytest.approx(alpha(WORKED, "interval").value, abs=1e-9)


def test_ordinal_agreement_depends_on_the_order_alone() -> None:
    names = {1: "poor", 2: "fair", 3: "good", 4: "better", 5: "best"}
    named = [{names[value]: count for value, count in item.items()} for item in WORKED]
    ordered = alpha(named, "ordinal", order=list(names.values()))
    assert ordered.value == pytest.approx(alpha(WORKED, "ordinal").value)
    assert ordered.value != pytest.approx(alpha(named, "ordinal").value)


def test_nothing_to_compare_is_unknown_with_a_reason() -> None:
    for items in ([], [{"a": 1}, {"b": 1}]):
        estimate = alpha(items)
        assert estimate.value is None
        assert estimate.reason == "no item has labels from two people"


def test_a_single_value_is_unknown_and_not_perfect_agreement() -> None:
    estimate = alpha([{"a": 5}] * 100, rng=np.random.default_rng(1))
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 100)
    assert estimate.reason is not None


def test_full_agreement_on_varied_items_is_one() -> None:
    assert alpha([{"a": 3}, {"b": 3}] * 20).value == pytest.approx(1.0)


def test_two_people_who_always_differ_are_below_zero() -> None:
    value = alpha([{"a": 1, "b": 1}] * 50).value
    assert value is not None
    assert value < 0


def test_labels_at_random_are_near_zero_and_the_interval_covers_it() -> None:
    rng = np.random.default_rng(7)
    items = [dict(Counter(rng.integers(0, 3, 5).tolist())) for _ in range(2000)]
    estimate = alpha(items, rng=rng)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 0 < estimate.high
    assert estimate.high - estimate.low < 0.05


@pytest.mark.parametrize("metric", ["nominal", "ordinal", "interval", "ratio"])
def test_the_interval_is_that_of_resampling_items_one_by_one(metric: Metric) -> None:
    rng = np.random.default_rng(3)
    items = [dict(Counter(rng.binomial(4, share, 5).tolist())) for share in rng.random(60)]
    drawn = []
    for _ in range(600):
        chosen = rng.integers(0, len(items), len(items))
        drawn.append(independent_alpha([items[index] for index in chosen], metric))
    low, high = np.quantile(drawn, [0.025, 0.975])
    estimate = alpha(items, metric, rng=rng, resamples=4000)
    assert estimate.low == pytest.approx(low, abs=0.03)
    assert estimate.high == pytest.approx(high, abs=0.03)


def test_equal_generators_give_equal_intervals_and_few_items_give_none() -> None:
    items = [{"a": 3, "b": 2}, {"b": 5}, {"a": 5}, {"a": 4, "b": 1}] * 5
    assert alpha(items, rng=np.random.default_rng(5)) == alpha(items, rng=np.random.default_rng(5))
    few = alpha(items[:4], rng=np.random.default_rng(5))
    assert few.value is not None
    assert (few.low, few.high) == (None, None)
    assert few.reason == "4 units are too few for an interval; 10 are needed"


def test_unusable_input_is_refused() -> None:
    with pytest.raises(ValueError, match="times"):
        alpha([{"a": -1, "b": 3}])
    with pytest.raises(ValueError, match="lacks"):
        alpha([{"a": 1, "b": 3}], "ordinal", order=["a"])
    with pytest.raises(ValueError, match="distance"):
        alpha([{"a": 1, "b": 3}], lambda a, b: -1.0)


@pytest.mark.parametrize(
    ("folder", "metric"),
    [("rte", "nominal"), ("web_ordinal", "nominal"), ("web_ordinal", "ordinal"), ("web_ordinal", "interval")],
)
def test_real_labels_give_what_the_independent_package_gives(folder: str, metric: Metric) -> None:
    rows = real_rows(f"{folder}/labels.csv.gz")
    judgments = [Judgment(row["task_id"], row["worker_id"], row["label"]) for row in rows]
    items = as_numbers(count_labels(judgments).values())
    estimate = alpha(items, metric, rng=np.random.default_rng(0))
    assert estimate.value == pytest.approx(independent_alpha(items, metric), abs=1e-9)
    assert None not in (estimate.low, estimate.value, estimate.high)
    assert (estimate.low or 0) < (estimate.value or 0) < (estimate.high or 0)


def test_real_comparisons_give_what_the_independent_package_gives() -> None:
    rows = real_rows("ukp_convarg/comparisons.csv.gz")
    sides = {row["task_id"]: row["left"] for row in rows}
    side = {True: "0", False: "1"}
    judgments = [
        Judgment(
            row["task_id"],
            row["worker_id"],
            "2" if row["winner"] == "tie" else side[row["winner"] == sides[row["task_id"]]],
        )
        for row in rows
    ]
    items = as_numbers(count_labels(judgments).values())
    assert alpha(items).value == pytest.approx(independent_alpha(items, "nominal"), abs=1e-9)
