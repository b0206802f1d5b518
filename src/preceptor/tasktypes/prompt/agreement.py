"""What can be compared of two prompts written to one brief, and of a prompt with a known one."""

from collections.abc import Mapping

from preceptor.tasktypes.base import Score
from preceptor.tasktypes.prompt.completeness import all_findings, asked_text, judged_runs
from preceptor.tasktypes.prompt.models import PromptAnswer, PromptConfig, PromptPayload
from preceptor.tasktypes.writing import likeness

FAILS = "model fails"
YES, NO = "yes", "no"


def aspects(config: PromptConfig) -> Mapping[str, str]:
    """Wording always; claims and outcomes where the project asks for them."""
    found = {"wording": "Wording"}
    if len(config.difficulties) > 1:
        found["difficulty"] = "Claimed difficulty"
    if config.tags or config.free_tags:
        found["tags"] = "Tags"
    if config.runs:
        found["fails"] = "Whether a model fails"
    return found


def distances(a: PromptAnswer, b: PromptAnswer, config: PromptConfig) -> dict[str, float]:
    """Aspect -> distance in [0, 1]. Prompts to one brief are meant to differ in wording: 0 there is a repetition."""
    first, second = (likeness.normal_form(asked_text(answer)) for answer in (a, b))
    found = {"wording": 0.0 if first == second else 1 - likeness.likeness(first, second)}
    levels = config.difficulties
    if len(levels) > 1 and a.difficulty in levels and b.difficulty in levels:
        found["difficulty"] = abs(levels.index(a.difficulty) - levels.index(b.difficulty)) / (len(levels) - 1)
    ours, theirs = set(a.tags), set(b.tags)
    if "tags" in aspects(config) and (ours or theirs):
        found["tags"] = 1 - len(ours & theirs) / len(ours | theirs)
    one, other = fails(a, config), fails(b, config)
    if config.runs and one is not None and other is not None:
        found["fails"] = float(one != other)
    return found


def fails(answer: PromptAnswer, config: PromptConfig) -> bool | None:
    """Whether models fail at the prompt: as often as the project requires, otherwise more often than not.

    None where no run of the prompt as it stands was judged.
    """
    judged = judged_runs(answer)
    if not judged:
        return None
    failed = sum(run.verdict == "fail" for run in judged)
    return failed >= config.fails_min if config.fails_min else failed * 2 > len(judged)


def score_against(payload: PromptPayload, answer: PromptAnswer, reference: PromptAnswer, config: PromptConfig) -> Score:
    """Mean of what a known prompt makes comparable: difficulty, tags, whether models fail, and rules kept.

    Wording is left out on purpose: another prompt to the same brief is as good. ValueError where nothing is left.
    """
    far = {key: value for key, value in distances(answer, reference, config).items() if key != "wording"}
    parts = [1 - value for value in far.values()]
    titles = aspects(config)
    reasons = [
        f"{titles[key]}: {_described(key, reference, config)} was expected." for key, value in far.items() if value
    ]
    rules = [*config.rules, *payload.rules]
    if rules:
        broken = all_findings(payload, answer, config)
        parts.append(1 - len({each.rule for each in broken}) / len(rules))
        reasons += [each.message for each in broken[:5]]
    if not parts:
        raise ValueError("the reference holds nothing that prompts are compared by: difficulty, tags or judged runs")
    return Score(sum(parts) / len(parts), tuple(reasons))


def _described(key: str, reference: PromptAnswer, config: PromptConfig) -> str:
    if key == "difficulty":
        return reference.difficulty
    if key == "tags":
        return ", ".join(reference.tags) or "none"
    return YES if fails(reference, config) else NO
