"""Estimates with their uncertainty: Wilson's interval for shares, percentile bootstrap for the rest."""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 1000
# Below this the percentile bootstrap is far too narrow to be shown beside a number.
UNITS_MIN_FOR_BOOTSTRAP = 10
# Resamples are drawn in slices, so that memory stays flat: at most this many numbers at once.
_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval. What is unknown is None, and `reason` says why; it is never 0.0.

    `n` is the number of units the estimate rests on. `reason` is also set when the value is known and
    only its interval is not.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None = None

    @classmethod
    def unknown(cls, reason: str, n: int = 0) -> "Estimate":
        """Nothing can be said, for this reason."""
        return cls(None, None, None, n, reason)


def wilson(successes: float, n: int, level: float = LEVEL) -> Estimate:
    """Share of successes with Wilson's score interval.

    Wilson, "Probable inference, the law of succession, and statistical inference" (JASA 1927, 22:209).
    Stays inside [0, 1] and has a sensible width at 0 and n successes, where the textbook interval has
    none. Assumes independent trials. Half successes (split ties) are allowed and treated as if whole.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes in {n} trials")
    if n == 0:
        return Estimate.unknown("nothing to count")
    z = normal_quantile(level)
    share = successes / n
    centre = share + z * z / (2 * n)
    half_width = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The limits at 0 and n are exact; rounding must not carry them past the share itself.
    low = min(share, max(0.0, (centre - half_width) / scale))
    high = max(share, min(1.0, (centre + half_width) / scale))
    return Estimate(share, low, high, n)


def percentile_interval(samples: Floats, level: float = LEVEL) -> tuple[float, float] | None:
    """Percentile interval (Efron and Tibshirani 1993, chapter 13) of bootstrap values.

    Resamples in which the statistic does not exist (NaN) are left out; None when they are the majority.
    """
    finite = samples[np.isfinite(samples)]
    if len(finite) == 0 or 2 * len(finite) <= len(samples):
        return None
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_mean(
    values: Floats, rng: np.random.Generator, resamples: int = RESAMPLES, level: float = LEVEL
) -> Estimate:
    """Mean of independent units with a percentile bootstrap interval."""
    return bootstrap_ratio(values, np.ones(len(values)), rng, resamples, level)


def bootstrap_ratio(
    numerators: Floats,
    denominators: Floats,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Sum of numerators over sum of denominators, with whole units resampled.

    With one row per cluster (sum of its values, number of its values) this is the cluster bootstrap of a
    mean: use it where values within a prompt or a person are not independent.
    """
    units = len(numerators)
    if units == 0 or denominators.sum() == 0:
        return Estimate.unknown("nothing to average")
    value = float(numerators.sum() / denominators.sum())

    def ratio(weights: Floats) -> Floats:
        return (weights @ numerators) / (weights @ denominators)

    return bootstrap(ratio, np.ones(units), value, rng, resamples, level)


def bootstrap(
    statistic: Callable[[Floats], Floats],
    kinds: Floats,
    value: float,
    rng: np.random.Generator,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """`value` with the percentile interval of `statistic` over resampled units.

    `kinds` holds the number of units of each kind. `statistic` takes rows of such numbers, one row per
    resample, and gives one value per row, NaN where it does not exist.
    """
    units = int(kinds.sum())
    if units < UNITS_MIN_FOR_BOOTSTRAP:
        few = f"{units} units are too few for an interval; {UNITS_MIN_FOR_BOOTSTRAP} are needed"
        return Estimate(value, None, None, units, few)
    interval = percentile_interval(_resampled(statistic, kinds, resamples, rng), level)
    if interval is None:
        return Estimate(value, None, None, units, "the statistic does not exist in most resamples")
    return Estimate(value, *interval, units)


def _resampled(
    statistic: Callable[[Floats], Floats], kinds: Floats, resamples: int, rng: np.random.Generator
) -> Floats:
    at_once = max(1, _CELLS_AT_ONCE // len(kinds))
    shares = kinds / kinds.sum()
    values = []
    for start in range(0, resamples, at_once):
        size = min(at_once, resamples - start)
        weights = rng.multinomial(int(kinds.sum()), shares, size=size).astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            values.append(np.asarray(statistic(weights), dtype=np.float64))
    return np.concatenate(values) if values else np.empty(0)


def normal_quantile(level: float) -> float:
    """Half the width, in standard deviations, of a normal interval of this level."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    return float(ndtri((1 + level) / 2))
