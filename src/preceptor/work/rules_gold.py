"""Decisions about known answers, pure: who passes, what was to be expected, when an answer has become known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from uuid import UUID

from preceptor.quality.evidence.watch import GoldLeakWatch, WatchState
from preceptor.quality.intervals import wilson

PASS_SCORE = 0.75
"""A score from here on passes. For two responses: the right one; for four, at most one of six pairs wrong and one
tied where the key ranks it."""
OWN_WEIGHT = 4
"""The prior for a person's chance of passing counts as many results as this ..."""
PROJECT_WEIGHT = 10
"""... and the project's standard as many as this beside the project's newest results."""
PROJECT_RESULTS = 200
"""So many of a project's newest results say what people there usually pass."""
LEAK_FALSE_ALARMS = 0.001
"""Greatest chance that a gold task whose answer nobody passes on is ever retired as leaked."""
LEAK_BASELINE = 30
"""The first so many answers say how much easier a gold task is than others; it is watched from then on."""
LEAK_EASIER_LEVEL = 0.8
"""Of the interval at whose upper end that is taken: a task is easier than that once in ten times."""
LEAK_EASIER_MAX = 3.0
"""Log odds by which a task may be easier than others and still be watched: 20 times the odds."""
PASS_RATE_MAX = 0.995

POOL = 64
"""A draw chooses among so many gold tasks that the person has not had, those with the fewest answers."""

WORDS_CHARS_MIN = 20
WORDS_CHARS_MAX = 5_000
EXPLANATION_CHARS_MAX = 5_000

PRACTICE_WINDOW = 5
"""Retraining is passed on the last so many different practice tasks ..."""
PRACTICE_PASSES = 4
"""... of which so many must be right; so a project needs at least `PRACTICE_WINDOW` of them to ask for it."""


def is_drawn(gold_percent: int, draw: float) -> bool:
    """Whether a claim is given a gold task, by a draw in [0, 1) that nobody can know before."""
    return draw * 100 < gold_percent


def passes(score: float) -> bool:
    return score >= PASS_SCORE


def expected_pass(
    own_passed: int, own_results: int, project_passed: int, project_results: int, standard: float
) -> float:
    """Chance that a person passes the next gold task, from the results they had before.

    Mean of a Beta posterior: the person's results, and a prior worth `OWN_WEIGHT` results whose mean is the pass
    rate of the project's newest results, itself drawn towards the project's standard. Strictly inside (0, 1).
    """
    usual = (project_passed + PROJECT_WEIGHT * standard) / (project_results + PROJECT_WEIGHT)
    return (own_passed + OWN_WEIGHT * usual) / (own_results + OWN_WEIGHT)


def challenge_until(decided_at: datetime, appeal_seconds: int) -> datetime:
    """A known answer can be challenged for as long as a decision can be appealed."""
    return decided_at + timedelta(seconds=appeal_seconds)


def last_different(latest_first: Iterable[tuple[UUID, bool]]) -> list[bool]:
    """Whether each of the last `PRACTICE_WINDOW` different tasks was right, by its latest answer, newest first."""
    latest: dict[UUID, bool] = {}
    for task_id, passed in latest_first:
        latest.setdefault(task_id, passed)
    return list(latest.values())[:PRACTICE_WINDOW]


def has_passed_practice(recent: Sequence[bool]) -> bool:
    """Whether so many of the last different tasks are right that retraining ends."""
    return sum(recent) >= PRACTICE_PASSES


def practice_urgency(
    confusions: Mapping[tuple[str, str], int], key_places: Collection[str], own_mistake: bool
) -> tuple[bool, int]:
    """How much a person would learn from a practice task; the greatest first.

    `confusions` counts the person's mistakes by (right label, given label), `key_places` holds the right labels of the
    task. Own mistakes before others, then what has the right labels that the person misses most.
    """
    return own_mistake, sum(count for (right, _), count in confusions.items() if right in key_places)


@dataclass(frozen=True)
class LeakWatch:
    """How far a gold task is followed: `stored` goes with the task, `log_e` is the evidence now."""

    stored: dict[str, object]
    log_e: float
    leaked: bool
    """The evidence has reached what `LEAK_FALSE_ALARMS` asks for."""


def watch_for_leak(stored: Mapping[str, object] | None, passed: bool, expected: float) -> LeakWatch:
    """Follow a gold task by one more answer, in constant time and memory.

    A leaked answer shows as people passing more often than their other results explain. A task may simply be easy, so
    its first `LEAK_BASELINE` answers say how much easier (at the upper end of an interval, at most `LEAK_EASIER_MAX`),
    and the test (`quality.evidence.GoldLeakWatch`) allows for that. What leaked before the baseline is complete looks
    like an easy task.
    """
    state = dict(stored or {"seen": 0, "passed": 0, "expected": 0.0, "easier": None, "watch": None})
    if state["easier"] is None:
        return _in_baseline(state, passed, expected)
    watch = GoldLeakWatch(false_alarm_rate=LEAK_FALSE_ALARMS, easier=_number(state["easier"]))
    before = _restored(watch, state["watch"])
    after = watch.update(before, passed, expected)
    return LeakWatch(state | {"watch": after.stored()}, after.log_e, after.log_e_max >= watch.log_threshold)


def _in_baseline(state: dict[str, object], passed: bool, expected: float) -> LeakWatch:
    seen, right = int(_number(state["seen"])) + 1, int(_number(state["passed"])) + passed
    total = _number(state["expected"]) + expected
    easier = _easier(right, seen, total / seen) if seen >= LEAK_BASELINE else None
    return LeakWatch(state | {"seen": seen, "passed": right, "expected": total, "easier": easier}, 0.0, False)


def _easier(passed: int, seen: int, expected: float) -> float:
    upper = wilson(passed, seen, LEAK_EASIER_LEVEL).high
    assert upper is not None
    ahead = _log_odds(min(upper, PASS_RATE_MAX)) - _log_odds(min(expected, PASS_RATE_MAX))
    return min(max(ahead, 0.0), LEAK_EASIER_MAX)


def _restored(watch: GoldLeakWatch, stored: object) -> WatchState:
    if not isinstance(stored, Mapping):
        return watch.begin()
    try:
        return WatchState.restored(stored)
    except ValueError:
        # Written by another version of the test: what it knew cannot be read, so the watch begins anew.
        return watch.begin()


def _number(value: object) -> float:
    assert isinstance(value, int | float)
    return float(value)


def _log_odds(chance: float) -> float:
    return log(chance / (1 - chance))


STANDS_ALONE = frozenset({"criterion", "evidence", "gold"})
"""Kinds of evidence that carry a decision without what fell: a criterion that was not met, a finding over many
answers, another known answer. Not a review's comment, nor a submission by itself."""


def falls_with(evidence: Sequence[tuple[str, str]], submission_id: str) -> bool:
    """Whether a decision falls when the gold result of a submission does.

    `evidence` is (kind, id) of everything the decision names. It falls when it names the result and nothing that it
    names beside stands alone; else it stays, and its author can still appeal.
    """
    fell = ("gold", submission_id)
    return fell in evidence and not any(link[0] in STANDS_ALONE for link in evidence if link != fell)
