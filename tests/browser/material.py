"""Small pictures, sounds, documents and rows of measurements, made here and given as data: addresses."""

import base64
import io
import math
import struct
import wave
from collections.abc import Sequence

from PIL import Image, ImageDraw


def data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def picture(width: int = 1200, height: int = 800, seed: int = 3) -> str:
    """A PNG with coloured blocks; the same seed gives the same picture."""
    image = Image.new("RGB", (width, height), "#d8e3ec")
    draw = ImageDraw.Draw(image)
    for number in range(24):
        x, y = (number * 211 * seed) % (width - 80), (number * 97 * seed) % (height - 60)
        draw.rectangle((x, y, x + 80, y + 60), fill=((number * 53) % 256, (number * 101) % 256, (number * 29) % 256))
    content = io.BytesIO()
    image.save(content, "PNG")
    return data_url("image/png", content.getvalue())


def sound(seconds: int = 8, rate: int = 8000, channels: int = 1) -> str:
    """A WAV that is loud in every second second."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        frames = bytearray()
        for number in range(rate * seconds):
            loud = 20_000 if (number // rate) % 2 else 3_000
            frames += struct.pack("<h", int(loud * math.sin(number / 9))) * channels
        file.writeframes(bytes(frames))
    return data_url("audio/wav", content.getvalue())


def document(pages: Sequence[Sequence[str]]) -> str:
    """A PDF with lines of text on each page, and a script that must never run."""
    script = "<< /S /JavaScript /JS (app.alert\\('ran'\\)) >>"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /OpenAction {script} >>",
        "",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        stream = "BT /F1 18 Tf 72 720 Td 24 TL " + " ".join(f"({line}) Tj T*" for line in lines) + " ET"
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {len(objects)} 0 R >>"
        )
        kids.append(len(objects))
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(f'{kid} 0 R' for kid in kids)}] >>"
    return data_url("application/pdf", _file(objects))


def _file(objects: Sequence[str]) -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, written in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{written}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    return bytes(out)


def measurements(rows: int = 2000) -> str:
    """A CSV with a wave and a saw tooth over seconds."""
    lines = [f"{number / 10},{math.sin(number / 40):.3f},{number % 100}" for number in range(rows)]
    return data_url("text/csv", "\n".join(["time,speed,load", *lines]).encode())
