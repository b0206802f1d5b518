"""The one-coin model: each person has one number, how often they are right; errors fall on any other class alike."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import xlogy

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.dawid_skene import ROUNDS_MAX, TOLERANCE, class_chances, fit_of
from preceptor.quality.truth.result import Fit
from preceptor.quality.truth.statistics import Parameters, Partition, Statistics, climb

STRENGTH = 2.0
CLASS_ITEMS = 10.0


@dataclass(frozen=True, slots=True)
class AccuracyPrior:
    """A Beta prior around the crowd's accuracy, worth `strength` judgments; `class_items` as in `CrowdPrior`."""

    strength: float = STRENGTH
    class_items: float = CLASS_ITEMS

    def __post_init__(self) -> None:
        if not (0 <= self.strength < np.inf and self.class_items >= 0):
            raise ValueError(f"a prior counts from 0 on, not {self.strength} judgments and {self.class_items} items")

    def most_likely(self, statistics: Statistics) -> tuple[Parameters, float]:
        """Parameters of greatest posterior density given expected counts, and the log of the prior's density there,
        up to a constant."""
        classes = len(statistics.class_counts)
        accuracy, crowd = self._accuracy(statistics.confusion_counts)
        prior = class_chances(statistics.class_counts, self.class_items)
        density = self.strength * float((xlogy(crowd, accuracy) + xlogy(1 - crowd, 1 - accuracy)).sum())
        if 0 < self.class_items < np.inf:
            density += self.class_items * float(np.log(prior).sum())
        return Parameters(prior, coin_confusion(accuracy, classes)), density

    def _accuracy(self, counts: Floats) -> tuple[Floats, float]:
        """(people,) chances to be right, and the crowd's."""
        right = np.trace(counts, axis1=1, axis2=2)
        total = counts.sum(axis=(1, 2))
        crowd = float((right.sum() + 1) / (total.sum() + 2))
        weight = total + self.strength
        shrunk = (right + self.strength * crowd) / np.where(weight > 0, weight, 1.0)
        return np.where(weight > 0, shrunk, crowd), crowd


def one_coin(
    labels: Labels,
    *,
    gold: Ints | None = None,
    rng: np.random.Generator | None = None,
    trust: float = 1.0,
    prior: AccuracyPrior | None = None,
    rounds: int = ROUNDS_MAX,
    tolerance: float = TOLERANCE,
) -> Fit:
    """Answers and accuracies by expectation and maximisation, started from the vote shares.

    Model: person p is right with chance a[p] on every item, and when wrong gives any other class alike. It cannot
    see that a crowd takes one class for another, so it is for few judgments a person and errors without direction;
    with one class everybody is right. The symmetric case of Dawid and Skene (1979); analysed by Zhang, Chen, Zhou and
    Jordan, "Spectral methods meet EM" (JMLR 2016, 17:102). Arguments, edge cases and cost are those of `dawid_skene`.
    `Fit.accuracy` holds a, `Fit.confusion` the same as matrices.
    """
    part = Partition.of(labels, gold, trust=trust)
    end = climb(
        part.votes,
        (prior or AccuracyPrior()).most_likely,
        part.expect,
        rounds=rounds,
        tolerance=tolerance,
        judgments=part.judgments,
    )
    fit = fit_of("one-coin", end, part.posterior(end.at))
    return replace(fit, accuracy=end.at.confusion[:, 0, 0].copy())


def coin_confusion(accuracy: Floats, classes: int) -> Floats:
    """(people, classes, classes) matrices of people who are right with these chances, (people,)."""
    if classes == 1:
        return np.ones((len(accuracy), 1, 1))
    wrong = (1 - accuracy) / (classes - 1)
    return wrong[:, None, None] + (accuracy - wrong)[:, None, None] * np.eye(classes)
