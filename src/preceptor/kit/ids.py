"""Identifiers: UUIDv7 inside, a prefix and 32 hex digits outside (``tsk_0192...``)."""

import os
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
}


def new_id() -> UUID:
    """A fresh UUIDv7 (RFC 9562, section 5.7): sorts by creation time to the millisecond."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & 0xFFFFFFFFFFFF) << 80 | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | 0x7 << 76
    value = (value & ~(0x3 << 62)) | 0x2 << 62
    return UUID(int=value)


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
