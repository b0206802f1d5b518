"""What a run of code is for each way of working: the answer's own code, or each patch, against the task's tests."""

from collections.abc import Mapping

from preceptor.tasktypes.code.models import SOLUTION, CodeAnswer, CodeConfig, CodePayload, Passes, Test
from preceptor.tasktypes.trying import NothingToRun, Tallies, Trial, TrialPlan


def plan(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> TrialPlan:
    """Every subject through every test. NothingToRun where a task has no tests or an answer no code."""
    if not payload.tests:
        raise NothingToRun("This task has no tests to run.")
    return TrialPlan(
        language=payload.language,
        subjects=subjects(payload, answer, config),
        trials=tuple(_trial(payload, test) for test in payload.tests),
        seconds=float(config.seconds),
        memory_mib=config.memory_mib,
    )


def subjects(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Mapping[str, Mapping[str, str]]:
    match config.mode:
        case "write":
            if not answer.files:
                raise NothingToRun("There is no code to run yet. Write some first.")
            return {SOLUTION: {**payload.files, **answer.files}}
        case "compare":
            return {patch.id: payload.patched(patch.id) for patch in payload.patches}
        case "review":
            return {SOLUTION: payload.reviewed}


def _trial(payload: CodePayload, test: Test) -> Trial:
    # A command replaces the usual start; a comparison of output starts the entry file.
    argv = test.command or [payload.entry_file, *test.arguments]
    return Trial(test.name, tuple(argv), test.stdin, test.expected, test.compare, dict(test.files), test.hidden)


def with_tallies(answer: CodeAnswer, tallies: Tallies | None) -> CodeAnswer:
    """The answer with the installation's own count of tests, whatever it said itself."""
    counted = {
        name: Passes(passed=found.passed, of=found.of, hidden_passed=found.hidden_passed, hidden_of=found.hidden_of)
        for name, found in (tallies or {}).items()
    }
    return answer.model_copy(update={"tested": counted})
