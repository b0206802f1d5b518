"""Real people's judgments: which of two arguments is more convincing, five raters a pair, with reasons.

Reads a folder with the columns of UKPConvArg1 (Habernal & Gurevych, "Which argument is more convincing?", ACL 2016,
CC BY 4.0): arguments.jsonl.gz, pairs.csv.gz, comparisons.csv.gz, reasons.csv.gz. Nothing of it is part of Preceptor.
"""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from preceptor.demo.material import Answer, Material, Rater, Vote
from preceptor.demo.texts import (
    DEBATE_GUIDELINES,
    DEBATE_QUESTION,
    DEBATE_RUBRIC,
    DEBATE_SUMMARY,
    DEBATE_TITLE,
)
from preceptor.training.reward import Pair

DEBATES = ("ban-plastic-water-bottles", "tv-is-better-than-books")
"""Two debates with two sides each. The debates of the reward model's test are others, never seen here."""
FILES = ("arguments.jsonl.gz", "pairs.csv.gz", "comparisons.csv.gz", "reasons.csv.gz")


class NotAReplay(Exception):
    """The folder lacks a file or column that a replay needs; the message names it."""


@dataclass(frozen=True)
class _Argument:
    title: str
    stance: str
    text: str


def is_replay(folder: Path) -> bool:
    return all((folder / name).is_file() for name in FILES)


def read_recorded(folder: Path) -> Material:
    """The debates of a recorded folder as demo material. `NotAReplay` names what is missing."""
    if missing := [name for name in FILES if not (folder / name).is_file()]:
        raise NotAReplay(f"{folder} has no {missing[0]}. A replay needs {', '.join(FILES)}.")
    arguments = _arguments(folder / "arguments.jsonl.gz")
    test = _test_pairs(folder.parent / "ukp_preference" / "test.jsonl.gz")
    kept = _kept_pairs(_rows(folder / "pairs.csv.gz", "task_id", "topic", "left", "right", "derived_gold"))
    votes = list(_votes(folder, kept))
    counted = Counter(vote.external_id for vote in votes)
    train = folder.parent / "ukp_preference" / "train.jsonl.gz"
    return Material(
        source="recorded",
        title=DEBATE_TITLE,
        summary=DEBATE_SUMMARY,
        question=DEBATE_QUESTION,
        guidelines=DEBATE_GUIDELINES,
        rubric=[dict(criterion) for criterion in DEBATE_RUBRIC],
        raters=[_rater(key) for key in sorted({vote.rater for vote in votes})],
        tasks=[_task(pair, arguments, counted[pair["task_id"]]) for pair in kept.values() if counted[pair["task_id"]]],
        overlap=5,
        truth={
            pair["task_id"]: [pair["left"], pair["right"]].index(pair["derived_gold"])
            for pair in kept.values()
            if pair["derived_gold"]
        },
        truth_note="the authors' consensus (derived_gold), which is not independent of these votes",
        votes=votes,
        reward_test=test,
        reward_test_note="debates that nobody judged here (ukp_preference/test)" if test else "",
        more_preferences=train if train.is_file() else None,
        reads={
            pair["task_id"]: (arguments[pair["left"]].text, arguments[pair["right"]].text) for pair in kept.values()
        },
    )


def _kept_pairs(rows: Iterator[dict[str, str]]) -> dict[str, dict[str, str]]:
    """The pairs of the chosen debates; of a folder with other debates, those of its first two."""
    every = {row["task_id"]: row for row in rows}
    chosen = tuple(name for name in DEBATES if any(row["topic"].startswith(name) for row in every.values()))
    if not chosen:
        chosen = tuple(sorted({row["topic"].rsplit("_", 1)[0] for row in every.values()})[:2])
    return {task: row for task, row in every.items() if row["topic"].startswith(chosen)}


def _votes(folder: Path, kept: Mapping[str, Mapping[str, str]]) -> Iterator[Vote]:
    reasons = {
        (row["task_id"], row["worker_id"]): row["reason"]
        for row in _rows(folder / "reasons.csv.gz", "task_id", "worker_id", "reason")
        if row["task_id"] in kept
    }
    for row in _rows(folder / "comparisons.csv.gz", "task_id", "worker_id", "winner"):
        pair = kept.get(row["task_id"])
        if pair is None:
            continue
        reason = reasons.get((row["task_id"], row["worker_id"]), "")
        ranks = (1, 1) if row["winner"] == "tie" else (1, 2) if row["winner"] == pair["left"] else (2, 1)
        yield Vote(row["worker_id"], row["task_id"], Answer(ranks, reason))


def _task(pair: Mapping[str, str], arguments: Mapping[str, _Argument], votes: int) -> dict[str, object]:
    left, right = arguments[pair["left"]], arguments[pair["right"]]
    return {
        "external_id": pair["task_id"],
        "prompt": f"Debate: {left.title}\nWrite a convincing argument for this side: {left.stance}",
        "response_a": left.text,
        "response_b": right.text,
        "topic": f"{left.title}: {left.stance}",
        "overlap": votes,
    }


def _rater(key: str) -> Rater:
    return Rater(key, f"Recorded rater {key}", f"{key}@recorded.invalid")


def _arguments(file: Path) -> dict[str, _Argument]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {row["item_id"]: _Argument(row["title"], row["stance"], row["text"]) for row in rows}


def _rows(file: Path, *columns: str) -> Iterator[dict[str, str]]:
    with gzip.open(file, "rt", encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        if missing := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise NotAReplay(f"{file} has no column {missing[0]}.")
        yield from reader


def _test_pairs(file: Path) -> list[Pair]:
    """The reward model's test: preferences from debates that are not replayed; empty where the file is missing."""
    if not file.is_file():
        return []
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [preference_pair(row) for row in rows]


def preference_pair(row: Mapping[str, str]) -> Pair:
    """A row of prompt, response_a, response_b and choice as the trainer takes it."""
    a, b = (({"role": "assistant", "content": row[name]},) for name in ("response_a", "response_b"))
    chosen, rejected = (a, b) if row["choice"] == "a" else (b, a)
    return Pair(prompt=({"role": "user", "content": row["prompt"]},), chosen=chosen, rejected=rejected)
