"""What every truth-inference model gives back, what it is called with, and how well it foretells unseen labels.

A model is a plain function that keeps to `Method`: judgments in, `Fit` out. Models share three conventions: they refuse
unusable judgments by `refuse_unusable`; known answers (`gold`) are evidence, weighed by `known_evidence`; and a person
or an item without a judgment gets the prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels

CELLS_MAX = 2**29
"""The most numbers a fit may hold in one table (items x classes, or people x classes x classes): 4 GiB."""
TIE_TOLERANCE = 1e-9
"""Two chances closer than this are a tie: what separates them is the order of additions."""

LabelLikelihood = Callable[[Labels], Floats]
"""Log chance of each judgment under each truth, shape (n, classes)."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted truth-inference model.

    posterior: (items, classes), rows sum to 1; an item without judgments has the prior.
    prior: (classes,), the chance of each class before anybody has looked.
    confusion: (people, classes, classes) as [person, truth, given], rows sum to 1; None for models that say nothing
        about people. A person without judgments has the crowd's matrix. May be a read-only view.
    log_likelihood: of the judgments under the fitted model, natural log; None for rules that are no model.
    iterations, converged: of the fitting loop. Rules without a loop have 0 and True.
    accuracy: (people,), the model's own measure of how often a person is right, where it has one that is not
        simply read off `confusion`.
    likelihood: for models in which a label depends on more than person and truth (such as the item's difficulty):
        log chance of judgments under each truth; `label_likelihood` uses it in place of `confusion`.
    """

    method: str
    posterior: Floats
    prior: Floats
    confusion: Floats | None = None
    log_likelihood: float | None = None
    iterations: int = 0
    converged: bool = True
    accuracy: Floats | None = None
    likelihood: LabelLikelihood | None = None

    @property
    def answers(self) -> Ints:
        """(items,) the likeliest class; among tied ones the lowest."""
        return _first(self._is_best())

    @property
    def confidence(self) -> Floats:
        """(items,) the chance of the likeliest class."""
        return np.asarray(self.posterior.max(axis=1), dtype=np.float64)

    @property
    def tied(self) -> Ints:
        """(items,) how many classes share the highest chance: 1 is a clear answer."""
        return np.asarray(self._is_best().sum(axis=1), dtype=np.int64)

    @property
    def tie_probability(self) -> Floats:
        """(items,) the chance that a fair draw among the tied classes gives another one than `answers` does:
        0 for a clear answer, 1/2 for a tie of two."""
        return 1.0 - 1.0 / self.tied

    def drawn(self, rng: np.random.Generator) -> Ints:
        """(items,) like `answers`, with each tie settled by a fair draw."""
        return _first(self._is_best() * (1.0 + rng.random(self.posterior.shape)))

    def accuracy_on(self, gold: Ints) -> float | None:
        """Share of known answers met, a tie of t classes that includes the answer counting 1/t: what fair draws
        reach on average. None where no answer is known."""
        known = np.flatnonzero(gold != UNKNOWN)
        if len(known) == 0:
            return None
        best = self._is_best(known)
        met = best[np.arange(len(known)), gold[known]]
        return float(np.mean(met / best.sum(axis=1)))

    def _is_best(self, rows: Ints | slice = slice(None)) -> NDArray[np.bool_]:
        chances = self.posterior[rows]
        best: NDArray[np.bool_] = chances >= chances.max(axis=1, keepdims=True) - TIE_TOLERANCE
        return best


class Method(Protocol):
    """A truth-inference model as a function.

    `gold` has shape (items,): a class index where the answer is known, `UNKNOWN` elsewhere. `rng` is needed only by
    models that start at random. Further settings are keywords with defaults.
    """

    def __call__(self, labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit: ...


def refuse_unusable(labels: Labels, gold: Ints | None = None) -> None:
    """`BadLabels` where no fit can be made: no judgment at all, more classes than a table can hold (a label of
    10^9 read as an index), or known answers of another shape or outside the classes."""
    if len(labels) == 0:
        raise BadLabels("there is no judgment; at least one is needed")
    refuse_huge(labels.items, labels.people, labels.classes)
    if gold is None:
        return
    if gold.shape != (labels.items,):
        raise BadLabels(f"known answers have shape {gold.shape}; one per item is wanted: ({labels.items},)")
    if gold.dtype.kind not in "iu":
        raise BadLabels(f"known answers hold {gold.dtype}, not indices of classes; {UNKNOWN} stands for not known")
    if len(gold) and (gold.min() < UNKNOWN or gold.max() >= labels.classes):
        row = int(np.argmax((gold < UNKNOWN) | (gold >= labels.classes)))
        raise BadLabels(f"the known answer of item {row} is {gold[row]}, outside 0..{labels.classes - 1}")


def refuse_huge(items: int, people: int, classes: int) -> None:
    """`BadLabels` for sizes whose tables would not fit in memory."""
    if max(items * classes, people * classes * classes) > CELLS_MAX:
        raise BadLabels(
            f"{items} items, {people} people and {classes} classes are too many for one table; "
            "give classes as indices 0, 1, ... (NamedLabels.read numbers them), or fit numbers with a numeric model"
        )


def known_evidence(gold: Ints, classes: int, trust: float = 1.0) -> Floats:
    """Log evidence of known answers, (items, classes), to be added to log chances.

    A known answer counts as one judgment by somebody who is right with chance `trust` and otherwise picks any other
    class alike. At 1, the default, every other class is impossible (-inf); an answer that is not known adds 0.
    """
    if not (trust == 1 or 1 / classes < trust < 1):
        raise ValueError(f"trust in known answers lies above chance (1/{classes}) and up to 1, not {trust}")
    evidence = np.zeros((len(gold), classes))
    known = np.flatnonzero(gold != UNKNOWN)
    if len(known):
        with np.errstate(divide="ignore"):
            evidence[known] = np.log((1 - trust) / max(1, classes - 1))
        evidence[known, gold[known]] = np.log(trust)
    return evidence


def label_likelihood(fit: Fit, labels: Labels) -> Floats:
    """Log chance of each judgment under each truth, (n, classes). `ValueError` for a fit that models no labels."""
    if fit.likelihood is not None:
        return fit.likelihood(labels)
    if fit.confusion is None:
        raise ValueError(f"{fit.method} says nothing about how people label")
    chances = fit.confusion[labels.person, :, labels.label]
    # A model may call a label impossible; one that happens all the same must cost much, not everything.
    return np.log(np.maximum(chances, 1e-12))


def predictive(fit: Fit, labels: Labels) -> Floats:
    """Log chance of judgments that the fit has not seen, (n,), natural log.

    For each: sum over truths of posterior[item, truth] x chance of this label by this person under that truth. The
    posterior comes from the other judgments of the item, so `fit` must have been fitted without `labels` (same
    sizes, same indices). Judgments are foretold one by one, not jointly. The mean of this over held-out labels
    is the score by which models are compared.
    """
    joint = label_likelihood(fit, labels)
    with np.errstate(divide="ignore"):
        joint += np.log(fit.posterior[labels.item])
    return log_sum_exp(joint)


def log_sum_exp(scores: Floats) -> Floats:
    """Log of the sum of exponentials of each row, without overflow. A row of -inf only gives -inf."""
    best = scores.max(axis=1, initial=-np.inf)
    base = np.where(np.isfinite(best), best, 0.0)
    with np.errstate(divide="ignore"):
        total: Floats = np.log(np.exp(scores - base[:, None]).sum(axis=1))
    return np.asarray(base + total, dtype=np.float64)


def normalized(scores: Floats) -> Floats:
    """Rows of log chances as chances that sum to 1."""
    chances: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances /= chances.sum(axis=1, keepdims=True)
    return chances


def _first(scores: Floats | NDArray[np.bool_]) -> Ints:
    """Column of the greatest number in each row, the first among equals."""
    return np.asarray(np.argmax(scores, axis=1), dtype=np.int64)
