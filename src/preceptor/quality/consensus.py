"""What a group says: the majority of labels, and the joint ranking of several responses."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

TIE = "tie"
HALF = 0.5

Ranking = Mapping[str, int]
"""Rank by response, 1 the best; equal ranks are ties, and a response that is left out was not judged."""


@dataclass(frozen=True, slots=True)
class Majority:
    """The most frequent label. With several equally frequent ones there is no label, and `tie` is set.

    `share` is the share of the most frequent label (of each of them, in a tie); None without votes.
    """

    label: str | None
    share: float | None
    tie: bool
    counts: Mapping[str, int]


def majority(votes: Sequence[str]) -> Majority:
    """Plurality: the label with most votes wins, also with less than half of them."""
    counts = Counter(votes)
    leaders = leading(counts)
    if not leaders:
        return Majority(None, None, False, {})
    label = leaders[0] if len(leaders) == 1 else None
    return Majority(label, counts[leaders[0]] / len(votes), label is None, dict(counts))


def leading(counts: Mapping[str, int]) -> list[str]:
    """Labels that share the greatest count, sorted; none when nothing was counted."""
    most = max(counts.values(), default=0)
    return sorted(label for label, count in counts.items() if count == most > 0)


@dataclass(frozen=True, slots=True)
class PairConsensus:
    """How people see two responses: a winner, a tie (said by most, or by equal votes), or unknown.

    `share` is the share of the outcome that leads; None when nobody ranked both.
    """

    first: str
    second: str
    winner: str | None
    tie: bool
    share: float | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RankConsensus:
    """Pairwise majorities and a joint order.

    `order` holds groups of equal score, the best group first. `scores` is the average share of the other
    responses that each one was ranked above (a tie counts half): Borda's count divided by its greatest
    value. None for a response that nobody ranked against another; these are not in `order`.
    """

    pairs: tuple[PairConsensus, ...]
    order: tuple[tuple[str, ...], ...]
    scores: Mapping[str, float | None]
    rankings: int


def rank_consensus(rankings: Sequence[Ranking]) -> RankConsensus:
    """Join rankings that may be partial and may have ties.

    Borda's count (de Borda 1781; Emerson, "The original Borda count and partial voting", Social Choice and
    Welfare 2013) is the same order as mean rank when all rankings are full. With partial rankings each
    response is scored over the contests it took part in, so that being left out is no loss. Pairwise
    majorities may run in a circle; the order then rests on the scores alone.
    """
    names = sorted({name for ranking in rankings for name in ranking})
    pairs = tuple(_pair(first, second, rankings) for first, second in combinations(names, 2))
    scores = {name: _score(name, rankings) for name in names}
    known = sorted({score for score in scores.values() if score is not None}, reverse=True)
    order = tuple(tuple(name for name in names if scores[name] == score) for score in known)
    return RankConsensus(pairs, order, scores, len(rankings))


def _pair(first: str, second: str, rankings: Sequence[Ranking]) -> PairConsensus:
    votes = [_better(first, second, ranking) for ranking in rankings if first in ranking and second in ranking]
    counts = Counter(votes)
    # Counted by side and not by name, so that a response called "tie" stays a response.
    leaders = [side for side in (-1, 0, 1) if votes and counts[side] == max(counts.values())]
    winner = None
    if len(leaders) == 1 and leaders[0] != 0:
        winner = first if leaders[0] < 0 else second
    return PairConsensus(
        first,
        second,
        winner,
        tie=bool(votes) and winner is None,
        share=max(counts.values()) / len(votes) if votes else None,
        counts={first: counts[-1], second: counts[1], TIE: counts[0]},
    )


def _better(first: str, second: str, ranking: Ranking) -> int:
    """-1 when the first is ranked better, 1 when the second is, 0 for a tie."""
    return (ranking[first] > ranking[second]) - (ranking[first] < ranking[second])


def _score(name: str, rankings: Sequence[Ranking]) -> float | None:
    # Whole halves are summed before dividing: equal records give exactly equal scores.
    halves = contests = 0
    for ranking in rankings:
        if name not in ranking:
            continue
        for other in ranking:
            if other != name:
                halves += 1 - _better(name, other, ranking)
                contests += 1
    return HALF * halves / contests if contests else None
