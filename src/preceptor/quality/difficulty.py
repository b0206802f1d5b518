"""Which tasks are hard, and which have more than one good answer: "people err" told from "people legitimately differ".

Two models of the labels of one item are compared, both with the people's confusion matrices c[p, truth, given]:

- **one truth**, errors around it: p1 = sum_k prior[k] prod_j c[p_j, k, l_j];
- **two answers** a and b, each seen by a share of careful people: p2 = sum_{a<b} prior[a, b] integral over the share s
  of prod_j (s c[p_j, a, l_j] + (1 - s) c[p_j, b, l_j]) Beta(s; 2, 2) ds, with prior[a, b] in proportion to
  prior[a] prior[b].

When poor labellers split, one truth explains it; when skilled ones do, only two answers can. The Bayes factor p2 / p1
says how strongly (Kass and Raftery, JASA 1995, 90:773); how common such tasks are is estimated from all of them (one
parameter, EM). Because the confusion matrices were fitted as if every item had one truth, they already hold some of
the legitimate differences: the factor errs towards "one truth".

`soft_label` is the answer distribution that a careful crowd would give, for training on it instead of on one hard
answer (Uma, Fornaciari, Hovy, Paun, Plank and Poesio, "Learning from disagreement: a survey", JAIR 2021, 72:1385).
"""

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.polynomial.legendre import leggauss

from preceptor.quality.intervals import LEVEL, Estimate, Floats
from preceptor.quality.labels import BadLabels, Ints, Labels
from preceptor.quality.skill import beta_limits, sums
from preceptor.quality.truth.result import Fit, log_sum_exp, normalized, refuse_unusable

Reading = Literal["clear", "people err", "people differ", "unknown"]

ANSWERS_MAX = 4
"""With more classes, only pairs of an item's best supported so many are looked at: the cost stays linear."""
DIFFERS_AT = 0.5
"""From this chance of two good answers on, a task reads as one on which people differ."""
_NODES = 12
_RATE_START, _RATE_ROUNDS = 0.1, 20
# Pseudo-items for the share of ambiguous ones: 0.1 of 10, so that a handful of items does not decide it.
_RATE_PRIOR = (1.0, 9.0)
_CROWD_PSEUDO = 2.0
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Difficulty:
    """Every item; arrays of shape (items,) unless said otherwise. NaN where an item has too few labels to say.

    labels: how many. disagreement: share of pairs of labels that differ; NaN below two labels.
    expected_disagreement: the same as foretold from the people's confusion matrices for an item with one truth.
    error_rate, error_low, error_high: chance that a person drawn from the crowd errs on it, with credible limits.
    log_bayes_factor: two answers against one truth, nats; 0 says nothing. ambiguous: chance of two answers.
    pair: (items, 2) the likeliest two answers, the stronger first. split: share of the first of them, if there
    are two. soft_label: (items, classes) answer distribution of a careful crowd. rate: estimated share of ambiguous
    items.
    """

    labels: Ints
    disagreement: Floats
    expected_disagreement: Floats
    error_rate: Floats
    error_low: Floats
    error_high: Floats
    log_bayes_factor: Floats
    ambiguous: Floats
    pair: Ints
    split: Floats
    soft_label: Floats
    answers: Ints
    rate: float

    def reading(self, item: int) -> Reading:
        """In a word: nobody differs ("clear"), one truth explains why people do ("people err"), two answers explain
        it better ("people differ"); "unknown" below two labels."""
        if self.labels[item] < 2:
            return "unknown"
        if self.disagreement[item] == 0:
            return "clear"
        return "people differ" if self.ambiguous[item] >= DIFFERS_AT else "people err"

    def error(self, item: int) -> Estimate:
        """Chance that a person drawn from the crowd errs on the item."""
        n = int(self.labels[item])
        if n < 2:
            return Estimate.unknown(f"{n} labels; two are needed to see anybody differ", n)
        return Estimate(float(self.error_rate[item]), float(self.error_low[item]), float(self.error_high[item]), n)

    def most_ambiguous(self, limit: int) -> Ints:
        """Items on which people differ, the surest first: the ones worth rewriting."""
        differing = np.flatnonzero((self.ambiguous >= DIFFERS_AT) & (self.labels >= 2))
        order = np.argsort(-self.log_bayes_factor[differing], kind="stable")
        return np.asarray(differing[order[:limit]], dtype=np.int64)


def difficulty(labels: Labels, fit: Fit, *, level: float = LEVEL) -> Difficulty:
    """Difficulty and ambiguity of every item, from judgments and a fit with confusion matrices.

    Linear in judgments. An item with no label has the prior as soft label, one label is no evidence of anything
    (Bayes factor 1 up to how rare the label is). `BadLabels` for a fit without confusion matrices or of other sizes.
    """
    refuse_unusable(labels)
    confusion = _confusion_of(labels, fit)
    n = np.bincount(labels.item, minlength=labels.items)
    observed, expected = _disagreements(labels, fit, confusion, n)
    error, low, high = _errors(labels, fit, n, level)
    two = _two_answers(labels, fit, confusion)
    rate, ambiguous = _ambiguity(two.log_bayes_factor, n)
    mixed = ambiguous[:, None]
    soft = (1 - mixed) * fit.posterior + mixed * two.answers
    answers = np.asarray(np.argmax(fit.posterior, axis=1), dtype=np.int64)
    return Difficulty(
        n,
        observed,
        expected,
        error,
        low,
        high,
        two.log_bayes_factor,
        ambiguous,
        two.pair,
        two.split,
        soft,
        answers,
        rate,
    )


def soft_labels(labels: Labels, fit: Fit) -> Floats:
    """(items, classes) answer distribution of a careful crowd, rows sum to 1: `difficulty(...).soft_label`."""
    return difficulty(labels, fit).soft_label


def _confusion_of(labels: Labels, fit: Fit) -> Floats:
    if fit.confusion is None:
        raise BadLabels(f"{fit.method} says nothing about how people err; fit Dawid-Skene or another such model")
    if fit.posterior.shape != (labels.items, labels.classes) or len(fit.confusion) != labels.people:
        raise BadLabels("the fit is of other items, people or classes than the labels")
    return fit.confusion


def _disagreements(labels: Labels, fit: Fit, confusion: Floats, n: Ints) -> tuple[Floats, Floats]:
    """Share of pairs that differ, as seen and as foretold under one truth drawn from the posterior."""
    pairs = n * (n - 1.0)
    some = np.where(pairs > 0, pairs, np.nan)
    squares = labels.counts.power(2).sum(axis=1)
    observed = 1 - (np.asarray(squares).ravel() - n) / some
    expected = np.zeros(labels.items)
    for truth in range(labels.classes):
        rows = confusion[labels.person, truth]
        # Pairs that agree: (sum of rows)^2 - sum of squared rows, over the labels given.
        total = np.stack([sums(labels.item, rows[:, given], labels.items) for given in range(rows.shape[1])])
        alone = sums(labels.item, (rows**2).sum(axis=1), labels.items)
        expected += fit.posterior[:, truth] * (1 - ((total**2).sum(axis=0) - alone) / some)
    return observed, expected


def _errors(labels: Labels, fit: Fit, n: Ints, level: float) -> tuple[Floats, Floats, Floats]:
    """Beta around the crowd's error rate, plus the item's expected errors."""
    wrong = 1 - fit.posterior[labels.item, labels.label]
    errors = sums(labels.item, wrong, labels.items)
    crowd = (errors.sum() + 0.5) / (len(labels) + 1)
    alpha = errors + _CROWD_PSEUDO * crowd
    beta = n - errors + _CROWD_PSEUDO * (1 - crowd)
    value = alpha / (alpha + beta)
    low, high = beta_limits(alpha, beta, level)
    return value, np.minimum(low, value), np.maximum(high, value)


@dataclass(frozen=True, slots=True)
class _TwoAnswers:
    """log_bayes_factor (items,); answers (items, classes) expected distribution under two; pair, split as above."""

    log_bayes_factor: Floats
    answers: Floats
    pair: Ints
    split: Floats


def _two_answers(labels: Labels, fit: Fit, confusion: Floats) -> _TwoAnswers:
    chances = np.maximum(confusion[labels.person, :, labels.label], _LEAST)
    log_prior = np.log(np.maximum(fit.prior, _LEAST))
    # prior[a, b] over all pairs: 2 prior[a] prior[b] / (1 - sum of squares).
    log_pairs = -np.log(max((1 - float((fit.prior**2).sum())) / 2, _LEAST))
    logs = np.log(chances)
    support = np.stack([sums(labels.item, logs[:, k], labels.items) for k in range(labels.classes)], axis=1)
    one = log_sum_exp(support + log_prior)
    if labels.classes < 2:
        nothing = np.zeros(labels.items)
        return _TwoAnswers(nothing, fit.posterior, np.zeros((labels.items, 2), dtype=np.int64), nothing + 1)
    first = _best_supported(support + log_prior)
    pairs = list(combinations(range(first.shape[1]), 2))
    played = [_played(labels, chances, log_prior, first[:, a], first[:, b]) for a, b in pairs]
    totals = np.stack([total for total, _ in played], axis=1) + log_pairs
    return _weighed(first, pairs, one, totals, np.stack([share for _, share in played], axis=1), labels.classes)


def _best_supported(scores: Floats) -> Ints:
    """(items, at most ANSWERS_MAX) the classes with the highest scores."""
    kept = min(ANSWERS_MAX, scores.shape[1])
    return np.asarray(np.argsort(-scores, axis=1, kind="stable")[:, :kept], dtype=np.int64)


def _played(labels: Labels, chances: Floats, log_prior: Floats, a: Ints, b: Ints) -> tuple[Floats, Floats]:
    """For the pair (a, b) of each item: log of prior times integral over the share, and the expected share of a."""
    points, weights = leggauss(_NODES)
    shares, weights = (points + 1) / 2, weights / 2
    # Beta(2, 2): both answers are seen by a fair share. Twelve nodes are exact up to 21 labels, close beyond.
    log_weights = np.log(weights * 6 * shares * (1 - shares))
    rows = np.arange(len(labels))
    seen_a, seen_b = chances[rows, a[labels.item]], chances[rows, b[labels.item]]
    scores = np.empty((labels.items, _NODES))
    for node, share in enumerate(shares):
        scores[:, node] = sums(labels.item, np.log(share * seen_a + (1 - share) * seen_b), labels.items)
    scores += log_weights
    total = log_sum_exp(scores) + log_prior[a] + log_prior[b]
    return total, normalized(scores) @ shares


def _weighed(
    first: Ints, pairs: list[tuple[int, int]], one: Floats, totals: Floats, shares: Floats, classes: int
) -> _TwoAnswers:
    items = len(first)
    chance = normalized(totals)
    best = np.argmax(totals, axis=1)
    rows = np.arange(items)
    ends = np.array(pairs)[best]
    pair, split = first[rows[:, None], ends], shares[rows, best]
    swap = split < 0.5
    pair[swap] = pair[swap][:, ::-1]
    answers = np.zeros((items, classes))
    for column, (a, b) in enumerate(pairs):
        answers[rows, first[:, a]] += chance[:, column] * shares[:, column]
        answers[rows, first[:, b]] += chance[:, column] * (1 - shares[:, column])
    return _TwoAnswers(log_sum_exp(totals) - one, answers, pair, np.where(swap, 1 - split, split))


def _ambiguity(log_bayes_factor: Floats, n: Ints) -> tuple[float, Floats]:
    """Share of ambiguous items (EM over one parameter), and each item's chance to be one."""
    tells = np.clip(log_bayes_factor, -700.0, 700.0)
    judged = n >= 2
    rate = _RATE_START
    for _ in range(_RATE_ROUNDS):
        chance = 1 / (1 + np.exp(-tells) * (1 - rate) / rate)
        rate = float((chance[judged].sum() + _RATE_PRIOR[0]) / (judged.sum() + sum(_RATE_PRIOR)))
    return rate, np.asarray(1 / (1 + np.exp(-tells) * (1 - rate) / rate), dtype=np.float64)
