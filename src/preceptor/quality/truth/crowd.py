"""What the models share: where they start, how known answers enter, and what a posterior says about people."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.result import Fit, known_evidence, normalized

# Pseudo-judgments per row of a person's matrix and class that are drawn towards the crowd's matrix: with two classes a
# person with 4 judgments of a class is believed half.
CROWD_WEIGHT = 2.0


@dataclass(frozen=True, slots=True)
class Known:
    """Known answers as evidence: `rows` of items, and what is added to the log chances of their classes."""

    rows: Ints
    evidence: Floats

    @classmethod
    def of(cls, gold: Ints | None, classes: int) -> "Known":
        """From answers by item (`UNKNOWN` where not known); none at all for None."""
        if gold is None:
            return cls(np.empty(0, dtype=np.int64), np.empty((0, classes)))
        rows = np.flatnonzero(gold != UNKNOWN)
        return cls(rows, known_evidence(gold[rows], classes))

    def settle(self, scores: Floats) -> Floats:
        """(items, classes) chances from log chances, known answers included. Changes `scores`."""
        scores[self.rows] += self.evidence
        return normalized(scores)

    def impose(self, posterior: Floats) -> Floats:
        """The posterior with known answers in place. Changes it."""
        posterior[self.rows] = np.exp(self.evidence)
        return posterior


def vote_shares(labels: Labels, known: Known) -> Floats:
    """(items, classes) shares of the votes, where models start; known answers as certain. An item that nobody judged
    has the shares of all votes together."""
    votes = labels.counts.toarray().astype(np.float64)
    given = votes.sum(axis=1, keepdims=True)
    shares = np.where(given > 0, votes / np.maximum(given, 1.0), votes.sum(axis=0) / votes.sum())
    return known.impose(shares)


def looked_at(labels: Labels, known: Known) -> Floats:
    """(items,) 1 where an item was judged or is known, 0 elsewhere: which items tell about the classes."""
    there = np.bincount(labels.item, minlength=labels.items) > 0
    there[known.rows] = True
    return there.astype(np.float64)


def given_matrix(labels: Labels) -> csr_array:
    """Sparse (items, people * classes): how often this item got this label from this person."""
    columns = labels.person * labels.classes + labels.label
    ones = np.ones(len(labels))
    return csr_array((ones, (labels.item, columns)), shape=(labels.items, labels.people * labels.classes))


def added_up(labels: Labels, weight: Floats) -> Floats:
    """(items, classes) sums of a weight per judgment over the judgments of each item with each label."""
    sums = summed(labels.item * labels.classes + labels.label, weight, labels.items * labels.classes)
    return sums.reshape(labels.items, labels.classes)


def summed(index: Ints, weight: Floats, size: int) -> Floats:
    """(size,) sums of the weights that share an index."""
    return np.asarray(np.bincount(index, weights=weight, minlength=size), dtype=np.float64)


def crowd_confusion(labels: Labels, posterior: Floats, weight: float = CROWD_WEIGHT) -> Floats:
    """(people, classes, classes) as [person, truth, given]: confusion matrices that a posterior implies.

    Each person's expected counts plus `weight` x classes pseudo-judgments per row, spread like the matrix of the
    whole crowd (which itself has one pseudo-judgment per row for the truth). Says how people label under any
    posterior, also one that comes from a rule without a model of people.
    """
    classes = labels.classes
    counts = (given_matrix(labels).T @ posterior).reshape(labels.people, classes, classes).transpose(0, 2, 1)
    crowd = counts.sum(axis=0) + np.eye(classes) + 0.1
    crowd /= crowd.sum(axis=1, keepdims=True)
    counts = counts + weight * classes * crowd
    return np.asarray(counts / counts.sum(axis=2, keepdims=True), dtype=np.float64)


def share_right(labels: Labels, posterior: Floats) -> Floats:
    """(people,) expected share of right judgments; a person without judgments has the crowd's."""
    right = posterior[labels.item, labels.label]
    count = np.bincount(labels.person, minlength=labels.people)
    total = np.bincount(labels.person, weights=right, minlength=labels.people)
    return np.where(count > 0, total / np.maximum(count, 1), right.mean())


def only_class(labels: Labels, method: str) -> Fit:
    """The fit where there is one class to give: it is the answer to every item, and everybody is right."""
    matrix = np.ones((labels.people, 1, 1))
    return Fit(method, np.ones((labels.items, 1)), np.ones(1), matrix, 0.0, accuracy=np.ones(labels.people))
