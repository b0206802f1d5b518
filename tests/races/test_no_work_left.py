"""The last tasks at the same moment: nobody is sent away too early.

Each race ends with the proofs over all rows; the `without` tests take the lock or the constraint
away and show that the same race then ends badly, so that a promise cannot lose its guard unnoticed.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime
from preceptor.work import service
from preceptor.work.errors import NoWorkLeft
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service import ClaimedWork
from tests.conftest import NOW
from tests.factories import join
from tests.races.crowd import CROWD, done, refused, together, wrongs
from tests.races.scene import set_up


def test_everybody_gets_one_of_as_many_tasks(runtime: Runtime) -> None:
    scene = set_up(runtime, tasks=CROWD, overlap=1)
    answers = scene.everybody_claims()
    assert refused(answers) == []
    assert len({work.claim.task_id for work in done(answers)}) == CROWD
    assert wrongs(runtime) == []


def ask_while_the_last_task_is_locked(runtime: Runtime, *, first_gives_up: bool) -> ClaimedWork | AppError:
    """One person has the last task in an open transaction; another asks; then the first commits or gives up."""
    scene = set_up(runtime, 2, tasks=1, overlap=1)
    first, second = scene.people
    with ThreadPoolExecutor(1) as pool, runtime.sessions() as session:
        scene.claim(first)(session)
        asked = pool.submit(together, runtime, [scene.claim(second)])
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.5)
        if first_gives_up:
            session.rollback()
        else:
            session.commit()
        answer: ClaimedWork | AppError = asked.result(timeout=10)[0]
    return answer


def test_no_work_left_waits_for_tasks_that_are_only_locked(runtime: Runtime) -> None:
    assert isinstance(ask_while_the_last_task_is_locked(runtime, first_gives_up=True), ClaimedWork)
    assert isinstance(ask_while_the_last_task_is_locked(runtime, first_gives_up=False), NoWorkLeft)
    assert wrongs(runtime) == []


def test_without_waiting_no_work_left_is_said_too_early(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_so_at_once(*_: object) -> None:
        raise NoWorkLeft

    monkeypatch.setattr("preceptor.work.service.claims._pick_waiting", say_so_at_once)
    scene = set_up(runtime, 2, tasks=1, overlap=1)
    with runtime.sessions() as session:
        scene.claim(scene.people[0])(session)
        assert refused(together(runtime, [scene.claim(scene.people[1])])) == ["no_work_left"]
        session.rollback()


def test_a_task_given_back_meanwhile_is_found(runtime: Runtime) -> None:
    scene = set_up(runtime, tasks=8, overlap=8)
    held = done(scene.everybody_claims())
    assert len(held) == CROWD
    with transaction(runtime.sessions) as session:
        late = join(session, scene.world, now=NOW, people=16)
    owners = {user.id: user for user in scene.people}

    def release(work: ClaimedWork) -> Callable[[Session], object]:
        user = owners[work.claim.person_id]
        return lambda session: service.release_claim(session, user.actor, work.claim.id, now=NOW)

    jobs: list[Callable[[Session], object]] = [release(work) for work in held[:16]]
    together(runtime, jobs + [scene.claim(user) for user in late])
    still = together(runtime, [scene.claim(user) for user in late])
    assert refused(still) == []
    assert scene.count(Claim, Claim.state == ClaimState.OPEN) == CROWD
    assert wrongs(runtime) == []
