"""Demo material of our own: tasks whose better answer is known by construction, judged by simulated contributors."""

import random
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from preceptor.demo.material import Answer, Material, Rater
from preceptor.demo.simulated import SimulatedContributor, chance_right, judge, simulated_contributors
from preceptor.demo.tasks import DemoTask, generate_tasks
from preceptor.demo.texts import (
    SHIPPED_GUIDELINES,
    SHIPPED_QUESTION,
    SHIPPED_RUBRIC,
    SHIPPED_SUMMARY,
    SHIPPED_TITLE,
)
from preceptor.training.reward import Pair

OVERLAP = 5
HELD_OUT = 150
"""Tasks that nobody judges, drawn with another seed for testing the reward model; no prompt is shared."""
HELD_OUT_SEED = 1009
GOLD_EVERY = 9
OVERLAP_FLOOR, OVERLAP_CAP = 3, 7
CONFIDENCE = 0.95
GOLD_PERCENT = 10
STANDARD = 0.7
VISITOR = 13
"""Place among the contributors: an honest one, better in some subjects than in others."""
WRONG_KEY_NOTE = (
    "This known answer is wrong. The generator of the demo planted it on purpose, with the ranks turned round, so that "
    "somebody challenges it and you can see what follows."
)
REVIEWER_ERRS_EVERY = 6
"""The simulated second reviewer decides every so many-th submission the wrong way round."""


class Simulation:
    """Gives the simulated contributors' judgments on whatever they claim. The same seed, the same judgments."""

    def __init__(self, seed: int = 7) -> None:
        self._seed = seed
        self.judged = generate_tasks(seed)
        prompts = {task.prompt for task in self.judged}
        others = generate_tasks(seed + HELD_OUT_SEED)
        self.held_out = [task for task in others if task.prompt not in prompts][:HELD_OUT]
        self._by_id = {task.external_id: task for task in self.judged}
        self._people = {person.email: person for person in simulated_contributors()}
        self._given: Counter[str] = Counter()
        pairs = [task for task in self.judged[::GOLD_EVERY] if len(task.responses) == 2]
        self.wrong_key = pairs[0].external_id
        """The gold task whose key is planted wrong."""
        self.gold = frozenset(task.external_id for task in self.judged[::GOLD_EVERY])
        """Tasks that come with a known answer."""

    def material(self) -> Material:
        return Material(
            source="simulated",
            title=SHIPPED_TITLE,
            summary=SHIPPED_SUMMARY,
            question=SHIPPED_QUESTION,
            guidelines=SHIPPED_GUIDELINES,
            rubric=[dict(criterion) for criterion in SHIPPED_RUBRIC],
            raters=[Rater(person.email, person.name, person.email) for person in self._people.values()],
            tasks=[self._row(task) for task in self.judged],
            overlap=OVERLAP,
            quality=dict(SETTINGS),
            truth={task.external_id: task.better[0] for task in self.judged if len(task.responses) == 2},
            truth_note="the answer key, known by construction",
            reward_test=[pair for task in self.held_out for pair in pairs_of(task)],
            reward_test_note="tasks that nobody judged here, with the answer known by construction",
            justification_min_chars=20,
            reads={task.external_id: task.responses for task in self.judged},
        )

    def _row(self, task: DemoTask) -> dict[str, object]:
        row = task_row(task, gold=task.external_id in self.gold)
        if task.external_id == self.wrong_key:
            row["gold"] = list(reversed(task.ranking))
            row["gold_explanation"] = WRONG_KEY_NOTE
        return row

    def person(self, email: str) -> SimulatedContributor:
        return self._people[email]

    def task(self, external_id: str) -> DemoTask:
        return self._by_id[external_id]

    def weak(self) -> str:
        """Who is furthest below the standard by lack of skill alone."""
        copied = {person.copies for person in self._people.values()}
        plain = [email for email, person in self._people.items() if not person.misbehaves and email not in copied]
        return min(plain, key=self.accuracy)

    def careless(self) -> str:
        """Who takes the first response shown most often."""
        return max(self._people, key=lambda email: self._people[email].first_shown_bias)

    def visitor(self) -> str:
        """Whose work the demo's contributor has done, so that a visitor finds skills, results and pay of their own."""
        return list(self._people)[VISITOR]

    def follower_of(self, email: str) -> str | None:
        """Who copies this contributor."""
        return next((person.email for person in self._people.values() if person.copies == email), None)

    def planted(self) -> list[str]:
        """Addresses of those in whose answers something is planted, or who are meant to be below the standard.

        Of a pair that shares answers both, since nobody can tell which of them copies.
        """
        copied = {person.copies for person in self._people.values()}
        return [
            email
            for email, person in self._people.items()
            if person.misbehaves or email in copied or self.accuracy(email) < STANDARD
        ]

    def accuracy(self, email: str) -> float:
        """Share of all tasks that a contributor of this skill would get right, ties and habits left aside."""
        person = self._people[email]
        return sum(chance_right(person, task) for task in self.judged) / len(self.judged)

    def is_right(self, external_id: str, ranks: Sequence[int]) -> bool:
        """Whether a judgment is that of the key."""
        return tuple(ranks) == self._by_id[external_id].ranking

    def texts(self, external_id: str) -> tuple[str, ...]:
        return self._by_id[external_id].responses

    def is_wrong(self, external_id: str, ranks: Sequence[int]) -> bool:
        """Whether a judgment puts a response first that is not among the best."""
        best = self._by_id[external_id].better
        return not any(ranks[position] == 1 for position in best)

    def answer(self, email: str, external_id: str, shown: Sequence[int]) -> tuple[Answer, float]:
        """What this simulated contributor says about a task shown in this order, and in how many seconds."""
        person = self._people[email]
        rng = random.Random(f"{self._seed}/{person.copies or email}/{external_id}")
        given = judge(person, self._by_id[external_id], rng, shown, self._given[email])
        # One contributor gives one judgment at a time, so nobody else counts here.
        self._given[email] += 1
        strength = given.strength if len(given.ranks) == 2 else None
        return Answer(given.ranks, given.justification, strength), given.seconds


SETTINGS = {
    "overlap_mode": "adaptive",
    "overlap_floor": OVERLAP_FLOOR,
    "overlap_cap": OVERLAP_CAP,
    "confidence": CONFIDENCE,
    "gold_percent": GOLD_PERCENT,
    "standard": STANDARD,
    "review_percent": 3,
    "review_mode": "risk",
    "risk_percent": 1,
    "double_percent": 25,
    "gold_review_percent": 10,
}
"""How the project of the simulated contributors asks, checks and reviews."""


def task_row(task: DemoTask, *, gold: bool = False) -> dict[str, object]:
    """A demo task as a client would import it."""
    row: dict[str, object] = {
        "external_id": task.external_id,
        "prompt": task.prompt,
        "responses": list(task.responses),
        "topic": task.subject,
    }
    if gold:
        row["gold"] = list(task.ranking)
        row["gold_explanation"] = task.explanation
    return row


def pairs_of(task: DemoTask) -> list[Pair]:
    """Every pair of a task's responses of which one is better."""
    prompt = ({"role": "user", "content": task.prompt},)
    texts = [({"role": "assistant", "content": text},) for text in task.responses]
    found = []
    for first, second in combinations(range(len(texts)), 2):
        if task.ranking[first] != task.ranking[second]:
            better, worse = sorted((first, second), key=lambda position: task.ranking[position])
            found.append(Pair(prompt, texts[better], texts[worse], topic=task.subject))
    return found
