"""Areas of outlines and of what two of them share, exactly.

An outline may be concave or cross itself (even-odd rule, as canvas and SVG fill by `evenodd`). The plane is cut into
horizontal slabs at every corner and every crossing of two edges; within a slab no edges cross, so widths change
linearly and the width at its middle times its height is the exact area.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

EDGES_MAX = 1_200
"""Of two outlines together; beyond, corners are thinned evenly, which moves an outline less than its pixels."""

Corners = Sequence[tuple[float, float]]
Floats = NDArray[np.float64]


def areas(a: Corners, b: Corners) -> tuple[float, float, float]:
    """Area of the first, of the second, and of what both cover."""
    first, second = _edges(_thinned(a)), _edges(_thinned(b))
    levels = _levels(np.concatenate((first, second)))
    alone_a = alone_b = shared = 0.0
    for low, high in pairwise(levels):
        middle, height = (low + high) / 2, high - low
        in_a, in_b = _inside(first, middle), _inside(second, middle)
        alone_a += height * _length(in_a)
        alone_b += height * _length(in_b)
        shared += height * _shared_length(in_a, in_b)
    return alone_a, alone_b, shared


def overlap(a: Corners, b: Corners) -> float:
    """Intersection over union; 0 where both have no area."""
    one, other, shared = areas(a, b)
    union = one + other - shared
    return min(1.0, shared / union) if union > 0 else 0.0


def rasterised(corners: Corners, width: int, height: int) -> NDArray[np.bool_]:
    """The pixels whose centres lie within an outline given in pixels."""
    mask = np.zeros((height, width), dtype=bool)
    edges = _edges(corners)
    for row in range(height):
        for left, right in _inside(edges, row + 0.5):
            mask[row, max(0, int(np.ceil(left - 0.5))) : max(0, int(np.ceil(right - 0.5)))] = True
    return mask


def _thinned(corners: Corners) -> Corners:
    most = EDGES_MAX // 2
    if len(corners) <= most:
        return corners
    return [corners[int(index)] for index in np.linspace(0, len(corners) - 1, most)]


def _edges(corners: Corners) -> Floats:
    """Rows of x1, y1, x2, y2, closed."""
    points = np.asarray(corners, dtype=float)
    return np.hstack((points, np.roll(points, -1, axis=0)))


def _levels(edges: Floats) -> list[float]:
    """Heights of all corners and crossings, sorted."""
    x1, y1, x2, y2 = edges.T
    dx, dy = x2 - x1, y2 - y1
    cross = dx[:, None] * dy[None, :] - dy[:, None] * dx[None, :]
    ox, oy = x1[None, :] - x1[:, None], y1[None, :] - y1[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (ox * dy[None, :] - oy * dx[None, :]) / cross
        u = (ox * dy[:, None] - oy * dx[:, None]) / cross
    crossing = (cross != 0) & (t > 0) & (t < 1) & (u > 0) & (u < 1)
    rows, _ = np.nonzero(crossing)
    heights = y1[rows] + t[crossing] * dy[rows]
    return [float(level) for level in np.unique(np.concatenate((y1, heights)))]


def _inside(edges: Floats, level: float) -> list[tuple[float, float]]:
    """Stretches of a horizontal line within the outline."""
    x1, y1, x2, y2 = edges.T
    cuts = (y1 <= level) != (y2 <= level)
    at = np.sort(x1[cuts] + (level - y1[cuts]) * (x2[cuts] - x1[cuts]) / (y2[cuts] - y1[cuts]))
    return [(float(left), float(right)) for left, right in zip(at[::2], at[1::2], strict=False)]


def _length(stretches: list[tuple[float, float]]) -> float:
    return sum(right - left for left, right in stretches)


def _shared_length(a: list[tuple[float, float]], b: list[tuple[float, float]]) -> float:
    total, i, j = 0.0, 0, 0
    while i < len(a) and j < len(b):
        left, right = max(a[i][0], b[j][0]), min(a[i][1], b[j][1])
        total += max(0.0, right - left)
        if a[i][1] < b[j][1]:
            i += 1
        else:
            j += 1
    return total
