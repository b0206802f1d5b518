"""Truth behind numbers: ratings and measurements by people who are off by a constant and scatter differently."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import inf, sqrt

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri
from scipy.stats import binom

from preceptor.quality.intervals import LEVEL, Estimate
from preceptor.quality.labels import BadLabels, Floats, Ints, Labels

ROUNDS_MAX = 500
# In standard deviations of the ratings.
CHANGE_MIN = 1e-6
# A variance is shrunk as if this many judgments of a person had been seen to scatter like the crowd's.
LIKE_THE_CROWD = 5.0
# No variance falls below this share of that of all ratings: people who agree exactly would get infinite weight.
VARIANCE_LOWEST = 1e-6
ROBUST_DEGREES = 4.0
NOBODY = "nobody rated it; this is the average item"


@dataclass(frozen=True)
class Ratings:
    """`n` numbers: `person[j]` gave `value[j]` to `item[j]`. Shapes (n,), indices below `items` and `people`.

    Refused with `BadLabels`: columns of different length, indices out of range, values that are NaN or infinite.
    """

    item: Ints
    person: Ints
    value: Floats
    items: int
    people: int

    def __post_init__(self) -> None:
        if not len(self.item) == len(self.person) == len(self.value):
            raise BadLabels(
                f"the columns differ in length: {len(self.item)} items, {len(self.person)} people, "
                f"{len(self.value)} values"
            )
        if not np.isfinite(self.value).all():
            row = int(np.argmin(np.isfinite(self.value)))
            raise BadLabels(f"row {row}: the value {self.value[row]} is no finite number; leave the row out")
        # Indices are checked where all index columns are: one class will do.
        Labels(self.item, self.person, np.zeros(len(self.item), dtype=np.int64), self.items, self.people, 1)

    @classmethod
    def of(
        cls,
        item: ArrayLike,
        person: ArrayLike,
        value: ArrayLike,
        *,
        items: int | None = None,
        people: int | None = None,
    ) -> "Ratings":
        """From anything that makes columns; sizes that are not given are one more than the greatest index."""
        columns = Labels.of(item, person, np.zeros(len(np.asarray(item)), dtype=np.int64), items=items, people=people)
        return cls(columns.item, columns.person, np.asarray(value, dtype=np.float64), columns.items, columns.people)

    @classmethod
    def read(
        cls, items: Sequence[Hashable], people: Sequence[Hashable], values: Sequence[float]
    ) -> tuple["Ratings", list[Hashable], list[Hashable]]:
        """From names, numbered in order of first appearance; gives back the names of items and people too."""
        item_names, person_names = list(dict.fromkeys(items)), list(dict.fromkeys(people))
        item_place = {name: index for index, name in enumerate(item_names)}
        person_place = {name: index for index, name in enumerate(person_names)}
        return (
            cls.of(
                [item_place[name] for name in items],
                [person_place[name] for name in people],
                list(values),
                items=len(item_names),
                people=len(person_names),
            ),
            item_names,
            person_names,
        )

    def __len__(self) -> int:
        return len(self.value)

    def by_item(self, weight: Floats) -> Floats:
        return np.asarray(np.bincount(self.item, weight, self.items), dtype=np.float64)

    def by_person(self, weight: Floats) -> Floats:
        return np.asarray(np.bincount(self.person, weight, self.people), dtype=np.float64)


@dataclass(frozen=True)
class NumericFit:
    """Values of items and habits of people.

    `value` (items,) in the units of the ratings with posterior standard deviation `error`; `bias` (people,) is how
    much higher than the crowd a person rates, with `bias_error`; `scatter` (people,) their standard deviation around
    value + bias, shrunk to the crowd's. `given` and `given_by` count ratings per item and person. `level` and
    `spread` describe the average item and how far items differ. `degrees` is infinite for the Gaussian.
    """

    method: str
    value: Floats
    error: Floats
    bias: Floats
    bias_error: Floats
    scatter: Floats
    given: Ints
    given_by: Ints
    level: float
    spread: float
    degrees: float
    iterations: int
    converged: bool

    def interval(self, item: int, level: float = LEVEL) -> Estimate:
        """Value of one item. Where nobody rated it, the average item with the spread of items."""
        reach = float(ndtri((1 + level) / 2)) * float(self.error[item])
        value, n = float(self.value[item]), int(self.given[item])
        return Estimate(value, value - reach, value + reach, n, None if n else NOBODY)

    def bias_interval(self, person: int, level: float = LEVEL) -> Estimate:
        """Bias of one person, shrunk to 0 where little is known."""
        reach = float(ndtri((1 + level) / 2)) * float(self.bias_error[person])
        value, n = float(self.bias[person]), int(self.given_by[person])
        return Estimate(value, value - reach, value + reach, n, None if n else "rated nothing; the crowd's average")

    def predicted(self, item: Ints, person: Ints) -> Floats:
        """What people would give to items, shape (n,)."""
        return np.asarray(self.value[item] + self.bias[person], dtype=np.float64)


def item_means(ratings: Ratings) -> tuple[Estimate, ...]:
    """Plain mean by item with a normal interval from the pooled scatter within items (all people alike).

    Unknown, with a reason, for items without ratings; without an interval where no item has two ratings.
    """
    count = np.bincount(ratings.item, minlength=ratings.items)
    mean = ratings.by_item(ratings.value) / np.maximum(count, 1)
    spare = len(ratings) - int((count > 0).sum())
    within = float(((ratings.value - mean[ratings.item]) ** 2).sum())
    if spare == 0:
        return tuple(_bare_mean(float(m), int(n)) for m, n in zip(mean, count, strict=True))
    reach = float(ndtri((1 + LEVEL) / 2)) * sqrt(within / spare)
    return tuple(
        Estimate(float(m), float(m) - reach / sqrt(n), float(m) + reach / sqrt(n), int(n)) if n else _bare_mean(0.0, 0)
        for m, n in zip(mean, count, strict=True)
    )


def _bare_mean(mean: float, n: int) -> Estimate:
    if n == 0:
        return Estimate.unknown("nobody rated it")
    return Estimate(mean, None, None, n, "no item has two ratings, so their scatter is unknown")


def item_medians(ratings: Ratings, level: float = LEVEL) -> tuple[Estimate, ...]:
    """Median by item, with the interval between order statistics that needs no model of scatter.

    The limits are the r-th lowest and r-th highest rating with r the greatest that a fair coin allows (David and
    Nagaraja, "Order statistics", 2003, section 7.1); six ratings are needed for one of 95 %. Unknown, with a reason,
    for items without ratings.
    """
    order = np.lexsort((ratings.value, ratings.item))
    counts = np.bincount(ratings.item, minlength=ratings.items)
    # The greatest rank, counted from 0, at which each tail is still at most half of what may be missed.
    ranks = {int(n): int(binom.ppf((1 - level) / 2, n, 0.5)) - 1 for n in np.unique(counts[counts > 0])}
    per_item = np.split(ratings.value[order], np.cumsum(counts)[:-1])
    return tuple(_median(values, ranks.get(len(values), -1)) for values in per_item)


def _median(values: Floats, rank: int) -> Estimate:
    n = len(values)
    if n == 0:
        return Estimate.unknown("nobody rated it")
    middle = float(values[(n - 1) // 2] + values[n // 2]) / 2
    if rank < 0:
        return Estimate(middle, None, None, n, f"{n} ratings are too few for an interval of a median")
    return Estimate(middle, float(values[rank]), float(values[n - 1 - rank]), n)


def fit_numeric(ratings: Ratings, *, degrees: float = inf) -> NumericFit:
    """Gaussian truth with a bias and a variance for each person; Student's t in its place for `degrees` < infinity.

    rating = value_i + bias_p + noise, value_i ~ Normal(level, spread^2), bias_p ~ Normal(0, s^2), noise ~
    Normal(0, scatter_p^2) or scatter_p times Student's t. All hyperparameters are estimated (empirical Bayes), and
    scatter_p^2 is shrunk to the crowd's with the weight of 5 judgments (inverse gamma), so that a person with one
    rating is an average person. This is the two-way random effects model (Searle, Casella and McCulloch, "Variance
    components", 1992) with unequal variances as in Raykar et al., "Learning from crowds" (JMLR 2010, 11:1297,
    section 6), fitted by EM with mean-field steps for values and biases; the t as a scale mixture after Lange,
    Little and Taylor, "Robust statistical modeling using the t distribution" (JASA 1989, 84:881).

    Biases are relative to the crowd: what all people share stays in the values. `error` of a value adds the
    uncertainty of the biases that went into it. Repeats count as ratings of their own. With one person, bias and
    scatter cannot be told from the items; the shrinkage then decides and intervals are wide. `BadLabels` without any
    rating. Linear in the ratings per round.
    """
    if len(ratings) == 0:
        raise BadLabels("there is no rating; at least one is needed")
    if not degrees > 2:
        raise ValueError(f"Student's t needs more than 2 degrees for a variance, not {degrees}")
    # Worked out in standard units, so that neither a rating of 10^9 nor one of 10^-9 upsets the limits.
    middle, unit = float(np.median(ratings.value)), float(ratings.value.std())
    scaled = Ratings(
        ratings.item, ratings.person, (ratings.value - middle) / (unit or 1.0), ratings.items, ratings.people
    )
    return _Numeric(scaled, degrees).fitted(middle, unit or 1.0)


@dataclass
class _Numeric:
    """The rounds of the fit, in standard units."""

    ratings: Ratings
    degrees: float
    bias: Floats = field(init=False)
    bias_variance: Floats = field(init=False)
    value: Floats = field(init=False)
    value_variance: Floats = field(init=False)
    noise: Floats = field(init=False)
    weight: Floats = field(init=False)
    level: float = 0.0
    spread: float = 1.0
    bias_spread: float = 0.1

    def __post_init__(self) -> None:
        ratings = self.ratings
        self.bias, self.bias_variance = np.zeros(ratings.people), np.full(ratings.people, 0.1)
        self.value, self.value_variance = np.zeros(ratings.items), np.ones(ratings.items)
        self.noise, self.weight = np.full(ratings.people, 0.5), np.ones(len(ratings))

    def fitted(self, middle: float, unit: float) -> NumericFit:
        rounds, converged = 0, False
        while rounds < ROUNDS_MAX and not converged:
            rounds += 1
            before = self.value.copy()
            self._estimate_values()
            self._estimate_biases()
            self._estimate_noise()
            self._estimate_spreads()
            converged = float(np.abs(self.value - before).max()) < CHANGE_MIN
        return self._result(middle, unit, rounds, converged)

    def _precision(self) -> Floats:
        """Of each rating, shape (n,)."""
        return np.asarray(self.weight / self.noise[self.ratings.person], dtype=np.float64)

    def _estimate_values(self) -> None:
        ratings, precision = self.ratings, self._precision()
        total = ratings.by_item(precision) + 1 / self.spread
        found = ratings.by_item(precision * (ratings.value - self.bias[ratings.person]))
        self.value, self.value_variance = (found + self.level / self.spread) / total, 1 / total

    def _estimate_biases(self) -> None:
        ratings, precision = self.ratings, self._precision()
        total = ratings.by_person(precision) + 1 / self.bias_spread
        found = ratings.by_person(precision * (ratings.value - self.value[ratings.item]))
        self.bias, self.bias_variance = found / total, 1 / total
        # What all people share belongs to the items. Moved at once: alternating steps would creep there.
        known = np.bincount(ratings.person, minlength=ratings.people) > 0
        shared = float(self.bias[known].mean())
        self.bias[known] -= shared
        self.value += shared
        self.level += shared

    def _estimate_noise(self) -> None:
        ratings = self.ratings
        gap = ratings.value - self.value[ratings.item] - self.bias[ratings.person]
        squared = gap**2 + self.value_variance[ratings.item] + self.bias_variance[ratings.person]
        if np.isfinite(self.degrees):
            self.weight = (self.degrees + 1) / (self.degrees + squared / self.noise[ratings.person])
        count = ratings.by_person(np.ones(len(ratings)))
        off = ratings.by_person(self.weight * squared)
        crowd = float((self.weight * squared).mean())
        self.noise = np.maximum((off + LIKE_THE_CROWD * crowd) / (count + LIKE_THE_CROWD), VARIANCE_LOWEST)

    def _estimate_spreads(self) -> None:
        rated = np.bincount(self.ratings.item, minlength=self.ratings.items) > 0
        known = np.bincount(self.ratings.person, minlength=self.ratings.people) > 0
        self.level = float(self.value[rated].mean())
        # One more item (person) of usual spread keeps a single one from collapsing onto the average.
        apart = (self.value[rated] - self.level) ** 2 + self.value_variance[rated]
        self.spread = max(VARIANCE_LOWEST, float((apart.sum() + 1.0) / (rated.sum() + 1)))
        off = self.bias[known] ** 2 + self.bias_variance[known]
        self.bias_spread = max(VARIANCE_LOWEST, float((off.sum() + 0.1) / (known.sum() + 1)))

    def _result(self, middle: float, unit: float, rounds: int, converged: bool) -> NumericFit:
        ratings, precision = self.ratings, self._precision()
        # What each rating's weight in its item does with the uncertainty of its person's bias.
        share = precision * self.value_variance[ratings.item]
        from_biases = ratings.by_item(share**2 * self.bias_variance[ratings.person])
        known = np.bincount(ratings.person, minlength=ratings.people)
        bias_variance = np.where(known > 0, self.bias_variance, self.bias_spread)
        crowd = float(np.sqrt(np.average(self.noise, weights=known)))
        return NumericFit(
            method="gaussian" if np.isinf(self.degrees) else "student-t",
            value=middle + unit * self.value,
            error=unit * np.sqrt(self.value_variance + from_biases),
            bias=unit * self.bias,
            bias_error=unit * np.sqrt(bias_variance),
            scatter=unit * np.where(known > 0, np.sqrt(self.noise), crowd),
            given=np.bincount(ratings.item, minlength=ratings.items).astype(np.int64),
            given_by=known.astype(np.int64),
            level=middle + unit * self.level,
            spread=unit * sqrt(self.spread),
            degrees=self.degrees,
            iterations=rounds,
            converged=converged,
        )
