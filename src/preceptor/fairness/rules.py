"""What may be decided against people, under which rule and version, and who may look again. Pure."""

from dataclasses import dataclass
from datetime import datetime

from preceptor.fairness.models import ReceiptKind

REASON_CHARS_MIN = 20
REASON_CHARS_MAX = 2000
WORDS_CHARS_MIN = 20
WORDS_CHARS_MAX = 5000
EVIDENCE_MAX = 20
APPEAL_SECONDS = 14 * 86400
"""Time to appeal what no project's setting governs: a suspension."""


@dataclass(frozen=True)
class Rule:
    """A rule of the product that a person can be paused, retrained, removed or suspended under.

    `version` counts up when the words change, so that a receipt says what the rule was at the time.
    """

    key: str
    version: str
    title: str
    text: str
    kinds: frozenset[ReceiptKind]


_PLACE = frozenset({ReceiptKind.RETRAIN, ReceiptKind.PAUSE, ReceiptKind.REMOVE})
_PAUSE = frozenset({ReceiptKind.PAUSE, ReceiptKind.REMOVE})
_OUT = frozenset({ReceiptKind.PAUSE, ReceiptKind.REMOVE, ReceiptKind.SUSPEND})

RULES: tuple[Rule, ...] = (
    Rule(
        "below_standard",
        "1",
        "Below the project's standard",
        "Known answers, reviews or the comparison with others show, with the stated false-alarm rate, an accuracy "
        "below the standard that the project sets.",
        _PLACE,
    ),
    Rule(
        "drifted",
        "1",
        "Quality has fallen",
        "Answers were good enough before, and later ones are measurably worse.",
        _PLACE,
    ),
    Rule(
        "guidelines",
        "1",
        "Guidelines not followed",
        "The guidelines were not followed in several judgments, although a review or a return had said so.",
        _PLACE,
    ),
    Rule(
        "careless",
        "1",
        "Answers without reading",
        "Answers come faster than the material can be read, or repeat one choice whatever is shown.",
        _PLACE,
    ),
    Rule(
        "copying",
        "1",
        "Shared or copied answers",
        "Answers agree with another person's mistakes far more often than chance allows.",
        _OUT,
    ),
    Rule(
        "automated",
        "1",
        "Answers not the person's own",
        "Answers were made by a program or by somebody else on behalf of the person.",
        _OUT,
    ),
    Rule(
        "conduct",
        "1",
        "Harm to others",
        "Abuse, personal data passed on, or confidential material taken outside.",
        _OUT,
    ),
    Rule(
        "fit",
        "1",
        "The project needs something else now",
        "The client changes whom the project needs. This says nothing about the quality of the work.",
        _PAUSE,
    ),
    Rule(
        "operator_decision",
        "1",
        "Decision of the operator",
        "The operator of the installation shuts an account, for the reason stated.",
        frozenset({ReceiptKind.SUSPEND}),
    ),
)

REVIEW = "review"
"""The rule of a return or rejection; its version is the rubric's ("rubric 3")."""


def rules_for(kind: ReceiptKind) -> list[Rule]:
    """The rules that a decision of this kind may rest on, in the order they are offered."""
    return [rule for rule in RULES if kind in rule.kinds]


def rule_for(kind: ReceiptKind, key: str) -> Rule | None:
    """The rule named `key`, if a decision of this kind may rest on it."""
    return next((rule for rule in rules_for(kind) if rule.key == key), None)


def title_of(rule: str) -> str:
    """A rule's name as people read it; one that is not in the table is shown as it was written."""
    if rule == REVIEW:
        return "Review against the rubric"
    return next((each.title for each in RULES if each.key == rule), rule.replace("_", " ").capitalize())


def text_of(rule: str, version: str) -> str:
    """A rule's words, if the table still has that version of it."""
    if rule == REVIEW:
        return "A reviewer compares the answer with the guidelines and rubric in force when it was claimed."
    return next((each.text for each in RULES if (each.key, each.version) == (rule, version)), "")


def in_time(appeal_until: datetime, now: datetime) -> bool:
    """Whether an appeal is still taken; the last moment counts."""
    return now <= appeal_until
