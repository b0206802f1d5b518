"""An answer about code in words, and a task as its client reads it."""

from preceptor.tasktypes.base import Words
from preceptor.tasktypes.code.models import TIE, CodeAnswer, CodeConfig, CodePayload, LineMark, Passes
from preceptor.tasktypes.code.release import fenced
from preceptor.tasktypes.view import Markdown, Section

CAUSE_WORDS = {"root": "mends the root cause", "symptom": "treats a symptom", "unclear": "unclear"}
STRENGTH_WORDS = {0: "the same", 1: "slightly better", 2: "better", 3: "much better"}


def in_words(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Words:
    match config.mode:
        case "write":
            return Words(_written(answer), _tests(answer), answer.explanation)
        case "compare":
            return Words(
                _choice(answer), (*_causes(answer), *_ratings(answer, config), *_tests(answer)), answer.explanation
            )
        case "review":
            return Words(
                _verdict(answer, config), tuple(_mark(mark, config) for mark in answer.marks), answer.explanation
            )


def _written(answer: CodeAnswer) -> str:
    lines = sum(len(text.splitlines()) for text in answer.files.values())
    return f"{len(answer.files)} {'file' if len(answer.files) == 1 else 'files'}, {lines} lines"


def tested_words(tested: Passes) -> str:
    hidden = f", {tested.hidden_passed} of {tested.hidden_of} hidden ones" if tested.hidden_of else ""
    return f"{tested.passed} of {tested.of} tests passed{hidden}"


def _tests(answer: CodeAnswer) -> tuple[tuple[str, str], ...]:
    return tuple((f"Tests ({name})", tested_words(tested)) for name, tested in sorted(answer.tested.items()))


def _choice(answer: CodeAnswer) -> str:
    if answer.preferred is None:
        return "no choice"
    if answer.preferred == TIE:
        return "the same"
    return f"{answer.preferred} is {STRENGTH_WORDS[answer.strength] if answer.strength else 'better'}"


def _causes(answer: CodeAnswer) -> tuple[tuple[str, str], ...]:
    return tuple((name, CAUSE_WORDS[cause]) for name, cause in sorted(answer.causes.items()))


def _ratings(answer: CodeAnswer, config: CodeConfig) -> tuple[tuple[str, str], ...]:
    return tuple(
        (each.title, ", ".join(f"{name} {value}" for name, value in sorted(answer.ratings[each.key].items())))
        for each in config.criteria
        if each.key in answer.ratings
    )


def _verdict(answer: CodeAnswer, config: CodeConfig) -> str:
    titles = {choice.key: choice.title for choice in config.verdicts}
    found = "no defects" if not answer.marks else f"{len(answer.marks)} defect{'s' if len(answer.marks) > 1 else ''}"
    return f"{titles[answer.verdict]}: {found}" if answer.verdict in titles else found


def _mark(mark: LineMark, config: CodeConfig) -> tuple[str, str]:
    lines = str(mark.line) if mark.line == mark.line_end else f"{mark.line}-{mark.line_end}"
    titles = {choice.key: choice.title for choice in config.categories}
    kind = ", ".join(word for word in (mark.severity or "", titles.get(mark.category, mark.category)) if word)
    return f"{mark.path}:{lines}", f"{kind}: {mark.comment}" if kind else mark.comment


def material(payload: CodePayload) -> tuple[Section, ...]:
    """The problem, the files, the patches side by side with their sources, and every test with its answer."""
    files = [Section(path, Markdown(fenced(text, payload.language))) for path, text in sorted(payload.files.items())]
    patches = [
        Section(patch.id, Markdown(fenced(patch.diff, "diff")), note=patch.source or "", group="patches")
        for patch in payload.patches
    ]
    tests = [
        Section(
            f"Test: {test.name}",
            Markdown(_test(payload, test.expected, test.stdin, test.command, test.files)),
            note="hidden" if test.hidden else "",
        )
        for test in payload.tests
    ]
    return (Section("Problem", Markdown(payload.problem)), *files, *patches, *tests)


def _test(payload: CodePayload, expected: str | None, stdin: str, command: list[str], files: dict[str, str]) -> str:
    parts = [f"`{path}`\n\n{fenced(text, payload.language)}" for path, text in sorted(files.items())]
    if expected is None:
        return "\n\n".join([f"Must succeed: `{' '.join(command)}`", *parts])
    given = [f"Input\n\n{fenced(stdin, '')}"] if stdin else []
    return "\n\n".join([*given, f"Expected output\n\n{fenced(expected, '')}", *parts])
