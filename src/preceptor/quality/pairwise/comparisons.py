"""Comparisons of two things at a time, as columns of indices, and their counts by pair."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from preceptor.quality.labels import BadLabels, Floats, Ints

LEFT, TIE, RIGHT = 0, 1, 2
OUTCOMES = 3
ITEMS_MAX = 10_000_000


class BadComparisons(BadLabels):
    """Comparisons that cannot be used; the message names the row and what to do."""


@dataclass(frozen=True)
class Comparisons:
    """`n` comparisons: in comparison `j` somebody held `left[j]` against `right[j]` and said `outcome[j]`.

    `outcome` holds LEFT, TIE or RIGHT; all arrays have shape (n,). `person[j]` is who said it; without people there
    is one of them. `covariates`, of shape (n, k), describes the comparison as seen from the left: a difference left
    minus right (length, style) or a constant one (the left place itself). Items that were never compared are
    allowed. Refused with `BadComparisons`: columns of different length, an index out of range, an item against
    itself, an outcome that is none of the three, covariates that are not finite.
    """

    left: Ints
    right: Ints
    outcome: Ints
    items: int
    person: Ints
    people: int
    covariates: Floats | None = None

    def __post_init__(self) -> None:
        if not len(self.left) == len(self.right) == len(self.outcome) == len(self.person):
            raise BadComparisons(
                f"the columns differ in length: {len(self.left)} left, {len(self.right)} right, "
                f"{len(self.outcome)} outcomes, {len(self.person)} people"
            )
        if not 1 <= self.items <= ITEMS_MAX:
            raise BadComparisons(f"{self.items} items; between 1 and {ITEMS_MAX} can be compared")
        for name, column, size in (
            ("left item", self.left, self.items),
            ("right item", self.right, self.items),
            ("person", self.person, self.people),
            ("outcome", self.outcome, OUTCOMES),
        ):
            _refuse(column, (column < 0) | (column >= size), name, f"outside 0..{size - 1}")
        _refuse(self.left, self.left == self.right, "item", "compared with itself")
        _refuse_covariates(self.covariates, len(self.left))

    @classmethod
    def of(
        cls,
        left: ArrayLike,
        right: ArrayLike,
        outcome: ArrayLike,
        *,
        person: ArrayLike | None = None,
        items: int | None = None,
        people: int | None = None,
        covariates: ArrayLike | None = None,
    ) -> "Comparisons":
        """From anything that makes index arrays; sizes that are not given are one more than the greatest index."""
        lefts, rights, outcomes = (
            indices(column, name) for column, name in ((left, "left"), (right, "right"), (outcome, "outcome"))
        )
        persons = np.zeros(len(lefts), dtype=np.int64) if person is None else indices(person, "person")
        size = 1 + max(int(lefts.max(initial=-1)), int(rights.max(initial=-1))) if items is None else items
        persons_size = max(1, 1 + int(persons.max(initial=-1))) if people is None else people
        table = None if covariates is None else _table(covariates)
        return cls(lefts, rights, outcomes, size, persons, persons_size, table)

    def __len__(self) -> int:
        return len(self.outcome)

    def where(self, mask: NDArray[np.bool_]) -> "Comparisons":
        """The comparisons under a mask of shape (n,), with the same sizes."""
        covariates = None if self.covariates is None else self.covariates[mask]
        return Comparisons(
            self.left[mask],
            self.right[mask],
            self.outcome[mask],
            self.items,
            self.person[mask],
            self.people,
            covariates,
        )

    @cached_property
    def contests(self) -> "Contests":
        """Counts by pair; one row per comparison where covariates differ from comparison to comparison."""
        if self.covariates is not None:
            return Contests(self.left, self.right, as_votes(self.outcome), self.items, self.covariates)
        return counted(self.left, self.right, as_votes(self.outcome), self.items)


@dataclass(frozen=True)
class Contests:
    """How contests between `first[m]` and `second[m]` ended: `won[m]` holds (first wins, ties, second wins).

    Shapes (m,), (m,) and (m, 3); counts may be fractions. `design` (m, k) holds covariates seen from the first.
    """

    first: Ints
    second: Ints
    won: Floats
    items: int
    design: Floats | None = None

    @property
    def covariates(self) -> int:
        return 0 if self.design is None else self.design.shape[1]

    @cached_property
    def played(self) -> Floats:
        """Comparisons that each item took part in, shape (items,)."""
        total = self.won.sum(axis=1)
        return sums(self.first, total, self.items) + sums(self.second, total, self.items)

    @cached_property
    def components(self) -> Ints:
        """Number of the group of items that comparisons connect, by item."""
        return connected(self.first, self.second, self.items)


def connected(first: Ints, second: Ints, items: int) -> Ints:
    """Number of the group that links between `first` and `second` put each item into, shape (items,)."""
    links = coo_array((np.ones(len(first)), (first, second)), shape=(items, items))
    _, component = connected_components(links.tocsr(), directed=False)
    return np.asarray(component, dtype=np.int64)


def counted(left: Ints, right: Ints, votes: Floats, items: int) -> Contests:
    """Add up votes (n, 3) by unordered pair, the lower index first. Linear in n (times log n for many items)."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    key = low * items + high
    if items * items <= max(4 * len(key), 1_000_000):
        place, size = key, items * items
        pairs = np.flatnonzero(np.bincount(place, minlength=size))
    else:
        pairs, place = np.unique(key, return_inverse=True)
        size = len(pairs)
    turned = left > right
    columns = [
        sums(place, np.where(turned, votes[:, OUTCOMES - 1 - outcome], votes[:, outcome]), size)
        for outcome in (LEFT, TIE, RIGHT)
    ]
    won = np.stack(columns, axis=1)
    return Contests(pairs // items, pairs % items, won[pairs] if size == items * items else won, items)


def sums(place: Ints, weight: Floats, size: int) -> Floats:
    """Weights (n,) added up by place, shape (size,)."""
    return np.asarray(np.bincount(place, weight, size), dtype=np.float64)


def as_votes(outcome: Ints) -> Floats:
    """One-hot rows (n, 3) of outcomes."""
    votes: Floats = np.zeros((len(outcome), OUTCOMES))
    votes[np.arange(len(outcome)), outcome] = 1.0
    return votes


def indices(column: ArrayLike, name: str) -> Ints:
    """A column of whole numbers, or `BadComparisons`."""
    given = np.asarray(column)
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1 or given.dtype.kind not in "iuf":
        raise BadComparisons(f"the {name} column has shape {given.shape} and type {given.dtype}; give indices, (n,)")
    if given.dtype.kind == "f":
        _refuse(given, ~np.isfinite(given) | (given != np.floor(given)), name, "no whole number")
    return given.astype(np.int64)


def _table(covariates: ArrayLike) -> Floats:
    given = np.asarray(covariates, dtype=np.float64)
    return given[:, None] if given.ndim == 1 else given


def _refuse(column: Ints | Floats, bad: NDArray[np.bool_], name: str, why: str) -> None:
    if bad.any():
        row = int(np.argmax(bad))
        raise BadComparisons(f"row {row}: {name} {column[row]} is {why}")


def _refuse_covariates(covariates: Floats | None, n: int) -> None:
    if covariates is None:
        return
    if covariates.ndim != 2 or len(covariates) != n:
        raise BadComparisons(f"covariates have shape {covariates.shape}; ({n}, k) is wanted")
    bad = ~np.isfinite(covariates).all(axis=1)
    if bad.any():
        raise BadComparisons(f"row {int(np.argmax(bad))}: a covariate is not finite; leave the row out or fill it in")


def named_coefficients(names: Sequence[str] | None, wanted: int) -> tuple[str, ...]:
    """Names of `wanted` covariates, numbered where none are given."""
    if names is None:
        return tuple(f"covariate {place}" for place in range(wanted))
    if len(names) != wanted:
        raise BadComparisons(f"{len(names)} names for {wanted} covariates")
    return tuple(names)
