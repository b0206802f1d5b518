"""Limits, names and keys of files, as pure functions."""

import re
import unicodedata
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Final
from uuid import UUID

from preceptor.kit.errors import Invalid
from preceptor.kit.ids import show_id
from preceptor.media.kinds import MediaType

NAME_CHARACTERS_MAX = 200
UPLOAD_KEPT_FOR = timedelta(days=2)
"""An unfinished upload may rest this long; each part that arrives starts the time anew."""
RESULT_KEPT_FOR = timedelta(days=1)
"""How long a finished upload still tells what became of it, for clients that missed the answer."""
CHECK_GIVEN_UP_AFTER = timedelta(minutes=15)
"""A check that takes longer has died with its process and is run again."""
LEFT_WHOLE_AFTER = timedelta(minutes=1)
"""A whole upload that nobody checks for this long is checked by a job."""
UPLOADS_OPEN_MAX = 500
"""Unfinished uploads of one person."""
PIECE_BYTES = 8 * 1024**2
"""What is written to the file store at a time while a part arrives; at most this much is held in memory."""
PARTS_MAX = 4_000
SMALL_FILE_BYTES_MAX = 64 * 1024**2
"""What `POST /api/v1/media` takes in one request."""

MEDIA_SCHEME: Final = "media:"
MEDIA_URL: Final = re.compile(r"media:(med_[0-9a-f]{32})\Z")
_SHA256: Final = re.compile(r"[0-9a-f]{64}\Z")
_RUNS: Final = frozenset(
    (
        ".bat", ".cmd", ".com", ".css", ".exe", ".hta", ".htm", ".html", ".jar", ".js", ".mjs", ".msi", ".php", ".ps1",
        ".scr", ".sh", ".svg", ".vbs", ".xhtml", ".xml",
    )
)  # fmt: skip
"""Endings that some program would run or render; a name never keeps one as its last."""


def media_key(org_id: UUID, media_id: UUID) -> str:
    return f"media/{org_id.hex}/{media_id.hex}"


def small_key(org_id: UUID, media_id: UUID) -> str:
    """Where the small version of a picture lies."""
    return f"{media_key(org_id, media_id)}-small"


def part_key(upload_id: UUID, offset: int, unique: str) -> str:
    return f"media-uploads/{upload_id.hex}/{offset:015d}-{unique}"


def media_url(media_id: UUID) -> str:
    """How payloads and answers name a file: `media:med_…`, which never changes."""
    return MEDIA_SCHEME + show_id("media", media_id)


def clean_name(name: str) -> str:
    """A file's name without folders, control characters and what would turn its reading direction."""
    last = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    kept = "".join(each for each in last if unicodedata.category(each)[0] != "C").strip(" .")
    if len(kept) > NAME_CHARACTERS_MAX:
        ending = PurePosixPath(kept).suffix[:20]
        kept = kept[: NAME_CHARACTERS_MAX - len(ending)] + ending
    return kept or "file"


def served_name(name: str, media_type: MediaType) -> str:
    """The name under which a file is saved by who opens it: its ending is always one of its type."""
    path = PurePosixPath(name)
    ending = path.suffix.lower()
    if ending in media_type.extensions:
        return name
    return (name if not ending or ending in _RUNS else path.stem) + media_type.extensions[0]


def checked_sha256(text: str | None) -> str | None:
    """A SHA-256 as hexadecimal, in lower case."""
    if not text:
        return None
    lower = text.strip().lower()
    if not _SHA256.match(lower):
        raise Invalid("`sha256` must be 64 hexadecimal digits.")
    return lower
