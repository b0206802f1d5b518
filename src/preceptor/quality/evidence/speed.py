"""Answers faster than plausible: a person's times beside those of their peers on the same tasks.

Model: the log of the seconds is a task effect plus a person effect plus noise, the log-normal form of van der Linden,
"A lognormal model for response times on test items" (Journal of Educational and Behavioral Statistics 2006, 31:181).
Some people are quick, and may be: the claim is only that a person is no quicker than somebody three standard
deviations faster than usual. Under it, the normal score of a time against that limit, passed through the normal
distribution function, has a mean of at least a half, which bounded bets test: a single absurd time can never decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from preceptor.quality.evidence import bets
from preceptor.quality.evidence.result import Evidence
from preceptor.quality.evidence.watch import FALSE_ALARM_RATE, Watch, WatchState
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import BadLabels, Labels

QUICK = 3.0
"""A plausible person is at most so many standard deviations (of people) faster than usual."""
_ROUNDS = 20
# The median absolute deviation of a normal distribution is this share of its standard deviation.
_MAD = 0.6745
# Times that are all equal (an import, a test) have no spread to divide by.
_SPREAD_MIN = 0.01


@dataclass(frozen=True)
class Pace:
    """Each judgment's time beside its peers'.

    `typical` (n,) is what peers took on the same task, in seconds of a person of usual pace; `outcome` (n,) the
    outcome for a `PaceWatch`; both NaN where nobody else's time on the task is known. `spread` and `spread_people`
    are standard deviations of log seconds within and between people; `limit` is the share of the usual time that a
    quick person takes.
    """

    typical: Floats
    outcome: Floats
    spread: float
    spread_people: float
    limit: float


def pace(labels: Labels, seconds: ArrayLike) -> Pace:
    """Compare times (n,), one per judgment, with those of others on the same task, without the person's own.

    NaN is an unknown time. Refused with `BadLabels`: another length, a time that is infinite or not above zero.
    Spreads are taken from medians, so that a minority of rushed answers does not widen them.
    """
    logs = _logs(labels, seconds)
    known = np.flatnonzero(np.isfinite(logs))
    timed, y = labels.where(np.isfinite(logs)), logs[known]
    person = _people_effects(timed, y)
    total = np.bincount(timed.item, weights=y - person[timed.person], minlength=labels.items)
    peers = np.bincount(timed.item, minlength=labels.items)[timed.item] - 1
    with np.errstate(invalid="ignore", divide="ignore"):
        usual = (total[timed.item] - (y - person[timed.person])) / peers
        # Without a peer, 0 / 0.
        usual = np.where(peers > 0, usual, np.nan)
        noise = np.sqrt(1 + 1 / peers)
    spread = _deviation((y - usual - person[timed.person]) / noise)
    between = _deviation(person[np.bincount(timed.person, minlength=labels.people) > 0])
    limit = -QUICK * between
    typical, outcome = np.full(len(labels), np.nan), np.full(len(labels), np.nan)
    typical[known] = np.exp(usual)
    outcome[known] = ndtr((y - usual - limit) / (spread * noise))
    return Pace(typical, outcome, spread, between, float(np.exp(limit)))


def _logs(labels: Labels, seconds: ArrayLike) -> Floats:
    given = np.asarray(seconds, dtype=np.float64)
    if given.shape != (len(labels),):
        raise BadLabels(f"{given.shape} times for {len(labels)} judgments")
    if np.any(np.isinf(given) | (given <= 0)):
        row = int(np.argmax(np.isinf(given) | (given <= 0)))
        raise BadLabels(f"row {row}: {given[row]} seconds; a time is finite and above zero, or NaN where unknown")
    return np.log(given)


def _people_effects(labels: Labels, y: Floats) -> Floats:
    """How much slower each person is than usual, in logs, (people,), centred; by alternating means."""
    per_item = np.maximum(np.bincount(labels.item, minlength=labels.items), 1)
    per_person = np.maximum(np.bincount(labels.person, minlength=labels.people), 1)
    person = np.zeros(labels.people)
    for _ in range(_ROUNDS):
        task = np.bincount(labels.item, weights=y - person[labels.person], minlength=labels.items) / per_item
        person = np.bincount(labels.person, weights=y - task[labels.item], minlength=labels.people) / per_person
        if len(y):
            person = person - np.median(person[labels.person])
    return person


def _deviation(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return _SPREAD_MIN
    return max(_SPREAD_MIN, float(np.median(np.abs(finite - np.median(finite)))) / _MAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceWatch(Watch):
    """Evidence that a person answers faster than a quick person would; outcomes come from `pace`.

    False alarms as in `AccuracyWatch`, given that times are log-normal as `pace` says; tails that are heavier to both
    sides alike do no harm.
    """

    @property
    def claim(self) -> str:
        return "answers take as long as a quick person needs for the same tasks"

    def update(self, state: WatchState, outcome: float) -> WatchState:
        """The state after one more answer; constant time."""
        return self._moved(state, outcome, 0.5, 1.0)

    def evidence(self, state: WatchState, path: Sequence[float] = ()) -> Evidence:
        """What the times so far amount to; `estimate` is the mean outcome, a half at the limit."""
        return self._evidence(state, self.claim, path)


@dataclass(frozen=True, slots=True)
class SpeedEvidence:
    """A person's evidence, with the median share of the peers' time that they took (None where nothing compares)."""

    person: int
    answers: int
    share_of_typical: float | None
    evidence: Evidence


def speed(
    labels: Labels, seconds: ArrayLike, *, false_alarm_rate: float = FALSE_ALARM_RATE
) -> tuple[SpeedEvidence, ...]:
    """Evidence, per person, of answers faster than plausible. The rows of `labels` are in the order of time.

    `false_alarm_rate` holds per person, over all looks. Judgments without a known time of a peer are left out.
    """
    measured = pace(labels, seconds)
    share = np.asarray(seconds, dtype=np.float64) / measured.typical
    watch = PaceWatch(false_alarm_rate=false_alarm_rate)
    found = []
    for person, rows in enumerate(_rows_by_person(labels, np.isfinite(measured.outcome))):
        path, wealth = bets.path(measured.outcome[rows], 0.5, 1.0, watch.starts)
        state = watch.settled(measured.outcome[rows], path, wealth)
        median = float(np.median(share[rows])) if len(rows) else None
        found.append(SpeedEvidence(person, len(rows), median, watch.evidence(state, path.tolist())))
    return tuple(found)


def _rows_by_person(labels: Labels, keep: np.typing.NDArray[np.bool_]) -> list[np.typing.NDArray[np.intp]]:
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(labels.person[rows], kind="stable")]
    return np.split(rows, np.searchsorted(labels.person[rows], np.arange(1, labels.people)))
