"""Strengths together with the reliability of the people who compare.

Chen, Bennett, Collins-Thompson and Horvitz, "Pairwise ranking aggregation in a crowdsourced setting" (WSDM 2013):
person w says what they see with chance eta_w and its opposite otherwise. eta near 1 is reliable, 1/2 is noise, near 0
is somebody who answers the wrong way round, and whose votes then count for the other side.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import csc_array
from scipy.special import betaincinv, betaln, xlog1py, xlogy

from preceptor.quality.intervals import LEVEL, Estimate
from preceptor.quality.labels import Floats
from preceptor.quality.pairwise.bradley_terry import Strengths, bradley_terry
from preceptor.quality.pairwise.comparisons import (
    LEFT,
    OUTCOMES,
    TIE,
    BadComparisons,
    Comparisons,
    Contests,
    as_votes,
    counted,
    sums,
)
from preceptor.quality.pairwise.davidson import DavidsonPosterior, Peak, bordered, factored

# The crowd is taken to be mostly honest, or strengths and reliabilities could all be turned around.
CROWD_START, CROWD_LOWEST = 0.9, 0.55
# A new person counts as if this many of their votes had been seen to be like the crowd's.
VOTES_LIKE_THE_CROWD = 10.0
ROUNDS_MAX = 100
ROUNDS_OF_SPREAD = 5
CHANGE_MIN = 1e-4


@dataclass(frozen=True)
class CrowdStrengths:
    """`strengths`, whose covariance knows that it is uncertain which votes were meant the other way round, and
    `reliability` (people,) in (0, 1) with the Beta posterior `weight` (people, 2) behind it. `crowd` is the average
    that people with few votes are shrunk to; `votes` (people,) counts votes that were no tie."""

    strengths: Strengths
    reliability: Floats
    weight: Floats
    votes: Floats
    crowd: float
    rounds: int
    converged: bool

    def interval(self, person: int, level: float = LEVEL) -> Estimate:
        """Reliability of one person with a credible interval."""
        straight, turned = self.weight[person]
        low, high = (float(betaincinv(straight, turned, tail)) for tail in ((1 - level) / 2, (1 + level) / 2))
        votes = int(self.votes[person])
        reason = None if votes else "no vote that chose a side; this is the crowd's average"
        return Estimate(float(self.reliability[person]), low, high, votes, reason)

    def log_chances(self, comparisons: Comparisons) -> Floats:
        """Log chances (n, 3) of what each person would say."""
        seen = np.exp(self.strengths.log_chances(comparisons))
        eta = self.reliability[comparisons.person][:, None]
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(eta * seen + (1 - eta) * seen[:, ::-1]))


def crowd_bradley_terry(comparisons: Comparisons, *, prior_sd: float | None = None) -> CrowdStrengths:
    """Crowd-BT with Davidson's ties, by expectation maximisation.

    P(outcome | w) = eta_w P(outcome) + (1 - eta_w) P(opposite outcome); a tie is its own opposite and says nothing
    about eta. eta_w ~ Beta(10 c, 10 (1 - c)) with the crowd's average c estimated and at least .55, so that people
    with few votes shrink to the crowd. Assumes that people differ only in this. Each round works on the counts by
    pair, softly turned around by the chance that a vote was meant so. Covariates are not taken: `BadComparisons`.
    """
    if comparisons.covariates is not None:
        raise BadComparisons("reliability and covariates are not fitted together; drop one of them")
    plain = bradley_terry(comparisons, prior_sd=prior_sd)
    votes, sided = as_votes(comparisons.outcome), (comparisons.outcome != TIE).astype(np.float64)
    state = CrowdStrengths(plain, *_reliabilities(sided * CROWD_START, comparisons, sided, CROWD_START), 0, False)
    before = -np.inf
    for number in range(1, ROUNDS_MAX + 1):
        straight = straightness(state, comparisons)
        soft = votes * straight[:, None] + votes[:, ::-1] * (1 - straight)[:, None]
        contests = counted(comparisons.left, comparisons.right, soft, comparisons.items)
        # Noise of unreliable people makes strengths look alike: the spread is estimated anew while people sort out.
        spread = state.strengths.prior_sd if number > ROUNDS_OF_SPREAD else prior_sd
        strengths = bradley_terry(contests, prior_sd=spread, start=state.strengths.peak.at)
        beliefs = _reliabilities(straight * sided, comparisons, sided, state.crowd)
        state = CrowdStrengths(strengths, *beliefs, number, False)
        value = _log_posterior(state, comparisons)
        if number > ROUNDS_OF_SPREAD and value - before < CHANGE_MIN:
            return _sharpened(state, comparisons, converged=True)
        before = value
    return _sharpened(state, comparisons, converged=False)


def straightness(state: CrowdStrengths, comparisons: Comparisons) -> Floats:
    """Chance (n,) that each vote was meant as it was given."""
    chance = np.exp(state.strengths.log_chances(comparisons))
    rows = np.arange(len(comparisons))
    eta = state.reliability[comparisons.person]
    given = eta * chance[rows, comparisons.outcome]
    opposite = (1 - eta) * chance[rows, OUTCOMES - 1 - comparisons.outcome]
    return np.asarray(given / (given + opposite), dtype=np.float64)


def _reliabilities(
    straight: Floats, comparisons: Comparisons, sided: Floats, crowd: float
) -> tuple[Floats, Floats, Floats, float]:
    """Reliability, Beta weights, votes by person, and the crowd's new average."""
    kept = sums(comparisons.person, straight, comparisons.people)
    votes = sums(comparisons.person, sided, comparisons.people)
    voters = votes > 0
    weight = np.stack([kept + VOTES_LIKE_THE_CROWD * crowd, votes - kept + VOTES_LIKE_THE_CROWD * (1 - crowd)], axis=1)
    reliability = weight[:, 0] / weight.sum(axis=1)
    average = float(reliability[voters].mean()) if voters.any() else crowd
    return reliability, weight, votes, min(max(average, CROWD_LOWEST), 0.99)


def _log_posterior(state: CrowdStrengths, comparisons: Comparisons) -> float:
    seen = state.log_chances(comparisons)[np.arange(len(comparisons)), comparisons.outcome].sum()
    strengths = state.strengths
    prior = -0.5 * float((strengths.strength**2).sum()) / strengths.prior_sd**2
    ahead, behind = VOTES_LIKE_THE_CROWD * state.crowd, VOTES_LIKE_THE_CROWD * (1 - state.crowd)
    eta = state.reliability
    belief = (xlogy(ahead, eta) + xlog1py(behind, -eta) - betaln(ahead, behind)).sum()
    return float(seen) + prior + float(belief)


def _sharpened(state: CrowdStrengths, comparisons: Comparisons, *, converged: bool) -> CrowdStrengths:
    """The covariance of what was observed: less is known than if everybody's meaning were known.

    Louis (JRSS B 1982, 44:226): the observed information is the complete one less the variance of the complete
    score. For one vote that is straight (1 - straight) times the squared gap of the two scores, along its log odds.
    """
    straight = straightness(state, comparisons)
    # The score of a vote by its log odds is +-1/2 - mean, so turning it around moves it by one; a tie by nothing.
    lost = straight * (1 - straight) * (comparisons.outcome != TIE)
    votes = np.zeros((len(comparisons), OUTCOMES))
    votes[:, LEFT] = lost
    lacking = counted(comparisons.left, comparisons.right, votes, comparisons.items)
    known = replace(state.strengths, peak=_weakened(state.strengths.peak, lacking))
    return replace(state, strengths=known, converged=converged)


def _weakened(peak: Peak, lacking: Contests) -> Peak:
    less = DavidsonPosterior(lacking, np.zeros(lacking.items)).crossed(lacking.won[:, LEFT])
    others = len(peak.at) - lacking.items
    padded = bordered(less, np.zeros((lacking.items, others)), np.zeros((others, others))) if others else less
    curvature = csc_array(peak.curvature - padded)
    try:
        solve, log_determinant = factored(curvature)
    except np.linalg.LinAlgError:
        # With very few votes the observed information may not be positive; the complete one always is.
        return peak
    return replace(peak, curvature=curvature, solve=solve, log_determinant=log_determinant)
