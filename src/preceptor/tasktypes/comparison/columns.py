"""Which column of a file means what, for comparisons."""

from collections.abc import Mapping
from typing import Final

from preceptor.tasktypes.comparison.models import RESPONSES_MAX, RESPONSES_MIN
from preceptor.tasktypes.importing import Way

LETTERS: Final = "abcdef"[:RESPONSES_MAX]
RESPONSE_TARGETS: Final = tuple(f"response_{letter}" for letter in LETTERS)
CHOSEN_TARGETS: Final = ("chosen", "rejected")

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


def _response_aliases(position: int) -> tuple[str, ...]:
    letter, number = LETTERS[position], position + 1
    bases = ("response", "answer", "completion", "output", "candidate", "text", "generation", "argument")
    return tuple(name for base in bases for name in (f"{base}_{letter}", f"{base}_{number}", f"{base}{number}"))


TARGETS: Final[Mapping[str, tuple[str, ...]]] = {
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
    "gold": ("gold", "gold_answer"),
}
TITLES: Final = {
    "prompt": "Prompt",
    **{target: f"Response {target[-1].upper()}" for target in RESPONSE_TARGETS},
    "choice": "Known choice (a, b or tie)",
    "gold": "Gold answer",
}


def response_targets(columns: Mapping[str, str]) -> tuple[str, ...]:
    """Targets that hold one response each, in file order; empty where a list holds them all."""
    if "responses" in columns:
        return ()
    if "chosen" in columns:
        return CHOSEN_TARGETS
    return tuple(target for target in RESPONSE_TARGETS if target in columns)


def settle(found: Mapping[str, str], by_name: Mapping[str, str]) -> dict[str, str]:
    """What was recognised without what another column makes superfluous.

    A file of preference pairs often also carries the whole conversation; the pair says more.
    """
    columns = {**found, **_counted_from_zero(by_name)}
    if "chosen" in columns and "rejected" in columns:
        return {k: v for k, v in columns.items() if k not in ("messages", "responses", *RESPONSE_TARGETS)}
    if "response_a" in columns and "response_b" in columns:
        columns.pop("responses", None)
    if "prompt" in columns:
        columns.pop("messages", None)
    return columns


def _counted_from_zero(by_name: Mapping[str, str]) -> dict[str, str]:
    if "response_0" not in by_name or "response_1" not in by_name:
        return {}
    names = [f"response_{number}" for number in range(RESPONSES_MAX)]
    return {target: by_name[name] for target, name in zip(RESPONSE_TARGETS, names, strict=True) if name in by_name}


def missing(columns: Mapping[str, str]) -> tuple[str, ...]:
    lacking = []
    pair = [target for target in CHOSEN_TARGETS if target in columns]
    named = [target for target in RESPONSE_TARGETS if target in columns]
    if len(pair) == 1:
        lacking.append(f"{pair[0]} needs its other half ({'rejected' if pair[0] == 'chosen' else 'chosen'})")
    elif not pair and "responses" not in columns and len(named) < RESPONSES_MIN:
        lacking.append("the responses (response_a and response_b, chosen and rejected, or a list named responses)")
    if not pair and "prompt" not in columns and "messages" not in columns:
        lacking.append("the prompt (prompt or messages)")
    return tuple(lacking)
