"""Many people at once in a project with adaptive overlap: nothing beyond the cap, nobody stranded, no ask too many."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.kit.db import run_in_transaction, transaction
from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import OverlapMode, Task
from preceptor.projects.service.projects import update_project
from preceptor.projects.settings import ProjectChanges
from preceptor.work import queries_quality, rules_quality, service
from preceptor.work.errors import NoWorkLeft
from preceptor.work.models import Claim, ClaimState, Decision, Submission
from preceptor.work.models_quality import AnswerState, TaskQuality
from preceptor.work.service import CriterionVerdict, overlap
from tests.conftest import NOW
from tests.factories import User, World, join, make_world
from tests.races.crowd import wrongs
from tests.work.adaptive import TIE, A, B, shown

PEOPLE = 24
TASKS = 6
CAP = 6
ROUNDS = 6
MakeRuntime = Callable[..., Runtime]


@dataclass(frozen=True)
class Crowd:
    runtime: Runtime
    world: World
    people: list[User]

    @property
    def project_id(self) -> UUID:
        return self.world.project.id


@pytest.fixture
def runtime(open_runtime: MakeRuntime) -> Runtime:
    return open_runtime(database_connections_max=PEOPLE + 4)


def make_crowd(runtime: Runtime) -> Crowd:
    with transaction(runtime.sessions) as session:
        world = make_world(session, now=NOW, tasks=TASKS, overlap=3, budget_minor=1_000_000)
        project = world.project
        project.overlap_mode, project.overlap_floor, project.overlap_cap = OverlapMode.ADAPTIVE, 3, CAP
        return Crowd(runtime, world, join(session, world, now=NOW, people=PEOPLE))


def work_on(crowd: Crowd, user: User, seed: int, *, careless: bool = False) -> None:
    """Takes tasks until none is left; answers mostly alike, sometimes gives one back."""
    draws = random.Random(seed)
    idle = 0
    while idle < 3:
        try:
            claim = run_in_transaction(crowd.runtime.sessions, partial(take, crowd, user))
        except NoWorkLeft:
            idle += 1
            continue
        if careless and draws.random() < 0.25:
            leave(crowd, user, claim)
        else:
            better = draws.choices([A, B, TIE], [0.6, 0.3, 0.1])[0]
            run_in_transaction(crowd.runtime.sessions, partial(answer, user, claim, better))


def take(crowd: Crowd, user: User, session: Session) -> Claim:
    return service.claim_next(session, user.actor, crowd.project_id, now=NOW).claim


def answer(user: User, claim: Claim, better: str, session: Session) -> UUID:
    return service.submit(session, user.actor, claim.id, shown(claim.display_order, better), now=NOW).id


def leave(crowd: Crowd, user: User, claim: Claim) -> None:
    run_in_transaction(
        crowd.runtime.sessions,
        lambda session: service.skip_claim(session, user.actor, claim.id, "unclear", now=NOW),
    )


def everybody_works(crowd: Crowd, others: list[Callable[[], None]] | None = None, *, careless: bool = False) -> None:
    gate = threading.Barrier(len(crowd.people) + len(others or []))

    def begin(job: Callable[[], None]) -> None:
        gate.wait()
        job()

    jobs: list[Callable[[], None]] = [
        partial(work_on, crowd, user, seed, careless=careless) for seed, user in enumerate(crowd.people)
    ]
    with ThreadPoolExecutor(len(jobs) + len(others or [])) as pool:
        for finished in [pool.submit(begin, job) for job in [*jobs, *(others or [])]]:
            finished.result()


def stranded(crowd: Crowd) -> list[str]:
    """What must not exist when the dust has settled, by what the rows say and by deciding anew."""
    found = []
    with crowd.runtime.sessions() as session:
        live = set(
            session.scalars(select(Claim.task_id).where(Claim.state.in_([ClaimState.OPEN, ClaimState.RETURNED])))
        )
        ids = [task.id for task in crowd.world.tasks]
        for row in session.execute(queries_quality.STANDING, {"task_ids": ids}):
            confidence = overlap.weigh(row).confidence
            plan = rules_quality.plan(overlap.terms_of(row), taken=row.taken, done=row.done, confidence=confidence)
            if row.done and (plan.wanted, plan.state) != (row.wanted, row.answer_state or "asking"):
                found.append(f"{row.wanted} wanted, {row.taken} taken, {row.done} done, {row.answer_state}: {plan}")
            if plan.state is AnswerState.ASKING and row.taken == row.wanted and row.id not in live:
                found.append("unsure, no free place, and nobody at work")
            if row.done > row.overlap_cap and row.overlap_mode == OverlapMode.ADAPTIVE:
                found.append(f"{row.done} judgments with a cap of {row.overlap_cap}")
    return found


def asked_in_vain(crowd: Crowd) -> list[int]:
    """Tasks in which somebody was asked although those before had made it sure."""
    found = []
    with crowd.runtime.sessions() as session:
        for row in session.execute(queries_quality.STANDING, {"task_ids": [task.id for task in crowd.world.tasks]}):
            for before in range(3, row.done):
                earlier = _Earlier(row, row.answers[:before])
                if overlap.weigh(earlier).confidence >= row.confidence:  # type: ignore[arg-type]
                    found.append(before)
    return found


class _Earlier:
    """A row as it was when fewer had answered."""

    def __init__(self, row: Any, answers: list[Any]) -> None:
        self._row, self.answers = row, answers

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)


def test_everybody_at_once_ends_as_one_after_the_other(runtime: Runtime) -> None:
    crowd = make_crowd(runtime)
    everybody_works(crowd)
    assert stranded(crowd) == []
    assert asked_in_vain(crowd) == []
    assert wrongs(runtime) == []
    with runtime.sessions() as session:
        states = set(session.scalars(select(TaskQuality.state)))
    assert states <= {AnswerState.RESOLVED, AnswerState.ESCALATED}


def test_places_given_back_are_taken_again(runtime: Runtime) -> None:
    crowd = make_crowd(runtime)
    everybody_works(crowd, careless=True)
    assert stranded(crowd) == []
    assert wrongs(runtime) == []


def test_rejections_meanwhile_open_places_and_strand_nobody(runtime: Runtime) -> None:
    crowd = make_crowd(runtime)

    def reject_some() -> None:
        draws = random.Random(1)
        for _ in range(12):
            run_in_transaction(runtime.sessions, lambda session: _reject_one(crowd, session, draws))

    everybody_works(crowd, [reject_some])
    assert stranded(crowd) == []
    assert wrongs(runtime) == []


def _reject_one(crowd: Crowd, session: Session, draws: random.Random) -> None:
    waiting = list(session.scalars(select(Submission.id).where(Submission.state == "submitted")))
    if not waiting:
        return
    verdicts = [CriterionVerdict(key="right", verdict="not_met", comment="It is not right.")]
    try:
        service.decide(
            session,
            crowd.world.reviewer.actor,
            draws.choice(waiting),
            Decision.REJECT,
            comment="The sum is wrong, and the reason does not mention it at all.",
            criteria=verdicts,
            now=NOW,
        )
    except AppError:
        return


def test_settings_that_change_meanwhile_hold_for_every_task(runtime: Runtime) -> None:
    crowd = make_crowd(runtime)
    changes = [
        ProjectChanges(overlap_mode=OverlapMode.FIXED, overlap=4),
        ProjectChanges(overlap_mode=OverlapMode.ADAPTIVE, overlap_floor=4, overlap_cap=5),
        ProjectChanges(overlap_floor=3, confidence=0.8),
        ProjectChanges(overlap_cap=CAP, confidence=0.99),
    ]

    def change_to(change: ProjectChanges, session: Session) -> None:
        update_project(session, crowd.world.client.actor, crowd.project_id, change, now=NOW)

    def change_settings() -> None:
        for change in changes:
            run_in_transaction(runtime.sessions, partial(change_to, change))
            overlap.reconsider_project(runtime.sessions, crowd.project_id, now=NOW)

    everybody_works(crowd, [change_settings])
    # Who had gone home when the last change came finds what it has opened.
    everybody_works(crowd)
    assert stranded(crowd) == []
    assert wrongs(runtime) == []


def test_without_reading_under_the_lock_tasks_are_stranded(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decision taken on what was committed before, as it would be outside the submission's transaction."""
    right = overlap.weigh

    def decide_outside(session: Session, task_id: UUID, *, now: datetime) -> None:
        with runtime.sessions() as other:
            seen = other.execute(queries_quality.STANDING, {"task_ids": [task_id]}).one()
        plan = rules_quality.plan(
            overlap.terms_of(seen), taken=seen.taken, done=seen.done, confidence=right(seen).confidence
        )
        task = session.get_one(Task, task_id, populate_existing=True)
        task.wanted = max(task.taken, plan.wanted)
        session.flush()

    monkeypatch.setattr(overlap, "after_submission", decide_outside)

    def ends_badly() -> bool:
        crowd = make_crowd(runtime)
        everybody_works(crowd)
        return bool(stranded(crowd))

    assert any(ends_badly() for _ in range(ROUNDS))
