"""Krippendorff's alpha for values that are hardly ever equal: spans, boxes, texts, sets, measurements.

With a distance of one's own and all values different, a table of all values is as large as the square of the
labels. Disagreement within items needs few distances; the one expected by chance is a mean over all pairs of labels,
which a sample of pairs gives as well (an incomplete U-statistic: Blom 1976, "Some properties of incomplete
U-statistics", Biometrika 63:573).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from preceptor.quality.intervals import LEVEL, RESAMPLES, Estimate, Floats, bootstrap
from preceptor.quality.labels import Ints

Item = TypeVar("Item")

# The expected disagreement is known to about half a percent from this many pairs.
PAIRS_MAX = 50_000
# An item with more labels than about thirty gives this many of its pairs, drawn at random.
PAIRS_MAX_WITHIN = 500
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class DistanceAlpha:
    """Alpha with what it was made of: mean distance `observed` within items and `expected` between any two labels.

    `pairs` of `pairs_possible` pairs of labels were compared for `expected`; `sampled` says that these were drawn
    at random. Both means are None where they do not exist.
    """

    alpha: Estimate
    observed: float | None
    expected: float | None
    pairs: int
    pairs_possible: int

    @property
    def sampled(self) -> bool:
        return self.pairs < self.pairs_possible


def alpha_by_distance(
    items: Sequence[Sequence[Item]],
    distance: Callable[[Item, Item], float],
    *,
    rng: np.random.Generator | None = None,
    pairs_max: int = PAIRS_MAX,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> DistanceAlpha:
    """Krippendorff's alpha of items given as the labels they got, one per person, of any type.

    `distance` is symmetric, zero for equal labels and not negative (`quality.distances` has some); alpha takes it
    as it is, so square it where the scale asks for squares. With at most `pairs_max` pairs of labels the result is
    that of `alpha`; with more, the expected disagreement comes from `pairs_max` pairs drawn with `rng`, and the
    interval, a bootstrap over items and over the pairs drawn, includes what that costs. Items with fewer than two
    labels are left out. Unknown, with the reason, when none is left or all labels are at distance zero.
    ValueError for a distance that is negative, infinite or NaN, and where a sample is needed and `rng` is not given.
    """
    kept = [item for item in items if len(item) >= 2]
    if not kept:
        return DistanceAlpha(Estimate.unknown("no item has labels from two people"), None, None, 0, 0)
    sizes = np.array([len(item) for item in kept])
    within = np.array([_within(item, distance, rng) for item in kept])
    pairs = _Pairs.drawn(kept, sizes, distance, pairs_max, rng)
    observed = float((sizes * within).sum() / sizes.sum())
    expected = float(pairs.distance.mean())

    def found(alpha: Estimate) -> DistanceAlpha:
        return DistanceAlpha(alpha, observed, expected, len(pairs.distance), pairs.possible)

    if expected == 0:
        return found(Estimate.unknown("all labels are the same, so agreement by chance is undefined", len(kept)))
    value = 1 - observed / expected
    if rng is None:
        return found(Estimate(value, None, None, len(kept), "no generator was given to resample with"))
    drawn = rng

    def statistic(weights: Floats) -> Floats:
        alphas: Floats = 1 - (weights @ (sizes * within)) / (weights @ sizes) / pairs.means(weights, sizes, drawn)
        return alphas

    return found(bootstrap(statistic, np.ones(len(kept)), value, rng, resamples, level))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of labels by the items they come from, and their distance; `possible` of them exist."""

    one: Ints
    other: Ints
    distance: Floats
    possible: int

    @classmethod
    def drawn(
        cls,
        items: Sequence[Sequence[Item]],
        sizes: Ints,
        distance: Callable[[Item, Item], float],
        pairs_max: int,
        rng: np.random.Generator | None,
    ) -> "_Pairs":
        labels = [label for item in items for label in item]
        possible = len(labels) * (len(labels) - 1) // 2
        one, other = _pairs(len(labels), possible, pairs_max, rng)
        both = zip(one.tolist(), other.tolist(), strict=True)
        distances = [_checked(distance, labels[a], labels[b]) for a, b in both]
        item_of = np.repeat(np.arange(len(items)), sizes)
        return cls(item_of[one], item_of[other], np.array(distances), possible)

    def means(self, weights: Floats, sizes: Ints, rng: np.random.Generator) -> Floats:
        """Mean distance of two labels per line of item weights, (lines,)."""
        at_once = max(1, _CELLS_AT_ONCE // len(self.distance))
        parts = [self._means(weights[i : i + at_once], sizes, rng) for i in range(0, len(weights), at_once)]
        return np.concatenate(parts)

    def _means(self, weights: Floats, sizes: Ints, rng: np.random.Generator) -> Floats:
        chance = weights[:, self.one] * weights[:, self.other]
        if len(self.distance) < self.possible:
            # The pairs were drawn too: drawing them again (Poisson weights) carries that into the interval.
            chance *= rng.poisson(1.0, chance.shape)
            mean: Floats = (chance @ self.distance) / chance.sum(axis=1)
            return mean
        labels = weights @ sizes
        exact: Floats = 2 * (chance @ self.distance) / (labels * (labels - 1))
        return exact


def _pairs(labels: int, possible: int, pairs_max: int, rng: np.random.Generator | None) -> tuple[Ints, Ints]:
    """Indices of different labels: all pairs, or `pairs_max` of them drawn with replacement."""
    if possible <= pairs_max:
        one, other = np.triu_indices(labels, k=1)
        return one.astype(np.int64), other.astype(np.int64)
    if rng is None:
        raise ValueError(f"{possible} pairs of labels are too many; pass a generator to sample {pairs_max} of them")
    one = rng.integers(0, labels, pairs_max)
    return one, (one + rng.integers(1, labels, pairs_max)) % labels


def _within(item: Sequence[Item], distance: Callable[[Item, Item], float], rng: np.random.Generator | None) -> float:
    """Mean distance of two labels of one item."""
    one, other = _pairs(len(item), len(item) * (len(item) - 1) // 2, PAIRS_MAX_WITHIN, rng)
    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return float(np.mean([_checked(distance, item[a], item[b]) for a, b in pairs]))


def _checked(distance: Callable[[Item, Item], float], one: Item, other: Item) -> float:
    between = distance(one, other)
    if not 0 <= between < np.inf:
        raise ValueError(f"the distance of {one!r} and {other!r} is {between}")
    return between
