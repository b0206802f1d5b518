"""What a code task holds, what a person answers, and what a project sets."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.code import diffs
from preceptor.tasktypes.messages import Text
from preceptor.tasktypes.trying import Compare

PROBLEM_CHARACTERS_MAX = 100_000
FILES_MAX = 40
FILE_CHARACTERS_MAX = 100_000
FILES_CHARACTERS_MAX = 400_000
TESTS_MAX = 50
TEST_CHARACTERS_MAX = 100_000
DIFF_CHARACTERS_MAX = 200_000
PATCHES_MAX = 2
MARKS_MAX = 100
MARK_CHARACTERS_MAX = 5_000
EXPLANATION_CHARACTERS_MAX = 20_000
STRENGTH_MAX = 3
RATING_MAX = 7
TIE: Final = "tie"
SOLUTION: Final = "solution"
"""The subject of a run of written or reviewed code, where patches are named by their ids."""
SEVERITIES: Final = ("minor", "major", "critical")
Mode = Literal["write", "compare", "review"]
Cause = Literal["root", "symptom", "unclear"]
CAUSES: Final[tuple[Cause, ...]] = ("root", "symptom", "unclear")

_PATH = re.compile(r"(?!/)(?:(?!\.{1,2}(?:/|$))[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}(?:/(?!$)|$)){1,8}")
ENTRIES: Final = {"python": "main.py", "javascript": "main.js", "bash": "main.sh"}


def _plain_path(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError(
            f"{path!r} is not a usable path: relative, at most 8 folders deep, of letters, digits, _ - . and +"
        )
    return path


def _files_fit(files: dict[str, str]) -> dict[str, str]:
    if sum(map(len, files.values())) > FILES_CHARACTERS_MAX:
        raise ValueError(f"the files hold more than {FILES_CHARACTERS_MAX:,} characters together")
    folders = {path.rsplit("/", depth)[0] for path in files for depth in range(1, path.count("/") + 1)}
    if both := sorted(folders & files.keys()):
        raise ValueError(f"{both[0]!r} is a file and a folder at once")
    return files


Path = Annotated[str, AfterValidator(_plain_path)]
FileText = Annotated[Text, Field(max_length=FILE_CHARACTERS_MAX)]
Files = Annotated[dict[Path, FileText], Field(max_length=FILES_MAX), AfterValidator(_files_fit)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Word = Annotated[Text, Field(min_length=1, max_length=2_000)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Test(_Shape):
    """A test. With `expected` the program is started with `arguments` and `stdin`, and its output compared; without it
    `command` (what stands behind the interpreter, such as `-m unittest checks`) must end with status 0.

    `files` lie beside the code, before files of the same name. `hidden`: it counts, and is never shown.
    """

    name: Annotated[Text, Field(min_length=1, max_length=200)]
    stdin: Annotated[Text, Field(max_length=TEST_CHARACTERS_MAX)] = ""
    arguments: list[Word] = Field(default=[], max_length=20)
    expected: Annotated[Text, Field(max_length=TEST_CHARACTERS_MAX)] | None = None
    compare: Compare = "lines"
    command: list[Word] = Field(default=[], max_length=20)
    files: Files = {}
    hidden: bool = False

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.expected is None) == (not self.command):
            raise ValueError(f"test {self.name!r} needs either `expected` output or a `command`, and not both")
        return self


class Patch(_Shape):
    """A change as a unified diff to the task's files. `source` names where it came from and is never shown."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    diff: Annotated[Text, Field(min_length=1, max_length=DIFF_CHARACTERS_MAX)]
    source: Annotated[Text, Field(max_length=200)] | None = None

    @model_validator(mode="after")
    def _name_is_free(self) -> Self:
        if self.id in (TIE, SOLUTION):
            raise ValueError(f"{self.id!r} has a meaning of its own; name the patch differently")
        return self


class CodePayload(_Shape):
    """A problem, files, tests, and patches: none to write, two to compare, none or one to review.

    `problem` is Markdown. `entry` is the file that tests start, `main.py`, `main.js` or `main.sh` where it is left out.
    `hidden_tests` is set when the task is shown: how many tests there are beside those that are seen.
    """

    problem: Annotated[Text, Field(min_length=1, max_length=PROBLEM_CHARACTERS_MAX)]
    language: Annotated[str, Field(pattern=r"^[a-z][a-z0-9+#_-]{0,29}$")] = "python"
    files: Files = {}
    entry: Path | None = None
    tests: list[Test] = Field(default=[], max_length=TESTS_MAX)
    patches: list[Patch] = Field(default=[], max_length=PATCHES_MAX)
    hidden_tests: int = Field(default=0, ge=0, le=TESTS_MAX)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if len({test.name for test in self.tests}) < len(self.tests):
            raise ValueError("two tests have the same name; give each its own")
        if len({patch.id for patch in self.patches}) < len(self.patches):
            raise ValueError("two patches have the same id; give each its own")
        for patch in self.patches:
            try:
                _files_fit({_plain_path(path): text for path, text in diffs.apply(self.files, patch.diff).items()})
            except ValueError as error:
                raise ValueError(f"patch {patch.id!r}: {error}") from None
        return self

    @property
    def entry_file(self) -> str:
        return self.entry or ENTRIES.get(self.language, "main")

    @property
    def patch_ids(self) -> tuple[str, ...]:
        return tuple(patch.id for patch in self.patches)

    def patched(self, patch_id: str) -> dict[str, str]:
        """The files after one of the patches."""
        return diffs.apply(self.files, next(patch.diff for patch in self.patches if patch.id == patch_id))

    @property
    def reviewed(self) -> dict[str, str]:
        """The files that a review marks lines in: after the patch where there is one."""
        return self.patched(self.patches[0].id) if self.patches else dict(self.files)


class LineMark(_Shape):
    """A defect on lines `line` to `line_end` (from 1, both included) of a file as it is after the patch."""

    path: str = Field(max_length=500)
    line: int = Field(ge=1, le=1_000_000, strict=True)
    line_end: int = Field(ge=1, le=1_000_000, strict=True)
    severity: Literal["minor", "major", "critical"] | None = None
    category: str = Field(default="", max_length=40)
    comment: Annotated[Text, Field(max_length=MARK_CHARACTERS_MAX)] = ""
    suggestion: Annotated[Text, Field(max_length=MARK_CHARACTERS_MAX)] = ""


class Passes(_Shape):
    """How many tests passed, by the installation's own count; the hidden ones apart."""

    passed: int = Field(default=0, ge=0)
    of: int = Field(default=0, ge=0)
    hidden_passed: int = Field(default=0, ge=0)
    hidden_of: int = Field(default=0, ge=0)

    @property
    def share(self) -> float | None:
        """Of the hidden tests where there are any: the seen ones can be written to."""
        passed, of = (self.hidden_passed, self.hidden_of) if self.hidden_of else (self.passed, self.of)
        return passed / of if of else None


class CodeAnswer(_Shape):
    """What a person gives; every field has a default, so that a draft of any state fits.

    `files`: written or changed files by path (write). `preferred`: the better patch's id or `tie`, `strength` 0 (the
    same) to 3 (much better), `ratings` criterion to patch to 1-7, `causes` patch to whether it mends the cause.
    `marks`, `no_defects`, `verdict` (review). `run` names a run of the code as it is in this answer; `tested`, by
    subject of that run, is set by the installation and not believed from outside.
    """

    files: Files = {}
    preferred: str | None = Field(default=None, max_length=64)
    strength: int | None = Field(default=None, ge=0, le=STRENGTH_MAX, strict=True)
    ratings: Annotated[
        dict[str, Annotated[dict[str, Annotated[int, Field(ge=1, le=RATING_MAX, strict=True)]], Field(max_length=2)]],
        Field(max_length=20),
    ] = {}
    causes: Annotated[dict[str, Cause], Field(max_length=PATCHES_MAX)] = {}
    marks: list[LineMark] = Field(default=[], max_length=MARKS_MAX)
    no_defects: bool = False
    verdict: str | None = Field(default=None, max_length=40)
    explanation: Annotated[Text, Field(max_length=EXPLANATION_CHARACTERS_MAX)] = ""
    run: str | None = Field(default=None, max_length=64)
    tested: Annotated[dict[str, Passes], Field(max_length=PATCHES_MAX)] = {}


class Choice(_Shape):
    """A key with the words that people see."""

    key: Key
    title: Annotated[Text, Field(min_length=1, max_length=80)]


class Criterion(Choice):
    """A quality that each patch is rated on, 1 to 7."""

    help: Annotated[Text, Field(max_length=500)] = ""
    required: bool = True


CATEGORIES: Final = (
    Choice(key="wrong_result", title="Wrong result"),
    Choice(key="crash", title="Crash or unhandled case"),
    Choice(key="security", title="Security"),
    Choice(key="performance", title="Performance"),
    Choice(key="unclear", title="Hard to read or maintain"),
    Choice(key="tests", title="Missing or wrong test"),
)
VERDICTS: Final = (
    Choice(key="approve", title="Approve"),
    Choice(key="change", title="Request changes"),
    Choice(key="reject", title="Reject"),
)


class CodeConfig(_Shape):
    """Settings of a code project."""

    mode: Mode = Field(
        default="write",
        title="What people do",
        description="Write code that passes tests, compare two patches, or mark defects on lines.",
        json_schema_extra={"labels": {"write": "Write", "compare": "Compare two patches", "review": "Review"}},
    )
    question: Annotated[Text, Field(min_length=1, max_length=300)] = Field(
        default="Write code that solves the problem.",
        title="Question",
        description="Stands above the work, such as “Which patch is better?”",
    )
    run_required: bool = Field(
        default=True,
        title="Tests must be run",
        description="An answer is taken only with a run of the code as it stands (writing).",
    )
    seconds: int = Field(default=10, ge=1, le=60, title="Seconds per test", description="Each test is ended then.")
    memory_mib: int = Field(
        default=256, ge=64, le=2_048, title="Memory per test (MiB)", description="A test that takes more is ended."
    )
    criteria: list[Criterion] = Field(
        default=[], max_length=20, title="Criteria", description="Each patch is rated on these, 1 to 7 (comparing)."
    )
    ask_cause: bool = Field(
        default=True,
        title="Ask for the root cause",
        description="For each patch: does it mend the cause or only the symptom? (comparing)",
    )
    allow_ties: bool = Field(default=True, title="Allow “the same”", description="Patches may be called equal.")
    scale_strength: bool = Field(
        default=True, title="Ask how much better", description="Seven points instead of three (comparing)."
    )
    categories: list[Choice] = Field(
        default=list(CATEGORIES), max_length=30, title="Kinds of defects", description="What a mark can be (review)."
    )
    verdicts: list[Choice] = Field(
        default=list(VERDICTS), max_length=10, title="Verdicts", description="The whole in a word (review)."
    )
    line_tolerance: int = Field(
        default=1,
        ge=0,
        le=20,
        title="Lines of tolerance",
        description="Two marks this many lines apart are still the same defect (review).",
    )
    explanation_min_chars: int = Field(
        default=20, ge=0, le=2_000, title="Least characters of the reason", description="0 makes it optional."
    )

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        for name in ("criteria", "categories", "verdicts"):
            keys = [each.key for each in getattr(self, name)]
            if len(set(keys)) < len(keys):
                raise ValueError(f"two {name} have the same key; give each its own")
        return self
