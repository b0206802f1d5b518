"""Classes that nobody gave and no known answer names: no answer to anything.

A model that learns what people say under each truth has nothing to learn there, and may take an empty class for a
second copy of another one.
"""

from dataclasses import replace

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.result import Fit


def used_classes(labels: Labels, gold: Ints | None = None) -> Ints:
    """Indices of the classes that some judgment gives or some known answer names, in order."""
    seen = np.bincount(labels.label, minlength=labels.classes) > 0
    if gold is not None:
        seen[gold[gold != UNKNOWN]] = True
    return np.flatnonzero(seen)


def only_used(labels: Labels, gold: Ints | None, used: Ints) -> tuple[Labels, Ints | None]:
    """The same judgments and known answers with the used classes numbered from 0."""
    place = np.full(labels.classes + 1, UNKNOWN, dtype=np.int64)
    place[used] = np.arange(len(used))
    fewer = Labels(labels.item, labels.person, place[labels.label], labels.items, labels.people, len(used))
    # UNKNOWN is -1 and so looks up the last place, which is kept for it.
    return fewer, None if gold is None else place[gold]


def widened(fit: Fit, used: Ints, classes: int) -> Fit:
    """A fit of the used classes as one of all classes; the others have no chance, and whoever saw one would say so."""
    posterior = np.zeros((len(fit.posterior), classes))
    posterior[:, used] = fit.posterior
    prior = np.zeros(classes)
    prior[used] = fit.prior
    confusion = None if fit.confusion is None else _widened_confusion(fit.confusion, used, classes)
    return replace(fit, posterior=posterior, prior=prior, confusion=confusion)


def _widened_confusion(confusion: Floats, used: Ints, classes: int) -> Floats:
    wide = np.broadcast_to(np.eye(classes), (len(confusion), classes, classes)).copy()
    wide[:, used] = 0.0
    wide[:, used[:, None], used[None, :]] = confusion
    return wide
