"""Deciding, sweeping and closing at the same moment. Each race ends with the proofs over all rows."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.events import Event
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Membership, Project, ProjectReviewer, ProjectState
from preceptor.work import service
from preceptor.work.models import Claim, ClaimState, Decision, Review
from preceptor.work.service import ClaimedWork, CriterionVerdict
from tests.conftest import NOW
from tests.factories import User, make_user
from tests.races.crowd import done, refused, together, wrongs
from tests.races.scene import RATE, set_up, submitted

MET = [CriterionVerdict("right", "met")]
NOT_MET = [CriterionVerdict("right", "not_met")]
REASON = "The second response is the wrong one here."


def test_review_deadline_and_two_reviewers_decide_once(runtime: Runtime) -> None:
    scene, submissions = submitted(runtime, 20, tasks=20, overlap=1, review_percent=100)
    with transaction(runtime.sessions) as session:
        second = make_user(session, now=NOW, is_reviewer=True)
        session.add(ProjectReviewer(project_id=scene.project_id, person_id=second.id, created_at=NOW))
    deadline = NOW + timedelta(days=3)

    def decide(reviewer: User, number: UUID, decision: Decision) -> Callable[[Session], object]:
        criteria = MET if decision is Decision.APPROVE else NOT_MET
        return lambda session: service.decide(
            session, reviewer.actor, number, decision, comment=REASON, criteria=criteria, now=deadline
        )

    jobs = [decide(scene.world.reviewer, number, Decision.REJECT) for number in submissions]
    jobs += [decide(second, number, Decision.APPROVE) for number in submissions]
    jobs += [lambda session: service.approve_due(session, now=deadline)] * 4
    jobs += [lambda session: service.expire_overdue(session, now=deadline)] * 4
    answers = together(runtime, jobs)
    assert set(refused(answers)) <= {"already_decided"}
    approved = scene.count(Claim, Claim.state == ClaimState.APPROVED)
    rejected = scene.count(Claim, Claim.state == ClaimState.REJECTED)
    assert approved + rejected == 20
    assert scene.count(Review, Review.decision == Decision.REJECT) == rejected
    assert scene.count(Event, Event.kind.in_(["work.approved", "work.rejected"])) == 20
    assert scene.escrow_and_reserved() == (1_000_000 - approved * RATE, 0)
    assert wrongs(runtime) == []


def test_two_reviewers_never_have_the_same_submission(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 16, tasks=16, overlap=1, review_percent=100)
    with transaction(runtime.sessions) as session:
        reviewers = [make_user(session, now=NOW, is_reviewer=True) for _ in range(16)]
        session.add_all(
            ProjectReviewer(project_id=scene.project_id, person_id=user.id, created_at=NOW) for user in reviewers
        )

    def take(user: User) -> Callable[[Session], UUID]:
        return lambda session: service.next_for_review(session, user.actor, now=NOW).submission.id

    leased = done(together(runtime, [take(user) for user in reviewers]))
    assert sorted(leased) == sorted(set(leased))
    owner, other = reviewers[0], reviewers[1]
    mine = together(runtime, [take(owner)])[0]
    assert isinstance(mine, UUID)

    def approve(user: User) -> Callable[[Session], object]:
        return lambda session: service.decide(
            session, user.actor, mine, Decision.APPROVE, comment="", criteria=MET, now=NOW
        )

    answers = together(runtime, [approve(user) for user in (owner, other) * 8])
    assert set(refused(answers)) <= {"under_review", "already_decided"}
    assert scene.count(Review, Review.submission_id == mine) == 1
    assert wrongs(runtime) == []


def test_several_workers_sweep_at_once_and_pay_once(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 60, tasks=30, overlap=4)
    extra = done(scene.everybody_claims())
    late = NOW + timedelta(hours=1)
    with ThreadPoolExecutor(6) as pool:
        swept = sum(pool.map(lambda _: service.sweep(runtime.sessions, now=late), range(6)))
    assert swept == 60 + len(extra)
    assert scene.count(Claim, Claim.state == ClaimState.APPROVED) == 60
    assert scene.count(Claim, Claim.state == ClaimState.EXPIRED) == len(extra) == 60
    assert scene.escrow_and_reserved() == (1_000_000 - 60 * RATE, 0)
    assert wrongs(runtime) == []


def test_a_project_closes_after_the_last_claim_and_not_beneath_one(runtime: Runtime) -> None:
    scene = set_up(runtime, 2, tasks=2, overlap=2)
    with ThreadPoolExecutor(1), runtime.sessions() as claiming:
        held = scene.claim(scene.people[0])(claiming)
        with transaction(runtime.sessions) as session:
            session.execute(update(Project).values(state=ProjectState.CLOSING))
        assert service.sweep(runtime.sessions, now=NOW) == 0  # a claim is being made this instant
        claiming.commit()
    assert refused(together(runtime, [scene.claim(scene.people[1])])) == ["project_not_open"]
    assert service.sweep(runtime.sessions, now=NOW) == 0
    assert done(together(runtime, [scene.submit(held.claim, scene.people[0])]))
    assert service.sweep(runtime.sessions, now=NOW) == 2  # the answer is approved, the project closed
    assert scene.escrow_and_reserved() == (0, 0)
    assert wrongs(runtime) == []


def test_a_project_does_not_close_while_somebody_waits_to_claim(runtime: Runtime) -> None:
    scene = set_up(runtime, 1)
    user = scene.people[0]
    with ThreadPoolExecutor(1) as pool, runtime.sessions() as session:
        session.execute(select(Membership).where(Membership.person_id == user.id).with_for_update())
        asked = pool.submit(together, runtime, [scene.claim(user)])
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.5)
        with transaction(runtime.sessions) as other:
            other.execute(update(Project).values(state=ProjectState.CLOSING))
        assert service.sweep(runtime.sessions, now=NOW) == 0
        session.commit()
        assert isinstance(asked.result(timeout=10)[0], ClaimedWork)
    assert service.sweep(runtime.sessions, now=NOW) == 0
    assert wrongs(runtime) == []
