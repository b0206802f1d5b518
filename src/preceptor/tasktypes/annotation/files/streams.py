"""JSON arrays and lines written task by task, so that a large release needs little memory."""

import json
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile

from pydantic import JsonValue

IN_MEMORY_BYTES = 8 * 1024**2


class JsonList:
    """A JSON array in the making: held in memory while small, on disk when large."""

    def __init__(self, *, lines: bool = False) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY_BYTES)  # noqa: SIM115  closed by `write`
        self._lines = lines
        self.count = 0

    def add(self, value: JsonValue) -> None:
        """Append one entry."""
        if not self._lines:
            self._file.write(b",\n" if self.count else b"[\n")
        self._file.write(json.dumps(value, ensure_ascii=False).encode())
        if self._lines:
            self._file.write(b"\n")
        self.count += 1

    def write(self, path: Path) -> None:
        """Everything into a file; the list is used up."""
        with self._file as source, path.open("wb") as target:
            if not self._lines:
                source.write(b"\n]\n" if self.count else b"[]\n")
            source.seek(0)
            copyfileobj(source, target)
