"""When a rubric or a validation of one is complete, and what to do where it is not."""

from collections.abc import Iterator, Sequence

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.rubric.lint import WORDS_MIN, hints, plain, word_count
from preceptor.tasktypes.rubric.models import (
    QUESTIONS,
    CriterionVerdict,
    RubricAnswer,
    RubricConfig,
    RubricCriterion,
    RubricPayload,
    written,
)

QUESTION_WORDS = {
    "self_contained": "self-contained",
    "checkable": "checkable",
    "correct": "correct",
    "important": "important",
}


def problems(payload: RubricPayload, answer: RubricAnswer, config: RubricConfig) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    if config.mode == "author":
        yield from _rubric(written(payload, answer), config)
        if answer.verdicts:
            yield Problem("verdicts", "This project asks for criteria, not for verdicts. Remove the verdicts.")
    else:
        yield from _verdicts(payload, answer)
        if answer.criteria is not None:
            yield Problem("criteria", "This project asks for verdicts. Propose another text in the verdict instead.")


def _rubric(criteria: Sequence[RubricCriterion], config: RubricConfig) -> Iterator[Problem]:
    if len(criteria) < config.criteria_min:
        yield Problem("criteria", f"Write at least {config.criteria_min} criteria; there are {len(criteria)}.")
    if len(criteria) > config.criteria_max:
        yield Problem("criteria", f"Keep to {config.criteria_max} criteria; there are {len(criteria)}.")
    for at, criterion in enumerate(criteria):
        others = [each for place, each in enumerate(criteria) if place != at]
        yield from _criterion(at, criterion, others, config)
    total = sum(criterion.points for criterion in criteria if criterion.points > 0)
    if config.points_total is not None and total != config.points_total:
        yield Problem("criteria", f"The points must add up to {config.points_total}; they are {total}.")


def _criterion(
    at: int, criterion: RubricCriterion, others: Sequence[RubricCriterion], config: RubricConfig
) -> Iterator[Problem]:
    path, name = f"criteria.{at}", f"Criterion {at + 1}"
    if word_count(criterion.statement) < WORDS_MIN:
        yield Problem(f"{path}.statement", f"{name}: say what is met or not, in {WORDS_MIN} words or more.")
        return
    said = plain(criterion.statement)
    if said and any(plain(other.statement) == said for other in others[:at]):
        yield Problem(f"{path}.statement", f"{name} says what another one says. Remove one of them.")
    yield from _points(path, name, criterion, config)
    if config.rationale == "required" and not criterion.rationale.strip():
        yield Problem(f"{path}.rationale", f"{name}: give a reason or a source.")
    if config.hints == "block":
        for hint in hints(criterion.statement, [other.statement for other in others]):
            if hint.code not in criterion.fine:
                yield Problem(f"{path}.statement", f"{name}: {hint.words}")


def _points(path: str, name: str, criterion: RubricCriterion, config: RubricConfig) -> Iterator[Problem]:
    if criterion.kind == "penalty" and criterion.points >= 0:
        yield Problem(f"{path}.points", f"{name} is a penalty: give it points below zero.")
    if criterion.kind != "penalty" and criterion.points <= 0:
        yield Problem(f"{path}.points", f"{name}: give it points above zero, or make it a penalty.")
    if abs(criterion.points) > config.points_max:
        yield Problem(f"{path}.points", f"{name} gives or costs at most {config.points_max} points.")


def _verdicts(payload: RubricPayload, answer: RubricAnswer) -> Iterator[Problem]:
    known = {criterion.id: at for at, criterion in enumerate(payload.draft)}
    for unknown in answer.verdicts.keys() - known.keys():
        yield Problem(f"verdicts.{unknown}", f"There is no criterion {unknown!r}. Remove this verdict.")
    for criterion in payload.draft:
        verdict = answer.verdicts.get(criterion.id, CriterionVerdict())
        yield from _verdict(known[criterion.id] + 1, criterion, verdict)
    for at, statement in enumerate(answer.missing):
        if word_count(statement) < WORDS_MIN:
            yield Problem(f"missing.{at}", f"What is missing: say it in {WORDS_MIN} words or more, or remove it.")


def _verdict(number: int, criterion: RubricCriterion, verdict: CriterionVerdict) -> Iterator[Problem]:
    path = f"verdicts.{criterion.id}"
    open_questions = [QUESTION_WORDS[name] for name in QUESTIONS if getattr(verdict, name) is None]
    if open_questions:
        yield Problem(path, f"Criterion {number}: say whether it is {', '.join(open_questions)}.")
    if verdict.decision is None:
        yield Problem(f"{path}.decision", f"Criterion {number}: keep, mend or drop it.")
    mended = plain(verdict.proposal)
    if verdict.decision == "mend" and (not mended or verdict.proposal.strip() == criterion.statement.strip()):
        yield Problem(f"{path}.proposal", f"Criterion {number}: write how it should read.")
    if verdict.decision != "mend" and mended:
        yield Problem(f"{path}.proposal", f"Criterion {number} has another text but is not to be mended. Choose one.")
    if verdict.decision == "drop" and not verdict.comment.strip():
        yield Problem(f"{path}.comment", f"Criterion {number}: say why it should go.")
