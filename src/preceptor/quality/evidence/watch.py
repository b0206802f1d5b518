"""Watching a person, or a gold task, outcome by outcome, with a state of a dozen numbers.

`AccuracyWatch` asks whether an accuracy is below the standard, `DriftWatch` whether it fell below it at some time,
`GoldLeakWatch` whether a gold task is passed more often than skill explains. Each gives the state to keep and moves it
on; nothing else of the past is needed. The method is in `bets`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import exp, log

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtri

from preceptor.quality.evidence import bets
from preceptor.quality.evidence.bets import STAKES, Starts
from preceptor.quality.evidence.result import Evidence
from preceptor.quality.evidence.sequence import confidence_sequence
from preceptor.quality.intervals import LEVEL, Estimate, Floats

FALSE_ALARM_RATE = 0.05
# A chance to pass below this is taken as this: nobody's failure is certain, and a bet against certainty is unbounded.
PASS_CHANCE_MIN = 0.01
# A shift of log odds beyond which float64 tells no chance from 0 or 1.
_SHIFT_MAX = 30.0


@dataclass(frozen=True, slots=True)
class WatchState:
    """All that is kept between looks: `log_wealth` per stake, the highest evidence so far, and the sum of outcomes."""

    looks: int
    total: float
    log_wealth: tuple[float, ...]
    log_e: float = 0.0
    log_e_max: float = 0.0
    reached_at: int | None = None

    def stored(self) -> dict[str, object]:
        """As plain values for JSON; `restored` reads them."""
        return {**asdict(self), "log_wealth": list(self.log_wealth)}

    @classmethod
    def restored(cls, stored: Mapping[str, object]) -> "WatchState":
        """From what `stored` gave. ValueError where it has another shape, as from another version."""
        wealth, reached = stored.get("log_wealth"), stored.get("reached_at")
        if not isinstance(wealth, Sequence) or len(wealth) != len(STAKES):
            raise ValueError(f"a state of {len(STAKES)} stakes is needed")
        numbers = [_number(stored, name) for name in ("looks", "total", "log_e", "log_e_max")]
        at = None if reached is None else int(_number(stored, "reached_at"))
        return cls(int(numbers[0]), numbers[1], tuple(float(w) for w in wealth), numbers[2], numbers[3], at)


def _number(stored: Mapping[str, object], name: str) -> float:
    value = stored.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} of a stored state is {value!r}, not a number")
    return float(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Bets against a claim. `false_alarm_rate` is the chance of ever reaching the threshold while the claim holds."""

    false_alarm_rate: float | None = FALSE_ALARM_RATE
    run_length: float | None = None

    def __post_init__(self) -> None:
        if (self.false_alarm_rate is None) == (self.run_length is None):
            raise ValueError("give a false alarm rate or an average run length, one of the two")
        if self.false_alarm_rate is not None and not 0 < self.false_alarm_rate < 1:
            raise ValueError(f"a false alarm rate lies between 0 and 1, not {self.false_alarm_rate}")
        if self.run_length is not None and not 1 < self.run_length < float("inf"):
            raise ValueError(f"a run length is more than one look, not {self.run_length}")

    @property
    def starts(self) -> Starts:
        return "first" if self.run_length is None else "always"

    @property
    def log_threshold(self) -> float:
        """Log of the evidence that a true claim reaches as seldom as stated."""
        return log(self.run_length) if self.run_length is not None else -log(self.false_alarm_rate or 1)

    def begin(self) -> WatchState:
        """The state before anything was seen."""
        return WatchState(0, 0.0, tuple(bets.opened(self.starts).tolist()))

    def settled(self, outcomes: Floats, path: Floats, log_wealth: Floats) -> WatchState:
        """The state after all outcomes at once, from what `bets.path` gave for them."""
        if len(outcomes) == 0:
            return self.begin()
        reached = np.flatnonzero(path >= self.log_threshold)
        return WatchState(
            looks=len(outcomes),
            total=float(outcomes.sum()),
            log_wealth=tuple(log_wealth.tolist()),
            log_e=float(path[-1]),
            log_e_max=max(0.0, float(path.max())),
            reached_at=int(reached[0]) + 1 if len(reached) else None,
        )

    def _moved(self, state: WatchState, outcome: float, standard: float, weight: float) -> WatchState:
        bets.refuse_outcomes(np.array([outcome]), np.array([standard]))
        if not 0 <= weight <= 1:
            raise ValueError(f"a weight lies between 0 and 1, not {weight}")
        looks = state.looks + 1
        wealth = bets.advanced(np.array(state.log_wealth), bets.factors(outcome, standard, weight), self.starts, looks)
        log_e = float(bets.log_e_value(wealth, self.starts, looks))
        reached = state.reached_at or (looks if log_e >= self.log_threshold else None)
        best = max(state.log_e_max, log_e)
        return WatchState(looks, state.total + outcome, tuple(wealth.tolist()), log_e, best, reached)

    def _evidence(self, state: WatchState, claim: str, path: Sequence[float]) -> Evidence:
        return Evidence(
            claim=claim,
            log_e=state.log_e,
            log_e_max=state.log_e_max,
            log_threshold=self.log_threshold,
            n=state.looks,
            false_alarm_rate=self.false_alarm_rate,
            run_length=self.run_length,
            reached_at=state.reached_at,
            path=tuple(path),
            estimate=confidence_sequence(state.total, state.looks, 1 - (self.false_alarm_rate or 1 - LEVEL)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccuracyWatch(Watch):
    """Evidence against "this person's accuracy is at least the standard".

    An outcome is 1 (right), 0 (wrong) or in between: how far everybody else's labels bear the person out
    (`Crowd.outcomes`, which also gives the standard of each). The claim is that each outcome has a conditional mean
    of at least its standard; tasks of different difficulty or with different numbers of options get standards of
    their own (`above_chance`). Outcomes may depend on each other as they like.

    False alarms: a person at or above the standard ever reaches 1 / `false_alarm_rate` with a chance of at most
    `false_alarm_rate`, looked at after every task, forever. With outcomes from posteriors this holds as far as the
    posteriors are calibrated up to their doubt.
    """

    standard: float

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is made anew, which leaves super() pointing at the old class.
        Watch.__post_init__(self)
        _refuse_standard(self.standard)

    @property
    def claim(self) -> str:
        return f"accuracy is at least {self.standard:.0%}"

    def update(
        self, state: WatchState, outcome: float, *, standard: float | None = None, weight: float = 1.0
    ) -> WatchState:
        """The state after one more outcome; constant time. `weight` (0 to 1) must be chosen before the outcome."""
        return self._moved(state, outcome, self.standard if standard is None else standard, weight)

    def evidence(self, state: WatchState, path: Sequence[float] = ()) -> Evidence:
        """What the outcomes so far amount to. `estimate` is their mean (the accuracy, if they are 1 and 0), with an
        interval that is valid at all times at once."""
        return self._evidence(state, self.claim, path)


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftWatch(AccuracyWatch):
    """Evidence that an accuracy fell below the standard at some time, however good it was before.

    A watch from the first look on has lost its stakes on a long good start; here a bet starts at every look. With
    `false_alarm_rate` (the default) the chance of ever reaching the threshold while the standard is met is at most
    that, and a fall after t looks costs about 2 log t of evidence. With `run_length` (and `false_alarm_rate=None`)
    the threshold comes up on average once in at least so many looks of a person at the standard, and sooner after a
    fall: for a board that is looked at anyway, not for anything adverse.
    """

    @property
    def claim(self) -> str:
        return f"accuracy was at least {self.standard:.0%} all the time"

    @property
    def starts(self) -> Starts:
        return "any" if self.run_length is None else "always"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldLeakWatch(Watch):
    """Evidence that a gold task is passed more often than the skill of those who pass it explains: its answer leaked.

    An outcome is whether somebody passed, with the chance that they would, from their skill on all other tasks. The
    claim is that nobody's chance on this task was higher. A leak may begin at any time, so bets start at every
    attempt, at the price of 2 log t of evidence.

    A gold task that is easier than others is passed more often without a leak: `easier` is how much easier it may
    honestly be, in log odds. Take the upper end of `easiness` of attempts when the task was new: the stated false
    alarm rate holds for a task that is no easier than allowed.
    """

    easier: float = 0.0

    def __post_init__(self) -> None:
        Watch.__post_init__(self)
        if not 0 <= self.easier < float("inf"):
            raise ValueError(f"log odds of at least 0 are needed, not {self.easier}")

    @property
    def claim(self) -> str:
        return "this gold task is passed no more often than skill explains"

    @property
    def starts(self) -> Starts:
        return "any" if self.run_length is None else "always"

    def update(self, state: WatchState, passed: bool, expected: float) -> WatchState:
        """The state after one more attempt, by somebody who was `expected` (0 to 1) to pass; constant time."""
        return self._moved(state, 1.0 - float(passed), 1 - self._allowed(expected), 1.0)

    def evidence(self, state: WatchState, path: Sequence[float] = ()) -> Evidence:
        """What the attempts so far amount to. `estimate` is the rate of failing."""
        return self._evidence(state, self.claim, path)

    def _allowed(self, expected: float) -> float:
        if not 0 <= expected <= 1:
            raise ValueError(f"a chance to pass lies between 0 and 1, not {expected}")
        chance = max(expected, PASS_CHANCE_MIN)
        return chance / (chance + (1 - chance) * exp(-self.easier))


def e_process(
    outcomes: ArrayLike,
    standard: ArrayLike,
    *,
    weights: ArrayLike = 1.0,
    false_alarm_rate: float = FALSE_ALARM_RATE,
    drift: bool = False,
) -> Evidence:
    """Evidence, with its path, that outcomes in [0, 1] (looks,) fall short of a standard (one, or one per look).

    The same as an `AccuracyWatch` (or a `DriftWatch`, with `drift`) moved on outcome by outcome. Outcomes that are
    NaN, or outside [0, 1], are refused with ValueError: leave out what is not known.
    """
    given = np.asarray(outcomes, dtype=np.float64).reshape(-1)
    asked = np.asarray(standard, dtype=np.float64)
    standards = np.broadcast_to(asked, given.shape)
    bets.refuse_outcomes(given, standards)
    mean = float((standards if len(given) else asked).mean())
    kind = DriftWatch if drift else AccuracyWatch
    watch = kind(standard=mean, false_alarm_rate=false_alarm_rate)
    path, wealth = bets.path(given, standards, weights, watch.starts)
    return watch.evidence(watch.settled(given, path, wealth), path.tolist())


def easiness(passed: ArrayLike, expected: ArrayLike, level: float = LEVEL) -> Estimate:
    """How much easier a gold task is than skill explains, in log odds, from attempts (n,) made before it could leak.

    The shift of everybody's log odds at which as many would pass as did, with an interval by inverting the score
    test (a normal approximation: for a dozen attempts or more). Where all passed, or none, only one end is known:
    the value is None and so is the open end. Unknown without an attempt. ValueError for chances outside [0, 1].
    """
    given, chance = np.asarray(passed, dtype=np.float64), np.asarray(expected, dtype=np.float64)
    if given.shape != chance.shape or not np.all((chance >= 0) & (chance <= 1) & ((given == 0) | (given == 1))):
        raise ValueError("one chance between 0 and 1 is needed per attempt, passed or not")
    if given.size == 0:
        return Estimate.unknown("nobody tried it yet")
    log_odds = logit(np.clip(chance, PASS_CHANCE_MIN, 1 - PASS_CHANCE_MIN))
    reach = float(ndtri((1 + level) / 2))
    value, low, high = (_shift(log_odds, float(given.sum()), score) for score in (0.0, reach, -reach))
    reason = "all passed, or none did" if value is None else None
    return Estimate(value, low, high, given.size, reason)


def _shift(log_odds: Floats, total: float, score: float) -> float | None:
    """The shift at which the number who passed lies `score` standard deviations above what is expected."""

    def excess(shift: float) -> float:
        chance = expit(log_odds + shift)
        return total - float(chance.sum()) - score * float(np.sqrt((chance * (1 - chance)).sum()))

    if excess(-_SHIFT_MAX) <= 0 or excess(_SHIFT_MAX) >= 0:
        return None
    return float(brentq(excess, -_SHIFT_MAX, _SHIFT_MAX))


def above_chance(knowing: float, options: ArrayLike) -> Floats:
    """The standard of tasks with so many options each, for a person who knows a share of the answers and guesses
    evenly where they do not: 1 / options + knowing (1 - 1 / options)."""
    counts = np.asarray(options, dtype=np.float64)
    if not np.all(counts >= 2) or not 0 <= knowing < 1:
        raise ValueError("a task has at least two options, and a share known is at least 0 and less than 1")
    standards: Floats = 1 / counts + knowing * (1 - 1 / counts)
    return standards


def _refuse_standard(standard: float) -> None:
    if not 0 < standard < 1:
        raise ValueError(f"a standard lies between 0 and 1, not {standard}")
