"""Painted masks in Label Studio's run-length format.

The format is that of `@thi.ng/rle-pack`: a bit stream, most significant bit first, padded with zeros to a byte.
32 bits: number of words. 5 bits: word size less 1 (8-bit words here). Four times 4 bits: run sizes less 1.
Then runs until all words are there: 1 bit (1: one word repeated, 0: words one by one), 2 bits: which run size, so many
bits: length less 1, then the word or the words. The words are the RGBA bytes of the image, row by row; a pixel belongs
to the mask where its last byte (alpha) is above 0.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

PIXELS_MAX = 50_000_000
_RUN_SIZES = (3, 4, 8, 16)
_CHANNELS = 4

Mask = NDArray[np.bool_]


class BrokenMask(ValueError):
    """Bytes are no mask of the given size."""


class _Bits:
    def __init__(self, packed: Sequence[int]) -> None:
        self._bits = np.unpackbits(np.asarray(packed, dtype=np.uint8)).tobytes().translate(bytes((48, 49)) + bytes(254))
        self._at = 0

    def read(self, size: int) -> int:
        found = self._bits[self._at : self._at + size]
        if len(found) < size:
            raise BrokenMask("the mask ends too early")
        self._at += size
        return int(found, 2)


def decode(packed: Sequence[int], width: int, height: int) -> Mask:
    """The mask, `height` rows of `width` booleans. BrokenMask where the bytes do not fit that size."""
    if width < 1 or height < 1 or width * height > PIXELS_MAX:
        raise BrokenMask(f"a mask of {width} x {height} pixels is not accepted")
    bits = _Bits(packed)
    count, word_size = bits.read(32), bits.read(5) + 1
    sizes = [bits.read(4) + 1 for _ in range(4)]
    if count != width * height * _CHANNELS or word_size != 8:
        raise BrokenMask(f"the mask holds {count:,} bytes where {width} x {height} pixels need {width * height * 4:,}")
    # Only every fourth byte says something, so only those are kept.
    mask: Mask = np.zeros(width * height, dtype=np.bool_)
    at = 0
    while at < count:
        repeated = bits.read(1)
        end = at + 1 + bits.read(sizes[bits.read(2)])
        if end > count:
            raise BrokenMask("the mask holds more pixels than the image")
        if repeated:
            mask[at // _CHANNELS : end // _CHANNELS] = bits.read(8) > 0
        else:
            for position in range(at, end):
                value = bits.read(8)
                if position % _CHANNELS == _CHANNELS - 1:
                    mask[position // _CHANNELS] = value > 0
        at = end
    return mask.reshape(height, width)


def _run(length: int, value: int) -> str:
    for index, size in enumerate(_RUN_SIZES):
        if length <= 1 << size:
            return f"1{index:02b}{length - 1:0{size}b}{value:08b}"
    longest = 1 << _RUN_SIZES[-1]
    return _run(longest, value) * (length // longest) + (_run(length % longest, value) if length % longest else "")


def encode(mask: Mask) -> list[int]:
    """The bytes of a mask of `height` rows; all four channels carry it, as Label Studio's own converter writes."""
    flat = mask.reshape(-1).astype(bool)
    edges = np.flatnonzero(np.diff(flat)) + 1
    starts = np.concatenate(([0], edges, [flat.size]))
    header = f"{flat.size * _CHANNELS:032b}{7:05b}" + "".join(f"{size - 1:04b}" for size in _RUN_SIZES)
    runs = [_run(int(end - start) * _CHANNELS, 255 if flat[start] else 0) for start, end in pairwise(starts)]
    bits = header + "".join(runs)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))
