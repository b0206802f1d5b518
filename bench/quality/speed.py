"""Dawid-Skene on simulated judgments beside crowd-kit: CPU seconds, peak memory, and how often the answer is right.

Each measurement is a fresh process that reads the same columns from disk, makes the input its library wants, and fits.
CPU seconds are those of the fit alone; the peak is that of the whole process, input and libraries included.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints

if TYPE_CHECKING:
    from rich.console import Console

RATERS_PER_ITEM = 5
PEOPLE = 1_000
CLASSES = 4
CLASS_SHARES = (0.4, 0.3, 0.2, 0.1)
SIZES = (1_000_000, 10_000_000)
SIZES_QUICK = (100_000, 1_000_000)
PEER_ROUNDS = 100
SEED = 11
COLUMNS = ("item", "person", "label", "truth")


class Measured(TypedDict):
    cpu_seconds: float
    peak_mib: float
    accuracy: float
    rounds: int


def run(quick: bool, console: Console) -> dict[str, object]:
    """The table of sizes, and its figures: by size, ours and the peer's measurements with the two ratios."""
    figures: dict[str, object] = {}
    rows = []
    for judgments in SIZES_QUICK if quick else SIZES:
        with tempfile.TemporaryDirectory() as folder:
            _alone("simulate", folder, judgments)
            ours, peer = (_measured(_alone(side, folder, judgments)) for side in ("preceptor", "crowd-kit"))
        speed, memory = peer["cpu_seconds"] / ours["cpu_seconds"], ours["peak_mib"] / peer["peak_mib"]
        figures[str(judgments)] = {"preceptor": ours, "crowd-kit": peer, "times_faster": speed, "memory_share": memory}
        rows += [_row(judgments, "preceptor", ours, speed, memory), _row(judgments, "crowd-kit", peer, None, None)]
    _show(rows, console)
    return figures


def _row(judgments: int, side: str, one: Measured, speed: float | None, memory: float | None) -> list[str]:
    return [
        f"{judgments:,}",
        side,
        f"{one['cpu_seconds']:.2f}",
        "" if speed is None else f"{speed:.1f}x",
        f"{one['peak_mib']:,.0f}",
        "" if memory is None else f"{memory:.0%}",
        f"{one['accuracy']:.4f}",
        str(one["rounds"]),
    ]


def _show(rows: list[list[str]], console: Console) -> None:
    # The measured processes import this module too and need no tables in their memory.
    from rich.table import Table

    table = Table(title=f"Dawid-Skene, {RATERS_PER_ITEM} judgments an item, {PEOPLE:,} people, {CLASSES} classes")
    for heading in ("judgments", "library", "CPU s", "faster", "peak MiB", "of its memory", "accuracy", "rounds"):
        table.add_column(heading, justify="left" if heading == "library" else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _alone(task: str, folder: str, judgments: int) -> str:
    """What a fresh process says that does this task."""
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "bench.quality.speed", task, folder, str(judgments)]
    done = subprocess.run(command, env=os.environ | one_thread, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def _measured(text: str) -> Measured:
    said: Measured = json.loads(text)
    return said


def simulate(judgments: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """Columns item, person and label, and the truth by item. People are right with chance Beta(6, 3), differently for
    each class, and have confusions of their own; each item is judged by different people."""
    items = judgments // RATERS_PER_ITEM
    truth = rng.choice(CLASSES, p=CLASS_SHARES, size=items)
    item = np.repeat(np.arange(items), RATERS_PER_ITEM)
    step = rng.integers(1, PEOPLE // RATERS_PER_ITEM, size=items)
    person = rng.integers(PEOPLE, size=items)[:, None] + step[:, None] * np.arange(RATERS_PER_ITEM)
    person = person.ravel() % PEOPLE
    upto = np.cumsum(_people(rng), axis=2)
    draw = rng.random(len(item))
    label = np.zeros(len(item), dtype=np.int64)
    for given in range(CLASSES - 1):
        label += draw > upto[person, truth[item], given]
    return item, person, label, truth


def _people(rng: np.random.Generator) -> Floats:
    """(people, classes, classes) confusion matrices."""
    wrong = rng.dirichlet(np.ones(CLASSES - 1), size=(PEOPLE, CLASSES))
    right = rng.beta(6, 3, size=(PEOPLE, CLASSES))
    matrices = np.empty((PEOPLE, CLASSES, CLASSES))
    for truth in range(CLASSES):
        others = [given for given in range(CLASSES) if given != truth]
        matrices[:, truth, others] = (1 - right[:, truth, None]) * wrong[:, truth]
        matrices[:, truth, truth] = right[:, truth]
    return matrices


def _write(folder: Path, judgments: int) -> None:
    columns = simulate(judgments, np.random.default_rng(SEED))
    for name, column in zip(COLUMNS, columns, strict=True):
        np.save(folder / f"{name}.npy", column)


def _preceptor(item: Ints, person: Ints, label: Ints, items: int) -> Callable[[], tuple[Ints, int]]:
    from preceptor.quality.labels import Labels
    from preceptor.quality.truth.dawid_skene import dawid_skene

    labels = Labels(item, person, label, items, PEOPLE, CLASSES)

    def fit() -> tuple[Ints, int]:
        fitted = dawid_skene(labels)
        return fitted.answers, fitted.iterations

    return fit


def _crowd_kit(item: Ints, person: Ints, label: Ints, items: int) -> Callable[[], tuple[Ints, int]]:
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    frame = pd.DataFrame({"task": item, "worker": person, "label": label})

    def fit() -> tuple[Ints, int]:
        model = DawidSkene(n_iter=PEER_ROUNDS)
        answers = model.fit_predict(frame).reindex(np.arange(items)).to_numpy(dtype=np.int64)
        return answers, len(model.loss_history_)

    return fit


def _measure(side: str, folder: Path) -> Measured:
    item, person, label = (np.load(folder / f"{name}.npy") for name in COLUMNS[:3])
    items = int(item[-1]) + 1
    fit = _preceptor(item, person, label, items) if side == "preceptor" else _crowd_kit(item, person, label, items)
    before = time.process_time()
    answers, rounds = fit()
    seconds = time.process_time() - before
    peak = peak_mib()
    truth = np.load(folder / "truth.npy")
    return Measured(cpu_seconds=seconds, peak_mib=peak, accuracy=float(np.mean(answers == truth)), rounds=rounds)


def peak_mib() -> float:
    """The most memory this process has held. On Linux from the kernel's account of this program alone, because
    `ru_maxrss` of a started process begins at the size of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    TASK, FOLDER, JUDGMENTS = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    if TASK == "simulate":
        _write(FOLDER, JUDGMENTS)
    else:
        sys.stdout.write(json.dumps(_measure(TASK, FOLDER)))
