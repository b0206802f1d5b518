"""What is asked of a model and what comes back, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypedDict

from preceptor.endpoints.guard import Reach


class ChatMessage(TypedDict):
    """One turn in the Chat Completions shape; only text."""

    role: Literal["system", "user", "assistant"]
    content: str


class Outcome(StrEnum):
    """How a generation ended, or that it has not."""

    RUNNING = "running"
    FINISHED = "finished"
    """The model ended by itself, or at the length that was allowed."""
    CUT = "cut"
    """Some text came, and then the connection or the model broke off."""
    FAILED = "failed"
    """No text came."""
    LIMITED = "limited"
    """The endpoint asks to come back later (HTTP 429)."""


TOOK_PLACE = frozenset({Outcome.RUNNING, Outcome.FINISHED})
"""What counts towards a person's quota: what broke costs them nothing."""


@dataclass(frozen=True)
class Target:
    """Which server is asked for which model. `managed`: our own child, whose address needs no check."""

    base_url: str
    model: str
    api_key: str | None = field(default=None, repr=False)
    reach: Reach = Reach.PUBLIC
    managed: bool = False


@dataclass(frozen=True)
class Request:
    """A whole request. `options` are further fields of the Chat Completions request, such as `temperature`."""

    messages: Sequence[ChatMessage]
    options: Mapping[str, float | int | str]


@dataclass(frozen=True)
class Limits:
    """How long to wait and how much to take; seconds and characters."""

    connect_seconds: float = 10.0
    first_token_seconds: float = 90.0
    silence_seconds: float = 45.0
    """Between two pieces of a text that has begun."""
    total_seconds: float = 300.0
    text_characters: int = 100_000
    body_bytes: int = 32 * 1024 * 1024
    tries: int = 3
    """Before the first token only: afterwards a second try would cost twice and read differently."""
    backoff_seconds: float = 0.5
    """Doubles with each try."""
    retry_after_seconds: float = 8.0
    """A server that asks to wait no longer than this is waited for; longer is told to the person."""


@dataclass(frozen=True)
class Piece:
    """Some more text."""

    text: str


@dataclass(frozen=True)
class Waiting:
    """Nothing came yet; another try in so many seconds."""

    why: str
    seconds: float


@dataclass(frozen=True)
class Ending:
    """How it ended. Tokens are the endpoint's own count, None where it gave none."""

    outcome: Outcome
    error: str = ""
    """For the person who asked: what happened and what to do next. Never holds the key or the address."""
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    model_version: str | None = None
    first_token_ms: int | None = None
    latency_ms: int = 0
    retry_after_seconds: int | None = None
    tries: int = 1


Step = Piece | Waiting | Ending
