"""A drop: a queue has just been filled, and everybody who waited asks at once."""

from dataclasses import dataclass
from statistics import median

from bench import load
from bench.load import Ask
from bench.server import Server
from bench.world import World, key_of
from preceptor.kit.ids import show_id

PEOPLE = 500


@dataclass(frozen=True)
class Drop:
    people: int
    served: int
    different_tasks: int
    median_seconds: float
    last_has_work_after_seconds: float


def measure(server: Server, world: World) -> Drop:
    """Everybody on a connection of their own; one task for each."""
    first = world.people
    world.add_people(PEOPLE)
    project = world.add_project(claims=PEOPLE)
    world.let_in(project, first, first + PEOPLE - 1)
    world.settle()
    world.add_tasks(project, PEOPLE, wanted=1)
    path = f"/api/v1/projects/{show_id('project', project)}/claims"
    seen = load.run(server.port, PEOPLE, [Ask(path, key_of(first + n)) for n in range(PEOPLE)])
    served = [task for status, _, task in seen.answers if status == 201]
    return Drop(PEOPLE, len(served), len(set(served)), median(seen.latencies), max(seen.latencies))
