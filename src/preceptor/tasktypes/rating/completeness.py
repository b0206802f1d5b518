"""When a rating is complete, and what to do where it is not."""

from collections.abc import Iterator

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.rating.models import (
    Criterion,
    Mark,
    RatingAnswer,
    RatingConfig,
    RatingPayload,
    by_key,
)
from preceptor.tasktypes.spans import Texts, span_problem


def problems(payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    criteria = by_key(payload, config)
    texts = payload.texts()
    yield from _unknown_names(payload, answer, config)
    for name in payload.ids:
        marks = answer.scores.get(name, {})
        for key, criterion in criteria.items():
            yield from _mark(f"scores.{name}.{key}", name, criterion, marks.get(key), texts)
    yield from _overall(payload, answer, config)


def _unknown_names(payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> Iterator[Problem]:
    known, criteria = set(payload.ids), by_key(payload, config)
    for name, marks in answer.scores.items():
        if name not in known:
            yield Problem(f"scores.{name}", f"There is no response {name!r}. Score only {', '.join(payload.ids)}.")
        for key in marks.keys() - criteria.keys():
            yield Problem(f"scores.{name}.{key}", f"This task has no criterion {key!r}. Remove this score.")
    for name in answer.overall.keys() - known:
        yield Problem(f"overall.{name}", f"There is no response {name!r}. Score only {', '.join(payload.ids)}.")


def _mark(path: str, name: str, criterion: Criterion, mark: Mark | None, texts: Texts) -> Iterator[Problem]:
    what = f"“{criterion.title}” of {name}"
    if mark is None or (mark.value is None and not mark.na):
        if criterion.required:
            yield Problem(path, f"Not scored yet: {what}.")
        elif mark is not None and (mark.quotes or mark.comment.strip()):
            yield Problem(path, f"{what} has a quote or a comment but no score. Score it or remove them.")
        return
    if mark.na and mark.value is not None:
        yield Problem(path, f"{what} is both scored and “not applicable”. Choose one.")
    if mark.na and not criterion.allow_na:
        yield Problem(path, f"{what} cannot be “not applicable”. Score it.")
    if mark.value is not None and mark.value not in criterion.values:
        yield Problem(path, f"{what} goes from {criterion.values[0]} to {criterion.values[-1]}, not {mark.value}.")
    yield from _support(path, what, criterion, mark, texts)


def _support(path: str, what: str, criterion: Criterion, mark: Mark, texts: Texts) -> Iterator[Problem]:
    if needs_quote(criterion, mark) and not mark.quotes:
        yield Problem(f"{path}.quotes", f"Quote what supports your score: {what}.")
    if criterion.evidence == "none" and mark.quotes:
        yield Problem(f"{path}.quotes", f"No quotes are asked for here: {what}. Remove them.")
    if criterion.comment == "required" and not mark.comment.strip():
        yield Problem(f"{path}.comment", f"Say why: {what}.")
    if criterion.comment == "none" and mark.comment:
        yield Problem(f"{path}.comment", f"No comment is asked for here: {what}. Remove it.")
    for at, span in enumerate(mark.quotes):
        wrong = span_problem(span, texts)
        if wrong is not None:
            yield Problem(f"{path}.quotes.{at}", wrong)


def needs_quote(criterion: Criterion, mark: Mark) -> bool:
    """Whether a score is not complete without a quote."""
    if mark.value is None:
        return False
    return criterion.evidence == "required" or (criterion.evidence == "required_if_yes" and mark.value == 1)


def _overall(payload: RatingPayload, answer: RatingAnswer, config: RatingConfig) -> Iterator[Problem]:
    if config.overall == "none" and answer.overall:
        yield Problem("overall", "No overall score is asked for here. Remove it.")
        return
    missing = [name for name in payload.ids if name not in answer.overall]
    if missing and (config.overall == "required" or (config.overall == "optional" and answer.overall)):
        yield Problem("overall", f"No overall score yet: {', '.join(missing)}.")
    for name, value in answer.overall.items():
        if value > config.overall_points:
            yield Problem(f"overall.{name}", f"The overall score goes from 1 to {config.overall_points}, not {value}.")
