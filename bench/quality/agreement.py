"""Krippendorff's alpha from arrays: CPU time, memory and growth, beside the `krippendorff` package."""

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass

import krippendorff
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.agreement import Metric, alpha_of
from preceptor.quality.agreement_people import alpha_without_each
from preceptor.quality.chance import fleiss_kappa, gwet_ac1
from preceptor.quality.labels import Labels

RATERS, PEOPLE, CLASSES = 5, 1_000, 4
SECONDS_WANTED = 2.0
SIZES = (100_000, 1_000_000, 10_000_000)
QUICK_SIZES = (100_000, 1_000_000)
METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval", "ratio")
# A matrix of people by items of this many labels is 160 MB; ten times as many, 16 GB.
PACKAGE_SIZE = 100_000
SEED = 20


@dataclass(frozen=True)
class Measured:
    what: str
    labels: int
    alpha: float | None
    cpu_seconds: float
    peak_mb: float


def run(quick: bool, console: Console) -> dict[str, object]:
    growth = [_measured("alpha, nominal, with interval", labels, _nominal) for labels in _crowds(quick)]
    greatest = _crowd(QUICK_SIZES[-1] if quick else SIZES[-1])
    scales = [_measured(f"alpha, {metric}, with interval", greatest, _with(metric)) for metric in METRICS[1:]]
    others = [
        _measured("Fleiss' kappa, with interval", greatest, lambda labels: fleiss_kappa(labels, rng=_rng()).value),
        _measured("Gwet's AC1, with interval", greatest, lambda labels: gwet_ac1(labels, rng=_rng()).value),
        _measured("alpha without each of 1,000 people", _crowd(1_000_000), _without_each),
    ]
    package = _beside_the_package()
    _show(console, "Agreement from arrays", [*growth, *scales, *others])
    _show(console, "Beside the krippendorff package (one machine, one run)", package)
    real = _real(console) if sets.there() else {}
    if not sets.there():
        console.print("The published sets are not there; their agreement is left out.")
    seconds = max(found.cpu_seconds for found in growth)
    console.print(f"Largest nominal: {seconds:.2f} CPU s (at most {SECONDS_WANTED} wanted at 10,000,000 labels)")
    return {
        "growth": [asdict(found) for found in growth],
        "scales": [asdict(found) for found in [*scales, *others]],
        "beside_krippendorff": [asdict(found) for found in package],
        "cpu_seconds_wanted": SECONDS_WANTED,
        "real": real,
    }


def _rng() -> np.random.Generator:
    return np.random.default_rng(SEED)


def _crowds(quick: bool) -> list[Labels]:
    return [_crowd(size) for size in (QUICK_SIZES if quick else SIZES)]


def _crowd(size: int) -> Labels:
    """Five labels an item by a thousand people, right in seven of ten cases, in the order in which they came in."""
    rng = _rng()
    item = np.repeat(np.arange(size // RATERS), RATERS)
    person = (rng.integers(0, PEOPLE, size // RATERS)[:, np.newaxis] + 7 * np.arange(RATERS)).ravel() % PEOPLE
    truth = rng.integers(0, CLASSES, size // RATERS)
    label = np.where(rng.random(size) < 0.7, truth[item], rng.integers(0, CLASSES, size))
    order = rng.permutation(size)
    return Labels(item[order], person[order], label[order], size // RATERS, PEOPLE, CLASSES)


def _nominal(labels: Labels) -> float | None:
    return alpha_of(labels, rng=_rng()).value


def _with(metric: Metric) -> Callable[[Labels], float | None]:
    return lambda labels: alpha_of(labels, metric, values=[1.0, 2.0, 3.0, 4.0], rng=_rng()).value


def _without_each(labels: Labels) -> float | None:
    return alpha_without_each(labels).alpha.value


def _measured(what: str, labels: Labels, measure: Callable[[Labels], float | None]) -> Measured:
    """CPU seconds of a run by itself; the peak of memory, on top of the labels, of another."""
    started = time.process_time()
    value = measure(labels)
    seconds = time.process_time() - started
    tracemalloc.start()
    measure(labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return Measured(what, len(labels), value, round(seconds, 3), round(peak / 1e6, 1))


def _beside_the_package() -> list[Measured]:
    labels = _crowd(PACKAGE_SIZE)

    def matrix(labels: Labels) -> float:
        table = np.full((labels.people, labels.items), np.nan)
        table[labels.person, labels.item] = labels.label
        return float(krippendorff.alpha(reliability_data=table, level_of_measurement="nominal"))

    def counts(labels: Labels) -> float:
        table = labels.counts.toarray()
        return float(krippendorff.alpha(value_counts=table, level_of_measurement="nominal"))

    return [
        _measured("krippendorff, people x items", labels, matrix),
        _measured("krippendorff, items x values counted before", labels, counts),
        _measured("ours, no interval", labels, lambda labels: alpha_of(labels).value),
        _measured("ours, with interval of 1,000 resamples", labels, _nominal),
    ]


def _real(console: Console) -> dict[str, object]:
    table = Table(title="Agreement on published sets (95 % interval over items)")
    for column in ("set", "alpha", "interval", "krippendorff", "Fleiss", "AC1"):
        table.add_column(column, justify="left" if column == "set" else "right")
    figures: dict[str, object] = {}
    for name in sets.NAMES:
        labels = sets.load(name).named.labels
        found = alpha_of(labels, rng=_rng())
        peer = float(krippendorff.alpha(value_counts=labels.counts.toarray(), level_of_measurement="nominal"))
        fleiss, gwet = fleiss_kappa(labels).value, gwet_ac1(labels).value
        interval = f"{found.low:.3f} to {found.high:.3f}"
        table.add_row(name, f"{found.value:.4f}", interval, f"{peer:.4f}", f"{fleiss:.3f}", f"{gwet:.3f}")
        figures[name] = {**asdict(found), "krippendorff": peer, "fleiss": fleiss, "gwet_ac1": gwet}
    console.print(table)
    return figures


def _show(console: Console, title: str, rows: list[Measured]) -> None:
    table = Table(title=title)
    for column in ("", "labels", "value", "CPU s", "peak MB"):
        table.add_column(column, justify="right" if column else "left")
    for row in rows:
        value = "" if row.alpha is None else f"{row.alpha:.4f}"
        table.add_row(row.what, f"{row.labels:,}", value, f"{row.cpu_seconds:.2f}", f"{row.peak_mb:.0f}")
    console.print(table)
