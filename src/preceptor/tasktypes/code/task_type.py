"""The code kind of work, as the rest of the platform uses it."""

from collections.abc import Mapping, Sequence
from random import Random

import pyarrow as pa

from preceptor.tasktypes.base import (
    Consensus,
    Problem,
    ReleasedJudgment,
    ReleasedTask,
    ReleaseRows,
    Row,
    Score,
    Service,
    Template,
    UnknownLabel,
    Words,
    to_json,
)
from preceptor.tasktypes.code import completeness, judging, plans, release, templates, words
from preceptor.tasktypes.code.models import (
    EXPLANATION_CHARACTERS_MAX,
    FILE_CHARACTERS_MAX,
    MARK_CHARACTERS_MAX,
    PATCHES_MAX,
    SOLUTION,
    TIE,
    CodeAnswer,
    CodeConfig,
    CodePayload,
    Test,
)
from preceptor.tasktypes.importing import Field, FieldsImporter, Way
from preceptor.tasktypes.kind import Kind
from preceptor.tasktypes.trying import Tallies, TrialPlan
from preceptor.tasktypes.view import Markdown, Section, ViewNode

SHOWN_NAMES = "AB"[:PATCHES_MAX]

WAYS = (
    Way(
        "Code tasks",
        "problem, files, tests, patches, language",
        "A problem in Markdown; `files` is an object of path and text; `tests` a list; `patches` a list of unified "
        "diffs with ids. In CSV these cells hold JSON.",
        '{"problem": "Print the sum of two numbers.", "files": {"main.py": ""}, '
        '"tests": [{"name": "small", "stdin": "1 2", "expected": "3"}]}',
    ),
)
FIELDS = (
    Field("problem", "Problem", aliases=("statement", "issue", "prompt", "question"), required=True, text=True),
    Field("language", "Language", aliases=("lang",), text=True),
    Field("files", "Files (path to text)", aliases=("starter", "code")),
    Field("entry", "File that tests start", text=True),
    Field("tests", "Tests", aliases=("test_cases", "cases")),
    Field("patches", "Patches (unified diffs)", aliases=("diffs",)),
)


class CodeType(Kind[CodePayload, CodeAnswer, CodeConfig]):
    """Task type `code`: see `preceptor.tasktypes.base.TaskType` and `preceptor.tasktypes.trying.RunsCode`."""

    name = "code"
    title = "Code"
    summary = (
        "People write code that passes tests, compare two patches, or mark defects on lines; code runs in a sandbox."
    )
    icon = "code"
    element = "preceptor-code"
    payload_model = CodePayload
    answer_model = CodeAnswer
    config_model = CodeConfig
    tables = release.TABLES
    judgment_schema: pa.Schema = release.JUDGMENT_SCHEMA
    importer = FieldsImporter(CodePayload, CodeAnswer, FIELDS, WAYS)
    services: frozenset[Service] = frozenset({"run"})

    def fits(self, payload: CodePayload, config: CodeConfig) -> list[Problem]:
        """As many patches as the mode works on, and tests where they must be run."""
        return list(completeness.misfits(payload, config))

    def as_key(self, answer: CodeAnswer) -> CodeAnswer:
        """Without the explanation and without what was run."""
        return answer.model_copy(update={"explanation": "", "run": None, "tested": {}})

    def check(self, payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> list[Problem]:
        """What the mode asks for, in the names that the payload uses."""
        return list(completeness.problems(payload, answer, config))

    def score(self, payload: CodePayload, answer: CodeAnswer, reference: CodeAnswer, config: CodeConfig) -> Score:
        """Hidden tests passed, the choice, or F1 of the marks (see `judging.score`)."""
        return judging.score(payload, answer, reference, config)

    def aspects(self, config: CodeConfig) -> Mapping[str, str]:
        """By mode: tests passed; choice, cause and criteria; marks, severity and verdict."""
        return judging.aspects(config)

    def distance(self, payload: CodePayload, a: CodeAnswer, b: CodeAnswer, config: CodeConfig) -> Mapping[str, float]:
        """See `judging.distance`."""
        return judging.distance(payload, a, b, config)

    def labels(self, payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> dict[str, str]:
        """The better patch, each patch's cause; or the verdict."""
        return judging.labels(payload, answer, config)

    def unit_labels(self, payload: CodePayload, config: CodeConfig) -> dict[str, tuple[str, ...]]:
        """Units of comparing and reviewing; what is written has none."""
        return judging.unit_labels(payload, config)

    def criteria(self, config: CodeConfig) -> Mapping[str, str]:
        """What each patch is rated on."""
        return {each.key: each.title for each in config.criteria} if config.mode == "compare" else {}

    def ratings(self, answer: CodeAnswer) -> Mapping[str, Mapping[str, float]]:
        """Ratings by criterion and patch."""
        return answer.ratings

    def consensus(self, payload: CodePayload, answers: Sequence[CodeAnswer], config: CodeConfig) -> Consensus:
        """Majority in each unit, and the marks that most people made."""
        return judging.consensus(payload, answers, config)

    def rows(
        self,
        task: ReleasedTask[CodePayload, CodeAnswer],
        submissions: Sequence[ReleasedJudgment[CodeAnswer]],
        consensus: Consensus,
        config: CodeConfig,
    ) -> ReleaseRows:
        """Pairs, solutions or defects by mode."""
        return release.release_rows(task, submissions, consensus, config)

    def display_order(self, payload: CodePayload, rng: Random) -> list[str]:
        """The patch ids in an order drawn from `rng`."""
        order = list(payload.patch_ids)
        rng.shuffle(order)
        return order

    def present(self, payload: CodePayload, order: Sequence[str]) -> Row:
        """Patches named A and B in the order given, without sources; hidden tests only as a number."""
        patches = {patch.id: patch for patch in payload.patches}
        if sorted(order) != sorted(patches):
            raise UnknownLabel(f"the order {list(order)} does not hold exactly the patches {sorted(patches)}")
        shown = [
            patches[name].model_copy(update={"id": letter, "source": None})
            for letter, name in zip(SHOWN_NAMES, order, strict=False)
        ]
        seen = [test for test in payload.tests if not test.hidden]
        hidden = payload.hidden_tests + len(payload.tests) - len(seen)
        return to_json(payload.model_copy(update={"patches": shown, "tests": seen, "hidden_tests": hidden}))

    def canonical(self, answer: CodeAnswer, order: Sequence[str]) -> CodeAnswer:
        """A and B turned back into patch ids. UnknownLabel for a name that was not shown."""
        return _renamed(answer, dict(zip(SHOWN_NAMES, order, strict=False)))

    def as_shown(self, answer: CodeAnswer, order: Sequence[str]) -> CodeAnswer:
        """Patch ids turned into A and B."""
        return _renamed(answer, dict(zip(order, SHOWN_NAMES, strict=False)))

    def shown_label(self, label: str, order: Sequence[str]) -> str:
        """A or B for a patch; all other labels as they are."""
        return dict(zip(order, SHOWN_NAMES, strict=False)).get(label, label)

    def view(self, shown: CodePayload, config: CodeConfig) -> ViewNode:
        """Problem, files, patches with the files before and after, tests that may be seen, settings and limits."""
        return {
            "problem": Markdown(shown.problem),
            "language": shown.language,
            "entry": shown.entry_file,
            "files": dict(shown.files),
            "patches": [
                {"label": patch.id, "diff": patch.diff, "files": shown.patched(patch.id)} for patch in shown.patches
            ],
            "tests": [_test_view(test) for test in shown.tests],
            "hidden_tests": shown.hidden_tests,
            "config": config.model_dump(mode="json"),
            "limits": {
                "file_characters": FILE_CHARACTERS_MAX,
                "explanation_characters": EXPLANATION_CHARACTERS_MAX,
                "mark_characters": MARK_CHARACTERS_MAX,
            },
        }

    def material(self, payload: CodePayload, config: CodeConfig) -> tuple[Section, ...]:
        """Everything, hidden tests and sources included."""
        return words.material(payload)

    def in_words(self, payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Words:
        """Size and tests; choice and causes; verdict and marks."""
        return words.in_words(payload, answer, config)

    def excerpt(self, payload: CodePayload) -> str:
        """The problem's first line, which is its title where it has one."""
        return payload.problem.strip().partition("\n")[0].lstrip("# ")

    def templates(self) -> tuple[Template, ...]:
        """Writing, comparing, reviewing."""
        return templates.TEMPLATES

    # --- Running

    def plan(self, payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> TrialPlan:
        """The written code, or each patch, against all tests."""
        return plans.plan(payload, answer, config)

    def run_wanted(self, payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> bool:
        """Written code with tests, where the project wants it."""
        return config.mode == "write" and config.run_required and bool(payload.tests)

    def run_of(self, answer: CodeAnswer) -> str | None:
        """The run that the answer names."""
        return answer.run

    def with_tallies(self, answer: CodeAnswer, tallies: Tallies | None) -> CodeAnswer:
        """The answer with the installation's own count."""
        return plans.with_tallies(answer, tallies)


def _test_view(test: Test) -> ViewNode:
    return {
        "name": test.name,
        "stdin": test.stdin,
        "arguments": list(test.arguments),
        "expected": test.expected,
        "command": list(test.command),
        "files": dict(test.files),
    }


def _renamed(answer: CodeAnswer, names: Mapping[str, str]) -> CodeAnswer:
    def rename(name: str) -> str:
        try:
            return names[name]
        except KeyError:
            raise UnknownLabel(f"there is no patch {name!r} in this task") from None

    def renamed(name: str) -> str:
        # The answer's own code is a subject too, and a tie is no patch.
        return name if name in (TIE, SOLUTION) else rename(name)

    return answer.model_copy(
        update={
            "preferred": None if answer.preferred is None else renamed(answer.preferred),
            "causes": {rename(name): cause for name, cause in answer.causes.items()},
            "ratings": {key: {rename(n): v for n, v in given.items()} for key, given in answer.ratings.items()},
            "tested": {renamed(name): tested for name, tested in answer.tested.items()},
        }
    )
