"""Files made on the spot, good and hostile: small bodies that are right in every byte that is looked at."""

import io
import json
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

GPS = {0: b"\x02\x03\0\0", 1: "N", 2: (59.0, 55.0, 3.0), 3: "E", 4: (10.0, 44.0, 5.0)}


# --- Pictures


def picture(form: str, *, size: tuple[int, int] = (40, 30), **options: Any) -> bytes:
    image = Image.new("RGB", size)
    image.putdata([(x * 6 % 256, y * 8 % 256, (x + y) % 256) for y in range(size[1]) for x in range(size[0])])
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def exif(*, turned: int = 6) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = turned
    found[0x010F], found[0x013B] = "Camera maker", "Name of a person"
    found.get_ifd(0x8825).update(GPS)
    return found


def photo(**options: Any) -> bytes:
    """A JPEG as a phone takes it: place, camera and person in its EXIF, a comment, turned by a quarter."""
    return picture("JPEG", exif=exif(**options), comment=b"At home", quality=90)


def png_with_texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "Name of a person")
    info.add_text("Comment", "x" * 200, zip=True)
    return picture("PNG", pnginfo=info, exif=exif())


def gif(frames: int = 3, comment: bytes = b"Name of a person") -> bytes:
    images = [Image.new("L", (20, 10), number * 40 % 256) for number in range(frames)]
    out = io.BytesIO()
    images[0].save(out, "GIF", save_all=True, append_images=images[1:], comment=comment, loop=0, duration=50)
    return out.getvalue()


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG whose header promises a size, whatever its data."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    packed = zlib.compress(rows or bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def whole_png_of(side: int) -> bytes:
    """A PNG that really has so many pixels, in a file of a few hundred kilobytes."""
    packer, parts = zlib.compressobj(9), []
    row = bytes(1 + (side + 7) // 8)
    for _ in range(side):
        parts.append(packer.compress(row))
    data = b"".join([*parts, packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def text_bomb_png() -> bytes:
    """A PNG with a compressed text of 256 MiB."""
    packer = zlib.compressobj(9)
    text = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(256)) + packer.flush()
    whole = picture("PNG")
    return whole[:33] + chunk(b"zTXt", b"Comment\0\0" + text) + whole[33:]


def archive(name: str = "A.class", content: bytes = b"\xca\xfe\xba\xbe") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr(name, content)
    return out.getvalue()


def jpeg_with_segment(marker: int, body: bytes) -> bytes:
    whole = picture("JPEG")
    return whole[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + whole[2:]


def jpeg_that_is_script() -> bytes:
    """The size of the first segment reads as the beginning of a comment in JavaScript."""
    whole = picture("JPEG")
    body = b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0".ljust(0x2F2A - 2, b" ")
    return b"\xff\xd8\xff\xe0/*" + body + b"*/=alert(1)/*" + whole[20:]


# --- Sound


def wav(seconds: float = 1.0, *, rate: int = 8000, said: int | None = None) -> bytes:
    """8-bit mono silence. `said` is what the header claims as the bytes of a second."""
    data = b"\x80" * int(seconds * rate)
    form = struct.pack("<HHIIHH", 1, 1, rate, said or rate, 1, 8)
    inner = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


MP3_FRAME = b"\xff\xe3\x18\xc4" + bytes(68)
"""MPEG 2.5 layer III at 8 kbit/s and 8 kHz: 72 ms in 72 bytes."""


def mp3(seconds: float = 1.0, tag: bytes = b"") -> bytes:
    return tag + MP3_FRAME * int(seconds / 0.072)


def ogg_page(serial: int, granule: int, body: bytes, *, first: bool = False, number: int = 0) -> bytes:
    segments = bytes([255] * (len(body) // 255) + [len(body) % 255])
    head = b"OggS\0" + bytes([2 if first else 0]) + struct.pack("<qIII", granule, serial, number, 0)
    return head + bytes([len(segments)]) + segments + body


def ogg(seconds: float = 1.0) -> bytes:
    head = b"OpusHead\x01\x01" + struct.pack("<HIhB", 0, 48_000, 0, 0)
    pages = [ogg_page(7, 0, head, first=True), ogg_page(7, 0, b"OpusTags" + bytes(8), number=1)]
    pages += [ogg_page(7, int(seconds * 48_000), b"\xf8\xff\xfe", number=2)]
    return b"".join(pages)


def flac(seconds: float = 1.0, *, rate: int = 8000, last_frame: int | None = None) -> bytes:
    """`last_frame` adds a frame that stands there, in seconds, whatever the header says."""
    samples, block = int(seconds * rate), 4096
    info = struct.pack(">HH", block, block) + bytes(6) + struct.pack(">Q", rate << 44 | 7 << 36 | samples) + bytes(16)
    whole = b"fLaC" + b"\x80\0\0\x22" + info
    if last_frame is not None:
        number = last_frame * rate // block
        coded = bytes([0xF0 | number >> 18, 0x80 | number >> 12 & 63, 0x80 | number >> 6 & 63, 0x80 | number & 63])
        head = b"\xff\xf8\xc4\x08" + coded
        whole += head + bytes([crc8(head)]) + bytes(20)
    return whole + bytes(64)


def crc8(data: bytes) -> int:
    value = 0
    for each in data:
        for bit in range(7, -1, -1):
            out = (value >> 7) ^ (each >> bit & 1)
            value = (value << 1 & 0xFF) ^ (7 if out else 0)
    return value


# --- Film


def box(name: bytes, *bodies: bytes) -> bytes:
    body = b"".join(bodies)
    return struct.pack(">I", len(body) + 8) + name + body


def mp4(
    seconds: float = 2.0,
    *,
    handler: bytes = b"vide",
    brand: bytes = b"isom",
    personal: bytes = b"",
    header_says: float | None = None,
    elsewhere: bool = False,
    entry: bytes = b"avc1",
) -> bytes:
    scale = 1000
    said = int((seconds if header_says is None else header_says) * scale)
    tkhd = box(
        b"tkhd", struct.pack(">IIIIII", 7, 0, 0, 1, 0, said), bytes(52), struct.pack(">II", 640 << 16, 360 << 16)
    )
    mdhd = box(b"mdhd", struct.pack(">IIIIII", 0, 0, 0, scale, said, 0))
    hdlr = box(b"hdlr", bytes(8), handler, bytes(13))
    stsd = box(b"stsd", struct.pack(">II", 0, 1), struct.pack(">I", 16), entry, bytes(8))
    stts = box(b"stts", struct.pack(">IIII", 0, 1, int(seconds * 25), 40))
    address = b"https://e.org/film.mp4\0" if elsewhere else b""
    url = struct.pack(">I", 12 + len(address)) + b"url " + struct.pack(">I", 0 if elsewhere else 1) + address
    dinf = box(b"dinf", box(b"dref", struct.pack(">II", 0, 1), url))
    mdia = box(b"mdia", mdhd, hdlr, box(b"minf", dinf, box(b"stbl", stsd, stts)))
    udta = box(b"udta", box(b"\xa9xyz", personal)) if personal else b""
    moov = box(b"moov", box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, scale, said)), box(b"trak", tkhd, mdia), udta)
    return box(b"ftyp", brand, bytes(4), b"isommp42") + moov + box(b"mdat", bytes(200))


def fragmented_mp4(seconds: int) -> bytes:
    """As recorders in browsers write it: no samples in the header, one fragment for each second."""
    head = mp4(0, handler=b"soun", header_says=0)
    moov_at = head.index(b"moov") - 4
    size = struct.unpack_from(">I", head, moov_at)[0]
    mvex = box(b"mvex", box(b"trex", struct.pack(">IIIIII", 0, 1, 1, 40, 0, 0)))
    moov = box(b"moov", head[moov_at + 8 : moov_at + size], mvex)
    fragments = [
        box(b"moof", box(b"traf", box(b"tfhd", struct.pack(">II", 0, 1)),
                         box(b"tfdt", struct.pack(">II", 0, second * 1000)), box(b"trun", struct.pack(">II", 0, 25))))
        for second in range(seconds)
    ]  # fmt: skip
    return head[:moov_at] + moov + b"".join(fragments)


def element(name: int, body: bytes, *, open_ended: bool = False) -> bytes:
    written = name.to_bytes((name.bit_length() + 7) // 8)
    return written + (b"\x01" + b"\xff" * 7 if open_ended else (1 << 56 | len(body)).to_bytes(8)) + body


def webm(seconds: int = 2, *, doctype: bytes = b"webm", kind: int = 1, open_ended: bool = True) -> bytes:
    """As recorders in browsers write it: no duration, sizes left open."""
    video = element(0xE0, element(0xB0, (320).to_bytes(2)) + element(0xBA, (240).to_bytes(2)))
    track = element(0xAE, element(0x83, bytes([kind])) + (video if kind == 1 else b""))
    info = element(0x1549A966, element(0x2AD7B1, (1_000_000).to_bytes(4)))
    clusters = [
        element(0x1F43B675, element(0xE7, (second * 1000).to_bytes(4)) + element(0xA3, b"\x81\x03\xe8\0abc"),
                open_ended=open_ended)
        for second in range(seconds)
    ]  # fmt: skip
    inner = info + element(0x1654AE6B, track) + b"".join(clusters)
    return element(0x1A45DFA3, element(0x4282, doctype)) + element(0x18538067, inner, open_ended=open_ended)


# --- Documents


def pdf(*objects: bytes, before: bytes = b"", after: bytes = b"", trailer: bytes = b"") -> bytes:
    """A one-page PDF with further objects, numbered from 10."""
    base = [
        b"1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
        b"2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
        b"3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>\nendobj\n",
    ]
    more = [b"%d 0 obj\n%s\nendobj\n" % (number, each) for number, each in enumerate(objects, 10)]
    body = b"%PDF-1.7\n" + b"".join([*base, *more])
    return before + body + b"trailer\n<< /Root 1 0 R " + trailer + b">>\nstartxref\n0\n%%EOF\n" + after


def pdf_stream(data: bytes, *, dictionary: bytes = b"", packed: bool = True) -> bytes:
    body = zlib.compress(data) if packed else data
    how = b"/Filter /FlateDecode " if packed else b""
    return b"<< %s%s/Length %d >>\nstream\n%s\nendstream" % (dictionary, how, len(body), body)


SCRIPT = b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>"


def values() -> bytes:
    return b"word;count\nhouse;3\ntree;5\n"


def json_text() -> bytes:
    return json.dumps({"label": "cat", "box": [1, 2, 3, 4]}).encode()
