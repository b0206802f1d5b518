"""Marks on lines held against each other: which of two people's marks are the same defect."""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from preceptor.tasktypes.code.models import SEVERITIES, LineMark

Pairs = list[tuple[LineMark, LineMark]]


def gap(a: LineMark, b: LineMark) -> int:
    """Lines between two marks in one file; 0 where they touch or overlap."""
    return max(0, max(a.line, b.line) - min(a.line_end, b.line_end))


def matched(a: Sequence[LineMark], b: Sequence[LineMark], tolerance: int) -> Pairs:
    """The largest set of pairs that are the same defect: same file, at most `tolerance` lines apart, each mark once.

    Among the largest, the one with the least lines between (the assignment problem).
    """
    if not a or not b:
        return []
    near = np.array([[one.path == other.path and gap(one, other) <= tolerance for other in b] for one in a])
    gaps = np.array([[gap(one, other) for other in b] for one in a], dtype=float)
    # A pair always weighs more than any sum of gaps, so that no pair is given up for nearness.
    cost = np.where(near, gaps / (1 + tolerance * min(len(a), len(b))) - 1.0, 0.0)
    rows, columns = linear_sum_assignment(cost)
    return [
        (a[row], b[column]) for row, column in zip(rows.tolist(), columns.tolist(), strict=True) if near[row, column]
    ]


def f1(a: Sequence[LineMark], b: Sequence[LineMark], tolerance: int) -> float:
    """Twice the matched pairs over all marks, 0 to 1; two that mark nothing agree."""
    return 1.0 if not a and not b else 2 * len(matched(a, b, tolerance)) / (len(a) + len(b))


def severity_distance(pairs: Pairs) -> float | None:
    """Mean steps between the severities of matched marks, over the most there can be; None without any."""
    known = [(one.severity, other.severity) for one, other in pairs if one.severity and other.severity]
    if not known:
        return None
    steps = [abs(SEVERITIES.index(one) - SEVERITIES.index(other)) for one, other in known]
    return sum(steps) / len(steps) / (len(SEVERITIES) - 1)
