"""What agreement is counted on, and how far apart two values are on each scale.

Items are grouped into distinct rows of value counts: few raters and few values make few different rows however many
items there are, so that everything after one pass over the judgments is small. Every scale gives the two sums of
Krippendorff's alpha (2011; 2018, chapter 12), the disagreement observed within items and the one expected if labels
were dealt out at random, for many resamples of the items at once.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

import numpy as np
from scipy.sparse import csr_array
from scipy.special import stdtrit

from preceptor.quality.intervals import Estimate, Floats, bootstrap
from preceptor.quality.labels import Ints, Labels

Value = TypeVar("Value", bound=Hashable)
Metric = Literal["nominal", "ordinal", "interval", "ratio"]
Distance = Callable[[Value, Value], float]

# A distance of one's own needs a table of all pairs of values.
VALUES_MAX_FOR_DISTANCE = 2_000
# With more distinct rows than this, resampling them hundreds of times costs minutes; the jackknife over groups of
# items costs as much as a tenth as many resamples, and with that many items its normal interval is as good.
ROWS_MAX_FOR_BOOTSTRAP = 50_000
JACKKNIFE_GROUPS = 100
# Resampled disagreements are worked out in slices of at most this many numbers.
_CELLS_AT_ONCE = 2_000_000
# Whole numbers up to here are exact in float64, which is what weighted counting adds up.
_BITS_EXACT = 53
# Codes up to here are told apart by counting, above by sorting.
_CODES_COUNTED = 1 << 22


@dataclass(frozen=True, slots=True)
class Rows:
    """Distinct rows of how often each class was given, over all items with at least one label.

    `counts` is sparse (rows, used classes), `used` the index of each column's class, `labels` (rows,) the labels in a
    row, `times` (rows,) the items that have it.
    """

    counts: csr_array
    used: Ints
    labels: Floats
    times: Floats

    @classmethod
    def of(cls, labels: Labels) -> "Rows":
        """In time linear in the judgments (n log n where rows are too many-sided to be counted)."""
        used, label = renumbered(labels.label, labels.classes)
        _, item = renumbered(labels.item, labels.items)
        per_item = np.bincount(item)
        if len(used) * np.log2(per_item.max(initial=0) + 1) <= _BITS_EXACT:
            counts, times = _coded(item, label, len(per_item), len(used), int(per_item.max(initial=0)) + 1)
        else:
            ones = np.ones(len(label))
            counts, times = csr_array((ones, (item, label)), shape=(len(per_item), len(used))), np.ones(len(per_item))
        return cls(counts, used, np.asarray(counts.sum(axis=1), dtype=np.float64), times)


def renumbered(column: Ints, size: int) -> tuple[Ints, Ints]:
    """The indices that occur, and the column in their numbering, so that gaps and a huge index cost nothing."""
    if size > 2 * len(column) + 1_000:
        used, renumbered = np.unique(column, return_inverse=True)
        return used.astype(np.int64), renumbered.astype(np.int64).reshape(-1)
    used = np.flatnonzero(np.bincount(column, minlength=size))
    if len(used) == size:
        return used, column
    place = np.zeros(size, dtype=np.int64)
    place[used] = np.arange(len(used))
    return used, place[column]


def _coded(item: Ints, label: Ints, items: int, classes: int, base: int) -> tuple[csr_array, Floats]:
    """Distinct rows by writing each row as a number whose digit `c` is how often class `c` was given."""
    power = np.power(float(base), np.arange(classes))
    code = np.zeros(items)
    at_once = max(1 << 20, items)
    for start in range(0, len(item), at_once):
        part = slice(start, start + at_once)
        code += np.bincount(item[part], weights=power[label[part]], minlength=items)
    if float(base) ** classes <= _CODES_COUNTED:
        counted = np.bincount(code.astype(np.int64))
        kinds = np.flatnonzero(counted)
        times = counted[kinds]
    else:
        kinds, times = np.unique(code.astype(np.int64), return_counts=True)
    digits = (kinds[:, np.newaxis] // power.astype(np.int64)) % base
    return csr_array(digits.astype(np.float64)), times.astype(np.float64)


@dataclass(frozen=True, slots=True)
class Table(Generic[Value]):
    """Distinct rows with at least two labels, with the values they use in order."""

    values: Sequence[Value]
    counts: csr_array  # distinct rows x values
    labels: Floats  # labels in each distinct row
    times: Floats  # items with that row

    @classmethod
    def of(cls, items: Sequence[Mapping[Value, int]], order: Sequence[Value] | None) -> "Table[Value] | None":
        """From mappings of value to count; None where no item has two labels."""
        # frozenset leaves the order of a mapping out of account.
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
    def of_rows(cls, rows: Rows, values: Sequence[Value]) -> "Table[Value] | None":
        """From counted judgments, `values` naming every class; None where no item has two labels."""
        keep = np.flatnonzero(rows.labels >= 2)
        if len(keep) == 0:
            return None
        counts = csr_array(rows.counts[keep])
        columns = np.flatnonzero(np.asarray(counts.sum(axis=0)))
        used = [values[int(rows.used[column])] for column in columns]
        return cls(used, csr_array(counts[:, columns]), rows.labels[keep], rows.times[keep])

    @classmethod
    def _build(
        cls, values: Sequence[Value], rows: Sequence[frozenset[tuple[Value, int]]], times: Floats
    ) -> "Table[Value]":
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
        return in_natural_order(used)
    missing = used.difference(order)
    if missing:
        raise ValueError(f"the order lacks {in_natural_order(missing)}")
    if len(set(order)) < len(order):
        raise ValueError("the order names a value twice")
    return [value for value in order if value in used]


def in_natural_order(values: set[Value]) -> list[Value]:
    """Sorted; values that cannot be compared with each other (numbers beside texts) by type first."""
    return sorted(values, key=lambda value: (isinstance(value, str), value))


# Both sums run over ordered pairs of labels: within rows, per row and divided by (labels - 1); and over
# all pairs of the resample. One line per resample: how often each row was drawn, and the marginals.
Disagreement = Callable[[Floats, Floats], tuple[Floats, Floats]]


def alpha_values(weights: Floats, table: Table[Value], disagreement: Disagreement) -> Floats:
    """Alpha per line of row weights, (lines,); NaN where a line has a single value."""
    at_once = max(1, _CELLS_AT_ONCE // len(table.values))
    parts = [
        _alpha_slice(weights[start : start + at_once], table, disagreement) for start in range(0, len(weights), at_once)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _alpha_slice(weights: Floats, table: Table[Value], disagreement: Disagreement) -> Floats:
    marginals = np.asarray(table.counts.T.dot(weights.T).T, dtype=np.float64)
    observed, expected = disagreement(weights, marginals)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = 1.0 - (marginals.sum(axis=1) - 1) * observed / expected
    return np.where(expected > 0, values, np.nan)


def disagreement_of(table: Table[Value], distance: Metric | Distance[Value]) -> Disagreement:
    """The two sums on a scale named by its metric, or with a distance of one's own."""
    if distance == "nominal":
        return _nominal(table)
    if distance == "ordinal":
        return _ordinal(table)
    if distance == "interval":
        return _interval(table)
    if distance == "ratio":
        return _by_distance(table, ratio_table(_numbers(table.values, "ratio")))
    if callable(distance):
        return _by_distance(table, distance_table(table.values, distance))
    raise ValueError(f"{distance!r} is not a metric; use nominal, ordinal, interval, ratio or a function")


def _nominal(table: Table[Value]) -> Disagreement:
    same = np.asarray(table.counts.power(2).sum(axis=1), dtype=np.float64)
    within = (table.labels**2 - same) / (table.labels - 1)

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, marginals.sum(axis=1) ** 2 - (marginals**2).sum(axis=1)

    return sums


def _interval(table: Table[Value]) -> Disagreement:
    positions = _numbers(table.values, "interval")
    # Squares of large, close numbers cancel; differences do not change when all values are shifted.
    positions = positions - positions.mean()
    within = _squared_within(table, positions[np.newaxis, :])[0]

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, _squared_overall(marginals, np.broadcast_to(positions, marginals.shape))

    return sums


def _ordinal(table: Table[Value]) -> Disagreement:
    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        ranks = middle_ranks(marginals)
        at_once = max(1, _CELLS_AT_ONCE // len(table.times))
        observed = [
            (weights[start : start + at_once] * _squared_within(table, ranks[start : start + at_once])).sum(1)
            for start in range(0, len(weights), at_once)
        ]
        return np.concatenate(observed), _squared_overall(marginals, ranks)

    return sums


def middle_ranks(marginals: Floats) -> Floats:
    """Where values stand on the ordinal scale, (lines, values).

    Krippendorff's ordinal difference, the sum of marginals from c to k less half of both ends, is the distance
    between the middle ranks of c and k. Ranks move with every resample.
    """
    ranks = marginals.cumsum(axis=1) - marginals / 2
    centred: Floats = ranks - ranks.mean(axis=1, keepdims=True)
    return centred


def _squared_within(table: Table[Value], positions: Floats) -> Floats:
    """Per line of positions and row: sum of squared differences over ordered pairs, / (labels - 1)."""
    first = np.asarray(table.counts.dot(positions.T).T, dtype=np.float64)
    second = np.asarray(table.counts.dot((positions**2).T).T, dtype=np.float64)
    return 2 * (table.labels * second - first**2) / (table.labels - 1)


def _squared_overall(marginals: Floats, positions: Floats) -> Floats:
    first = (marginals * positions).sum(axis=1)
    second = (marginals * positions**2).sum(axis=1)
    total: Floats = 2 * (marginals.sum(axis=1) * second - first**2)
    return total


def _by_distance(table: Table[Value], distances: Floats) -> Disagreement:
    spread = np.asarray(table.counts.dot(distances), dtype=np.float64)
    within = np.asarray(table.counts.multiply(spread).sum(axis=1), dtype=np.float64) / (table.labels - 1)

    def sums(weights: Floats, marginals: Floats) -> tuple[Floats, Floats]:
        return weights @ within, ((marginals @ distances) * marginals).sum(axis=1)

    return sums


def _numbers(values: Sequence[Value], metric: str) -> Floats:
    try:
        numbers = np.array(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the {metric} metric needs numbers, and {list(values)[:5]!r} are none") from error
    if not np.all(np.isfinite(numbers)):
        raise ValueError(f"the {metric} metric needs finite numbers; leave out missing labels instead")
    return numbers


def squares_table(positions: Floats) -> Floats:
    """Squared differences of all pairs of positions, (values, values)."""
    squares: Floats = (positions[:, np.newaxis] - positions) ** 2
    return squares


def ratio_table(numbers: Floats) -> Floats:
    """Krippendorff's ratio difference ((a - b) / (a + b))^2 of all pairs: a scale with a true zero."""
    _refuse_too_many(len(numbers))
    if numbers.min(initial=0) < 0:
        raise ValueError(f"a ratio scale has no negative values, and {numbers.min()} is one")
    total = numbers[:, np.newaxis] + numbers
    # Only zero with itself has no total, and nothing differs from itself.
    table: Floats = squares_table(numbers) / np.where(total > 0, total, 1.0) ** 2
    return table


def distance_table(values: Sequence[Value], distance: Distance[Value]) -> Floats:
    """Distances of all pairs of different values; refuses a distance that is negative, infinite or NaN."""
    _refuse_too_many(len(values))
    distances = np.zeros((len(values), len(values)))
    for row, one in enumerate(values):
        for column in range(row):
            between = distance(one, values[column])
            if not 0 <= between < np.inf:
                raise ValueError(f"the distance of {one!r} and {values[column]!r} is {between}")
            distances[row, column] = distances[column, row] = between
    return distances


def scale_table(values: Sequence[Value], distance: Metric | Distance[Value]) -> Floats | None:
    """Distances of all pairs on a fixed scale; None for `ordinal`, whose scale moves with the marginals."""
    if distance == "ordinal":
        return None
    if distance == "nominal":
        _refuse_too_many(len(values))
        return 1.0 - np.eye(len(values))
    if distance == "interval":
        _refuse_too_many(len(values))
        return squares_table(_numbers(values, "interval"))
    if distance == "ratio":
        return ratio_table(_numbers(values, "ratio"))
    if callable(distance):
        return distance_table(values, distance)
    raise ValueError(f"{distance!r} is not a metric; use nominal, ordinal, interval, ratio or a function")


def _refuse_too_many(values: int) -> None:
    if values > VALUES_MAX_FOR_DISTANCE:
        raise ValueError(
            f"{values} different values; at most {VALUES_MAX_FOR_DISTANCE} where a table of all pairs is needed"
        )


def with_interval(
    statistic: Callable[[Floats], Floats],
    times: Floats,
    value: float,
    rng: np.random.Generator | None,
    resamples: int,
    level: float,
) -> Estimate:
    """`value` with an interval over items: by bootstrap, or by jackknife where distinct rows are very many.

    `statistic` takes lines of row weights and gives one value per line, NaN where it does not exist.
    """
    if rng is None:
        return Estimate(value, None, None, int(times.sum()), "no generator was given to resample with")
    if len(times) <= ROWS_MAX_FOR_BOOTSTRAP:
        return bootstrap(statistic, times, value, rng, resamples, level)
    return _jackknife(statistic, times, value, rng, level)


def _jackknife(
    statistic: Callable[[Floats], Floats], times: Floats, value: float, rng: np.random.Generator, level: float
) -> Estimate:
    """Delete-a-group jackknife (Shao and Tu 1995, section 2.3; Kott 2001): each group of items left out once."""
    row_of_item = np.repeat(np.arange(len(times)), times.astype(np.int64))
    shuffled = rng.permutation(row_of_item)
    without = []
    for group in range(JACKKNIFE_GROUPS):
        left = times - np.bincount(shuffled[group::JACKKNIFE_GROUPS], minlength=len(times))
        without.append(float(statistic(left[np.newaxis, :])[0]))
    spread = np.array(without)
    if not np.all(np.isfinite(spread)):
        return Estimate(value, None, None, len(shuffled), "the statistic does not exist without some of the items")
    error = np.sqrt((JACKKNIFE_GROUPS - 1) / JACKKNIFE_GROUPS * ((spread - spread.mean()) ** 2).sum())
    reach = float(stdtrit(JACKKNIFE_GROUPS - 1, (1 + level) / 2) * error)
    return Estimate(value, value - reach, min(1.0, value + reach), len(shuffled))
