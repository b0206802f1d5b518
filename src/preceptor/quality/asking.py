"""What one more label is worth, and from whom: expected information and expected gain, per unit of money.

A candidate is anybody who can be asked: a contributor, a group of them (then with the crowd's pooled matrix), or an AI
judge. All that counts is a confusion matrix [truth, given] and a price.

Both measures look at the label before it is given. With the posterior q over truths and confusion c, label l will come
with chance p[l] = sum_k q[k] c[k, l] and would leave the posterior q[k] c[k, l] / p[l].

- **Expected information** (Lindley, "On a measure of the information provided by an experiment", Annals of
  Mathematical Statistics 1956, 27:986) is how much the entropy of the posterior falls on average, in nats. It is
  positive whenever the label could tell anything.
- **Expected gain** is how much the chance that the likeliest class is right rises on average: the value of information
  of Howard (IEEE Transactions on Systems Science and Cybernetics 1966, 2:22) under 0-1 loss. It is 0 when no single
  label could change the answer, even where two could; `labels` looks that far ahead.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from math import factorial, inf, isfinite, prod
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from preceptor.quality.intervals import Floats

NameT = TypeVar("NameT", bound=Hashable)

OUTCOMES_MAX = 5_000
"""The most outcomes that looking several labels ahead goes through; beyond that it looks less far."""
# Rows of chances that went through a file or a database column add up to one only roughly.
_SUM_TOLERANCE = 1e-6
# A gain below this is the rounding of a sum of chances.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Value:
    """What labels from one source are expected to bring.

    gain: rise of the chance that the likeliest class is right, in [0, 1 - 1/classes], for all `labels` together.
    information: fall of the posterior's entropy in nats, for all `labels` together.
    labels: how many labels were looked ahead.
    """

    gain: float
    information: float
    labels: int = 1

    @property
    def gain_per_label(self) -> float:
        return self.gain / self.labels


@dataclass(frozen=True, slots=True)
class Candidate(Generic[NameT]):
    """Somebody who can be asked: `confusion` (classes, classes) as [truth, given], `price` of one label in any unit
    that is the same for all. A price of 0 is allowed: information for nothing comes first."""

    name: NameT
    confusion: ArrayLike
    price: float

    def __post_init__(self) -> None:
        if not (isfinite(self.price) and self.price >= 0):
            raise ValueError(f"the price of {self.name!r} is {self.price}; a number from 0 up is wanted")


@dataclass(frozen=True, slots=True)
class Ranked(Generic[NameT]):
    """A candidate with what a label by them would bring; `per_price` is nats per unit of money, inf at price 0."""

    name: NameT
    price: float
    value: Value
    per_price: float


def expected_information(posterior: ArrayLike, confusion: ArrayLike) -> Floats:
    """Expected fall of entropy in nats, never below 0.

    `posterior` has shape (..., classes), `confusion` (..., classes, classes) as [truth, given]; the leading axes
    broadcast, so pools go in one call: `expected_information(posteriors[:, None], confusions[None])` is (items,
    people). A person at chance (equal rows) gives exactly nothing; a certain posterior gains nothing.
    """
    chances, matrix = checked(posterior, confusion)
    given = np.einsum("...k,...kl->...l", chances, matrix)
    noise = -np.einsum("...k,...k->...", chances, xlogy(matrix, matrix).sum(axis=-1))
    surprise = -xlogy(given, given).sum(axis=-1)
    return np.asarray(np.maximum(surprise - noise, 0.0), dtype=np.float64)


def expected_gain(posterior: ArrayLike, confusion: ArrayLike) -> Floats:
    """Expected rise of the chance that the likeliest class is right; shapes as in `expected_information`."""
    chances, matrix = checked(posterior, confusion)
    after = (chances[..., :, None] * matrix).max(axis=-2).sum(axis=-1)
    gain = after - chances.max(axis=-1)
    return np.asarray(np.where(gain > _ROUNDING, gain, 0.0), dtype=np.float64)


def value_of_one_more(posterior: ArrayLike, confusion: ArrayLike, *, labels: int = 1) -> Value:
    """What one more label (or the next `labels`, all from people with this confusion) is worth for one item.

    `posterior` (classes,), `confusion` (classes, classes). Looking m labels ahead goes through all multisets of m
    labels; where those are more than `OUTCOMES_MAX` it looks less far, and `Value.labels` says how far.
    """
    chances, matrix = checked(posterior, confusion)
    if chances.ndim != 1 or matrix.ndim != 2:
        raise ValueError("one posterior and one confusion matrix are wanted; expected_information takes many")
    if labels < 1:
        raise ValueError(f"{labels} labels ahead; at least one is wanted")
    ahead = _as_far_as_can_be_seen(len(chances), labels)
    joint = chances[:, None] * _outcomes(matrix, ahead)
    after = joint.sum(axis=0)
    entropy_before = -xlogy(chances, chances).sum()
    entropy_after = -(xlogy(joint, joint).sum() - xlogy(after, after).sum())
    gain = float(joint.max(axis=0).sum() - chances.max())
    return Value(gain if gain > _ROUNDING else 0.0, max(0.0, float(entropy_before - entropy_after)), ahead)


def best_value_ahead(posterior: ArrayLike, confusion: ArrayLike, *, labels: int = 3) -> Value:
    """The look-ahead, from 1 to `labels`, with the greatest gain per label; the shortest among equals.

    One label often cannot change an answer that two or three could, so stopping by the gain of exactly one label
    stops too early.
    """
    values = [value_of_one_more(posterior, confusion, labels=ahead) for ahead in range(1, max(1, labels) + 1)]
    return max(values, key=lambda value: (value.gain_per_label, -value.labels))


def gain_per_label_ahead(posteriors: ArrayLike, confusion: ArrayLike, *, labels: int = 3) -> Floats:
    """`best_value_ahead(...).gain_per_label` for pools: (items,) from posteriors (items, classes) and one confusion."""
    chances, matrix = checked(posteriors, confusion)
    best = np.zeros(len(chances))
    now = chances.max(axis=1)
    for ahead in range(1, _as_far_as_can_be_seen(matrix.shape[0], max(1, labels)) + 1):
        outcomes = _outcomes(matrix, ahead)
        after = sum((chances * column).max(axis=1) for column in outcomes.T)
        gain = after - now
        best = np.maximum(best, np.where(gain > _ROUNDING, gain, 0.0) / ahead)
    return np.asarray(best, dtype=np.float64)


def who_next(posterior: ArrayLike, candidates: Sequence[Candidate[NameT]]) -> tuple[Ranked[NameT], ...]:
    """Candidates by expected information per unit of money, the best first; equals by information, then as given.

    An AI judge that costs a hundredth of a person comes first as long as it tells more than a hundredth of what the
    person would tell. Nobody to ask gives an empty tuple.
    """
    ranked = [_ranked(posterior, candidate) for candidate in candidates]
    return tuple(sorted(ranked, key=lambda one: (-one.per_price, -one.value.information)))


def information_per_price(posteriors: ArrayLike, confusions: ArrayLike, prices: ArrayLike) -> Floats:
    """`who_next` for pools: (items, people) nats per unit of money, from posteriors (items, classes), confusions
    (people, classes, classes) and prices (people,). Where a label is free it is inf if it tells anything, else 0."""
    chances, matrices = np.asarray(posteriors, dtype=np.float64), np.asarray(confusions, dtype=np.float64)
    cost = np.asarray(prices, dtype=np.float64)
    if chances.ndim != 2 or matrices.ndim != 3 or cost.shape != (len(matrices),):
        raise ValueError("posteriors (items, classes), confusions (people, classes, classes), prices (people,)")
    if not np.all(np.isfinite(cost) & (cost >= 0)):
        raise ValueError("prices are numbers from 0 up")
    information = expected_information(chances[:, None, :], matrices[None])
    free = np.where(information > 0, inf, 0.0)
    return np.where(cost > 0, information / np.where(cost > 0, cost, 1.0), free)


def checked(posterior: ArrayLike, confusion: ArrayLike) -> tuple[Floats, Floats]:
    """Chances that are chances, of shapes that fit; `ValueError` says what is wrong."""
    chances = np.asarray(posterior, dtype=np.float64)
    matrix = np.asarray(confusion, dtype=np.float64)
    if chances.ndim < 1 or matrix.ndim < 2 or chances.shape[-1] == 0:
        raise ValueError("a posterior has an axis of classes, a confusion matrix two; neither may be empty")
    if matrix.shape[-2:] != (chances.shape[-1], chances.shape[-1]):
        raise ValueError(f"a posterior over {chances.shape[-1]} classes, but a confusion of {matrix.shape[-2:]}")
    for name, rows in (("posterior", chances), ("confusion", matrix)):
        if not np.all(rows >= 0) or not np.all(np.abs(rows.sum(axis=-1) - 1) < _SUM_TOLERANCE):
            raise ValueError(f"rows of the {name} must be chances that add up to 1")
    return chances, matrix


def _ranked(posterior: ArrayLike, candidate: Candidate[NameT]) -> Ranked[NameT]:
    value = value_of_one_more(posterior, candidate.confusion)
    if candidate.price > 0:
        return Ranked(candidate.name, candidate.price, value, value.information / candidate.price)
    return Ranked(candidate.name, candidate.price, value, inf if value.information > 0 else 0.0)


def _as_far_as_can_be_seen(classes: int, labels: int) -> int:
    ahead = 1
    outcomes = classes
    while ahead < labels:
        # Multisets of m + 1 labels from those of m: C(k + m, m + 1) = C(k + m - 1, m) (k + m) / (m + 1).
        outcomes = outcomes * (classes + ahead) // (ahead + 1)
        if outcomes > OUTCOMES_MAX:
            break
        ahead += 1
    return ahead


def _outcomes(matrix: Floats, labels: int) -> Floats:
    """Chance of each multiset of labels under each truth: (classes, multisets)."""
    times, orders = _multisets(len(matrix), labels)
    return np.asarray(orders * np.prod(matrix[:, None, :] ** times, axis=2), dtype=np.float64)


@cache
def _multisets(classes: int, labels: int) -> tuple[Floats, Floats]:
    """How often each class occurs in each multiset (multisets, classes), and in how many orders it can come."""
    drawn = list(combinations_with_replacement(range(classes), labels))
    times = np.array([np.bincount(one, minlength=classes) for one in drawn], dtype=np.float64)
    orders = [factorial(labels) // prod(factorial(int(t)) for t in row) for row in times]
    return times, np.array(orders, dtype=np.float64)
