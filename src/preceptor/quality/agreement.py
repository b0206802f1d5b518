"""Krippendorff's alpha: agreement beyond chance, for any number of people, missing labels included.

Source: Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011, University of Pennsylvania), and
"Content Analysis" (4th edition, 2018, chapter 12). Alpha is 1 - observed / expected disagreement: 1 when
all agree, 0 when labels are as if drawn by chance from the labels given, below 0 when people disagree
systematically. Everything is computed from how often each item got each value, so that labels counted in
several places can be added up, and nothing grows with the number of people.

Three doors: `alpha` for value counts, `alpha_of` for arrays of judgments (millions), and
`agreement_distance.alpha_by_distance` for values that are all different (spans, boxes, texts).
"""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from preceptor.quality.agreement_scale import (
    Distance,
    Metric,
    Rows,
    Table,
    Value,
    alpha_values,
    disagreement_of,
    with_interval,
)
from preceptor.quality.intervals import LEVEL, RESAMPLES, Estimate
from preceptor.quality.labels import BadLabels, Labels

__all__ = ["Distance", "Metric", "alpha", "alpha_of"]


def alpha(
    items: Sequence[Mapping[Value, int]],
    distance: Metric | Distance[Value] = "nominal",
    *,
    order: Sequence[Value] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Krippendorff's alpha of items given as value counts, with an interval by resampling items.

    `distance` is a metric's name or a function of two different values that gives their (squared)
    difference: symmetric, not negative. `interval` and `ratio` need numbers (`ratio` none below zero);
    `ordinal` takes the values in `order`, or sorted where none is given. Items with fewer than two labels
    say nothing about agreement and are left out; `n` counts the others. Unknown when no item has two
    labels, or when only one value was ever used: without variation, agreement cannot be told from habit.

    The interval is the percentile bootstrap over items and needs `rng`; items must be independent. It is
    too narrow for few items, and of width zero where all agree. Beyond 50,000 kinds of items it is the
    jackknife over groups of items instead.
    """
    return _estimate(Table.of(items, order), distance, rng, resamples, level)


def alpha_of(
    labels: Labels,
    distance: Metric | Distance[Value] = "nominal",
    *,
    values: Sequence[Value] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Krippendorff's alpha straight from arrays of judgments; the same numbers as `alpha`.

    `values` says what the classes stand for, in order: one per class. Without it a class stands for its index.
    Classes nobody used change nothing. Each judgment counts: keep one of a person's repeats on an item (as
    `NamedLabels.read` does), or their agreement with themselves is counted too. Time and memory are linear in the
    judgments and do not depend on the number of people.
    """
    return _estimate(Table.of_rows(Rows.of(labels), named(labels, values)), distance, rng, resamples, level)


def named(labels: Labels, values: Sequence[Value] | None) -> Sequence[Value]:
    """What the classes stand for: `values`, or their indices where none are given."""
    if values is None:
        # The caller who gives no values has a distance of indices, or a metric.
        return cast("Sequence[Value]", range(labels.classes))
    if len(values) != labels.classes:
        raise BadLabels(f"{len(values)} values for {labels.classes} classes; one per class is needed")
    return values


def _estimate(
    table: Table[Value] | None,
    distance: Metric | Distance[Value],
    rng: np.random.Generator | None,
    resamples: int,
    level: float,
) -> Estimate:
    if table is None:
        return Estimate.unknown("no item has labels from two people")
    disagreement = disagreement_of(table, distance)
    value = float(alpha_values(table.times[np.newaxis, :], table, disagreement)[0])
    if np.isnan(value):
        units = int(table.times.sum())
        return Estimate.unknown("only one value was used, so agreement by chance is undefined", units)
    return with_interval(
        lambda weights: alpha_values(weights, table, disagreement), table.times, value, rng, resamples, level
    )
