"""Which controls a person sees, given what they have answered so far.

What is hidden asks for nothing. A control may depend on another that is itself hidden; then it is hidden too, because
the answer it depends on does not count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.board import Board, Node, When
from preceptor.tasktypes.annotation.models import AnnotationAnswer, Region
from preceptor.tasktypes.annotation.shapes import Mark, marks_of


@dataclass(frozen=True)
class Sight:
    """An answer on a board: what is visible, which result belongs to which control."""

    board: Board
    answer: AnnotationAnswer
    _seen: dict[str, bool] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """Regions by id."""
        return marks_of(self.answer, self.board)

    @cached_property
    def results(self) -> Mapping[str, Sequence[Region]]:
        """Results by control."""
        found: dict[str, list[Region]] = {}
        for region in self.answer.regions:
            found.setdefault(region.from_name, []).append(region)
        return found

    def visible(self, control: str) -> bool:
        """Whether a control about the whole task is shown; region conditions count as met where a region fits."""
        if control not in self._seen:
            self._seen[control] = False  # a condition that leads back to itself never shows anything
            self._seen[control] = all(self._holds(when) for when in self.board.conditions.get(control, ()))
        return self._seen[control]

    def asked_about(self, control: Node) -> list[Mark]:
        """The regions that a per-region control is shown for."""
        conditions = self.board.conditions.get(control.name, ())
        if not all(self._holds(when) for when in conditions if not when.kind.endswith("region-selected")):
            return []
        wanted = [when for when in conditions if when.kind == "region-selected"]
        if any(when.kind == "no-region-selected" for when in conditions):
            return []
        return [
            mark
            for mark in self.marks.values()
            if mark.object in control.to and all(self._selected_fits(when, mark) for when in wanted)
        ]

    def _holds(self, when: When) -> bool:
        if when.kind == "no-region-selected":
            # True while nothing is selected, so what stands there can be answered but is never owed.
            return True
        if when.kind == "region-selected":
            return any(self._selected_fits(when, mark) for mark in self.marks.values())
        chosen = self._chosen(when.tag)
        met = bool(chosen & set(when.choices)) if when.choices else bool(chosen)
        return met if when.kind == "choice-selected" else not met

    def _selected_fits(self, when: When, mark: Mark) -> bool:
        if when.tag and when.tag not in (mark.object, mark.control, *mark.labels):
            return False
        if when.roles:
            message = mark.result.value.get("chatmessage")
            if not isinstance(message, dict) or message.get("role") not in when.roles:
                return False
        return not when.labels or bool(mark.all_labels & set(when.labels))

    def _chosen(self, control: str) -> set[str]:
        if control in self.board.controls and not self.visible(control):
            return set()
        found: set[str] = set()
        for region in self.results.get(control, ()):
            found |= chosen_values(region)
        return found


def chosen_values(region: Region) -> set[str]:
    """What a result chose, as texts: every step of a path, a rating or number as written."""
    try:
        value = values.typed_value(region.type, "", region.value)
    except values.UnfitValue:
        return set()
    match value:
        case values.ChoicesValue() | values.TaxonomyValue():
            return {step for path in value.paths for step in path}
        case values.RatingValue():
            return {f"{value.rating:g}"}
        case values.NumberValue():
            return {f"{value.number:g}"}
        case values.PairwiseValue():
            return {value.selected}
        case _:
            return set()
