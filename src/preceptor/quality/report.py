"""One set of judgments, looked at whole: consensus, people, agreement, and how good all that is on known answers."""

from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

import numpy as np

from preceptor.quality.agreement import Metric, alpha_of
from preceptor.quality.calibration import Reliability, reliability
from preceptor.quality.difficulty import Difficulty, difficulty
from preceptor.quality.intervals import RESAMPLES, Estimate, Floats, wilson
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.picking import Calibrated, Picked, calibrated, pick
from preceptor.quality.skill import Skills, skills
from preceptor.quality.truth.choice import AUTO
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit

Progress = Callable[[float, str], None]
"""Called with the share done and what is being done."""
RESAMPLES_AT_SIZE = 200
LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """What `analyse` found. `posterior` (items, classes) is calibrated where there are known answers to do it with;
    `fit.posterior` is the model's own. `calibration` is None without known answers."""

    picked: Picked
    posterior: Floats
    calibration: Calibrated | None
    alpha: Estimate
    majority: Fit
    skills: Skills
    difficulty: Difficulty
    cpu_seconds: float

    @property
    def fit(self) -> Fit:
        return self.picked.fit


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result beside known answers that took no part in it. Accuracy with Wilson's interval, ties counted in part.

    `known` answers were looked at; `reliability` is that of the calibrated posterior.
    """

    known: int
    accuracy: Estimate
    majority_accuracy: Estimate
    reliability: Reliability


def analyse(
    labels: Labels,
    *,
    gold: Ints | None = None,
    method: str = AUTO,
    metric: Metric = "nominal",
    topic: Ints | None = None,
    rng: np.random.Generator | None = None,
    progress: Progress | None = None,
) -> Report:
    """Fit, calibrate, and measure agreement, skills and difficulty.

    `gold` (items,) is evidence for the fit and for the calibration; `topic` (items,) gives skills by topic. The
    agreement's interval uses fewer resamples from a million judgments on. Errors as in `truth.choice.fit`.
    """
    began, say = process_time(), progress or (lambda share, what: None)
    rng = np.random.default_rng(0) if rng is None else rng
    say(0.0, "agreement")
    resamples = RESAMPLES if len(labels) < LARGE else RESAMPLES_AT_SIZE
    agreement = alpha_of(labels, metric, rng=rng, resamples=resamples)
    say(0.1, "truth inference")
    picked = pick(labels, gold, method, rng=rng)
    say(0.7, "calibration")
    learnt = None if gold is None else calibrated(picked.without_gold.posterior, gold)
    say(0.8, "people and tasks")
    people = picked.with_people(labels)
    found = Report(
        picked=picked,
        posterior=picked.fit.posterior if learnt is None or gold is None else learnt.applied(people.posterior, gold),
        calibration=learnt,
        alpha=agreement,
        majority=majority(labels),
        skills=skills(labels, people, topic=topic),
        difficulty=difficulty(labels, people),
        cpu_seconds=process_time() - began,
    )
    say(1.0, "done")
    return found


def evaluate(report: Report, gold: Ints) -> Evaluation:
    """The report beside answers that it has not seen. `ValueError` where none is known."""
    known = int((gold != UNKNOWN).sum())
    if known == 0:
        raise ValueError("no known answer belongs to an item that was judged")
    share, plain = report.fit.accuracy_on(gold), report.majority.accuracy_on(gold)
    assert share is not None
    assert plain is not None
    return Evaluation(
        known=known,
        accuracy=wilson(min(known, share * known), known),
        majority_accuracy=wilson(min(known, plain * known), known),
        reliability=reliability(report.posterior, gold),
    )
