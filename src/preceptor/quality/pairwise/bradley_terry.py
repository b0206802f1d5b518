"""Strengths from paired comparisons with ties, with covariance, bias coefficients and honest gaps.

Bradley and Terry, "Rank analysis of incomplete block designs" (Biometrika 1952, 39:324); ties after Davidson (JASA
1970, 65:317); the Gaussian prior and the Laplace approximation of its evidence as in MacKay, "Bayesian
interpolation" (Neural Computation 1992, 4:415).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, log, sqrt

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, ndtri

from preceptor.quality.intervals import LEVEL, Estimate
from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise.comparisons import (
    LEFT,
    RIGHT,
    TIE,
    BadComparisons,
    Comparisons,
    Contests,
    counted,
    named_coefficients,
)
from preceptor.quality.pairwise.davidson import DavidsonPosterior, Peak, log_chances

# Weak priors of what is no strength: log tie, and a coefficient per unit of root mean square of its covariate.
TIE_SD = 3.0
COEFFICIENT_SD = 10.0
# Few comparisons say nothing about the spread of strengths, and their evidence alone would make it 0 and all
# intervals narrow. A log-normal prior around one logit (times or divided by e at one sigma) decides there.
SPREAD_USUAL = 1.0
SPREAD_LOG_SD = 1.0
SPREAD_LOWEST, SPREAD_HIGHEST = 0.01, 20.0
# Variances of all items are solved for this many columns at a time.
_COLUMNS_AT_ONCE = 256

NOT_CONNECTED = "no chain of comparisons connects the two; only the prior compares them"
NEVER_COMPARED = "never compared; only the prior speaks"


@dataclass(frozen=True)
class Coefficient:
    """What one covariate adds to the log odds of the left side, per unit, with its standard error.

    `odds_ratio` = exp(value); 1 means no bias. For a constant covariate 1 this is the pull of the left place.
    """

    name: str
    value: float
    standard_error: float
    estimate: Estimate

    @property
    def odds_ratio(self) -> float:
        return exp(self.value)


@dataclass(frozen=True)
class Strengths:
    """Strengths in logits, centred on 0 within each connected group, with the posterior's covariance.

    `strength` (items,); `log_tie` is None where no tie was possible or seen; `component` (items,) numbers the groups
    of items that comparisons connect; `played` (items,) counts comparisons; `prior_sd` is the spread of the prior.
    Intervals are those of the Laplace approximation: normal in logits, carried over to chances.
    """

    strength: Floats
    log_tie: float | None
    coefficients: tuple[Coefficient, ...]
    component: Ints
    played: Floats
    prior_sd: float
    log_evidence: float
    peak: Peak

    @property
    def items(self) -> int:
        return len(self.strength)

    @property
    def components(self) -> int:
        """How many groups of items nothing connects."""
        return int(self.component.max()) + 1

    @property
    def order(self) -> Ints:
        """Items from strongest to weakest."""
        return np.argsort(-self.strength, kind="stable")

    @cached_property
    def variance(self) -> Floats:
        """Posterior variance (items,) of each strength beside the average of its group; the prior's for a single.

        What comparisons cannot tell is the level of a whole group. Its variance is prior_sd^2 / (size of the group)
        in every member, because the constant vector over a group is an eigenvector of the Hessian; it goes out here.
        """
        variance = np.empty(self.items)
        for start in range(0, self.items, _COLUMNS_AT_ONCE):
            columns = np.arange(start, min(start + _COLUMNS_AT_ONCE, self.items))
            unit = np.zeros((len(self.peak.at), len(columns)))
            unit[columns, np.arange(len(columns))] = 1.0
            variance[columns] = self.peak.solve(unit)[columns, np.arange(len(columns))]
        size = np.bincount(self.component)[self.component]
        return np.where(size > 1, variance - self.prior_sd**2 / size, variance)

    @cached_property
    def covariance(self) -> Floats:
        """Posterior covariance (items, items): the inverse of the negative Hessian, the level of each group included.
        Dense; for few items."""
        unit = np.eye(len(self.peak.at), self.items)
        return self.peak.solve(unit)[: self.items]

    def interval(self, item: int, level: float = LEVEL) -> Estimate:
        """Strength of one item. The zero is the average of its group, so compare only within a group."""
        reason = NEVER_COMPARED if self.played[item] == 0 else None
        return _normal(
            float(self.strength[item]), sqrt(float(self.variance[item])), int(self.played[item]), reason, level
        )

    def comparable(self, first: int, second: int) -> bool:
        """Whether comparisons connect the two, directly or through others."""
        return bool(self.component[first] == self.component[second])

    def difference(self, first: int, second: int, level: float = LEVEL) -> Estimate:
        """Log odds that the first beats the second, with an interval that knows their covariance."""
        contrast = np.zeros(len(self.peak.at))
        contrast[first] += 1.0
        contrast[second] -= 1.0
        sd = sqrt(max(0.0, float(contrast @ self.peak.solve(contrast))))
        reason = None if self.comparable(first, second) else NOT_CONNECTED
        n = int(min(self.played[first], self.played[second]))
        return _normal(float(self.strength[first] - self.strength[second]), sd, n, reason, level)

    def win(self, first: int, second: int, level: float = LEVEL) -> Estimate:
        """Chance that the first beats the second, given that it is no tie."""
        logit = self.difference(first, second, level)
        values = [None if bound is None else float(expit(bound)) for bound in (logit.value, logit.low, logit.high)]
        return Estimate(values[0], values[1], values[2], logit.n, logit.reason)

    def chances(self, first: int, second: int) -> tuple[float, float, float]:
        """Chances that the first wins, that it is a tie, and that the second wins, all covariates being 0."""
        odds = np.array([self.strength[first] - self.strength[second]])
        chance = np.exp(log_chances(odds, self.log_tie))[0]
        return float(chance[LEFT]), float(chance[TIE]), float(chance[RIGHT])

    def log_chances(self, comparisons: Comparisons) -> Floats:
        """Log chances (n, 3) of each outcome of comparisons, covariates included."""
        odds = self.strength[comparisons.left] - self.strength[comparisons.right]
        if comparisons.covariates is not None and self.coefficients:
            odds = odds + comparisons.covariates @ np.array([bias.value for bias in self.coefficients])
        return log_chances(odds, self.log_tie)


def bradley_terry(
    comparisons: Comparisons | Contests,
    *,
    prior_sd: float | None = None,
    names: Sequence[str] | None = None,
    start: Floats | None = None,
) -> Strengths:
    """Most probable strengths of all items, ties after Davidson, covariates as biases.

    Model: log odds of left over right = s_left - s_right + x . b, a tie as likely as nu times the geometric mean of
    both; s ~ Normal(0, prior_sd^2) independently. `prior_sd` None takes the value with the greatest evidence
    (marginal likelihood by Laplace's approximation), between 0.01 and 20 logits. Where no tie was seen, none is
    modelled. Assumes independent comparisons by interchangeable people (see `crowd_bradley_terry`).

    The prior keeps winners of everything, and groups that nothing connects, finite: these get intervals as wide as
    the prior, and `comparable` tells. Items never compared get the prior alone. No comparison at all is allowed and
    gives the prior with a reason. Cost: counting is linear in the comparisons, Newton's method then works on the
    pairs (on the comparisons, where there are covariates).
    """
    if prior_sd is not None and not 0 < prior_sd < inf:
        raise BadComparisons(f"the prior's standard deviation is {prior_sd}; a positive number is wanted")
    contests = comparisons.contests if isinstance(comparisons, Comparisons) else comparisons
    spread = estimated_spread(contests) if prior_sd is None else prior_sd
    peak = _posterior(contests, spread).climb(start)
    return _strengths(contests, spread, peak, named_coefficients(names, contests.covariates))


def estimated_spread(contests: Contests) -> float:
    """Standard deviation of strengths with the greatest evidence times its own weak log-normal prior around 1.

    Covariates are left out of this estimate (what they explain then adds to the spread), so that it works on counts.
    """
    plain = counted(contests.first, contests.second, contests.won, contests.items)
    warm: list[Floats] = []

    def lack(log_spread: float) -> float:
        posterior = _posterior(plain, exp(log_spread))
        peak = posterior.climb(warm[-1] if warm else None)
        warm.append(peak.at)
        doubt = (log_spread - log(SPREAD_USUAL)) / SPREAD_LOG_SD
        return 0.5 * doubt**2 - log_evidence(posterior.precision, peak)

    found = minimize_scalar(lack, bounds=(log(SPREAD_LOWEST), log(SPREAD_HIGHEST)), options={"xatol": 0.02})
    return float(exp(found.x))


def _posterior(contests: Contests, spread: float) -> DavidsonPosterior:
    parts = [np.full(contests.items, spread**-2)]
    if contests.design is not None:
        size = np.sqrt((contests.design**2).mean(axis=0)) if len(contests.design) else np.ones(contests.covariates)
        parts.append((np.where(size > 0, size, 1.0) / COEFFICIENT_SD) ** 2)
    if contests.won[:, TIE].sum() > 0:
        parts.append(np.array([TIE_SD**-2]))
    return DavidsonPosterior(contests, np.concatenate(parts))


def log_evidence(precision: Floats, peak: Peak) -> float:
    """Log marginal likelihood by Laplace's approximation, for independent Gaussian priors of this precision."""
    # The powers of 2 pi of prior and Laplace's approximation cancel.
    return peak.value + 0.5 * float(np.log(precision).sum()) - 0.5 * peak.log_determinant


def _strengths(contests: Contests, spread: float, peak: Peak, names: tuple[str, ...]) -> Strengths:
    posterior = _posterior(contests, spread)
    return Strengths(
        peak.at[: contests.items],
        posterior.log_tie(peak.at),
        tuple(_coefficient(contests, peak, place, name) for place, name in enumerate(names)),
        contests.components,
        contests.played,
        spread,
        log_evidence(posterior.precision, peak),
        peak,
    )


def _coefficient(contests: Contests, peak: Peak, place: int, name: str) -> Coefficient:
    unit = np.zeros(len(peak.at))
    unit[contests.items + place] = 1.0
    error = sqrt(float(unit @ peak.solve(unit)))
    value = float(peak.at[contests.items + place])
    idle = contests.design is None or not contests.design[:, place].any()
    reason = "the covariate is 0 in every comparison" if idle else None
    return Coefficient(name, value, error, _normal(value, error, int(contests.won.sum()), reason, LEVEL))


def _normal(value: float, sd: float, n: int, reason: str | None, level: float) -> Estimate:
    reach = float(ndtri((1 + level) / 2)) * sd
    return Estimate(value, value - reach, value + reach, n, reason)
