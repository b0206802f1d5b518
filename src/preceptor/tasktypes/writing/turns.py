"""Turns of a conversation that people write, and in which order they may stand."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypedDict

from pydantic import BaseModel, ConfigDict, Field

from preceptor.tasktypes.messages import MESSAGE_CHARACTERS_MAX, Text

Speaker = Literal["system", "user", "assistant"]
Written = Annotated[Text, Field(max_length=MESSAGE_CHARACTERS_MAX)]


class Turn(BaseModel):
    """One turn that a person wrote."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Speaker
    content: Written = ""


class AskedTurn(TypedDict):
    """A turn as it is sent to a model."""

    role: Speaker
    content: str


def order_problems(
    turns: Sequence[Turn], before: Sequence[str], *, allow_system: bool, last_word: Speaker
) -> Iterator[tuple[str, str]]:
    """Where the order is wrong, as (path, sentence): a system message first if at all, then user and assistant in
    turn, `last_word` at the end. `before` are the roles of the conversation that the turns go on from."""
    last = before[-1] if before else None
    for place, turn in enumerate(turns):
        path = f"{place}.role"
        if turn.role == "system":
            if not allow_system:
                yield path, f"Turn {place + 1}: this project takes no system message. Remove it."
            elif place > 0 or before:
                yield path, f"Turn {place + 1}: a system message stands first or not at all."
            continue
        if turn.role == last:
            other = "assistant" if last == "user" else "user"
            yield path, f"Turn {place + 1}: two turns of the {last} in a row. Put the {other} between them."
        elif turn.role == "assistant" and last not in ("user", "assistant"):
            yield path, f"Turn {place + 1}: the user speaks first."
        last = turn.role
    if turns and turns[-1].role != last_word:
        yield "", f"The {last_word} has the last word. Add its turn."


def key_of(turns: Sequence[Turn]) -> str:
    """Short fingerprint of a conversation, the same in the browser: FNV-1a over its UTF-8, and its length in bytes."""
    data = "\x1e".join(f"{turn.role}\x1f{turn.content}" for turn in turns).encode()
    hashed = 0x811C9DC5
    for byte in data:
        hashed = ((hashed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return f"{hashed:08x}-{len(data):x}"
