"""The files of a release: rows as Parquet shards with a JSON Lines copy, and digests of everything.

Equal rows give equal bytes: fixed schemas and settings, sorted keys, no clock and no file name inside.
"""

import gzip
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from preceptor.tasktypes.base import Row

SHARD_BYTES_MAX = 256 * 1024 * 1024
GZIP_LEVEL = 4
ROW_DIGEST_CHARACTERS = 16
READ_BYTES = 1024 * 1024

ShardPath = Callable[[int], str]
"""Path inside the release of the shard with this number."""


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file of a release. `rows` is None where a file has none."""

    sha256: str
    bytes: int
    rows: int | None

    def as_json(self) -> dict[str, object]:
        return {"bytes": self.bytes, "rows": self.rows, "sha256": self.sha256}


def in_split(config: str) -> ShardPath:
    """Shards of a config that `datasets` loads: `<config>/train-00000.parquet` and so on."""
    return lambda number: f"{config}/train-{number:05}.parquet"


def beside_configs(name: str) -> ShardPath:
    """One plain file, `<name>.parquet`, and numbered ones after it should it grow too large."""
    return lambda number: f"{name}-{number:05}.parquet" if number else f"{name}.parquet"


class RowFiles:
    """Writes rows of one kind as Parquet shards and, where `json_path` is given, as gzipped JSON Lines."""

    def __init__(
        self,
        folder: Path,
        schema: pa.Schema,
        shard_path: ShardPath,
        *,
        json_path: str | None = None,
        shard_bytes_max: int = SHARD_BYTES_MAX,
    ) -> None:
        self.rows = 0
        self.rows_of: dict[str, int] = {}
        """Rows of each finished file, by path inside the release."""
        self._folder = folder
        self._schema = schema
        self._shard_path = shard_path
        self._shard_bytes_max = shard_bytes_max
        self._shard: _Shard | None = None
        self._shards = 0
        self._json_path = json_path
        self._json = _JsonLines(folder / json_path) if json_path else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything. Without rows there is one empty file, which says the columns."""
        if self._shards == 0:
            self._shard = self._next_shard()
        self._close_shard()
        if self._json is not None and self._json_path is not None:
            self._json.close()
            self.rows_of[self._json_path] = self.rows

    def add(self, rows: Sequence[Row]) -> list[str]:
        """Write rows; returns the digest of each: the start of the SHA-256 of its line of JSON."""
        if not rows:
            return []
        lines = [orjson.dumps(row, option=orjson.OPT_SORT_KEYS) + b"\n" for row in rows]
        if self._json is not None:
            self._json.write(lines)
        if self._shard is None:
            self._shard = self._next_shard()
        self._shard.write(pa.Table.from_pylist(list(rows), schema=self._schema))
        self.rows += len(rows)
        if self._shard.size > self._shard_bytes_max:
            self._close_shard()
        return [hashlib.sha256(line).hexdigest()[:ROW_DIGEST_CHARACTERS] for line in lines]

    def _next_shard(self) -> "_Shard":
        self._shards += 1
        return _Shard(self._folder, self._shard_path(self._shards - 1), self._schema)

    def _close_shard(self) -> None:
        if self._shard is not None:
            self._shard.close()
            self.rows_of[self._shard.path] = self._shard.rows
            self._shard = None


class _JsonLines:
    """A gzipped file of lines."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("wb")
        # No name and no time in the header, so that equal lines give equal bytes.
        self._gzip = gzip.GzipFile(filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=self._file, mtime=0)

    def write(self, lines: Sequence[bytes]) -> None:
        self._gzip.write(b"".join(lines))

    def close(self) -> None:
        self._gzip.close()
        self._file.close()


class _Shard:
    """One Parquet file; each write is a row group."""

    def __init__(self, folder: Path, path: str, schema: pa.Schema) -> None:
        self.path = path
        self.rows = 0
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        self._sink: BinaryIO = (folder / path).open("wb")
        self._writer = pq.ParquetWriter(self._sink, schema, compression="zstd")

    @property
    def size(self) -> int:
        return self._sink.tell()

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)
        self.rows += table.num_rows

    def close(self) -> None:
        self._writer.close()
        self._sink.close()


def fact_of(path: Path, rows: int | None) -> FileFact:
    """Digest and size of a file on disk."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(READ_BYTES):
            digest.update(chunk)
    return FileFact(digest.hexdigest(), path.stat().st_size, rows)
