"""Strengths from rankings of any length, partial and with ties.

Plackett, "The analysis of permutations" (Applied Statistics 1975, 24:193) and Luce, "Individual choice behavior"
(1959): a ranking is a row of choices, each among what is left, in proportion to exp(strength). Hunter, "MM algorithms
for generalized Bradley-Terry models" (Annals of Statistics 2004, 32:384) gives conditions for the maximum and another
way to it; Newton's method is used here, because it needs few steps and yields the covariance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar
from scipy.sparse import csc_array, csr_array, diags_array

from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise.bradley_terry import (
    SPREAD_HIGHEST,
    SPREAD_LOG_SD,
    SPREAD_LOWEST,
    SPREAD_USUAL,
    Strengths,
    log_evidence,
)
from preceptor.quality.pairwise.comparisons import ITEMS_MAX, BadComparisons, connected, indices, sums
from preceptor.quality.pairwise.davidson import Curve, Peak, climb


@dataclass(frozen=True)
class Rankings:
    """Rankings as rows: in ranking `ranking[j]`, `item[j]` has place `place[j]`; lower is better, equal is a tie.

    Shapes (n,). Items that a ranking leaves out were not judged by it. Refused with `BadComparisons`: an item twice
    in one ranking, columns of different length, places that are NaN or infinite.
    """

    ranking: Ints
    item: Ints
    place: Floats
    items: int

    def __post_init__(self) -> None:
        if not len(self.ranking) == len(self.item) == len(self.place):
            raise BadComparisons(
                f"the columns differ in length: {len(self.ranking)}, {len(self.item)} and {len(self.place)} rows"
            )
        if not 1 <= self.items <= ITEMS_MAX:
            raise BadComparisons(f"{self.items} items; between 1 and {ITEMS_MAX} can be ranked")
        if len(self.item) and (self.item.min() < 0 or self.item.max() >= self.items or self.ranking.min() < 0):
            raise BadComparisons(f"an item or ranking is outside its range (items: 0..{self.items - 1})")
        if not np.isfinite(self.place).all():
            raise BadComparisons(f"row {int(np.argmin(np.isfinite(self.place)))}: the place is not finite")
        keys = self.ranking * self.items + self.item
        if len(np.unique(keys)) < len(keys):
            raise BadComparisons("a ranking names one item twice; keep one of the two places")

    @classmethod
    def of(cls, ranking: ArrayLike, item: ArrayLike, place: ArrayLike, *, items: int | None = None) -> "Rankings":
        """From anything that makes columns; `items` not given is one more than the greatest index."""
        column = indices(item, "item")
        size = 1 + int(column.max(initial=-1)) if items is None else items
        return cls(indices(ranking, "ranking"), column, np.asarray(place, dtype=np.float64), size)

    @classmethod
    def read(cls, rankings: Sequence[Mapping[int, float]], *, items: int | None = None) -> "Rankings":
        """From one mapping of item to place for each ranking."""
        rows = [(number, item, place) for number, ranks in enumerate(rankings) for item, place in ranks.items()]
        if not rows:
            return cls.of([], [], [], items=items)
        ranking, item, place = zip(*rows, strict=True)
        return cls.of(ranking, item, place, items=items)


@dataclass(frozen=True)
class PlackettLucePosterior:
    """Log posterior of strengths: sum of chosen strengths, less the log of what could be chosen at each stage.

    A stage is a row of `left` (stages, items): 1 for an item that is still there, 1 - l / d for the l-th choice
    among d tied items, 0 otherwise. `chosen` (items,) counts the choices of an item, fractions of them in ties.
    """

    left: csr_array
    chosen: Floats
    precision: float

    def value(self, at: Floats) -> float:
        # Shifting all strengths changes nothing and keeps the exponentials small.
        top = float(at.max())
        rest = self.left @ np.exp(at - top)
        stages = float((np.log(rest) + top).sum())
        return float(self.chosen @ at) - stages - 0.5 * self.precision * float(at @ at)

    def curve(self, at: Floats) -> Curve:
        worth = np.exp(at - at.max())
        rest = self.left @ worth
        share = csr_array(diags_array(1 / rest) @ self.left @ diags_array(worth))
        expected = np.asarray(share.sum(axis=0), dtype=np.float64).ravel()
        gradient = self.chosen - expected - self.precision * at
        curvature = csc_array(diags_array(expected + self.precision) - share.T @ share)
        return Curve(self.value(at), gradient, curvature)

    def climb(self, start: Floats) -> Peak:
        return climb(self.curve, self.value, start)


@dataclass(frozen=True)
class _Stages:
    """Rankings sorted into stages; what does not depend on the prior."""

    rankings: Rankings

    @cached_property
    def order(self) -> Ints:
        return np.lexsort((self.rankings.place, self.rankings.ranking)).astype(np.int64)

    @cached_property
    def tables(self) -> tuple[csr_array, Floats]:
        """`left` and `chosen` of the posterior; stages with nothing to choose are left out."""
        ranking, place = self.rankings.ranking[self.order], self.rankings.place[self.order]
        item = self.rankings.item[self.order]
        n = len(item)
        at = np.arange(n)
        end = np.searchsorted(ranking, ranking, side="right")
        new_tie = np.concatenate([[True], (ranking[1:] != ranking[:-1]) | (place[1:] != place[:-1])])[:n]
        tie = np.cumsum(new_tie) - 1
        tie_start = np.flatnonzero(new_tie)[tie]
        tied = np.bincount(tie)[tie]
        # One stage per row: it may choose among all rows from the start of its tie to the end of its ranking. The last
        # row of a ranking is no choice; in a tie that ends one, all tied items share the choices that there are.
        choice = end - at > 1
        real = np.flatnonzero(choice)
        chosen = sums(tie, choice.astype(np.float64), int(tie.max(initial=-1)) + 1)[tie] / tied
        lengths = (end - tie_start)[real]
        stage = np.repeat(np.arange(len(real)), lengths)
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        row = tie_start[real][stage] + offset
        drawn = (at - tie_start)[real][stage] / tied[real][stage]
        weight = np.where(row < (tie_start + tied)[real][stage], 1 - drawn, 1.0)
        left = csr_array((weight, (stage, item[row])), shape=(len(real), self.rankings.items))
        return left, sums(item, chosen, self.rankings.items)


def plackett_luce(rankings: Rankings, *, prior_sd: float | None = None) -> Strengths:
    """Most probable strengths behind rankings, with covariance; s ~ Normal(0, prior_sd^2).

    A tie counts as the average log likelihood of all orders of the tied items, with Efron's approximation (JASA
    1977, 72:557, known from Cox regression, whose partial likelihood this is) for what is left at each stage: the
    l-th of d choices is made with a share l / d of the tied items already gone. Exact without ties and for two items,
    where a tie is half a win for each; the log likelihood stays concave. With two items per ranking and no ties it is
    `bradley_terry`. Rankings of one item say nothing. `prior_sd` None takes the value of
    greatest evidence. Memory grows with the sum of squared ranking lengths.
    """
    if prior_sd is not None and not 0 < prior_sd < inf:
        raise BadComparisons(f"the prior's standard deviation is {prior_sd}; a positive number is wanted")
    left, chosen = _Stages(rankings).tables
    spread = _estimated_spread(left, chosen) if prior_sd is None else prior_sd
    peak = PlackettLucePosterior(left, chosen, spread**-2).climb(np.zeros(rankings.items))
    precision = np.full(rankings.items, spread**-2)
    return Strengths(
        strength=peak.at,
        log_tie=None,
        coefficients=(),
        component=_components(rankings),
        played=_played(rankings),
        prior_sd=spread,
        log_evidence=log_evidence(precision, peak),
        peak=peak,
    )


def _estimated_spread(left: csr_array, chosen: Floats) -> float:
    if left.shape[0] == 0:
        return SPREAD_USUAL
    warm = [np.zeros(len(chosen))]

    def lack(log_spread: float) -> float:
        precision = exp(-2 * log_spread)
        peak = PlackettLucePosterior(left, chosen, precision).climb(warm[-1])
        warm.append(peak.at)
        doubt = (log_spread - log(SPREAD_USUAL)) / SPREAD_LOG_SD
        return 0.5 * doubt**2 - log_evidence(np.full(len(chosen), precision), peak)

    found = minimize_scalar(lack, bounds=(log(SPREAD_LOWEST), log(SPREAD_HIGHEST)), options={"xatol": 0.02})
    return float(exp(found.x))


def _components(rankings: Rankings) -> Ints:
    # A ranking connects all its items: a chain from each row to the next of the same ranking is enough.
    order = np.argsort(rankings.ranking, kind="stable")
    ranking, item = rankings.ranking[order], rankings.item[order]
    same = ranking[1:] == ranking[:-1]
    return connected(item[:-1][same], item[1:][same], rankings.items)


def _played(rankings: Rankings) -> Floats:
    _, number, size = np.unique(rankings.ranking, return_inverse=True, return_counts=True)
    real = (size > 1)[number]
    return sums(rankings.item[real], np.ones(int(real.sum())), rankings.items)
