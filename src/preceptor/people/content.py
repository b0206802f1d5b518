"""Content ratings: what a project may show that not everybody wants to see. Decisions only; knows no database."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

RATINGS: Final[Mapping[str, str]] = {
    "violence": "Violence and injury",
    "hate": "Hate and harassment",
    "sexual": "Sexual content",
    "self_harm": "Self-harm and suicide",
    "crime": "Crime, weapons and drugs",
    "disturbing": "Other disturbing material",
}
"""Stored key -> words. The usual categories of moderation policies, coarse enough to choose from."""
DAILY_LIMIT_MIN, DAILY_LIMIT_MAX, DAILY_LIMIT_USUAL = 1, 500, 40
"""Tasks of one rating in a day (UTC)."""


@dataclass(frozen=True)
class Exposure:
    """What a person chose for one rating, and how many tasks of it they were given today."""

    daily_limit: int
    seen: int = 0

    @property
    def left(self) -> int:
        return max(0, self.daily_limit - self.seen)


def known(ratings: Sequence[str]) -> tuple[str, ...]:
    """The ratings in the order of `RATINGS`, each once. ValueError names one that does not exist."""
    unknown = next((rating for rating in ratings if rating not in RATINGS), None)
    if unknown is not None:
        raise ValueError(f"there is no content rating {unknown!r}; there are {', '.join(RATINGS)}")
    return tuple(rating for rating in RATINGS if rating in ratings)


def not_chosen(ratings: Collection[str], chosen: Collection[str]) -> tuple[str, ...]:
    """Words of the ratings that the person has not agreed to see."""
    return tuple(words for rating, words in RATINGS.items() if rating in ratings and rating not in chosen)


def used_up(ratings: Collection[str], exposure: Mapping[str, Exposure]) -> tuple[str, ...]:
    """Words of the ratings of which the person has seen today as much as they chose."""
    return tuple(
        words
        for rating, words in RATINGS.items()
        if rating in ratings and rating in exposure and exposure[rating].left == 0
    )


def open_to(exposure: Mapping[str, Exposure]) -> list[str]:
    """What the person chose to see and has not seen enough of today, sorted."""
    return sorted(rating for rating, each in exposure.items() if each.left > 0)


def together(*ratings: Collection[str]) -> tuple[str, ...]:
    """What a project and its task may show between them, in the order of `RATINGS`."""
    return tuple(rating for rating in RATINGS if any(rating in some for some in ratings))


def words(ratings: Collection[str]) -> list[str]:
    """The ratings as people read them."""
    return [RATINGS[rating] for rating in together(ratings)]


def invitation(missing: Sequence[str]) -> str:
    """What somebody reads who has not chosen to see everything that a project may show."""
    return f"Its material may show: {', '.join(missing).lower()}. Choose in your settings whether you want to see that."


def left_over(missing: Sequence[str], tired: Sequence[str]) -> str:
    """What somebody reads for whom nothing is left in a project but rated tasks: which ratings stand in the way.

    `missing`: words of ratings not chosen; `tired`: of those of which they have seen enough today.
    """
    said = ["Nothing else is left for you here right now."]
    if missing:
        seen = ", ".join(missing).lower()
        said.append(f"Some tasks that wait may show: {seen}. Choose in your settings whether you want to see that.")
    if tired:
        said.append(
            f"Of others you have seen as much as you chose for today: {', '.join(tired).lower()}. They go on tomorrow "
            "(UTC), or change the limit in your settings."
        )
    return " ".join(said)


def enough(used: Sequence[str]) -> str:
    """What somebody reads who has seen today as much as they chose."""
    return (
        f"You have seen as much as you chose for today: {', '.join(used).lower()}. It goes on tomorrow (UTC), or "
        "change the limit in your settings."
    )
