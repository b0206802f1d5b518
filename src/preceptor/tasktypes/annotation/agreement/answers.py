"""Answers of one control compared: choices, places of a tree, points, numbers, texts, rankings."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from preceptor.tasktypes.annotation import values
from preceptor.tasktypes.annotation.agreement.matching import best_pairs
from preceptor.tasktypes.annotation.agreement.texts import text_distance
from preceptor.tasktypes.annotation.board import Node
from preceptor.tasktypes.annotation.models import Region


def answer_distance(control: Node, a: Region, b: Region, text_unit: str) -> float | None:
    """How far two results of one control about the same thing are apart; None where a value has not its form."""
    try:
        one, other = (values.typed_value(each.type, "", each.value) for each in (a, b))
    except values.UnfitValue:
        return None
    match one, other:
        case values.ChoicesValue(), values.ChoicesValue():
            return choices_distance(one.paths, other.paths, control.single)
        case values.TaxonomyValue(), values.TaxonomyValue():
            return tree_distance(one.paths, other.paths)
        case values.RatingValue(), values.RatingValue():
            return points_distance(one.rating, other.rating, 1.0, control.number("maxRating") or 5.0)
        case values.NumberValue(), values.NumberValue():
            return number_distance(one.number, other.number, control.number("min"), control.number("max"))
        case values.TextAreaValue(), values.TextAreaValue():
            return texts_distance(one.text, other.text, text_unit)
        case values.RankerValue(), values.RankerValue():
            return ranking_distance(_groups(one), _groups(other))
        case values.PairwiseValue(), values.PairwiseValue():
            return float(one.selected != other.selected)
        case values.DateTimeValue(), values.DateTimeValue():
            return float(one.datetime != other.datetime)
        case _:
            return None


def set_distance(a: set[tuple[str, ...]], b: set[tuple[str, ...]]) -> float:
    """1 less the Jaccard index; 0 for two empty sets."""
    return 1 - len(a & b) / len(a | b) if a | b else 0.0


def choices_distance(a: Sequence[tuple[str, ...]], b: Sequence[tuple[str, ...]], single: bool) -> float:
    """0 or 1 for single choices, overlap of sets for several."""
    if single:
        return float(set(a) != set(b))
    return set_distance(set(a), set(b))


def tree_distance(a: Sequence[tuple[str, ...]], b: Sequence[tuple[str, ...]]) -> float:
    """Overlap of the chosen places with all places above them: cousins are nearer than strangers."""
    return set_distance(_with_ancestors(a), _with_ancestors(b))


def _with_ancestors(paths: Sequence[tuple[str, ...]]) -> set[tuple[str, ...]]:
    return {path[:length] for path in paths for length in range(1, len(path) + 1)}


def points_distance(a: float, b: float, least: float, most: float) -> float:
    """Difference as a share of the scale."""
    return min(1.0, abs(a - b) / (most - least)) if most > least else float(a != b)


def number_distance(a: float, b: float, low: float | None, high: float | None) -> float:
    """Difference as a share of the range; without a range as a share of the larger number."""
    if low is not None and high is not None:
        return points_distance(a, b, low, high)
    largest = max(abs(a), abs(b))
    return min(1.0, abs(a - b) / largest) if largest else 0.0


def texts_distance(a: Sequence[str], b: Sequence[str], unit: str) -> float:
    """Entries matched one to one, as alike as possible; an entry without a partner is wholly different."""
    one, other = ([text for text in texts if text.strip()] for texts in (a, b))
    if len(one) == len(other) == 1:
        return text_distance(one[0], other[0], unit)
    return 1 - best_pairs(one, other, lambda left, right: 1 - text_distance(left, right, unit)).likeness


def _groups(value: values.RankerValue) -> Mapping[str, Sequence[str]]:
    return value.ranker if isinstance(value.ranker, dict) else {"": value.ranker}


def ranking_distance(a: Mapping[str, Sequence[str]], b: Mapping[str, Sequence[str]]) -> float | None:
    """Orders by Kendall's tau, from 0 (the same) to 1 (reversed); buckets by the share of items placed apart.

    None where the two have fewer than two items in common to order, or none to place.
    """
    if len(a) == 1 and len(b) == 1:
        return order_distance(next(iter(a.values())), next(iter(b.values())))
    place_a = {item: bucket for bucket, items in a.items() if bucket != "_" for item in items}
    place_b = {item: bucket for bucket, items in b.items() if bucket != "_" for item in items}
    items = place_a.keys() | place_b.keys()
    return sum(place_a.get(item) != place_b.get(item) for item in items) / len(items) if items else None


def order_distance(a: Sequence[str], b: Sequence[str]) -> float | None:
    """Share of pairs that two orders have the other way round: (1 - Kendall's tau) / 2."""
    place = {item: index for index, item in enumerate(b)}
    both = [item for item in a if item in place]
    if len(both) < 2:
        return None
    pairs = list(combinations(both, 2))
    return sum(place[first] > place[second] for first, second in pairs) / len(pairs)
