"""Child processes: starting, watching and ending them, and the socket that web processes share.

`preceptor serve` runs its database, web and worker processes as children of one parent. What this
module promises: a child never outlives its parent (Linux; elsewhere only after an orderly stop), a
crashed child comes back, one Ctrl-C or SIGTERM ends everything within a known time, and only
processes that were started here are ever signalled.
"""

import ctypes
import errno
import http.client
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import FrameType
from typing import IO, Self, TextIO
from urllib.parse import urlsplit

TICK_SECONDS = 0.1
BACKOFF_SECONDS_FIRST = 0.5
BACKOFF_SECONDS_MAX = 30.0
SETTLED_AFTER_SECONDS = 30.0
"""A child that has run this long counts as well again: its next crash starts at the first backoff."""
CRASHES_IN_A_ROW_MAX = 8
LISTEN_BACKLOG = 2048
LOG_LINE_BYTES_MAX = 64 * 1024

_PR_SET_PDEATHSIG = 1
_COLOURS = (36, 35, 33, 34, 32, 31)


class ProcessError(Exception):
    """A process could not be started or kept running; the message says what to do."""


class PortInUse(ProcessError):
    """The port that was asked for belongs to another program."""

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} on {host} is in use by another program. Stop that program, "
            f"or choose another port, for example PORT={port + 1} make demo, "
            f"or PRECEPTOR_PORT={port + 1} preceptor serve."
        )


# Spawning ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunAs:
    """The user and group that a child drops to. Other groups are given up."""

    uid: int
    gid: int


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
    run_as: RunAs | None = None,
    death_signal: signal.Signals = signal.SIGTERM,
    stdout: int | IO[bytes] | None = None,
    stderr: int | IO[bytes] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a child that gets `death_signal` when this process ends, however it ends (Linux).

    The child leads a session of its own, so a Ctrl-C in the terminal reaches only the parent, which
    then ends its children in the right order. It has no standard input. Raises OSError where the
    program cannot be run.
    """

    def start() -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            list(argv),
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            pass_fds=tuple(pass_fds),
            start_new_session=True,
            user=run_as.uid if run_as else None,
            group=run_as.gid if run_as else None,
            extra_groups=[] if run_as else None,
            # Safe beside threads: it only makes two system calls, and so waits for nobody's lock.
            preexec_fn=_end_with_parent(death_signal),
        )

    return _spawner.call(start)


Start = Callable[[], "subprocess.Popen[bytes]"]
_Requests = queue.SimpleQueue[tuple[Start, "Future[subprocess.Popen[bytes]]"]]


class _Spawner:
    """One thread that starts every child.

    Linux sends the death signal when the *thread* that made the child ends, not the process. A
    thread that lives as long as the process takes that trap away from callers on other threads.
    """

    def __init__(self) -> None:
        self._requests: _Requests = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._pid: int | None = None

    def call(self, start: Start) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._pid != os.getpid():  # also true after a fork, which does not copy threads
                self._pid = os.getpid()
                self._requests = queue.SimpleQueue()
                threading.Thread(target=self._serve, args=(self._requests,), name="spawner", daemon=True).start()
        answer: Future[subprocess.Popen[bytes]] = Future()
        self._requests.put((start, answer))
        return answer.result()

    @staticmethod
    def _serve(requests: _Requests) -> None:
        while True:
            start, answer = requests.get()
            try:
                answer.set_result(start())
            except (OSError, ValueError, subprocess.SubprocessError) as error:
                answer.set_exception(error)


_spawner = _Spawner()


def _end_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Looked up before the fork: loading a library in the forked child could wait for a lock forever.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def in_child() -> None:
        # Runs after the change of user, which would clear the setting.
        prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the parent ended before the setting was made
            os._exit(1)

    return in_child


# Listening and readiness ------------------------------------------------------------------------


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket that all web processes inherit; port 0 means any free port.

    One socket with one queue: when a web process ends, waiting connections go to the others, and a
    second server on the same port is refused. Raises `PortInUse`, or `ProcessError` for a host or
    port that cannot be used.
    """
    if port not in range(65_536):  # getaddrinfo would take the remainder and listen somewhere else
        raise ProcessError(f"There is no port {port}. Choose one between 1024 and 65535 with PORT=.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise ProcessError(f"Cannot listen on {host!r} port {port}: {error}. Check PRECEPTOR_HOST.") from error
    door = socket.socket(family, kind, protocol)
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(address)
        door.listen(LISTEN_BACKLOG)
    except OSError as error:
        door.close()
        raise _listening_refused(error, host, port) from error
    return door


def _listening_refused(error: OSError, host: str, port: int) -> ProcessError:
    match error:
        case OSError(errno=number) if number == errno.EADDRINUSE:
            return PortInUse(host, port)
        case PermissionError():
            return ProcessError(f"Port {port} is reserved for the system. Choose one above 1023 with PORT=.")
        case _:
            return ProcessError(f"Cannot listen on {host} port {port}: {error}. Check PRECEPTOR_HOST and PORT=.")


def answers(url: str, *, timeout: float = 2.0) -> str | None:
    """None when a plain-HTTP `url` answers 2xx, else what was seen instead, in words."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "127.0.0.1", where.port, timeout=timeout)
    try:
        connection.request("GET", where.path or "/")
        response = connection.getresponse()
        body = response.read(300).decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error})"
    finally:
        connection.close()
    return None if 200 <= response.status < 300 else f"answered {response.status}: {body}"


def web_command(door: socket.socket, app: str, *, log_level: str = "warning") -> tuple[str, ...]:
    """One web process on `door`, which it must inherit (`pass_fds`); `app` is `module:factory`."""
    return (
        *(sys.executable, "-m", "preceptor.cli.webprocess"),
        *("--fd", str(door.fileno()), "--app", app, "--log-level", log_level),
    )


# Supervising ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Child:
    """What to run under a name. `env` is added to our own environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    pass_fds: Sequence[int] = ()
    prefix: bool = True
    """Print its output line by line after its name; else it writes where we write."""


@dataclass
class _Running:
    child: Child
    process: "subprocess.Popen[bytes] | None"
    since: float
    crashes: int = 0
    start_again_at: float = 0.0


@dataclass(frozen=True)
class _Kept:
    name: str
    restart_if_dead: Callable[[], bool]


class Supervisor:
    """Keeps children running until told to stop, then ends them all.

    A context manager: inside it, SIGINT, SIGTERM and SIGHUP ask for a stop instead of ending the
    parent (enter it on the main thread; elsewhere no signal is caught). Leaving it ends every child:
    SIGTERM, then after `grace` seconds SIGKILL. A second signal cuts the grace short.
    """

    def __init__(
        self,
        *,
        grace: float = 15.0,
        out: TextIO | None = None,
        colour: bool | None = None,
        pause_seconds_max: float = BACKOFF_SECONDS_MAX,
        crashes_max: int = CRASHES_IN_A_ROW_MAX,
    ) -> None:
        self._grace = grace
        self._pause_seconds_max = pause_seconds_max
        self._crashes_max = crashes_max
        self._out = out or sys.stderr
        self._colour = self._wants_colour() if colour is None else colour
        self._running: list[_Running] = []
        self._kept: list[_Kept] = []
        self._stop = threading.Event()
        self._hurry = threading.Event()
        self._printing = threading.Lock()
        self._handlers: list[tuple[signal.Signals, signal.Handlers | Callable[..., object] | int | None]] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                self._handlers.append((number, signal.signal(number, self._signalled)))
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            for number, before in self._handlers:
                signal.signal(number, before)
            self._handlers.clear()

    @property
    def stopping(self) -> bool:
        """True once a signal or `request_stop` asked for the end."""
        return self._stop.is_set()

    def request_stop(self) -> None:
        """Ask `run` and `wait_until_ready` to return; safe from any thread."""
        self._stop.set()

    def pids(self) -> dict[str, int]:
        """The process id of every child that runs now, by name."""
        return {r.child.name: r.process.pid for r in self._running if r.process and r.process.poll() is None}

    def start(self, child: Child) -> int:
        """Start a child and keep it running from now on; returns its first process id.

        Raises `ProcessError` when the program cannot be run at all.
        """
        if any(r.child.name == child.name for r in self._running):
            raise ValueError(f"two children named {child.name}")
        running = _Running(child, None, 0.0)
        process = self._launch(running)
        self._running.append(running)
        return process.pid

    def keep(self, name: str, restart_if_dead: Callable[[], bool]) -> None:
        """Ask this on every round; True means that it had ended and runs again, which is said."""
        self._kept.append(_Kept(name, restart_if_dead))

    def wait_until_ready(self, url: str, *, timeout: float = 60.0) -> bool:
        """Wait until `url` answers 2xx, keeping children running meanwhile.

        False when a stop was asked for first. Raises `ProcessError` with the last thing seen when
        `timeout` seconds pass or a child keeps crashing.
        """
        deadline = time.monotonic() + timeout
        while not self.stopping:
            seen = answers(url)
            if seen is None:
                return True
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"{url} was not ready after {timeout:.0f} s: {seen}. The lines above say what each process did."
                )
            self._round()
            self._stop.wait(TICK_SECONDS)
        return False

    def run(self) -> int:
        """Keep everything running until a stop is asked for; returns the exit status 0.

        Raises `ProcessError` when one child crashes `crashes_max` times without settling.
        """
        while not self._stop.wait(TICK_SECONDS):
            self._round()
        return 0

    def stop(self) -> None:
        """End all children and wait for them; nothing is restarted any more."""
        self._stop.set()
        processes = [r.process for r in self._running if r.process is not None]
        for process in processes:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + self._grace
        for running in self._running:
            if running.process is not None:
                self._end(running.child.name, running.process, deadline)
        self._running.clear()

    # One round of looking after everybody.

    def _round(self) -> None:
        for kept in self._kept:
            if kept.restart_if_dead():
                self.say(kept.name, "had ended; started again")
        for running in self._running:
            self._look_after(running, time.monotonic())

    def _look_after(self, running: _Running, now: float) -> None:
        if running.process is None:
            if now >= running.start_again_at:
                self._launch(running)
            return
        status = running.process.poll()
        if status is not None:
            self._note_crash(running, status, now)

    def _note_crash(self, running: _Running, status: int, now: float) -> None:
        settled = now - running.since >= SETTLED_AFTER_SECONDS
        running.crashes = 1 if settled else running.crashes + 1
        running.process = None
        how = f"killed by {_signal_name(-status)}" if status < 0 else f"ended with status {status}"
        if running.crashes >= self._crashes_max:
            raise ProcessError(
                f"{running.child.name} {how}, {running.crashes} times in a row: giving up. "
                "Its last lines above say why; mend that and start again."
            )
        pause = min(self._pause_seconds_max, BACKOFF_SECONDS_FIRST * 2 ** (running.crashes - 1))
        running.start_again_at = now + pause
        self.say(running.child.name, f"{how}; starting it again in {pause:g} s")

    def _launch(self, running: _Running) -> "subprocess.Popen[bytes]":
        child = running.child
        pipe = subprocess.PIPE if child.prefix else None
        try:
            process = spawn(
                child.argv,
                env={**os.environ, **(child.env or {})},
                pass_fds=child.pass_fds,
                stdout=pipe,
                stderr=subprocess.STDOUT if child.prefix else None,
            )
        except OSError as error:
            raise ProcessError(f"Cannot start {child.name} ({child.argv[0]}): {error}") from error
        running.process, running.since = process, time.monotonic()
        if process.stdout is not None:
            threading.Thread(target=self._relay, args=(child.name, process.stdout), daemon=True).start()
        return process

    def _end(self, name: str, process: "subprocess.Popen[bytes]", deadline: float) -> None:
        while process.poll() is None and time.monotonic() < deadline and not self._hurry.is_set():
            time.sleep(0.02)
        if process.poll() is None:
            self.say(name, "did not end in time; killing it")
            # It leads its own group, and is not reaped yet, so the number cannot mean another group.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    # Signals and output.

    def _signalled(self, _number: int, _frame: FrameType | None) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    def _relay(self, name: str, pipe: IO[bytes]) -> None:
        with pipe:
            while line := pipe.readline(LOG_LINE_BYTES_MAX):
                self.say(name, line.decode(errors="replace").rstrip())

    def say(self, name: str, message: str) -> None:
        """Print one line under a child's name."""
        label = f"{name:<10}"
        if self._colour:
            # A name keeps its colour between runs, which the built-in hash would not give.
            label = f"\x1b[{_COLOURS[sum(name.encode()) % len(_COLOURS)]}m{label}\x1b[0m"
        with self._printing:
            print(f"{label} | {message}", file=self._out, flush=True)

    def _wants_colour(self) -> bool:
        return self._out.isatty() and not os.environ.get("NO_COLOR")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
