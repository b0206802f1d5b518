"""What a file is is found from its content; what may harm, hide or mislead is refused in words."""

import io
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from preceptor.media import kinds
from preceptor.media.checks import Examined, examine, pdf
from preceptor.media.errors import MediaRefused, MediaTooLarge
from preceptor.media.rules import clean_name, served_name
from tests.media import files

Look = Callable[..., Examined]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    def at(data: bytes, name: str = "", announced: str = "") -> Examined:
        (tmp_path / "file").write_bytes(data)
        return examine(tmp_path / "file", name, announced)

    return at


GOOD = {
    "png": (files.picture("PNG"), kinds.PNG),
    "jpeg": (files.picture("JPEG"), kinds.JPEG),
    "gif": (files.gif(), kinds.GIF),
    "webp": (files.picture("WEBP"), kinds.WEBP),
    "avif": (files.picture("AVIF"), kinds.AVIF),
    "wav": (files.wav(), kinds.WAV),
    "mp3": (files.mp3(), kinds.MP3),
    "mp3-tagged": (files.mp3(tag=b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)), kinds.MP3),
    "ogg": (files.ogg(), kinds.OGG),
    "flac": (files.flac(), kinds.FLAC),
    "m4a": (files.mp4(1, handler=b"soun", brand=b"M4A "), kinds.M4A),
    "m4a-fragmented": (files.fragmented_mp4(1), kinds.M4A),
    "mp4": (files.mp4(1), kinds.MP4),
    "webm": (files.webm(0), kinds.WEBM),
    "webm-sound": (files.webm(0, kind=2), kinds.WEBM_AUDIO),
    "pdf": (files.pdf(files.pdf_stream(b"BT (Hello) Tj ET")), kinds.PDF),
    "text": ("Grüße aus Tromsø\n".encode(), kinds.PLAIN),
    "csv": (files.values(), kinds.CSV),
    "json": (files.json_text(), kinds.JSON),
}


@pytest.mark.parametrize("which", GOOD)
def test_every_type_is_known_by_its_content(look: Look, which: str) -> None:
    data, expected = GOOD[which]
    # Only a table cannot be told from other text without its name.
    assert look(data, "table.csv" if which == "csv" else "").media_type == expected


@pytest.mark.parametrize("which", [each for each in GOOD if each != "webm"])
def test_what_was_checked_is_of_the_same_type_when_checked_again(look: Look, tmp_path: Path, which: str) -> None:
    name = "table.csv" if which == "csv" else ""
    look(GOOD[which][0], name)
    once = (tmp_path / "file").read_bytes()
    assert look(once, name).media_type == GOOD[which][1]
    assert (tmp_path / "file").read_bytes() == once


def test_a_name_or_header_that_says_otherwise_is_told_and_not_believed(look: Look) -> None:
    found = look(files.picture("PNG"), "report.pdf", "application/pdf")
    assert found.media_type == kinds.PNG
    assert found.remark == "The name ends in .pdf, but this is a PNG image. It is kept as what it is."
    assert "announced as audio/mpeg" in str(look(files.picture("PNG"), "a.png", "audio/mpeg").remark)
    assert look(files.picture("JPEG"), "a.JPG", "image/jpeg").remark is None


def test_a_text_that_speaks_of_pages_is_a_text(look: Look) -> None:
    assert look(b"Write a page:\n<!DOCTYPE html><html><script>1</script></html>").media_type == kinds.PLAIN
    assert look(b'{"html": "<body><img src=x></body>"}', "a.json").media_type == kinds.JSON


def test_sizes_and_lengths_are_read_from_the_file(look: Look) -> None:
    assert (look(files.picture("WEBP")).width, look(files.picture("WEBP")).height) == (40, 30)
    assert look(files.wav(2.5)).seconds == pytest.approx(2.5)
    assert look(files.mp3(3)).seconds == pytest.approx(3, abs=0.1)
    assert look(files.ogg(4)).seconds == pytest.approx(4)
    assert look(files.flac(5)).seconds == pytest.approx(5)
    film = look(files.mp4(6))
    assert (film.width, film.height) == (640, 360)
    assert film.seconds == pytest.approx(6)
    assert look(files.fragmented_mp4(7)).seconds == pytest.approx(7)
    clip = look(files.webm(8))
    assert (clip.width, clip.height) == (320, 240)
    assert clip.seconds == pytest.approx(8)


# --- What pictures tell about people


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_metadata_goes_and_the_orientation_stays(look: Look, tmp_path: Path, form: str) -> None:
    sent = files.photo() if form == "JPEG" else files.png_with_texts() if form == "PNG" else _turned_webp()
    assert b"Name of a person" in sent
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    found = look(sent)
    kept = (tmp_path / "file").read_bytes()
    assert b"Name of a person" not in kept
    assert b"Camera maker" not in kept
    shown = Image.open(io.BytesIO(kept))
    assert dict(shown.getexif()) == {0x0112: 6}
    assert not shown.getexif().get_ifd(0x8825)
    assert (found.width, found.height) == (30, 40)
    assert shown.convert("RGB").tobytes() == Image.open(io.BytesIO(sent)).convert("RGB").tobytes()


def _turned_webp() -> bytes:
    return files.picture("WEBP", exif=files.exif(), lossless=True)


def test_a_gif_keeps_its_pictures_and_loses_its_comment(look: Look, tmp_path: Path) -> None:
    look(files.gif(frames=3))
    kept = (tmp_path / "file").read_bytes()
    assert b"Name of a person" not in kept
    assert b"NETSCAPE2.0" in kept
    assert getattr(Image.open(io.BytesIO(kept)), "n_frames", 0) == 3


def test_a_colour_profile_stays(look: Look, tmp_path: Path) -> None:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for form in ("JPEG", "PNG", "WEBP"):
        look(files.picture(form, icc_profile=profile))
        assert Image.open(io.BytesIO((tmp_path / "file").read_bytes())).info["icc_profile"] == profile


def test_a_films_place_is_overwritten(look: Look, tmp_path: Path) -> None:
    sent = files.mp4(1, personal=b"+59.9175+010.7348/")
    look(sent)
    kept = (tmp_path / "file").read_bytes()
    assert b"+59.9175" not in kept
    assert len(kept) == len(sent)


def test_a_phones_rest_behind_the_picture_is_cut_off(look: Look, tmp_path: Path) -> None:
    look(files.picture("JPEG") + b"\0\0\x10\x0bSEFT")
    assert (tmp_path / "file").read_bytes().endswith(b"\xff\xd9")


def test_an_avif_that_tells_where_it_was_taken_is_refused(look: Look) -> None:
    with pytest.raises(MediaRefused, match="holds metadata"):
        look(files.picture("AVIF", exif=files.exif().tobytes()))


# --- Hostile files

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "svg": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "SVG image"),
    "svg-after-xml": (lambda: b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- x --><svg onload="alert(1)"/>', "SVG image"),
    "html": (lambda: HTML, "web page"),
    "windows-program": (lambda: b"MZ\x90\0" + bytes(500), "Windows program"),
    "program": (lambda: b"\x7fELF\x02" + bytes(500), "a program"),
    "script": (lambda: b"#!/bin/sh\nrm -rf /\n", "a script"),
    "archive": (files.archive, "ZIP archive"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(50), "archive"),
    "heic": (lambda: files.box(b"ftyp", b"heic", bytes(4), b"mif1heic") + bytes(100), "HEIC"),
    "quicktime": (lambda: files.mp4(1, brand=b"qt  "), "QuickTime"),
    "matroska": (lambda: files.webm(1, doctype=b"matroska"), "not WebM"),
    "random": (lambda: bytes(range(256)) * 20, "no type of file that is taken"),
    "latin1": (lambda: "Grüße".encode("latin-1") * 300, "no type of file|not UTF-8"),
    "jpeg-and-zip": (lambda: files.picture("JPEG") + files.archive("x.txt", b"hello"), "ZIP archive"),
    "gif-and-jar": (lambda: files.gif() + files.archive(), "ZIP archive"),
    "png-and-zip": (lambda: files.picture("PNG") + files.archive(), "ZIP archive"),
    "wav-and-zip": (lambda: files.wav() + files.archive(), "ZIP archive"),
    "mp4-and-zip": (lambda: files.mp4(1) + files.box(b"free", files.archive()), "ZIP archive"),
    "pdf-and-zip": (lambda: files.pdf(after=files.archive()), "ZIP archive"),
    "jpeg-and-html": (lambda: files.picture("JPEG") + HTML, "web page|hidden behind its end"),
    "jpeg-and-rar": (lambda: files.picture("JPEG") + b"Rar!\x1a\x07\x01\0" + bytes(90), "hidden behind its end"),
    "jpeg-html-comment": (lambda: files.jpeg_with_segment(0xFE, b"-" * 2000 + HTML), "hidden in its metadata"),
    "jpeg-php-comment": (lambda: files.jpeg_with_segment(0xFE, b"<?php system($_GET[0]); ?>"), "web page|metadata"),
    "jpeg-and-pdf": (lambda: files.jpeg_with_segment(0xFE, b"\n" + files.pdf()), "PDF document"),
    "jpeg-javascript": (files.jpeg_that_is_script, "script"),
    "gif-javascript": (lambda: b"GIF89a/*" + files.gif()[8:] + b"*/=1;alert(1)", "script"),
    "png-html-chunk": (
        lambda: files.picture("PNG")[:33] + files.chunk(b"tEXt", b"a\0" + b" " * 2000 + HTML)
        + files.picture("PNG")[33:], "hidden in its metadata"),
    "gif-html-comment": (lambda: files.gif(comment=b"-" * 1500 + HTML), "hidden in its metadata|web page"),
    "webp-and-html": (lambda: files.picture("WEBP") + HTML, "web page|hidden behind its end"),
    "ogg-and-html": (lambda: files.ogg() + bytes(2000) + HTML, "hidden in it"),
    "pdf-and-html-before": (lambda: b"%PDF-1.7\n" + HTML + files.pdf()[9:], "web page"),
    "pdf-and-html-after": (
        lambda: files.pdf(files.pdf_stream(bytes(range(256)) * 9, packed=False), after=HTML), "hidden behind its end"),
    "html-and-pdf": (lambda: HTML + files.pdf(), "web page"),
    "pdf-script": (lambda: files.pdf(files.SCRIPT), "a script"),
    "pdf-script-escaped": (
        lambda: files.pdf(b"<< /S /J#61va#53cript /#4a#53 (x) >>"), "a script"),
    "pdf-script-packed": (
        lambda: files.pdf(files.pdf_stream(b"20 0 " + files.SCRIPT, dictionary=b"/Type /ObjStm /N 1 /First 5 ")),
        "a script"),
    "pdf-script-in-plain-stream": (lambda: files.pdf(files.pdf_stream(files.SCRIPT, packed=False)), "a script"),
    "pdf-rendition-script": (lambda: files.pdf(b"<< /S /Rendition /JS 12 0 R >>"), "a script"),
    "pdf-launch": (lambda: files.pdf(b"<< /S /Launch /F (cmd.exe) >>"), "starts programs"),
    "pdf-files": (lambda: files.pdf(b"<< /Type /EmbeddedFile >>"), "embedded files"),
    "pdf-files-short": (lambda: files.pdf(b"<< /F (a) /EF << /F 12 0 R >> >>"), "embedded files"),
    "pdf-encrypted": (lambda: files.pdf(trailer=b"/Encrypt 12 0 R "), "encryption"),
    "pdf-form": (lambda: files.pdf(b"<< /AcroForm << /XFA 12 0 R >> >>"), "form that runs"),
    "pdf-odd-filter": (
        lambda: files.pdf(b"<< /N 1 /First 5 /Filter [/ASCIIHexDecode /FlateDecode] >>\nstream\n00\nendstream"),
        "unusual way"),
    "pdf-cut-off": (lambda: files.pdf()[:-7], "cut off"),
    "png-400-megapixels": (lambda: files.png_of(20_000, 20_000), "64 million pixels; this one has 400 million"),
    "png-too-wide": (lambda: files.png_of(40_000, 10), "30,000 pixels wide or high"),
    "png-bomb": (lambda: files.whole_png_of(18_000), "64 million pixels"),
    "gif-promises": (lambda: b"GIF89a\xff\xff\xff\xff" + files.gif()[10:], "64 million pixels|damaged"),
    "gif-too-many": (lambda: files.gif(frames=2_010), "too many pictures"),
    "jpeg-cut-off": (lambda: files.picture("JPEG", size=(400, 300))[:-900], "damaged"),
    "png-broken-data": (lambda: files.png_of(40, 40, b"\1\2\3"), "damaged"),
    "wav-10-hours": (lambda: files.wav(36_000, rate=100), "4 hours; this one lasts 10.0 hours"),
    "wav-10-hours-that-lies": (lambda: files.wav(36_000, rate=100, said=4_000_000), "10.0 hours"),
    "flac-10-hours": (lambda: files.flac(36_000), "10.0 hours"),
    "flac-10-hours-that-lies": (lambda: files.flac(1, last_frame=36_000), "10.0 hours"),
    "ogg-10-hours": (lambda: files.ogg(36_000), "10.0 hours"),
    "mp3-10-hours": (lambda: files.mp3(36_000), "4.0 hours or more"),
    "mp4-10-hours": (lambda: files.mp4(36_000), "10.0 hours"),
    "mp4-10-hours-that-lies": (lambda: files.mp4(36_000, header_says=1), "10.0 hours"),
    "m4a-10-hours-in-fragments": (lambda: files.fragmented_mp4(36_000), "10.0 hours"),
    "webm-10-hours": (lambda: files.webm(36_000), "10.0 hours"),
    "mp4-elsewhere": (lambda: files.mp4(1, elsewhere=True), "another place"),
    "mp4-encrypted": (lambda: files.mp4(1, entry=b"encv"), "encrypted"),
    "mp4-cut-off": (lambda: files.mp4(1)[:-50], "damaged"),
    "text-with-controls": (lambda: b"Hello" * 2000 + b"\0\1\2", "control characters"),
}  # fmt: skip


@pytest.mark.parametrize("which", REFUSED)
def test_a_hostile_file_is_refused_in_words(look: Look, which: str) -> None:
    make, words = REFUSED[which]
    with pytest.raises(MediaRefused, match=words) as refused:
        look(make(), f"{which}.bin")
    assert refused.value.message[0].isupper()
    assert refused.value.message.endswith(".")


def test_a_text_bomb_in_a_picture_costs_nothing(look: Look, tmp_path: Path) -> None:
    found = look(files.text_bomb_png())
    assert found.media_type == kinds.PNG
    assert (tmp_path / "file").stat().st_size < 10_000


def test_a_pdf_that_unpacks_to_far_more_than_it_should_is_refused(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "INFLATED_BYTES_MAX", 32 * 1024**2)
    page = bytes(20 * 1024**2)
    assert look(files.pdf(files.pdf_stream(page))).media_type == kinds.PDF
    with pytest.raises(MediaRefused, match="unpacks to more than 32 MiB"):
        look(files.pdf(files.pdf_stream(page), files.pdf_stream(page)))
    with pytest.raises(MediaRefused, match="unpacks to far more"):
        look(files.pdf(files.pdf_stream(bytes(65 * 1024**2), dictionary=b"/Type /ObjStm /N 1 /First 5 ")))


def test_a_file_of_a_kind_that_is_too_large_is_refused_by_its_first_bytes() -> None:
    from preceptor.media.checks import first_look

    assert first_look(files.picture("PNG"), kinds.BYTES_MAX[kinds.MediaKind.IMAGE]) == kinds.PNG
    with pytest.raises(MediaTooLarge, match="64 MiB"):
        first_look(files.picture("PNG"), kinds.BYTES_MAX[kinds.MediaKind.IMAGE] + 1)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"RIFF\x04\0\0\0WEBP",
                                  b"RIFF\x04\0\0\0WAVE", b"OggS", b"fLaC", b"\x1aE\xdf\xa3", b"%PDF-1.7",
                                  b"\0\0\0\x10ftypisom", b"ID3", struct.pack(">I", 8) + b"ftyp"])  # fmt: skip
def test_beginnings_without_a_rest_are_refused(look: Look, data: bytes) -> None:
    if data:
        with pytest.raises(MediaRefused):
            look(data)


@pytest.mark.parametrize("which", [each for each in GOOD if each not in ("text", "csv", "json")])
def test_no_cut_or_change_makes_a_check_fail_otherwise_than_by_refusing(look: Look, which: str) -> None:
    data = GOOD[which][0]
    for number in range(60):
        at = (number * 7919) % len(data)
        changed = data[:at] + bytes([(data[at] + 1 + number) % 256]) + data[at + 1 :]
        for tried in (changed, data[:at]):
            if tried:
                try:
                    look(tried)
                except MediaRefused:
                    continue


# --- Names


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\cat.jpg", "cat.jpg"),
        ("cat\u202egpj.exe", "catgpj.exe"),
        ("\0\n", "file"),
        ("x" * 300 + ".jpg", "x" * 196 + ".jpg"),
    ],
    ids=["folders", "windows", "turned", "nothing", "long"],
)
def test_names_are_cleaned(sent: str, kept: str) -> None:
    assert clean_name(sent) == kept


def test_a_file_is_saved_under_an_ending_of_its_type() -> None:
    assert served_name("a.JPG", kinds.JPEG) == "a.JPG"
    assert served_name("a.pdf", kinds.JPEG) == "a.jpg"
    assert served_name("run.js", kinds.PLAIN) == "run.js.txt"
    assert served_name("notes", kinds.PLAIN) == "notes.txt"
