"""One label in, one posterior and a few counts out: Dawid-Skene kept up to date without a refit.

Dawid and Skene's EM (Applied Statistics 1979, 28:20) at its fixed point ties posteriors and confusion counts together.
When one label arrives only one item's posterior moves by much, and with it only the counts of the people who touched
that item. `update` takes exactly that step (one step of incremental EM; Neal and Hinton, "A view of the EM algorithm
that justifies incremental, sparse, and other variants", 1998) and leaves everything else where it is. A background
refit over all labels makes it exact; between refits the prior and the pooled crowd matrix stand still.

Everything is plain Python: with few classes and labels a numpy call costs more than the arithmetic (measured in
`bench/quality/incremental.py`). Nothing is changed in place. A person's evidence is their expected confusion counts
n[truth][given]; their matrix is (n + shrinkage * pooled) / (row sum + shrinkage), as in the full fit.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite, log
from typing import Generic, TypeVar

from preceptor.quality.labels import BadLabels

PersonT = TypeVar("PersonT", bound=Hashable)

Counts = Sequence[Sequence[float]]
"""Expected confusion counts of a person, [truth][given]."""
Chances = tuple[float, ...]

LABELS_MAX = 1_000
"""The most labels of one item; far more than any overlap, and a bound on the time of one update."""
# A label that the model calls impossible must cost much, not everything.
_LEAST = 1e-12


@dataclass(frozen=True, slots=True)
class Crowd:
    """What stands still between refits.

    prior: (classes,) chances of the classes. pooled: (classes, classes) the crowd's confusion as [truth, given], rows
    sum to 1. shrinkage: how many judgments per class the pooled matrix counts for in each person's matrix.
    """

    prior: Chances
    pooled: tuple[Chances, ...]
    shrinkage: float

    def __post_init__(self) -> None:
        if len(self.pooled) != len(self.prior) or any(len(row) != len(self.prior) for row in self.pooled):
            raise BadLabels(f"a prior of {len(self.prior)} classes wants a crowd matrix of as many rows and columns")
        if not (isfinite(self.shrinkage) and self.shrinkage > 0):
            raise BadLabels(f"shrinkage counts judgments and lies above 0, not {self.shrinkage}")
        for row in (self.prior, *self.pooled):
            if not all(chance >= 0 for chance in row) or abs(sum(row) - 1) > 1e-6:
                raise BadLabels("the prior and each row of the crowd matrix must be chances that add up to 1")

    @property
    def classes(self) -> int:
        return len(self.prior)

    @classmethod
    def assumed(cls, classes: int, *, accuracy: float = 0.7, shrinkage: float = 4.0) -> "Crowd":
        """Before anything is known: all classes alike, everybody right with `accuracy`, errors spread evenly."""
        if classes < 2:
            raise BadLabels(f"{classes} classes leave nothing to decide; at least two are wanted")
        if not 1 / classes < accuracy < 1:
            raise BadLabels(f"an assumed accuracy lies above chance (1/{classes}) and below 1, not {accuracy}")
        wrong = (1 - accuracy) / (classes - 1)
        rows = tuple(tuple(accuracy if k == given else wrong for given in range(classes)) for k in range(classes))
        return cls((1 / classes,) * classes, rows, shrinkage)


@dataclass(frozen=True, slots=True)
class ItemState(Generic[PersonT]):
    """One item: who said what so far, and the chances of the classes. Starts from `ItemState.new(crowd)`."""

    labels: tuple[tuple[PersonT, int], ...]
    posterior: Chances

    @classmethod
    def new(cls, crowd: Crowd) -> "ItemState[PersonT]":
        return cls((), crowd.prior)


@dataclass(frozen=True, slots=True)
class Delta(Generic[PersonT]):
    """To be added to a person's counts in column `given`: one number per truth."""

    person: PersonT
    given: int
    by_truth: Chances


@dataclass(frozen=True, slots=True)
class Updated(Generic[PersonT]):
    """The item after the label, and the new counts of the people whose counts changed, nobody else's."""

    item: ItemState[PersonT]
    counts: Mapping[PersonT, tuple[Chances, ...]]


def item_posterior(
    labels_of_item: Sequence[tuple[Counts, int]], pooled: Counts, prior: Sequence[float], shrinkage: float
) -> Chances:
    """Chances of the classes of one item, from its labels as (counts of the person, label given).

    No labels give the prior. The order does not matter, and many labels stay finite. `BadLabels` for a label outside
    the classes, counts of another shape, or counts that are negative or no numbers.
    """
    scores = [log(chance) if chance > 0 else log(_LEAST) for chance in prior]
    truths = range(len(scores))
    _refuse_too_many(len(labels_of_item))
    for counts, label in labels_of_item:
        _refuse_unusable(counts, label, len(scores))
        for truth in truths:
            row = counts[truth]
            chance = (row[label] + shrinkage * pooled[truth][label]) / (sum(row) + shrinkage)
            scores[truth] += log(chance if chance > _LEAST else _LEAST)
    return _normalized(scores)


def changed_counts(
    before: Sequence[float],
    after: Sequence[float],
    labels: Sequence[tuple[PersonT, int]],
    new: tuple[PersonT, int] | None = None,
) -> tuple[Delta[PersonT], ...]:
    """What an item's move from one posterior to another adds to the counts of the people who labelled it.

    `labels` are those that were there before (they move by after - before); `new` is the label that has just come
    (it adds `after` in full). All counts over all items thus stay the sum over judgments of the item's posterior.
    """
    moved = tuple(b - a for a, b in zip(before, after, strict=True))
    deltas = [Delta(person, label, moved) for person, label in labels]
    if new is not None:
        deltas.append(Delta(new[0], new[1], tuple(after)))
    return tuple(deltas)


def update(
    item: ItemState[PersonT],
    counts: Mapping[PersonT, Counts],
    crowd: Crowd,
    person: PersonT,
    label: int,
    *,
    known: int | None = None,
) -> Updated[PersonT]:
    """Take in one label: new posterior of the item, new counts of the people who touched it.

    `known` is the answer of a gold item: its posterior is certain, and the label counts in full as right or wrong.

    `counts` needs the people of this item; who is missing has none yet, and is judged by the crowd's matrix. A person
    who labels the item again replaces their label: what the old one had added is taken back first.
    """
    for given in (label,) if known is None else (label, known):
        if not 0 <= given < crowd.classes:
            raise BadLabels(f"label {given} is outside 0..{crowd.classes - 1}")
    if any(earlier == person for earlier, _ in item.labels):
        item, counts = _without(item, counts, crowd, person)
    labels = (*item.labels, (person, label))
    empty = _no_counts(crowd.classes)
    if known is None:
        evidence = [(counts.get(who, empty), given) for who, given in labels]
        posterior = item_posterior(evidence, crowd.pooled, crowd.prior, crowd.shrinkage)
    else:
        posterior = tuple(float(truth == known) for truth in range(crowd.classes))
    deltas = changed_counts(item.posterior, posterior, item.labels, (person, label))
    changed = {delta.person: with_delta(counts.get(delta.person, empty), delta) for delta in deltas}
    return Updated(ItemState(labels, posterior), changed)


def with_delta(counts: Counts, delta: Delta[PersonT]) -> tuple[Chances, ...]:
    """A person's counts after a change. Rounding is kept from leaving less than nothing."""
    given = delta.given
    return tuple(
        (*row[:given], max(0.0, row[given] + change), *row[given + 1 :])
        for row, change in zip(map(tuple, counts), delta.by_truth, strict=True)
    )


def _without(
    item: ItemState[PersonT], counts: Mapping[PersonT, Counts], crowd: Crowd, person: PersonT
) -> tuple[ItemState[PersonT], Mapping[PersonT, Counts]]:
    """The item and the counts as if this person had never labelled it; the others keep what they had."""
    (old,) = (given for who, given in item.labels if who == person)
    kept = tuple(one for one in item.labels if one[0] != person)
    taken = Delta(person, old, tuple(-chance for chance in item.posterior))
    mine = with_delta(counts.get(person, _no_counts(crowd.classes)), taken)
    return replace(item, labels=kept), {**counts, person: mine}


def _no_counts(classes: int) -> tuple[Chances, ...]:
    return ((0.0,) * classes,) * classes


def _refuse_too_many(labels: int) -> None:
    if labels > LABELS_MAX:
        raise BadLabels(f"{labels} labels on one item; at most {LABELS_MAX} are taken in one by one")


def _refuse_unusable(counts: Counts, label: int, classes: int) -> None:
    if not 0 <= label < classes:
        raise BadLabels(f"label {label} is outside 0..{classes - 1}")
    if len(counts) != classes or any(len(row) != classes for row in counts):
        raise BadLabels(f"a person's counts have {classes} rows of {classes} numbers")
    # NaN fails every comparison, so it is refused here too.
    if not all(min(row) >= 0 and isfinite(sum(row)) for row in counts):
        raise BadLabels("a person's counts are numbers from 0 up")


def _normalized(scores: Sequence[float]) -> Chances:
    # Subtract the best score before leaving logs: many labels underflow otherwise.
    best = max(scores)
    weights = [exp(score - best) for score in scores]
    total = sum(weights)
    return tuple(weight / total for weight in weights)
