"""Marks of one control compared: labelled spans, areas, times, tracks; relations between them."""

from collections.abc import Mapping, Sequence

from preceptor.tasktypes.annotation.agreement.likeness import likeness, stretch_overlap
from preceptor.tasktypes.annotation.agreement.matching import Pairing, best_pairs, can_meet, marks_alike
from preceptor.tasktypes.annotation.models import Relation
from preceptor.tasktypes.annotation.shapes import Mark, Span, Times

Labelled = frozenset[str]


def paired(a: Sequence[Mark], b: Sequence[Mark], control: str | None, exact_spans: bool) -> Pairing:
    """Marks of two answers matched one to one. With a control only marks that share a label of it match.

    The likeness of a pair is the overlap of its shapes times the overlap of its labels; `exact_spans` counts spans
    only with the same borders.
    """

    def alike(one: Mark, other: Mark) -> float:
        shared = _labels_alike(one, other, control) if control is not None else 1.0
        if shared == 0.0:
            return 0.0
        if exact_spans and isinstance(one.shape, Span):
            return shared * float(one.object == other.object and one.shape == other.shape)
        return shared * marks_alike(one, other)

    return best_pairs(a, b, alike, can_meet(a, b) if a and b else None)


def _labels_alike(a: Mark, b: Mark, control: str) -> float:
    one, other = a.labels.get(control, frozenset()), b.labels.get(control, frozenset())
    if not one and not other:
        return 1.0
    return len(one & other) / len(one | other)


def marks_distance(a: Sequence[Mark], b: Sequence[Mark], control: str, exact_spans: bool) -> float:
    """Times by how long people agree on each label; everything else by matched marks (see `Pairing.likeness`)."""
    if any(isinstance(mark.shape, Times) for mark in (*a, *b)):
        return timeline_distance(a, b, control)
    return 1 - paired(a, b, control, exact_spans).likeness


def timeline_distance(a: Sequence[Mark], b: Sequence[Mark], control: str) -> float:
    """1 less shared over joint time, summed over labels and channels; moments without length by nearest partner.

    Stretches of one label that touch or overlap are joined first, so that cutting one in two changes nothing.
    """
    keys = {key for mark in (*a, *b) for key in _lanes(mark, control)}
    shared = joint = 0.0
    moments: list[float] = []
    for key in keys:
        one, other = _lane(a, key, control), _lane(b, key, control)
        common = sum(max(0.0, min(e, f) - max(s, t)) for s, e in joined(one) for t, f in joined(other))
        shared += common
        joint += _total(one) + _total(other) - common
        moments += _moments_apart(a, b, key, control)
    parts = ([1 - shared / joint] if joint > 0 else []) + moments
    return sum(parts) / len(parts) if parts else 0.0


_Lane = tuple[str, int, str]


def _lanes(mark: Mark, control: str) -> list[_Lane]:
    if not isinstance(mark.shape, Times):
        return []
    labels = mark.labels.get(control) or frozenset({""})
    return [(mark.object, mark.shape.channel, label) for label in sorted(labels)]


def _lane(marks: Sequence[Mark], key: _Lane, control: str) -> list[tuple[float, float]]:
    return [
        (mark.shape.start, mark.shape.end)
        for mark in marks
        if isinstance(mark.shape, Times) and mark.shape.end > mark.shape.start and key in _lanes(mark, control)
    ]


def _moments_apart(a: Sequence[Mark], b: Sequence[Mark], key: _Lane, control: str) -> list[float]:
    def moments(marks: Sequence[Mark]) -> list[Times]:
        times = [(mark, mark.shape) for mark in marks if isinstance(mark.shape, Times)]
        return [shape for mark, shape in times if shape.start == shape.end and key in _lanes(mark, control)]

    one, other = moments(a), moments(b)
    return [1 - best_pairs(one, other, likeness).likeness] if one or other else []


def joined(stretches: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Stretches with those that touch or overlap made one, in order."""
    found: list[tuple[float, float]] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _total(stretches: Sequence[tuple[float, float]]) -> float:
    return sum(end - start for start, end in joined(stretches))


def same_regions(a: Mapping[str, Mark], b: Mapping[str, Mark], at: float) -> dict[str, str]:
    """Ids of one answer's regions -> ids of the other's that are the same thing: alike by at least `at`.

    Labels do not count here: two people may have found the same thing and called it differently.
    """
    one, other = list(a.values()), list(b.values())
    pairing = best_pairs(one, other, marks_alike, can_meet(one, other) if one and other else None)
    return {one[left].id: other[right].id for left, right, weight in pairing.pairs if weight >= at}


def relations_distance(a: Sequence[Relation], b: Sequence[Relation], same: Mapping[str, str]) -> float:
    """1 less F1 of relations between the same regions with the same labels; direction counts."""
    one = {key for relation in a for key in _arrows(relation, same)}
    other = {key for relation in b for key in _arrows(relation, None)}
    total = len(one) + len(other)
    return 1 - 2 * len(one & other) / total if total else 0.0


def _arrows(relation: Relation, names: Mapping[str, str] | None) -> list[tuple[str, str, str]]:
    source, target = relation.from_id, relation.to_id
    if names is not None:
        # A region without a counterpart gets a name that nothing on the other side has.
        source, target = names.get(source, f"\0{source}"), names.get(target, f"\0{target}")
    ends = {"right": [(source, target)], "left": [(target, source)], "bi": [(source, target), (target, source)]}
    return [(*pair, label) for pair in ends[relation.direction] for label in (relation.labels or [""])]


__all__ = ["marks_distance", "paired", "relations_distance", "same_regions", "stretch_overlap", "timeline_distance"]
