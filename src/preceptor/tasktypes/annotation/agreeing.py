"""What several annotations of one task say together, as far as that is defined.

- Single and several choices, ratings, comparisons: the majority; nothing where it is split.
- Marks with labels (spans, boxes, polygons, masks, times): marks of different people that overlap by at least
  `match_at` are one thing; it counts where more than half of the people marked it. Its label is the majority's. Spans
  take the borders that most people gave; everything else takes the medoid, the mark that is most like all the others,
  so that the joint mark is always one that a person made.
- Texts, numbers, rankings, places of a tree, relations and answers about regions: no joint answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

import numpy as np

from preceptor.quality.consensus import Majority, leading, majority
from preceptor.tasktypes.annotation.agreement.likeness import likeness
from preceptor.tasktypes.annotation.agreement.matching import Likely, best_pairs, can_meet
from preceptor.tasktypes.annotation.board import Board, Node
from preceptor.tasktypes.annotation.models import AnnotationAnswer, AnnotationConfig, Region
from preceptor.tasktypes.annotation.shapes import Mark, Span
from preceptor.tasktypes.annotation.units import labels, unit_labels
from preceptor.tasktypes.annotation.visibility import Sight


@dataclass(frozen=True)
class Thing:
    """Marks that several people made of the same thing, at most one each."""

    marks: tuple[Mark, ...]

    def medoid(self) -> Mark:
        """The mark most like all the others; the first of several."""
        return max(self.marks, key=lambda mark: sum(likeness(mark.shape, other.shape) for other in self.marks))

    def spelled(self) -> Mark:
        """For spans: a mark with the start and the end that most people gave, where there is one; else the medoid."""
        spans = [mark.shape for mark in self.marks if isinstance(mark.shape, Span)]
        if len(spans) < len(self.marks):
            return self.medoid()
        starts = leading(_counts([span.start for span in spans]))
        ends = leading(_counts([span.end for span in spans]))
        if len(starts) == len(ends) == 1:
            wanted = (int(starts[0]), int(ends[0]))
            for mark, span in zip(self.marks, spans, strict=True):
                if (span.start, span.end) == wanted:
                    return mark
        return self.medoid()


def _counts(numbers: Sequence[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number in numbers:
        found[str(number)] = found.get(str(number), 0) + 1
    return found


def votes(board: Board, answers: Sequence[AnnotationAnswer]) -> dict[str, Majority]:
    """Majority by unit."""
    given: dict[str, list[str]] = {unit: [] for unit in unit_labels(board)}
    for answer in answers:
        for unit, label in labels(board, answer).items():
            given[unit].append(label)
    return {unit: majority(each) for unit, each in given.items()}


def joint_answer(
    board: Board, answers: Sequence[AnnotationAnswer], units: Mapping[str, Majority], config: AnnotationConfig
) -> AnnotationAnswer | None:
    """The answer of all together; None where it would be empty and somebody marked something."""
    if not answers:
        return None
    results = [region for control in board.controls.values() for region in _chosen(control, board, units)]
    sights = [Sight(board, answer) for answer in answers]
    for control in board.controls.values():
        if control.spec.shape:
            results += _marked(control, sights, config)
    if not results and any(answer.result for answer in answers):
        return None
    return AnnotationAnswer(result=list(results))


def _chosen(control: Node, board: Board, units: Mapping[str, Majority]) -> list[Region]:
    """The categorical answers of one control by majority."""
    found: list[Region] = []
    items: Sequence[int | None] = range(board.items(control)) if control.flag("perItem") else [None]
    for item in items:
        place = control.name if item is None else f"{control.name}[{item}]"
        value = _value(control, place, units)
        if value is not None:
            found.append(
                Region(
                    id=f"joint_{len(found)}_{control.name}"[:100],
                    from_name=control.name,
                    to_name=control.to[0] if control.to else control.name,
                    type=control.spec.result or "",
                    value=value,
                    item_index=item,
                )
            )
    return found


def _value(control: Node, place: str, units: Mapping[str, Majority]) -> dict[str, object] | None:
    if control.tag == "Choices" and not control.single:
        chosen = [label for label in control.values if _label(units, f"{place}:{label}") == "yes"]
        return {"choices": chosen} if any(f"{place}:{label}" in units for label in control.values) and chosen else None
    label = _label(units, place)
    if label is None:
        return None
    keyed: dict[str, dict[str, object]] = {
        "Choices": {"choices": [label]},
        "Pairwise": {"selected": label},
        "Rating": {"rating": int(label) if label.isdecimal() else 0},
    }
    return keyed.get(control.tag)


def _label(units: Mapping[str, Majority], unit: str) -> str | None:
    found = units.get(unit)
    return found.label if found is not None else None


def _marked(control: Node, sights: Sequence[Sight], config: AnnotationConfig) -> list[Region]:
    by_person = [[mark for mark in sight.marks.values() if mark.control == control.name] for sight in sights]
    found = []
    for number, thing in enumerate(things(by_person, config.match_at)):
        if len(thing.marks) * 2 <= len(sights):
            continue
        chosen = thing.spelled()
        label_key = control.spec.label_key
        value = dict(chosen.result.value)
        if label_key:
            label = majority([name for mark in thing.marks for name in sorted(mark.labels.get(control.name, ()))]).label
            if label is None:
                continue
            value[label_key] = [label]
        found.append(
            chosen.result.model_copy(
                update={"id": f"joint_{control.name}_{number}"[:100], "value": value, "origin": None, "score": None}
            )
        )
    return found


def things(by_person: Sequence[Sequence[Mark]], at: float) -> list[Thing]:
    """Marks of several people put together: each person's marks join, one to one, what the earlier people found.

    A mark joins the thing whose marks it overlaps most on average, if by at least `at`. People are taken in the order
    of the most marks, so that the order of the answers does not matter.
    """
    groups: list[list[Mark]] = []
    for marks in sorted(by_person, key=lambda each: (-len(each), sorted(repr(mark.shape) for mark in each))):
        pairing = best_pairs(marks, groups, _belongs, _near(marks, groups) if marks and groups else None)
        taken = {left: right for left, right, weight in pairing.pairs if weight >= at}
        fresh: list[list[Mark]] = []
        for index, mark in enumerate(marks):
            if index in taken:
                groups[taken[index]].append(mark)
            else:
                fresh.append([mark])
        groups += fresh
    return [Thing(tuple(group)) for group in groups]


def _near(marks: Sequence[Mark], groups: Sequence[Sequence[Mark]]) -> Likely:
    """Which marks can meet any mark of which group."""
    longest = max(len(group) for group in groups)
    layers = [[group[min(layer, len(group) - 1)] for group in groups] for layer in range(longest)]
    near: Likely = np.logical_or.reduce([can_meet(marks, layer) for layer in layers])
    return near


def _belongs(mark: Mark, group: Sequence[Mark]) -> float:
    if any(mark.object != other.object or mark.page != other.page for other in group):
        return 0.0
    return mean(likeness(mark.shape, other.shape) for other in group)
