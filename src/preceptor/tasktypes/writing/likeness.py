"""How alike two texts are by their characters: normal form, Jaccard index of 5-grams, and MinHash signatures.

A signature is a fixed number of integers that estimates the Jaccard index (Broder 1997); cut into bands it finds
candidates among very many texts without comparing each (locality-sensitive hashing, Leskovec, Rajaraman and Ullman,
"Mining of Massive Datasets", chapter 3). With 32 bands of 4 two texts of Jaccard 0.5 meet with chance 0.87, of 0.6
with 0.99, of 0.8 practically always, and of 0.1 with 0.003.
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from typing import Final, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

GRAM: Final = 5
BANDS: Final = 32
ROWS: Final = 4
HASHES: Final = BANDS * ROWS
_CHUNK: Final = 8_192
"""Grams hashed at a time: a text of 200,000 characters needs a few megabytes, not hundreds."""

_NOISE: Final = re.compile(r"[\W_]+")
_MIX: Final = tuple(np.uint64(each) for each in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_PRIME: Final = np.uint64(0x100000001B3)


@runtime_checkable
class ComparesTexts(Protocol):
    """A kind of work whose texts must not repeat each other within a project (it has the service `similar`)."""

    def compared_text(self, answer: BaseModel) -> str:
        """What of an answer is compared."""

    def known_texts(self, payload: BaseModel) -> Sequence[str]:
        """Texts that came with a task and must not be repeated either."""

    def similarity_limits(self, config: BaseModel) -> tuple[float, float]:
        """From which likeness a person is warned, and above which an answer is refused."""


def normal_form(text: str) -> str:
    """Letters and digits in lower case with single spaces: what makes two texts the same."""
    return _NOISE.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def grams(normal: str) -> frozenset[str]:
    """All runs of five characters; a shorter text is one by itself."""
    if len(normal) <= GRAM:
        return frozenset((normal,)) if normal else frozenset()
    return frozenset(normal[at : at + GRAM] for at in range(len(normal) - GRAM + 1))


def likeness(first: str, second: str) -> float:
    """Jaccard index of the 5-grams of two normal forms: 0 nothing in common, 1 the same set."""
    a, b = grams(first), grams(second)
    return len(a & b) / len(a | b) if a and b else 0.0


def signature(normal: str) -> npt.NDArray[np.uint32]:
    """`HASHES` integers; the share in which two agree estimates `likeness`, to about 0.04."""
    hashed = _gram_hashes(normal)
    lowest = np.full(HASHES, np.iinfo(np.uint32).max, dtype=np.uint32)
    for start in range(0, len(hashed), _CHUNK):
        some = hashed[start : start + _CHUNK, None] ^ _SEEDS[None, :]
        np.minimum(lowest, (_mixed(some) >> np.uint64(32)).astype(np.uint32).min(axis=0), out=lowest)
    return lowest


def band_keys(signed: npt.NDArray[np.uint32], salt: bytes) -> list[int]:
    """One signed 64-bit key a band; texts that share one are candidates. `salt` keeps projects apart in one index."""
    return [
        int.from_bytes(
            hashlib.blake2b(
                signed[band * ROWS : (band + 1) * ROWS].tobytes(), digest_size=8, salt=bytes([band]), key=salt
            ).digest(),
            signed=True,
        )
        for band in range(BANDS)
    ]


def agreement(first: npt.NDArray[np.uint32], second: npt.NDArray[np.uint32]) -> float:
    """Estimate of `likeness` from two signatures."""
    return float((first == second).mean())


def _gram_hashes(normal: str) -> npt.NDArray[np.uint64]:
    points = np.frombuffer(normal.encode("utf-32-le"), dtype=np.uint32).astype(np.uint64)
    if len(points) == 0:
        return points
    padded = points if len(points) >= GRAM else np.pad(points, (0, GRAM - len(points)))
    hashed = np.zeros(len(padded) - GRAM + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for at in range(GRAM):
            hashed = hashed * _PRIME + padded[at : at + len(hashed)]
    return np.unique(_mixed(hashed))


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """SplitMix64's finisher: every bit of the input moves every bit of the output."""
    with np.errstate(over="ignore"):
        values = values + _STEP
        values = (values ^ (values >> np.uint64(30))) * _MIX[0]
        values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    return values ^ (values >> np.uint64(31))


_SEEDS: Final = _mixed(np.arange(1, HASHES + 1, dtype=np.uint64) * _STEP)
