"""Files that people send: streamed to disk with a digest on the way, however large, and never into memory."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from preceptor.kit.errors import Invalid
from preceptor.kit.runtime import Runtime

CHUNK_BYTES = 1024 * 1024
MULTIPART_EXTRA_BYTES = 64 * 1024
"""Boundaries, headers and small fields around the file of a form."""


class UploadTooLarge(Invalid):
    """This file is larger than this installation accepts. Split it, or compress it with gzip."""

    code = "upload_too_large"


class UploadMissing(Invalid):
    """There is no file in this request. Send the file as the body, or as the form field `file`."""

    code = "upload_missing"


@dataclass(frozen=True)
class Upload:
    """A received file on local disk. `digest` is its SHA-256 as hex; `fields` are the form's other fields."""

    path: Path
    filename: str
    digest: str
    size: int
    fields: dict[str, str]


@asynccontextmanager
async def received(request: Request, runtime: Runtime, *, filename: str | None = None) -> AsyncIterator[Upload]:
    """The file of a request, either its raw body or the field `file` of a multipart form.

    It lies in the data folder while the block runs and is removed afterwards. Larger than
    `upload_bytes_max` is `UploadTooLarge`, as soon as it is known.
    """
    limit = runtime.settings.upload_bytes_max
    folder = runtime.settings.data_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_announced(request, limit)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="upload-") as target:
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            upload = await _from_form(request, target.file, Path(target.name), limit, filename)
        else:
            digest, size = await _from_chunks(request.stream(), target.file, limit)
            upload = Upload(Path(target.name), filename or "upload", digest, size, {})
        if upload.size == 0:
            raise UploadMissing
        yield upload


def _refuse_announced(request: Request, limit: int) -> None:
    announced = request.headers.get("content-length", "")
    multipart = request.headers.get("content-type", "").startswith("multipart/form-data")
    if multipart and not announced.isdigit():
        # A form is spooled whole before its file is seen, so its size must be known beforehand.
        raise Invalid("A form must be sent with Content-Length. Send the file as the body to stream it.")
    if announced.isdigit() and int(announced) > limit + (MULTIPART_EXTRA_BYTES if multipart else 0):
        raise UploadTooLarge(limit_bytes=limit)


async def _from_form(request: Request, target: IO[bytes], path: Path, limit: int, filename: str | None) -> Upload:
    form = await request.form(max_files=1, max_fields=20)
    sent = form.get("file")
    if not isinstance(sent, UploadFile):
        raise UploadMissing
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    digest, size = await _from_chunks(_chunks(sent), target, limit)
    await form.close()
    return Upload(path, filename or sent.filename or "upload", digest, size, fields)


async def _chunks(sent: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await sent.read(CHUNK_BYTES):
        yield chunk


async def _from_chunks(chunks: AsyncIterator[bytes], target: IO[bytes], limit: int) -> tuple[str, int]:
    digest, size = sha256(), 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise UploadTooLarge(limit_bytes=limit)
        digest.update(chunk)
        await run_in_threadpool(target.write, chunk)
    await run_in_threadpool(target.flush)
    return digest.hexdigest(), size
