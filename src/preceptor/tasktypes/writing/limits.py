"""How long a text has to be, and what to say where it is not. Mirrored in `frontend/src/lib/limits.ts`."""

from collections.abc import Iterator
from typing import Protocol

from preceptor.tasktypes.writing import counting


class LengthLimits(Protocol):
    """Settings that hold limits; None where there is none."""

    @property
    def words_min(self) -> int | None: ...
    @property
    def words_max(self) -> int | None: ...
    @property
    def characters_min(self) -> int | None: ...
    @property
    def characters_max(self) -> int | None: ...


def length_problems(text: str, limits: LengthLimits) -> Iterator[str]:
    """A sentence for each limit that is not kept."""
    measured = (
        ("word", counting.words(text), limits.words_min, limits.words_max),
        ("character", counting.characters(text), limits.characters_min, limits.characters_max),
    )
    for what, number, least, most in measured:
        if least is not None and number < least:
            yield f"Write at least {counted(least, what)}; {number:,} so far."
        if most is not None and number > most:
            yield f"Write at most {counted(most, what)}; {number:,} so far."


def counted(number: int, what: str) -> str:
    """As in "1 word", "1,200 words"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
