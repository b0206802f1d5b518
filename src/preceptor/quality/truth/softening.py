"""Temperature: one number for how much too sure, or not sure enough, a posterior is."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize_scalar

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Labels
from preceptor.quality.truth.result import Fit, label_likelihood, normalized

CHANCE_MIN = 1e-12
"""Chances below are taken for this: a model that says 1e-300 means "never in my experience"."""
_TEMPERATURES = (0.1, 100.0)


def tempered(posterior: Floats, temperature: float) -> Floats:
    """Chances raised to 1 / temperature and made to sum to 1: above 1 softer, below 1 harder."""
    if not temperature > 0:
        raise ValueError(f"a temperature is positive, not {temperature}")
    return normalized(np.log(np.maximum(posterior, CHANCE_MIN)) / temperature)


def label_temperature(fitted: Fit, held_out: Labels) -> float:
    """The temperature at which a posterior best foretells labels it has not seen, where no answer is known.

    `fitted` must come from the other judgments (same sizes). A posterior that is too sure puts too much on one
    truth, and labels that speak for another one then surprise it. Items that people see differently count as unsure.
    1 where `held_out` is empty or there is one class.
    """
    if len(held_out) == 0 or held_out.classes == 1:
        return 1.0
    likelihood = np.exp(label_likelihood(fitted, held_out))
    items, place = np.unique(held_out.item, return_inverse=True)
    logs = np.log(np.maximum(fitted.posterior[items], CHANCE_MIN))

    def surprise(temperature: float) -> float:
        softened = normalized(logs / temperature)
        return -float(np.log((softened[place] * likelihood).sum(axis=1)).mean())

    return best_temperature(surprise)


def best_temperature(loss: Callable[[float], float]) -> float:
    """The temperature of least loss; 1 where no other is better."""
    low, high = np.log(_TEMPERATURES)
    # A grid first: losses of saturated posteriors can have flat stretches that a search would stop on.
    grid = np.linspace(low, high, 25)
    values = [loss(float(np.exp(value))) for value in grid]
    middle = int(np.argmin(values))
    around = (float(grid[max(0, middle - 1)]), float(grid[min(len(grid) - 1, middle + 1)]))
    found = minimize_scalar(lambda value: loss(float(np.exp(value))), bounds=around, method="bounded")
    return float(np.exp(found.x)) if found.fun < loss(1.0) else 1.0
