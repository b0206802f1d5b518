"""What a task holds and what people answered, ready for a page. Kinds without a view of their own are shown as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from pydantic import BaseModel

from preceptor.kit.markdown import RenderedMessage, render_markdown, render_messages
from preceptor.quality.consensus import Majority
from preceptor.tasktypes.base import to_json
from preceptor.tasktypes.comparison.models import ComparisonAnswer, ComparisonConfig, ComparisonPayload

STRENGTHS = {0: "the same", 1: "slightly better", 2: "better", 3: "much better"}


@dataclass(frozen=True)
class ResponseView:
    id: str
    source: str | None
    messages: list[RenderedMessage]


@dataclass(frozen=True)
class TaskView:
    """A task's material as safe HTML. `plain` is the JSON of a kind that has no view."""

    prompt: list[RenderedMessage] = field(default_factory=list)
    responses: list[ResponseView] = field(default_factory=list)
    context: str | None = None
    plain: str | None = None


@dataclass(frozen=True)
class AnswerView:
    """A judgment in words: the choice, ratings as (title, by response), the reason."""

    choice: str
    ratings: list[tuple[str, str]] = field(default_factory=list)
    reason: str = ""


def view_of(payload: BaseModel) -> TaskView:
    """The material of a task."""
    if not isinstance(payload, ComparisonPayload):
        return TaskView(plain=json.dumps(to_json(payload), ensure_ascii=False, indent=2))
    return TaskView(
        prompt=render_messages(payload.prompt),
        responses=[
            ResponseView(response.id, response.source, render_messages(response.messages))
            for response in payload.responses
        ],
        context=render_markdown(payload.context) if payload.context else None,
    )


def answer_view(answer: BaseModel | None, config: BaseModel) -> AnswerView:
    """A judgment as a person would say it, in the task's own response ids."""
    if answer is None:
        return AnswerView("This answer does not fit the task type any more.")
    if not isinstance(answer, ComparisonAnswer):
        return AnswerView(json.dumps(to_json(answer), ensure_ascii=False))
    titles = _titles(config)
    ratings = [
        (titles.get(key, key), ", ".join(f"{response} {points}" for response, points in given.items()))
        for key, given in answer.ratings.items()
    ]
    return AnswerView(_choice(answer), ratings, answer.justification)


def _titles(config: BaseModel) -> Mapping[str, str]:
    if not isinstance(config, ComparisonConfig):
        return {}
    return {dimension.key: dimension.title for dimension in config.dimensions}


def _choice(answer: ComparisonAnswer) -> str:
    if not answer.ranks:
        return "both bad" if answer.both_bad else "nothing chosen"
    order = sorted(answer.ranks.items(), key=lambda item: item[1])
    said = order[0][0]
    for (_, before), (name, rank) in pairwise(order):
        said += f"{' = ' if rank == before else ' > '}{name}"
    if answer.strength is not None and len(order) == 2:
        said += f", {STRENGTHS[answer.strength]}"
    return f"{said}, both bad" if answer.both_bad else said


@dataclass(frozen=True)
class VerdictView:
    """How far people agree on a task: its word, and the label with its share of `of` votes."""

    word: str
    tone: str
    label: str
    votes: int
    of: int


def verdict_view(verdict: Majority | None) -> VerdictView | None:
    """None where nobody has judged."""
    if verdict is None or verdict.share is None:
        return None
    of = sum(verdict.counts.values())
    votes = max(verdict.counts.values())
    if verdict.tie:
        return VerdictView("Split", "attention", "no majority", votes, of)
    word, tone = ("Unanimous", "good") if votes == of else ("Majority", "busy")
    return VerdictView(word if of > 1 else "One judgment", tone if of > 1 else "quiet", verdict.label or "", votes, of)
