"""The numbers of a fit, from arrays to arrays: answers, people, tasks, and how far the fit itself can be trusted."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from preceptor.quality.adaptive import Guard, gold_guard
from preceptor.quality.agreement import alpha_of
from preceptor.quality.asking import expected_gain
from preceptor.quality.difficulty import Difficulty, difficulty
from preceptor.quality.intervals import Estimate, Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.outside import outside_skill
from preceptor.quality.picking import Calibrated, Picked, calibrated, pick
from preceptor.quality.skill import STRENGTH, Evidence, Skills, judgment_evidence, skills
from preceptor.quality.truth import Fit
from preceptor.quality.truth.choice import AUTO
from preceptor.quality.truth.majority import majority
from preceptor.work import rules_quality
from preceptor.work.service.judgments import ProjectJudgments

SEED = 0
"""The same judgments give the same fit and the same intervals."""
CROWD_SMOOTHING = 1.0

Progress = Callable[[str], None]
"""Told what is worked on, in a word."""


@dataclass(frozen=True)
class JudgeMeasured:
    """What a fit says about one AI judge: `counts` (classes, classes) are expected judgments by truth and given label,
    `by_class` its accuracy on each class."""

    judgments: int
    counts: Floats
    accuracy: Estimate
    by_class: Sequence[Estimate]


@dataclass(frozen=True)
class Measured:
    """Everything a fit says about a project's judgments.

    `posterior` (items, classes) is calibrated where gold allows; labels that a unit cannot get have no chance.
    `counts` (people, classes, classes) are expected judgments by truth and given label, `pooled` the crowd's rows.
    `accuracy`, `ece` come from the fit that was not shown the gold answers. `value_of_next` (items,).

    `used` holds the classes that somebody gave or that are known answers: models are fitted on these alone, since a
    class that nobody gives is otherwise taken for the truth of whatever people are split about. `skills` and
    `difficulty` speak of them, in this order; everything else of all classes.
    """

    picked: Picked
    used: Ints
    prior: Floats
    posterior: Floats
    counts: Floats
    pooled: Floats
    alpha: Estimate
    accuracy: float | None
    majority_accuracy: float | None
    calibration: Calibrated
    guard: Guard
    skills: Skills
    evidence: Evidence
    difficulty: Difficulty
    value_of_next: Floats
    risk_mean: float
    cpu_seconds: float
    judges: Sequence[JudgeMeasured] = ()

    @property
    def fit(self) -> Fit:
        return self.picked.fit


def measure(
    judgments: ProjectJudgments,
    *,
    target: float,
    method: str = AUTO,
    among: Sequence[str] = (),
    progress: Progress | None = None,
    with_judges: bool = False,
) -> Measured:
    """Fit and measure; linear in the judgments. Needs one judgment at least. `method`, `among`: see `picking.pick`.

    `with_judges`: AI judges are annotators like everybody in the fit. Else they are only held against its answers,
    and nothing but `judges` depends on them. Agreement, the crowd and people's counts are of people either way.

    With gold there are two fits: one that knows the answers gives the results, one that does not is compared with
    them.
    """
    started = time.thread_time()
    tell = progress or (lambda _: None)
    everybody = _with_judges(judgments) if with_judges else judgments.labels
    used = _used(everybody, judgments.gold)
    labels, gold = _narrowed(everybody, judgments.gold, used)
    of_people, _ = _narrowed(judgments.labels, judgments.gold, used)
    known = np.flatnonzero(gold != UNKNOWN)
    tell("answers")
    # While work comes in, gold has hardly more judgments than other tasks: fits that lean on the other gold answers
    # would be corrected for what a task with three judgments shows, and asking would never end.
    picked = pick(labels, gold if len(known) else None, method, among, hide="all")
    blind = picked.without_gold
    calibration = calibrated(blind.posterior, gold)
    posterior = _possible(_widened(calibration.applied(picked.fit.posterior, gold), judgments, used), judgments.sizes)
    stated = calibration.way.apply(blind.posterior[known]).max(axis=1)
    tell("people")
    counts = confusion_counts(judgments, posterior)
    pooled = _pooled(counts, used)
    by_people = picked.with_people(labels)
    evidence = judgment_evidence(labels, by_people)
    topics = len(judgments.topics)
    found = skills(labels, by_people, topic=judgments.topic if topics else None, topics=topics or None)
    tell("tasks")
    return Measured(
        picked=picked,
        used=used,
        prior=_prior(picked.fit.prior, judgments, used),
        posterior=posterior,
        counts=counts,
        pooled=pooled,
        alpha=_agreement(judgments, of_people),
        accuracy=blind.accuracy_on(gold),
        majority_accuracy=majority(of_people).accuracy_on(gold),
        calibration=calibration,
        guard=gold_guard(target, np.clip(stated, 0.0, 1.0), blind.answers[known] == gold[known]),
        skills=found,
        evidence=evidence.first(len(judgments)),
        difficulty=difficulty(labels, by_people),
        value_of_next=np.asarray(expected_gain(posterior, pooled[np.newaxis]), dtype=np.float64),
        risk_mean=_risk_mean(judgments, posterior, found),
        cpu_seconds=time.thread_time() - started,
        judges=_judges(judgments, posterior, pooled, found if with_judges else None),
    )


def _agreement(judgments: ProjectJudgments, labels: Labels) -> Estimate:
    """Alpha over ordinary tasks: gold in the mix is judged so often that it would outweigh them."""
    ordinary = labels.where(~judgments.mixed[labels.item])
    return alpha_of(ordinary, rng=np.random.default_rng(SEED))


def _with_judges(judgments: ProjectJudgments) -> Labels:
    """Judges as further people after all others, so that people keep their places."""
    people, judged = judgments.labels, judgments.judged
    return Labels(
        np.concatenate([people.item, judged.item]),
        np.concatenate([people.person, judged.person + people.people]),
        np.concatenate([people.label, judged.label]),
        people.items,
        people.people + judged.people,
        people.classes,
    )


def _judges(
    judgments: ProjectJudgments, posterior: Floats, pooled: Floats, fitted: Skills | None
) -> list[JudgeMeasured]:
    """Each judge by the answers of the fit: as a member of it like everybody (`fitted`), or as an outsider."""
    judged = judgments.judged
    found = []
    for judge in range(judged.people):
        own = judged.where(judged.person == judge)
        outside = outside_skill(own, posterior, pooled)
        accuracy = outside.accuracy if fitted is None else fitted.of(judgments.labels.people + judge).accuracy
        found.append(JudgeMeasured(len(own), outside.counts, accuracy, outside.by_class))
    return found


def _used(labels: Labels, gold: Ints) -> Ints:
    """Classes that somebody gave or that are known answers; at least two where there are two."""
    times = np.bincount(labels.label, minlength=labels.classes)
    times += np.bincount(gold[gold != UNKNOWN], minlength=labels.classes)
    used = np.flatnonzero(times)
    if len(used) == 1 and labels.classes > 1:
        return np.union1d(used, [0 if used[0] else 1])
    return used


def _narrowed(labels: Labels, gold: Ints, used: Ints) -> tuple[Labels, Ints]:
    """Judgments and known answers over the used classes alone."""
    if len(used) == labels.classes:
        return labels, gold
    # One place more, so that UNKNOWN (-1) stays what it is.
    place = np.full(labels.classes + 1, UNKNOWN, dtype=np.int64)
    place[used] = np.arange(len(used))
    narrow = Labels(labels.item, labels.person, place[labels.label], labels.items, labels.people, len(used))
    return narrow, place[gold]


def _widened(posterior: Floats, judgments: ProjectJudgments, used: Ints) -> Floats:
    """Over all classes again; one that nobody gave has no chance."""
    wide = np.zeros((len(posterior), judgments.labels.classes))
    wide[:, used] = posterior
    return wide


def _prior(prior: Floats, judgments: ProjectJudgments, used: Ints) -> Floats:
    """Over all classes; one not seen so far may come yet, as if half an item were of it."""
    wide = np.full(judgments.labels.classes, 0.5 / (judgments.labels.items + 1))
    wide[used] = prior
    return np.asarray(wide / wide.sum(), dtype=np.float64)


def _pooled(counts: Floats, used: Ints) -> Floats:
    """The crowd's rows over all classes. Of a truth not seen so far nothing is known but that people see it."""
    classes = counts.shape[1]
    pooled = counts.sum(axis=0) + CROWD_SMOOTHING / classes
    unseen = np.setdiff1d(np.arange(classes), used)
    pooled[unseen, unseen] += 4 * CROWD_SMOOTHING
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True), dtype=np.float64)


def confusion_counts(judgments: ProjectJudgments, posterior: Floats) -> Floats:
    """(people, classes, classes) expected judgments by person, truth and given label."""
    labels = judgments.labels
    cell = labels.person * labels.classes + labels.label
    size = labels.people * labels.classes
    columns = [
        np.bincount(cell, weights=posterior[labels.item, truth], minlength=size).reshape(labels.people, labels.classes)
        for truth in range(labels.classes)
    ]
    return np.stack(columns, axis=1)


def _possible(posterior: Floats, sizes: Ints) -> Floats:
    """Chances of the labels that a unit can get, adding up to 1."""
    classes = posterior.shape[1]
    if len(sizes) == 0 or sizes.min() == classes:
        return posterior
    kept = np.where(np.arange(classes) < sizes[:, np.newaxis], posterior, 0.0)
    total = kept.sum(axis=1, keepdims=True)
    even = np.where(np.arange(classes) < sizes[:, np.newaxis], 1.0 / sizes[:, np.newaxis], 0.0)
    return np.where(total > 0, kept / np.where(total > 0, total, 1.0), even)


def _risk_mean(judgments: ProjectJudgments, posterior: Floats, found: Skills) -> float:
    """Mean of what `rules_quality.risk_of` says of the judgments now, which chances of review are divided by."""
    labels = judgments.labels
    wrong = 1.0 - posterior[labels.item, labels.label]
    width = np.clip((found.accuracy.high - found.accuracy.low) / rules_quality.WEAK_WIDTH, 0.0, 1.0) / 2
    return float(np.maximum(wrong, width[labels.person]).mean())


def guard_kept(guard: Guard, target: float) -> Mapping[str, object]:
    """A guard as plain JSON values; `required` is None where no confidence is enough."""
    return {
        "required": guard.required if isfinite(guard.required) else None,
        "tightened": guard.required > target,
        "stated": guard.stated,
        "met": guard.met,
        "n": guard.n,
        "reason": guard.reason,
    }


SHRINKAGE = STRENGTH
"""Judgments per class that the crowd's matrix counts for in each person's, between two fits."""
