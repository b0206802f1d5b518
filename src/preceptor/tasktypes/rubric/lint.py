"""What is said about a criterion's wording while it is written: a hint each, never a verdict.

The same rules run in the workspace (`frontend/src/lib/rubriclint.ts`); one file of examples tests both. They know
English only and look at wording alone, so an author can answer each hint with "it is fine".
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

SIMILAR_FROM = 0.72
"""Dice's coefficient of letter trigrams from which two statements are called similar."""
WORDS_MIN = 3

LEANS, VAGUE, SEVERAL, OPEN, SIMILAR = "leans", "vague", "several", "open", "similar"
"""Codes of hints, as answers keep them in `fine`."""

_LEANS = re.compile(
    r"\b(?:see|as|mentioned|listed|described|stated|said|noted|given|shown)\s+(?:above|below|before|earlier|previously)\b"
    r"|\b(?:above|previous|preceding|following|other|earlier|next)[\s-]+(?:criterion|criteria|item|items|point|points|rule|rules)\b"
    r"|\b(?:criterion|criteria|item|rule)\s*(?:no\.?\s*)?#?\d+\b"
    r"|\bsame as\b|\bthe aforementioned\b|\bditto\b",
    re.IGNORECASE | re.ASCII,
)
_VAGUE = re.compile(
    r"\b(?:appropriate(?:ly)?|adequate(?:ly)?|sufficient(?:ly)?|reasonabl[ey]|properly|good|nice(?:ly)?|well[\s-]written"
    r"|high[\s-]quality|somewhat|fairly|generally|usually|maybe|perhaps|possibly|probably|various|etc"
    r"|and so on|if possible|as needed|as appropriate|as (?:much|far|well) as possible|to some extent"
    r"|tries to|attempts to)\b",
    re.IGNORECASE | re.ASCII,
)
_SEVERAL = re.compile(r"\band/or\b|\bas well as\b|\band also\b|;|\band\b", re.IGNORECASE | re.ASCII)
_BETWEEN = re.compile(r"\b(?:between|both)\b[^.;]{1,60}?\band\b", re.IGNORECASE | re.ASCII)
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|`[^`]*`|\$[^$]*\$")
_SENTENCE_END = re.compile(r"[.!?]\s+[A-Z]")
_OPEN = re.compile(r"^\s*(?:how|what|why|which|when|where|who|whose|to what extent)\b", re.IGNORECASE | re.ASCII)
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Hint:
    """Something about a statement's wording. `words` says it to the author, with what to do."""

    code: str
    words: str


def hints(statement: str, others: Sequence[str] = ()) -> list[Hint]:
    """Everything that stands out in a statement, beside the other statements of its rubric."""
    bare = _QUOTED.sub(" ", statement)
    found = []
    if leaning := _LEANS.search(bare):
        found.append(Hint(LEANS, f"Not self-contained: “{leaning[0]}” points elsewhere. Say here what is meant."))
    if _OPEN.search(bare):
        found.append(Hint(OPEN, "Not checkable: say it as a statement that is met or not."))
    if vague := _VAGUE.search(bare):
        found.append(Hint(VAGUE, f"Not checkable: people will read “{vague[0]}” differently. Say what shows it."))
    if several := several_things(bare):
        found.append(Hint(SEVERAL, f"More than one thing (“{several}”)? Make two criteria of it."))
    for other in others:
        if other.strip() and SIMILAR_FROM <= similarity(statement, other) < 1:
            found.append(Hint(SIMILAR, f"Close to “{_short(other)}”. Keep one of them or make the difference plain."))
            break
    return found


def several_things(bare: str) -> str | None:
    """The word or mark by which a statement asks for two things; None where it asks for one."""
    if _SENTENCE_END.search(bare):
        return ". "
    joined = _SEVERAL.search(_BETWEEN.sub(" ", bare))
    return joined[0] if joined else None


def plain(statement: str) -> str:
    """Letters and digits in lower case, one blank between words: what two statements are compared by."""
    return _NO_LETTER.sub(" ", statement.lower()).strip()


def word_count(statement: str) -> int:
    """Words as a reader counts them."""
    return len(_WORD.findall(statement))


def similarity(one: str, other: str) -> float:
    """Dice's coefficient of letter trigrams, 0 nothing in common to 1 the same but for case and punctuation."""
    a, b = plain(one), plain(other)
    if a == b:
        return 1.0
    first, second = _trigrams(a), _trigrams(b)
    total = sum(first.values()) + sum(second.values())
    return 2 * sum((first & second).values()) / total if total else 0.0


def _trigrams(text: str) -> Counter[str]:
    padded = f"  {text}  "
    return Counter(padded[at : at + 3] for at in range(len(padded) - 2))


def _short(statement: str, most: int = 60) -> str:
    return statement if len(statement) <= most else f"{statement[: most - 1]}…"
