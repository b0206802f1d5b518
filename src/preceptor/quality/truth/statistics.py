"""Expectation steps over a part of the items, as statistics that add up: what makes fits linear, flat and spreadable.

A model of people by confusion matrices needs, per round, only the expected counts n[p, k, l] = sum over the judgments
of person p with label l of the chance that their item is a k. They are sums over items, so any partition of the items
can be worked on anywhere (processes, Ray, machines) and the sums added; only tables of the size of the model travel.

Within a part, judgments lie as a sparse 0/1 matrix B of shape (items, people * classes) with a one where this item
got this label from this person. An expectation step is then two products: scores = B @ log confusion + log prior,
and counts = B' @ posterior. It runs over chunks of items that fit in the cache, so that no table of the size of the
judgments is ever made, nor is the posterior kept between rounds.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csc_array, csr_array

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.result import known_evidence, refuse_unusable

# A chunk's scores (2^16 numbers, 512 KiB) stay in the cache of one core between the two products.
_CELLS_PER_CHUNK = 2**16
# From here on numpy's own reduction along rows is as fast as going through the columns.
_CLASSES_BY_COLUMN_MAX = 24


@dataclass(frozen=True, slots=True)
class Statistics:
    """What one expectation step knows about people and classes; parts add up.

    counts: (people * classes, classes) as [person and given label, truth]: expected judgments.
    class_counts: (classes,) expected items of each class, among items that were judged or are known.
    log_likelihood: of the judgments (and known answers), natural log.
    """

    counts: Floats
    class_counts: Floats
    log_likelihood: float

    def __add__(self, other: "Statistics") -> "Statistics":
        return Statistics(
            self.counts + other.counts,
            self.class_counts + other.class_counts,
            self.log_likelihood + other.log_likelihood,
        )

    @property
    def confusion_counts(self) -> Floats:
        """(people, classes, classes) as [person, truth, given]: a view."""
        classes = self.counts.shape[1]
        return self.counts.reshape(-1, classes, classes).transpose(0, 2, 1)


def summed(parts: Sequence[Statistics]) -> Statistics:
    """The statistics of all parts together. They are added in the order given, so equal parts give equal sums."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an expectation step is taken at: chances of classes (classes,) and of labels (people, classes, classes)."""

    prior: Floats
    confusion: Floats

    def tables(self) -> tuple[Floats, Floats]:
        """Log prior, and log confusion laid out like `Statistics.counts`."""
        classes = len(self.prior)
        with np.errstate(divide="ignore"):
            by_given = np.log(self.confusion.transpose(0, 2, 1).reshape(-1, classes))
            # Not -inf: 0 judgments times log 0 must stay 0, and an impossible label must not give NaN rows.
            return np.maximum(np.log(self.prior), _LOG_LEAST), np.maximum(by_given, _LOG_LEAST)


_LOG_LEAST = -700.0


@dataclass(frozen=True, slots=True)
class Climb:
    """Where the rounds ended: the parameters, the statistics that they gave, and how many rounds it took."""

    at: Parameters
    statistics: Statistics
    rounds: int
    converged: bool


def climb(
    start: Statistics,
    most_likely: Callable[[Statistics], tuple[Parameters, float]],
    expect: Callable[[Parameters], Statistics],
    *,
    rounds: int,
    tolerance: float,
    judgments: int,
) -> Climb:
    """Expectation and maximisation in turn (Dempster, Laird and Rubin 1977), from `start` on.

    `most_likely` gives the parameters that fit expected counts best, and the log density of the model's prior there;
    `expect` makes the statistics of all parts at them, wherever the parts are. Ends when a round changes the log
    posterior by less than `tolerance` nats per judgment, or after `rounds`, which is then reported as not converged.
    """
    if rounds < 1:
        raise ValueError(f"at least one round is needed, not {rounds}")
    statistics, before, done, converged = start, -np.inf, 0, False
    while not converged and done < rounds:
        at, log_density = most_likely(statistics)
        statistics = expect(at)
        reached = statistics.log_likelihood + log_density
        converged = bool(abs(reached - before) <= tolerance * judgments)
        before, done = reached, done + 1
    return Climb(at, statistics, done, converged)


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Consecutive items: their first row, their judgments, those known (rows in the chunk) and the evidence."""

    start: int
    given: csr_array
    given_transposed: csc_array
    judged: Floats
    known: Ints
    evidence: Floats


@dataclass(frozen=True)
class Partition:
    """Judgments of some items, sorted by item and ready for expectation steps."""

    items: int
    people: int
    classes: int
    judgments: int
    chunks: tuple[_Chunk, ...]

    @classmethod
    def of(cls, labels: Labels, gold: Ints | None = None, *, trust: float = 1.0) -> "Partition":
        """Lay out judgments. `gold` (items,) holds known answers of these items, believed with chance `trust`."""
        refuse_unusable(labels, gold)
        starts, columns = _by_item(labels)
        bounds = _chunk_bounds(labels)
        # All matrices hold ones only, so they share them.
        ones = np.ones(max(int(starts[last] - starts[first]) for first, last in bounds))
        known = np.full(labels.items, UNKNOWN, dtype=np.int64) if gold is None else gold
        chunks = tuple(_chunk(labels, starts, columns, ones, known, trust, slice(*rows)) for rows in bounds)
        return cls(labels.items, labels.people, labels.classes, len(columns), chunks)

    @classmethod
    def split(
        cls, labels: Labels, parts: int, gold: Ints | None = None, *, trust: float = 1.0
    ) -> "tuple[Partition, ...]":
        """Consecutive items in (at most) `parts` partitions of about equal size; parts without judgments are left
        out. Posteriors of the parts, one below the other, are those of the whole where no part was left out."""
        bounds = np.linspace(0, labels.items, parts + 1).astype(np.int64)
        pieces = [_items_between(labels, int(first), int(last)) for first, last in itertools.pairwise(bounds)]
        known = [None if gold is None else gold[first:last] for first, last in itertools.pairwise(bounds)]
        return tuple(
            cls.of(piece, answers, trust=trust) for piece, answers in zip(pieces, known, strict=True) if len(piece)
        )

    @cached_property
    def votes(self) -> Statistics:
        """Where fitting starts: each item's vote shares (known answers instead, where there are) as its posterior."""
        total = _Sums(self)
        label_of_column = np.tile(np.eye(self.classes), (self.people, 1))
        for chunk in self.chunks:
            total.add(chunk, _vote_shares(chunk, label_of_column))
        return total.statistics(0.0)

    def expect(self, at: Parameters) -> Statistics:
        """One expectation step: expected counts and log-likelihood at these parameters."""
        log_prior, log_confusion = at.tables()
        total = _Sums(self)
        log_likelihood = 0.0
        for chunk in self.chunks:
            chances, total_log = _posterior(chunk, log_prior, log_confusion)
            total.add(chunk, chances)
            log_likelihood += float(chunk.judged @ total_log)
        return total.statistics(log_likelihood)

    def posterior(self, at: Parameters) -> Floats:
        """(items, classes) chances of each class at these parameters; the prior where nobody judged."""
        log_prior, log_confusion = at.tables()
        chances = np.empty((self.items, self.classes))
        for chunk in self.chunks:
            rows, _ = _posterior(chunk, log_prior, log_confusion)
            chances[chunk.start : chunk.start + len(rows)] = rows
        return chances


class _Sums:
    """Statistics in the making."""

    def __init__(self, part: Partition) -> None:
        self.counts = np.zeros((part.people * part.classes, part.classes))
        self.class_counts = np.zeros(part.classes)

    def add(self, chunk: _Chunk, posterior: Floats) -> None:
        self.counts += chunk.given_transposed @ posterior
        self.class_counts += chunk.judged @ posterior

    def statistics(self, log_likelihood: float) -> Statistics:
        return Statistics(self.counts, self.class_counts, log_likelihood)


def _items_between(labels: Labels, first: int, last: int) -> Labels:
    """The judgments of items first..last-1, with items renumbered from 0."""
    mask = (labels.item >= first) & (labels.item < last)
    columns = (labels.item[mask] - first, labels.person[mask], labels.label[mask])
    return Labels(*columns, items=last - first, people=labels.people, classes=labels.classes)


def _by_item(labels: Labels) -> tuple[Ints, Ints]:
    """Start of each item's judgments (items + 1,), and their columns person * classes + label, sorted by item."""
    width = labels.people * labels.classes
    # One sort of a joint key needs no index array; it cannot overflow, since tables of that size are refused.
    key = labels.item * labels.people
    key += labels.person
    key *= labels.classes
    key += labels.label
    key.sort()
    starts = np.zeros(labels.items + 1, dtype=np.int64)
    np.cumsum(np.bincount(labels.item, minlength=labels.items), out=starts[1:])
    key %= width
    return starts, key.astype(np.int32) if width < 2**31 else key


def _chunk_bounds(labels: Labels) -> list[tuple[int, int]]:
    """First and last row of each chunk. With many people chunks grow with the model's table, which is added to once
    per chunk, so that the cost stays linear in the judgments."""
    by_cache = labels.items * labels.classes // _CELLS_PER_CHUNK
    by_model = len(labels) // (labels.people * labels.classes)
    bounds = np.linspace(0, labels.items, 1 + max(1, min(by_cache, by_model))).astype(np.int64)
    return [(int(first), int(last)) for first, last in itertools.pairwise(bounds)]


def _chunk(labels: Labels, starts: Ints, columns: Ints, ones: Floats, gold: Ints, trust: float, rows: slice) -> _Chunk:
    inside = slice(starts[rows.start], starts[rows.stop])
    pointers = (starts[rows.start : rows.stop + 1] - starts[rows.start]).astype(columns.dtype)
    shape = (rows.stop - rows.start, labels.people * labels.classes)
    given = csr_array((ones[: inside.stop - inside.start], columns[inside], pointers), shape=shape)
    answers = gold[rows]
    known = np.flatnonzero(answers != UNKNOWN)
    judged = ((np.diff(pointers) > 0) | (answers != UNKNOWN)).astype(np.float64)
    evidence = known_evidence(answers[known], labels.classes, trust)
    return _Chunk(rows.start, given, given.T, judged, known, evidence)


def _vote_shares(chunk: _Chunk, label_of_column: Floats) -> Floats:
    """(rows, classes) shares of the votes; known answers by what they are trusted; nothing where nobody judged."""
    votes: Floats = chunk.given @ label_of_column
    votes[chunk.known] = np.exp(chunk.evidence)
    total = votes.sum(axis=1, keepdims=True)
    return votes / np.where(total > 0, total, 1.0)


def _posterior(chunk: _Chunk, log_prior: Floats, log_confusion: Floats) -> tuple[Floats, Floats]:
    """Chances (rows, classes), and the log of what they were divided by (rows,)."""
    scores: Floats = chunk.given @ log_confusion
    scores += log_prior
    scores[chunk.known] += chunk.evidence
    best = _greatest(scores)
    scores -= best[:, None]
    np.exp(scores, out=scores)
    total: Floats = scores @ np.ones(scores.shape[1])
    scores /= total[:, None]
    return scores, best + np.log(total)


def _greatest(scores: Floats) -> Floats:
    """The greatest number of each row."""
    if scores.shape[1] > _CLASSES_BY_COLUMN_MAX:
        return np.asarray(scores.max(axis=1), dtype=np.float64)
    best = scores[:, 0].copy()
    for column in range(1, scores.shape[1]):
        np.maximum(best, scores[:, column], out=best)
    return best
