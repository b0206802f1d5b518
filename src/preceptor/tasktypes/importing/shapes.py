"""Prompts and responses in the shapes that people keep them in, as chat messages."""

import re
from typing import Final, cast

from pydantic import JsonValue

RawMessage = dict[str, JsonValue]


class RowRefused(ValueError):
    """A row cannot become a task. `field` is the column in the file's own name, None for the row."""

    def __init__(self, problem: str, field: str | None = None) -> None:
        super().__init__(problem)
        self.field = field
        self.problem = problem


_SHAREGPT_ROLES: Final = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "system": "system",
}
_TURN = re.compile(r"(?:\A|\n\n)(Human|Assistant):[ \t]?")


def messages_of(value: JsonValue, role: str, column: str) -> list[RawMessage]:
    """Messages out of a text (one message of that role), a message, a choice, or a list of messages."""
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, dict):
        return [_message(value, role, column)]
    if isinstance(value, list) and value:
        return [_message(item, role, column) for item in value]
    raise RowRefused(f"Must be text or a list of messages, is {kind_of(value)}.", column)


def _message(value: JsonValue, role: str, column: str) -> RawMessage:
    if not isinstance(value, dict):
        raise RowRefused(f"A message must be an object with role and content, is {kind_of(value)}.", column)
    if isinstance(inner := value.get("message"), dict):
        value = inner
    elif "from" in value and "value" in value:
        value = {"role": _SHAREGPT_ROLES.get(str(value["from"]), value["from"]), "content": value["value"]}
    elif "role" not in value and isinstance(text := value.get("text", value.get("content")), str):
        return {"role": role, "content": text}
    if value.get("content") is None:
        raise RowRefused("A message has no content. Only text and images can be compared.", column)
    # Columnar files give every message every key of any message, as null.
    return {key: _without_nulls(given) for key, given in value.items() if given is not None}


def _without_nulls(value: JsonValue) -> JsonValue:
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return value


def transcript_of(text: str) -> list[RawMessage] | None:
    """Messages of a "Human: ... Assistant: ..." transcript (as in HH-RLHF), None where the text is not one."""
    if not re.match(r"\s*Human:", text) or "\n\nAssistant:" not in text:
        return None
    pieces = _TURN.split(text.strip())
    turns = list(zip(pieces[1::2], pieces[2::2], strict=True))
    if turns and turns[-1] == ("Assistant", ""):
        # The transcript of a prompt ends where the assistant is to speak.
        turns.pop()
    roles = {"Human": "user", "Assistant": "assistant"}
    return [cast("RawMessage", {"role": roles[who], "content": said.strip()}) for who, said in turns]


def kind_of(value: object) -> str:
    names = {
        type(None): "empty",
        bool: "true/false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), f"of type {type(value).__name__}")
