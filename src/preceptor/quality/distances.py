"""How far two answers are apart, from 0 (the same) to 1 (nothing in common): ready distances for `alpha_by_distance`.

All are symmetric. Two empty answers agree; an empty one and another are at distance 1.
"""

from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

Span = tuple[int, int, str]
"""Start, end (exclusive) and label of a marked passage."""
Interval = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Element = TypeVar("Element", bound=Hashable)


def span_f1(one: Collection[Span], other: Collection[Span]) -> float:
    """1 - F1 of exactly equal spans (start, end and label), as entity recognition is scored (CoNLL 2003)."""
    mine, theirs = set(one), set(other)
    return _one_less_f1(len(mine & theirs), len(mine), len(theirs))


def span_overlap(one: Collection[Span], other: Collection[Span]) -> float:
    """1 - F1 of the characters marked with each label: spans that differ by a word still mostly agree."""
    mine, theirs = _covered(one), _covered(other)
    shared = sum(_length(_shared(mine[label], theirs[label])) for label in mine.keys() & theirs.keys())
    return _one_less_f1(shared, sum(map(_length, mine.values())), sum(map(_length, theirs.values())))


def _one_less_f1(shared: float, mine: float, theirs: float) -> float:
    return 1 - 2 * shared / (mine + theirs) if mine + theirs else 0.0


def _covered(spans: Iterable[Span]) -> dict[str, list[tuple[int, int]]]:
    """Per label the passages marked, sorted, overlaps joined."""
    covered: dict[str, list[tuple[int, int]]] = {}
    for start, end, label in sorted(spans):
        if end < start:
            raise ValueError(f"the span {(start, end, label)} ends before it starts")
        passages = covered.setdefault(label, [])
        if passages and start <= passages[-1][1]:
            passages[-1] = (passages[-1][0], max(end, passages[-1][1]))
        else:
            passages.append((start, end))
    return covered


def _shared(one: Sequence[tuple[int, int]], other: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    shared, i, j = [], 0, 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start < end:
            shared.append((start, end))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return shared


def _length(passages: Sequence[tuple[int, int]]) -> int:
    return sum(end - start for start, end in passages)


def interval_iou(one: Interval, other: Interval) -> float:
    """1 - intersection over union of two stretches (of time, of a scale); two equal points agree."""
    return _one_less_iou([one], [other])


def box_iou(one: Box, other: Box) -> float:
    """1 - intersection over union (Jaccard) of two axis-parallel boxes."""
    return _one_less_iou(_sides(one), _sides(other))


def boxes_iou(one: Sequence[Box], other: Sequence[Box]) -> float:
    """Distance of two sets of boxes: matched one to one for the greatest overlap, unmatched ones at distance 1."""
    if not one or not other:
        return 0.0 if not one and not other else 1.0
    distances = np.array([[box_iou(a, b) for b in other] for a in one])
    rows, columns = linear_sum_assignment(distances)
    return 1 - float((1 - distances[rows, columns]).sum()) / max(len(one), len(other))


def _sides(box: Box) -> list[Interval]:
    left, top, right, bottom = box
    return [(left, right), (top, bottom)]


def _one_less_iou(one: Sequence[Interval], other: Sequence[Interval]) -> float:
    shared = mine = theirs = 1.0
    for (a, b), (c, d) in zip(one, other, strict=True):
        if not (a <= b and c <= d):
            raise ValueError(f"{(a, b)} or {(c, d)} ends before it starts")
        shared *= max(0.0, min(b, d) - max(a, c))
        mine, theirs = mine * (b - a), theirs * (d - c)
    union = mine + theirs - shared
    if union > 0:
        return 1 - shared / union
    return 0.0 if list(one) == list(other) else 1.0


def edit_distance(one: Sequence[Element], other: Sequence[Element]) -> float:
    """Levenshtein's distance over the longer length: of texts by character, of sequences of words by word.

    Hyyrö's bit-vector form (2003, "A bit-vector algorithm for computing Levenshtein and Damerau edit distances")
    of Myers (1999): a column of the table is one whole number, so that thousands of characters take milliseconds.
    """
    longer = max(len(one), len(other))
    return _edits(one, other) / longer if longer else 0.0


def _edits(one: Sequence[Element], other: Sequence[Element]) -> int:
    if len(one) == 0 or len(other) == 0:
        return max(len(one), len(other))
    places: dict[Element, int] = {}
    for index, element in enumerate(one):
        places[element] = places.get(element, 0) | 1 << index
    everywhere, last = (1 << len(one)) - 1, 1 << (len(one) - 1)
    # Where going down the column costs one more, or one less.
    more, less, edits = everywhere, 0, len(one)
    for element in other:
        same = places.get(element, 0)
        vertical = same | less
        horizontal = (((same & more) + more) ^ more) | same
        up, down = less | ~(horizontal | more) & everywhere, more & horizontal
        edits += bool(up & last) - bool(down & last)
        up, down = (up << 1) | 1, down << 1
        more, less = (down | ~(vertical | up)) & everywhere, up & vertical & everywhere
    return edits


def jaccard(one: Collection[Element], other: Collection[Element]) -> float:
    """1 - shared over all elements of two sets."""
    mine, theirs = set(one), set(other)
    return 1 - len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


def masi(one: Collection[Element], other: Collection[Element]) -> float:
    """Passonneau's distance of sets (2006, "Measuring agreement on set-valued items", LREC).

    1 - Jaccard's share times 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap: choosing a
    part of what somebody else chose is nearer than choosing something else.
    """
    mine, theirs = set(one), set(other)
    if mine == theirs:
        return 0.0
    if not mine & theirs:
        return 1.0
    kind = 2 / 3 if mine <= theirs or theirs <= mine else 1 / 3
    return 1 - kind * len(mine & theirs) / len(mine | theirs)
