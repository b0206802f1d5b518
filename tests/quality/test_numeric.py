"""Truth behind numbers."""

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from tests.conftest import needs_shared

from preceptor.quality.labels import BadLabels, Floats
from preceptor.quality.numeric import ROBUST_DEGREES, Ratings, fit_numeric, item_means, item_medians


def simulated(value: Floats, bias: Floats, scatter: Floats, each: int, rng: np.random.Generator) -> Ratings:
    item = np.repeat(np.arange(len(value)), each)
    person = np.concatenate([rng.permutation(len(bias))[:each] for _ in value])
    noise = rng.normal(size=len(item)) * scatter[person]
    return Ratings(item, person, value[item] + bias[person] + noise, len(value), len(bias))


def test_biases_scatters_and_values_are_found() -> None:
    rng = np.random.default_rng(1)
    value, bias = rng.normal(size=300) * 10 + 50, rng.normal(size=20) * 5
    scatter = np.repeat([1.0, 6.0], 10)
    found = fit_numeric(simulated(value, bias, scatter, 6, rng))
    assert found.converged
    level = bias.mean()
    assert found.bias == pytest.approx(bias - level, abs=2.0)
    # 90 ratings each, shrunk as if 5 more had the variance of the whole crowd, about 18.
    assert found.scatter[:10].mean() == pytest.approx(np.sqrt((90 * 1 + 5 * 18) / 95), rel=0.2)
    assert found.scatter[10:].mean() == pytest.approx(6.0, rel=0.2)
    assert float(np.sqrt(((found.value - value - level) ** 2).mean())) < 1.2
    assert found.spread == pytest.approx(10.0, rel=0.2)


def test_people_are_weighed_better_than_by_a_mean() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=200)
    ratings = simulated(value, rng.normal(size=30), rng.uniform(0.2, 2.0, 30), 5, rng)
    means = np.array([estimate.value for estimate in item_means(ratings)], dtype=np.float64)
    assert np.corrcoef(fit_numeric(ratings).value, value)[0, 1] > np.corrcoef(means, value)[0, 1] + 0.05


def test_intervals_cover_the_values_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    covered = total = 0
    for _ in range(15):
        value, bias = rng.normal(size=80), rng.normal(size=15) * 0.5
        found = fit_numeric(simulated(value, bias - bias.mean(), rng.uniform(0.5, 1.2, 15), 4, rng))
        for item in range(80):
            interval = found.interval(item)
            assert interval.low is not None
            assert interval.high is not None
            covered += interval.low <= value[item] <= interval.high
            total += 1
    assert 0.90 <= covered / total <= 0.985


def test_one_wild_number_moves_the_robust_fit_least() -> None:
    rng = np.random.default_rng(4)
    value = rng.normal(size=60)
    ratings = simulated(value, np.zeros(10), np.full(10, 0.4), 5, rng)
    spoiled = ratings.value.copy()
    spoiled[0] += 25.0
    wild = Ratings(ratings.item, ratings.person, spoiled, 60, 10)

    def moved(degrees: float) -> float:
        gap = fit_numeric(wild, degrees=degrees).value[0] - fit_numeric(ratings, degrees=degrees).value[0]
        return float(abs(gap))

    assert moved(ROBUST_DEGREES) < 0.5
    assert moved(ROBUST_DEGREES) < moved(np.inf)


@pytest.mark.parametrize("degrees", [np.inf, ROBUST_DEGREES])
def test_another_unit_and_zero_give_the_same_in_that_unit(degrees: float) -> None:
    rng = np.random.default_rng(5)
    ratings = simulated(rng.normal(size=30), rng.normal(size=6) * 0.3, np.full(6, 0.5), 4, rng)
    moved = Ratings(ratings.item, ratings.person, ratings.value * 1e9 + 5e9, 30, 6)
    here, there = fit_numeric(ratings, degrees=degrees), fit_numeric(moved, degrees=degrees)
    assert there.value == pytest.approx(here.value * 1e9 + 5e9, rel=1e-3)
    assert there.scatter == pytest.approx(here.scatter * 1e9, rel=1e-3)


def test_somebody_with_one_rating_is_an_average_person() -> None:
    rng = np.random.default_rng(6)
    many = simulated(rng.normal(size=50), np.zeros(5), np.full(5, 0.3), 4, rng)
    ratings = Ratings(
        np.append(many.item, 0), np.append(many.person, 5), np.append(many.value, many.value[:4].mean()), 50, 7
    )
    found = fit_numeric(ratings)
    assert found.scatter[5] == pytest.approx(float(found.scatter[:5].mean()), rel=0.3)
    assert found.bias_error[5] > found.bias_error[:5].max()
    assert found.bias_interval(6).reason == "rated nothing; the crowd's average"
    assert found.bias[6] == 0.0


def test_an_item_nobody_rated_is_an_average_item() -> None:
    found = fit_numeric(Ratings.of([0, 0, 1, 1], [0, 1, 0, 1], [1.0, 1.2, 5.0, 5.1], items=3))
    interval = found.interval(2)
    assert interval.reason == "nobody rated it; this is the average item"
    assert interval.value == pytest.approx(found.level)
    assert interval.low is not None
    assert interval.low < 1.5


def test_one_person_alone_keeps_wide_intervals() -> None:
    found = fit_numeric(Ratings.of([0, 1, 2], [0, 0, 0], [1.0, 2.0, 3.0]))
    interval = found.interval(0)
    assert interval.low is not None
    assert interval.high is not None
    assert interval.high - interval.low > 0.5


def test_somebody_who_disagrees_with_all_counts_little() -> None:
    rng = np.random.default_rng(7)
    value = rng.normal(size=80)
    ratings = simulated(value, np.zeros(6), np.full(6, 0.3), 6, rng)
    against = np.where(ratings.person == 0, -3 * ratings.value, ratings.value)
    found = fit_numeric(Ratings(ratings.item, ratings.person, against, 80, 6))
    assert found.scatter[0] > 4 * found.scatter[1:].max()
    assert np.corrcoef(found.value, value)[0, 1] > 0.98


def test_ratings_without_any_difference_are_that_number() -> None:
    found = fit_numeric(Ratings.of([0, 0, 1], [0, 1, 0], [7.0, 7.0, 7.0]))
    assert found.value == pytest.approx([7.0, 7.0])
    assert np.isfinite(found.error).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.floats(-1e9, 1e9)), min_size=1, max_size=20))
@settings(max_examples=60, deadline=None)
def test_any_ratings_give_finite_values_and_intervals(rows: list[tuple[int, int, float]]) -> None:
    item, person, value = ([row[place] for row in rows] for place in range(3))
    found = fit_numeric(Ratings.of(item, person, value, items=4, people=4))
    for column in (found.value, found.error, found.bias, found.bias_error, found.scatter):
        assert np.isfinite(column).all()
    assert (found.error > 0).all()


def test_means_have_the_interval_of_the_pooled_scatter() -> None:
    first, second, third = item_means(Ratings.of([0, 0, 1, 1], [0, 1, 0, 1], [1.0, 3.0, 5.0, 5.0], items=3))
    assert (first.value, second.value) == (2.0, 5.0)
    # Two of four degrees of freedom are left: variance within items (1 + 1) / 2 = 1, of a mean of two 1 / 2.
    assert first.high == pytest.approx(2.0 + 1.959964 * np.sqrt(0.5))
    assert (third.value, third.reason) == (None, "nobody rated it")


def test_means_of_single_ratings_have_no_interval() -> None:
    (only,) = item_means(Ratings.of([0], [0], [3.0]))
    assert (only.value, only.low) == (3.0, None)
    assert only.reason == "no item has two ratings, so their scatter is unknown"


def test_medians_have_the_interval_of_order_statistics() -> None:
    values = np.random.default_rng(8).permutation(np.arange(15.0))
    few, many, none = item_medians(Ratings.of([0, 0] + [1] * 15, range(17), [4.0, 6.0, *values], items=3))
    assert (few.value, few.low, few.n) == (5.0, None, 2)
    assert few.reason == "2 ratings are too few for an interval of a median"
    assert (many.value, many.low, many.high) == (7.0, 3.0, 11.0)
    # Three below on either side are the most that keep the chance of missing under 5 %.
    assert 2 * binom.cdf(3, 15, 0.5) < 0.05 < 2 * binom.cdf(4, 15, 0.5)
    assert none.value is None


@pytest.mark.parametrize(
    ("item", "value", "told"),
    [
        ([0, 1], [1.0], "differ in length"),
        ([0], [float("nan")], "row 0: the value nan"),
        ([0], [float("inf")], "no finite number"),
        ([-1], [1.0], "item -1"),
    ],
)
def test_unusable_ratings_are_refused(item: list[int], value: list[float], told: str) -> None:
    with pytest.raises(BadLabels, match=told):
        Ratings.of(item, [0] * len(item), value, items=3)


def test_no_rating_is_refused() -> None:
    with pytest.raises(BadLabels, match="no rating"):
        fit_numeric(Ratings.of([], [], [], items=2, people=1))


def test_names_are_numbered_as_they_come() -> None:
    ratings, items, people = Ratings.read(["b", "a", "b"], ["x", "x", "y"], [1.0, 2.0, 3.0])
    assert (items, people) == (["b", "a"], ["x", "y"])
    assert list(ratings.item) == [0, 1, 0]


def test_ratings_of_simplifications_left_out_are_met_better_than_by_means() -> None:
    with gzip.open(needs_shared("data/asset_ratings/labels.csv.gz"), "rt", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["task_id"].endswith("/meaning")]
    columns = ([row["task_id"] for row in rows], [row["worker_id"] for row in rows])
    ratings, _, _ = Ratings.read(*columns, [float(row["label"]) for row in rows])
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(5):
        used = rng.random(len(ratings)) < 1 / 3
        part, rest = (
            Ratings(ratings.item[mask], ratings.person[mask], ratings.value[mask], ratings.items, ratings.people)
            for mask in (used, ~used)
        )
        both = np.isin(np.arange(ratings.items), part.item) & np.isin(np.arange(ratings.items), rest.item)
        held, mean = (np.array([e.value for e in item_means(r)], dtype=np.float64)[both] for r in (rest, part))
        fitted = fit_numeric(part).value[both]
        gains.append(float(((mean - held) ** 2).mean() - ((fitted - held) ** 2).mean()))
    assert min(gains) > 0
