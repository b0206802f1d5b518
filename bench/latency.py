"""How long one claim takes in queues of very different length, by the service on one connection."""

import time
from dataclasses import dataclass
from statistics import median
from uuid import UUID

from sqlalchemy import Engine, text

from bench.world import World, key_of
from preceptor.kit.db import make_sessions, transaction
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


def measure(world: World, tasks: int, claims: int) -> Latency:
    """Medians over so many claims each; whoever claims gives an answer's slot back by releasing between two."""
    newcomer, veteran = world.people, world.people + 1
    world.add_people(2)
    project = world.add_project(claims=claims * 4)
    world.add_tasks(project, tasks, wanted=3)
    world.let_in(project, newcomer, veteran)
    done = min(DONE_BEFORE, tasks // 2)
    _has_done(world, project, veteran, done)
    world.settle()
    # In turns, so that a busy moment of the machine meets both alike.
    seen: dict[int, list[float]] = {newcomer: [], veteran: []}
    for _ in range(claims):
        for number, times in seen.items():
            times.append(_claim_once(world, project, number))
    plan = _plan(world.engine, project, veteran, done)
    return Latency(tasks, median(seen[newcomer]) * 1000, median(seen[veteran]) * 1000, INDEX in plan)


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
