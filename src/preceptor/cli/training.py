"""`preceptor train` and `preceptor score`: a reward model from a release, and what it says of responses."""

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from preceptor.cli.connect import console, installation, refusals
from preceptor.datasets import service as datasets
from preceptor.kit.errors import Invalid
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import PREFIXES, read_id
from preceptor.training.preferences import read_preferences
from preceptor.training.reward import Pair, RewardConfig, RewardModel, load, load_pairs
from preceptor.training.runs import Trained, train_and_test

LINE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True)
class Dataset:
    """Pairs with the digest of what they came from."""

    pairs: list[Pair]
    sha256: str


def train(
    release: Annotated[str, typer.Argument(help="A release folder, or a release's id (rel_...).")],
    add: Annotated[
        list[Path] | None,
        typer.Option(help="More pairs to train on: JSONL(.gz), CSV or Parquet. Repeat for each.", exists=True),
    ] = None,
    test: Annotated[
        Path | None, typer.Option(help="Pairs to test on; without it a fifth is held out.", exists=True, dir_okay=False)
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to save the model in.")] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="File to write the figures to.")] = None,
    seed: Annotated[int, typer.Option(help="Decides what is held out and sampled.")] = 0,
) -> None:
    """Train the embedded reward model on the CPU and say what it is worth, beside "the longer one wins".

    Preference files have the columns prompt/chosen/rejected or prompt/response_a/response_b/choice
    (votes_a and votes_b are read too).
    """
    with refusals():
        found = dataset(release)
        pairs = [*found.pairs, *(pair for path in add or [] for pair in read_preferences(path))]
        trained = _with_bar(pairs, read_preferences(test) if test else None, found.sha256, seed)
    if out is not None:
        trained.model.save(out)
    if json_ is not None:
        json_.write_text(json.dumps(dict(trained.model.metrics), indent=2, sort_keys=True) + "\n")
    _report(trained)


def dataset(release: str) -> Dataset:
    """The pairs of a release folder, or of a release of this installation."""
    folder = Path(release)
    if folder.exists():
        manifest = folder / datasets.MANIFEST
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest() if manifest.is_file() else ""
        return Dataset(load_pairs(folder), digest)
    if not release.startswith(f"{PREFIXES['release']}_"):
        raise Invalid(f"{release} is neither a folder nor a release's id (rel_...).")
    with tempfile.TemporaryDirectory() as place, installation() as runtime, runtime.sessions.begin() as session:
        copied = Path(place) / "release"
        found = datasets.export_release(session, SYSTEM, runtime.storage, read_id("release", release), copied)
        return Dataset(load_pairs(copied), found.sha256 or "")


def score(
    model: Annotated[Path, typer.Argument(help="A model folder, as `preceptor train --out` writes it.", exists=True)],
    file: Annotated[Path, typer.Argument(help="JSONL with prompt and response on each line; - for standard input.")],
) -> None:
    """Score responses: each line comes back with a `score`, higher is better."""
    with refusals():
        loaded = load(model)
        with _lines(file) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    sys.stdout.write(_scored(loaded, line, number) + "\n")


@contextmanager
def _lines(file: Path) -> Iterator[Iterator[bytes]]:
    if str(file) == "-":
        yield iter(sys.stdin.buffer)
        return
    try:
        opened = file.open("rb")
    except OSError as error:
        raise Invalid(f"{file} cannot be read: {error.strerror}.") from error
    with opened:
        yield iter(lambda: opened.readline(LINE_BYTES_MAX), b"")


def _scored(model: RewardModel, line: bytes, number: int) -> str:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"Line {number} is not JSON: {error}") from None
    if not isinstance(row, dict) or "response" not in row:
        raise Invalid(f'Line {number} needs a response: {{"prompt": "...", "response": "..."}}')
    texts = [(_text(row.get("prompt", ""), number), _text(row["response"], number))]
    return orjson.dumps({**row, "score": float(model.score_texts(texts)[0])}).decode()


def _text(value: object, number: int) -> str:
    """A text, or the contents of a list of messages."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        contents = [message.get("content") for message in value if isinstance(message, dict)]
        if len(contents) == len(value) and all(isinstance(content, str) for content in contents):
            return "\n\n".join(str(content) for content in contents)
    raise Invalid(f"Line {number}: prompt and response are texts or lists of messages with a text content.")


def _with_bar(pairs: list[Pair], test: list[Pair] | None, sha256: str, seed: int) -> Trained:
    with Progress(TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), console=console) as bar:
        line = bar.add_task("Training", total=1.0)
        return train_and_test(
            pairs,
            RewardConfig(seed=seed),
            test_pairs=test,
            dataset_sha256=sha256,
            progress=lambda share, what: bar.update(line, completed=share, description=what.capitalize()),
        )


def _report(trained: Trained) -> None:
    metrics, found = trained.model.metrics, trained.evaluation
    console.print(f"Trained on {metrics['train_pairs']:,} pairs; tested on {trained.tested_on}.")
    if found is None:
        return
    table = Table("", "right", "95 % interval", title=f"{found.pairs:,} test pairs")
    table.add_row("reward model", _percent(found.accuracy), f"{_percent(found.low)} to {_percent(found.high)}")
    low, high = _percent(found.length_low), _percent(found.length_high)
    table.add_row("the longer one wins", _percent(found.length_baseline_accuracy), f"{low} to {high}")
    console.print(table)
    if metrics["test_prompts_seen"]:
        console.print(f"{metrics['test_prompts_seen']:,} test pairs have a prompt that was trained on.")


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{100 * value:.1f} %"
