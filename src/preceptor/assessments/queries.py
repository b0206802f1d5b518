"""Selects over entry tests, returned and not executed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select

from preceptor.assessments.models import Assessment, AssessmentItem, Attempt, AttemptAnswer, AttemptState
from preceptor.people.models import PersonQualification, Qualification


def live(*, limit: int) -> Select[tuple[Assessment]]:
    return select(Assessment).where(Assessment.retired_at.is_(None)).order_by(Assessment.id.desc()).limit(limit)


def granting(qualification_id: UUID) -> Select[tuple[Assessment]]:
    return (
        select(Assessment)
        .where(Assessment.qualification_id == qualification_id, Assessment.retired_at.is_(None))
        .order_by(Assessment.id.desc())
        .limit(1)
    )


def of_org(org_id: UUID) -> Select[tuple[Assessment]]:
    return select(Assessment).where(Assessment.org_id == org_id).order_by(Assessment.id.desc())


def items(assessment_id: UUID, *, practice: bool | None = None) -> Select[tuple[AssessmentItem]]:
    statement = select(AssessmentItem).where(AssessmentItem.assessment_id == assessment_id)
    if practice is not None:
        statement = statement.where(AssessmentItem.practice.is_(practice))
    return statement.order_by(AssessmentItem.number)


def attempts(person_id: UUID, assessment_ids: list[UUID], *, lock: bool = False) -> Select[tuple[Attempt]]:
    statement = (
        select(Attempt)
        .where(Attempt.person_id == person_id, Attempt.assessment_id.in_(assessment_ids))
        .order_by(Attempt.number)
    )
    return statement.with_for_update() if lock else statement


def own_attempt(attempt_id: UUID, person_id: UUID, *, lock: bool) -> Select[tuple[Attempt]]:
    statement = select(Attempt).where(Attempt.id == attempt_id, Attempt.person_id == person_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return statement


def overdue(now: datetime, *, limit: int) -> Select[tuple[Attempt]]:
    return (
        select(Attempt)
        .where(Attempt.state == AttemptState.RUNNING, Attempt.deadline < now)
        .order_by(Attempt.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def answers(attempt_id: UUID) -> Select[tuple[AttemptAnswer]]:
    return select(AttemptAnswer).where(AttemptAnswer.attempt_id == attempt_id)


def held(person_id: UUID) -> Select[tuple[UUID]]:
    return select(PersonQualification.qualification_id).where(
        PersonQualification.person_id == person_id, PersonQualification.revoked_at.is_(None)
    )


def qualification_titles(ids: list[UUID]) -> Select[tuple[UUID, str]]:
    return select(Qualification.id, Qualification.title).where(Qualification.id.in_(ids))


def practice_counts(ids: list[UUID]) -> Select[tuple[UUID, int]]:
    return (
        select(AssessmentItem.assessment_id, func.count().label("items"))
        .where(AssessmentItem.assessment_id.in_(ids), AssessmentItem.practice)
        .group_by(AssessmentItem.assessment_id)
    )


def figures_of(org_id: UUID) -> Select[Any]:
    """How each of an organization's tests has gone so far, one row for each that was tried."""
    tests = select(Assessment.id).where(Assessment.org_id == org_id)
    return (
        figures_where(Attempt.assessment_id.in_(tests))
        .add_columns(Attempt.assessment_id)
        .group_by(Attempt.assessment_id)
    )


def figures(assessment_id: UUID) -> Select[Any]:
    """How a test has gone so far, in one row."""
    return figures_where(Attempt.assessment_id == assessment_id)


def figures_where(wanted: ColumnElement[bool]) -> Select[Any]:
    ended = Attempt.state != AttemptState.RUNNING
    passed = Attempt.state == AttemptState.PASSED
    return select(
        func.count().label("attempts"),
        func.count().filter(ended).label("ended"),
        func.count().filter(passed).label("passed"),
        func.count(Attempt.person_id.distinct()).label("people"),
        func.avg(Attempt.score_percent).filter(ended).label("mean_percent"),
    ).where(wanted)
