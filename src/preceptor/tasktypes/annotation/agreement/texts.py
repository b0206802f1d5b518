"""Texts compared: by edits of characters, or of words as in word error rate."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

UNITS_MAX = 20_000
"""Characters or words of one text that are compared; what follows counts as different where lengths differ."""

_SPACE = re.compile(r"\s+")


def words_of(text: str) -> list[str]:
    """Words as word error rate counts them: split at white space."""
    return text.split()


def edits(a: Sequence[str], b: Sequence[str]) -> int:
    """Levenshtein distance: the fewest insertions, deletions and substitutions that turn one into the other."""
    if len(a) < len(b):
        a, b = b, a
    if not b:
        return len(a)
    codes = {unit: number for number, unit in enumerate(dict.fromkeys([*a, *b]))}
    longer, shorter = (np.array([codes[unit] for unit in each], dtype=np.int64) for each in (a, b))
    steps = np.arange(len(shorter) + 1, dtype=np.int64)
    row = steps.copy()
    for unit in longer:
        # Insertions run along the row; taking the running minimum of (cost - position) does all of them at once.
        candidate = np.concatenate(([row[0] + 1], np.minimum(row[1:] + 1, row[:-1] + (shorter != unit))))
        row = np.minimum.accumulate(candidate - steps) + steps
    return int(row[-1])


def text_distance(a: str, b: str, unit: str = "characters") -> float:
    """Edits over the longer length: 0 the same, 1 nothing in common. Differences of white space alone do not count."""
    one, other = (_SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip() for text in (a, b))
    if one == other:
        return 0.0
    first: Sequence[str] = words_of(one) if unit == "words" else one
    second: Sequence[str] = words_of(other) if unit == "words" else other
    first, second = first[:UNITS_MAX], second[:UNITS_MAX]
    longest = max(len(first), len(second))
    return edits(first, second) / longest if longest else 0.0


def word_error_rate(reference: str, given: str) -> float:
    """Edits of words over the words of the reference; may pass 1. 0 for two empty texts, 1 where only one is."""
    wanted, words = words_of(reference), words_of(given)
    if not wanted:
        return float(bool(words))
    return edits(wanted, words) / len(wanted)
