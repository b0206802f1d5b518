"""Gold under many hands at once: nobody meets a known answer twice, and a key changes for everybody or for nobody."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from preceptor.cli.application import create_app
from preceptor.kit.clock import FixedClock
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task, TaskGold
from preceptor.projects.service.projects import update_project
from preceptor.projects.settings import ProjectChanges
from preceptor.work import service
from preceptor.work.models import Claim, Decision, Submission
from preceptor.work.models_quality import GoldChallenge, GoldResult
from preceptor.work.service import challenges, claims, gold
from preceptor.work.service.challenges import Outcome
from tests.conftest import NOW
from tests.factories import User, World, join
from tests.races.crowd import done, refused, together, wrongs
from tests.work.golden import answer_gold, golden_world, prefer

PEOPLE = 12
ROUNDS = 5
WORDS = "The second answer is the right one, as anybody can see."


class Always:
    """Every draw gives gold."""

    def random(self) -> float:
        return 0.0


@pytest.fixture
def runtime(open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> Runtime:
    monkeypatch.setattr(claims, "_DRAWS", Always())
    return open_runtime(database_connections_max=64)


def set_up(runtime: Runtime, *, people: int, gold: int) -> tuple[World, list[User]]:
    with transaction(runtime.sessions) as session:
        world = golden_world(session, FixedClock(NOW), tasks=gold + 30, gold=gold, overlap=50)
        return world, join(session, world, now=NOW, people=people)


def claim(world: World, user: User) -> Callable[[Session], Claim]:
    return lambda session: service.claim_next(session, user.actor, world.project.id, now=NOW).claim


def answer(world: World, user: User, better: str = "r1") -> Callable[[Session], Claim]:
    def work(session: Session) -> Claim:
        held = service.claim_next(session, user.actor, world.project.id, now=NOW).claim
        service.submit(session, user.actor, held.id, prefer(held, better), now=NOW)
        return held

    return work


def swept(runtime: Runtime) -> list[UUID]:
    """Four workers sweep at once; the submissions that have a result then."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: service.sweep(runtime.sessions, now=NOW), range(4)))
    with runtime.sessions() as session:
        assert session.scalar(select(func.count()).where(Submission.to_score)) == 0
        return list(session.scalars(select(GoldResult.submission_id)))


def test_many_tabs_of_each_person_never_get_the_same_gold_twice(runtime: Runtime) -> None:
    world, people = set_up(runtime, people=6, gold=4)
    for _ in range(ROUNDS):
        given = together(runtime, [answer(world, user) for user in people for _ in range(3)])
        assert set(refused(given)) <= {"already_submitted", "claim_ended"}
    with runtime.sessions() as session:
        met = session.execute(
            select(Claim.person_id, Claim.task_id, func.count())
            .join(TaskGold, TaskGold.task_id == Claim.task_id)
            .group_by(Claim.person_id, Claim.task_id)
        ).all()
    assert len(met) == 6 * 4
    assert {count for _, _, count in met} == {1}
    assert len(swept(runtime)) == 6 * 4
    assert wrongs(runtime) == []


def test_a_crowd_at_one_gold_task_is_let_through_and_counted(runtime: Runtime) -> None:
    """Whoever finds it locked gets ordinary work instead of waiting; nobody gets nothing."""
    world, people = set_up(runtime, people=PEOPLE, gold=1)
    given = together(runtime, [claim(world, user) for user in people])
    assert len(done(given)) == PEOPLE
    with runtime.sessions() as session:
        taken = session.get_one(Task, world.tasks[0].id).taken
    assert taken == Counter(each.task_id for each in done(given))[world.tasks[0].id] >= 1
    assert wrongs(runtime) == []


def test_answers_during_a_correction_are_scored_with_the_key_that_stays(runtime: Runtime) -> None:
    world, people = set_up(runtime, people=PEOPLE, gold=1)
    first, *others = people
    with transaction(runtime.sessions) as session:
        given = answer_gold(session, world, first, FixedClock(NOW), "r2")
        found = challenges.challenge_gold(session, first.actor, given.id, WORDS, now=NOW)

    def correct(session: Session) -> object:
        return challenges.decide_challenge(session, world.client.actor, found.id, Outcome.THEIRS, WORDS, now=NOW)

    together(runtime, [correct, *(answer(world, user, "r2") for user in others)])
    swept(runtime)
    with runtime.sessions() as session:
        results = session.execute(select(GoldResult.passed, GoldResult.version)).all()
    assert len(results) >= 2
    assert set(results) == {(True, 2)}
    assert wrongs(runtime) == []


def test_answers_are_scored_once_by_sweeps_reviewers_and_corrections_at_the_same_moment(runtime: Runtime) -> None:
    world, people = set_up(runtime, people=PEOPLE, gold=3)
    first, *others = people
    with transaction(runtime.sessions) as session:
        given = answer_gold(session, world, first, FixedClock(NOW), "r2")
        found = challenges.challenge_gold(session, first.actor, given.id, WORDS, now=NOW)
    for user in others:
        together(runtime, [answer(world, user, "r2")])
    with runtime.sessions() as session:
        waiting = list(session.scalars(select(Submission.id).where(Submission.to_score)))
    assert len(waiting) == PEOPLE - 1

    def approve(submission_id: UUID) -> Callable[[Session], object]:
        return lambda session: service.decide(
            session, world.reviewer.actor, submission_id, Decision.APPROVE, comment="", now=NOW
        )

    def correct(session: Session) -> object:
        return challenges.decide_challenge(session, world.client.actor, found.id, Outcome.THEIRS, WORDS, now=NOW)

    jobs: list[Callable[[Session], object]] = [approve(each) for each in waiting[::2]]
    jobs += [lambda session: gold.score_waiting(session, now=NOW)] * 4
    jobs += [lambda session: service.approve_due(session, now=NOW)] * 4
    together(runtime, [correct, *jobs])
    assert sorted(swept(runtime)) == sorted([given.id, *waiting])
    with runtime.sessions() as session:
        corrected = select(GoldResult.passed, GoldResult.version).where(GoldResult.task_id == found.task_id)
        assert set(session.execute(corrected)) == {(True, 2)}
    assert wrongs(runtime) == []


def test_a_decision_on_a_page_that_the_database_had_to_end_is_run_again(runtime: Runtime) -> None:
    """A circle of waits: somebody holds the known answer and then asks for the challenge."""
    world, people = set_up(runtime, people=1, gold=1)
    with transaction(runtime.sessions) as session:
        given = answer_gold(session, world, people[0], FixedClock(NOW), "r2")
        found = challenges.challenge_gold(session, people[0].actor, given.id, WORDS, now=NOW)
    path = f"/projects/{show_id('project', world.project.id)}/challenges/{show_id('challenge', found.id)}"
    headers = {"sec-fetch-site": "same-origin", **world.client.headers}
    app = create_app(runtime)
    with TestClient(app, follow_redirects=False, headers=headers) as client, ThreadPoolExecutor(1) as pool:
        with runtime.sessions() as other:
            other.execute(select(TaskGold).where(TaskGold.task_id == found.task_id).with_for_update())
            page = pool.submit(client.post, path, data={"outcome": "theirs", "reason": WORDS})
            wait_for_a_wait(runtime)
            # The database ends who has waited for a second when the circle is found: the page, which waited first. On a
            # machine that stood still in between it may be this one.
            with suppress(OperationalError):
                other.execute(select(GoldChallenge).where(GoldChallenge.id == found.id).with_for_update())
        assert page.result(timeout=30).status_code == 303
    with runtime.sessions() as session:
        assert session.get_one(GoldChallenge, found.id).state == "upheld"
        assert session.scalars(select(GoldResult.passed)).all() == [True]


def wait_for_a_wait(runtime: Runtime) -> None:
    """Until some transaction of this database waits for a lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with runtime.sessions() as session:
            if session.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("nobody waited for a lock")


def test_turning_the_mix_off_and_on_under_load_loses_no_place(runtime: Runtime) -> None:
    world, people = set_up(runtime, people=PEOPLE, gold=4)

    def switch(percent: int) -> Callable[[Session], object]:
        changes = ProjectChanges(gold_percent=percent)
        return lambda session: update_project(session, world.client.actor, world.project.id, changes, now=NOW)

    for percent in (0, 50, 0):
        together(runtime, [switch(percent), *(answer(world, user) for user in people)])
        assert wrongs(runtime) == []
    with runtime.sessions() as session:
        left = session.execute(select(Task.state, Task.wanted, Task.taken)).all()
    assert {state for state, _, _ in left} == {"open"}
    assert all(taken <= wanted < 1_000 for _, wanted, taken in left)
