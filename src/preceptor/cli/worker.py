"""The worker process: background jobs by Procrastinate, and the sweep for what time does by itself."""

import asyncio
import importlib
import logging
import pkgutil
import signal
import threading
import time

import procrastinate
import psycopg
import sqlalchemy.exc

import preceptor
from preceptor.kit import jobs
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.kit.settings import Settings
from preceptor.work import service as work

log = logging.getLogger("preceptor.worker")
CONCURRENCY = 4


def register_jobs() -> None:
    """Import every module named `jobs` of a domain (and those that define jobs beside their services)."""
    for module in pkgutil.walk_packages(preceptor.__path__, "preceptor."):
        if module.name.endswith(".jobs") or module.name == "preceptor.http.idempotency":
            importlib.import_module(module.name)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    settings = Settings()
    register_jobs()
    runtime = start_runtime(settings)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    sweeper = threading.Thread(target=_sweep_until, args=(runtime, stopping), name="sweep")
    sweeper.start()
    try:
        asyncio.run(run_jobs(runtime, stopping))
    finally:
        stopping.set()
        sweeper.join()
        runtime.engine.dispose()


async def run_jobs(runtime: Runtime, stopping: threading.Event) -> None:
    """Run jobs until told to stop; one that is under way is finished first."""
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with jobs.queue.replace_connector(procrastinate.PsycopgConnector(conninfo=url)) as app:
        await _work(app, runtime, stopping)


async def _work(app: procrastinate.App, runtime: Runtime, stopping: threading.Event) -> None:
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                additional_context={"runtime": runtime},
                fetch_job_polling_interval=2.0,
                delete_jobs="successful",
            )
        )
        looked = 0.0
        while not stopping.is_set() and not worker.done():
            await asyncio.sleep(0.2)
            if time.monotonic() - looked > jobs.STALLED_AFTER_SECONDS:
                looked = time.monotonic()
                await jobs.retry_stalled(app)
        if worker.done():
            worker.result()
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


def _sweep_until(runtime: Runtime, stopping: threading.Event) -> None:
    """Expire leases and approve what is due every few seconds; the database may be away for a while."""
    while not stopping.wait(runtime.settings.sweep_seconds):
        try:
            work.sweep(runtime.sessions, now=runtime.clock.now())
        except (psycopg.OperationalError, sqlalchemy.exc.OperationalError) as error:
            log.warning("the sweep could not reach the database and tries again: %s", error)


if __name__ == "__main__":
    main()
