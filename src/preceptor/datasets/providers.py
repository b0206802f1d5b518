"""The same rows as providers of fine-tuning read them: JSON Lines beside the Parquet tables, below `providers/`.

- OpenAI, supervised: `{"messages": [...]}` (developers.openai.com/api/docs/guides/supervised-fine-tuning); preference
  (DPO): `{"input": {"messages", "tools", "parallel_tool_calls"}, "preferred_output", "non_preferred_output"}`, each
  output one assistant message (developers.openai.com/api/docs/guides/direct-preference-optimization). Azure, Together
  and Fireworks read the same.
- Gemini on Vertex AI, supervised: `{"systemInstruction": {"role", "parts"}, "contents": [{"role": "user"|"model",
  "parts"}]}` (docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-supervised-tuning-prepare); preference:
  `{"system_instruction": {"parts"}, "contents", "completions": [{"score", "completion"}]}` where `contents` end with
  the user, and the score is 1 for the chosen one and 0 for the other
  (docs.cloud.google.com/vertex-ai/generative-ai/docs/models/gemini-preference-tuning-prepare).
- Amazon Bedrock, supervised conversation: `{"schemaVersion": "bedrock-conversation-2024", "system", "messages":
  [{"role", "content": [{"text"}]}]}`, turns alternating from the user to the assistant
  (docs.aws.amazon.com/bedrock/latest/userguide/preparing-text-data.html). A few words are reserved by Amazon Nova: a
  job fails on a text that holds one (docs.aws.amazon.com/nova/latest/userguide/fine-tune-prepare-data-understanding).
  Preference (Amazon Nova's DPO): the same but for the last turn of the assistant, which holds `{"role": "assistant",
  "candidates": [{"content": [{"text"}], "preferenceLabel": "preferred"|"non-preferred"}]}`, one of each
  (docs.aws.amazon.com/nova/latest/userguide/nova-dpo.html: "similar to SFT. However, for DPO, the final turn needs to
  have preference pairs").

What a provider has no place for (tool messages, a conversation that does not end with the assistant, several answer
messages, empty texts, reserved words) is left out and counted; nothing is changed silently.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

import orjson

from preceptor.tasktypes.base import Row, Shape, Table

FOLDER: Final = "providers"
Messages = Sequence[Mapping[str, str]]
Write = Callable[[Row], Mapping[str, Any] | None]
_SPOKEN: Final = frozenset({"user", "assistant"})
_SYSTEM: Final = frozenset({"system", "developer"})
BEDROCK_RESERVED: Final = ("user:", "bot:", "assistant:", "system:", "<image>", "<video>", "[eos]")
"""In small letters; Amazon's own check of a file makes no difference of case."""


def openai_sft(row: Row) -> Mapping[str, Any] | None:
    """A row of the `sft` shape for OpenAI; None where the assistant does not have the last word."""
    messages = _messages(row, "messages")
    return {"messages": list(messages)} if _ends_with_assistant(messages) else None


def openai_preference(row: Row) -> Mapping[str, Any] | None:
    """A row of the `preference` shape for OpenAI; None where an answer is not one assistant message."""
    prompt, chosen, rejected = (_messages(row, name) for name in ("prompt", "chosen", "rejected"))
    if not (_asked(prompt) and _one_answer(chosen) and _one_answer(rejected)):
        return None
    return {
        "input": {"messages": list(prompt), "tools": [], "parallel_tool_calls": True},
        "preferred_output": list(chosen),
        "non_preferred_output": list(rejected),
    }


def gemini_sft(row: Row) -> Mapping[str, Any] | None:
    """A row of the `sft` shape for Gemini."""
    messages = _messages(row, "messages")
    if not _ends_with_assistant(messages):
        return None
    system, spoken = _without_system(messages)
    if not spoken:
        return None
    said = {"contents": [_gemini(message) for message in spoken]}
    return {"systemInstruction": {"role": "system", "parts": [{"text": system}]}, **said} if system else said


def gemini_preference(row: Row) -> Mapping[str, Any] | None:
    """A row of the `preference` shape for Gemini; None where the user does not speak before the answers."""
    prompt, chosen, rejected = (_messages(row, name) for name in ("prompt", "chosen", "rejected"))
    system, spoken = _without_system(prompt)
    if not (_asked(spoken) and _one_answer(chosen) and _one_answer(rejected)):
        return None
    said: dict[str, Any] = {
        "contents": [_gemini(message) for message in spoken],
        "completions": [
            {"score": 1, "completion": _gemini(chosen[0])},
            {"score": 0, "completion": _gemini(rejected[0])},
        ],
    }
    return {"system_instruction": {"parts": [{"text": system}]}, **said} if system else said


def bedrock_sft(row: Row) -> Mapping[str, Any] | None:
    """A row of the `sft` shape for Bedrock's conversation format; None where turns do not alternate from the user, or
    where a text holds a reserved word."""
    messages = _messages(row, "messages")
    system, spoken = _without_system(messages)
    if not _alternate(spoken) or len(spoken) % 2 or _reserved(messages):
        return None
    return _bedrock(system, [_turn(message) for message in spoken])


def bedrock_preference(row: Row) -> Mapping[str, Any] | None:
    """A row of the `preference` shape for Amazon Nova's DPO; None where turns do not alternate from the user to the
    user before the answers, where an answer is not one assistant message, or where a text holds a reserved word."""
    prompt, chosen, rejected = (_messages(row, name) for name in ("prompt", "chosen", "rejected"))
    system, spoken = _without_system(prompt)
    if not (_asked(prompt) and _alternate(spoken) and _one_answer(chosen) and _one_answer(rejected)):
        return None
    if _reserved([*prompt, *chosen, *rejected]):
        return None
    answers = ((chosen[0], "preferred"), (rejected[0], "non-preferred"))
    candidates = [{"content": [{"text": each["content"]}], "preferenceLabel": label} for each, label in answers]
    return _bedrock(system, [*(_turn(message) for message in spoken), {"role": "assistant", "candidates": candidates}])


WRITERS: Final[Mapping[Shape, Mapping[str, Write]]] = {
    "preference": {
        "openai-dpo": openai_preference,
        "gemini-preference": gemini_preference,
        "bedrock-preference": bedrock_preference,
    },
    "sft": {"openai-sft": openai_sft, "gemini-sft": gemini_sft, "bedrock-conversation": bedrock_sft},
}


class ProviderFiles:
    """Writes `providers/<format>-<table>.jsonl` for every table whose shape a provider knows."""

    def __init__(self, folder: Path, tables: Mapping[str, Table]) -> None:
        self.rows_of: dict[str, int] = {}
        self.left_out: dict[str, int] = {}
        """Rows that a provider's format has no place for, by file."""
        self._folder = folder
        self._tables = {name: WRITERS[table.shape] for name, table in tables.items() if table.shape in WRITERS}
        self._open: dict[str, BinaryIO] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._open.values():
            file.close()

    def add(self, tables: Mapping[str, Sequence[Row]]) -> None:
        """Write the rows of one task."""
        for name, writers in self._tables.items():
            for row in tables.get(name, ()):
                for provider, write in writers.items():
                    self._write(f"{FOLDER}/{provider}-{name}.jsonl", write(row))

    def _write(self, path: str, row: Mapping[str, Any] | None) -> None:
        if row is None:
            self.left_out[path] = self.left_out.get(path, 0) + 1
            return
        if path not in self._open:
            (self._folder / FOLDER).mkdir(exist_ok=True)
            self._open[path] = (self._folder / path).open("wb")
        self._open[path].write(orjson.dumps(row) + b"\n")
        self.rows_of[path] = self.rows_of.get(path, 0) + 1


def _messages(row: Row, name: str) -> list[dict[str, str]]:
    value = row.get(name)
    if not isinstance(value, list):
        return []
    return [{"role": str(each["role"]), "content": str(each["content"])} for each in value if isinstance(each, Mapping)]


def _plain(messages: Messages) -> bool:
    """Whether all of it is text of roles that every provider knows."""
    return all(message["role"] in _SPOKEN | _SYSTEM and message["content"].strip() for message in messages)


def _asked(messages: Messages) -> bool:
    return bool(messages) and _plain(messages) and messages[-1]["role"] == "user"


def _ends_with_assistant(messages: Messages) -> bool:
    return bool(messages) and _plain(messages) and messages[-1]["role"] == "assistant"


def _one_answer(messages: Messages) -> bool:
    return len(messages) == 1 and _ends_with_assistant(messages)


def _without_system(messages: Messages) -> tuple[str, list[Mapping[str, str]]]:
    """Instructions as one text, and what was said; nothing was said where somebody else than the two spoke."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] in _SYSTEM)
    spoken = [message for message in messages if message["role"] not in _SYSTEM]
    return system, spoken if all(message["role"] in _SPOKEN for message in spoken) else []


def _alternate(spoken: Messages) -> bool:
    """Whether the user begins and the two take turns."""
    roles = [message["role"] for message in spoken]
    return bool(roles) and roles == (["user", "assistant"] * len(roles))[: len(roles)]


def _reserved(messages: Messages) -> bool:
    return any(word in message["content"].lower() for message in messages for word in BEDROCK_RESERVED)


def _turn(message: Mapping[str, str]) -> dict[str, Any]:
    return {"role": message["role"], "content": [{"text": message["content"]}]}


def _bedrock(system: str, turns: list[dict[str, Any]]) -> dict[str, Any]:
    base: dict[str, Any] = {"schemaVersion": "bedrock-conversation-2024", "messages": turns}
    return {**base, "system": [{"text": system}]} if system else base


def _gemini(message: Mapping[str, str]) -> dict[str, Any]:
    role = "model" if message["role"] == "assistant" else "user"
    return {"role": role, "parts": [{"text": message["content"]}]}
