"""What a demo runs on: tasks, who judges them, and what is known about the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from preceptor.training.reward import Pair


@dataclass(frozen=True)
class Answer:
    """A judgment to give: `ranks` in the order of the task's responses (1 is best, ties equal)."""

    ranks: tuple[int, ...]
    justification: str
    strength: int | None = None


@dataclass(frozen=True)
class Vote:
    """One recorded judgment: who, on which task, what."""

    rater: str
    external_id: str
    answer: Answer


@dataclass(frozen=True)
class Rater:
    """Somebody who judges in the demo: a recorded rater by pseudonym, or an openly simulated contributor."""

    key: str
    name: str
    email: str


@dataclass(frozen=True)
class Material:
    """`source` is "recorded" or "simulated", and pages and summary say which.

    `tasks` are rows as a client would import them. `votes` are all recorded judgments; empty when the raters are
    simulated and judge whatever they claim. `truth` maps a task to the position of its better response, where that
    is known.
    """

    source: Literal["recorded", "simulated"]
    title: str
    summary: str
    question: str
    guidelines: str
    rubric: Sequence[Mapping[str, Any]]
    raters: Sequence[Rater]
    tasks: Sequence[Mapping[str, Any]]
    overlap: int
    truth: Mapping[str, int]
    truth_note: str
    votes: Sequence[Vote] = ()
    reward_test: Sequence[Pair] = ()
    reward_test_note: str = ""
    more_preferences: Path | None = None
    """A file of judged pairs that a client might import to train on as well."""
    justification_min_chars: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the project about overlap, known answers and reviews, by name."""
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Response texts of each task by external id, by which a rater recognises what is shown."""
