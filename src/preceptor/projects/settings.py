"""What a client sets in a project, with limits; the shape that pages, API and demo fill in."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from preceptor.kit.money import CURRENCIES
from preceptor.people import content
from preceptor.projects.models import OverlapMode, ReviewMode
from preceptor.tasktypes.base import Row
from preceptor.tasktypes.messages import Text

TITLE_CHARACTERS_MAX = 200
SUMMARY_CHARACTERS_MAX = 2_000
GUIDELINES_CHARACTERS_MAX = 200_000
CRITERIA_MAX = 30
RATE_MINOR_MAX = 10**9


def _known_currency(currency: str) -> str:
    if currency not in CURRENCIES:
        raise ValueError(f"use one of {', '.join(sorted(CURRENCIES))}")
    return currency


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text.strip()


Title = Annotated[Text, Field(min_length=1, max_length=TITLE_CHARACTERS_MAX), AfterValidator(_not_blank)]
Summary = Annotated[Text, Field(max_length=SUMMARY_CHARACTERS_MAX)]
Overlap = Annotated[int, Field(ge=1, le=100)]
LeaseSeconds = Annotated[int, Field(ge=60, le=604_800)]
ExpectedSeconds = Annotated[int, Field(ge=1, le=604_800)]
Percent = Annotated[int, Field(ge=0, le=100)]
WaitSeconds = Annotated[int, Field(ge=60, le=90 * 86_400)]
RateMinor = Annotated[int, Field(ge=0, le=RATE_MINOR_MAX)]
Currency = Annotated[str, AfterValidator(_known_currency)]
Confidence = Annotated[float, Field(gt=0.5, lt=1)]
PriceLimitMinor = Annotated[int, Field(ge=1, le=RATE_MINOR_MAX)]
GoldPercent = Annotated[int, Field(ge=0, le=50)]
Standard = Annotated[float, Field(gt=0, lt=1)]
ContentRatings = Annotated[
    list[str], Field(max_length=len(content.RATINGS)), AfterValidator(lambda given: list(content.known(given)))
]
AppealSeconds = Annotated[int, Field(ge=86_400, le=90 * 86_400)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ProjectSettings(_Shape):
    """Everything that makes a new project. `config` empty means the task type's template."""

    title: Title
    summary: Summary = ""
    task_type: str = "comparison"
    config: Row | None = None
    overlap: Overlap = 1
    lease_seconds: LeaseSeconds = 1_800
    expected_seconds: ExpectedSeconds = 180
    review_percent: Percent = 20
    review_seconds: WaitSeconds = 3 * 86_400
    revision_seconds: WaitSeconds = 2 * 86_400
    blind_review: bool = True
    rate_minor: RateMinor = 0
    """Pay for one judgment, in minor units of `currency`."""
    currency: Currency = "USD"
    qualification_id: UUID | None = None
    overlap_mode: OverlapMode = OverlapMode.FIXED
    overlap_floor: Overlap = 3
    overlap_cap: Overlap = 7
    confidence: Confidence = 0.95
    """Posterior probability at which adaptive overlap stops asking."""
    price_limit_minor: PriceLimitMinor | None = None
    """Most that adaptive overlap spends on one task; None for no limit but the cap."""
    gold_percent: GoldPercent = 0
    standard: Standard = 0.7
    """Accuracy that is expected of people."""
    review_mode: ReviewMode = ReviewMode.RANDOM
    risk_percent: Percent = 0
    double_percent: Percent = 0
    gold_review_percent: GoldPercent = 0
    appeal_seconds: AppealSeconds = 14 * 86_400
    content_ratings: ContentRatings = []
    """What the material may show; people choose what they want to see."""
    data_source: Annotated[str, Field(pattern=r"^(recorded|simulated)$")] | None = None

    @model_validator(mode="after")
    def _floor_within_cap(self) -> Self:
        if self.overlap_floor > self.overlap_cap:
            raise ValueError("the floor of adaptive overlap lies above its cap")
        return self


CLEARABLE = frozenset({"qualification_id", "price_limit_minor"})
"""Settings for which None is a value."""


class ProjectChanges(_Shape):
    """The fields to change; what is not set stays.

    `qualification_id=None` set explicitly opens the project to everyone, `price_limit_minor=None` lifts the limit.
    """

    title: Title | None = None
    summary: Summary | None = None
    config: Row | None = None
    overlap: Overlap | None = None
    lease_seconds: LeaseSeconds | None = None
    expected_seconds: ExpectedSeconds | None = None
    review_percent: Percent | None = None
    review_seconds: WaitSeconds | None = None
    revision_seconds: WaitSeconds | None = None
    blind_review: bool | None = None
    rate_minor: RateMinor | None = None
    currency: Currency | None = None
    qualification_id: UUID | None = None
    overlap_mode: OverlapMode | None = None
    overlap_floor: Overlap | None = None
    overlap_cap: Overlap | None = None
    confidence: Confidence | None = None
    price_limit_minor: PriceLimitMinor | None = None
    gold_percent: GoldPercent | None = None
    standard: Standard | None = None
    review_mode: ReviewMode | None = None
    risk_percent: Percent | None = None
    double_percent: Percent | None = None
    gold_review_percent: GoldPercent | None = None
    appeal_seconds: AppealSeconds | None = None
    content_ratings: ContentRatings | None = None

    def wanted(self) -> dict[str, object]:
        """The fields that were given, by name."""
        given = self.model_dump(exclude_unset=True)
        return {name: value for name, value in given.items() if value is not None or name in CLEARABLE}


class Criterion(_Shape):
    """One thing that a reviewer judges, with its scale and what points on it mean."""

    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Annotated[Text, Field(min_length=1, max_length=120), AfterValidator(_not_blank)]
    description: Annotated[Text, Field(max_length=2_000)] = ""
    scale_min: Annotated[int, Field(ge=0, le=10)] = 1
    scale_max: Annotated[int, Field(ge=1, le=10)] = 5
    weight: Annotated[float, Field(gt=0, le=100)] = 1.0
    anchors: Annotated[dict[str, Annotated[Text, Field(max_length=500)]], Field(max_length=11)] = {}

    @model_validator(mode="after")
    def _anchors_on_scale(self) -> Self:
        if self.scale_min >= self.scale_max:
            raise ValueError("the scale must have at least two points")
        points = {str(point) for point in range(self.scale_min, self.scale_max + 1)}
        off = sorted(self.anchors.keys() - points)
        if off:
            raise ValueError(f"the anchor {off[0]!r} is not on the scale")
        return self


class Rubric(_Shape):
    """The criteria of one rubric version."""

    criteria: Annotated[list[Criterion], Field(min_length=1, max_length=CRITERIA_MAX)]

    @model_validator(mode="after")
    def _keys_differ(self) -> Self:
        if len({criterion.key for criterion in self.criteria}) < len(self.criteria):
            raise ValueError("two criteria have the same key; give each its own")
        return self


class Guidelines(_Shape):
    """The Markdown text of one guidelines version."""

    body: Annotated[Text, Field(max_length=GUIDELINES_CHARACTERS_MAX), AfterValidator(_not_blank)]


BATCH_TASKS_MAX = 1_000


class TaskIn(_Shape):
    """One task to add. `external_id` is the client's own name of it: sending it again changes nothing.

    `gold` is the known answer of a gold task and is never shown to contributors; `imported_answer` is a judgment
    that exists already. Both name responses by the ids of the payload.
    """

    external_id: Annotated[Text, Field(min_length=1, max_length=200), AfterValidator(_not_blank)]
    payload: Row
    priority: Annotated[int, Field(ge=1, le=9)] = 5
    """1 is most urgent, 9 least."""
    overlap: Overlap | None = None
    topic: Annotated[Text, Field(min_length=1, max_length=200)] | None = None
    gold: Row | None = None
    gold_explanation: Annotated[Text, Field(max_length=5_000)] | None = None
    imported_answer: Row | None = None
    content_ratings: ContentRatings = []
    """What this task may show beyond what its project says."""
