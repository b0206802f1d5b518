"""Practice: items that are explained at once, as often as one likes; nothing is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.assessments import access, queries
from preceptor.assessments.models import Assessment, AssessmentItem
from preceptor.assessments.service.questions import question
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.tasktypes.base import Row, to_json
from preceptor.tasktypes.working import working

ROUND_MAX = 1_000_000


@dataclass(frozen=True)
class PracticeView:
    """One practice item. `round` draws the order of display; send it back with the answer."""

    assessment: Assessment
    number: int
    of: int
    round: int
    task_type: str
    element: str
    config: Row
    payload: Row


@dataclass(frozen=True)
class PracticeFeedback:
    """What an answer was worth and why, with the known answer in the names that were shown."""

    score: float
    reasons: tuple[str, ...]
    explanation: str
    known_answer: Row
    next_number: int | None


def practice_question(session: Session, actor: Actor, assessment_id: UUID, number: int, *, round: int) -> PracticeView:
    """The practice item of that number (from 1), shown in the order that `round` draws."""
    test, items = _items(session, actor, assessment_id)
    item = _item(items, number)
    asked = question(test, item, _order(test, item, round))
    return PracticeView(
        assessment=test,
        number=number,
        of=len(items),
        round=round,
        task_type=test.task_type,
        element=asked.kind.kind.element,
        config=test.config,
        payload=asked.payload_shown,
    )


def practice_answer(
    session: Session, actor: Actor, assessment_id: UUID, number: int, answer: Row, *, round: int
) -> PracticeFeedback:
    """Score an answer to a practice item and explain it. AnswerIncomplete says what is missing, as in the test."""
    test, items = _items(session, actor, assessment_id)
    item = _item(items, number)
    asked = question(test, item, _order(test, item, round))
    scored = asked.score(asked.read(answer))
    return PracticeFeedback(
        score=scored.value,
        reasons=scored.reasons,
        explanation=item.explanation,
        known_answer=to_json(asked.reference_shown),
        next_number=number + 1 if number < len(items) else None,
    )


def _items(session: Session, actor: Actor, assessment_id: UUID) -> tuple[Assessment, list[AssessmentItem]]:
    test = access.assessment_for_contributor(session, actor, assessment_id)
    return test, list(session.scalars(queries.items(test.id, practice=True)))


def _item(items: Sequence[AssessmentItem], number: int) -> AssessmentItem:
    if not 1 <= number <= len(items):
        raise NotFound("question")
    return items[number - 1]


def _order(test: Assessment, item: AssessmentItem, round: int) -> list[str]:
    # Nothing is stored, so the order is drawn from the round: the same when the answer comes back.
    kind = working(test.task_type, test.config)
    return kind.display_order(kind.payload(item.payload), Random(f"{item.id}:{round % ROUND_MAX}"))
