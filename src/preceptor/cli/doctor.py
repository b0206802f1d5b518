"""`preceptor doctor`: what is missing, and the mend; `--ledger` proves the ledger over all rows."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.cli.connect import running_url
from preceptor.cli.postgres import PostgresError, binaries
from preceptor.kit.db import make_engine
from preceptor.kit.runtime import Runtime
from preceptor.kit.settings import Settings
from preceptor.migrations import current_revision, head_revision
from preceptor.money import service as money
from preceptor.sandbox.isolation import isolation
from preceptor.sandbox.languages import languages
from preceptor.web.assets import AssetsNotBuilt, asset
from preceptor.work import service as work

FREE_BYTES_MIN = 1024**3


@dataclass(frozen=True)
class Finding:
    """One thing looked at; `mend` says what to do where it is not well."""

    what: str
    ok: bool
    seen: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything an installation needs. Changes nothing, and starts nothing."""
    yield _data_folder(settings)
    yield _pages()
    yield _embedded(settings)
    yield from _database(settings)
    yield _mail(settings)
    yield _public_url(settings)
    yield _sandbox()


def _data_folder(settings: Settings) -> Finding:
    folder = settings.data_dir
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    seen = f"{folder}, {free / 1024**3:.1f} GiB free"
    return Finding("data folder", free >= FREE_BYTES_MIN, seen, "Free some disk, or set PRECEPTOR_DATA_DIR.")


def _pages() -> Finding:
    try:
        return Finding("pages", True, asset("app.js"))
    except AssetsNotBuilt as error:
        return Finding("pages", False, "not built", str(error))


def _embedded(settings: Settings) -> Finding:
    if settings.database_url is not None:
        return Finding("database server", True, "PRECEPTOR_DATABASE_URL")
    try:
        return Finding("database server", True, f"embedded, {binaries()}")
    except PostgresError as error:
        return Finding("database server", False, "missing", str(error))


def _database(settings: Settings) -> Iterator[Finding]:
    url = settings.database_url or running_url(settings.data_dir)
    if url is None:
        yield Finding("database", True, "not running (`preceptor serve` starts it)")
        return
    engine = make_engine(url)
    try:
        with engine.connect() as connection:
            version = int(connection.scalar(text("SHOW server_version_num")) or 0) // 10000
        yield Finding("database", version >= 15, f"PostgreSQL {version}", "Preceptor needs PostgreSQL 15 or later.")
        current, head = current_revision(engine), head_revision()
        yield Finding("schema", current == head, f"{current or 'none'} of {head}", "Run `preceptor db upgrade`.")
    except psycopg.OperationalError as error:
        yield Finding("database", False, str(error).splitlines()[0], "Check PRECEPTOR_DATABASE_URL.")
    finally:
        engine.dispose()


def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding("mail", True, "kept in the outbox; set PRECEPTOR_SMTP_URL to send it")
    return Finding("mail", True, "SMTP is set")


def _public_url(settings: Settings) -> Finding:
    local = settings.host in ("127.0.0.1", "localhost", "::1")
    return Finding(
        "public address",
        local or settings.public_url is not None,
        settings.public_url or f"only this machine ({settings.base_url})",
        "Set PRECEPTOR_PUBLIC_URL to the https:// address that people use.",
    )


def _sandbox() -> Finding:
    """Only code tasks need it, so a machine without isolation is told and not failed."""
    held = isolation()
    if held.way is None:
        return Finding("sandbox", True, f"code is not run here; missing: {held.missing}. {held.mend}")
    installed = ", ".join(f"{each.title} {each.version}" for each in languages().values())
    return Finding("sandbox", True, f"{installed}; {'; '.join(held.layers)}")


def prove_ledger(runtime: Runtime) -> tuple[list[str], list[str]]:
    """(what holds, what is wrong) over all rows, in one snapshot."""
    connection = runtime.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with connection, Session(connection) as session:
        ledger = money.prove(session)
        held, wrong = work.prove_work(session)
        counted = f"{ledger.accounts} accounts and {ledger.postings} postings looked at"
        return [counted, *ledger.held, *held], [*ledger.wrong, *wrong]
