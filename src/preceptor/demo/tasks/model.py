"""What a demo task is, and how drafted answers become the responses that people read.

A family (a function from a random generator to a `Draft`) knows the right answer by construction. `finish` then
dresses each answer with an opening, a check or a closing line and shuffles them. Dressing follows tendencies seen in
real model answers: correct ones show a check more often, wrong ones more often pad or assert. None of these marks is
reliable, and together they cancel in length, so that only reading decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class DemoTask:
    """One comparison with a known key.

    `ranking` holds a rank for each response: 1 is best, equal ranks are ties, and no rank is left out (1, 1, 2).
    `better` holds the positions of all responses ranked 1. `difficulty` runs from 0 (plain) to 1 (hard to see).
    """

    external_id: str
    subject: str
    title: str
    prompt: str
    responses: tuple[str, ...]
    better: tuple[int, ...]
    ranking: tuple[int, ...]
    explanation: str
    difficulty: float


@dataclass(frozen=True)
class Answer:
    """A drafted answer. `merit` counts the parts of the question it gets right: more is better, equal is a tie."""

    body: str
    merit: int
    check: str = ""


@dataclass(frozen=True)
class Draft:
    """A question with its drafted answers, before dressing and shuffling."""

    title: str
    prompt: str
    answers: tuple[Answer, ...]
    explanation: str
    difficulty: float


Family = Callable[[random.Random], Draft]


@dataclass(frozen=True)
class Plan:
    """How many tasks of a family the set holds."""

    name: str
    family: Family
    count: int


@dataclass(frozen=True)
class _Manner:
    """How often an answer opens politely, asserts, shows a check, claims one, or adds a closing line."""

    opening: float
    assertion: float
    check: float
    claimed_check: float
    closing: float


_SOUND = _Manner(opening=0.30, assertion=0.12, check=0.35, claimed_check=0.20, closing=0.28)
_FLAWED = _Manner(opening=0.32, assertion=0.16, check=0.0, claimed_check=0.28, closing=0.32)

_OPENINGS = (
    "Let's take this one step at a time.",
    "Here is how I would approach it.",
    "Happy to help with this.",
    "Good question. Let me go through it.",
    "Here is my reasoning.",
    "We can work this out directly.",
    "Sure, here is an answer with a short explanation.",
    "Thanks for the question!",
    "Let me walk you through it.",
)
_ASSERTIONS = (
    "This one is straightforward.",
    "The answer follows immediately.",
    "This is a standard question with a simple answer.",
    "There is a quick way to see this.",
)
_CLAIMED_CHECKS = (
    "Going over the steps again confirms the result.",
    "A quick check confirms that this is consistent with everything in the question.",
    "I double-checked this and it works out as stated.",
    "This is in line with what one would expect.",
    "I went through it a second time in a different order and arrived at the same answer.",
    "The size of the answer also makes sense given what is asked.",
    "Nothing in the question speaks against this.",
    "Each of the steps relies only on what the question gives.",
)
_CLOSINGS = (
    "Let me know if you would like to see this in more detail!",
    "The same approach works for any question of this kind, so it is worth remembering.",
    "I hope this clears it up. Feel free to ask about a similar example.",
    "If any of the details change, simply go through the same steps again.",
    "In short, the key is to keep the steps in the right order.",
    "Questions like this look harder than they are once the steps are laid out.",
    "It helps to write down what is asked before starting, as small words matter here.",
    "Please tell me if you would prefer a shorter explanation.",
    "If you want to practise, try changing one detail of the question and see what happens.",
    "There are other ways to get there, but this one needs the least writing.",
    "That is all there is to it.",
    "Hope that helps!",
    "The important thing is to read the question slowly; the rest is routine.",
)

PLEASANTRIES = frozenset((*_OPENINGS, *_ASSERTIONS, *_CLAIMED_CHECKS, *_CLOSINGS))
"""Paragraphs that say nothing about the question; they occur in good and bad responses."""


def finish(rng: random.Random, external_id: str, subject: str, draft: Draft) -> DemoTask:
    """Dress and shuffle the answers of a draft; the key follows them."""
    best = max(answer.merit for answer in draft.answers)
    answers = list(draft.answers)
    rng.shuffle(answers)
    ranking = dense_ranks([answer.merit for answer in answers])
    return DemoTask(
        external_id=external_id,
        subject=subject,
        title=draft.title,
        prompt=draft.prompt,
        responses=tuple(_dress(rng, a, _SOUND if a.merit == best else _FLAWED) for a in answers),
        better=tuple(i for i, rank in enumerate(ranking) if rank == 1),
        ranking=ranking,
        explanation=draft.explanation,
        difficulty=round(min(0.95, max(0.05, draft.difficulty + rng.uniform(-0.08, 0.08))), 2),
    )


def dense_ranks(merits: Sequence[int]) -> tuple[int, ...]:
    """Ranks with 1 for the highest merit, ties equal and no gaps."""
    order = sorted(set(merits), reverse=True)
    return tuple(order.index(merit) + 1 for merit in merits)


def _dress(rng: random.Random, answer: Answer, manner: _Manner) -> str:
    parts: list[str] = []
    if rng.random() < manner.opening:
        parts.append(rng.choice(_OPENINGS))
    elif rng.random() < manner.assertion:
        parts.append(rng.choice(_ASSERTIONS))
    parts.append(answer.body)
    if answer.check and rng.random() < manner.check:
        parts.append(answer.check)
    elif rng.random() < manner.claimed_check:
        parts.append(rng.choice(_CLAIMED_CHECKS))
    if rng.random() < manner.closing:
        parts.append(rng.choice(_CLOSINGS))
    return "\n\n".join(parts)


def deal(rng: random.Random, choices: Sequence[T], count: int) -> list[T]:
    """Draw `count` of the choices, none twice while they last."""
    dealt: list[T] = []
    while len(dealt) < count:
        dealt += rng.sample(list(choices), min(len(choices), count - len(dealt)))
    return dealt


def nth(count: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th and so on."""
    if 10 <= count % 100 <= 20:
        return f"{count}th"
    return f"{count}{({1: 'st', 2: 'nd', 3: 'rd'}).get(count % 10, 'th')}"


def euro(amount: float) -> str:
    """An amount with two decimals and thousands separators."""
    return f"€{amount:,.2f}"


def number(value: float, decimals: int = 2) -> str:
    """A number with thousands separators, without trailing zeros."""
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
