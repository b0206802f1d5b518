"""Decisions of the quality engine, pure: how often a task is asked, when a fit is due, which reviews are drawn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from preceptor.projects.models import OverlapMode
from preceptor.projects.rules import least_asked, most_asked
from preceptor.work.models_quality import AnswerState

# --- How often a task is asked


@dataclass(frozen=True, slots=True)
class Terms:
    """A project's settings for asking. `required` is the confidence to stop at: the project's, or more where gold
    has shown that the model is surer than it is right."""

    mode: OverlapMode
    overlap: int
    floor: int
    cap: int
    required: float
    rate_minor: int
    price_limit_minor: int | None

    @property
    def most(self) -> int:
        """The most judgments of one task: the cap, or fewer where the price limit pays for fewer; at least one."""
        return most_asked(self.cap, self.rate_minor, self.price_limit_minor)

    @property
    def least(self) -> int:
        """The fewest, which is what a fresh task is given out for at once."""
        return least_asked(self.floor, self.most)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many judgments a task is open for, and how its answer stands."""

    wanted: int
    state: AnswerState


def plan(terms: Terms, *, taken: int, done: int, confidence: float) -> Plan:
    """What to do with a task: `taken` live claims and judgments, of which `done` are judgments that count.

    Below the floor it is asked. Then: sure enough, and it is resolved; as many judgments as there may be, and it is
    escalated; else it waits for who is at work on it, and when nobody is, one more person is asked. (The order of
    `quality.adaptive.decide`.) Holds for every input: `wanted >= taken`, so that no live claim is stranded; and
    whoever is asking has a free place or somebody at work (`wanted > done`).
    """
    if terms.mode is OverlapMode.FIXED:
        wanted = max(taken, terms.overlap)
        return Plan(wanted, AnswerState.ASKING if done < wanted else AnswerState.RESOLVED)
    if done < terms.least:
        return Plan(max(taken, terms.least), AnswerState.ASKING)
    if confidence >= terms.required:
        return Plan(taken, AnswerState.RESOLVED)
    if done >= terms.most:
        return Plan(taken, AnswerState.ESCALATED)
    return Plan(max(taken, done + 1), AnswerState.ASKING)


# --- When a fit is due

FIT_NEW_MIN = 50
FIT_NEW_SHARE = 0.05
FIT_GAP = timedelta(minutes=1)
"""Two fits of a project are at least so far apart, unless somebody asks for one ..."""
FIT_WAIT_MAX = timedelta(minutes=15)
"""... and a new judgment waits at most so long for one, or longer where fits are very costly."""
FIT_REST = 10


def new_for_fit(labels_before: int) -> int:
    """So many new judgments make a fit due at once."""
    return max(FIT_NEW_MIN, round(FIT_NEW_SHARE * labels_before))


def fit_is_due(new: int, labels_before: int, last_at: datetime | None, now: datetime, *, cost: float = 0.0) -> bool:
    """Whether a project's background fit should run, with `new` judgments since the last one (None: never), which
    took `cost` seconds of a processor: fits of one project take no more than 1/`FIT_REST` of it."""
    if new == 0:
        return False
    if last_at is None:
        return True
    waited = now - last_at
    if waited < FIT_REST * timedelta(seconds=cost):
        return False
    return waited >= FIT_WAIT_MAX or (waited >= FIT_GAP and new >= new_for_fit(labels_before))


# --- Which reviews are drawn

NEW_PERSON_JUDGMENTS = 10
"""A person's first judgments in a project are reviewed more often."""
WEAK_WIDTH = 0.5
"""An interval of accuracy as wide as this says next to nothing about a person."""
RISK_MEAN_ASSUMED = 0.3
"""Mean risk of a project's judgments before a fit has measured it."""


@dataclass(frozen=True, slots=True)
class Risk:
    """How likely a judgment is to be wrong, in [0, 1], and what speaks for it most."""

    score: float
    reason: str


def risk_of(wrong: float, *, expected: bool, judgments: int, low: float | None, high: float | None) -> Risk:
    """The greatest of three risks: that the answer is `wrong`, that little is known about the person, that they are
    new. `expected`: the others' answers point the same way. `low`, `high`: interval of the person's accuracy."""
    if judgments < NEW_PERSON_JUDGMENTS:
        unknown = Risk(1.0 - judgments / (2 * NEW_PERSON_JUDGMENTS), "risk: new person")
    elif low is None or high is None:
        unknown = Risk(WEAK_WIDTH, "risk: little is known about the person")
    else:
        unknown = Risk(min(1.0, (high - low) / WEAK_WIDTH) / 2, "risk: little is known about the person")
    answer = Risk(wrong, "risk: uncertain answer" if expected else "risk: unexpected answer")
    return max(answer, unknown, key=lambda risk: risk.score)


def risk_chance(score: float, risk_percent: int, mean: float) -> float:
    """Chance of a review beyond the random share: in proportion to the risk, about `risk_percent` on average."""
    return min(1.0, risk_percent / 100 * score / max(mean, 1e-6))


@dataclass(frozen=True, slots=True)
class Draw:
    """Whether a submission is reviewed, why, and the chance that it had."""

    wanted: bool
    reason: str | None
    chance: float


def draw_review(review_percent: int, risk: Risk | None, extra: float, draws: tuple[float, float]) -> Draw:
    """Two draws in [0, 1): the first for the random share, which by itself is an unbiased sample; where it misses,
    the second with chance `extra` for what is risky. `chance` is that of either."""
    share = review_percent / 100
    chance = share + (1 - share) * extra
    if draws[0] < share:
        return Draw(True, "random", chance)
    if risk is not None and draws[1] < extra:
        return Draw(True, risk.reason, chance)
    return Draw(False, None, chance)


# --- Units of judgment as classes


def places(labels: Mapping[str, str], possible: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Each unit's label as its place among the unit's possible labels: the class that truth inference works on.

    Labels that are names of what was shown differ from task to task; their places are the same everywhere. A unit
    or label that is not possible (any more) is left out.
    """
    return {
        unit: possible[unit].index(label)
        for unit, label in labels.items()
        if unit in possible and label in possible[unit]
    }
