"""The difference of two shares with its interval: Newcombe's for independent trials, and for trials in clusters."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from preceptor.quality.intervals import LEVEL, Estimate, normal_quantile
from preceptor.quality.labels import Ints

Bools = NDArray[np.bool_]


def newcombe(x1: float, n1: float, x2: float, n2: float, level: float = LEVEL) -> Estimate:
    """Share of x1 in n1 less share of x2 in n2, with Newcombe's hybrid score interval; all trials independent.

    Newcombe, "Interval estimation for the difference between independent proportions: comparison of eleven methods"
    (Statistics in Medicine 1998, 17:873-890), method 10: the limits of both Wilson intervals, put together by squares.
    Never leaves [-1, 1], and has a width where both shares are 0 or 1. Counts may be fractions (effective sizes).
    `n` is the number of all trials, rounded.
    """
    total = round(n1 + n2)
    if n1 <= 0 or n2 <= 0:
        return Estimate.unknown("nothing to count on one side", total)
    (p1, l1, u1), (p2, l2, u2) = _score(x1, n1, level), _score(x2, n2, level)
    value = p1 - p2
    low = value - sqrt((p1 - l1) ** 2 + (u2 - p2) ** 2)
    high = value + sqrt((u1 - p1) ** 2 + (p2 - l2) ** 2)
    return Estimate(value, max(-1.0, low), min(1.0, high), total)


def _score(x: float, n: float, level: float) -> tuple[float, float, float]:
    """Share and limits of Wilson's interval, for counts that need not be whole."""
    if not 0 <= x <= n * (1 + 1e-9):
        raise ValueError(f"{x} successes in {n} trials")
    share, z = min(1.0, x / n), normal_quantile(level)
    centre, scale = share + z * z / (2 * n), 1 + z * z / n
    half = z * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return share, max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def design_effect(successes: Bools, cluster: Ints) -> float:
    """By how much less trials in clusters tell than as many independent ones; at least 1.

    The ratio of the variance of the share over clusters to the binomial one: Rao and Scott, "A simple method for the
    analysis of clustered binary data" (Biometrics 1992, 48:577-585). Where all trials are alike there is nothing to
    estimate it from; then clusters are taken for the trials, which is the most that it can be.
    """
    n = len(successes)
    _, index = np.unique(cluster, return_inverse=True)
    sizes = np.bincount(index).astype(np.float64)
    clusters = len(sizes)
    most = float((sizes**2).sum() / n) if n else 1.0
    share = float(successes.mean()) if n else 0.0
    if clusters < 2 or share in (0.0, 1.0):
        return most
    residual = np.bincount(index, weights=successes.astype(np.float64)) - share * sizes
    variance = clusters / (clusters - 1) * float((residual**2).sum()) / (n * n)
    return float(max(1.0, n * variance / (share * (1 - share))))


def clustered_share(successes: Bools, cluster: Ints, level: float = LEVEL) -> Estimate:
    """A share with Wilson's interval at the effective number of trials (see `design_effect`)."""
    n = len(successes)
    if n == 0:
        return Estimate.unknown("nothing to count")
    effect = design_effect(successes, cluster)
    share, low, high = _score(float(successes.sum()) / effect, n / effect, level)
    return Estimate(share, min(low, share), max(high, share), n)


def clustered_difference(
    first: Bools, first_cluster: Ints, second: Bools, second_cluster: Ints, level: float = LEVEL
) -> Estimate:
    """Share of the first less share of the second, where trials of one cluster are alike and no cluster is in both
    (tasks drawn to one side or the other): Newcombe's interval at effective sizes, as Rao and Scott put any method for
    independent counts to use."""
    if len(first) == 0 or len(second) == 0:
        return Estimate.unknown("nothing to count on one side", len(first) + len(second))
    one, other = design_effect(first, first_cluster), design_effect(second, second_cluster)
    found = newcombe(first.sum() / one, len(first) / one, second.sum() / other, len(second) / other, level)
    return Estimate(found.value, found.low, found.high, len(first) + len(second), found.reason)
