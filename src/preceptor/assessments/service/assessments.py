"""The client's side of entry tests: making, listing and retiring them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session

from preceptor.assessments import access, queries
from preceptor.assessments.errors import BadAssessment
from preceptor.assessments.models import Assessment, AssessmentItem
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.kit import events
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.models import Qualification
from preceptor.people.service import qualifications
from preceptor.tasktypes.base import AnyTaskType, Row, UnknownTaskType, problems_of, task_type, to_json
from preceptor.tasktypes.working import Working, working

PERFECT = 1 - 1e-9


@dataclass(frozen=True)
class Figures:
    """How a test has gone so far. `mean_percent` is None before the first attempt has ended."""

    attempts: int
    ended: int
    passed: int
    people: int
    mean_percent: float | None


def create_assessment(
    session: Session, actor: Actor, org_id: UUID, wanted: AssessmentIn, *, now: datetime
) -> Assessment:
    """A test of gold items. BadAssessment names every item whose payload or known answer cannot work."""
    access.require_client(actor, org_id, *access.MANAGERS)
    kind = _kind_of(wanted.task_type)
    config = _clean(kind.config_model, wanted.config or kind.templates()[0].config, "config")
    items = _checked_items(working(kind.name, config), wanted.items)
    assessment = Assessment(
        **wanted.model_dump(exclude={"items", "config", "qualification_id", "qualification_title"}),
        config=config,
        org_id=org_id,
        qualification_id=_qualification(session, actor, org_id, wanted, now),
        created_at=now,
    )
    session.add(assessment)
    session.flush()
    for number, (item, payload, answer) in enumerate(items, start=1):
        session.add(
            AssessmentItem(
                assessment_id=assessment.id,
                number=number,
                payload=payload,
                answer=answer,
                explanation=item.explanation,
                practice=item.practice,
            )
        )
    session.flush()
    _record(session, actor, "assessment.created", assessment, now)
    return assessment


def _kind_of(name: str) -> AnyTaskType:
    try:
        return task_type(name)
    except UnknownTaskType:
        message = f"There is no task type {name!r} in this installation."
        raise BadAssessment(message, [{"path": "task_type", "message": message}]) from None


def _qualification(session: Session, actor: Actor, org_id: UUID, wanted: AssessmentIn, now: datetime) -> UUID:
    if wanted.qualification_id is None:
        title = wanted.qualification_title or wanted.title
        made = qualifications.create_qualification(session, actor, org_id, title, wanted.title, now=now)
        return made.id
    found = session.get(Qualification, wanted.qualification_id)
    if found is None or found.org_id != org_id:
        raise NotFound("qualification")
    return found.id


def _checked_items(kind: Working, items: list[ItemIn]) -> list[tuple[ItemIn, Row, Row]]:
    checked, problems = [], []
    for place, item in enumerate(items):
        try:
            checked.append((item, *_checked_item(kind, item, f"items.{place}")))
        except BadAssessment as refusal:
            problems += refusal.problems
    if problems:
        raise BadAssessment(f"{problems[0]['path']}: {problems[0]['message']}", problems)
    return checked


def _checked_item(kind: Working, item: ItemIn, under: str) -> tuple[Row, Row]:
    payload = _clean(kind.kind.payload_model, item.payload, f"{under}.payload")
    answer = _clean(kind.kind.answer_model, item.answer, f"{under}.answer")
    known = kind.answer(answer)
    try:
        agreement = kind.score(kind.payload(payload), known, known).value
    except ValueError as error:
        raise BadAssessment(problems=[{"path": f"{under}.answer", "message": str(error)}]) from None
    if agreement < PERFECT:
        message = "The known answer does not agree with itself: it names responses that the payload lacks."
        raise BadAssessment(problems=[{"path": f"{under}.answer", "message": message}])
    return payload, answer


def _clean(model: type[BaseModel], values: Row, under: str) -> Row:
    try:
        return to_json(model.model_validate(values))
    except ValidationError as error:
        found = problems_of(error)
        problems = [{"path": f"{under}.{one.path}".strip("."), "message": one.message} for one in found]
        raise BadAssessment(f"{problems[0]['path']}: {problems[0]['message']}", problems) from None


def retire_assessment(session: Session, actor: Actor, assessment_id: UUID, *, now: datetime) -> Assessment:
    """Give a test to nobody any more. Running attempts may be finished; what was earned stays."""
    assessment = access.assessment_for_client(session, actor, assessment_id, *access.MANAGERS)
    if assessment.retired_at is None:
        assessment.retired_at = now
        _record(session, actor, "assessment.retired", assessment, now)
    session.flush()
    return assessment


def assessments_of(session: Session, actor: Actor, org_id: UUID) -> list[Assessment]:
    """An organization's tests, newest first."""
    access.require_client(actor, org_id)
    return list(session.scalars(queries.of_org(org_id)))


def figures(session: Session, actor: Actor, assessment_id: UUID) -> Figures:
    """How a test of the actor's organization has gone so far."""
    access.assessment_for_client(session, actor, assessment_id)
    return _figures(session.execute(queries.figures(assessment_id)).one())


def figures_of(session: Session, actor: Actor, org_id: UUID) -> dict[UUID, Figures]:
    """How each of the organization's tests has gone so far, by test, in two statements."""
    tried = {row.assessment_id: _figures(row) for row in session.execute(queries.figures_of(org_id))}
    none = Figures(0, 0, 0, 0, None)
    return {test.id: tried.get(test.id, none) for test in assessments_of(session, actor, org_id)}


def _figures(row: SqlRow[Any]) -> Figures:
    mean = None if row.mean_percent is None else float(row.mean_percent)
    return Figures(row.attempts, row.ended, row.passed, row.people, mean)


def _record(session: Session, actor: Actor, kind: str, assessment: Assessment, now: datetime) -> None:
    events.record(session, actor, kind, "assessment", assessment.id, at=now, org_id=assessment.org_id)
