"""What is run, within which limits, and what came of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from preceptor.sandbox.errors import ProgramRefused

MIB = 1024**2
FILES_MAX = 64
FILE_CHARACTERS_MAX = 200_000
FILES_CHARACTERS_MAX = 1_000_000
STDIN_CHARACTERS_MAX = 1_000_000
ARGUMENTS_MAX = 32
ARGUMENT_CHARACTERS_MAX = 2_000
PATH = re.compile(r"(?!/)(?:(?!\.{1,2}(?:/|$))[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(?:/(?!$)|$)){1,8}")
"""Relative, of plain names, at most 8 deep: nothing that leads out of the box or hides in it."""


@dataclass(frozen=True, slots=True)
class Program:
    """Files (path to text), and how to start them: `argv` is what stands behind the interpreter (`("main.py",)`)."""

    language: str
    files: Mapping[str, str]
    argv: tuple[str, ...] = ("main.py",)
    stdin: str = ""

    def __post_init__(self) -> None:
        for path in self.files:
            if not PATH.fullmatch(path):
                raise ProgramRefused(
                    f"{path!r} is not a usable path: relative, of letters, digits, `_`, `-`, `.`, `+`."
                )
        folders = {path.rsplit("/", depth)[0] for path in self.files for depth in range(1, path.count("/") + 1)}
        if both := sorted(folders & set(self.files)):
            raise ProgramRefused(f"{both[0]!r} is a file and a folder at once.")
        self._refuse_large()

    def _refuse_large(self) -> None:
        sizes = [len(text) for text in self.files.values()]
        if len(sizes) > FILES_MAX:
            raise ProgramRefused(f"A program has at most {FILES_MAX} files.")
        if max(sizes, default=0) > FILE_CHARACTERS_MAX or sum(sizes) > FILES_CHARACTERS_MAX:
            raise ProgramRefused(
                f"A file has at most {FILE_CHARACTERS_MAX:,} characters, all together {FILES_CHARACTERS_MAX:,}."
            )
        if len(self.stdin) > STDIN_CHARACTERS_MAX:
            raise ProgramRefused(f"The input has at most {STDIN_CHARACTERS_MAX:,} characters.")
        if len(self.argv) > ARGUMENTS_MAX or any(len(word) > ARGUMENT_CHARACTERS_MAX for word in self.argv):
            raise ProgramRefused(f"A command has at most {ARGUMENTS_MAX} words.")
        if any("\0" in word for word in self.argv):
            raise ProgramRefused("A command has no zero bytes.")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Times in seconds, sizes in bytes; `cpu_seconds` is per process."""

    cpu_seconds: int = 5
    wall_seconds: float = 10.0
    memory_bytes: int = 256 * MIB
    processes: int = 16
    output_bytes: int = 64 * 1024
    """Of standard output and of standard error, each."""
    file_bytes: int = 8 * MIB
    box_bytes: int = 32 * MIB
    box_files: int = 1_000
    open_files: int = 64


class Verdict(StrEnum):
    """How a run ended."""

    FINISHED = "finished"
    """By itself, or by a signal of its own making; `exit_status` says which."""
    TIMEOUT = "timeout"
    MEMORY = "memory"
    OUTPUT = "output"
    """It wrote more than it may."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run.

    `exit_status` is negative for a signal and None where the run was ended. Output is cut at the limit; bytes that are
    not UTF-8 are replaced. `peak_bytes` is the largest process's, or the whole tree's where a control group counted.
    """

    verdict: Verdict
    exit_status: int | None
    stdout: str
    stderr: str
    wall_seconds: float
    cpu_seconds: float | None
    peak_bytes: int | None
    isolation: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        return self.verdict is Verdict.FINISHED and self.exit_status == 0
