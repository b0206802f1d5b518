"""Submitting at the same moment.

Each race ends with the proofs over all rows; the `without` tests take the lock or the constraint
away and show that the same race then ends badly, so that a promise cannot lose its guard unnoticed.
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime
from preceptor.work import queries, rules, service
from preceptor.work.models import Claim, ClaimState, Submission
from tests.conftest import NOW
from tests.factories import PREFER_A
from tests.races.crowd import done, refused, take_away, together, without, wrongs
from tests.races.scene import ROUNDS, Scene, set_up


def race_of_submits(runtime: Runtime) -> tuple[Scene, list[UUID | AppError]]:
    scene = set_up(runtime, 8, tasks=8, overlap=8)
    held = scene.everybody_claims()
    jobs = [scene.submit(work.claim, user) for work, user in zip(done(held), scene.people, strict=True)]
    return scene, together(runtime, jobs * 8)


def test_submitting_eight_times_at_once_is_the_same_as_once(runtime: Runtime) -> None:
    scene, answers = race_of_submits(runtime)
    assert refused(answers) == []
    assert len(set(done(answers))) == 8
    assert scene.count(Submission) == 8
    assert wrongs(runtime) == []


def test_of_two_different_answers_at_once_one_counts(runtime: Runtime) -> None:
    scene = set_up(runtime, 8, tasks=8, overlap=8)
    held = done(scene.everybody_claims())
    other = {**PREFER_A, "ranks": {"A": 2, "B": 1}}
    both = [(PREFER_A, other)[turn % 2] for turn in range(8)]
    jobs = [scene.submit(w.claim, u, given) for w, u in zip(held, scene.people, strict=True) for given in both]
    answers = together(runtime, jobs)
    assert Counter(refused(answers)) == {"already_submitted": 32}
    assert scene.count(Submission) == 8
    assert wrongs(runtime) == []


def test_without_lock_and_constraint_a_submission_is_stored_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(
        runtime,
        "ALTER TABLE submission DROP CONSTRAINT uq_submission_claim_id_revision",
        "ALTER TABLE task DROP CONSTRAINT ck_task_done_within_taken",
    )
    monkeypatch.setattr(queries, "CLAIM_TO_SUBMIT", without(queries.CLAIM_TO_SUBMIT, "FOR UPDATE OF c"))

    def stored_twice() -> bool:
        race_of_submits(runtime)
        with runtime.sessions() as session:
            each = select(func.count()).select_from(Submission).group_by(Submission.claim_id)
            return max(session.scalars(each)) > 1

    assert any(stored_twice() for _ in range(ROUNDS))


def test_an_answer_and_the_end_of_its_lease_at_once_end_in_one_of_both(runtime: Runtime) -> None:
    scene = set_up(runtime, 32, tasks=32, overlap=1)
    held = done(scene.everybody_claims())
    late = NOW + timedelta(seconds=600) + rules.LEASE_GRACE + timedelta(seconds=1)
    jobs: list[Callable[[Session], object]] = [
        scene.submit(work.claim, user) for work, user in zip(held, scene.people, strict=True)
    ]
    answers = together(runtime, jobs + [lambda session: service.expire_overdue(session, now=late)] * 8)
    assert set(refused(answers)) <= {"lease_over"}
    given, expired = scene.count(Submission), scene.count(Claim, Claim.state == ClaimState.EXPIRED)
    assert given == 32 - len(refused(answers))
    assert given + expired + scene.count(Claim, Claim.state == ClaimState.OPEN) == 32
    assert wrongs(runtime) == []


def test_the_newest_draft_wins_however_they_arrive(runtime: Runtime) -> None:
    scene = set_up(runtime, 1)
    user = scene.people[0]
    claim = done(scene.everybody_claims())[0].claim

    def save(number: int) -> Callable[[Session], int]:
        draft = {"justification": f"draft {number}"}
        return lambda session: service.save_draft(session, user.actor, claim.id, draft, number, now=NOW)

    assert refused(together(runtime, [save(number) for number in range(1, 33)])) == []
    with runtime.sessions() as session:
        assert session.get_one(Claim, claim.id).draft == {"justification": "draft 32"}
