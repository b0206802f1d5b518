"""Running one program: start it confined, read what it writes, and end it when it takes too much of anything."""

import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from preceptor.sandbox import cgroups, watching
from preceptor.sandbox.errors import ProgramRefused, SandboxUnavailable
from preceptor.sandbox.inside.confine import BOX
from preceptor.sandbox.isolation import Way, required, users
from preceptor.sandbox.languages import LIBRARIES, Language, language
from preceptor.sandbox.programs import Limits, Program, Result, Verdict

START_SECONDS_MAX = 20.0
"""For our own processes to set things up; a machine that is busy elsewhere takes long."""
END_SECONDS_MAX = 5.0
"""After the kill until all is gone."""
LOOK_SECONDS = 0.05
"""Between two looks at time and memory."""
CHUNK_BYTES = 65_536
REPORT_BYTES_MAX = 10_000
SETUP_PROCESSES = 2
"""Our own, that count against a limit over the whole group."""
SETUP_BYTES = 48 * 1024**2
"""What our own processes have before the program starts, in a control group that counts all."""
SOURCES = Path(__file__).resolve().parents[2]
NICE = 5


def run(program: Program, limits: Limits | None = None) -> Result:
    """Run a program to its end or to the first limit that it meets.

    SandboxUnavailable where this machine cannot isolate it, LanguageMissing where the language is not installed.
    Nothing of the run is left afterwards: no process, no file, no group.
    """
    held = required()
    assert held.way is not None
    return _run_confined(program, language(program.language), limits or Limits(), held.way)


def refusal(way: Way) -> str | None:
    """Why this way does not work here, None where a program ran that way."""
    try:
        probe = Program("python", {"main.py": "print('held')"})
        result = _run_confined(probe, language("python"), Limits(), way)
    except SandboxUnavailable as error:
        return error.message
    return None if result.ok and result.stdout == "held\n" else f"a first program failed: {result.stderr[-200:]}"


@dataclass
class _Output:
    """One stream, kept up to the limit and counted beyond."""

    limit: int
    kept: bytearray = field(default_factory=bytearray)
    seen: int = 0

    def take(self, data: bytes) -> None:
        self.kept += data[: max(0, self.limit - self.seen)]
        self.seen += len(data)

    @property
    def over(self) -> bool:
        return self.seen > self.limit

    @property
    def text(self) -> str:
        return self.kept.decode("utf-8", "replace")


def _run_confined(program: Program, runtime: Language, limits: Limits, way: Way) -> Result:
    with ExitStack() as stack:
        order = stack.enter_context(tempfile.TemporaryFile())
        stdin = stack.enter_context(tempfile.TemporaryFile())
        stdin.write(program.stdin.encode("utf-8", "replace"))
        stdin.flush()
        # Opened anew for reading only: the program gets no descriptor that writes outside its box.
        readable = stack.enter_context(open(f"/proc/self/fd/{stdin.fileno()}", "rb"))
        group = stack.enter_context(
            cgroups.group(limits.memory_bytes + SETUP_BYTES, limits.processes + SETUP_PROCESSES)
        )
        order.write(json.dumps(_order(program, runtime, limits, way, group)).encode())
        order.seek(0)
        reports, report = os.pipe()
        stack.callback(os.close, reports)
        try:
            started = subprocess.Popen(
                _command(way, runtime, order.fileno(), report),
                stdin=readable,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(order.fileno(), report),
                env={"LC_ALL": "C.UTF-8"},
                cwd="/",
            )
        finally:
            os.close(report)
        stack.enter_context(started)
        stack.callback(_end, started)
        return _Supervision(started, reports, limits, group).result()


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        process.kill()
    process.wait(END_SECONDS_MAX)


def _command(way: Way, runtime: Language, order: int, report: int) -> list[str]:
    start = "import sys; sys.path.insert(0, {!r}); from preceptor.sandbox.inside.launch import main; main()"
    if way is not Way.BUBBLEWRAP:
        base = getattr(sys, "_base_executable", sys.executable)
        return [base, "-I", "-S", "-c", start.format(str(SOURCES)), str(order), str(report)]
    from preceptor.sandbox.bubblewrap import command

    return command(runtime, SOURCES, ["-c", start.format("/launch"), str(order), str(report), "inner"])


def _order(program: Program, runtime: Language, limits: Limits, way: Way, group: cgroups.Group) -> dict[str, Any]:
    reserves = runtime.reserves_bytes
    space = {"AS": limits.memory_bytes} if reserves is None else {"DATA": limits.memory_bytes + reserves}
    return {
        "parent": os.getpid(),
        "users": users() if way is Way.ROOT else None,
        "user_namespace": way is Way.USER,
        "cgroups": group.paths,
        "binds": [list(pair) for pair in runtime.binds],
        "hidden": list(runtime.hidden),
        "box_bytes": limits.box_bytes,
        "box_files": limits.box_files,
        "files": dict(program.files),
        "argv": [*runtime.start, *program.argv],
        "environment": _environment(runtime),
        "nice": NICE,
        "rlimits": {
            **space,
            "CPU": limits.cpu_seconds + 1,
            "FSIZE": limits.file_bytes,
            "NOFILE": limits.open_files,
            "NPROC": limits.processes,
            "STACK": min(limits.memory_bytes, 64 * 1024**2),
            "CORE": 0,
            "MEMLOCK": 0,
            "MSGQUEUE": 0,
            "SIGPENDING": 256,
        },
    }


def _environment(runtime: Language) -> dict[str, str]:
    return {
        "HOME": BOX,
        "TMPDIR": BOX,
        "LANG": "C.UTF-8",
        "PATH": os.path.dirname(runtime.start[0]),
        "LD_LIBRARY_PATH": LIBRARIES,
    }


class _Supervision:
    """Reads the streams and looks at the clock and the memory until everything has ended."""

    def __init__(self, process: "subprocess.Popen[bytes]", reports: int, limits: Limits, group: cgroups.Group) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self._process, self._limits, self._group = process, limits, group
        self._out, self._err = _Output(limits.output_bytes), _Output(limits.output_bytes)
        self._told = _Output(REPORT_BYTES_MAX)
        self._report: dict[str, Any] = {}
        self._watch_memory = not group.counts_memory
        self._started_at: float | None = None
        self._peak = 0
        self._selector = selectors.DefaultSelector()
        streams: tuple[tuple[int, Callable[[bytes], None]], ...] = (
            (process.stdout.fileno(), self._out.take),
            (process.stderr.fileno(), self._err.take),
            (reports, self._listen),
        )
        for descriptor, take in streams:
            self._selector.register(descriptor, selectors.EVENT_READ, take)

    def _listen(self, data: bytes) -> None:
        self._told.take(data)
        for line in bytes(self._told.kept).splitlines():
            with suppress(ValueError):  # a line of which only the beginning has come
                self._report |= json.loads(line)
        if self._report.get("started") and self._started_at is None:
            self._started_at = time.monotonic()

    def result(self) -> Result:
        begun = time.monotonic()
        verdict = self._follow(begun)
        ended = time.monotonic()
        if "refused" in self._report or self._started_at is None:
            self._refuse(verdict)
        if verdict is Verdict.FINISHED and "status" not in self._report:
            # Our own process was ended from outside: by the kernel, for want of memory.
            verdict = Verdict.MEMORY
        assert self._started_at is not None
        return Result(
            verdict=Verdict.MEMORY if self._group.ran_out_of_memory() else verdict,
            exit_status=self._report.get("status") if verdict is Verdict.FINISHED else None,
            stdout=self._out.text,
            stderr=self._err.text,
            wall_seconds=ended - self._started_at,
            cpu_seconds=self._report.get("cpu_seconds"),
            peak_bytes=self._group.peak_bytes() or max(self._peak, self._report.get("peak_bytes", 0)) or None,
        )

    def _refuse(self, verdict: Verdict) -> None:
        told = str(self._report.get("refused", "")) or self._err.text.strip()[-500:] or f"no start ({verdict})"
        if self._started_at is not None:
            raise ProgramRefused(f"The program could not be started: {told}")
        raise SandboxUnavailable(told)

    def _follow(self, begun: float) -> Verdict:
        verdict = Verdict.FINISHED
        while self._selector.get_map():
            for key, _ in self._selector.select(LOOK_SECONDS):
                self._read(key.fd, key.data)
            if verdict is Verdict.FINISHED and (met := self._limit_met(begun)) is not None:
                verdict = met
                self._process.kill()
                begun = time.monotonic()
            elif verdict is not Verdict.FINISHED and time.monotonic() - begun > END_SECONDS_MAX:
                break
        return verdict if verdict is not Verdict.FINISHED or not self._over_cpu() else Verdict.TIMEOUT

    def _read(self, descriptor: int, take: Callable[[bytes], None]) -> None:
        data = os.read(descriptor, CHUNK_BYTES)
        if data:
            take(data)
        else:
            self._selector.unregister(descriptor)

    def _limit_met(self, begun: float) -> Verdict | None:
        now = time.monotonic()
        if self._out.over or self._err.over:
            return Verdict.OUTPUT
        if now - (self._started_at or begun) > (self._limits.wall_seconds if self._started_at else START_SECONDS_MAX):
            return Verdict.TIMEOUT
        if self._watch_memory and self._started_at is not None:
            held = watching.memory_bytes(self._process.pid)
            self._peak = max(self._peak, held)
            if held > self._limits.memory_bytes + SETUP_BYTES:
                return Verdict.MEMORY
        return None

    def _over_cpu(self) -> bool:
        """The kernel ended it for its CPU time: by SIGXCPU (24), or SIGKILL where that was ignored."""
        used = self._report.get("cpu_seconds") or 0.0
        return self._report.get("status") in (-24, -9) and used >= self._limits.cpu_seconds - 0.5
