"""What two people's conversations about one scenario have in common.

The conversations themselves differ, since each person leads their own: compared is what they found out.
"""

from collections.abc import Mapping

from preceptor.tasktypes.base import Score
from preceptor.tasktypes.conversation.blinding import PLACES
from preceptor.tasktypes.conversation.models import (
    TIE,
    ConversationAnswer,
    ConversationConfig,
    ConversationPayload,
    models_shown,
)

FAILED, HARM, SEVERITY, WINNER = "failed", "harm", "severity", "winner"
YES, NO, NONE = "yes", "no", "none"
TITLES: Mapping[str, str] = {
    FAILED: "Did the model fail",
    HARM: "Kind of failure",
    SEVERITY: "Severity",
    WINNER: "Better model",
}


def harm_of(answer: ConversationAnswer) -> str | None:
    """The kind of failure: the one that was named at the end, else the most severe mark's."""
    if answer.verdict.harm is not None:
        return answer.verdict.harm
    marks = [mark for node in answer.nodes for mark in node.marks]
    return max(marks, key=lambda mark: mark.severity or 0).category if marks else None


def severity_of(answer: ConversationAnswer) -> int | None:
    """The highest severity that was marked."""
    return max((mark.severity for node in answer.nodes for mark in node.marks if mark.severity), default=None)


def labels(answer: ConversationAnswer, config: ConversationConfig) -> dict[str, str]:
    """Unit -> label: whether it failed, in what way, who was better. Silent units are absent."""
    found: dict[str, str] = {}
    if answer.verdict.failed is not None:
        found[FAILED] = YES if answer.verdict.failed else NO
        harm = harm_of(answer) if answer.verdict.failed else NONE
        if harm is not None:
            found[HARM] = harm
    if config.winner_asked and answer.verdict.winner is not None:
        found[WINNER] = answer.verdict.winner
    return found


def unit_labels(payload: ConversationPayload, config: ConversationConfig) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if config.ask_failed:
        found[FAILED] = (YES, NO)
        found[HARM] = (NONE, *(category.key for category in config.categories))
    shown = models_shown(payload, config)
    if config.winner_asked and shown > 1:
        found[WINNER] = (*PLACES[:shown], TIE)
    return found


def aspects(config: ConversationConfig) -> dict[str, str]:
    found = {FAILED: TITLES[FAILED], HARM: TITLES[HARM], SEVERITY: TITLES[SEVERITY]} if config.ask_failed else {}
    return found | ({WINNER: TITLES[WINNER]} if config.winner_asked else {})


def distance(a: ConversationAnswer, b: ConversationAnswer, config: ConversationConfig) -> dict[str, float]:
    """Categories are the same or not; severities differ by their steps; a tie is half of a win."""
    mine, theirs = labels(a, config), labels(b, config)
    found = {unit: float(mine[unit] != theirs[unit]) for unit in (FAILED, HARM) if unit in mine and unit in theirs}
    if WINNER in mine and WINNER in theirs:
        found[WINNER] = _winner_distance(mine[WINNER], theirs[WINNER])
    severities = severity_of(a), severity_of(b)
    if None not in severities and config.ask_failed:
        found[SEVERITY] = abs((severities[0] or 0) - (severities[1] or 0)) / 3
    return found


def _winner_distance(a: str, b: str) -> float:
    if a == b:
        return 0.0
    return 0.5 if TIE in (a, b) else 1.0


def score(answer: ConversationAnswer, reference: ConversationAnswer, config: ConversationConfig) -> Score:
    """Mean closeness in what the reference says; what the answer leaves open counts as wrong."""
    wanted, given = labels(reference, config), labels(answer, config)
    if not wanted:
        return Score(1.0, ("The known answer decides nothing.",))
    apart = distance(answer, reference, config)
    closeness = {unit: 1.0 - apart[unit] if unit in apart else 0.0 for unit in wanted}
    titles = {category.key: category.title for category in config.categories}
    reasons = [
        f"{TITLES[unit]}: {_said(given.get(unit), titles)}, known to be {_said(wanted[unit], titles)}."
        for unit, value in closeness.items()
        if value < 1.0
    ]
    return Score(sum(closeness.values()) / len(closeness), tuple(reasons) or ("As the known answer says.",))


def _said(label: str | None, titles: Mapping[str, str]) -> str:
    return "left open" if label is None else titles.get(label, label)
