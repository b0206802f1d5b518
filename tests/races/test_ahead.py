"""Tasks that are set aside as somebody's next, at the same moment: nobody shares a place, and nobody is sent away.

Each race ends with the proofs over all rows; the `without` test takes the lock and the index away and shows that the
same race then ends badly.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.runtime import Runtime
from preceptor.work import queries, rules_ahead, service
from preceptor.work.models import Claim, ClaimState, Submission
from preceptor.work.service import ClaimedWork
from tests.conftest import NOW
from tests.factories import User, join
from tests.races.crowd import done, refused, take_away, together, without, wrongs
from tests.races.scene import RATE, ROUNDS, Scene, set_up

LATER = NOW + rules_ahead.LEASE + timedelta(seconds=1)


def fetch(user: User, claim_id: UUID) -> Callable[[Session], ClaimedWork | None]:
    return lambda session: service.fetch_ahead(session, user.actor, claim_id, now=NOW)


def held_by_each(scene: Scene, state: ClaimState) -> list[int]:
    with scene.runtime.sessions() as session:
        counted = select(func.count()).where(Claim.project_id == scene.project_id, Claim.state == state)
        return list(session.scalars(counted.group_by(Claim.person_id)))


def at_work(runtime: Runtime, people: int, **more: int) -> tuple[Scene, list[UUID]]:
    """Everybody has claimed one task."""
    scene = set_up(runtime, people, **more)
    with transaction(runtime.sessions) as session:
        return scene, [scene.claim(user)(session).claim.id for user in scene.people]


def race_of_many_tabs(runtime: Runtime) -> Scene:
    """Eight people with eight tabs each fetch ahead in all of them."""
    scene, claims = at_work(runtime, 8, tasks=40, overlap=2)
    tabs = [fetch(user, claim) for user, claim in zip(scene.people, claims, strict=True) for _ in range(8)]
    assert refused(together(runtime, tabs)) == []
    return scene


def test_many_tabs_set_one_task_aside_each(runtime: Runtime) -> None:
    scene = race_of_many_tabs(runtime)
    assert held_by_each(scene, ClaimState.AHEAD) == [1] * 8
    assert held_by_each(scene, ClaimState.OPEN) == [1] * 8
    assert scene.escrow_and_reserved()[1] == 16 * RATE
    assert wrongs(runtime) == []


def test_without_membership_lock_and_index_many_tabs_set_more_aside(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(runtime, "DROP INDEX uq_claim_ahead", "DROP INDEX uq_claim_task_person")
    monkeypatch.setattr(queries, "LOCK_MEMBERSHIP", without(queries.LOCK_MEMBERSHIP, "FOR UPDATE OF m"))
    assert any(max(held_by_each(race_of_many_tabs(runtime), ClaimState.AHEAD)) > 1 for _ in range(ROUNDS))


def test_fetching_while_submitting_leaves_one_open_task_and_no_more_than_one_aside(runtime: Runtime) -> None:
    scene, claims = at_work(runtime, 12, tasks=60, overlap=2)

    def submit_and_go_on(user: User, claim_id: UUID) -> Callable[[Session], ClaimedWork]:
        def go(session: Session) -> ClaimedWork:
            claim = session.get_one(Claim, claim_id)
            scene.submit(claim, user)(session)
            return scene.claim(user)(session)

        return go

    pairs = list(zip(scene.people, claims, strict=True))
    jobs: list[Callable[[Session], ClaimedWork | None]] = [fetch(*pair) for pair in pairs]
    jobs += [submit_and_go_on(*pair) for pair in pairs]
    assert refused(together(runtime, jobs)) == []
    assert held_by_each(scene, ClaimState.OPEN) == [1] * 12
    assert scene.count(Submission) == 12
    assert held_by_each(scene, ClaimState.AHEAD) == [], "what was set aside is what was opened"
    assert wrongs(runtime) == []


def test_people_who_fetch_ahead_work_a_queue_empty_and_share_no_place(runtime: Runtime) -> None:
    scene = set_up(runtime, 12, tasks=30, overlap=3)

    def work_on(user: User) -> int:
        finished = 0
        while claimed := done(together(runtime, [scene.claim(user)])):
            claim = claimed[0].claim
            assert refused(together(runtime, [fetch(user, claim.id)])) == []
            finished += len(done(together(runtime, [scene.submit(claim, user)])))
        return finished

    with ThreadPoolExecutor(len(scene.people)) as pool:
        finished = sum(pool.map(work_on, scene.people))
    assert finished == 30 * 3, "no work left is only said when there is none"
    assert held_by_each(scene, ClaimState.AHEAD) == []
    assert scene.escrow_and_reserved()[1] == finished * RATE
    assert wrongs(runtime) == []


def test_the_last_tasks_set_aside_go_to_those_who_have_nothing(runtime: Runtime) -> None:
    scene, claims = at_work(runtime, 2, tasks=8, overlap=1)
    assert len(done(together(runtime, [fetch(scene.people[0], claims[0])]))) == 1
    with transaction(runtime.sessions) as session:
        waiting = join(session, scene.world, now=NOW, people=9)
    answers = together(runtime, [scene.claim(user) for user in waiting])
    assert Counter(refused(answers)) == {"no_work_left": 3}
    assert len({work.claim.task_id for work in done(answers)}) == 6
    assert wrongs(runtime) == []


def test_beginning_letting_go_taking_over_and_sweeping_at_once_end_well(runtime: Runtime) -> None:
    scene, claims = at_work(runtime, 6, tasks=32, overlap=1)
    assert len(done(together(runtime, [fetch(*pair) for pair in zip(scene.people, claims, strict=True)]))) == 6
    with transaction(runtime.sessions) as session:
        others = join(session, scene.world, now=NOW, people=22)
        set_aside = select(Claim.person_id, Claim.id).where(Claim.state == ClaimState.AHEAD)
        aside = dict(session.execute(set_aside).tuples().all())

    def go_on(user: User, claim_id: UUID) -> Callable[[Session], object]:
        def go(session: Session) -> object:
            scene.submit(session.get_one(Claim, claim_id), user)(session)
            return scene.claim(user)(session)

        return go

    def leave(user: User) -> Callable[[Session], object]:
        return lambda session: service.let_go_ahead(session, user.actor, aside[user.id], now=NOW)

    jobs: list[Callable[[Session], object]] = [scene.claim(user) for user in others]
    jobs += [go_on(user, claim) for user, claim in zip(scene.people, claims, strict=True)]
    jobs += [leave(user) for user in scene.people]
    jobs += [lambda session: service.let_go_idle(session, now=LATER) for _ in range(2)]
    answers = together(runtime, jobs)
    assert set(refused(answers)) <= {"no_work_left"}
    with transaction(runtime.sessions) as session:
        service.let_go_idle(session, now=LATER)
    assert wrongs(runtime) == []
    assert held_by_each(scene, ClaimState.AHEAD) == []
