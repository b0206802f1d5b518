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

    Always an attachment: what people uploaded must never run as a page of ours. A range that the file cannot
    give is answered with 416; several ranges at once get the whole file, as the standard allows.
    """
    size = storage.size(key)
    name = filename or PurePosixPath(key).name
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, no-store",
    }
    media_type = MEDIA_TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
    wanted = _wanted_range(request.headers.get("range"), size)
    # Stored files carry no validator, so a conditional range cannot be trusted to be of the same file.
    if wanted is None or "if-range" in request.headers:
        headers["Content-Length"] = str(size)
        return _streamed(request, storage.stream(key), 200, headers, media_type)
    start, end = wanted
    if start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers |= {"Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return _streamed(request, storage.stream_range(key, start, end), 206, headers, media_type)


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
