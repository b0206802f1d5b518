"""A task's suggestion: an answer that a model gave, from an AI judge or out of the task's own file. Pure.

Every kind can have suggestions from a judge. What a kind adds is small and optional: that its payloads bring answers
along (`BringsSuggestion`), that a suggestion differs from an answer (`ShapesSuggestion`), and when two answers say the
same (`Likens`). Answers are in stored names here.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pydantic import BaseModel

from preceptor.tasktypes.working import Working

NEAR = 1e-9
"""Distances up to this are none."""


@dataclass(frozen=True)
class Brought:
    """An answer that came with the task, and the model that gave it as the file names it (empty where it does not)."""

    answer: BaseModel
    model: str


@runtime_checkable
class BringsSuggestion(Protocol):
    """A kind whose payloads can hold a model's answer. Its `present` leaves it out: who works sees it as a suggestion
    or not at all."""

    def suggested(self, payload: BaseModel, config: BaseModel) -> Brought | None:
        """The answer that came with this task; None where none did."""


@runtime_checkable
class ShapesSuggestion(Protocol):
    """A kind whose suggestions are not simply known answers (`as_key`)."""

    def as_suggestion(self, answer: BaseModel) -> BaseModel:
        """The answer as people are shown it: without reasons in words, which everybody gives for themselves."""


@runtime_checkable
class Likens(Protocol):
    """A kind in which answers that say the same can be written differently."""

    def says_the_same(self, payload: BaseModel, a: BaseModel, b: BaseModel, config: BaseModel) -> bool:
        """Whether two answers differ in nothing but how they are written."""


def brings_suggestions(kind: Working) -> bool:
    """Whether tasks of this kind can come with a model's answer."""
    return isinstance(kind.kind, BringsSuggestion)


def brought(kind: Working, payload: BaseModel) -> Brought | None:
    """The answer that came with a task, as it is suggested; None where none did."""
    if not isinstance(kind.kind, BringsSuggestion):
        return None
    found = kind.kind.suggested(payload, kind.config)
    return None if found is None else Brought(as_suggestion(kind, found.answer), found.model)


def as_suggestion(kind: Working, answer: BaseModel) -> BaseModel:
    """A model's answer as it is suggested."""
    if isinstance(kind.kind, ShapesSuggestion):
        return kind.kind.as_suggestion(answer)
    return kind.as_key(answer)


def says_the_same(kind: Working, payload: BaseModel, suggestion: BaseModel, answer: BaseModel) -> bool:
    """Whether an answer is the suggestion, but for what its author wrote beside it."""
    if isinstance(kind.kind, Likens):
        return kind.kind.says_the_same(payload, suggestion, answer, kind.config)
    return as_suggestion(kind, suggestion) == as_suggestion(kind, answer)


def agrees(kind: Working, payload: BaseModel, suggestion: BaseModel, answer: BaseModel) -> bool:
    """Whether an answer gives every label that the suggestion gives; where the kind has no labels, says the same.

    Weaker than `says_the_same`: a comparison agrees that chooses the same response, however strongly.
    """
    wanted = kind.labels(payload, suggestion)
    if not wanted:
        return says_the_same(kind, payload, suggestion, answer)
    given = kind.labels(payload, answer)
    return all(given.get(unit) == label for unit, label in wanted.items())
