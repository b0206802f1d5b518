"""Files: a local folder or an S3 bucket through obstore, with links of ours that are signed and expire."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import obstore
from obstore.store import LocalStore, ObjectStore, from_url

from preceptor.kit.errors import AppError, Kind, NotFound
from preceptor.kit.settings import Settings

CHUNK_BYTES = 1024 * 1024
LINK_LIFETIME = timedelta(minutes=15)


class LinkExpired(AppError):
    """This download link has expired. Go back to the page and use the button again."""

    code = "link_expired"
    kind: Kind = "gone"


@dataclass(frozen=True)
class Storage:
    """Keys are slash-separated paths that we choose ourselves; user input never becomes part of one."""

    store: ObjectStore
    key: bytes
    folder: Path | None

    def put(self, key: str, data: bytes | BinaryIO | Path) -> int:
        """Store and return the size in bytes. Replaces what was there."""
        obstore.put(self.store, key, data)
        return self.size(key)

    def get(self, key: str) -> bytes:
        try:
            return bytes(obstore.get(self.store, key).bytes())
        except FileNotFoundError:
            raise NotFound("file") from None

    def stream(self, key: str) -> Iterator[bytes]:
        """The file in chunks of about a megabyte."""
        try:
            found = obstore.get(self.store, key)
        except FileNotFoundError:
            raise NotFound("file") from None
        for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    def stream_range(self, key: str, start: int, end: int) -> Iterator[bytes]:
        """Bytes `start` to `end` (exclusive) of the file, in chunks of about a megabyte."""
        try:
            found = obstore.get(self.store, key, options={"range": (start, end)})
        except FileNotFoundError:
            raise NotFound("file") from None
        for chunk in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)

    def size(self, key: str) -> int:
        try:
            return int(obstore.head(self.store, key)["size"])
        except FileNotFoundError:
            raise NotFound("file") from None

    def download(self, key: str, path: Path) -> None:
        """Copy a file to a local path, chunk by chunk."""
        with path.open("wb") as out:
            for chunk in self.stream(key):
                out.write(chunk)

    def delete(self, key: str) -> None:
        """Remove a file. `NotFound` where a local folder has none; an object store does not tell."""
        try:
            obstore.delete(self.store, key)
        except FileNotFoundError:
            raise NotFound("file") from None

    def list(self, prefix: str) -> list[str]:
        return sorted(str(meta["path"]) for page in obstore.list(self.store, prefix) for meta in page)

    def sign(self, key: str, *, now: datetime, lifetime: timedelta = LINK_LIFETIME) -> str:
        """A path such as `/files/<key>?until=...&sig=...` that works until it expires."""
        until = int((now + lifetime).timestamp())
        return f"/files/{key}?until={until}&sig={self._signature(key, until)}"

    def check_link(self, key: str, until: int, signature: str, *, now: datetime) -> None:
        """Raise unless this link was signed by us and has not expired."""
        if not hmac.compare_digest(self._signature(key, until), signature):
            raise NotFound("file")
        if now.timestamp() > until:
            raise LinkExpired

    def _signature(self, key: str, until: int) -> str:
        return hmac.new(self.key, f"file\n{key}\n{until}".encode(), hashlib.sha256).hexdigest()


def open_storage(settings: Settings) -> Storage:
    """S3 (or any obstore URL) when `storage_url` is set, else `data_dir/files`."""
    key = settings.signing_key()
    if settings.storage_url:
        return Storage(from_url(settings.storage_url), key, None)
    folder = settings.data_dir / "files"
    folder.mkdir(parents=True, exist_ok=True)
    return Storage(LocalStore(folder, mkdir=True), key, folder)
