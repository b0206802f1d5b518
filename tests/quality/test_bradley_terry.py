"""Strengths from comparisons: ties, priors, covariance, biases, and what is said where nothing is known."""

from math import exp, log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit, logit

from preceptor.quality.labels import Floats
from preceptor.quality.pairwise import LEFT, RIGHT, TIE, BadComparisons, Comparisons, Contests, bradley_terry
from preceptor.quality.pairwise.davidson import DavidsonPosterior, log_chances

WIDE = 1e3


def simulated(
    strength: Floats, n: int, rng: np.random.Generator, log_tie: float | None = -0.7, pull: float = 0.0
) -> Comparisons:
    items = len(strength)
    left = rng.integers(0, items, n)
    right = (left + rng.integers(1, items, n)) % items
    chances = np.exp(log_chances(strength[left] - strength[right] + pull, log_tie))
    outcome = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    return Comparisons.of(left, right, outcome, items=items)


def test_two_items_without_a_prior_have_the_log_odds_of_their_counts() -> None:
    found = bradley_terry(Comparisons.of([0] * 10, [1] * 10, [LEFT] * 7 + [RIGHT] * 3), prior_sd=WIDE)
    assert found.strength[0] - found.strength[1] == pytest.approx(log(7 / 3), abs=1e-4)
    assert found.win(0, 1).value == pytest.approx(0.7, abs=1e-5)


def test_the_interval_of_two_items_is_that_of_a_share_on_the_logit_scale() -> None:
    found = bradley_terry(Comparisons.of([0] * 10, [1] * 10, [LEFT] * 7 + [RIGHT] * 3), prior_sd=WIDE)
    reach = 1.959964 * sqrt(1 / 7 + 1 / 3)
    win = found.win(0, 1)
    assert (win.low, win.high) == pytest.approx((expit(log(7 / 3) - reach), expit(log(7 / 3) + reach)), abs=1e-4)


def test_two_items_with_ties_have_davidsons_closed_form() -> None:
    """With wins a, b and t ties of two items: p1 / p2 = a / b and nu = t / sqrt(a b) (Davidson 1970)."""
    outcomes = [LEFT] * 9 + [TIE] * 6 + [RIGHT] * 4
    found = bradley_terry(Comparisons.of([0] * 19, [1] * 19, outcomes), prior_sd=WIDE)
    assert found.strength[0] - found.strength[1] == pytest.approx(log(9 / 4), abs=1e-4)
    assert found.log_tie is not None
    # The weak prior on ties moves it a little.
    assert exp(found.log_tie) == pytest.approx(6 / sqrt(9 * 4), rel=0.02)
    assert found.chances(0, 1) == pytest.approx((9 / 19, 6 / 19, 4 / 19), abs=0.01)


def test_a_balanced_design_meets_the_likelihood_equations() -> None:
    """At the maximum expected points (a tie is half of one) equal those scored, for each item (Davidson 1970)."""
    comparisons = simulated(np.array([0.0, 0.5, -0.4, 1.1]), 400, np.random.default_rng(1))
    found = bradley_terry(comparisons, prior_sd=WIDE)
    contests = comparisons.contests
    chances = np.exp(log_chances(found.strength[contests.first] - found.strength[contests.second], found.log_tie))
    expected = contests.won.sum(axis=1)[:, None] * chances
    for item in range(4):
        first, second = contests.first == item, contests.second == item
        scored = contests.won[first, LEFT].sum() + contests.won[second, RIGHT].sum()
        scored += 0.5 * (contests.won[first, TIE].sum() + contests.won[second, TIE].sum())
        foretold = expected[first, LEFT].sum() + expected[second, RIGHT].sum()
        foretold += 0.5 * (expected[first, TIE].sum() + expected[second, TIE].sum())
        assert foretold == pytest.approx(scored, abs=1e-3)


def test_newton_finds_what_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(2)
    comparisons = simulated(rng.normal(size=6), 300, rng)
    covariates = rng.normal(size=(300, 2))
    described = Comparisons.of(comparisons.left, comparisons.right, comparisons.outcome, items=6, covariates=covariates)
    found = bradley_terry(described, prior_sd=0.8)

    def lack(at: Floats) -> float:
        odds = at[comparisons.left] - at[comparisons.right] + covariates @ at[6:8]
        scores = np.stack([odds / 2, np.full(300, at[8]), -odds / 2], axis=1)
        normal = np.log(np.exp(scores).sum(axis=1))
        size = np.sqrt((covariates**2).mean(axis=0))
        prior = (at[:6] ** 2).sum() / 0.8**2 + ((at[6:8] * size / 10) ** 2).sum() + (at[8] / 3) ** 2
        return float((normal - scores[np.arange(300), comparisons.outcome]).sum() + 0.5 * prior)

    other = minimize(lack, np.zeros(9), method="BFGS", options={"gtol": 1e-7})
    mine = [*found.strength, *(bias.value for bias in found.coefficients), found.log_tie]
    assert mine == pytest.approx(list(other.x), abs=1e-4)
    errors = np.sqrt(np.asarray(other.hess_inv, dtype=np.float64).diagonal())
    assert [bias.standard_error for bias in found.coefficients] == pytest.approx(list(errors[6:8]), rel=0.1)


def test_the_curvature_is_the_derivative_of_the_gradient() -> None:
    rng = np.random.default_rng(3)
    contests = Contests(
        np.array([0, 0, 1]), np.array([1, 2, 2]), rng.random((3, 3)) * 5, 3, design=rng.normal(size=(3, 1))
    )
    posterior = DavidsonPosterior(contests, np.full(5, 0.3))
    at = rng.normal(size=5)
    curvature = posterior.curve(at).curvature.toarray()
    for place in range(5):
        step = np.zeros(5)
        step[place] = 1e-5
        change = (posterior.curve(at + step).gradient - posterior.curve(at - step).gradient) / 2e-5
        assert curvature[place] == pytest.approx(-change, abs=1e-6)


def test_sparse_and_dense_solutions_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    comparisons = simulated(np.linspace(-1, 1, 12), 300, np.random.default_rng(4))
    dense = bradley_terry(comparisons)
    monkeypatch.setattr("preceptor.quality.pairwise.davidson.DENSE_MAX", 0)
    sparse = bradley_terry(comparisons)
    assert sparse.strength == pytest.approx(dense.strength, abs=1e-6)
    assert sparse.variance == pytest.approx(dense.variance, abs=1e-6)
    assert sparse.log_evidence == pytest.approx(dense.log_evidence, abs=1e-6)


def test_the_evidence_agrees_with_an_integral_over_all_strengths() -> None:
    """For two items: the likelihood averaged over the prior of their difference."""
    found = bradley_terry(Comparisons.of([0] * 40, [1] * 40, [LEFT] * 25 + [RIGHT] * 15), prior_sd=1.0)
    gap = np.linspace(-8, 8, 4001)
    prior = np.exp(-(gap**2) / 4) / sqrt(4 * np.pi)
    likelihood = np.exp(25 * np.log(expit(gap)) + 15 * np.log(expit(-gap)))
    exact = log(float((prior * likelihood).sum() * (gap[1] - gap[0])))
    assert found.log_evidence == pytest.approx(exact, abs=0.01)


def test_the_spread_of_strengths_is_found() -> None:
    rng = np.random.default_rng(5)
    for spread in (0.4, 1.5):
        found = bradley_terry(simulated(rng.normal(size=60) * spread, 20_000, rng))
        assert found.prior_sd == pytest.approx(spread, rel=0.3)


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(6)
    covered = 0
    for _ in range(40):
        strength = rng.normal(size=8)
        strength -= strength.mean()
        found = bradley_terry(simulated(strength, 250, rng), prior_sd=1.0)
        bounds = [found.interval(item) for item in range(8)]
        covered += sum(
            b.low <= s <= b.high for b, s in zip(bounds, strength, strict=True) if b.low is not None and b.high
        )
    assert 0.90 <= covered / 320 <= 0.99


def test_a_pull_to_the_left_is_measured_and_does_not_reach_the_strengths() -> None:
    rng = np.random.default_rng(7)
    strength = np.array([0.8, 0.0, -0.8])
    plain = simulated(strength, 6000, rng, pull=0.5)
    described = Comparisons.of(plain.left, plain.right, plain.outcome, covariates=np.ones(len(plain)))
    found = bradley_terry(described, names=["left place"])
    (bias,) = found.coefficients
    assert bias.name == "left place"
    assert bias.value == pytest.approx(0.5, abs=3 * bias.standard_error)
    assert bias.estimate.low is not None
    assert bias.estimate.low > 0
    assert found.strength == pytest.approx(strength, abs=0.15)


def test_a_covariate_that_never_varies_from_zero_is_said_to_teach_nothing() -> None:
    found = bradley_terry(Comparisons.of([0, 1], [1, 0], [LEFT, LEFT], covariates=np.zeros(2)))
    assert found.coefficients[0].estimate.reason == "the covariate is 0 in every comparison"
    assert found.coefficients[0].standard_error > 1


def test_the_order_of_left_and_right_does_not_matter_without_covariates() -> None:
    comparisons = simulated(np.array([0.3, -0.2, 0.9]), 200, np.random.default_rng(8))
    turned = Comparisons.of(comparisons.right, comparisons.left, 2 - comparisons.outcome)
    assert bradley_terry(turned).strength == pytest.approx(bradley_terry(comparisons).strength)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_comparisons_give_finite_strengths_and_intervals(rows: list[tuple[int, int, int]]) -> None:
    rows = [row for row in rows if row[0] != row[1]]
    left, right, outcome = ([row[place] for row in rows] for place in range(3))
    found = bradley_terry(Comparisons.of(left, right, outcome, items=5))
    assert np.isfinite(found.strength).all()
    assert (found.variance > 0).all()
    for other in range(1, 5):
        win = found.win(0, other)
        assert win.low is not None
        assert win.high is not None
        assert win.value is not None
        assert 0 < win.low < win.value < win.high < 1


def test_winning_everything_stays_finite() -> None:
    found = bradley_terry(Comparisons.of([0] * 50, [1] * 50, [LEFT] * 50))
    assert 1 < found.strength[0] < 20
    assert found.win(0, 1).high != 1.0


def test_groups_that_nothing_connects_are_told_and_widely_open() -> None:
    left, right = [0, 1, 0] * 30 + [3] * 90, [1, 2, 2] * 30 + [4] * 90
    found = bradley_terry(Comparisons.of(left, right, [LEFT, RIGHT, TIE] * 60), prior_sd=1.0)
    assert found.components == 2
    assert found.comparable(0, 2)
    assert not found.comparable(0, 3)
    across, within = found.win(0, 3), found.win(0, 1)
    assert across.reason == "no chain of comparisons connects the two; only the prior compares them"
    assert within.reason is None
    assert across.low is not None
    assert across.high is not None
    assert across.high - across.low > 0.4


def test_no_comparison_leaves_the_prior_with_a_reason() -> None:
    found = bradley_terry(Comparisons.of([], [], [], items=2), prior_sd=1.0)
    interval = found.interval(0)
    assert (interval.value, interval.n) == (0.0, 0)
    assert interval.reason == "never compared; only the prior speaks"
    assert (interval.low, interval.high) == pytest.approx((-1.96, 1.96), abs=0.001)


def test_ties_alone_make_all_equal() -> None:
    found = bradley_terry(Comparisons.of([0, 1, 2], [1, 2, 0], [TIE] * 3))
    assert found.strength == pytest.approx(np.zeros(3), abs=1e-9)
    assert found.chances(0, 1)[1] > 0.5


def test_without_ties_none_is_foretold() -> None:
    found = bradley_terry(Comparisons.of([0, 1], [1, 0], [LEFT, LEFT]))
    assert found.log_tie is None
    assert found.chances(0, 1) == pytest.approx((0.5, 0.0, 0.5))


def test_a_circle_makes_all_equal() -> None:
    found = bradley_terry(Comparisons.of([0, 1, 2], [1, 2, 0], [LEFT] * 3))
    assert found.strength == pytest.approx(np.zeros(3), abs=1e-9)


def test_counts_add_up_whatever_the_number_of_items() -> None:
    left, right, outcome = [5, 2, 5, 9], [2, 5, 2, 1], [LEFT, LEFT, TIE, RIGHT]
    for items in (10, 100_000):
        contests = Comparisons.of(left, right, outcome, items=items).contests
        table = {
            (int(a), int(b)): [float(count) for count in won]
            for a, b, won in zip(contests.first, contests.second, contests.won, strict=True)
        }
        assert table == {(1, 9): [1, 0, 0], (2, 5): [1, 1, 1]}


@pytest.mark.parametrize(
    ("left", "right", "outcome", "told"),
    [
        ([0], [0], [LEFT], "compared with itself"),
        ([0], [1], [3], "row 0: outcome 3"),
        ([0, 1], [1], [LEFT], "differ in length"),
        ([0], [-1], [LEFT], "right item -1"),
        ([0.5], [1], [LEFT], "no whole number"),
        ([float("nan")], [1], [LEFT], "no whole number"),
        ([0], [10**9], [LEFT], "items"),
        ([], [], [], "0 items"),
    ],
)
def test_unusable_comparisons_are_refused(left: list[float], right: list[float], outcome: list[int], told: str) -> None:
    with pytest.raises(BadComparisons, match=told):
        Comparisons.of(left, right, outcome)


def test_covariates_that_are_not_finite_are_refused() -> None:
    with pytest.raises(BadComparisons, match="row 1: a covariate is not finite"):
        Comparisons.of([0, 0], [1, 1], [LEFT, LEFT], covariates=[0.0, np.nan])


def test_a_prior_must_be_positive() -> None:
    with pytest.raises(BadComparisons, match="positive"):
        bradley_terry(Comparisons.of([0], [1], [LEFT]), prior_sd=0.0)


def test_a_stronger_prior_shrinks_more() -> None:
    comparisons = Comparisons.of([0] * 10, [1] * 10, [LEFT] * 8 + [RIGHT] * 2)
    gaps = [bradley_terry(comparisons, prior_sd=sd).difference(0, 1).value or 0.0 for sd in (0.1, 1.0, 10.0)]
    assert 0 < gaps[0] < gaps[1] < gaps[2] < logit(0.8)
