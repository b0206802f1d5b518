"""How good each person is, at what, how surely, and whether it changes.

Model: given the truth k of an item, person p gives label l with chance theta[p, k, l]; each row is Dirichlet with
`strength` pseudo-judgments spread like the pooled crowd's row, plus the person's expected confusion counts
n[p, k, l] = sum over their judgments of label l of the chance that the item is a k (Dawid and Skene 1979; the Dirichlet
shrinkage as in Kim and Ghahramani, "Bayesian classifier combination", AISTATS 2012).

Judgments whose truth is not known for sure tell less. A judgment counts in an interval by its share of the Fisher
information that it would have with a known truth (Louis, "Finding the observed information matrix when using the EM
algorithm", JRSS B 1982, 44:226), where the truth is what everybody *else* says: nobody is evidence of their own skill.
So the only rater of a project has no interval but the prior's, however many tasks they did.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, betaln

from preceptor.quality.intervals import LEVEL, Estimate, Floats
from preceptor.quality.labels import BadLabels, Ints, Labels
from preceptor.quality.truth.result import Fit, label_likelihood, normalized, refuse_unusable

STRENGTH = 4.0
"""Pseudo-judgments per class by which a person is taken to be like the crowd before they are known."""
TOPIC_STRENGTH = 8.0
"""Pseudo-judgments by which a person is taken to be as good at a topic as they are overall."""
INFORMATIVE_MIN = 0.5
"""Fewer judgments' worth of evidence is none: the value is unknown."""
DISCOUNTS = (1.0, 0.995, 0.99, 0.98, 0.95, 0.9)
"""How much of the evidence is kept from one judgment to the next; the first is a skill that never changes."""
WINDOWS = 8
_CROWD_SMOOTHING = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What each judgment says about the person who gave it, arrays of shape (n,).

    right: the chance that the label is the truth, all judgments considered. weight: how much of a judgment with a
    known truth this one is worth, in [0, 1].
    """

    right: Floats
    weight: Floats

    def first(self, n: int) -> "Evidence":
        """Of the first n judgments."""
        return Evidence(self.right[:n], self.weight[:n])


@dataclass(frozen=True, slots=True)
class Skill:
    """One person. `n` of the estimates is the number of judgments; an unknown value has a reason.

    accuracy: chance of being right on a task drawn from the project's mix of classes. by_class: chance of saying k
    when the truth is k. by_topic: accuracy on the tasks of a topic. confusion: (classes, classes) posterior mean.
    weight: judgments' worth of evidence with a known truth.
    """

    person: int
    judgments: int
    weight: float
    accuracy: Estimate
    by_class: tuple[Estimate, ...]
    by_topic: tuple[Estimate, ...]
    confusion: Floats


@dataclass(frozen=True, slots=True)
class Table:
    """Means with credible limits and the evidence behind them, arrays of one shape."""

    value: Floats
    low: Floats
    high: Floats
    weight: Floats
    judgments: Ints


@dataclass(frozen=True, slots=True)
class Skills:
    """Everybody: accuracy (people,), by_class (people, classes), by_topic (people, topics), confusion (people,
    classes, classes) as [truth, given]. The arrays give people without evidence the prior; `of` calls them unknown."""

    accuracy: Table
    by_class: Table
    by_topic: Table
    confusion: Floats

    def of(self, person: int) -> Skill:
        """One person's skill, with reasons where nothing can be said."""
        row = self.by_class.value.shape[1], self.by_topic.value.shape[1]
        return Skill(
            person,
            int(self.accuracy.judgments[person]),
            float(self.accuracy.weight[person]),
            _estimate(self.accuracy, (person,), "judgments"),
            tuple(_estimate(self.by_class, (person, k), "judgments of this class") for k in range(row[0])),
            tuple(_estimate(self.by_topic, (person, t), "judgments on this topic") for t in range(row[1])),
            self.confusion[person],
        )


def skills(
    labels: Labels,
    fit: Fit,
    *,
    topic: Ints | None = None,
    topics: int | None = None,
    strength: float = STRENGTH,
    level: float = LEVEL,
) -> Skills:
    """Skill of everybody from judgments and a fit of them (any method with a posterior).

    `topic` (items,) holds an index of the item's topic, -1 for none. Credible intervals at `level`, equal tails. Cost
    and memory are linear in judgments plus people x classes^2. `BadLabels` for no judgments at all, a fit of other
    sizes, or topics of another shape.
    """
    _refuse_unfit(labels, fit, strength)
    evidence = judgment_evidence(labels, fit)
    rows = _class_rows(labels, fit, evidence, strength)
    by_class = _by_class(rows, level)
    judged = np.bincount(labels.item, minlength=labels.items) > 0
    done = np.bincount(labels.person, minlength=labels.people)
    accuracy = _overall(rows, fit.posterior[judged].mean(axis=0), done, level)
    by_topic = _topics(labels, evidence, accuracy, topic, topics, level)
    return Skills(accuracy, by_class, by_topic, rows.confusion)


def skill_of_counts(
    counts: ArrayLike,
    pooled: ArrayLike,
    mix: ArrayLike,
    *,
    worth: ArrayLike | None = None,
    strength: float = STRENGTH,
    level: float = LEVEL,
) -> tuple[Estimate, tuple[Estimate, ...]]:
    """Accuracy, and accuracy by class, of one person from their expected confusion counts alone.

    For callers that keep counts and not judgments. counts, pooled: (classes, classes) as [truth, given]; mix:
    (classes,) the project's shares of classes; worth: (classes,) judgments' worth of evidence per truth, the row sums
    of counts where it is not known (then intervals are as narrow as if every truth were certain).
    """
    own = np.asarray(counts, dtype=np.float64)
    crowd = np.asarray(pooled, dtype=np.float64)
    shares = np.asarray(mix, dtype=np.float64)
    if own.ndim != 2 or own.shape[0] != own.shape[1] or own.shape != crowd.shape or shares.shape != own.shape[:1]:
        raise ValueError("counts and pooled are (classes, classes), mix is (classes,)")
    if not (np.all(own >= 0) and np.isfinite(own).all()):
        raise ValueError("counts are numbers from 0 up")
    evidence = own.sum(axis=1) if worth is None else np.asarray(worth, dtype=np.float64)
    rows = _shrunk(own[None], evidence[None], crowd, strength)
    by_class = _by_class(rows, level)
    overall = _overall(rows, shares, np.rint(own.sum(keepdims=True)[0]).astype(np.int64), level)
    each = tuple(_estimate(by_class, (0, truth), "judgments of this class") for truth in range(len(own)))
    return _estimate(overall, (0,), "judgments"), each


def judgment_evidence(labels: Labels, fit: Fit) -> Evidence:
    """What each judgment says about its person: the chance that it is right, and how much it is worth.

    Its worth is the expected Fisher information about accuracy a, over the labels that could have been given, when
    the truth is known only by the others' posterior q: a (1 - a) sum_l (d p_l / d a)^2 / p_l, with p_l = a q_l +
    (1 - a)(1 - q_l) / (classes - 1). It is 1 for a certain q and 0 where q is even.
    """
    # A posterior averaged over several models may end a rounding above 1.
    right = np.clip(fit.posterior[labels.item, labels.label], 0.0, 1.0)
    if labels.classes == 1:
        return Evidence(right, np.zeros(len(labels)))
    others = _posterior_of_others(labels, fit)
    correct = sums(labels.person, right, labels.people)
    done = np.bincount(labels.person, minlength=labels.people)
    # Kept off 0 and 1, where the information has no finite value; half a judgment on each side.
    a = ((correct + 0.5) / (done + 1))[labels.person, None]
    wrong = (1 - others) / (labels.classes - 1)
    slope = others - wrong
    chance = a * others + (1 - a) * wrong
    worth = (a * (1 - a))[:, 0] * (slope**2 / np.maximum(chance, 1e-12)).sum(axis=1)
    return Evidence(right, np.clip(worth, 0.0, 1.0))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Per person and truth: Beta parameters of being right, expected judgments, their worth; and all means."""

    alpha: Floats
    beta: Floats
    counts: Floats
    weight: Floats
    confusion: Floats


def _class_rows(labels: Labels, fit: Fit, evidence: Evidence, strength: float) -> _Rows:
    counts = _confusion_counts(labels, fit.posterior, np.ones(len(labels)))
    worth = _confusion_counts(labels, fit.posterior, evidence.weight).sum(axis=2)
    pooled = counts.sum(axis=0) + _CROWD_SMOOTHING / labels.classes
    pooled /= pooled.sum(axis=1, keepdims=True)
    return _shrunk(counts, worth, pooled, strength)


def _shrunk(counts: Floats, worth: Floats, pooled: Floats, strength: float) -> _Rows:
    """Dirichlet rows around the crowd's: each keeps its own mix of labels, but weighs what it is worth."""
    total = counts.sum(axis=2)
    share = counts * (worth / np.where(total > 0, total, 1.0))[:, :, None]
    dirichlet = share + strength * pooled
    weight = dirichlet.sum(axis=2)
    right = np.diagonal(dirichlet, axis1=1, axis2=2)
    return _Rows(right, weight - right, total, worth, dirichlet / weight[:, :, None])


def _by_class(rows: _Rows, level: float) -> Table:
    return _beta_table(rows.alpha, rows.beta, rows.weight, np.rint(rows.counts).astype(np.int64), level)


def _confusion_counts(labels: Labels, posterior: Floats, weight: Floats) -> Floats:
    """(people, classes, classes) sums of the posterior by person, truth and label given, one truth at a time."""
    cell = labels.person * labels.classes + labels.label
    size = labels.people * labels.classes
    columns = [sums(cell, weight * posterior[labels.item, k], size) for k in range(labels.classes)]
    return np.stack([column.reshape(labels.people, labels.classes) for column in columns], axis=1)


def _overall(rows: _Rows, mix: Floats, done: Ints, level: float) -> Table:
    """Accuracy on the project's mix of classes: a sum of independent Betas, matched by one in mean and variance."""
    size = rows.alpha + rows.beta
    mean = rows.alpha / size
    variance = (mean * (1 - mean) / (size + 1)) @ mix**2
    value = mean @ mix
    # A Beta with this mean and variance; a variance of 0 (one class) leaves the rows' own size.
    total = np.where(variance > 0, value * (1 - value) / np.where(variance > 0, variance, 1.0) - 1, size.sum(axis=1))
    return _beta_table(value * total, (1 - value) * total, rows.weight.sum(axis=1), done, level)


def _topics(
    labels: Labels, evidence: Evidence, overall: Table, topic: Ints | None, topics: int | None, level: float
) -> Table:
    """Accuracy per topic: Beta around the person's overall accuracy, plus their judgments on the topic."""
    if topic is None:
        empty = np.empty((labels.people, 0))
        return Table(empty, empty, empty, empty, empty.astype(np.int64))
    number = _number_of_topics(labels, topic, topics)
    on_topic = topic[labels.item] >= 0
    cell = (labels.person * number + topic[labels.item])[on_topic]
    size = labels.people * number
    weight = sums(cell, evidence.weight[on_topic], size).reshape(labels.people, number)
    right = sums(cell, (evidence.right * evidence.weight)[on_topic], size).reshape(labels.people, number)
    done = np.bincount(cell, minlength=size).reshape(labels.people, number)
    centre = overall.value[:, None]
    # A topic is no surer than the person's accuracy as a whole would be on as many judgments.
    pseudo = np.minimum(TOPIC_STRENGTH, STRENGTH + overall.weight)[:, None]
    wrong = weight - right
    return _beta_table(pseudo * centre + right, pseudo * (1 - centre) + wrong, weight, done, level)


def _number_of_topics(labels: Labels, topic: Ints, topics: int | None) -> int:
    if topic.shape != (labels.items,) or topic.dtype.kind not in "iu":
        raise BadLabels(f"topics are indices by item, of shape ({labels.items},), not {topic.dtype} {topic.shape}")
    number = int(topic.max(initial=-1)) + 1 if topics is None else topics
    if len(topic) and (topic.min() < -1 or topic.max() >= number):
        raise BadLabels(f"a topic lies outside -1..{number - 1}")
    if number * labels.people > 2**29:
        raise BadLabels(f"{number} topics of {labels.people} people are too many for one table")
    return number


def _posterior_of_others(labels: Labels, fit: Fit) -> Floats:
    """(n, classes) what the item's other judgments and known answers say: the posterior without one's own label."""
    with np.errstate(divide="ignore"):
        scores = np.log(fit.posterior[labels.item])
    if fit.confusion is None and fit.likelihood is None:
        return _votes_of_others(labels)
    return normalized(scores - label_likelihood(fit, labels))


def _votes_of_others(labels: Labels) -> Floats:
    """For fits that say nothing about people: the vote shares of the others, even where there is nobody else."""
    votes = labels.counts.toarray()[labels.item]
    votes[np.arange(len(labels)), labels.label] -= 1
    total = votes.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, votes / np.maximum(total, 1), 1 / labels.classes), dtype=np.float64)


def _beta_table(alpha: Floats, beta: Floats, weight: Floats, judgments: Ints, level: float) -> Table:
    value = alpha / (alpha + beta)
    low, high = beta_limits(alpha, beta, level)
    return Table(value, np.minimum(low, value), np.maximum(high, value), weight, judgments)


def sums(index: Ints, weight: Floats, size: int) -> Floats:
    """(size,) sums of weights by index."""
    return np.asarray(np.bincount(index, weights=weight, minlength=size), dtype=np.float64)


def beta_limits(alpha: Floats, beta: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Equal-tailed limits of Beta(alpha, beta); a Beta with all its mass at one end is that end."""
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not {level}")
    a, b = np.maximum(alpha, 1e-9), np.maximum(beta, 1e-9)
    tail = (1 - level) / 2
    return np.asarray(betaincinv(a, b, tail)), np.asarray(betaincinv(a, b, 1 - tail))


def _estimate(table: Table, at: tuple[int, ...], what: str) -> Estimate:
    n = int(table.judgments[at])
    if table.weight[at] < INFORMATIVE_MIN:
        if n == 0:
            return Estimate.unknown(f"no {what}")
        return Estimate.unknown(f"{n} {what}, but nobody else's and no known answer to hold them against", n)
    return Estimate(float(table.value[at]), float(table.low[at]), float(table.high[at]), n)


def _refuse_unfit(labels: Labels, fit: Fit, strength: float) -> None:
    refuse_unusable(labels)
    if fit.posterior.shape != (labels.items, labels.classes):
        raise BadLabels(
            f"the fit is of {fit.posterior.shape} items and classes, the labels of {(labels.items, labels.classes)}"
        )
    if not strength > 0:
        raise ValueError(f"strength counts judgments and lies above 0, not {strength}")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of judgments, `first` to `last` in order of time, and the accuracy in it."""

    first: int
    last: int
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class Drift:
    """One person's accuracy over time.

    windows: accuracy in stretches of equal length. path, low, high: (n,) smoothed accuracy at each judgment. discount:
    what is kept of the evidence from one judgment to the next, the best of `DISCOUNTS` by foretelling; 1 is no drift.
    log_bayes_factor: how much better a changing skill foretells what came than a constant one, in nats, averaged over
    the rates of change; below 0 speaks for a constant skill. Evidence, not a verdict; None with less than two
    judgments.
    """

    windows: tuple[Window, ...]
    path: Floats
    low: Floats
    high: Floats
    discount: float
    log_bayes_factor: float | None
    reason: str | None = None


def drift(
    right: Floats,
    weight: Floats | None = None,
    *,
    prior: tuple[float, float] = (2.0, 1.0),
    windows: int = WINDOWS,
    level: float = LEVEL,
) -> Drift:
    """Accuracy over one person's judgments in order of time.

    `right` (n,) is the chance that each was right (0 or 1 on gold), `weight` (n,) its worth, as `judgment_evidence`
    gives them. Beta-binomial with discounting (West and Harrison, Bayesian Forecasting and Dynamic Models, 1997,
    chapter 14): evidence that lies s judgments away counts discount^s, in both directions for the smoothed path. The
    rate is the one that best foretold each judgment from those before it.
    """
    worth = np.ones(len(right)) if weight is None else weight
    if worth.shape != right.shape or right.ndim != 1:
        raise ValueError("one weight per judgment is wanted")
    if not np.all((right >= 0) & (right <= 1) & (worth >= 0)):
        raise ValueError("chances of being right lie between 0 and 1, weights from 0 up")
    if len(right) < 2:
        none = np.full(len(right), np.nan)
        few = f"{len(right)} judgments are too few to see a change; 2 are needed"
        return Drift((), none, none, none, 1.0, None, few)
    gain = np.array([_foretold(right, worth, discount, prior) for discount in DISCOUNTS])
    discount = DISCOUNTS[int(np.argmax(gain))]
    alpha, beta = _smoothed(right, worth, discount, prior)
    low, high = beta_limits(alpha, beta, level)
    factor = float(np.logaddexp.reduce(gain[1:]) - np.log(len(DISCOUNTS) - 1) - gain[0])
    return Drift(_windows(right, worth, prior, windows, level), alpha / (alpha + beta), low, high, discount, factor)


def _discounted(values: Floats, discount: float) -> Floats:
    """(n,) sum of values up to and with each place, those s places back counting discount^s."""
    sums = np.empty(len(values))
    total = 0.0
    for place, value in enumerate(values.tolist()):
        total = total * discount + value
        sums[place] = total
    return sums


def _foretold(right: Floats, weight: Floats, discount: float, prior: tuple[float, float]) -> float:
    """Log chance of all judgments, each foretold from those before: beta-binomial with fractional counts."""
    hits, misses = right * weight, (1 - right) * weight
    before = [
        start + np.concatenate([[0.0], discount * _discounted(values, discount)[:-1]])
        for start, values in zip(prior, (hits, misses), strict=True)
    ]
    return float(np.sum(betaln(before[0] + hits, before[1] + misses) - betaln(before[0], before[1])))


def _smoothed(right: Floats, weight: Floats, discount: float, prior: tuple[float, float]) -> tuple[Floats, Floats]:
    sides = []
    for start, values in zip(prior, (right * weight, (1 - right) * weight), strict=True):
        past, future = _discounted(values, discount), _discounted(values[::-1], discount)[::-1]
        # A judgment lies in its own past and future; once is enough.
        sides.append(start + past + future - values)
    return sides[0], sides[1]


def _windows(
    right: Floats, weight: Floats, prior: tuple[float, float], windows: int, level: float
) -> tuple[Window, ...]:
    bounds = np.linspace(0, len(right), 1 + max(1, min(windows, len(right)))).astype(int)
    found = []
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        hits = float((right * weight)[first:last].sum())
        misses = float(((1 - right) * weight)[first:last].sum())
        found.append(Window(first, last - 1, _window_accuracy(hits, misses, last - first, prior, level)))
    return tuple(found)


def _window_accuracy(hits: float, misses: float, n: int, prior: tuple[float, float], level: float) -> Estimate:
    if hits + misses < INFORMATIVE_MIN:
        return Estimate.unknown(f"{n} judgments, but nothing to hold them against", n)
    alpha, beta = prior[0] + hits, prior[1] + misses
    low, high = beta_limits(np.array([alpha]), np.array([beta]), level)
    return Estimate(alpha / (alpha + beta), float(low[0]), float(high[0]), n)
