"""How well somebody judges who was no part of a fit: their labels held against the answers that the fit found."""

from dataclasses import dataclass

import numpy as np

from preceptor.quality.intervals import Estimate, Floats
from preceptor.quality.labels import BadLabels, Labels
from preceptor.quality.skill import skill_of_counts, sums


@dataclass(frozen=True)
class OutsideSkill:
    """`counts` (classes, classes): expected judgments by truth and label given. `by_class`: accuracy on each class."""

    counts: Floats
    accuracy: Estimate
    by_class: tuple[Estimate, ...]


def outside_skill(labels: Labels, posterior: Floats, pooled: Floats) -> OutsideSkill:
    """Skill from judgments that the fit has not heard, all taken as one judge's.

    `posterior` (items, classes) is the fit's, `pooled` (classes, classes) the crowd's matrix, which one with few
    judgments is taken after. A judgment counts by its expected Fisher information about the accuracy, as in
    `skill.judgment_evidence`; since the judge is not in the posterior, all of it is the others'.
    """
    if posterior.shape != (labels.items, labels.classes):
        raise BadLabels(f"answers of shape {posterior.shape} for {(labels.items, labels.classes)} items and classes")
    chances = np.clip(posterior[labels.item], 0.0, 1.0)
    right = chances[np.arange(len(labels)), labels.label]
    accuracy = (right.sum() + 0.5) / (len(labels) + 1)
    worth = _information(chances, accuracy)
    counts = np.stack([sums(labels.label, chances[:, truth], labels.classes) for truth in range(labels.classes)])
    by_truth = (chances * worth[:, None]).sum(axis=0)
    mix = posterior.mean(axis=0) if labels.items else np.full(labels.classes, 1 / labels.classes)
    overall, by_class = skill_of_counts(counts, pooled, mix, worth=by_truth)
    return OutsideSkill(counts, overall, by_class)


def _information(chances: Floats, accuracy: float) -> Floats:
    """(n,) what each judgment is worth when its truth is known by these chances only: 1 for a certain truth."""
    classes = chances.shape[1]
    if classes == 1:
        return np.zeros(len(chances))
    wrong = (1 - chances) / (classes - 1)
    chance = accuracy * chances + (1 - accuracy) * wrong
    found = accuracy * (1 - accuracy) * ((chances - wrong) ** 2 / np.maximum(chance, 1e-12)).sum(axis=1)
    return np.asarray(np.clip(found, 0.0, 1.0), dtype=np.float64)
