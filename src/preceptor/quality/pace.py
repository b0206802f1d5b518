"""When work will be finished, from how fast it goes now."""

from scipy.stats import chi2

from preceptor.quality.intervals import LEVEL, Estimate

COUNTED_MIN = 5
"""Fewer finished pieces say nothing about a pace."""


def seconds_left(done: int, elapsed_seconds: float, remaining: int, *, level: float = LEVEL) -> Estimate:
    """Seconds until `remaining` more are done, given that `done` took `elapsed_seconds`.

    Takes pieces as a Poisson process of constant rate; the interval is that of its rate (Garwood, "Fiducial
    limits for the Poisson distribution", Biometrika 1936, 28:437). People who come, leave or sleep make the truth
    wider. Unknown before five are done.
    """
    if remaining <= 0:
        return Estimate(0.0, 0.0, 0.0, done)
    if done < COUNTED_MIN or elapsed_seconds <= 0:
        return Estimate.unknown("too little was done to see a pace", done)
    slowest = float(chi2.ppf((1 - level) / 2, 2 * done)) / 2
    fastest = float(chi2.ppf((1 + level) / 2, 2 * done + 2)) / 2
    each = elapsed_seconds * remaining
    return Estimate(each / done, each / fastest, each / slowest, done)
