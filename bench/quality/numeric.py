"""Ordered classes and numbers: accuracy and distance beside plain rules, and foretelling raters who were left out."""

import time
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.labels import UNKNOWN, Floats, Ints
from preceptor.quality.numeric import ROBUST_DEGREES, Ratings, fit_numeric, item_means, item_medians
from preceptor.quality.ordinal import fit_ordinal
from preceptor.quality.truth import dawid_skene, majority

ORDINAL_SET, NUMERIC_SET = "web_ordinal", "asset_ratings"
DRAWS, DRAWS_QUICK = 20, 3
RATERS_KEPT = (3, 5, 10)
RATINGS_MIN = 10


@dataclass(frozen=True)
class Answers:
    """What a method says: a class for each item, or a number that is rounded to one."""

    name: str
    answer: Floats
    cpu_seconds: float


def run(quick: bool, console: Console) -> dict[str, object]:
    """The tables of both kinds, and their figures."""
    if not sets.there():
        console.print(f"{ORDINAL_SET} and {NUMERIC_SET} are not here; this part is left out")
        return {}
    return {"ordinal": _ordinal(console), "numeric": _numeric(DRAWS_QUICK if quick else DRAWS, console)}


def _ordinal(console: Console) -> dict[str, object]:
    judged = sets.load(ORDINAL_SET)
    known = np.flatnonzero(judged.gold != UNKNOWN)
    gold = judged.gold[known]
    figures: dict[str, object] = {}
    table = Table(title=f"{ORDINAL_SET}: {len(known):,} known answers (published on this file: BWA .822, EBCC .769)")
    for heading in ("method", "accuracy", "mean absolute error", "CPU s"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for one in _ordinal_answers(judged):
        accuracy = float(np.mean(np.rint(one.answer[known]) == gold))
        distance = float(np.abs(np.rint(one.answer[known]) - gold).mean())
        figures[one.name] = {"accuracy": accuracy, "mean_absolute_error": distance, "cpu_seconds": one.cpu_seconds}
        table.add_row(one.name, f"{accuracy:.4f}", f"{distance:.4f}", f"{one.cpu_seconds:.2f}")
    console.print(table)
    return figures


def _ordinal_answers(judged: sets.JudgedSet) -> list[Answers]:
    labels, places = judged.named.labels, np.arange(judged.named.labels.classes)
    start = time.process_time()
    ratings = Ratings(labels.item, labels.person, labels.label.astype(np.float64), labels.items, labels.people)
    plain = [
        Answers("mean, rounded", np.array([e.value for e in item_means(ratings)], dtype=np.float64), 0.0),
        Answers("median", np.array([e.value for e in item_medians(ratings)], dtype=np.float64), 0.0),
        Answers("majority, ties drawn", majority(labels).drawn(np.random.default_rng(0)).astype(np.float64), 0.0),
    ]
    start = time.process_time()
    full = dawid_skene(labels)
    took = time.process_time() - start
    plain += [
        Answers("Dawid-Skene", full.answers.astype(np.float64), took),
        Answers("Dawid-Skene, posterior mean", full.posterior @ places, took),
    ]
    start = time.process_time()
    ordered = fit_ordinal(labels)
    took = time.process_time() - start
    return [
        *plain,
        Answers("ordinal Dawid-Skene", ordered.fit.answers.astype(np.float64), took),
        Answers("ordinal Dawid-Skene, posterior median", ordered.median.astype(np.float64), took),
        Answers("ordinal Dawid-Skene, posterior mean", ordered.mean, took),
    ]


def _numeric(draws: int, console: Console) -> dict[str, object]:
    rows = sets.rows(NUMERIC_SET, "labels.csv.gz")
    figures: dict[str, object] = {}
    table = Table(title=f"{NUMERIC_SET}: distance (RMSE, points of 100) between item values and ratings left out")
    for heading in ("aspect", "left out", "mean", "median", "Gaussian", "Student's t"):
        table.add_column(heading, justify="left" if heading in ("aspect", "left out") else "right")
    for aspect in sorted({row["task_id"].split("/")[1] for row in rows}):
        ratings = _ratings([row for row in rows if row["task_id"].endswith(f"/{aspect}")])
        tasks = {f"mean of all but {kept} raters": _thinned(ratings, kept, draws) for kept in RATERS_KEPT}
        tasks["one rater, own level removed"] = _without_each(ratings)
        for name, found in tasks.items():
            table.add_row(aspect, name, *(f"{value:.2f}" for value in found.values()))
        figures[aspect] = tasks
    console.print(table)
    return figures


def _ratings(rows: list[dict[str, str]]) -> Ratings:
    columns = ([row["task_id"] for row in rows], [row["worker_id"] for row in rows])
    return Ratings.read(*columns, [float(row["label"]) for row in rows])[0]


def _values(ratings: Ratings) -> dict[str, Floats]:
    return {
        "mean": np.array([e.value for e in item_means(ratings)], dtype=np.float64),
        "median": np.array([e.value for e in item_medians(ratings)], dtype=np.float64),
        "gaussian": fit_numeric(ratings).value,
        "student_t": fit_numeric(ratings, degrees=ROBUST_DEGREES).value,
    }


def _thinned(ratings: Ratings, kept: int, draws: int) -> dict[str, float]:
    """Root mean squared distance to the mean of the ratings that were left out, `kept` being used."""
    squares: dict[str, list[float]] = {}
    for seed in range(draws):
        used = _place_in_item(ratings.item, np.random.default_rng(seed)) < kept
        held = np.array([e.value for e in item_means(_part(ratings, ~used))], dtype=np.float64)
        for name, value in _values(_part(ratings, used)).items():
            squares.setdefault(name, []).append(float(np.mean((value - held) ** 2)))
    return {name: float(np.sqrt(np.mean(found))) for name, found in squares.items()}


def _without_each(ratings: Ratings) -> dict[str, float]:
    """The same for the ratings of one rater at a time, after taking out their average difference."""
    squares: dict[str, list[float]] = {}
    for person in range(ratings.people):
        theirs = ratings.person == person
        if theirs.sum() < RATINGS_MIN:
            continue
        for name, value in _values(_part(ratings, ~theirs)).items():
            gap = ratings.value[theirs] - value[ratings.item[theirs]]
            squares.setdefault(name, []).append(float(gap.var()))
    return {name: float(np.sqrt(np.mean(found))) for name, found in squares.items()}


def _part(ratings: Ratings, mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ratings:
    return Ratings(ratings.item[mask], ratings.person[mask], ratings.value[mask], ratings.items, ratings.people)


def _place_in_item(item: Ints, rng: np.random.Generator) -> Ints:
    """Random place of each rating among those of its item."""
    order = np.lexsort((rng.random(len(item)), item))
    count = np.bincount(item)
    place = np.empty(len(item), dtype=np.int64)
    place[order] = np.arange(len(item)) - np.repeat(np.cumsum(count) - count, count)
    return place
