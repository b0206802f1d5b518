"""Which model to believe: the one that best foretells labels it has not seen, unless it overturns too much for that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.bwa import bwa
from preceptor.quality.truth.communities import Settings, ebcc
from preceptor.quality.truth.crowd import crowd_confusion, share_right, summed
from preceptor.quality.truth.dawid_skene import CrowdPrior, dawid_skene
from preceptor.quality.truth.glad import glad
from preceptor.quality.truth.ibcc import ibcc
from preceptor.quality.truth.mace import mace
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.one_coin import one_coin
from preceptor.quality.truth.result import Fit, Method, predictive, refuse_unusable
from preceptor.quality.truth.softening import label_temperature, tempered

AUTO = "auto"
FOLDS = 5
HELD_OUT_ENOUGH = 15_000
"""Folds are looked at until so many labels have been foretold, at least one and at most all."""
JUDGMENTS_MIN = 30
CHOICE_MAX = 120_000
"""With more judgments the choice is made on a random part of the items that has about so many."""
OVERTURN_COST = 0.25
"""Nats of foretelling that a model must earn for every item whose clear majority it overturns."""
TRUSTED_LABELS = 400.0
"""How many labels' worth of evidence between models is believed at most; 1 / this is the gap to reality, in nats a
label, that all models are granted."""
OCCAMS_WINDOW = 0.2
"""A candidate with less than this share of the greatest weight is dropped."""
GOLD_MIN = 20
GOLD_DOUBT = 0.95
_DRAWS = 400
_BLOCKS_MAX = 1000
_AMBIGUITY_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model with settings, by name. `own_labels`: foretell labels by the model's own likelihood, since it knows more
    of an item than its class; otherwise by confusion matrices that the posterior implies, alike for all. `odds`: its
    weight before any evidence. `trial`: a cheaper form for the trials, where the method itself is dear."""

    name: str
    method: Method
    own_labels: bool = False
    odds: float = 1.0
    trial: Method | None = None

    def tried(self, labels: Labels, gold: Ints | None, rng: np.random.Generator) -> Fit:
        return (self.trial or self.method)(labels, gold=gold, rng=rng)


# Fewer kinds than published: most stay empty anyway, and it halves the time.
_KINDS = Settings(kinds=5)
_STARTS_IN_TRIALS = 2
# Others must earn their place against the two that are known best; and the one whose prior does not say that people
# tend to be right must earn it twice.
_INCUMBENT, _UNANCHORED = 3.0, 0.5


def _communities(name: str, settings: Settings, odds: float) -> Candidate:
    trial = partial(ebcc, settings=replace(settings, starts=_STARTS_IN_TRIALS))
    return Candidate(name, partial(ebcc, settings=settings), True, odds, trial)


CANDIDATES: tuple[Candidate, ...] = (
    Candidate("majority", majority, odds=_INCUMBENT),
    Candidate("one-coin", one_coin),
    Candidate("mace", mace),
    Candidate("glad", glad),
    Candidate("bwa", bwa),
    Candidate("dawid-skene", dawid_skene, odds=_INCUMBENT),
    Candidate("dawid-skene, equal classes", partial(dawid_skene, prior=CrowdPrior(class_items=np.inf))),
    Candidate("ibcc", ibcc),
    _communities("ebcc", _KINDS, 1.0),
    _communities("ebcc, towards crowd", replace(_KINDS, towards="crowd"), _UNANCHORED),
)
METHODS: Mapping[str, Method] = {candidate.name: candidate.method for candidate in CANDIDATES} | {"ebcc": ebcc}


@dataclass(frozen=True, slots=True)
class Score:
    """How a candidate did.

    foretelling: mean log chance of held-out labels, nats. behind: by how much less than the best, and its standard
        error over items.
    overturned: share of items with a clear majority that it answers otherwise.
    gold_accuracy: on known answers that it was not shown; None where fewer than `GOLD_MIN` are known.
    ruled_out: by known answers. weight: in the final posterior.
    """

    name: str
    foretelling: float
    behind: float
    behind_error: float
    overturned: float
    gold_accuracy: float | None
    ruled_out: bool
    weight: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fit to use, why in one sentence, how the candidates did (nothing where no choice was made), and the
    temperature of the posterior that foretells labels best (1 where no choice was made)."""

    fit: Fit
    why: str
    scores: tuple[Score, ...] = ()
    temperature: float = 1.0

    @property
    def softened(self) -> Floats:
        """The posterior at the temperature at which it foretells held-out labels best: for use as confidence while no
        answer is known to calibrate by."""
        return self.fit.posterior if self.temperature == 1.0 else tempered(self.fit.posterior, self.temperature)

    @property
    def weights(self) -> Mapping[str, float]:
        return {score.name: score.weight for score in self.scores if score.weight > 0}


def fit(
    labels: Labels,
    *,
    gold: Ints | None = None,
    method: str = AUTO,
    rng: np.random.Generator | None = None,
    candidates: tuple[Candidate, ...] = CANDIDATES,
) -> Chosen:
    """Fit the named method, or choose: average the candidates by how well each foretells labels it has not seen.

    A fifth of the labels, spread over items, is held out and each candidate fitted to the rest; this is repeated for
    further fifths while there are few labels. Each held-out label is foretold from its item's posterior and its
    person's confusion matrix, and, in a share estimated for each candidate, simply by the item's other votes: so that
    no candidate gains by knowing which items are ambiguous rather than which answer is true. The sum over labels of
    log chances is the candidate's evidence, less `OVERTURN_COST` for each clear majority it overturns: models that
    explain labels equally well can differ in what they take for the truth, as when a hidden class means "hard" and
    not "yes", and then the majority is believed. Weights are those of Bayesian model averaging with two
    corrections. No candidate is true, so evidence is raised to the power 1 / (1 + labels / `TRUSTED_LABELS`) (Miller
    and Dunson, "Robust Bayesian inference via coarsening", JASA 2019). Evidence is a sample, so weights are averaged
    over Bayesian bootstrap draws of items (Yao, Vehtari, Simpson and Gelman, "Using stacking to average Bayesian
    predictive distributions", Bayesian Analysis 2018). Candidates far below the best are dropped (`OCCAMS_WINDOW`;
    Madigan and Raftery, JASA 1994). Majority and plain Dawid-Skene have higher odds to begin with. The constants
    (cost, trusted labels, odds, window) were settled on seven published sets, so figures on those flatter them.

    What no choice by labels alone can see: a group of people who are fooled by the same items again and again. Where
    it nearly carries the majority, "what fools them" foretells labels better than the truth does. Only known answers
    help there.

    Known answers (`gold`) are evidence in every fit. A fifth of them is hidden with each fold; a candidate that is
    less accurate there than the best in 95 % of bootstrap draws is ruled out. With no repeated judgments, one person,
    or fewer than `JUDGMENTS_MIN`, nothing can be held out and the majority is taken.

    `BadLabels` where no fit can be made, `ValueError` for an unknown method. `rng` decides folds and starts; without
    one they are the same each time. Linear in judgments; from `CHOICE_MAX` on the choice costs no more.
    """
    refuse_unusable(labels, gold)
    rng = np.random.default_rng(0) if rng is None else rng
    if method != AUTO:
        if method not in METHODS:
            raise ValueError(f"there is no method {method!r}; there are {AUTO} and {', '.join(METHODS)}")
        return Chosen(METHODS[method](labels, gold=gold, rng=rng), f"{method}, as asked")
    nothing = _nothing_to_hold_out(labels)
    if nothing:
        return Chosen(majority(labels, gold=gold), f"majority, since {nothing}")
    part, part_gold = _part_of(labels, gold, rng)
    trials = _trials(part, part_gold, candidates, rng)
    scores = _scores(trials, candidates, len(part))
    temperature = trials.first.temperature([score.weight for score in scores])
    return Chosen(_averaged(labels, gold, scores, candidates, rng), _why(scores), scores, temperature)


def _nothing_to_hold_out(labels: Labels) -> str | None:
    if labels.classes == 1:
        return "there is only one class"
    if len(labels) < JUDGMENTS_MIN:
        return f"{len(labels)} judgments are too few to hold some out"
    if len(np.unique(labels.person)) == 1:
        return "all judgments are one person's"
    if np.bincount(labels.item).max() == 1:
        return "no item has a second judgment to be foretold"
    return None


def _part_of(labels: Labels, gold: Ints | None, rng: np.random.Generator) -> tuple[Labels, Ints | None]:
    """A random part of the items with all their judgments, numbered anew; everything where that is little enough."""
    if len(labels) <= CHOICE_MAX:
        return labels, gold
    share = CHOICE_MAX / len(labels)
    kept = np.flatnonzero(rng.random(labels.items) < share)
    place = np.full(labels.items, UNKNOWN, dtype=np.int64)
    place[kept] = np.arange(len(kept))
    item = place[labels.item]
    inside = item != UNKNOWN
    part = Labels(item[inside], labels.person[inside], labels.label[inside], len(kept), labels.people, labels.classes)
    return part, None if gold is None else gold[kept]


@dataclass(frozen=True, slots=True)
class _Fold:
    """One fold, and the posteriors that candidates had on it, each (items, classes)."""

    training: Labels
    testing: Labels
    posteriors: tuple[Floats, ...]

    def temperature(self, weights: Sequence[float]) -> float:
        """The temperature at which the average of the posteriors foretells the labels of the fold best."""
        posterior = np.average(self.posteriors, axis=0, weights=weights)
        confusion = crowd_confusion(self.training, posterior)
        return label_temperature(Fit(AUTO, posterior, posterior.mean(axis=0), confusion), self.testing)


@dataclass(frozen=True, slots=True)
class _Trials:
    """What candidates did on the folds looked at.

    evidence (items, candidates): log chances of held-out labels, summed. overturned (items, candidates): share of
    fits that overturned a clear majority. held_out: labels foretold. right (known answers tested, candidates).
    first: the first fold.
    """

    evidence: Floats
    overturned: Floats
    held_out: int
    right: Floats
    first: _Fold


def _trials(labels: Labels, gold: Ints | None, candidates: tuple[Candidate, ...], rng: np.random.Generator) -> _Trials:
    fold_of_label, fold_of_gold = _folds(labels, gold, rng)
    looks = min(FOLDS, max(1, round(HELD_OUT_ENOUGH * FOLDS / len(labels))))
    chances = np.zeros((len(labels), len(candidates)))
    plain = np.zeros(len(labels))
    overturned = np.zeros((labels.items, len(candidates)))
    right = []
    folds = []
    for fold in range(looks):
        held = fold_of_label == fold
        training, testing = labels.where(~held), labels.where(held)
        shown = None if gold is None else np.where(fold_of_gold == fold, UNKNOWN, gold)
        plain[held] = _by_other_votes(training, testing)
        hidden = np.flatnonzero(fold_of_gold == fold)
        met = np.zeros((len(hidden), len(candidates)))
        clear, leading = _clear_majorities(training)
        fits = [candidate.tried(training, shown, rng) for candidate in candidates]
        for column, (candidate, fitted) in enumerate(zip(candidates, fits, strict=True)):
            chances[held, column] = _foretold(candidate, fitted, training, testing)
            overturned[:, column] += clear & (fitted.answers != leading)
            if gold is not None:
                met[:, column] = _met(fitted, hidden, gold)
        right.append(met)
        folds.append(_Fold(training, testing, tuple(fitted.posterior for fitted in fits)))
    looked = fold_of_label < looks
    evidence = _with_ambiguity(np.exp(chances[looked]), plain[looked])
    by_item = np.column_stack([summed(labels.item[looked], column, labels.items) for column in evidence.T])
    return _Trials(by_item, overturned / looks, int(looked.sum()), np.concatenate(right), folds[0])


def _folds(labels: Labels, gold: Ints | None, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Fold of each label, and of each item's known answer (`UNKNOWN` where there is none)."""
    # Consecutive after sorting by item, so that an item's labels fall into different folds.
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels.item[order], kind="stable")]
    of_label = np.empty(len(labels), dtype=np.int64)
    of_label[order] = (np.arange(len(labels)) + rng.integers(FOLDS)) % FOLDS
    of_gold = np.full(labels.items, UNKNOWN, dtype=np.int64)
    if gold is not None:
        known = rng.permutation(np.flatnonzero(gold != UNKNOWN))
        of_gold[known] = np.arange(len(known)) % FOLDS
    return of_label, of_gold


def _by_other_votes(training: Labels, testing: Labels) -> Floats:
    """Chance of each label as a share of the item's other votes, with one vote spread like all votes."""
    votes = training.counts.toarray()
    shares = votes.sum(axis=0) / len(training)
    ahead = votes[testing.item, testing.label] + np.maximum(shares[testing.label], 1e-9)
    return np.asarray(ahead / (votes[testing.item].sum(axis=1) + 1.0), dtype=np.float64)


def _clear_majorities(labels: Labels) -> tuple[NDArray[np.bool_], Ints]:
    """Which items have one leading class, and the (first) leading class."""
    votes = labels.counts.toarray()
    leading = votes.argmax(axis=1)
    most = votes.max(axis=1)
    return (votes == most[:, None]).sum(axis=1) == 1, leading


def _foretold(candidate: Candidate, fitted: Fit, training: Labels, testing: Labels) -> Floats:
    if not candidate.own_labels:
        fitted = replace(fitted, confusion=crowd_confusion(training, fitted.posterior), likelihood=None)
    return predictive(fitted, testing)


def _met(fitted: Fit, items: Ints, gold: Ints) -> Floats:
    """Credit per known answer: 1 for met, 1/t in a tie of t."""
    chances = fitted.posterior[items]
    best = chances >= chances.max(axis=1, keepdims=True) - 1e-9
    return np.asarray(best[np.arange(len(items)), gold[items]] / best.sum(axis=1), dtype=np.float64)


def _with_ambiguity(chances: Floats, plain: Floats) -> Floats:
    """Log chances (labels, candidates) when a share of labels follows the item's other votes; each candidate's share
    by expectation and maximisation."""
    share = np.full(chances.shape[1], 0.2)
    for _ in range(_AMBIGUITY_ROUNDS):
        by_votes = share * plain[:, None]
        share = (by_votes / (by_votes + (1 - share) * chances)).mean(axis=0)
    return np.log(share * plain[:, None] + (1 - share) * chances)


def _scores(trials: _Trials, candidates: tuple[Candidate, ...], judgments: int) -> tuple[Score, ...]:
    rng = np.random.default_rng(0)
    mean = trials.evidence.sum(axis=0) / trials.held_out
    accuracy, ruled_out = _by_gold(trials.right, rng)
    # Fewer labels may have been held out than there are: evidence stands for all of them.
    earned = trials.evidence * (judgments / trials.held_out) - OVERTURN_COST * trials.overturned
    odds = np.array([candidate.odds for candidate in candidates])
    weights = _weights(earned[:, ~ruled_out], odds[~ruled_out], judgments, rng)
    weight = np.zeros(len(candidates))
    weight[~ruled_out] = weights
    best = int(np.argmax(mean))
    gap = trials.evidence[:, [best]] - trials.evidence
    error = gap.std(axis=0) * np.sqrt(len(gap)) / trials.held_out
    return tuple(
        Score(
            candidate.name,
            float(mean[i]),
            float(mean[best] - mean[i]),
            float(error[i]),
            float(trials.overturned[:, i].mean()),
            None if accuracy is None else float(accuracy[i]),
            bool(ruled_out[i]),
            float(weight[i]),
        )
        for i, candidate in enumerate(candidates)
    )


def _by_gold(right: Floats, rng: np.random.Generator) -> tuple[Floats | None, NDArray[np.bool_]]:
    """Accuracy on hidden known answers, and which candidates it rules out."""
    tested, candidates = right.shape
    if tested < GOLD_MIN:
        return None, np.zeros(candidates, dtype=np.bool_)
    accuracy = right.mean(axis=0)
    behind = right[:, [int(np.argmax(accuracy))]] - right
    draws = rng.multinomial(tested, np.full(tested, 1 / tested), size=_DRAWS) @ behind
    return accuracy, np.mean(draws > 0, axis=0) > GOLD_DOUBT


def _weights(earned: Floats, odds: Floats, judgments: int, rng: np.random.Generator) -> Floats:
    """(candidates,) coarsened model weights, averaged over bootstrap draws of items."""
    blocks = min(_BLOCKS_MAX, len(earned))
    block = rng.permutation(len(earned)) % blocks
    by_block = np.column_stack([summed(block, column, blocks) for column in earned.T])
    evidence = rng.dirichlet(np.ones(blocks), size=_DRAWS) @ by_block * blocks
    evidence /= 1.0 + judgments / TRUSTED_LABELS
    evidence += np.log(odds)
    evidence -= evidence.max(axis=1, keepdims=True)
    weights = np.exp(evidence)
    weights = (weights / weights.sum(axis=1, keepdims=True)).mean(axis=0)
    weights[weights < OCCAMS_WINDOW * weights.max()] = 0.0
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def refit(
    chosen: Chosen,
    labels: Labels,
    *,
    gold: Ints | None = None,
    rng: np.random.Generator | None = None,
    candidates: tuple[Candidate, ...] = CANDIDATES,
) -> Fit:
    """The models of an earlier choice, weighed as they were, fitted to other evidence. `candidates` as in the choice.

    Where there was no choice the method is fitted that was taken.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    if chosen.scores:
        return _averaged(labels, gold, chosen.scores, candidates, rng)
    return METHODS[chosen.fit.method](labels, gold=gold, rng=rng)


def _averaged(
    labels: Labels,
    gold: Ints | None,
    scores: tuple[Score, ...],
    candidates: tuple[Candidate, ...],
    rng: np.random.Generator,
) -> Fit:
    """The weighted average of the candidates that have weight, fitted to everything."""
    weights = [score.weight for score in scores if score.weight > 0]
    fits = [c.method(labels, gold=gold, rng=rng) for c, s in zip(candidates, scores, strict=True) if s.weight > 0]
    if len(fits) == 1:
        return fits[0]
    posterior = sum(weight * one.posterior for weight, one in zip(weights, fits, strict=True))
    posterior = np.asarray(posterior, dtype=np.float64)
    return Fit(
        "average of " + ", ".join(score.name for score in scores if score.weight > 0),
        posterior,
        np.average([one.prior for one in fits], axis=0, weights=weights),
        # What the average says about people; members without matrices (the majority) would have no say.
        crowd_confusion(labels, posterior),
        None,
        max(one.iterations for one in fits),
        all(one.converged for one in fits),
        share_right(labels, posterior),
    )


def _why(scores: tuple[Score, ...]) -> str:
    used = sorted((score for score in scores if score.weight > 0), key=lambda score: -score.weight)
    plain = next((score for score in scores if score.name == "majority"), None)
    names = " and ".join(f"{score.name} ({score.weight:.0%})" for score in used)
    reason = f"{names}: held-out labels foretold at {used[0].foretelling:.3f} nats each"
    if plain is not None and plain not in used:
        reason += f", against {plain.foretelling:.3f} from majority"
    ruled_out = [score.name for score in scores if score.ruled_out]
    if ruled_out:
        reason += f"; known answers rule out {', '.join(ruled_out)}"
    return reason
