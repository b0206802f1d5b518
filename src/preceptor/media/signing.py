"""Signed, expiring addresses of files, bound to the organization they belong to and to the person who is shown them.

The organization is part of what is signed and not of the address: a task of one organization that names a file of
another gets an address that opens nothing.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from preceptor.kit.errors import AppError, Kind, NotFound
from preceptor.kit.ids import read_id
from preceptor.media.rules import MEDIA_URL

LIFETIME = timedelta(hours=12)
"""Longer than a task is worked on; a reload of the page signs anew."""
STEP = timedelta(hours=1)
"""Addresses change once in this time and are equal between, so that browsers find what they fetched ahead."""


class MediaLinkExpired(AppError):
    """This address of a file has expired. Reload the page that showed it."""

    code = "media_link_expired"
    kind: Kind = "gone"


def signer(secret: bytes, org_id: UUID, person_id: UUID | None, now: datetime) -> Callable[[str], str]:
    """A function from `media:med_…` to an address that opens it; other addresses pass unchanged.

    `org_id` is the organization whose task or page is shown. With a `person_id` only that person, signed in, may
    open it; with None whoever holds it.
    """
    step = int(STEP.total_seconds())
    expires = (int((now + LIFETIME).timestamp()) // step + 1) * step

    def sign(url: str) -> str:
        found = MEDIA_URL.match(url)
        if found is None:
            return url
        shown = found.group(1)
        media_id = read_id("media", shown)
        signature = _signature(secret, media_id, org_id, person_id, expires)
        return f"/media/{shown}/file?expires={expires}&signature={signature}"

    return sign


def check_signature(
    secret: bytes,
    media_id: UUID,
    org_id: UUID,
    person_id: UUID | None,
    expires: int,
    signature: str,
    *,
    now: datetime,
) -> None:
    """Refuse an address that we did not sign for this organization and person (or for anybody), or that is over."""
    fitting = [_signature(secret, media_id, org_id, who, expires) for who in {person_id, None}]
    if not any(hmac.compare_digest(each.encode(), signature.encode()) for each in fitting):
        raise NotFound("file")
    if now.timestamp() > expires:
        raise MediaLinkExpired


def _signature(secret: bytes, media_id: UUID, org_id: UUID, person_id: UUID | None, expires: int) -> str:
    who = person_id.hex if person_id is not None else "anybody"
    said = f"media\n{media_id.hex}\n{org_id.hex}\n{who}\n{expires}"
    return hmac.new(secret, said.encode(), hashlib.sha256).hexdigest()
