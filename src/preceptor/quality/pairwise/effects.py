"""What one vote depends on: additive effects of items, people and pairs on its log odds and on its chance of a tie."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from preceptor.quality.labels import Floats, Ints
from preceptor.quality.pairwise.comparisons import LEFT, RIGHT, TIE, sums
from preceptor.quality.pairwise.davidson import log_chances


class Effect(StrEnum):
    """Groups of effects, each with its own spread.

    `strength` of an item, seen by everybody; `acuity` of a person, by which strengths are multiplied (1 + effect: 0
    is noise, below it the wrong way round); `side`, a person's pull to the left; `view`, what a person sees in an
    item beyond everybody; `ties` a person makes; `ties_here`, in this connected group of items; `closeness` of a
    pair, which makes everybody call it a tie.
    """

    STRENGTH = "strength"
    ACUITY = "acuity"
    SIDE = "side"
    VIEW = "view"
    TIES = "ties"
    TIES_HERE = "ties_here"
    CLOSENESS = "closeness"


Spreads = dict[Effect, float]
"""Prior standard deviation of each group of effects, in logits (acuity: as a factor)."""


@dataclass(frozen=True)
class Keys:
    """Numbers for the keys that votes have, in sorted order. A key without a number gets `len(self)`."""

    known: Ints

    @classmethod
    def of(cls, *keys: Ints) -> "Keys":
        return cls(np.unique(np.concatenate(keys)))

    def __len__(self) -> int:
        return len(self.known)

    def place(self, keys: Ints) -> Ints:
        if len(self.known) == 0:
            return np.zeros(len(keys), dtype=np.int64)
        at = np.minimum(np.searchsorted(self.known, keys), len(self.known) - 1)
        return np.where(self.known[at] == keys, at, len(self.known)).astype(np.int64)


@dataclass(frozen=True)
class Slots:
    """Where each vote finds its effects in one group: columns of places, each with the sign it counts with.

    `size` is the number of effects; a place equal to `size` stands for nothing known, an effect of 0.
    """

    size: int
    columns: tuple[tuple[Ints, float], ...]

    def of_votes(self, effects: Floats) -> Floats:
        padded = np.append(effects, 0.0)
        total = np.zeros(len(self.columns[0][0]))
        for place, sign in self.columns:
            total += sign * padded[place]
        return total

    def back(self, to_votes: Floats) -> Floats:
        """Derivatives by votes (n,) as derivatives by effects (size,)."""
        total = np.zeros(self.size + 1)
        for place, sign in self.columns:
            total += sums(place, sign * to_votes, self.size + 1)
        return total[:-1]


@dataclass(frozen=True)
class Scene:
    """Places of a set of votes in all groups of effects."""

    slots: dict[Effect, Slots]


@dataclass(frozen=True)
class Scores:
    """What each vote's chances are made of, shapes (n,): the pull to the left, its parts, and the score of a tie."""

    gap: Floats
    acuity: Floats
    log_odds: Floats
    tie: Floats

    def log_chances(self) -> Floats:
        return log_chances(self.log_odds, self.tie)


@dataclass(frozen=True)
class VotePosterior:
    """Log posterior of all effects, in units of their spreads, and of two common levels (left, tie) at the end."""

    scene: Scene
    outcome: Ints
    spreads: Spreads
    level_sd: float
    offsets: dict[Effect, int] = field(init=False)

    def __post_init__(self) -> None:
        sizes = [slots.size for slots in self.scene.slots.values()]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        object.__setattr__(self, "offsets", {e: int(s) for e, s in zip(self.scene.slots, starts, strict=False)})

    @property
    def size(self) -> int:
        return sum(slots.size for slots in self.scene.slots.values()) + 2

    def effects(self, at: Floats) -> dict[Effect, Floats]:
        return {
            effect: self.spreads[effect] * at[self.offsets[effect] : self.offsets[effect] + slots.size]
            for effect, slots in self.scene.slots.items()
        }

    def lack(self, at: Floats) -> tuple[float, Floats]:
        """Minus the log posterior, and its gradient."""
        scores = scored(self.scene, self.effects(at), at[-2:])
        log_chance = scores.log_chances()
        chance = np.exp(log_chance)
        rows = np.arange(len(self.outcome))
        signed = (self.outcome == LEFT) * 1.0 - (self.outcome == RIGHT)
        to_odds = (signed - chance[:, LEFT] + chance[:, RIGHT]) / 2
        to_tie = (self.outcome == TIE) - chance[:, TIE]
        precision = np.ones(self.size)
        precision[-2:] = self.level_sd**-2
        gradient = np.empty(self.size)
        for effect, slots in self.scene.slots.items():
            start = self.offsets[effect]
            back = slots.back(_TO_EFFECT[effect](scores, to_odds, to_tie))
            gradient[start : start + slots.size] = self.spreads[effect] * back
        gradient[-2:] = to_odds.sum(), to_tie.sum()
        value = log_chance[rows, self.outcome].sum() - 0.5 * (precision * at**2).sum()
        return -float(value), precision * at - gradient


def scored(scene: Scene, effects: dict[Effect, Floats], levels: Floats) -> Scores:
    """Scores of votes: log odds = level + acuity x (strength gap) + views + side; tie = level + all about ties."""
    of_votes = {effect: slots.of_votes(effects[effect]) for effect, slots in scene.slots.items()}
    gap, acuity = of_votes[Effect.STRENGTH], 1.0 + of_votes[Effect.ACUITY]
    log_odds = levels[0] + acuity * gap + of_votes[Effect.VIEW] + of_votes[Effect.SIDE]
    about_ties = [of_votes[e] for e in (Effect.TIES, Effect.TIES_HERE, Effect.CLOSENESS)]
    return Scores(gap, acuity, log_odds, levels[1] + sum(about_ties, start=np.zeros(len(gap))))


_Chain = Callable[[Scores, Floats, Floats], Floats]
_TO_EFFECT: dict[Effect, _Chain] = {
    Effect.STRENGTH: lambda scores, to_odds, to_tie: to_odds * scores.acuity,
    Effect.ACUITY: lambda scores, to_odds, to_tie: to_odds * scores.gap,
    Effect.SIDE: lambda scores, to_odds, to_tie: to_odds,
    Effect.VIEW: lambda scores, to_odds, to_tie: to_odds,
    Effect.TIES: lambda scores, to_odds, to_tie: to_tie,
    Effect.TIES_HERE: lambda scores, to_odds, to_tie: to_tie,
    Effect.CLOSENESS: lambda scores, to_odds, to_tie: to_tie,
}
