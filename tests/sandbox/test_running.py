"""What a program may do, what it is told when it may not, and that nothing of it is left."""

import dataclasses
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from preceptor.sandbox import cgroups, watching
from preceptor.sandbox.errors import LanguageMissing, ProgramRefused, SandboxUnavailable
from preceptor.sandbox.inside import filter as system_calls
from preceptor.sandbox.isolation import Isolation, Way, isolation, ways
from preceptor.sandbox.languages import languages
from preceptor.sandbox.programs import FILE_CHARACTERS_MAX, FILES_MAX, MIB, Limits, Program, Result, Verdict
from preceptor.sandbox.running import refusal, run

QUICK = Limits(cpu_seconds=2, wall_seconds=5.0)


def run_python(code: str, stdin: str = "", limits: Limits = QUICK, **files: str) -> Result:
    return run(Program("python", {"main.py": code, **files}, stdin=stdin), limits)


def test_a_program_gets_its_files_its_input_and_its_arguments() -> None:
    files = {"main.py": "import sys\nfrom parts.sums import add\nprint(add(*map(int, sys.argv[1:])), input())"}
    files["parts/sums.py"] = "def add(a, b):\n    return a + b\n"
    result = run(Program("python", files, ("main.py", "2", "3"), "given"), QUICK)
    assert (result.stdout, result.stderr, result.exit_status) == ("5 given\n", "", 0)
    assert result.ok


@pytest.mark.parametrize("name", sorted(languages()))
def test_each_installed_language_runs(name: str) -> None:
    language = languages()[name]
    code = {"python": "print(6 * 7)", "javascript": "console.log(6 * 7)", "bash": "echo $((6 * 7)) | tr -d ' '"}[name]
    assert run(Program(name, {language.entry: code}, (language.entry,)), QUICK).stdout == "42\n"


def test_usual_parts_of_the_standard_library_work() -> None:
    code = """
import asyncio, decimal, hashlib, json, multiprocessing.connection, sqlite3, subprocess, tempfile, threading, zlib
async def main(): await asyncio.sleep(0)
asyncio.run(main())
threading.Thread(target=print, args=("thread",)).start()
print(subprocess.run([__import__("sys").executable, "-c", "print('child')"], capture_output=True, text=True).stdout)
with tempfile.TemporaryFile() as file: file.write(b"x")
print(sqlite3.connect(":memory:").execute("select 1").fetchone())
"""
    result = run_python(code)
    assert result.stderr == ""
    assert result.stdout.split() == ["thread", "child", "(1,)"]


def test_a_language_that_is_not_installed_is_refused_by_name() -> None:
    with pytest.raises(LanguageMissing, match=r"'cobol' cannot be run here\. Installed: python"):
        run(Program("cobol", {"main.cob": ""}))


def test_a_crash_is_told_with_its_traceback_and_status() -> None:
    result = run_python("raise ValueError('no such luck')")
    assert result.exit_status == 1
    assert "no such luck" in result.stderr
    assert run_python("import os; os.kill(os.getpid(), 11)").exit_status == -11


def test_a_command_that_does_not_exist_is_an_error_of_the_program() -> None:
    assert run(Program("python", {}, ("missing.py",))).exit_status == 2


def test_output_is_cut_at_its_limit_and_the_program_ended() -> None:
    result = run_python("while True: print('x' * 1000)", limits=dataclasses.replace(QUICK, output_bytes=5_000))
    assert result.verdict is Verdict.OUTPUT
    assert len(result.stdout) == 5_000


def test_output_that_is_not_text_is_replaced() -> None:
    assert run_python("import sys; sys.stdout.buffer.write(b'a\\xffb')").stdout == "a\N{REPLACEMENT CHARACTER}b"


def test_what_was_written_before_the_end_of_time_is_kept() -> None:
    code = "print('begun', flush=True)\nimport time\ntime.sleep(60)"
    result = run_python(code, limits=dataclasses.replace(QUICK, wall_seconds=0.5))
    assert (result.verdict, result.stdout, result.exit_status) == (Verdict.TIMEOUT, "begun\n", None)


def test_computing_ends_at_its_own_limit() -> None:
    result = run_python("while True: pass", limits=Limits(cpu_seconds=1, wall_seconds=60.0))
    assert result.verdict is Verdict.TIMEOUT
    assert result.wall_seconds < 30


def test_a_process_left_behind_ends_with_the_run() -> None:
    """It holds the outputs open and ignores what it is told, and the run still ends at once."""
    code = """
import os, signal, time
if os.fork() == 0:
    os.setsid()
    for number in set(range(1, 32)) - {9, 19}: signal.signal(number, signal.SIG_IGN)
    time.sleep(3600)
print("done")
"""
    before = children()
    result = run_python(code, limits=Limits(wall_seconds=60.0))
    assert (result.verdict, result.stdout) == (Verdict.FINISHED, "done\n")
    assert started_since(before) == set()


def children() -> set[int]:
    """What this process started: beside runs, a database server or a browser, which start processes as they like."""
    return {each.pid for each in psutil.Process().children()}


def started_since(before: set[int]) -> set[int]:
    of_others = {each for child in before for each in watching.tree(child)}
    return {*watching.tree(os.getpid())} - of_others - {os.getpid()}


def test_a_run_that_is_ended_leaves_no_process() -> None:
    before = children()
    code = "import os\nfor _ in range(4): os.fork()\nwhile True: pass"
    assert run_python(code, limits=dataclasses.replace(QUICK, wall_seconds=0.5)).verdict is Verdict.TIMEOUT
    assert started_since(before) == set()


def test_a_worker_that_is_killed_takes_its_runs_with_it() -> None:
    """`kill -9` leaves nobody to clean up; the kernel ends the run all the same."""
    code = (
        "from preceptor.sandbox.programs import *\nfrom preceptor.sandbox.running import run\n"
        "run(Program('python', {'main.py': 'import time\\ntime.sleep(600)'}), Limits(wall_seconds=120))"
    )
    source = str(Path(__file__).parents[2] / "src")
    worker = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": source})
    below: list[int] = []
    for _ in range(400):
        below = [each for each in watching.tree(worker.pid) if each != worker.pid]
        if len(below) >= 3 and watching.memory_bytes(below[-1]):
            break
        time.sleep(0.05)
    assert len(below) >= 3
    worker.kill()
    worker.wait()
    for _ in range(200):
        if not any(Path("/proc", str(each)).exists() for each in below):
            return
        time.sleep(0.05)
    pytest.fail(f"still there: {below}")


def test_nothing_is_left_of_a_run_but_its_result(tmp_path: Path) -> None:
    marked = "left-by-a-run-7c31"
    run_python(f"open({marked!r}, 'w').write('x')\nopen('/tmp/{marked}-2', 'w').write('x')")
    assert run_python("import os; print(os.listdir('.'))").stdout == "['main.py']\n"
    assert not (Path(tempfile.gettempdir()) / f"{marked}-2").exists()
    # Only the groups of this process: other tests may run programs at this moment.
    assert not any(list(place.folder.glob(f"{os.getpid()}-*")) for place in cgroups.hierarchies())


def test_two_runs_at_once_cannot_see_each_other() -> None:
    """Each would see the other's process by a signal, its file by a listing, and its user by a shared id."""
    code = """
import os, time
open(f"mine-{input()}", "w").close()
time.sleep(0.3)
print(os.getuid(), sorted(name for name in os.listdir(".") if name != "main.py"))
"""
    seen: dict[str, str] = {}

    def one(name: str) -> None:
        seen[name] = run_python(code, stdin=name).stdout

    both = [threading.Thread(target=one, args=(name,)) for name in ("first", "second")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    users = {seen[name].split()[0] for name in seen}
    assert {seen[name].partition(" ")[2] for name in seen} == {"['mine-first']\n", "['mine-second']\n"}
    assert isolation().way is not Way.ROOT or len(users) == 2


def test_as_root_the_program_is_a_user_without_rights() -> None:
    code = "import os; print(os.getuid() == 0, os.getgid() == 0, os.getgroups())\n"
    assert run_python(code).stdout in ("False False []\n", "False False [65534]\n")


def test_memory_over_all_processes_is_limited_where_no_group_counts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most installations are not root and have no control groups: then the tree is watched."""
    monkeypatch.setattr(cgroups, "hierarchies", lambda: ())
    code = """
import os, time
for n in range(8):
    if os.fork() == 0:
        kept = bytearray(60 * 1024**2)
        for at in range(0, len(kept), 4096): kept[at] = 1
        time.sleep(30)
for n in range(8): os.wait()
"""
    result = run_python(code, limits=Limits(wall_seconds=30.0, memory_bytes=100 * MIB))
    assert result.verdict is Verdict.MEMORY


def test_this_machine_holds_programs_in_the_first_way_that_works() -> None:
    assert isolation().way is next(way for way in ways() if refusal(way) is None)


def test_without_isolation_nothing_is_run_and_the_mend_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "preceptor.sandbox.isolation.isolation", lambda: Isolation(None, missing="user namespaces", mend="Allow them.")
    )
    with pytest.raises(SandboxUnavailable, match=r"Missing: user namespaces\. Allow them\."):
        run_python("print('never')")


def test_a_launcher_that_cannot_isolate_says_why_and_starts_nothing() -> None:
    """As an unprivileged user in a namespace that may have no further ones, the kernel refuses at the first step."""
    code = (
        "from preceptor.sandbox.isolation import Way\nfrom preceptor.sandbox.running import refusal\n"
        "print(refusal(Way.USER))"
    )
    limit = 'echo 0 > /proc/sys/user/max_pid_namespaces && exec "$0" "$@"'
    source = str(Path(__file__).parents[2] / "src")
    told = subprocess.run(
        ["unshare", "-Ur", "sh", "-c", limit, sys.executable, "-c", code],
        env={"PYTHONPATH": source, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "unshare" in told.stdout, told.stderr
    assert "held" not in told.stdout


@pytest.mark.parametrize(
    "path",
    [
        "../up.py",
        "/etc/passwd",
        "a/../b.py",
        "a//b.py",
        "./a.py",
        "a/",
        "",
        ".hidden",
        "a\nb",
        "x" * 200,
        "a/b/c/d/e/f/g/h/i",
    ],
    ids=["up", "absolute", "up_within", "empty_step", "here", "folder", "empty", "hidden", "newline", "long", "deep"],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(ProgramRefused, match="not a usable path"):
        Program("python", {path: ""})


def test_programs_have_limits_of_their_own() -> None:
    with pytest.raises(ProgramRefused, match="at most 64 files"):
        Program("python", {f"f{number}.py": "" for number in range(FILES_MAX + 1)})
    with pytest.raises(ProgramRefused, match="characters"):
        Program("python", {"main.py": "x" * (FILE_CHARACTERS_MAX + 1)})
    with pytest.raises(ProgramRefused, match="a file and a folder"):
        Program("python", {"a": "", "a/b.py": ""})


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_fits_the_kernel_and_its_jumps_land_inside(machine: str) -> None:
    program = system_calls.program(machine)
    steps = [program[at : at + 8] for at in range(0, len(program), 8)]
    assert len(steps) < 4096
    for at, step in enumerate(steps):
        code = int.from_bytes(step[:2], "little")
        if code & 0x07 == 0x05:
            assert at + 1 + max(step[2], step[3]) < len(steps)
    numbers = system_calls.allowed_numbers(machine)
    assert len(numbers) == len(set(numbers))
    assert not set(numbers) & {pair[system_calls.ARCHITECTURES[machine][0]] for pair in system_calls.IN_PART.values()}
