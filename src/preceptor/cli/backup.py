"""One archive that holds an installation: the database and the files, with a digest of every part.

`restore` reads the whole archive once and compares every digest before it changes anything. The
database changes in one transaction: it is the archived one afterwards, or still the old one.
Both hold a block of bytes in memory at a time, plus the list of members.
"""

import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from preceptor.cli.archive import (
    BLOCK_BYTES,
    DUMP,
    FILES,
    FORMAT,
    BackupError,
    Manifest,
    Progress,
    silent,
    unpack,
    verify,
    write_manifest,
    write_members,
)
from preceptor.cli.postgres import binaries

__all__ = ["BackupError", "Manifest", "Progress", "backup", "restore", "verify"]

PREAMBLE_LINES_MAX = 60
"""pg_restore's settings stand in the first lines of its script."""

# Backup -----------------------------------------------------------------------------------------


def backup(database_url: str, files_dir: Path | None, archive: Path, progress: Progress = silent) -> Manifest:
    """Write database and files into `archive`, which appears only when it is complete and on disk.

    Works while the installation runs. The database is one snapshot, taken before the files are
    copied, so that every file it names is among them unless it was deleted meanwhile. `files_dir` is
    None where files live in an object store, which has backups of its own. The archive is readable
    by its owner only: it holds everything. An existing archive of the name is replaced.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{archive.name}.", dir=archive.parent) as folder:
        dump, fresh = Path(folder, "dump"), Path(folder, "archive")
        postgresql, revision = _describe(database_url)
        _dump(database_url, dump, progress)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            # PAX headers: names and sizes without limits.
            with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as tar:
                manifest = Manifest(
                    format=FORMAT,
                    made_at=datetime.now(UTC),
                    preceptor=version("preceptor"),
                    postgresql=postgresql,
                    schema_revision=revision,
                    members=write_members(tar, dump, files_dir, progress),
                )
                write_manifest(tar, manifest)
            out.flush()
            os.fsync(out.fileno())
        fresh.replace(archive)
    _sync_folder(archive.parent)
    return manifest


def _describe(database_url: str) -> tuple[int, str | None]:
    with _connect(database_url) as db:
        revision = None
        if db.execute("SELECT to_regclass('alembic_version')").fetchone() != (None,):
            row = db.execute("SELECT version_num FROM alembic_version").fetchone()
            revision = str(row[0]) if row else None
        return db.info.server_version, revision


def _dump(database_url: str, target: Path, progress: Progress) -> None:
    progress("database", 0, 0)
    _run("pg_dump", database_url, "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")
    size = target.stat().st_size
    progress("database", size, size)


# Restore ----------------------------------------------------------------------------------------


def restore(
    database_url: str,
    files_dir: Path | None,
    archive: Path,
    *,
    force: bool = False,
    progress: Progress = silent,
) -> Manifest:
    """Make database and files what they were when `archive` was written.

    First the whole archive is checked against its manifest. Without `force` the database and
    `files_dir` must be empty; with it, all schemas of the database and all files are replaced.
    Refused while other connections use the database. When the database fails to load, it and the
    files are as before.
    """
    manifest = verify(archive, progress)
    has_files = any(name.startswith(FILES) for name in manifest.members)
    if has_files and files_dir is None:
        raise BackupError(
            f"{archive} holds files, but this installation keeps its files in an object store. "
            "Restore with local storage (without PRECEPTOR_STORAGE_URL) first."
        )
    _refuse_unless_free(database_url, files_dir, force=force)
    beside = (files_dir or archive).absolute().parent
    beside.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".restoring-", dir=beside) as folder:
        aside = Path(folder)
        unpack(archive, manifest, aside, progress)
        _load(database_url, aside / DUMP, progress)
        if files_dir is not None:
            _swap(aside / FILES, files_dir, aside / "before")
    with _connect(database_url) as db:
        db.execute("ANALYZE")
    return manifest


def _refuse_unless_free(database_url: str, files_dir: Path | None, *, force: bool) -> None:
    with _connect(database_url) as db:
        others = db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
        schemas = _schemas(db)
        filled = any(_holds_something(db, schema) for schema in schemas)
    if others and others[0]:
        raise BackupError(
            f"{others[0]} other connections use this database. Stop `preceptor serve` and all workers, then try again."
        )
    if force:
        return
    if filled or schemas - {"public"}:
        raise BackupError("The database is not empty. Restore into an empty one, or replace everything with --force.")
    if files_dir is not None and files_dir.exists() and any(files_dir.iterdir()):
        raise BackupError(f"{files_dir} is not empty. Choose an empty folder, or replace everything with --force.")


def _schemas(db: "psycopg.Connection[tuple[object, ...]]") -> set[str]:
    rows = db.execute(r"SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'")
    return {str(row[0]) for row in rows}


def _holds_something(db: "psycopg.Connection[tuple[object, ...]]", schema: str) -> bool:
    """Whether a schema has a table, type, function or the like that no extension brought."""
    found = db.execute(
        """
        SELECT 1 FROM (
            SELECT 'pg_class'::regclass AS kind, oid, relnamespace AS place FROM pg_class
            UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
            UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
        ) AS thing
        WHERE place = (SELECT oid FROM pg_namespace WHERE nspname = %s) AND NOT EXISTS (
            SELECT 1 FROM pg_depend WHERE classid = kind AND objid = thing.oid AND deptype = 'e'
        ) LIMIT 1
        """,
        [schema],
    ).fetchone()
    return found is not None


def _load(database_url: str, dump: Path, progress: Progress) -> None:
    """Replace the database's content in one transaction.

    The dump becomes a script for psql, because pg_restore alone can neither join in the transaction
    that clears the database nor leave out a setting that servers before 17 do not know.
    """
    progress("load", 0, 0)
    with _connect(database_url) as db:
        clearing, version_number = _clearing(db), db.info.server_version
    tools = _tools(database_url)
    psql = [str(tools / "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--file=-"]
    pg_restore = [str(tools / "pg_restore"), "--no-owner", "--no-privileges", "--file=-", str(dump)]
    env = _environment(database_url)
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(pg_restore, env=env, stdout=subprocess.PIPE, stderr=said) as script,
        subprocess.Popen(psql, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as loading,
    ):
        _pump(clearing, script, loading, knows_all_settings=version_number >= 17_00_00)
        if script.wait() != 0 or loading.wait() != 0:
            raise BackupError(f"The database refused the backup and is as it was before. It said:\n{_tail(said)}")
    size = dump.stat().st_size
    progress("load", size, size)


def _pump(
    clearing: str,
    script: "subprocess.Popen[bytes]",
    loading: "subprocess.Popen[bytes]",
    *,
    knows_all_settings: bool,
) -> None:
    """Feed psql; commit only after pg_restore has said that its script is complete."""
    assert script.stdout is not None
    assert loading.stdin is not None
    # psql ends at the first refused statement: the pipe breaks, and its return code tells.
    with suppress(BrokenPipeError), loading.stdin as into:
        into.write(f"BEGIN;\n{clearing}".encode())
        for _ in range(PREAMBLE_LINES_MAX):
            line = script.stdout.readline()
            if knows_all_settings or not line.startswith(b"SET transaction_timeout"):
                into.write(line)
        shutil.copyfileobj(script.stdout, into, BLOCK_BYTES)
        into.write(b"\nCOMMIT;\n" if script.wait() == 0 else b"\nROLLBACK;\n")
    script.stdout.close()


def _clearing(db: "psycopg.Connection[tuple[object, ...]]") -> str:
    """Statements that empty the database; none for one that is as new, which anyone may then load."""
    schemas = _schemas(db)
    if schemas <= {"public"} and not any(_holds_something(db, schema) for schema in schemas):
        return ""
    drops = [f"DROP SCHEMA {sql.Identifier(schema).as_string(db)} CASCADE;" for schema in sorted(schemas)]
    # As CREATE DATABASE leaves it; another owner of `public` would show in the next dump.
    fresh = [
        "CREATE SCHEMA public AUTHORIZATION pg_database_owner;",
        "GRANT USAGE ON SCHEMA public TO PUBLIC;",
    ]
    return "\n".join(["SET lock_timeout = '10s';", "SET client_min_messages = warning;", *drops, *fresh, ""])


def _swap(new: Path, files_dir: Path, before: Path) -> None:
    """Put the unpacked files in place. Entry by entry, since `files_dir` may be a mounted volume."""
    files_dir.mkdir(parents=True, exist_ok=True)
    before.mkdir()
    for entry in list(files_dir.iterdir()):
        shutil.move(entry, before / entry.name)
    for entry in list(new.iterdir()):
        shutil.move(entry, files_dir / entry.name)


# PostgreSQL's own programs ----------------------------------------------------------------------


class _Tail(Protocol):
    def seek(self, offset: int, /) -> int: ...
    def read(self, size: int, /) -> bytes: ...


def _tail(said: _Tail) -> str:
    said.seek(0)
    return said.read(4000).decode(errors="replace").strip()


def _run(tool: str, database_url: str, *arguments: str) -> None:
    command = [str(_tools(database_url) / tool), *arguments]
    with tempfile.TemporaryFile() as said:
        status = subprocess.run(command, env=_environment(database_url), stdout=said, stderr=said, check=False)
        if status.returncode != 0:
            raise BackupError(f"{tool} failed; nothing was written. It said:\n{_tail(said)}")


def _tools(database_url: str) -> Path:
    """Our own programs, or the system's where the connection must be encrypted, which ours cannot do."""
    if _parameters(database_url).get("sslmode") not in ("require", "verify-ca", "verify-full"):
        return binaries()
    found = shutil.which("pg_dump")
    if found is None:
        raise BackupError(
            "This database asks for TLS. Install PostgreSQL's client programs: apt install postgresql-client"
        )
    return Path(found).parent


_VARIABLES = {
    "host": "PGHOST",
    "hostaddr": "PGHOSTADDR",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "passfile": "PGPASSFILE",
    "service": "PGSERVICE",
    "dbname": "PGDATABASE",
    "options": "PGOPTIONS",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


def _environment(database_url: str) -> dict[str, str]:
    """The connection as variables: everybody on the machine can see arguments, and a password among them."""
    given = {_VARIABLES[key]: str(value) for key, value in _parameters(database_url).items() if key in _VARIABLES}
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", **given}


def _parameters(database_url: str) -> dict[str, str | int | None]:
    return dict(conninfo_to_dict(_libpq(database_url)))


def _libpq(database_url: str) -> str:
    return database_url.replace("postgresql+psycopg://", "postgresql://", 1)


def _connect(database_url: str) -> "psycopg.Connection[tuple[object, ...]]":
    try:
        return psycopg.connect(_libpq(database_url), autocommit=True)
    except psycopg.OperationalError as error:
        raise BackupError(f"The database cannot be reached: {error}") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
