"""What a rating task holds, what a person answers, and what a project sets."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Conversation, Text
from preceptor.tasktypes.rating.reading import anchors_of, criteria_of_rows, responses_of
from preceptor.tasktypes.spans import Quotes, Texts, plain_texts

RESPONSES_MAX = 6
CRITERIA_MAX = 60
POINTS_MAX = 11
SCALE_TOP = 100
WEIGHT_MAX = 1_000.0
COMMENT_CHARACTERS_MAX = 10_000
REFERENCE_CHARACTERS_MAX = 200_000
PROMPT = "prompt"
REFERENCE = "reference"
CONTEXT = "context"
NOT_APPLICABLE = "n/a"
_RESERVED = frozenset({PROMPT, REFERENCE, CONTEXT})

Kind = Literal["likert", "check", "scale"]
Wish = Literal["none", "optional", "required"]
Evidence = Literal["none", "optional", "required", "required_if_yes"]


def _not_a_place(response_id: str) -> str:
    if response_id in _RESERVED:
        raise ValueError(f"{response_id!r} names another text of the task; name the response differently")
    return response_id


ResponseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$"), AfterValidator(_not_a_place)]
CriterionKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Criterion(_Shape):
    """One thing that each response is judged on.

    `kind`: `likert` (1 to `points`), `check` (yes or no: 1 or 0) or `scale` (1 to 100). `weight` may be negative for
    a fault that costs points when it is there. `anchors` say what points mean, by point as text (`"1"`, `"5"`,
    `"100"`; `"0"` and `"1"` for no and yes). `required_if_yes` asks for a quote only where a check is met.
    """

    key: CriterionKey
    title: Annotated[Text, Field(min_length=1, max_length=500)] = Field(title="Title")
    description: Annotated[Text, Field(max_length=2_000)] = Field(
        default="", title="Description", json_schema_extra={"widget": "textarea"}
    )
    kind: Kind = Field(default="likert", title="Kind", description="Likert points, yes or no, or a number to 100.")
    points: int = Field(default=5, ge=2, le=POINTS_MAX, title="Points", description="Of a Likert scale.")
    weight: float = Field(
        default=1.0,
        ge=-WEIGHT_MAX,
        le=WEIGHT_MAX,
        allow_inf_nan=False,
        title="Weight",
        description="Share in the weighted score. Negative for a fault that costs points.",
    )
    anchors: Annotated[dict[str, Annotated[Text, Field(max_length=300)]], BeforeValidator(anchors_of)] = Field(
        default={}, title="Anchors", description="What points mean, by point.", max_length=POINTS_MAX
    )
    required: bool = Field(default=True, title="Required")
    allow_na: bool = Field(default=False, title="May be “not applicable”")
    evidence: Evidence = Field(default="optional", title="Quotes", description="Whether a score needs a quote.")
    comment: Wish = Field(default="optional", title="Comment")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        outside = [at for at in self.anchors if not at.isdecimal() or int(at) not in self.values]
        if outside:
            raise ValueError(
                f"anchors {outside} are no values of {self.key!r}, which go from {self.values[0]} to {self.values[-1]}"
            )
        if self.evidence == "required_if_yes" and self.kind != "check":
            raise ValueError("only a yes/no criterion can ask for a quote where the answer is yes")
        return self

    @property
    def values(self) -> range:
        """Every value that can be given, worst first."""
        if self.kind == "check":
            return range(2)
        return range(1, (self.points if self.kind == "likert" else SCALE_TOP) + 1)

    def share(self, value: float) -> float:
        """A value as a share of the way from worst (0) to best (1)."""
        return (value - self.values[0]) / (self.values[-1] - self.values[0])

    def said(self, value: int) -> str:
        """A value in words: `yes`, `4 of 5`, `72 of 100`."""
        if self.kind == "check":
            return "yes" if value else "no"
        return f"{value} of {self.values[-1]}"


def _keys_differ(criteria: list[Criterion]) -> list[Criterion]:
    if len({criterion.key for criterion in criteria}) < len(criteria):
        raise ValueError("two criteria have the same key; give each its own")
    return criteria


Criteria = Annotated[
    list[Criterion],
    Field(min_length=1, max_length=CRITERIA_MAX),
    BeforeValidator(criteria_of_rows),
    AfterValidator(_keys_differ),
]


class RatedResponse(_Shape):
    """One model output. `source` names where it came from and is never shown to contributors."""

    id: ResponseId
    messages: Conversation
    source: Annotated[Text, Field(max_length=200)] | None = None


class RatingPayload(_Shape):
    """A prompt and the responses to score.

    `reference` is a good answer to hold the responses against; `context` is material for the judge that the model
    did not see. `criteria` are those of this one task and take the place of the project's.
    """

    prompt: Conversation
    responses: Annotated[list[RatedResponse], BeforeValidator(responses_of)] = Field(
        min_length=1, max_length=RESPONSES_MAX
    )
    reference: Annotated[Text, Field(min_length=1, max_length=REFERENCE_CHARACTERS_MAX)] | None = None
    context: Annotated[Text, Field(max_length=REFERENCE_CHARACTERS_MAX)] | None = None
    criteria: Criteria | None = None

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        if len({response.id for response in self.responses}) < len(self.responses):
            raise ValueError("two responses have the same id; give each its own")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the responses in stored order."""
        return tuple(response.id for response in self.responses)

    def texts(self) -> Texts:
        """Every text that can be quoted."""
        texts = {PROMPT: plain_texts(self.prompt)}
        texts |= {response.id: plain_texts(response.messages) for response in self.responses}
        if self.reference is not None:
            texts[REFERENCE] = [self.reference]
        if self.context:
            texts[CONTEXT] = [self.context]
        return texts


class Mark(_Shape):
    """What one response gets on one criterion.

    `value` in the criterion's own points (a check: 1 yes, 0 no); None with `na` where it does not apply.
    """

    value: Annotated[int, Field(ge=0, le=SCALE_TOP, strict=True)] | None = None
    na: bool = False
    quotes: Quotes = []
    comment: Annotated[Text, Field(max_length=COMMENT_CHARACTERS_MAX)] = ""


Marks = Annotated[dict[str, Mark], Field(max_length=CRITERIA_MAX)]


class RatingAnswer(_Shape):
    """Scores by response and criterion. Everything has a default, so that a draft of any state fits.

    `overall`: response -> points of the overall scale. `reference_opened`: the reference was held back until all
    was scored, and the person has opened it.
    """

    scores: Annotated[dict[str, Marks], Field(max_length=RESPONSES_MAX)] = {}
    overall: Annotated[
        dict[str, Annotated[int, Field(ge=1, le=POINTS_MAX, strict=True)]], Field(max_length=RESPONSES_MAX)
    ] = {}
    comment: Annotated[Text, Field(max_length=COMMENT_CHARACTERS_MAX)] = ""
    reference_opened: bool = False


DEFAULT_CRITERIA = (
    Criterion(
        key="correct",
        title="Correct",
        description="What it states is true, and nothing that is needed is missing.",
        weight=3,
        anchors={"1": "misleads", "3": "right in the main", "5": "no fault found"},
    ),
    Criterion(
        key="helpful",
        title="Helpful",
        description="It does what was asked, in the form that was asked for.",
        weight=2,
        anchors={"1": "beside the point", "5": "all that was asked"},
    ),
    Criterion(
        key="clear",
        title="Clear",
        description="Easy to follow, as long as it has to be and no longer.",
        weight=1,
        anchors={"1": "hard to follow", "5": "reads by itself"},
    ),
)


class RatingConfig(_Shape):
    """Settings of a rating project."""

    question: Annotated[Text, Field(min_length=1, max_length=300)] = Field(
        default="How good is each response?", title="Question"
    )
    criteria: Criteria = Field(
        default=list(DEFAULT_CRITERIA),
        title="Criteria",
        description="What responses are scored on. A task that brings criteria of its own is scored on those.",
    )
    per_task: bool = Field(
        default=False,
        title="Tasks bring their own criteria",
        description="Agreement on criteria that come with tasks is then measured together, as one aspect.",
    )
    reference: Literal["beside", "after"] = Field(
        default="beside",
        title="Reference answer",
        description="Shown beside the responses, or held back by the page until all is scored.",
    )
    overall: Wish = Field(default="none", title="Overall score")
    overall_points: int = Field(default=7, ge=2, le=POINTS_MAX, title="Points of the overall score")
    margin_min: float = Field(
        default=0.1,
        ge=0.01,
        le=1.0,
        title="Least difference of a pair",
        description="Two responses become a preference pair when their weighted scores (0 to 1) differ by this much.",
    )
    threshold: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        title="Good from",
        description="Weighted score from which a response counts as good in the table of single labels.",
    )


def criteria_of(payload: RatingPayload, config: RatingConfig) -> Sequence[Criterion]:
    """The criteria that a task is scored on: its own before the project's."""
    return payload.criteria or config.criteria


def by_key(payload: RatingPayload, config: RatingConfig) -> Mapping[str, Criterion]:
    """The same by key, in their order."""
    return {criterion.key: criterion for criterion in criteria_of(payload, config)}
