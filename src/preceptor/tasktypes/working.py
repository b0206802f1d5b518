"""A task type under the settings of one project: what the platform asks about payloads and answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import BaseModel

from preceptor.tasktypes.base import (
    AnyTaskType,
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Words,
    task_type,
)
from preceptor.tasktypes.view import Section, ViewNode


@dataclass(frozen=True)
class Working:
    """Each method is that of the task type (see `TaskType`), with the project's settings filled in."""

    kind: AnyTaskType
    config: BaseModel

    def payload(self, stored: object) -> BaseModel:
        """A payload as stored or shown, read."""
        return self.kind.payload_model.model_validate(stored)

    def answer(self, stored: object) -> BaseModel:
        """An answer or draft, read."""
        return self.kind.answer_model.model_validate(stored)

    def fits(self, payload: BaseModel) -> list[Problem]:
        return self.kind.fits(payload, self.config)

    def check(self, payload: BaseModel, answer: BaseModel) -> list[Problem]:
        return self.kind.check(payload, answer, self.config)

    def score(self, payload: BaseModel, answer: BaseModel, reference: BaseModel) -> Score:
        return self.kind.score(payload, answer, reference, self.config)

    def as_key(self, answer: BaseModel) -> BaseModel:
        return self.kind.as_key(answer)

    def aspects(self) -> Mapping[str, str]:
        return self.kind.aspects(self.config)

    def distance(self, payload: BaseModel, a: BaseModel, b: BaseModel) -> Mapping[str, float]:
        return self.kind.distance(payload, a, b, self.config)

    def labels(self, payload: BaseModel, answer: BaseModel) -> dict[str, str]:
        return self.kind.labels(payload, answer, self.config)

    def unit_labels(self, payload: BaseModel) -> dict[str, tuple[str, ...]]:
        return self.kind.unit_labels(payload, self.config)

    def criteria(self) -> Mapping[str, str]:
        return self.kind.criteria(self.config)

    def ratings(self, answer: BaseModel) -> Mapping[str, Mapping[str, float]]:
        return self.kind.ratings(answer)

    def consensus(self, payload: BaseModel, answers: Sequence[BaseModel]) -> Consensus:
        return self.kind.consensus(payload, answers, self.config)

    def rows(
        self, task: ReleasedTask[Any, Any], submissions: Sequence[ReleasedJudgment[Any]], consensus: Consensus
    ) -> ReleaseRows:
        return self.kind.rows(task, submissions, consensus, self.config)

    def display_order(self, payload: BaseModel, rng: Random) -> list[str]:
        return self.kind.display_order(payload, rng)

    def present(self, payload: BaseModel, order: Sequence[str]) -> Row:
        return self.kind.present(payload, order)

    def canonical(self, answer: BaseModel, order: Sequence[str]) -> BaseModel:
        return self.kind.canonical(answer, order)

    def as_shown(self, answer: BaseModel, order: Sequence[str]) -> BaseModel:
        return self.kind.as_shown(answer, order)

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        return self.kind.shown_label(label, order)

    def view(self, shown: BaseModel) -> ViewNode:
        return self.kind.view(shown, self.config)

    def material(self, payload: BaseModel) -> tuple[Section, ...]:
        return self.kind.material(payload, self.config)

    def in_words(self, payload: BaseModel, answer: BaseModel) -> Words:
        return self.kind.in_words(payload, answer, self.config)


def working(name: str, config: Mapping[str, Any]) -> Working:
    """The task type of that name under these settings, as they are stored with a project."""
    kind = task_type(name)
    return Working(kind, kind.config_model.model_validate(config))
