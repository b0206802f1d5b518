"""A project with adaptive overlap, and people who answer its tasks."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.projects.models import OverlapMode, Task
from preceptor.work import service
from preceptor.work.models import Claim
from preceptor.work.models_quality import TaskQuality
from tests.factories import World, join, make_world

A, B, TIE = "r1", "r2", "tie"


def shown(order: list[str], better: str) -> dict[str, Any]:
    """The answer that prefers one response (or neither), in the names that a person was shown."""
    letters = dict(zip(order, "AB", strict=True))
    if better == TIE:
        return {"ranks": {"A": 1, "B": 1}, "strength": 0, "justification": "Both of them are the same to me."}
    worse = next(name for name in order if name != better)
    ranks = {letters[better]: 1, letters[worse]: 2}
    return {"ranks": ranks, "strength": 2, "justification": "This one adds up, and the other does not."}


@dataclass
class Asking:
    """A session, a project that asks adaptively, and what has happened to its tasks."""

    session: Session
    world: World
    now: datetime

    @property
    def project_id(self) -> UUID:
        return self.world.project.id

    def task(self, number: int = 0) -> Task:
        found = self.world.tasks[number]
        self.session.refresh(found)
        return found

    def quality(self, number: int = 0) -> TaskQuality:
        return self.session.get_one(TaskQuality, self.world.tasks[number].id, populate_existing=True)

    def claim(self, number: int = 0) -> Claim:
        """Somebody who is new here takes the task."""
        person = join(self.session, self.world, now=self.now)[0]
        task_id = self.world.tasks[number].id
        claim = service.claim_task(self.session, person.actor, self.project_id, task_id, now=self.now).claim
        self.actors[claim.id] = person.actor
        return claim

    def submit(self, claim: Claim, better: str) -> UUID:
        answer = shown(claim.display_order, better)
        return service.submit(self.session, self.actors[claim.id], claim.id, answer, now=self.now).id

    def judge(self, *votes: str, number: int = 0) -> list[UUID]:
        """One new person after the other takes the task and answers."""
        return [self.submit(self.claim(number), vote) for vote in votes]

    def __post_init__(self) -> None:
        self.actors: dict[UUID, Any] = {}

    def counts(self, number: int = 0) -> tuple[int, int, int]:
        task = self.task(number)
        return task.wanted, task.taken, task.done


def make_asking(session: Session, *, now: datetime, tasks: int = 1, **settings: Any) -> Asking:
    """Floor 3, cap 7, target .95 unless said otherwise."""
    world = make_world(session, now=now, tasks=tasks, overlap=3)
    world.project.overlap_mode = OverlapMode.ADAPTIVE
    for name, value in settings.items():
        setattr(world.project, name, value)
    session.flush()
    return Asking(session, world, now)
