"""MPEG-4 files (MP4, M4A): what tracks they hold, how long they are, and no more about people than the tracks tell.

ISO/IEC 14496-12: a file is a row of boxes, some of which hold boxes. Length is counted from the samples, since the
headers' durations are for show; a fragmented file (recorders in browsers write these) from its fragments.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from preceptor.media.errors import MediaRefused

BROKEN: Final = "This MPEG-4 file is damaged or cut off. Convert it to MP4 or M4A anew and send that."
BOXES_MAX = 500_000
MOOV_BYTES_MAX = 128 * 1024**2
DEPTH_MAX = 8
_HOLD_BOXES: Final = frozenset(b"moov trak mdia minf stbl dinf moof traf mvex".split())
_PERSONAL: Final = frozenset((b"udta", b"meta", b"uuid"))


@dataclass(frozen=True)
class Box:
    """A box: its name, and where its body begins and ends in the file."""

    name: bytes
    start: int
    end: int
    path: tuple[bytes, ...]


@dataclass
class Track:
    """One track as far as it has been read."""

    number: int = 0
    kind: bytes = b""
    scale: int = 0
    units: int = 0
    width: int = 0
    height: int = 0


@dataclass
class Film:
    """What an MPEG-4 file holds."""

    tracks: list[Track] = field(default_factory=list)
    personal: list[Box] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return max((track.units / track.scale for track in self.tracks if track.scale), default=0.0)

    @property
    def picture(self) -> Track | None:
        return next((track for track in self.tracks if track.kind == b"vide"), None)


def read_mp4(data: mmap.mmap) -> Film:
    """Walk all boxes. `MediaRefused` for what is cut off, encrypted, or keeps its data in other places."""
    film, fragment = Film(), _Fragment()
    for number, box in enumerate(_boxes(data, 0, len(data), ())):
        if number > BOXES_MAX:
            raise MediaRefused(BROKEN)
        try:
            _read(data, box, film, fragment)
        except struct.error:
            raise MediaRefused(BROKEN) from None
    if not any(track.kind in (b"soun", b"vide") for track in film.tracks):
        raise MediaRefused(BROKEN)
    return film


def _boxes(data: mmap.mmap, at: int, end: int, path: tuple[bytes, ...]) -> Iterator[Box]:
    while at + 8 <= end:
        size, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        start = at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
        elif size == 0:
            size = end - at
        if size < start - at or at + size > end:
            raise MediaRefused(BROKEN)
        box = Box(name, start, at + size, path)
        yield box
        if name in _HOLD_BOXES and len(path) < DEPTH_MAX:
            yield from _boxes(data, start, at + size, (*path, name))
        at += size
    if at != end and not path:
        raise MediaRefused(BROKEN)


@dataclass
class _Fragment:
    """Where a fragment's track stands while its boxes are read."""

    track: Track | None = None
    usual: int = 0
    usual_of: dict[int, int] = field(default_factory=dict)


def _read(data: mmap.mmap, box: Box, film: Film, fragment: _Fragment) -> None:
    if box.name in _PERSONAL and (not box.path or box.path[0] == b"moov"):
        film.personal.append(box)
    if box.name == b"moov" and box.end - box.start > MOOV_BYTES_MAX:
        raise MediaRefused(BROKEN)
    if box.name == b"trak":
        film.tracks.append(Track())
    elif box.name in (b"tfhd", b"tfdt", b"trun", b"trex"):
        _read_fragment(data, box, film, fragment)
    elif film.tracks and b"trak" in box.path:
        _read_track(data, box, film.tracks[-1])


def _read_track(data: mmap.mmap, box: Box, track: Track) -> None:
    version = data[box.start] if box.end > box.start else 0
    match box.name:
        case b"tkhd":
            (track.number,) = struct.unpack_from(">I", data, box.start + (20 if version == 1 else 12))
            width, height = struct.unpack_from(">II", data, box.end - 8)
            track.width, track.height = width >> 16, height >> 16
        case b"mdhd":
            (track.scale,) = struct.unpack_from(">I", data, box.start + (20 if version == 1 else 12))
        case b"hdlr" if box.path[-1] == b"mdia":
            track.kind = data[box.start + 8 : box.start + 12]
        case b"stts":
            (count,) = struct.unpack_from(">I", data, box.start + 4)
            body = data[box.start + 8 : min(box.end, box.start + 8 + 8 * count)]
            track.units += sum(n * units for n, units in struct.iter_unpack(">II", body[: len(body) // 8 * 8]))
        case b"dref":
            _refuse_elsewhere(data, box)
        case b"stsd":
            if data[box.start + 12 : box.start + 16] in (b"encv", b"enca"):
                raise MediaRefused("This film is encrypted. Send it without copy protection.")


def _refuse_elsewhere(data: mmap.mmap, box: Box) -> None:
    """A track's data must lie in the file itself, not at an address."""
    at = box.start + 8
    while at + 12 <= box.end:
        size = int.from_bytes(data[at : at + 4])
        if size < 12 or not data[at + 11] & 1:
            raise MediaRefused("This film keeps its data in another place. Save it as one file and send that.")
        at += size


def _read_fragment(data: mmap.mmap, box: Box, film: Film, fragment: _Fragment) -> None:
    """Follow a fragment: a track's units are where its last fragment ends (8.8.12, 8.8.8)."""
    version, flags = data[box.start], int.from_bytes(data[box.start + 1 : box.start + 4])
    if box.name == b"trex":
        number, _, usual = struct.unpack_from(">III", data, box.start + 4)
        fragment.usual_of[number] = usual
    elif box.name == b"tfhd":
        (number,) = struct.unpack_from(">I", data, box.start + 4)
        fragment.track = next((track for track in film.tracks if track.number == number), None)
        at = box.start + 8 + (8 if flags & 1 else 0) + (4 if flags & 2 else 0)
        usual = struct.unpack_from(">I", data, at)[0] if flags & 8 else fragment.usual_of.get(number, 0)
        fragment.usual = int(usual)
    elif fragment.track is not None and box.name == b"tfdt":
        (begins,) = struct.unpack_from(">Q" if version == 1 else ">I", data, box.start + 4)
        fragment.track.units = max(fragment.track.units, begins)
    elif fragment.track is not None and box.name == b"trun":
        fragment.track.units += _run_units(data, box, flags, fragment.usual)


def _run_units(data: mmap.mmap, box: Box, flags: int, usual: int) -> int:
    (count,) = struct.unpack_from(">I", data, box.start + 4)
    if not flags & 0x100:
        return int(count) * usual
    at = box.start + 8 + (4 if flags & 1 else 0) + (4 if flags & 4 else 0)
    step = 4 * bin(flags & 0xF00).count("1")
    count = min(int(count), (box.end - at) // step)
    return sum(struct.unpack_from(">I", data, at + step * n)[0] for n in range(count))


def forget_people(path: Path, film: Film) -> None:
    """Overwrite boxes that tell where, when and by whom a film was made with empty space of the same size."""
    with path.open("r+b") as file:
        for box in film.personal:
            file.seek(box.start - 4)
            file.write(b"free")
            left = box.end - box.start
            while left > 0:
                step = min(left, 1024 * 1024)
                file.write(bytes(step))
                left -= step
