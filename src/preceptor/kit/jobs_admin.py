"""The job queue as operators see it, over Procrastinate's own tables.

Callers let operators in and nobody else: this module knows no people. A job that succeeded is deleted by the
worker, so the queue holds what waits, runs or failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, TextClause, select, text
from sqlalchemy.orm import Session

from preceptor.kit import events, jobs
from preceptor.kit.errors import AppError, NotFound
from preceptor.kit.events import Actor, Event
from preceptor.kit.jobs import FAILED_EVENT, subject_of

STATES = ("todo", "doing", "failed", "succeeded", "cancelled", "aborted")
SEARCH_CHARACTERS_MAX = 100
ATTEMPTS_SHOWN_MAX = 20


class NotFailed(AppError):
    """Only a job that failed can be run again. This one is waiting, running or done."""

    code = "job_not_failed"


@dataclass(frozen=True)
class JobsWanted:
    state: str | None = None
    words: str = ""
    """In the name or the arguments."""
    before: int | None = None
    limit: int = 50


@dataclass(frozen=True)
class JobLine:
    id: int
    name: str
    arguments: Mapping[str, Any]
    state: str
    attempts: int
    scheduled_at: datetime | None
    changed_at: datetime | None


@dataclass(frozen=True)
class JobDetail:
    """A job with its life so far; `failures` holds (attempt, moment, message), the newest first."""

    line: JobLine
    history: list[tuple[str, datetime]]
    failures: list[tuple[int, datetime, str]] = field(default_factory=list)

    @property
    def retryable(self) -> bool:
        return self.line.state == "failed" and self.line.name in jobs.registered


@dataclass(frozen=True)
class PeriodicJob:
    name: str
    cron: str
    last_at: datetime | None
    """When it was last put into the queue."""


_COUNT = text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
_LINE = """
    SELECT j.id, j.task_name, j.args, j.status::text AS status, j.attempts, j.scheduled_at,
           (SELECT max(e.at) FROM procrastinate_events e WHERE e.job_id = j.id) AS changed_at
    FROM procrastinate_jobs j
"""
_ONE = text(_LINE + "WHERE j.id = :id")
_HISTORY = text("SELECT type::text, at FROM procrastinate_events WHERE job_id = :id ORDER BY id")
_PERIODIC = text("SELECT task_name, max(defer_timestamp) FROM procrastinate_periodic_defers GROUP BY task_name")
_LOCK_FAILED = text("SELECT id FROM procrastinate_jobs WHERE id = :id AND status = 'failed' FOR UPDATE")
_RETRY = text("SELECT procrastinate_retry_job_v2(:id, :at, NULL, NULL, NULL)")


def count_jobs(session: Session) -> dict[str, int]:
    """How many jobs are in each state; what does not occur is 0."""
    found = {state: int(count) for state, count in session.execute(_COUNT)}
    return {state: found.get(state, 0) for state in STATES}


def list_jobs(session: Session, wanted: JobsWanted) -> list[JobLine]:
    """Jobs, newest first, in one statement."""
    statement, given = _listing(wanted)
    return [_line(row) for row in session.execute(statement, given)]


def _listing(wanted: JobsWanted) -> tuple[TextClause, dict[str, object]]:
    conditions, given = [], dict[str, object](limit=wanted.limit)
    if wanted.state is not None:
        conditions.append("j.status = CAST(:state AS procrastinate_job_status)")
        given["state"] = wanted.state
    if wanted.before is not None:
        conditions.append("j.id < :before")
        given["before"] = wanted.before
    for number, word in enumerate(wanted.words[:SEARCH_CHARACTERS_MAX].split()):
        conditions.append(f"strpos(lower(j.task_name || ' ' || j.args::text), lower(:word{number})) > 0")
        given[f"word{number}"] = word
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    return text(f"{_LINE} {where} ORDER BY j.id DESC LIMIT :limit"), given


def _line(row: Row[Any]) -> JobLine:
    return JobLine(row.id, row.task_name, row.args, row.status, row.attempts, row.scheduled_at, row.changed_at)


def read_job(session: Session, job_id: int) -> JobDetail:
    """One job with its life and the messages of its failed attempts."""
    row = session.execute(_ONE, {"id": job_id}).one_or_none()
    if row is None:
        raise NotFound("job")
    told = session.scalars(
        select(Event)
        .where(Event.subject_id == subject_of(job_id), Event.kind == FAILED_EVENT)
        .order_by(Event.id.desc())
        .limit(ATTEMPTS_SHOWN_MAX)
    )
    failures = [(int(event.data.get("attempt", 0)), event.at, str(event.data.get("error", ""))) for event in told]
    history = [(kind, at) for kind, at in session.execute(_HISTORY, {"id": job_id})]
    return JobDetail(_line(row), history, failures)


def periodic_jobs(session: Session) -> list[PeriodicJob]:
    """Jobs that run by the clock, with when each was last due."""
    last = {name: datetime.fromtimestamp(stamp, UTC) for name, stamp in session.execute(_PERIODIC)}
    tasks = jobs.queue.periodic_registry.periodic_tasks.values()
    found = [PeriodicJob(each.task.name, each.cron, last.get(each.task.name)) for each in tasks]
    return sorted(found, key=lambda job: job.name)


def retry_job(session: Session, actor: Actor, job_id: int, *, now: datetime) -> None:
    """Put a failed job back into the queue. Jobs may run twice without harm, so this needs no further care."""
    if session.scalar(_LOCK_FAILED, {"id": job_id}) is None:
        read_job(session, job_id)
        raise NotFailed
    session.execute(_RETRY, {"id": job_id, "at": now})
    events.record(session, actor, "jobs.retried", "job", subject_of(job_id), at=now, data={"job": job_id})
