"""Pictures: small enough to be shown, whole, and without what they tell about people."""

import io
import re
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from preceptor.media import kinds
from preceptor.media.checks.stripping import BROKEN, strip_gif, strip_jpeg, strip_png, strip_webp
from preceptor.media.errors import MediaRefused
from preceptor.media.kinds import MediaType

DECODERS_AT_ONCE = 2
"""Pictures that one process decodes at a time: each may take a quarter of a gigabyte."""
SMALL_SIDE = 320
_decoding = threading.BoundedSemaphore(DECODERS_AT_ONCE)
_STRIP = {kinds.JPEG: strip_jpeg, kinds.PNG: strip_png, kinds.GIF: strip_gif, kinds.WEBP: strip_webp}
_FORMATS = {kinds.JPEG: "JPEG", kinds.PNG: "PNG", kinds.GIF: "GIF", kinds.WEBP: "WEBP", kinds.AVIF: "AVIF"}


@dataclass(frozen=True)
class Picture:
    """Size in pixels, as it is shown (turned by its orientation), and a small WebP of it for lists."""

    width: int
    height: int
    small: bytes


def check_image(path: Path, found: MediaType) -> Picture:
    """Take metadata out of the file (in place), then open and decode it. `MediaRefused` for what may not stay.

    Sizes are read from the header and refused before anything is decoded, so that a picture which is small as a file
    and huge in memory costs nothing.
    """
    data = path.read_bytes()
    clean = _STRIP[found](data) if found in _STRIP else _without_avif_metadata(data)
    try:
        with _decoding, warnings.catch_warnings(action="ignore"):
            picture = _decode(clean, found)
    except Image.DecompressionBombError as bomb:
        # Pillow refuses the largest before we are asked, and tells their size in its message only.
        told = re.search(r"\d+", str(bomb))
        raise _too_many_pixels(int(told.group()) if told else None) from None
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        OverflowError,
        RuntimeError,
    ):
        raise MediaRefused(BROKEN) from None
    if clean is not data:
        path.write_bytes(clean)
    return picture


def _decode(data: bytes, found: MediaType) -> Picture:
    with Image.open(io.BytesIO(data), formats=[_FORMATS[found]]) as image:
        width, height, frames = image.width, image.height, int(getattr(image, "n_frames", 1))
        _refuse_size(width, height, frames)
        image.load()
        upright = ImageOps.exif_transpose(image) if found is not kinds.AVIF else image
        return Picture(upright.width, upright.height, _small(upright))


def _small(image: Image.Image) -> bytes:
    small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
    small.thumbnail((SMALL_SIDE, SMALL_SIDE), reducing_gap=2.0)
    out = io.BytesIO()
    small.save(out, "WEBP", quality=75, method=2)
    return out.getvalue()


def _refuse_size(width: int, height: int, frames: int) -> None:
    if width * height > kinds.IMAGE_PIXELS_MAX:
        raise _too_many_pixels(width * height)
    if max(width, height) > kinds.IMAGE_SIDE_MAX:
        raise MediaRefused(f"An image may be {kinds.IMAGE_SIDE_MAX:,} pixels wide or high; this is {width} x {height}.")
    if frames > kinds.IMAGE_FRAMES_MAX or frames * width * height > kinds.ANIMATION_PIXELS_MAX:
        raise MediaRefused("This animation has too many pictures. Send it as MP4 or WebM video.")


def _too_many_pixels(pixels: int | None) -> MediaRefused:
    has = f"; this one has {pixels // 1_000_000:,} million" if pixels else ""
    return MediaRefused(
        f"An image may have {kinds.IMAGE_PIXELS_MAX // 1_000_000} million pixels{has}. Make it smaller and send that."
    )


def _without_avif_metadata(data: bytes) -> bytes:
    # Items of an AVIF point at one another by offset: what cannot be left out safely is refused.
    head = data[: 1024 * 1024]
    if b"infe" in head and (b"Exif\0" in head or b"application/rdf+xml" in head):
        raise MediaRefused(
            "This AVIF image holds metadata, such as where it was taken. Save it without metadata, or as JPEG or PNG."
        )
    return data
