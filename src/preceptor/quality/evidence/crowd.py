"""What everybody else's labels say about one label: how probable it is that it is right, and that it is given at all.

Model: given the truth of an item, a person draws labels from their own confusion row, the rows shrunk towards the
pooled crowd (Dawid and Skene 1979, Applied Statistics 28:20), and labels of one item are more alike than that by
whatever makes the item easy or misleading. A label is always judged by a truth and a row that leave it out.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels

# A person's confusion row weighs as much as the pooled crowd's after this many of their labels on that class.
SHRUNK_BY = 8.0
# Posteriors of usual models are surer than they are right (errors of different people go together on hard items):
# this share of each belief is given to the labels in proportion to how many people chose them.
DOUBT = 0.05
# No label is impossible.
_CHANCE_MIN = 1e-9
# Confusion rows of all people are held at once.
CONFUSION_CELLS_MAX = 50_000_000


@dataclass(frozen=True)
class Crowd:
    """Judgments beside what is believed to be true, with everybody's confusion counts.

    `truth` (items, classes) has rows that add up to 1, `given` (items, classes) is how often each item got each label;
    `counts` (people, classes, classes) is how often a person gave
    a label (last axis) where each class was true, `pooled` (classes, classes) the crowd's rows.
    """

    labels: Labels
    truth: Floats
    given: Floats
    doubt: float
    counts: Floats
    pooled: Floats

    @classmethod
    def of(cls, labels: Labels, truth: ArrayLike, *, doubt: float = DOUBT) -> "Crowd":
        """From posteriors (items, classes), or from known answers (items,) with `UNKNOWN` where there is none.

        Judgments of items without a known answer are left out. `doubt` does not apply to known answers. Refused with
        `BadLabels`: an array of another shape, rows that are no probabilities, an answer that is no class, and more
        than 50 million cells in everybody's confusion rows.
        """
        given = np.asarray(truth)
        if labels.people * labels.classes**2 > CONFUSION_CELLS_MAX:
            raise BadLabels(
                f"{labels.people} people by {labels.classes} classes squared are too many confusion rows; "
                "leave out people without judgments, or group the classes"
            )
        if given.shape == (labels.items,):
            known = _checked_answers(given, labels)
            labels = labels.where(known[labels.item] != UNKNOWN)
            belief, doubt = np.eye(labels.classes)[np.maximum(known, 0)], 0.0
        else:
            belief = _checked_beliefs(given, labels)
        counts = _confusions(labels, belief)
        total = counts.sum(axis=0) + 1 / labels.classes
        return cls(labels, belief, labels.counts.toarray(), doubt, counts, total / total.sum(axis=1, keepdims=True))

    def chances(self, rows: Ints, said: Ints) -> Floats:
        """Chance that the person of each judgment would say `said` there, by the true class: (rows, classes).

        From their confusion rows without this judgment.
        """
        given, total = self._without(rows, said)
        chances: Floats = (given + SHRUNK_BY * self.pooled[:, said].T) / (total + SHRUNK_BY)
        return np.clip(chances, _CHANCE_MIN, 1.0)

    def generous_chances(self, rows: Ints, said: Ints) -> Floats:
        """As `chances`, and at least the person's own rate with this label counted as another `said`.

        A bet that somebody repeats or copies divides by the chance; one that is too small is evidence against people
        with a habit of their own that few labels show yet. Counted this way, the labels of one row are as probable on
        average as they came up.
        """
        given, total = self._without(rows, said)
        counted: Floats = (given + 1) / (total + 1)
        return np.maximum(self.chances(rows, said), np.clip(counted, _CHANCE_MIN, 1.0))

    def _without(self, rows: Ints, said: Ints) -> tuple[Floats, Floats]:
        """How often the person of each judgment said `said`, and anything, by true class, this judgment left out."""
        person, label = self.labels.person[rows], self.labels.label[rows]
        own = self.truth[self.labels.item[rows]]
        given = self.counts[person, :, said] - own * (label == said)[:, np.newaxis]
        total = self.counts.sum(axis=2)[person] - own
        # Sums less one of their terms may end a rounding below nothing.
        return np.maximum(given, 0.0), np.maximum(total, 0.0)

    def belief_without(self, item: Ints, *rows: Ints) -> Floats:
        """Belief about items without the judgments in `rows`: (items asked for, classes).

        A posterior is a product of one chance per label; what a label contributed is divided out again. Known
        answers do not change.
        """
        belief = self._divided(item, *rows)
        mixed: Floats = (1 - self.doubt) * belief + self.doubt * self.shares(item, *rows)
        return mixed

    def _divided(self, item: Ints, *rows: Ints) -> Floats:
        belief = self.truth[item]
        for without in rows:
            belief = belief / self.chances(without, self.labels.label[without])
        normed: Floats = belief / belief.sum(axis=1, keepdims=True)
        return normed

    def shares(self, item: Ints, *rows: Ints) -> Floats:
        """Share of each class among an item's labels without those in `rows`, one label of each added."""
        counts = self.given[item] + 1.0
        for without in rows:
            counts[np.arange(len(item)), self.labels.label[without]] -= 1
        shares: Floats = counts / counts.sum(axis=1, keepdims=True)
        return shares

    def outcomes(self, rows: Ints | None = None) -> "SoftOutcomes":
        """How far everybody else's labels bear each judgment out, for an `AccuracyWatch`."""
        asked = np.arange(len(self.labels)) if rows is None else rows
        outcome, sureness, luck = np.empty(len(asked)), np.empty(len(asked)), np.empty(len(asked))
        for part in slices(len(asked), self.labels.classes):
            mine = asked[part]
            belief = self._divided(self.labels.item[mine], mine)
            outcome[part] = belief[np.arange(len(mine)), self.labels.label[mine]]
            sureness[part] = (belief**2).sum(axis=1)
            luck[part] = _least_of_others(belief)
        return SoftOutcomes(outcome, (1 - self.doubt) * sureness, (1 - self.doubt) * luck)


@dataclass(frozen=True)
class SoftOutcomes:
    """Judgments measured by what the others say, each with the standard that makes the measure fair; all (rows,).

    `outcome` is the others' belief T in the label given. It has not the mean of the person's accuracy s: where the
    others are undecided, even the right answer finds little belief. Somebody who is right with probability s finds
    on average at least s times the sum of T_k^2 (`sureness`), and when wrong at least `luck`, the least that any
    wrong label finds; a doubt d in T leaves 1 - d of both. With known answers these are 1 and 0.
    """

    outcome: Floats
    sureness: Floats
    luck: Floats

    def standards(self, standard: float) -> Floats:
        """What a person whose accuracy is the standard finds at least, on average, for each outcome."""
        standards: Floats = standard * self.sureness + (1 - standard) * self.luck
        return standards


def _least_of_others(belief: Floats) -> Floats:
    """Mean, over what is true, of the least belief that a wrong label has; (rows,)."""
    if belief.shape[1] < 2:
        return np.zeros(len(belief))
    two = np.partition(belief, 1, axis=1)[:, :2]
    # Where the class of least belief is true, the next one is the least wrong label.
    least: Floats = two[:, 0] * (1 - two[:, 0]) + two[:, 1] * two[:, 0]
    return least


def slices(rows: int, columns: int, cells: int = 2_000_000) -> list[slice]:
    """Slices of rows that hold at most so many cells each."""
    at_once = max(1, cells // max(1, columns))
    return [slice(start, min(rows, start + at_once)) for start in range(0, rows, at_once)]


def _checked_answers(given: np.typing.NDArray[np.generic], labels: Labels) -> Ints:
    if given.dtype.kind not in "iu":
        raise BadLabels(f"known answers are indices of classes, not {given.dtype}")
    known = given.astype(np.int64)
    if len(known) and (known.min() < UNKNOWN or known.max() >= labels.classes):
        raise BadLabels(f"a known answer is outside 0..{labels.classes - 1} (and {UNKNOWN} for unknown)")
    return known


def _checked_beliefs(given: np.typing.NDArray[np.generic], labels: Labels) -> Floats:
    if given.shape != (labels.items, labels.classes):
        raise BadLabels(
            f"the truth has shape {given.shape}; known answers {(labels.items,)} or posteriors "
            f"{(labels.items, labels.classes)} are needed"
        )
    belief = given.astype(np.float64)
    if not np.all((belief >= 0) & (belief <= 1 + 1e-6)) or not np.allclose(belief.sum(axis=1), 1, atol=1e-6):
        raise BadLabels("each row of a posterior lies between 0 and 1 and adds up to 1")
    # A class that is ruled out altogether could not come back when a label is left out.
    floored = np.maximum(belief, 1e-12)
    normed: Floats = floored / floored.sum(axis=1, keepdims=True)
    return normed


def _confusions(labels: Labels, belief: Floats) -> Floats:
    cell = labels.person * labels.classes + labels.label
    size = labels.people * labels.classes
    counts = np.empty((labels.people, labels.classes, labels.classes))
    for true in range(labels.classes):
        by_cell = np.bincount(cell, weights=belief[labels.item, true], minlength=size)
        counts[:, true, :] = by_cell.reshape(labels.people, labels.classes)
    return counts
