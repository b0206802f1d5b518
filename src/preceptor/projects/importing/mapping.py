"""Which column means what, and how a row of a file becomes a comparison task.

The common layouts are found from the column names (`detect`); anything else is said by an explicit mapping
such as `{"prompt": "question", "response_a": "text1", "response_b": "text2"}`. Known labels (a chosen
response, a winner, votes) are kept beside the task and never in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from preceptor.tasktypes.comparison.models import RESPONSES_MAX, RESPONSES_MIN

LETTERS: Final = "abcdef"[:RESPONSES_MAX]
RESPONSE_TARGETS: Final = tuple(f"response_{letter}" for letter in LETTERS)
CHOSEN_TARGETS: Final = ("chosen", "rejected")

Values = Mapping[str, JsonValue]


@dataclass(frozen=True)
class Way:
    """A layout that an import understands, with an example row as people would write it."""

    name: str
    columns: str
    description: str
    example: str


WAYS: Final = (
    Way(
        "Chosen and rejected",
        "prompt, chosen, rejected",
        "Preference data with a known choice. The choice is kept as an imported answer; contributors see the two "
        "responses in an order that tells nothing. chosen and rejected are texts or lists of messages; without "
        "a prompt column, what both dialogues begin with is the prompt.",
        '{"prompt": "Name a prime.", "chosen": "7", "rejected": "9"}',
    ),
    Way(
        "Two or more named responses",
        "prompt, response_a, response_b (… response_f)",
        "One column per response, at least two. Optional: choice (a, b or tie), votes_a, votes_b, "
        "model_a, model_b (kept, never shown).",
        '{"prompt": "Name a prime.", "response_a": "7", "response_b": "9", "choice": "a"}',
    ),
    Way(
        "A list of responses",
        "prompt, responses",
        "2 to 6 responses as a list of texts, of messages, or of message lists. In CSV the cell holds the list "
        "as JSON.",
        '{"prompt": "Name a prime.", "responses": ["7", "9", "2"]}',
    ),
    Way(
        "Chat messages",
        "messages, completions",
        "OpenAI-style: messages is the conversation so far, completions (or choices, responses) what could follow.",
        '{"messages": [{"role": "user", "content": "Name a prime."}], "completions": ["7", "9"]}',
    ),
)

OPTIONAL_COLUMNS: Final = (
    "id (or external_id, task_id): your own name of the task, so that importing again changes nothing; "
    "priority: 1 (most urgent) to 9, 5 where empty; overlap: how many people judge this task; topic; "
    "context: material for the judge; gold: the known answer (a, b, tie, or ranks such as [1, 2, 2]) "
    "with gold_explanation."
)


def _response_aliases(position: int) -> tuple[str, ...]:
    letter, number = LETTERS[position], position + 1
    bases = ("response", "answer", "completion", "output", "candidate", "text", "generation", "argument")
    return tuple(name for base in bases for name in (f"{base}_{letter}", f"{base}_{number}", f"{base}{number}"))


# Target -> names of columns that mean it, best first. Targets are the keys of an explicit mapping.
_ALIASES: Final[dict[str, tuple[str, ...]]] = {
    "prompt": ("prompt", "question", "instruction", "query", "input"),
    "messages": ("messages", "conversation", "conversations", "dialogue"),
    "context": ("context",),
    "chosen": ("chosen",),
    "rejected": ("rejected",),
    "responses": ("responses", "completions", "choices", "candidates", "outputs", "answers", "generations"),
    **{target: _response_aliases(position) for position, target in enumerate(RESPONSE_TARGETS)},
    "choice": ("choice", "winner", "preferred", "preference"),
    **{f"votes_{letter}": (f"votes_{letter}",) for letter in LETTERS},
    **{f"source_{letter}": (f"source_{letter}", f"model_{letter}") for letter in LETTERS},
    "external_id": ("external_id", "task_id", "id", "uid", "uuid"),
    "priority": ("priority",),
    "overlap": ("overlap",),
    "topic": ("topic", "subject", "category"),
    "gold": ("gold", "gold_answer"),
    "gold_explanation": ("gold_explanation",),
}
TARGETS: Final = tuple(_ALIASES)


class MappingRefused(ValueError):
    """The mapping cannot describe comparison tasks; the message says why and what to name."""


@dataclass(frozen=True)
class ColumnMapping:
    """Target -> column of the file. Make one with `mapping_of` or `detect`; both check that it can work."""

    columns: Mapping[str, str]

    def column(self, target: str) -> str | None:
        """The column that holds a target, None where the file has none."""
        return self.columns.get(target)

    @property
    def response_targets(self) -> tuple[str, ...]:
        """Targets that hold one response each, in file order; empty where a list holds them all."""
        if "responses" in self.columns:
            return ()
        if "chosen" in self.columns:
            return CHOSEN_TARGETS
        return tuple(target for target in RESPONSE_TARGETS if target in self.columns)


@dataclass(frozen=True)
class Suggestions:
    """What could be told about a file whose layout is not one of the known ones.

    `found`: targets recognised so far. `missing`: what is still needed, in words.
    `text_columns`: columns that hold text and are free, longest texts first: likely responses.
    """

    found: Mapping[str, str]
    missing: tuple[str, ...]
    text_columns: tuple[str, ...]

    @property
    def message(self) -> str:
        """One sentence for the person who brought the file."""
        free = ", ".join(self.text_columns[:8]) or "none"
        return (
            f"The columns do not say which is which: {'; '.join(self.missing)}. Rename them, or give a mapping such as "
            f'{{"prompt": "…", "response_a": "…", "response_b": "…"}}. Columns with text: {free}.'
        )


# --- Which column means what


def mapping_of(columns: Mapping[str, str]) -> ColumnMapping:
    """An explicit mapping, checked. MappingRefused names an unknown target or a missing part."""
    unknown = [target for target in columns if target not in _ALIASES]
    if unknown:
        raise MappingRefused(f"Unknown target {unknown[0]!r}. Known are: {', '.join(TARGETS)}.")
    missing = _missing(columns)
    if missing:
        raise MappingRefused(f"The mapping is not complete: {'; '.join(missing)}.")
    return ColumnMapping(dict(columns))


def detect(columns: Sequence[str], sample_rows: Sequence[Values]) -> ColumnMapping | Suggestions:
    """The mapping for a known layout, or what could be told about an unknown one.

    Names are compared without case, with spaces and hyphens as underscores. The sample decides only which
    columns to suggest.
    """
    found = _recognised(columns)
    missing = _missing(found)
    if not missing:
        return ColumnMapping(found)
    free = [name for name in columns if name not in found.values()]
    return Suggestions(found=found, missing=missing, text_columns=_longest_texts(free, sample_rows))


def _recognised(columns: Sequence[str]) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(re.sub(r"[\s-]+", "_", column.strip().lower()), column)
    found: dict[str, str] = {}
    for target, aliases in _ALIASES.items():
        known = [by_name[alias] for alias in aliases if alias in by_name]
        if known:
            found[target] = known[0]
    found |= _counted_from_zero(by_name)
    # A file of preference pairs often also carries the whole conversation; the pair says more.
    if "chosen" in found and "rejected" in found:
        return {k: v for k, v in found.items() if k not in ("messages", "responses", *RESPONSE_TARGETS)}
    if "response_a" in found and "response_b" in found:
        found.pop("responses", None)
    if "prompt" in found:
        found.pop("messages", None)
    return found


def _counted_from_zero(by_name: Mapping[str, str]) -> dict[str, str]:
    if "response_0" not in by_name or "response_1" not in by_name:
        return {}
    names = [f"response_{number}" for number in range(RESPONSES_MAX)]
    return {target: by_name[name] for target, name in zip(RESPONSE_TARGETS, names, strict=True) if name in by_name}


def _missing(columns: Mapping[str, str]) -> tuple[str, ...]:
    missing = []
    pair = [target for target in CHOSEN_TARGETS if target in columns]
    named = [target for target in RESPONSE_TARGETS if target in columns]
    if len(pair) == 1:
        missing.append(f"{pair[0]} needs its other half ({'rejected' if pair[0] == 'chosen' else 'chosen'})")
    elif not pair and "responses" not in columns and len(named) < RESPONSES_MIN:
        missing.append("the responses (response_a and response_b, chosen and rejected, or a list named responses)")
    if not pair and "prompt" not in columns and "messages" not in columns:
        missing.append("the prompt (prompt or messages)")
    return tuple(missing)


def _longest_texts(columns: Sequence[str], rows: Sequence[Values]) -> tuple[str, ...]:
    length: dict[str, int] = {}
    for column in columns:
        texts = [value for row in rows if isinstance(value := row.get(column), str)]
        if texts:
            length[column] = sum(map(len, texts))
    return tuple(sorted(length, key=lambda column: -length[column]))
