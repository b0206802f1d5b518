"""A project that mixes in tasks with known answers, for tests."""

from typing import Any

from sqlalchemy.orm import Session

import preceptor.people.jobs
import preceptor.projects.jobs
import preceptor.work.jobs  # noqa: F401  (registers what the services defer)
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM
from preceptor.projects.models import Task, TaskGold
from preceptor.projects.service.projects import update_project
from preceptor.projects.settings import ProjectChanges
from preceptor.work import service as work
from preceptor.work.models import Claim, Submission
from preceptor.work.service import deciding, gold
from tests.factories import User, World, make_world


def golden_world(
    session: Session, clock: FixedClock, *, tasks: int = 8, gold: int = 3, percent: int = 50, overlap: int = 2
) -> World:
    """A world whose first tasks have a known answer (`r1`), mixed in at that rate."""
    world = make_world(session, now=clock.now(), tasks=tasks, overlap=overlap, budget_minor=1_000_000)
    for task in world.tasks[:gold]:
        know(session, task)
    mix(session, world, percent, clock)
    return world


def know(session: Session, task: Task, better: str = "r1") -> TaskGold:
    worse = "r2" if better == "r1" else "r1"
    known = TaskGold(
        task_id=task.id, project_id=task.project_id, answer={"ranks": {better: 1, worse: 2}}, explanation="It adds up."
    )
    session.add(known)
    session.flush()
    return known


def mix(session: Session, world: World, percent: int, clock: FixedClock) -> None:
    """Set the share of gold, as the client does."""
    update_project(session, world.client.actor, world.project.id, ProjectChanges(gold_percent=percent), now=clock.now())
    for task in world.tasks:
        session.refresh(task)


def prefer(claim: Claim, better: str = "r1") -> dict[str, Any]:
    """An answer in the names that this claim shows."""
    shown = dict(zip(claim.display_order, "AB", strict=True))
    worse = "r2" if better == "r1" else "r1"
    why = "This one adds up, and the other does not."
    return {"ranks": {shown[better]: 1, shown[worse]: 2}, "strength": 2, "justification": why}


def submit_and_sweep(session: Session, person: User, held: Claim, clock: FixedClock, better: str = "r1") -> Submission:
    """Submit an answer; the step of the sweep that compares answers to gold comes by."""
    given = work.submit(session, person.actor, held.id, prefer(held, better), now=clock.now())
    gold.score_waiting(session, now=clock.now())
    return given


def answer_gold(
    session: Session, world: World, person: User, clock: FixedClock, better: str = "r1", *, decided: bool = True
) -> Submission:
    """Work until a gold task comes up, and answer it; what comes before is given back."""
    while True:
        held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
        task = session.get_one(Task, held.claim.task_id)
        session.refresh(task)
        if task.state == "gold":
            break
        work.submit(session, person.actor, held.claim.id, prefer(held.claim), now=clock.now())
    given = submit_and_sweep(session, person, held.claim, clock, better)
    if decided:
        deciding.approve(session, SYSTEM, [given], "not sampled for review", now=clock.now())
    return given
