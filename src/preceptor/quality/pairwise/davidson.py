"""Davidson's likelihood of contests with ties: its gradient, its curvature and Newton's method on it.

With the log odds d = s_first - s_second + x . b, the outcomes (first, tie, second) have the chances
softmax(d / 2, v, -d / 2). This is Davidson, "On extending the Bradley-Terry model to accommodate ties in paired
comparison experiments" (JASA 1970, 65:317), P(tie) proportional to nu sqrt(p_i p_j), with s = log p and v = log nu.
It is a multinomial logit that is linear in (s, b, v), so the log likelihood is concave and Newton's method with
halved steps finds the one maximum under a Gaussian prior.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import block_array, csc_array, diags_array
from scipy.sparse.linalg import splu

from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise.comparisons import LEFT, OUTCOMES, RIGHT, TIE, Contests, sums

# Up to this many parameters a dense Cholesky factor is faster than a sparse one.
DENSE_MAX = 1500
NEWTON_MAX = 60
HALVINGS_MAX = 30
# Half the squared Newton decrement is the gain in log likelihood that is still to be had.
GAIN_MIN = 1e-9

Solve = Callable[[Floats], Floats]


def log_chances(log_odds: Floats, log_tie: float | Floats | None) -> Floats:
    """Log chances (n, 3) of (left, tie, right); without ties the middle column is minus infinity."""
    scores = np.empty((len(log_odds), OUTCOMES))
    scores[:, LEFT] = log_odds / 2
    scores[:, TIE] = -np.inf if log_tie is None else log_tie
    scores[:, RIGHT] = -log_odds / 2
    # The greatest score goes out first: exponentials of large ones overflow.
    scores -= scores.max(axis=1, keepdims=True)
    return np.asarray(scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Curve:
    """Value, gradient (d,) and negative Hessian of a log posterior at one point."""

    value: float
    gradient: Floats
    curvature: csc_array


@dataclass(frozen=True)
class Peak:
    """The maximum of a log posterior: where, how high, and the factored negative Hessian there."""

    at: Floats
    value: float
    curvature: csc_array
    solve: Solve
    log_determinant: float


@dataclass(frozen=True)
class DavidsonPosterior:
    """Log posterior of (strengths, coefficients, log tie) with independent Gaussian priors around 0.

    `precision` (d,) holds one over the prior variances; its length says whether ties are modelled:
    d = items + covariates (+ 1).
    """

    contests: Contests
    precision: Floats

    @property
    def linear(self) -> int:
        return self.contests.items + self.contests.covariates

    @property
    def ties(self) -> bool:
        return len(self.precision) > self.linear

    def log_odds(self, at: Floats) -> Floats:
        """Log odds (m,) of the first over the second."""
        contests = self.contests
        odds: Floats = at[contests.first] - at[contests.second]
        if contests.design is not None:
            odds = odds + contests.design @ at[contests.items : self.linear]
        return odds

    def log_tie(self, at: Floats) -> float | None:
        return float(at[-1]) if self.ties else None

    @cached_property
    def won(self) -> Floats:
        """Counts (m, 3), those of ties 0 where ties are not modelled."""
        return self.contests.won if self.ties else self.contests.won * np.array([1.0, 0.0, 1.0])

    def value(self, at: Floats) -> float:
        chances = log_chances(self.log_odds(at), self.log_tie(at))
        if not self.ties:
            chances[:, TIE] = 0.0
        return float((self.won * chances).sum() - 0.5 * (self.precision * at**2).sum())

    def curve(self, at: Floats) -> Curve:
        chance = np.exp(log_chances(self.log_odds(at), self.log_tie(at)))
        total = self.won.sum(axis=1)
        lead = chance[:, LEFT] - chance[:, RIGHT]
        gradient = self.summed((self.won[:, LEFT] - self.won[:, RIGHT] - total * lead) / 2)
        curvature = self.crossed(total * (chance[:, LEFT] + chance[:, RIGHT] - lead**2) / 4)
        if self.ties:
            gradient = np.append(gradient, (self.won[:, TIE] - total * chance[:, TIE]).sum())
            edge = self.summed(-total * lead * chance[:, TIE] / 2)
            corner = (total * chance[:, TIE] * (1 - chance[:, TIE])).sum()
            curvature = bordered(curvature, edge[:, None], np.array([[corner]]))
        curvature = csc_array(curvature + diags_array(self.precision))
        return Curve(self.value(at), gradient - self.precision * at, curvature)

    def summed(self, to_odds: Floats) -> Floats:
        """Derivatives by log odds (m,) as derivatives by strengths and coefficients."""
        contests = self.contests
        by_item = self._by_item(to_odds)
        if contests.design is None:
            return by_item
        return np.concatenate([by_item, contests.design.T @ to_odds])

    def crossed(self, by_odds: Floats) -> csc_array:
        """Curvatures by log odds (m,) as a matrix over strengths and coefficients."""
        first, second, place = self._pairs
        weight = sums(place, by_odds, len(first))
        diagonal = np.arange(self.contests.items)
        strength = sums(first, weight, self.contests.items) + sums(second, weight, self.contests.items)
        laplacian = csc_array(
            (
                np.concatenate([strength, -weight, -weight]),
                (np.concatenate([diagonal, first, second]), np.concatenate([diagonal, second, first])),
            ),
            shape=(self.contests.items, self.contests.items),
        )
        design = self.contests.design
        if design is None:
            return laplacian
        edge = np.stack([self._by_item(by_odds * column) for column in design.T], axis=1)
        return bordered(laplacian, edge, design.T @ (by_odds[:, None] * design))

    def _by_item(self, per_contest: Floats) -> Floats:
        contests = self.contests
        return sums(contests.first, per_contest, contests.items) - sums(contests.second, per_contest, contests.items)

    @cached_property
    def _pairs(self) -> tuple[Ints, Ints, Ints]:
        """Distinct (first, second) and the place of each contest among them."""
        keys, place = np.unique(self.contests.first * self.contests.items + self.contests.second, return_inverse=True)
        return keys // self.contests.items, keys % self.contests.items, np.asarray(place, dtype=np.int64)

    def climb(self, start: Floats | None = None) -> Peak:
        """Newton's method from `start` (zeros)."""
        return climb(self.curve, self.value, np.zeros(len(self.precision)) if start is None else start)


def climb(curve: Callable[[Floats], Curve], value: Callable[[Floats], float], at: Floats) -> Peak:
    """Maximum of a concave function by Newton's method; steps that would go down are halved."""
    for _ in range(NEWTON_MAX):
        here = curve(at)
        solve, log_determinant = factored(here.curvature)
        step = solve(here.gradient)
        gain = float(here.gradient @ step) / 2
        if gain < GAIN_MIN:
            return Peak(at, here.value, here.curvature, solve, log_determinant)
        for _ in range(HALVINGS_MAX):
            if value(at + step) > here.value:
                break
            step = step / 2
        at = at + step
    here = curve(at)
    solve, log_determinant = factored(here.curvature)
    return Peak(at, here.value, here.curvature, solve, log_determinant)


def bordered(matrix: csc_array, edge: Floats, corner: Floats) -> csc_array:
    """A symmetric matrix (d, d) with k more rows and columns: `edge` (d, k) and `corner` (k, k)."""
    sides = csc_array(edge)
    return csc_array(block_array([[matrix, sides], [csc_array(sides.T), csc_array(corner)]]))


def factored(matrix: csc_array) -> tuple[Solve, float]:
    """Solver and log determinant of a positive definite matrix."""
    if matrix.shape[0] <= DENSE_MAX:
        factor = cho_factor(matrix.toarray(), lower=True)
        determinant = 2 * float(np.log(np.diagonal(factor[0])).sum())
        return lambda right: np.asarray(cho_solve(factor, right), dtype=np.float64), determinant
    # Natural pivots are kept where they can be: the matrix is positive definite and needs none.
    sparse = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    determinant = float(np.log(np.abs(sparse.U.diagonal())).sum())
    return lambda right: np.asarray(sparse.solve(right), dtype=np.float64), determinant
