"""Ask people until the answer is sure enough, on a simulated crowd: what it costs beside asking everybody alike.

    python examples/ask_until_sure.py
    python examples/ask_until_sure.py --items 2000 --target 0.98 --worth 500

Every item gets three judgments. Then, round by round, one more is asked for each item that is still unsure and worth
it; skills are learnt from the judgments so far and from nothing else. Beside it stands a fixed number of judgments for
every item.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from preceptor.quality import Labels, Rules, wants_more
from preceptor.quality.careful import careful_fit, pooled_confusion
from preceptor.quality.labels import Ints
from preceptor.quality.truth import majority

CLASSES, PEOPLE = 3, 60


@dataclass(frozen=True)
class Crowd:
    """Judgments that would be given, (items, cap): who comes when, and what they would say."""

    truth: Ints
    person: Ints
    label: Ints

    @classmethod
    def simulated(cls, items: int, cap: int, rng: np.random.Generator) -> "Crowd":
        """People are right with chance Beta(5, 2) on most items, and seldom on one in six that is hard."""
        truth = rng.integers(CLASSES, size=items)
        person = np.argsort(rng.random((items, PEOPLE)), axis=1)[:, :cap]
        chance = np.where(rng.random(items) < 1 / 6, 0.5, 1.0)[:, None] * rng.beta(5, 2, PEOPLE)[person]
        wrong = (truth[:, None] + rng.integers(1, CLASSES, (items, cap))) % CLASSES
        return cls(truth, person, np.where(rng.random((items, cap)) < chance, truth[:, None], wrong))

    def first(self, asked: Ints) -> Labels:
        """The judgments of the first `asked` people of each item."""
        item, place = np.nonzero(np.arange(self.label.shape[1]) < asked[:, None])
        columns = (item, self.person[item, place], self.label[item, place])
        return Labels.of(*columns, items=len(self.truth), people=PEOPLE, classes=CLASSES)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Adaptive overlap on a simulated crowd.")
    parser.add_argument("--items", type=int, default=600)
    parser.add_argument("--target", type=float, default=0.95)
    parser.add_argument("--cap", type=int, default=12)
    parser.add_argument("--worth", type=float, default=100.0, help="of a right answer, in prices of a judgment")
    given = parser.parse_args(arguments)

    rules = Rules(target=given.target, cap=given.cap, price=1.0, worth=given.worth)
    crowd = Crowd.simulated(given.items, rules.cap, np.random.default_rng(5))
    asked = np.full(given.items, rules.floor, dtype=np.int64)
    while True:
        seen = crowd.first(asked)
        fit = careful_fit(seen)
        unsure = wants_more(fit.posterior, asked, rules, next_person=pooled_confusion(seen, fit))
        print(f"{len(seen) / given.items:5.2f} judgments an item: {int(unsure.sum()):4} items unsure")
        if not unsure.any():
            break
        asked[unsure] += 1

    print(f"adaptive: {asked.mean():.1f} judgments an item, accuracy {fit.accuracy_on(crowd.truth):.3f}")
    for overlap in (round(float(asked.mean())), rules.cap):
        plain = majority(crowd.first(np.full(given.items, overlap)))
        print(f"fixed:    {overlap} judgments an item, majority {plain.accuracy_on(crowd.truth):.3f}")


if __name__ == "__main__":
    main()
