"""Files that are two things at once: a picture that is also an archive, a page or a program.

Each reader looks for its own format in another place: archives at the end of a file, pages and PDF near its
beginning, pictures at the very first byte. One file can therefore please several, and pass a check for one of them on
its way to another (Albertini, "Funky file formats", 31C3). Such a file has no honest use here.
"""

import re
import struct
from pathlib import Path

from preceptor.media.errors import MediaRefused

HEAD_BYTES = 1024
"""Where browsers look for a page (WHATWG MIME Sniffing) and PDF readers for their mark."""
TAIL_BYTES = 64 * 1024 + 22
"""Where the directory of a ZIP archive must end: its last record with the longest comment."""

_PAGE = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|script|iframe|svg|object|embed|style|img|\?php)\b", re.I)
_PHP = re.compile(rb"<\?php", re.I)
_PROGRAM_WITHIN = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"%PDF-", b"\x7fELF")
_PROGRAM_FIRST = (b"MZ", b"#!", b"\x1f\x8b", b"\xca\xfe\xba\xbe", b"BZh", b"\xfd7zXZ")


def holds_page(data: bytes) -> bool:
    """Whether something here would start a page, a script or a vector image."""
    return _PAGE.search(data) is not None or _PHP.search(data) is not None


def holds_other_file(data: bytes) -> bool:
    """Whether something here looks like the beginning of an archive, a program, a PDF or a page."""
    rest = data.lstrip(b"\0\r\n\t ")
    return holds_page(data) or any(mark in data for mark in _PROGRAM_WITHIN) or rest.startswith(_PROGRAM_FIRST)


def refuse_second_face(path: Path, words: str, *, binary: bool) -> None:
    """Refuse a file that is also a ZIP archive (a JAR too), or whose beginning is also a page or a PDF.

    Texts (not `binary`) may speak of pages; they are sent as plain text to be saved, which nothing runs.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
        start = max(0, size - TAIL_BYTES)
        file.seek(start)
        tail = file.read(TAIL_BYTES)
        if _is_archive(file, tail, start):
            raise _refusal(words, "a ZIP archive")
    if b"%PDF-" in head[1:]:
        raise _refusal(words, "a PDF document")
    if binary and holds_page(head):
        raise _refusal(words, "a web page")


def refuse_trailing(trailer: bytes, words: str) -> None:
    """Refuse what stands behind the end of a picture when it looks like another file. Harmless rests are cut off."""
    if holds_other_file(trailer):
        raise _refusal(words, "another file, hidden behind its end,")


def refuse_within(data: bytes, words: str) -> None:
    """Refuse a comment or metadata that holds a page or script."""
    if holds_page(data) or any(mark in data for mark in (b"PK\x03\x04", b"%PDF-")):
        raise _refusal(words, "another file, hidden in its metadata,")


def _refusal(words: str, other: str) -> MediaRefused:
    return MediaRefused(
        f"This {words} is at the same time {other}. Export it anew from the program that made it and send that."
    )


def _is_archive(file: object, tail: bytes, start: int) -> bool:
    """Whether the end is that of a ZIP: its last record leads to a directory (APPNOTE 4.3.16)."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) - at >= 22:
            entries, length, _offset, comment = struct.unpack_from("<HIIH", tail, at + 10)
            begins = start + at - length
            if entries and begins >= 0 and at + 22 + comment <= len(tail):
                file.seek(begins)  # type: ignore[attr-defined]
                if file.read(4) == b"PK\x01\x02":  # type: ignore[attr-defined]
                    return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
