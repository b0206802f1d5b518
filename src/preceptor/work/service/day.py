"""A contributor's day at a glance: what is open, what is due, what was said, how much work is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.projects.models import Project
from preceptor.work import queries_own
from preceptor.work.models import Claim
from preceptor.work.service.history import HistoryLine

FEEDBACK_SHOWN_MAX = 20
LEFT_COUNTED_MAX = 500
"""Free tasks are counted up to here; more is "500+"."""
TIMES_LATEST = 200
TIMES_MIN = 10
"""Fewer measured times say nothing yet; the client's estimate stands until then."""


@dataclass(frozen=True)
class Pending:
    """Pay of submitted work in one currency. Each is decided at the latest between `first_at` and `last_at`."""

    amount: Money
    tasks: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True)
class Day:
    pending: list[Pending]
    feedback: list[HistoryLine]
    """Waiting for a revision, then decisions of people that were not opened yet."""
    open_claims: list[tuple[Claim, Project]]


def contributor_day(session: Session, actor: Actor) -> Day:
    """What a contributor should know on arriving. Three statements."""
    assert actor.person_id is not None
    said = session.execute(queries_own.feedback(actor.person_id, limit=FEEDBACK_SHOWN_MAX))
    held = session.execute(queries_own.open_claims(actor.person_id))
    return Day(
        pending=pending_pay(session, actor),
        feedback=[HistoryLine(*row) for row in said],
        open_claims=[(claim, project) for claim, project in held],
    )


def pending_pay(session: Session, actor: Actor) -> list[Pending]:
    """What submitted work will pay once approved, per currency. One statement."""
    assert actor.person_id is not None
    rows = session.execute(queries_own.pending(actor.person_id))
    return [Pending(Money(int(row.minor), row.currency), row.tasks, row.first_at, row.last_at) for row in rows]


def work_left(session: Session, actor: Actor, project_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Tasks of each project that this person could still do, counted up to `LEFT_COUNTED_MAX`. One statement."""
    if not project_ids or actor.person_id is None:
        return {}
    rows = session.execute(queries_own.free_counts(actor.person_id, list(project_ids), most=LEFT_COUNTED_MAX))
    return {project_id: int(count) for project_id, count in rows}


@dataclass(frozen=True)
class TaskTime:
    """How long a task takes: measured on the latest `tasks` submissions, or as the client expects."""

    seconds: int
    tasks: int

    @property
    def measured(self) -> bool:
        return self.tasks > 0


def task_times(session: Session, projects: Sequence[Project]) -> dict[UUID, TaskTime]:
    """What the hourly estimate of each project rests on. One statement.

    Times of replayed or simulated people are not worth a promise, so the client's estimate stands for those.
    """
    times = {project.id: TaskTime(project.expected_seconds, 0) for project in projects}
    real = [project.id for project in projects if project.data_source is None]
    if real:
        for project_id, count, median in session.execute(queries_own.worked_times(real, latest=TIMES_LATEST)):
            if count >= TIMES_MIN:
                times[project_id] = TaskTime(max(1, round(median)), count)
    return times
