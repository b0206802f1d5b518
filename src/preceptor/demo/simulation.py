"""Demo material of our own: tasks whose better answer is known by construction, judged by simulated contributors."""

import random
from collections.abc import Sequence
from itertools import combinations

from preceptor.demo.material import Answer, Material, Rater
from preceptor.demo.simulated import SimulatedContributor, judge, simulated_contributors
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
GOLD_EVERY = 12


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

    def material(self) -> Material:
        return Material(
            source="simulated",
            title=SHIPPED_TITLE,
            summary=SHIPPED_SUMMARY,
            question=SHIPPED_QUESTION,
            guidelines=SHIPPED_GUIDELINES,
            rubric=[dict(criterion) for criterion in SHIPPED_RUBRIC],
            raters=[Rater(person.email, person.name, person.email) for person in self._people.values()],
            tasks=[task_row(task, gold=number % GOLD_EVERY == 0) for number, task in enumerate(self.judged)],
            overlap=OVERLAP,
            truth={task.external_id: task.better[0] for task in self.judged if len(task.responses) == 2},
            truth_note="the answer key, known by construction",
            reward_test=[pair for task in self.held_out for pair in pairs_of(task)],
            reward_test_note="tasks that nobody judged here, with the answer known by construction",
            justification_min_chars=20,
            reads={task.external_id: task.responses for task in self.judged},
        )

    def person(self, email: str) -> SimulatedContributor:
        return self._people[email]

    def texts(self, external_id: str) -> tuple[str, ...]:
        return self._by_id[external_id].responses

    def is_wrong(self, external_id: str, ranks: Sequence[int]) -> bool:
        """Whether a judgment puts a response first that is not among the best."""
        best = self._by_id[external_id].better
        return not any(ranks[position] == 1 for position in best)

    def answer(self, email: str, external_id: str, shown: Sequence[int]) -> tuple[Answer, float]:
        """What this simulated contributor says about a task shown in this order, and in how many seconds."""
        rng = random.Random(f"{self._seed}/{email}/{external_id}")
        given = judge(self._people[email], self._by_id[external_id], rng, shown)
        strength = given.strength if len(given.ranks) == 2 else None
        return Answer(given.ranks, given.justification, strength), given.seconds


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
