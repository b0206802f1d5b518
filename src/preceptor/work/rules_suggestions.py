"""Decisions about suggestions, as pure functions."""

import hashlib
from uuid import UUID

from preceptor.work.models_suggestions import SuggestionOutcome

BLIND_PERCENT_DEFAULT = 20
BLIND_PERCENT_MIN = 5
"""Without a blind share nobody knows what suggestions do to people."""
BLIND_PERCENT_MAX = 90
_PARTS = 2**64


def is_blind(task_id: UUID, salt: UUID, percent: int) -> bool:
    """Whether a task is judged without its suggestion: the same for everybody and every time, as good as a lot for
    whoever lacks the salt. A greater share leaves those that are blind already blind."""
    digest = hashlib.blake2b(task_id.bytes, digest_size=8, key=salt.bytes, person=b"blind").digest()
    return int.from_bytes(digest) * 100 < percent * _PARTS


def outcome_of(same: bool, used: bool | None) -> SuggestionOutcome:
    """What became of a suggestion that was shown. An answer that is the suggestion is accepted, whatever was pressed:
    what people do is told by what they answer."""
    if same:
        return SuggestionOutcome.ACCEPTED
    return SuggestionOutcome.EDITED if used else SuggestionOutcome.REJECTED
