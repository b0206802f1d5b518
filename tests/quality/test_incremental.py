"""Labels taken in one by one: the same posteriors as the full model's, and counts that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preceptor.quality.incremental import (
    LABELS_MAX,
    Counts,
    Crowd,
    ItemState,
    changed_counts,
    item_posterior,
    update,
    with_delta,
)
from preceptor.quality.labels import BadLabels, Labels
from preceptor.quality.truth.dawid_skene import CrowdPrior, dawid_skene

COIN = ((0.8, 0.2), (0.2, 0.8))
EVEN = (0.5, 0.5)
NOTHING = ((0.0, 0.0), (0.0, 0.0))
CROWD = Crowd(EVEN, COIN, 4.0)


def streamed(rows: list[tuple[int, int, int]], crowd: Crowd) -> tuple[dict[int, ItemState[int]], dict[int, Counts]]:
    items: dict[int, ItemState[int]] = {}
    people: dict[int, Counts] = {}
    for item, person, label in rows:
        updated = update(items.get(item) or ItemState.new(crowd), people, crowd, person, label)
        items[item] = updated.item
        people.update(updated.counts)
    return items, people


def test_no_labels_give_the_prior() -> None:
    assert item_posterior([], COIN, (0.3, 0.7), 4.0) == pytest.approx((0.3, 0.7))


def test_one_label_by_somebody_new_counts_like_the_crowd() -> None:
    assert item_posterior([(NOTHING, 0)], COIN, EVEN, 4.0) == pytest.approx((0.8, 0.2))


def test_the_order_of_labels_does_not_matter() -> None:
    labels = [(((9.0, 1.0), (2.0, 5.0)), 0), (NOTHING, 1), (((3.0, 3.0), (3.0, 3.0)), 1)]
    assert item_posterior(labels, COIN, EVEN, 4.0) == pytest.approx(item_posterior(labels[::-1], COIN, EVEN, 4.0))


def test_somebody_at_chance_changes_nothing() -> None:
    chance = ((1e6, 1e6), (1e6, 1e6))
    assert item_posterior([(chance, 0)], COIN, (0.3, 0.7), 4.0) == pytest.approx((0.3, 0.7), abs=1e-5)


def test_many_labels_and_impossible_ones_stay_finite() -> None:
    sure = ((1e9, 0.0), (0.0, 1e9))
    for labels in ([(NOTHING, 0)] * LABELS_MAX, [(sure, 0), (sure, 1)]):
        posterior = item_posterior(labels, ((1.0, 0.0), (0.0, 1.0)), EVEN, 4.0)
        assert sum(posterior) == pytest.approx(1)


def test_the_posterior_is_that_of_a_dawid_skene_step() -> None:
    rng = np.random.default_rng(0)
    item, person = np.repeat(np.arange(60), 4), np.concatenate([rng.permutation(8)[:4] for _ in range(60)])
    labels = Labels.of(item, person, rng.integers(0, 3, 240), classes=3)
    fit = dawid_skene(labels, prior=CrowdPrior(strength=4.0), rounds=3000, tolerance=1e-13)
    counts = np.zeros((8, 3, 3))
    np.add.at(counts.transpose(0, 2, 1), (labels.person, labels.label), fit.posterior[labels.item])
    pooled = counts.sum(axis=0) + 1 / 3
    pooled /= pooled.sum(axis=1, keepdims=True)
    for row in range(60):
        mine = np.flatnonzero(labels.item == row)
        evidence = [(counts[labels.person[j]].tolist(), int(labels.label[j])) for j in mine]
        found = item_posterior(evidence, pooled.tolist(), fit.prior.tolist(), 4.0)
        assert found == pytest.approx(fit.posterior[row], abs=1e-3)


def test_a_stream_ends_near_the_exact_fit() -> None:
    rng = np.random.default_rng(1)
    accuracy = rng.uniform(0.6, 0.95, 15)
    truth = rng.integers(0, 2, 300)
    rows = [
        (item, int(person), int(truth[item] if rng.random() < accuracy[person] else 1 - truth[item]))
        for item in range(300)
        for person in rng.permutation(15)[:5]
    ]
    items, _ = streamed([rows[j] for j in rng.permutation(len(rows))], Crowd.assumed(2))
    exact = dawid_skene(Labels.of(*zip(*rows, strict=True)), prior=CrowdPrior(strength=4.0))
    found = np.array([items[item].posterior for item in range(300)])
    assert np.mean(found.argmax(axis=1) == exact.answers) > 0.97
    assert np.abs(found - exact.posterior).mean() < 0.03


LABEL_ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 2)), max_size=60)


@given(LABEL_ROWS)
def test_counts_stay_the_sum_of_posteriors_over_judgments(rows: list[tuple[int, int, int]]) -> None:
    items, people = streamed(rows, Crowd.assumed(3))
    expected = np.zeros((5, 3, 3))
    for state in items.values():
        for person, label in state.labels:
            expected[person, :, label] += state.posterior
    for person in range(5):
        assert np.allclose(people.get(person, np.zeros((3, 3))), expected[person], atol=1e-9)


def test_labelling_again_replaces_the_label() -> None:
    once, counts = streamed([(0, 1, 1), (0, 2, 1)], CROWD)
    again, counts_again = streamed([(0, 2, 0), (0, 1, 1), (0, 2, 1)], CROWD)
    assert dict(again[0].labels) == dict(once[0].labels) == {1: 1, 2: 1}
    assert np.allclose(np.sum(counts_again[2]), 1)
    assert np.allclose(np.sum(counts[2]), 1)


def test_a_known_answer_is_certain_and_counts_in_full() -> None:
    updated = update(ItemState.new(CROWD), {}, CROWD, "ann", 1, known=0)
    assert updated.item.posterior == (1.0, 0.0)
    assert updated.counts["ann"] == ((0.0, 1.0), (0.0, 0.0))


def test_nothing_given_in_is_changed_and_only_those_touched_come_back() -> None:
    people: dict[str, Counts] = {"ann": ((3.0, 1.0), (1.0, 3.0)), "ben": ((1.0, 1.0), (1.0, 1.0))}
    before = dict(people)
    state: ItemState[str] = ItemState.new(CROWD)
    updated = update(state, people, CROWD, "ann", 0)
    assert people == before
    assert state.labels == ()
    assert set(updated.counts) == {"ann"}


def test_deltas_move_earlier_people_and_add_the_new_one() -> None:
    old, new = changed_counts((0.5, 0.5), (0.9, 0.1), [("ann", 1)], ("ben", 0))
    assert (old.person, old.given) == ("ann", 1)
    assert old.by_truth == pytest.approx((0.4, -0.4))
    assert (new.person, new.given, new.by_truth) == ("ben", 0, (0.9, 0.1))
    # What rounding would leave below nothing is nothing.
    first, second = with_delta(((1.0, 0.3), (1.0, 0.2)), old)
    assert first == pytest.approx((1.0, 0.7))
    assert second == (1.0, 0.0)


@pytest.mark.parametrize("label", [-1, 2, 10**9])
def test_a_label_outside_the_classes_is_refused(label: int) -> None:
    with pytest.raises(BadLabels, match=r"outside 0\.\.1"):
        update(ItemState.new(CROWD), {}, CROWD, "ann", label)


def test_unusable_counts_and_crowds_are_refused() -> None:
    for counts in (((1.0, float("nan")), (0.0, 0.0)), ((-1.0, 1.0), (0.0, 0.0)), ((float("inf"), 0.0), (0.0, 0.0))):
        with pytest.raises(BadLabels, match="numbers from 0 up"):
            item_posterior([(counts, 0)], COIN, EVEN, 4.0)
    with pytest.raises(BadLabels, match="2 rows of 2"):
        item_posterior([(((1.0,),), 0)], COIN, EVEN, 4.0)
    with pytest.raises(BadLabels, match="add up to 1"):
        Crowd((0.5, 0.6), COIN, 4.0)
    with pytest.raises(BadLabels, match="at least two"):
        Crowd.assumed(1)
    with pytest.raises(BadLabels, match="at most"):
        item_posterior([(NOTHING, 0)] * (LABELS_MAX + 1), COIN, EVEN, 4.0)
