"""Selects for releases, returned and not executed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, exists, func, or_, select

from preceptor.datasets.models import Release
from preceptor.people.models import Person
from preceptor.projects.models import GOLD_CAPACITY, GuidelinesVersion, RubricVersion, Task, TaskGold
from preceptor.work.models import Claim, Review, Submission
from preceptor.work.models_quality import QualityFit, TaskQuality
from preceptor.work.models_suggestions import ClaimSuggestion

RELEASABLE = or_(func.jsonb_typeof(Task.imported_answer) == "object", exists().where(Submission.task_id == Task.id))
"""Tasks that say something: people answered them, or an answer came with the file."""


def release(release_id: UUID, *, lock: bool = False) -> Select[tuple[Release]]:
    wanted = select(Release).where(Release.id == release_id).execution_options(populate_existing=True)
    return wanted.with_for_update() if lock else wanted


def releases_of(project_id: UUID, before: UUID | None = None, limit: int = 50) -> Select[tuple[Release]]:
    """Newest first."""
    wanted = select(Release).where(Release.project_id == project_id).order_by(Release.id.desc()).limit(limit)
    return wanted if before is None else wanted.where(Release.id < before)


def last_number(project_id: UUID) -> Select[tuple[int]]:
    return select(func.coalesce(func.max(Release.number), 0)).where(Release.project_id == project_id)


def is_releasable(project_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(Task.project_id == project_id, RELEASABLE))


def releasable_count(project_id: UUID) -> Select[tuple[int]]:
    return select(func.count()).select_from(Task).where(Task.project_id == project_id, RELEASABLE)


def next_tasks(project_id: UUID, after: UUID | None, limit: int) -> Select[tuple[UUID, int]]:
    """(id, stored bytes of the payload) of the next tasks in id order; the payload itself is not read."""
    wanted = (
        select(Task.id, func.pg_column_size(Task.payload))
        .where(Task.project_id == project_id, RELEASABLE)
        .order_by(Task.id)
        .limit(limit)
    )
    return wanted if after is None else wanted.where(Task.id > after)


# Columns and not entities below: a release reads every row of a project, and entities cost five times as much.


def tasks(task_ids: Sequence[UUID]) -> Select[Any]:
    """Tasks in id order, with whether they are gold and what the quality engine says of them (None before it does).

    `known_answer`: the key of a gold task, while it stands.
    """
    return (
        select(
            Task.id,
            Task.external_id,
            Task.topic,
            Task.payload,
            (Task.wanted % GOLD_CAPACITY).label("wanted"),
            Task.import_id,
            Task.imported_answer,
            Task.imported_votes,
            TaskGold.task_id.is_not(None).label("gold"),
            case((TaskGold.retired_because.is_(None), TaskGold.answer)).label("known_answer"),
            TaskQuality.units.label("weighed_units"),
            TaskQuality.judgments.label("weighed_judgments"),
            TaskQuality.updated_at.label("weighed_at"),
            TaskQuality.ambiguity,
            TaskQuality.difficulty,
            TaskQuality.fit_id,
        )
        .outerjoin(TaskGold, TaskGold.task_id == Task.id)
        .outerjoin(TaskQuality, TaskQuality.task_id == Task.id)
        .where(Task.id.in_(task_ids))
        .order_by(Task.id)
    )


def judgments(task_ids: Sequence[UUID]) -> Select[Any]:
    """Every submission to these tasks with its claim, its review, whether its person is simulated, and what became of
    the task's suggestion."""
    return (
        select(
            Submission.id,
            Submission.claim_id,
            Submission.task_id,
            Submission.person_id,
            Submission.answer,
            Submission.state,
            Submission.worked_seconds,
            Submission.created_at,
            Claim.rate_minor,
            Claim.currency,
            Claim.guidelines_version_id,
            Claim.rubric_version_id,
            Claim.display_order,
            Review.id.label("review_id"),
            Review.decision,
            Review.reviewer_id,
            Review.created_at.label("reviewed_at"),
            Person.simulated,
            ClaimSuggestion.shown.label("suggestion_shown"),
            ClaimSuggestion.outcome.label("suggestion_outcome"),
            ClaimSuggestion.model.label("suggestion_model"),
        )
        .join(Claim, Claim.id == Submission.claim_id)
        .join(Person, Person.id == Submission.person_id)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .outerjoin(ClaimSuggestion, ClaimSuggestion.claim_id == Submission.claim_id)
        .where(Submission.task_id.in_(task_ids))
        .order_by(Submission.task_id, Submission.id)
    )


def is_fitted(project_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(QualityFit.project_id == project_id))


def fits(fit_ids: Sequence[UUID]) -> Select[tuple[QualityFit]]:
    """These fits, oldest first."""
    return select(QualityFit).where(QualityFit.id.in_(fit_ids)).order_by(QualityFit.id)


def guidelines(project_id: UUID) -> Select[tuple[GuidelinesVersion]]:
    return (
        select(GuidelinesVersion).where(GuidelinesVersion.project_id == project_id).order_by(GuidelinesVersion.number)
    )


def rubrics(project_id: UUID) -> Select[tuple[RubricVersion]]:
    return select(RubricVersion).where(RubricVersion.project_id == project_id).order_by(RubricVersion.number)


def release_before(found: Release) -> Select[tuple[Release]]:
    """The last finished release of the same project before this one."""
    return (
        select(Release)
        .where(Release.project_id == found.project_id, Release.number < found.number, Release.state == "ready")
        .order_by(Release.number.desc())
        .limit(1)
    )
