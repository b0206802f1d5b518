"""Published sets of real judgments with known answers, read from where they lie; never copied."""

import csv
import gzip
import json
import os
from dataclasses import dataclass
from pathlib import Path

from preceptor.quality.labels import Ints, NamedLabels, Repeats

NAMES = ("d_product", "rte", "zencrowd_us", "face", "weather_cf", "web_ordinal", "s_rel")
FOLDER = Path(os.environ.get("PRECEPTOR_SHARED", Path(__file__).resolve().parents[3] / "shared")) / "data"


@dataclass(frozen=True)
class JudgedSet:
    """Judgments with the answers that are known (`UNKNOWN` where not), by item."""

    name: str
    named: NamedLabels[str]
    gold: Ints


def there() -> bool:
    """Whether the sets lie beside this checkout; what needs them is left out with a message where they do not."""
    return FOLDER.is_dir()


def load(name: str, *, repeats: Repeats = "last") -> JudgedSet:
    rows = _rows(FOLDER / name / "labels.csv.gz")
    gold = {row["task_id"]: row["gold"] for row in _rows(FOLDER / name / "gold.csv.gz")}
    classes = sorted({row["label"] for row in rows} | set(gold.values()))
    columns = [[row[column] for row in rows] for column in ("task_id", "worker_id", "label")]
    named = NamedLabels.read(*columns, classes=classes, repeats=repeats)
    return JudgedSet(name, named, named.known(gold))


def rows(name: str, file: str) -> list[dict[str, str]]:
    """All rows of one CSV file of a set."""
    return _rows(FOLDER / name / file)


def json_rows(name: str, file: str) -> list[dict[str, str]]:
    """All rows of one file of a set that holds a JSON object a line."""
    with gzip.open(FOLDER / name / file, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
