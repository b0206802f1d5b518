"""A contributor's earnings."""

import csv
import io

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.work.models import Decision
from tests.factories import User, World
from tests.web.acting import Desk
from tests.web.contributor.deeds import decide, one_more, submit, words


def test_statement_reconciles_with_the_ledger(
    desk: Desk, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    for _ in range(3):
        submit(desk, world)
        decide(session, world, Decision.APPROVE, clock)
    operator = world.operator.actor
    batch = money.create_payout_batch(session, operator, currency="USD", now=clock.now())
    session.flush()
    assert batch.total_minor == 126
    submit_more = one_more(session, world, clock)
    submit(desk, submit_more)
    decide(session, world, Decision.APPROVE, clock)
    rows = list(csv.DictReader(io.StringIO(desk.get("/earnings.csv").text)))
    assert [row["what"] for row in rows] == ["Approved work", "Payout", *["Approved work"] * 3]
    amounts = [Money.parse(row["amount"], "USD").minor for row in rows]
    balances = [Money.parse(row["balance_after"], "USD").minor for row in rows]
    assert all(balances[at] == sum(amounts[at:]) for at in range(len(rows)))
    held = money.balance(session, AccountKind.CONTRIBUTOR, worker.id, "USD")
    assert balances[0] == held.minor == 42
    page = words(desk.get("/earnings"))
    assert "Balance $0.42" in page
    assert "Earned this week $1.68" in page
    assert "Payouts" in page
    assert money.prove(session).imbalance_minor == 0


def test_an_unknown_currency_is_refused(desk: Desk) -> None:
    assert desk.get("/earnings?currency=XXQ").status_code == 422
