"""PDF documents without anything that acts: scripts, launch actions, embedded files, forms that run, encryption.

Readers find objects by a table of offsets that may lead anywhere, also into what looks like the data of a stream. So
nothing is parsed here that an author could bend: every byte of the file is looked through for the names that such
content cannot do without, written plainly or with `#` escapes (ISO 32000-2, 7.3.5), and so is every object stream after
it is inflated (7.5.7).
"""

import mmap
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from preceptor.media.checks.polyglots import refuse_trailing
from preceptor.media.errors import MediaRefused

INFLATED_BYTES_MAX = 512 * 1024**2
"""Of all streams of a document together; what inflates to more is a bomb."""
OBJECT_STREAM_BYTES_MAX = 64 * 1024**2
STREAMS_MAX = 50_000
DICTIONARY_BYTES_MAX = 16 * 1024
STEP_BYTES = 256 * 1024
_TAIL_BYTES = 64 * 1024

_DELIMITED: Final = rb"(?=[\s()<>\[\]{}/%]|\Z)"
_NAMES: Final = {
    "JavaScript": "a script", "Launch": "an action that starts programs", "EmbeddedFile": "embedded files",
    "EmbeddedFiles": "embedded files", "RichMedia": "embedded media", "XFA": "a form that runs scripts",
    "Encrypt": "encryption", "SubmitForm": "an action that sends data", "ImportData": "an action that reads files",
    "GoToE": "embedded files", "FileAttachment": "embedded files", "Movie": "embedded media", "Sound": "embedded media",
}  # fmt: skip
_SHORT: Final = ("JS", "EF")
"""Names that random bytes hold now and then: looked for outside compressed data only."""


def _name(name: str) -> bytes:
    letters = b"".join(b"(?:%s|#%s)" % (each.encode(), _hex(each)) for each in name)
    return rb"/" + letters + _DELIMITED


def _hex(letter: str) -> bytes:
    return b"".join(b"[%s%s]" % (d.lower().encode(), d.upper().encode()) for d in f"{ord(letter):02x}")


# /Movie and /Sound name a kind of annotation or action only as a value of /Subtype or /S.
_ACTS: Final = re.compile(
    b"|".join(
        (rb"/(?:Subtype|S)\s*" if name in ("Movie", "Sound") else b"") + b"(?P<%s>%s)" % (name.encode(), _name(name))
        for name in _NAMES
    )
)
_SHORT_NAMES: Final = re.compile(b"|".join(_name(name) for name in _SHORT))
_STREAM: Final = re.compile(rb"stream\r?\n")
_FILTER: Final = re.compile(_name("Filter") + rb"\s*(\[[^\]]*\]|/[A-Za-z0-9#]+)")
_FIRST: Final = re.compile(_name("First"))
_FLATE: Final = re.compile(rb"\A\[?\s*/(?:FlateDecode|Fl)\s*\]?\Z")


def check_pdf(path: Path) -> None:
    """Refuse a PDF that could do something, that hides something, or that is two files at once."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        ended = data.rfind(b"%%EOF")
        if ended < 0:
            raise MediaRefused("This PDF is cut off: its end is missing. Save it anew and send that.")
        if len(data) - ended < _TAIL_BYTES:
            refuse_trailing(data[ended + 5 :], "PDF document")
        else:
            raise MediaRefused("This PDF holds other data behind its end. Print it to a new PDF and send that.")
        _refuse_acting(data)
        _look_into_streams(data)


def _refuse_acting(data: bytes | mmap.mmap) -> None:
    found = _ACTS.search(data)
    if found is not None:
        raise _refusal(_NAMES[str(found.lastgroup)])


def _refusal(what: str) -> MediaRefused:
    return MediaRefused(f"This PDF holds {what}, which is not taken. Print it to a new PDF and send that.")


def _look_into_streams(data: mmap.mmap) -> None:
    inflated, before, end = 0, 0, 0
    for number, start in enumerate(_starts(data)):
        if number >= STREAMS_MAX:
            raise MediaRefused("This PDF is made of too many parts. Print it to a new PDF and send that.")
        dictionary = _dictionary(data, start)
        _refuse_short(data, before, start)
        filters = _FILTER.search(dictionary)
        flate = filters is not None and _FLATE.match(filters.group(1)) is not None
        if _FIRST.search(dictionary):
            inflated += _look_into_objects(data, start, flate=flate, filtered=filters is not None)
        elif flate:
            inflated += sum(len(part) for part in _inflated(data, start, INFLATED_BYTES_MAX - inflated))
        if inflated > INFLATED_BYTES_MAX:
            mebibytes = INFLATED_BYTES_MAX // 1024**2
            raise MediaRefused(f"This PDF unpacks to more than {mebibytes} MiB. Print it to a new PDF and send that.")
        if 0 <= end < start:  # looked for once for each, however many beginnings stand before it
            end = data.find(b"endstream", start)
        before = max(start, end)
    _refuse_short(data, before, len(data))


def _starts(data: mmap.mmap) -> Iterator[int]:
    for found in _STREAM.finditer(data):
        if data[found.start() - 3 : found.start()] != b"end":
            yield found.end()


def _dictionary(data: mmap.mmap, start: int) -> bytes:
    """What stands before a stream's data, back to the beginning of its object."""
    before = data[max(0, start - DICTIONARY_BYTES_MAX) : start]
    return before[before.rfind(b"obj") + 3 if b"obj" in before else 0 :]


def _refuse_short(text: bytes | mmap.mmap, start: int, end: int) -> None:
    found = _SHORT_NAMES.search(text, start, end)
    if found is not None:
        raise _refusal("a script" if found.group().endswith((b"S", b"53")) else "embedded files")


def _look_into_objects(data: mmap.mmap, start: int, *, flate: bool, filtered: bool) -> int:
    if not filtered:
        return 0  # plain text, which was looked through with the rest
    if not flate:
        raise MediaRefused("This PDF packs its objects in an unusual way. Print it to a new PDF and send that.")
    parts = list(_inflated(data, start, OBJECT_STREAM_BYTES_MAX))
    objects = b"".join(parts)
    if len(objects) > OBJECT_STREAM_BYTES_MAX:
        raise MediaRefused("This PDF unpacks to far more than it should. Print it to a new PDF and send that.")
    _refuse_acting(objects)
    _refuse_short(objects, 0, len(objects))
    return len(objects)


def _inflated(data: mmap.mmap, start: int, limit: int) -> Iterator[bytes]:
    """The data of a Flate stream in parts, until a little more than `limit`. Damaged data ends it."""
    unpacker, at, seen = zlib.decompressobj(), start, 0
    while not unpacker.eof and at < len(data) and seen <= limit:
        packed = data[at : at + STEP_BYTES]
        at += len(packed)
        while packed and not unpacker.eof and seen <= limit:
            try:
                part = unpacker.decompress(packed, STEP_BYTES)
            except zlib.error:
                return
            seen += len(part)
            yield part
            packed = unpacker.unconsumed_tail
