"""People err, or people differ: told apart on crowds whose making is known."""

import numpy as np
import pytest

from preceptor.quality.difficulty import difficulty, soft_labels
from preceptor.quality.labels import BadLabels, Labels
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit

SKILLED, POOR = 0.95, 0.6


def two_crowds(seed: int = 0) -> tuple[Labels, Fit]:
    """500 clear items by all; item 0 splits the ten skilled, item 1 has its ten skilled agree and ten poor err."""
    rng = np.random.default_rng(seed)
    accuracy = np.concatenate([np.full(10, SKILLED), np.full(10, POOR)])
    truth = rng.integers(0, 2, 500)
    item = np.repeat(np.arange(500), 20)
    person = np.tile(np.arange(20), 500)
    label = np.where(rng.random(len(item)) < accuracy[person], truth[item], 1 - truth[item])
    label[:20] = [0, 1] * 5 + [0, 1] * 5
    label[20:40] = [0] * 10 + [1] * 6 + [0] * 4
    labels = Labels.of(item, person, label)
    return labels, dawid_skene(labels)


def test_skilled_people_who_split_differ_and_poor_ones_err() -> None:
    found = difficulty(*two_crowds())
    assert (found.reading(0), found.reading(1)) == ("people differ", "people err")
    assert found.log_bayes_factor[0] > 5 > 0 > found.log_bayes_factor[1]
    assert found.most_ambiguous(5).tolist() == [0]


def test_the_soft_label_of_a_split_is_even_and_of_an_agreed_item_certain() -> None:
    labels, fit = two_crowds()
    soft = soft_labels(labels, fit)
    assert soft[0] == pytest.approx([0.5, 0.5], abs=0.1)
    assert soft[1, 0] > 0.95
    assert np.allclose(soft.sum(axis=1), 1)


def test_the_bayes_factor_is_that_of_the_two_integrals() -> None:
    labels = Labels.of([0] * 5, [0, 1, 2, 3, 4], [0, 0, 0, 1, 1])
    person = np.array([[0.9, 0.1], [0.2, 0.8]])
    fit = Fit("given", np.array([[0.5, 0.5]]), np.array([0.3, 0.7]), np.tile(person, (5, 1, 1)))
    one = 0.3 * 0.9**3 * 0.1**2 + 0.7 * 0.2**3 * 0.8**2
    share = np.linspace(0, 1, 200_001)
    says_0 = share * 0.9 + (1 - share) * 0.2
    two = np.trapezoid(says_0**3 * (1 - says_0) ** 2 * 6 * share * (1 - share), share)
    assert difficulty(labels, fit).log_bayes_factor[0] == pytest.approx(np.log(two / one), abs=1e-6)


def test_the_stronger_of_two_answers_comes_first() -> None:
    labels, fit = two_crowds()
    uneven = labels.label.copy()
    uneven[:20] = [1, 1, 1, 1, 1, 1, 1, 0, 0, 0] * 2
    found = difficulty(Labels.of(labels.item, labels.person, uneven), fit)
    assert found.pair[0].tolist() == [1, 0]
    assert 0.55 < found.split[0] < 0.85
    assert found.soft_label[0, 1] > found.soft_label[0, 0]


def test_disagreement_is_foretold_where_the_model_holds() -> None:
    found = difficulty(*two_crowds())
    assert found.expected_disagreement[2:].mean() == pytest.approx(found.disagreement[2:].mean(), abs=0.02)
    assert found.disagreement[0] > found.expected_disagreement[0] + 0.1


def test_nobody_differing_is_clear_and_one_label_is_unknown() -> None:
    labels = Labels.of([0, 0, 0, 1], [0, 1, 2, 0], [1, 1, 1, 0], items=3)
    found = difficulty(labels, dawid_skene(labels))
    assert [found.reading(item) for item in range(3)] == ["clear", "unknown", "unknown"]
    assert np.isnan(found.disagreement[1:]).all()
    assert found.error(1).value is None
    assert found.error(1).reason == "1 labels; two are needed to see anybody differ"
    assert np.isfinite(found.soft_label).all()


def test_hard_items_have_the_higher_error_rate() -> None:
    found = difficulty(*two_crowds())
    assert (found.error(0).value or 0) > (found.error(1).value or 1)
    assert np.all((found.error_low <= found.error_rate) & (found.error_rate <= found.error_high))


def test_many_classes_look_at_the_best_supported_answers() -> None:
    rng = np.random.default_rng(1)
    item, person = np.repeat(np.arange(200), 10), np.tile(np.arange(10), 200)
    truth = rng.integers(0, 8, 200)
    label = np.where(rng.random(2000) < 0.9, truth[item], rng.integers(0, 8, 2000))
    label[:10] = [7, 2] * 5
    labels = Labels.of(item, person, label, classes=8)
    found = difficulty(labels, dawid_skene(labels))
    assert set(found.pair[0].tolist()) == {2, 7}
    assert found.reading(0) == "people differ"
    assert found.split[0] == pytest.approx(0.5, abs=0.1)


def test_one_class_and_one_rater_give_finite_answers() -> None:
    one_class = Labels.of([0, 0, 1], [0, 1, 0], [0, 0, 0])
    one_rater = Labels.of([0, 1, 2], [0, 0, 0], [0, 1, 1])
    for labels in (one_class, one_rater):
        found = difficulty(labels, dawid_skene(labels))
        assert np.isfinite(found.soft_label).all()
        assert np.isfinite(found.log_bayes_factor).all()
        assert 0 < found.rate < 1


def test_a_fit_without_people_or_of_other_labels_is_refused() -> None:
    labels = Labels.of([0, 0, 1], [0, 1, 0], [0, 1, 1])
    without = Fit("shares", majority(labels).posterior, np.array([0.5, 0.5]))
    with pytest.raises(BadLabels, match="says nothing about how people err"):
        difficulty(labels, without)
    with pytest.raises(BadLabels, match="other items"):
        difficulty(Labels.of([0, 4], [0, 1], [0, 1]), dawid_skene(labels))
    with pytest.raises(BadLabels, match="no judgment"):
        difficulty(labels.where(np.zeros(3, dtype=bool)), dawid_skene(labels))
