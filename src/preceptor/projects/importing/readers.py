"""Rows out of files that people bring: JSONL, JSON arrays, CSV and Parquet, each also gzipped.

A file is read as a stream with flat memory: line by line, or a few rows of a Parquet row group at a time.
Files are hostile until shown otherwise: every size has a limit with a name, and whatever cannot be read
becomes a `RowProblem` that says where it stands and how to mend it. Nothing here guesses silently.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from io import BufferedReader
from os import SEEK_END
from tempfile import TemporaryFile
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import JsonValue

from preceptor.tasktypes.importing import BadJson, parse_json

FILE_BYTES_MAX = 2 * 1024**3
UNPACKED_BYTES_MAX = 2 * 1024**3
UNPACKED_RATIO_MAX = 200
UNPACKED_ALWAYS_ALLOWED_BYTES = 64 * 1024**2
ROW_BYTES_MAX = 8 * 1024**2
ROWS_MAX = 2_000_000
COLUMNS_MAX = 200
COLUMN_NAME_CHARACTERS_MAX = 200
PARQUET_BATCH_ROWS = 256
PARQUET_BATCH_BYTES_MAX = 256 * 1024**2
CHUNK_BYTES = 256 * 1024

# A process-wide setting of the csv module. It is only ever raised, to the longest row that we accept.
csv.field_size_limit(max(csv.field_size_limit(), ROW_BYTES_MAX))

Values = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row of a file. `line` is the line it starts on (in Parquet the row number), counted from 1."""

    line: int
    values: Values


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row, or the file from here on, cannot be used: where it is, what is wrong, how to mend it.

    `line` counts from 1; 0 means the file as a whole. `field` is the column or key, None for the whole row.
    """

    line: int
    field: str | None
    problem: str


class FileFormat(StrEnum):
    """Formats that rows are read from."""

    JSONL = "jsonl"
    JSON_ARRAY = "json"
    CSV = "csv"
    PARQUET = "parquet"


class FileRefused(ValueError):
    """The file cannot be read at all, or not beyond this line."""

    def __init__(self, problem: str, line: int = 0, field: str | None = None) -> None:
        super().__init__(problem)
        self.row_problem = RowProblem(line, field, problem)


def file_digest(file: BinaryIO) -> str:
    """SHA-256 of the whole file as hex; leaves the file at its start."""
    file.seek(0)
    digest = sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def read_rows(file: BinaryIO, filename: str) -> Iterator[RawRow | RowProblem]:
    """All rows of a seekable binary file, in order; problems stand where their row would be.

    The format is found from the first bytes, and from the name where those leave a choice. A problem that
    ends the reading (a truncated archive, a limit passed) comes last. The file is not closed.
    """
    try:
        yield from _rows_of(file, filename)
    except FileRefused as refusal:
        yield refusal.row_problem


def _rows_of(file: BinaryIO, filename: str) -> Iterator[RawRow | RowProblem]:
    size = file.seek(0, SEEK_END)
    file.seek(0)
    if size == 0:
        raise FileRefused("The file is empty.")
    if size > FILE_BYTES_MAX:
        raise FileRefused(f"The file has {size:,} bytes; the limit is {FILE_BYTES_MAX:,}. Split it.")
    source = _Source(file, size, filename)
    match source.format:
        case FileFormat.JSONL:
            rows = _json_lines(source)
        case FileFormat.JSON_ARRAY:
            rows = _json_array(source)
        case FileFormat.CSV:
            rows = _csv_rows(source)
        case FileFormat.PARQUET:
            rows = _parquet_rows(source)
    for count, row in enumerate(rows, start=1):
        if count > ROWS_MAX:
            raise FileRefused(f"The file has more than {ROWS_MAX:,} rows. Split it.", row.line)
        yield row


# --- What kind of file it is


_REFUSED_MAGIC = {
    b"PK\x03\x04": "The file is a ZIP archive or an Excel workbook. Save it as CSV, or unpack it.",
    b"\xd0\xcf\x11\xe0": "The file is an old Excel workbook. Save it as CSV with UTF-8 encoding.",
    b"\x28\xb5\x2f\xfd": "The file is compressed with Zstandard. Unpack it, or compress it with gzip.",
    b"\xfd7zXZ": "The file is compressed with xz. Unpack it, or compress it with gzip.",
    b"BZh": "The file is compressed with bzip2. Unpack it, or compress it with gzip.",
    b"\xff\xfe": "The file is encoded as UTF-16. Save it as UTF-8.",
    b"\xfe\xff": "The file is encoded as UTF-16. Save it as UTF-8.",
    b"%PDF": "The file is a PDF. Bring the rows as JSONL, CSV or Parquet.",
}
_BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...


class _Source:
    """A file with its compression taken off, its format known and the bytes given out counted."""

    def __init__(self, file: BinaryIO, size: int, filename: str) -> None:
        self.file = file
        self.packed = file.read(2) == _GZIP_MAGIC
        self.name = filename.lower().removesuffix(".gz") if self.packed else filename.lower()
        self.limit = UNPACKED_BYTES_MAX
        if self.packed:
            self.limit = min(self.limit, max(UNPACKED_ALWAYS_ALLOWED_BYTES, size * UNPACKED_RATIO_MAX))
        self.offset = 0
        self.line = 0
        self._stream = self._rewound()
        self.format = _format_of(self.read(CHUNK_BYTES), self.name)
        self._stream = self._rewound()
        self.offset = 0

    def _rewound(self) -> _Readable:
        self.file.seek(0)
        if self.packed:
            # GzipFile never closes a file object that it was handed.
            return BufferedReader(gzip.GzipFile(fileobj=self.file, mode="rb"), CHUNK_BYTES)
        return self.file

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; FileRefused where the archive is damaged or unpacks to too much."""
        try:
            data = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self._damaged(error) from error
        return self._counted(data)

    def readline(self) -> bytes:
        """The next line with its end, at most one byte longer than a row may be."""
        try:
            data = self._stream.readline(ROW_BYTES_MAX + 1)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise self._damaged(error) from error
        return self._counted(data)

    def _counted(self, data: bytes) -> bytes:
        self.offset += len(data)
        if self.offset > self.limit:
            raise FileRefused(
                f"The file unpacks to more than {self.limit:,} bytes. Split it, or bring it less compressed.",
                self.line,
            )
        return data

    def _damaged(self, error: Exception) -> FileRefused:
        cut = isinstance(error, EOFError)
        reason = "ends too early: it was cut off on its way" if cut else "is damaged"
        return FileRefused(f"The gzip archive {reason}. Make or send it again.", self.line + 1)


def _format_of(head: bytes, name: str) -> FileFormat:
    if head.startswith(_PARQUET_MAGIC):
        return FileFormat.PARQUET
    for magic, problem in _REFUSED_MAGIC.items():
        if head.startswith(magic):
            raise FileRefused(problem)
    if head.startswith(_GZIP_MAGIC):
        raise FileRefused("The file is packed twice with gzip. Unpack it once.")
    if name.endswith((".parquet", ".pq")):
        raise FileRefused("The name says Parquet, but the file does not begin like one. Was it cut or converted?")
    if name.endswith((".csv", ".tsv", ".tab")):
        return FileFormat.CSV
    start = head.removeprefix(_BOM).lstrip()[:1]
    if start == b"[":
        return FileFormat.JSON_ARRAY
    if start == b"{" or name.endswith((".jsonl", ".ndjson", ".json")):
        return FileFormat.JSONL
    if not start:
        raise FileRefused("The file holds nothing but white space.")
    return FileFormat.CSV


# --- JSON


def _json_row(data: bytes, line: int, offset: int, *, last: bool) -> RawRow | RowProblem:
    """The row in `data`, which begins at byte `offset` of the (unpacked) file."""
    try:
        values = parse_json(data.decode())
    except UnicodeDecodeError as error:
        return RowProblem(line, None, _not_utf8(offset + error.start, data[error.start]))
    except BadJson as error:
        hint = " The file ends here without a line end: it may have been cut off." if last else ""
        return RowProblem(line, error.field, error.problem + hint)
    if not isinstance(values, dict):
        return RowProblem(line, None, "The row is not a JSON object. Write {...} with named keys.")
    if len(values) > COLUMNS_MAX:
        return RowProblem(line, None, f"The row has more than {COLUMNS_MAX} keys. Leave out what is not needed.")
    return RawRow(line, values)


def _not_utf8(offset: int, byte: int) -> str:
    return f"The byte 0x{byte:02X} at byte offset {offset:,} is not UTF-8. Save the file with UTF-8 encoding."


def _json_lines(source: _Source) -> Iterator[RawRow | RowProblem]:
    while data := source.readline():
        source.line += 1
        offset = source.offset - len(data)
        if source.line == 1 and data.startswith(_BOM):
            data, offset = data[len(_BOM) :], len(_BOM)
        if len(data) > ROW_BYTES_MAX:
            _skip_to_line_end(source, data)
            yield RowProblem(source.line, None, f"The line is longer than {ROW_BYTES_MAX:,} bytes. Shorten the row.")
        elif not data.isspace():
            yield _json_row(data, source.line, offset, last=not data.endswith(b"\n"))


def _skip_to_line_end(source: _Source, data: bytes) -> None:
    while data and not data.endswith(b"\n"):
        data = source.readline()


def _json_array(source: _Source) -> Iterator[RawRow | RowProblem]:
    for line, offset, data in _array_elements(source):
        if len(data) > ROW_BYTES_MAX:
            yield RowProblem(line, None, f"The row is longer than {ROW_BYTES_MAX:,} bytes. Shorten it.")
        else:
            yield _json_row(data, line, offset, last=False)


_OUTSIDE_STRING = re.compile(rb'["\[\]{},]')
_INSIDE_STRING = re.compile(rb'["\\]')


class _ArraySplitter:
    """Finds where the elements of one top-level array end, by brackets and strings alone.

    Whether an element is JSON is for the parser to say.
    """

    def __init__(self) -> None:
        self.depth = 0
        self._in_string = False
        self._skip = 0

    def boundaries(self, chunk: bytes) -> Iterator[int]:
        """Positions in the chunk of the array's opening bracket, its commas and its closing bracket."""
        position = self._skip
        while found := (_INSIDE_STRING if self._in_string else _OUTSIDE_STRING).search(chunk, position):
            at, token = found.start(), found.group()
            position = at + 1
            if token == b"\\":
                position = at + 2
            elif token == b'"':
                self._in_string = not self._in_string
            elif token == b",":
                if self.depth == 1:
                    yield at
            else:
                opens = token in b"[{"
                self.depth += 1 if opens else -1
                if self.depth == (1 if opens else 0):
                    yield at
        # An escaped character can be the first of the next chunk.
        self._skip = max(0, position - len(chunk))


def _array_elements(source: _Source) -> Iterator[tuple[int, int, bytes]]:
    """(line, byte offset, bytes) of each element of one top-level array, without holding the array."""
    splitter = _ArraySplitter()
    element = bytearray()
    begun = closed = any_element = False
    line = 1
    while chunk := source.read(CHUNK_BYTES):
        at, base = 0, source.offset - len(chunk)
        for boundary in splitter.boundaries(chunk):
            if closed:
                raise FileRefused("Something follows the end of the array. Use one array, or one object a line.", line)
            element += chunk[at:boundary]
            at = boundary + 1
            closed = splitter.depth == 0
            data = bytes(element).lstrip()
            lead = len(element) - len(data)
            if begun and (data or any_element or not closed):
                any_element = True
                source.line = line + element.count(b"\n", 0, lead)
                yield source.line, base + boundary - len(data), data
            line += element.count(b"\n")
            begun = True
            element.clear()
        element += chunk[at:]
        if len(element) > ROW_BYTES_MAX:
            raise FileRefused(f"A row is longer than {ROW_BYTES_MAX:,} bytes. Shorten it.", line)
    if not closed:
        raise FileRefused("The file ends in the middle of the array: it was cut off.", line)
    if element.strip():
        raise FileRefused("Something follows the end of the array. Use one array, or one object a line.", line)


# --- CSV


_DELIMITERS = ",;\t|"


class _Lines:
    """Decoded lines for the csv module, remembering what was wrong with the bytes of the current record."""

    def __init__(self, source: _Source, first: str) -> None:
        self._source = source
        self._first: str | None = first
        self.encoding_problem: str | None = None
        self.record_bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        data = self._source.readline()
        if not data:
            raise StopIteration
        self._source.line += 1
        self.record_bytes += len(data)
        if self.record_bytes > ROW_BYTES_MAX:
            raise FileRefused(
                f"A row is longer than {ROW_BYTES_MAX:,} bytes. Is a quotation mark opened and never closed?",
                self._source.line,
            )
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            offset = self._source.offset - len(data) + error.start
            self.encoding_problem = self.encoding_problem or _not_utf8(offset, data[error.start])
            return data.decode(errors="replace")

    def next_record(self) -> None:
        self.encoding_problem = None
        self.record_bytes = 0


def _csv_rows(source: _Source) -> Iterator[RawRow | RowProblem]:
    lines, delimiter = _csv_start(source)
    # strict: text behind a closing quote and a quote never closed are errors, not guesses.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _csv_header(reader)
    while True:
        lines.next_record()
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RowProblem(line, None, _csv_problem(error))
            continue
        if lines.encoding_problem is not None:
            yield RowProblem(line, None, lines.encoding_problem)
        elif not cells:
            continue
        elif len(cells) != len(header):
            yield RowProblem(line, None, _wrong_width(len(cells), len(header)))
        else:
            yield RawRow(line, {name: cell or None for name, cell in zip(header, cells, strict=True)})


def _csv_start(source: _Source) -> tuple[_Lines, str]:
    first = source.readline().removeprefix(_BOM)
    source.line = 1
    if len(first) > ROW_BYTES_MAX:
        raise FileRefused("The first line is too long to be a CSV header.", 1)
    try:
        text = first.decode()
    except UnicodeDecodeError as error:
        raise FileRefused(_not_utf8(error.start, first[error.start]), 1) from error
    outside_quotes = re.sub(r'"[^"]*"', "", text)
    delimiter = max(_DELIMITERS, key=outside_quotes.count)
    if source.name.endswith((".tsv", ".tab")):
        delimiter = "\t"
    return _Lines(source, text), delimiter


def _csv_header(reader: Iterator[list[str]]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise FileRefused(_csv_problem(error), 1) from error
    if len(header) > COLUMNS_MAX:
        raise FileRefused(f"The header has {len(header)} columns; the limit is {COLUMNS_MAX}.", 1)
    if any(len(name) > COLUMN_NAME_CHARACTERS_MAX for name in header):
        raise FileRefused("The first line does not look like a header: a column name is far too long.", 1)
    # An index column written by a spreadsheet or data frame has no name.
    header = [name or f"column_{number}" for number, name in enumerate(header, start=1)]
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise FileRefused("The header names this column twice. Rename one.", 1, twice)
    return header


def _csv_problem(error: csv.Error) -> str:
    text = str(error)
    if "expected after" in text:
        return "Text follows a closing quotation mark. Double the quotation marks inside a quoted cell."
    if "unexpected end of data" in text:
        return "A quotation mark is opened and never closed, or the file was cut off."
    if "field larger" in text:
        return f"A cell is longer than {ROW_BYTES_MAX:,} characters. Is a quotation mark never closed?"
    return f"The line is not valid CSV ({text})."


def _wrong_width(cells: int, columns: int) -> str:
    return f"The row has {cells} cells, the header {columns} columns. Quote cells that hold the delimiter or line ends."


# --- Parquet


def _parquet_rows(source: _Source) -> Iterator[RawRow | RowProblem]:
    if not source.packed:
        yield from _parquet_file_rows(source.file)
        return
    # Parquet is read from its end, so a packed one must lie unpacked somewhere.
    with TemporaryFile() as unpacked:
        while chunk := source.read(CHUNK_BYTES):
            unpacked.write(chunk)
        yield from _parquet_file_rows(unpacked)


def _parquet_file_rows(file: BinaryIO) -> Iterator[RawRow | RowProblem]:
    number = 0
    try:
        file.seek(0)
        parquet = pq.ParquetFile(file, pre_buffer=False)
        _check_parquet(parquet)
        for batch in parquet.iter_batches(batch_size=PARQUET_BATCH_ROWS, use_threads=False):
            if batch.nbytes > PARQUET_BATCH_BYTES_MAX:
                raise FileRefused(f"Rows {number + 1} ff. are too large. Shorten or split them.", number + 1)
            for row in _batch_rows(batch, number):
                number += 1
                yield row
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise FileRefused(f"The Parquet file is damaged or cut off ({reason}). Write it again.", number + 1) from error


def _check_parquet(parquet: pq.ParquetFile) -> None:
    names = parquet.schema_arrow.names
    if len(names) > COLUMNS_MAX:
        raise FileRefused(f"The file has {len(names)} columns; the limit is {COLUMNS_MAX}.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise FileRefused("The file has two columns of this name. Rename one.", field=twice)
    if parquet.metadata.num_rows > ROWS_MAX:
        raise FileRefused(f"The file has {parquet.metadata.num_rows:,} rows; the limit is {ROWS_MAX:,}. Split it.")


def _batch_rows(batch: pa.RecordBatch, before: int) -> Iterator[RawRow | RowProblem]:
    try:
        for index, values in enumerate(batch.to_pylist()):
            yield RawRow(before + index + 1, values)
    except UnicodeDecodeError:
        # Arrow does not check strings it reads. Go row by row to say which one it is.
        yield from _checked_rows(batch, before)


def _checked_rows(batch: pa.RecordBatch, before: int) -> Iterator[RawRow | RowProblem]:
    for index in range(batch.num_rows):
        try:
            yield RawRow(before + index + 1, batch.slice(index, 1).to_pylist()[0])
        except UnicodeDecodeError as error:
            problem = f"The row holds text that is not UTF-8 (byte {error.start} of a cell). Write it as UTF-8."
            yield RowProblem(before + index + 1, None, problem)
