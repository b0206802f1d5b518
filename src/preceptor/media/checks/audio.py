"""How long a recording is, read from the recording itself: WAV, FLAC, MP3 and Ogg.

Headers say how long a file is and can lie; players go by the data. So frames and pages are walked where a format has
them (ISO 11172-3, RFC 3533), and what a header promises is held against the size of the file (RIFF, RFC 9639).
"""

import mmap
import re
import struct
from pathlib import Path
from typing import Final

from preceptor.media.checks.polyglots import holds_other_file
from preceptor.media.errors import MediaRefused

BROKEN: Final = "This recording is damaged or cut off. Open it in an audio program, save it anew and send that."
_HIDDEN: Final = "This recording has another file hidden in it. Export it anew and send that."
RESYNC_BYTES_MAX = 64 * 1024
_WAV_FORMATS: Final = frozenset((1, 3, 6, 7, 0xFFFE))


def wav_seconds(data: mmap.mmap) -> float:
    """Seconds of a WAV file: the bytes that are there, by the bytes of a second."""
    at, rate = 12, 0.0
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if name == b"fmt ":
            rate = _wav_rate(data[at + 8 : at + 8 + min(length, 64)])
        if name == b"data":
            if not rate:
                break
            there = min(length, len(data) - at - 8)
            if holds_other_file(data[at + 8 + there :][:RESYNC_BYTES_MAX]):
                raise MediaRefused(_HIDDEN)
            return there / rate
        at += 8 + length + length % 2
    raise MediaRefused(BROKEN)


def _wav_rate(body: bytes) -> float:
    if len(body) < 16:
        raise MediaRefused(BROKEN)
    form, channels, rate, _, align, bits = struct.unpack_from("<HHIIHH", body)
    if form not in _WAV_FORMATS:
        raise MediaRefused("This WAV file is compressed in a way that browsers do not play. Save it as PCM or FLAC.")
    # What a player goes by; the field for bytes of a second is for show.
    a_second = float(rate * max(1, channels) * max(8, bits) // 8)
    if not channels or not rate or not align:
        raise MediaRefused(BROKEN)
    return a_second


_MPEG1_KBPS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)
_MPEG2_KBPS: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0)
_RATES: Final = {3: (44_100, 48_000, 32_000, 0), 2: (22_050, 24_000, 16_000, 0), 0: (11_025, 12_000, 8_000, 0)}
_FRAMES_TO_BELIEVE = 3


def mp3_seconds(data: mmap.mmap, seconds_max: float) -> float:
    """Seconds of an MP3, frame by frame; stops a little beyond `seconds_max`."""
    at, seconds, frames, lost = _after_id3(data), 0.0, 0, 0
    end = len(data)
    while at + 4 <= end:
        frame = _mp3_frame(data, at)
        if frame is None:
            if data[at : at + 3] in (b"TAG", b"APE", b"LYR", b"ID3"):
                break
            lost += 1
            at += 1
            if lost > RESYNC_BYTES_MAX:
                break
            continue
        at += frame[0]
        seconds += frame[1]
        frames += 1
        if seconds > seconds_max:
            return seconds
    if frames < _FRAMES_TO_BELIEVE:
        raise MediaRefused(BROKEN)
    if holds_other_file(data[max(0, end - RESYNC_BYTES_MAX) :]) and lost:
        raise MediaRefused(_HIDDEN)
    return seconds


def _after_id3(data: mmap.mmap) -> int:
    at = 0
    while data[at : at + 3] == b"ID3" and at + 10 <= len(data):
        size = data[at + 6 : at + 10]
        at += 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3]) + (10 if data[at + 5] & 0x10 else 0)
    return at


def _mp3_frame(data: mmap.mmap, at: int) -> tuple[int, float] | None:
    """Bytes and seconds of the layer III frame here, or None where none begins."""
    if data[at] != 0xFF or data[at + 1] & 0xE6 != 0xE2:
        return None
    version = data[at + 1] >> 3 & 3
    if version == 1:
        return None
    kbps = (_MPEG1_KBPS if version == 3 else _MPEG2_KBPS)[data[at + 2] >> 4]
    rate = _RATES[version][data[at + 2] >> 2 & 3]
    if not kbps or not rate:
        return None
    samples = 1152 if version == 3 else 576
    return samples * kbps * 125 // rate + (data[at + 2] >> 1 & 1), samples / rate


_OPUS, _VORBIS, _FLAC_IN_OGG = b"OpusHead", b"\x01vorbis", b"\x7fFLAC"


def ogg_seconds(data: mmap.mmap) -> float:
    """Seconds of an Ogg file with Opus, Vorbis or FLAC: the last position of each stream in it."""
    at, rates, last = 0, dict[int, int](), dict[int, int]()
    while at + 27 <= len(data) and data[at : at + 4] == b"OggS":
        granule, serial = struct.unpack_from("<qI", data, at + 6)
        segments = data[at + 26]
        begins = at + 27 + segments
        if data[at + 5] & 2:
            rates[serial] = _ogg_rate(data[begins : begins + 64])
        if granule >= 0:
            last[serial] = max(last.get(serial, 0), granule)
        at = begins + sum(data[at + 27 : begins])
    if at < len(data) and holds_other_file(data[at : at + RESYNC_BYTES_MAX]):
        raise MediaRefused(_HIDDEN)
    if not rates or at < len(data) - RESYNC_BYTES_MAX:
        raise MediaRefused(BROKEN)
    return sum(last.get(serial, 0) / rate for serial, rate in rates.items())


def _ogg_rate(head: bytes) -> int:
    if head.startswith(_OPUS):
        return 48_000
    if head.startswith(_VORBIS):
        rate = int.from_bytes(head[12:16], "little")
    elif head.startswith(_FLAC_IN_OGG):
        rate = int.from_bytes(head[27:30]) >> 4
    else:
        raise MediaRefused("This Ogg file holds something else than Opus, Vorbis or FLAC sound. Convert it.")
    if not rate:
        raise MediaRefused(BROKEN)
    return rate


_FLAC_SYNC = re.compile(rb"\xff[\xf8\xf9]")


def flac_seconds(data: mmap.mmap) -> float:
    """Seconds of a FLAC file: what it says, or where its last frame stands if that is later."""
    if len(data) < 42 or data[4] & 0x7F != 0:
        raise MediaRefused(BROKEN)
    packed = int.from_bytes(data[18:26])
    rate, samples = packed >> 44, packed & (1 << 36) - 1
    if not rate:
        raise MediaRefused(BROKEN)
    block = int.from_bytes(data[10:12])
    return max(samples, _flac_last(data, block)) / rate


def _flac_last(data: mmap.mmap, block: int) -> int:
    """The sample at which the last frame begins (RFC 9639, section 9.1); 0 where none is found."""
    start = max(42, len(data) - RESYNC_BYTES_MAX)
    for found in reversed(list(_FLAC_SYNC.finditer(data, start))):
        head = data[found.start() : found.start() + 16]
        length = _coded_length(head[4]) if len(head) == 16 else 0
        if length and _crc8(head[: 4 + length + _flac_extra(head)]) == head[4 + length + _flac_extra(head)]:
            number = _coded(head[4 : 4 + length])
            return number if head[1] & 1 else number * block
    return 0


def _flac_extra(head: bytes) -> int:
    size, rate = head[2] >> 4, head[2] & 15
    return {6: 1, 7: 2}.get(size, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)


def _coded_length(first: int) -> int:
    for length, (mask, mark) in enumerate(
        ((0x80, 0), (0xE0, 0xC0), (0xF0, 0xE0), (0xF8, 0xF0), (0xFC, 0xF8), (0xFE, 0xFC), (0xFF, 0xFE)), 1
    ):
        if first & mask == mark:
            return length
    return 0


def _coded(data: bytes) -> int:
    value = data[0] if len(data) == 1 else data[0] & ((1 << (7 - len(data))) - 1 if len(data) < 7 else 0)
    for each in data[1:]:
        value = value << 6 | each & 0x3F
    return value


def _crc8(data: bytes) -> int:
    value = 0
    for each in data:
        value ^= each
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


def mapped(path: Path) -> mmap.mmap:
    """The file as bytes that are read as they are asked for."""
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
