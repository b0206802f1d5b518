"""Who gives the same wrong answers as whom, more often than each one's own errors and the items explain.

People who both work well agree, so right answers say little. Where somebody is wrong by everybody else's labels, the
other of a pair follows them by chance with a probability that their own confusion row and the item's other labels
give; somebody who copies follows more often. As with the omega statistic of test forensics (Wollack 1997, Applied
Psychological Measurement 21:307; Wesolowsky 2000, Journal of Applied Statistics 27:909) each person's own tendency to
err is taken into account, and here as an e-value, so that any pair may be looked at while the labels come in.

For a judgment of p that is wrong with probability w (without the labels of p and q), and q's chance P of saying the
same, the bet that q copies a share c of p's answers multiplies by 1 + w c (same / P - 1), whose mean is 1 if q does
not. A pair's e-value is the mean over both directions and over several c.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import ArrayLike

from preceptor.quality.evidence.crowd import Crowd, slices
from preceptor.quality.evidence.result import Evidence
from preceptor.quality.evidence.watch import FALSE_ALARM_RATE
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels

COPIED: Floats = np.array([0.05, 0.1, 0.2, 0.4, 0.8])
"""Shares of answers copied that are bet on."""
SHARED_MIN = 5
# An item that everybody judged says little about pairs and costs the square of its labels.
LABELS_MAX_PER_ITEM = 200
# How much more alike labels of one item are than people's own rows say, in labels worth of the row: fitted.
_LIKENESS = np.geomspace(0.5, 256, 19)
# A label that is more probably right than wrong is no ground for suspicion.
WRONG_MIN = 0.5
_EVENTS_FOR_LIKENESS = 500_000
_ROWS_WAITING = 500_000


@dataclass(frozen=True, slots=True)
class PairEvidence:
    """Two people who share `shared` items. On these, in `wrong` cases one of them was probably wrong (weighted, both
    directions), in `same` of them the other said the same; `expected` is how often independent work would."""

    one: int
    other: int
    shared: int
    wrong: float
    same: float
    expected: float
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Collusion:
    """Pairs with evidence of copying, the strongest first. `tested` pairs share enough items.

    If everybody works independently, the chance that any of all pairs reaches the threshold is at most
    `false_alarm_rate`. `skipped_items` had too many labels to be compared. `likeness` is how many labels of a
    person's own row weigh as much as one other label of the item: small where items mislead people in the same way.
    """

    pairs: tuple[PairEvidence, ...]
    tested: int
    false_alarm_rate: float
    skipped_items: int
    likeness: float
    reason: str | None = None

    @property
    def reached(self) -> tuple[PairEvidence, ...]:
        """Pairs whose evidence reached the threshold for all pairs together."""
        return tuple(pair for pair in self.pairs if pair.evidence.reached)


def collusion(
    labels: Labels,
    truth: ArrayLike,
    *,
    false_alarm_rate: float = FALSE_ALARM_RATE,
    shared_min: int = SHARED_MIN,
    pairs_max: int = 100,
) -> Collusion:
    """Evidence of copying for all pairs who share at least `shared_min` items.

    `truth` is a posterior (items, classes) or known answers (items,), as in `Crowd.of`; known answers are better, as
    a large ring makes its own consensus. The `pairs_max` strongest are given. With m pairs the threshold is
    m / `false_alarm_rate` (Bonferroni, on e-values: Vovk and Wang 2021, Annals of Statistics 49:1736).

    Assumes that without copying people's labels are independent given the truth and the item's likeness, which is
    fitted on all pairs (many copiers make it careful). People taught the same wrong rule look like copiers; so may one
    person with two accounts. The cost grows with the pairs of labels on items: linear in the judgments for a bounded
    overlap, and items with more than 200 labels are left out and counted.
    """
    if not 0 < false_alarm_rate < 1:
        raise ValueError(f"a false alarm rate lies between 0 and 1, not {false_alarm_rate}")
    crowd = Crowd.of(labels, truth)
    per_item = np.bincount(crowd.labels.item, minlength=labels.items)
    skipped = int((per_item > LABELS_MAX_PER_ITEM).sum())
    # Twice over the events instead of keeping them: they are several times as many as the judgments.
    likeness = _likeness(_events(crowd, per_item))
    tested = _Pairs.of(crowd, per_item, likeness, shared_min)
    if len(tested.key) == 0:
        return Collusion((), 0, false_alarm_rate, skipped, likeness, f"no two people share {shared_min} items")
    threshold = log(len(tested.key) / false_alarm_rate)
    strongest = np.argsort(-tested.log_e, kind="stable")[:pairs_max]
    found = (tested.pair(int(index), labels.people, threshold, false_alarm_rate) for index in strongest)
    kept = tuple(pair for pair in found if pair.evidence.log_e > 0)
    return Collusion(kept, len(tested.key), false_alarm_rate, skipped, likeness)


@dataclass(frozen=True, slots=True)
class _Events:
    """Ordered pairs of judgments of one item in which `one` was probably wrong; `other` said the same or not."""

    one: Ints  # person
    other: Ints  # person
    wrong: Floats  # probability, without both, that `one` is wrong; above a half
    same: Floats  # 1 or 0
    own: Floats  # chance of the same label by the other's own row
    alike: Floats  # labels of that kind on the item, without the other's
    labels: Floats  # labels on the item, without the other's

    def chance(self, likeness: float) -> Floats:
        """Chance that the other says the same: a Pólya urn that starts with `likeness` labels of their own row."""
        chance: Floats = (likeness * self.own + self.alike) / (likeness + self.labels)
        return np.clip(chance, 1e-6, 1 - 1e-6)


def _pairs_of_judgments(crowd: Crowd, per_item: Ints) -> Iterator[tuple[Ints, Ints]]:
    """All unordered pairs of judgments of one item, some at a time."""
    item = crowd.labels.item
    order = np.argsort(item, kind="stable")
    order = order[per_item[item[order]] <= LABELS_MAX_PER_ITEM]
    most = int(per_item[item[order]].max(initial=0))
    # Judgments of an item stand side by side: those `apart` places from each other make all its pairs.
    for apart in range(1, most):
        first, second = order[: len(order) - apart], order[apart:]
        both = item[first] == item[second]
        first, second = first[both], second[both]
        for part in slices(len(first), 2 * crowd.labels.classes):
            yield first[part], second[part]


def _events(crowd: Crowd, per_item: Ints) -> Iterator[_Events]:
    for first, second in _pairs_of_judgments(crowd, per_item):
        yield _directed(crowd, first, second, per_item)
        yield _directed(crowd, second, first, per_item)


def _directed(crowd: Crowd, first: Ints, second: Ints, per_item: Ints) -> _Events:
    labels = crowd.labels
    without_both = crowd.belief_without(labels.item[first], first, second)
    wrong = 1 - without_both[np.arange(len(first)), labels.label[first]]
    suspect = wrong > WRONG_MIN
    first, second, wrong = first[suspect], second[suspect], wrong[suspect]
    item, said = labels.item[first], labels.label[first]
    same = (labels.label[second] == said).astype(np.float64)
    return _Events(
        one=labels.person[first],
        other=labels.person[second],
        wrong=wrong,
        same=same,
        own=(crowd.belief_without(item, second) * crowd.generous_chances(second, said)).sum(axis=1),
        alike=crowd.given[item, said] - same,
        labels=per_item[item].astype(np.float64) - 1,
    )


def _likeness(events: Iterator[_Events]) -> float:
    """The likeness under which following a wrong label, or not, was most probable over all pairs."""
    score, seen = np.zeros(len(_LIKENESS)), 0
    for part in events:
        seen += len(part.wrong)
        for index, likeness in enumerate(_LIKENESS):
            chance = part.chance(float(likeness))
            score[index] += part.wrong @ np.where(part.same > 0, np.log(chance), np.log1p(-chance))
        if seen > _EVENTS_FOR_LIKENESS:
            break
    return float(_LIKENESS[int(np.argmax(score))])


class _Sums:
    """Sums of columns per key, kept small by adding up what has come in from time to time."""

    def __init__(self, columns: int) -> None:
        self._keys = [np.empty(0, dtype=np.int64)]
        self._values = [np.empty((0, columns))]
        self._waiting = 0

    def add(self, keys: Ints, values: Sequence[Floats]) -> None:
        self._keys.append(keys)
        self._values.append(np.stack(values, axis=1))
        self._waiting += len(keys)
        if self._waiting > max(_ROWS_WAITING, len(self._keys[0])):
            self.total()

    def total(self) -> tuple[Ints, Floats]:
        """The keys, sorted, and their sums, (keys, columns)."""
        key, place = np.unique(np.concatenate(self._keys), return_inverse=True)
        every = np.concatenate(self._values)
        total = np.stack([np.bincount(place, column, len(key)).astype(np.float64) for column in every.T], axis=1)
        self._keys, self._values, self._waiting = [key], [total], 0
        return key, total


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Sums per pair of people; `key` is the lower index times people plus the higher."""

    key: Ints
    shared: Floats
    wrong: Floats
    same: Floats
    expected: Floats
    logs: Floats  # (pairs, directions x shares copied)

    @property
    def log_e(self) -> Floats:
        best = self.logs.max(axis=1, initial=0.0)
        mean: Floats = np.log(np.exp(self.logs - best[:, np.newaxis]).mean(axis=1)) + best
        return mean

    @classmethod
    def of(cls, crowd: Crowd, per_item: Ints, likeness: float, shared_min: int) -> "_Pairs":
        """Pairs who share at least so many items."""
        people, person = crowd.labels.people, crowd.labels.person
        met = _Sums(1)
        for first, second in _pairs_of_judgments(crowd, per_item):
            met.add(_key(person[first], person[second], people), [np.ones(len(first))])
        key, shared = met.total()
        key, shared = key[shared[:, 0] >= shared_min], shared[shared[:, 0] >= shared_min, 0]
        sums = _Sums(3 + 2 * len(COPIED))
        # A pair that shares enough and was never wrong has sums too: of nothing.
        sums.add(key, list(np.zeros((3 + 2 * len(COPIED), len(key)))))
        for part in _events(crowd, per_item):
            pair = _key(part.one, part.other, people)
            kept = _among(pair, key)
            sums.add(pair[kept], [column[kept] for column in _columns(part, likeness)])
        columns = sums.total()[1]
        return cls(key, shared, columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3:])

    def pair(self, index: int, people: int, threshold: float, rate: float) -> PairEvidence:
        log_e = float(self.log_e[index])
        one, other = divmod(int(self.key[index]), people)
        evidence = Evidence(
            claim="these two people work independently of each other",
            log_e=log_e,
            log_e_max=max(0.0, log_e),
            log_threshold=threshold,
            n=int(self.shared[index]),
            false_alarm_rate=rate,
        )
        wrong, same, expected = float(self.wrong[index]), float(self.same[index]), float(self.expected[index])
        return PairEvidence(one, other, int(self.shared[index]), wrong, same, expected, evidence)


def _key(one: Ints, other: Ints, people: int) -> Ints:
    key: Ints = np.minimum(one, other) * people + np.maximum(one, other)
    return key


def _among(keys: Ints, known: Ints) -> np.typing.NDArray[np.bool_]:
    """Which keys are among the known ones, which are sorted."""
    if len(known) == 0:
        return np.zeros(len(keys), dtype=np.bool_)
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: np.typing.NDArray[np.bool_] = known[place] == keys
    return found


def _columns(part: _Events, likeness: float) -> list[Floats]:
    """Per event what is summed per pair: wrong, same, expected, and the log bets by direction."""
    chance = part.chance(likeness)
    forth = part.one < part.other
    columns = [part.wrong, part.wrong * part.same, part.wrong * chance]
    for direction in (forth, ~forth):
        for copied in COPIED:
            bet = np.log1p(part.wrong * copied * (part.same / chance - 1))
            columns.append(np.where(direction, bet, 0.0))
    return columns
