"""What a demonstration task holds, what a person writes, and what a project sets."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import (
    CONVERSATION_CHARACTERS_MAX,
    MESSAGE_CHARACTERS_MAX,
    MESSAGES_MAX,
    URL_CHARACTERS_MAX,
    Conversation,
    Message,
    Text,
)
from preceptor.tasktypes.writing.style import Rules
from preceptor.tasktypes.writing.turns import Turn, Written

SOURCES_MAX: Final = 30
TURNS_MAX: Final = MESSAGES_MAX
BRIEF_CHARACTERS_MAX: Final = 50_000
NOTE_CHARACTERS_MAX: Final = 20_000
TITLE_CHARACTERS_MAX: Final = 500
QUOTE_CHARACTERS_MAX: Final = 10_000
WORDS_LIMIT_MAX: Final = 100_000

Mode = Literal["answer", "conversation", "edit"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemonstrationPayload(_Shape):
    """What to write about. At least one of `prompt`, `brief` and `draft` is there.

    `prompt`: the conversation so far, which the writing goes on from; it may begin with a system message, and no tool
    speaks in it. `brief`: what is wanted, as Markdown for the writer alone, never part of the data. `draft`: a model's
    answer to be corrected, `draft_source` where it came from. `reference`: somebody else's good answer. Contributors
    see neither `draft_source` nor `reference`.
    """

    prompt: Conversation | None = None
    brief: Annotated[Text, Field(max_length=BRIEF_CHARACTERS_MAX)] = ""
    draft: Written | None = None
    draft_source: Annotated[Text, Field(max_length=200)] | None = None
    reference: Written | None = None

    @model_validator(mode="after")
    def _says_what_to_write(self) -> Self:
        if not self.prompt and not self.brief.strip() and not self.draft:
            raise ValueError("a task needs a prompt, a brief or a draft")
        if any(message.role == "tool" for message in self.prompt or ()):
            raise ValueError("demonstrations are written without tools; take tool messages out of the prompt")
        return self

    @property
    def messages(self) -> list[Message]:
        """The conversation so far; empty where there is none."""
        return self.prompt or []


class Source(_Shape):
    """Where a statement comes from: an address, what stands there, and the words that support it."""

    url: Annotated[Text, Field(max_length=URL_CHARACTERS_MAX)] = ""
    title: Annotated[Text, Field(max_length=TITLE_CHARACTERS_MAX)] = ""
    quote: Annotated[Text, Field(max_length=QUOTE_CHARACTERS_MAX)] = ""


class DemonstrationAnswer(_Shape):
    """What was written: `text` (an answer or a corrected draft) or `turns` (a conversation). Every draft fits.

    `note` is a remark for reviewers and the client; it is never trained on.
    """

    text: Written = ""
    turns: list[Turn] = Field(default=[], max_length=TURNS_MAX)
    sources: list[Source] = Field(default=[], max_length=SOURCES_MAX)
    note: Annotated[Text, Field(max_length=NOTE_CHARACTERS_MAX)] = ""

    @model_validator(mode="after")
    def _conversation_fits(self) -> Self:
        if sum(len(turn.content) for turn in self.turns) > CONVERSATION_CHARACTERS_MAX:
            raise ValueError(f"the conversation is longer than {CONVERSATION_CHARACTERS_MAX:,} characters")
        return self


class DemonstrationConfig(_Shape):
    """Settings of a demonstration project.

    Length limits and rules hold for the text; in conversations for every turn of the assistant by itself.
    """

    mode: Mode = Field(
        default="answer",
        title="What people write",
        description="The ideal answer to a prompt, a whole conversation, or a corrected draft",
    )
    instruction: Annotated[Text, Field(min_length=1, max_length=300)] | None = Field(
        default=None, title="Instruction", description="One line above the editor; empty for our own words"
    )
    words_min: int | None = Field(default=None, ge=0, le=WORDS_LIMIT_MAX, title="Fewest words")
    words_max: int | None = Field(default=None, ge=1, le=WORDS_LIMIT_MAX, title="Most words")
    characters_min: int | None = Field(default=None, ge=0, le=MESSAGE_CHARACTERS_MAX, title="Fewest characters")
    characters_max: int | None = Field(default=None, ge=1, le=MESSAGE_CHARACTERS_MAX, title="Most characters")
    turns_min: int = Field(default=2, ge=1, le=TURNS_MAX, title="Fewest turns", description="Of a conversation")
    turns_max: int = Field(default=20, ge=1, le=TURNS_MAX, title="Most turns", description="Of a conversation")
    allow_system: bool = Field(
        default=False, title="System message", description="Writers may begin a conversation with a system message"
    )
    sources_min: int = Field(default=0, ge=0, le=SOURCES_MAX, title="Sources required")
    sources_quote: bool = Field(
        default=False, title="Quote of each source", description="Every source needs the words that support the answer"
    )
    allow_unchanged: bool = Field(
        default=True, title="Drafts may stay as they are", description="A draft that is good already can be submitted"
    )
    note: Literal["off", "optional", "required"] = Field(
        default="optional", title="Remark for reviewers", description="Never part of the training data"
    )
    rules: Rules = Field(default=[], title="Style rules")
    release: Literal["best", "all"] = Field(
        default="best",
        title="Training rows",
        description="The best approved answer of each task, or every counted one",
    )

    @model_validator(mode="after")
    def _limits_agree(self) -> Self:
        for low, high, what in (
            (self.words_min, self.words_max, "words"),
            (self.characters_min, self.characters_max, "characters"),
            (self.turns_min, self.turns_max, "turns"),
        ):
            if low is not None and high is not None and low > high:
                raise ValueError(f"fewest {what} are more than most {what}")
        return self
