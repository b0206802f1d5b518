"""Code that a kind of work has run while somebody works: what is run, and what is remembered of it. Pure.

A kind with the service "run" is a `RunsCode`. The desk runs its plan in the sandbox, keeps the outcome, and when the
answer comes, hands the outcome of the run that the answer names back to the kind.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import orjson
from pydantic import BaseModel, JsonValue

Compare = Literal["exact", "lines", "words", "numbers"]


@dataclass(frozen=True)
class Trial:
    """One test. With `expected` its output is compared, without it the exit status decides.

    `hidden`: its outcome counts and nothing of it is shown to who works on the task.
    """

    name: str
    argv: tuple[str, ...]
    stdin: str = ""
    expected: str | None = None
    compare: Compare = "lines"
    files: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False


@dataclass(frozen=True)
class TrialPlan:
    """Everything that one run does: each subject (the answer's code, each patch) is put through all trials.

    `subjects`: name to files, in stored names.
    """

    language: str
    subjects: Mapping[str, Mapping[str, str]]
    trials: tuple[Trial, ...]
    seconds: float
    memory_mib: int

    @property
    def digest(self) -> str:
        """Of the code that is run, and of nothing else: the same code gives the same digest wherever it was run."""
        code = {"language": self.language, "subjects": {name: dict(files) for name, files in self.subjects.items()}}
        return hashlib.sha256(orjson.dumps(code, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True)
class Tally:
    """How many trials of one subject passed; the hidden ones apart."""

    passed: int = 0
    of: int = 0
    hidden_passed: int = 0
    hidden_of: int = 0


Tallies = Mapping[str, Tally]


class NothingToRun(ValueError):
    """There is no code to run, or no test to run it against. The message says which."""


@runtime_checkable
class RunsCode(Protocol):
    """What a task type with the service "run" has beside the rest, for its own payloads, answers and settings. Pure."""

    def plan(self, payload: BaseModel, answer: BaseModel, config: BaseModel) -> TrialPlan:
        """What to run for an answer in stored names. NothingToRun where there is nothing."""

    def run_wanted(self, payload: BaseModel, answer: BaseModel, config: BaseModel) -> bool:
        """Whether the answer may only be submitted with a run of its code as it stands."""

    def run_of(self, answer: BaseModel) -> str | None:
        """The id of the run that the answer names."""

    def with_tallies(self, answer: BaseModel, tallies: Tallies | None) -> BaseModel:
        """The answer with what the server knows of its run in place of whatever it said of it; None: nothing."""


def tallies_from(stored: Mapping[str, JsonValue]) -> dict[str, Tally]:
    """Tallies as they are stored with a run, read."""
    return {
        name: Tally(**{key: int(value) for key, value in counts.items() if isinstance(value, int)})
        for name, counts in stored.items()
        if isinstance(counts, dict)
    }
