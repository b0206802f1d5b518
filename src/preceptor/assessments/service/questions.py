"""A question as it is shown, and an answer as it is scored: both in the names that the person saw."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError

from preceptor.assessments.errors import AnswerIncomplete
from preceptor.assessments.models import Assessment, AssessmentItem
from preceptor.tasktypes.base import (
    Problem,
    Row,
    Score,
    UnknownLabel,
    problems_of,
    to_json,
)
from preceptor.tasktypes.working import Working, working


@dataclass(frozen=True)
class Question:
    """One question in one order of display: everything that scoring and showing needs."""

    kind: Working
    shown: BaseModel
    payload: BaseModel
    reference: BaseModel
    order: Sequence[str]

    @property
    def payload_shown(self) -> Row:
        return to_json(self.shown)

    def read(self, answer: Row) -> BaseModel:
        """A complete answer in shown names, or AnswerIncomplete with everything that is wrong."""
        try:
            given = self.kind.answer(answer)
        except ValidationError as error:
            raise incomplete(problems_of(error)) from None
        problems = self.kind.check(self.shown, given)
        if problems:
            raise incomplete(problems)
        return given

    def canonical(self, given: BaseModel) -> Row:
        """The answer in stored names."""
        try:
            return to_json(self.kind.canonical(given, self.order))
        except UnknownLabel as error:
            raise incomplete([Problem("", str(error))]) from None

    def score(self, given: BaseModel) -> Score:
        """Agreement with the known answer; its reasons speak of the names that were shown."""
        return self.kind.score(self.shown, given, self.reference_shown)

    @property
    def reference_shown(self) -> BaseModel:
        return self.kind.as_shown(self.reference, self.order)


def incomplete(problems: Sequence[Problem]) -> AnswerIncomplete:
    found = [{"path": problem.path, "message": problem.message} for problem in problems]
    return AnswerIncomplete(" ".join(problem.message for problem in problems[:3]), found)


def question(assessment: Assessment, item: AssessmentItem, order: Sequence[str]) -> Question:
    """An item as it looks in this order of display."""
    kind = working(assessment.task_type, assessment.config)
    payload = kind.payload(item.payload)
    return Question(
        kind=kind,
        shown=kind.payload(kind.present(payload, order)),
        payload=payload,
        reference=kind.answer(item.answer),
        order=order,
    )
