"""Identifiers: UUIDv7 inside, a prefix and 32 hex digits outside (``tsk_0192...``)."""

import hashlib
import os
import threading
import time
from typing import NewType
from uuid import UUID

from preceptor.kit.errors import NotFound

PersonId = NewType("PersonId", UUID)
OrgId = NewType("OrgId", UUID)
ProjectId = NewType("ProjectId", UUID)
TaskId = NewType("TaskId", UUID)
ClaimId = NewType("ClaimId", UUID)
SubmissionId = NewType("SubmissionId", UUID)
AccountId = NewType("AccountId", UUID)
ReleaseId = NewType("ReleaseId", UUID)

PREFIXES = {
    "person": "per",
    "organization": "org",
    "project": "prj",
    "task": "tsk",
    "claim": "clm",
    "submission": "sub",
    "review": "rev",
    "import": "imp",
    "release": "rel",
    "model": "mdl",
    "payout": "pay",
    "payout_batch": "pob",
    "api_key": "key",
    "session": "ses",
    "passkey": "psk",
    "invitation": "inv",
    "mail": "eml",
    "qualification": "qua",
    "assessment": "asm",
    "attempt": "att",
    "question": "qst",
    "flag": "flg",
    "account": "acc",
    "posting": "pst",
    "receipt": "rcp",
    "appeal": "apl",
    "challenge": "gch",
    "fit": "fit",
    "evidence": "evd",
    "review_check": "rvc",
    "media": "med",
    "media_upload": "upl",
    "run": "run",
    "endpoint": "mep",
    "generation": "gen",
    "judge": "jdg",
    "judgment": "jmt",
}


_RANDOM_BITS = 74
_STEP_BYTES = 5
_TAKING = threading.Lock()
_last = (0, 0)


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): sorts by creation time, exactly so among the ids of one process.

    Within a millisecond the random part goes up by a random step (section 6.2, method 2), so that what one request
    writes is read back in the order in which it was written.
    """
    global _last
    milliseconds, step = time.time_ns() // 1_000_000, 1 + int.from_bytes(os.urandom(_STEP_BYTES))
    with _TAKING:
        last_milliseconds, last_part = _last
        if milliseconds > last_milliseconds:
            # Its highest bit is left free, so that steps have room.
            _last = milliseconds, int.from_bytes(os.urandom(10)) >> 80 - _RANDOM_BITS + 1
        else:
            _last = _stepped(last_milliseconds, last_part + step)
        milliseconds, part = _last
    high, low = part >> 62, part & (1 << 62) - 1
    return UUID(int=(milliseconds & 0xFFFFFFFFFFFF) << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def _stepped(milliseconds: int, part: int) -> tuple[int, int]:
    """The moment borrowed from the next millisecond where the random part has no room left."""
    return milliseconds + (part >> _RANDOM_BITS), part & (1 << _RANDOM_BITS) - 1


def show_id(kind: str, value: UUID) -> str:
    """The outside form of an id: ``show_id("task", id)`` is ``"tsk_<32 hex digits>"``."""
    return f"{PREFIXES[kind]}_{value.hex}"


def read_id(kind: str, text: str) -> UUID:
    """Read the outside form back; anything else is `NotFound`, as an unknown id would be."""
    prefix, _, digits = text.partition("_")
    if prefix != PREFIXES[kind] or len(digits) != 32:
        raise NotFound(kind)
    try:
        return UUID(hex=digits)
    except ValueError:
        raise NotFound(kind) from None


_VEIL_ROUNDS = 4
_HALF_BITS = 64


def veil(value: UUID, key: bytes) -> UUID:
    """Another id for the same thing, one to one, that shows neither when it was made nor what came before it.

    A Feistel network of four rounds over the two halves with keyed BLAKE2b, which is a pseudorandom permutation for
    whoever lacks the key (Luby and Rackoff, "How to construct pseudorandom permutations", 1988). `unveil` inverts it.
    """
    left, right = value.int >> _HALF_BITS, value.int & (1 << _HALF_BITS) - 1
    for turn in range(_VEIL_ROUNDS):
        left, right = right, left ^ _mixed(right, turn, key)
    return UUID(int=left << _HALF_BITS | right)


def unveil(value: UUID, key: bytes) -> UUID:
    left, right = value.int >> _HALF_BITS, value.int & (1 << _HALF_BITS) - 1
    for turn in reversed(range(_VEIL_ROUNDS)):
        left, right = right ^ _mixed(left, turn, key), left
    return UUID(int=left << _HALF_BITS | right)


def show_veiled(kind: str, value: UUID, key: bytes) -> str:
    """The outside form of an id for those who must not learn its time or order."""
    return show_id(kind, veil(value, key))


def read_veiled(kind: str, text: str, key: bytes) -> UUID:
    return unveil(read_id(kind, text), key)


def _mixed(half: int, turn: int, key: bytes) -> int:
    digest = hashlib.blake2b(half.to_bytes(8), digest_size=8, key=key[:64], person=b"veil %d" % turn).digest()
    return int.from_bytes(digest)
