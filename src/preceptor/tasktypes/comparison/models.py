"""What a comparison task holds, what a person answers, and what a project sets."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Conversation, Text

RESPONSES_MIN = 2
RESPONSES_MAX = 6
DIMENSIONS_MAX = 20
STRENGTH_MAX = 3
RATING_MAX = 7
JUSTIFICATION_CHARACTERS_MAX = 20_000
CONTEXT_CHARACTERS_MAX = 200_000
TIE = "tie"


def _free_of_meaning(response_id: str) -> str:
    if response_id == TIE:
        raise ValueError(f"{TIE!r} is the label of a tie; name the response differently")
    return response_id


ResponseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$"), AfterValidator(_free_of_meaning)]
DimensionKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Response(_Shape):
    """One model output. `source` names where it came from and is never shown to contributors."""

    id: ResponseId
    messages: Conversation
    source: Annotated[Text, Field(max_length=200)] | None = None


class ComparisonPayload(_Shape):
    """A prompt and the responses to compare. `context` is material for the judge that the model did not see."""

    prompt: Conversation
    responses: list[Response] = Field(min_length=RESPONSES_MIN, max_length=RESPONSES_MAX)
    context: Annotated[Text, Field(max_length=CONTEXT_CHARACTERS_MAX)] | None = None

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({response.id for response in self.responses}) < len(self.responses):
            raise ValueError("two responses have the same id; give each its own")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the responses in stored order."""
        return tuple(response.id for response in self.responses)


def competition_ranks(ranks: Mapping[str, int]) -> dict[str, int]:
    """The same order as standard competition ranks: 1, 2, 2, 4 (one more than the number ranked better)."""
    values = sorted(ranks.values())
    return {name: values.index(rank) + 1 for name, rank in ranks.items()}


Ranks = Annotated[
    dict[str, Annotated[int, Field(ge=1, le=1_000, strict=True)]],
    Field(max_length=RESPONSES_MAX),
    AfterValidator(competition_ranks),
]
Rating = Annotated[int, Field(ge=1, le=RATING_MAX, strict=True)]
Ratings = Annotated[
    dict[str, Annotated[dict[str, Rating], Field(max_length=RESPONSES_MAX)]], Field(max_length=DIMENSIONS_MAX)
]


class ComparisonAnswer(_Shape):
    """A judgment. Everything has a default, so that a draft of any state fits.

    `ranks`: response id to rank, 1 is best, equal ranks are ties; always kept as competition ranks.
    `strength`: for two responses, how much better the better one is, 1 slightly to 3 much, 0 the same.
    `both_bad`: no response is acceptable; alone (without ranks) it reads as all equally bad.
    `ratings`: dimension key to response id to 1-7.
    """

    ranks: Ranks = {}
    strength: Annotated[int, Field(ge=0, le=STRENGTH_MAX, strict=True)] | None = None
    both_bad: bool = False
    ratings: Ratings = {}
    justification: Annotated[Text, Field(max_length=JUSTIFICATION_CHARACTERS_MAX)] = ""


class Dimension(_Shape):
    """A quality that each response is rated on, 1 to 7."""

    key: DimensionKey
    title: Annotated[Text, Field(min_length=1, max_length=80, title="Quality")]
    help: Annotated[Text, Field(max_length=500, title="What it means")] = ""
    required: bool = Field(default=True, title="Always rated")


class ComparisonConfig(_Shape):
    """Settings of a comparison project.

    `ranking`: `full` asks for a rank of every response, `partial` for at least two. What a partial ranking
    leaves out it says nothing about. `scale_strength` asks, for two responses, how much better.
    """

    question: Annotated[
        Text,
        Field(
            min_length=1, max_length=300, title="Question", description="Stands over the responses in the workspace."
        ),
    ] = "Which response is better?"
    dimensions: list[Dimension] = Field(
        default=[], max_length=DIMENSIONS_MAX, title="Qualities", description="Each is rated from 1 to 7; optional."
    )
    ranking: Literal["full", "partial"] = Field(
        default="full",
        title="What has to be ranked",
        description="With a partial ranking, what is left out says nothing; for many responses.",
        json_schema_extra={"labels": {"full": "Every response", "partial": "At least two"}},
    )
    scale_strength: bool = Field(default=True, title="Ask how much better, for two responses")
    allow_ties: bool = Field(
        default=True, title="Allow “the same”", description="An honest tie says more than a coin that was thrown."
    )
    allow_both_bad: bool = Field(default=False, title="Allow “both are bad”")
    justification_min_chars: int = Field(
        default=20,
        ge=0,
        le=2_000,
        title="Shortest reason, in characters",
        description="Every judgment comes with a written reason of at least this length; 0 makes it optional.",
    )

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if len({dimension.key for dimension in self.dimensions}) < len(self.dimensions):
            raise ValueError("two dimensions have the same key; give each its own")
        return self
