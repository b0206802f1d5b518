"""Bayesian weighted averages: people differ in the variance of their error, items are averages."""

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.quality.truth.crowd import Known, crowd_confusion, only_class, share_right
from preceptor.quality.truth.result import Fit, refuse_unusable

ROUNDS_MAX = 500
TOLERANCE = 1e-3
# As published: each person's variance has a prior worth 15 judgments, each item's value one worth 1 of average trust.
PRIOR_JUDGMENTS = 15.0
PRIOR_ITEM = 1.0


def bwa(labels: Labels, *, gold: Ints | None = None, rng: np.random.Generator | None = None) -> Fit:
    """Bayesian weighted averages, one class against the rest.

    Li, Rubinstein and Cohn, "Truth Inference at Scale: A Bayesian Model for Adjudicating Highly Redundant Crowd
    Annotations" (WWW 2019). For each class, a judgment is 1 or 0 and taken as a Gaussian draw around the item's value,
    with a precision of the person's own (conjugate gamma prior, whose scale comes from how much the votes of items
    vary, corrected for the number of classes); the item's value has a Gaussian prior around the average item. Each
    is then a weighted mean in closed form. Assumes that a person errs alike on all items and both ways; it bends less
    than models with confusion matrices, and so is less easily led astray by people who err together.

    The values are cut at 0 and divided by their sum to be chances: rough ones, they say which class leads more than
    how sure it is. `confusion` is what these chances imply, drawn towards the crowd. No likelihood; no randomness.
    """
    refuse_unusable(labels, gold)
    if labels.classes == 1:
        return only_class(labels, "bwa")
    known = Known.of(gold, labels.classes)
    columns = [_values(labels, known, which) for which in range(labels.classes)]
    values = np.maximum(np.column_stack([value for value, _, _ in columns]), 1e-9)
    posterior = known.impose(values / values.sum(axis=1, keepdims=True))
    return Fit(
        "bwa",
        posterior,
        posterior.mean(axis=0),
        crowd_confusion(labels, posterior),
        None,
        max(rounds for _, rounds, _ in columns),
        all(converged for _, _, converged in columns),
        share_right(labels, posterior),
    )


def _values(labels: Labels, known: Known, which: int) -> tuple[Floats, int, bool]:
    """(items,) value of one class against the rest, rounds, and whether they settled."""
    item, person = labels.item, labels.person
    is_one = (labels.label == which).astype(np.float64)
    answers = np.exp(known.evidence[:, which])
    given = np.bincount(item, minlength=labels.items).astype(np.float64)
    value = np.bincount(item, weights=is_one, minlength=labels.items) / np.maximum(given, 1.0)
    value[given == 0] = is_one.mean()
    by_person = np.bincount(person, minlength=labels.people)
    # Votes of two classes vary by at most 1/4; with more classes by less, for which this makes up.
    correction = 4.0 * (1.0 - 1.0 / labels.classes)
    # Unanimous votes have no variance at all; a little keeps everybody's precision finite.
    scale = PRIOR_JUDGMENTS * max(float(given @ (value * (1 - value))) / len(labels) * correction, 1e-6)
    value[known.rows] = answers
    for rounds in range(1, ROUNDS_MAX + 1):
        error = np.bincount(person, weights=(is_one - value[item]) ** 2, minlength=labels.people)
        trust = ((PRIOR_JUDGMENTS + by_person) / (scale + error))[person]
        before, mean = value, value.mean()
        total = np.bincount(item, weights=trust * is_one, minlength=labels.items) + PRIOR_ITEM * mean
        value = total / (np.bincount(item, weights=trust, minlength=labels.items) + PRIOR_ITEM)
        value[known.rows] = answers
        if np.allclose(before, value, rtol=TOLERANCE):
            return value, rounds, True
    return value, ROUNDS_MAX, False
