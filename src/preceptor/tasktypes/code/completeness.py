"""When an answer about code is complete, and what to do where it is not."""

from collections.abc import Iterator

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.code.models import TIE, CodeAnswer, CodeConfig, CodePayload, LineMark


def problems(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    match config.mode:
        case "write":
            yield from _written(payload, answer)
        case "compare":
            yield from _compared(payload, answer, config)
        case "review":
            yield from _reviewed(payload, answer, config)
    written, wanted = len(answer.explanation.strip()), config.explanation_min_chars
    if written < wanted:
        yield Problem("explanation", f"Say why in at least {wanted} characters ({written} so far).")


def misfits(payload: CodePayload, config: CodeConfig) -> Iterator[Problem]:
    """What keeps a payload from being worked on in this mode."""
    wanted = {"write": (0, 0), "compare": (2, 2), "review": (0, 1)}[config.mode]
    if not wanted[0] <= len(payload.patches) <= wanted[1]:
        words = {"write": "has no patches", "compare": "has two patches", "review": "has at most one patch"}
        yield Problem("patches", f"A task of this project {words[config.mode]}; this one has {len(payload.patches)}.")
    if config.mode == "review" and not payload.files and not payload.patches:
        yield Problem("files", "There is no code to review. Give files or a patch.")
    if config.mode == "write" and config.run_required and not payload.tests:
        yield Problem("tests", "Tests must be run in this project, and this task has none.")


def _written(payload: CodePayload, answer: CodeAnswer) -> Iterator[Problem]:
    if not any(text.strip() for text in answer.files.values()):
        yield Problem("files", "Write the code first.")
    elif all(payload.files.get(path) == text for path, text in answer.files.items()):
        yield Problem("files", "The code is still what the task began with.")


def _compared(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Iterator[Problem]:
    ids = payload.patch_ids
    yield from _preference(ids, answer, config)
    for name in answer.causes.keys() - set(ids):
        yield Problem(f"causes.{name}", f"There is no patch {name!r}.")
    missing = [name for name in ids if config.ask_cause and name not in answer.causes]
    if missing:
        yield Problem("causes", f"Say whether it mends the cause or a symptom: {', '.join(missing)}.")
    known = {criterion.key for criterion in config.criteria}
    for key in answer.ratings.keys() - known:
        yield Problem(f"ratings.{key}", f"This project does not rate {key!r}.")
    for criterion in config.criteria:
        given = answer.ratings.get(criterion.key, {})
        absent = [name for name in ids if name not in given]
        if absent and (criterion.required or given):
            yield Problem(f"ratings.{criterion.key}", f"{criterion.title}: rate {', '.join(absent)}.")


def _preference(ids: tuple[str, ...], answer: CodeAnswer, config: CodeConfig) -> Iterator[Problem]:
    tied = answer.preferred == TIE
    if answer.preferred is None:
        yield Problem("preferred", "Say which patch is better.")
    elif not tied and answer.preferred not in ids:
        yield Problem("preferred", f"There is no patch {answer.preferred!r}.")
    elif tied and not config.allow_ties:
        yield Problem("preferred", "This project wants a decision: say which patch is better.")
    elif config.scale_strength and answer.strength is None:
        yield Problem("strength", "Say how much better: 1 slightly, 2 clearly, 3 much; 0 for the same.")
    elif config.scale_strength and tied != (answer.strength == 0):
        yield Problem("strength", "The same has strength 0, and a better patch 1 to 3.")
    elif not config.scale_strength and answer.strength is not None:
        yield Problem("strength", "A strength is not asked for in this project. Leave it empty.")


def _reviewed(payload: CodePayload, answer: CodeAnswer, config: CodeConfig) -> Iterator[Problem]:
    if not answer.marks and not answer.no_defects:
        yield Problem("marks", "Mark the defects on their lines, or say that there are none.")
    if answer.marks and answer.no_defects:
        yield Problem("no_defects", "There are marks, and “no defects” is ticked. Take one of them back.")
    lengths = {path: len(text.splitlines()) for path, text in payload.reviewed.items()}
    categories = {choice.key for choice in config.categories}
    for number, mark in enumerate(answer.marks):
        yield from _mark(f"marks.{number}", mark, lengths, categories)
    verdicts = {choice.key for choice in config.verdicts}
    if verdicts and answer.verdict not in verdicts:
        yield Problem("verdict", "Give your verdict.")


def _mark(path: str, mark: LineMark, lengths: dict[str, int], categories: set[str]) -> Iterator[Problem]:
    where = f"{mark.path}:{mark.line}"
    if mark.path not in lengths:
        yield Problem(f"{path}.path", f"There is no file {mark.path!r}.")
    elif not mark.line <= mark.line_end <= max(1, lengths[mark.path]):
        yield Problem(f"{path}.line", f"{where}: the file has {lengths[mark.path]} lines.")
    if mark.severity is None:
        yield Problem(f"{path}.severity", f"{where}: say how severe it is.")
    if categories and mark.category not in categories:
        yield Problem(f"{path}.category", f"{where}: choose what kind of defect it is.")
    if not mark.comment.strip():
        yield Problem(f"{path}.comment", f"{where}: say what is wrong.")
