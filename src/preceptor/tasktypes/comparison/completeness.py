"""When a comparison answer is complete, and what to do where it is not."""

from collections.abc import Iterator, Sequence

from preceptor.tasktypes.base import Problem
from preceptor.tasktypes.comparison.models import ComparisonAnswer, ComparisonConfig

PARTIAL_RANKED_MIN = 2


def problems(ids: Sequence[str], answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    """Everything that keeps the answer from being submitted."""
    yield from _unknown_names(ids, answer, config)
    yield from _ranking(ids, answer, config)
    yield from _strength(ids, answer, config)
    yield from _ratings(ids, answer, config)
    yield from _justification(answer, config)


def _unknown_names(ids: Sequence[str], answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    known = ", ".join(ids)
    for name in answer.ranks.keys() - set(ids):
        yield Problem(f"ranks.{name}", f"There is no response {name!r}. Rank only {known}.")
    dimensions = {dimension.key for dimension in config.dimensions}
    for key, given in answer.ratings.items():
        if key not in dimensions:
            yield Problem(f"ratings.{key}", f"This project does not rate {key!r}. Remove this rating.")
        for name in given.keys() - set(ids):
            yield Problem(f"ratings.{key}.{name}", f"There is no response {name!r}. Rate only {known}.")


def _ranking(ids: Sequence[str], answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    if answer.both_bad and not config.allow_both_bad:
        yield Problem(
            "both_bad", "This project wants a ranking even of bad responses. Unmark “both bad” and rank them."
        )
    if answer.both_bad and config.allow_both_bad and not answer.ranks:
        return
    missing = [name for name in ids if name not in answer.ranks]
    if config.ranking == "full" and missing:
        yield Problem("ranks", f"Not ranked yet: {', '.join(missing)}. Give every response a rank.")
    elif len(ids) - len(missing) < PARTIAL_RANKED_MIN:
        yield Problem("ranks", f"Rank at least {PARTIAL_RANKED_MIN} responses.")
    if not config.allow_ties and len(set(answer.ranks.values())) < len(answer.ranks):
        yield Problem("ranks", "Two responses have the same rank. Decide which is better.")


def _strength(ids: Sequence[str], answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    pair = len(ids) == 2
    if answer.strength is not None and not (pair and config.scale_strength):
        where = "this project" if pair else "more than two responses"
        yield Problem("strength", f"A strength of preference is not asked for in {where}. Leave it empty.")
        return
    if not (pair and config.scale_strength) or any(name not in answer.ranks for name in ids):
        return
    tied = answer.ranks[ids[0]] == answer.ranks[ids[1]]
    if answer.strength is None:
        yield Problem("strength", "Say how much better: 1 slightly, 2 clearly, 3 much; 0 for the same.")
    elif tied and answer.strength > 0:
        yield Problem(
            "strength", "The responses are ranked equally. Set the strength to 0 or rank one above the other."
        )
    elif not tied and answer.strength == 0:
        yield Problem("strength", "Strength 0 means the same. Choose 1 to 3, or rank the responses equally.")


def _ratings(ids: Sequence[str], answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    for dimension in config.dimensions:
        given = answer.ratings.get(dimension.key, {})
        missing = [name for name in ids if name not in given]
        # An optional dimension may be left out, but not half filled.
        if missing and (dimension.required or given):
            yield Problem(
                f"ratings.{dimension.key}",
                f"“{dimension.title}” is not rated for {', '.join(missing)}. Rate 1 to 7.",
            )


def _justification(answer: ComparisonAnswer, config: ComparisonConfig) -> Iterator[Problem]:
    # Runs of white space count once, so that spaces cannot fill up a short reason.
    length = len(" ".join(answer.justification.split()))
    if length < config.justification_min_chars:
        yield Problem(
            "justification",
            f"Give your reason in at least {config.justification_min_chars} characters; there are {length} so far.",
        )
