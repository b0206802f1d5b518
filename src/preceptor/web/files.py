"""Stored files by signed link: whoever holds the link may read that one file until it expires."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from preceptor.http.downloads import attachment
from preceptor.http.edge import CurrentRuntime, Now

router = APIRouter()


@router.api_route("/files/{key:path}", methods=["GET", "HEAD"])
def download(
    request: Request,
    runtime: CurrentRuntime,
    now: Now,
    key: str,
    until: Annotated[int, Query(ge=0, le=10**11)],
    sig: Annotated[str, Query(max_length=128, pattern=r"^[0-9a-f]+$")],
) -> Response:
    """The file behind a link of ours. A link that was changed finds nothing; an old one says so."""
    runtime.storage.check_link(key, until, sig, now=now)
    return attachment(request, runtime.storage, key)
