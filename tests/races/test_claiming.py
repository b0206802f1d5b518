"""Claiming at the same moment.

Each race ends with the proofs over all rows; the `without` tests take the lock or the constraint
away and show that the same race then ends badly, so that a promise cannot lose its guard unnoticed.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError
from preceptor.kit.events import Event
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.work import queries
from preceptor.work.models import Claim, ClaimState, Submission
from preceptor.work.service import ClaimedWork
from tests.conftest import NOW
from tests.factories import User
from tests.races.crowd import CROWD, done, refused, take_away, together, without, wrongs
from tests.races.scene import RATE, ROUNDS, Scene, set_up

# --- Overlap


def race_for_few_places(runtime: Runtime) -> tuple[Scene, list[ClaimedWork | AppError]]:
    scene = set_up(runtime, tasks=5, overlap=4)
    return scene, scene.everybody_claims()


def test_overlap_is_filled_and_never_exceeded(runtime: Runtime) -> None:
    scene, answers = race_for_few_places(runtime)
    assert Counter(work.claim.task_id for work in done(answers)) == {task.id: 4 for task in scene.world.tasks}
    assert Counter(refused(answers)) == {"no_work_left": CROWD - 20}
    assert scene.count(Event, Event.kind == "work.claimed") == 20
    assert wrongs(runtime) == []


def test_without_lock_and_check_the_overlap_is_exceeded(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(runtime, "ALTER TABLE task DROP CONSTRAINT ck_task_taken_within_wanted")
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))
    assert any("overlap exceeded" in wrongs(race_for_few_places(runtime)[0].runtime) for _ in range(ROUNDS))


def test_without_the_lock_the_check_still_refuses(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))

    def refused_by_the_table() -> bool:
        try:
            race_for_few_places(runtime)
        except IntegrityError as error:
            return "taken_within_wanted" in str(error)
        return False

    assert any(refused_by_the_table() for _ in range(ROUNDS))
    assert wrongs(runtime) == []


# --- One person


def race_of_double_clicks(runtime: Runtime) -> Scene:
    """Eight people with eight tabs each, who all press twice."""
    scene = set_up(runtime, 8, tasks=20, overlap=10)
    clicks = [scene.claim(user) for user in scene.people for _ in range(8)]
    assert refused(together(runtime, clicks)) == []
    return scene


def open_claims_each(scene: Scene) -> set[int]:
    with scene.runtime.sessions() as session:
        counted = select(func.count()).where(Claim.project_id == scene.project_id, Claim.state == ClaimState.OPEN)
        return set(session.scalars(counted.group_by(Claim.person_id)))


def test_double_clicks_leave_one_open_claim_each(runtime: Runtime) -> None:
    scene = race_of_double_clicks(runtime)
    assert open_claims_each(scene) == {1}
    assert scene.escrow_and_reserved()[1] == 8 * RATE
    assert wrongs(runtime) == []


def test_without_membership_lock_and_index_double_clicks_take_two(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(runtime, "DROP INDEX uq_claim_open", "DROP INDEX uq_claim_task_person")
    monkeypatch.setattr(queries, "LOCK_MEMBERSHIP", without(queries.LOCK_MEMBERSHIP, "FOR UPDATE OF m"))
    assert any(max(open_claims_each(race_of_double_clicks(runtime))) > 1 for _ in range(ROUNDS))


def race_over_all_tasks(runtime: Runtime) -> Scene:
    """Each person works with four tabs at once until nothing is left."""
    scene = set_up(runtime, 12, tasks=6, overlap=12)

    def work_on(user: User) -> Callable[[Session], int]:
        def until_nothing_is_left(_: Session) -> int:
            finished = 0
            while True:
                answers = together(runtime, [scene.claim(user)])
                if not done(answers):
                    return finished
                finished += len(done(together(runtime, [scene.submit(done(answers)[0].claim, user)])))

        return until_nothing_is_left

    together_without_transaction = [work_on(user) for user in scene.people for _ in range(4)]
    with ThreadPoolExecutor(len(together_without_transaction)) as pool, runtime.sessions() as unused:
        list(pool.map(lambda job: job(unused), together_without_transaction))
    return scene


def judged_twice(scene: Scene) -> int:
    with scene.runtime.sessions() as session:
        each = select(func.count().label("times")).where(Submission.project_id == scene.project_id)
        each = each.group_by(Submission.task_id, Submission.person_id)
        return sum(times > 1 for times in session.scalars(each))


def test_nobody_judges_a_task_twice_even_with_four_tabs(runtime: Runtime) -> None:
    scene = race_over_all_tasks(runtime)
    assert judged_twice(scene) == 0
    assert scene.count(Submission) == 6 * 12
    assert wrongs(runtime) == []


def test_without_membership_lock_and_index_a_task_is_judged_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(
        runtime,
        "DROP INDEX uq_claim_open",
        "DROP INDEX uq_claim_task_person",
        "ALTER TABLE task DROP CONSTRAINT ck_task_taken_within_wanted",
    )
    monkeypatch.setattr(queries, "LOCK_MEMBERSHIP", without(queries.LOCK_MEMBERSHIP, "FOR UPDATE OF m"))
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))
    assert any(judged_twice(race_over_all_tasks(runtime)) for _ in range(ROUNDS))


# --- Claimable means funded


@pytest.mark.parametrize("affordable", [1, 20, 47])
def test_a_budget_for_so_many_claims_makes_exactly_so_many(runtime: Runtime, affordable: int) -> None:
    # The budget is spread over 32 parts, none of which holds a whole number of rates: the last ones are gathered.
    scene = set_up(runtime, tasks=10, overlap=10, budget_minor=affordable * RATE + RATE - 1)
    answers = scene.everybody_claims()
    assert Counter(refused(answers)) == {"not_funded": CROWD - affordable}
    assert scene.escrow_and_reserved() == (RATE - 1, affordable * RATE)
    assert wrongs(runtime) == []


def test_without_lock_and_check_more_is_reserved_than_there_is(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(runtime, "ALTER TABLE account_part DROP CONSTRAINT ck_account_part_not_overdrawn")
    monkeypatch.setattr(queries, "TAKE_FREE", without(queries.TAKE_FREE, "FOR UPDATE SKIP LOCKED"))

    def overspent() -> bool:
        scene = set_up(runtime, tasks=10, overlap=10, budget_minor=32 * RATE)
        scene.everybody_claims()
        return "overdrawn" in wrongs(runtime)

    assert any(overspent() for _ in range(ROUNDS))


def test_money_that_arrives_and_leaves_while_people_claim_is_never_spent_twice(runtime: Runtime) -> None:
    scene = set_up(runtime, 48, tasks=10, overlap=10, budget_minor=10 * RATE)
    world, one = scene.world, Money(RATE * 3, "USD")
    whose = {"org_id": world.organization.id, "project_id": scene.project_id}
    with transaction(runtime.sessions) as session:
        money.top_up(session, world.operator.actor, world.organization.id, Money(8 * 3 * RATE, "USD"), note="", now=NOW)

    def fund(session: Session) -> None:
        money.fund_project(session, world.client.actor, **whose, amount=one, now=NOW)

    def take_back(session: Session) -> object:
        return money.take_back_escrow(session, world.client.actor, **whose, currency="USD", now=NOW)

    claims: list[Callable[[Session], object]] = [scene.claim(user) for user in scene.people]
    answers = together(runtime, claims + [fund] * 8 + [take_back] * 8)
    assert set(refused(answers)) <= {"not_funded"}
    with runtime.sessions() as session:
        wallet = money.wallet_balance(session, world.organization.id, "USD").minor
    escrow, reserved = scene.escrow_and_reserved()
    assert wallet + escrow + reserved == (10 + 24) * RATE
    assert reserved == scene.count(Claim) * RATE
    assert wrongs(runtime) == []
