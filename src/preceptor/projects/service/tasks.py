"""A client's view of the tasks of a project, and taking tasks out of the queue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit import events, jobs
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.people import content
from preceptor.projects import access, queries
from preceptor.projects.models import OverlapMode, Project, Task, TaskState
from preceptor.projects.service import mixing
from preceptor.projects.service.projects import RECONSIDER_JOB

TASKS_PAGE_MAX = 200
TOPICS_MAX = 500
ANY_RATING = queries.ANY_RATING
RATED_AT_ONCE_MAX = 1_000
"""Tasks of one selection."""


@dataclass(frozen=True)
class TaskPage:
    """`next_after` is the id to pass as `after` for the next page, None on the last."""

    tasks: list[Task]
    next_after: UUID | None


@dataclass(frozen=True)
class TaskCounts:
    """How far a project is. Judgments are counted over tasks; `finished` tasks have all they want.

    Judgments of gold tasks check people and are not wanted for their own sake, so they count nowhere here.
    """

    total: int
    open: int
    flagged: int
    retired: int
    gold: int
    """Mixed in for their known answer; wanted from everybody and from nobody in particular, so not among the rest."""
    finished: int
    judgments_wanted: int
    judgments_taken: int
    judgments_done: int
    rated: int
    """With content ratings of their own, in whatever state."""


def list_tasks(
    session: Session,
    actor: Actor,
    project_id: UUID,
    *,
    state: TaskState | None = None,
    finished: bool | None = None,
    topic: str | None = None,
    search: str | None = None,
    rating: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> TaskPage:
    """Tasks in the order of arrival. `search` looks for text in external ids and prompts; `rating` is one of
    `content.RATINGS`, or `ANY_RATING` for tasks with a rating of their own, whichever it is."""
    access.project_for_client(session, actor, project_id)
    if rating is not None and rating != ANY_RATING:
        _known([rating])
    size = min(limit, TASKS_PAGE_MAX)
    found = list(
        session.scalars(
            queries.tasks(
                project_id,
                state=state,
                finished=finished,
                topic=topic,
                search=search,
                rating=rating,
                after=after,
                limit=size + 1,
            )
        )
    )
    more = len(found) > size
    return TaskPage(found[:size], found[size - 1].id if more else None)


def numbered_page(session: Session, actor: Actor, project_id: UUID, number: int, size: int) -> list[Task]:
    """Page `number` (from 1) of all tasks in the order of arrival, for clients that count pages."""
    access.project_for_client(session, actor, project_id)
    limit = min(size, TASKS_PAGE_MAX)
    everything = queries.tasks(
        project_id, state=None, finished=None, topic=None, search=None, rating=None, after=None, limit=limit
    )
    return list(session.scalars(everything.offset((number - 1) * limit)))


def ids_of(session: Session, actor: Actor, project_id: UUID, external_ids: Sequence[str]) -> dict[str, UUID]:
    """Ids of the project's tasks by the client's own names of them."""
    access.project_for_client(session, actor, project_id)
    rows = session.execute(queries.ids_of_tasks(project_id, external_ids)).all()
    return {row.external_id: row.id for row in rows}


def task_counts(session: Session, actor: Actor, project_id: UUID) -> TaskCounts:
    """How far a project is, in one statement over its tasks."""
    access.project_for_client(session, actor, project_id)
    row = session.execute(queries.task_counts(project_id)).one()
    return TaskCounts(**{name: int(value) for name, value in row._mapping.items()})


def topics_of(session: Session, actor: Actor, project_id: UUID) -> list[tuple[str, int]]:
    """Topics with their number of tasks, by name."""
    access.project_for_client(session, actor, project_id)
    rows = session.execute(queries.topics(project_id).limit(TOPICS_MAX))
    return [(topic, count) for topic, count in rows if topic is not None]


def rate_tasks(
    session: Session,
    actor: Actor,
    project_id: UUID,
    task_ids: Sequence[UUID],
    ratings: Sequence[str],
    *,
    now: datetime,
) -> list[Task]:
    """Say what these tasks may show beyond what their project says: exactly these ratings from now on, or none.

    Up to `RATED_AT_ONCE_MAX` tasks, all or none; returns them in the order of the queue. Each task that changes leaves
    an event. From then on nobody is given such a task, or its answers to review, who did not choose to see all of it;
    who holds one keeps it, covered.
    """
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS)
    wanted = _known(ratings)
    if len(task_ids) > RATED_AT_ONCE_MAX:
        raise Invalid(f"At most {RATED_AT_ONCE_MAX:,} tasks can be rated at once; these are {len(task_ids):,}.")
    found = list(session.scalars(queries.tasks_to_change(project_id, task_ids)))
    if len(found) < len(set(task_ids)):
        raise NotFound("task")
    for task in found:
        if task.content_ratings != wanted:
            _rate(session, actor, project, task, wanted, now)
    session.flush()
    return found


def _known(ratings: Sequence[str]) -> list[str]:
    try:
        return list(content.known(ratings))
    except ValueError as error:
        message = f"{str(error).capitalize()}."
        raise Invalid(message, [{"path": "content_ratings", "message": message}]) from None


def _rate(session: Session, actor: Actor, project: Project, task: Task, wanted: list[str], now: datetime) -> None:
    before, task.content_ratings = task.content_ratings, wanted
    events.record(
        session,
        actor,
        "task.rated",
        "task",
        task.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data={"before": before, "content_ratings": wanted},
    )


def retire_task(
    session: Session, actor: Actor, project_id: UUID, task_id: UUID, *, now: datetime, reason: str = ""
) -> Task:
    """Give a task to nobody any more. Work on it that has begun goes on and is paid."""
    return _move_task(session, actor, project_id, task_id, TaskState.RETIRED, now, reason)


def restore_task(
    session: Session, actor: Actor, project_id: UUID, task_id: UUID, *, now: datetime, reason: str = ""
) -> Task:
    """Put a retired or flagged task back into the queue at its old place; one with a known answer into the mix."""
    return _move_task(session, actor, project_id, task_id, TaskState.OPEN, now, reason)


def _move_task(
    session: Session,
    actor: Actor,
    project_id: UUID,
    task_id: UUID,
    to: TaskState,
    now: datetime,
    reason: str,
) -> Task:
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS)
    task = access.task_for_client(session, actor, project_id, task_id, *access.MANAGERS)
    session.refresh(task, with_for_update=True)
    before, target = task.state, mixing.place_of(session, task) if to is TaskState.OPEN else to
    if before is target:
        return task
    mixing.move(task, target)
    if target is TaskState.OPEN and project.overlap_mode is OverlapMode.ADAPTIVE:
        jobs.defer(session, RECONSIDER_JOB, project_id=str(project.id))
    events.record(
        session,
        actor,
        "task.retired" if to is TaskState.RETIRED else "task.restored",
        "task",
        task.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data={"before": before, "reason": reason},
    )
    session.flush()
    return task
