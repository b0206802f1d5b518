"""A rating against a rubric as a model gives it."""

from collections.abc import Iterator

from pydantic import JsonValue, ValidationError

from preceptor.tasktypes import judging
from preceptor.tasktypes.base import Problem, problems_of
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.rating import completeness
from preceptor.tasktypes.rating.models import (
    NOT_APPLICABLE,
    Criterion,
    RatingAnswer,
    RatingConfig,
    RatingPayload,
    by_key,
    criteria_of,
)

_MARK_KEYS = ("value", "quote", "comment")


def messages(shown: RatingPayload, config: RatingConfig, guidelines: str, rubric: str) -> list[Turn]:
    """Prompt, context, reference and responses by letter; the criteria of the task stand in the question."""
    material = [("prompt", judging.conversation_text(shown.prompt))]
    material += [("context", shown.context)] if shown.context else []
    material += [("reference answer", shown.reference)] if shown.reference else []
    material += [(f"response {each.id}", judging.conversation_text(each.messages)) for each in shown.responses]
    criteria = "\n".join(_criterion(each) for each in criteria_of(shown, config))
    asked = f"{config.question} Score every response on every criterion:\n{criteria}"
    return [judging.opening(guidelines, rubric), judging.question(material, asked, _form(shown, config))]


def _criterion(each: Criterion) -> str:
    scale = "1 for yes, 0 for no" if each.kind == "check" else f"{each.values[0]} to {each.values[-1]}"
    anchors = "".join(f"; {point} = {words}" for point, words in each.anchors.items())
    more = [f'or "{NOT_APPLICABLE}"'] if each.allow_na else []
    more += ["quote what supports it"] if each.evidence == "required" else []
    more += ["quote what supports a yes"] if each.evidence == "required_if_yes" else []
    more += ["say why in a comment"] if each.comment == "required" else []
    also = f" ({', '.join(more)})" if more else ""
    return f"- {each.key}: {each.title}. {each.description} {scale}{anchors}{also}"


def _form(shown: RatingPayload, config: RatingConfig) -> str:
    plain = ", ".join(f'"{key}": points' for key in by_key(shown, config))
    scores = ", ".join(f'"{name}": {{{plain}}}' for name in shown.ids)
    overall = ", ".join(f'"{name}": 1 to {config.overall_points}' for name in shown.ids)
    fields = ['"comment": "why, in a few sentences"', f'"scores": {{{scores}}}']
    fields += [f'"overall": {{{overall}}}'] if config.overall == "required" else []
    with_quote = 'Instead of points alone: {"value": points, "quote": "words of the response", "comment": "why"}.'
    return "{" + ",\n ".join(fields) + "}\n" + with_quote


def answer(text: str, shown: RatingPayload, config: RatingConfig) -> RatingAnswer | list[Problem]:
    """The reply as an answer in shown names, or what is wrong with it."""
    found = judging.read_object(text)
    if isinstance(found, list):
        return found
    problems = judging.unknown_keys(found, ("scores", "overall", "comment"))
    scores = found.get("scores")
    if not isinstance(scores, dict):
        return [*problems, Problem("scores", "There are no scores by response.")]
    read: dict[str, object] = {}
    for name, marks in scores.items():
        if not isinstance(marks, dict):
            problems.append(Problem(f"scores.{name}", "There are no scores by criterion."))
            continue
        read[name] = {key: _mark(name, mark, shown, f"scores.{name}.{key}", problems) for key, mark in marks.items()}
    try:
        given = RatingAnswer.model_validate(
            {"scores": read, **{key: found[key] for key in ("overall", "comment") if key in found}}
        )
    except ValidationError as error:
        return [*problems, *problems_of(error)]
    return problems + list(completeness.problems(shown, given, config)) or given


def _mark(name: str, said: JsonValue, shown: RatingPayload, path: str, problems: list[Problem]) -> dict[str, object]:
    given = said if isinstance(said, dict) else {"value": said}
    problems += [Problem(f"{path}.{each.path}", each.message) for each in judging.unknown_keys(given, _MARK_KEYS)]
    value, quote = given.get("value"), given.get("quote")
    mark: dict[str, object] = {"na": True} if value == NOT_APPLICABLE else {"value": value}
    if given.get("comment"):
        mark["comment"] = given["comment"]
    if quote:
        spans = list(_spans(name, quote, shown))
        if not spans:
            problems.append(Problem(f"{path}.quote", f"The quoted words do not stand in {name}."))
        mark["quotes"] = spans[:1]
    return mark


def _spans(name: str, quote: JsonValue, shown: RatingPayload) -> Iterator[dict[str, object]]:
    """Where the quoted words stand in the response, word for word; the first place counts."""
    if not isinstance(quote, str):
        return
    for number, text in enumerate(shown.texts().get(name, ())):
        start = text.find(quote)
        if start >= 0:
            yield {"where": name, "message": number, "start": start, "end": start + len(quote), "text": quote}
