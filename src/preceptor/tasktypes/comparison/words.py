"""A comparison as a person would say it, in the task's own response ids."""

from itertools import pairwise

from preceptor.tasktypes.base import Words
from preceptor.tasktypes.comparison.models import ComparisonAnswer, ComparisonConfig

STRENGTHS = {0: "the same", 1: "slightly better", 2: "better", 3: "much better"}


def in_words(answer: ComparisonAnswer, config: ComparisonConfig) -> Words:
    """The choice, ratings by dimension and response, the reason."""
    titles = {dimension.key: dimension.title for dimension in config.dimensions}
    ratings = tuple(
        (titles.get(key, key), ", ".join(f"{response} {points}" for response, points in given.items()))
        for key, given in answer.ratings.items()
    )
    return Words(_choice(answer), ratings, answer.justification)


def _choice(answer: ComparisonAnswer) -> str:
    if not answer.ranks:
        return "both bad" if answer.both_bad else "nothing chosen"
    order = sorted(answer.ranks.items(), key=lambda item: item[1])
    said = order[0][0]
    for (_, before), (name, rank) in pairwise(order):
        said += f"{' = ' if rank == before else ' > '}{name}"
    if answer.strength is not None and len(order) == 2:
        said += f", {STRENGTHS[answer.strength]}"
    return f"{said}, both bad" if answer.both_bad else said
