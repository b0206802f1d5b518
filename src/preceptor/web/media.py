"""Files by signed address, as pages show them; and their upload from pages."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from preceptor.http.downloads import disposition, ranged
from preceptor.http.edge import CurrentRuntime, Db, MaybeSignedIn, Now
from preceptor.http.tus import tus_router
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import read_id
from preceptor.media import access, rules
from preceptor.media import service as media_service
from preceptor.media.kinds import MediaKind, type_named

router = APIRouter()
router.include_router(tus_router("/media/uploads"))

SMALL: Final = "small"
"""The name under which a picture's small version is asked for."""
SHOWN_IN_PAGES: Final = frozenset({MediaKind.IMAGE, MediaKind.AUDIO, MediaKind.VIDEO})
"""Kinds that a page shows itself; the others are saved by whoever opens them."""
HEADERS: Final = {
    # Should a browser ever take a file for a page: it loads nothing, runs nothing and belongs to nobody.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # The address changes when its time is over, and what lies behind it never does.
    "Cache-Control": "private, max-age=43200, immutable",
}


@router.api_route("/media/{media_id}/{name}", methods=["GET", "HEAD"])
def serve(
    request: Request,
    runtime: CurrentRuntime,
    session: Db,
    signed_in: MaybeSignedIn,
    now: Now,
    media_id: str,
    name: str,
    expires: Annotated[int, Query(ge=0, le=10**11)],
    signature: Annotated[str, Query(max_length=64, pattern=r"^[0-9a-f]+$")],
) -> Response:
    """The file behind an address of ours, whole or one range. What was changed or is another's finds nothing."""
    media = access.media_to_serve(session, read_id("media", media_id))
    person = signed_in.actor.person_id if signed_in is not None else None
    secret = runtime.settings.signing_key()
    media_service.check_signature(secret, media.id, media.org_id, person, expires, signature, now=now)
    found = type_named(media.media_type)
    if name == SMALL and media.kind is MediaKind.IMAGE:
        try:
            small = rules.small_key(media.org_id, media.id)
            return ranged(request, runtime.storage, small, headers=dict(HEADERS), media_type="image/webp")
        except NotFound:
            pass  # kept without one: the picture itself will do
    how = "inline" if found.kind in SHOWN_IN_PAGES else "attachment"
    headers = {**HEADERS, "Content-Disposition": disposition(how, rules.served_name(media.name, found))}
    key = rules.media_key(media.org_id, media.id)
    return ranged(request, runtime.storage, key, headers=headers, media_type=found.mime, digest=media.sha256)
