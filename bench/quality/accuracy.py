"""Categorical truth inference on published sets: accuracy beside crowd-kit and published figures, and calibration.

Known answers are looked at only after fits, except in the calibration part, where a fifth of them are spot checks and
the figures come from the other four fifths.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypedDict

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.calibration import calibrate, ece, reliability
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels, Repeats
from preceptor.quality.truth.choice import CANDIDATES, fit
from preceptor.quality.truth.result import Method

if TYPE_CHECKING:
    from pandas import DataFrame

PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "EBCC": dict(zip(sets.NAMES, (0.935, 0.931, 0.912, 0.635, 0.857, 0.769), strict=False)),
    "BWA": dict(zip(sets.NAMES, (0.919, 0.928, 0.911, 0.618, 0.860, 0.822), strict=False)),
    "iBCC": dict(zip(sets.NAMES, (0.938, 0.928, 0.827, 0.640, 0.857, 0.751), strict=False)),
}
WITHIN_BEST = 0.005
BELOW_MAJORITY_MAX = 0.01
ECE_MAX = {True: 0.05, False: 0.10}
SPOT_CHECKS = 0.2
SPLITS = 10
SLOW_PEERS = ("MACE", "GLAD")
SLOW_SET = "s_rel"
SEED = 1


class Proba(Protocol):
    """A model of crowd-kit."""

    def fit_predict_proba(self, table: "DataFrame", /) -> "DataFrame": ...


class Peer(TypedDict):
    accuracy: float
    cpu_seconds: float


def run(quick: bool, console: Console) -> dict[str, object]:
    """Accuracy, guard conditions and calibration on every set; `quick` leaves out s_rel and the slow peers."""
    if not sets.there():
        console.print(f"No sets of judgments at {sets.FOLDER}: accuracy is left out.")
        return {"left_out": "the sets are not there"}
    names = [name for name in sets.NAMES if not (quick and name == SLOW_SET)]
    figures: dict[str, object] = {}
    accuracies = {}
    guards = {}
    calibrations = {}
    for name in names:
        for repeats in _repeats(name):
            key = name if repeats == "last" else f"{name} (repeats counted)"
            console.print(f"[dim]{key}[/dim]")
            found = measure(sets.load(name, repeats=repeats), quick)
            accuracies[key], guards[key], calibrations[key] = found["accuracy"], found["guard"], found["calibration"]
            figures[key] = found
    _show_accuracies(accuracies, console)
    _show_guards(guards, console)
    _show_calibrations(calibrations, console)
    return figures


class Guard(TypedDict):
    auto: float
    best_of_two: float
    within: bool
    majority: float
    not_below: bool
    published: float | None
    reaches_published: bool | None
    cpu_seconds: float
    why: str


class Calibrated(TypedDict):
    binary: bool
    raw: float
    softened: float
    calibrated: float
    ways: dict[str, int]
    passes: bool
    brier: float | None
    log_loss: float | None


class Found(TypedDict):
    accuracy: dict[str, float]
    cpu_seconds: dict[str, float]
    weights: dict[str, float]
    guard: Guard
    calibration: Calibrated


def measure(judged: sets.JudgedSet, quick: bool) -> Found:
    """All figures of one set."""
    labels, gold = judged.named.labels, judged.gold
    peers = {name: _peer(make, labels, gold) for name, make in _peers(quick or judged.name == SLOW_SET).items()}
    ours = {one.name: _timed(partial(_posterior, one.method, labels), gold) for one in CANDIDATES}
    start = time.process_time()
    chosen = fit(labels, rng=np.random.default_rng(SEED))
    seconds = time.process_time() - start
    auto = chosen.fit.accuracy_on(gold)
    assert auto is not None
    table = {f"crowd-kit {name}": peer["accuracy"] for name, peer in peers.items()}
    table |= {name: one["accuracy"] for name, one in ours.items()} | {"auto": auto}
    # Dawid-Skene as anybody would run it; how our own smoothed one does beside it is in the table.
    best = max(table["crowd-kit majority"], table["crowd-kit Dawid-Skene"], table["majority"])
    published = max((column[judged.name] for column in PUBLISHED.values() if judged.name in column), default=None)
    guard = Guard(
        auto=auto,
        best_of_two=best,
        within=auto >= best - WITHIN_BEST,
        majority=table["majority"],
        not_below=auto >= max(table["majority"], table["crowd-kit majority"]) - BELOW_MAJORITY_MAX,
        published=published,
        reaches_published=None if published is None else round(auto, 3) >= published,
        cpu_seconds=seconds,
        why=chosen.why,
    )
    cpu = {f"crowd-kit {name}": peer["cpu_seconds"] for name, peer in peers.items()}
    cpu |= {name: one["cpu_seconds"] for name, one in ours.items()} | {"auto": seconds}
    calibration = calibrated(chosen.fit.posterior, chosen.softened, gold)
    return Found(accuracy=table, cpu_seconds=cpu, weights=dict(chosen.weights), guard=guard, calibration=calibration)


def calibrated(posterior: Floats, softened: Floats, gold: Ints) -> Calibrated:
    """Calibration error before, after softening without any gold, and after spot checks, averaged over splits."""
    rng = np.random.default_rng(SEED)
    known = np.flatnonzero(gold != UNKNOWN)
    raw, soft, after = [], [], []
    ways: dict[str, int] = {}
    for _ in range(SPLITS):
        checked = rng.permutation(known)[: round(SPOT_CHECKS * len(known))]
        shown = np.full_like(gold, UNKNOWN)
        shown[checked] = gold[checked]
        hidden = gold.copy()
        hidden[checked] = UNKNOWN
        learnt = calibrate(posterior, shown, rng=rng)
        ways[learnt.way] = ways.get(learnt.way, 0) + 1
        raw.append(ece(posterior, hidden))
        soft.append(ece(softened, hidden))
        after.append(ece(learnt.apply(posterior), hidden))
    error = _mean(after)
    binary = posterior.shape[1] == 2
    # Brier and log loss of the last split, as an example of what is reported with a fit.
    measures = reliability(learnt.apply(posterior), hidden, rng=rng)
    return Calibrated(
        binary=binary,
        raw=_mean(raw),
        softened=_mean(soft),
        calibrated=error,
        ways=ways,
        passes=error <= ECE_MAX[binary],
        brier=measures.brier.value,
        log_loss=measures.log_loss.value,
    )


def _mean(values: list[float | None]) -> float:
    return float(np.mean([value for value in values if value is not None]))


def _repeats(name: str) -> tuple[Repeats, ...]:
    return ("last", "all") if name in ("zencrowd_us", "weather_cf", "s_rel") else ("last",)


def _timed(make: Callable[[], Floats], gold: Ints) -> Peer:
    start = time.process_time()
    posterior = make()
    seconds = time.process_time() - start
    known = np.flatnonzero(gold != UNKNOWN)
    best = posterior[known] >= posterior[known].max(axis=1, keepdims=True) - 1e-9
    met = best[np.arange(len(known)), gold[known]] / best.sum(axis=1)
    return Peer(accuracy=float(met.mean()), cpu_seconds=seconds)


def _posterior(method: Method, labels: Labels) -> Floats:
    return method(labels).posterior


def _peers(quick: bool) -> dict[str, Callable[["DataFrame"], "DataFrame"]]:
    """crowd-kit's models with their defaults, each from judgments to probabilities by task."""
    from crowdkit.aggregation import GLAD, MACE, DawidSkene, MajorityVote, Wawa
    from sklearn.base import BaseEstimator

    # Wawa asks scikit-learn whether it is fitted, which newer releases answer for their own estimators only.
    class AskableWawa(Wawa, BaseEstimator):  # type: ignore[misc]
        pass

    made = {"majority": MajorityVote, "Wawa": AskableWawa, "Dawid-Skene": DawidSkene, "MACE": MACE, "GLAD": GLAD}
    return {name: partial(_proba, make) for name, make in made.items() if not (quick and name in SLOW_PEERS)}


def _proba(make: Callable[[], Proba], table: "DataFrame") -> "DataFrame":
    return make().fit_predict_proba(table)


def _peer(make: Callable[["DataFrame"], "DataFrame"], labels: Labels, gold: Ints) -> Peer:
    import pandas

    table = pandas.DataFrame({"task": labels.item, "worker": labels.person, "label": labels.label})

    def posterior() -> Floats:
        chances = make(table)
        full = np.zeros((labels.items, labels.classes))
        full[np.ix_(chances.index.to_numpy(), chances.columns.to_numpy())] = np.nan_to_num(chances.to_numpy())
        return full

    return _timed(posterior, gold)


def _show_accuracies(accuracies: Mapping[str, Mapping[str, float]], console: Console) -> None:
    table = Table(title="Accuracy (ties count their share)")
    table.add_column("")
    for name in accuracies:
        table.add_column(name, justify="right")
    for row in dict.fromkeys(row for column in accuracies.values() for row in column):
        cells = [f"{column[row]:.3f}" if row in column else "" for column in accuracies.values()]
        table.add_row(f"[bold]{row}[/bold]" if row == "auto" else row, *cells)
    for row, column in PUBLISHED.items():
        cells = [f"{column[name.split()[0]]:.3f}" if name.split()[0] in column else "" for name in accuracies]
        table.add_row(f"{row}, as published", *cells)
    console.print(table)


def _show_guards(guards: Mapping[str, Guard], console: Console) -> None:
    table = Table(title=f"Automatic choice: within {WITHIN_BEST} of the better of majority and crowd-kit's Dawid-Skene")
    for column in ("set", "auto", "better of two", "", "majority", "", "best published", "", "CPU s", "chosen"):
        table.add_column(column, justify="left" if column in ("set", "chosen") else "right")
    for name, one in guards.items():
        published = "" if one["published"] is None else f"{one['published']:.3f}"
        table.add_row(
            name,
            f"{one['auto']:.4f}",
            f"{one['best_of_two']:.4f}",
            _mark(one["within"]),
            f"{one['majority']:.4f}",
            _mark(one["not_below"]),
            published,
            _mark(one["reaches_published"]),
            f"{one['cpu_seconds']:.1f}",
            one["why"].split(":")[0],
        )
    console.print(table)


def _show_calibrations(calibrations: Mapping[str, Calibrated], console: Console) -> None:
    table = Table(title=f"Calibration error (15 bins), mean of {SPLITS} splits; {SPOT_CHECKS:.0%} of gold is shown")
    for column in ("set", "raw", "softened without gold", "calibrated", "at most", "", "how", "Brier", "log loss"):
        table.add_column(column, justify="left" if column in ("set", "how") else "right")
    for name, one in calibrations.items():
        table.add_row(
            name,
            f"{one['raw']:.3f}",
            f"{one['softened']:.3f}",
            f"{one['calibrated']:.3f}",
            f"{ECE_MAX[one['binary']]:.2f}",
            _mark(one["passes"]),
            ", ".join(f"{way} {count}" for way, count in one["ways"].items()),
            f"{one['brier']:.3f}",
            f"{one['log_loss']:.3f}",
        )
    console.print(table)


def _mark(passed: bool | None) -> str:
    return "" if passed is None else "[green]yes[/green]" if passed else "[red]NO[/red]"
