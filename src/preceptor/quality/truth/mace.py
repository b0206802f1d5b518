"""MACE: each judgment is either a copy of the truth or spam of the person's own taste."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import digamma

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.crowd import Known, added_up, looked_at, only_class, summed, vote_shares
from preceptor.quality.truth.result import Fit, log_sum_exp, refuse_unusable

ROUNDS_MAX = 200
TOLERANCE = 1e-4
# Priors of the paper: a person is likely either honest or not, and spams without a strong taste.
HONESTY = (0.5, 0.5)
TASTE = 10.0


@dataclass(frozen=True, slots=True)
class _People:
    """honest (people,): chance to copy the truth; spam (people, classes): chance to spam with this label. In the
    variational fit these are geometric means, which add up to a little less than 1."""

    honest: Floats
    spam: Floats


def mace(
    labels: Labels,
    *,
    gold: Ints | None = None,
    rng: np.random.Generator | None = None,
    prior: Literal["uniform", "estimated"] = "uniform",
) -> Fit:
    """Fit the spammer model by variational Bayes.

    Hovy, Berg-Kirkpatrick, Vaswani and Hovy, "Learning Whom to Trust with MACE" (NAACL 2013): with a chance of their
    own a person copies the true class, otherwise draws a label from a taste of their own that does not look at the
    item. Assumes independent judgments given the truth; people who confuse particular classes are outside the model.
    Priors as in the paper (Beta(1/2, 1/2), symmetric Dirichlet of 10). Starts from vote shares instead of at random,
    so `rng` is not used and the classes cannot be exchanged. Classes are equally likely, or `estimated` with one
    pseudo-item each.

    `accuracy` is the chance to copy the truth. Linear in judgments + people x classes.
    """
    refuse_unusable(labels, gold)
    if labels.classes == 1:
        return only_class(labels, "mace")
    known = Known.of(gold, labels.classes)
    counted = looked_at(labels, known)
    posterior = vote_shares(labels, known)
    people = _People(np.full(labels.people, 0.8), np.full((labels.people, labels.classes), 0.2 / labels.classes))
    log_prior = np.zeros(labels.classes)
    change = np.inf
    rounds = 0
    while rounds < ROUNDS_MAX and change > TOLERANCE:
        people = _learnt(labels, posterior, people) if rounds else people
        log_prior = _log_prior(counted @ posterior, prior)
        settled = known.settle(log_prior + added_up(labels, _gain(labels, people)))
        change = float(np.abs(settled - posterior).max())
        posterior = settled
        rounds += 1
    return _fit(labels, posterior, log_prior, _means(labels, posterior, people), rounds, change <= TOLERANCE)


def _gain(labels: Labels, people: _People) -> Floats:
    """(n,) how much the label given gains over all others, in log chances."""
    spam = people.spam[labels.person, labels.label]
    return np.asarray(np.log1p(people.honest[labels.person] / spam), dtype=np.float64)


def _expected(labels: Labels, posterior: Floats, people: _People) -> tuple[Floats, Floats]:
    """Expected copies by person (people,), and spam by person and label (people, classes)."""
    honest = people.honest[labels.person]
    copied = honest / (honest + people.spam[labels.person, labels.label])
    copied *= posterior[labels.item, labels.label]
    copies = summed(labels.person, copied, labels.people)
    cells = labels.person * labels.classes + labels.label
    spam = summed(cells, 1.0 - copied, labels.people * labels.classes)
    return copies, spam.reshape(labels.people, labels.classes)


def _learnt(labels: Labels, posterior: Floats, people: _People) -> _People:
    copies, spam = _expected(labels, posterior, people)
    spammed = spam.sum(axis=1)
    judged = digamma(copies + spammed + sum(HONESTY))
    taste = digamma(spam + TASTE) - digamma(spammed + labels.classes * TASTE)[:, None]
    honest = np.exp(digamma(copies + HONESTY[0]) - judged)
    return _People(honest, np.exp(taste + (digamma(spammed + HONESTY[1]) - judged)[:, None]))


def _means(labels: Labels, posterior: Floats, people: _People) -> _People:
    """Posterior means, which are chances that add up to 1, for what is reported."""
    copies, spam = _expected(labels, posterior, people)
    spammed = spam.sum(axis=1)
    honest = (copies + HONESTY[0]) / (copies + spammed + sum(HONESTY))
    taste = (spam + TASTE) / (spammed + labels.classes * TASTE)[:, None]
    return _People(honest, (1.0 - honest)[:, None] * taste)


def _log_prior(class_counts: Floats, prior: str) -> Floats:
    if prior == "uniform":
        return np.full(len(class_counts), -np.log(len(class_counts)))
    return np.asarray(np.log((class_counts + 1.0) / (class_counts + 1.0).sum()), dtype=np.float64)


def _fit(labels: Labels, posterior: Floats, log_prior: Floats, people: _People, rounds: int, converged: bool) -> Fit:
    confusion = people.honest[:, None, None] * np.eye(labels.classes) + people.spam[:, None, :]
    base = np.bincount(labels.item, weights=np.log(people.spam[labels.person, labels.label]), minlength=labels.items)
    scores = log_prior + added_up(labels, _gain(labels, people)) + base[:, None]
    judged = np.bincount(labels.item, minlength=labels.items) > 0
    likelihood = float(log_sum_exp(scores)[judged].sum())
    return Fit("mace", posterior, np.exp(log_prior), confusion, likelihood, rounds, converged, people.honest)
