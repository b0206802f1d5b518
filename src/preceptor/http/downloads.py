"""Sending stored files: streamed in chunks, as attachments, whole or one range (RFC 9110, section 14)."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from preceptor.kit.storage import Storage

MEDIA_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".gz": "application/gzip",
    ".json": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
}
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)


def attachment(request: Request, storage: Storage, key: str, filename: str | None = None) -> Response:
    """A stored file as a download. `NotFound` where there is none.

    Always an attachment: what people uploaded must never run as a page of ours.
    """
    name = filename or PurePosixPath(key).name
    headers = {"Content-Disposition": disposition("attachment", name), "Cache-Control": "private, no-store"}
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
    return ranged(request, storage, key, headers=headers, media_type=media_type)


def disposition(kind: str, name: str) -> str:
    """A Content-Disposition with any name (RFC 6266)."""
    return f"{kind}; filename*=UTF-8''{quote(name, safe='')}"


def ranged(
    request: Request,
    storage: Storage,
    key: str,
    *,
    headers: dict[str, str],
    media_type: str,
    digest: str | None = None,
) -> Response:
    """A stored file whole, or the one range asked for. `NotFound` where there is none.

    `digest` names the content and becomes its ETag; without one a conditional range gets the whole file. A range
    that the file cannot give is answered with 416; several ranges at once get the whole file, as the standard allows.
    """
    size = storage.size(key)
    headers = {**headers, "Accept-Ranges": "bytes"}
    etag = f'"{digest}"' if digest else None
    if etag is not None:
        headers["ETag"] = etag
        if etag in _listed(request.headers.get("if-none-match")):
            return Response(status_code=304, headers=headers)
    wanted = _wanted_range(request.headers.get("range"), size)
    condition = request.headers.get("if-range")
    if wanted is None or (condition is not None and condition.strip() != etag):
        headers["Content-Length"] = str(size)
        return _streamed(request, storage.stream(key), 200, headers, media_type)
    start, end = wanted
    if start >= end:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers |= {"Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return _streamed(request, storage.stream_range(key, start, end), 206, headers, media_type)


def _listed(header: str | None) -> set[str]:
    return {each.strip().removeprefix("W/") for each in (header or "").split(",")}


def _streamed(
    request: Request, chunks: Iterator[bytes], status: int, headers: dict[str, str], media_type: str
) -> Response:
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=media_type)
    return StreamingResponse(chunks, status_code=status, headers=headers, media_type=media_type)


def _wanted_range(header: str | None, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive) of the one range asked for; None for the whole file."""
    found = _RANGE.match(header.strip()) if header else None
    if found is None or found.group() == "bytes=-":
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(int(last) + 1, size) if last else size
