"""Which model judgments are fitted with, and how its confidence is calibrated against known answers."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from preceptor.quality.calibration import FOLDS, GOLD_MIN, Calibration, Reliability, calibrate, reliability
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth import Fit
from preceptor.quality.truth.choice import AUTO, CANDIDATES, METHODS, Candidate, Chosen, refit
from preceptor.quality.truth.choice import fit as choose
from preceptor.quality.truth.crowd import crowd_confusion

SEED = 0
Hide = Literal["own", "all"]


@dataclass(frozen=True)
class Picked:
    """A model's fit with the known answers as evidence. In `without_gold` each known item's posterior comes from a fit
    that was not shown its answer, or any (the same where nothing is known)."""

    name: str
    why: str
    fit: Fit
    without_gold: Fit
    scores: Sequence[Mapping[str, object]]
    """How the models that were weighed did, as plain values; empty where there was no choice."""

    def with_people(self, labels: Labels) -> Fit:
        """The fit with confusion matrices: its own, or those that its answers imply where the model has none."""
        if self.fit.confusion is not None:
            return self.fit
        return replace(self.fit, confusion=crowd_confusion(labels, self.fit.posterior), likelihood=None)


def pick(
    labels: Labels,
    gold: Ints | None,
    method: str,
    among: Sequence[str] = (),
    *,
    hide: Hide = "own",
    rng: np.random.Generator | None = None,
) -> Picked:
    """Fit by a named method, or by those that foretell the judgments best (`auto`).

    `among` names the models to choose from, as when an earlier fit of nearly the same judgments has ruled out the
    rest; empty for all. `hide` says which known answers the fits behind `without_gold` do not see: of each item its
    own (one fit for each fold), or all of them (one fit, the choice made anew).
    """
    candidates = tuple(one for one in CANDIDATES if not among or one.name in among) or CANDIDATES
    rng = np.random.default_rng(SEED) if rng is None else rng
    chosen = choose(labels, gold=gold, method=method, rng=rng, candidates=candidates)
    return Picked(
        name=_name(chosen, method),
        why=f"{chosen.why}.",
        fit=chosen.fit,
        without_gold=_without(labels, gold, chosen, method, candidates, hide),
        scores=[asdict(score) for score in chosen.scores],
    )


def _without(
    labels: Labels,
    gold: Ints | None,
    chosen: Chosen,
    method: str,
    candidates: tuple[Candidate, ...],
    hide: Hide,
) -> Fit:
    if gold is None:
        return chosen.fit
    return _blind(labels, chosen, method) if hide == "all" else _unshown(labels, gold, chosen, method, candidates)


def _blind(labels: Labels, chosen: Chosen, method: str) -> Fit:
    """The same models without the known answers."""
    rng = np.random.default_rng(SEED)
    if method != AUTO or not chosen.weights:
        return choose(labels, method=chosen.fit.method if method == AUTO else method, rng=rng).fit
    used = tuple(one for one in CANDIDATES if one.name in chosen.weights)
    return choose(labels, rng=rng, candidates=used).fit


def _unshown(labels: Labels, gold: Ints, chosen: Chosen, method: str, candidates: tuple[Candidate, ...]) -> Fit:
    """The fit, with the posterior of each known item from a fit that was shown the other known answers but not its
    own (in folds): what calibration and accuracy have to be learnt from, for a fit that has seen known answers is
    sure in another way than one that has not."""
    known = np.flatnonzero(gold != UNKNOWN)
    fold = np.random.default_rng(SEED).permutation(len(known)) % FOLDS
    posterior = chosen.fit.posterior.copy()
    for which in np.unique(fold):
        hidden = known[fold == which]
        shown = gold.copy()
        shown[hidden] = UNKNOWN
        rng = np.random.default_rng(SEED)
        if method == AUTO:
            fitted = refit(chosen, labels, gold=shown, rng=rng, candidates=candidates)
        else:
            fitted = METHODS[method](labels, gold=shown, rng=rng)
        posterior[hidden] = fitted.posterior[hidden]
    return replace(chosen.fit, posterior=posterior)


def _name(chosen: Chosen, method: str) -> str:
    if method != AUTO:
        return method
    return " + ".join(sorted(chosen.weights, key=lambda name: -chosen.weights[name])) or chosen.fit.method


@dataclass(frozen=True)
class Calibrated:
    """A way to correct confidence, learnt from gold that was no evidence, and how far it can be believed then.

    `reliability` is measured on gold answers that the correction was not learnt from (five folds).
    """

    way: Calibration
    reliability: Reliability

    @property
    def ece(self) -> float | None:
        return self.reliability.ece.value

    def applied(self, posterior: Floats, gold: Ints) -> Floats:
        """The corrected posterior; what is known is left certain."""
        corrected = self.way.apply(posterior)
        known = gold != UNKNOWN
        corrected[known] = posterior[known]
        return corrected

    def kept(self) -> dict[str, object]:
        """As plain JSON values; `read_calibration` reads the way back."""
        found = self.reliability
        return {
            "way": self.way.way,
            "items": self.way.items,
            "temperature": self.way.temperature,
            "knots": None if self.way.knots is None else self.way.knots.tolist(),
            "reason": self.way.reason,
            "ece": asdict(found.ece),
            "adaptive_ece": asdict(found.adaptive_ece),
            "brier": asdict(found.brier),
            "log_loss": asdict(found.log_loss),
            "curve": [asdict(point) for point in found.curve],
        }


def calibrated(posterior: Floats, gold: Ints) -> Calibrated:
    """Calibrate a posterior (items, classes) that was fitted without the known answers."""
    known = np.flatnonzero(gold != UNKNOWN)
    held_out = posterior[known]
    fold = np.random.default_rng(SEED).permutation(len(known)) % FOLDS
    for which in range(FOLDS if len(known) >= GOLD_MIN else 0):
        there = fold == which
        learnt = calibrate(posterior[known[~there]], gold[known[~there]])
        held_out[there] = learnt.apply(posterior[known[there]])
    return Calibrated(calibrate(posterior, gold), reliability(held_out, gold[known]))


def read_calibration(kept: Mapping[str, Any] | None) -> Calibration | None:
    """The way that a stored calibration corrects; None where it leaves everything as it is."""
    if not kept or kept["way"] == "as is":
        return None
    knots = None if kept["knots"] is None else np.array(kept["knots"], dtype=np.float64)
    return Calibration(kept["way"], kept["items"], kept["temperature"], knots)
