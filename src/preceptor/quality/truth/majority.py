"""Counting votes, plainly and with each person's weight taken from known answers."""

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.one_coin import coin_confusion
from preceptor.quality.truth.result import Fit, known_evidence, normalized, refuse_unusable

GOLD_STRENGTH = 4.0


def majority(labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit:
    """Most votes win. The posterior is the shares of the votes: a rule, not a model, so confidence is only as good
    as the crowd is independent; calibrate it before it decides anything.

    Items without a vote get the shares of all votes as prior; known answers are certain. With equal votes `answers`
    takes the lowest class, `tie_probability` says how likely a fair draw is to differ, and `drawn` makes one.
    Repeats of one person on one item all count. `rng` is not used. `BadLabels` without any vote.
    """
    refuse_unusable(labels, gold)
    votes = labels.counts.toarray()
    total = votes.sum(axis=1, keepdims=True)
    prior = votes.sum(axis=0) / len(labels)
    posterior = np.where(total > 0, votes / np.where(total > 0, total, 1.0), prior)
    _settle(posterior, gold)
    return Fit("majority", posterior, prior)


def gold_weighted_majority(
    labels: Labels,
    *,
    gold: Ints | None = None,
    rng: np.random.Generator | None = None,
    strength: float = GOLD_STRENGTH,
) -> Fit:
    """Votes weighted by log odds of each person's accuracy on known answers; the chances of the one-coin model.

    A vote of somebody right with chance a among c classes weighs log(a (c - 1) / (1 - a)), the weight that makes
    weighted majority the best rule for independent people (Nitzan and Paroush, "Optimal decision rules in uncertain
    dichotomous choice situations", International Economic Review 1982, 23:289). Somebody at chance counts for
    nothing, below chance against their own label. Accuracy is shrunk towards that of everybody on known answers by
    `strength` judgments, so people who met none weigh like the average. All classes are equally likely before the
    votes. `BadLabels` where no judged item has a known answer: use `majority` there.
    """
    refuse_unusable(labels, gold)
    if gold is None or not np.any(gold[labels.item] != UNKNOWN):
        raise BadLabels("no judged item has a known answer to weigh people by; count votes with majority instead")
    accuracy = _accuracy_on_known(labels, gold, strength)
    confusion = coin_confusion(accuracy, labels.classes)
    scores = _weighted_votes(labels, _log_odds(accuracy, labels.classes))
    evidence = known_evidence(gold, labels.classes)
    prior = np.full(labels.classes, 1.0 / labels.classes)
    return Fit("gold-weighted majority", normalized(scores + evidence), prior, confusion, accuracy=accuracy)


def _accuracy_on_known(labels: Labels, gold: Ints, strength: float) -> Floats:
    """(people,) smoothed shares of judgments on known items that meet the known answer, never quite 0 or 1."""
    if not strength > 0:
        raise ValueError(f"strength is a positive number of judgments, not {strength}")
    answer = gold[labels.item]
    checked = answer != UNKNOWN
    person = labels.person[checked]
    total = np.bincount(person, minlength=labels.people)
    right = np.bincount(person, weights=labels.label[checked] == answer[checked], minlength=labels.people)
    crowd = (right.sum() + 1) / (total.sum() + 2)
    return np.asarray((right + strength * crowd) / (total + strength), dtype=np.float64)


def _log_odds(accuracy: Floats, classes: int) -> Floats:
    return np.asarray(np.log(accuracy * max(1, classes - 1) / (1 - accuracy)), dtype=np.float64)


def _weighted_votes(labels: Labels, weights: Floats) -> Floats:
    """(items, classes) sums of the weights of those who voted so."""
    cell = labels.item * labels.classes + labels.label
    votes = np.bincount(cell, weights=weights[labels.person], minlength=labels.items * labels.classes)
    return np.asarray(votes, dtype=np.float64).reshape(labels.items, labels.classes)


def _settle(posterior: Floats, gold: Ints | None) -> None:
    """Known answers are certain."""
    if gold is not None:
        known = np.flatnonzero(gold != UNKNOWN)
        posterior[known] = 0.0
        posterior[known, gold[known]] = 1.0
