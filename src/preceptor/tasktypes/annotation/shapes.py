"""Marks of an answer in one geometry: spans, times, areas, points, masks, tracks.

Image coordinates are percent of each side, as in results; areas and angles are taken in pixels where the size of the
image is known (`original_width`, `original_height`), else as if it were square.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, radians, sin

from pydantic import JsonValue

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.brush import BrokenMask, Mask, decode
from preceptor.tasktypes.annotation.material import Paragraphs, Words
from preceptor.tasktypes.annotation.models import AnnotationAnswer, Region

ELLIPSE_CORNERS = 128
Point = tuple[float, float]


@dataclass(frozen=True)
class Span:
    """A span of text in UTF-16 units of the whole text, end exclusive."""

    start: int
    end: int


@dataclass(frozen=True)
class Times:
    """A stretch of time or frames on one channel; length 0 for a moment."""

    start: float
    end: float
    channel: int = 0


@dataclass(frozen=True)
class Area:
    """A filled outline: corners in percent; `width` and `height` of the image give the aspect ratio.

    `axis_aligned` marks a box without rotation.
    """

    corners: tuple[Point, ...]
    width: float = 100.0
    height: float = 100.0
    axis_aligned: bool = False

    @cached_property
    def pixels(self) -> tuple[Point, ...]:
        """Corners in units of equal length both ways."""
        return tuple((x * self.width / 100, y * self.height / 100) for x, y in self.corners)


@dataclass(frozen=True)
class Spot:
    """A point in percent of an image of that size."""

    x: float
    y: float
    width: float = 100.0
    height: float = 100.0


@dataclass(frozen=True, eq=False)
class Painted:
    """A mask, packed as in results."""

    packed: Sequence[int]
    width: int
    height: int

    @cached_property
    def mask(self) -> Mask:
        """Rows of booleans. BrokenMask where the bytes do not fit."""
        return decode(self.packed, self.width, self.height)


@dataclass(frozen=True)
class Track:
    """A box through a video: keyframes in order."""

    keyframes: tuple[values.Keyframe, ...]
    frames: int | None = None


Shape = Span | Times | Area | Spot | Painted | Track


@dataclass(frozen=True)
class Mark:
    """One region of an answer: where it is, its labels by the control that gave them, and what was asked about it.

    `control`: the control that drew it. `page`: page of a document or image, from 0. `answers`: results of
    per-region controls.
    """

    id: str
    object: str
    control: str
    shape: Shape | None
    labels: Mapping[str, frozenset[str]]
    page: int
    result: Region
    answers: tuple[Region, ...] = ()

    @property
    def all_labels(self) -> frozenset[str]:
        """Labels from whatever control."""
        return frozenset(label for found in self.labels.values() for label in found)


def turned_box(x: float, y: float, width: float, height: float, rotation: float, size: Point) -> Area:
    """A box turned clockwise about its top left corner; the angle is one of the picture, not of its percents."""
    if rotation % 360 == 0:
        return Area(((x, y), (x + width, y), (x + width, y + height), (x, y + height)), *size, axis_aligned=True)
    angle, (across, down) = radians(rotation), size
    wide, high = width * across / 100, height * down / 100
    corners = []
    for right, below in ((0.0, 0.0), (wide, 0.0), (wide, high), (0.0, high)):
        dx, dy = right * cos(angle) - below * sin(angle), right * sin(angle) + below * cos(angle)
        corners.append((x + dx * 100 / across, y + dy * 100 / down))
    return Area(tuple(corners), *size)


def turned_ellipse(value: values.EllipseValue, size: Point) -> Area:
    """An ellipse as a polygon of `ELLIPSE_CORNERS` corners (its area is right to 0.04 %)."""
    angle, (across, down) = radians(value.rotation), size
    a, b = value.radiusX * across / 100, value.radiusY * down / 100
    corners = []
    for step in range(ELLIPSE_CORNERS):
        t = 2 * pi * step / ELLIPSE_CORNERS
        right, below = a * cos(t), b * sin(t)
        dx, dy = right * cos(angle) - below * sin(angle), right * sin(angle) + below * cos(angle)
        corners.append((value.x + dx * 100 / across, value.y + dy * 100 / down))
    return Area(tuple(corners), *size)


def _size(region: Region) -> Point:
    if region.original_width and region.original_height:
        return region.original_width, region.original_height
    return 100.0, 100.0


def shape_of(region: Region, target: Node | None, board: Board) -> Shape | None:
    """The shape of a region's result; None where its value has no shape or not the right form."""
    try:
        value = values.typed_value(region.type, target.tag if target else "", region.value)
    except values.UnfitValue:
        return None
    match value:
        case values.TextSpan():
            return Span(value.start, value.end)
        case values.HtmlSpan():
            offsets = value.globalOffsets
            return Span(offsets.start, offsets.end) if offsets else None
        case values.ParagraphSpan():
            return _in_dialogue(value, target)
        case values.TimeSpan():
            return Times(value.start, value.end, value.channel or 0)
        case values.Range():
            return Times(value.start, value.end)
        case values.TimelineValue():
            # Frames are counted and include both ends; as times they fill the place of the last frame too.
            return Times(value.ranges[0].start - 1, value.ranges[0].end)
        case values.RectangleValue():
            return turned_box(value.x, value.y, value.width, value.height, value.rotation, _size(region))
        case values.OcrValue():
            box = (value.x * 100, value.y * 100, value.width * 100, value.height * 100)
            return turned_box(*box, value.rotation, _size(region))
        case values.EllipseValue():
            return turned_ellipse(value, _size(region))
        case values.PolygonValue():
            return Area(tuple(value.points), *_size(region))
        case values.KeyPointValue():
            return Spot(value.x, value.y, *_size(region))
        case values.BrushValue():
            width, height = _size(region)
            return Painted(value.rle, int(width), int(height))
        case values.VideoRectangleValue():
            ordered = sorted(value.sequence, key=lambda keyframe: keyframe.frame)
            return Track(tuple(ordered), value.framesCount)
        case _:
            return None


def _in_dialogue(value: values.ParagraphSpan, target: Node | None) -> Span | None:
    if target is None or not isinstance(target.material, Paragraphs):
        return None
    starts = paragraph_starts(target.material)
    if value.start >= len(starts) or value.end >= len(starts):
        return None
    return Span(starts[value.start] + value.startOffset, starts[value.end] + value.endOffset)


def utf16(text: str) -> int:
    """Length of a text as browsers count it."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def paragraph_starts(material: Paragraphs) -> list[int]:
    """Where each paragraph begins when all stand below each other, a line break between them."""
    starts, at = [], 0
    for paragraph in material.paragraphs:
        starts.append(at)
        at += utf16(paragraph.text) + 1
    return starts


def full_text(node: Node) -> str | None:
    """The text that an object's spans count in; None where it has none or it lies at an address."""
    match node.material:
        case Words(text):
            return text
        case Paragraphs(paragraphs):
            return "\n".join(paragraph.text for paragraph in paragraphs)
        case _:
            return None


def between(text: str, start: int, end: int) -> str:
    """The part of a text between two UTF-16 offsets."""
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[start * 2 : end * 2].decode("utf-16-le", "replace")


def in_characters(text: str, offset: int) -> int:
    """A UTF-16 offset as an index into a Python string."""
    return len(between(text, 0, offset))


def labels_of(region: Region, control: Node) -> frozenset[str]:
    """The labels that a result gives, under whichever key its type has."""
    keys = [control.spec.label_key] if control.spec.label_key else ["labels"]
    return frozenset(label for key in keys for label in values.labels_in(region.value, key))


def marks_of(answer: AnnotationAnswer, board: Board) -> dict[str, Mark]:
    """All regions of an answer by id, in order, with labels and answers about them put together."""
    drawn: dict[str, Mark] = {}
    for region in answer.regions:
        if region.type == "chatmessage" and region.from_name in board.objects:
            drawn[region.id] = Mark(region.id, region.from_name, region.from_name, None, {}, 0, region)
            continue
        control = board.controls.get(region.from_name)
        if control is None or not control.spec.shape or only_labels(control, board):
            continue
        target = board.target(control)
        labels = labels_of(region, control)
        drawn[region.id] = Mark(
            id=region.id,
            object=region.to_name,
            control=control.name,
            shape=shape_of(region, target, board),
            labels={control.name: labels} if labels or control.spec.labels_regions else {},
            page=_page(region.value, region.item_index),
            result=region,
        )
    return _completed(drawn, answer, board)


def only_labels(control: Node, board: Board) -> bool:
    """Whether a control labels shapes that another control draws: `Labels` on images and videos."""
    target = board.target(control)
    return control.tag == "Labels" and (target is None or target.tag not in values.SPAN_BY_OBJECT)


def _page(value: Mapping[str, JsonValue], item_index: int | None) -> int:
    page = value.get("pageIndex")
    if isinstance(page, int) and not isinstance(page, bool):
        return max(page - 1, 0)
    return item_index or 0


def _completed(drawn: Mapping[str, Mark], answer: AnnotationAnswer, board: Board) -> dict[str, Mark]:
    extra_labels: dict[str, dict[str, frozenset[str]]] = {}
    asked: dict[str, list[Region]] = {}
    for region in answer.regions:
        control, mark = board.controls.get(region.from_name), drawn.get(region.id)
        if control is None or mark is None or region is mark.result:
            continue
        if control.spec.labels_regions:
            extra_labels.setdefault(mark.id, {})[control.name] = labels_of(region, control)
        elif not control.spec.shape:
            asked.setdefault(mark.id, []).append(region)
    return {
        mark.id: Mark(
            mark.id,
            mark.object,
            mark.control,
            mark.shape,
            {**mark.labels, **extra_labels.get(mark.id, {})},
            mark.page,
            mark.result,
            tuple(asked.get(mark.id, ())),
        )
        for mark in drawn.values()
    }


__all__ = ["Area", "BrokenMask", "Mark", "Painted", "Shape", "Span", "Spot", "Times", "Track", "marks_of"]
