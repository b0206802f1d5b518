"""Pictures without what they tell about people: place, camera, time, names, comments, embedded previews.

The coded picture is copied byte for byte, so that nothing is lost; only segments, chunks and blocks around it are left
out. Colour profiles stay, since without them colours would be others, and the orientation stays. What stands behind
the picture's end is cut off, and refused where it is another file.
Formats: ITU-T T.81 (JPEG), W3C PNG 3rd edition, GIF89a, RFC 9649 (WebP).
"""

import re
import struct
import zlib
from typing import Final

from preceptor.media.checks.orientation import only_orientation, orientation
from preceptor.media.checks.polyglots import refuse_trailing, refuse_within
from preceptor.media.errors import MediaRefused

BROKEN: Final = "This image is damaged or cut off. Open it in an image program, save it anew and send that."
_END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_PNG_KEPT: Final = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs hIST sPLT mDCV cLLI acTL fcTL fdAT".split()
)
_GIF_KEPT: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_WEBP_KEPT: Final = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_WEBP_HAS_EXIF, _WEBP_HAS_XMP = 0x08, 0x04


def strip_jpeg(data: bytes) -> bytes:
    """A JPEG with its picture, colour profile and orientation, and nothing else."""
    kept, at, turned = [b"\xff\xd8"], 2, 1
    try:
        while True:
            if data[at] != 0xFF:
                raise MediaRefused(BROKEN)
            while data[at + 1] == 0xFF:
                at += 1
            marker = data[at + 1]
            if marker == 0xD9:
                refuse_trailing(data[at + 2 :], "JPEG image")
                if turned > 1:
                    block = b"Exif\0\0" + only_orientation(turned)
                    kept.insert(1, b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block)
                return b"".join([*kept, b"\xff\xd9"])
            (length,) = struct.unpack_from(">H", data, at + 2)
            end = at + 2 + length
            body = data[at + 4 : end]
            if length < 2 or end > len(data):
                raise MediaRefused(BROKEN)
            if marker == 0xE1 and body.startswith(b"Exif\0\0"):
                turned = max(turned, orientation(body[6:]))
            kept.append(_jpeg_segment(marker, body))
            at = end
            if marker == 0xDA:
                found = _END_OF_SCAN.search(data, at)
                if found is None:
                    raise MediaRefused(BROKEN)
                kept.append(data[at : found.start()])
                at = found.start()
    except (IndexError, struct.error):
        raise MediaRefused(BROKEN) from None


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    """A segment as it is kept; empty for what is left out."""
    said = b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body
    if marker == 0xFE or 0xE0 <= marker <= 0xEF:
        refuse_within(body, "JPEG image")
    if marker == 0xE0 and body.startswith(b"JFIF\0"):
        # The size of the segment spells /* in a known trick that makes a script of a picture.
        if len(body) + 2 == 0x2F2A:
            raise MediaRefused("This JPEG image is at the same time a script. Save it anew in an image program.")
        slim = body[:12].ljust(12, b"\0") + b"\0\0"
        return b"\xff\xe0" + struct.pack(">H", len(slim) + 2) + slim
    if marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        return said
    if marker == 0xEE and body.startswith(b"Adobe"):
        return said
    return b"" if marker == 0xFE or 0xE0 <= marker <= 0xEF else said


def strip_png(data: bytes) -> bytes:
    """A PNG (also animated) with its picture, colours and orientation, and nothing else."""
    kept, at, turned = [data[:8]], 8, 1
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        if len(body) < length:
            break
        if name in _PNG_KEPT:
            kept.append(data[at : at + 12 + length])
        else:
            refuse_within(body, "PNG image")
        if name == b"eXIf":
            turned = orientation(body)
        at += 12 + length
        if name == b"IEND":
            refuse_trailing(data[at:], "PNG image")
            if turned > 1:
                kept.insert(2, _png_chunk(b"eXIf", only_orientation(turned)))
            return b"".join(kept)
    raise MediaRefused(BROKEN)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def strip_gif(data: bytes) -> bytes:
    """A GIF with its pictures and how they follow one another, without comments and application data."""
    if data[6:8] == b"/*" or data[6:7] == b"=":
        raise MediaRefused("This GIF image is at the same time a script. Save it anew in an image program.")
    try:
        at = 13 + _gif_colours(data[10])
        kept = [data[:at]]
        while data[at] != 0x3B:
            start = at
            if data[at] == 0x2C:
                end = _gif_blocks(data, at + 10 + _gif_colours(data[at + 9]) + 1)
                kept.append(data[start:end])
            elif data[at] == 0x21:
                label, name = data[at + 1], data[at + 3 : at + 14]
                end = _gif_blocks(data, at + 2)
                if label in (0xF9, 0x01) or (label == 0xFF and name in _GIF_KEPT):
                    kept.append(data[start:end])
                else:
                    refuse_within(data[start:end], "GIF image")
            else:
                raise MediaRefused(BROKEN)
            at = end
        refuse_trailing(data[at + 1 :], "GIF image")
        return b"".join([*kept, b"\x3b"])
    except IndexError:
        raise MediaRefused(BROKEN) from None


def _gif_colours(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def strip_webp(data: bytes) -> bytes:
    """A WebP with its picture, colour profile and orientation, and nothing else."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise MediaRefused(BROKEN)
    refuse_trailing(data[end:], "WebP image")
    kept, at, turned = list[bytes](), 12, 1
    while at + 8 <= end:
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if len(body) < length:
            raise MediaRefused(BROKEN)
        if name == b"EXIF":
            turned = orientation(body.removeprefix(b"Exif\0\0"))
        if name in _WEBP_KEPT:
            kept.append(_webp_chunk(name, body))
        else:
            refuse_within(body, "WebP image")
        at += 8 + length + length % 2
    return _webp(kept, turned)


def _webp(kept: list[bytes], turned: int) -> bytes:
    if kept and kept[0].startswith(b"VP8X"):
        head = bytearray(kept[0])
        head[8] = head[8] & ~(_WEBP_HAS_EXIF | _WEBP_HAS_XMP) | (_WEBP_HAS_EXIF if turned > 1 else 0)
        kept[0] = bytes(head)
        if turned > 1:
            kept.append(_webp_chunk(b"EXIF", only_orientation(turned)))
    inner = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def _webp_chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
