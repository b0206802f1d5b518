"""What still keeps an annotation from being submitted."""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import Board, Node, Option
from preceptor.tasktypes.annotation.brush import BrokenMask
from preceptor.tasktypes.annotation.material import Columns, Items, Pages, Paragraphs
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, Region
from preceptor.tasktypes.annotation.shapes import (
    Area,
    Mark,
    Painted,
    Span,
    Spot,
    Times,
    Track,
    full_text,
    labels_of,
    only_labels,
    utf16,
)
from preceptor.tasktypes.annotation.visibility import Sight
from preceptor.tasktypes.base import Problem

PROBLEMS_MAX = 200
OUTSIDE_TOLERANCE = 0.01
"""Percent of the image: what rounding may put outside of it."""
_STEP_TOLERANCE = 1e-6
_ONLY_ONCE = frozenset({"choices", "taxonomy", "rating", "number", "datetime", "textarea", "pairwise", "ranker"})


def problems(board: Board, answer: AnnotationAnswer, config: AnnotationConfig) -> list[Problem]:
    """All problems of an answer, at most `PROBLEMS_MAX`; paths are names of controls."""
    sight = Sight(board, answer)
    found = [*_owned(sight), *_values(sight), *_regions(sight), *_relations(sight), *_required(sight)]
    if not found and not answer.result and not config.allow_empty and not _owes_nothing_on_purpose(board):
        found.append(Problem("", "Nothing is answered yet."))
    return found[:PROBLEMS_MAX]


def _owes_nothing_on_purpose(board: Board) -> bool:
    """A config that requires some things says by that what may be left empty. What it requires of regions says nothing
    about having none."""
    return any(control.flag("required") and not control.flag("perRegion") for control in board.controls.values())


def _owned(sight: Sight) -> Iterator[Problem]:
    """Every result belongs to a control of the config and to its object, and has its type."""
    board = sight.board
    for region in sight.answer.regions:
        control = board.controls.get(region.from_name)
        if control is None:
            if not (region.type == "chatmessage" and region.from_name in board.objects):
                yield Problem(region.from_name, f"The config has no control named {region.from_name!r}.")
            continue
        if region.type != control.spec.result:
            yield Problem(
                region.from_name, f"{region.from_name} gives {control.spec.result} results, not {region.type}."
            )
        wanted = {",".join(control.to), *control.to, control.name} if control.tag == "Pairwise" else set(control.to)
        if region.to_name not in wanted:
            yield Problem(region.from_name, f"{region.from_name} works on {control.to[0]}, not on {region.to_name}.")


def _values(sight: Sight) -> Iterator[Problem]:
    """Every value has the form of its type and keeps to what its control allows."""
    board = sight.board
    given: Counter[tuple[str, str, int | None]] = Counter()
    for region in sight.answer.regions:
        control = board.controls.get(region.from_name)
        if control is None or region.type != control.spec.result:
            continue
        target = board.target(control)
        try:
            value = values.typed_value(region.type, target.tag if target else "", region.value)
        except values.UnfitValue as unfit:
            yield Problem(control.name, f"{control.name}: the value is not one of {region.type} ({unfit}).")
            continue
        if value is not None:
            yield from _allowed(control, value, board)
        if region.type in _ONLY_ONCE:
            about = region.id if control.flag("perRegion") else ""
            given[control.name, about, region.item_index if control.flag("perItem") else None] += 1
        if control.flag("perRegion") and region.id not in sight.marks:
            yield Problem(control.name, f"{control.name} is answered for a region that is not there ({region.id}).")
        if control.flag("perItem") and not 0 <= (region.item_index or 0) < max(board.items(control), 1):
            yield Problem(control.name, f"{control.name} is answered for an item that is not there.")
    for (name, _, _), times in given.items():
        if times > 1:
            yield Problem(name, f"{name} is answered {times} times; one answer is enough.")


def _allowed(control: Node, value: values.AnyValue, board: Board) -> Iterator[Problem]:
    name = control.name
    match value:
        case values.ChoicesValue():
            yield from _known_choices(control, value)
        case values.TaxonomyValue():
            yield from _known_places(control, value)
        case values.RatingValue():
            most = control.number("maxRating") or 5
            if value.rating > most or value.rating != int(value.rating):
                yield Problem(name, f"{name} must be a whole number of points up to {most:g}.")
        case values.NumberValue():
            yield from _number_fits(control, value.number)
        case values.TextAreaValue():
            yield from _texts_fit(control, value.text)
        case values.DateTimeValue():
            yield from _date_fits(control, value.datetime)
        case values.RankerValue():
            yield from _ranking_fits(control, value, board)
        case _:
            return


def _known_choices(control: Node, value: values.ChoicesValue) -> Iterator[Problem]:
    if control.single and len(value.paths) > 1:
        yield Problem(control.name, f"{control.name} takes one choice, not {len(value.paths)}.")
    nested = control.flag("allowNested")
    for path in value.paths:
        known = path in control.paths if nested and len(path) > 1 else path[-1:] and path[-1] in control.values
        if not known:
            yield Problem(control.name, f"{control.name} has no choice {' / '.join(path)!r}.")


def _known_places(control: Node, value: values.TaxonomyValue) -> Iterator[Problem]:
    known = set(control.paths)
    limit = control.number("maxUsages")
    if limit is not None and len(value.taxonomy) > limit:
        yield Problem(control.name, f"{control.name} takes at most {limit:g} places, not {len(value.taxonomy)}.")
    for path in value.paths:
        if path not in known:
            yield Problem(control.name, f"{control.name} has no place {' / '.join(path)!r}.")
        elif control.flag("leafsOnly") and _below(control.options, path):
            yield Problem(control.name, f"{control.name}: {' / '.join(path)!r} has places below it; take one of those.")


def _below(options: tuple[Option, ...], path: tuple[str, ...]) -> bool:
    for step in path:
        options = next((option.options for option in options if option.value == step), ())
    return bool(options)


def _number_fits(control: Node, number: float) -> Iterator[Problem]:
    low, high, step = control.number("min"), control.number("max"), control.number("step")
    if low is not None and number < low:
        yield Problem(control.name, f"{control.name} must be at least {low:g}.")
    if high is not None and number > high:
        yield Problem(control.name, f"{control.name} must be at most {high:g}.")
    if step and "step" in control.attrs and _written(control, "step"):
        steps = (number - (low or 0.0)) / step
        if abs(steps - round(steps)) > _STEP_TOLERANCE:
            yield Problem(control.name, f"{control.name} goes in steps of {step:g}.")


def _written(control: Node, key: str) -> bool:
    """Whether a parameter says something other than its default."""
    param = control.spec.param(key)
    return param is not None and control.attrs.get(key) != param.default


def _texts_fit(control: Node, texts: list[str]) -> Iterator[Problem]:
    limit = control.number("maxSubmissions")
    if limit and len(texts) > limit:
        yield Problem(control.name, f"{control.name} takes at most {limit:g} entries, not {len(texts)}.")
    if control.flag("skipDuplicates") and len(set(texts)) < len(texts):
        yield Problem(control.name, f"{control.name} has the same entry twice.")


_ISO = re.compile(r"(?:\d{4}(?:-\d{2}(?:-\d{2})?)?(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?|\d{2}:\d{2}(?::\d{2})?)\Z")


def _date_fits(control: Node, written: str) -> Iterator[Problem]:
    form = control.text("format")
    if form:
        try:
            datetime.strptime(written, form)  # noqa: DTZ007  a calendar date has no time zone
        except ValueError:
            yield Problem(control.name, f"{control.name} must be written as {form}.")
        return
    if not _ISO.match(written) or not _on_calendar(written):
        yield Problem(control.name, f"{control.name} must be an ISO date or time, not {written[:30]!r}.")
        return
    low, high = control.text("min"), control.text("max")
    if low and written < low:
        yield Problem(control.name, f"{control.name} must not be before {low}.")
    if high and written[: len(high)] > high:
        yield Problem(control.name, f"{control.name} must not be after {high}.")


def _on_calendar(written: str) -> bool:
    date, _, time = written.rpartition("T") if "T" in written else (written, "", "")
    if not date or ":" in date:
        date, time = "", date or time
    padded = f"{date or '2000-01-01'}-01-01"[:10] if date else "2000-01-01"
    try:
        datetime.fromisoformat(f"{padded}T{time or '00:00'}")
    except ValueError:
        return False
    return True


def _ranking_fits(control: Node, value: values.RankerValue, board: Board) -> Iterator[Problem]:
    target = board.target(control)
    known = [item.id for item in target.material.items] if target and isinstance(target.material, Items) else []
    groups = value.ranker if isinstance(value.ranker, dict) else {control.name: value.ranker}
    buckets = set(control.values) or {control.name}
    for unknown in groups.keys() - buckets - {"_"}:
        yield Problem(control.name, f"{control.name} has no bucket {unknown!r}.")
    placed = Counter(item for group in groups.values() for item in group)
    for item, times in placed.items():
        if item not in known:
            yield Problem(control.name, f"{control.name}: there is no item {item!r}.")
        elif times > 1:
            yield Problem(control.name, f"{control.name}: the item {item!r} is placed {times} times.")
    if not control.options and set(known) - placed.keys():
        yield Problem(control.name, f"{control.name}: {len(set(known) - placed.keys())} items are not ranked.")


def _regions(sight: Sight) -> Iterator[Problem]:
    """Regions lie within their material and carry labels as their control allows."""
    board = sight.board
    usages: Counter[tuple[str, str]] = Counter()
    for region in sight.answer.regions:
        control = board.controls.get(region.from_name)
        if control is None or not control.spec.labels_regions:
            continue
        labels = labels_of(region, control)
        usages.update((control.name, label) for label in labels)
        for label in labels - set(control.values):
            yield Problem(control.name, f"{control.name} has no label {label!r}.")
        if not labels and not only_labels(control, board) and not control.flag("allowEmpty"):
            yield Problem(control.name, f"A region of {control.name} has no label.")
        if control.single and len(labels) > 1:
            yield Problem(control.name, f"A region of {control.name} has {len(labels)} labels; one is allowed.")
    yield from _too_often(board, usages)
    for mark in sight.marks.values():
        yield from _inside(mark, board)


def _too_often(board: Board, usages: Counter[tuple[str, str]]) -> Iterator[Problem]:
    for (name, label), times in usages.items():
        control = board.controls[name]
        own = next((option.max_usages for option in control.options if option.value == label), None)
        limit = own if own is not None else control.number("maxUsages")
        if limit is not None and times > limit:
            yield Problem(name, f"{label!r} is used {times} times; at most {limit:g} are allowed.")


def _inside(mark: Mark, board: Board) -> Iterator[Problem]:
    target = board.objects.get(mark.object)
    if target is None or mark.shape is None:
        if target is not None and mark.result.type == "labels" and "globalOffsets" not in mark.result.value:
            yield Problem(mark.control, "A span has no globalOffsets, so its place in the text is not known.")
        return
    words = _outside(mark, target)
    if words:
        yield Problem(mark.control, f"A region of {mark.control} {words}.")


def _outside(mark: Mark, target: Node) -> str:
    shape = mark.shape
    match shape:
        case Span(start, end):
            text = full_text(target)
            if start >= end:
                return "is empty"
            return "ends after the text" if text is not None and end > utf16(text) else ""
        case Times(start, end):
            return _outside_time(mark, shape, target)
        case Area():
            reach = [coordinate for corner in shape.corners for coordinate in corner]
            if not shape.axis_aligned and mark.result.type.startswith(("rectangle", "ellipse", "ocr")):
                centre = [sum(axis) / len(shape.corners) for axis in zip(*shape.corners, strict=True)]
                return "" if all(0 <= value <= 100 for value in centre) else "lies outside of the image"
            outside = min(reach) < -OUTSIDE_TOLERANCE or max(reach) > 100 + OUTSIDE_TOLERANCE
            return "reaches out of the image" if outside else _no_area(mark)
        case Spot():
            return ""
        case Painted():
            return _mask_fits(shape)
        case Track(keyframes, frames):
            last = max(keyframe.frame for keyframe in keyframes)
            return "has keyframes after the end of the video" if frames and last > frames else ""
        case _:
            return ""


def _no_area(mark: Mark) -> str:
    value = mark.result.value
    sides = [value.get(key) for key in ("width", "height") if key in value]
    flat = mark.result.type.startswith(("rectangle", "ocr")) and any(side == 0 for side in sides)
    return "has no area" if flat else ""


def _outside_time(mark: Mark, shape: Times, target: Node) -> str:
    if shape.start > shape.end:
        return "ends before it begins"
    length = mark.result.original_length
    if target.tag == "Audio" and length is not None and shape.end > length + 0.1:
        return "ends after the recording"
    if shape.start == shape.end and target.tag == "Audio":
        return "has no length"
    material = target.material
    if isinstance(material, Columns) and material.columns and not target.text("timeColumn"):
        rows = len(next(iter(material.columns.values())))
        return "lies outside of the series" if shape.start < 0 or shape.end > rows else ""
    return ""


def _mask_fits(shape: Painted) -> str:
    try:
        return "" if shape.mask.any() else "is an empty mask"
    except BrokenMask as broken:
        return f"is no mask ({broken})"


def _relations(sight: Sight) -> Iterator[Problem]:
    node = sight.board.relations
    for relation in sight.answer.relations:
        for end in (relation.from_id, relation.to_id):
            if end not in sight.marks:
                yield Problem("relations", f"A relation leads to a region that is not there ({end}).")
        labels = relation.labels or []
        if node is not None and node.values:
            for label in labels:
                if label not in node.values:
                    yield Problem("relations", f"There is no relation {label!r}.")
            if node.single and len(labels) > 1:
                yield Problem("relations", f"A relation has {len(labels)} labels; one is allowed.")


def _required(sight: Sight) -> Iterator[Problem]:
    for control in sight.board.controls.values():
        # A comparison or a ranking is the whole point of showing its material.
        owed = control.flag("required") or control.tag in ("Pairwise", "Ranker")
        if not owed or any(w.kind == "no-region-selected" for w in sight.board.conditions.get(control.name, ())):
            continue
        if control.flag("perRegion"):
            yield from _required_for_regions(sight, control)
        elif sight.visible(control.name):
            yield from _required_for_task(sight, control)


def _message(control: Node, else_: str) -> str:
    return control.text("requiredMessage") or else_


def _required_for_regions(sight: Sight, control: Node) -> Iterator[Problem]:
    answered = {region.id for region in sight.results.get(control.name, ()) if says_something(region)}
    missing = [mark for mark in sight.asked_about(control) if mark.id not in answered]
    if missing:
        count = "a region" if len(missing) == 1 else f"{len(missing)} regions"
        yield Problem(control.name, _message(control, f"{control.name} is not answered for {count}."))


def _required_for_task(sight: Sight, control: Node) -> Iterator[Problem]:
    given = [region for region in sight.results.get(control.name, ()) if says_something(region)]
    if control.flag("perItem"):
        missing = sight.board.items(control) - len({region.item_index or 0 for region in given})
        if missing > 0:
            yield Problem(control.name, _message(control, f"{control.name} is not answered for {missing} items."))
    elif not given:
        words = f"Mark at least one region with {control.name}." if control.spec.shape else ""
        yield Problem(control.name, _message(control, words or f"{control.name} is not answered."))


def says_something(region: Region) -> bool:
    """Whether a result holds more than an empty list, an empty text or no points."""
    try:
        value = values.typed_value(region.type, "", region.value)
    except values.UnfitValue:
        return bool(region.value)
    match value:
        case values.ChoicesValue() | values.TaxonomyValue():
            return bool(value.paths)
        case values.TextAreaValue():
            return any(text.strip() for text in value.text)
        case values.RatingValue():
            return value.rating > 0
        case values.RankerValue():
            groups = value.ranker.values() if isinstance(value.ranker, dict) else [value.ranker]
            return any(groups)
        case values.DateTimeValue():
            return bool(value.datetime.strip())
        case _:
            return True


__all__ = ["Pages", "Paragraphs", "problems", "says_something"]
