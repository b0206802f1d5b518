"""Comparisons: foretelling one hidden vote of each pair, biases of comparisons, and speed on a million of them.

What is foretold: of each pair of arguments one vote is drawn and hidden; everything is fitted to the other votes. A
model then gives the chances of left, tie and right for the hidden voter. `two-way` looks only at hidden votes that
chose a side: accuracy of the likelier side, and the mean cost in nats of the chance of the side given that there is
one. `three-way` looks at all hidden votes and asks for the tie, too.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table

from bench.quality import sets
from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise import (
    LEFT,
    RIGHT,
    TIE,
    Comparisons,
    VoteModel,
    bradley_terry,
    choose,
    crowd_bradley_terry,
    decided,
    fit_votes,
    hide_one,
)
from preceptor.quality.pairwise.davidson import log_chances

SET = "ukp_convarg"
SEEDS, SEEDS_QUICK = 5, 1
ACCURACY_WANTED, COST_WANTED = 0.77, 0.475
BINS = 10
Predictor = Callable[[Comparisons, Comparisons, np.random.Generator], Floats]


@dataclass(frozen=True)
class Votes:
    """The votes of the set as indices, and the length of each argument in characters."""

    comparisons: Comparisons
    length: Floats


def load() -> Votes:
    rows = sets.rows(SET, "comparisons.csv.gz")
    place: dict[str, int] = {}
    left = np.array([place.setdefault(row["left"], len(place)) for row in rows])
    right = np.array([place.setdefault(row["right"], len(place)) for row in rows])
    people: dict[str, int] = {}
    person = np.array([people.setdefault(row["worker_id"], len(people)) for row in rows])
    outcome = np.array([_outcome(row) for row in rows])
    characters = {row["item_id"]: len(row["text"]) for row in sets.json_rows(SET, "arguments.jsonl.gz")}
    length = np.array([characters[item] for item in place], dtype=np.float64)
    return Votes(Comparisons.of(left, right, outcome, person=person), length)


def _outcome(row: dict[str, str]) -> int:
    if row["winner"] == "tie":
        return TIE
    return LEFT if row["winner"] == row["left"] else RIGHT


def run(quick: bool, console: Console) -> dict[str, object]:
    """All tables of this part, and their figures."""
    votes = load() if sets.there() else None
    figures: dict[str, object] = {"speed": _speed(console)}
    if votes is None:
        console.print(f"{SET} is not here; hidden votes are left out")
        return figures
    figures["hidden votes"] = _hidden_votes(votes, SEEDS_QUICK if quick else SEEDS, console)
    figures["biases"] = _biases(votes, console)
    if not quick:
        figures["choice"] = _choice(votes, console)
    return figures


def pair_votes(rest: Comparisons, hidden: Comparisons, rng: np.random.Generator) -> Floats:
    """Baseline: the shares of the pair's other votes, one vote of each kind added."""
    contests = rest.contests
    keys = contests.first * rest.items + contests.second
    low, high = np.minimum(hidden.left, hidden.right), np.maximum(hidden.left, hidden.right)
    at = np.minimum(np.searchsorted(keys, low * rest.items + high), len(keys) - 1)
    found = keys[at] == low * rest.items + high
    won = np.where(found[:, None], contests.won[at], 0.0) + 1.0
    won = np.where((hidden.left > hidden.right)[:, None], won[:, ::-1], won)
    return np.asarray(won / won.sum(axis=1, keepdims=True))


def by_strengths(rest: Comparisons, hidden: Comparisons, rng: np.random.Generator) -> Floats:
    return np.exp(bradley_terry(rest).log_chances(hidden))


def by_crowd(rest: Comparisons, hidden: Comparisons, rng: np.random.Generator) -> Floats:
    return np.exp(crowd_bradley_terry(rest).log_chances(hidden))


def by_model(rest: Comparisons, hidden: Comparisons, rng: np.random.Generator) -> Floats:
    model: VoteModel = fit_votes(rest, rng)
    return np.exp(model.log_chances(hidden))


PREDICTORS: dict[str, Predictor] = {
    "the pair's other votes": pair_votes,
    "Bradley-Terry with ties": by_strengths,
    "Crowd-BT with ties": by_crowd,
    "model of votes": by_model,
}


def measures(chances: Floats, outcome: Ints) -> dict[str, float]:
    """Two-way and three-way accuracy and cost of chances (n, 3), and the two-way calibration error."""
    sided = outcome != TIE
    left, said_left = decided(chances)[sided], outcome[sided] == LEFT
    of_said = np.where(said_left, left, 1 - left)
    return {
        "two_way_accuracy": float(np.mean((left > 0.5) == said_left)),
        "two_way_nats": float(-np.log(of_said).mean()),
        "two_way_ece": _calibration_error(left, said_left),
        "three_way_accuracy": float(np.mean(chances.argmax(axis=1) == outcome)),
        "three_way_nats": float(-np.log(chances[np.arange(len(outcome)), outcome]).mean()),
        "hidden_votes": float(len(outcome)),
        "hidden_votes_with_a_side": float(sided.sum()),
    }


def _calibration_error(chance: Floats, happened: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
    bins = np.minimum((chance * BINS).astype(np.int64), BINS - 1)
    gaps = [abs(float((happened[bins == b] - chance[bins == b]).sum())) for b in range(BINS)]
    return sum(gaps) / len(chance)


def _hidden_votes(votes: Votes, seeds: int, console: Console) -> dict[str, object]:
    console.print(__doc__)
    found: dict[str, list[dict[str, float]]] = {name: [] for name in PREDICTORS}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        mask = hide_one(votes.comparisons, rng, alone=True)
        rest, hidden = votes.comparisons.where(~mask), votes.comparisons.where(mask)
        for name, predictor in PREDICTORS.items():
            start = time.process_time()
            chances = predictor(rest, hidden, rng)
            seconds = time.process_time() - start
            found[name].append(measures(chances, hidden.outcome) | {"cpu_seconds": seconds})
    figures = {name: {key: float(np.mean([r[key] for r in runs])) for key in runs[0]} for name, runs in found.items()}
    table = Table(title=f"{SET}: one hidden vote per pair, mean of {seeds} draws (wanted: two-way .77 and .475 nats)")
    columns = ("two_way_accuracy", "two_way_nats", "two_way_ece", "three_way_accuracy", "three_way_nats")
    for heading in ("model", *(column.replace("_", " ") for column in columns), "CPU s"):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for name, row in figures.items():
        table.add_row(name, *(f"{row[column]:.4f}" for column in columns), f"{row['cpu_seconds']:.1f}")
    console.print(table)
    best = figures["model of votes"]
    met = best["two_way_accuracy"] >= ACCURACY_WANTED and best["two_way_nats"] <= COST_WANTED
    return {"models": figures, "seeds": seeds, "wanted_met": met}


def _biases(votes: Votes, console: Console) -> dict[str, object]:
    plain = votes.comparisons
    longer = np.log(votes.length[plain.left]) - np.log(votes.length[plain.right])
    covariates = np.stack([np.ones(len(plain)), longer], axis=1)
    described = Comparisons.of(plain.left, plain.right, plain.outcome, covariates=covariates)
    # Length is the same for an argument wherever it appears: its coefficient is a regression of the strengths on it,
    # and its standard error is that of 529 arguments and not of 42,654 votes.
    names = ("left place", "log of the length ratio")
    found = bradley_terry(described, names=names).coefficients
    table = Table(title=f"{SET}: what pulls votes besides the arguments (log odds)")
    for heading in ("covariate", "coefficient", "standard error", "odds ratio"):
        table.add_column(heading, justify="left" if heading == "covariate" else "right")
    for bias in found:
        table.add_row(bias.name, f"{bias.value:+.3f}", f"{bias.standard_error:.3f}", f"{bias.odds_ratio:.3f}")
    console.print(table)
    return {bias.name: {"value": bias.value, "standard_error": bias.standard_error} for bias in found}


def _choice(votes: Votes, console: Console) -> dict[str, object]:
    choice = choose(votes.comparisons, np.random.default_rng(0))
    gain = choice.gain
    console.print(
        f"chosen by held-out votes: {choice.model}; Crowd-BT saves {gain.value:.4f} nats a vote "
        f"({gain.low:.4f} to {gain.high:.4f})"
    )
    return {"model": choice.model, "gain": gain.value, "low": gain.low, "high": gain.high}


def _speed(console: Console, n: int = 1_000_000, items: int = 50) -> dict[str, float]:
    rng = np.random.default_rng(1)
    strength = rng.normal(size=items)
    left = rng.integers(0, items, n)
    right = (left + rng.integers(1, items, n)) % items
    chances = np.exp(log_chances(strength[left] - strength[right], -0.5))
    outcome = (rng.random(n)[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    comparisons = Comparisons.of(left, right, outcome)
    start = time.process_time()
    contests = comparisons.contests
    counted = time.process_time()
    found = bradley_terry(contests)
    fitted = time.process_time()
    off = float(np.abs(found.strength - strength + strength.mean()).max())
    console.print(
        f"{n:,} comparisons of {items} models: counted in {counted - start:.3f} CPU s, fitted in "
        f"{fitted - counted:.3f} CPU s (spread, strengths, covariance); greatest error {off:.3f} logits"
    )
    return {"count_cpu_seconds": counted - start, "fit_cpu_seconds": fitted - counted, "greatest_error": off}
