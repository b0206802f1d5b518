"""The array shape of categorical judgments: who gave which label to which item, as three columns of indices.

Everything in this package that grows with the number of judgments takes `Labels`. `NamedLabels` keeps the names
beside the indices, for callers that come with ids.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Repeats = Literal["last", "first", "all"]
UNKNOWN = -1
"""In an array of known answers: this item's answer is not known."""

NameT = TypeVar("NameT", bound=Hashable)


class BadLabels(ValueError):
    """Judgments that cannot be used; the message names the row and what to do."""


@dataclass(frozen=True)
class Labels:
    """`n` judgments: judgment `j` says that `person[j]` gave class `label[j]` to `item[j]`.

    The three arrays have shape (n,) and hold indices below `items`, `people` and `classes`. Items and people
    without a judgment are allowed: they get the prior, or the crowd's average. Refused with `BadLabels`: columns of
    different length, an index out of range, no class at all.
    """

    item: Ints
    person: Ints
    label: Ints
    items: int
    people: int
    classes: int

    def __post_init__(self) -> None:
        if not len(self.item) == len(self.person) == len(self.label):
            raise BadLabels(
                f"the columns differ in length: {len(self.item)} items, {len(self.person)} people, "
                f"{len(self.label)} labels"
            )
        if self.classes < 1:
            raise BadLabels("there is no class to give")
        _refuse_outside(self.item, self.items, "item")
        _refuse_outside(self.person, self.people, "person")
        _refuse_outside(self.label, self.classes, "label")

    @classmethod
    def of(
        cls,
        item: ArrayLike,
        person: ArrayLike,
        label: ArrayLike,
        *,
        items: int | None = None,
        people: int | None = None,
        classes: int | None = None,
    ) -> "Labels":
        """From anything that makes index arrays; sizes that are not given are one more than the greatest index."""
        columns = [_indices(column, name) for column, name in ((item, "item"), (person, "person"), (label, "label"))]
        sizes = [
            int(column.max(initial=-1)) + 1 if size is None else size
            for column, size in zip(columns, (items, people, classes), strict=True)
        ]
        return cls(columns[0], columns[1], columns[2], sizes[0], sizes[1], max(1, sizes[2]))

    def __len__(self) -> int:
        return len(self.label)

    def where(self, mask: NDArray[np.bool_]) -> "Labels":
        """The judgments under a mask of shape (n,), with the same sizes."""
        return Labels(self.item[mask], self.person[mask], self.label[mask], self.items, self.people, self.classes)

    @cached_property
    def counts(self) -> csr_array:
        """How often each item got each class: sparse, (items, classes)."""
        return self._counted(self.item, self.items)

    @cached_property
    def counts_by_person(self) -> csr_array:
        """How often each person gave each class: sparse, (people, classes)."""
        return self._counted(self.person, self.people)

    def _counted(self, rows: Ints, size: int) -> csr_array:
        ones = np.ones(len(self), dtype=np.float64)
        # Building from (row, column) pairs adds up what occurs twice.
        return csr_array((ones, (rows, self.label)), shape=(size, self.classes))


@dataclass(frozen=True)
class NamedLabels(Generic[NameT]):
    """Labels with the names behind the indices. `dropped` counts repeats of one person on one item left out."""

    labels: Labels
    items: Sequence[NameT]
    people: Sequence[NameT]
    classes: Sequence[NameT]
    dropped: int = 0

    @classmethod
    def read(
        cls,
        items: Sequence[NameT],
        people: Sequence[NameT],
        labels: Sequence[NameT],
        *,
        classes: Sequence[NameT] | None = None,
        repeats: Repeats = "last",
    ) -> "NamedLabels[NameT]":
        """Number the names in order of first appearance (classes: sorted, or in the order given).

        A person who judged an item several times counts once, with the `last` (or `first`) judgment; `all` counts
        each, as real sets with repeats were published. `BadLabels` where the columns differ in length, there is no
        row at all, or a label is not among `classes`.
        """
        if not len(items) == len(people) == len(labels):
            raise BadLabels(f"the columns differ in length: {len(items)}, {len(people)} and {len(labels)} rows")
        if len(labels) == 0:
            raise BadLabels("there is no judgment; at least one row with task, worker and label is needed")
        known = list(classes) if classes is not None else _in_order(labels)
        item_names, item = _numbered(items)
        person_names, person = _numbered(people)
        label = _looked_up(labels, known)
        return cls.numbered(item_names, item, person_names, person, known, label, repeats=repeats)

    @classmethod
    def numbered(
        cls,
        items: Sequence[NameT],
        item: Ints,
        people: Sequence[NameT],
        person: Ints,
        classes: Sequence[NameT],
        label: Ints,
        *,
        repeats: Repeats = "last",
    ) -> "NamedLabels[NameT]":
        """From names and index columns that point into them, for files whose reader has numbered them already."""
        keep = _kept(item, person, len(people), repeats)
        table = Labels(item[keep], person[keep], label[keep], len(items), len(people), len(classes))
        return cls(table, items, people, classes, len(label) - len(keep))

    def known(self, gold: Mapping[NameT, NameT]) -> Ints:
        """Known answers as indices of classes by item, `UNKNOWN` where there is none. Items nobody judged are left
        out; an answer that is not among the classes is `BadLabels`."""
        place = {name: index for index, name in enumerate(self.classes)}
        answers = np.full(self.labels.items, UNKNOWN, dtype=np.int64)
        for index, item in enumerate(self.items):
            if item in gold:
                if gold[item] not in place:
                    raise BadLabels(
                        f"the known answer of item {item!r} is {gold[item]!r}, which is not among the labels "
                        f"{list(self.classes)[:10]}; correct it, or name all classes"
                    )
                answers[index] = place[gold[item]]
        return answers


def _indices(column: ArrayLike, name: str) -> Ints:
    given = np.asarray(column)
    if given.size == 0:
        return np.empty(0, dtype=np.int64)
    if given.ndim != 1:
        raise BadLabels(f"the {name} column has {given.ndim} dimensions; one is wanted")
    if given.dtype.kind == "f" and not np.all(np.isfinite(given) & (given == np.floor(given))):
        raise BadLabels(f"the {name} column has values that are no whole numbers (the first in row {_odd(given)})")
    if given.dtype.kind not in "iuf":
        raise BadLabels(f"the {name} column holds {given.dtype}, not indices; use NamedLabels.read for names")
    return given.astype(np.int64)


def _odd(column: NDArray[np.floating]) -> int:
    return int(np.argmin(np.isfinite(column) & (column == np.floor(column))))


def _refuse_outside(column: Ints, size: int, name: str) -> None:
    if len(column) and (column.min() < 0 or column.max() >= size):
        row = int(np.argmax((column < 0) | (column >= size)))
        raise BadLabels(f"row {row}: {name} {column[row]} is outside 0..{size - 1}")


def _in_order(names: Sequence[NameT]) -> list[NameT]:
    distinct: Iterable[NameT] = dict.fromkeys(names)
    return sorted(distinct, key=lambda name: (type(name).__name__, name))


def _numbered(names: Sequence[NameT]) -> tuple[list[NameT], Ints]:
    place: dict[NameT, int] = {}
    column = np.fromiter((place.setdefault(name, len(place)) for name in names), dtype=np.int64, count=len(names))
    return list(place), column


def _looked_up(labels: Sequence[NameT], known: Sequence[NameT]) -> Ints:
    place = {name: index for index, name in enumerate(known)}
    if len(place) < len(known):
        raise BadLabels("the classes name one label twice")
    column = np.fromiter((place.get(name, UNKNOWN) for name in labels), dtype=np.int64, count=len(labels))
    if len(column) and column.min() == UNKNOWN:
        row = int(np.argmin(column))
        raise BadLabels(f"row {row}: label {labels[row]!r} is not among the classes {list(known)[:10]}")
    return column


def _kept(item: Ints, person: Ints, people: int, repeats: Repeats) -> Ints:
    """Rows to keep, in order."""
    if repeats == "all":
        return np.arange(len(item))
    key = item * people + person
    if repeats == "last":
        _, first_from_end = np.unique(key[::-1], return_index=True)
        return np.sort(len(key) - 1 - first_from_end)
    _, first = np.unique(key, return_index=True)
    return np.sort(first)
