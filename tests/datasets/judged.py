"""A project with decided judgments, made by the services and committed, since a build reads committed rows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import preceptor.datasets.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.datasets import service as datasets
from preceptor.datasets.models import Release
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import GuidelinesVersion, Task, TaskGold
from preceptor.work import service as work
from preceptor.work.models import Decision, Submission
from preceptor.work.service import CriterionVerdict
from tests import factories
from tests.factories import User, World

GUIDELINES = "# Sums\n\nThe right sum is better. <b>Really.</b>"


@dataclass
class Judged:
    """A project, the people who work in it, and the time there."""

    runtime: Runtime
    world: World
    people: list[User]
    now: datetime

    @property
    def project_id(self) -> UUID:
        return self.world.project.id

    def judge(self, person: User, better: str, *, seconds: int = 20) -> UUID:
        """The person takes the next task, prefers `better` ("r1", "r2" or "tie") and submits."""
        with self.runtime.sessions.begin() as session:
            claimed = work.claim_next(session, person.actor, self.project_id, now=self.now)
            work.beat(session, person.actor, claimed.claim.id, now=self.now + timedelta(seconds=seconds))
            answer = _shown(claimed.claim.display_order, better)
            self.now += timedelta(seconds=seconds)
            return work.submit(session, person.actor, claimed.claim.id, answer, now=self.now).id

    def decide(self, submission_id: UUID, decision: Decision) -> None:
        with self.runtime.sessions.begin() as session:
            found = session.get_one(Submission, submission_id)
            found.review_wanted = True
            session.flush()
            verdicts = [CriterionVerdict(key="right", verdict="not_met", comment="It is not right.", quote="")]
            work.decide(
                session,
                self.world.reviewer.actor,
                submission_id,
                decision,
                comment="The sum is wrong, and the reason does not mention it at all.",
                criteria=verdicts if decision is Decision.REJECT else [],
                worked_seconds=5,
                now=self.now,
            )

    def approve_all(self) -> None:
        with self.runtime.sessions.begin() as session:
            work.approve_due(session, now=self.now + timedelta(days=10))

    def make_gold(self, task: Task) -> None:
        with self.runtime.sessions.begin() as session:
            session.add(
                TaskGold(
                    task_id=task.id, project_id=self.project_id, answer={"ranks": {"r1": 1, "r2": 2}}, explanation=""
                )
            )

    def give_imported_answer(self, task: Task, better: str, votes: dict[str, int]) -> None:
        with self.runtime.sessions.begin() as session:
            found = session.get_one(Task, task.id)
            other = "r2" if better == "r1" else "r1"
            found.imported_answer, found.imported_votes = {"ranks": {better: 1, other: 2}}, votes

    def release(self, title: str = "First") -> Release:
        with self.runtime.sessions.begin() as session:
            asked = datasets.request_release(session, self.world.client.actor, self.project_id, title, now=self.now)
        return datasets.build_release(self.runtime, asked.id)


def _shown(order: list[str], better: str) -> dict[str, Any]:
    letters = dict(zip(order, "AB", strict=True))
    if better == "tie":
        return {"ranks": {"A": 1, "B": 1}, "strength": 0, "justification": "Both of them are the same to me."}
    worse = next(name for name in order if name != better)
    ranks = {letters[better]: 1, letters[worse]: 2}
    return {"ranks": ranks, "strength": 2, "justification": "This one adds up, and the other does not."}


def make_judged(runtime: Runtime, *, tasks: int, people: int, overlap: int, now: datetime) -> Judged:
    """An open, funded project with guidelines that these people have joined; nothing is judged yet."""
    with runtime.sessions.begin() as session:
        world = factories.make_world(session, now=now, tasks=tasks, overlap=overlap)
        version = GuidelinesVersion(project_id=world.project.id, number=1, body=GUIDELINES, created_at=now)
        session.add(version)
        session.flush()
        world.project.guidelines_version_id = version.id
        joined = factories.join(session, world, now=now, people=people)
    return Judged(runtime, world, joined, now)
