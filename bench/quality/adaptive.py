"""Adaptive overlap replayed on real judgments: how few labels give the answers of all of them.

A set's labels arrive in random order (seeded). Every item gets the floor; then, round by round, labels are asked for
the items whose answer gains most, and people's skills are learnt from the labels seen so far, nothing else. It ends

- by the **rules alone**: when no item wants more (confident, or one more label is not worth its price);
- or by the **price limit**: the same, and the project may spend at most a share of what all labels cost: half where
  items have eight labels or more, else two thirds.

Beside it stands fixed overlap with the same number of labels: majority, and Dawid-Skene. `curves` has the plot.
"""

import time
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.adaptive import Guard, Rules, gold_guard, wants_more
from preceptor.quality.asking import gain_per_label_ahead
from preceptor.quality.careful import careful_fit, pooled_confusion
from preceptor.quality.forecast import forecast
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.quality.truth.majority import majority
from preceptor.quality.truth.result import Fit

RULES = Rules(target=0.98, floor=3, cap=25, price=1.0, worth=500.0)
SEEDS, QUICK_SEEDS = 5, 2
MANY_LABELS = 8.0
SHARE_IF_MANY, SHARE_IF_FEW = 1 / 2, 2 / 3
BELOW_MAJORITY_MAX = 0.01
GOLD_SHARE = 0.2
# Of all labels of a set, asked between two refits.
_ROUND_SHARE = 0.025


@dataclass(frozen=True)
class Arrivals:
    """A set's labels sorted by item, each item's in the order of arrival; `rank` counts within the item."""

    labels: Labels
    rank: Ints
    there: Ints

    @classmethod
    def of(cls, labels: Labels, rng: np.random.Generator) -> "Arrivals":
        order = rng.permutation(len(labels))
        order = order[np.argsort(labels.item[order], kind="stable")]
        there = np.bincount(labels.item, minlength=labels.items)
        starts = np.concatenate([[0], np.cumsum(there)])
        item = labels.item[order]
        sizes = (labels.items, labels.people, labels.classes)
        arrived = Labels(item, labels.person[order], labels.label[order], *sizes)
        return cls(arrived, np.arange(len(order)) - starts[item], there)

    def first(self, used: Ints) -> Labels:
        """The labels that so many asks per item have brought."""
        return self.labels.where(self.rank < used[self.labels.item])


@dataclass(frozen=True)
class Point:
    """Labels used per item, and the accuracy of the answers then."""

    labels_per_item: float
    accuracy: float


@dataclass(frozen=True)
class Replay:
    """One replay: how it ended, the way there, and what was foretold halfway."""

    share: float
    accuracy: float
    confidence: float
    curve: tuple[Point, ...]
    forecast_error: float | None
    forecast_held: bool | None


def replayed(
    judged: sets.JudgedSet, seed: int, *, share_max: float = 1.0, with_gold: bool = False, rules: Rules = RULES
) -> Replay:
    """Ask until the rules stop, or the labels used reach `share_max` of all."""
    rng = np.random.default_rng(seed)
    arrivals = Arrivals.of(judged.named.labels, rng)
    spots, unseen = _split_gold(judged.gold, rng, with_gold)
    used = np.minimum(rules.floor, arrivals.there)
    states: list[tuple[Ints, NDArray[np.bool_], Labels, Fit]] = []
    curve = []
    while True:
        seen = arrivals.first(used)
        fit = careful_fit(seen)
        guard = _guard(fit, spots, rules) if with_gold else None
        pooled = pooled_confusion(seen, fit)
        curve.append(Point(len(seen) / seen.items, _accuracy(fit, unseen)))
        wanted = wants_more(fit.posterior, used, rules, guard=guard, next_person=pooled) & (used < arrivals.there)
        states.append((used.copy(), wanted, seen, fit))
        left = int(share_max * len(arrivals.labels)) - len(seen)
        if left <= 0 or not wanted.any():
            break
        used[_most_gaining(fit, pooled, wanted, min(left, _round(arrivals)))] += 1
    error, held = _foretold(states, arrivals, rules, rng) if share_max == 1.0 else (None, None)
    confidence = float(fit.confidence[unseen != UNKNOWN].mean())
    return Replay(len(seen) / len(arrivals.labels), curve[-1].accuracy, confidence, tuple(curve), error, held)


def fixed(judged: sets.JudgedSet, seed: int) -> dict[str, tuple[Point, ...]]:
    """Accuracy of 1, 2, ... labels for every item: majority and Dawid-Skene."""
    arrivals = Arrivals.of(judged.named.labels, np.random.default_rng(seed))
    curves: dict[str, list[Point]] = {"majority": [], "dawid-skene": []}
    for overlap in range(1, int(np.quantile(arrivals.there, 0.9)) + 1):
        seen = arrivals.first(np.minimum(overlap, arrivals.there))
        for name, method in (("majority", majority), ("dawid-skene", dawid_skene)):
            curves[name].append(Point(len(seen) / seen.items, _accuracy(method(seen), judged.gold)))
    return {name: tuple(points) for name, points in curves.items()}


def at(curve: tuple[Point, ...], labels_per_item: float) -> float:
    """Accuracy at a number of labels per item, on the line between the nearest points."""
    return float(np.interp(labels_per_item, [p.labels_per_item for p in curve], [p.accuracy for p in curve]))


def share_allowed(labels: Labels) -> float:
    return SHARE_IF_MANY if len(labels) / labels.items >= MANY_LABELS else SHARE_IF_FEW


def run(quick: bool, console: Console) -> dict[str, object]:
    """Replay every set; prints tables and gives the figures, with the curves for the plot."""
    seeds = QUICK_SEEDS if quick else SEEDS
    figures = {name: _figures(sets.load(name), seeds) for name in sets.NAMES}
    console.print(_table(figures))
    console.print(_ends(figures))
    return {name: dict(figure) for name, figure in figures.items()}


def _figures(judged: sets.JudgedSet, seeds: int) -> dict[str, object]:
    labels = judged.named.labels
    started = time.process_time()
    limit = share_allowed(labels)
    limited = [replayed(judged, seed, share_max=limit) for seed in range(seeds)]
    alone = [replayed(judged, seed) for seed in range(seeds)]
    checked = [replayed(judged, seed, share_max=limit, with_gold=True) for seed in range(seeds)]
    overlaps = [fixed(judged, seed) for seed in range(seeds)]
    budget = float(np.mean([r.share for r in limited])) * len(labels) / labels.items
    everything = majority(labels).accuracy_on(judged.gold)
    assert everything is not None
    accuracy = float(np.mean([r.accuracy for r in limited]))
    return {
        "labels_per_item": len(labels) / labels.items,
        "majority_of_everything": everything,
        "share_allowed": limit,
        "limited": _summary(limited),
        "rules_alone": _summary(alone),
        "limited_with_gold": _summary(checked),
        "fixed_majority_same_budget": float(np.mean([at(o["majority"], budget) for o in overlaps])),
        "fixed_dawid_skene_same_budget": float(np.mean([at(o["dawid-skene"], budget) for o in overlaps])),
        "reaches_majority": accuracy >= everything,
        "never_far_below": min(r.accuracy for r in limited) >= everything - BELOW_MAJORITY_MAX,
        "forecast_error": _mean([r.forecast_error for r in alone]),
        "forecast_held": _mean([None if r.forecast_held is None else float(r.forecast_held) for r in alone]),
        "curves": {
            "adaptive": [asdict(point) for point in alone[0].curve],
            **{name: [asdict(point) for point in curve] for name, curve in overlaps[0].items()},
        },
        "cpu_seconds": time.process_time() - started,
    }


def _summary(replays: list[Replay]) -> dict[str, float]:
    accuracy = [r.accuracy for r in replays]
    return {
        "share": float(np.mean([r.share for r in replays])),
        "accuracy": float(np.mean(accuracy)),
        "worst_accuracy": min(accuracy),
        "confidence": float(np.mean([r.confidence for r in replays])),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _accuracy(fit: Fit, gold: Ints) -> float:
    accuracy = fit.accuracy_on(gold)
    assert accuracy is not None
    return accuracy


def _split_gold(gold: Ints, rng: np.random.Generator, with_gold: bool) -> tuple[Ints, Ints]:
    """Known answers for spot checks, and those that the replay is judged by."""
    if not with_gold:
        return np.full(len(gold), UNKNOWN, dtype=np.int64), gold
    known = np.flatnonzero(gold != UNKNOWN)
    spots = rng.choice(known, int(GOLD_SHARE * len(known)), replace=False)
    is_spot = np.isin(np.arange(len(gold)), spots)
    return np.where(is_spot, gold, UNKNOWN), np.where(is_spot, UNKNOWN, gold)


def _guard(fit: Fit, spots: Ints, rules: Rules) -> Guard:
    known = np.flatnonzero(spots != UNKNOWN)
    return gold_guard(rules.target, fit.confidence[known], fit.answers[known] == spots[known])


def _round(arrivals: Arrivals) -> int:
    return max(1, int(_ROUND_SHARE * len(arrivals.labels)))


def _most_gaining(fit: Fit, pooled: Floats, wanted: NDArray[np.bool_], most: int) -> Ints:
    """The items that gain most from a label; among equals the least certain."""
    rows = np.flatnonzero(wanted)
    gain = gain_per_label_ahead(fit.posterior[rows], pooled)
    return np.asarray(rows[np.lexsort((fit.confidence[rows], -gain))[:most]], dtype=np.int64)


def _foretold(
    states: list[tuple[Ints, NDArray[np.bool_], Labels, Fit]],
    arrivals: Arrivals,
    rules: Rules,
    rng: np.random.Generator,
) -> tuple[float | None, bool | None]:
    """Forecast a third of the way from the floor to the end: relative error, and whether the interval held it.

    The replay cannot ask for labels that were never given; only items with labels left count, the cap of the rules
    is what the set has, and nothing is said where that leaves no item open.
    """
    used, wanted, seen, fit = states[len(states) // 3]
    actual = int((states[-1][0] - used).sum())
    if not wanted.any() or actual == 0:
        return None, None
    cap = int(max(rules.floor, np.median(arrivals.there[wanted])))
    asked = Rules(rules.target, rules.floor, cap, rules.price, rules.price_limit, rules.worth)
    resolved = used[~wanted & (used < arrivals.there)]
    pooled = pooled_confusion(seen, fit)
    foretold = forecast(
        fit.posterior[wanted], used[wanted], resolved, asked, prior=fit.prior, pooled=pooled, rng=rng
    ).judgments
    assert foretold.value is not None
    assert foretold.low is not None
    assert foretold.high is not None
    return foretold.value / actual - 1, foretold.low <= actual <= foretold.high


def _table(figures: dict[str, dict[str, object]]) -> Table:
    table = Table(title="Adaptive overlap beside majority of all labels (mean of replays)")
    for column in (
        "set",
        "labels/item",
        "majority of all",
        "share used",
        "adaptive",
        "worst",
        "with gold spots",
        "fixed: majority",
        "fixed: Dawid-Skene",
    ):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name, figure in figures.items():
        limited, checked = _part(figure, "limited"), _part(figure, "limited_with_gold")
        table.add_row(
            name,
            f"{_number(figure, 'labels_per_item'):.1f}",
            f"{_number(figure, 'majority_of_everything'):.3f}",
            f"{limited['share']:.0%} (of {_number(figure, 'share_allowed'):.0%})",
            f"[bold]{limited['accuracy']:.3f}[/bold]" + ("" if figure["reaches_majority"] else " (below)"),
            f"{limited['worst_accuracy']:.3f}" + ("" if figure["never_far_below"] else " (far below)"),
            f"{checked['accuracy']:.3f} at {checked['share']:.0%}",
            f"{_number(figure, 'fixed_majority_same_budget'):.3f}",
            f"{_number(figure, 'fixed_dawid_skene_same_budget'):.3f}",
        )
    return table


def _ends(figures: dict[str, dict[str, object]]) -> Table:
    table = Table(title="Stopped by the rules alone (no price limit)")
    for column in ("set", "share used", "accuracy", "stated confidence", "forecast off by", "interval held", "CPU s"):
        table.add_column(column, justify="left" if column == "set" else "right")
    for name, figure in figures.items():
        alone = _part(figure, "rules_alone")
        error, held = figure["forecast_error"], figure["forecast_held"]
        table.add_row(
            name,
            f"{alone['share']:.0%}",
            f"{alone['accuracy']:.3f}",
            f"{alone['confidence']:.3f}",
            f"{error:+.0%}" if isinstance(error, float) else "-",
            f"{held:.0%}" if isinstance(held, float) else "-",
            f"{_number(figure, 'cpu_seconds'):.1f}",
        )
    return table


def _part(figure: dict[str, object], name: str) -> dict[str, float]:
    part = figure[name]
    assert isinstance(part, dict)
    return part


def _number(figure: dict[str, object], name: str) -> float:
    number = figure[name]
    assert isinstance(number, float)
    return number
