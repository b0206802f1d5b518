"""What truth inference works on: every question of a task whose answer is one of a few known labels.

Units are named after their control: `sentiment` for a single choice, a rating or a comparison; `pages[3]` for item 3
of a per-item control; `topics:Sport` with `yes` and `no` for each choice of several. Marks, texts, numbers and answers
about regions are no units: people's regions differ, so there is nothing to vote on before they are matched.
"""

from collections.abc import Iterator

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.models import AnnotationAnswer, Region
from preceptor.tasktypes.annotation.visibility import Sight

YES, NO = "yes", "no"
OPTIONS_AS_UNITS_MAX = 50
LABELS_MAX = 200
UNITS_MAX = 2_000


def unit_labels(board: Board) -> dict[str, tuple[str, ...]]:
    """Unit -> all labels it can get."""
    found: dict[str, tuple[str, ...]] = {}
    for control in board.controls.values():
        labels = _labels(control)
        if not labels:
            continue
        for place in _places(control, board):
            if len(found) >= UNITS_MAX:
                return found
            if _several(control):
                found.update({f"{place}:{label}": (YES, NO) for label in labels})
            else:
                found[place] = labels
    return found


def labels(board: Board, answer: AnnotationAnswer) -> dict[str, str]:
    """Unit -> label of an answer; absent where a control was hidden or left empty."""
    sight = Sight(board, answer)
    known = unit_labels(board)
    found: dict[str, str] = {}
    for control in board.controls.values():
        if not _labels(control) or not sight.visible(control.name):
            continue
        for region in sight.results.get(control.name, ()):
            found.update(_given(control, region))
    return {unit: label for unit, label in found.items() if label in known.get(unit, ())}


def _several(control: Node) -> bool:
    return control.tag == "Choices" and not control.single


def _labels(control: Node) -> tuple[str, ...]:
    if control.flag("perRegion"):
        return ()
    if control.tag == "Pairwise":
        return ("left", "right")
    if control.tag == "Rating":
        return tuple(str(points) for points in range(1, int(control.number("maxRating") or 5) + 1))
    if control.tag == "Choices" and not control.flag("allowNested"):
        most = OPTIONS_AS_UNITS_MAX if _several(control) else LABELS_MAX
        return control.values if 2 <= len(control.values) <= most or (_several(control) and control.values) else ()
    return ()


def _places(control: Node, board: Board) -> Iterator[str]:
    if not control.flag("perItem"):
        yield control.name
        return
    for index in range(board.items(control)):
        yield f"{control.name}[{index}]"


def _given(control: Node, region: Region) -> dict[str, str]:
    place = f"{control.name}[{region.item_index or 0}]" if control.flag("perItem") else control.name
    try:
        value = values.typed_value(region.type, "", region.value)
    except values.UnfitValue:
        return {}
    match value:
        case values.PairwiseValue():
            return {place: value.selected}
        case values.RatingValue():
            return {place: f"{value.rating:g}"}
        case values.ChoicesValue() if not _several(control):
            return {place: value.paths[0][-1]} if value.paths and value.paths[0] else {}
        case values.ChoicesValue():
            chosen = {path[-1] for path in value.paths if path}
            return {f"{place}:{label}": YES if label in chosen else NO for label in control.values}
        case _:
            return {}
