"""How often one person agrees with the others, and with known answers. Evidence, never a decision."""

from collections import Counter
from collections.abc import Iterable, Mapping

from preceptor.quality.consensus import leading
from preceptor.quality.intervals import LEVEL, Estimate, wilson
from preceptor.quality.judgments import Judgment, one_per_person


def peer_agreement(judgments: Iterable[Judgment], *, level: float = LEVEL) -> dict[str, Estimate]:
    """Per person: share of their items on which they agree with the majority of the others.

    The person's own label does not vote (leave one out). Where the others are split, a label that is
    among the k leading ones counts 1/k, which is the chance of agreeing when the split is drawn by lot;
    skipping such items would flatter whoever works on the hard ones. Items that nobody else judged are
    left out. A person who judged an item twice counts once there, with the later label.

    Wilson's interval (see `intervals.wilson`) takes items as independent; it does not know that the
    others can be wrong together.
    """
    agreed: dict[str, float] = {}
    items: dict[str, int] = {}
    for labels in one_per_person(judgments).values():
        counts = Counter(labels.values())
        for person, label in labels.items():
            agreed.setdefault(person, 0.0)
            items.setdefault(person, 0)
            if len(labels) > 1:
                agreed[person] += _agreement_with_others(label, counts)
                items[person] += 1
    return {
        person: _share(agreed[person], items[person], "nobody else judged the same items", level) for person in agreed
    }


def gold_agreement(
    judgments: Iterable[Judgment], gold: Mapping[str, str], *, level: float = LEVEL
) -> dict[str, Estimate]:
    """Per person: share of the items with a known answer that they labelled right, with Wilson's interval.

    A person who met no such item is unknown, not zero.
    """
    right: dict[str, int] = {}
    items: dict[str, int] = {}
    for item, labels in one_per_person(judgments).items():
        for person, label in labels.items():
            right.setdefault(person, 0)
            items.setdefault(person, 0)
            if item in gold:
                right[person] += label == gold[item]
                items[person] += 1
    return {
        person: _share(right[person], items[person], "no item with a known answer was judged", level)
        for person in right
    }


def _agreement_with_others(label: str, counts: Counter[str]) -> float:
    others = counts.copy()
    others[label] -= 1
    leaders = leading(others)
    return 1 / len(leaders) if label in leaders else 0.0


def _share(successes: float, n: int, when_none: str, level: float) -> Estimate:
    return wilson(successes, n, level) if n else Estimate.unknown(when_none)
