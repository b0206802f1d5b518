"""Evidence about people: false alarms beside the stated rate, detection delays, and what each rate detects (ROC)."""

import time
from collections.abc import Callable, Sequence
from math import log

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binom

from bench.quality import evidence_worlds as worlds
from bench.quality.evidence_worlds import NEVER, World, first_reached
from preceptor.quality.evidence import (
    AccuracyWatch,
    Crowd,
    DriftWatch,
    GoldLeakWatch,
    WatchState,
    collusion,
    e_process,
    habits,
    speed,
)
from preceptor.quality.evidence.bets import Starts
from preceptor.quality.intervals import Floats
from preceptor.quality.truth import dawid_skene

STANDARD, RATE = 0.8, 0.05
LEVELS = (0.2, 0.1, 0.05, 0.01, 0.001)
WITHIN = (50, 100, 200, 500, 1_000)
RUN_LENGTH = 500
SEED = 30
Row = dict[str, float | int | str | None]


def run(quick: bool, console: Console) -> dict[str, object]:
    people, looks, crowds = (400, 2_000, 20) if quick else (5_000, 10_000, 200)
    rng = np.random.default_rng(SEED)
    console.print(f"Standard {STANDARD}, stated false alarm rate {RATE}, {people} people at {looks} looks each")
    alarms = _false_alarms(rng, people, looks)
    _show(console, "Honest people exactly at the standard: share ever alarmed", alarms)
    lengths = _run_length(rng, people)
    _show(console, f"Looks until an honest person's drift alarm with a stated run length of {RUN_LENGTH}", [lengths])
    delays = _delays(rng, min(people, 1_000))
    _show(console, "Delay of detection: answers after the fault began", delays)
    roc = _roc(rng, min(people, 1_000))
    _show(console, "Share detected within so many answers, by stated false alarm rate", roc)
    copying = _copying(rng, crowds)
    _show(console, "Copying pairs in crowds of 40 (780 pairs tested at once)", copying)
    others = _by_others(rng, max(3, crowds // 10))
    _show(console, "Accuracy watch on posteriors of Dawid-Skene, without known answers (per person)", others)
    conduct = _conduct(rng, max(3, crowds // 20))
    _show(console, "Speed and repeated answers (per person, rate per person)", conduct)
    cost = _cost()
    _show(console, "One more outcome", cost)
    return {
        "standard": STANDARD,
        "stated_rate": RATE,
        "looks": looks,
        "people": people,
        "false_alarms": alarms,
        "run_length": lengths,
        "delays": delays,
        "roc": roc,
        "collusion": copying,
        "by_others": others,
        "conduct": conduct,
        "cost": cost,
    }


def _false_alarms(rng: np.random.Generator, people: int, looks: int) -> list[Row]:
    honest = worlds.steady(rng, people, STANDARD, STANDARD)
    soft = worlds.mixed_tasks(rng, people, 0.7)
    gold = worlds.gold_attempts(rng, people, NEVER)
    cases: list[tuple[str, worlds.Draw, Starts]] = [
        ("accuracy watch", honest, "first"),
        ("accuracy watch, soft outcomes, 2 to 6 options", soft, "first"),
        ("drift watch", honest, "any"),
        ("gold leak watch", gold, "any"),
    ]
    rows: list[Row] = []
    for name, draw, starts in cases:
        reached, _ = first_reached(draw, people, looks, starts, [-log(RATE)])
        rows.append(_alarm_row(name, reached[0], people))
    rows.append(_alarm_row("naive: exact binomial test at every look", _naive(rng, people, looks), people))
    return rows


def _alarm_row(name: str, reached: Floats, people: int) -> Row:
    share = float((reached < NEVER).mean())
    early = {f"by {looks}": round(float((reached <= looks).mean()), 4) for looks in (100, 1_000)}
    return {
        "": name,
        **early,
        "ever": round(share, 4),
        "+-": round(2 * float(np.sqrt(share * (1 - share) / people)), 4),
    }


def _naive(rng: np.random.Generator, people: int, looks: int) -> Floats:
    """First look at which the one-sided exact test of the accuracy so far is significant at the rate."""
    # The most right answers that are still significant after each look.
    most = binom.ppf(RATE, np.arange(1, looks + 1), STANDARD)
    significant = np.where(binom.cdf(most, np.arange(1, looks + 1), STANDARD) <= RATE, most, most - 1)
    right, reached = np.zeros(people), np.full(people, NEVER)
    for look in range(1, looks + 1):
        right += rng.random(people) < STANDARD
        reached = np.where((right <= significant[look - 1]) & (reached == NEVER), look, reached)
    return reached


def _run_length(rng: np.random.Generator, people: int) -> Row:
    draw = worlds.steady(rng, people, STANDARD, STANDARD)
    most = 20 * RUN_LENGTH
    reached, _ = first_reached(draw, people, most, "always", [log(RUN_LENGTH)])
    lengths = np.minimum(reached[0], most)
    return {
        "": "drift watch by run length",
        "stated": RUN_LENGTH,
        "mean (cut at 20 times)": round(float(lengths.mean()), 0),
        "median": float(np.median(lengths)),
        "never within": round(float((reached[0] == NEVER).mean()), 4),
    }


def _delays(rng: np.random.Generator, people: int) -> list[Row]:
    def steady(accuracy: float) -> worlds.Draw:
        return worlds.steady(rng, people, STANDARD, accuracy)

    def falls(before: int, accuracy: float) -> worlds.Draw:
        return worlds.answers(rng, people, STANDARD, lambda look: 0.9 if look <= before else accuracy)

    cases: list[tuple[str, str, worlds.Draw, Starts, int, float]] = [
        ("spammer, 4 options (.25)", "accuracy", steady(0.25), "first", 0, RATE),
        ("spammer, 2 options (.50)", "accuracy", steady(0.50), "first", 0, RATE),
        ("careless (.70)", "accuracy", steady(0.70), "first", 0, RATE),
        ("falls from .90 to .60 after 300", "accuracy", falls(300, 0.6), "first", 300, RATE),
        ("falls from .90 to .60 after 300", "drift", falls(300, 0.6), "any", 300, RATE),
        ("falls from .90 to .60 after 300", "drift, run length 500", falls(300, 0.6), "always", 300, 1 / RUN_LENGTH),
        ("falls from .90 to .70 after 300", "drift", falls(300, 0.7), "any", 300, RATE),
        ("falls from .90 to .50 after 2000", "drift", falls(2_000, 0.5), "any", 2_000, RATE),
        ("gold leaked after 40 attempts", "gold leak", worlds.gold_attempts(rng, people, 40), "any", 40, RATE),
    ]
    rows: list[Row] = []
    for fault, watch, draw, starts, began, rate in cases:
        reached, _ = first_reached(draw, people, began + 1_000, starts, [-log(rate)])
        rows.append({"fault": fault, "watch": watch, **_delay(reached[0], began)})
    return rows


def _delay(reached: Floats, began: int) -> Row:
    """Delays of those not alarmed before the fault began; who was not found within 1,000 counts as later."""
    after = reached[reached > began] - began
    middle, late = np.quantile(after, [0.5, 0.9], method="inverted_cdf")
    return {
        "median": None if middle == NEVER else float(middle),
        "9 of 10 by": None if late == NEVER else float(late),
        "within 100": round(float((after <= 100).mean()), 3),
        "within 1000": round(float((after <= 1_000).mean()), 3),
        "alarmed before": round(float((reached <= began).mean()), 4),
    }


def _roc(rng: np.random.Generator, people: int) -> list[Row]:
    """For accuracies below the standard and exactly at it (false alarms), by stated rate and number of answers."""
    rows: list[Row] = []
    for accuracy in (0.5, 0.6, 0.7, STANDARD):
        draw = worlds.steady(rng, people, STANDARD, accuracy)
        reached, _ = first_reached(draw, people, WITHIN[-1], "first", [-log(level) for level in LEVELS])
        for level, first in zip(LEVELS, reached, strict=True):
            found = {f"within {n}": round(float((first <= n).mean()), 4) for n in WITHIN}
            rows.append({"accuracy": accuracy, "stated rate": level, **found})
    return rows


def _copying(rng: np.random.Generator, crowds: int) -> list[Row]:
    truths: list[tuple[str, Callable[[World], Floats | np.typing.NDArray[np.int64]]]] = [
        ("known answers", lambda world: world.truth),
        ("posterior (Dawid-Skene)", lambda world: dawid_skene(world.labels).posterior),
    ]
    rows: list[Row] = []
    for name, truth in truths:
        honest = [worlds.crowd(rng) for _ in range(crowds)]
        rows.append({"truth": name, "copied": 0.0, **_found(honest, truth)})
        for shared, copied in ((50, 0.6), (150, 0.6), (150, 1.0), (300, 0.3), (300, 0.6)):
            planted = [
                worlds.crowd(rng, copying_pairs=2, shared=shared, copied=copied) for _ in range(max(10, crowds // 4))
            ]
            rows.append({"truth": name, "shared": shared, "copied": copied, **_found(planted, truth)})
    return rows


def _found(crowds: Sequence[World], truth: Callable[[World], Floats | np.typing.NDArray[np.int64]]) -> Row:
    """Share of planted pairs found, and of crowds in which any other pair reached the threshold, per stated rate."""
    found: dict[float, list[float]] = {level: [] for level in (0.2, RATE, 0.001)}
    others = dict.fromkeys(found, 0)
    for world in crowds:
        result = collusion(world.labels, truth(world), false_alarm_rate=RATE)
        for level in found:
            # The threshold is the number of pairs over the rate: another rate needs no second run.
            bound = log(result.tested / level)
            pairs = {(pair.one, pair.other) for pair in result.pairs if pair.evidence.log_e >= bound}
            found[level] += [float(pair in pairs) for pair in world.pairs]
            others[level] += bool(pairs - set(world.pairs))
    row: Row = {f"found at {level}": round(float(np.mean(hits)), 3) if hits else None for level, hits in found.items()}
    return {**row, **{f"false at {level}": round(count / len(crowds), 4) for level, count in others.items()}}


def _by_others(rng: np.random.Generator, crowds: int) -> list[Row]:
    """Everybody's own true accuracy as the standard, and standards above it: who is alarmed by others' labels alone."""
    reached: dict[float, list[bool]] = {above: [] for above in (0.0, 0.05, 0.1, 0.2)}
    for _ in range(crowds):
        world = worlds.crowd(rng, items=1_500)
        labels = world.labels
        soft = Crowd.of(labels, dawid_skene(labels).posterior).outcomes()
        right = labels.label == world.truth[labels.item]
        for person in range(labels.people):
            mine = labels.person == person
            for above, found in reached.items():
                standard = min(0.99, float(right[mine].mean()) + above)
                evidence = e_process(soft.outcome[mine], soft.standards(standard)[mine], false_alarm_rate=RATE)
                found.append(evidence.reached)
    return [
        {"standard above the true accuracy by": above, "people": len(found), "alarmed": round(float(np.mean(found)), 4)}
        for above, found in reached.items()
    ]


def _conduct(rng: np.random.Generator, crowds: int) -> list[Row]:
    """The first four of forty people rush, or repeat; all others are honest."""
    rushed: dict[str, list[tuple[int, int | None]]] = {}
    for _ in range(crowds):
        world = worlds.crowd(rng, items=1_500, overlap=5)
        posterior = dawid_skene(world.labels).posterior
        for hurry in (1.0, 0.5, 0.2):
            seconds = worlds.timed(rng, world.labels, 4, hurry)
            found = speed(world.labels, seconds, false_alarm_rate=RATE)
            rushed.setdefault(f"takes {hurry:.0%} of the own usual time", []).extend(
                (person.person, person.evidence.reached_at) for person in found
            )
        rushed.setdefault("repeats 0% of answers", []).extend(
            (habit.person, habit.evidence.reached_at)
            for habit in habits(world.labels, posterior, false_alarm_rate=RATE)
        )
        for share in (0.3, 0.7):
            changed = worlds.repeating(rng, world, 4, share)
            refitted = dawid_skene(changed.labels).posterior
            rushed.setdefault(f"repeats {share:.0%} of answers", []).extend(
                (habit.person, habit.evidence.reached_at)
                for habit in habits(changed.labels, refitted, false_alarm_rate=RATE)
            )
    return [_conduct_row(name, reached) for name, reached in rushed.items()]


def _conduct_row(name: str, reached: Sequence[tuple[int, int | None]]) -> Row:
    planted = [at for person, at in reached if person < 4]
    honest = [at for person, at in reached if person >= 4]
    delays = sorted(at for at in planted if at is not None)
    return {
        "": name,
        "found": round(len(delays) / len(planted), 3),
        "median answers": delays[len(delays) // 2] if delays else None,
        "honest alarmed": round(sum(at is not None for at in honest) / len(honest), 4),
    }


def _cost() -> list[Row]:
    rng = np.random.default_rng(SEED)
    outcomes = (rng.random(5_000) < STANDARD).tolist()
    accuracy, drift = AccuracyWatch(standard=STANDARD), DriftWatch(standard=STANDARD)
    leak = GoldLeakWatch()
    steps: dict[str, Callable[[WatchState, bool], WatchState]] = {
        "accuracy watch": lambda state, right: accuracy.update(state, float(right)),
        "drift watch": lambda state, right: drift.update(state, float(right)),
        "gold leak watch": lambda state, right: leak.update(state, right, 0.8),
    }
    rows: list[Row] = []
    for name, step in steps.items():
        state, took = accuracy.begin() if name == "accuracy watch" else drift.begin(), []
        for right in outcomes:
            started = time.perf_counter()
            state = step(state, right)
            took.append(time.perf_counter() - started)
        middle, slow = np.quantile(took, [0.5, 0.99]) * 1e6
        size = len(repr(state.stored()))
        rows.append({"": name, "median µs": round(middle, 1), "p99 µs": round(slow, 1), "state, characters": size})
    return rows


def _show(console: Console, title: str, rows: Sequence[Row]) -> None:
    table = Table(title=title)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(*("" if row.get(column) is None else f"{row[column]}" for column in columns))
    console.print(table)
