"""How much one person costs or adds to agreement: Krippendorff's alpha without each person in turn.

Leaving a person out changes the disagreement of the items they judged and the marginals, nothing else; both are
updated from counts, so that all people together cost about as much as alpha itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from preceptor.quality.agreement import alpha_of, named
from preceptor.quality.agreement_scale import Distance, Metric, Value, middle_ranks, renumbered, scale_table
from preceptor.quality.intervals import LEVEL, RESAMPLES, Estimate, Floats
from preceptor.quality.labels import BadLabels, Ints, Labels

# Distances from every value to the labels of an item are held for at most this many numbers at once.
_CELLS_AT_ONCE = 2_000_000
# Expected disagreement below this share of the greatest is what float64 leaves of zero.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class WithoutEach:
    """Agreement with everybody, and with each person left out.

    `without` and `rise` (`without` less the alpha of all) have shape (people,), NaN where alpha is not defined:
    nobody else's labels can be compared, or those left use a single value; all of them NaN where the alpha of all is
    unknown, with `alpha.reason`. `compared` (people,) counts each person's labels on items that others judged too:
    a person with none has `rise` 0, as leaving them out changes nothing.
    """

    alpha: Estimate
    without: Floats
    rise: Floats
    compared: Ints


def alpha_without_each(
    labels: Labels,
    distance: Metric | Distance[Value] = "nominal",
    *,
    values: Sequence[Value] | None = None,
    rng: np.random.Generator | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> WithoutEach:
    """Alpha without each person, exactly as if it were counted again without their labels.

    A large rise points at a person who reads the task unlike the others; it does not say who is right. Refused with
    `BadLabels` where a person judged an item twice, and with ValueError beyond 2,000 different values (a table of
    all pairs is needed). The cost is linear in the judgments, on the ordinal scale with a further pass per person,
    as ranks move with everybody who is left out.
    """
    whole = alpha_of(labels, distance, values=values, rng=rng, resamples=resamples, level=level)
    compared = _Compared.of(labels)
    counted = np.bincount(compared.person, minlength=labels.people)
    if whole.value is None:
        unknown = np.full(labels.people, np.nan)
        return WithoutEach(whole, unknown, unknown, counted)
    classes = named(labels, values)
    table = scale_table([classes[int(index)] for index in compared.used], distance)
    without = _on_ranks(compared, labels.people) if table is None else _on_table(compared, table, labels.people)
    return WithoutEach(whole, without, without - whole.value, counted)


@dataclass(frozen=True)
class _Compared:
    """Judgments on items with at least two, sorted by item; `counts` is sparse (items, used classes)."""

    item: Ints
    person: Ints
    label: Ints
    used: Ints
    counts: csr_array
    per_item: Floats

    @classmethod
    def of(cls, labels: Labels) -> "_Compared":
        _, item = renumbered(labels.item, labels.items)
        several = np.bincount(item)[item] >= 2
        rows = np.flatnonzero(several)[np.argsort(item[several], kind="stable")]
        person = labels.person[rows]
        used, label = renumbered(labels.label[rows], labels.classes)
        _, item = renumbered(item[rows], int(item.max(initial=-1)) + 1)
        _refuse_repeats(item, person)
        shape = (int(item.max(initial=-1)) + 1, len(used))
        counts = csr_array((np.ones(len(rows)), (item, label)), shape=shape)
        return cls(item, person, label, used, counts, np.bincount(item).astype(np.float64))

    def losses(self, people: int) -> csr_array:
        """Labels that no longer count without each person, sparse (people, classes): their own, and the one other
        label of an item that only two judged."""
        lonely = np.flatnonzero(self.per_item[self.item] == 2)
        # The two labels of such an item stand side by side: swap them.
        other = self.label[lonely].reshape(-1, 2)[:, ::-1].reshape(-1)
        person = np.concatenate([self.person, self.person[lonely]])
        label = np.concatenate([self.label, other])
        return csr_array((np.ones(len(label)), (person, label)), shape=(people, len(self.used)))


def _refuse_repeats(item: Ints, person: Ints) -> None:
    _, place = renumbered(person, int(person.max(initial=-1)) + 1)
    if len(np.unique(item * (int(place.max(initial=0)) + 1) + place)) < len(item):
        raise BadLabels("a person judged an item more than once; keep one label, as NamedLabels.read does")


def _on_table(compared: _Compared, table: Floats, people: int) -> Floats:
    within, spread = _spread(compared, table)
    left = compared.per_item[compared.item] - 1
    mine = within[compared.item]
    # Without one of two labels nothing is left to compare in the item.
    after = np.where(left >= 2, (mine - 2 * spread) / np.maximum(left - 1, 1), 0.0)
    observed = (within / (compared.per_item - 1)).sum() + np.bincount(
        compared.person, weights=after - mine / left, minlength=people
    )
    marginals = np.asarray(compared.counts.sum(axis=0), dtype=np.float64)
    losses = compared.losses(people)
    expected = marginals @ table @ marginals - 2 * losses.dot(table @ marginals) + _squares(losses, table)
    total = marginals.sum() - np.asarray(losses.sum(axis=1), dtype=np.float64)
    return _alphas(observed, expected, total)


def _spread(compared: _Compared, table: Floats) -> tuple[Floats, Floats]:
    """Per item the distances of all ordered pairs; per judgment the distances to the labels of its item."""
    within, spread = np.zeros(len(compared.per_item)), np.zeros(len(compared.item))
    for part in _slices(len(compared.per_item), table.shape[0]):
        counts = compared.counts[part]
        distances = counts.dot(table)
        within[part] = np.asarray(counts.multiply(distances).sum(axis=1), dtype=np.float64)
        rows = slice(*np.searchsorted(compared.item, [part.start, part.stop]))
        spread[rows] = distances[compared.item[rows] - part.start, compared.label[rows]]
    return within, spread


def _squares(losses: csr_array, table: Floats) -> Floats:
    parts = [
        np.asarray(losses[part].multiply(losses[part].dot(table)).sum(axis=1), dtype=np.float64)
        for part in _slices(losses.shape[0], table.shape[0])
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _slices(rows: int, columns: int) -> Iterator[slice]:
    at_once = max(1, _CELLS_AT_ONCE // max(1, columns))
    return (slice(start, min(rows, start + at_once)) for start in range(0, rows, at_once))


def _on_ranks(compared: _Compared, people: int) -> Floats:
    """On the ordinal scale each person left out moves the ranks of all values."""
    marginals = np.asarray(compared.counts.sum(axis=0), dtype=np.float64)
    lost = compared.losses(people)
    pairs = compared.counts.T.dot(compared.counts.multiply(1 / (compared.per_item - 1)[:, np.newaxis])).toarray()
    observed, expected, total = np.zeros(people), np.zeros(people), np.zeros(people)
    order = np.argsort(compared.person, kind="stable")
    bounds = np.searchsorted(compared.person[order], np.arange(people + 1))
    for person in range(people):
        left = marginals - lost[[person]].toarray()[0]
        ranks = middle_ranks(left[np.newaxis, :])[0]
        mine = order[bounds[person] : bounds[person + 1]]
        apart = 2 * (pairs.sum(axis=0) @ ranks**2 - ranks @ pairs @ ranks)
        observed[person] = apart + _change(compared, mine, ranks)
        expected[person] = 2 * (left.sum() * (left @ ranks**2) - (left @ ranks) ** 2)
        total[person] = left.sum()
    return _alphas(observed, expected, total)


def _change(compared: _Compared, mine: Ints, ranks: Floats) -> float:
    """What a person's judgments add to the disagreement within items, taken away."""
    counts, own = compared.counts[compared.item[mine]], ranks[compared.label[mine]]
    many = compared.per_item[compared.item[mine]]
    first, second = counts.dot(ranks), counts.dot(ranks**2)
    before = 2 * (many * second - first**2) / (many - 1)
    after = 2 * ((many - 1) * (second - own**2) - (first - own) ** 2) / np.maximum(many - 2, 1)
    return float((np.where(many > 2, after, 0.0) - before).sum())


def _alphas(observed: Floats, expected: Floats, total: Floats) -> Floats:
    # Sums over everybody less one person's share leave rounding behind where nothing is left to differ.
    varied = expected > _ROUNDING * expected.max(initial=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        alphas = 1 - (total - 1) * observed / expected
    return np.where(varied & (total >= 2), alphas, np.nan)
