"""Selects over projects, returned and not executed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    cast,
    exists,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from preceptor.assessments.models import Assessment
from preceptor.people.models import ContentChoice, Member, Person, PersonQualification, PersonState, Qualification
from preceptor.projects.models import (
    Import,
    ImportState,
    Membership,
    MembershipState,
    Project,
    ProjectReviewer,
    ProjectState,
    Task,
    TaskGold,
    TaskState,
)

SEARCH_CHARACTERS_MAX = 200
ANY_RATING = "any"
_NO_IDS = cast(array([]), ARRAY(Uuid()))
_NO_RATINGS = cast(array([]), ARRAY(Text()))
# Written out, as it stands in the predicates of the indexes.
_NONE: ColumnElement[Any] = literal_column("'{}'::text[]")


def project(project_id: UUID, *, lock: bool = False) -> Select[tuple[Project]]:
    statement = select(Project).where(Project.id == project_id)
    if lock:
        # NO KEY: claims and memberships that point at the project need not wait.
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return statement


def applicant(person_id: UUID) -> Select[Any]:
    """The person with the qualifications held and the organizations belonged to, in one row."""
    held = (
        select(func.coalesce(func.array_agg(PersonQualification.qualification_id), _NO_IDS))
        .where(PersonQualification.person_id == person_id, PersonQualification.revoked_at.is_(None))
        .scalar_subquery()
    )
    orgs = (
        select(func.coalesce(func.array_agg(Member.org_id), _NO_IDS))
        .where(Member.person_id == person_id)
        .scalar_subquery()
    )
    chosen = (
        select(func.coalesce(func.array_agg(ContentChoice.rating), _NO_RATINGS))
        .where(ContentChoice.person_id == person_id)
        .scalar_subquery()
    )
    return select(
        Person.id,
        (Person.state == PersonState.ACTIVE).label("active"),
        Person.is_contributor,
        Person.email_confirmed_at.is_not(None).label("email_confirmed"),
        held.label("qualification_ids"),
        orgs.label("org_ids"),
        chosen.label("content_ratings"),
    ).where(Person.id == person_id)


def qualification_of(project_ids: list[UUID]) -> Select[Any]:
    """What the projects require: its title and the newest live assessment that grants it, if there is one."""
    newest = (
        select(Assessment.id)
        .where(Assessment.qualification_id == Qualification.id, Assessment.retired_at.is_(None))
        .order_by(Assessment.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(Project.id, Qualification.title, newest.label("assessment_id"))
        .join(Qualification, Qualification.id == Project.qualification_id)
        .where(Project.id.in_(project_ids))
    )


def on_board(person_id: UUID) -> Select[tuple[Project, Membership, bool]]:
    """Open projects and those that the person has joined, with whether anything in them waits to be taken that the
    person has chosen to see."""
    waiting = or_(*(exists().where(Task.project_id == Project.id, each) for each in free_tasks(person_id)))
    joined = and_(
        Membership.project_id == Project.id,
        Membership.person_id == person_id,
        Membership.state != MembershipState.LEFT,
    )
    return (
        select(Project, Membership, waiting.label("has_work"))
        .outerjoin(Membership, joined)
        .where(
            or_(
                Project.state == ProjectState.OPEN,
                and_(
                    Membership.person_id.is_not(None),
                    Project.state.in_([ProjectState.PAUSED, ProjectState.CLOSING]),
                ),
            )
        )
        .order_by(Project.opened_at.desc(), Project.id.desc())
    )


def free_tasks(person_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Tasks that are free: what nobody rated, and what is rated as the person has chosen to see. Each by its index."""
    free = and_(Task.taken < Task.wanted, Task.state == TaskState.OPEN)
    chosen = select(func.coalesce(func.array_agg(ContentChoice.rating), _NO_RATINGS))
    mine = chosen.where(ContentChoice.person_id == person_id).scalar_subquery()
    rated = and_(free, Task.content_ratings != _NONE, Task.content_ratings.contained_by(mine))
    return and_(free, Task.content_ratings == _NONE), rated


def membership(project_id: UUID, person_id: UUID) -> Select[tuple[Membership]]:
    return select(Membership).where(Membership.project_id == project_id, Membership.person_id == person_id)


def memberships_locked(project_id: UUID) -> Select[tuple[UUID]]:
    """Every membership of a project, locked in a fixed order."""
    return (
        select(Membership.person_id)
        .where(Membership.project_id == project_id)
        .order_by(Membership.person_id)
        .with_for_update()
    )


def reviewers(project_id: UUID) -> Select[tuple[Person]]:
    return (
        select(Person)
        .join(ProjectReviewer, ProjectReviewer.person_id == Person.id)
        .where(ProjectReviewer.project_id == project_id)
        .order_by(Person.name, Person.id)
    )


def has_open_task(project_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(Task.project_id == project_id, Task.state == TaskState.OPEN))


def someone_holds(qualification_id: UUID) -> Select[tuple[bool]]:
    return select(
        exists().where(
            PersonQualification.qualification_id == qualification_id, PersonQualification.revoked_at.is_(None)
        )
    )


def earlier_import(project_id: UUID, digest: str) -> Select[tuple[Import]]:
    return select(Import).where(
        Import.project_id == project_id, Import.digest == digest, Import.state != ImportState.FAILED
    )


def imports(project_id: UUID, *, limit: int) -> Select[tuple[Import]]:
    return select(Import).where(Import.project_id == project_id).order_by(Import.id.desc()).limit(limit)


def set_rows_read(import_id: UUID, rows_read: int) -> Update:
    return update(Import).where(Import.id == import_id, Import.state == ImportState.RUNNING).values(rows_read=rows_read)


def tasks(
    project_id: UUID,
    *,
    state: TaskState | None,
    finished: bool | None,
    topic: str | None,
    search: str | None,
    rating: str | None,
    after: UUID | None,
    limit: int,
) -> Select[tuple[Task]]:
    """A page of tasks in the order of arrival."""
    wanted = [Task.project_id == project_id]
    if state is not None:
        wanted.append(Task.state == state)
    if finished is not None:
        wanted.append(Task.done >= Task.wanted if finished else Task.done < Task.wanted)
    if topic is not None:
        wanted.append(Task.topic == topic)
    if search:
        wanted.append(_mentions(search))
    if rating is not None:
        wanted.append(Task.content_ratings != _NONE)
        if rating != ANY_RATING:
            wanted.append(Task.content_ratings.contains([rating]))
    if after is not None:
        wanted.append(Task.id > after)
    return select(Task).where(*wanted).order_by(Task.id).limit(limit)


def tasks_to_change(project_id: UUID, task_ids: Sequence[UUID]) -> Select[tuple[Task]]:
    """These tasks of a project, locked in the order of its queue. Read anew."""
    return (
        select(Task)
        .where(Task.project_id == project_id, Task.id.in_(task_ids))
        .order_by(Task.position, Task.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


def ids_of_tasks(project_id: UUID, external_ids: Sequence[str]) -> Select[Any]:
    return select(Task.external_id, Task.id).where(Task.project_id == project_id, Task.external_id.in_(external_ids))


def _mentions(search: str) -> Any:
    like = f"%{_literal(search[:SEARCH_CHARACTERS_MAX])}%"
    return or_(Task.external_id.ilike(like), Task.payload["prompt"].astext.ilike(like))


def _literal(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


_USED_UP = select(TaskGold.task_id).where(TaskGold.retired_because.is_not(None))
_JUDGED_FOR_ITSELF = and_(Task.state != TaskState.GOLD, Task.id.not_in(_USED_UP))
"""Neither mixed in as gold nor retired from it: then judgments are checks, as many as there were people."""


def task_counts(project_id: UUID) -> Select[Any]:
    """How far a project is, in one row."""
    live = Task.state == TaskState.OPEN
    return select(
        func.count().label("total"),
        func.count().filter(live).label("open"),
        func.count().filter(Task.state == TaskState.FLAGGED).label("flagged"),
        func.count().filter(Task.state == TaskState.RETIRED).label("retired"),
        func.count().filter(Task.state == TaskState.GOLD).label("gold"),
        func.count().filter(live, Task.done >= Task.wanted).label("finished"),
        func.coalesce(func.sum(Task.wanted).filter(live), 0).label("judgments_wanted"),
        func.coalesce(func.sum(Task.taken).filter(_JUDGED_FOR_ITSELF), 0).label("judgments_taken"),
        func.coalesce(func.sum(Task.done).filter(_JUDGED_FOR_ITSELF), 0).label("judgments_done"),
        func.count().filter(Task.content_ratings != _NONE).label("rated"),
    ).where(Task.project_id == project_id)


def topics(project_id: UUID) -> Select[tuple[str | None, int]]:
    return (
        select(Task.topic, func.count())
        .where(Task.project_id == project_id, Task.topic.is_not(None))
        .group_by(Task.topic)
        .order_by(Task.topic)
    )


def task_counts_of(project_ids: list[UUID]) -> Select[Any]:
    """How far several projects are: one row for each that has tasks."""
    live = Task.state == TaskState.OPEN
    return (
        select(
            Task.project_id,
            func.count().label("total"),
            func.count().filter(Task.state == TaskState.FLAGGED).label("flagged"),
            func.count().filter(live, Task.done >= Task.wanted).label("finished"),
            func.coalesce(func.sum(Task.wanted).filter(live), 0).label("judgments_wanted"),
            func.coalesce(func.sum(Task.done).filter(_JUDGED_FOR_ITSELF), 0).label("judgments_done"),
        )
        .where(Task.project_id.in_(project_ids))
        .group_by(Task.project_id)
    )


def reviewer_by_email(email: str) -> Select[tuple[UUID]]:
    """The active person with the reviewer role who has this address."""
    return select(Person.id).where(
        func.lower(Person.email) == email.strip().lower(), Person.is_reviewer, Person.state == PersonState.ACTIVE
    )


def gold_tasks(project_id: UUID, limit: int) -> Select[tuple[Task, TaskGold]]:
    """Gold tasks with their known answers, in the order of arrival."""
    return (
        select(Task, TaskGold)
        .join(TaskGold, TaskGold.task_id == Task.id)
        .where(Task.project_id == project_id)
        .order_by(Task.id)
        .limit(limit)
    )
