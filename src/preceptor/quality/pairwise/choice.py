"""Which model of comparisons to use: the simpler one, unless the richer one foretells unseen votes clearly better."""

from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np
from scipy.special import ndtri

from preceptor.quality.intervals import LEVEL, Estimate
from preceptor.quality.labels import Floats
from preceptor.quality.pairwise.bradley_terry import Strengths, bradley_terry
from preceptor.quality.pairwise.comparisons import BadComparisons, Comparisons
from preceptor.quality.pairwise.rater_aware import CrowdStrengths, crowd_bradley_terry

FOLDS = 5
VOTES_MIN = 20
Model = Literal["bradley_terry", "crowd_bradley_terry"]


@dataclass(frozen=True)
class Choice:
    """The chosen model, fitted to all votes, and why.

    `gain` is how much less a held-out vote costs under the rater-aware model, in nats with an interval; `loss` is the
    mean held-out cost by model. Both are unknown with a reason where there are too few votes or people to tell.
    """

    model: Model
    strengths: Strengths
    people: CrowdStrengths | None
    gain: Estimate
    loss: dict[Model, float]


def choose(comparisons: Comparisons, rng: np.random.Generator, *, prior_sd: float | None = None) -> Choice:
    """Bradley-Terry, or Crowd-BT where it helps by more than one standard error of the held-out gain.

    Five folds of votes: each vote is foretold by models fitted to the other folds, and pays minus the log of the
    chance that it was given. One standard error (Breiman et al., "Classification and regression trees", 1984) must
    separate the two means, because at equal accuracy the model with fewer unknowns is easier to explain and does not
    judge people.
    """
    obstacle = _obstacle(comparisons)
    if obstacle is not None:
        strengths = bradley_terry(comparisons, prior_sd=prior_sd)
        return Choice("bradley_terry", strengths, None, Estimate.unknown(obstacle, len(comparisons)), {})
    plain, aware = _held_out_costs(comparisons, rng, prior_sd)
    gain = plain - aware
    error = float(gain.std(ddof=1)) / sqrt(len(gain))
    reach = float(ndtri((1 + LEVEL) / 2)) * error
    mean = float(gain.mean())
    estimate = Estimate(mean, mean - reach, mean + reach, len(gain))
    loss: dict[Model, float] = {"bradley_terry": float(plain.mean()), "crowd_bradley_terry": float(aware.mean())}
    if mean > error:
        people = crowd_bradley_terry(comparisons, prior_sd=prior_sd)
        return Choice("crowd_bradley_terry", people.strengths, people, estimate, loss)
    return Choice("bradley_terry", bradley_terry(comparisons, prior_sd=prior_sd), None, estimate, loss)


def _obstacle(comparisons: Comparisons) -> str | None:
    if len(comparisons) < VOTES_MIN:
        return f"{len(comparisons)} votes are too few to compare models; {VOTES_MIN} are needed"
    if len(np.unique(comparisons.person)) < 2:
        return "all votes are by one person, whose reliability cannot be told from the items"
    if comparisons.covariates is not None:
        return "the rater-aware model takes no covariates"
    return None


def _held_out_costs(
    comparisons: Comparisons, rng: np.random.Generator, prior_sd: float | None
) -> tuple[Floats, Floats]:
    n = len(comparisons)
    fold = rng.permutation(n) % FOLDS
    plain, aware = np.empty(n), np.empty(n)
    for number in range(FOLDS):
        rest, hidden = comparisons.where(fold != number), comparisons.where(fold == number)
        spread = bradley_terry(rest, prior_sd=prior_sd)
        plain[fold == number] = vote_costs(spread.log_chances(hidden), hidden)
        crowd = crowd_bradley_terry(rest, prior_sd=prior_sd)
        aware[fold == number] = vote_costs(crowd.log_chances(hidden), hidden)
    return plain, aware


def vote_costs(log_chance: Floats, votes: Comparisons) -> Floats:
    """Minus the log of the chance that each vote was given, in nats, shape (n,)."""
    if log_chance.shape != (len(votes), 3):
        raise BadComparisons(f"chances have shape {log_chance.shape}; ({len(votes)}, 3) is wanted")
    # A kind of outcome that the fit has never seen must cost much, not everything.
    return -np.maximum(log_chance[np.arange(len(votes)), votes.outcome], np.log(1e-6))
