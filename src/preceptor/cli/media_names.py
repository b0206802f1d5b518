"""Rows of a dataset that name files as they lie beside it, with the files' addresses in place of the names."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from preceptor.kit.errors import Invalid
from preceptor.media.rules import MEDIA_SCHEME, MEDIA_URL

ADDRESSES_MAX = 1_000_000
CELL_CHARACTERS_MAX = 16 * 1024 * 1024
Names = Mapping[str, str]


class AddressesUnreadable(Invalid):
    """This is no list of addresses as `preceptor media add --out` writes it: lines of JSON with "name" and "url"."""

    code = "media_addresses_unreadable"


class FilesUnnamed(Invalid):
    """Names of files can be looked up in JSONL, JSON and CSV. Convert the dataset to one of these."""

    code = "media_names_unreadable"


def read_addresses(path: Path) -> dict[str, str]:
    """Addresses by name, as `preceptor media add --out` wrote them."""
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8") as lines:
            for number, line in enumerate(filter(str.strip, lines)):
                one = json.loads(line)
                if number >= ADDRESSES_MAX or not MEDIA_URL.match(one["url"]):
                    raise AddressesUnreadable
                found[str(one["name"])] = one["url"]
    except (ValueError, KeyError, TypeError):
        raise AddressesUnreadable from None
    return found


@contextmanager
def with_addresses(dataset: Path, names: Names) -> Iterator[Path]:
    """A copy of the dataset, under the same name, in which every string that is a file's name is its address."""
    rewrite = _REWRITES.get(dataset.suffix.lower())
    if rewrite is None:
        raise FilesUnnamed
    with TemporaryDirectory(prefix="preceptor-import-") as folder:
        copy = Path(folder, dataset.name)
        rewrite(dataset, copy, names)
        yield copy


def addressed(value: object, names: Names) -> object:
    """A value of JSON with the addresses in place of names, at any depth."""
    if isinstance(value, str):
        return names.get(value.removeprefix(MEDIA_SCHEME), value)
    if isinstance(value, list):
        return [addressed(each, names) for each in value]
    if isinstance(value, dict):
        return {key: addressed(each, names) for key, each in value.items()}
    return value


def _rewrite_lines(dataset: Path, copy: Path, names: Names) -> None:
    with dataset.open(encoding="utf-8-sig") as lines, copy.open("w", encoding="utf-8") as out:
        for line in lines:
            out.write(_json_text(line, names) if line.strip() else line)


def _json_text(text: str, names: Names) -> str:
    """JSON with addresses; what cannot be read stays for the import to say what is wrong with it, in its line."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return json.dumps(addressed(value, names), ensure_ascii=False) + ("\n" if text.endswith("\n") else "")


def _rewrite_whole(dataset: Path, copy: Path, names: Names) -> None:
    copy.write_text(_json_text(dataset.read_text(encoding="utf-8-sig"), names), encoding="utf-8")


def _rewrite_table(dataset: Path, copy: Path, names: Names) -> None:
    csv.field_size_limit(CELL_CHARACTERS_MAX)
    tab = "\t" if dataset.suffix.lower() == ".tsv" else ","
    with dataset.open(encoding="utf-8-sig", newline="") as lines, copy.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, delimiter=tab)
        for row in csv.reader(lines, delimiter=tab):
            writer.writerow([_cell(cell, names) for cell in row])


def _cell(cell: str, names: Names) -> str:
    if cell[:1] in ("[", "{"):
        return _json_text(cell, names)
    return names.get(cell.removeprefix(MEDIA_SCHEME), cell)


_REWRITES: Mapping[str, Callable[[Path, Path, Names], None]] = {
    ".jsonl": _rewrite_lines,
    ".ndjson": _rewrite_lines,
    ".json": _rewrite_whole,
    ".csv": _rewrite_table,
    ".tsv": _rewrite_table,
}
