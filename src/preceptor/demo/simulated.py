"""Simulated contributors for a demo without recorded people.

Nobody described here exists. Names, addresses, skills and answers are made up and drawn from a random generator, and
pages and summaries that show their work must say so. Their skills are stated, so that what the platform measures can
be held against what was put in.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp2, pow

from preceptor.demo.justifications import justify
from preceptor.demo.tasks import SUBJECTS, DemoTask

TIE, SLIGHT, CLEAR, STRONG = range(4)
DRIFTED_TIES = 0.6


@dataclass(frozen=True)
class SimulatedContributor:
    """A made-up contributor.

    `skill` is the chance per subject of finding a best response among two on a task of difficulty 0.5.
    `first_shown_bias` is the chance of taking the first response on the screen without judging it, `tie_rate` that of
    calling a tie instead of deciding, and `care` (0 to 1) shortens or lengthens the justification.
    `speed` is the number of median working times that fit in one: 2.0 is twice as fast as the median.
    After `drifts_after` judgments they stop reading: from then on they mostly call ties, and guess.
    Who `copies` another (by e-mail address) sits beside them and sends what they send.
    """

    name: str
    email: str
    skill: Mapping[str, float]
    first_shown_bias: float = 0.0
    tie_rate: float = 0.02
    care: float = 0.7
    speed: float = 1.0
    drifts_after: int | None = None
    copies: str = ""
    note: str = ""

    @property
    def misbehaves(self) -> bool:
        """Whether something other than a lack of skill is planted in their answers."""
        return self.first_shown_bias > 0 or self.drifts_after is not None or bool(self.copies)


@dataclass(frozen=True)
class SimulatedAnswer:
    """What a simulated contributor submits.

    `ranks` belong to the responses in the order of the task, 1 is best and ties are equal; `strength` runs from 0
    (tie) to 3 (much better) and is meant for tasks with two responses; `seconds` is the working time that is reported.
    """

    ranks: tuple[int, ...]
    strength: int
    justification: str
    seconds: float


@dataclass(frozen=True)
class _Profile:
    level: float
    strong: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()
    traits: Mapping[str, float] = field(default_factory=dict)
    note: str = "steady"


_PROFILES = (
    _Profile(0.96, note="excellent in everything"),
    _Profile(0.93, ("mathematics", "statistics"), note="strong with numbers"),
    _Profile(0.92, ("code", "logic"), note="strong in code"),
    _Profile(0.91, ("reading",), ("code",), note="a careful reader", traits={"care": 0.95, "speed": 0.7}),
    _Profile(0.90),
    _Profile(0.89, ("dates",), traits={"speed": 1.3}),
    _Profile(0.88, ("units",), ("logic",)),
    _Profile(0.88, ("code",), ("reading",)),
    _Profile(0.87, traits={"speed": 0.8, "care": 0.9}, note="slow and thorough"),
    _Profile(0.86, ("statistics",), ("dates",)),
    _Profile(0.85, traits={"tie_rate": 0.10}, note="calls many ties"),
    _Profile(0.85, ("units", "dates")),
    _Profile(0.84, ("mathematics",), ("statistics",), traits={"speed": 1.5}, note="fast"),
    _Profile(0.83, weak=("logic", "statistics")),
    _Profile(0.52, ("reading",), traits={"care": 0.4}, note="weak, except in reading"),
    _Profile(0.72, traits={"care": 0.05, "speed": 3.5, "first_shown_bias": 0.8}, note="careless and very fast"),
    _Profile(0.80, traits={"first_shown_bias": 0.7}, note="often takes the first response shown"),
    _Profile(0.93, traits={"drifts_after": 20}, note="good at first, stops reading after 20 judgments"),
    _Profile(0.58, traits={"tie_rate": 0.15}, note="weak with many ties, and sits beside the next one"),
    _Profile(0.58, traits={"tie_rate": 0.15, "copies": 19}, note="sends what contributor 19 sends"),
)

_SECONDS_MEDIAN = 75.0


def simulated_contributors() -> list[SimulatedContributor]:
    """The 20 simulated contributors, always the same: 14 honest and good enough, and six with something planted.

    One is weak, one careless, one favours what is shown first, one drifts, and of the last two one copies the other.
    """
    return [_contributor(position, profile) for position, profile in enumerate(_PROFILES, 1)]


def _contributor(position: int, profile: _Profile) -> SimulatedContributor:
    skill = {
        subject: min(0.98, profile.level + 0.06)
        if subject in profile.strong
        else profile.level - (0.10 if subject in profile.weak else 0.0)
        for subject in SUBJECTS
    }
    traits = profile.traits
    return SimulatedContributor(
        name=f"Simulated contributor {position:02d}",
        email=_email(position),
        skill=skill,
        first_shown_bias=traits.get("first_shown_bias", 0.0),
        tie_rate=traits.get("tie_rate", 0.02),
        care=traits.get("care", 0.7),
        speed=traits.get("speed", 1.0),
        drifts_after=int(traits["drifts_after"]) if "drifts_after" in traits else None,
        copies=_email(int(traits["copies"])) if "copies" in traits else "",
        note=profile.note,
    )


def _email(position: int) -> str:
    return f"sim{position:02d}@demo.invalid"


def chance_right(contributor: SimulatedContributor, task: DemoTask) -> float:
    """The chance that a judgment (neither a tie nor a reflex) names a best response.

    The stated skill holds at difficulty 0.5 among two responses, one of them best. Easier tasks bring it nearer to
    certainty and harder ones nearer to guessing; a skill at the level of guessing stays there.
    """
    guess = len(task.better) / len(task.responses)
    ability = 2 * contributor.skill.get(task.subject, 0.5) - 1
    # A power from 1/2 (plain) over 1 (difficulty 0.5) to 2 (hard) bends skill without moving 0 or 1.
    reach = pow(max(0.0, ability), exp2(2 * (task.difficulty - 0.5)))
    return guess + (1 - guess) * reach


def judge(
    contributor: SimulatedContributor,
    task: DemoTask,
    rng: random.Random,
    shown: Sequence[int] | None = None,
    given: int = 0,
) -> SimulatedAnswer:
    """One simulated judgment, drawn from the contributor's stated skill, habits and the difficulty of the task.

    `shown` is the order in which the responses stood on the screen, as positions in the task; by default that of the
    task. It matters only to contributors who favour what they see first. `given` counts the judgments they gave before;
    it matters to those who drift.
    """
    order = tuple(range(len(task.responses))) if shown is None else tuple(shown)
    if sorted(order) != list(range(len(task.responses))):
        raise ValueError("the order shown must name every response once")

    if contributor.drifts_after is not None and given >= contributor.drifts_after:
        contributor = _drifted(contributor)
    reflex = rng.random() < contributor.first_shown_bias
    if not reflex and rng.random() < contributor.tie_rate * (0.5 + task.difficulty):
        ranks: tuple[int, ...] = (1,) * len(task.responses)
        strength = TIE
    else:
        right = rng.random() < chance_right(contributor, task)
        ranks = _first(order[0], task) if reflex else _ranked(task, right, rng)
        strength = _strength(task, ranks, rng)
    justification = justify(task, ranks, contributor.care, rng)
    return SimulatedAnswer(ranks, strength, justification, _seconds(contributor, task, reflex, rng))


def _drifted(contributor: SimulatedContributor) -> SimulatedContributor:
    return replace(contributor, skill=dict.fromkeys(SUBJECTS, 0.5), tie_rate=DRIFTED_TIES, care=0.05)


def _first(position: int, task: DemoTask) -> tuple[int, ...]:
    return tuple(1 if i == position else 2 for i in range(len(task.responses)))


def _ranked(task: DemoTask, right: bool, rng: random.Random) -> tuple[int, ...]:
    """The true ranking, or one in which a response that is not best comes first."""
    if right:
        return task.ranking
    worse = [i for i, rank in enumerate(task.ranking) if rank > 1]
    favourite = rng.choice(worse)
    others = sorted({rank for i, rank in enumerate(task.ranking) if i != favourite})
    return tuple(1 if i == favourite else others.index(rank) + 2 for i, rank in enumerate(task.ranking))


def _strength(task: DemoTask, ranks: tuple[int, ...], rng: random.Random) -> int:
    """Plain tasks judged rightly feel clear; hard ones and mistaken judgments are held less firmly."""
    firm = 0.9 - 0.8 * task.difficulty - (0.25 if ranks != task.ranking else 0.0)
    draw = firm + rng.gauss(0.0, 0.25)
    return STRONG if draw > 0.7 else CLEAR if draw > 0.3 else SLIGHT


def _seconds(contributor: SimulatedContributor, task: DemoTask, reflex: bool, rng: random.Random) -> float:
    """Log-normal about a median that grows with length and difficulty; a reflex takes a quarter of it."""
    characters = len(task.prompt) + sum(map(len, task.responses))
    median = _SECONDS_MEDIAN * (0.5 + task.difficulty) * (0.6 + characters / 2000) / contributor.speed
    return round(max(4.0, median * rng.lognormvariate(0.0, 0.35) * (0.25 if reflex else 1.0)), 1)
