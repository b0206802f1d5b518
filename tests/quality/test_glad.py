"""GLAD: able people and hard items are told apart, adversaries count against their label, bad input is refused."""

import numpy as np
import pytest
from scipy.special import expit

from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.glad import glad
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit, label_likelihood


def share_right(fitted: Fit, truth: Ints) -> float:
    share = fitted.accuracy_on(truth)
    assert share is not None
    return share


def drawn(
    rng: np.random.Generator, ability: list[float], items: int = 300, classes: int = 3
) -> tuple[Labels, Ints, Ints]:
    """Judgments by the model, the truth, and which items are hard (easiness 0.3 instead of 2)."""
    truth, hard = rng.integers(classes, size=items), rng.random(items) < 0.4
    chance = expit(np.array(ability) * np.where(hard, 0.3, 2.0)[:, None])
    people = len(ability)
    off = (rng.random((items, people)) >= chance) * rng.integers(1, classes, size=(items, people))
    label = (truth[:, None] + off) % classes
    labels = Labels.of(np.repeat(np.arange(items), people), np.tile(np.arange(people), items), label.ravel())
    return labels, truth, hard.astype(np.int64)


def test_abilities_come_in_the_right_order() -> None:
    ability = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5]
    labels, truth, _ = drawn(np.random.default_rng(1), ability)
    fitted = glad(labels)
    assert fitted.accuracy is not None
    assert np.array_equal(np.argsort(fitted.accuracy), np.arange(7))
    assert fitted.accuracy[0] < 0.4
    assert share_right(fitted, truth) > share_right(majority(labels), truth)
    assert fitted.converged


def test_a_label_on_a_hard_item_says_less() -> None:
    labels, _, hard = drawn(np.random.default_rng(2), [1.5] * 8)
    fitted = glad(labels)
    asked = Labels.of(np.arange(300), np.zeros(300, dtype=int), fitted.answers, items=300, people=8, classes=3)
    chance = np.exp(label_likelihood(fitted, asked))[np.arange(300), fitted.answers]
    assert chance[hard == 0].mean() > chance[hard == 1].mean() + 0.1


def test_label_chances_add_up_over_labels() -> None:
    labels, _, _ = drawn(np.random.default_rng(3), [1.0, 2.0], items=20)
    fitted = glad(labels)
    every = Labels.of(np.repeat(np.arange(20), 3), np.ones(60, dtype=int), np.tile(np.arange(3), 20), people=2)
    assert np.allclose(np.exp(label_likelihood(fitted, every)).reshape(20, 3, 3).sum(axis=1), 1)


def test_known_answers_are_settled_and_unmask_an_adversary() -> None:
    rng = np.random.default_rng(4)
    truth = rng.integers(2, size=100)
    label = np.column_stack([truth, 1 - truth, 1 - truth])
    labels = Labels.of(np.repeat(np.arange(100), 3), np.tile(np.arange(3), 100), label.ravel())
    gold = np.where(np.arange(100) < 50, truth, UNKNOWN)
    fitted = glad(labels, gold=gold)
    assert np.array_equal(fitted.answers, truth)
    assert share_right(majority(labels), truth) == 0


def test_one_class_one_person_and_one_judgment_are_no_error() -> None:
    assert glad(Labels.of([0, 1], [0, 0], [0, 0])).posterior.tolist() == [[1.0], [1.0]]
    fitted = glad(Labels.of([0], [0], [1], items=2, people=2, classes=3))
    assert fitted.answers[0] == 1
    assert np.allclose(fitted.posterior[1], 1 / 3)


def test_nothing_and_too_much_are_refused() -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        glad(Labels.of([], [], []))
    with pytest.raises(BadLabels, match="too many"):
        glad(Labels.of([0], [0], [1_000_000_000]))
