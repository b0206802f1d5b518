"""Krippendorff's alpha: agreement beyond chance, for any number of people, missing labels included.

Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011, University of Pennsylvania), and
"Content Analysis" (4th edition, 2018, chapter 12). Alpha is 1 - observed / expected disagreement: 1 when
all agree, 0 when labels are as if drawn by chance from the labels given, below 0 when people disagree
systematically. Everything is computed from how often each item got each value, so that labels counted in
several places can be added up, and nothing grows with the number of people.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from scipy.sparse import csr_array

from preceptor.quality.intervals import LEVEL, RESAMPLES, Estimate, Floats, bootstrap

Value = TypeVar("Value", str, int, float)
Metric = Literal["nominal", "ordinal", "interval"]
Distance = Callable[[Value, Value], float]

# A distance of one's own needs a table of all pairs of values.
VALUES_MAX_FOR_DISTANCE = 2_000
# Resampled disagreements are worked out in slices of at most this many numbers.
_CELLS_AT_ONCE = 2_000_000


def alpha(
    items: Sequence[Mapping[Value, int]],
    distance: Metric | Distance[Value] = "nominal",
    *,
    order: Sequence[Value] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Krippendorff's alpha of items given as value counts, with an interval by resampling items.

    `distance` is a metric's name or a function of two different values that gives their (squared)
    difference: symmetric, not negative. `interval` needs numbers; `ordinal` takes the values in `order`,
    or sorted where none is given. Items with fewer than two labels say nothing about agreement and are
    left out; `n` counts the others. Unknown when no item has two labels, or when only one value was ever
    used: without variation, agreement cannot be told from habit.

    The interval is the percentile bootstrap over items and needs `rng`; items must be independent. It is
    too narrow for few items, and of width zero where all agree.
    """
    table = _Table.of(items, order)
    if table is None:
        return Estimate.unknown("no item has labels from two people")
    disagreement = _disagreement(table, distance)
    value = float(_alpha(table.times[np.newaxis, :], table, disagreement)[0])
    units = int(table.times.sum())
    if np.isnan(value):
        return Estimate.unknown("only one value was used, so agreement by chance is undefined", units)
    if rng is None:
        return Estimate(value, None, None, units, "no generator was given to resample with")
    return bootstrap(lambda weights: _alpha(weights, table, disagreement), table.times, value, rng, resamples, level)


@dataclass(frozen=True, slots=True)
class _Table(Generic[Value]):
    """Distinct rows of value counts, and how many items have each."""

    values: Sequence[Value]
    counts: csr_array  # distinct rows x values
    labels: Floats  # labels in each distinct row
    times: Floats  # items with that row

    @classmethod
    def of(cls, items: Sequence[Mapping[Value, int]], order: Sequence[Value] | None) -> "_Table[Value] | None":
        # Few raters and few labels make few different rows however many items there are; frozenset
        # leaves the order of a mapping out of account.
        times: dict[frozenset[tuple[Value, int]], int] = {}
        for item in items:
            row = frozenset(item.items())
            times[row] = times.get(row, 0) + 1
        rows = [row for row in times if sum(_whole(count) for _, count in row) >= 2]
        if not rows:
            return None
        used = {value for row in rows for value, count in row if count}
        values = _in_order(used, order)
        return cls._build(values, rows, np.array([times[row] for row in rows], dtype=np.float64))

    @classmethod
    def _build(
        cls, values: Sequence[Value], rows: Sequence[frozenset[tuple[Value, int]]], times: Floats
    ) -> "_Table[Value]":
        place = {value: index for index, value in enumerate(values)}
        cells = [(row, place[value], count) for row, cell in enumerate(rows) for value, count in cell if count]
        row_of, value_of, count_of = np.array(cells, dtype=np.int64).T
        shape = (len(rows), len(values))
        counts = csr_array((count_of.astype(np.float64), (row_of, value_of)), shape=shape)
        # Sets have no order; sorting makes sums come out the same to the last digit.
        counts.sort_indices()
        labels = np.asarray(counts.sum(axis=1), dtype=np.float64)
        return cls(values, counts, labels, times)


def _whole(count: int) -> int:
    if count < 0:
        raise ValueError(f"a value cannot be given {count} times")
    return count


def _in_order(used: set[Value], order: Sequence[Value] | None) -> list[Value]:
    if order is None:
        return sorted(used)
    missing = used.difference(order)
    if missing:
        raise ValueError(f"the order lacks {sorted(missing)}")
    if len(set(order)) < len(order):
        raise ValueError("the order names a value twice")
    return [value for value in order if value in used]


# Both sums run over ordered pairs of labels: within rows, per row and divided by (labels - 1); and over
# all pairs of the resample. One line per resample: how often each row was drawn, and the marginals.
_Disagreement = Callable[[Floats, Floats], tuple[Floats, Floats]]


def _alpha(weights: Floats, table: _Table[Value], disagreement: _Disagreement) -> Floats:
    """Alpha per line of row weights; NaN where a line has a single value."""
    marginals = np.asarray(table.counts.T.dot(weights.T).T, dtype=np.float64)
    observed, expected = disagreement(weights, marginals)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = 1.0 - (marginals.sum(axis=1) - 1) * observed / expected
    return np.where(expected > 0, values, np.nan)


def _disagreement(table: _Table[Value], distance: Metric | Distance[Value]) -> _Disagreement:
    if distance == "nominal":
        return _nominal(table)
    if distance == "ordinal":
        return _ordinal(table)
    if distance == "interval":
        return _interval(table)
    if callable(distance):
        return _by_distance(table, _distance_table(table.values, distance))
    raise ValueError(f"{distance!r} is not a metric; use nominal, ordinal, interval or a function")


def _nominal(table: _Table[Value]) -> _Disagreement:
    same = np.asarray(table.counts.power(2).sum(axis=1), dtype=np.float64)
    within = (table.labels**2 - same) / (table.labels - 1)

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, marginals.sum(axis=1) ** 2 - (marginals**2).sum(axis=1)

    return sums


def _interval(table: _Table[Value]) -> _Disagreement:
    positions = np.array(table.values, dtype=np.float64)
    # Squares of large, close numbers cancel; differences do not change when all values are shifted.
    positions = positions - positions.mean()
    within = _squared_within(table, positions[np.newaxis, :])[0]

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, _squared_overall(marginals, np.broadcast_to(positions, marginals.shape))

    return sums


def _ordinal(table: _Table[Value]) -> _Disagreement:
    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        # Krippendorff's ordinal difference, the sum of marginals from c to k less half of both ends, is
        # the distance between the middle ranks of c and k. Ranks move with every resample.
        ranks = marginals.cumsum(axis=1) - marginals / 2
        ranks = ranks - ranks.mean(axis=1, keepdims=True)
        at_once = max(1, _CELLS_AT_ONCE // len(table.times))
        observed = [
            (weights[start : start + at_once] * _squared_within(table, ranks[start : start + at_once])).sum(1)
            for start in range(0, len(weights), at_once)
        ]
        return np.concatenate(observed), _squared_overall(marginals, ranks)

    return sums


def _squared_within(table: _Table[Value], positions: Floats) -> Floats:
    """Per line of positions and row: sum of squared differences over ordered pairs, / (labels - 1)."""
    first = np.asarray(table.counts.dot(positions.T).T, dtype=np.float64)
    second = np.asarray(table.counts.dot((positions**2).T).T, dtype=np.float64)
    return 2 * (table.labels * second - first**2) / (table.labels - 1)


def _squared_overall(marginals: Floats, positions: Floats) -> Floats:
    first = (marginals * positions).sum(axis=1)
    second = (marginals * positions**2).sum(axis=1)
    total: Floats = 2 * (marginals.sum(axis=1) * second - first**2)
    return total


def _by_distance(table: _Table[Value], distances: Floats) -> _Disagreement:
    spread = np.asarray(table.counts.dot(distances), dtype=np.float64)
    within = np.asarray(table.counts.multiply(spread).sum(axis=1), dtype=np.float64) / (table.labels - 1)

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, ((marginals @ distances) * marginals).sum(axis=1)

    return sums


def _distance_table(values: Sequence[Value], distance: Distance[Value]) -> Floats:
    if len(values) > VALUES_MAX_FOR_DISTANCE:
        raise ValueError(f"{len(values)} different values; at most {VALUES_MAX_FOR_DISTANCE} with a function")
    distances = np.zeros((len(values), len(values)))
    for row, one in enumerate(values):
        for column in range(row):
            between = distance(one, values[column])
            if not 0 <= between < np.inf:
                raise ValueError(f"the distance of {one!r} and {values[column]!r} is {between}")
            distances[row, column] = distances[column, row] = between
    return distances
