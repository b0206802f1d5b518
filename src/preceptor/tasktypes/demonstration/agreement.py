"""How near a demonstration is to a known answer, and how far two of them are apart.

Good answers to one prompt differ: likeness to a reference is weak evidence, and is said to be. It can tell an answer
about something else from one about this; it cannot tell a good one from a fair one.
"""

from collections import Counter
from collections.abc import Mapping

from preceptor.tasktypes.base import Score
from preceptor.tasktypes.demonstration.completeness import all_findings
from preceptor.tasktypes.demonstration.models import DemonstrationAnswer, DemonstrationConfig
from preceptor.tasktypes.writing import counting, edits

ASPECTS = {"length": "Length", "vocabulary": "Words used", "wording": "Wording"}
CONVERSATION_ASPECTS = {**ASPECTS, "turns": "Number of turns"}
SOURCES_ASPECT = {"sources": "Sources"}


def whole_text(answer: DemonstrationAnswer) -> str:
    """Everything written, turns parted by a blank line."""
    return "\n\n".join(turn.content for turn in answer.turns) if answer.turns else answer.text


def aspects(config: DemonstrationConfig) -> Mapping[str, str]:
    """What two answers are compared on."""
    found = CONVERSATION_ASPECTS if config.mode == "conversation" else ASPECTS
    return {**found, **SOURCES_ASPECT} if config.sources_min else found


def distances(a: DemonstrationAnswer, b: DemonstrationAnswer, config: DemonstrationConfig) -> dict[str, float]:
    """Aspect -> distance in [0, 1]. Sources are compared by address where both give some."""
    first, second = whole_text(a), whole_text(b)
    found = {
        "length": edits.length_distance(first, second),
        "vocabulary": vocabulary_distance(first, second),
        "wording": edits.wording_distance(first, second),
    }
    if config.mode == "conversation" and (a.turns or b.turns):
        found["turns"] = abs(len(a.turns) - len(b.turns)) / max(len(a.turns), len(b.turns))
    ours, theirs = ({source.url.rstrip("/") for source in answer.sources} for answer in (a, b))
    if config.sources_min and ours and theirs:
        found["sources"] = 1 - len(ours & theirs) / len(ours | theirs)
    return found


def vocabulary_distance(a: str, b: str) -> float:
    """1 minus the F1 of the two bags of lower-case words (as in SQuAD); 0 for two empty texts."""
    first, second = (Counter(word.lower() for word in counting.word_list(text)) for text in (a, b))
    total = first.total() + second.total()
    return 1 - 2 * (first & second).total() / total if total else 0.0


def score_against(answer: DemonstrationAnswer, reference: DemonstrationAnswer, config: DemonstrationConfig) -> Score:
    """Half the share of rules kept, half the likeness of words to the reference; likeness alone without rules."""
    known = whole_text(reference)
    if not counting.collapsed(known):
        raise ValueError("the reference holds no text")
    likeness = 1 - vocabulary_distance(whole_text(answer), known)
    reasons = [f"{likeness:.0%} of the words are those of the reference (weak evidence: good answers differ)."]
    if not config.rules:
        return Score(_unit(likeness), tuple(reasons))
    broken = all_findings(answer, config)
    kept = 1 - len({each.rule for _, each in broken}) / len(config.rules)
    reasons += [name + each.message for name, each in broken[:5]]
    return Score(_unit((likeness + kept) / 2), tuple(reasons))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
