"""What a conversation task holds, what a person gives, and what a project decides about it."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.conversation.taxonomy import ERRORS, HARMS, TECHNIQUES
from preceptor.tasktypes.messages import Message, Text

MODELS_MAX = 4
TURNS_MAX = 50
NODES_MAX = 400
OPENING_MESSAGES_MAX = 40
BRIEF_CHARACTERS_MAX = 20_000
SYSTEM_CHARACTERS_MAX = 20_000
REPLY_CHARACTERS_MAX = 200_000
MARKS_PER_REPLY_MAX = 30
QUOTE_CHARACTERS_MAX = 20_000
COMMENT_CHARACTERS_MAX = 4_000
NOTES_CHARACTERS_MAX = 20_000
CATEGORIES_MAX = 60
TECHNIQUES_MAX = 40
SHOWN_NAMES = "ABCD"
TIE = "tie"
SCALE = 7
MIDDLE = 4
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")


def _is_key(text: str) -> str:
    if not _KEY.match(text):
        raise ValueError("use a short name of small letters, digits and _, such as role_play")
    return text


Key = Annotated[str, AfterValidator(_is_key)]
NodeId = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_-]+$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


# --- The task


class ConversationPayload(_Shape):
    """One scenario to talk to models about."""

    brief: Annotated[Text, Field(min_length=1, max_length=BRIEF_CHARACTERS_MAX, title="What to try")]
    """Markdown: what the person shall ask for or find out."""
    harm: Annotated[str, Field(max_length=40)] | None = None
    """The category that this scenario is about, by its key in the project's taxonomy."""
    persona: Annotated[Text, Field(max_length=2_000)] | None = None
    """Whom the person shall speak as."""
    system_prompt: Annotated[Text, Field(max_length=SYSTEM_CHARACTERS_MAX)] | None = None
    """Sent before everything."""
    show_system_prompt: bool = False
    """Whether people may read it, too."""
    opening: Annotated[list[Message], Field(max_length=OPENING_MESSAGES_MAX)] = []
    """How the conversation has begun; the person goes on from there."""
    models: Annotated[int, Field(ge=1, le=MODELS_MAX)] | None = None
    """How many models answer; without it as the project says."""
    min_turns: Annotated[int, Field(ge=1, le=TURNS_MAX)] | None = None
    max_turns: Annotated[int, Field(ge=1, le=TURNS_MAX)] | None = None

    @model_validator(mode="after")
    def _can_be_gone_on_from(self) -> Self:
        if any(message.role not in ("user", "assistant") for message in self.opening):
            raise ValueError("opening holds messages of user and assistant; a system prompt has its own field")
        if any(not isinstance(message.content, str) for message in self.opening):
            raise ValueError("opening messages are text")
        if self.opening and self.opening[-1].role != "assistant":
            raise ValueError("opening ends with a message of the assistant: the person speaks next")
        if self.min_turns and self.max_turns and self.min_turns > self.max_turns:
            raise ValueError("min_turns is more than max_turns")
        return self


# --- The answer


class Mark(_Shape):
    """Something wrong in a reply."""

    category: Key
    severity: Annotated[int, Field(ge=1, le=4)] | None = None
    technique: Key | None = None
    start: Annotated[int, Field(ge=0)] | None = None
    """Where the quoted words begin in the reply, in Unicode code points."""
    quote: Annotated[Text, Field(max_length=QUOTE_CHARACTERS_MAX)] = ""
    """The words that are meant; empty for the whole reply."""
    comment: Annotated[Text, Field(max_length=COMMENT_CHARACTERS_MAX)] = ""


class Node(_Shape):
    """A message in the tree. Replies name the generation that they are; only the server says who wrote them."""

    id: NodeId
    parent: NodeId | None = None
    """The message that this one follows; None after the opening."""
    role: Literal["user", "assistant"]
    text: Annotated[Text, Field(min_length=1, max_length=REPLY_CHARACTERS_MAX)]
    label: Annotated[str, Field(pattern=r"^[A-D]$")] | None = None
    """The blind name of who replied."""
    generation: Annotated[str, Field(max_length=60)] | None = None
    cut: bool = False
    """The reply broke off before its end."""
    chosen: bool = False
    """The reply that was judged best, or from which the conversation goes on."""
    rating: Annotated[int, Field(ge=1, le=SCALE)] | None = None
    marks: Annotated[list[Mark], Field(max_length=MARKS_PER_REPLY_MAX)] = []
    preference: Annotated[int, Field(ge=1, le=SCALE)] | None = None
    """On a message of the person with two replies: 1 A much better ... 4 the same ... 7 B much better."""
    model: Annotated[str, Field(pattern=r"^m[1-4]$")] | None = None
    """Which of the project's models replied; known after submitting."""
    source: Annotated[str, Field(max_length=400)] | None = None
    """Its name; known after submitting, to those who own the data."""


class Verdict(_Shape):
    """What the person says at the end about all of it."""

    failed: bool | None = None
    harm: Key | None = None
    winner: Annotated[str, Field(pattern=r"^([A-D]|m[1-4]|tie)$")] | None = None


class ConversationAnswer(_Shape):
    """A tree of turns with judgments. `models` and `labels` say how it was shown."""

    models: Annotated[int, Field(ge=1, le=MODELS_MAX)] = 1
    labels: Literal["conversation", "turn"] = "conversation"
    nodes: Annotated[list[Node], Field(max_length=NODES_MAX)] = []
    verdict: Verdict = Verdict()
    notes: Annotated[Text, Field(max_length=NOTES_CHARACTERS_MAX)] = ""


# --- The project


class Category(_Shape):
    """One kind of failure."""

    key: Key
    title: Annotated[Text, Field(min_length=1, max_length=80)]
    help: Annotated[Text, Field(max_length=400)] = ""
    group: Literal["harm", "error"] = "harm"


class Technique(_Shape):
    key: Key
    title: Annotated[Text, Field(min_length=1, max_length=80)]


def _categories() -> list[Category]:
    return [
        *(Category(key=key, title=title, help=words, group="harm") for key, title, words in HARMS),
        *(Category(key=key, title=title, help=words, group="error") for key, title, words in ERRORS),
    ]


def _techniques() -> list[Technique]:
    return [Technique(key=key, title=title) for key, title in TECHNIQUES]


class ConversationConfig(_Shape):
    """How people of a project talk to models and what they say about it."""

    models: Annotated[
        int,
        Field(ge=1, le=MODELS_MAX, title="Models that answer", description="Side by side; one is a plain chat."),
    ] = 2
    judge: Annotated[
        Literal["scale", "choose", "rate", "none"],
        Field(
            title="Judgment of each turn",
            json_schema_extra={
                "labels": {
                    "scale": "Seven points between two replies",
                    "choose": "Choose the best reply",
                    "rate": "Rate each reply 1 to 7",
                    "none": "Marks and verdict only",
                }
            },
        ),
    ] = "scale"
    labels: Annotated[
        Literal["conversation", "turn"],
        Field(
            title="Blind names",
            json_schema_extra={
                "labels": {"conversation": "A is the same model throughout", "turn": "Drawn anew for each turn"}
            },
        ),
    ] = "conversation"
    goal: Annotated[
        Text,
        Field(max_length=400, title="Goal", description="One sentence above the conversation."),
    ] = ""
    min_turns: Annotated[int, Field(ge=1, le=TURNS_MAX, title="Turns at least")] = 1
    max_turns: Annotated[int, Field(ge=1, le=TURNS_MAX, title="Turns at most", description="Along one path.")] = 10
    ask_failed: Annotated[bool, Field(title="Ask whether the model failed")] = False
    ask_winner: Annotated[
        bool, Field(title="Ask for the better model overall", description="Needs names that stay the same.")
    ] = True
    marks: Annotated[
        Literal["off", "optional", "when_failed"],
        Field(
            title="Marks of failures",
            json_schema_extra={
                "labels": {
                    "off": "None",
                    "optional": "Where people find something",
                    "when_failed": "At least one where the model failed",
                }
            },
        ),
    ] = "optional"
    severity_required: Annotated[bool, Field(title="Each mark needs a severity")] = False
    technique_required: Annotated[bool, Field(title="Each mark needs a technique")] = False
    categories: list[Category] = Field(default_factory=_categories, max_length=CATEGORIES_MAX, title="Kinds of failure")
    techniques: list[Technique] = Field(default_factory=_techniques, max_length=TECHNIQUES_MAX, title="Techniques")
    notes_min_chars: Annotated[int, Field(ge=0, le=5_000, title="Shortest closing remark")] = 0

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.min_turns > self.max_turns:
            raise ValueError("turns at least is more than turns at most")
        if self.judge == "scale" and self.models > 2:
            raise ValueError("the seven-point scale is for two models: choose the best one, or rate each")
        for name, listed in (("kind of failure", self.categories), ("technique", self.techniques)):
            if len({each.key for each in listed}) < len(listed):
                raise ValueError(f"a {name} is listed twice: keys must differ")
        return self

    @property
    def winner_asked(self) -> bool:
        """Names that change with each turn have no winner."""
        return self.ask_winner and self.labels == "conversation"


def models_shown(payload: ConversationPayload, config: ConversationConfig) -> int:
    """How many models answer in this task. A scale stays between two."""
    wanted = payload.models or config.models
    return min(wanted, 2) if config.judge == "scale" else wanted


def turns_wanted(payload: ConversationPayload, config: ConversationConfig) -> tuple[int, int]:
    """(least, most) turns along one path."""
    most = payload.max_turns or config.max_turns
    return min(payload.min_turns or config.min_turns, most), most
