"""Simulated work for measuring evidence: who is honest, who is not, and from when on is known here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from preceptor.quality.evidence import above_chance, bets
from preceptor.quality.evidence.bets import Starts
from preceptor.quality.intervals import Floats
from preceptor.quality.labels import Ints, Labels

Draw = Callable[[int], tuple[Floats, Floats | float]]
"""Outcomes of all people at a look (from 1), and their standards."""
NEVER = np.inf


def first_reached(
    draw: Draw, people: int, looks: int, starts: Starts, thresholds: Sequence[float]
) -> tuple[Floats, Floats]:
    """At which look each person first reached each log threshold, (thresholds, people), NEVER where not; and each
    person's highest log e-value. All people move on together, with the same steps as a single watch."""
    wealth = np.tile(bets.opened(starts), (people, 1))
    reached, best = np.full((len(thresholds), people), NEVER), np.full(people, -np.inf)
    bounds = np.array(thresholds)[:, np.newaxis]
    for look in range(1, looks + 1):
        outcome, standard = draw(look)
        wealth = bets.advanced(wealth, bets.factors(outcome, standard), starts, look)
        log_e = bets.log_e_value(wealth, starts, look)
        best = np.maximum(best, log_e)
        reached = np.where((log_e >= bounds) & (reached == NEVER), look, reached)
    return reached, best


def answers(rng: np.random.Generator, people: int, standard: float, accuracy: Callable[[int], float]) -> Draw:
    """Right or wrong, with an accuracy that may change with the look."""
    return lambda look: ((rng.random(people) < accuracy(look)).astype(np.float64), standard)


def steady(rng: np.random.Generator, people: int, standard: float, accuracy: float) -> Draw:
    """Right or wrong, always with the same accuracy."""
    return answers(rng, people, standard, lambda _: accuracy)


def mixed_tasks(rng: np.random.Generator, people: int, knowing: float) -> Draw:
    """Soft outcomes on tasks with two to six options, from people exactly at the standard of each task: the
    outcome is how probable somebody else's calibrated labels make it that the answer was right."""

    def draw(_: int) -> tuple[Floats, Floats]:
        standard = above_chance(knowing, rng.integers(2, 7, people))
        sureness = np.asarray(rng.beta(4, 4 * (1 - standard) / standard), dtype=np.float64)
        return sureness, standard

    return draw


def gold_attempts(rng: np.random.Generator, tasks: int, leaked_after: float) -> Draw:
    """Attempts at gold tasks by people of known skill; after a leak half of those who come know the answer."""

    def draw(look: int) -> tuple[Floats, Floats]:
        skill = rng.uniform(0.5, 0.95, tasks)
        knows = (rng.random(tasks) < 0.5) & (look > leaked_after)
        passed = knows | (rng.random(tasks) < skill)
        return (~passed).astype(np.float64), 1 - skill

    return draw


@dataclass(frozen=True)
class World:
    """A crowd's labels with the truth and the pairs in which one copies from the other."""

    labels: Labels
    truth: Ints
    pairs: tuple[tuple[int, int], ...]


def crowd(
    rng: np.random.Generator,
    *,
    items: int = 600,
    people: int = 40,
    classes: int = 4,
    overlap: int = 5,
    hard: float = 0.2,
    copying_pairs: int = 0,
    shared: int = 150,
    copied: float = 0.6,
) -> World:
    """People of different skill; on a share of `hard` items accuracy halves and errors go to one lure.

    In each copying pair the second takes over a share `copied` of the first's answers on `shared` items.
    """
    truth = rng.integers(0, classes, items)
    lure = (truth + rng.integers(1, classes, items)) % classes
    is_hard, accuracy = rng.random(items) < hard, rng.beta(8, 2, people)
    who = np.argsort(rng.random((items, people)), axis=1)[:, :overlap]
    pairs = tuple((2 * pair, 2 * pair + 1) for pair in range(copying_pairs))
    for pair in pairs:
        _put_together(rng, who, pair, shared)
    item, person = np.repeat(np.arange(items), overlap), who.ravel()
    right = rng.random(len(item)) < np.where(is_hard[item], accuracy[person] / 2, accuracy[person])
    lured = is_hard[item] & (rng.random(len(item)) < 0.7)
    wrong = np.where(lured, lure[item], (truth[item] + rng.integers(1, classes, len(item))) % classes)
    label = np.where(right, truth[item], wrong)
    for pair in pairs:
        _copy(rng, who, label.reshape(items, overlap), pair, copied)
    return World(Labels.of(item, person, label, items=items, people=people, classes=classes), truth, pairs)


def _put_together(rng: np.random.Generator, who: NDArray[np.intp], pair: tuple[int, int], shared: int) -> None:
    for row in rng.choice(len(who), shared, replace=False):
        others = [person for person in who[row] if person not in pair]
        who[row] = [*pair, *others[: who.shape[1] - 2]]


def _copy(rng: np.random.Generator, who: NDArray[np.intp], label: Ints, pair: tuple[int, int], copied: float) -> None:
    first, second = (who == pair[0]), (who == pair[1])
    rows = np.flatnonzero(first.any(axis=1) & second.any(axis=1) & (rng.random(len(who)) < copied))
    label[rows, second[rows].argmax(axis=1)] = label[rows, first[rows].argmax(axis=1)]


def timed(rng: np.random.Generator, labels: Labels, rushers: int, hurry: float) -> Floats:
    """Seconds per judgment: tasks, people and noise log-normal; the first people take a share `hurry` of their time."""
    task, person = rng.normal(4, 0.5, labels.items), rng.normal(0, 0.3, labels.people)
    seconds = np.exp(task[labels.item] + person[labels.person] + rng.normal(0, 0.5, len(labels)))
    return np.where(labels.person < rushers, seconds * hurry, seconds)


def repeating(rng: np.random.Generator, world: World, repeaters: int, share: float) -> World:
    """The first people repeat a share of their answers from the task before."""
    label = world.labels.label.copy()
    for person in range(repeaters):
        rows = np.flatnonzero(world.labels.person == person)
        for before, row in pairwise(rows):
            if rng.random() < share:
                label[row] = label[before]
    labels = world.labels
    changed = Labels(labels.item, labels.person, label, labels.items, labels.people, labels.classes)
    return World(changed, world.truth, world.pairs)
