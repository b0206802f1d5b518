"""WebM files: what tracks they hold, and how long they are by the clock of their last cluster.

RFC 9559 (Matroska) and the WebM guidelines. Recorders in browsers leave the duration out and sizes open, so that the
clusters are walked; an element of unknown size ends where the next of its level begins.
"""

import mmap
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from preceptor.media.errors import MediaRefused

BROKEN: Final = "This WebM file is damaged or cut off. Convert it anew and send that."
ELEMENTS_MAX = 2_000_000


class _Id(IntEnum):
    HEADER = 0x1A45DFA3
    DOCTYPE = 0x4282
    SEGMENT = 0x18538067
    INFO = 0x1549A966
    SCALE = 0x2AD7B1
    DURATION = 0x4489
    TRACKS = 0x1654AE6B
    TRACK = 0xAE
    TRACK_KIND = 0x83
    VIDEO = 0xE0
    WIDTH = 0xB0
    HEIGHT = 0xBA
    CLUSTER = 0x1F43B675
    CLUSTER_TIME = 0xE7
    BLOCK = 0xA3
    GROUP = 0xA0
    GROUP_BLOCK = 0xA1
    ATTACHMENTS = 0x1941A469
    ENCRYPTION = 0x5035


_ENTERED: Final = frozenset(
    (_Id.HEADER, _Id.SEGMENT, _Id.INFO, _Id.TRACKS, _Id.TRACK, _Id.VIDEO, _Id.CLUSTER, _Id.GROUP)
)
_PICTURE = 1


@dataclass
class Clip:
    """What a WebM file holds. Times are in milliseconds once `scale` is applied."""

    doctype: bytes = b""
    scale: int = 1_000_000
    said: float = 0.0
    cluster: int = 0
    last: int = 0
    sound: bool = False
    picture: bool = False
    width: int = 0
    height: int = 0

    @property
    def seconds(self) -> float:
        return max(self.said, self.last) * self.scale / 1e9


def read_webm(data: mmap.mmap) -> Clip:
    """Walk the elements. `MediaRefused` for other Matroska files, attachments and what is damaged."""
    clip, at = Clip(), 0
    for _ in range(ELEMENTS_MAX):
        if at >= len(data):
            break
        try:
            name, at = _number(data, at, keep_mark=True)
            size, at = _number(data, at, keep_mark=False)
        except IndexError:
            break  # recordings that were cut off play all the same
        if name in _ENTERED:
            continue
        if size is None or name is None:
            raise MediaRefused(BROKEN)
        _read(clip, name, data[at : at + min(size, 64)])
        at += size
    else:
        raise MediaRefused(BROKEN)
    if clip.doctype != b"webm":
        raise MediaRefused("This is Matroska but not WebM, which browsers do not play. Convert it to WebM or MP4.")
    if not (clip.sound or clip.picture):
        raise MediaRefused(BROKEN)
    return clip


def _number(data: mmap.mmap, at: int, *, keep_mark: bool) -> tuple[int | None, int]:
    """A number of variable length and where it ends; None for "unknown" (RFC 8794, section 4)."""
    first = data[at]
    length = 9 - first.bit_length()
    if length > 8 or (keep_mark and length > 4):
        raise MediaRefused(BROKEN)
    if at + length > len(data):
        raise IndexError
    value = int.from_bytes(data[at : at + length])
    if keep_mark:
        return value, at + length
    value &= (1 << 7 * length) - 1
    return (None if value == (1 << 7 * length) - 1 else value), at + length


def _read(clip: Clip, name: int, body: bytes) -> None:
    whole = int.from_bytes(body[:8])
    match name:
        case _Id.DOCTYPE:
            clip.doctype = body.rstrip(b"\0")
        case _Id.SCALE:
            clip.scale = whole
        case _Id.DURATION:
            clip.said = struct.unpack(">d" if len(body) == 8 else ">f", body)[0] if len(body) in (4, 8) else 0.0
        case _Id.TRACK_KIND:
            clip.picture, clip.sound = clip.picture or whole == _PICTURE, clip.sound or whole == 2
        case _Id.WIDTH:
            clip.width = clip.width or whole
        case _Id.HEIGHT:
            clip.height = clip.height or whole
        case _Id.CLUSTER_TIME:
            clip.cluster = whole
            clip.last = max(clip.last, whole)
        case _Id.BLOCK | _Id.GROUP_BLOCK:
            clip.last = max(clip.last, clip.cluster + _block_time(body))
        case _Id.ATTACHMENTS:
            raise MediaRefused("This WebM file has other files attached. Convert it anew and send that.")
        case _Id.ENCRYPTION:
            raise MediaRefused("This WebM file is encrypted. Send it without copy protection.")


def _block_time(body: bytes) -> int:
    at = 9 - body[0].bit_length() if body else 9
    return int.from_bytes(body[at : at + 2], signed=True) if len(body) >= at + 2 else 0
