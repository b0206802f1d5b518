"""Anchoring found where it was planted, and not where it was not."""

import numpy as np
import pytest

from preceptor.quality.anchoring import TASKS_MIN, Judged, Sides, compare_means, compare_medians, compare_shares

SEEDS = range(200)


def crowd(rng: np.random.Generator, *, pull: float, tasks: int = 300, each: int = 3) -> tuple[Judged, np.ndarray]:
    """Judgments of right-or-wrong tasks by people who are right in 80 % and follow a suggestion, right in 70 %, with
    chance `pull` where they see it. Hard tasks make the judgments of one task alike."""
    task = np.repeat(np.arange(tasks), each)
    shown = np.repeat(rng.random(tasks) > 0.3, each)
    truth = rng.random(tasks) < 0.5
    suggested = np.where(rng.random(tasks) < 0.7, truth, ~truth)
    skill = rng.beta(8, 2, tasks)
    own = np.where(rng.random(tasks * each) < skill[task], truth[task], ~truth[task])
    follows = shown & (rng.random(tasks * each) < pull)
    answer = np.where(follows, suggested[task], own)
    return Judged(task, shown), answer == suggested[task]


def found(seed: int, pull: float) -> Sides:
    judged, agrees = crowd(np.random.default_rng(seed), pull=pull)
    return compare_shares(judged, agrees)


def test_without_anchoring_the_interval_holds_zero_about_nineteen_times_in_twenty() -> None:
    inside = [found(seed, 0.0).difference for seed in SEEDS]
    share = np.mean([each.low < 0 < each.high for each in inside])  # type: ignore[operator]
    assert 0.90 <= share <= 1.0
    assert abs(np.mean([each.value for each in inside])) < 0.01


def test_planted_anchoring_is_found_in_its_size() -> None:
    # Who follows agrees for sure; who does not agrees with chance 0.8 * 0.7 + 0.2 * 0.3 = 0.62.
    planted = 0.4 * (1 - 0.62)
    sides = [found(seed, 0.4) for seed in SEEDS]
    assert np.mean([each.difference.value for each in sides]) == pytest.approx(planted, abs=0.01)
    assert np.mean([each.difference.low > 0 for each in sides]) > 0.9  # type: ignore[operator]
    covers = [each.difference.low < planted < each.difference.high for each in sides]  # type: ignore[operator]
    assert np.mean(covers) > 0.9


def test_judgments_taken_for_independent_would_cry_wolf() -> None:
    """What clusters are for: copies of one judgment per task make the interval no narrower."""
    judged, agrees = crowd(np.random.default_rng(1), pull=0.2, each=1)
    more = Judged(np.repeat(judged.task, 9), np.repeat(judged.shown, 9))
    one, many = compare_shares(judged, agrees).difference, compare_shares(more, np.repeat(agrees, 9)).difference
    assert (many.low, many.high) == pytest.approx((one.low, one.high), abs=2e-3)


def test_too_few_tasks_give_shares_and_no_difference() -> None:
    shown = np.arange(60) < 60 - TASKS_MIN + 1
    sides = compare_shares(Judged(np.arange(60), shown), np.ones(60, dtype=np.bool_))
    assert sides.shown.value == sides.blind.value == 1.0
    assert sides.difference.value is None
    assert sides.difference.reason == f"{TASKS_MIN} tasks a side are needed; so far there are {TASKS_MIN - 1} blind"


def test_nothing_gives_nothing() -> None:
    none = np.empty(0, dtype=np.bool_)
    sides = compare_shares(Judged(none.astype(np.int64), none), none)
    assert (sides.shown.value, sides.blind.value, sides.difference.value) == (None, None, None)
    rng = np.random.default_rng(0)
    assert compare_medians(Judged(none.astype(np.int64), none), np.empty(0), rng).difference.value is None


def test_medians_and_means_are_compared_by_tasks_and_what_is_unknown_is_left_out() -> None:
    rng = np.random.default_rng(6)
    task = np.repeat(np.arange(100), 2)
    shown = task < 50
    values = np.where(shown, 30.0, 50.0) + rng.normal(0, 5, 200)
    values[::20] = np.nan
    judged = Judged(task, shown)
    for sides in (compare_medians(judged, values, rng), compare_means(judged, values)):
        assert sides.difference.value == pytest.approx(-20, abs=3)
        assert sides.difference.low < -20 < sides.difference.high  # type: ignore[operator]
        assert sides.difference.n == 190
