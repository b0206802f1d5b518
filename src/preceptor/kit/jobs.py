"""Background jobs by Procrastinate, deferred on the session's own connection.

A job therefore exists exactly when the rows do. Names are registered with `job`; deferring a name
that nobody registered raises at once, since Procrastinate itself would accept a misspelt one.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

import procrastinate
from procrastinate.job_context import JobContext
from procrastinate.manager import JobManager
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.db import Json, transaction
from preceptor.kit.runtime import Runtime

P = ParamSpec("P")
STALLED_AFTER_SECONDS = 30
"""Workers give a sign of life every 10 seconds; one that was silent this long is gone."""

FAILED_EVENT = "jobs.attempt_failed"
ERROR_CHARACTERS_MAX = 2_000

queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
# Within a worker the queue's own connector is asynchronous and cannot use a session's connection: a job that defers
# another goes by this one, as web processes do.
_deferring = JobManager(queue.connector)

registered: dict[str, Callable[..., None]] = {}


def job(
    name: str, *, every: str | None = None, retries: int = 3
) -> Callable[[Callable[Concatenate[Runtime, P], None]], Callable[Concatenate[Runtime, P], None]]:
    """Register a background entry point. It takes the runtime and ids, and may run twice without harm.

    `every` is a cron line with seconds last or of five fields, for periodic jobs.
    """

    def register(
        function: Callable[Concatenate[Runtime, P], None],
    ) -> Callable[Concatenate[Runtime, P], None]:
        # Procrastinate calls with ids as keywords (and a timestamp for periodic jobs), which no type can follow.
        entry: Callable[..., None] = function

        def run(context: JobContext, /, timestamp: int | None = None, **arguments: Any) -> None:
            runtime: Runtime = context.additional_context["runtime"]
            try:
                entry(runtime, **arguments)
            except Exception as error:
                _note_failure(runtime, context, error)
                raise

        task = queue.task(
            name=name,
            pass_context=True,
            retry=procrastinate.RetryStrategy(max_attempts=retries, exponential_wait=3),
            queueing_lock=name if every else None,
        )(run)
        if every is not None:
            queue.periodic(cron=every)(task)
        registered[name] = function
        return function

    return register


def subject_of(job_id: int) -> UUID:
    """A job's number as the subject of an event."""
    return UUID(int=job_id)


def _note_failure(runtime: Runtime, context: JobContext, error: Exception) -> None:
    """Keep why an attempt failed: Procrastinate keeps only that it did. A database that is away keeps nothing."""
    if context.job.id is None:
        return
    told = f"{type(error).__name__}: {error}"[:ERROR_CHARACTERS_MAX]
    data: Json = {"job": context.job.id, "name": context.job.task_name, "attempt": context.job.attempts + 1}
    subject, now = subject_of(context.job.id), runtime.clock.now()
    with suppress(OperationalError), transaction(runtime.sessions) as session:
        events.record(session, events.SYSTEM, FAILED_EVENT, "job", subject, at=now, data={**data, "error": told})


def defer(
    session: Session, name: str, *, at: datetime | None = None, lock: str | None = None, **arguments: str | int
) -> int:
    """Enqueue a registered job in this transaction; returns its number. `lock` runs same-locked jobs in turn."""
    if name not in registered:
        raise LookupError(f"no job is registered as {name!r}; import its jobs module first")
    session.flush()
    connection = session.connection().connection.driver_connection
    deferrer = queue.configure_task(name, allow_unknown=False, schedule_at=at, lock=lock, connection=connection)
    deferrer.job_manager = _deferring
    return int(deferrer.defer(**arguments))


async def retry_stalled(app: procrastinate.App) -> int:
    """Start anew what a killed worker left "doing": every job of ours may run twice. Returns how many."""
    stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS))
    for left in stalled:
        await app.job_manager.retry_job(left)
    return len(stalled)
