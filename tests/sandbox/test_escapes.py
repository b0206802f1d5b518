"""Breaking out is tried, and fails; and the same attempts are seen to succeed where nothing holds them."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from preceptor.cli.main import app
from preceptor.sandbox.escapes import ATTEMPTS, Attempt, try_escape
from preceptor.sandbox.programs import Limits, Program
from preceptor.sandbox.running import run

BY_KEY = {attempt.key: attempt for attempt in ATTEMPTS}
FREE = (
    *("netlink", "processes", "symlink", "execute", "namespace", "trace", "keyring", "memory_file"),
    *("environment", "descriptors", "zombies", "inodes", "disk"),
)
"""Attempts that do no harm outside and succeed there on any usual machine."""


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=[attempt.key for attempt in ATTEMPTS])
def test_the_attempt_is_held(attempt: Attempt) -> None:
    tried = try_escape(attempt)
    assert tried.held, tried.seen


@pytest.mark.parametrize("key", FREE)
def test_the_attempt_succeeds_where_nothing_holds_it(key: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(BY_KEY[key].code)
    with open(tmp_path / "left_open", "w") as left_open:
        told = subprocess.run(
            [sys.executable, "main.py"],
            cwd=tmp_path,
            env={**os.environ, "SECRET": "s"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            pass_fds=(left_open.fileno(),),
        )
    assert "escaped" in told.stdout, (told.stdout, told.stderr)


def test_everything_holds_for_an_installation_that_is_not_root() -> None:
    """Where the tests run as root, the same attempts are made by a user who is not."""
    code = (
        "from preceptor.sandbox.escapes import try_escapes\nfrom preceptor.sandbox.isolation import isolation\n"
        "print(isolation().way.value, [(each.attempt.key, each.seen) for each in try_escapes() if not each.held])"
    )
    own = getattr(sys, "_base_executable", sys.executable)
    for interpreter in (own, "/usr/bin/python3"):
        nobody = {"user": 42_424, "group": 42_424, "extra_groups": []} if os.geteuid() == 0 else {}
        try:
            told = subprocess.run(
                [interpreter, "-c", code],
                env={"PYTHONPATH": str(Path(__file__).parents[2] / "src"), "PATH": os.environ["PATH"]},
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                **nobody,  # type: ignore[call-overload]
            )
        except PermissionError:
            continue  # an interpreter in a folder that is root's alone
        assert told.stdout in ("user namespaces []\n", "bubblewrap []\n"), told.stderr
        return
    pytest.skip("no Python that an unprivileged user may start")


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Sockets of this machine that answer to whoever reaches them; name by kind of address."""
    tcp, unix, abstract = socket.socket(), socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    tcp.bind(("127.0.0.1", 0))
    unix.bind(str(tmp_path / "s"))
    abstract.bind(f"\0preceptor-test-{os.getpid()}")
    for each in (tcp, unix, abstract):
        each.listen()
    yield {
        "tcp": f"socket.create_connection({tcp.getsockname()!r}, 2)",
        "unix": f"socket.socket(socket.AF_UNIX).connect({str(tmp_path / 's')!r})",
        "abstract": f"socket.socket(socket.AF_UNIX).connect('\\0preceptor-test-{os.getpid()}')",
    }
    for each in (tcp, unix, abstract):
        each.close()


@pytest.mark.parametrize("kind", ["tcp", "unix", "abstract"])
def test_a_socket_that_is_reached_from_outside_is_not_reached_from_inside(kind: str, listeners: dict[str, str]) -> None:
    code = f"import socket\n{listeners[kind]}\nprint('reached')"
    outside = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert outside.stdout == "reached\n"
    inside = run(Program("python", {"main.py": code}))
    assert (inside.stdout, inside.exit_status) == ("", 1)


def test_a_file_of_this_machine_is_not_there_inside(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the data folder's secret")
    secret.chmod(0o644)
    code = f"print(open({str(secret)!r}).read())"
    assert "FileNotFoundError" in run(Program("python", {"main.py": code})).stderr


def test_a_process_outside_is_not_ended_from_inside() -> None:
    """Whatever number it has: the numbers inside are others."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as victim:
        code = f"import os\nfor number in (9, 15): os.kill({victim.pid}, number)"
        assert "ProcessLookupError" in run(Program("python", {"main.py": code})).stderr
        assert victim.poll() is None
        victim.kill()


def test_secrets_of_our_own_process_are_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRECEPTOR_SECRET_KEY", "very-secret")
    result = run(Program("python", {"main.py": "import os; print(dict(os.environ))"}))
    assert "very-secret" not in result.stdout
    assert "PRECEPTOR" not in result.stdout


def test_a_bash_script_is_held_too() -> None:
    code = "cat /etc/passwd; echo x > /dev/tcp/127.0.0.1/22; : > /written; ls /proc; kill -9 1; echo still here"
    result = run(Program("bash", {"main.sh": code}, ("main.sh",)), Limits(wall_seconds=5.0))
    assert result.stdout == "still here\n"
    assert result.stderr.count("\n") >= 4


def test_the_command_runs_a_file_and_gives_its_status(tmp_path: Path) -> None:
    file = tmp_path / "sum.py"
    file.write_text("import sys\nprint(sum(map(int, sys.stdin)))\nsys.exit(3)")
    told = CliRunner().invoke(app, ["sandbox", "run", "--stdin", str(file)], input="1\n2\n")
    assert (told.stdout, told.exit_code) == ("3\n", 3)
    file.write_text("while True: pass")
    assert CliRunner().invoke(app, ["sandbox", "run", "--seconds", "1", str(file)]).exit_code == 124
    (tmp_path / "x.rb").write_text("")
    refused = CliRunner().invoke(app, ["sandbox", "run", str(tmp_path / "x.rb")])
    assert refused.exit_code == 1
    assert "'rb' cannot be run here" in refused.stderr
