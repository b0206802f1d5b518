"""Two annotations of one task compared: a distance for every control."""

from collections.abc import Mapping
from statistics import mean

from preceptor.tasktypes.annotation.agreement.answers import answer_distance
from preceptor.tasktypes.annotation.agreement.marks import marks_distance, relations_distance, same_regions
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.completeness import says_something
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, Region
from preceptor.tasktypes.annotation.plan import Plan
from preceptor.tasktypes.annotation.visibility import Sight

RELATIONS = "relations"


def aspects(plan: Plan) -> dict[str, str]:
    """Title by key of everything that is compared: each control, and relations."""
    found = {name: name.replace("_", " ").capitalize() for name in plan.controls}
    if plan.relations is not None:
        found[RELATIONS] = "Relations"
    return found


def distances(board: Board, a: AnnotationAnswer, b: AnnotationAnswer, config: AnnotationConfig) -> dict[str, float]:
    """Control as the config writes it -> distance; copies of a control in a Repeater count evenly.

    Absent where both left the control empty or did not see it, except for controls that make regions: finding nothing
    is an answer there.
    """
    one, other = Sight(board, a), Sight(board, b)
    same = same_regions(one.marks, other.marks, config.match_at)
    found: dict[str, list[float]] = {}
    for control in board.controls.values():
        distance = _of_control(control, one, other, same, config)
        if distance is not None:
            found.setdefault(control.key, []).append(distance)
    result = {key: mean(each) for key, each in found.items()}
    if board.relations is not None and (one.marks or other.marks):
        result[RELATIONS] = relations_distance(a.relations, b.relations, same)
    return result


def _of_control(
    control: Node, one: Sight, other: Sight, same: Mapping[str, str], config: AnnotationConfig
) -> float | None:
    seen = (one.visible(control.name), other.visible(control.name))
    if not any(seen):
        return None
    if control.spec.shape:
        left = [mark for mark in one.marks.values() if control.name in (mark.control, *mark.labels)]
        right = [mark for mark in other.marks.values() if control.name in (mark.control, *mark.labels)]
        return marks_distance(left, right, control.name, config.span_match == "exact")
    if control.flag("perRegion"):
        return _per_region(control, one, other, same, config)
    return _per_thing(control, _given(control, one), _given(control, other), config)


def _given(control: Node, sight: Sight) -> dict[object, Region]:
    """Results of a control by the item they are about."""
    if not sight.visible(control.name):
        return {}
    return {
        region.item_index if control.flag("perItem") else None: region
        for region in sight.results.get(control.name, ())
        if says_something(region)
    }


def _per_region(
    control: Node, one: Sight, other: Sight, same: Mapping[str, str], config: AnnotationConfig
) -> float | None:
    """Answers about the same regions; what was said about a region that the other does not have is not compared."""
    left = {region.id: region for region in one.results.get(control.name, ()) if says_something(region)}
    right = {region.id: region for region in other.results.get(control.name, ()) if says_something(region)}
    named: dict[object, Region] = {same[id_]: region for id_, region in left.items() if id_ in same}
    counterparts = set(same.values())
    theirs: dict[object, Region] = {id_: region for id_, region in right.items() if id_ in counterparts}
    return _per_thing(control, named, theirs, config)


def _per_thing(
    control: Node, left: Mapping[object, Region], right: Mapping[object, Region], config: AnnotationConfig
) -> float | None:
    found = []
    for thing in left.keys() | right.keys():
        if thing in left and thing in right:
            distance = answer_distance(control, left[thing], right[thing], config.text_unit)
            if distance is not None:
                found.append(distance)
        else:
            # One person said something where the other, who could have, said nothing.
            found.append(1.0)
    return mean(found) if found else None
