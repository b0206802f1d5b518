"""The process supervisor and the web processes that share one socket."""

import http.client
import io
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from preceptor.cli.processes import (
    Child,
    PortInUse,
    ProcessError,
    Supervisor,
    answers,
    listen,
    spawn,
    web_command,
)

HERE = Path(__file__).resolve().parent
SOURCES = HERE.parents[1] / "src"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of their parent's end")


@pytest.fixture
def said() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(said: io.StringIO) -> Iterator[Supervisor]:
    with Supervisor(grace=5, out=said) as made:
        yield made


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0) as made:
        yield made


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def wait_for(what: Callable[[], bool], within: float = 10) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.02)
    return False


def is_gone(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def run_beside(supervisor: Supervisor) -> threading.Thread:
    thread = threading.Thread(target=supervisor.run)
    thread.start()
    return thread


def ask(door: socket.socket, path: str = "/") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", door.getsockname()[1], timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def web(door: socket.socket, name: str = "web") -> Child:
    paths = f"{SOURCES}:{HERE}"
    command = web_command(door, "web_app:create_app")
    return Child(name, command, env={"PYTHONPATH": paths}, pass_fds=(door.fileno(),))


def test_output_is_printed_under_the_childs_name(supervisor: Supervisor, said: io.StringIO) -> None:
    supervisor.start(Child("talker", python("import time; print('hello', flush=True); time.sleep(60)")))
    assert wait_for(lambda: "talker     | hello" in said.getvalue())


def test_environment_is_added_to_ours(supervisor: Supervisor, said: io.StringIO) -> None:
    code = "import os, time; print(os.environ['MINE'], os.environ['PATH'], flush=True); time.sleep(60)"
    supervisor.start(Child("child", python(code), env={"MINE": "added"}))
    assert wait_for(lambda: f"added {os.environ['PATH']}" in said.getvalue())


def test_a_crashed_child_is_started_again_after_a_growing_pause(supervisor: Supervisor, said: io.StringIO) -> None:
    first = supervisor.start(Child("worker", python("import time; time.sleep(60)")))
    watching = run_beside(supervisor)
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: supervisor.pids().get("worker", first) != first)
    second = supervisor.pids()["worker"]
    os.kill(second, signal.SIGTERM)
    assert wait_for(lambda: supervisor.pids().get("worker", second) != second)
    supervisor.request_stop()
    watching.join()
    assert "worker     | killed by SIGKILL; starting it again in 0.5 s" in said.getvalue()
    assert "worker     | killed by SIGTERM; starting it again in 1 s" in said.getvalue()


def test_a_child_that_never_settles_is_given_up(
    said: io.StringIO,
) -> None:
    giving_up = pytest.raises(ProcessError, match="broken ended with status 1, 8 times in a row: giving up")
    with giving_up, Supervisor(out=said, pause_seconds_max=0.01) as supervisor:
        supervisor.start(Child("broken", python("raise SystemExit('no such table')")))
        supervisor.run()
    assert said.getvalue().count("no such table") >= 7


def test_a_program_that_does_not_exist_is_refused_at_once(supervisor: Supervisor) -> None:
    with pytest.raises(ProcessError, match=r"Cannot start ghost \(/no/such/program\)"):
        supervisor.start(Child("ghost", ["/no/such/program"]))
    assert supervisor.pids() == {}


def test_leaving_ends_all_children(said: io.StringIO) -> None:
    with Supervisor(grace=5, out=said) as supervisor:
        pids = [supervisor.start(Child(f"c{n}", python("import time; time.sleep(60)"))) for n in range(3)]
    assert all(is_gone(pid) for pid in pids)
    assert "killing" not in said.getvalue()


def test_a_deaf_child_and_its_children_are_killed_after_the_grace_time(said: io.StringIO) -> None:
    deaf = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('pid', p.pid, flush=True); time.sleep(60)"
    )
    with Supervisor(grace=0.5, out=said) as supervisor:
        pid = supervisor.start(Child("deaf", python(deaf)))
        assert wait_for(lambda: "pid" in said.getvalue())
        began = time.monotonic()
    assert 0.4 < time.monotonic() - began < 3
    grandchild = int(said.getvalue().split("pid ")[1].split()[0])
    assert is_gone(pid)
    assert wait_for(lambda: is_gone(grandchild))
    assert "did not end in time; killing it" in said.getvalue()


def test_what_is_kept_is_asked_on_every_round_and_told(supervisor: Supervisor, said: io.StringIO) -> None:
    ended = threading.Event()
    ended.set()

    def restart_if_dead() -> bool:
        was = ended.is_set()
        ended.clear()
        return was

    supervisor.keep("database", restart_if_dead)
    watching = run_beside(supervisor)
    assert wait_for(lambda: "database   | had ended; started again" in said.getvalue())
    supervisor.request_stop()
    watching.join()
    assert said.getvalue().count("had ended") == 1


SERVING = """
import sys
from preceptor.cli.processes import Child, Supervisor
with Supervisor(grace=5) as supervisor:
    code = "import time; time.sleep(600)" if len(sys.argv) < 2 else sys.argv[1]
    print("pids", *[supervisor.start(Child(f"c{n}", [sys.executable, "-c", code])) for n in range(2)], flush=True)
    status = supervisor.run()
print("left with", status, flush=True)
"""


def serving(*arguments: str, lines: int = 0) -> tuple["subprocess.Popen[str]", list[int]]:
    """A process that supervises two children, and their pids; waits until they printed so many lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={"PYTHONPATH": str(SOURCES)},
    )
    assert process.stdout is not None
    said = [process.stdout.readline() for _ in range(1 + lines)]  # in any order
    (pids,) = [line for line in said if line.startswith("pids ")]
    return process, [int(word) for word in pids.split()[1:]]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_parent_ends_everything_in_order(number: signal.Signals) -> None:
    process, children = serving()
    process.send_signal(number)
    out, _ = process.communicate(timeout=20)
    assert "left with 0" in out
    assert process.returncode == 0
    assert all(is_gone(pid) for pid in children)


@on_linux
def test_children_end_with_a_killed_parent() -> None:
    process, children = serving()
    process.kill()
    process.communicate()
    assert wait_for(lambda: all(map(is_gone, children)))


def test_a_second_signal_does_not_wait_for_the_deaf() -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);print('deaf', flush=True); time.sleep(600)"
    )
    process, children = serving(deaf, lines=2)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert time.monotonic() - began < 4
    assert wait_for(lambda: all(map(is_gone, children)))


@on_linux
def test_a_child_outlives_the_thread_that_spawned_it() -> None:
    made: list[subprocess.Popen[bytes]] = []
    thread = threading.Thread(target=lambda: made.append(spawn(["sleep", "60"])))
    thread.start()
    thread.join()
    time.sleep(0.3)
    assert made[0].poll() is None
    made[0].kill()
    made[0].wait()


# Web processes ----------------------------------------------------------------------------------


def test_a_port_in_use_is_named_with_the_way_out(door: socket.socket) -> None:
    port = door.getsockname()[1]
    with pytest.raises(PortInUse, match=rf"Port {port} on 127.0.0.1 is in use[\s\S]*PORT={port + 1}") as refused:
        listen("127.0.0.1", port)
    assert refused.value.port == port


@pytest.mark.parametrize(("host", "port"), [("no.such.host.invalid", 0), ("192.0.2.1", 0), ("127.0.0.1", 70_000)])
def test_a_host_or_port_that_cannot_be_is_refused_in_words(host: str, port: int) -> None:
    with pytest.raises(ProcessError, match=r"Cannot listen on|There is no port 70000"):
        listen(host, port)


def test_several_web_processes_share_one_port_and_see_the_clients_address(
    supervisor: Supervisor, door: socket.socket
) -> None:
    supervisor.start(web(door, "web-1"))
    supervisor.start(web(door, "web-2"))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/readyz"
    assert supervisor.wait_until_ready(url, timeout=30)
    pids = {str(pid) for pid in supervisor.pids().values()}
    seen: Counter[str] = Counter()

    def ask_until_both_answered() -> bool:
        status, text = ask(door)
        pid, address = text.split()
        assert (status, address) == (200, "127.0.0.1")
        seen[pid] += 1
        return set(seen) == pids

    assert wait_for(ask_until_both_answered, within=30)


def test_a_killed_web_process_costs_no_later_request(supervisor: Supervisor, door: socket.socket) -> None:
    supervisor.start(web(door, "web-1"))
    supervisor.start(web(door, "web-2"))
    url = f"http://127.0.0.1:{door.getsockname()[1]}/readyz"
    assert supervisor.wait_until_ready(url, timeout=30)
    watching = run_beside(supervisor)
    os.kill(supervisor.pids()["web-1"], signal.SIGKILL)
    assert [ask(door)[0] for _ in range(50)] == [200] * 50
    assert wait_for(lambda: "web-1" in supervisor.pids())
    supervisor.request_stop()
    watching.join()


def test_an_open_request_is_answered_before_the_end(said: io.StringIO, door: socket.socket) -> None:
    answered: list[tuple[int, str]] = []
    with Supervisor(out=said) as supervisor:
        supervisor.start(web(door))
        assert supervisor.wait_until_ready(f"http://127.0.0.1:{door.getsockname()[1]}/readyz", timeout=30)
        asking = threading.Thread(target=lambda: answered.append(ask(door, "/slow")))
        asking.start()
        time.sleep(0.3)
    asking.join()
    assert answered[0][0] == 200


def test_waiting_for_readiness_tells_what_it_saw(supervisor: Supervisor, door: socket.socket) -> None:
    supervisor.start(web(door))
    base = f"http://127.0.0.1:{door.getsockname()[1]}"
    assert supervisor.wait_until_ready(f"{base}/readyz", timeout=30)
    with pytest.raises(ProcessError, match="not ready after 0 s: answered 404"):
        supervisor.wait_until_ready(f"{base}/missing", timeout=0.2)
    assert answers(base) is None
    assert "no answer" in (answers("http://127.0.0.1:1/") or "")


def test_waiting_ends_when_the_stop_is_asked_for(supervisor: Supervisor, door: socket.socket) -> None:
    threading.Timer(0.2, supervisor.request_stop).start()
    assert supervisor.wait_until_ready("http://127.0.0.1:1/", timeout=30) is False


def test_an_application_that_cannot_be_imported_is_given_up(door: socket.socket, said: io.StringIO) -> None:
    command = web_command(door, "no_such_module:create_app")
    giving_up = pytest.raises(ProcessError, match=r"web ended with status \d, 2 times in a row")
    with giving_up, Supervisor(out=said, crashes_max=2) as supervisor:
        supervisor.start(Child("web", command, env={"PYTHONPATH": str(SOURCES)}, pass_fds=(door.fileno(),)))
        supervisor.run()
    assert wait_for(lambda: "no_such_module" in said.getvalue())
