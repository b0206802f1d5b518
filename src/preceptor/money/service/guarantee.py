"""Pay that is owed although its reservation was given back: an appeal was right, and the work counts after all."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.money import queries
from preceptor.money.models import AccountKind
from preceptor.money.rules import Move, Place
from preceptor.money.service.accounts import ensure_account, gather, place
from preceptor.money.service.posting import post

SOURCE_KIND = "appeal"


@dataclass(frozen=True)
class Owed:
    """One claim's pay: whose project it was, who earned it, how much."""

    claim_id: UUID
    org_id: UUID
    project_id: UUID
    person_id: UUID
    amount: Money


def pay_owed(session: Session, actor: Actor, owed: Owed, *, now: datetime) -> AccountKind:
    """Pay a claim whose money went back to the project, whatever is left there; returns who bore it.

    From the project's escrow; else the client's wallet; else the installation's own guarantee (the bank, the only
    account that may go below zero), which operators see as the event "money.guaranteed". The money always passes
    through the escrow, so that each project's account shows all that was paid for it. Once for each claim, ever:
    a second time is `AlreadyPosted`.
    """
    currency = owed.amount.currency
    bank = place(session, AccountKind.BANK, None, currency, now=now)
    wallet = place(session, AccountKind.WALLET, owed.org_id, currency, now=now)
    escrow = ensure_account(session, AccountKind.ESCROW, owed.project_id, currency, now=now)
    person = place(session, AccountKind.CONTRIBUTOR, owed.person_id, currency, now=now)
    # Lock order as everywhere (`rules.LOCK_ORDER`): bank, wallet, escrow. Top-ups wait a moment; appeals are rare.
    session.execute(queries.parts(bank.account_id))
    held = session.scalars(queries.parts(wallet.account_id).execution_options(populate_existing=True)).one()
    part = gather(session, escrow, owed.amount, now=now)
    source = AccountKind.ESCROW if part is not None else _next_source(held.balance_minor, owed.amount)
    through = Place(AccountKind.ESCROW, escrow.id, part or 0)
    moves = [Move(SOURCE_KIND, owed.claim_id, "earn", through, person, owed.amount)]
    if source is AccountKind.WALLET:
        moves.insert(0, Move(SOURCE_KIND, owed.claim_id, "fund", wallet, through, owed.amount))
    if source is AccountKind.BANK:
        moves.insert(0, Move(SOURCE_KIND, owed.claim_id, "guarantee", bank, through, owed.amount))
        _tell_operators(session, actor, owed, now)
    post(session, moves, now=now)
    session.expire(held)
    return source


def _next_source(wallet_minor: int, amount: Money) -> AccountKind:
    return AccountKind.WALLET if wallet_minor >= amount.minor else AccountKind.BANK


def _tell_operators(session: Session, actor: Actor, owed: Owed, now: datetime) -> None:
    events.record(
        session,
        actor,
        "money.guaranteed",
        "claim",
        owed.claim_id,
        at=now,
        org_id=owed.org_id,
        project_id=owed.project_id,
        person_id=owed.person_id,
        data={"amount": owed.amount.amount, "currency": owed.amount.currency},
    )
