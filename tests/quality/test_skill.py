"""Skill with intervals, and drift: what they say about people, and what they do not."""

from dataclasses import replace

import numpy as np
import pytest

from preceptor.quality.labels import UNKNOWN, BadLabels, Floats, Ints, Labels
from preceptor.quality.skill import drift, judgment_evidence, skill_of_counts, skills
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.majority import majority


def crowd(accuracy: Floats, items: int, each: int, seed: int, classes: int = 3) -> tuple[Labels, Ints]:
    """Judgments by people who err evenly, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, items)
    item = np.repeat(np.arange(items), each)
    person = np.concatenate([rng.permutation(len(accuracy))[:each] for _ in range(items)])
    right = rng.random(len(item)) < accuracy[person]
    wrong = (truth[item] + rng.integers(1, classes, len(item))) % classes
    return Labels.of(item, person, np.where(right, truth[item], wrong), people=len(accuracy), classes=classes), truth


def test_intervals_hold_the_true_accuracy_about_as_often_as_they_say() -> None:
    accuracy = np.linspace(0.55, 0.95, 40)
    held = []
    for seed in range(10):
        labels, _ = crowd(accuracy, 400, 6, seed)
        found = skills(labels, dawid_skene(labels)).accuracy
        held.append(np.mean((found.low <= accuracy) & (accuracy <= found.high)))
    assert 0.88 <= np.mean(held) <= 0.99


def test_few_tasks_make_a_wide_interval_and_many_a_narrow_one() -> None:
    labels, _ = crowd(np.full(12, 0.8), 600, 5, 1)
    rng = np.random.default_rng(2)
    some = labels.where((labels.person != 0) | (rng.random(len(labels)) < 0.03))
    found = skills(some, dawid_skene(some)).accuracy
    assert found.judgments[0] < 20 < found.judgments[1]
    assert found.high[0] - found.low[0] > 2 * (found.high[1] - found.low[1])


def test_the_only_rater_says_nothing_about_themselves() -> None:
    rng = np.random.default_rng(3)
    labels = Labels.of(np.arange(200), np.zeros(200, dtype=int), rng.integers(0, 2, 200), classes=2)
    for fit in (dawid_skene(labels), majority(labels)):
        own = skills(labels, fit).of(0)
        assert own.accuracy.value is None
        assert own.accuracy.reason is not None
        assert "200 judgments" in own.accuracy.reason


def test_known_answers_make_the_only_rater_measurable() -> None:
    labels = Labels.of(np.arange(100), np.zeros(100, dtype=int), (np.arange(100) % 10 == 0).astype(int), classes=2)
    fit = dawid_skene(labels, gold=np.zeros(100, dtype=np.int64))
    own = skills(labels, fit).of(0).by_class[0]
    assert own.value == pytest.approx(0.9, abs=0.02)
    assert own.low is not None
    assert own.low > 0.8


def test_somebody_without_judgments_is_unknown_with_a_reason() -> None:
    labels = Labels.of([0, 0, 1, 1], [0, 1, 0, 1], [0, 0, 1, 1], people=3)
    found = skills(labels, dawid_skene(labels)).of(2)
    assert (found.accuracy.value, found.accuracy.n, found.accuracy.reason) == (None, 0, "no judgments")


def test_somebody_who_disagrees_with_all_is_far_below_chance() -> None:
    labels, _ = crowd(np.full(9, 0.9), 300, 5, 4, classes=2)
    contrary = np.where(labels.person == 8, 1 - labels.label, labels.label)
    labels = Labels.of(labels.item, labels.person, contrary, people=9)
    high = skills(labels, dawid_skene(labels)).of(8).accuracy.high
    assert high is not None
    assert high < 0.3


def test_rows_tell_at_which_class_somebody_errs() -> None:
    labels, truth = crowd(np.full(10, 0.92), 500, 6, 5)
    confused = (labels.person == 0) & (truth[labels.item] == 2)
    labels = Labels.of(labels.item, labels.person, np.where(confused, 1, labels.label), people=10, classes=3)
    own = skills(labels, dawid_skene(labels)).of(0)
    assert [row.value is not None and row.value > 0.8 for row in own.by_class] == [True, True, False]
    assert own.confusion[2].argmax() == 1
    assert np.allclose(own.confusion.sum(axis=1), 1)


def test_topics_are_told_apart_and_an_unseen_topic_is_unknown() -> None:
    labels, truth = crowd(np.full(10, 0.95), 600, 5, 6)
    topic = np.arange(600) % 2
    weak = (labels.person == 0) & (topic[labels.item] == 1) & (np.arange(len(labels)) % 2 == 0)
    given = np.where(weak, (truth[labels.item] + 1) % 3, labels.label)
    labels = Labels.of(labels.item, labels.person, given, people=10, classes=3)
    good, bad, unseen = skills(labels, dawid_skene(labels), topic=topic, topics=3).of(0).by_topic
    assert good.low is not None
    assert bad.high is not None
    assert bad.high < good.low
    mine = labels.person == 0
    for number, found in enumerate((good, bad)):
        on_topic = mine & (topic[labels.item] == number)
        assert found.value == pytest.approx(np.mean((given == truth[labels.item])[on_topic]), abs=0.05)
    assert (unseen.value, unseen.reason) == (None, "no judgments on this topic")


def test_a_judgment_against_an_even_truth_is_worth_nothing_and_against_a_known_one_in_full() -> None:
    labels = Labels.of([0, 1], [0, 0], [1, 0], items=2, people=1, classes=2)
    gold = np.array([UNKNOWN, 0])
    evidence = judgment_evidence(labels, dawid_skene(labels, gold=gold))
    assert evidence.weight[1] == pytest.approx(1.0)
    assert evidence.weight[0] < 0.5


def test_a_posterior_a_rounding_above_one_is_still_evidence_that_drift_takes() -> None:
    labels, _ = crowd(np.full(3, 0.9), items=20, each=3, seed=3)
    fit = dawid_skene(labels)
    averaged = replace(fit, posterior=fit.posterior / fit.posterior.max() * (1 + np.finfo(float).eps))
    evidence = judgment_evidence(labels, averaged)
    assert evidence.right.max() == 1.0
    assert drift(evidence.right, evidence.weight).windows


def test_one_class_leaves_skill_unknown_and_nothing_is_nan() -> None:
    labels = Labels.of([0, 0, 1], [0, 1, 0], [0, 0, 0])
    found = skills(labels, dawid_skene(labels))
    assert found.of(0).accuracy.value is None
    assert np.isfinite(found.accuracy.value).all()
    assert np.isfinite(found.accuracy.low).all()


def test_counts_alone_give_what_judgments_with_known_answers_give() -> None:
    labels, truth = crowd(np.linspace(0.6, 0.9, 8), 300, 4, 8)
    found = skills(labels, dawid_skene(labels, gold=truth))
    counts = np.zeros((8, 3, 3))
    np.add.at(counts, (labels.person, truth[labels.item], labels.label), 1)
    pooled = counts.sum(axis=0) + 1 / 3
    pooled /= pooled.sum(axis=1, keepdims=True)
    accuracy, by_class = skill_of_counts(counts[2], pooled, np.bincount(truth) / 300)
    assert accuracy == found.of(2).accuracy
    assert by_class == found.of(2).by_class


def test_no_counts_are_unknown_and_unusable_ones_refused() -> None:
    accuracy, by_class = skill_of_counts(np.zeros((2, 2)), np.eye(2), [0.5, 0.5])
    assert (accuracy.value, accuracy.reason) == (None, "no judgments")
    assert [row.value for row in by_class] == [None, None]
    with pytest.raises(ValueError, match="numbers from 0 up"):
        skill_of_counts([[1.0, np.nan], [0.0, 1.0]], np.eye(2), [0.5, 0.5])
    with pytest.raises(ValueError, match=r"mix is \(classes,\)"):
        skill_of_counts(np.zeros((2, 2)), np.eye(2), [1.0])


def test_unusable_input_is_refused() -> None:
    labels = Labels.of([0, 0, 1], [0, 1, 0], [0, 1, 0])
    fit = dawid_skene(labels)
    nothing = labels.where(np.zeros(3, dtype=bool))
    with pytest.raises(BadLabels, match="no judgment"):
        skills(nothing, fit)
    with pytest.raises(BadLabels, match="the fit is of"):
        skills(Labels.of([0, 5], [0, 0], [0, 1]), fit)
    with pytest.raises(BadLabels, match="topics are indices"):
        skills(labels, fit, topic=np.array([0.5, np.nan]))
    with pytest.raises(BadLabels, match="too many for one table"):
        skills(labels, fit, topic=np.array([10**9, 0]))


def test_a_steady_person_shows_no_drift_and_one_who_falls_does() -> None:
    rng = np.random.default_rng(7)
    steady = (rng.random(400) < 0.85).astype(float)
    falling = (rng.random(400) < np.where(np.arange(400) < 200, 0.95, 0.55)).astype(float)
    calm, fell = drift(steady), drift(falling)
    assert calm.log_bayes_factor is not None
    assert calm.log_bayes_factor < 1 < 10 < (fell.log_bayes_factor or 0)
    assert fell.discount < 1
    assert fell.path[50] > 0.85 > 0.7 > fell.path[350]
    assert np.all((fell.low <= fell.path) & (fell.path <= fell.high))
    assert (fell.windows[0].first, fell.windows[-1].last) == (0, 399)
    assert (fell.windows[-1].accuracy.high or 1) < (fell.windows[0].accuracy.low or 0)


def test_a_constant_skill_gives_a_flat_path_at_its_mean() -> None:
    found = drift(np.array([1.0, 0.0] * 100), prior=(1.0, 1.0))
    assert found.discount == 1.0
    assert np.allclose(found.path, 0.5)


def test_one_judgment_is_no_path_and_says_why() -> None:
    found = drift(np.array([1.0]))
    assert (found.windows, found.log_bayes_factor) == ((), None)
    assert found.reason == "1 judgments are too few to see a change; 2 are needed"
    with pytest.raises(ValueError, match="between 0 and 1"):
        drift(np.array([0.5, np.nan]))
