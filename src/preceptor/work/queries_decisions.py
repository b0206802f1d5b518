"""Selects around decisions about people, returned and not executed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from preceptor.fairness.models import DecisionReceipt
from preceptor.people.models import Person
from preceptor.projects.models import Membership, Project, Task
from preceptor.work.models import Claim, Decision, Review, Submission
from preceptor.work.models_quality import Evidence, GoldResult


def findings(project_id: UUID, person_id: UUID, limit: int) -> Select[tuple[Evidence]]:
    """Findings about a person in a project, the strongest first."""
    return (
        select(Evidence)
        .where(Evidence.project_id == project_id, Evidence.person_id == person_id)
        .order_by(Evidence.log_e_max.desc(), Evidence.id)
        .limit(limit)
    )


def missed_gold(project_id: UUID, person_id: UUID, limit: int) -> Select[tuple[GoldResult]]:
    """Known answers that a person did not match, newest first."""
    return (
        select(GoldResult)
        .where(GoldResult.project_id == project_id, GoldResult.person_id == person_id, GoldResult.passed.is_(False))
        .order_by(GoldResult.created_at.desc(), GoldResult.submission_id)
        .limit(limit)
    )


def adverse_reviews(project_id: UUID, person_id: UUID, limit: int) -> Select[tuple[Review]]:
    """Reviews that returned or rejected a person's work, newest first."""
    return (
        select(Review)
        .join(Submission, Submission.id == Review.submission_id)
        .where(
            Review.project_id == project_id,
            Submission.person_id == person_id,
            Review.decision.in_([Decision.RETURN, Decision.REJECT]),
        )
        .order_by(Review.id.desc())
        .limit(limit)
    )


def projects(project_ids: Sequence[UUID]) -> Select[tuple[Project]]:
    return select(Project).where(Project.id.in_(project_ids))


def people(person_ids: Sequence[UUID]) -> Select[tuple[UUID, str]]:
    return select(Person.id, Person.name).where(Person.id.in_(person_ids))


def subjects(submission_ids: Sequence[UUID]) -> Select[tuple[UUID, Any, list[str]]]:
    """(submission, payload of its task, the task's own content ratings)."""
    return (
        select(Submission.id, Task.payload, Task.content_ratings)
        .join(Task, Task.id == Submission.task_id)
        .where(Submission.id.in_(submission_ids))
    )


def submission_with_claim(submission_id: UUID) -> Select[tuple[Submission, Claim, Task]]:
    return (
        select(Submission, Claim, Task)
        .join(Claim, Claim.id == Submission.claim_id)
        .join(Task, Task.id == Submission.task_id)
        .where(Submission.id == submission_id)
    )


def memberships(project_id: UUID) -> Select[tuple[Membership, DecisionReceipt]]:
    """Everybody's place in a project, with the receipt that it rests on where there is one."""
    return (
        select(Membership, DecisionReceipt)
        .outerjoin(DecisionReceipt, DecisionReceipt.id == Membership.receipt_id)
        .where(Membership.project_id == project_id)
        .order_by(Membership.joined_at, Membership.person_id)
    )
