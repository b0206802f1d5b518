"""Agreement collected unit by unit: memory grows with the kinds of outcome, not with the units."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from preceptor.quality.agreement import alpha
from preceptor.quality.consensus import leading
from preceptor.quality.intervals import Estimate

COUNTED_MIN = 2
"""Agreement needs two; units with fewer labels are not counted."""


class AgreementTally:
    """Counts of units that at least two people labelled, by how far they agreed.

    `unanimous`: all gave one label (a tie that all called a tie included); `decided`: one label leads, not
    all gave it; `split`: several labels lead. The three add up to `units`.
    """

    def __init__(self) -> None:
        self.units = self.unanimous = self.decided = self.split = 0
        self._kinds: Counter[frozenset[tuple[str, int]]] = Counter()

    def add(self, counts: Mapping[str, int]) -> None:
        """One unit, given as how often each label was used on it."""
        used = {label: count for label, count in counts.items() if count}
        if sum(used.values()) < COUNTED_MIN:
            return
        self.units += 1
        self._kinds[frozenset(used.items())] += 1
        if len(used) == 1:
            self.unanimous += 1
        elif len(leading(used)) == 1:
            self.decided += 1
        else:
            self.split += 1

    def alpha(self, rng: np.random.Generator) -> Estimate:
        """Krippendorff's alpha (nominal) over the units, with a bootstrap interval; see `agreement.alpha`."""
        # Sorted, so that the same units in another order give the same interval.
        kinds = sorted((sorted(kind), times) for kind, times in self._kinds.items())
        items: list[Mapping[str, int]] = []
        for kind, times in kinds:
            items += [dict(kind)] * times
        return alpha(items, rng=rng)


def by_position(labels: Mapping[str, str], possible: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Each unit's label as its place among the unit's possible labels ("0", "1" ...).

    Where labels are names of things shown (responses), names that differ from task to task would make chance
    agreement look impossible; places are the same everywhere. A label that is not possible keeps its name.
    """
    return {
        unit: str(list(possible[unit]).index(label)) if label in possible.get(unit, ()) else label
        for unit, label in labels.items()
    }
