"""How long one claim takes in queues of very different length, by the service on one connection."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from sqlalchemy import Engine, text

from bench.server import Server
from bench.world import World, key_of
from preceptor.kit.db import make_engine, make_sessions, transaction
from preceptor.migrations import upgrade
from preceptor.people.identify import by_api_key
from preceptor.work import queries, service

DONE_BEFORE = 10_000
"""Tasks that the veteran has judged already and that others may still take."""
INDEX = "ix_task_claimable"
_DONE = text("""
    WITH first AS (SELECT id FROM task WHERE project_id = :project_id ORDER BY position LIMIT :done),
    counted AS (UPDATE task t SET taken = 1, done = 1 FROM first WHERE t.id = first.id)
    INSERT INTO claim (id, task_id, project_id, person_id, state, leased_until, rate_minor, currency, money_part,
                       display_order, draft_number, worked_seconds, created_at)
    SELECT uuidv7(), id, :project_id, :person_id, 'submitted', :now, 0, 'USD', 0, '{r1,r2}', 0, 0, :now FROM first
""")
_CURSOR = text("UPDATE membership SET cursor = :cursor WHERE project_id = :project_id AND person_id = :person_id")


@dataclass(frozen=True)
class Latency:
    tasks: int
    median_ms: float
    veteran_ms: float
    """Of a person who has judged the first 10,000 tasks (or half of a shorter queue), all of them still open."""
    uses_index: bool


@dataclass(frozen=True)
class _Queue:
    """A queue of so many tasks in a database of its own, with a newcomer (0) and a veteran (1)."""

    tasks: int
    world: World
    project: UUID
    done: int


def measure(server: Server, sizes: Sequence[int], claims: int) -> list[Latency]:
    """Medians over so many claims each; whoever has claimed skips the task before the next claim.

    All queues and both people take turns, so that a busy moment of the machine meets them alike.
    """
    queues = [_filled(server, tasks, claims) for tasks in sizes]
    seen: dict[tuple[int, int], list[float]] = {(queue.tasks, number): [] for queue in queues for number in (0, 1)}
    for _ in range(claims):
        for queue in queues:
            for number in (0, 1):
                seen[queue.tasks, number].append(_claim_once(queue.world, queue.project, number))
    found = [
        Latency(
            queue.tasks,
            median(seen[queue.tasks, 0]) * 1000,
            median(seen[queue.tasks, 1]) * 1000,
            INDEX in _plan(queue.world.engine, queue.project, 1, queue.done),
        )
        for queue in queues
    ]
    for queue in queues:
        queue.world.engine.dispose()
    return found


def _filled(server: Server, tasks: int, claims: int) -> _Queue:
    name = f"latency_{tasks}"
    server.execute(f"CREATE DATABASE {name}")
    engine = make_engine(urlunsplit(urlsplit(server.url)._replace(path=f"/{name}")))
    upgrade(engine)
    world = World.made(engine)
    world.add_people(2)
    project = world.add_project(claims=claims * 4)
    world.add_tasks(project, tasks, wanted=3)
    world.let_in(project, 0, 1)
    done = min(DONE_BEFORE, tasks // 2)
    _has_done(world, project, 1, done)
    world.settle()
    return _Queue(tasks, world, project, done)


def _has_done(world: World, project: UUID, number: int, done: int) -> None:
    who = {"project_id": project, "person_id": _person(world, number), "now": world.now}
    with world.engine.begin() as connection:
        connection.execute(_DONE, who | {"done": done})
        connection.execute(_CURSOR, who | {"cursor": done - 1})


def _claim_once(world: World, project: UUID, number: int) -> float:
    sessions = make_sessions(world.engine)
    began = time.perf_counter()
    with transaction(sessions) as session:
        actor = by_api_key(session, key_of(number), now=world.now).actor
        claim = service.claim_next(session, actor, project, now=world.now).claim
    spent = time.perf_counter() - began
    with transaction(sessions) as session:
        service.skip_claim(session, actor, claim.id, "other", now=world.now)
    return spent


def _person(world: World, number: int) -> UUID:
    with world.engine.connect() as connection:
        found: UUID = connection.execute(text("SELECT person_number(:n)"), {"n": number}).scalar_one()
        return found


def _plan(engine: Engine, project: UUID, number: int, cursor: int) -> str:
    values = {"project_id": project, "person_id": UUID(int=number), "after": cursor, "until": 2**62}
    with engine.connect() as connection:
        rows = connection.execute(text("EXPLAIN " + queries.PICK_FREE.text), values).scalars()
        return "\n".join(rows)
