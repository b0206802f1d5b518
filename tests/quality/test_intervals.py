"""Intervals: published values, coverage, and what happens without data."""

import numpy as np
import pytest
from scipy.stats import binomtest

from preceptor.quality import bootstrap_mean, bootstrap_ratio, wilson


@pytest.mark.parametrize(("successes", "n"), [(0, 10), (81, 263), (15, 148), (1, 29), (29, 29)])
def test_wilson_is_what_scipy_computes(successes: int, n: int) -> None:
    low, high = binomtest(successes, n).proportion_ci(method="wilson")
    estimate = wilson(successes, n)
    assert estimate.low == pytest.approx(low, abs=1e-12)
    assert estimate.high == pytest.approx(high, abs=1e-12)


def test_wilson_gives_newcombes_worked_value() -> None:
    # Newcombe, "Two-sided confidence intervals for the single proportion" (1998): 81 of 263.
    estimate = wilson(81, 263)
    assert estimate.low == pytest.approx(0.2553, abs=5e-5)
    assert estimate.high == pytest.approx(0.3662, abs=5e-5)


def test_no_trials_are_unknown() -> None:
    estimate = wilson(0, 0)
    assert (estimate.value, estimate.low, estimate.high, estimate.n) == (None, None, None, 0)


def test_more_successes_than_trials_are_refused() -> None:
    with pytest.raises(ValueError, match="trials"):
        wilson(3, 2)


def test_the_bootstrap_of_a_mean_is_near_the_normal_interval() -> None:
    values = np.random.default_rng(4).normal(2.0, 1.0, 400)
    estimate = bootstrap_mean(values, np.random.default_rng(5), resamples=4000)
    half_width = 1.96 * values.std(ddof=1) / 20
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.low == pytest.approx(values.mean() - half_width, abs=0.01)
    assert estimate.high == pytest.approx(values.mean() + half_width, abs=0.01)


def test_values_that_move_together_within_a_cluster_give_a_wider_interval() -> None:
    rng = np.random.default_rng(6)
    clusters = np.repeat(rng.normal(0.0, 1.0, 40), 25)
    alone = bootstrap_mean(clusters, np.random.default_rng(7))
    together = bootstrap_ratio(clusters.reshape(40, 25).sum(axis=1), np.full(40, 25.0), np.random.default_rng(7))
    assert together.value == pytest.approx(alone.value)
    assert together.n == 40
    assert (together.high or 0) - (together.low or 0) > 3 * ((alone.high or 0) - (alone.low or 0))


def test_nothing_to_average_is_unknown() -> None:
    estimate = bootstrap_mean(np.empty(0), np.random.default_rng(0))
    assert (estimate.value, estimate.n, estimate.reason) == (None, 0, "nothing to average")
