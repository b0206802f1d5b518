"""GLAD: able people meet easy and hard items."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, log_expit

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.crowd import Known, added_up, only_class, summed, vote_shares
from preceptor.quality.truth.result import Fit, refuse_unusable

ROUNDS_MAX = 200
STEPS_PER_ROUND = 3
TOLERANCE = 1e-4
# Normal priors as in the paper: abilities around 1, log easiness around 0, both with variance 1.
ABILITY_MEAN = 1.0
VARIANCE = 1.0
_STEP_MAX = 1.0


def glad(labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit:
    """Fit abilities and difficulties by expectation maximisation with priors.

    Whitehill, Ruvolo, Wu, Bergsma and Movellan, "Whose Vote Should Count More" (NIPS 2009): a judgment is right with
    chance sigmoid(ability of the person x easiness of the item), and when wrong picks any other class alike. An
    ability of 0 is chance, a negative one an adversary; easiness is positive. Classes are equally likely. Assumes that
    errors favour no class and that difficulty means the same to everybody. With few judgments per item the difficulty
    rests mostly on its prior.

    Steps are Newton's along one set of parameters at a time, each number on its own (the Hessian is diagonal), and at
    most 1 long. Starts from vote shares, so `rng` is not used. `accuracy` is the chance on an item of easiness 1.
    Linear in the judgments.
    """
    refuse_unusable(labels, gold)
    if labels.classes == 1:
        return only_class(labels, "glad")
    known = Known.of(gold, labels.classes)
    posterior = vote_shares(labels, known)
    ability = np.full(labels.people, ABILITY_MEAN)
    log_easiness = np.zeros(labels.items)
    change = np.inf
    rounds = 0
    while rounds < ROUNDS_MAX and change > TOLERANCE:
        right = posterior[labels.item, labels.label]
        for _ in range(STEPS_PER_ROUND):
            ability = _ability_step(labels, right, ability, log_easiness)
            log_easiness = _easiness_step(labels, right, ability, log_easiness)
        settled = known.settle(added_up(labels, _gain(labels, ability, log_easiness)))
        change = float(np.abs(settled - posterior).max())
        posterior = settled
        rounds += 1
    return _fit(labels, posterior, ability, log_easiness, rounds, change <= TOLERANCE)


def _gain(labels: Labels, ability: Floats, log_easiness: Floats) -> Floats:
    """(n,) log of the chance to be right over the chance to make this very mistake."""
    strength = ability[labels.person] * np.exp(log_easiness)[labels.item]
    return np.asarray(strength + np.log(labels.classes - 1), dtype=np.float64)


def _ability_step(labels: Labels, right: Floats, ability: Floats, log_easiness: Floats) -> Floats:
    easiness = np.exp(log_easiness)[labels.item]
    chance = expit(ability[labels.person] * easiness)
    slope = summed(labels.person, (right - chance) * easiness, labels.people) - (ability - ABILITY_MEAN) / VARIANCE
    bend = summed(labels.person, chance * (1 - chance) * easiness**2, labels.people) + 1 / VARIANCE
    return ability + np.clip(slope / bend, -_STEP_MAX, _STEP_MAX)


def _easiness_step(labels: Labels, right: Floats, ability: Floats, log_easiness: Floats) -> Floats:
    strength = ability[labels.person] * np.exp(log_easiness)[labels.item]
    chance = expit(strength)
    slope = summed(labels.item, (right - chance) * strength, labels.items) - log_easiness / VARIANCE
    # The expected second derivative: positive everywhere, where the observed one need not be.
    bend = summed(labels.item, chance * (1 - chance) * strength**2, labels.items) + 1 / VARIANCE
    return log_easiness + np.clip(slope / bend, -_STEP_MAX, _STEP_MAX)


def _fit(labels: Labels, posterior: Floats, ability: Floats, log_easiness: Floats, rounds: int, converged: bool) -> Fit:
    classes = labels.classes
    accuracy = expit(ability)
    confusion = np.repeat(((1 - accuracy) / (classes - 1))[:, None], classes * classes, axis=1)
    confusion = confusion.reshape(labels.people, classes, classes)
    confusion[:, np.arange(classes), np.arange(classes)] = accuracy[:, None]
    likelihood = _likelihood(ability, log_easiness)
    by_item = np.zeros((labels.items, classes))
    by_judgment = likelihood(labels)
    for truth in range(classes):
        by_item[:, truth] = summed(labels.item, by_judgment[:, truth], labels.items)
    best = by_item.max(axis=1)
    total = float((best + np.log(np.exp(by_item - best[:, None]).mean(axis=1))).sum())
    prior = np.full(classes, 1 / classes)
    return Fit("glad", posterior, prior, confusion, total, rounds, converged, accuracy, likelihood)


def _likelihood(ability: Floats, log_easiness: Floats) -> Callable[[Labels], Floats]:
    def likelihood(judged: Labels) -> Floats:
        strength = ability[judged.person] * np.exp(log_easiness)[judged.item]
        wrong = log_expit(-strength) - np.log(judged.classes - 1)
        table = np.repeat(wrong[:, None], judged.classes, axis=1)
        table[np.arange(len(judged)), judged.label] = log_expit(strength)
        return table

    return likelihood
