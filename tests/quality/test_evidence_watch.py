"""Watching outcome by outcome: fair bets, a small state, false alarms as stated, and what is found how soon."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from preceptor.quality.evidence import (
    AccuracyWatch,
    DriftWatch,
    GoldLeakWatch,
    WatchState,
    above_chance,
    bets,
    confidence_sequence,
    e_process,
    easiness,
)
from preceptor.quality.evidence.bets import Starts
from preceptor.quality.intervals import Floats, wilson

STANDARD = 0.8


def ever_reached(outcomes: Floats, starts: Starts, threshold: float, standard: float = STANDARD) -> Floats:
    """Share of people (rows) who ever reached an e-value."""
    wealth, best = np.tile(bets.opened(starts), (len(outcomes), 1)), np.full(len(outcomes), -np.inf)
    for look, outcome in enumerate(outcomes.T, 1):
        wealth = bets.advanced(wealth, bets.factors(outcome, standard), starts, look)
        best = np.maximum(best, bets.log_e_value(wealth, starts, look))
    return np.asarray(best >= np.log(threshold), dtype=np.float64)


def answers(rng: np.random.Generator, people: int, looks: int, accuracy: float) -> Floats:
    return (rng.random((people, looks)) < accuracy).astype(np.float64)


@pytest.mark.parametrize(("starts", "mean"), [("first", 1.0), ("any", 1.0), ("always", 7.0)])
def test_the_mean_over_all_courses_is_that_of_a_fair_bet(starts: Starts, mean: float) -> None:
    # Every sequence of seven answers, weighed by its chance for a person exactly at the standard.
    total = 0.0
    for course in product([0.0, 1.0], repeat=7):
        wealth = bets.opened(starts)
        for look, outcome in enumerate(course, 1):
            wealth = bets.advanced(wealth, bets.factors(outcome, STANDARD), starts, look)
        right = sum(course)
        total += STANDARD**right * (1 - STANDARD) ** (7 - right) * float(np.exp(bets.log_e_value(wealth, starts, 7)))
    # Seven bets that started one after the other are worth seven while nobody falls below the standard.
    assert total == pytest.approx(mean)


def test_a_person_above_the_standard_is_worth_less_than_a_fair_bet() -> None:
    assert 0.9 * np.exp(bets.factors(1.0, 0.8)) + 0.1 * np.exp(bets.factors(0.0, 0.8)) == pytest.approx(
        1 - bets.STAKES * 0.1 / 0.2
    )


@pytest.mark.parametrize("starts", ["first", "any"])
def test_honest_people_looked_at_every_time_are_seldom_alarmed(starts: Starts) -> None:
    rng = np.random.default_rng(1)
    share = ever_reached(answers(rng, 1_500, 1_000, STANDARD), starts, 20).mean()
    assert 0 < share <= 0.05


def test_a_test_made_anew_at_every_look_is_not_as_honest() -> None:
    outcomes = answers(np.random.default_rng(2), 400, 1_000, STANDARD)
    looks = np.arange(1, 1_001)
    score = (outcomes.cumsum(axis=1) - STANDARD * looks) / np.sqrt(STANDARD * (1 - STANDARD) * looks)
    # From the thirtieth look on, where the normal approximation is good.
    assert (score[:, 30:] < -1.645).any(axis=1).mean() > 0.2


def test_the_average_run_length_is_at_least_the_stated_one() -> None:
    rng = np.random.default_rng(3)
    watch = DriftWatch(standard=STANDARD, false_alarm_rate=None, run_length=50)
    lengths = []
    for _ in range(150):
        state = watch.begin()
        while state.reached_at is None and state.looks < 1_000:
            state = watch.update(state, float(rng.random() < STANDARD))
        lengths.append(state.looks)
    assert np.mean(lengths) >= 50
    assert np.mean(lengths) < 200


@pytest.mark.parametrize(("accuracy", "looks"), [(0.25, 30), (0.5, 80), (0.7, 700)])
def test_people_below_the_standard_are_found(accuracy: float, looks: int) -> None:
    outcomes = answers(np.random.default_rng(4), 200, looks, accuracy)
    assert ever_reached(outcomes, "first", 20).mean() > 0.95


def test_people_well_above_the_standard_are_left_alone() -> None:
    outcomes = answers(np.random.default_rng(5), 500, 500, 0.9)
    assert ever_reached(outcomes, "first", 20).mean() < 0.005


def test_a_fall_after_a_long_good_start_is_found_by_the_watch_for_drift_first() -> None:
    rng = np.random.default_rng(6)
    outcomes = np.concatenate([answers(rng, 1, 600, 0.95)[0], answers(rng, 1, 250, 0.5)[0]])
    since_start = e_process(outcomes, STANDARD)
    drift = e_process(outcomes, STANDARD, drift=True)
    assert drift.reached_at is not None
    assert 600 < drift.reached_at < 800
    assert since_start.reached_at is None


@pytest.mark.parametrize("drift", [False, True])
def test_moving_on_one_by_one_is_the_same_as_all_at_once(drift: bool) -> None:
    outcomes = answers(np.random.default_rng(7), 1, 120, 0.6)[0]
    watch = (DriftWatch if drift else AccuracyWatch)(standard=STANDARD)
    state, course = watch.begin(), []
    for outcome in outcomes.tolist():
        state = WatchState.restored(json.loads(json.dumps(watch.update(state, outcome).stored())))
        course.append(state.log_e)
    whole = e_process(outcomes, STANDARD, drift=drift)
    evidence = watch.evidence(state, course)
    assert whole.path == pytest.approx(evidence.path)
    assert whole.log_e_max == pytest.approx(evidence.log_e_max)
    assert (whole.reached_at, whole.n) == (evidence.reached_at, evidence.n)
    assert whole.estimate == evidence.estimate


def test_tasks_with_more_options_ask_for_less() -> None:
    assert above_chance(0.6, [2, 4, 10]).tolist() == pytest.approx([0.8, 0.7, 0.64])
    rng = np.random.default_rng(8)
    options = rng.integers(2, 6, (600, 500))
    standards = above_chance(0.6, options)
    honest = (rng.random((600, 500)) < standards).astype(np.float64)
    wealth, best = np.tile(bets.opened("first"), (600, 1)), np.zeros(600)
    for outcome, standard in zip(honest.T, standards.T, strict=True):
        wealth = bets.advanced(wealth, bets.factors(outcome, standard), "first", 1)
        best = np.maximum(best, bets.log_e_value(wealth, "first", 1))
    assert (best >= np.log(20)).mean() <= 0.05


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_soft_outcomes_stay_finite_and_doubt_weakens_evidence(outcomes: list[float]) -> None:
    found = e_process(outcomes, STANDARD)
    assert np.isfinite(found.path).all()
    kinder = e_process([min(1.0, outcome + 0.1) for outcome in outcomes], STANDARD)
    assert kinder.log_e <= found.log_e + 1e-12


def test_a_weight_of_nothing_changes_nothing_and_ten_thousand_failures_stay_finite() -> None:
    watch = AccuracyWatch(standard=STANDARD)
    assert watch.update(watch.begin(), 0.0, weight=0.0).log_e == 0
    hopeless = e_process(np.zeros(10_000), STANDARD)
    assert np.isfinite(hopeless.log_e)
    assert hopeless.log_e > 1_000


def test_evidence_says_what_it_speaks_against_and_how_often_it_is_wrong() -> None:
    found = e_process([0.0] * 12, STANDARD)
    assert found.reached
    assert found.sentence.startswith("After 12 looks the evidence against “accuracy is at least 80%” is ")
    assert found.sentence.endswith("the chance of ever seeing 20 to 1 or more is at most 0.05.")
    nothing = e_process([], STANDARD)
    assert (nothing.log_e, nothing.reached, nothing.path) == (0.0, False, ())
    assert nothing.estimate is not None
    assert nothing.estimate.value is None
    assert "Nothing was looked at yet" in nothing.sentence
    better = e_process([0.0, 0.0] + [1.0] * 40, STANDARD)
    assert "has come to nothing (at its highest" in better.sentence
    on_average = DriftWatch(standard=STANDARD, false_alarm_rate=None, run_length=500)
    state = on_average.update(on_average.begin(), 0.0)
    assert on_average.evidence(state).sentence.endswith("once in 500 looks or more.")


def test_unusable_outcomes_standards_and_states_are_refused() -> None:
    for outcome in (float("nan"), -0.1, 1.5, 1e9):
        with pytest.raises(ValueError, match="outcome 1"):
            e_process([1.0, outcome], STANDARD)
    for standard in (0.0, 1.0, float("nan")):
        with pytest.raises(ValueError, match="standard"):
            AccuracyWatch(standard=standard)
    with pytest.raises(ValueError, match="one of the two"):
        DriftWatch(standard=STANDARD, run_length=500)
    with pytest.raises(ValueError, match="false alarm rate"):
        AccuracyWatch(standard=STANDARD, false_alarm_rate=0)
    with pytest.raises(ValueError, match="stakes"):
        WatchState.restored({"looks": 1, "log_wealth": [0.0]})
    with pytest.raises(ValueError, match="looks"):
        WatchState.restored({**AccuracyWatch(standard=STANDARD).begin().stored(), "looks": "many"})
    with pytest.raises(ValueError, match="two options"):
        above_chance(0.5, [1])


def test_the_interval_for_all_times_holds_at_all_times_and_is_wider_than_for_one() -> None:
    rng = np.random.default_rng(9)
    misses = 0
    for _ in range(200):
        right = np.cumsum(rng.random(200) < 0.7)
        found = [confidence_sequence(float(right[n - 1]), n, 0.9) for n in (5, 10, 20, 40, 80, 140, 200)]
        misses += any(not (interval.low or 0) <= 0.7 <= (interval.high or 0) for interval in found)
    assert misses / 200 <= 0.1
    always, once = confidence_sequence(70, 100), wilson(70, 100)
    assert (always.low or 0) < (once.low or 0)
    assert (always.high or 1) > (once.high or 1)
    assert confidence_sequence(0, 50).low == 0
    assert confidence_sequence(50, 50).high == 1
    assert confidence_sequence(0, 10**6).high == pytest.approx(0, abs=1e-4)
    assert confidence_sequence(0, 0).reason == "nothing was looked at yet"


def gold_course(rng: np.random.Generator, attempts: int, leaked_after: float, extra: float = 0.0) -> WatchState:
    watch = GoldLeakWatch()
    state = watch.begin()
    for attempt in range(attempts):
        skill = rng.uniform(0.5, 0.9)
        passed = rng.random() < skill + extra or (attempt >= leaked_after and rng.random() < 0.7)
        state = watch.update(state, bool(passed), skill)
    return state


def test_a_leaked_gold_task_is_found_and_a_sound_one_is_not() -> None:
    rng = np.random.default_rng(10)
    sound = [gold_course(rng, 150, np.inf) for _ in range(80)]
    leaked = [gold_course(rng, 240, 40) for _ in range(20)]
    assert np.mean([state.reached_at is not None for state in sound]) <= 0.05
    assert np.mean([state.reached_at is not None for state in leaked]) > 0.9
    assert GoldLeakWatch().evidence(leaked[0]).claim.startswith("this gold task is passed")


def test_failing_a_gold_task_is_no_sign_of_a_leak() -> None:
    watch = GoldLeakWatch()
    state = watch.begin()
    for _ in range(50):
        state = watch.update(state, False, 0.8)
    assert state.log_e_max == 0
    assert state.log_e < 0


def test_an_easy_gold_task_may_be_allowed_for() -> None:
    strict, kind = GoldLeakWatch(), GoldLeakWatch(easier=1.5)
    states = [strict.begin(), kind.begin()]
    rng = np.random.default_rng(11)
    for _ in range(300):
        passed = bool(rng.random() < 0.9)
        states = [watch.update(state, passed, 0.7) for watch, state in zip((strict, kind), states, strict=True)]
    assert states[0].reached_at is not None
    assert states[1].reached_at is None


def test_how_easy_a_gold_task_is_comes_from_its_first_attempts() -> None:
    rng = np.random.default_rng(12)
    expected = rng.uniform(0.4, 0.8, 400)
    easier = expected / (expected + (1 - expected) * np.exp(-1.0))
    found = easiness(rng.random(400) < easier, expected)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.0 < found.high
    assert found.value == pytest.approx(1.0, abs=0.3)
    all_passed = easiness([True] * 20, [0.6] * 20)
    assert (all_passed.value, all_passed.high) == (None, None)
    assert (all_passed.low or 0) > 0.5
    assert easiness([], []).reason == "nobody tried it yet"
    with pytest.raises(ValueError, match="chance between"):
        easiness([True], [1.5])


def test_certainty_about_passing_is_no_division_by_nothing() -> None:
    watch = GoldLeakWatch()
    assert np.isfinite(watch.update(watch.begin(), True, 0.0).log_e)
    assert watch.update(watch.begin(), True, 1.0).log_e == pytest.approx(0)
    with pytest.raises(ValueError, match="chance to pass"):
        watch.update(watch.begin(), True, 1.2)
