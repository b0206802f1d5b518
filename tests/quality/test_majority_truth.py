"""Counting votes: shares, ties, and weights from known answers."""

import numpy as np
import pytest

from preceptor.quality.labels import UNKNOWN, BadLabels, Labels
from preceptor.quality.truth import gold_weighted_majority, majority


def votes(*rows: tuple[int, int, int], items: int | None = None, classes: int | None = None) -> Labels:
    item, person, label = zip(*rows, strict=True)
    return Labels.of(item, person, label, items=items, classes=classes)


def test_the_posterior_is_the_shares_of_the_votes() -> None:
    fit = majority(votes((0, 0, 1), (0, 1, 1), (0, 2, 0), (1, 0, 0)))
    assert fit.posterior.tolist() == [[pytest.approx(1 / 3), pytest.approx(2 / 3)], [1.0, 0.0]]
    assert fit.answers.tolist() == [1, 0]


def test_a_tie_of_two_gives_the_lowest_class_and_half_a_chance_of_the_other() -> None:
    fit = majority(votes((0, 0, 2), (0, 1, 1), (1, 0, 0), (1, 1, 0)))
    assert fit.answers.tolist() == [1, 0]
    assert fit.tied.tolist() == [2, 1]
    assert fit.tie_probability.tolist() == [0.5, 0.0]


def test_a_tie_of_three_differs_two_times_in_three() -> None:
    fit = majority(votes((0, 0, 2), (0, 1, 1), (0, 2, 0)))
    assert fit.tie_probability[0] == pytest.approx(2 / 3)


def test_ties_are_drawn_fairly_and_clear_answers_never_change() -> None:
    fit = majority(votes((0, 0, 2), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 2, 2)))
    rng = np.random.default_rng(0)
    drawn = np.array([fit.drawn(rng) for _ in range(2000)])
    assert set(drawn[:, 0]) == {1, 2}
    assert np.mean(drawn[:, 0] == 2) == pytest.approx(0.5, abs=0.05)
    assert set(drawn[:, 1]) == {0}


def test_accuracy_counts_a_tie_by_its_share() -> None:
    fit = majority(votes((0, 0, 0), (0, 1, 1), (1, 0, 0), (2, 0, 1)))
    assert fit.accuracy_on(np.array([1, 0, 0])) == pytest.approx((0.5 + 1 + 0) / 3)
    assert fit.accuracy_on(np.array([UNKNOWN, UNKNOWN, 1])) == 1.0


def test_accuracy_without_a_known_answer_is_unknown() -> None:
    assert majority(votes((0, 0, 0))).accuracy_on(np.array([UNKNOWN])) is None


def test_an_item_without_votes_gets_the_shares_of_all_votes() -> None:
    fit = majority(votes((0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 1), items=3))
    assert fit.posterior[2].tolist() == [0.25, 0.75]


def test_known_answers_are_certain() -> None:
    fit = majority(votes((0, 0, 1), (0, 1, 1), (1, 0, 0)), gold=np.array([0, UNKNOWN]))
    assert fit.posterior.tolist() == [[1.0, 0.0], [1.0, 0.0]]


def test_each_repeat_is_a_vote() -> None:
    assert majority(votes((0, 0, 1), (0, 0, 1), (0, 1, 0))).answers.tolist() == [1]


def test_no_vote_is_refused() -> None:
    with pytest.raises(BadLabels, match="no judgment"):
        majority(Labels.of([], [], []))


def test_a_label_of_a_thousand_million_is_refused() -> None:
    with pytest.raises(BadLabels, match="too many for one table"):
        majority(votes((0, 0, 10**9)))


def test_somebody_right_on_gold_outweighs_two_who_were_wrong() -> None:
    known = [(item, person, item % 2 if person == 0 else 1 - item % 2) for item in range(10) for person in range(3)]
    labels = votes(*known, (10, 0, 1), (10, 1, 0), (10, 2, 0))
    gold = np.append(np.arange(10) % 2, UNKNOWN)
    fit = gold_weighted_majority(labels, gold=gold)
    assert majority(labels).answers[10] == 0
    assert fit.answers[10] == 1
    assert fit.accuracy is not None
    assert fit.accuracy[0] > 0.7 > 0.3 > fit.accuracy[1]


def test_the_weight_of_a_vote_is_its_log_odds() -> None:
    # 6 of 8 right by everybody: the crowd's accuracy is (6 + 1) / (8 + 2) = 0.7, and nobody differs from it by much.
    rows = [(item, 0, int(item in (0, 1))) for item in range(8)]
    labels = votes(*rows, (8, 0, 1), classes=2)
    gold = np.append(np.zeros(8, int), UNKNOWN)
    fit = gold_weighted_majority(labels, gold=gold, strength=4.0)
    accuracy = (6 + 4 * 0.7) / (8 + 4)
    assert fit.posterior[8].tolist() == pytest.approx([1 - accuracy, accuracy])


def test_somebody_who_met_no_known_item_weighs_like_the_crowd() -> None:
    labels = votes((0, 0, 1), (1, 0, 1), (2, 1, 0), (2, 0, 1))
    fit = gold_weighted_majority(labels, gold=np.array([1, 1, UNKNOWN]))
    assert fit.accuracy is not None
    assert fit.accuracy[1] == pytest.approx(3 / 4)
    assert fit.posterior[2].sum() == pytest.approx(1.0)


def test_without_known_answers_people_cannot_be_weighed() -> None:
    labels = votes((0, 0, 1), (1, 0, 0), items=3)
    for gold in (None, np.full(3, UNKNOWN), np.array([UNKNOWN, UNKNOWN, 1])):
        with pytest.raises(BadLabels, match="no judged item has a known answer"):
            gold_weighted_majority(labels, gold=gold)


def test_one_class_weighs_nothing_and_is_certain() -> None:
    fit = gold_weighted_majority(votes((0, 0, 0), (1, 0, 0)), gold=np.array([0, UNKNOWN]))
    assert fit.posterior.tolist() == [[1.0], [1.0]]
