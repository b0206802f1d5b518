"""Decisions about entry tests, pure: who may try when, what passes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from preceptor.assessments.models import AttemptState

# Scores are sums of halves and thirds in floating point; a true 80 must not fail as 79.999...
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PastAttempt:
    state: AttemptState
    finished_at: datetime | None
    score_percent: int | None


class Door(StrEnum):
    """Whether a person may start an attempt now."""

    OPEN = "open"
    QUALIFIED = "qualified"
    RUNNING = "running"
    COOLING_DOWN = "cooling_down"
    USED_UP = "used_up"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands with a test. `opens_at` is set while cooling down."""

    door: Door
    attempts_used: int
    attempts_max: int
    best_percent: int | None = None
    opens_at: datetime | None = None


def standing(
    past: Sequence[PastAttempt],
    *,
    qualified: bool,
    attempts_max: int,
    cooldown: timedelta,
    now: datetime,
) -> Standing:
    """Where a person stands after these attempts, all of them, in any order."""
    scores = [attempt.score_percent for attempt in past if attempt.score_percent is not None]
    ended = [attempt.finished_at for attempt in past if attempt.finished_at is not None]
    opens_at = max(ended) + cooldown if ended else None
    door = Door.OPEN
    if any(attempt.state is AttemptState.RUNNING for attempt in past):
        door = Door.RUNNING
    elif qualified:
        door = Door.QUALIFIED
    elif len(past) >= attempts_max:
        door = Door.USED_UP
    elif opens_at is not None and now < opens_at:
        door = Door.COOLING_DOWN
    return Standing(
        door=door,
        attempts_used=len(past),
        attempts_max=attempts_max,
        best_percent=max(scores, default=None),
        opens_at=opens_at if door is Door.COOLING_DOWN else None,
    )


def percent(scores: Sequence[float | None]) -> float:
    """Mean score of all questions of an attempt in percent; one without an answer counts as 0."""
    if not scores:
        raise ValueError("an attempt has at least one question")
    return 100 * sum(score or 0.0 for score in scores) / len(scores)


def passes(reached: float, pass_percent: int) -> bool:
    return reached + ROUNDING >= pass_percent


def whole_percent(reached: float) -> int:
    """Rounded down, so that nobody reads 80 and has failed at 80."""
    return math.floor(reached + ROUNDING)
