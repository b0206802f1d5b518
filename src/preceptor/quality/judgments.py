"""The one input shape of this package: who gave which label to which item."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judgment:
    """One person's label of one item. For a comparison, the item is one pair of responses."""

    item: str
    person: str
    label: str


def one_per_person(judgments: Iterable[Judgment]) -> dict[str, dict[str, str]]:
    """Label by person, by item. Where a person judged an item twice, the later judgment counts."""
    labels: dict[str, dict[str, str]] = {}
    for judgment in judgments:
        labels.setdefault(judgment.item, {})[judgment.person] = judgment.label
    return labels


def count_labels(judgments: Iterable[Judgment]) -> dict[str, dict[str, int]]:
    """How often each item got each label: all that agreement and majority need to know.

    Every judgment counts. Where one person may have judged an item twice and that should count once,
    count the result of `one_per_person` instead.
    """
    counts: dict[str, dict[str, int]] = {}
    for judgment in judgments:
        of_item = counts.setdefault(judgment.item, {})
        of_item[judgment.label] = of_item.get(judgment.label, 0) + 1
    return counts


def as_numbers(counts: Iterable[dict[str, int]], parse: Callable[[str], float] = float) -> list[dict[float, int]]:
    """The same counts with numbers as values, for ordinal and interval agreement.

    Labels that mean the same number ("1" and "1.0") are counted together. A label that is no number
    is a ValueError.
    """
    numbers: list[dict[float, int]] = []
    for of_item in counts:
        parsed: dict[float, int] = {}
        for label, count in of_item.items():
            value = parse(label)
            parsed[value] = parsed.get(value, 0) + count
        numbers.append(parsed)
    return numbers
