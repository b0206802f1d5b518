"""Ask, stop or hand over; what a label is worth; what is left to ask."""

from math import inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conftest import needs_shared

from preceptor.quality.adaptive import (
    Ask,
    Escalate,
    Guard,
    Rules,
    Stop,
    TaskState,
    decide,
    gold_guard,
    wants_more,
)
from preceptor.quality.asking import (
    Candidate,
    best_value_ahead,
    expected_gain,
    expected_information,
    gain_per_label_ahead,
    information_per_price,
    value_of_one_more,
    who_next,
)
from preceptor.quality.careful import careful_fit, pooled_confusion
from preceptor.quality.forecast import forecast
from preceptor.quality.incremental import Crowd, item_posterior
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.truth.bwa import bwa
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.majority import majority

GOOD = np.array([[0.9, 0.1], [0.1, 0.9]])
CHANCE = np.array([[0.5, 0.5], [0.5, 0.5]])
SURE, UNSURE = (0.99, 0.01), (0.6, 0.4)


def test_nothing_stops_below_the_floor_however_sure() -> None:
    assert decide(TaskState((1.0, 0.0), 2), Rules()) == Ask("below_floor", 1.0, 0.95)
    assert isinstance(decide(TaskState((1.0, 0.0), 3), Rules()), Stop)


def test_a_floor_below_three_is_refused() -> None:
    with pytest.raises(ValueError, match="3 <= floor"):
        Rules(floor=2)


def test_unsure_asks_and_sure_stops() -> None:
    assert decide(TaskState(UNSURE, 4), Rules()) == Ask("below_target", 0.6, 0.95)
    assert decide(TaskState(SURE, 4), Rules()) == Stop("sure_enough", 0.99, 0.95)


def test_the_cap_the_price_limit_and_nobody_left_hand_over_what_is_not_sure() -> None:
    rules = Rules(cap=5, price=2.0, price_limit=9.0)
    for state, reason in (
        (TaskState(UNSURE, 5), "cap_reached"),
        (TaskState(UNSURE, 4, spent=8.0), "price_limit_reached"),
        (TaskState(UNSURE, 4, can_ask=False), "nobody_left"),
        (TaskState(SURE, 1, can_ask=False), "nobody_left"),
    ):
        decision = decide(state, rules)
        assert isinstance(decision, Escalate)
        assert decision.reason == reason


def test_sure_at_the_cap_is_a_stop() -> None:
    assert isinstance(decide(TaskState(SURE, 10), Rules()), Stop)


def test_a_label_that_costs_more_than_it_brings_is_not_asked() -> None:
    state = TaskState(UNSURE, 4)
    gain = best_value_ahead(UNSURE, GOOD).gain_per_label
    for worth, kind in ((0.99 / gain, Stop), (1.01 / gain, Ask)):
        assert isinstance(decide(state, Rules(price=1.0, worth=worth), next_person=GOOD), kind)
    assert decide(state, Rules(price=1.0, worth=100.0), next_person=CHANCE) == Stop("not_worth_it", 0.6, 0.95)


def test_gold_that_shows_overconfidence_raises_what_it_takes_to_stop() -> None:
    confidence = np.concatenate([np.full(100, 0.96), np.full(100, 0.999)])
    right = np.concatenate([np.arange(100) < 70, np.arange(100) < 98])
    guard = gold_guard(0.95, confidence, right)
    assert (guard.required, guard.n, guard.reason) == (0.999, 200, "overconfident")
    assert isinstance(decide(TaskState((0.97, 0.03), 4), Rules(), guard=guard), Ask)


def test_a_guard_never_lowers_the_target_and_needs_enough_gold() -> None:
    assert gold_guard(0.95, np.full(200, 0.96), np.ones(200)).required == 0.95
    few = gold_guard(0.95, np.full(5, 0.99), np.zeros(5))
    assert (few.required, few.met) == (0.95, None)
    assert "5 gold answers are too few" in few.reason
    assert decide(TaskState((0.9, 0.1), 4), Rules(), guard=Guard(0.5, 0.9, 0.9, 50, "")) == Ask(
        "below_target", 0.9, 0.95
    )


def test_where_no_confidence_is_right_often_enough_the_cap_decides() -> None:
    guard = gold_guard(0.95, np.full(100, 0.99), np.arange(100) < 60)
    assert guard.required == inf
    assert isinstance(decide(TaskState((1.0, 0.0), 4), Rules(), guard=guard), Ask)
    assert isinstance(decide(TaskState((1.0, 0.0), 10), Rules(), guard=guard), Escalate)


@given(
    st.lists(st.tuples(st.floats(0.01, 1), st.floats(0.01, 1), st.floats(0.01, 1), st.integers(0, 12)), min_size=1),
    st.sampled_from([None, 20.0, 200.0]),
)
def test_pools_are_decided_like_single_tasks(rows: list[tuple[float, float, float, int]], worth: float | None) -> None:
    rules = Rules(price=1.0, worth=worth)
    crowd = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])
    posterior = np.array([row[:3] for row in rows])
    posterior /= posterior.sum(axis=1, keepdims=True)
    labels = np.array([row[3] for row in rows])
    alone = [
        isinstance(decide(TaskState(tuple(p), int(n)), rules, next_person=crowd), Ask)
        for p, n in zip(posterior, labels, strict=True)
    ]
    assert wants_more(posterior, labels, rules, next_person=crowd).tolist() == alone


def test_systematic_errors_keep_a_classwise_rule_asking_where_a_one_coin_rule_stops() -> None:
    # Everybody misses class 1 more often than not: three zeros say little, though all agree.
    prior, systematic = (0.5, 0.5), ((0.95, 0.05), (0.6, 0.4))
    nothing = ((0.0, 0.0), (0.0, 0.0))
    classwise = item_posterior([(nothing, 0)] * 3, systematic, prior, 4.0)
    one_coin = item_posterior([(nothing, 0)] * 3, Crowd.assumed(2, accuracy=0.775).pooled, prior, 4.0)
    assert isinstance(decide(TaskState(one_coin, 3), Rules()), Stop)
    assert isinstance(decide(TaskState(classwise, 3), Rules()), Ask)


def test_information_is_that_of_the_textbook_channel() -> None:
    entropy = -(0.9 * log(0.9) + 0.1 * log(0.1))
    assert expected_information((0.5, 0.5), GOOD) == pytest.approx(log(2) - entropy)
    assert expected_gain((0.5, 0.5), GOOD) == pytest.approx(0.4)


def test_chance_and_certainty_bring_nothing() -> None:
    assert expected_information((0.3, 0.7), CHANCE) == pytest.approx(0, abs=1e-12)
    assert expected_information((1.0, 0.0), GOOD) == 0
    assert value_of_one_more((1.0, 0.0), GOOD).gain == 0


def test_somebody_who_is_always_wrong_tells_as_much_as_somebody_always_right() -> None:
    assert expected_information((0.3, 0.7), GOOD[::-1]) == pytest.approx(expected_information((0.3, 0.7), GOOD))


def test_two_labels_can_be_worth_it_where_one_cannot_change_anything() -> None:
    posterior = (0.93, 0.07)
    assert value_of_one_more(posterior, GOOD).gain == 0
    assert value_of_one_more(posterior, GOOD, labels=2).gain > 0
    assert best_value_ahead(posterior, GOOD).labels == 2


def test_looking_ahead_counts_every_sequence_of_labels() -> None:
    posterior = np.array([0.5, 0.3, 0.2])
    crowd = np.array([[0.7, 0.2, 0.1], [0.2, 0.6, 0.2], [0.1, 0.1, 0.8]])
    joint = np.einsum("k,ka,kb,kc->kabc", posterior, crowd, crowd, crowd).reshape(3, -1)
    value = value_of_one_more(posterior, crowd, labels=3)
    assert value.gain == pytest.approx(joint.max(axis=0).sum() - 0.5)
    after = joint.sum(axis=0)
    left = -(joint * np.log(joint / after)).sum()
    assert value.information == pytest.approx(-(posterior * np.log(posterior)).sum() - left)


def test_pools_give_what_single_calls_give() -> None:
    posteriors = np.array([[0.5, 0.5], [0.9, 0.1], [0.93, 0.07]])
    single = [best_value_ahead(row, GOOD).gain_per_label for row in posteriors]
    assert gain_per_label_ahead(posteriors, GOOD) == pytest.approx(single)
    table = information_per_price(posteriors, np.stack([GOOD, CHANCE]), [2.0, 1.0])
    assert table[0, 0] == pytest.approx(float(expected_information((0.5, 0.5), GOOD)) / 2)
    assert table[:, 1] == pytest.approx(0, abs=1e-12)


def test_a_cheap_judge_comes_before_a_better_but_dear_person() -> None:
    fair = np.array([[0.7, 0.3], [0.3, 0.7]])
    person, judge = Candidate("expert", GOOD, 100.0), Candidate("judge", fair, 1.0)
    assert [one.name for one in who_next((0.5, 0.5), [person, judge])] == ["judge", "expert"]
    dear = Candidate("judge", fair, 80.0)
    assert [one.name for one in who_next((0.5, 0.5), [dear, person])] == ["expert", "judge"]


def test_who_errs_elsewhere_is_asked_first() -> None:
    # Between classes 0 and 1, whoever confuses 1 with 2 tells more than whoever confuses 0 with 1.
    confuses_01 = np.array([[0.6, 0.4, 0.0], [0.4, 0.6, 0.0], [0.0, 0.0, 1.0]])
    confuses_12 = np.array([[1.0, 0.0, 0.0], [0.0, 0.6, 0.4], [0.0, 0.4, 0.6]])
    ranked = who_next((0.5, 0.5, 0.0), [Candidate("a", confuses_01, 1.0), Candidate("b", confuses_12, 1.0)])
    assert [one.name for one in ranked] == ["b", "a"]


def test_free_labels_come_first_unless_they_tell_nothing_and_nobody_is_an_empty_list() -> None:
    free = [Candidate("noise", CHANCE, 0.0), Candidate("paid", GOOD, 1.0), Candidate("free", GOOD, 0.0)]
    ranked = who_next((0.5, 0.5), free)
    assert [one.name for one in ranked] == ["free", "paid", "noise"]
    assert ranked[0].per_price == inf
    assert who_next((0.5, 0.5), []) == ()


def test_unusable_chances_and_prices_are_refused() -> None:
    with pytest.raises(ValueError, match="add up to 1"):
        expected_information((0.5, 0.6), GOOD)
    with pytest.raises(ValueError, match="add up to 1"):
        expected_information((0.5, float("nan")), GOOD)
    with pytest.raises(ValueError, match="over 3 classes"):
        expected_information((0.2, 0.3, 0.5), GOOD)
    with pytest.raises(ValueError, match="price"):
        Candidate("ann", GOOD, float("nan"))
    with pytest.raises(ValueError, match="chance for each class"):
        TaskState((float("nan"), 1.0), 3)
    with pytest.raises(ValueError, match="cost more than the limit"):
        Rules(price=5.0, price_limit=10.0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        Rules(target=1.0)


def played_on(posterior: Floats, labels: int, rules: Rules, rng: np.random.Generator) -> int:
    """Labels one task really takes in a crowd that keeps to its matrix."""
    truth = rng.choice(2, p=posterior)
    added = 0
    chances = posterior.copy()
    while isinstance(decide(TaskState(tuple(chances), labels + added), rules), Ask):
        chances = chances * GOOD[:, rng.choice(2, p=GOOD[truth])]
        chances /= chances.sum()
        added += 1
    return added


def test_a_forecast_of_open_tasks_holds_what_they_take() -> None:
    rng = np.random.default_rng(0)
    rules, price = Rules(target=0.97, cap=9, price=2.0), 2.0
    posterior = np.tile([0.9, 0.1], (300, 1))
    taken = sum(played_on(row, 3, rules, rng) for row in posterior)
    found = forecast(posterior, np.full(300, 3), [], rules, prior=np.full(2, 0.5), pooled=GOOD, rng=rng)
    assert found.judgments.low is not None
    assert found.judgments.high is not None
    assert found.judgments.low <= taken <= found.judgments.high
    assert found.money.value == pytest.approx(price * (found.judgments.value or 0))
    assert found.judgments.n == 300


def test_untouched_tasks_are_foretold_from_where_tasks_stopped() -> None:
    rng = np.random.default_rng(1)
    stops = rng.choice([3, 5], 400)
    empty = np.empty((0, 2))
    found = forecast(
        empty, [], stops, Rules(cap=9), prior=np.full(2, 0.5), pooled=GOOD, rng=rng, untouched=1000
    ).judgments
    assert found.value == pytest.approx(4000, rel=0.03)
    assert (found.low or 0) < 4000 < (found.high or 0)


def test_nothing_open_is_exactly_nothing_left() -> None:
    rng = np.random.default_rng(2)
    found = forecast(np.empty((0, 2)), [], [3, 4], Rules(price=3.0), prior=np.full(2, 0.5), pooled=GOOD, rng=rng)
    assert (found.judgments.value, found.money.high, found.judgments.n) == (0.0, 0.0, 0)


def test_hopeless_tasks_are_foretold_to_end_at_the_cap() -> None:
    rng = np.random.default_rng(3)
    posterior = np.tile([0.5, 0.5], (50, 1))
    found = forecast(posterior, np.full(50, 3), [], Rules(cap=8), prior=np.full(2, 0.5), pooled=CHANCE, rng=rng)
    assert (found.judgments.value, found.at_cap.value) == (250.0, 50.0)


def some_labels() -> tuple[Labels, Ints]:
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 200)
    item, person = np.repeat(np.arange(200), 5), np.tile(np.arange(5), 200)
    label = np.where(rng.random(1000) < 0.8, truth[item], rng.integers(0, 3, 1000))
    return Labels.of(item, person, label), truth


def test_the_average_of_models_is_never_surer_than_its_surest_and_lies_between_them() -> None:
    labels, truth = some_labels()
    fit = careful_fit(labels)
    parts = [dawid_skene(labels).posterior, bwa(labels).posterior]
    third = 3 * fit.posterior - parts[0] - parts[1]
    assert third.min() >= -1e-9
    assert np.allclose(third.sum(axis=1), 1)
    assert np.mean(fit.answers == truth) > 0.9


def test_the_crowd_as_a_whole_is_read_off_the_posterior() -> None:
    labels, truth = some_labels()
    pooled = pooled_confusion(labels, careful_fit(labels))
    for k in range(3):
        told = labels.label[truth[labels.item] == k]
        assert pooled[k] == pytest.approx(np.bincount(told, minlength=3) / len(told), abs=0.05)


def test_known_answers_are_evidence_and_nothing_to_fit_is_refused() -> None:
    labels, truth = some_labels()
    gold = np.full(200, UNKNOWN, dtype=np.int64)
    gold[:20] = (truth[:20] + 1) % 3
    assert np.array_equal(careful_fit(labels, gold=gold).answers[:20], gold[:20])
    with pytest.raises(BadLabels, match="no judgment"):
        careful_fit(labels.where(np.zeros(1000, dtype=bool)))


def test_half_of_the_labels_of_a_real_set_give_the_majority_of_all() -> None:
    needs_shared("data/rte/labels.csv.gz")
    from bench.quality import sets
    from bench.quality.adaptive import replayed

    judged = sets.load("rte")
    found = replayed(judged, 0, share_max=0.5)
    everything = majority(judged.named.labels).accuracy_on(judged.gold)
    assert everything is not None
    assert found.share <= 0.5
    assert found.accuracy >= everything
