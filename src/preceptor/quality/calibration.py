"""Is a chance of .9 right nine times in ten? Measured against known answers, and mended with few of them.

All functions take a posterior of shape (items, classes) with rows that sum to 1, and known answers `gold` of shape
(items,) with `UNKNOWN` where there is none; only known items count. Confidence is the chance of the likeliest class.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.optimize import isotonic_regression

from preceptor.quality.intervals import Estimate, Floats, bootstrap, wilson
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints
from preceptor.quality.truth.result import TIE_TOLERANCE, normalized
from preceptor.quality.truth.softening import CHANCE_MIN, best_temperature, tempered

BINS = 15
GOLD_MIN = 20
ISOTONIC_MIN = 150
"""Isotonic regression needs many answers (Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised
learning", ICML 2005). With forty its highest step says little more than "at most forty in forty-one", and nothing could
ever be surer than that."""
FOLDS = 5
RESAMPLES = 500
# By how much a likeliest class stays ahead when its confidence is corrected downwards.
_LEAD = 1e-6

Way = Literal["as is", "temperature", "isotonic"]


@dataclass(frozen=True, slots=True)
class Bin:
    """Items of similar confidence: their number, mean confidence, and the share of right answers with its interval."""

    items: int
    confidence: float
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Reliability:
    """How far confidence can be believed.

    ece, adaptive_ece: mean gap between confidence and accuracy over bins of equal width, of equal size. Both are
        biased upwards on few items, and their bootstrap intervals more so.
    brier: mean squared distance between chances and answer, summed over classes (0 to 2).
    log_loss: mean -log chance of the known answer, nats; chances under 1e-12 count as that.
    curve: bins of equal width that hold any item, for a reliability plot.
    """

    ece: Estimate
    adaptive_ece: Estimate
    brier: Estimate
    log_loss: Estimate
    curve: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A way to correct a posterior, learnt from known answers.

    temperature: chances are raised to 1 / temperature. knots: (2, k) confidences and what they are worth. `losses`
    are the cross-validated log losses the way was chosen by; `reason` is set where nothing could be learnt.
    """

    way: Way
    items: int
    temperature: float | None = None
    knots: Floats | None = None
    losses: Mapping[Way, float] = field(default_factory=dict)
    reason: str | None = None

    def apply(self, posterior: Floats) -> Floats:
        """The corrected posterior. Answers stay what they are."""
        if self.temperature is not None:
            return tempered(posterior, self.temperature)
        if self.knots is not None:
            return _with_confidence(posterior, np.interp(posterior.max(axis=1), self.knots[0], self.knots[1]))
        return posterior.copy()


def calibrate(posterior: Floats, gold: Ints, *, rng: np.random.Generator | None = None) -> Calibration:
    """Learn to correct a posterior from known answers that were no evidence in it.

    Temperature scaling (Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017) has one
    number to learn; isotonic regression of right answers on confidence (Zadrozny and Elkan, KDD 2002), which keeps the
    order and shares the rest among the other classes as before, has many. The one with the least cross-validated log
    loss is taken, or neither if that is best. With fewer than `GOLD_MIN` known answers the posterior stays as is.

    Known answers must not have been evidence in the fit (their posterior is then certain and teaches nothing).
    """
    known = _known(posterior, gold)
    if len(known) < GOLD_MIN:
        return Calibration("as is", len(known), reason=f"{len(known)} known answers; {GOLD_MIN} are needed")
    if posterior.shape[1] == 1:
        return Calibration("as is", len(known), reason="there is one class")
    chances, answers = posterior[known], gold[known]
    rng = np.random.default_rng(0) if rng is None else rng
    ways = {way: learn for way, learn in WAYS.items() if way != "isotonic" or len(known) >= ISOTONIC_MIN}
    losses = {way: _cross_validated(learn, chances, answers, rng) for way, learn in ways.items()}
    best = min(losses, key=lambda way: losses[way])
    learnt = WAYS[best](chances, answers)
    return Calibration(best, len(known), learnt.temperature, learnt.knots, losses)


def ece(posterior: Floats, gold: Ints, bins: int = BINS) -> float | None:
    """Expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht, AAAI 2015); None where no
    answer is known."""
    known = _known(posterior, gold)
    if len(known) == 0:
        return None
    confidence, right = _confidence(posterior[known], gold[known])
    return float(_gap(_width_bins(confidence, bins), confidence, right)(np.ones((1, len(known))))[0])


def adaptive_ece(posterior: Floats, gold: Ints, bins: int = BINS) -> float | None:
    """Expected calibration error over bins of equally many items (Nixon et al., CVPR workshops 2019); None where no
    answer is known."""
    known = _known(posterior, gold)
    if len(known) == 0:
        return None
    confidence, right = _confidence(posterior[known], gold[known])
    return float(_gap(_size_bins(confidence, bins), confidence, right)(np.ones((1, len(known))))[0])


def reliability(
    posterior: Floats, gold: Ints, *, bins: int = BINS, rng: np.random.Generator | None = None
) -> Reliability:
    """All measures with bootstrap intervals over items. Unknown with a reason where no answer is known."""
    known = _known(posterior, gold)
    if len(known) == 0:
        unknown = Estimate.unknown("no answer is known")
        return Reliability(unknown, unknown, unknown, unknown, ())
    rng = np.random.default_rng(0) if rng is None else rng
    chances, answers = posterior[known], gold[known]
    confidence, right = _confidence(chances, answers)
    squares = ((chances - np.eye(chances.shape[1])[answers]) ** 2).sum(axis=1)
    losses = -np.log(np.maximum(chances[np.arange(len(known)), answers], CHANCE_MIN))
    width, size = _width_bins(confidence, bins), _size_bins(confidence, bins)
    return Reliability(
        _estimated(_gap(width, confidence, right), len(known), rng),
        _estimated(_gap(size, confidence, right), len(known), rng),
        _estimated(_mean(squares), len(known), rng),
        _estimated(_mean(losses), len(known), rng),
        _curve(width, confidence, right),
    )


def _known(posterior: Floats, gold: Ints) -> Ints:
    if gold.shape != posterior.shape[:1]:
        raise BadLabels(f"known answers have shape {gold.shape}; one per item is wanted: ({len(posterior)},)")
    if len(gold) and (gold.min() < UNKNOWN or gold.max() >= posterior.shape[1]):
        raise BadLabels(f"a known answer is outside 0..{posterior.shape[1] - 1}")
    if not np.all(np.isfinite(posterior)):
        raise BadLabels("the posterior has values that are no numbers")
    return np.flatnonzero(gold != UNKNOWN)


def _confidence(chances: Floats, answers: Ints) -> tuple[Floats, Floats]:
    """Chance of the likeliest class, and 1 where it is the answer (1/t among t that tie)."""
    confidence = chances.max(axis=1)
    best = chances >= confidence[:, None] - TIE_TOLERANCE
    return confidence, best[np.arange(len(answers)), answers] / best.sum(axis=1)


def _width_bins(confidence: Floats, bins: int) -> Ints:
    return np.clip(np.ceil(confidence * bins).astype(np.int64) - 1, 0, bins - 1)


def _size_bins(confidence: Floats, bins: int) -> Ints:
    rank = np.empty(len(confidence), dtype=np.int64)
    rank[np.argsort(confidence, kind="stable")] = np.arange(len(confidence))
    return rank * min(bins, len(confidence)) // len(confidence)


def _gap(place: Ints, confidence: Floats, right: Floats) -> Callable[[Floats], Floats]:
    """Rows of item weights to calibration errors."""
    member = np.eye(place.max() + 1)[place] * (right - confidence)[:, None]

    def statistic(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ member).sum(axis=1) / weights.sum(axis=1), dtype=np.float64)

    return statistic


def _mean(values: Floats) -> Callable[[Floats], Floats]:
    def statistic(weights: Floats) -> Floats:
        return np.asarray(weights @ values / weights.sum(axis=1), dtype=np.float64)

    return statistic


def _estimated(statistic: Callable[[Floats], Floats], items: int, rng: np.random.Generator) -> Estimate:
    ones = np.ones(items)
    return bootstrap(statistic, ones, float(statistic(ones[None])[0]), rng, RESAMPLES)


def _curve(place: Ints, confidence: Floats, right: Floats) -> tuple[Bin, ...]:
    bins = []
    for which in np.unique(place):
        inside = place == which
        share = wilson(float(right[inside].sum()), int(inside.sum()))
        bins.append(Bin(int(inside.sum()), float(confidence[inside].mean()), share))
    return tuple(bins)


def _log_loss(chances: Floats, answers: Ints) -> float:
    given = chances[np.arange(len(answers)), answers]
    return -float(np.log(np.maximum(given, CHANCE_MIN)).mean())


def _as_is(chances: Floats, answers: Ints) -> Calibration:
    return Calibration("as is", len(answers))


def _learn_temperature(chances: Floats, answers: Ints) -> Calibration:
    """By likelihood, with one answer more that could be any class: else a few answers that are all met would make
    every posterior certain (after Platt, "Probabilistic outputs for support vector machines", 1999, section 2.2)."""
    logs = np.log(np.maximum(chances, CHANCE_MIN))
    doubt = 1.0 / (len(answers) + 1)

    def loss(temperature: float) -> float:
        softened = np.log(np.maximum(normalized(logs / temperature), CHANCE_MIN))
        met = softened[np.arange(len(answers)), answers].mean()
        return -float((1 - doubt) * met + doubt * softened.mean())

    return Calibration("temperature", len(answers), best_temperature(loss))


def _learn_isotonic(chances: Floats, answers: Ints) -> Calibration:
    confidence, right = _confidence(chances, answers)
    order = np.argsort(confidence, kind="stable")
    found = isotonic_regression(right[order])
    bounds = np.asarray(found.blocks, dtype=np.int64)
    starts, sizes = bounds[:-1], np.diff(bounds)
    total = np.add.reduceat(right[order], starts)
    middle = np.add.reduceat(confidence[order], starts) / sizes
    # A block's share, with one more item at the share of all: no value of exactly 0 or 1 from a few items.
    worth = np.maximum.accumulate((total + right.mean() * 0.98 + 0.01) / (sizes + 1))
    return Calibration("isotonic", len(answers), knots=np.stack([middle, worth]))


WAYS: Mapping[Way, Callable[[Floats, Ints], Calibration]] = {
    "as is": _as_is,
    "temperature": _learn_temperature,
    "isotonic": _learn_isotonic,
}


def _cross_validated(
    learn: Callable[[Floats, Ints], Calibration], chances: Floats, answers: Ints, rng: np.random.Generator
) -> float:
    fold = rng.permutation(len(answers)) % FOLDS
    loss = 0.0
    for which in range(FOLDS):
        held = fold == which
        learnt = learn(chances[~held], answers[~held])
        loss += _log_loss(learnt.apply(chances[held]), answers[held]) * int(held.sum())
    return loss / len(answers)


def _with_confidence(posterior: Floats, confidence: Floats) -> Floats:
    """The posterior with other chances for the likeliest classes, the rest shared as before. A likeliest class
    stays so: its chance is kept a little above what the next one gets."""
    rows = np.arange(len(posterior))
    best = posterior.argmax(axis=1)
    rest = np.maximum(posterior, CHANCE_MIN)
    rest[rows, best] = 0.0
    rest /= rest.sum(axis=1, keepdims=True)
    next_best = rest.max(axis=1)
    worth = np.clip(confidence, next_best / (1 + next_best) + _LEAD, 1.0)
    corrected = rest * (1 - worth)[:, None]
    corrected[rows, best] = worth
    return corrected
