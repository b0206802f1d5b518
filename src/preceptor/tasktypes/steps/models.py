"""What a task of step marks holds, what a person answers, and what a project sets."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Conversation, Text
from preceptor.tasktypes.spans import Quotes, Texts, plain_texts
from preceptor.tasktypes.steps.splitting import Cut, split_response

STEPS_MAX = 300
SOURCES_MAX = 20
URLS_MAX = 10
CATEGORIES_MAX = 30
TEXT_CHARACTERS_MAX = 200_000
COMMENT_CHARACTERS_MAX = 10_000
PROMPT = "prompt"
FINAL = "final"
DEFAULT_JOINER = "\n"

Verdict = Literal["correct", "neutral", "unsupported", "wrong"]
VERDICTS: tuple[Verdict, ...] = ("correct", "neutral", "unsupported", "wrong")
FAULTS: frozenset[Verdict] = frozenset({"unsupported", "wrong"})
Wish = Literal["none", "optional", "required"]
_HTTPS = re.compile(r"https?://[^\s\"'<>\\]{3,2040}\Z")


def _web_address(url: str) -> str:
    if not _HTTPS.match(url):
        raise ValueError("give a web address that begins with https://")
    return url


def _not_the_prompt(source_id: str) -> str:
    if source_id == PROMPT:
        raise ValueError(f"{PROMPT!r} names the prompt; name the source differently")
    return source_id


def _in_order(verdicts: list[Verdict]) -> list[Verdict]:
    return sorted(verdicts, key=VERDICTS.index)


Url = Annotated[str, AfterValidator(_web_address)]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
LongText = Annotated[Text, Field(min_length=1, max_length=TEXT_CHARACTERS_MAX)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(_Shape):
    """A document that steps are checked against."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$"), AfterValidator(_not_the_prompt)]
    title: Annotated[Text, Field(max_length=300)] = ""
    text: LongText
    url: Url | None = None


class StepsPayload(_Shape):
    """A prompt, a response in steps, and what to check it against.

    Give `steps`, or a whole `response`, which is then cut once, when the task is made (`cut`; rules in `splitting`)
    and kept as `steps`. The response is `joiner.join(steps)`. `final_answer` is what the response ends in,
    `reference` a known solution.
    """

    prompt: Conversation
    response: Annotated[Text, Field(max_length=TEXT_CHARACTERS_MAX)] | None = None
    steps: Annotated[list[LongText], Field(max_length=STEPS_MAX)] = []
    cut: Cut = "steps"
    joiner: Annotated[Text, Field(max_length=10)] = DEFAULT_JOINER
    sources: Annotated[list[Source], Field(max_length=SOURCES_MAX)] = []
    final_answer: LongText | None = None
    reference: LongText | None = None
    response_source: Annotated[Text, Field(max_length=200)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _cut_once(cls, given: object) -> object:
        if not isinstance(given, dict) or not isinstance(given.get("response"), str):
            return given
        if given.get("steps"):
            raise ValueError("give either the response as a whole or its steps, not both")
        kept = {key: value for key, value in given.items() if key not in ("response", "steps", "joiner")}
        cut: Cut = "sentences" if given.get("cut") == "sentences" else "steps"
        return {**kept, "steps": split_response(given["response"], cut), "joiner": ""}

    @model_validator(mode="after")
    def _can_be_marked(self) -> Self:
        if not self.steps:
            raise ValueError("there is no step to mark; give `steps`, or a `response` that is not blank")
        if any(not step.strip() for step in self.steps):
            raise ValueError("a step is blank; leave it out")
        if len({source.id for source in self.sources}) < len(self.sources):
            raise ValueError("two sources have the same id; give each its own")
        return self

    def texts(self) -> Texts:
        """Every text that can be quoted: the sources, and the prompt."""
        return {PROMPT: plain_texts(self.prompt), **{source.id: [source.text] for source in self.sources}}

    def before(self, step: int) -> str:
        """The response up to a step, as the text that the step follows."""
        return "".join(each + self.joiner for each in self.steps[:step])


class StepMark(_Shape):
    """What a person says of one step. `correction` is the step as it should read."""

    verdict: Verdict | None = None
    category: Key | None = None
    correction: Annotated[Text, Field(max_length=TEXT_CHARACTERS_MAX)] = ""
    comment: Annotated[Text, Field(max_length=COMMENT_CHARACTERS_MAX)] = ""
    quotes: Quotes = []
    urls: Annotated[list[Url], Field(max_length=URLS_MAX)] = []


class StepsAnswer(_Shape):
    """Marks by number of the step, from 0. Everything has a default, so that a draft of any state fits.

    In a JSON object the numbers are text (`"0"`). `final_correct`: whether the final answer is right.
    """

    marks: Annotated[dict[Annotated[int, Field(ge=0, lt=STEPS_MAX)], StepMark], Field(max_length=STEPS_MAX)] = {}
    final_correct: bool | None = None
    comment: Annotated[Text, Field(max_length=COMMENT_CHARACTERS_MAX)] = ""


class Category(_Shape):
    """A kind of error."""

    key: Key
    title: Annotated[Text, Field(min_length=1, max_length=80)]


DEFAULT_CATEGORIES = (
    Category(key="calculation", title="Calculation"),
    Category(key="reasoning", title="Reasoning"),
    Category(key="fact", title="Fact"),
    Category(key="misread", title="Misread the task"),
)


class StepsConfig(_Shape):
    """Settings of a project of step marks."""

    question: Annotated[Text, Field(min_length=1, max_length=300)] = Field(
        default="Is each step right, given the steps before it?", title="Question"
    )
    mode: Literal["all", "first_wrong"] = Field(
        default="all", title="How far", description="Mark every step, or only up to the first wrong one."
    )
    verdicts: Annotated[list[Verdict], Field(min_length=2, max_length=4), AfterValidator(_in_order)] = Field(
        default=["correct", "neutral", "wrong"],
        title="Marks",
        description="`correct` and `wrong` are always among them.",
    )
    categories: Annotated[list[Category], Field(max_length=CATEGORIES_MAX)] = Field(
        default=list(DEFAULT_CATEGORIES), title="Kinds of error"
    )
    category: Wish = Field(default="optional", title="Kind of error of a wrong step")
    correction: Wish = Field(default="optional", title="Corrected text of a wrong step")
    comment: Wish = Field(default="optional", title="Comment on a wrong step")
    evidence: Literal["none", "optional", "wrong", "every"] = Field(
        default="optional",
        title="Evidence",
        description=(
            "A quote from a source or a web address: for steps marked wrong, or for every step marked correct or wrong."
        ),
    )
    ask_final: bool = Field(default=True, title="Ask whether the final answer is right")
    cut_at_first_error: bool = Field(
        default=True,
        title="Training rows end at the first error",
        description="What follows a wrong step rests on it, so trainers of process rewards leave it out.",
    )
    neutral_is_good: bool = Field(default=True, title="A neutral step counts as good in training rows")

    @model_validator(mode="after")
    def _can_say_both(self) -> Self:
        if len(set(self.verdicts)) < len(self.verdicts) or not {"correct", "wrong"} <= set(self.verdicts):
            raise ValueError("the marks need `correct` and `wrong`, each named once")
        if len({category.key for category in self.categories}) < len(self.categories):
            raise ValueError("two kinds of error have the same key; give each its own")
        if self.category == "required" and not self.categories:
            raise ValueError("a kind of error is required but none is given")
        return self


def first_wrong(answer: StepsAnswer) -> int | None:
    """Number of the first step marked wrong; None where none is."""
    return min((at for at, mark in answer.marks.items() if mark.verdict == "wrong"), default=None)


def asked(payload: StepsPayload, answer: StepsAnswer, config: StepsConfig) -> range:
    """The steps that a mark is asked for: all, or those up to the first wrong one."""
    wrong = first_wrong(answer) if config.mode == "first_wrong" else None
    return range(len(payload.steps) if wrong is None else min(wrong + 1, len(payload.steps)))
