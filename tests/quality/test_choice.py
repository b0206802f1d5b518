"""The automatic choice: it follows the better model, falls back to the majority, and gold rules models out."""

from collections.abc import Callable

import numpy as np
import pytest

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.choice import AUTO, CANDIDATES, METHODS, fit
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit


def share_right(fitted: Fit, truth: Ints) -> float:
    share = fitted.accuracy_on(truth)
    assert share is not None
    return share


QUICK = tuple(one for one in CANDIDATES if one.name in ("majority", "one-coin", "dawid-skene", "mace", "ebcc"))


def judged(rng: np.random.Generator, truth: Ints, confusion: Floats, raters: int) -> Labels:
    """Each item judged by `raters` people drawn at random, labels by their confusion matrices."""
    people, classes = confusion.shape[:2]
    item = np.repeat(np.arange(len(truth)), raters)
    person = np.concatenate([rng.permutation(people)[:raters] for _ in truth])
    bounds = confusion.cumsum(axis=2)[person, truth[item]]
    label = (rng.random(len(item))[:, None] > bounds[:, :-1]).sum(axis=1)
    return Labels.of(item, person, label, people=people, classes=classes)


def even(accuracy: Floats, classes: int) -> Floats:
    wrong = ((1 - accuracy) / (classes - 1))[:, None, None]
    return wrong + (accuracy[:, None, None] - wrong) * np.eye(classes)


def spammers(rng: np.random.Generator) -> tuple[Labels, Ints]:
    confusion = even(rng.uniform(0.6, 0.95, 30), 3)
    confusion[:12] = rng.dirichlet(np.ones(3), size=12)[:, None, :]
    truth = rng.integers(3, size=300)
    return judged(rng, truth, confusion, 5), truth


def adversaries(rng: np.random.Generator) -> tuple[Labels, Ints]:
    confusion = even(np.where(np.arange(25) < 5, 0.1, 0.85), 2)
    truth = rng.integers(2, size=300)
    return judged(rng, truth, confusion, 5), truth


def rare(rng: np.random.Generator) -> tuple[Labels, Ints]:
    truth = (rng.random(250) < 0.05).astype(np.int64)
    return judged(rng, truth, even(rng.uniform(0.6, 0.95, 30), 2), 3), truth


def many_classes(rng: np.random.Generator) -> tuple[Labels, Ints]:
    truth = rng.integers(12, size=150)
    return judged(rng, truth, even(rng.uniform(0.5, 0.9, 15), 12), 3), truth


def newcomers(rng: np.random.Generator) -> tuple[Labels, Ints]:
    """Most people judge only a few items."""
    truth = rng.integers(3, size=150)
    return judged(rng, truth, even(rng.uniform(0.5, 0.95, 150), 3), 3), truth


@pytest.mark.parametrize("world", [spammers, adversaries, rare, many_classes, newcomers])
def test_the_choice_is_never_far_below_the_majority(
    world: Callable[[np.random.Generator], tuple[Labels, Ints]],
) -> None:
    labels, truth = world(np.random.default_rng(1))
    assert share_right(fit(labels).fit, truth) >= share_right(majority(labels), truth) - 0.01


def test_a_biased_crowd_calls_for_confusion_matrices() -> None:
    rng = np.random.default_rng(2)
    confusion = np.tile([[0.95, 0.05], [0.55, 0.45]], (12, 1, 1)) + rng.uniform(-0.04, 0.04, (12, 2, 1)) * [1, -1]
    truth = rng.integers(2, size=500)
    labels = judged(rng, truth, confusion, 7)
    chosen = fit(labels, candidates=QUICK)
    assert share_right(chosen.fit, truth) > share_right(majority(labels), truth) + 0.05
    assert max(chosen.weights, key=lambda name: chosen.weights[name]) == "dawid-skene"


def test_weights_add_up_and_scores_cover_all_candidates() -> None:
    labels, _ = spammers(np.random.default_rng(3))
    chosen = fit(labels, candidates=QUICK)
    assert sum(chosen.weights.values()) == pytest.approx(1)
    assert [score.name for score in chosen.scores] == [one.name for one in QUICK]
    assert min(score.behind for score in chosen.scores) == 0
    assert np.allclose(chosen.fit.posterior.sum(axis=1), 1)
    assert chosen.fit.confusion is not None
    assert np.allclose(chosen.fit.confusion.sum(axis=2), 1)


def test_the_softened_posterior_is_less_sure_with_the_same_answers() -> None:
    rng = np.random.default_rng(4)
    # Pairs of people who copy each other: each pair is one witness, and taken for two makes any model too sure.
    truth = rng.integers(2, size=300)
    first = np.where(rng.random((300, 4)) < 0.75, truth[:, None], 1 - truth[:, None])
    labels = Labels.of(np.repeat(np.arange(300), 8), np.tile(np.arange(8), 300), np.repeat(first, 2, axis=1).ravel())
    chosen = fit(labels, candidates=QUICK)
    assert chosen.temperature > 0
    assert np.array_equal(chosen.softened.argmax(axis=1), chosen.fit.answers)


def test_known_answers_rule_out_a_model_that_foretells_well() -> None:
    # On half of the items three of five people say "no" to every "yes" together: the votes alone cannot tell.
    rng = np.random.default_rng(5)
    truth = rng.integers(2, size=400)
    label = np.where(rng.random((400, 5)) < 0.95, truth[:, None], 1 - truth[:, None])
    led = rng.random(400) < 0.5
    label[led, :3] = 0
    labels = Labels.of(np.repeat(np.arange(400), 5), np.tile(np.arange(5), 400), label.ravel())
    shown = np.where(np.arange(400) < 200, truth, UNKNOWN)
    hidden = np.where(np.arange(400) >= 200, truth, UNKNOWN)
    chosen = fit(labels, gold=shown, candidates=QUICK)
    accuracy = {score.name: score.gold_accuracy for score in chosen.scores}
    assert accuracy["majority"] is not None
    assert next(score for score in chosen.scores if score.name == "majority").ruled_out
    assert "rule out" in chosen.why
    assert share_right(chosen.fit, hidden) > share_right(majority(labels), hidden) + 0.1
    assert np.array_equal(chosen.fit.answers[:200], truth[:200])


def test_a_named_method_is_used_as_asked() -> None:
    labels, _ = adversaries(np.random.default_rng(6))
    chosen = fit(labels, method="dawid-skene")
    assert np.array_equal(chosen.fit.posterior, dawid_skene(labels).posterior)
    assert chosen.scores == ()
    with pytest.raises(ValueError, match="there is no method 'best'"):
        fit(labels, method="best")


def test_the_same_judgments_give_the_same_choice() -> None:
    labels, _ = spammers(np.random.default_rng(7))
    first, second = fit(labels, candidates=QUICK), fit(labels, candidates=QUICK)
    assert first.why == second.why
    assert np.array_equal(first.fit.posterior, second.fit.posterior)


def test_a_large_set_is_chosen_for_on_a_part_of_its_items(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("preceptor.quality.truth.choice.CHOICE_MAX", 600)
    labels, truth = spammers(np.random.default_rng(8))
    chosen = fit(labels, candidates=QUICK)
    assert chosen.fit.posterior.shape == (300, 3)
    assert share_right(chosen.fit, truth) > share_right(majority(labels), truth)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (Labels.of([0, 0, 1], [0, 1, 0], [0, 1, 1]), "too few"),
        (Labels.of(np.arange(50), np.zeros(50, dtype=int), np.arange(50) % 2), "one person"),
        (Labels.of(np.arange(50), np.arange(50) % 5, np.arange(50) % 2), "second judgment"),
        (Labels.of(np.arange(50) // 2, np.arange(50) % 2, np.zeros(50, dtype=int)), "one class"),
    ],
)
def test_where_nothing_can_be_held_out_the_majority_is_taken(labels: Labels, reason: str) -> None:
    chosen = fit(labels)
    assert chosen.fit.method == "majority"
    assert reason in chosen.why
    assert np.array_equal(chosen.fit.posterior, majority(labels).posterior)


@pytest.mark.parametrize("method", [AUTO, *METHODS])
def test_unusable_input_is_refused_by_every_method(method: str) -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        fit(Labels.of([], [], []), method=method)
    with pytest.raises(BadLabels, match="too many"):
        fit(Labels.of([0], [0], [1_000_000_000]), method=method)


@pytest.mark.parametrize("method", METHODS)
def test_repeats_of_one_person_on_one_item_are_usable(method: str) -> None:
    labels = Labels.of([0, 0, 0, 1, 1, 1], [0, 0, 1, 0, 1, 1], [0, 1, 0, 1, 1, 1])
    posterior = METHODS[method](labels).posterior
    assert np.all(np.isfinite(posterior))
    assert np.allclose(posterior.sum(axis=1), 1)


@pytest.mark.parametrize("method", METHODS)
def test_somebody_who_disagrees_with_all_is_usable(method: str) -> None:
    rng = np.random.default_rng(9)
    truth = rng.integers(2, size=40)
    label = np.column_stack([*[truth] * 3, 1 - truth])
    labels = Labels.of(np.repeat(np.arange(40), 4), np.tile(np.arange(4), 40), label.ravel())
    assert np.array_equal(METHODS[method](labels).answers, truth)
