"""Small pictures made by arithmetic, so that templates can be tried without any file."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 320, 240
_PAPER = (250, 248, 243)
_COLORS = {"circle": (197, 48, 48), "square": (43, 108, 176), "triangle": (47, 133, 90)}

Drawn = tuple[str, float, float, float]
"""Shape, centre and half its size, in percent of width and height."""


def picture(shapes: Sequence[Drawn]) -> str:
    """A PNG of plain shapes on paper as a data: URL, later shapes over earlier ones."""
    pixels = np.full((HEIGHT, WIDTH, 3), _PAPER, dtype=np.uint8)
    for shape in shapes:
        pixels[_covered(*shape)] = _COLORS[shape[0]]
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


def _covered(kind: str, x: float, y: float, size: float) -> NDArray[np.bool_]:
    down, right = np.mgrid[0:HEIGHT, 0:WIDTH]
    dx, dy, half = right - x * WIDTH / 100, down - y * HEIGHT / 100, size * HEIGHT / 100
    if kind == "circle":
        inside = dx * dx + dy * dy < half * half
    elif kind == "square":
        inside = np.maximum(np.abs(dx), np.abs(dy)) < half
    else:
        inside = (np.abs(dy) < half) & (np.abs(dx) < (dy + half) / 2)
    found: NDArray[np.bool_] = inside
    return found


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels of height, width and three channels as a PNG file."""
    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
