"""What an annotation task holds, what a person answers, and what a project sets."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, JsonValue, Tag

from preceptor.tasktypes.annotation.reading import plan_of
from preceptor.tasktypes.messages import Text, storable_text

RESULTS_MAX = 5_000
PREDICTIONS_MAX = 20
VALUE_LEAVES_MAX = 2_000_000
VALUE_CHARACTERS_MAX = 6_000_000
VALUE_DEPTH_MAX = 20
DATA_LEAVES_MAX = 500_000
DATA_CHARACTERS_MAX = 12_000_000
LABEL_CONFIG_CHARACTERS_MAX = 300_000

DEFAULT_CONFIG = """\
<View>
  <Text name="text" value="$text"/>
  <Choices name="sentiment" toName="text" choice="single" required="true">
    <Choice value="Positive"/>
    <Choice value="Neutral"/>
    <Choice value="Negative"/>
  </Choices>
</View>
"""


def measure(value: JsonValue, leaves_max: int, characters_max: int) -> None:
    """ValueError where JSON is deeper or larger than allowed, or holds text that no database keeps."""
    leaves = characters = 0
    waiting: list[tuple[JsonValue, int]] = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        if depth > VALUE_DEPTH_MAX:
            raise ValueError(f"is nested deeper than {VALUE_DEPTH_MAX}")
        if isinstance(current, list):
            waiting.extend((entry, depth + 1) for entry in current)
        elif isinstance(current, dict):
            for key, entry in current.items():
                characters += len(storable_text(key))
                waiting.append((entry, depth + 1))
        elif isinstance(current, str):
            characters += len(storable_text(current))
        leaves += 1
        if leaves > leaves_max or characters > characters_max:
            raise ValueError(f"holds more than {leaves_max:,} values or {characters_max:,} characters")


def _fits_value(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    measure(value, VALUE_LEAVES_MAX, VALUE_CHARACTERS_MAX)
    return value


def _fits_data(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    measure(value, DATA_LEAVES_MAX, DATA_CHARACTERS_MAX)
    return value


Name = Annotated[Text, Field(max_length=200)]
RegionId = Annotated[Text, Field(min_length=1, max_length=100)]
Value = Annotated[dict[str, JsonValue], AfterValidator(_fits_value)]
Data = Annotated[dict[str, JsonValue], AfterValidator(_fits_data)]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Region(_Shape):
    """One result of a control, in Label Studio's form. Results with one id speak of one region.

    `value` has the keys of its `type` (docs/task-types/annotation.md); keys that Label Studio adds are kept.
    `original_width`, `original_height`: pixels of the image. `original_length`: seconds of a recording.
    """

    id: RegionId
    from_name: Name
    to_name: Name
    type: Name
    value: Value
    origin: Name | None = None
    parentID: RegionId | None = None
    meta: Value | None = None
    score: float | None = None
    item_index: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    original_width: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    original_height: Annotated[float, Field(ge=0, le=1_000_000)] | None = None
    original_length: Annotated[float, Field(ge=0, le=10_000_000)] | None = None
    image_rotation: float | None = None
    hidden: bool | None = None
    readonly: bool | None = None
    locked: bool | None = None


class Relation(_Shape):
    """A relation between two regions: from the first to the second (`right`), back (`left`), or both ways (`bi`)."""

    type: Literal["relation"] = "relation"
    from_id: RegionId
    to_id: RegionId
    direction: Literal["left", "right", "bi"] = "right"
    labels: Annotated[list[Name], Field(max_length=50)] | None = None


def _result_kind(value: object) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return "relation" if kind == "relation" else "region"


Result = Annotated[Annotated[Region, Tag("region")] | Annotated[Relation, Tag("relation")], Discriminator(_result_kind)]


class Prediction(_Shape):
    """Pre-labels of a model: shown as suggestions that a person accepts, changes or drops."""

    result: list[Result] = Field(default_factory=list, max_length=RESULTS_MAX)
    model_version: Name | None = None
    score: float | None = None


class AnnotationPayload(_Shape):
    """The material of a task under the field names that the config refers to, and pre-labels.

    `order_seed` fixes the order of randomized choices for one person; it is drawn with each claim.
    """

    data: Data
    predictions: list[Prediction] = Field(default_factory=list, max_length=PREDICTIONS_MAX)
    meta: Value | None = None
    order_seed: Annotated[str, Field(pattern=r"^[0-9a-f]{1,16}$")] | None = None


class AnnotationAnswer(_Shape):
    """Everything that a person marked, chose and wrote, as Label Studio results."""

    result: list[Result] = Field(default_factory=list, max_length=RESULTS_MAX)

    @property
    def regions(self) -> Sequence[Region]:
        """The results of controls, in order."""
        return [result for result in self.result if isinstance(result, Region)]

    @property
    def relations(self) -> Sequence[Relation]:
        """The relations between regions, in order."""
        return [result for result in self.result if isinstance(result, Relation)]


def _usable(config: str) -> str:
    # A form of a page sends other line ends, and none at the end.
    written = config.replace("\r\n", "\n").strip()
    plan_of(written)
    return written


class AnnotationConfig(_Shape):
    """Settings of a project: the labeling config, and how answers are compared."""

    label_config: Annotated[Text, Field(max_length=LABEL_CONFIG_CHARACTERS_MAX), AfterValidator(_usable)] = Field(
        default=DEFAULT_CONFIG,
        title="Labeling config",
        description="What is shown and asked, in Label Studio's XML of object and control tags.",
        json_schema_extra={"widget": "preceptor-labeling-config"},
    )
    allow_empty: bool = Field(
        default=False,
        title="Empty answers",
        description="An answer without any mark can be submitted where the config requires nothing.",
    )
    span_match: Literal["exact", "overlap"] = Field(
        default="overlap",
        title="Comparing spans",
        description="Whether two spans agree only with the same borders, or by how much of them overlaps.",
    )
    text_unit: Literal["characters", "words"] = Field(
        default="characters",
        title="Comparing texts",
        description="Texts are compared by characters, or by words as in word error rate.",
    )
    match_at: Annotated[float, Field(ge=0.05, le=0.95)] = Field(
        default=0.5,
        title="Overlap of one object",
        description="From which overlap (intersection over union) marks of two people are taken for the same thing.",
    )
    show_predictions: bool = Field(
        default=True,
        title="Suggestions",
        description="Predictions that come with a task are shown as suggestions.",
    )
