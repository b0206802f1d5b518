"""Paying people: a batch over all balances, written to a rail, settled one by one.

Three steps, each repeatable: the batch and its postings are committed; the rail writes what it sends, named by
our ids; the outcome of every payout is booked. A crash between any two is mended by doing the step again.
"""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.money import Money
from preceptor.kit.storage import Storage
from preceptor.money import queries
from preceptor.money.errors import FailureReasonNeeded, NothingToPay, PayoutNotOpen
from preceptor.money.models import AccountKind, Payout, PayoutBatch, PayoutBatchState, PayoutState
from preceptor.money.rules import PAYOUT_MOVES, Move, Place
from preceptor.money.service.accounts import place
from preceptor.money.service.posting import post

CSV_RAIL = "csv"


def create_payout_batch(
    session: Session, actor: Actor, *, currency: str, minimum: Money | None = None, now: datetime
) -> PayoutBatch:
    """Set aside what every contributor has earned, at least `minimum` each. Nobody to pay is `NothingToPay`."""
    smallest = minimum.minor if minimum else 1
    rows = session.execute(queries.payable(currency, max(smallest, 1))).all()
    if not rows:
        raise NothingToPay
    batch = PayoutBatch(
        id=new_id(),
        state=PayoutBatchState.DRAFT,
        currency=currency,
        rail=CSV_RAIL,
        total_minor=sum(minor for _, minor in rows),
        payouts=len(rows),
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(batch)
    session.flush()
    paying = place(session, AccountKind.PAYING, None, currency, now=now)
    payouts = [
        {
            "id": new_id(),
            "batch_id": batch.id,
            "person_id": account.owner_id,
            "amount_minor": minor,
            "currency": currency,
            "rail": CSV_RAIL,
            "state": PayoutState.PENDING,
            "created_at": now,
        }
        for account, minor in rows
    ]
    session.execute(insert(Payout), payouts)
    moves = [
        Move(
            "payout",
            payout["id"],
            "set_aside",
            Place(AccountKind.CONTRIBUTOR, account.id),
            paying,
            Money(minor, currency),
        )
        for payout, (account, minor) in zip(payouts, rows, strict=True)
    ]
    post(session, moves, now=now)
    events.record(
        session,
        actor,
        "money.payout_batch_created",
        "payout_batch",
        batch.id,
        at=now,
        data={
            "payouts": batch.payouts,
            "amount": Money(batch.total_minor, currency).amount,
            "currency": currency,
        },
    )
    return batch


def send_batch(session: Session, storage: Storage, actor: Actor, batch_id: UUID, *, now: datetime) -> PayoutBatch:
    """Hand the batch to the rail: for CSV, write the file that a bank would be sent. Repeating changes nothing."""
    batch = session.scalars(select(PayoutBatch).where(PayoutBatch.id == batch_id).with_for_update()).one()
    if batch.state is not PayoutBatchState.DRAFT:
        return batch
    # Locked, and only what still waits: a payout that failed meanwhile has gone back to its person.
    pending = queries.payouts_of(batch.id).where(Payout.state == PayoutState.PENDING).with_for_update()
    key = f"payouts/{batch.id.hex}.csv"
    storage.put(key, _csv(batch, session.scalars(pending).all()))
    batch.file_key, batch.state, batch.sent_at = key, PayoutBatchState.SENT, now
    session.execute(
        update(Payout)
        .where(Payout.batch_id == batch.id, Payout.state == PayoutState.PENDING)
        .values(state=PayoutState.SENT)
    )
    events.record(session, actor, "money.payout_batch_sent", "payout_batch", batch.id, at=now)
    return batch


def settle_payout(
    session: Session, actor: Actor, payout: Payout, *, paid: bool, failure: str | None = None, now: datetime
) -> None:
    """Book the outcome of one payout: the money has left, or it goes back to the person's balance, with a reason."""
    if not paid and not (failure or "").strip():
        raise FailureReasonNeeded(problems=[{"path": "failure", "message": str(FailureReasonNeeded.__doc__)}])
    to = PayoutState.PAID if paid else PayoutState.FAILED
    if to not in PAYOUT_MOVES[payout.state]:
        raise PayoutNotOpen
    amount = Money(payout.amount_minor, payout.currency)
    paying = place(session, AccountKind.PAYING, None, payout.currency, now=now)
    person = place(session, AccountKind.CONTRIBUTOR, payout.person_id, payout.currency, now=now)
    out = place(session, AccountKind.PAID, None, payout.currency, now=now)
    post(
        session,
        [Move("payout", payout.id, to.value, paying, out if paid else person, amount, failure)],
        now=now,
    )
    payout.state, payout.failure, payout.settled_at = to, failure, now
    session.flush()
    events.record(
        session,
        actor,
        f"money.payout_{to.value}",
        "payout",
        payout.id,
        at=now,
        person_id=payout.person_id,
        data={
            "amount": amount.amount,
            "currency": amount.currency,
            **({"failure": failure} if failure else {}),
        },
    )
    _close_batch_when_done(session, actor, payout.batch_id, now)


def settle_batch(session: Session, actor: Actor, batch_id: UUID, *, now: datetime) -> int:
    """Book every payout of a sent batch that is still open as paid; returns how many."""
    payouts = session.scalars(queries.payouts_of(batch_id).with_for_update()).all()
    waiting = [payout for payout in payouts if payout.state is PayoutState.SENT]
    if not waiting:
        return 0
    currency = waiting[0].currency
    paying = place(session, AccountKind.PAYING, None, currency, now=now)
    out = place(session, AccountKind.PAID, None, currency, now=now)
    moves = [Move("payout", payout.id, "paid", paying, out, Money(payout.amount_minor, currency)) for payout in waiting]
    post(session, moves, now=now)
    for payout in waiting:
        payout.state, payout.settled_at = PayoutState.PAID, now
        events.record(
            session,
            actor,
            "money.payout_paid",
            "payout",
            payout.id,
            at=now,
            person_id=payout.person_id,
            data={"amount": Money(payout.amount_minor, currency).amount, "currency": currency},
        )
    session.flush()
    _close_batch_when_done(session, actor, batch_id, now)
    return len(waiting)


def _close_batch_when_done(session: Session, actor: Actor, batch_id: UUID, now: datetime) -> None:
    if session.scalar(queries.open_payouts(batch_id)):
        return
    unsettled = update(PayoutBatch).where(PayoutBatch.id == batch_id, PayoutBatch.state != PayoutBatchState.SETTLED)
    closed = session.scalar(unsettled.values(state=PayoutBatchState.SETTLED, settled_at=now).returning(PayoutBatch.id))
    if closed is not None:
        events.record(session, actor, "money.payout_batch_settled", "payout_batch", batch_id, at=now)


def _csv(batch: PayoutBatch, payouts: Sequence[Payout]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["payout_id", "person_id", "amount", "currency", "reference"])
    for payout in payouts:
        amount = Money(payout.amount_minor, payout.currency)
        reference = f"Preceptor {show_id('payout_batch', batch.id)[-8:]}"
        person = show_id("person", payout.person_id)
        writer.writerow([show_id("payout", payout.id), person, amount.amount, amount.currency, reference])
    return out.getvalue().encode()
