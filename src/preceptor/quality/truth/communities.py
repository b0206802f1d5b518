"""Communities of judgments: within a true class, items come in hidden kinds on which people err together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array
from scipy.special import digamma, gammaln

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.crowd import Known, given_matrix, looked_at, only_class, vote_shares
from preceptor.quality.truth.result import Fit, normalized, refuse_unusable

ClassPrior = Literal["votes", "weak", "uniform"]
Towards = Literal["truth", "crowd"]

KINDS = 10
# Starts are averaged, more of them where a fit is cheap and its maxima many: about so many judgments over all starts.
STARTED_JUDGMENTS = 60_000
STARTS_MAX = 10
ROUNDS_MAX = 500
# A fit is settled when the chances of an average item move by less than this in a round.
TOLERANCE = 1e-3
# Kinds start from a draw that gives each item to few of them. A flat draw leaves the kinds nearly alike, and the fit
# can settle before they part.
PARTING = 0.1
# As published: pseudo-judgments for the truth and for each other class in a row of a confusion matrix, and the weight
# of the symmetric prior over kinds (shared among them: kinds that are not needed stay empty).
RIGHT, WRONG = 4.0, 1.0
KINDS_WEIGHT = 0.1
# Pseudo-judgments per class in a row that is drawn towards the crowd instead.
CROWD_WEIGHT = 2.0
# Items at a time: their chances (2^20 numbers, 8 MiB) are all that is held beside the model.
_CELLS_PER_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Settings:
    """How many kinds of items a class has, what the class prior knows, and what a confusion matrix is drawn towards.

    class_prior: `votes` counts the votes as if they were as many known items, `weak` has one pseudo-item per class,
        `uniform` holds all classes equally likely.
    starts: None for as many as `STARTED_JUDGMENTS` allow, between 1 and `STARTS_MAX`.
    towards: `truth` favours right judgments alike for all; `crowd` takes the pooled matrix of the kind, learnt along.
    """

    kinds: int = KINDS
    class_prior: ClassPrior = "votes"
    towards: Towards = "truth"
    starts: int | None = None
    rounds_max: int = ROUNDS_MAX
    tolerance: float = TOLERANCE


def ebcc(
    labels: Labels,
    *,
    gold: Ints | None = None,
    rng: np.random.Generator | None = None,
    settings: Settings = Settings(),
) -> Fit:
    """Enhanced Bayesian classifier combination by mean-field variational Bayes.

    Li, Rubinstein and Cohn, "Exploiting Worker Correlation for Label Aggregation in Crowdsourcing" (ICML 2019). Each
    true class has hidden kinds of items (the paper's subtypes); a person has a confusion row for each kind. Judgments
    are independent given the kind, and thus dependent given only the class: people who fall for the same items
    together are not counted as so many witnesses. Priors as published, with vote shares as the class prior.

    Kinds start at random (`rng`; a fixed seed where none is given), classes from the votes. The evidence has many
    local maxima of nearly the same height; where the paper takes the highest of 40 starts, the posterior here is the
    average over `starts`, which varies less. `log_likelihood` is the highest evidence bound. `confusion` averages
    over kinds, and `likelihood` knows the chances of kinds of each item.
    Cost: judgments x classes x kinds per round and start.
    """
    refuse_unusable(labels, gold)
    name = "ibcc" if settings.kinds == 1 else "ebcc"
    if labels.classes == 1:
        return only_class(labels, name)
    data = _Data.of(labels, Known.of(gold, labels.classes), settings)
    rng = np.random.default_rng(0) if rng is None else rng
    return _fit(data, [_one_start(data, settings, rng) for _ in range(_starts(settings, len(labels)))], name)


def _starts(settings: Settings, judgments: int) -> int:
    if settings.kinds == 1:
        return 1
    if settings.starts is not None:
        return settings.starts
    return min(STARTS_MAX, max(1, STARTED_JUDGMENTS // judgments))


@dataclass(frozen=True, slots=True)
class _Data:
    """Judgments by chunks of items, with what stays fixed over rounds."""

    given: csr_array
    people: int
    classes: int
    start: Floats
    known: Known
    counted: Floats
    class_pseudo: Floats

    @classmethod
    def of(cls, labels: Labels, known: Known, settings: Settings) -> "_Data":
        start, counted = vote_shares(labels, known), looked_at(labels, known)
        pseudo = {
            "votes": counted @ start,
            "weak": np.ones(labels.classes),
            # Ten items each per item that is there: what is counted hardly moves it.
            "uniform": np.full(labels.classes, 10.0 * labels.items),
        }[settings.class_prior]
        return cls(given_matrix(labels), labels.people, labels.classes, start, known, counted, np.maximum(pseudo, 1e-3))

    def chunks(self, kinds: int) -> Iterator[slice]:
        step = max(1, _CELLS_PER_CHUNK // (self.classes * kinds))
        for first in range(0, len(self.start), step):
            yield slice(first, min(first + step, len(self.start)))


@dataclass(frozen=True, slots=True)
class _Counts:
    """Expected counts: kinds (classes, kinds) of items, given [person and label, class and kind] of judgments."""

    kinds: Floats
    given: Floats


@dataclass(frozen=True, slots=True)
class _Model:
    """Dirichlet parameters: classes (c,), kinds (c, m), rows (people, given, c, m)."""

    classes: Floats
    kinds: Floats
    rows: Floats

    def log_tables(self) -> tuple[Floats, Floats]:
        """Expected logs: of class and kind (c * m,), and of given labels (people * given, c * m)."""
        classes = digamma(self.classes) - digamma(self.classes.sum())
        kinds = digamma(self.kinds) - digamma(self.kinds.sum(axis=1, keepdims=True))
        rows = digamma(self.rows) - digamma(self.rows.sum(axis=1, keepdims=True))
        people, labels = self.rows.shape[:2]
        return (classes[:, None] + kinds).ravel(), rows.reshape(people * labels, -1)


@dataclass(frozen=True, slots=True)
class _State:
    model: _Model
    posterior: Floats
    bound: float
    rounds: int
    converged: bool


def _one_start(data: _Data, settings: Settings, rng: np.random.Generator) -> _State:
    counts, posterior = _at_random(data, settings.kinds, rng), data.start
    rounds, change, bound, before = 0, np.inf, -np.inf, counts.kinds
    model = _learnt(data, counts, settings)
    while rounds < settings.rounds_max and change > settings.tolerance:
        model = _learnt(data, counts, settings)
        counts, settled, local = _expected(data, model)
        # Kinds are not held between rounds: their sizes stand for them.
        moved = np.abs(settled - posterior).sum() + np.abs(counts.kinds - before).sum()
        change = float(moved) / max(1.0, float(data.counted.sum()))
        posterior, before = settled, counts.kinds
        bound = local - _divergence(data, model, settings)
        rounds += 1
    return _State(model, posterior, bound, rounds, change <= settings.tolerance)


def _at_random(data: _Data, kinds: int, rng: np.random.Generator) -> _Counts:
    """Counts when each item's vote shares are split among kinds by a draw."""
    classes = data.classes
    total = _Counts(np.zeros((classes, kinds)), np.zeros((data.given.shape[1], classes * kinds)))
    for rows in data.chunks(kinds):
        shares = data.start[rows]
        # Gamma draws, scaled to sum to 1, are a Dirichlet draw; the least amount keeps their sum from being 0.
        split = rng.standard_gamma(PARTING, (*shares.shape, kinds)) + 1e-12
        split *= (shares / split.sum(axis=2))[:, :, None]
        _add(total, data, rows, split.reshape(len(shares), -1))
    return total


def _add(total: _Counts, data: _Data, rows: slice, chances: Floats) -> None:
    total.given[:] += data.given[rows].T @ chances
    total.kinds[:] += (data.counted[rows] @ chances).reshape(total.kinds.shape)


def _learnt(data: _Data, counts: _Counts, settings: Settings) -> _Model:
    classes, kinds = counts.kinds.shape
    given = counts.given.reshape(data.people, classes, classes, kinds)
    return _Model(
        data.class_pseudo + counts.kinds.sum(axis=1),
        KINDS_WEIGHT / kinds + counts.kinds,
        given + _row_pseudo(given, settings),
    )


def _row_pseudo(given: Floats, settings: Settings) -> Floats:
    """(given, class, kind) pseudo-judgments of a confusion row."""
    classes = given.shape[1]
    truth = (np.eye(classes) * (RIGHT - WRONG) + WRONG)[:, :, None]
    if settings.towards == "truth":
        return np.broadcast_to(truth, given.shape[1:])
    crowd = given.sum(axis=0) + truth
    return np.asarray(CROWD_WEIGHT * classes * crowd / crowd.sum(axis=0), dtype=np.float64)


def _expected(data: _Data, model: _Model) -> tuple[_Counts, Floats, float]:
    """Counts and posterior (items, classes) under the model, and the items' part of the evidence bound."""
    log_kinds, log_rows = model.log_tables()
    classes, kinds = model.kinds.shape
    counts = _Counts(np.zeros((classes, kinds)), np.zeros(log_rows.shape))
    posterior = np.empty((len(data.start), classes))
    bound = 0.0
    for rows in data.chunks(kinds):
        chances, log_total = _settled(data, rows, data.given[rows] @ log_rows + log_kinds, kinds)
        bound += float(data.counted[rows] @ log_total)
        posterior[rows] = chances.reshape(-1, classes, kinds).sum(axis=2)
        _add(counts, data, rows, chances)
    return counts, posterior, bound


def _settled(data: _Data, rows: slice, scores: Floats, kinds: int) -> tuple[Floats, Floats]:
    """Chances of class and kind from their log scores, and the log of what they were divided by."""
    first, last = np.searchsorted(data.known.rows, (rows.start, rows.stop))
    scores[data.known.rows[first:last] - rows.start] += np.repeat(data.known.evidence[first:last], kinds, axis=1)
    best = scores.max(axis=1)
    scores -= best[:, None]
    np.exp(scores, out=scores)
    total = scores.sum(axis=1)
    scores /= total[:, None]
    return scores, best + np.log(total)


def _divergence(data: _Data, model: _Model, settings: Settings) -> float:
    """Kullback-Leibler divergence of the model's Dirichlets from their priors, summed."""
    kinds = np.full(model.kinds.shape, KINDS_WEIGHT / model.kinds.shape[1])
    # A prior towards the crowd moves along; at the end of a round it is what the crowd says then.
    rows = _row_pseudo(model.rows, settings)
    by_row = _dirichlet_divergence(np.moveaxis(model.rows, 1, -1), np.moveaxis(rows, 0, -1))
    by_class = _dirichlet_divergence(model.kinds, kinds)
    return by_row + by_class + _dirichlet_divergence(model.classes, data.class_pseudo)


def _dirichlet_divergence(to: Floats, prior: Floats) -> float:
    """Sum over leading axes of KL(Dirichlet(to) || Dirichlet(prior))."""
    expected = digamma(to) - digamma(to.sum(axis=-1, keepdims=True))
    gain = ((to - prior) * expected).sum() - (gammaln(to).sum() - gammaln(to.sum(axis=-1)).sum())
    prior = np.broadcast_to(prior, to.shape)
    return float(gain + gammaln(prior).sum() - gammaln(prior.sum(axis=-1)).sum())


def _fit(data: _Data, states: Sequence[_State], name: str) -> Fit:
    views = [_View.of(data, state.model) for state in states]
    prior = np.mean([view.prior for view in views], axis=0)
    posterior = np.mean([state.posterior for state in states], axis=0)
    # An unjudged item gets the prior's mean, where the fit works with its geometric mean.
    posterior[data.counted == 0] = prior

    def likelihood(judged: Labels) -> Floats:
        """Log chance of each judgment under each truth, kinds weighed by what is known of the item."""
        mean: Floats = np.mean([view.chances(judged) for view in views], axis=0)
        return np.log(mean)

    return Fit(
        name,
        posterior,
        prior,
        np.mean([view.confusion for view in views], axis=0),
        max(state.bound for state in states),
        max(state.rounds for state in states),
        all(state.converged for state in states),
        likelihood=likelihood,
    )


@dataclass(frozen=True, slots=True)
class _View:
    """A model as chances: rows (people, given, classes, kinds) and shares of kinds (classes, kinds)."""

    data: _Data
    prior: Floats
    shares: Floats
    rows: Floats

    @classmethod
    def of(cls, data: _Data, model: _Model) -> "_View":
        shares = model.kinds / model.kinds.sum(axis=1, keepdims=True)
        rows = model.rows / model.rows.sum(axis=1, keepdims=True)
        return cls(data, model.classes / model.classes.sum(), shares, rows)

    @property
    def confusion(self) -> Floats:
        return np.asarray(np.einsum("pgcm,cm->pcg", self.rows, self.shares), dtype=np.float64)

    def chances(self, judged: Labels) -> Floats:
        """(n, classes) chance of each judgment under each truth."""
        classes, kinds = self.shares.shape
        items, place = np.unique(judged.item, return_inverse=True)
        scores = self.data.given[items] @ np.log(self.rows.reshape(-1, classes * kinds))
        scores = (scores + np.log(self.shares).ravel()).reshape(-1, kinds)
        of_kind = normalized(scores).reshape(len(items), classes, kinds)
        table = np.empty((len(judged), classes))
        for truth in range(classes):
            by_kind = self.rows[judged.person, judged.label, truth]
            table[:, truth] = (of_kind[place, truth] * by_kind).sum(axis=1)
        return table
