"""Differences of two shares: Newcombe's published contrasts, and trials in clusters."""

import numpy as np
import pytest

from preceptor.quality.differences import clustered_difference, clustered_share, design_effect, newcombe
from preceptor.quality.intervals import wilson

# Newcombe 1998, table II, method 10: (x1, n1, x2, n2, low, high).
CONTRASTS = [
    (56, 70, 48, 80, 0.0524, 0.3339),
    (9, 10, 3, 10, 0.1705, 0.8090),
    (6, 7, 2, 7, 0.0582, 0.8062),
    (5, 56, 0, 29, -0.0381, 0.1926),
    (0, 10, 0, 20, -0.1611, 0.2775),
    (0, 10, 0, 10, -0.2775, 0.2775),
    (10, 10, 0, 20, 0.6791, 1.0),
    (10, 10, 0, 10, 0.6075, 1.0),
]


@pytest.mark.parametrize(("x1", "n1", "x2", "n2", "low", "high"), CONTRASTS)
def test_newcombes_contrasts_come_out_as_published(x1: int, n1: int, x2: int, n2: int, low: float, high: float) -> None:
    found = newcombe(x1, n1, x2, n2)
    assert found.value == pytest.approx(x1 / n1 - x2 / n2)
    assert found.low == pytest.approx(low, abs=5e-5)
    assert found.high == pytest.approx(high, abs=5e-5)
    assert found.n == n1 + n2


def test_a_side_without_trials_says_nothing() -> None:
    assert newcombe(3, 5, 0, 0).value is None
    none = np.empty(0, dtype=np.bool_)
    assert clustered_difference(none, none.astype(np.int64), np.ones(3, dtype=np.bool_), np.arange(3)).value is None


def test_changing_sides_changes_signs_alone() -> None:
    one, other = newcombe(7, 20, 11, 15), newcombe(11, 15, 7, 20)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))  # type: ignore[operator]


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="successes"):
        newcombe(6, 5, 1, 5)


def test_trials_that_are_clusters_of_their_own_lose_nothing() -> None:
    rng = np.random.default_rng(3)
    yes = rng.random(400) < 0.3
    assert design_effect(yes, np.arange(400)) == pytest.approx(1.0, abs=0.01)
    plain = wilson(int(yes.sum()), 400)
    found = clustered_share(yes, np.arange(400))
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=1e-3)


def test_five_copies_of_each_trial_tell_as_much_as_one() -> None:
    rng = np.random.default_rng(4)
    once = rng.random(200) < 0.4
    copies, cluster = np.repeat(once, 5), np.repeat(np.arange(200), 5)
    assert design_effect(copies, cluster) == pytest.approx(5.0, rel=0.02)
    other = rng.random(200) < 0.5
    one = clustered_difference(once, np.arange(200), other, np.arange(200))
    many = clustered_difference(copies, cluster, np.repeat(other, 5), cluster)
    assert (many.low, many.high) == pytest.approx((one.low, one.high), abs=1e-3)


def test_where_all_trials_are_alike_clusters_are_the_trials() -> None:
    yes = np.ones(12, dtype=np.bool_)
    assert design_effect(yes, np.repeat(np.arange(4), 3)) == pytest.approx(3.0)
    assert design_effect(yes, np.zeros(12, dtype=np.int64)) == pytest.approx(12.0)
