"""Strengths from rankings."""

from itertools import permutations
from math import exp

import numpy as np
import pytest
from scipy.optimize import minimize

from preceptor.quality.labels import Floats
from preceptor.quality.pairwise import (
    LEFT,
    RIGHT,
    BadComparisons,
    Comparisons,
    Contests,
    Rankings,
    bradley_terry,
    plackett_luce,
)


def simulated(strength: Floats, rankings: int, length: int, rng: np.random.Generator) -> Rankings:
    item = np.array([rng.permutation(len(strength))[:length] for _ in range(rankings)])
    # The order of strength plus Gumbel noise is a draw from Plackett and Luce's model.
    place = (-(strength[item] + rng.gumbel(size=item.shape))).argsort(axis=1).argsort(axis=1)
    return Rankings.of(np.repeat(np.arange(rankings), length), item.ravel(), place.ravel(), items=len(strength))


def test_rankings_of_two_are_bradley_and_terrys_comparisons() -> None:
    ranked = plackett_luce(Rankings.read([{0: 1, 1: 2}] * 7 + [{0: 2, 1: 1}] * 3), prior_sd=1.0)
    compared = bradley_terry(Comparisons.of([0] * 10, [1] * 10, [LEFT] * 7 + [RIGHT] * 3), prior_sd=1.0)
    assert ranked.strength == pytest.approx(compared.strength)
    assert ranked.covariance == pytest.approx(compared.covariance)
    assert ranked.log_evidence == pytest.approx(compared.log_evidence)


def test_partial_rankings_meet_a_general_optimiser() -> None:
    rng = np.random.default_rng(1)
    rankings = simulated(np.array([0.5, -0.5, 1.0, 0.0, -1.0]), 40, 3, rng)
    orders = [
        rankings.item[rankings.ranking == number][np.argsort(rankings.place[rankings.ranking == number])]
        for number in range(40)
    ]

    def lack(at: Floats) -> float:
        terms = [at[order[k]] - np.log(np.exp(at[order[k:]]).sum()) for order in orders for k in range(len(order))]
        return float(-np.sum(terms) + 0.5 * (at @ at))

    other = minimize(lack, np.zeros(5), method="BFGS", options={"gtol": 1e-8})
    assert plackett_luce(rankings, prior_sd=1.0).strength == pytest.approx(other.x, abs=1e-5)


def test_a_tie_is_close_to_the_average_of_its_orders() -> None:
    """Efron's approximation against the exact average of log likelihoods over both orders of the tied items."""
    rankings: list[dict[int, float]] = [{0: 1, 1: 1, 2: 2}, {2: 1, 0: 2, 1: 3}, {1: 1, 0: 2, 2: 3}, {0: 1, 2: 1, 1: 2}]

    def chance(order: tuple[int, ...], at: Floats) -> float:
        value = 1.0
        for k in range(len(order)):
            value *= exp(at[order[k]]) / sum(exp(at[item]) for item in order[k:])
        return value

    def lack(at: Floats) -> float:
        total = 0.5 * float(at @ at)
        for ranks in rankings:
            fitting = [o for o in permutations(ranks) if [ranks[i] for i in o] == sorted(ranks.values())]
            total -= np.mean([np.log(chance(order, at)) for order in fitting])
        return total

    exact = minimize(lack, np.zeros(3), method="BFGS").x
    assert plackett_luce(Rankings.read(rankings), prior_sd=1.0).strength == pytest.approx(exact, abs=0.03)


def test_a_tie_of_two_is_half_a_win_for_each() -> None:
    tied = plackett_luce(Rankings.read([{0: 1, 1: 1}] * 4 + [{0: 1, 1: 2}] * 3), prior_sd=1.0)
    half = bradley_terry(Contests(np.array([0]), np.array([1]), np.array([[5.0, 0.0, 2.0]]), 2), prior_sd=1.0)
    assert tied.strength == pytest.approx(half.strength)


def test_a_ranking_that_ties_all_says_that_all_are_equal() -> None:
    assert plackett_luce(Rankings.read([{0: 1, 1: 1, 2: 1}])).strength == pytest.approx(np.zeros(3), abs=1e-9)


def test_tied_winners_stay_equal_above_the_loser() -> None:
    strength = plackett_luce(Rankings.read([{0: 1, 1: 1, 2: 2}] * 5)).strength
    assert strength[0] == pytest.approx(strength[1])
    assert strength[0] > strength[2]


def test_planted_strengths_and_their_spread_are_found() -> None:
    rng = np.random.default_rng(2)
    strength = rng.normal(size=20)
    found = plackett_luce(simulated(strength, 2000, 5, rng))
    assert found.strength == pytest.approx(strength - strength.mean(), abs=0.25)
    assert found.prior_sd == pytest.approx(1.0, rel=0.4)


def test_only_the_order_of_places_matters() -> None:
    near = plackett_luce(Rankings.read([{0: 1, 1: 2, 2: 3}, {1: 1, 2: 2}]), prior_sd=1.0)
    far = plackett_luce(Rankings.read([{0: -7, 1: 0.5, 2: 10**9}, {1: 3, 2: 4}]), prior_sd=1.0)
    assert near.strength == pytest.approx(far.strength)


def test_items_that_no_ranking_connects_are_told() -> None:
    found = plackett_luce(Rankings.read([{0: 1, 1: 2}, {2: 1, 3: 2}, {4: 1}]))
    assert found.components == 3
    assert not found.comparable(0, 2)
    assert found.interval(4).reason == "never compared; only the prior speaks"


def test_no_ranking_leaves_the_prior() -> None:
    found = plackett_luce(Rankings.read([], items=2))
    assert found.win(0, 1).value == 0.5
    assert found.win(0, 1).reason is not None


def test_very_unequal_items_stay_finite() -> None:
    found = plackett_luce(Rankings.read([{0: 1, 1: 2, 2: 3}] * 200), prior_sd=20.0)
    assert np.isfinite(found.strength).all()
    assert (found.variance > 0).all()
    assert list(found.order) == [0, 1, 2]


@pytest.mark.parametrize(
    ("ranking", "item", "place", "told"),
    [
        ([0, 0], [1, 1], [1, 2], "twice"),
        ([0], [0, 1], [1, 2], "differ in length"),
        ([0, 0], [0, 1], [1, float("nan")], "row 1: the place is not finite"),
        ([0, 0], [0, -1], [1, 2], "outside"),
        ([0, 0], [0, 10**9], [1, 2], "items"),
    ],
)
def test_unusable_rankings_are_refused(ranking: list[int], item: list[int], place: list[float], told: str) -> None:
    with pytest.raises(BadComparisons, match=told):
        Rankings.of(ranking, item, place)
