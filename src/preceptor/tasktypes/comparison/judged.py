"""A comparison as a model judges it."""

import json

from pydantic import ValidationError

from preceptor.tasktypes import judging
from preceptor.tasktypes.base import Problem, problems_of
from preceptor.tasktypes.comparison import completeness
from preceptor.tasktypes.comparison.models import TIE, ComparisonAnswer, ComparisonConfig, ComparisonPayload
from preceptor.tasktypes.generation import Turn

CONTRADICTED = "Asked in both orders, the judge contradicted itself, which counts as a tie."
PAIR = 2
BOTH_BAD = "both_bad"


def messages(shown: ComparisonPayload, config: ComparisonConfig, guidelines: str, rubric: str) -> list[Turn]:
    """Prompt, context and responses by letter, and what is asked about them."""
    material = [("prompt", judging.conversation_text(shown.prompt))]
    material += [("context", shown.context)] if shown.context else []
    material += [(f"response {each.id}", judging.conversation_text(each.messages)) for each in shown.responses]
    asked = f"{config.question}\nThe responses stand in an order drawn by lot; their order and length mean nothing."
    return [judging.opening(guidelines, rubric), judging.question(material, asked, _form(shown, config))]


def _form(shown: ComparisonPayload, config: ComparisonConfig) -> str:
    # The reason comes first: a model that has written it down chooses by it.
    fields = [f'"justification": "at least {max(1, config.justification_min_chars)} characters, why"']
    if len(shown.ids) == PAIR:
        ways = [*shown.ids, *([TIE] if config.allow_ties else []), *([BOTH_BAD] if config.allow_both_bad else [])]
        fields.append(f'"better": {" or ".join(json.dumps(way) for way in ways)}')
        if config.scale_strength:
            fields.append('"strength": 1 (slightly), 2 (clearly) or 3 (much); 0 only for a tie')
    else:
        ranks = ", ".join(f'"{name}": rank' for name in shown.ids)
        equal = "equal ranks are ties" if config.allow_ties else "no two the same"
        fields.append(f'"ranks": {{{ranks}}} (1 is best, {equal})')
    if config.dimensions:
        each = ", ".join(f'"{name}": 1 to 7' for name in shown.ids)
        rated = ", ".join(f'"{dimension.key}": {{{each}}}' for dimension in config.dimensions)
        told = "; ".join(f"{one.key} is {one.title}. {one.help}".strip() for one in config.dimensions)
        fields.append(f'"ratings": {{{rated}}} ({told})')
    return "{" + ",\n ".join(fields) + "}"


def answer(text: str, shown: ComparisonPayload, config: ComparisonConfig) -> ComparisonAnswer | list[Problem]:
    """The reply as an answer in shown names, or what is wrong with it."""
    found = judging.read_object(text)
    if isinstance(found, list):
        return found
    pair = len(shown.ids) == PAIR
    wanted = ["justification", "ratings", *(["better", "strength"] if pair else ["ranks"])]
    problems = judging.unknown_keys(found, wanted)
    given: dict[str, object] = {key: found[key] for key in ("justification", "ratings", "ranks") if key in found}
    if pair:
        better = found.get("better")
        ranked = _ranks(shown.ids, better)
        if ranked is None:
            return [*problems, Problem("better", f"{better!r} is none of the responses.")]
        given |= ranked
        if config.scale_strength and better != BOTH_BAD:
            # A tie has no strength that could be chosen.
            given["strength"] = found.get("strength", 0 if better == TIE else None)
    try:
        read = ComparisonAnswer.model_validate(given)
    except ValidationError as error:
        return [*problems, *problems_of(error)]
    return problems + list(completeness.problems(shown.ids, read, config)) or read


def _ranks(ids: tuple[str, ...], better: object) -> dict[str, object] | None:
    if better == TIE:
        return {"ranks": dict.fromkeys(ids, 1)}
    if better == BOTH_BAD:
        return {"both_bad": True}
    if better not in ids:
        return None
    return {"ranks": {name: 1 if name == better else 2 for name in ids}}


def joined(
    first: ComparisonAnswer, second: ComparisonAnswer, config: ComparisonConfig
) -> tuple[ComparisonAnswer | None, bool]:
    """Both orders in one. The same ranking stands, with the weaker strength and the mean ratings rounded down; two that
    contradict each other are a tie where two responses are compared and ties are allowed (as in Zheng and others,
    "Judging LLM-as-a-judge", 2023, section 3.4), else nothing."""
    if (first.ranks, first.both_bad) == (second.ranks, second.both_bad):
        strengths = [each.strength for each in (first, second) if each.strength is not None]
        both = {"strength": min(strengths, default=None), "ratings": _mean(first, second)}
        return first.model_copy(update=both), True
    if len(first.ranks | second.ranks) != PAIR or not config.allow_ties:
        return None, False
    why = f"{CONTRADICTED}\n\nFirst: {first.justification}\n\nSecond: {second.justification}"
    tie = {
        "ranks": dict.fromkeys(first.ranks | second.ranks, 1),
        "both_bad": False,
        "strength": 0 if config.scale_strength else None,
        "ratings": _mean(first, second),
        "justification": why[:20_000],
    }
    return first.model_copy(update=tie), False


def _mean(first: ComparisonAnswer, second: ComparisonAnswer) -> dict[str, dict[str, int]]:
    return {
        key: {name: (value + second.ratings.get(key, {}).get(name, value)) // 2 for name, value in given.items()}
        for key, given in first.ratings.items()
    }
