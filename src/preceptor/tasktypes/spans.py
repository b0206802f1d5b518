"""Quotes: a place in a text that somebody judged, kept so that it can be found and checked again.

A span names the text it stands in (`where`: a response, the prompt, a source), the message within it, and the
characters by offset. Offsets count Unicode code points of the message's text (`messages.plain_content`), as Python
does; `text` repeats the quoted characters, so that a quote can be read without its text and a moved text is noticed.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Message, Text, plain_content

QUOTE_CHARACTERS_MAX = 5_000
QUOTES_MAX = 10
WHERE_CHARACTERS_MAX = 64

Texts = Mapping[str, Sequence[str]]
"""Where a quote can stand: name of the text -> its messages as plain text."""


class Span(BaseModel):
    """A quoted piece of text: `start` is its first character, `end` the one after its last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    where: Annotated[str, Field(min_length=1, max_length=WHERE_CHARACTERS_MAX)]
    message: Annotated[int, Field(ge=0, strict=True)] = 0
    start: Annotated[int, Field(ge=0, strict=True)]
    end: Annotated[int, Field(ge=1, strict=True)]
    text: Annotated[Text, Field(min_length=1, max_length=QUOTE_CHARACTERS_MAX)]

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("a quote ends after it starts")
        return self


Quotes = Annotated[list[Span], Field(max_length=QUOTES_MAX)]


def plain_texts(messages: Sequence[Message]) -> list[str]:
    """The texts that spans of a conversation count in, message by message."""
    return [plain_content(message) for message in messages]


def span_problem(span: Span, texts: Texts) -> str | None:
    """Why the quote does not stand where it says, as a sentence; None when it does."""
    messages = texts.get(span.where)
    if messages is None:
        return f"There is no text {span.where!r} to quote from."
    if span.message >= len(messages):
        return f"{span.where!r} has no message {span.message}. Quote again."
    text = messages[span.message]
    if span.end > len(text):
        return f"The quote ends after the end of {span.where!r}. Quote again."
    if text[span.start : span.end] != span.text:
        return f"The quoted words do not stand at this place of {span.where!r}. Quote again."
    return None


def renamed(span: Span, names: Mapping[str, str]) -> Span:
    """The same quote with the text under another name; names that are not listed stay."""
    return span.model_copy(update={"where": names.get(span.where, span.where)})
