"""Which type a file is, by its first bytes alone. Names and headers are never believed."""

import codecs
from typing import Final

from preceptor.media import kinds
from preceptor.media.errors import MediaRefused
from preceptor.media.kinds import MediaType

HEAD_BYTES = 4096

_REFUSED: Final[tuple[tuple[bytes, str], ...]] = (
    (b"MZ", "a Windows program"),
    (b"\x7fELF", "a program"),
    (b"\xfe\xed\xfa", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\0asm", "a program"),
    (b"#!", "a script"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf", "an archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "an archive"),
    (b"\xfd7zXZ", "an archive"),
    (b"\x28\xb5\x2f\xfd", "an archive"),
    (b"BM", "a BMP image; save it as PNG"),
    (b"II*\0", "a TIFF image; save it as PNG or JPEG"),
    (b"MM\0*", "a TIFF image; save it as PNG or JPEG"),
    (b"\xd0\xcf\x11\xe0", "an old office document; save it as PDF"),
    (b"{\\rtf", "an RTF document; save it as PDF"),
    (b"%!PS", "a PostScript program; save it as PDF"),
    (b"FLV\x01", "a Flash video; convert it to MP4"),
    (b"FWS", "a Flash program"),
    (b"CWS", "a Flash program"),
    (b"RF64", "a 64-bit WAV file; save it as FLAC"),
    (b"FORM", "an AIFF file; save it as WAV or FLAC"),
)
_PAGES: Final = tuple(b"<!doctype <html <head <body <script <iframe <svg <?xml <!-- <?php".split())
_AVIF = (b"avif", b"avis")
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"mif1", b"msf1")
_MPEG4 = (b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"iso7", b"iso8", b"iso9", b"mp41", b"mp42", b"avc1",
          b"M4A ", b"M4B ", b"M4V ", b"dash", b"MSNV", b"mp4v", b"mp71", b"F4A ", b"F4V ", b"M4VH", b"M4VP", b"cmfc",
          b"iso")  # fmt: skip


def sniff(head: bytes) -> MediaType:
    """The type that these first bytes (`HEAD_BYTES` of them) begin. Sound and film are told apart later."""
    found = _picture(head) or _recording(head)
    if found is not None:
        return found
    if head.startswith(b"%PDF-"):
        return kinds.PDF
    _refuse_known(head)
    if _reads_as_text(head):
        return kinds.PLAIN
    raise MediaRefused(f"This is no type of file that is taken. Taken are {kinds.TAKEN_IN_WORDS}.")


def _picture(head: bytes) -> MediaType | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return kinds.PNG
    if head.startswith(b"\xff\xd8\xff"):
        return kinds.JPEG
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return kinds.GIF
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return kinds.WEBP
    return None


def _recording(head: bytes) -> MediaType | None:
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return kinds.WAV
    if head[:4] == b"OggS":
        return kinds.OGG
    if head[:4] == b"fLaC":
        return kinds.FLAC
    if head[:4] == b"\x1aE\xdf\xa3":
        return kinds.WEBM
    if head[4:8] == b"ftyp":
        return _boxed(head[8:12], head)
    if head[:3] == b"ID3" or (len(head) > 2 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return kinds.MP3
    return None


def _boxed(brand: bytes, head: bytes) -> MediaType:
    compatible = head[16 : min(int.from_bytes(head[:4]), HEAD_BYTES)]
    if brand in _AVIF or (brand in (b"mif1", b"msf1") and any(each in compatible for each in _AVIF)):
        return kinds.AVIF
    if brand in _HEIF:
        raise MediaRefused("This is a HEIC image, which browsers do not show. Save it as JPEG.")
    if brand == b"qt  ":
        raise MediaRefused("This is a QuickTime film, which browsers do not play. Convert it to MP4.")
    if brand in _MPEG4 or brand[:3] in (b"iso", b"mp4", b"M4A", b"M4V"):
        return kinds.MP4
    raise MediaRefused("This MPEG-4 file is of a kind that browsers do not play. Convert it to plain MP4 or M4A.")


def _refuse_known(head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\f\0").lower()
    # A text that speaks of pages is none: browsers, too, go by how a file begins (WHATWG MIME Sniffing, section 7.1).
    if start.startswith(_PAGES):
        other = "an SVG image, which can carry scripts; save it as PNG" if b"<svg" in start else "a web page or XML"
        raise MediaRefused(f"This is {other}. Taken are {kinds.TAKEN_IN_WORDS}.")
    for mark, words in _REFUSED:
        if head.startswith(mark) and not (mark in (b"BM", b"MZ", b"FORM", b"FWS", b"CWS") and _reads_as_text(head)):
            raise MediaRefused(f"This is {words}. Taken are {kinds.TAKEN_IN_WORDS}.")


def _reads_as_text(head: bytes) -> bool:
    try:
        # A character may be cut at the end of what was read.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head, len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return False
    return not any(ord(each) < 32 and each not in "\t\n\r\f" for each in text)
