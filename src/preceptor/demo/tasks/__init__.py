"""The comparison tasks that ship with the demo. The better response of each is known by construction."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from preceptor.demo.tasks import code, dates, logic, mathematics, numeracy, reading, units
from preceptor.demo.tasks.entry import entry_test_items
from preceptor.demo.tasks.model import DemoTask, Draft, Plan, finish

__all__ = ["SUBJECTS", "DemoTask", "entry_test_items", "generate_tasks"]

_PLANS: Mapping[str, Sequence[Plan]] = {
    "mathematics": mathematics.PLANS,
    "code": code.PLANS,
    "dates": dates.PLANS,
    "units": units.PLANS,
    "logic": logic.PLANS,
    "reading": reading.PLANS,
    "statistics": numeracy.PLANS,
}
SUBJECTS: tuple[str, ...] = tuple(_PLANS)

# A family has far more than this many different questions for each that is asked of it.
_DRAWS_MAX = 400


def generate_tasks(seed: int = 7) -> list[DemoTask]:
    """All demo tasks in mixed order, no prompt twice. The same seed gives the same list.

    Each family draws from its own generator, so that adding a family leaves the tasks of the others as they are.
    """
    tasks = [
        task
        for subject, plans in _PLANS.items()
        for plan in plans
        for task in _family_tasks(random.Random(f"{seed}/{subject}/{plan.name}"), subject, plan)
    ]
    random.Random(f"{seed}/order").shuffle(tasks)
    return tasks


def _family_tasks(rng: random.Random, subject: str, plan: Plan) -> list[DemoTask]:
    seen: set[str] = set()
    tasks: list[DemoTask] = []
    for _ in range(_DRAWS_MAX):
        if len(tasks) == plan.count:
            return tasks
        draft = plan.family(rng)
        if _is_usable(draft, seen):
            seen.add(_essence(draft))
            tasks.append(finish(rng, f"{subject}-{plan.name}-{len(tasks) + 1:02d}", subject, draft))
    raise ValueError(f"{subject}/{plan.name} has too few different questions")


def _is_usable(draft: Draft, seen: set[str]) -> bool:
    """New, with responses that all differ and a best one: a drawn mistake can happen to lead to the right value."""
    bodies = {answer.body for answer in draft.answers}
    merits = {answer.merit for answer in draft.answers}
    return _essence(draft) not in seen and len(bodies) == len(draft.answers) and len(merits) > 1


def _essence(draft: Draft) -> str:
    """The prompt without its phrasing: the same program asked about in other words is the same question."""
    return draft.prompt.split("```python")[-1] if "```python" in draft.prompt else draft.prompt
