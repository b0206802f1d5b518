"""MACE: spammers are found, known answers count, and odd input does not break it."""

import numpy as np
import pytest

from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.mace import mace
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit


def share_right(fitted: Fit, truth: Ints) -> float:
    share = fitted.accuracy_on(truth)
    assert share is not None
    return share


def crowd_with_spam(rng: np.random.Generator, items: int = 300) -> tuple[Labels, Ints]:
    """Five people right four times in five, and three who always click the first of three classes."""
    truth = rng.integers(3, size=items)
    honest = np.where(rng.random((items, 5)) < 0.8, truth[:, None], rng.integers(3, size=(items, 5)))
    label = np.column_stack([honest, np.zeros((items, 3), dtype=np.int64)])
    return Labels.of(np.repeat(np.arange(items), 8), np.tile(np.arange(8), items), label.ravel()), truth


def test_people_who_always_click_the_same_are_seen_through() -> None:
    labels, truth = crowd_with_spam(np.random.default_rng(1))
    fitted = mace(labels)
    assert share_right(fitted, truth) > share_right(majority(labels), truth) + 0.05
    assert fitted.accuracy is not None
    assert fitted.accuracy[:5].min() > 0.6
    assert fitted.accuracy[5:].max() < 0.1


def test_a_spammers_taste_is_their_confusion_matrix() -> None:
    labels, _ = crowd_with_spam(np.random.default_rng(2))
    fitted = mace(labels)
    assert fitted.confusion is not None
    assert np.allclose(fitted.confusion.sum(axis=2), 1)
    assert fitted.confusion[5, :, 0].min() > 0.8


def test_somebody_without_taste_or_skill_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    labels, _ = crowd_with_spam(rng)
    guesses = Labels.of(np.arange(300), np.full(300, 8), rng.integers(3, size=300))
    joined = Labels.of(
        np.concatenate([labels.item, guesses.item]),
        np.concatenate([labels.person, guesses.person]),
        np.concatenate([labels.label, guesses.label]),
    )
    assert np.mean(mace(labels).answers == mace(joined).answers) > 0.97


def test_known_answers_are_settled() -> None:
    labels, truth = crowd_with_spam(np.random.default_rng(4), items=60)
    gold = np.full(60, UNKNOWN)
    gold[:10] = (truth[:10] + 1) % 3
    fitted = mace(labels, gold=gold)
    assert np.array_equal(fitted.answers[:10], gold[:10])
    assert np.allclose(fitted.confidence[:10], 1)


def test_an_estimated_prior_follows_rare_classes() -> None:
    rng = np.random.default_rng(5)
    truth = (rng.random(500) < 0.05).astype(np.int64)
    label = np.where(rng.random((500, 3)) < 0.85, truth[:, None], 1 - truth[:, None])
    labels = Labels.of(np.repeat(np.arange(500), 3), np.tile(np.arange(3), 500), label.ravel())
    estimated, uniform = mace(labels, prior="estimated"), mace(labels)
    assert estimated.prior[1] < 0.15 < uniform.prior[1]
    assert share_right(estimated, truth) >= share_right(uniform, truth)


def test_one_class_is_the_answer_to_everything() -> None:
    fitted = mace(Labels.of([0, 0, 1], [0, 1, 0], [0, 0, 0]))
    assert fitted.posterior.tolist() == [[1.0], [1.0]]


def test_a_single_judgment_is_no_proof() -> None:
    fitted = mace(Labels.of([0], [0], [1], classes=3))
    assert fitted.answers.tolist() == [1]
    assert 1 / 3 < fitted.confidence[0] < 1


def test_nothing_and_too_much_are_refused() -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        mace(Labels.of([], [], []))
    with pytest.raises(BadLabels, match="too many"):
        mace(Labels.of([0], [0], [1_000_000_000]))
