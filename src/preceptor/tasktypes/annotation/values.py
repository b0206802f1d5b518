"""The `value` of each type of result, as Label Studio writes it, with limits.

Sources: the "Sample Results JSON" of every tag in Label Studio's documentation. Keys beyond these are Label Studio's
own (geometry repeated in answers about a region, `text` of a span …) and are kept untouched.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, ValidationError

LABELS_MAX = 500
CHOSEN_MAX = 2_000
TEXTS_MAX = 500
TEXT_CHARACTERS_MAX = 200_000
POINTS_MAX = 10_000
KEYFRAMES_MAX = 20_000
RLE_BYTES_MAX = 1_900_000
FRAMES_MAX = 10_000_000

Finite = Annotated[float, Field(allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=-0.01, le=100.01, allow_inf_nan=False)]
# Turned boxes may begin outside of the image while most of them lies in it.
Loose = Annotated[float, Field(ge=-1_000, le=1_000, allow_inf_nan=False)]
Labels = Annotated[list[Annotated[str, Field(max_length=1_000)]], Field(max_length=LABELS_MAX)]
Offset = Annotated[int, Field(ge=0, le=100_000_000)]


def _plain_number(value: object) -> object:
    # Label Studio has written offsets and paragraph numbers as text and as numbers.
    return int(value) if isinstance(value, str) and value.isdecimal() and len(value) < 10 else value


AsNumber = Annotated[Offset, BeforeValidator(_plain_number)]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")


class ChoicesValue(_Value):
    """Chosen values; paths from the top where choices are nested."""

    choices: Annotated[list[str] | list[list[str]], Field(max_length=CHOSEN_MAX)]

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """The choices as paths."""
        return tuple((choice,) if isinstance(choice, str) else tuple(choice) for choice in self.choices)


class TaxonomyValue(_Value):
    """Chosen places of a tree, as paths from the top."""

    taxonomy: Annotated[list[list[str]], Field(max_length=CHOSEN_MAX)]

    @property
    def paths(self) -> tuple[tuple[str, ...], ...]:
        """The places as paths."""
        return tuple(tuple(path) for path in self.taxonomy)


class RatingValue(_Value):
    """Points."""

    rating: Annotated[float, Field(ge=0, le=100)]


class NumberValue(_Value):
    """A number."""

    number: Finite


class DateTimeValue(_Value):
    """A date, time, both, month or year as text."""

    datetime: Annotated[str, Field(max_length=100)]


class TextAreaValue(_Value):
    """Entries of text. Label Studio writes one entry as a list too."""

    text: Annotated[
        list[Annotated[str, Field(max_length=TEXT_CHARACTERS_MAX)]],
        Field(max_length=TEXTS_MAX),
        BeforeValidator(lambda value: [value] if isinstance(value, str) else value),
    ]


class PairwiseValue(_Value):
    """The better one."""

    selected: Literal["left", "right"]


class RankerValue(_Value):
    """Ids in order; by bucket where there are buckets. A plain list is Label Studio's older form."""

    ranker: dict[str, list[str]] | list[str]


class GlobalOffsets(_Value):
    """Offsets in the whole text of an HTML document, in UTF-16 units."""

    start: Offset
    end: Offset


class TextSpan(_Value):
    """A span of plain text: UTF-16 units, end exclusive."""

    start: AsNumber
    end: AsNumber
    text: str | None = None


class HtmlSpan(_Value):
    """A span of HTML: XPaths with offsets, and offsets in the whole text."""

    start: Annotated[str, Field(max_length=2_000)]
    end: Annotated[str, Field(max_length=2_000)]
    startOffset: Offset
    endOffset: Offset
    globalOffsets: GlobalOffsets | None = None
    text: str | None = None


class ParagraphSpan(_Value):
    """A span of a dialogue: paragraph numbers, and offsets within those paragraphs."""

    start: AsNumber
    end: AsNumber
    startOffset: Offset
    endOffset: Offset
    text: str | None = None


class TimeSpan(_Value):
    """Seconds of a recording."""

    start: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    end: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    channel: int | None = None


class Range(_Value):
    """A range of a time series in units of its time column; `instant` for a single moment."""

    start: Finite
    end: Finite
    instant: bool = False


class Frames(_Value):
    """Frames of a video, counted from 1, both ends included."""

    start: Annotated[int, Field(ge=0, le=FRAMES_MAX)]
    end: Annotated[int, Field(ge=0, le=FRAMES_MAX)]


class TimelineValue(_Value):
    """One range of frames in a list, as Label Studio keeps it."""

    ranges: Annotated[list[Frames], Field(min_length=1, max_length=1_000)]


class RectangleValue(_Value):
    """Percent of the image; turned clockwise by degrees about its top left corner."""

    x: Loose
    y: Loose
    width: Annotated[float, Field(ge=0, le=1_000)]
    height: Annotated[float, Field(ge=0, le=1_000)]
    rotation: Finite = 0.0


class EllipseValue(_Value):
    """Percent of the image; centre and radii, turned clockwise by degrees about the centre."""

    x: Loose
    y: Loose
    radiusX: Annotated[float, Field(ge=0, le=1_000)]
    radiusY: Annotated[float, Field(ge=0, le=1_000)]
    rotation: Finite = 0.0


class PolygonValue(_Value):
    """Corners in percent of the image."""

    points: Annotated[list[tuple[Loose, Loose]], Field(min_length=3, max_length=POINTS_MAX)]
    closed: bool = True


class KeyPointValue(_Value):
    """A point in percent of the image; `width` is the size of its mark."""

    x: Percent
    y: Percent
    width: Annotated[float, Field(ge=0, le=100)] = 0.0


class BrushValue(_Value):
    """A painted mask (see `brush`)."""

    format: Literal["rle"]
    rle: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=6, max_length=RLE_BYTES_MAX)]


class Keyframe(_Value):
    """Where a box is at a frame; `enabled` false: it is gone after this frame until the next keyframe."""

    frame: Annotated[int, Field(ge=0, le=FRAMES_MAX)]
    x: Loose
    y: Loose
    width: Annotated[float, Field(ge=0, le=1_000)]
    height: Annotated[float, Field(ge=0, le=1_000)]
    rotation: Finite = 0.0
    enabled: bool = True
    time: Finite | None = None


class VideoRectangleValue(_Value):
    """A box through a video."""

    sequence: Annotated[list[Keyframe], Field(min_length=1, max_length=KEYFRAMES_MAX)]
    framesCount: Annotated[int, Field(ge=0, le=FRAMES_MAX)] | None = None
    duration: Finite | None = None
    labels: Labels | None = None


class OcrValue(_Value):
    """A box on a page of a PDF, 0 to 1 of the page; pages count from 1."""

    x: Finite
    y: Finite
    width: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    height: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    rotation: Finite = 0.0
    pageIndex: Annotated[int, Field(ge=1, le=100_000)] = 1
    ocrtext: str | None = None


class ChatMessageValue(_Value):
    """A message that came as a prediction or was written into a chat."""

    chatmessage: dict[str, JsonValue]


BY_TYPE: dict[str, type[_Value]] = {
    "choices": ChoicesValue,
    "taxonomy": TaxonomyValue,
    "rating": RatingValue,
    "number": NumberValue,
    "datetime": DateTimeValue,
    "textarea": TextAreaValue,
    "pairwise": PairwiseValue,
    "ranker": RankerValue,
    "hypertextlabels": HtmlSpan,
    "paragraphlabels": ParagraphSpan,
    "timelinelabels": TimelineValue,
    "timeserieslabels": Range,
    "rectangle": RectangleValue,
    "rectanglelabels": RectangleValue,
    "ellipse": EllipseValue,
    "ellipselabels": EllipseValue,
    "polygon": PolygonValue,
    "polygonlabels": PolygonValue,
    "keypoint": KeyPointValue,
    "keypointlabels": KeyPointValue,
    "brush": BrushValue,
    "brushlabels": BrushValue,
    "videorectangle": VideoRectangleValue,
    "ocrlabels": OcrValue,
    "chatmessage": ChatMessageValue,
}

# What `labels` results hold depends on the object they lie on.
SPAN_BY_OBJECT: dict[str, type[_Value]] = {
    "Text": TextSpan,
    "HyperText": HtmlSpan,
    "Paragraphs": ParagraphSpan,
    "Audio": TimeSpan,
    "TimeSeries": Range,
}

AnyValue = _Value


class UnfitValue(ValueError):
    """A value does not have the form of its type; the message says where and why."""


def typed_value(result_type: str, object_tag: str, value: Mapping[str, JsonValue]) -> _Value | None:
    """The value in its type's form; None for a type without a form of its own (labels of shapes). UnfitValue else."""
    model = SPAN_BY_OBJECT.get(object_tag) if result_type == "labels" else BY_TYPE.get(result_type)
    if model is None:
        return None
    try:
        return model.model_validate(dict(value))
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in detail["loc"][:3])
        raise UnfitValue(f"{where}: {detail['msg']}") from None


def labels_in(value: Mapping[str, JsonValue], key: str) -> tuple[str, ...]:
    """The labels under a key, empty where there are none or they are no texts."""
    found = value.get(key)
    return tuple(label for label in found if isinstance(label, str)) if isinstance(found, list) else ()
