"""Labels taken in one by one on real sets: how long one update takes, and how far it drifts from an exact refit."""

import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.incremental import Counts, Crowd, ItemState, update
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints, Labels
from preceptor.quality.truth.dawid_skene import CrowdPrior, dawid_skene
from preceptor.quality.truth.result import Fit

SHRINKAGE = 4.0
REFIT_EVERY = (None, 5_000, 1_000)
QUICK_SETS = ("rte", "face")
SIZES = ((2, 3), (2, 10), (4, 5), (5, 10), (10, 10))
UPDATES, QUICK_UPDATES = 5_000, 1_000
P99_MS_WANTED = 1.0
# Clearly different answers only: a posterior that moves across 0.5 by a hair is no disagreement.
_NEAR = 0.05


@dataclass
class Stream:
    """What a platform would hold in rows; here in dicts."""

    crowd: Crowd
    items: dict[int, ItemState[int]]
    people: dict[int, Counts]

    @classmethod
    def new(cls, classes: int) -> "Stream":
        return cls(Crowd.assumed(classes, shrinkage=SHRINKAGE), {}, {})

    def take(self, item: int, person: int, label: int) -> None:
        state = self.items.get(item) or ItemState.new(self.crowd)
        updated = update(state, self.people, self.crowd, person, label)
        self.items[item] = updated.item
        self.people.update(updated.counts)

    def refit(self, seen: Labels) -> None:
        """Exact: the full fit's prior and crowd, its posteriors, and the counts that follow from them."""
        fit = exact(seen)
        self.crowd = Crowd(tuple(fit.prior.tolist()), tuple(map(tuple, _pooled(seen, fit).tolist())), SHRINKAGE)
        for item, state in self.items.items():
            self.items[item] = ItemState(state.labels, tuple(fit.posterior[item].tolist()))
        counts = _counts(seen, fit)
        self.people = {person: counts[person].tolist() for person in np.unique(seen.person).tolist()}


def exact(labels: Labels) -> Fit:
    """The fit that the stream approximates, with the same shrinkage, to its end."""
    return dawid_skene(labels, prior=CrowdPrior(strength=SHRINKAGE), rounds=500, tolerance=1e-7)


def run(quick: bool, console: Console) -> dict[str, object]:
    """Prints both tables and gives the figures."""
    times = [_timed(classes, labels, QUICK_UPDATES if quick else UPDATES) for classes, labels in SIZES]
    names = QUICK_SETS if quick else tuple(name for name in sets.NAMES if name != "s_rel")
    apart = [figure for name in names for figure in _compared(sets.load(name))]
    console.print(_times_table(times))
    console.print(_apart_table(apart))
    return {"update": list(times), "beside_exact": list(apart)}


def _timed(classes: int, labels: int, updates: int) -> dict[str, float]:
    """CPU time of the last label of an item, in plain Python as used, and the same posterior in numpy beside it."""
    rng = np.random.default_rng(0)
    crowd = Crowd.assumed(classes, shrinkage=SHRINKAGE)
    people: dict[int, Counts] = {
        person: (20 * rng.dirichlet(np.ones(classes), classes)).tolist() for person in range(50)
    }
    plain, arrays = np.empty(updates), np.empty(updates)
    for number in range(updates):
        item: ItemState[int] = ItemState.new(crowd)
        raters, given = rng.permutation(50)[:labels].tolist(), rng.integers(0, classes, labels).tolist()
        for person, label in zip(raters[:-1], given[:-1], strict=True):
            item = update(item, people, crowd, person, label).item
        started = time.thread_time_ns()
        update(item, people, crowd, raters[-1], given[-1])
        plain[number] = time.thread_time_ns() - started
        arrays[number] = _in_numpy(people, crowd, raters, given)
    return {
        "classes": classes,
        "labels": labels,
        "p50_ms": float(np.quantile(plain, 0.5)) / 1e6,
        "p99_ms": float(np.quantile(plain, 0.99)) / 1e6,
        "numpy_posterior_p50_ms": float(np.quantile(arrays, 0.5)) / 1e6,
    }


def _in_numpy(people: dict[int, Counts], crowd: Crowd, raters: list[int], given: list[int]) -> int:
    """CPU nanoseconds of the posterior alone with arrays, made from the rows that a database would give."""
    started = time.thread_time_ns()
    counts = np.array([people[person] for person in raters])
    pooled = np.array(crowd.pooled)
    confusion = (counts + SHRINKAGE * pooled) / (counts.sum(axis=2, keepdims=True) + SHRINKAGE)
    scores = np.log(confusion[np.arange(len(given)), :, given]).sum(axis=0) + np.log(np.array(crowd.prior))
    weights = np.exp(scores - scores.max())
    _ = (weights / weights.sum()).tolist()
    return time.thread_time_ns() - started


def _compared(judged: sets.JudgedSet) -> list[dict[str, object]]:
    labels = judged.named.labels
    order = np.random.default_rng(0).permutation(len(labels))
    end = exact(labels)
    return [_streamed(judged, labels, order, end, every) for every in REFIT_EVERY]


def _streamed(judged: sets.JudgedSet, labels: Labels, order: Ints, end: Fit, every: int | None) -> dict[str, object]:
    """Stream the whole set, refitting after every so many labels but never at the end, and compare with the fit."""
    stream = Stream.new(labels.classes)
    triples = list(zip(*(column[order].tolist() for column in (labels.item, labels.person, labels.label)), strict=True))
    last = len(triples) - 1
    for number, triple in enumerate(triples):
        stream.take(*triple)
        if every is not None and (number + 1) % every == 0 and number < last:
            stream.refit(_part(labels, order[: number + 1]))
    posterior = np.array([stream.items[item].posterior for item in range(labels.items)])
    return {"set": judged.name, "refit_every": every, **_apart(posterior, end, judged.gold)}


def _apart(posterior: Floats, end: Fit, gold: Ints) -> dict[str, float]:
    difference = np.abs(posterior - end.posterior).max(axis=1)
    same = posterior.argmax(axis=1) == end.answers
    clear = end.confidence > 0.5 + _NEAR
    known = gold != UNKNOWN
    return {
        "mean_difference": float(difference.mean()),
        "max_difference": float(difference.max()),
        "same_answer": float(same.mean()),
        "same_clear_answer": float(same[clear].mean()),
        "accuracy": float((posterior.argmax(axis=1) == gold)[known].mean()),
        "exact_accuracy": float((end.answers == gold)[known].mean()),
    }


def _part(labels: Labels, rows: Ints) -> Labels:
    sizes = (labels.items, labels.people, labels.classes)
    return Labels(labels.item[rows], labels.person[rows], labels.label[rows], *sizes)


def _counts(labels: Labels, fit: Fit) -> Floats:
    """(people, classes, classes) expected confusion counts, as [person, truth, given]."""
    cell = labels.person * labels.classes + labels.label
    size = labels.people * labels.classes
    columns = [
        np.bincount(cell, weights=fit.posterior[labels.item, truth], minlength=size) for truth in range(labels.classes)
    ]
    return np.stack([column.reshape(labels.people, labels.classes) for column in columns], axis=1)


def _pooled(labels: Labels, fit: Fit) -> Floats:
    """The crowd's matrix as the full fit makes it: one judgment more, spread evenly over each row."""
    pooled = _counts(labels, fit).sum(axis=0) + 1 / labels.classes
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True), dtype=np.float64)


def _times_table(times: list[dict[str, float]]) -> Table:
    table = Table(title=f"One label in: CPU ms of the item's last update (p99 at most {P99_MS_WANTED})")
    for column in ("classes", "labels of the item", "p50", "p99", "posterior alone in numpy, p50"):
        table.add_column(column, justify="right")
    for line in times:
        table.add_row(
            f"{line['classes']:.0f}",
            f"{line['labels']:.0f}",
            f"{line['p50_ms']:.3f}",
            f"[bold]{line['p99_ms']:.3f}[/bold]",
            f"{line['numpy_posterior_p50_ms']:.3f}",
        )
    return table


def _apart_table(apart: list[dict[str, object]]) -> Table:
    table = Table(title="Whole sets streamed label by label, beside the exact Dawid-Skene fit")
    names = ("mean_difference", "max_difference", "same_answer", "same_clear_answer", "accuracy", "exact_accuracy")
    for column in ("set", "refit every", *(name.replace("_", " ") for name in names)):
        table.add_column(column, justify="left" if column == "set" else "right")
    for line in apart:
        every = line["refit_every"]
        numbers = [value for value in (line[name] for name in names) if isinstance(value, float)]
        table.add_row(
            str(line["set"]), "never" if every is None else f"{every:,}", *(f"{number:.3f}" for number in numbers)
        )
    return table
