"""A generation over HTTP: what is asked, and the answer as server-sent events.

Events: `start` {generation}, unnamed {text} for each piece, `waiting` {why, seconds}, and at last `done` {generation,
outcome, text, html, error, finish_reason, retry_after_seconds}. `text` of `done` is what is kept, and what an answer
must quote. Who stands behind a blind name, and what it cost, is in none of them.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import orjson
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from preceptor.endpoints import asking
from preceptor.endpoints.asking import Ended, Step
from preceptor.endpoints.chat import Piece, Waiting
from preceptor.endpoints.service.generating import REQUEST_KEY_CHARACTERS_MAX, Begun
from preceptor.kit.ids import show_id
from preceptor.kit.markdown import render_markdown
from preceptor.kit.runtime import Runtime
from preceptor.tasktypes.messages import Text
from preceptor.work.service.generating import Question

MESSAGES_MAX = 200
MESSAGE_CHARACTERS_MAX = 50_000


class TurnIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: Annotated[Text, Field(min_length=1, max_length=MESSAGE_CHARACTERS_MAX)]


class QuestionIn(BaseModel):
    """A question to one of the project's models, on behalf of a claim."""

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=6, max_length=REQUEST_KEY_CHARACTERS_MAX, pattern=r"^[\x21-\x7e]+$")] = Field(
        description="New for each question; the same one again gives the same generation.", examples=["q-7f3a91c2"]
    )
    messages: list[TurnIn] = Field(min_length=1, max_length=MESSAGES_MAX)
    shown_as: Annotated[str, Field(max_length=8)] = Field(
        default="A", description="The name under which the person knows the model."
    )
    turn: Annotated[str, Field(max_length=80)] = Field(default="", description="A name of the turn of a conversation.")

    def question(self) -> Question:
        messages = [{"role": each.role, "content": each.content} for each in self.messages]
        return Question(self.key, messages, self.shown_as, self.turn)  # type: ignore[arg-type]  # the roles are checked


def streamed(runtime: Runtime, begun: Begun) -> StreamingResponse:
    """The steps of a generation as events. A listener who goes away ends nothing: it is recorded all the same."""
    return StreamingResponse(
        _events(begun, asking.listen(runtime, begun)),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(begun: Begun, steps: AsyncIterator[Step]) -> AsyncIterator[bytes]:
    yield _event("start", {"generation": show_id("generation", begun.generation.id)})
    async for step in steps:
        match step:
            case Piece(text):
                yield _event("", {"text": text})
            case Waiting(why, seconds):
                yield _event("waiting", {"why": why, "seconds": seconds})
            case Ended():
                yield _event("done", ended_fields(step))


def ended_fields(step: Ended) -> dict[str, object]:
    return {
        "generation": show_id("generation", step.generation_id),
        "outcome": step.outcome.value,
        "text": step.text,
        "html": render_markdown(step.text) if step.text else "",
        "error": step.error,
        "finish_reason": step.finish_reason,
        "retry_after_seconds": step.retry_after_seconds,
    }


def _event(name: str, data: dict[str, object]) -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(data) + b"\n\n"
