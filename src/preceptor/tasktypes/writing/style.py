"""Style rules that a project sets for what people write, and what a text does against them.

A rule blocks or warns. Rules are data (no regular expressions: those of two languages differ, and some never end),
so that the browser checks the same (`frontend/src/lib/writing.ts`). Phrases are searched in prose only: code,
formulas and tables are left alone.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Text
from preceptor.tasktypes.view import ViewNode
from preceptor.tasktypes.writing import counting, languages
from preceptor.tasktypes.writing.counting import Block, blocks

RULES_MAX = 40
PHRASES_MAX = 100
PHRASE_CHARACTERS_MAX = 200
FOUND_MAX = 5
"""Places that a finding names."""
FOUND_CHARACTERS_MAX = 120

Severity = Literal["block", "warn"]
Element = Literal["heading", "list", "table", "code", "link", "image", "bold", "emoji"]
RuleKind = Literal[
    "forbidden_phrases",
    "required_phrases",
    "sentence_words_max",
    "paragraph_words_max",
    "reading_grade_max",
    "reading_grade_min",
    "markup_required",
    "markup_forbidden",
    "language",
    "no_first_person",
]

FIRST_PERSON: Final = ("I", "me", "my", "mine", "myself", "we", "us", "our", "ours", "ourselves")
"""As words, so that "I'm" and "we've" count by their beginning."""
_WITH_PHRASES: Final = frozenset(("forbidden_phrases", "required_phrases"))
_WITH_LIMIT: Final = frozenset(("sentence_words_max", "paragraph_words_max", "reading_grade_max", "reading_grade_min"))
_WITH_ELEMENT: Final = frozenset(("markup_required", "markup_forbidden"))

ELEMENT_WORDS: Final = {
    "heading": "a heading",
    "list": "a list",
    "table": "a table",
    "code": "a code block",
    "link": "a link",
    "image": "an image",
    "bold": "bold text",
    "emoji": "an emoji",
}


class Rule(BaseModel):
    """One rule. Which further fields it needs depends on its kind; the others stay empty."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: RuleKind = Field(title="What is checked")
    severity: Severity = Field(default="warn", title="What happens", description="Block submission, or only warn")
    message: Annotated[Text, Field(max_length=300)] = Field(
        default="", title="Message", description="Said instead of our own words when the rule is broken"
    )
    phrases: list[Annotated[Text, Field(min_length=1, max_length=PHRASE_CHARACTERS_MAX)]] = Field(
        default=[],
        max_length=PHRASES_MAX,
        title="Phrases",
        description="Whole words, upper or lower case",
    )
    place: Literal["anywhere", "start", "end"] = Field(default="anywhere", title="Where phrases are searched")
    limit: Annotated[float, Field(gt=0, le=10_000)] | None = Field(
        default=None, title="Limit", description="Words of a sentence or paragraph, or the reading grade"
    )
    element: Element | None = Field(default=None, title="Markdown element")
    language: str | None = Field(default=None, title="Language", json_schema_extra={"enum": [*languages.NAMES]})

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self.kind in _WITH_PHRASES and not any(counting.collapsed(phrase) for phrase in self.phrases):
            raise ValueError(f"{self.kind} needs at least one phrase")
        if self.kind in _WITH_LIMIT and self.limit is None:
            raise ValueError(f"{self.kind} needs a limit")
        if self.kind in _WITH_ELEMENT and self.element is None:
            raise ValueError(f"{self.kind} needs an element: {', '.join(ELEMENT_WORDS)}")
        if self.kind == "language" and self.language not in languages.NAMES:
            raise ValueError(f"language needs one of {', '.join(languages.NAMES)}")
        return self


Rules = Annotated[list[Rule], Field(max_length=RULES_MAX)]


@dataclass(frozen=True)
class Finding:
    """A broken rule: which (`rule` is its place in the list), how bad, what to do, and where in the text."""

    rule: int
    kind: RuleKind
    severity: Severity
    message: str
    found: tuple[str, ...] = ()


def findings(text: str, rules: Sequence[Rule]) -> list[Finding]:
    """Every rule that the text breaks, in the order of the rules. An empty text breaks none."""
    if not counting.collapsed(text) or not rules:
        return []
    read = _Reading(text)
    broken: list[Finding] = []
    for place, rule in enumerate(rules):
        outcome = _broken(read, rule)
        if outcome is not None:
            message, found = outcome
            short = tuple(_short(each) for each in found[:FOUND_MAX])
            broken.append(Finding(place, rule.kind, rule.severity, rule.message or message, short))
    return broken


def _short(text: str) -> str:
    flat = counting.collapsed(text)
    return flat if len(flat) <= FOUND_CHARACTERS_MAX else flat[: FOUND_CHARACTERS_MAX - 1] + "…"


class _Reading:
    """A text taken apart once for all rules."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.blocks: list[Block] = blocks(text)
        self.prose = "\n".join(block.text for block in self.blocks)
        self.straight = self.prose.replace("’", "'")
        self.lower = self.straight.lower()


Broken = tuple[str, Sequence[str]]


def _broken(read: _Reading, rule: Rule) -> Broken | None:
    if rule.kind == "forbidden_phrases":
        found = [phrase for phrase in rule.phrases if _has_phrase(read, phrase, rule.place)]
        where = {"anywhere": "", "start": " at the start", "end": " at the end"}[rule.place]
        return (f"Leave out{where}: {_quoted(found)}.", found) if found else None
    if rule.kind == "required_phrases":
        missing = [phrase for phrase in rule.phrases if not _has_phrase(read, phrase, rule.place)]
        where = {"anywhere": "Use", "start": "Begin with", "end": "End with"}[rule.place]
        return (f"{where}: {_quoted(missing)}.", ()) if missing else None
    if rule.kind in ("markup_required", "markup_forbidden"):
        return _markup(read, rule)
    if rule.kind == "language":
        return _language(read, str(rule.language))
    if rule.kind == "no_first_person":
        # Not in lower case: "i.e." and "US" are no persons.
        said = [word for word in FIRST_PERSON if any(_contains(read.straight, form) for form in _forms(word))]
        return (f"Do not write in the first person: {_quoted(said)}.", said) if said else None
    return _measured(read, rule)


def _forms(word: str) -> tuple[str, str]:
    return word, word[:1].upper() + word[1:]


def _quoted(phrases: Sequence[str]) -> str:
    shown = ", ".join(f"“{_short(phrase)}”" for phrase in phrases[:FOUND_MAX])
    return shown if len(phrases) <= FOUND_MAX else f"{shown} and {len(phrases) - FOUND_MAX} more"


def _measured(read: _Reading, rule: Rule) -> Broken | None:
    limit = rule.limit or 0.0
    most = f"{limit:g}"
    if rule.kind == "sentence_words_max":
        worst, length = counting.longest([each for block in read.blocks for each in counting.sentences(block.text)])
        message = f"A sentence has {length} words; at most {most} are wanted. Split it."
        return (message, (worst,)) if length > limit else None
    if rule.kind == "paragraph_words_max":
        worst, length = counting.longest([block.text for block in read.blocks])
        message = f"A paragraph has {length} words; at most {most} are wanted. Divide it."
        return (message, (worst,)) if length > limit else None
    grade = counting.reading_grade(read.text)
    if grade is None:
        return None
    if rule.kind == "reading_grade_max" and grade > limit:
        return f"The reading grade is {grade:.1f}; at most {most} is wanted. Use shorter sentences and words.", ()
    if rule.kind == "reading_grade_min" and grade < limit:
        return f"The reading grade is {grade:.1f}; at least {most} is wanted.", ()
    return None


# --- Phrases

_WORD_CHARACTER: Final = re.compile(r"[^\W_]")


def _has_phrase(read: _Reading, phrase: str, place: str) -> bool:
    wanted = counting.collapsed(phrase).replace("’", "'").lower()
    if place == "start":
        bare = read.lower.lstrip("*_\"“'‘ \n")
        return bare.startswith(wanted) and not _joined(wanted[-1:], bare[len(wanted) : len(wanted) + 1])
    if place == "end":
        bare, ending = (text.rstrip("*_\"”'’.!? \n") for text in (read.lower, wanted))
        before = bare[: len(bare) - len(ending)]
        return bool(ending) and bare.endswith(ending) and not _joined(before[-1:], ending[:1])
    return _contains(read.lower, wanted)


def _contains(text: str, wanted: str) -> bool:
    """Whether it stands there as whole words."""
    at = text.find(wanted) if wanted else -1
    while at >= 0:
        after = at + len(wanted)
        if not _joined(text[max(0, at - 1) : at], wanted[:1]) and not _joined(wanted[-1:], text[after : after + 1]):
            return True
        at = text.find(wanted, at + 1)
    return False


def _joined(left: str, right: str) -> bool:
    """Whether two neighbours are of one word."""
    return bool(left and right and _WORD_CHARACTER.match(left) and _WORD_CHARACTER.match(right))


# --- Markup

_TABLE: Final = re.compile(r"^ {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)+\|?[ \t]*$", re.MULTILINE)
_FENCED: Final = re.compile(r"^ {0,3}(?:`{3,}|~{3,})", re.MULTILINE)
_LINK: Final = re.compile(r"(?:^|[^!])\[[^\[\]\n]+\]\([^()\n]+\)")
_IMAGE: Final = re.compile(r"!\[[^\[\]\n]*\]\([^()\n]+\)")
_BOLD: Final = re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__")
_EMOJI: Final = re.compile("[\u2600-\u27bf\U0001f300-\U0001faff]")


def _has_element(read: _Reading, element: str) -> bool:
    plain = counting.without_code(read.text)
    if element == "heading":
        return any(block.kind == "heading" for block in read.blocks)
    if element == "list":
        return any(block.kind == "item" for block in read.blocks)
    if element == "code":
        return bool(_FENCED.search(read.text))
    patterns = {"table": _TABLE, "link": _LINK, "image": _IMAGE, "bold": _BOLD, "emoji": _EMOJI}
    return bool(patterns[element].search(plain))


def _markup(read: _Reading, rule: Rule) -> Broken | None:
    element = str(rule.element)
    has = _has_element(read, element)
    if rule.kind == "markup_required" and not has:
        return f"Use {ELEMENT_WORDS[element]}.", ()
    if rule.kind == "markup_forbidden" and has:
        return f"Do not use {ELEMENT_WORDS[element]}.", ()
    return None


# --- Language

_LATIN: Final = re.compile(r"[a-z\u00df-\u024f]")


def _language(read: _Reading, wanted: str) -> Broken | None:
    said = counting.word_list(read.lower)
    if len(said) < languages.JUDGED_WORDS_MIN:
        return None
    name = languages.NAMES[wanted]
    letters = sum(1 for _ in _WORD_CHARACTER.finditer(read.lower))
    script = re.compile(f"[{languages.SCRIPTS[wanted]}]") if wanted in languages.SCRIPTS else _LATIN
    if sum(1 for _ in script.finditer(read.lower)) * 2 < letters:
        return f"This does not look like {name}.", ()
    if wanted not in languages.COMMON_WORDS:
        return None
    heard = {code: _common(said, code) for code in languages.COMMON_WORDS}
    likeliest = max(heard, key=lambda code: heard[code])
    if likeliest != wanted and heard[likeliest] > heard[wanted] * languages.LEAD_MIN:
        return f"This looks like {languages.NAMES[likeliest]}, not {name}.", ()
    return None


def _common(said: Sequence[str], code: str) -> int:
    known = frozenset(languages.COMMON_WORDS[code].split())
    return sum(1 for word in said if word.strip(".,;:!?*_\"“”'()") in known)


def blocking(found: Sequence[Finding]) -> Iterator[Finding]:
    """Those that keep an answer from being submitted."""
    return (finding for finding in found if finding.severity == "block")


def browser_tables(rules: Sequence[Rule]) -> dict[str, ViewNode]:
    """What the browser's mirror needs beside the rules themselves; word lists only where a rule asks for them."""
    if not any(rule.kind == "language" for rule in rules):
        return {"first_person": list(FIRST_PERSON)}
    return {
        "first_person": list(FIRST_PERSON),
        "languages": dict(languages.NAMES),
        "common_words": {code: words.split() for code, words in languages.COMMON_WORDS.items()},
        "scripts": dict(languages.SCRIPTS),
    }
