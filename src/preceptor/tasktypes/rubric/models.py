"""What a rubric task holds, what a person answers, and what a project sets.

`author`: experts write the criteria by which answers to a prompt are judged. `validate`: others judge each criterion.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from preceptor.tasktypes.messages import Conversation, Text
from preceptor.tasktypes.rating.reading import responses_of
from preceptor.tasktypes.rubric.reading import draft_of

CRITERIA_MAX = 60
SAMPLES_MAX = 4
STATEMENT_CHARACTERS_MAX = 1_000
RATIONALE_CHARACTERS_MAX = 5_000
POINTS_MAX = 100
MISSING_MAX = 20
CONTEXT_CHARACTERS_MAX = 200_000
QUESTIONS = ("self_contained", "checkable", "correct", "important")
"""What validators are asked about each criterion, in the order of asking."""

Kind = Literal["must", "should", "penalty"]
Decision = Literal["keep", "mend", "drop"]
Wish = Literal["none", "optional", "required"]
CriterionId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Comment = Annotated[Text, Field(max_length=RATIONALE_CHARACTERS_MAX)]
Statement = Annotated[Text, Field(max_length=STATEMENT_CHARACTERS_MAX)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RubricCriterion(_Shape):
    """One criterion of a rubric: a statement about an answer that is met or not.

    `points`: what meeting it is worth; negative for a penalty, whose statement says the fault. `rationale`: why it
    counts, or the source that it rests on. `fine`: codes of hints (see `lint`) that the author looked at and keeps.
    """

    id: CriterionId
    statement: Statement = ""
    kind: Kind = "must"
    points: Annotated[int, Field(ge=-POINTS_MAX, le=POINTS_MAX, strict=True)] = 0
    rationale: Comment = ""
    fine: Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=10)] = []


def _ids_differ(criteria: list[RubricCriterion]) -> list[RubricCriterion]:
    if len({criterion.id for criterion in criteria}) < len(criteria):
        raise ValueError("two criteria have the same id; give each its own")
    return criteria


RubricCriteria = Annotated[list[RubricCriterion], Field(max_length=CRITERIA_MAX), AfterValidator(_ids_differ)]


class SampleResponse(_Shape):
    """An answer to the prompt, as an example of what will be judged. `source` is never shown to contributors."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    messages: Conversation
    source: Annotated[Text, Field(max_length=200)] | None = None


class RubricPayload(_Shape):
    """A prompt to write or validate criteria for. `draft`: where authors start, and what validators judge."""

    prompt: Conversation
    context: Annotated[Text, Field(max_length=CONTEXT_CHARACTERS_MAX)] | None = None
    responses: Annotated[list[SampleResponse], Field(max_length=SAMPLES_MAX), BeforeValidator(responses_of)] = []
    draft: Annotated[RubricCriteria, BeforeValidator(draft_of)] = []

    @model_validator(mode="after")
    def _responses_differ(self) -> Self:
        if len({response.id for response in self.responses}) < len(self.responses):
            raise ValueError("two responses have the same id; give each its own")
        return self


class CriterionVerdict(_Shape):
    """What a validator says of one criterion. `proposal`: the mended statement."""

    self_contained: bool | None = None
    checkable: bool | None = None
    correct: bool | None = None
    important: bool | None = None
    decision: Decision | None = None
    proposal: Statement = ""
    comment: Comment = ""


class RubricAnswer(_Shape):
    """A rubric (author) or verdicts on one (validate). Everything has a default, so that every draft fits.

    `criteria` is None until an author has changed anything; then the task's draft stands. `missing`: statements that
    the rubric lacks.
    """

    criteria: RubricCriteria | None = None
    verdicts: Annotated[dict[str, CriterionVerdict], Field(max_length=CRITERIA_MAX)] = {}
    missing: Annotated[list[Statement], Field(max_length=MISSING_MAX)] = []
    comment: Comment = ""


class RubricConfig(_Shape):
    """Settings of a rubric project."""

    mode: Literal["author", "validate"] = Field(
        default="author", title="What people do", description="Write criteria, or judge criteria that others wrote."
    )
    question: Annotated[Text, Field(min_length=1, max_length=300)] = Field(
        default="By what would you know a good answer?", title="Question"
    )
    criteria_min: int = Field(default=3, ge=1, le=CRITERIA_MAX, title="Least criteria")
    criteria_max: int = Field(default=20, ge=1, le=CRITERIA_MAX, title="Most criteria")
    points_max: int = Field(
        default=10,
        ge=1,
        le=POINTS_MAX,
        title="Most points",
        description="A criterion gives or costs at most this much.",
    )
    points_total: int | None = Field(
        default=None,
        ge=1,
        le=POINTS_MAX * CRITERIA_MAX,
        title="Sum of points",
        description="What the points of all criteria that are no penalties must add up to. Empty for any sum.",
    )
    rationale: Wish = Field(default="optional", title="Reason or source of each criterion")
    hints: Literal["warn", "block"] = Field(
        default="warn",
        title="Hints on wording",
        description=(
            "Whether a hint (not self-contained, not checkable, two in one, close to another) must be mended or "
            "answered before submitting."
        ),
    )

    @model_validator(mode="after")
    def _limits_in_order(self) -> Self:
        if self.criteria_max < self.criteria_min:
            raise ValueError("the most criteria cannot be fewer than the least")
        return self


def written(payload: RubricPayload, answer: RubricAnswer) -> list[RubricCriterion]:
    """The rubric as the author has it: their own, or the task's draft while nothing was changed."""
    return payload.draft if answer.criteria is None else answer.criteria
