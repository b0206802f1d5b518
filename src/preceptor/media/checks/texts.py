"""Plain text, tables and JSON: Unicode throughout, and no pages or programs under another name."""

import codecs
import csv
import io
import json
from pathlib import Path
from typing import Final

from preceptor.media import kinds
from preceptor.media.errors import MediaRefused
from preceptor.media.kinds import MediaType

STEP_BYTES = 1024 * 1024
TABLE_ROWS_TRIED = 50
_CONTROLS: Final = frozenset(chr(code) for code in range(32)) - frozenset("\t\n\r\f\x1b")


def check_text(path: Path, ending: str) -> MediaType:
    """Which text it is. Only where the content fits is the name's ending asked: a list of words has no other mark."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    with path.open("rb") as file:
        while True:
            data = file.read(STEP_BYTES)
            try:
                text = decoder.decode(data, not data)
            except UnicodeDecodeError:
                raise MediaRefused("This text is not UTF-8. Save it as UTF-8 and send that.") from None
            if not _CONTROLS.isdisjoint(text):
                raise MediaRefused("This file looks like text but holds control characters. Save it as plain text.")
            if not data:
                break
    return _told_apart(path, ending)


def _told_apart(path: Path, ending: str) -> MediaType:
    with path.open(encoding="utf-8-sig", newline="") as file:
        begins = file.read(TABLE_ROWS_TRIED * 200)
    if begins.lstrip()[:1] in ("{", "[") and _is_json(path, lines=ending == ".jsonl"):
        return kinds.JSON
    if ending in kinds.CSV.extensions and _is_table(begins):
        return kinds.CSV
    return kinds.PLAIN


def _is_json(path: Path, *, lines: bool) -> bool:
    try:
        with path.open(encoding="utf-8-sig") as file:
            if lines:
                for line in file:
                    json.loads(line or "null")
            else:
                json.load(file)
    except (ValueError, RecursionError):
        return False
    return True


def _is_table(begins: str) -> bool:
    whole = begins[: begins.rfind("\n") + 1] or begins
    try:
        rows = list(csv.reader(io.StringIO(whole), csv.Sniffer().sniff(whole, ",;\t|")))
    except csv.Error:
        return False
    return len(rows) > 0 and max(len(row) for row in rows[:TABLE_ROWS_TRIED]) > 1
