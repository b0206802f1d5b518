"""Truth inference for ordered classes: each person has a bias and a spread on one scale, not a whole matrix."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import ndtr

from preceptor.quality.labels import BadLabels, Floats, Ints, Labels
from preceptor.quality.truth.result import Fit, known_evidence, log_sum_exp, normalized, refuse_huge, refuse_unusable

CLASSES_MAX = 100
ROUNDS_MAX = 60
STEPS = 10
# A round that changes the log likelihood by less, in nats per judgment, is the last: later ones fit noise.
CHANGE_MIN = 5e-5
PRIOR_ITEMS = 10.0
NAME = "ordinal-dawid-skene"
_TINY = 1e-12
_SQRT_2PI = float(np.sqrt(2 * np.pi))


@dataclass(frozen=True)
class CrowdScale:
    """What is believed about people before they are known, in steps between neighbouring classes.

    Biases are Normal(0, bias_sd^2); log spreads are Normal(crowd's, log_spread_sd^2), the crowd's being estimated.
    With chance `lapse` anybody picks any class. `strength` is how many judgments per true class the curve counts for
    beside what a person was seen to do: infinite means that the curve is all there is.

    Defaults of `lapse` and `strength` were chosen on one published set (web_ordinal), so figures on it flatter them.
    """

    bias_sd: float = 0.5
    log_spread_sd: float = 0.5
    lapse: float = 0.1
    strength: float = 2.0

    def __post_init__(self) -> None:
        sound = 0 < self.bias_sd < np.inf and 0 < self.log_spread_sd < np.inf and 0 <= self.lapse < 1
        if not sound or not self.strength > 0:
            raise ValueError(f"unusable {self}")


@dataclass(frozen=True)
class OrdinalFit:
    """`fit` in the shape of every truth-inference model, and what is special about ordered classes.

    `bias` (people,) is how much too high (in classes) a person's impression is, `spread` (people,) how much it
    scatters; both shrunk to the crowd, with standard errors `bias_error` and `log_spread_error`. `thresholds`
    (classes - 1,) are the shared cuts of the scale on which class k lies at k. People without judgments have the
    crowd's values.
    """

    fit: Fit
    bias: Floats
    bias_error: Floats
    spread: Floats
    log_spread_error: Floats
    thresholds: Floats

    @property
    def mean(self) -> Floats:
        """(items,) posterior mean of the class index: least squared error."""
        return np.asarray(self.fit.posterior @ np.arange(self.fit.posterior.shape[1]), dtype=np.float64)

    @property
    def median(self) -> Ints:
        """(items,) posterior median class: least absolute error."""
        below = self.fit.posterior.cumsum(axis=1)
        return np.asarray(np.argmax(below >= 0.5 - 1e-9, axis=1), dtype=np.int64)


def ordinal_dawid_skene(
    labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None, scale: CrowdScale | None = None
) -> Fit:
    """`fit_ordinal` as one of the models that the automatic choice compares. For classes in order only."""
    return fit_ordinal(labels, gold=gold, scale=scale).fit


def fit_ordinal(labels: Labels, *, gold: Ints | None = None, scale: CrowdScale | None = None) -> OrdinalFit:
    """Dawid and Skene's model with each person's confusion matrix shrunk towards one cut out of a normal curve.

    An item of class k makes on person w the impression Normal(k + bias_w, spread_w^2); they give the class whose
    interval between shared thresholds it falls into (Thurstone's and McCullagh's cumulative model, JRSS B 1980,
    42:109; people's bias and scatter as in Uebersax and Grove, "A latent trait finite mixture model for the analysis
    of rating agreement", Biometrics 1993, 49:823). Two numbers per person instead of classes^2 are learnt from few
    labels, and wrong answers are expected near the right one. Not everybody errs like that, so the matrix used is
    the mean of a Dirichlet posterior around the curve's: expected counts plus `scale.strength` times the curve's
    row. With much evidence this is Dawid and Skene (1979), with little it is two numbers.

    Fitted by EM; the curves by L-BFGS to the expected counts, with Gaussian priors on people.

    Assumes that class indices are in order and people independent. Known answers (`gold`) settle their items.
    Repeats all count. With one class, or one person, the answer is what was given and the person is the crowd.
    `BadLabels`: no judgment, or more than 100 classes (that is a number: use `quality.numeric`).
    """
    refuse_unusable(labels, gold)
    if labels.classes > CLASSES_MAX:
        raise BadLabels(f"{labels.classes} ordered classes; up to {CLASSES_MAX} are fitted, more are numbers")
    # Every round holds about eight tables of chances at once.
    refuse_huge(labels.items, 8 * labels.people, labels.classes)
    return _Model(labels, gold, scale or CrowdScale()).fitted()


class _Model:
    """EM over posterior and parameters (bias (people,), log spread (people,), thresholds (classes - 1,))."""

    def __init__(self, labels: Labels, gold: Ints | None, scale: CrowdScale) -> None:
        self.labels, self.scale = labels, scale
        self.people, self.classes = labels.people, labels.classes
        self.evidence = np.zeros((labels.items, labels.classes))
        if gold is not None:
            self.evidence = known_evidence(gold, labels.classes)
        self.cell = labels.person * labels.classes + labels.label
        self.crowd = float(np.log(0.7))

    def fitted(self) -> OrdinalFit:
        at = np.concatenate(
            [np.zeros(self.people), np.full(self.people, self.crowd), np.arange(self.classes - 1) + 0.5]
        )
        posterior = self._started()
        before, rounds, converged = -np.inf, 0, False
        prior, confusion = np.full(self.classes, 1 / self.classes), self._curves(at)
        while rounds < ROUNDS_MAX and not converged:
            rounds += 1
            counts = self._counts(posterior)
            at = self._maximised(at, counts)
            confusion = self._matrices(at, counts)
            prior = (posterior.sum(axis=0) + PRIOR_ITEMS) / (posterior.sum() + PRIOR_ITEMS * self.classes)
            posterior, value = self._expected(confusion, prior)
            # Stops by what a judgment gains, so that the size of a set does not matter.
            converged = abs(value - before) < CHANGE_MIN * max(1, len(self.labels))
            before = value
        return self._result(at, Fit(NAME, posterior, prior, confusion, before, rounds, converged))

    def _started(self) -> Floats:
        counts = self.labels.counts.toarray() + 0.1
        return normalized(np.log(counts) + self.evidence)

    def _expected(self, confusion: Floats, prior: Floats) -> tuple[Floats, float]:
        log_chance = np.log(confusion.transpose(0, 2, 1).reshape(-1, self.classes))
        scores = np.stack(
            [_sums(self.labels.item, log_chance[self.cell, k], self.labels.items) for k in range(self.classes)],
            axis=1,
        )
        scores = scores + np.log(prior) + self.evidence
        return normalized(scores), float(log_sum_exp(scores).sum())

    def _counts(self, posterior: Floats) -> Floats:
        """Expected counts (people, classes, classes) as [person, truth, given]."""
        size = self.people * self.classes
        columns = [_sums(self.cell, posterior[self.labels.item, k], size) for k in range(self.classes)]
        return np.stack(columns, axis=1).reshape(self.people, self.classes, self.classes).transpose(0, 2, 1)

    def _maximised(self, at: Floats, counts: Floats) -> Floats:
        found = minimize(self._lack, at, args=(counts,), jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
        best = np.asarray(found.x, dtype=np.float64)
        seen = counts.sum(axis=(1, 2)) > 0
        if seen.any():
            self.crowd = float(best[self.people : 2 * self.people][seen].mean())
        best[self.people : 2 * self.people][~seen] = self.crowd
        return best

    def _lack(self, at: Floats, counts: Floats) -> tuple[float, Floats]:
        """Minus the expected log posterior of parameters, and its gradient."""
        bias, log_spread, cuts = self._split(at)
        chance, upper, lower, density_upper, density_lower = self._cells(bias, log_spread, cuts)
        value = (counts * np.log(chance)).sum()
        weight = counts * (1 - self.scale.lapse) / chance
        spread = np.exp(log_spread)
        # d chance / d cut = density / spread at the cell's upper edge, its opposite at the lower one.
        edge = weight / spread[:, None, None]
        to_bias = (edge * (density_lower - density_upper)).sum(axis=(1, 2))
        to_spread = (weight * (lower * density_lower - upper * density_upper)).sum(axis=(1, 2))
        to_cuts = (edge * density_upper).sum(axis=(0, 1))[:-1] - (edge * density_lower).sum(axis=(0, 1))[1:]
        away = (log_spread - self.crowd) / self.scale.log_spread_sd
        off = bias / self.scale.bias_sd
        gaps = cuts - (np.arange(self.classes - 1) + 0.5)
        value -= 0.5 * ((away**2).sum() + (off**2).sum() + (gaps**2).sum())
        gradient = np.concatenate(
            [to_bias - off / self.scale.bias_sd, to_spread - away / self.scale.log_spread_sd, to_cuts - gaps]
        )
        return -float(value), -gradient

    def _split(self, at: Floats) -> tuple[Floats, Floats, Floats]:
        return at[: self.people], at[self.people : 2 * self.people], at[2 * self.people :]

    def _curves(self, at: Floats) -> Floats:
        """Chances [person, truth, given] by the curves alone."""
        chance = self._cells(*self._split(at))[0]
        return np.asarray(chance / chance.sum(axis=2, keepdims=True), dtype=np.float64)

    def _matrices(self, at: Floats, counts: Floats) -> Floats:
        curves = self._curves(at)
        if np.isinf(self.scale.strength):
            return curves
        seen = counts + self.scale.strength * curves
        return np.asarray(seen / seen.sum(axis=2, keepdims=True), dtype=np.float64)

    def _cells(self, bias: Floats, log_spread: Floats, cuts: Floats) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Chances [person, truth, given], standardised edges of the cells (0 for infinite ones) and densities there."""
        centre = np.arange(self.classes)[None, :, None] + bias[:, None, None]
        inner = (np.sort(cuts)[None, None, :] - centre) / np.exp(log_spread)[:, None, None]
        shape = (self.people, self.classes, 1)
        below = np.concatenate([np.zeros(shape), ndtr(inner), np.ones(shape)], axis=2)
        density = np.exp(-0.5 * inner**2) / _SQRT_2PI
        densities = np.concatenate([np.zeros(shape), density, np.zeros(shape)], axis=2)
        edges = np.concatenate([np.zeros(shape), inner, np.zeros(shape)], axis=2)
        chance = (1 - self.scale.lapse) * np.diff(below, axis=2) + self.scale.lapse / self.classes + _TINY
        return chance, edges[:, :, 1:], edges[:, :, :-1], densities[:, :, 1:], densities[:, :, :-1]

    def _result(self, at: Floats, fit: Fit) -> OrdinalFit:
        bias, log_spread, cuts = self._split(at)
        errors = self._errors(bias, log_spread, cuts, self._counts(fit.posterior))
        return OrdinalFit(fit, bias, errors[0], np.exp(log_spread), errors[1], np.sort(cuts))

    def _errors(self, bias: Floats, log_spread: Floats, cuts: Floats, counts: Floats) -> tuple[Floats, Floats]:
        """Standard errors from the expected information of what a person's counts say, and the prior."""
        chance, upper, lower, density_upper, density_lower = self._cells(bias, log_spread, cuts)
        seen = counts.sum(axis=2, keepdims=True)
        slope_bias = (density_lower - density_upper) / np.exp(log_spread)[:, None, None]
        slope_spread = lower * density_lower - upper * density_upper
        of_bias = (seen * slope_bias**2 / chance).sum(axis=(1, 2)) + self.scale.bias_sd**-2
        of_spread = (seen * slope_spread**2 / chance).sum(axis=(1, 2)) + self.scale.log_spread_sd**-2
        return 1 / np.sqrt(of_bias), 1 / np.sqrt(of_spread)


def _sums(place: Ints, weight: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(place, weight, size), dtype=np.float64)
