"""Selects for reviewers, returned and not executed."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, false, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from preceptor.kit.db import Json
from preceptor.projects.models import Project, Task
from preceptor.work.models import Decision, Review, Submission, SubmissionState
from preceptor.work.models_quality import ReviewCheck
from preceptor.work.queries_content import kept_from

SEARCH_CHARACTERS_MAX = 200


def waiting(reviewer_id: UUID, project_ids: list[UUID], now: datetime) -> Select[Any]:
    """Per project: sampled submissions of others that this reviewer could take, those open with somebody else, and
    those kept from this reviewer by what they may show."""
    elsewhere = and_(
        Submission.review_leased_until.is_not(None),
        Submission.review_leased_until >= now,
        Submission.reviewer_id != reviewer_id,
    )
    free = or_(
        Submission.review_leased_until.is_(None),
        Submission.review_leased_until < now,
        Submission.reviewer_id == reviewer_id,
    )
    kept = kept_from(reviewer_id, now, Submission.task_id, Submission.project_id)
    mine = and_(Submission.reviewer_id == reviewer_id, Submission.review_leased_until >= now)
    free = and_(free, or_(mine, ~kept))
    return (
        select(
            Submission.project_id,
            func.count().filter(free).label("waiting"),
            func.count().filter(~elsewhere, kept, ~func.coalesce(mine, false())).label("kept"),
            func.count().filter(elsewhere).label("elsewhere"),
            func.min(Submission.created_at).filter(free).label("oldest_at"),
            func.min(Submission.decide_at).filter(free).label("deadline_at"),
        )
        .where(
            Submission.project_id.in_(project_ids),
            Submission.state == SubmissionState.SUBMITTED,
            Submission.review_wanted,
            Submission.person_id != reviewer_id,
        )
        .group_by(Submission.project_id)
    )


def open_with(reviewer_id: UUID, now: datetime) -> Select[tuple[Submission]]:
    """What a reviewer has open right now, the one leased longest first."""
    return (
        select(Submission)
        .where(
            Submission.reviewer_id == reviewer_id,
            Submission.review_leased_until > now,
            Submission.state == SubmissionState.SUBMITTED,
        )
        .order_by(Submission.review_leased_until)
        .limit(1)
    )


def decided_by(
    reviewer_id: UUID,
    *,
    decision: Decision | None = None,
    project_id: UUID | None = None,
    search: str = "",
    before: UUID | None = None,
    limit: int,
) -> Select[tuple[Review, Submission, Project, Json]]:
    """A reviewer's decisions with submission, project and payload, newest first."""
    found = _searched(
        select(Review, Submission, Project, Task.payload)
        .join(Submission, Submission.id == Review.submission_id)
        .join(Project, Project.id == Review.project_id)
        .join(Task, Task.id == Submission.task_id)
        .where(Review.reviewer_id == reviewer_id),
        search,
    )
    if decision is not None:
        found = found.where(Review.decision == decision)
    if project_id is not None:
        found = found.where(Review.project_id == project_id)
    if before is not None:
        found = found.where(Review.id < before)
    return found.order_by(Review.id.desc()).limit(limit)


def checked_by(
    reviewer_id: UUID, *, decision: Decision | None = None, search: str = "", before: UUID | None = None, limit: int
) -> Select[tuple[ReviewCheck, Submission, Project, Json]]:
    """The same for what a reviewer decided by a check."""
    found = _searched(
        select(ReviewCheck, Submission, Project, Task.payload)
        .join(Submission, Submission.id == ReviewCheck.submission_id)
        .join(Project, Project.id == ReviewCheck.project_id)
        .join(Task, Task.id == Submission.task_id)
        .where(ReviewCheck.reviewer_id == reviewer_id, ReviewCheck.decision.is_not(None)),
        search,
        ReviewCheck.comment,
    )
    if decision is not None:
        found = found.where(ReviewCheck.decision == decision)
    if before is not None:
        found = found.where(ReviewCheck.id < before)
    return found.order_by(ReviewCheck.id.desc()).limit(limit)


def _searched(found: Select[Any], search: str, comment: InstrumentedAttribute[str] = Review.comment) -> Select[Any]:
    for word in search[:SEARCH_CHARACTERS_MAX].split():
        found = found.where(
            or_(
                Project.title.icontains(word, autoescape=True),
                comment.icontains(word, autoescape=True),
                Task.payload["prompt"].astext.icontains(word, autoescape=True),
            )
        )
    return found


def decision_counts(reviewer_id: UUID, search: str = "") -> Select[tuple[Decision, int]]:
    """(decision, how many) of a reviewer, among those that a search finds."""
    counted = (
        select(Review.decision, func.count())
        .join(Submission, Submission.id == Review.submission_id)
        .join(Project, Project.id == Review.project_id)
        .join(Task, Task.id == Submission.task_id)
        .where(Review.reviewer_id == reviewer_id)
    )
    return _searched(counted, search).group_by(Review.decision)


def checked_counts(reviewer_id: UUID, search: str = "") -> Select[tuple[Decision, int]]:
    """The same for what they decided by a check."""
    counted = (
        select(ReviewCheck.decision, func.count())
        .join(Submission, Submission.id == ReviewCheck.submission_id)
        .join(Project, Project.id == ReviewCheck.project_id)
        .join(Task, Task.id == Submission.task_id)
        .where(ReviewCheck.reviewer_id == reviewer_id, ReviewCheck.decision.is_not(None))
    )
    return _searched(counted, search, ReviewCheck.comment).group_by(ReviewCheck.decision)


def given_to_tasks(task_ids: list[UUID]) -> Select[tuple[Submission, Review]]:
    """Every submission to these tasks with its review (None where there is none), oldest first."""
    return (
        select(Submission, Review)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(Submission.task_id.in_(task_ids))
        .order_by(Submission.id)
    )


def rounds_before(claim_id: UUID, revision: int) -> Select[tuple[Submission, Review]]:
    """Earlier revisions of one claim with what was said to them, oldest first."""
    return (
        select(Submission, Review)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(Submission.claim_id == claim_id, Submission.revision < revision)
        .order_by(Submission.revision)
    )
