"""A confidence sequence: an interval for a person's accuracy that holds at all times at once."""

from math import exp, log

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from preceptor.quality.intervals import LEVEL, Estimate


def confidence_sequence(total: float, n: int, level: float = LEVEL) -> Estimate:
    """Accuracy from `n` outcomes in [0, 1] that add up to `total`, with an interval valid however often one looks.

    All accuracies whose e-value, the mixture of their likelihood ratios over a uniform prior (Robbins 1970,
    "Statistical methods related to the law of the iterated logarithm"; for outcomes between 0 and 1 the ratio is at
    most a fair bet, by the inequality of arithmetic and geometric means), stays below 1 / (1 - level). Assumes that
    every outcome has the same accuracy given the past; wider than a Wilson interval by what looking at every time
    costs. With no outcome the value is unknown.
    """
    if not 0 <= total <= n:
        raise ValueError(f"{total} out of {n} outcomes")
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    if n == 0:
        return Estimate.unknown("nothing was looked at yet")
    share, bound = total / n, -log(1 - level)
    low = _edge(total, n, bound, -1) if total > 0 else 0.0
    high = _edge(total, n, bound, 1) if total < n else 1.0
    return Estimate(share, min(low, share), max(high, share), n)


def _edge(total: float, n: int, bound: float, side: int) -> float:
    """Where the evidence against an accuracy reaches the bound, below or above the share seen."""
    seen = float(betaln(1 + total, 1 + n - total))

    def excess(log_odds: float) -> float:
        chance = 1 / (1 + exp(-log_odds))
        against = seen - float(xlogy(total, chance)) - float(xlog1py(n - total, -chance))
        return against - bound

    # On log odds, the edges near 0 and 1 are as far apart as those in the middle. The share itself never has
    # evidence against it, and a distance of 50 is beyond what float64 tells from 0 or 1.
    share = min(max(total / n, 1e-12), 1 - 1e-12)
    start = log(share / (1 - share))
    far = float(np.clip(start + side * 50, -35, 35))
    if excess(far) <= 0:
        return 0.0 if side < 0 else 1.0
    found = float(brentq(excess, min(start, far), max(start, far)))
    return 1 / (1 + exp(-found))
