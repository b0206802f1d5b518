"""An annotation in words."""

from collections import Counter

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import Board
from preceptor.tasktypes.annotation.models import AnnotationAnswer, Region
from preceptor.tasktypes.annotation.shapes import between, full_text, labels_of
from preceptor.tasktypes.annotation.visibility import Sight
from preceptor.tasktypes.base import Words

DETAILS_MAX = 60
EXCERPT_CHARACTERS = 120
_HEADLINE_PARTS = 4


def in_words(board: Board, answer: AnnotationAnswer) -> Words:
    """What was chosen and how much was marked in one line; every result in the details."""
    sight = Sight(board, answer)
    parts = [part for part in (_summary(board, sight, name) for name in board.controls) if part]
    if answer.relations:
        parts.append(f"{len(answer.relations)} relation{'s' * (len(answer.relations) > 1)}")
    headline = "; ".join(parts[:_HEADLINE_PARTS]) + ("; …" if len(parts) > _HEADLINE_PARTS else "")
    details = tuple(
        (region.from_name, text) for region in answer.regions[:DETAILS_MAX] if (text := _text(region, board))
    )
    return Words(headline or "nothing marked", details)


def _summary(board: Board, sight: Sight, name: str) -> str:
    control = board.controls[name]
    results = sight.results.get(name, ())
    if not results:
        return ""
    if control.spec.labels_regions or control.spec.shape:
        counted = Counter(label for region in results for label in sorted(labels_of(region, control)))
        if counted:
            return ", ".join(f"{times} {label}" for label, times in counted.most_common(_HEADLINE_PARTS))
        return f"{len(results)} {control.tag.lower()}{'s' * (len(results) > 1)}"
    if len(results) > 1:
        return f"{name}: {len(results)} answers"
    return f"{name}: {_shortened(_text(results[0], board))}"


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EXCERPT_CHARACTERS else f"{line[: EXCERPT_CHARACTERS - 1]}…"


def _text(region: Region, board: Board) -> str:
    control = board.controls.get(region.from_name)
    target = board.target(control) if control else None
    try:
        value = values.typed_value(region.type, target.tag if target else "", region.value)
    except values.UnfitValue:
        return region.type
    labels = ", ".join(sorted(labels_of(region, control))) if control else ""
    match value:
        case values.ChoicesValue() | values.TaxonomyValue():
            return ", ".join(" / ".join(path) for path in value.paths)
        case values.RatingValue():
            return f"{value.rating:g}"
        case values.NumberValue():
            return f"{value.number:g}"
        case values.DateTimeValue():
            return value.datetime
        case values.TextAreaValue():
            return "\n".join(value.text)
        case values.PairwiseValue():
            return value.selected
        case values.RankerValue():
            groups = value.ranker if isinstance(value.ranker, dict) else {"": value.ranker}
            return "; ".join(f"{name}: {', '.join(items)}".lstrip(": ") for name, items in groups.items())
        case values.TextSpan():
            whole = full_text(target) if target else None
            text = value.text if value.text is not None else between(whole or "", value.start, value.end)
            return f"{labels}: {_shortened(text)}"
        case values.HtmlSpan() | values.ParagraphSpan():
            return f"{labels}: {_shortened(value.text or '')}"
        case values.TimeSpan() | values.Range():
            return f"{labels}: {value.start:g} to {value.end:g}"
        case values.TimelineValue():
            return f"{labels}: frames {value.ranges[0].start} to {value.ranges[0].end}"
        case _:
            return labels or region.type
