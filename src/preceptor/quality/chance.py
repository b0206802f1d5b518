"""Agreement corrected for chance in other ways than alpha: percent agreement, Cohen, Fleiss, Gwet.

All share one form, (observed - chance) / (1 - chance), and differ in what they call chance. Sources: Cohen (1960,
Educational and Psychological Measurement 20:37; weighted 1968, Psychological Bulletin 70:213); Fleiss (1971,
Psychological Bulletin 76:378); Gwet (2008, British Journal of Mathematical and Statistical Psychology 61:29; 2014,
"Handbook of Inter-Rater Reliability", 4th edition, chapters 2 to 5, also for missing labels).

Intervals are percentile bootstraps over items and need a generator. Observed agreement is the mean over items with
at least two labels of the share of their pairs that agree. An unknown result says why and is never 0.
"""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from preceptor.quality.agreement_scale import VALUES_MAX_FOR_DISTANCE, Rows, with_interval
from preceptor.quality.intervals import LEVEL, RESAMPLES, Estimate, Floats
from preceptor.quality.labels import UNKNOWN, BadLabels, Ints, Labels

Credit = Literal["none", "linear", "quadratic", "ordinal"]
"""How much two different classes agree: not at all, or the more the nearer they are."""

# One line of row weights per resample in, observed agreement and agreement by chance out.
_Agreement = Callable[[Floats], tuple[Floats, Floats]]

_NOT_COMPARED = "no item has labels from two people"
_NO_VARIATION = "only one class was used, so agreement by chance is total and nothing is left to correct"
_CELLS_AT_ONCE = 2_000_000


def percent_agreement(
    labels: Labels,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Share of pairs of labels that agree, averaged over items; high by chance alone where one class is common."""
    rows = Rows.of(labels)

    def agreement(weights: Floats) -> tuple[Floats, Floats]:
        return _observed(rows, weights, None), np.zeros(len(weights))

    return _corrected(rows, agreement, rng, resamples, level)


def fleiss_kappa(
    labels: Labels,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Fleiss' kappa: chance is two draws from how often each class was given.

    Items may have different numbers of labels: as Gwet (2014, section 5.3) generalises it, a class is as common as
    its mean share over items, so every item counts the same; items with one label say something about chance and
    nothing about agreement. With equal numbers this is Fleiss (1971).
    """
    rows = Rows.of(labels)

    def agreement(weights: Floats) -> tuple[Floats, Floats]:
        return _observed(rows, weights, None), (_shares(rows, weights) ** 2).sum(axis=1)

    return _corrected(rows, agreement, rng, resamples, level)


def gwet_ac1(
    labels: Labels,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Gwet's AC1: chance as if only the doubtful items were answered at random among all classes on offer.

    Does not fall to zero when nearly all labels are of one class, as kappa and alpha do ("kappa paradox"). The
    classes on offer are `labels.classes`, used or not: give the number that people could choose from. Items with
    different numbers of labels as in `fleiss_kappa`. With one class used it is 1, as Gwet defines it, and unknown
    only with one class on offer.
    """
    return gwet_ac2(labels, "none", rng=rng, resamples=resamples, level=level)


def gwet_ac2(
    labels: Labels,
    credit: Credit = "quadratic",
    *,
    values: Sequence[float] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Gwet's AC2: AC1 with part credit for classes that are near each other (Gwet 2014, section 4.4).

    `values` places the classes on a scale for `linear` and `quadratic` (their indices where none are given);
    `ordinal` goes by their order. At most 2,000 classes, except with `none`.
    """
    offered = labels.classes
    if offered < 2:
        return Estimate.unknown("with one class on offer, everybody agrees by chance", len(labels))
    rows = Rows.of(labels)
    table = None if credit == "none" else credit_table(offered, credit, values)
    mine = None if table is None else table[np.ix_(rows.used, rows.used)]
    total = float(offered) if table is None else float(table.sum())

    def agreement(weights: Floats) -> tuple[Floats, Floats]:
        shares = _shares(rows, weights)
        chance = total / (offered * (offered - 1.0)) * (shares * (1 - shares)).sum(axis=1)
        return _observed(rows, weights, mine), chance

    return _corrected(rows, agreement, rng, resamples, level)


def cohen_kappa(
    one: ArrayLike,
    other: ArrayLike,
    *,
    classes: int | None = None,
    credit: Credit = "none",
    values: Sequence[float] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Cohen's kappa of two people: chance is a draw from each one's own labels.

    `one` and `other` hold class indices of shape (items,), `UNKNOWN` where a person gave none; items that both
    labelled count. `credit` gives the weighted kappa (`linear`, `quadratic`, `ordinal`; `values` as in `gwet_ac2`).
    Refused with `BadLabels`: columns of different length, what is no index.
    """
    rows, columns = _pairs(one, other)
    if len(rows) == 0:
        return Estimate.unknown(_NOT_COMPARED)
    most = max(int(rows.max()), int(columns.max())) + 1
    size = most if classes is None else classes
    if most > size:
        raise BadLabels(f"class {most - 1} is outside 0..{size - 1}")
    cells, times = np.unique(np.stack([rows, columns]), axis=1, return_counts=True)
    used, place = np.unique(cells, return_inverse=True)
    place = place.reshape(2, -1)
    table = np.eye(len(used)) if credit == "none" else credit_table(size, credit, values)[np.ix_(used, used)]

    def agreement(weights: Floats) -> tuple[Floats, Floats]:
        share = weights / weights.sum(axis=1, keepdims=True)
        mine, theirs = (share @ np.eye(len(used))[side] for side in place)
        return share @ table[place[0], place[1]], ((mine @ table) * theirs).sum(axis=1)

    counted = times.astype(np.float64)
    return _estimate(agreement, counted, rng, resamples, level)


def credit_table(classes: int, credit: Credit, values: Sequence[float] | None = None) -> Floats:
    """Agreement of each pair of classes, (classes, classes): 1 on the diagonal, 0 for the farthest apart.

    `linear` and `quadratic` (Cohen 1968; Fleiss and Cohen 1973) go by the distance of `values`, `ordinal` (Gwet
    2014, table 3.6) by the number of classes between.
    """
    if classes > VALUES_MAX_FOR_DISTANCE:
        raise ValueError(f"{classes} classes; at most {VALUES_MAX_FOR_DISTANCE} where a table of pairs is needed")
    positions = np.arange(classes, dtype=np.float64) if values is None else np.array(values, dtype=np.float64)
    if positions.shape != (classes,) or not np.all(np.isfinite(positions)):
        raise ValueError(f"{classes} finite values are needed, one per class")
    if credit == "none" or classes < 2:
        return np.eye(classes)
    if credit == "ordinal":
        between = np.abs(np.subtract.outer(np.arange(classes), np.arange(classes)))
        apart = between * (between + 1) / (classes * (classes - 1))
    else:
        distance = np.abs(np.subtract.outer(positions, positions))
        if distance.max() == 0:
            raise ValueError("all values are the same, so no class is nearer than another")
        apart = (distance / distance.max()) ** (1 if credit == "linear" else 2)
    table: Floats = 1 - apart
    return table


def _observed(rows: Rows, weights: Floats, table: Floats | None) -> Floats:
    """Mean over items with two labels of the (weighted) share of pairs that agree, one per line of weights."""
    near = rows.counts if table is None else csr_array(rows.counts.dot(table))
    agreeing = np.asarray(csr_array(rows.counts.multiply(near)).sum(axis=1), dtype=np.float64) - rows.labels
    several = rows.labels >= 2
    share = np.where(several, agreeing / np.maximum(rows.labels * (rows.labels - 1), 1), 0.0)
    mean: Floats = (weights @ share) / (weights @ several)
    return mean


def _shares(rows: Rows, weights: Floats) -> Floats:
    """Mean share of each class over items, (lines, used classes)."""
    by_row = rows.counts.multiply(1 / rows.labels[:, np.newaxis]).tocsr()
    shares: Floats = np.asarray(by_row.T.dot(weights.T).T, dtype=np.float64) / weights.sum(axis=1, keepdims=True)
    return shares


def _corrected(
    rows: Rows, agreement: _Agreement, rng: np.random.Generator | None, resamples: int, level: float
) -> Estimate:
    if not np.any(rows.labels >= 2):
        return Estimate.unknown(_NOT_COMPARED)

    def sliced(weights: Floats) -> tuple[Floats, Floats]:
        at_once = max(1, _CELLS_AT_ONCE // len(rows.used))
        parts = [agreement(weights[start : start + at_once]) for start in range(0, len(weights), at_once)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    return _estimate(sliced, rows.times, rng, resamples, level)


def _estimate(
    agreement: _Agreement, times: Floats, rng: np.random.Generator | None, resamples: int, level: float
) -> Estimate:
    def statistic(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            observed, chance = agreement(weights)
            left = 1 - chance
            # A share of exactly one class leaves rounding behind.
            return np.where(left > 1e-12, (observed - chance) / left, np.nan)

    value = float(statistic(times[np.newaxis, :])[0])
    if np.isnan(value):
        return Estimate.unknown(_NO_VARIATION, int(times.sum()))
    return with_interval(statistic, times, value, rng, resamples, level)


def _pairs(one: ArrayLike, other: ArrayLike) -> tuple[Ints, Ints]:
    """The labels of two people on the items that both labelled."""
    columns = []
    for given in (np.asarray(one), np.asarray(other)):
        if given.size and given.dtype.kind not in "iu":
            raise BadLabels(f"class indices are needed, not {given.dtype}; use NamedLabels.read for names")
        columns.append(given.astype(np.int64).reshape(-1))
    if len(columns[0]) != len(columns[1]):
        raise BadLabels(f"the columns differ in length: {len(columns[0])} and {len(columns[1])} labels")
    if min(int(column.min(initial=0)) for column in columns) < UNKNOWN:
        raise BadLabels(f"a class index is below {UNKNOWN}, which alone says that a label is missing")
    both = (columns[0] != UNKNOWN) & (columns[1] != UNKNOWN)
    return columns[0][both], columns[1][both]
