"""Preference pairs out of the files of a dataset release."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from preceptor.kit.errors import Invalid

Message = Mapping[str, str]
"""A chat message in the trainers' shape: `role` and `content`, both text."""

REQUIRED_COLUMNS = ("prompt", "chosen", "rejected")
OPTIONAL_COLUMNS = ("margin", "votes_chosen", "votes_rejected", "topic")
ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Of two responses to a prompt, the one that people chose and the one they rejected.

    `margin` and the votes are None where the file has none; `topic` is the subject that a held-out split
    keeps together, empty where unknown.
    """

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    margin: float | None = None
    votes_chosen: int | None = None
    votes_rejected: int | None = None
    topic: str = ""


def load_pairs(path: Path) -> list[Pair]:
    """Read the pairs of a Parquet file, or of the `pairs` config of a release folder.

    In a folder the pairs are the Parquet files under a folder called `pairs` (which may be the given one),
    or those whose name starts with `pairs`. Rows keep their order, files are read by name. `Invalid`,
    naming file, row and column, for anything that is not a pair.
    """
    pairs: list[Pair] = []
    for file in pair_files(path):
        pairs.extend(_read(file))
    return pairs


def pair_files(path: Path) -> list[Path]:
    """The Parquet files that `load_pairs` reads for this path."""
    if path.is_file():
        return [path]
    files = sorted(
        file
        for file in path.rglob("*.parquet")
        if file.name.startswith("pairs") or "pairs" in file.relative_to(path.parent).parts[:-1]
    )
    if not files:
        raise Invalid(f"{path} has no Parquet files of preference pairs. Give a release folder or a file.")
    return files


def text_of(messages: Sequence[Message]) -> str:
    """The contents of all messages, in order."""
    return "\n\n".join(message["content"] for message in messages)


def _read(file: Path) -> Iterator[Pair]:
    try:
        with pq.ParquetFile(file) as parquet:
            names = parquet.schema_arrow.names
            missing = [column for column in REQUIRED_COLUMNS if column not in names]
            if missing:
                raise Invalid(f"{file.name} lacks the column {', '.join(missing)}.")
            columns = [column for column in (*REQUIRED_COLUMNS, *OPTIONAL_COLUMNS) if column in names]
            row_number = 0
            for batch in parquet.iter_batches(batch_size=ROWS_AT_ONCE, columns=columns):
                for row in batch.to_pylist():
                    row_number += 1
                    yield _pair(row, f"{file.name}, row {row_number}")
    except pa.ArrowInvalid as error:
        raise Invalid(f"{file.name} is not a readable Parquet file: {error}") from error


def _pair(row: Mapping[str, object], where: str) -> Pair:
    topic = row.get("topic")
    return Pair(
        prompt=_messages(row["prompt"], f"{where}, prompt"),
        chosen=_messages(row["chosen"], f"{where}, chosen"),
        rejected=_messages(row["rejected"], f"{where}, rejected"),
        margin=_margin(row.get("margin"), f"{where}, margin"),
        votes_chosen=_votes(row.get("votes_chosen"), f"{where}, votes_chosen"),
        votes_rejected=_votes(row.get("votes_rejected"), f"{where}, votes_rejected"),
        topic=topic if isinstance(topic, str) else "",
    )


def _messages(value: object, where: str) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise Invalid(f"{where}: expected a list of messages.")
    messages: list[Message] = []
    for message in value:
        role = message.get("role") if isinstance(message, dict) else None
        content = message.get("content") if isinstance(message, dict) else None
        if not isinstance(role, str) or not isinstance(content, str):
            raise Invalid(f"{where}: each message needs a role and a content, both text.")
        messages.append({"role": role, "content": content})
    return tuple(messages)


def _margin(value: object, where: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or not isfinite(value):
        raise Invalid(f"{where}: {value!r} is not a finite number.")
    return float(value)


def _votes(value: object, where: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or value != int(value) or value < 0:
        raise Invalid(f"{where}: {value!r} is not a number of votes.")
    return int(value)
