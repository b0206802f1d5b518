"""Ask one more, stop, or hand over: a sequential decision per task, from its posterior, prices and a cap.

The posterior comes from a class-wise model of people (Dawid-Skene, or `incremental`), never from a one-coin model:
errors that all people make on one class look like agreement to a one-coin rule, and it stops early on wrong answers.
For the same reason no task stops on fewer than `FLOOR_MIN` labels, however sure the model is, and where gold tasks
show that the model is surer than it is right, `gold_guard` raises what it takes to stop.

Stopping when the likeliest class passes a threshold is Wald's sequential test (Annals of Mathematical Statistics 1945,
16:117) in its Bayesian form, for several classes that of Baum and Veeravalli (IEEE Trans. Information Theory 1994,
40:1994). Stopping when a label costs more than it is expected to bring is the myopic rule of Sheng, Provost and
Ipeirotis ("Get another label?", KDD 2008), here looking up to three labels ahead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, isfinite, isnan
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from preceptor.quality.asking import best_value_ahead, gain_per_label_ahead
from preceptor.quality.intervals import LEVEL, Floats, wilson

FLOOR_MIN = 3
"""No task stops on fewer labels. A rule that could was measured to end below plain majority."""
CAP_MAX = 1_000
GOLD_MIN = 20
"""With fewer gold answers a guard says nothing either way."""
LABELS_AHEAD = 3
_SUM_TOLERANCE = 1e-6

AskReason = Literal["below_floor", "below_target"]
StopReason = Literal["sure_enough", "not_worth_it"]
EscalateReason = Literal["cap_reached", "price_limit_reached", "nobody_left"]


@dataclass(frozen=True, slots=True)
class Rules:
    """A project's settings for asking.

    target: stop when the likeliest class has at least this chance. floor, cap: fewest and most labels of a task.
    price: of one label, in any unit. price_limit: the most one task may cost, same unit; None is no limit.
    worth: what a right answer instead of a wrong one is worth, same unit: no label is asked whose price is above
    what it is expected to bring. None leaves that question out. Both need a price.
    """

    target: float = 0.95
    floor: int = FLOOR_MIN
    cap: int = 10
    price: float = 0.0
    price_limit: float | None = None
    worth: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ValueError(f"a confidence target lies between 0 and 1, not {self.target}")
        if not FLOOR_MIN <= self.floor <= self.cap <= CAP_MAX:
            raise ValueError(f"{FLOOR_MIN} <= floor <= cap <= {CAP_MAX} is wanted, not {self.floor} and {self.cap}")
        for name, amount in (("price", self.price), ("price limit", self.price_limit), ("worth", self.worth)):
            if amount is not None and not (isfinite(amount) and amount >= 0):
                raise ValueError(f"the {name} is {amount}; a number from 0 up is wanted")
        if self.price_limit is not None and self.price_limit < self.floor * self.price:
            raise ValueError(
                f"{self.floor} labels at {self.price} cost more than the limit of {self.price_limit} a task; "
                "raise the limit or lower the floor"
            )


@dataclass(frozen=True, slots=True)
class Guard:
    """What gold answers say about the model's confidence.

    required: the confidence to stop at, at least the project's target; inf where no confidence was found at which
    answers are right often enough. stated, met: mean confidence on gold, and the share that was right. n: gold answers.
    """

    required: float
    stated: float | None
    met: float | None
    n: int
    reason: str


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task, as the decision sees it: chances of the classes, labels so far, money spent on them, and whether
    anybody is left who may be asked."""

    posterior: Sequence[float]
    labels: int
    spent: float = 0.0
    can_ask: bool = True

    def __post_init__(self) -> None:
        if self.labels < 0 or not (isfinite(self.spent) and self.spent >= 0):
            raise ValueError(f"{self.labels} labels for {self.spent}: both are numbers from 0 up")
        if len(self.posterior) == 0 or any(isnan(chance) or chance < 0 for chance in self.posterior):
            raise ValueError("a posterior is a chance for each class")
        if abs(sum(self.posterior) - 1) > _SUM_TOLERANCE:
            raise ValueError(f"the chances of a posterior add up to 1, not {sum(self.posterior)}")

    @property
    def confidence(self) -> float:
        return max(self.posterior)


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask one more person."""

    reason: AskReason
    confidence: float
    required: float


@dataclass(frozen=True, slots=True)
class Stop:
    """The task is resolved: the likeliest class is its answer."""

    reason: StopReason
    confidence: float
    required: float


@dataclass(frozen=True, slots=True)
class Escalate:
    """No more labels, and not sure enough: somebody has to decide (a reviewer, an expert, the client)."""

    reason: EscalateReason
    confidence: float
    required: float


Decision = Ask | Stop | Escalate


def decide(
    state: TaskState, rules: Rules, *, guard: Guard | None = None, next_person: ArrayLike | None = None
) -> Decision:
    """What to do with a task now.

    Below the floor: ask (escalate where nobody is left). At or above it: stop when sure enough; escalate at the cap,
    the price limit, or where nobody is left; stop when one more label is not worth its price; else ask. `guard`
    replaces the target by what gold asks for. `next_person` (classes, classes) is the confusion [truth, given] of
    whoever would come next, usually the crowd's pooled matrix; without it the question of worth is left out.

    One class only is sure from the start, and stops at the floor.
    """
    required = rules.target if guard is None else max(rules.target, guard.required)
    confidence = state.confidence
    below_floor = state.labels < rules.floor
    if not below_floor and confidence >= required:
        return Stop("sure_enough", confidence, required)
    if (end := _end_of_asking(state, rules)) is not None:
        return Escalate(end, confidence, required)
    if below_floor:
        return Ask("below_floor", confidence, required)
    if not _is_worth_asking(state, rules, next_person):
        return Stop("not_worth_it", confidence, required)
    return Ask("below_target", confidence, required)


def wants_more(
    posterior: Floats,
    labels: ArrayLike,
    rules: Rules,
    *,
    guard: Guard | None = None,
    next_person: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """`decide` for pools: (items,) True where the decision is to ask, money for one task and people left aside.

    `posterior` (items, classes), `labels` (items,) so far.
    """
    required = rules.target if guard is None else max(rules.target, guard.required)
    so_far = np.asarray(labels)
    below_floor = so_far < rules.floor
    unsure: NDArray[np.bool_] = ~below_floor & (posterior.max(axis=1) < required) & (so_far < rules.cap)
    if rules.worth is not None and next_person is not None and unsure.any():
        gain = gain_per_label_ahead(posterior[unsure], next_person, labels=LABELS_AHEAD)
        unsure[unsure] = gain * rules.worth >= rules.price
    asks: NDArray[np.bool_] = below_floor | unsure
    return asks


def gold_guard(target: float, confidence: ArrayLike, right: ArrayLike, *, level: float = LEVEL) -> Guard:
    """The confidence at which to stop, given how confident the model was on gold and whether it was right.

    `confidence` (n,) is the chance of the likeliest class of each gold task, from a posterior that did not know the
    gold answer; `right` (n,) says whether that class was the answer. The target stays as it is unless gold speaks
    against it: only where the tasks that would have stopped are right less often than stated, by more than chance
    allows (the Wilson interval at `level` lies below the mean stated confidence). Then the smallest confidence is
    required above which lie at least `GOLD_MIN` gold answers, with a share of right ones that reaches the target.
    Where there is none no confidence is enough: the cap decides, and what ends there is escalated.
    """
    stated = np.asarray(confidence, dtype=np.float64)
    met = np.asarray(right, dtype=np.float64)
    if stated.shape != met.shape or stated.ndim != 1:
        raise ValueError("one confidence and one outcome per gold answer are wanted")
    if not np.all((stated >= 0) & (stated <= 1) & ((met == 0) | (met == 1))):
        raise ValueError("confidences lie between 0 and 1, outcomes are 0 or 1")
    if len(stated) < GOLD_MIN:
        return Guard(target, None, None, len(stated), f"{len(stated)} gold answers are too few; {GOLD_MIN} are needed")
    overall = (float(stated.mean()), float(met.mean()), len(stated))
    if not _is_overconfident(target, stated, met, level):
        return Guard(target, *overall, "no sign of overconfidence")
    return Guard(_smallest_that_keeps(target, stated, met), *overall, "overconfident")


def _is_overconfident(target: float, stated: Floats, met: Floats, level: float) -> bool:
    stopped = stated >= target
    if not stopped.any():
        return False
    upper = wilson(float(met[stopped].sum()), int(stopped.sum()), level).high
    return upper is not None and upper < float(stated[stopped].mean())


def _smallest_that_keeps(target: float, stated: Floats, met: Floats) -> float:
    """The smallest confidence from `target` up above which answers are right often enough, inf where there is none."""
    order = np.argsort(-stated, kind="stable")
    confident = stated[order]
    above = np.arange(1, len(order) + 1)
    share = np.cumsum(met[order]) / above
    # Equal confidences stand or fall together: only the last of each counts.
    ends = np.append(confident[1:] < confident[:-1], True)
    good = np.flatnonzero(ends & (above >= GOLD_MIN) & (share >= target) & (confident >= target))
    return float(confident[good[-1]]) if len(good) else inf


def _end_of_asking(state: TaskState, rules: Rules) -> EscalateReason | None:
    if state.labels >= rules.cap:
        return "cap_reached"
    if rules.price_limit is not None and state.spent + rules.price > rules.price_limit:
        return "price_limit_reached"
    if not state.can_ask:
        return "nobody_left"
    return None


def _is_worth_asking(state: TaskState, rules: Rules, next_person: ArrayLike | None) -> bool:
    if rules.worth is None or next_person is None:
        return True
    value = best_value_ahead(state.posterior, next_person, labels=LABELS_AHEAD)
    return value.gain_per_label * rules.worth >= rules.price
