"""People who compare: reliability, when to use it, and the chance of a vote."""

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from tests.conftest import needs_shared

from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise import (
    LEFT,
    RIGHT,
    TIE,
    BadComparisons,
    Comparisons,
    Effect,
    bradley_terry,
    choose,
    crowd_bradley_terry,
    decided,
    fit_votes,
    hide_one,
)
from preceptor.quality.pairwise.davidson import log_chances
from preceptor.quality.pairwise.effects import VotePosterior
from preceptor.quality.pairwise.rater_aware import CROWD_LOWEST, VOTES_LIKE_THE_CROWD
from preceptor.quality.pairwise.votes import USUAL, _Register


def simulated(strength: Floats, straight: Floats, n: int, rng: np.random.Generator) -> Comparisons:
    """Votes with ties of people who turn their vote around with chance 1 - straight."""
    items, people = len(strength), len(straight)
    left = rng.integers(0, items, n)
    right = (left + rng.integers(1, items, n)) % items
    person = rng.integers(0, people, n)
    chances = np.exp(log_chances(strength[left] - strength[right], -0.8))
    outcome = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    outcome = np.where(rng.random(n) < straight[person], outcome, 2 - outcome)
    return Comparisons.of(left, right, outcome, person=person, items=items, people=people)


def a_bad_crowd(rng: np.random.Generator) -> tuple[Comparisons, Floats, Floats]:
    """Ten people who answer the wrong way round, ten who answer anything, twenty good ones."""
    strength = rng.normal(size=15) * 1.5
    straight = np.repeat([0.05, 0.5, 0.97, 0.97], 10)
    return simulated(strength, straight, 4000, rng), strength, straight


def test_reliability_and_strengths_come_out_of_a_bad_crowd() -> None:
    comparisons, strength, straight = a_bad_crowd(np.random.default_rng(1))
    found = crowd_bradley_terry(comparisons)
    assert found.converged
    assert np.corrcoef(found.reliability, straight)[0, 1] > 0.95
    assert found.reliability[:10].max() < 0.4
    aware = np.corrcoef(found.strengths.strength, strength)[0, 1]
    assert aware > 0.98
    assert aware > np.corrcoef(bradley_terry(comparisons).strength, strength)[0, 1]


def test_the_fit_is_at_least_as_good_as_a_general_optimiser_finds() -> None:
    rng = np.random.default_rng(2)
    comparisons = simulated(np.array([1.0, 0.0, -1.0]), np.array([0.95, 0.9, 0.1]), 240, rng)
    sided = comparisons.where(comparisons.outcome != TIE)
    found = crowd_bradley_terry(sided, prior_sd=1.0)
    said = np.where(sided.outcome == LEFT, 1.0, -1.0)

    def lack(at: Floats) -> float:
        seen = expit(said * (at[sided.left] - at[sided.right]))
        eta = expit(at[3:])
        chance = eta[sided.person] * seen + (1 - eta[sided.person]) * (1 - seen)
        ahead, behind = VOTES_LIKE_THE_CROWD * found.crowd, VOTES_LIKE_THE_CROWD * (1 - found.crowd)
        belief = (ahead * np.log(eta) + behind * np.log(1 - eta)).sum()
        return float(-np.log(chance).sum() + 0.5 * (at[:3] ** 2).sum() - belief)

    mine = np.concatenate([found.strengths.strength, np.log(found.reliability / (1 - found.reliability))])
    other = minimize(lack, mine, method="BFGS")
    assert lack(mine) == pytest.approx(other.fun, abs=0.02)
    assert found.strengths.strength == pytest.approx(other.x[:3], abs=0.05)


def test_a_person_with_one_vote_is_like_the_crowd_with_a_wide_interval() -> None:
    rng = np.random.default_rng(3)
    many = simulated(np.array([1.0, 0.0, -1.0]), np.full(5, 0.95), 1000, rng)
    weakest, strongest = 2, 0
    comparisons = Comparisons.of(
        np.append(many.left, weakest),
        np.append(many.right, strongest),
        np.append(many.outcome, LEFT),
        person=np.append(many.person, 5),
        people=7,
    )
    found = crowd_bradley_terry(comparisons)
    assert found.reliability[5] == pytest.approx(found.crowd, abs=0.1)
    interval, unknown = found.interval(5), found.interval(6)
    assert interval.low is not None
    assert interval.high is not None
    assert interval.high - interval.low > 0.2
    assert unknown.reason == "no vote that chose a side; this is the crowd's average"
    assert unknown.value == pytest.approx(found.crowd, abs=0.02)


def test_strengths_are_less_certain_when_people_are() -> None:
    comparisons, _, _ = a_bad_crowd(np.random.default_rng(4))
    found = crowd_bradley_terry(comparisons, prior_sd=1.5)
    straight = simulated(found.strengths.strength, np.ones(40), 4000, np.random.default_rng(5))
    assert found.strengths.variance.mean() > bradley_terry(straight, prior_sd=1.5).variance.mean()


def test_ties_say_nothing_about_reliability() -> None:
    found = crowd_bradley_terry(Comparisons.of([0, 1, 0], [1, 0, 1], [TIE, TIE, TIE], person=[0, 1, 1]))
    assert found.reliability[0] == found.reliability[1]
    assert list(found.votes) == [0, 0]


def test_the_crowd_is_never_taken_to_be_dishonest() -> None:
    comparisons = simulated(np.array([1.0, -1.0]), np.full(4, 0.02), 200, np.random.default_rng(6))
    assert crowd_bradley_terry(comparisons).crowd >= CROWD_LOWEST


def test_reliability_is_used_only_where_it_foretells_votes() -> None:
    rng = np.random.default_rng(7)
    bad, _, _ = a_bad_crowd(rng)
    good = simulated(rng.normal(size=15), np.ones(40), 2000, rng)
    helped, idle = choose(bad, rng), choose(good, rng)
    assert helped.model == "crowd_bradley_terry"
    assert helped.people is not None
    assert helped.gain.low is not None
    assert helped.gain.low > 0
    assert idle.model == "bradley_terry"
    assert idle.people is None
    assert idle.gain.value is not None


@pytest.mark.parametrize(
    ("comparisons", "reason"),
    [
        (Comparisons.of([0], [1], [LEFT]), "too few"),
        (Comparisons.of([], [], [], items=3), "too few"),
        (Comparisons.of([0] * 30, [1] * 30, [LEFT] * 30), "one person"),
    ],
)
def test_where_models_cannot_be_compared_the_simple_one_is_chosen_with_a_reason(
    comparisons: Comparisons, reason: str
) -> None:
    choice = choose(comparisons, np.random.default_rng(0))
    assert choice.model == "bradley_terry"
    assert choice.gain.value is None
    assert reason in (choice.gain.reason or "")


def test_reliability_and_covariates_are_not_mixed() -> None:
    described = Comparisons.of([0], [1], [LEFT], covariates=[1.0])
    with pytest.raises(BadComparisons, match="drop one"):
        crowd_bradley_terry(described)
    with pytest.raises(BadComparisons, match="covariates"):
        fit_votes(described, np.random.default_rng(0))


def test_one_vote_is_hidden_from_each_pair() -> None:
    left, right = np.array([0, 1, 0, 2, 3]), np.array([1, 0, 1, 3, 4])
    votes = Comparisons.of(left, right, [LEFT] * 5)
    rng = np.random.default_rng(0)
    drawn = np.array([hide_one(votes, rng) for _ in range(300)])
    assert (drawn[:, :3].sum(axis=1) == 1).all()
    assert not drawn[:, 3:].any()
    assert drawn[:, :3].mean(axis=0) == pytest.approx(1 / 3, abs=0.1)
    assert hide_one(votes, rng, alone=True)[3:].all()


def test_the_gradient_of_the_model_of_votes_is_its_derivative() -> None:
    rng = np.random.default_rng(8)
    votes = simulated(rng.normal(size=4), np.full(3, 0.9), 40, rng)
    posterior = VotePosterior(_Register.of(votes).scene(votes), votes.outcome, USUAL, 3.0)
    at = rng.normal(size=posterior.size) * 0.5
    gradient = posterior.lack(at)[1]
    for place in range(posterior.size):
        step = np.zeros(posterior.size)
        step[place] = 1e-6
        change = (posterior.lack(at + step)[0] - posterior.lack(at - step)[0]) / 2e-6
        assert gradient[place] == pytest.approx(change, abs=1e-5)


def test_a_vote_of_somebody_who_answers_the_wrong_way_round_is_foretold_the_wrong_way_round() -> None:
    rng = np.random.default_rng(9)
    straight = np.array([0.98] * 9 + [0.02])
    model = fit_votes(simulated(np.array([1.5, 0.5, -0.5, -1.5]), straight, 3000, rng), rng)
    honest, turned = model.predict_vote(0, 3, 0), model.predict_vote(0, 3, 9)
    assert honest[0] > 0.8
    assert turned[2] > 0.7
    assert sum(honest) == pytest.approx(1.0)
    acuity = model.effects[Effect.ACUITY]
    assert acuity.argmin() == 9
    assert acuity[9] < -0.3


def test_a_habit_of_ties_is_learnt() -> None:
    rng = np.random.default_rng(10)
    votes = simulated(np.zeros(6), np.ones(8), 1500, rng)
    outcome = np.where(votes.person == 0, TIE, votes.outcome)
    model = fit_votes(Comparisons.of(votes.left, votes.right, outcome, person=votes.person), rng)
    assert model.predict_vote(0, 1, 0)[1] > 0.8
    assert model.predict_vote(0, 1, 1)[1] < 0.5


def test_foretold_chances_are_those_seen() -> None:
    rng = np.random.default_rng(11)
    votes = simulated(rng.normal(size=20) * 1.5, rng.uniform(0.5, 1.0, 60), 6000, rng)
    mask = hide_one(votes, rng)
    chances = np.exp(fit_votes(votes.where(~mask), rng).log_chances(votes.where(mask)))
    hidden = votes.where(mask).outcome
    for outcome in (LEFT, TIE, RIGHT):
        expected = float(chances[:, outcome].mean())
        assert np.mean(hidden == outcome) == pytest.approx(expected, abs=4 * np.sqrt(0.25 / len(hidden)))


def test_few_votes_are_foretold_with_usual_spreads() -> None:
    model = fit_votes(
        Comparisons.of([0, 0], [1, 1], [LEFT, LEFT], person=[0, 1], items=3, people=3), np.random.default_rng(0)
    )
    assert model.hidden is None
    assert model.predict_vote(0, 1, 2)[0] > model.predict_vote(1, 0, 2)[0]
    unseen = model.predict_vote(2, 0, 2)
    assert all(0 < chance < 1 for chance in unseen)


def test_no_vote_is_nothing_to_learn_from() -> None:
    with pytest.raises(BadComparisons, match="no vote"):
        fit_votes(Comparisons.of([], [], [], items=2), np.random.default_rng(0))


def test_the_same_seed_gives_the_same_chances() -> None:
    rng = np.random.default_rng(12)
    votes = simulated(rng.normal(size=6), np.full(5, 0.9), 500, rng)
    first, second = (fit_votes(votes, np.random.default_rng(1)).log_chances(votes) for _ in range(2))
    assert (first == second).all()


def read_votes(path: Path, topics: int) -> Comparisons:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    kept = dict.fromkeys(row["task_id"].split("/")[0] for row in rows)
    few = set(list(kept)[:topics])
    rows = [row for row in rows if row["task_id"].split("/")[0] in few]
    items = _numbered([row[side] for row in rows for side in ("left", "right")])
    outcome = [TIE if row["winner"] == "tie" else LEFT if row["winner"] == row["left"] else RIGHT for row in rows]
    return Comparisons.of(items[::2], items[1::2], outcome, person=_numbered([row["worker_id"] for row in rows]))


def _numbered(names: list[str]) -> Ints:
    place: dict[str, int] = {}
    return np.array([place.setdefault(name, len(place)) for name in names])


def test_hidden_votes_about_arguments_are_foretold() -> None:
    """On three of sixteen topics: the model of votes beats strengths alone, and both beat the pair's other votes."""
    votes = read_votes(needs_shared("data/ukp_convarg/comparisons.csv.gz"), 3)
    rng = np.random.default_rng(0)
    mask = hide_one(votes, rng, alone=True)
    rest, hidden = votes.where(~mask), votes.where(mask)
    sided = hidden.outcome != TIE
    said = hidden.outcome[sided] == LEFT

    def cost(chances: Floats) -> float:
        left = decided(chances)[sided]
        return float(-np.log(np.where(said, left, 1 - left)).mean())

    model = np.exp(fit_votes(rest, rng).log_chances(hidden))
    assert cost(model) < cost(np.exp(bradley_terry(rest).log_chances(hidden)))
    assert cost(model) < 0.475
    assert np.mean((decided(model)[sided] > 0.5) == said) > 0.77
