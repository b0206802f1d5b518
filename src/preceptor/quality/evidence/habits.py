"""Straight-lining: the same answer again and again, beyond what the tasks and a person's own rates give.

Runs come up by themselves where one class is common, so only tasks are counted on which the previous answer is, by
everybody else's labels, probably wrong (with probability w), and a repetition is judged against its own chance P:
from what the others say about the item, and the person's own confusion row. The bet that a person repeats a share c of
their previous answers multiplies by 1 + w c (same / P - 1); its mean is at most 1 for somebody who looks at each task.
"""

from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike

from preceptor.quality.evidence.collusion import COPIED, WRONG_MIN
from preceptor.quality.evidence.crowd import Crowd, slices
from preceptor.quality.evidence.result import Evidence
from preceptor.quality.evidence.watch import FALSE_ALARM_RATE
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels


@dataclass(frozen=True, slots=True)
class Habit:
    """How a person's answers follow one another.

    `longest_run` equal answers came up in a row, for which `run_chance` is an upper bound of the chance that a run as
    long comes up anywhere in their work. `entropy` of their labels is in bits, beside `entropy_expected` if the crowd
    had answered the same tasks: somebody who always gives one label has 0. All None without an answer.
    """

    person: int
    answers: int
    longest_run: int | None
    run_chance: float | None
    entropy: float | None
    entropy_expected: float | None
    evidence: Evidence


def habits(labels: Labels, truth: ArrayLike, *, false_alarm_rate: float = FALSE_ALARM_RATE) -> tuple[Habit, ...]:
    """Evidence, per person, that answers repeat the one before. The rows of `labels` are in the order of time.

    `truth` is a posterior (items, classes), or known answers, as in `Crowd.of`; tasks without a known answer are left
    out of the sequences. Where options are shown in changing places, give the places as labels and posteriors of
    places: a habit of clicking the first is then seen as such. `false_alarm_rate` holds per person.
    """
    if not 0 < false_alarm_rate < 1:
        raise ValueError(f"a false alarm rate lies between 0 and 1, not {false_alarm_rate}")
    crowd = Crowd.of(labels, truth)
    order = np.argsort(crowd.labels.person, kind="stable")
    bounds = np.searchsorted(crowd.labels.person[order], np.arange(labels.people + 1))
    return tuple(
        _habit(crowd, person, order[bounds[person] : bounds[person + 1]], false_alarm_rate)
        for person in range(labels.people)
    )


def _habit(crowd: Crowd, person: int, rows: Ints, rate: float) -> Habit:
    if len(rows) == 0:
        return Habit(person, 0, None, None, None, None, _evidence(np.empty(0), rate))
    said = crowd.labels.label[rows]
    chances, expected = _chances(crowd, rows)
    run = _longest_run(said)
    return Habit(
        person=person,
        answers=len(rows),
        longest_run=run,
        run_chance=_run_chance(chances, run),
        entropy=_entropy(np.bincount(said)),
        entropy_expected=_entropy(expected),
        evidence=_evidence(_path(crowd, rows[1:], said[:-1]), rate),
    )


def _chances(crowd: Crowd, rows: Ints) -> tuple[Floats, Floats]:
    """Chance of each label on each task by the person's own rates, (answers, classes), and of each by the crowd's."""
    chances, expected = np.empty((len(rows), crowd.labels.classes)), np.zeros(crowd.labels.classes)
    for part in slices(len(rows), crowd.labels.classes):
        mine = rows[part]
        belief = crowd.belief_without(crowd.labels.item[mine], mine)
        expected += (belief @ crowd.pooled).sum(axis=0)
        for label in range(crowd.labels.classes):
            said = np.full(len(mine), label)
            chances[part, label] = (belief * crowd.generous_chances(mine, said)).sum(axis=1)
    return np.minimum(chances, 1.0), expected


def _path(crowd: Crowd, rows: Ints, before: Ints) -> Floats:
    """Log e-values after each of the answers in `rows`, which followed the answers `before`."""
    wealth = np.empty((len(rows), len(COPIED)))
    for part in slices(len(rows), crowd.labels.classes):
        mine, previous = rows[part], before[part]
        belief = crowd.belief_without(crowd.labels.item[mine], mine)
        wrong = 1 - belief[np.arange(len(mine)), previous]
        wrong = np.where(wrong > WRONG_MIN, wrong, 0.0)
        chance = np.minimum((belief * crowd.generous_chances(mine, previous)).sum(axis=1), 1.0)
        same = (crowd.labels.label[mine] == previous).astype(np.float64)
        wealth[part] = np.log1p(COPIED * (wrong * (same / chance - 1))[:, np.newaxis])
    wealth = wealth.cumsum(axis=0)
    best = wealth.max(axis=1, initial=-np.inf)
    mixed: Floats = np.log(np.exp(wealth - best[:, np.newaxis]).mean(axis=1)) + best
    return mixed


def _evidence(path: Floats, rate: float) -> Evidence:
    threshold = -log(rate)
    reached = np.flatnonzero(path >= threshold)
    return Evidence(
        claim="each answer is given to its own task and not repeated from the one before",
        log_e=float(path[-1]) if len(path) else 0.0,
        log_e_max=max(0.0, float(path.max(initial=0.0))),
        log_threshold=threshold,
        n=len(path),
        false_alarm_rate=rate,
        reached_at=int(reached[0]) + 1 if len(reached) else None,
        path=tuple(path.tolist()),
    )


def _longest_run(said: Ints) -> int:
    ends = np.flatnonzero(np.concatenate([said[1:] != said[:-1], [True]]))
    return int(np.diff(ends, prepend=-1).max())


def _run_chance(chances: Floats, run: int) -> float:
    """Sum over all places and labels of the chance of a run there (Boole's inequality), at most 1."""
    logs = np.concatenate([np.zeros((1, chances.shape[1])), np.log(chances).cumsum(axis=0)])
    return min(1.0, float(np.exp(logs[run:] - logs[:-run]).sum()))


def _entropy(weights: Floats | Ints) -> float:
    shares = weights[weights > 0] / weights.sum()
    return float(abs(-(shares * np.log2(shares)).sum()))
