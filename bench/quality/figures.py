"""The figures behind the plots and tables of docs/quality.md: our own measurements and simulations, with their seeds.

Each part is a function of a `Source` that gives plain JSON values, or `Missing` with the reason: the published sets are
not everywhere, nor is the peer. `scripts/draw-quality-plots` runs them all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from typing import Any

import numpy as np
from rich.console import Console
from scipy.stats import binom

from bench.quality import accuracy, adaptive, sets, speed
from bench.quality import evidence_worlds as worlds
from preceptor.quality import Labels, calibrate, dawid_skene, e_process, fit, reliability, skills
from preceptor.quality.evidence import Evidence
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import UNKNOWN, Ints
from preceptor.quality.truth import majority

SEED = 7
STANDARD = 0.8
CURVE_SETS = ("rte", "weather_cf")
REPLAYS = 3

Figures = dict[str, Any]


class Missing(Exception):
    """A part that cannot be measured here; the message says what it needs."""


@dataclass(frozen=True)
class Source:
    """What to measure from. `bench` holds the figures of `python -m bench --json` by part, where they were made: what
    stands there is not measured again. `full` takes the sizes of the benchmark in place of quick ones."""

    bench: Mapping[str, Any]
    full: bool = False


def _sets() -> None:
    if not sets.there():
        raise Missing(f"the published sets are not in {sets.FOLDER}")


# --- Truth


def accuracies(source: Source) -> Figures:
    """Accuracy by set of majority, Dawid-Skene and the automatic choice; the best figure published for it."""
    _sets()
    measured = source.bench.get("accuracy") or {}
    found: Figures = {}
    for name in sets.NAMES:
        table = measured[name]["accuracy"] if name in measured else _accuracies_of(sets.load(name))
        published = [column[name] for column in accuracy.PUBLISHED.values() if name in column]
        kept = {method: table[method] for method in ("majority", "dawid-skene", "auto")}
        found[name] = {**kept, "published": max(published, default=None), "calibration": _calibration(measured, name)}
    return found


def _accuracies_of(judged: sets.JudgedSet) -> dict[str, float | None]:
    labels, gold = judged.named.labels, judged.gold
    chosen = fit(labels, rng=np.random.default_rng(accuracy.SEED)).fit
    fits = {"majority": majority(labels), "dawid-skene": dawid_skene(labels), "auto": chosen}
    return {name: one.accuracy_on(gold) for name, one in fits.items()}


def _calibration(measured: Mapping[str, Any], name: str) -> Figures | None:
    found = measured.get(name, {}).get("calibration")
    return None if found is None else {"raw": found["raw"], "calibrated": found["calibrated"]}


def calibration(_: Source) -> Figures:
    """Reliability of Dawid-Skene on a simulated crowd with misleading items, before and after a fifth as gold."""
    rng = np.random.default_rng(SEED)
    world = worlds.crowd(rng, items=6_000, people=120, overlap=5, hard=0.3)
    posterior = dawid_skene(world.labels).posterior
    checked = rng.random(len(world.truth)) < accuracy.SPOT_CHECKS
    learnt = calibrate(posterior, np.where(checked, world.truth, UNKNOWN), rng=rng)
    hidden = np.where(checked, UNKNOWN, world.truth)
    return {
        "way": learnt.way,
        "gold": int(checked.sum()),
        "before": _curve(posterior, hidden, rng),
        "after": _curve(learnt.apply(posterior), hidden, rng),
    }


def _curve(posterior: Floats, gold: Ints, rng: np.random.Generator) -> Figures:
    found = reliability(posterior, gold, bins=10, rng=rng)
    points = [
        {"confidence": one.confidence, "accuracy": one.accuracy.value, "low": one.accuracy.low}
        | {"high": one.accuracy.high, "items": one.items}
        for one in found.curve
    ]
    return {"ece": found.ece.value, "points": points}


# --- Asking


def overlap(source: Source) -> Figures:
    """Accuracy by labels per item: adaptive overlap as it asks, and fixed overlap, on two sets."""
    _sets()
    measured = source.bench.get("adaptive") or {}
    replays = adaptive.SEEDS if source.full else REPLAYS
    return {name: _overlap_of(name, measured.get(name) or {}, replays) for name in CURVE_SETS}


def _overlap_of(name: str, measured: Mapping[str, Any], replays: int) -> Figures:
    judged = sets.load(name)
    labels = judged.named.labels
    runs = [adaptive.replayed(judged, seed) for seed in range(replays)]
    fixed = [adaptive.fixed(judged, seed) for seed in range(replays)]
    budgets = np.linspace(runs[0].curve[0].labels_per_item, min(run.curve[-1].labels_per_item for run in runs), 20)
    mean = [float(np.mean([adaptive.at(run.curve, budget) for run in runs])) for budget in budgets]
    by_overlap = [np.mean([[p.labels_per_item, p.accuracy] for p in points], axis=0) for points in _across(fixed)]
    return {
        "labels_per_item": len(labels) / labels.items,
        "majority_of_everything": majority(labels).accuracy_on(judged.gold),
        "replays": replays,
        "adaptive": [[float(budget), value] for budget, value in zip(budgets, mean, strict=True)],
        "fixed": [[float(at), float(value)] for at, value in by_overlap],
        "limited": measured.get("limited"),
    }


def _across(fixed: list[dict[str, tuple[adaptive.Point, ...]]]) -> list[list[adaptive.Point]]:
    """The points of majority by overlap, over replays."""
    return [list(points) for points in zip(*(one["majority"] for one in fixed), strict=False)]


# --- Evidence


def paths(_: Source) -> Figures:
    """Log e-values after each answer against "at least the standard": an able person, a guesser, and one who falls."""
    rng = np.random.default_rng(SEED)
    looks = 300
    chances = {
        "able": np.full(looks, 0.85),
        "guesser": np.full(looks, 0.5),
        "falls": np.where(np.arange(looks) < 150, 0.9, 0.5),
    }
    found = {}
    for name, chance in chances.items():
        right = (rng.random(looks) < chance).astype(np.float64)
        found[name] = _path(e_process(right, STANDARD, false_alarm_rate=0.01, drift=name == "falls"))
    return {"standard": STANDARD, "false_alarm_rate": 0.01, **found}


def _path(evidence: Evidence) -> Figures:
    return {
        "log_e": [round(value, 3) for value in evidence.path],
        "reached_at": evidence.reached_at,
        "log_threshold": evidence.log_threshold,
    }


def alarms(source: Source) -> Figures:
    """Share of people exactly at the standard who were ever flagged, by number of looks: a test repeated at every look
    beside the accuracy watch."""
    people, looks, rate = (5_000, 10_000, 0.05) if source.full else (2_000, 3_000, 0.05)
    rng = np.random.default_rng(SEED)
    draw = worlds.steady(rng, people, STANDARD, STANDARD)
    watched, _ = worlds.first_reached(draw, people, looks, "first", [-float(np.log(rate))])
    naive = _first_significant(rng, people, looks, rate)
    marks = np.unique(np.geomspace(5, looks, 40).astype(int))
    return {
        "rate": rate,
        "people": people,
        "looks": [int(look) for look in marks],
        "naive": [float((naive <= look).mean()) for look in marks],
        "watch": [float((watched[0] <= look).mean()) for look in marks],
    }


def _first_significant(rng: np.random.Generator, people: int, looks: int, rate: float) -> Floats:
    """First look at which the exact one-sided test of all answers so far is significant at the rate."""
    number = np.arange(1, looks + 1)
    most = np.asarray(binom.ppf(rate, number, STANDARD), dtype=np.float64)
    most = np.where(np.asarray(binom.cdf(most, number, STANDARD)) > rate, most - 1, most)
    right, first = np.zeros(people), np.full(people, worlds.NEVER)
    for look in number:
        right += rng.random(people) < STANDARD
        first = np.where((right <= most[look - 1]) & (first == worlds.NEVER), look, first)
    return first


# --- People


def shrinkage(_: Source) -> Figures:
    """Skill of 36 people who gave from 4 to 600 judgments: plain share of right ones, estimate, and the truth."""
    rng = np.random.default_rng(SEED)
    people, items, classes = 36, 1_500, 3
    able = rng.beta(12, 4, people)
    given = np.geomspace(4, 600, people).astype(int)
    truth = rng.integers(classes, size=items)
    item = np.concatenate([rng.choice(items, number, replace=False) for number in given])
    person = np.repeat(np.arange(people), given)
    right = rng.random(len(item)) < able[person]
    label = np.where(right, truth[item], (truth[item] + rng.integers(1, classes, len(item))) % classes)
    labels = Labels.of(item, person, label, items=items, people=people, classes=classes)
    table = skills(labels, dawid_skene(labels, gold=truth)).accuracy
    share = np.bincount(person, weights=right, minlength=people) / given
    return {
        "judgments": given.tolist(),
        "share": share.tolist(),
        "value": table.value.tolist(),
        "low": table.low.tolist(),
        "high": table.high.tolist(),
        "true": able.tolist(),
        "crowd": float(able @ given / given.sum()),
    }


# --- Speed


def speeds(source: Source) -> Figures:
    """Dawid-Skene by number of judgments: CPU seconds and peak memory, beside crowd-kit."""
    measured = source.bench.get("speed")
    if not measured:
        if find_spec("crowdkit") is None:
            raise Missing("crowd-kit is not installed (the extra `bench`)")
        measured = speed.run(not source.full, Console(file=StringIO()))
    return dict(measured)


PARTS: Mapping[str, Callable[[Source], Figures]] = {
    "accuracy": accuracies,
    "calibration": calibration,
    "overlap": overlap,
    "paths": paths,
    "alarms": alarms,
    "shrinkage": shrinkage,
    "speed": speeds,
}
