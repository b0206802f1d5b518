"""What a prompt task asks for, what a person writes, and what a project sets."""

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import CONVERSATION_CHARACTERS_MAX, MESSAGE_CHARACTERS_MAX, Text
from preceptor.tasktypes.writing.style import Rules
from preceptor.tasktypes.writing.turns import Turn, Written

BRIEF_CHARACTERS_MAX: Final = 50_000
NOTES_CHARACTERS_MAX: Final = 50_000
CONSTRAINTS_MAX: Final = 30
EXAMPLES_MAX: Final = 20
EXISTING_MAX: Final = 200
TURNS_MAX: Final = 21
TAGS_MAX: Final = 20
CHOICES_MAX: Final = 100
RUNS_MAX: Final = 10
MODELS_MAX: Final = 4
MODEL_NAMES: Final = "ABCD"
RUNS_KEPT_MAX: Final = 40
"""Runs that an answer may carry, those of earlier wordings included."""
REASON_CHARACTERS_MAX: Final = 5_000
REASON_CHARACTERS_MIN: Final = 10

Short = Annotated[Text, Field(min_length=1, max_length=80)]
Asked = Literal["off", "optional", "required"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PromptPayload(_Shape):
    """A brief. At least one of `topic` and `brief` is there.

    `constraints`: what the prompt must keep to, each ticked off by its writer. `rules`: what can be checked by itself,
    beside the project's rules. `examples`: prompts that show what is meant; they must not be repeated. `must_fail`:
    a model has to fail at the prompt; `fails_because`: why it is expected to. `existing`: prompts that the client has
    already and nobody sees; they must not be repeated either.
    """

    topic: Annotated[Text, Field(max_length=200)] = ""
    difficulty: Annotated[Text, Field(max_length=80)] = ""
    brief: Annotated[Text, Field(max_length=BRIEF_CHARACTERS_MAX)] = ""
    constraints: list[Annotated[Text, Field(min_length=1, max_length=500)]] = Field(
        default=[], max_length=CONSTRAINTS_MAX
    )
    rules: Rules = []
    examples: list[Annotated[Text, Field(min_length=1, max_length=20_000)]] = Field(default=[], max_length=EXAMPLES_MAX)
    must_fail: bool = False
    fails_because: Annotated[Text, Field(max_length=5_000)] = ""
    existing: list[Annotated[Text, Field(min_length=1, max_length=20_000)]] = Field(default=[], max_length=EXISTING_MAX)

    @model_validator(mode="after")
    def _says_what_to_write(self) -> Self:
        if not self.topic.strip() and not self.brief.strip():
            raise ValueError("a task needs a topic or a brief")
        return self


class Run(_Shape):
    """One answer of a model to the prompt as it was, and what its writer says of it.

    `prompt_key` is the fingerprint of the prompt that was run (`writing.turns.key_of`); a run of an earlier wording
    no longer counts. `verdict` is empty until it is judged. `generation` names what the server recorded: whoever
    submits a text that was not given so is refused. `shown_as` is the model's blind name; `source` the model itself,
    which the server adds when the answer is submitted.
    """

    generation: Annotated[Text, Field(max_length=80)] | None = None
    shown_as: Annotated[Text, Field(max_length=8)] = "A"
    source: Annotated[Text, Field(max_length=300)] | None = None
    prompt_key: Annotated[str, Field(max_length=40)] = ""
    text: Written = ""
    verdict: Literal["", "fail", "ok"] = ""
    reason: Annotated[Text, Field(max_length=REASON_CHARACTERS_MAX)] = ""


class PromptAnswer(_Shape):
    """A prompt and what its writer says about it. Every draft fits.

    `messages`: an optional system message, then turns of user and assistant that end with the user. `reference`: a
    right answer. `grading`: how to tell a right answer from a wrong one. `why_fails`: what makes it hard for a model.
    `constraints_met`: places in the brief's constraints that the writer has ticked off. `runs_waived`: the desk offered
    no model to run, and the requirement was let go; reviewers see it.
    """

    messages: list[Turn] = Field(default=[], max_length=TURNS_MAX)
    difficulty: Annotated[Text, Field(max_length=80)] = ""
    tags: list[Short] = Field(default=[], max_length=TAGS_MAX)
    reference: Annotated[Text, Field(max_length=MESSAGE_CHARACTERS_MAX)] = ""
    grading: Annotated[Text, Field(max_length=NOTES_CHARACTERS_MAX)] = ""
    why_fails: Annotated[Text, Field(max_length=NOTES_CHARACTERS_MAX)] = ""
    constraints_met: list[Annotated[int, Field(ge=0, lt=CONSTRAINTS_MAX)]] = Field(
        default=[], max_length=CONSTRAINTS_MAX
    )
    runs: list[Run] = Field(default=[], max_length=RUNS_KEPT_MAX)
    runs_waived: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sum(len(turn.content) for turn in self.messages) > CONVERSATION_CHARACTERS_MAX:
            raise ValueError(f"the prompt is longer than {CONVERSATION_CHARACTERS_MAX:,} characters")
        if sum(len(run.text) for run in self.runs) > CONVERSATION_CHARACTERS_MAX:
            raise ValueError(f"the models' answers are longer than {CONVERSATION_CHARACTERS_MAX:,} characters")
        return self


class PromptConfig(_Shape):
    """Settings of a prompt-writing project. Length limits and rules hold for what the user says."""

    instruction: Annotated[Text, Field(min_length=1, max_length=300)] = Field(
        default="Write a prompt that meets the brief", title="Instruction"
    )
    system: Asked = Field(default="optional", title="System message")
    user_turns_max: int = Field(
        default=1, ge=1, le=10, title="User turns", description="1 for single prompts; more for conversations"
    )
    words_min: int | None = Field(default=None, ge=0, le=100_000, title="Fewest words")
    words_max: int | None = Field(default=None, ge=1, le=100_000, title="Most words")
    characters_min: int | None = Field(default=None, ge=0, le=MESSAGE_CHARACTERS_MAX, title="Fewest characters")
    characters_max: int | None = Field(default=None, ge=1, le=MESSAGE_CHARACTERS_MAX, title="Most characters")
    rules: Rules = Field(default=[], title="Style rules")
    difficulties: list[Short] = Field(
        default=["easy", "medium", "hard"],
        max_length=10,
        title="Levels of difficulty",
        description="From easy to hard; writers claim one. None: difficulty is not asked for",
    )
    tags: list[Short] = Field(default=[], max_length=CHOICES_MAX, title="Topic tags to choose from")
    free_tags: bool = Field(default=True, title="Own tags", description="Writers may add tags that are not listed")
    tags_min: int = Field(default=0, ge=0, le=TAGS_MAX, title="Tags required")
    reference: Asked = Field(default="optional", title="Reference answer")
    grading: Asked = Field(default="optional", title="Grading notes", description="How to tell right from wrong")
    why_fails: Asked = Field(default="off", title="Why a model fails")
    runs: int = Field(
        default=0,
        ge=0,
        le=RUNS_MAX,
        title="Runs of the project's models",
        description="How many answers of models the writer judges. Waived where no model endpoint is offered",
    )
    fails_min: int = Field(default=0, ge=0, le=RUNS_MAX, title="Failures required", description="Of those runs")
    models: int = Field(
        default=1, ge=1, le=MODELS_MAX, title="Models run", description="The first of the project's models, in turn"
    )
    warn_likeness: float = Field(
        default=0.5, ge=0.1, le=1, title="Warn from likeness", description="Share of five-character runs in common"
    )
    refuse_likeness: float = Field(default=0.8, ge=0.1, le=1, title="Refuse from likeness")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        for low, high, what in (
            (self.words_min, self.words_max, "words"),
            (self.characters_min, self.characters_max, "characters"),
        ):
            if low is not None and high is not None and low > high:
                raise ValueError(f"fewest {what} are more than most {what}")
        if self.fails_min > self.runs:
            raise ValueError("more failures are required than runs")
        if self.warn_likeness > self.refuse_likeness:
            raise ValueError("the likeness that warns must not be above the one that refuses")
        if len(set(self.difficulties)) < len(self.difficulties) or len(set(self.tags)) < len(self.tags):
            raise ValueError("a level or tag stands twice; keep one")
        if self.tags_min and not self.tags and not self.free_tags:
            raise ValueError("tags are required but there is none to choose and none may be added")
        return self
