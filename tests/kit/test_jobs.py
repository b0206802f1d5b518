"""Jobs exist exactly when the rows do, under names that somebody registered."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import procrastinate
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

import preceptor
from preceptor.cli.worker import register_jobs
from preceptor.kit import jobs
from preceptor.kit.runtime import Runtime

DEFERRED = re.compile(r'defer\(\s*session,\s*"([^"]+)"')


def test_every_deferred_name_is_registered() -> None:
    register_jobs()
    sources = Path(preceptor.__file__).parent.rglob("*.py")
    deferred = {name for source in sources for name in DEFERRED.findall(source.read_text())}
    assert deferred
    assert deferred <= set(jobs.registered)


def test_a_name_that_nobody_registered_is_refused(session: Session) -> None:
    with pytest.raises(LookupError, match="no job is registered"):
        jobs.defer(session, "work.mispelt")


def test_a_job_goes_when_its_transaction_is_rolled_back(runtime: Runtime) -> None:
    register_jobs()
    count = text("SELECT count(*) FROM procrastinate_jobs")
    with runtime.sessions() as session:
        before = session.scalar(count)
        jobs.defer(session, "projects.run_import", import_id="0" * 32)
        assert session.scalar(count) == (before or 0) + 1
        session.rollback()
        assert session.scalar(count) == before


def test_a_job_that_runs_in_a_worker_can_defer_another(runtime: Runtime) -> None:
    register_jobs()
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def as_a_job_would() -> int:
        with runtime.sessions() as session:
            return jobs.defer(session, "projects.run_import", import_id="0" * 32)

    async def in_a_worker() -> int:
        with jobs.queue.replace_connector(procrastinate.PsycopgConnector(conninfo=url)) as app:
            async with app.open_async():
                return await asyncio.to_thread(as_a_job_would)

    # A thread of its own: browser tests may have left a running loop in this one.
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(asyncio.run, in_a_worker()).result() > 0
