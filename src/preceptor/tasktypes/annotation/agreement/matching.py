"""Which mark of one answer is which of another: one to one, as alike as possible in total."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from preceptor.tasktypes.annotation.agreement.likeness import likeness
from preceptor.tasktypes.annotation.shapes import Area, Mark, Span, Times

Left = TypeVar("Left")
Right = TypeVar("Right")
Likely = NDArray[np.bool_]

_EVERYWHERE = (-np.inf, np.inf, -np.inf, np.inf)


@dataclass(frozen=True)
class Pairing:
    """Pairs by index with their likeness, and how many each side has."""

    pairs: tuple[tuple[int, int, float], ...]
    left: int
    right: int

    @property
    def likeness(self) -> float:
        """Twice the summed likeness of pairs over all marks: an F1 in which a pair counts as much as it overlaps.

        1 where neither side has any.
        """
        total = self.left + self.right
        return min(1.0, 2 * sum(weight for _, _, weight in self.pairs) / total) if total else 1.0

    def f1(self, at: float) -> float:
        """F1 with pairs that are at least so alike counted as found."""
        total = self.left + self.right
        return 2 * sum(weight >= at for _, _, weight in self.pairs) / total if total else 1.0


def best_pairs(
    left: Sequence[Left], right: Sequence[Right], alike: Callable[[Left, Right], float], likely: Likely | None = None
) -> Pairing:
    """The one-to-one pairing with the greatest summed likeness (Hungarian method); pairs of likeness 0 are none.

    `likely`: which pairs can be alike at all, all where it is not given. Only those are looked at, and groups of marks
    that nothing connects are matched by themselves, so that thousands of small marks cost little.
    """
    if not left or not right:
        return Pairing((), len(left), len(right))
    candidates = np.argwhere(np.ones((len(left), len(right)), dtype=bool) if likely is None else likely)
    weights = {(int(i), int(j)): weight for i, j in candidates if (weight := alike(left[i], right[j])) > 0}
    pairs = [pair for group in _connected(list(weights), len(left), len(right)) for pair in _assigned(group, weights)]
    return Pairing(tuple(sorted(pairs)), len(left), len(right))


def _connected(edges: list[tuple[int, int]], left: int, right: int) -> list[list[tuple[int, int]]]:
    """Edges in groups that share no mark."""
    if not edges:
        return []
    rows, columns = np.array(edges).T
    graph = coo_array((np.ones(len(edges)), (rows, columns + left)), shape=(left + right, left + right))
    _, group_of = connected_components(graph, directed=False)
    groups: dict[int, list[tuple[int, int]]] = {}
    for edge in edges:
        groups.setdefault(int(group_of[edge[0]]), []).append(edge)
    return list(groups.values())


def _assigned(edges: list[tuple[int, int]], weights: dict[tuple[int, int], float]) -> list[tuple[int, int, float]]:
    rows = sorted({row for row, _ in edges})
    columns = sorted({column for _, column in edges})
    table = np.array([[weights.get((row, column), 0.0) for column in columns] for row in rows])
    chosen = zip(*linear_sum_assignment(table, maximize=True), strict=True)
    return [(rows[i], columns[j], float(table[i, j])) for i, j in chosen if table[i, j] > 0]


def marks_alike(a: Mark, b: Mark) -> float:
    """Likeness of two marks on one page of one object."""
    if a.object != b.object or a.page != b.page:
        return 0.0
    return likeness(a.shape, b.shape)


def can_meet(left: Sequence[Mark], right: Sequence[Mark]) -> Likely:
    """Which marks lie on one page of one object and reach into each other's surroundings."""
    places = {place: number for number, place in enumerate(dict.fromkeys((m.object, m.page) for m in (*left, *right)))}
    one, other = (np.array([places[mark.object, mark.page] for mark in marks]) for marks in (left, right))
    met: Likely = one[:, None] == other[None, :]
    a, b = (np.array([_bounds(mark) for mark in marks], dtype=float).reshape(-1, 4) for marks in (left, right))
    for low, high in ((0, 1), (2, 3)):
        met &= (a[:, None, low] <= b[None, :, high]) & (b[None, :, low] <= a[:, None, high])
    return met


def _bounds(mark: Mark) -> tuple[float, float, float, float]:
    match mark.shape:
        case Span(start, end):
            return (start, end, 0, 0)
        case Times(start, end):
            return (start - 1, end + 1, 0, 0)
        case Area(corners):
            xs, ys = [x for x, _ in corners], [y for _, y in corners]
            return (min(xs), max(xs), min(ys), max(ys))
        case _:
            return _EVERYWHERE
