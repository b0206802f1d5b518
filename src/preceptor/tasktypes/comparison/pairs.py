"""Rankings seen as statements about pairs: labels, distance, agreement with a reference, consensus."""

from collections.abc import Mapping, Sequence
from itertools import combinations

from preceptor.quality.consensus import Majority, majority
from preceptor.tasktypes.base import Consensus, Row, Score
from preceptor.tasktypes.comparison.models import TIE, ComparisonAnswer, competition_ranks

SEPARATOR = "|"
HALF = 0.5


def unit_name(first: str, second: str) -> str:
    """Name of the unit of judgment that a pair of responses is."""
    return f"{first}{SEPARATOR}{second}"


def pairs_of(ids: Sequence[str]) -> list[tuple[str, str]]:
    """All pairs in stored order."""
    return list(combinations(ids, 2))


def label_of_pair(answer: ComparisonAnswer, first: str, second: str) -> str | None:
    """The better of the two, `tie`, or None where the answer is silent.

    A pair is judged only when both are ranked: a partial ranking is not read as "the rest is worse",
    because leaving out is also how a person says "I cannot tell". `both_bad` without any rank ties all.
    """
    ranks = answer.ranks
    if not ranks and answer.both_bad:
        return TIE
    if first not in ranks or second not in ranks:
        return None
    if ranks[first] == ranks[second]:
        return TIE
    return first if ranks[first] < ranks[second] else second


def pair_labels(ids: Sequence[str], answer: ComparisonAnswer) -> dict[str, str]:
    """Label of every pair that the answer judges."""
    labels = {}
    for first, second in pairs_of(ids):
        label = label_of_pair(answer, first, second)
        if label is not None:
            labels[unit_name(first, second)] = label
    return labels


def _disagreement(one: str | None, other: str | None) -> float:
    if one == other:
        return 0.0
    if one is None or other is None or TIE in (one, other):
        return HALF
    return 1.0


def ranking_distance(a: ComparisonAnswer, b: ComparisonAnswer) -> float:
    """Kemeny's distance between two rankings with ties, divided by its greatest value.

    Each pair costs 0 when both order it alike, 1 when they order it oppositely and 1/2 when only one
    ties it (Kemeny 1959; the K^(p) of Fagin et al., "Comparing partial rankings", 2006, with p = 1/2;
    without ties this is (1 - Kendall's tau) / 2). A pair that only one of them judges costs 1/2 as well,
    and a pair that neither judges is not counted. Two answers that judge nothing are at distance 0.
    """
    costs = []
    for first, second in pairs_of(sorted(a.ranks.keys() | b.ranks.keys())):
        in_a, in_b = label_of_pair(a, first, second), label_of_pair(b, first, second)
        if in_a is not None or in_b is not None:
            costs.append(_disagreement(in_a, in_b))
    return sum(costs) / len(costs) if costs else 0.0


def score_against(ids: Sequence[str], answer: ComparisonAnswer, reference: ComparisonAnswer) -> Score:
    """One minus the mean disagreement over the pairs that the reference judges.

    Pairs on which the reference is silent do not count. ValueError when it judges no pair at all.
    """
    costs, reasons = [], []
    for first, second in pairs_of(ids):
        expected = label_of_pair(reference, first, second)
        if expected is None:
            continue
        given = label_of_pair(answer, first, second)
        costs.append(_disagreement(given, expected))
        if given != expected:
            reasons.append(f"{_said(first, second, given, 'You')} {_said(first, second, expected, 'The reference')}")
    if not costs:
        raise ValueError("the reference answer ranks no pair of responses, so nothing can be scored against it")
    if reference.both_bad and not answer.both_bad:
        reasons.append("The reference calls all responses unacceptable.")
    return Score(value=1 - sum(costs) / len(costs), reasons=tuple(reasons))


def _said(first: str, second: str, label: str | None, who: str) -> str:
    if label is None:
        return f"{who} did not rank {first} against {second}."
    if label == TIE:
        return f"{who} ranked {first} and {second} equally."
    worse = second if label == first else first
    return f"{who} ranked {label} above {worse}."


def pairwise_consensus(ids: Sequence[str], answers: Sequence[ComparisonAnswer]) -> Consensus:
    """Majority within each pair, and the ranking that the majorities make together."""
    votes: dict[str, list[str]] = {unit_name(*pair): [] for pair in pairs_of(ids)}
    for answer in answers:
        for unit, label in pair_labels(ids, answer).items():
            votes[unit].append(label)
    units = {unit: majority(labels) for unit, labels in votes.items()}
    return Consensus(answers=len(answers), units=units, answer=_joint_answer(ids, units, answers))


def _joint_answer(ids: Sequence[str], units: Mapping[str, Majority], answers: Sequence[ComparisonAnswer]) -> Row | None:
    """Copeland's ranking: a majority won counts 1, a tie 1/2; equal sums share a rank.

    A response that beats each other one comes first (Condorcet), and majorities that run in a circle become
    ties instead of an accident of order. Only responses with a decided pair are ranked.
    """
    wins: dict[str, float] = {}
    for first, second in pairs_of(ids):
        label = units[unit_name(first, second)].label
        if label is None:
            continue
        wins[first] = wins.get(first, 0.0) + (HALF if label == TIE else float(label == first))
        wins[second] = wins.get(second, 0.0) + (HALF if label == TIE else float(label == second))
    if not wins:
        return None
    best_first = sorted(set(wins.values()), reverse=True)
    ranks = competition_ranks({name: best_first.index(won) + 1 for name, won in wins.items()})
    both_bad = 2 * sum(answer.both_bad for answer in answers) > len(answers)
    return {"ranks": dict(ranks), "both_bad": both_bad}
