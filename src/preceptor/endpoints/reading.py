"""One answer as it arrives: events into text, usage and reason, with limits."""

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from preceptor.endpoints.chat import Ending, Outcome
from preceptor.endpoints.sse import EventReader

DONE = "[DONE]"
MODEL_VERSION_CHARACTERS_MAX = 200
ERROR_CHARACTERS_MAX = 300
CHUNKS_BAD_MAX = 20
"""Events that are no JSON are passed over (keep-alives of odd proxies), but not for ever."""


class TextTooLong(ValueError):
    """The text is longer than one answer may be."""


class ErrorInStream(ValueError):
    """The server says in the stream that it failed. `passing`: it may do better in a moment."""

    def __init__(self, words: str, *, passing: bool) -> None:
        super().__init__(words)
        self.passing = passing


class Answer:
    """Collects what came. `began` once there is text, `done` once the server said that it is all."""

    def __init__(self, characters_max: int) -> None:
        self._characters_max = characters_max
        self._events = EventReader()
        self._body = bytearray()
        self._half = ""
        self._characters = 0
        self._bad = 0
        self._finish_reason: str | None = None
        self._tokens: tuple[int | None, int | None] = (None, None)
        self._version: str | None = None
        self._first: float | None = None
        self.done = False

    @property
    def began(self) -> bool:
        return self._first is not None

    def feed(self, chunk: bytes) -> Iterator[str]:
        """New text out of a chunk of a stream."""
        yield from self._texts(self._events.feed(chunk))

    def keep(self, chunk: bytes) -> Iterator[str]:
        """A chunk of an answer that comes in one JSON document, although a stream was asked for."""
        self._body += chunk
        return iter(())

    def close(self, *, streamed: bool) -> Iterator[str]:
        """What is left when the server closed. A reason to finish counts as the end even without `[DONE]`."""
        if streamed:
            yield from self._texts(self._events.end())
            self.done = self.done or self._finish_reason is not None
        elif (whole := _json(bytes(self._body))) is not None:
            yield from self._take(whole)
            self.done = True

    def ending(self, started: float, error: str = "", outcome: Outcome = Outcome.FINISHED) -> Ending:
        if outcome is Outcome.FINISHED and not self.began:
            error, outcome = "The model answered with nothing.", Outcome.FAILED
        return Ending(
            outcome,
            error=error,
            finish_reason=self._finish_reason,
            input_tokens=self._tokens[0],
            output_tokens=self._tokens[1],
            model_version=self._version,
            first_token_ms=None if self._first is None else round((self._first - started) * 1000),
            latency_ms=round((time.monotonic() - started) * 1000),
        )

    def _texts(self, events: Iterable[str]) -> Iterator[str]:
        for event in events:
            if event.strip() == DONE:
                self.done = True
                return
            parsed = _json(event.encode())
            if parsed is None:
                self._note_bad()
                continue
            yield from self._take(parsed)

    def _note_bad(self) -> None:
        self._bad += 1
        if self._bad > CHUNKS_BAD_MAX:
            raise ErrorInStream("it does not speak the Chat Completions protocol.", passing=False)

    def _take(self, chunk: dict[str, Any]) -> Iterator[str]:
        if chunk.get("error"):
            raise _error(chunk["error"])
        self._note(chunk)
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(first, dict):
            return
        content = _content(first.get("delta")) or _content(first.get("message"))
        if content and (text := self._whole(content)):
            yield text
        if isinstance(first.get("finish_reason"), str):
            self._finish_reason = first["finish_reason"][:40]

    def _note(self, chunk: dict[str, Any]) -> None:
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            self._tokens = (_count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens")))
        model, fingerprint = chunk.get("model"), chunk.get("system_fingerprint")
        if isinstance(model, str) and model:
            version = f"{model} ({fingerprint})" if isinstance(fingerprint, str) and fingerprint else model
            self._version = _clean(version)[:MODEL_VERSION_CHARACTERS_MAX]

    def _whole(self, text: str) -> str:
        """The text, storable: halves of a character that were sent apart joined, others and NUL replaced."""
        text = self._half + text
        self._half = ""
        if "\ud800" <= text[-1] <= "\udbff":
            self._half, text = text[-1], text[:-1]
        text = _clean(text)
        self._characters += len(text)
        if self._characters > self._characters_max:
            raise TextTooLong
        if text and self._first is None:
            self._first = time.monotonic()
        return text


def _clean(text: str) -> str:
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return joined.replace("\0", "\ufffd")


def _json(data: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return _lenient(data)
    return found if isinstance(found, dict) else None


def _lenient(data: bytes) -> dict[str, Any] | None:
    """Halves of a character in JSON escapes are refused by the fast parser and taken by the standard one."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _content(message: object) -> str:
    """Text of a delta or message: a string, or parts of which the texts are joined."""
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _error(error: object) -> ErrorInStream:
    said = error.get("message") if isinstance(error, dict) else error
    kind = str(error.get("type", "")) + str(error.get("code", "")) if isinstance(error, dict) else ""
    passing = any(word in kind for word in ("overloaded", "rate_limit", "server_error", "timeout", "503", "529"))
    words = _clean(said)[:ERROR_CHARACTERS_MAX] if isinstance(said, str) and said else "no reason was given."
    return ErrorInStream(words, passing=passing)
