"""Anchoring: whether people who see a model's suggestion judge nearer to it than people who do not.

Tasks are drawn to be judged with the suggestion shown or blind, all with the same chance; every judgment of a task is
on the same side. Judgments that were not drawn, or at another share, do not belong beside them: queues have an order
and people learn, so that the shown would be of another time than the blind. Both sides are compared on everything that
was answered (intention to treat): whoever dismisses a suggestion has seen it. Judgments of one task are alike, so tasks
are the units of every interval.

What it cannot see: people who tell each other what was suggested.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from preceptor.quality.differences import Bools, clustered_difference, clustered_share
from preceptor.quality.intervals import LEVEL, Estimate, Floats, normal_quantile, percentile_interval
from preceptor.quality.labels import Ints

TASKS_MIN = 20
"""Fewer tasks on a side say nothing about a difference."""
RESAMPLES = 500


@dataclass(frozen=True)
class Sides:
    """The same share, or mean, or median among shown and blind judgments, and shown less blind."""

    shown: Estimate
    blind: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Judged:
    """Judgments of tasks that have a suggestion, one an entry; `task` is any number that names the task."""

    task: Ints
    shown: Bools

    def sides(self, where: Bools) -> tuple[Bools, Bools]:
        """Which of some judgments were shown it, and which were blind."""
        return where & self.shown, where & ~self.shown


def compare_shares(judged: Judged, yes: Bools, where: Bools | None = None) -> Sides:
    """How often something is so (`yes`), with and without the suggestion; `where` narrows what is looked at."""
    shown, blind = judged.sides(np.ones(len(yes), dtype=np.bool_) if where is None else where)
    one = clustered_share(yes[shown], judged.task[shown])
    other = clustered_share(yes[blind], judged.task[blind])
    lacking = _lacking(judged, shown, blind)
    if lacking:
        return Sides(one, other, Estimate.unknown(lacking, int(shown.sum() + blind.sum())))
    difference = clustered_difference(yes[shown], judged.task[shown], yes[blind], judged.task[blind])
    return Sides(one, other, difference)


def compare_means(judged: Judged, values: Floats) -> Sides:
    """Means with and without the suggestion, by the variance between tasks; NaN entries are unknown and left out."""
    shown, blind = judged.sides(np.isfinite(values))
    one, first = _mean(values[shown], judged.task[shown])
    other, second = _mean(values[blind], judged.task[blind])
    return _difference(judged, shown, blind, one, other, first + second)


def _mean(values: Floats, task: Ints) -> tuple[Estimate, float]:
    """The mean with its interval, and its variance: that of a ratio of sums over tasks (Cochran, "Sampling techniques",
    1977, section 6.4)."""
    n = len(values)
    if n == 0:
        return Estimate.unknown("nothing to average"), 0.0
    _, index = np.unique(task, return_inverse=True)
    sizes, value = np.bincount(index), float(values.mean())
    tasks = len(sizes)
    if tasks < TASKS_MIN:
        return Estimate(value, None, None, n, f"{tasks} tasks are too few for an interval"), 0.0
    residual = np.bincount(index, weights=values) - value * sizes
    variance = tasks / (tasks - 1) * float((residual**2).sum()) / (n * n)
    half = normal_quantile(LEVEL) * sqrt(variance)
    return Estimate(value, value - half, value + half, n), variance


def compare_medians(judged: Judged, values: Floats, rng: np.random.Generator) -> Sides:
    """Medians with and without the suggestion, by bootstrap of tasks; NaN entries are unknown and left out."""
    shown, blind = judged.sides(np.isfinite(values))
    one, first = _median(values[shown], judged.task[shown], rng)
    other, second = _median(values[blind], judged.task[blind], rng)
    if not len(first) or not len(second):
        return _difference(judged, shown, blind, one, other, 0.0)
    found = _difference(judged, shown, blind, one, other, 0.0)
    low, high = percentile_interval(first - second, LEVEL) or (None, None)
    difference = Estimate(found.difference.value, low, high, found.difference.n, found.difference.reason)
    return Sides(one, other, difference)


def _difference(judged: Judged, shown: Bools, blind: Bools, one: Estimate, other: Estimate, variance: float) -> Sides:
    n = int(shown.sum() + blind.sum())
    lacking = _lacking(judged, shown, blind)
    if lacking or one.value is None or other.value is None:
        return Sides(one, other, Estimate.unknown(lacking or "nothing to count on one side", n))
    value, half = one.value - other.value, normal_quantile(LEVEL) * sqrt(variance)
    return Sides(one, other, Estimate(value, value - half, value + half, n))


def _lacking(judged: Judged, shown: Bools, blind: Bools) -> str:
    """Why nothing can be said about a difference yet; empty where something can."""
    found = {"shown": len(np.unique(judged.task[shown])), "blind": len(np.unique(judged.task[blind]))}
    few = [f"{tasks} {side}" for side, tasks in found.items() if tasks < TASKS_MIN]
    return f"{TASKS_MIN} tasks a side are needed; so far there are {' and '.join(few)}" if few else ""


def _median(values: Floats, task: Ints, rng: np.random.Generator) -> tuple[Estimate, Floats]:
    """The median with its percentile interval over resampled tasks, and its values in the resamples."""
    n = len(values)
    if n == 0:
        return Estimate.unknown("nothing to average"), np.empty(0)
    order = np.argsort(task, kind="stable")
    values, (_, first, size) = values[order], np.unique(task[order], return_index=True, return_counts=True)
    value = float(np.median(values))
    if len(first) < TASKS_MIN:
        return Estimate(value, None, None, n, f"{len(first)} tasks are too few for an interval"), np.empty(0)
    drawn = np.empty(RESAMPLES)
    for number in range(RESAMPLES):
        picked = rng.integers(len(first), size=len(first))
        drawn[number] = np.median(values[_rows(first[picked], size[picked])])
    low, high = percentile_interval(drawn, LEVEL) or (None, None)
    return Estimate(value, low, high, n), drawn


def _rows(first: Ints, size: Ints) -> Ints:
    """The rows of clusters that begin at `first` and are `size` long, one cluster after the other."""
    ends = np.cumsum(size)
    return np.asarray(np.arange(ends[-1]) + np.repeat(first - (ends - size), size), dtype=np.int64)
