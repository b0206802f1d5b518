"""The chance of a vote: what would this person say about this pair, given everything else that was said?

A hierarchical model of votes. Log odds and ties are Davidson's (1970); that each person has an acuity, negative for
those who answer the wrong way round, extends Crowd-BT (Chen et al., WSDM 2013) from a coin to a scale; crossed
effects of people and items with Gaussian priors are those of Gelman and Hill, "Data analysis using regression and
multilevel/hierarchical models" (2007, chapter 14). All effects are estimated together by their mode; spreads and the
final scale are set by foretelling votes that were hidden from the fit, as in stacked generalisation (Wolpert 1992).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise.bradley_terry import estimated_spread
from preceptor.quality.pairwise.choice import vote_costs
from preceptor.quality.pairwise.comparisons import LEFT, OUTCOMES, RIGHT, BadComparisons, Comparisons
from preceptor.quality.pairwise.davidson import log_chances
from preceptor.quality.pairwise.effects import Effect, Keys, Scene, Scores, Slots, Spreads, VotePosterior, scored

# Where there are too few votes to learn spreads, these are usual ones; that of strengths is always estimated.
USUAL: Spreads = {
    Effect.STRENGTH: 1.0,
    Effect.ACUITY: 0.3,
    Effect.SIDE: 0.3,
    Effect.VIEW: 1.0,
    Effect.TIES: 0.6,
    Effect.TIES_HERE: 0.6,
    Effect.CLOSENESS: 0.6,
}
# Order in which spreads are tried, those that matter most first.
TRIED = (
    Effect.VIEW,
    Effect.CLOSENESS,
    Effect.TIES_HERE,
    Effect.TIES,
    Effect.ACUITY,
    Effect.STRENGTH,
    Effect.SIDE,
)
STEP = 1.6
STEPS_MAX = 3
LEVEL_SD = 3.0
SCALE_LIMITS = ((0.05, 3.0), (0.05, 3.0), (-3.0, 3.0), (0.001, 0.5))
HIDDEN_MIN = 100
ITERATIONS, ITERATIONS_TRIAL = 120, 40


@dataclass(frozen=True)
class Scale:
    """Calibration of a fit: log odds times `odds`, score of a tie times `tie` plus `shift`, and the share `lapse` of
    votes that are given without looking, each outcome alike."""

    odds: float = 1.0
    tie: float = 1.0
    shift: float = 0.0
    lapse: float = 0.0

    def log_chances(self, scores: Scores) -> Floats:
        looked = log_chances(self.odds * scores.log_odds, self.tie * scores.tie + self.shift)
        return np.asarray(np.log((1 - self.lapse) * np.exp(looked) + self.lapse / OUTCOMES), dtype=np.float64)


@dataclass(frozen=True)
class _Register:
    """Which effects there are: numbers of persons with items, persons in groups, and pairs."""

    items: int
    people: int
    component: Ints
    views: Keys
    grounds: Keys
    pairs: Keys

    @classmethod
    def of(cls, votes: Comparisons) -> "_Register":
        component = votes.contests.components
        grounds = Keys.of(_ground(votes.person, votes.left, component))
        views = Keys.of(votes.person * votes.items + votes.left, votes.person * votes.items + votes.right)
        return cls(votes.items, votes.people, component, views, grounds, Keys.of(_pair(votes.left, votes.right, votes)))

    def scene(self, votes: Comparisons) -> Scene:
        """Places of votes. A person or pair that the register does not have gets effects of 0."""
        views = [self.views.place(votes.person * self.items + item) for item in (votes.left, votes.right)]
        pair = self.pairs.place(_pair(votes.left, votes.right, votes))
        ground = self.grounds.place(_ground(votes.person, votes.left, self.component))
        person = votes.person
        return Scene(
            {
                Effect.STRENGTH: Slots(self.items, ((votes.left, 1.0), (votes.right, -1.0))),
                Effect.ACUITY: Slots(self.people, ((person, 1.0),)),
                Effect.SIDE: Slots(self.people, ((person, 1.0),)),
                Effect.VIEW: Slots(len(self.views), ((views[0], 1.0), (views[1], -1.0))),
                Effect.TIES: Slots(self.people, ((person, 1.0),)),
                Effect.TIES_HERE: Slots(len(self.grounds), ((ground, 1.0),)),
                Effect.CLOSENESS: Slots(len(self.pairs), ((pair, 1.0),)),
            }
        )


@dataclass(frozen=True)
class VoteModel:
    """Fitted effects of items, people and pairs, which foretell votes.

    `effects[e]` are the most probable effects of a group in logits, shape by group (`strength`: (items,), `acuity`,
    `side`, `ties`: (people,)); `spreads` the standard deviations of their priors; `scale` the calibration. `hidden`
    is the mean cost in nats of the votes by which spreads and scale were chosen (None where they were too few): it
    is slightly too good, having been chosen by. `votes` says how many votes the fit rests on.
    """

    effects: dict[Effect, Floats]
    levels: Floats
    spreads: Spreads
    scale: Scale
    hidden: float | None
    votes: int
    register: _Register

    def log_chances(self, votes: Comparisons) -> Floats:
        """Log chances (n, 3) that each person calls left better, a tie, or right better; outcomes are not looked at."""
        return self.scale.log_chances(scored(self.register.scene(votes), self.effects, self.levels))

    def chances(self, left: Ints, right: Ints, person: Ints) -> Floats:
        """Chances (n, 3) of left, tie and right."""
        nothing = np.zeros(len(left), dtype=np.int64)
        votes = Comparisons(left, right, nothing, self.register.items, person, self.register.people)
        return np.exp(self.log_chances(votes))

    def predict_vote(self, left: int, right: int, person: int) -> tuple[float, float, float]:
        """Chances that this person, asked about this pair, says left, tie or right."""
        columns = (np.array([index], dtype=np.int64) for index in (left, right, person))
        first, tie, second = self.chances(*columns)[0]
        return float(first), float(tie), float(second)


def decided(chances: Floats) -> Floats:
    """Chance of left given that it is no tie, shape (n,), from chances (n, 3)."""
    return np.asarray(chances[:, LEFT] / (chances[:, LEFT] + chances[:, RIGHT]), dtype=np.float64)


def fit_votes(votes: Comparisons, rng: np.random.Generator, *, spreads: Spreads | None = None) -> VoteModel:
    """Fit the model of votes, learning its spreads and calibration from votes hidden inside `votes`.

    Of each pair with several votes one is hidden (`hide_one`); spreads are tried one after the other, and what
    foretells the hidden votes best is kept, then the scale is fitted on them and all effects again on all votes.
    With fewer than 100 votes to hide, or with `spreads` given, no trials are made. Assumes that votes are
    independent given the effects. A person with few votes is close to the crowd, a pair never seen is foretold by
    its items, an item never seen counts as average. Each pass is linear in the votes.

    `BadComparisons` without any vote, or with covariates, which this model does not take.
    """
    if len(votes) == 0:
        raise BadComparisons("there is no vote to learn from")
    if votes.covariates is not None:
        raise BadComparisons("the model of votes takes no covariates; leave them out")
    register = _Register.of(votes)
    chosen = dict(spreads) if spreads is not None else USUAL | {Effect.STRENGTH: estimated_spread(votes.contests)}
    hidden = hide_one(votes, rng)
    scale, cost = Scale(), None
    if hidden.sum() >= HIDDEN_MIN:
        trial = _Trial(register, votes.where(~hidden), votes.where(hidden))
        if spreads is None:
            chosen = trial.searched(chosen)
        scale, cost = trial.calibrated(chosen)
    at = _fitted(register, votes, chosen, ITERATIONS, None)
    posterior = _posterior(register, votes, chosen)
    return VoteModel(posterior.effects(at), at[-2:], chosen, scale, cost, len(votes), register)


def hide_one(votes: Comparisons, rng: np.random.Generator, *, alone: bool = False) -> NDArray[np.bool_]:
    """Mask (n,) of one vote drawn from each pair; from pairs with a single vote only if `alone`."""
    pair = _pair(votes.left, votes.right, votes)
    order = np.lexsort((rng.random(len(votes)), pair))
    sorted_pairs = pair[order]
    new = np.ones(len(votes), dtype=np.bool_)
    new[1:] = sorted_pairs[1:] != sorted_pairs[:-1]
    if not alone:
        followed = np.zeros(len(votes), dtype=np.bool_)
        followed[:-1] = sorted_pairs[1:] == sorted_pairs[:-1]
        new &= followed
    mask = np.zeros(len(votes), dtype=np.bool_)
    mask[order[new]] = True
    return mask


class _Trial:
    """Fits to the votes that were left, judged by those that were hidden. Each fit starts where the best one ended."""

    def __init__(self, register: _Register, rest: Comparisons, hidden: Comparisons) -> None:
        self.register, self.rest, self.hidden = register, rest, hidden
        self.scene = register.scene(hidden)
        self.start: Floats | None = None

    def searched(self, spreads: Spreads) -> Spreads:
        """Spreads, one coordinate after the other, moved by factors as long as hidden votes cost less."""
        best, cost = spreads, self.cost(spreads)
        for effect in TRIED:
            for factor in (STEP, 1 / STEP):
                moved, better, cost = self._followed(best, effect, factor, cost)
                if better:
                    best = moved
                    break
        return best

    def _followed(self, spreads: Spreads, effect: Effect, factor: float, cost: float) -> tuple[Spreads, bool, float]:
        better = False
        for _ in range(STEPS_MAX):
            moved = spreads | {effect: spreads[effect] * factor}
            moved_cost = self.cost(moved)
            if moved_cost >= cost:
                break
            spreads, cost, better = moved, moved_cost, True
        return spreads, better, cost

    def cost(self, spreads: Spreads) -> float:
        """Mean cost of a hidden vote after calibration."""
        return self._calibrated(self._scores(spreads, ITERATIONS_TRIAL))[1]

    def calibrated(self, spreads: Spreads) -> tuple[Scale, float]:
        return self._calibrated(self._scores(spreads, ITERATIONS))

    def _scores(self, spreads: Spreads, iterations: int) -> Scores:
        at = _fitted(self.register, self.rest, spreads, iterations, self.start)
        self.start = at
        return scored(self.scene, _posterior(self.register, self.rest, spreads).effects(at), at[-2:])

    def _calibrated(self, scores: Scores) -> tuple[Scale, float]:
        def cost(at: Floats) -> float:
            return float(vote_costs(_scale(at).log_chances(scores), self.hidden).mean())

        found = minimize(cost, np.array([1.0, 1.0, 0.0, 0.02]), method="L-BFGS-B", bounds=SCALE_LIMITS)
        return _scale(np.asarray(found.x, dtype=np.float64)), float(found.fun)


def _scale(at: Floats) -> Scale:
    return Scale(float(at[0]), float(at[1]), float(at[2]), float(at[3]))


def _posterior(register: _Register, votes: Comparisons, spreads: Spreads) -> VotePosterior:
    return VotePosterior(register.scene(votes), votes.outcome, spreads, LEVEL_SD)


def _fitted(register: _Register, votes: Comparisons, spreads: Spreads, iterations: int, start: Floats | None) -> Floats:
    posterior = _posterior(register, votes, spreads)
    begin = np.zeros(posterior.size) if start is None else start
    found = minimize(posterior.lack, begin, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    return np.asarray(found.x, dtype=np.float64)


def _pair(left: Ints, right: Ints, votes: Comparisons) -> Ints:
    return np.minimum(left, right) * votes.items + np.maximum(left, right)


def _ground(person: Ints, item: Ints, component: Ints) -> Ints:
    """A person in a connected group of items. Where nothing but one group exists this is the person once more."""
    return person * (int(component.max()) + 1) + component[item]
