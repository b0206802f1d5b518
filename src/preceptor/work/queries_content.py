"""What may be shown to whom, as conditions inside other statements."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, cast, exists, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.orm import InstrumentedAttribute, aliased

from preceptor.people.models import ContentChoice, ContentSeen
from preceptor.projects.models import Project, Task
from preceptor.work.models import Submission

_NO_RATINGS = cast(array([]), ARRAY(Text()))
# Written out, as it stands in the predicates of the indexes.
_NONE: ColumnElement[Any] = literal_column("'{}'::text[]")


def open_to(person_id: UUID | None, now: datetime) -> ColumnElement[Any]:
    """The ratings that a person chose to see and has not seen enough of today; asked once for a whole statement."""
    return (
        select(func.coalesce(func.array_agg(ContentChoice.rating), _NO_RATINGS))
        .outerjoin(
            ContentSeen,
            (ContentSeen.person_id == ContentChoice.person_id)
            & (ContentSeen.rating == ContentChoice.rating)
            & (ContentSeen.day == now.date()),
        )
        .where(
            ContentChoice.person_id == person_id,
            or_(ContentSeen.seen.is_(None), ContentSeen.seen < ContentChoice.daily_limit),
        )
        .scalar_subquery()
    )


def kept_from(
    person_id: UUID | None, now: datetime, task_id: InstrumentedAttribute[UUID], project_id: InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """Whether a task or its project may show what the person is not shown. Looks at what is rated and nothing else."""
    task, project, mine = aliased(Task), aliased(Project), open_to(person_id, now)
    by_task = exists().where(
        task.id == task_id,
        task.project_id == project_id,
        task.content_ratings != _NONE,
        ~task.content_ratings.contained_by(mine),
    )
    by_project = exists().where(
        project.id == project_id, project.content_ratings != _NONE, ~project.content_ratings.contained_by(mine)
    )
    return or_(by_task, by_project)


def ratings_of(task_id: UUID) -> Select[tuple[list[str], list[str]]]:
    """(what the project may show, what the task may show besides)."""
    wanted = select(Project.content_ratings, Task.content_ratings).join(Task, Task.project_id == Project.id)
    return wanted.where(Task.id == task_id)


def rated(task_ids: Sequence[UUID]) -> Select[tuple[UUID, list[str], list[str]]]:
    """(task, what its project may show, what it may show besides) of those that are rated."""
    wanted = select(Task.id, Project.content_ratings, Task.content_ratings).join(Project, Project.id == Task.project_id)
    return wanted.where(Task.id.in_(task_ids), or_(Project.content_ratings != _NONE, Task.content_ratings != _NONE))


def chosen_by(person_id: UUID) -> ColumnElement[Any]:
    """The ratings that a person chose to see, whatever they have seen today."""
    found = select(func.coalesce(func.array_agg(ContentChoice.rating), _NO_RATINGS))
    return found.where(ContentChoice.person_id == person_id).scalar_subquery()


def kept_reviews(
    reviewer_id: UUID, project_ids: list[UUID], now: datetime, *, limit: int
) -> Select[tuple[list[str], list[str]]]:
    """The ratings (of project and task) of submissions that wait for a reviewer and are kept from this one."""
    return (
        select(Project.content_ratings, Task.content_ratings)
        .join(Submission, Submission.project_id == Project.id)
        .join(Task, Task.id == Submission.task_id)
        .where(
            Submission.project_id.in_(project_ids),
            Submission.state == "submitted",
            Submission.review_wanted,
            Submission.person_id != reviewer_id,
            or_(Submission.review_leased_until.is_(None), Submission.review_leased_until < now),
            kept_from(reviewer_id, now, Submission.task_id, Submission.project_id),
        )
        .limit(limit)
    )
