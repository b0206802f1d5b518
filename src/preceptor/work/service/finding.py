"""Findings about people: evidence with a stated false-alarm rate, in plain words. Never a decision.

Each detector of `quality.evidence` looks at a project's judgments in the order of time, anew at each fit. A finding
is kept once its evidence has reached the threshold, and followed from then on; what is kept per person
(`PersonSkill.watch`) has the course of the evidence also where nothing was found.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np

from preceptor.quality.evidence import Crowd, Evidence, collusion, e_process, habits, speed
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels
from preceptor.work.models_quality import EvidenceKind
from preceptor.work.service.judgments import ProjectJudgments
from preceptor.work.service.measuring import Measured

FALSE_ALARMS = 0.01
"""Greatest chance, per person and kind, that somebody who does nothing wrong ever shows such evidence."""
ANEW = "Every fit weighs all answers anew; the chance is that of one fit."
"""Said of evidence that rests on what others answered, which later answers change: the bet of one fit is fair, the
highest of many fits is not one bet. What somebody does by themselves (a place on the page) stays as it was."""
PATH_POINTS_MAX = 200
PLACES_MAX = 12
"""Places on a page that somebody may prefer."""
PREFERRED: Floats = np.array([0.2, 0.4, 0.8])
"""Shares of answers given by place that are bet on; a slight pull of what comes first is human and not looked for."""


@dataclass(frozen=True)
class Course:
    """Evidence without its path, and the path thinned: (points, 2) of look and log e. A project's whole paths would
    take more memory than its judgments."""

    evidence: Evidence
    path: Floats

    @classmethod
    def of(cls, evidence: Evidence) -> "Course":
        return cls(replace(evidence, path=()), thinned(evidence.path))

    @property
    def points(self) -> list[list[float]]:
        """[[look, log e], ...] as plain values."""
        return [[int(look), round(log_e, 4)] for look, log_e in self.path.tolist()]


@dataclass(frozen=True)
class Finding:
    """Evidence about a person (`person`, an index), with `other` where it is about two."""

    kind: EvidenceKind
    person: int
    other: int | None
    course: Course
    statement: str


@dataclass(frozen=True)
class Watched:
    """Everybody's evidence about accuracy: whether it is below the standard, and whether it fell below at some time."""

    accuracy: tuple[Course, ...]
    drift: tuple[Course, ...]


def watch_accuracy(judgments: ProjectJudgments, measured: Measured, standard: float) -> Watched:
    """Each person's judgments against the standard, in the order of time.

    An outcome is the chance, by everybody else's judgments, that the label is the right one, held against the least
    that somebody at the project's standard finds on average (`quality.evidence.crowd.SoftOutcomes`), whatever kinds of
    errors they make. Where the others are split evenly, next to nothing follows either way.

    The course is computed anew at each fit, from what the others' judgments say by then. The false-alarm rate is that
    of one such computation (`ANEW`).
    """
    order = np.lexsort((judgments.answer, judgments.at))
    labels = judgments.labels
    timed = Labels(
        labels.item[order], labels.person[order], labels.label[order], labels.items, labels.people, labels.classes
    )
    accuracy, drift = [], []
    for outcome, expected in against_standard(timed, measured.posterior, standard):
        accuracy.append(Course.of(e_process(outcome, expected, false_alarm_rate=FALSE_ALARMS)))
        drift.append(Course.of(e_process(outcome, expected, false_alarm_rate=FALSE_ALARMS, drift=True)))
    return Watched(tuple(accuracy), tuple(drift))


def against_standard(labels: Labels, posterior: Floats, standard: float) -> list[tuple[Floats, Floats]]:
    """Per person (outcomes, the standard of each), in the order of the rows of `labels`."""
    soft = Crowd.of(labels, posterior).outcomes()
    outcome, expected = np.clip(soft.outcome, 0.0, 1.0), np.clip(soft.standards(standard), 1e-6, 1 - 1e-6)
    return [(outcome[mine], expected[mine]) for mine in _by_person(labels)]


def _by_person(labels: Labels) -> list[Ints]:
    """The rows of each person, in order."""
    rows = np.argsort(labels.person, kind="stable")
    bounds = np.searchsorted(labels.person[rows], np.arange(1, labels.people))
    return [np.asarray(part, dtype=np.int64) for part in np.split(rows, bounds)]


def findings(judgments: ProjectJudgments, measured: Measured, watched: Watched, standard: float) -> list[Finding]:
    """Everything that the detectors report, whether or not it has reached its threshold; nothing has a limit of its
    own but pairs, of which those that reached it are given."""
    return [
        *_accuracy(watched, standard),
        *_speed(judgments),
        *_copying(judgments, measured),
        *_habits(judgments, measured),
    ]


def _accuracy(watched: Watched, standard: float) -> Iterator[Finding]:
    for person, found in enumerate(watched.accuracy):
        yield Finding(
            EvidenceKind.ACCURACY,
            person,
            None,
            found,
            f"Accuracy seems to be below the project's standard of {standard:.0%}. {found.evidence.sentence} {ANEW}",
        )
    for person, found in enumerate(watched.drift):
        yield Finding(
            EvidenceKind.DRIFT,
            person,
            None,
            found,
            f"Accuracy seems to have fallen below the project's standard of {standard:.0%} at some time. "
            f"{found.evidence.sentence} {ANEW}",
        )


def _speed(judgments: ProjectJudgments) -> Iterator[Finding]:
    """Times of whole answers beside those of others on the same task."""
    labels = judgments.labels
    _, first = np.unique(judgments.answer, return_index=True)
    first = first[np.lexsort((judgments.answer[first], judgments.at[first]))]
    task = np.searchsorted(judgments.first_item, labels.item[first], side="right") - 1
    answers = Labels(task, labels.person[first], np.zeros(len(first), np.int64), len(judgments.tasks), labels.people, 1)
    seconds = np.where(judgments.seconds[first] > 0, judgments.seconds[first].astype(np.float64), np.nan)
    for found in speed(answers, seconds, false_alarm_rate=FALSE_ALARMS):
        if found.share_of_typical is None:
            continue
        yield Finding(
            EvidenceKind.SPEED,
            found.person,
            None,
            Course.of(found.evidence),
            f"Answers take {found.share_of_typical:.0%} of the time that others take on the same tasks, faster than a "
            f"quick person works. {found.evidence.sentence} {ANEW}",
        )


def _copying(judgments: ProjectJudgments, measured: Measured) -> Iterator[Finding]:
    for pair in collusion(judgments.labels, measured.posterior, false_alarm_rate=FALSE_ALARMS).reached:
        said = (
            f"On {pair.shared} shared tasks both gave the same answer {pair.same:.1f} times where one of them was "
            f"probably wrong; people who work apart would {pair.expected:.1f} times. {pair.evidence.sentence} {ANEW}"
        )
        for one, other in ((pair.one, pair.other), (pair.other, pair.one)):
            yield Finding(EvidenceKind.COPYING, one, other, Course.of(pair.evidence), said)


def _habits(judgments: ProjectJudgments, measured: Measured) -> Iterator[Finding]:
    """The same answer, or the same place on the page, again and again: the stronger, each at half the rate."""
    labels = judgments.labels
    order = np.lexsort((judgments.answer, judgments.at))
    timed = Labels(
        labels.item[order],
        labels.person[order],
        labels.label[order],
        labels.items,
        labels.people,
        labels.classes,
    )
    by_label = habits(timed, measured.posterior, false_alarm_rate=FALSE_ALARMS / 2)
    by_place = _same_places(judgments)
    for person, found in enumerate(by_label):
        place = by_place[person]
        if place.log_e_max > found.evidence.log_e_max:
            said = f"Prefers one place on the page. {place.sentence}"
            yield Finding(EvidenceKind.HABIT, person, None, Course.of(place), said)
        else:
            said = f"Gave the same answer up to {found.longest_run} times in a row. {found.evidence.sentence} {ANEW}"
            yield Finding(EvidenceKind.HABIT, person, None, Course.of(found.evidence), said)


def _same_places(judgments: ProjectJudgments) -> list[Evidence]:
    """Per person, evidence that where something was shown decides what is chosen.

    Each person is shown a task in an order of their own, drawn evenly: whatever somebody chooses and why, it stands at
    each of the m places with chance 1/m. The bet that the person prefers place k with share c multiplies by
    1 + c (m [chosen place is k] - 1), whose mean is 1; the e-value is the mean over places and shares. Of an answer
    to several units the first counts, since the others hang together with it.
    """
    labels = judgments.labels
    _, first = np.unique(judgments.answer, return_index=True)
    first = first[np.lexsort((judgments.answer[first], judgments.at[first]))]
    chosen = judgments.places[first, labels.label[first]] if judgments.places.shape[1] else np.empty(0, np.uint8)
    shown = judgments.shown[first]
    rows = first[chosen < shown] if len(chosen) else first[:0]
    place, shown = chosen[chosen < shown].astype(np.int64), shown[chosen < shown] if len(chosen) else shown[:0]
    persons = labels.person[rows]
    order = np.argsort(persons, kind="stable")
    mine = np.split(order, np.searchsorted(persons[order], np.arange(1, labels.people)))
    return [_place_evidence(place[of_person], shown[of_person]) for of_person in mine]


def _place_evidence(place: Ints, shown: Ints) -> Evidence:
    threshold = -log(FALSE_ALARMS / 2)
    claim = "what is chosen does not depend on where it is shown"
    if len(place) == 0:
        return Evidence(claim, 0.0, 0.0, threshold, 0, FALSE_ALARMS / 2)
    gains = []
    for k in range(min(PLACES_MAX, int(shown.max()))):
        # Where so many were not shown, nobody can have preferred that place: no bet.
        payoff = np.where(shown > k, shown * (place == k) - 1.0, 0.0)
        gains.append(np.log1p(PREFERRED * payoff[:, np.newaxis]).cumsum(axis=0))
    wealth = np.concatenate(gains, axis=1)
    best = wealth.max(axis=1)
    path = np.log(np.exp(wealth - best[:, np.newaxis]).mean(axis=1)) + best
    reached = np.flatnonzero(path >= threshold)
    return Evidence(
        claim=claim,
        log_e=float(path[-1]),
        log_e_max=max(0.0, float(path.max())),
        log_threshold=threshold,
        n=len(path),
        false_alarm_rate=FALSE_ALARMS / 2,
        reached_at=int(reached[0]) + 1 if len(reached) else None,
        path=tuple(path.tolist()),
    )


def thinned(path: Sequence[float]) -> Floats:
    """(points, 2) of look and log e, no more than `PATH_POINTS_MAX`, the last and the highest among them."""
    if not len(path):
        return np.empty((0, 2))
    values = np.asarray(path, dtype=np.float64)
    looks = np.unique(np.linspace(0, len(values) - 1, min(len(values), PATH_POINTS_MAX - 1)).astype(np.int64))
    looks = np.union1d(looks, [int(np.argmax(values))])
    return np.stack([looks + 1.0, values[looks]], axis=1)
