"""What the quality engine says of a task, as it goes into the rows of a release.

Every unit gets chances, so that the columns are filled in all rows: from the project's fit where there is one
(`reading.Weighed`), else from the votes under what is taken of people before anything is known about them (they meet
the project's standard, `overlap.assumed_crowd`). `Posterior.source` says which.
"""

from collections.abc import Mapping
from functools import lru_cache
from math import exp, log

from preceptor.datasets.reading import Weighed
from preceptor.quality.consensus import Majority
from preceptor.tasktypes.base import Posterior
from preceptor.work.service.overlap import assumed_crowd

FIT, ASSUMED, KNOWN = "fit", "assumed", "gold"
AMBIGUOUS_MIN = 0.5
"""From here on it is likelier that people legitimately differ than that they err."""
SHARE_PSEUDO = 2.0
"""Beta(2, 2) on the share of people who see the one or the other answer, as in `quality.difficulty`."""

Votes = Mapping[str, Mapping[str, int]]
"""Unit -> label -> counted votes."""
Possible = Mapping[str, tuple[str, ...]]


def posterior_of(weighed: Weighed | None, possible: Possible, votes: Votes, standard: float) -> Posterior:
    """Chances and soft labels of a task's units, from what a fit makes of it or else from its votes."""
    units = weighed.units if weighed is not None else {}
    chances = {
        unit: units.get(unit) or assumed_chances(names, votes.get(unit, {}), standard)
        for unit, names in possible.items()
    }
    ambiguity = weighed.ambiguity if weighed is not None else None
    soft = {unit: soft_label(chances[unit], votes.get(unit, {}), ambiguity) for unit in possible}
    return Posterior(chances, soft, ambiguity, FIT if weighed is not None else ASSUMED)


def known_posterior(possible: Possible, labels: Mapping[str, str]) -> Posterior:
    """Of a task whose answer is known; units that the answer is silent on have none."""
    sure = {unit: {name: float(name == labels[unit]) for name in possible[unit]} for unit in possible if unit in labels}
    return Posterior(sure, sure, None, KNOWN)


def assumed_chances(names: tuple[str, ...], votes: Mapping[str, int], standard: float) -> dict[str, float]:
    """Chances of a unit's labels if all people are alike, right as often as the project expects, and err evenly.

    Dawid and Skene's posterior in that case: each vote multiplies the odds of its label by right / wrong.
    """
    if len(names) < 2:
        return dict.fromkeys(names, 1.0)
    counts = [votes.get(name, 0) for name in names]
    gain, most = _gain(len(names), standard), max(counts)
    weights = [exp(gain * (count - most)) for count in counts]
    total = sum(weights)
    return {name: weight / total for name, weight in zip(names, weights, strict=True)}


@lru_cache(maxsize=256)
def _gain(classes: int, standard: float) -> float:
    right, wrong = assumed_crowd(classes, standard).pooled[0][:2]
    return log(right / wrong)


def soft_label(chances: Mapping[str, float], votes: Mapping[str, int], ambiguity: float | None) -> Mapping[str, float]:
    """Share of careful people who would give each label.

    With chance 1 - ambiguity there is one truth, and `chances` says which; with chance `ambiguity` people legitimately
    differ, and the votes say how: their shares, with `SHARE_PSEUDO` votes added to each label that somebody gave. The
    mixture of `quality.difficulty.soft_labels`, whose second part also weighs who voted. An unknown ambiguity is taken
    as none. See Uma et al., "Learning from disagreement: a survey", JAIR 2021, 72:1385.
    """
    given = {label: count for label, count in votes.items() if count and label in chances}
    if not ambiguity or len(given) < 2:
        return chances
    total = sum(given.values()) + SHARE_PSEUDO * len(given)
    shares = {label: (count + SHARE_PSEUDO) / total for label, count in given.items()}
    return {label: (1 - ambiguity) * chance + ambiguity * shares.get(label, 0.0) for label, chance in chances.items()}


def decided_by_posterior(
    units: Mapping[str, Majority], chances: Mapping[str, Mapping[str, float]], least: float
) -> dict[str, Majority]:
    """The units with their likeliest label where it has at least this chance; votes and shares stay as counted.

    Units that nobody judged stay undecided: their chances are nobody's judgment.
    """
    return {
        unit: Majority(likeliest(chances.get(unit, {}), least), voted.share, voted.tie, voted.counts)
        if voted.counts
        else voted
        for unit, voted in units.items()
    }


def likeliest(chances: Mapping[str, float], least: float) -> str | None:
    """The one label with the greatest chance; None where it is below `least` or shared by several."""
    top = max(chances.values(), default=0.0)
    leaders = [label for label, chance in chances.items() if chance == top]
    return leaders[0] if len(leaders) == 1 and top >= least else None
