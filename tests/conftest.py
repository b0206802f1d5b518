"""A real PostgreSQL for every test: the schema is built by the migrations, each test is rolled back.

Tests that race on purpose use `open_runtime`: a database of their own, real commits, real threads.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Error, Playwright, sync_playwright
from psycopg.errors import InsufficientPrivilege, ObjectInUse
from psycopg.sql import SQL, Identifier
from sqlalchemy.orm import Session, sessionmaker

from preceptor.cli.application import create_app
from preceptor.kit.clock import FixedClock
from preceptor.kit.db import make_engine
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.kit.settings import Settings
from preceptor.kit.storage import open_storage
from preceptor.migrations import upgrade
from tests.manual import stars_installed as stars_installed
from tests.manual import stars_package as stars_package

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DROP_TRIES = 20
DEBIAN_CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
    "--force-color-profile=srgb",
)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def needs_shared(path: str) -> Path:
    """A file of real human judgments, or a skip that says what is missing."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"needs {found}, which is not part of the project")
    return found


def at_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


OWN_LOOP = ("tests/endpoints/", "tests/work/test_judg")
"""Tests whose code calls `asyncio.run`."""


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Once a browser test was in this process, Playwright keeps a loop running in its thread: what wants a loop of its
    own runs in a thread of its own then, as it would in a process of its own."""
    if not pyfuncitem.nodeid.startswith(OWN_LOOP) or not _loop_runs():
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    with ThreadPoolExecutor(1) as own:
        own.submit(pyfuncitem.obj, **given).result()
    return True


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server: PRECEPTOR_TEST_DATABASE_URL, or an embedded one for this run."""
    given = os.environ.get("PRECEPTOR_TEST_DATABASE_URL")
    if given:
        yield given
        return
    from preceptor.cli.postgres import EmbeddedPostgres

    settings = {"fsync": "off", "max_connections": "300"}
    with EmbeddedPostgres(tmp_path_factory.mktemp("server"), settings=settings) as server:
        yield server.url


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """The name of a migrated, empty database of this test process."""
    name = f"test_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        engine = make_engine(at_database(server_url, name))
        upgrade(engine)
        engine.dispose()
        yield name
        drop_database(admin, name)


def make_settings(folder: Path, **changes: object) -> Settings:
    base = {
        "data_dir": folder,
        "secret_key": "test-secret",
        "argon2_time_cost": 1,
        "argon2_memory_kib": 8,
        "mode": "dev",
        "public_url": "http://testserver",
    }
    return Settings.model_validate({**base, **changes})


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def runtime(server_url: str, template_database: str, tmp_path: Path, clock: FixedClock) -> Iterator[Runtime]:
    """A runtime whose every commit is a savepoint in one transaction that is rolled back at the end."""
    settings = make_settings(tmp_path)
    engine = make_engine(at_database(server_url, template_database))
    with engine.connect() as connection:
        outer = connection.begin()
        sessions = sessionmaker(connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        yield Runtime(settings, engine, sessions, open_storage(settings), clock)
        outer.rollback()
    engine.dispose()


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    with runtime.sessions() as session, session.begin():
        yield session


@pytest.fixture
def client(runtime: Runtime) -> Iterator[TestClient]:
    """An HTTP client that shares the rolled-back transaction."""
    with TestClient(create_app(runtime), follow_redirects=False, headers={"sec-fetch-site": "same-origin"}) as client:
        yield client


def drop_database(admin: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    """Drop a test's database. A vacuum that the server started by itself may hold it for a moment longer."""
    for attempt in range(DROP_TRIES):
        try:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
            return
        except (InsufficientPrivilege, ObjectInUse):
            if attempt == DROP_TRIES - 1:
                raise
            time.sleep(0.5)


@pytest.fixture
def open_runtime(server_url: str, template_database: str, tmp_path: Path) -> Iterator[Callable[..., Runtime]]:
    """Makes runtimes on one fresh database with real commits; the database goes at the end."""
    name = f"race_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as admin, ExitStack() as stack:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template_database}"')
        stack.callback(drop_database, admin, name)

        def make(**changes: object) -> Runtime:
            settings = make_settings(tmp_path, **changes)
            runtime = start_runtime(settings, database_url=at_database(server_url, name))
            stack.callback(runtime.engine.dispose)
            return runtime

        yield make


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Debian's Chromium where it is installed, else Playwright's own."""
    path = DEBIAN_CHROMIUM if DEBIAN_CHROMIUM.exists() else None
    try:
        launched = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
    except Error as missing:
        pytest.fail(
            f"no Chromium: install Debian's package `chromium` or run `playwright install chromium` ({missing})"
        )
    yield launched
    launched.close()
