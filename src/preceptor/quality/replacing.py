"""How many human judgments an AI judge can take the place of at equal quality.

A panel of `n` people is compared with `k` of the same people and the judge, on the same items. Both are weighed by
confusion matrices that were learnt on other items (cross-fitting), so that nobody is flattered by items that they were
measured on. Panels are drawn again and again from the people who judged an item. What they answer is held against
known answers where there are enough, else against the answer of the people who were not drawn.

What it cannot see: errors that the judge shares with the people it is held against; a model that changes under its
name; work unlike what has been judged so far. Items are resampled for the intervals, matrices are not learnt anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preceptor.quality.intervals import LEVEL, Estimate, Floats, bootstrap_mean
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels
from preceptor.quality.skill import STRENGTH
from preceptor.quality.truth.dawid_skene import dawid_skene

ITEMS_MIN = 50
"""Fewer items tell nothing about differences of a percent or two."""
ITEMS_MAX = 5_000
FOLDS = 5
DRAWS = 20
RESAMPLES = 1_000
MARGIN = 0.01
"""Accuracy that may be lost and still be called equal."""
PEOPLE_MAX = 7


@dataclass(frozen=True)
class Panel:
    """`k` people and the judge. `difference` is to `n` people without it, on the same items and draws."""

    k: int
    accuracy: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Replacing:
    """`k.value` people and the judge are as good as `n` people, within `margin`; unknown with the reason.

    `by`: what answers are held against. `panels`: for every k from 0 to n; empty where nothing could be compared.
    """

    n: int
    k: Estimate
    people: Estimate
    panels: Sequence[Panel]
    items: int
    by: str
    margin: float = MARGIN


def replacing(
    labels: Labels, judged: Labels, gold: Ints, *, people: int, rng: np.random.Generator, margin: float = MARGIN
) -> Replacing:
    """Compare a judge (`judged`, all rows taken as its own, one an item) with panels of up to `people` people.

    `gold` (items,) with `UNKNOWN`. Uses at most `ITEMS_MAX` items. Linear: about `FOLDS` fits of Dawid and Skene.
    """
    if (judged.items, judged.classes) != (labels.items, labels.classes) or gold.shape != (labels.items,):
        raise BadLabels("the judge's labels and the known answers are of other items than the people's")
    own = np.full(labels.items, UNKNOWN, dtype=np.int64)
    own[judged.item] = judged.label
    heads = np.bincount(labels.item, minlength=labels.items)
    known = _eligible(own, heads, gold != UNKNOWN, people, 0)
    others = _eligible(own, heads, np.ones(labels.items, dtype=np.bool_), people, 1)
    by_gold = known is not None
    found = known or others
    if found is None:
        few = (
            f"fewer than {ITEMS_MIN} items that the judge has judged have either a known answer, or two people's "
            "judgments to hold it against"
        )
        return Replacing(people, Estimate.unknown(few), Estimate.unknown(few), (), 0, "")
    n, items = found
    if len(items) > ITEMS_MAX:
        items = np.sort(rng.choice(items, ITEMS_MAX, replace=False))
    crowd, mixed = _scores(labels, own, gold, items, n, by_gold, rng)
    by = "known answers" if by_gold else "the people who were not drawn"
    return _compared(crowd, mixed, n, by, margin, rng)


def _eligible(
    own: Ints, heads: Ints, usable: "np.typing.NDArray[np.bool_]", most: int, spare: int
) -> "tuple[int, Ints] | None":
    """The greatest panel that enough items allow, and those items; `spare` people are left to hold it against."""
    for n in range(min(most, PEOPLE_MAX), 0, -1):
        items = np.flatnonzero((own != UNKNOWN) & usable & (heads >= n + spare))
        if len(items) >= ITEMS_MIN:
            return n, items
    return None


def _scores(
    labels: Labels, own: Ints, gold: Ints, items: Ints, n: int, by_gold: bool, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Mean score over the draws: (items,) of n people, and (n + 1, items) of k people and the judge."""
    fold = rng.permutation(labels.items) % FOLDS
    crowd, mixed = np.zeros(len(items)), np.zeros((n + 1, len(items)))
    for each in range(FOLDS):
        inside = np.flatnonzero(fold[items] == each)
        learnt = labels.where(fold[labels.item] != each)
        if not len(inside) or not len(learnt):
            continue
        taught = np.where(fold != each, gold, UNKNOWN) if by_gold else None
        fit = dawid_skene(learnt, gold=taught)
        assert fit.confusion is not None  # the model is about people
        matrix = _judge_matrix(own, fit.posterior, fit.confusion, fold != each)
        panel = _Panel(labels, fit.prior, fit.confusion, matrix, items[inside], n)
        for _ in range(DRAWS):
            people, with_judge = panel.drawn(own, gold if by_gold else None, rng)
            crowd[inside] += people / DRAWS
            mixed[:, inside] += with_judge / DRAWS
    return crowd, mixed


def _judge_matrix(own: Ints, posterior: Floats, confusion: Floats, outside: "np.typing.NDArray[np.bool_]") -> Floats:
    """The judge's chances to give each label under each truth, shrunk towards the crowd's."""
    rows = np.flatnonzero((own != UNKNOWN) & outside)
    counts = np.zeros(confusion.shape[1:])
    np.add.at(counts.T, own[rows], posterior[rows])
    smoothed = counts + STRENGTH * confusion.mean(axis=0)
    return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True), dtype=np.float64)


class _Panel:
    """The judgments of some items as log chances under each truth, to draw panels from."""

    def __init__(self, labels: Labels, prior: Floats, confusion: Floats, judge: Floats, items: Ints, n: int) -> None:
        place = np.full(labels.items, -1, dtype=np.int64)
        place[items] = np.arange(len(items))
        rows = place[labels.item] >= 0
        self.item = place[labels.item[rows]]
        self.items, self.n = items, n
        chances = confusion[labels.person[rows], :, labels.label[rows]]
        self.logs = np.log(np.maximum(chances, 1e-12))
        self.judge = np.log(np.maximum(judge, 1e-12))
        self.prior = np.log(np.maximum(prior, 1e-12))
        self.total = np.stack(
            [np.bincount(self.item, weights=column, minlength=len(items)) for column in self.logs.T], axis=1
        )

    def drawn(self, own: Ints, gold: Ints | None, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Scores of one draw of n people for each item, without and with the judge."""
        order = np.lexsort((rng.random(len(self.item)), self.item))
        item = self.item[order]
        first = np.searchsorted(item, np.arange(len(self.items)))
        position = np.arange(len(item)) - first[item]
        kept = position < self.n
        votes = np.zeros((self.n + 1, len(self.items), len(self.prior)))
        votes[position[kept] + 1, item[kept]] = self.logs[order[kept]]
        sums = self.prior + np.cumsum(votes, axis=0)
        truth = self._truth(gold, self.total - (sums[self.n] - self.prior))
        with_judge = sums + self.judge[:, own[self.items]].T
        rows = np.arange(len(self.items))
        mixed = np.stack([truth[rows, scores.argmax(axis=1)] for scores in with_judge])
        return truth[rows, sums[self.n].argmax(axis=1)], mixed

    def _truth(self, gold: Ints | None, rest: Floats) -> Floats:
        """(items, classes) the chance that each class is right."""
        if gold is not None:
            return np.eye(len(self.prior))[gold[self.items]]
        scores = self.prior + rest
        chances = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(chances / chances.sum(axis=1, keepdims=True), dtype=np.float64)


def _compared(crowd: Floats, mixed: Floats, n: int, by: str, margin: float, rng: np.random.Generator) -> Replacing:
    difference = mixed - crowd
    # A resample never holds what was not seen: few items without a loss would pass for certain. So one item that the
    # judge loses and one that it wins stand beside them.
    unseen = np.concatenate([difference, np.tile([-1.0, 1.0], (n + 1, 1))], axis=1)
    panels = [Panel(k, bootstrap_mean(mixed[k], rng), _difference(difference[k], unseen[k], rng)) for k in range(n + 1)]
    items = unseen.shape[1]
    weights = rng.multinomial(items, np.full(items, 1 / items), size=RESAMPLES) / items
    needed = _needed(weights @ unseen.T, margin)
    tail = (1 - LEVEL) / 2
    low, high = (float(each) for each in np.quantile(needed, [tail, 1 - tail], method="nearest"))
    value = float(_needed(difference.mean(axis=1)[None], margin)[0])
    if low == 0 and high == n:
        words = f"on these {len(crowd)} items anything from 0 to {n} of {n} is possible; more items would tell"
        k = Estimate.unknown(words, len(crowd))
    else:
        k = Estimate(value, min(low, value), max(high, value), len(crowd))
    return Replacing(n, k, bootstrap_mean(crowd, rng), panels, len(crowd), by, margin)


def _difference(seen: Floats, unseen: Floats, rng: np.random.Generator) -> Estimate:
    """The mean of what was seen, with the interval of the items with the unseen ones beside them."""
    around = bootstrap_mean(unseen, rng)
    value = float(seen.mean())
    low = None if around.low is None else min(around.low, value)
    high = None if around.high is None else max(around.high, value)
    return Estimate(value, low, high, len(seen), around.reason)


def _needed(difference: Floats, margin: float) -> Floats:
    """(rows,) the fewest people with whom the judge is as good as all, all of them where none are."""
    enough = difference >= -margin
    enough[:, -1] = True
    return np.asarray(enough.argmax(axis=1), dtype=np.float64)
