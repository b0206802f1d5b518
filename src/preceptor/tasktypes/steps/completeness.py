"""When step marks are complete, and what to do where they are not."""

from collections.abc import Iterator

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.spans import Texts, span_problem
from preceptor.tasktypes.steps.models import (
    FAULTS,
    StepMark,
    StepsAnswer,
    StepsConfig,
    StepsPayload,
    asked,
)


def problems(payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    texts, wanted = payload.texts(), asked(payload, answer, config)
    for at in wanted:
        yield from _step(at, answer.marks.get(at, StepMark()), texts, config)
    for at in sorted(answer.marks.keys() - set(wanted)):
        if at >= len(payload.steps):
            yield Problem(f"marks.{at}", f"There is no step {at + 1}; the last is {len(payload.steps)}.")
        else:
            yield Problem(f"marks.{at}", f"Step {at + 1} follows the first wrong step. Remove its mark.")
    if config.ask_final and answer.final_correct is None:
        yield Problem("final_correct", "Say whether the final answer is right.")
    if not config.ask_final and answer.final_correct is not None:
        yield Problem("final_correct", "This project does not ask about the final answer. Remove it.")


def _step(at: int, mark: StepMark, texts: Texts, config: StepsConfig) -> Iterator[Problem]:
    path, name = f"marks.{at}", f"Step {at + 1}"
    if mark.verdict is None:
        yield Problem(path, f"{name} is not marked yet.")
        return
    if mark.verdict not in config.verdicts:
        yield Problem(path, f"{name}: this project has no mark “{mark.verdict}”. Choose another.")
    yield from _fault(path, name, mark, config)
    yield from _evidence(path, name, mark, texts, config)


def _fault(path: str, name: str, mark: StepMark, config: StepsConfig) -> Iterator[Problem]:
    wrong, faulty = mark.verdict == "wrong", mark.verdict in FAULTS
    known = {category.key for category in config.categories}
    if mark.category is not None and (mark.category not in known or not faulty or config.category == "none"):
        yield Problem(f"{path}.category", f"{name}: {mark.category!r} is no kind of error here. Remove it.")
    if wrong and config.category == "required" and mark.category is None:
        yield Problem(f"{path}.category", f"{name}: choose the kind of error.")
    if mark.correction.strip() and (not faulty or config.correction == "none"):
        yield Problem(f"{path}.correction", f"{name} has a corrected text that is not asked for. Remove it.")
    if wrong and config.correction == "required" and not mark.correction.strip():
        yield Problem(f"{path}.correction", f"{name}: write how it should read.")
    if wrong and config.comment == "required" and not mark.comment.strip():
        yield Problem(f"{path}.comment", f"{name}: say what is wrong.")


def _evidence(path: str, name: str, mark: StepMark, texts: Texts, config: StepsConfig) -> Iterator[Problem]:
    given = bool(mark.quotes or mark.urls)
    if config.evidence == "none" and given:
        yield Problem(f"{path}.quotes", f"{name}: no evidence is asked for here. Remove it.")
    if needs_evidence(mark, config) and not given:
        yield Problem(f"{path}.quotes", f"{name}: quote a source or give a web address.")
    for place, span in enumerate(mark.quotes):
        wrong = span_problem(span, texts)
        if wrong is not None:
            yield Problem(f"{path}.quotes.{place}", wrong)


def needs_evidence(mark: StepMark, config: StepsConfig) -> bool:
    """Whether a mark is not complete without a quote or an address. What nothing supports has nothing to quote."""
    if config.evidence == "every":
        return mark.verdict in ("correct", "wrong")
    return config.evidence == "wrong" and mark.verdict == "wrong"
