"""The types of files that are taken, and how long or large each kind may be."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

MEBI = 1024**2


class MediaKind(StrEnum):
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    PDF = "pdf"
    TEXT = "text"


@dataclass(frozen=True)
class MediaType:
    """`mime` is what is served; `extensions` are the endings that fit, the first one ours."""

    mime: str
    kind: MediaKind
    words: str
    extensions: tuple[str, ...]


PNG: Final = MediaType("image/png", MediaKind.IMAGE, "PNG image", (".png", ".apng"))
JPEG: Final = MediaType("image/jpeg", MediaKind.IMAGE, "JPEG image", (".jpg", ".jpeg", ".jpe", ".jfif"))
GIF: Final = MediaType("image/gif", MediaKind.IMAGE, "GIF image", (".gif",))
WEBP: Final = MediaType("image/webp", MediaKind.IMAGE, "WebP image", (".webp",))
AVIF: Final = MediaType("image/avif", MediaKind.IMAGE, "AVIF image", (".avif",))
MP3: Final = MediaType("audio/mpeg", MediaKind.AUDIO, "MP3 audio", (".mp3", ".mpga"))
WAV: Final = MediaType("audio/wav", MediaKind.AUDIO, "WAV audio", (".wav", ".wave"))
OGG: Final = MediaType("audio/ogg", MediaKind.AUDIO, "Ogg audio", (".ogg", ".opus", ".oga"))
FLAC: Final = MediaType("audio/flac", MediaKind.AUDIO, "FLAC audio", (".flac",))
M4A: Final = MediaType("audio/mp4", MediaKind.AUDIO, "MPEG-4 audio", (".m4a", ".mp4", ".m4b"))
WEBM_AUDIO: Final = MediaType("audio/webm", MediaKind.AUDIO, "WebM audio", (".weba", ".webm"))
MP4: Final = MediaType("video/mp4", MediaKind.VIDEO, "MPEG-4 video", (".mp4", ".m4v"))
WEBM: Final = MediaType("video/webm", MediaKind.VIDEO, "WebM video", (".webm",))
PDF: Final = MediaType("application/pdf", MediaKind.PDF, "PDF document", (".pdf",))
PLAIN: Final = MediaType("text/plain", MediaKind.TEXT, "plain text", (".txt", ".text", ".log", ".md", ".srt", ".vtt"))
CSV: Final = MediaType("text/csv", MediaKind.TEXT, "CSV table", (".csv", ".tsv"))
JSON: Final = MediaType("application/json", MediaKind.TEXT, "JSON", (".json", ".jsonl", ".geojson"))

TYPES: Final = (
    PNG, JPEG, GIF, WEBP, AVIF, MP3, WAV, OGG, FLAC, M4A, WEBM_AUDIO, MP4, WEBM, PDF, PLAIN, CSV, JSON,
)  # fmt: skip
TAKEN_IN_WORDS: Final = (
    "PNG, JPEG, GIF, WebP and AVIF images; MP3, WAV, Ogg, FLAC, M4A and WebM audio; MP4 and WebM video; "
    "PDF; plain text, CSV and JSON"
)

BYTES_MAX: Final = {
    MediaKind.IMAGE: 64 * MEBI,
    MediaKind.AUDIO: 1024 * MEBI,
    MediaKind.VIDEO: 2048 * MEBI,
    MediaKind.PDF: 128 * MEBI,
    MediaKind.TEXT: 32 * MEBI,
}
FILE_BYTES_MAX: Final = max(BYTES_MAX.values())
IMAGE_PIXELS_MAX: Final = 64_000_000
"""Of one picture: a browser holds four bytes for each."""
IMAGE_SIDE_MAX: Final = 30_000
IMAGE_FRAMES_MAX: Final = 2_000
ANIMATION_PIXELS_MAX: Final = 2_000_000_000
"""Of all pictures of an animation together."""
DURATION_MAX: Final = {MediaKind.AUDIO: timedelta(hours=4), MediaKind.VIDEO: timedelta(hours=4)}


def type_named(mime: str) -> MediaType:
    """The type with this name; only such are stored."""
    return next(each for each in TYPES if each.mime == mime)
