"""Betting against a claim: test martingales that may be looked at after every outcome.

A bettor who cannot win in the long run while a claim holds, and does, has evidence against it. Outcomes x lie in
[0, 1]; the claim is that each has a conditional mean of at least its standard m. A stake s in (0, 1) turns a wealth of
1 into

    1 + s (m - x) / (1 - m):    1 - s after a full success, 1 + s m / (1 - m) after a full failure.

Its conditional mean is at most 1 under the claim, so wealth is a supermartingale and reaches 1 / a with a chance of
at most a, ever (Ville 1939). For yes-or-no outcomes the stake s is the likelihood ratio of accuracy (1 - s) m against
m. The mean over several stakes is again such a wealth and adapts to the alternative by itself. Sources: Waudby-Smith
and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 2024, 86:1); Ramdas, Grünwald, Vovk and
Shafer, "Game-theoretic statistics and safe anytime-valid inference" (Statistical Science 2023, 38:576).

A bet that starts at every look instead of only the first finds a fall after a good start. With weights w_t for
starting at look t that add up to 1, their mixture is again an e-process; with weight 1 each it is the
Shiryaev-Roberts e-detector of Shin, Ramdas and Rinaldo, "E-detectors: a nonparametric framework for sequential change
detection" (New England Journal of Statistics in Data Science 2024, 2:229), whose average run length until c is at
least c while the claim holds. One recursion serves all, M_t = L_t (M_t-1 + w_t), so the state is one number per stake.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preceptor.quality.intervals import Floats

# From a fall of 2 % of the accuracy asked for to one of nearly all of it, evenly in logs: the stake nearest to the
# truth loses little to the best one, and eight cost log 8 = 2.1 of evidence at most.
STAKES: Floats = np.geomspace(0.02, 0.9, 8)

Starts = Literal["first", "any", "always"]
"""When the bets start: at the first look; at any look, with weights that add up to 1; at each look, with weight 1."""


def start_weight(starts: Starts, look: int) -> float:
    """Weight of bets that start at a look (from 1). For `any`, 1 / (t (t + 1)): late falls cost 2 log t of evidence."""
    if starts == "always":
        return 1.0
    if starts == "any":
        return 1.0 / (look * (look + 1))
    return 1.0 if look == 1 else 0.0


def opened(starts: Starts) -> Floats:
    """Log wealth per stake before the first look, (stakes,)."""
    return np.full(len(STAKES), np.log(start_weight(starts, 1)))


def factors(outcome: ArrayLike, standard: ArrayLike, weight: ArrayLike = 1.0) -> Floats:
    """Log of what each stake's wealth is multiplied with, (..., stakes) for outcomes of any shape.

    `weight` in [0, 1] scales the stakes; chosen before the outcome is seen, it keeps everything valid.
    """
    x, m, v = (np.asarray(given, dtype=np.float64)[..., np.newaxis] for given in (outcome, standard, weight))
    logs: Floats = np.log1p(v * STAKES * (m - x) / (1 - m))
    return logs


def advanced(log_wealth: Floats, log_factors: Floats, starts: Starts, look: int) -> Floats:
    """Log wealth per stake, ready for look `look` + 1, from that ready for look `look` and its outcome's factors.

    Works on any leading shape, so that thousands of people are one call.
    """
    moved: Floats = log_wealth + log_factors
    if starts == "first":
        return moved
    return np.logaddexp(moved, np.log(start_weight(starts, look + 1)))


def log_e_value(log_wealth: Floats, starts: Starts, looks: int) -> Floats:
    """Log e-value (log of the e-detector for `always`) after `looks`, over the last axis."""
    mixed = _log_mean(log_wealth)
    if starts == "first" or looks == 0:
        return mixed if starts == "first" else np.zeros_like(mixed)
    if starts == "any":
        # The start planned for the next look is in the wealth already; all later ones are still waiting.
        return np.asarray(np.logaddexp(mixed, -np.log(looks + 2.0)), dtype=np.float64)
    # What starts at the next look has not been bet yet.
    return np.asarray(np.log(np.maximum(np.expm1(mixed), np.finfo(np.float64).tiny)), dtype=np.float64)


def _log_mean(logs: Floats) -> Floats:
    best = logs.max(axis=-1, keepdims=True)
    mean: Floats = np.log(np.exp(logs - best).mean(axis=-1)) + best[..., 0]
    return mean


def path(outcomes: Floats, standards: ArrayLike, weights: ArrayLike, starts: Starts) -> tuple[Floats, Floats]:
    """Log e-values after each outcome, (looks,), and the log wealth per stake at the end, (stakes,)."""
    logs = factors(outcomes, np.broadcast_to(standards, outcomes.shape), np.broadcast_to(weights, outcomes.shape))
    if starts == "first":
        wealth = logs.cumsum(axis=0)
        return _log_mean(wealth), wealth[-1] if len(wealth) else opened(starts)
    wealth, course = opened(starts), np.empty(len(outcomes))
    for look, step in enumerate(logs, 1):
        wealth = advanced(wealth, step, starts, look)
        course[look - 1] = log_e_value(wealth, starts, look)
    return course, wealth


def refuse_outcomes(outcomes: NDArray[np.float64], standards: NDArray[np.float64]) -> None:
    """ValueError unless outcomes lie in [0, 1] and standards in [0, 1), naming the first that does not."""
    if not np.all((outcomes >= 0) & (outcomes <= 1)):
        odd = int(np.argmin((outcomes >= 0) & (outcomes <= 1)))
        raise ValueError(f"outcome {odd} is {outcomes.flat[odd]}; outcomes lie between 0 and 1")
    if not np.all((standards >= 0) & (standards < 1)):
        odd = int(np.argmin((standards >= 0) & (standards < 1)))
        raise ValueError(f"standard {odd} is {standards.flat[odd]}; a standard is at least 0 and less than 1")
