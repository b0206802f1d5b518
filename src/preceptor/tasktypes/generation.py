"""What a kind of work says about the models that its people may ask while they work.

A kind that names the service "generate" and nothing else is asked as a plain one: the shown name A is the project's
first model, B the second, and the messages go out as they came. One that implements `DirectsModels` decides itself.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypedDict, runtime_checkable

from pydantic import BaseModel

SHOWN_NAMES = "ABCDEFGHIJKLMNOP"


class Turn(TypedDict):
    """One message to a model; text only."""

    role: Literal["system", "user", "assistant"]
    content: str


@runtime_checkable
class DirectsModels(Protocol):
    """A kind that chooses which model answers, and what it is asked. Pure, like everything of a kind."""

    def model_place(
        self, shown_as: str, turn: str, order: Sequence[str], payload: BaseModel, config: BaseModel
    ) -> int | None:
        """Which of the project's models (from 0) stands behind a shown name in a turn; None where no such name is."""

    def model_messages(self, messages: Sequence[Turn], payload: BaseModel, config: BaseModel) -> list[Turn]:
        """What is sent: the person's messages with what the task puts before them."""

    def asked_of(
        self, payload: BaseModel, answer: BaseModel, config: BaseModel
    ) -> Mapping[str, tuple[str, str, list[Turn]]]:
        """Generation id -> (shown name, turn, messages) for every generation whose place in the answer says what it
        was asked; compared with what really was asked when the answer is submitted."""


def model_place(
    kind: object, shown_as: str, turn: str, order: Sequence[str], payload: BaseModel, config: BaseModel
) -> int | None:
    if isinstance(kind, DirectsModels):
        return kind.model_place(shown_as, turn, order, payload, config)
    return SHOWN_NAMES.index(shown_as) if len(shown_as) == 1 and shown_as in SHOWN_NAMES else None


def model_messages(kind: object, messages: Sequence[Turn], payload: BaseModel, config: BaseModel) -> list[Turn]:
    if isinstance(kind, DirectsModels):
        return kind.model_messages(messages, payload, config)
    return list(messages)
