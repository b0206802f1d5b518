"""Paying at the same moment.

Each race ends with the proofs over all rows; the `without` tests take the lock or the constraint
away and show that the same race then ends badly, so that a promise cannot lose its guard unnoticed.
"""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import queries as money_queries
from preceptor.money import service as money
from preceptor.money.models import AccountKind, AccountPart, Payout
from preceptor.work import service
from tests.conftest import NOW
from tests.races.crowd import done, refused, take_away, together, wrongs
from tests.races.scene import RATE, ROUNDS, Scene, set_up, submitted


def race_of_payouts(runtime: Runtime) -> Scene:
    scene, _ = submitted(runtime, 20, tasks=20, overlap=1)
    service.sweep(runtime.sessions, now=NOW)

    def pay(session: Session) -> UUID:
        operator = scene.world.operator.actor
        return money.create_payout_batch(session, operator, currency="USD", now=NOW).id

    for batch in done(together(runtime, [pay] * 8)):
        _send_and_settle(scene, batch)
    return scene


def _send_and_settle(scene: Scene, batch: UUID) -> None:
    operator, storage = scene.world.operator.actor, scene.runtime.storage

    def send(session: Session) -> UUID:
        return money.send_batch(session, storage, operator, batch, now=NOW).id

    def settle(session: Session) -> int:
        return money.settle_batch(session, operator, batch, now=NOW)

    assert refused(together(scene.runtime, [send] * 4)) == []
    assert sum(done(together(scene.runtime, [settle] * 4))) == scene.count(Payout, Payout.batch_id == batch)


def paid(runtime: Runtime) -> int:
    with runtime.sessions() as session:
        return money.balance(session, AccountKind.PAID, None, "USD").minor


def test_a_payout_run_eight_times_at_once_pays_once(runtime: Runtime) -> None:
    scene = race_of_payouts(runtime)
    assert scene.count(Payout) == 20
    assert paid(runtime) == 20 * RATE
    assert wrongs(runtime) == []


def test_without_lock_and_check_a_payout_pays_twice(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(runtime, "ALTER TABLE account_part DROP CONSTRAINT ck_account_part_not_overdrawn")
    locked = money_queries.payable

    def unlocked(currency: str, minimum_minor: int) -> object:
        statement = locked(currency, minimum_minor)
        statement._for_update_arg = None
        return statement

    monkeypatch.setattr(money_queries, "payable", unlocked)
    assert any(race_of_payouts(runtime) and "overdrawn" in wrongs(runtime) for _ in range(ROUNDS))


def test_a_wallet_funds_projects_as_often_as_it_can_and_no_more(runtime: Runtime) -> None:
    scene = set_up(runtime, 1, budget_minor=0)
    world = scene.world
    portion = Money(100, "USD")

    def top_up(session: Session) -> object:
        return money.top_up(session, world.operator.actor, world.organization.id, portion, note="", now=NOW)

    def fund(session: Session) -> None:
        money.fund_project(
            session,
            world.client.actor,
            org_id=world.organization.id,
            project_id=scene.project_id,
            amount=portion,
            now=NOW,
        )

    assert refused(together(runtime, [top_up] * 12)) == []
    answers = together(runtime, [fund] * 32)
    assert Counter(refused(answers)) == {"not_enough_money": 20}
    assert scene.escrow_and_reserved() == (1200, 0)
    assert wrongs(runtime) == []


def test_one_payout_settled_twice_at_once_is_booked_once(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 4, tasks=4, overlap=1)
    service.sweep(runtime.sessions, now=NOW)
    operator = scene.world.operator.actor
    with transaction(runtime.sessions) as session:
        batch = money.create_payout_batch(session, operator, currency="USD", now=NOW)
        money.send_batch(session, runtime.storage, operator, batch.id, now=NOW)
        payouts = list(session.scalars(select(Payout.id).where(Payout.batch_id == batch.id)))

    def settle(number: UUID, ok: bool) -> Callable[[Session], object]:
        def book(session: Session) -> None:
            payout = session.get_one(Payout, number, with_for_update=True)
            money.settle_payout(session, operator, payout, paid=ok, failure=None if ok else "closed account", now=NOW)

        return book

    answers = together(runtime, [settle(number, ok) for number in payouts for ok in (True, False) * 2])
    assert Counter(refused(answers)) == {"payout_not_open": 12}
    with runtime.sessions() as session:
        held = session.scalar(select(func.sum(AccountPart.balance_minor)).where(AccountPart.may_overdraw.is_(False)))
        assert held == 1_000_000
    assert wrongs(runtime) == []
