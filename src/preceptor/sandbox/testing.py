"""Running a program against test cases: each in a box of its own, so that no case sees what another left."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isclose

from preceptor.sandbox.errors import ProgramRefused
from preceptor.sandbox.programs import Limits, Program, Result, Verdict
from preceptor.sandbox.running import run

CASES_MAX = 100
ALL_SECONDS_MAX = 60.0
"""For all cases of one program; what has not started by then is not run."""
TOLERANCE = 1e-6
_SPACE = re.compile(r"[ \t]+(?=\n|$)")


class Compare(StrEnum):
    """How output is held against what is expected."""

    EXACT = "exact"
    LINES = "lines"
    """Spaces at the ends of lines and empty lines at the end do not count."""
    WORDS = "words"
    """Only the words and their order count."""
    NUMBERS = "numbers"
    """As words; numbers may differ by a millionth, relative or absolute."""


class Outcome(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    """It ended well and said something else, or the command said that a test failed."""
    ERROR = "error"
    """It ended badly: a crash, too much memory or output."""
    TIMEOUT = "timeout"
    NOT_RUN = "not_run"


@dataclass(frozen=True, slots=True)
class Case:
    """One test: the program's input and what it must write, or (without `expected`) a command that must succeed.

    `files` lie beside the program's and go before them where both have a path: who submits code cannot replace a test.
    """

    name: str
    argv: tuple[str, ...]
    stdin: str = ""
    expected: str | None = None
    compare: Compare = Compare.LINES
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What came of one case. `message` says in a sentence what is wrong; empty where it passed."""

    name: str
    outcome: Outcome
    message: str
    stdout: str = ""
    stderr: str = ""
    wall_seconds: float = 0.0
    peak_bytes: int | None = None


def run_tests(
    language: str, files: Mapping[str, str], cases: Sequence[Case], limits: Limits | None = None
) -> list[CaseResult]:
    """One result per case, in order. Refusals of the sandbox itself are raised, as by `run`."""
    if len(cases) > CASES_MAX:
        raise ProgramRefused(f"A program is run against at most {CASES_MAX} cases at once.")
    return list(_each(language, files, cases, limits or Limits()))


def _each(language: str, files: Mapping[str, str], cases: Sequence[Case], limits: Limits) -> Iterator[CaseResult]:
    begun = time.monotonic()
    for case in cases:
        if time.monotonic() - begun > ALL_SECONDS_MAX:
            yield CaseResult(case.name, Outcome.NOT_RUN, f"All tests together took over {ALL_SECONDS_MAX:g} seconds.")
        else:
            yield judge(case, run(Program(language, {**files, **case.files}, case.argv, case.stdin), limits), limits)


def judge(case: Case, result: Result, limits: Limits) -> CaseResult:
    """What a run says about a case."""
    outcome, message = _outcome(case, result, limits)
    return CaseResult(case.name, outcome, message, result.stdout, result.stderr, result.wall_seconds, result.peak_bytes)


def _outcome(case: Case, result: Result, limits: Limits) -> tuple[Outcome, str]:
    match result.verdict:
        case Verdict.TIMEOUT:
            return Outcome.TIMEOUT, f"Not done after {limits.wall_seconds:g} s ({limits.cpu_seconds} s of computing)."
        case Verdict.MEMORY:
            return Outcome.ERROR, f"It took more than {limits.memory_bytes // 1024**2} MiB of memory."
        case Verdict.OUTPUT:
            return Outcome.ERROR, f"It wrote more than {limits.output_bytes // 1024} KiB."
        case Verdict.FINISHED:
            return _ended(case, result)


def _ended(case: Case, result: Result) -> tuple[Outcome, str]:
    status = result.exit_status
    if case.expected is None:
        # A command that reports failures ends with a small status; a signal is a crash.
        if status == 0:
            return Outcome.PASSED, ""
        died = status is None or status < 0
        return (Outcome.ERROR if died else Outcome.FAILED), _status_words(status)
    if status != 0:
        return Outcome.ERROR, _status_words(status)
    if same_output(result.stdout, case.expected, case.compare):
        return Outcome.PASSED, ""
    return Outcome.FAILED, "The output differs from what is expected."


def _status_words(status: int | None) -> str:
    if status is None:
        return "It was ended."
    return f"Ended by signal {-status}." if status < 0 else f"Ended with exit status {status}."


def same_output(given: str, expected: str, compare: Compare) -> bool:
    """Whether two outputs count as the same."""
    match compare:
        case Compare.EXACT:
            return given == expected
        case Compare.LINES:
            return _lines(given) == _lines(expected)
        case Compare.WORDS:
            return given.split() == expected.split()
        case Compare.NUMBERS:
            ours, theirs = given.split(), expected.split()
            return len(ours) == len(theirs) and all(map(_same_word, ours, theirs))


def _lines(text: str) -> str:
    return _SPACE.sub("", text.replace("\r\n", "\n")).rstrip("\n")


def _same_word(given: str, expected: str) -> bool:
    if given == expected:
        return True
    try:
        return isclose(float(given), float(expected), rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    except ValueError:
        return False
