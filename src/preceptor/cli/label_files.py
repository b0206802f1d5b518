"""Judgments and known answers out of CSV(.gz) and Parquet files, with refusals that name the row."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from preceptor.kit.errors import Invalid
from preceptor.quality.labels import BadLabels, Ints, NamedLabels, Repeats

LABEL_COLUMNS = ("task_id", "worker_id", "label")
GOLD_NAMES = ("gold", "label", "answer", "truth")
"""Names under which the column of known answers is found, the first that is there."""
MISSING = ("", "nan", "null", "none", "na", "n/a")
"""Read as "nothing was given", whatever the case."""
CLASSES_MAX = 1_000


def read_labels(path: Path, *, repeats: Repeats = "last", known: Sequence[str] = ()) -> NamedLabels[str]:
    """Judgments of a file with the columns task_id, worker_id and label; other columns are left alone.

    `known` adds labels that only known answers use. Rows are counted from 1, the heading not among them. Refused:
    an unreadable file, a missing column, no row, an empty cell, more than 1,000 different labels.
    """
    table = _read(path, LABEL_COLUMNS)
    (tasks, task), (people, person), (labels, label) = (_numbered(table, name, path) for name in LABEL_COLUMNS)
    classes = in_order({*labels, *known})
    if len(classes) > CLASSES_MAX:
        raise Invalid(
            f"{path} has {len(classes):,} different labels; truth inference takes at most {CLASSES_MAX:,} classes. "
            "Is `label` the right column? For ratings on a scale use --scale numeric."
        )
    place = {name: index for index, name in enumerate(classes)}
    codes = np.array([place[name] for name in labels], dtype=np.int64)
    return NamedLabels.numbered(tasks, task, people, person, classes, codes[label], repeats=repeats)


def read_gold(path: Path) -> dict[str, str]:
    """Known answers by task: columns task_id and gold (or label, answer, truth). A task named twice with two answers
    is refused."""
    names = _columns(path)
    column = next((name for name in GOLD_NAMES if name in names), None)
    if column is None:
        raise Invalid(f"{path} has the columns {', '.join(names)}; known answers need task_id and gold.")
    table = _read(path, ("task_id", column))
    (tasks, task), (answers, answer) = _numbered(table, "task_id", path), _numbered(table, column, path)
    gold: dict[str, str] = {}
    for row, (of_task, given) in enumerate(zip(task, answer, strict=True), start=1):
        if gold.setdefault(tasks[of_task], answers[given]) != answers[given]:
            raise Invalid(f"{path}, row {row}: task {tasks[of_task]!r} has a second, different answer. Keep one.")
    return gold


def known_answers(named: NamedLabels[str], gold: dict[str, str], path: Path) -> Ints:
    """Known answers by index of task; refused where not one of them belongs to a judged task."""
    if not set(gold) & set(named.items):
        raise Invalid(f"None of the {len(gold):,} tasks in {path} was judged. Do both files name tasks alike?")
    try:
        return named.known(gold)
    except BadLabels as error:
        raise Invalid(f"{path}: {error}") from error


def in_order(labels: set[str]) -> list[str]:
    """Numbers by size, then words by letter, so that 10 comes after 9."""
    return sorted(labels, key=lambda label: (0, float(label), label) if _is_number(label) else (1, 0.0, label))


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _columns(path: Path) -> list[str]:
    if not path.is_file():
        raise Invalid(f"{path} does not exist, or is not a file.")
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with pyarrow.csv.open_csv(path) as reader:
            return list(reader.schema.names)
    except (pa.ArrowInvalid, OSError) as error:
        raise Invalid(f"{path} cannot be read as CSV(.gz) or Parquet: {error}") from error


def _read(path: Path, names: Sequence[str]) -> pa.Table:
    there = _columns(path)
    lacking = [name for name in names if name not in there]
    if lacking:
        raise Invalid(f"{path} lacks the column {lacking[0]}; it has {', '.join(there)}.")
    try:
        table = pq.read_table(path, columns=list(names)) if path.suffix == ".parquet" else _read_csv(path, names)
    except (pa.ArrowInvalid, OSError) as error:
        raise Invalid(f"{path} cannot be read: {error}") from error
    if table.num_rows == 0:
        raise Invalid(f"{path} has a heading and no row.")
    return table


def _read_csv(path: Path, names: Sequence[str]) -> pa.Table:
    # As text: a column of numbers with one word in it would otherwise fail far from its cause.
    wanted = pyarrow.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), include_columns=list(names), strings_can_be_null=False
    )
    return pyarrow.csv.read_csv(
        path, convert_options=wanted, parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True)
    )


def _numbered(table: pa.Table, name: str, path: Path) -> tuple[list[str], Ints]:
    """The column's different values in order of appearance, and for each row which one it has."""
    texts = _as_text(table.column(name)).combine_chunks()
    coded = pc.dictionary_encode(texts, null_encoding="encode")
    names = coded.dictionary.to_pylist()
    places = np.asarray(coded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    empty = [index for index, text in enumerate(names) if text is None or text.strip().lower() in MISSING]
    if empty:
        row = int(np.argmax(np.isin(places, empty))) + 1
        raise Invalid(f"{path}, row {row}: {name} is missing ({names[empty[0]]!r}). Fill it in, or drop the row.")
    return _stripped(names, places)


def _stripped(names: list[str], places: Ints) -> tuple[list[str], Ints]:
    """Names without blanks around them; " yes" and "yes" are one."""
    stripped: dict[str, int] = {}
    code = np.array([stripped.setdefault(name.strip(), len(stripped)) for name in names], dtype=np.int64)
    return list(stripped), code[places]


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers as people write them: 1, not 1.0, so that files of different kinds fit together."""
    if pa.types.is_floating(column.type):
        filled = pc.drop_null(column)
        if pc.all(pc.equal(filled, pc.floor(filled))).as_py() and not pc.any(pc.is_inf(filled)).as_py():
            column = column.cast(pa.int64())
    return column.cast(pa.string())
