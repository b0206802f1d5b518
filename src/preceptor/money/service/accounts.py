"""Accounts and their parts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit.ids import new_id
from preceptor.kit.money import Money
from preceptor.money import queries, rules
from preceptor.money.models import Account, AccountKind, AccountPart
from preceptor.money.rules import Move, Place
from preceptor.money.service.posting import post


def ensure_account(
    session: Session, kind: AccountKind, owner_id: UUID | None, currency: str, *, now: datetime
) -> Account:
    """The account, opened on first use. Two that open it at once get the same one."""
    found = session.scalar(queries.account(kind, owner_id, currency))
    if found is not None:
        return found
    row = {
        "id": new_id(),
        "kind": kind,
        "owner_id": owner_id,
        "currency": currency,
        "parts": rules.parts_of(kind),
        "created_at": now,
    }
    session.execute(insert(Account).values(row).on_conflict_do_nothing())
    account = session.scalars(queries.account(kind, owner_id, currency)).one()
    parts = [
        {"account_id": account.id, "part": part, "balance_minor": 0, "may_overdraw": kind is AccountKind.BANK}
        for part in range(account.parts)
    ]
    session.execute(insert(AccountPart).on_conflict_do_nothing(), parts)
    return account


def place(
    session: Session, kind: AccountKind, owner_id: UUID | None, currency: str, part: int = 0, *, now: datetime
) -> Place:
    """Where a posting goes: a part of an account that is opened if need be."""
    return Place(kind, ensure_account(session, kind, owner_id, currency, now=now).id, part)


def balance(session: Session, kind: AccountKind, owner_id: UUID | None, currency: str) -> Money:
    """What an account holds: the sum of its parts; zero where it was never opened."""
    return Money(int(session.scalar(queries.balance(kind, owner_id, currency)) or 0), currency)


def wait_for_part(session: Session, account_id: UUID, amount: Money, *, spread: int = 0) -> bool:
    """Wait until a part of an account that holds `amount` is ours, and keep it locked; False when no part holds it.

    One part at a time, in a savepoint: a part that was spent meanwhile is let go at once, so that nobody waits for
    one part while keeping another. Ends, since each round means that somebody else has taken money.
    """
    wanted = {"account_id": account_id, "amount": amount.minor, "spread": spread}
    while (part := session.scalar(queries.PART_WITH, wanted)) is not None:
        with session.begin_nested() as savepoint:
            if session.scalar(queries.LOCK_PART_WITH, {**wanted, "part": part}) is not None:
                return True
            savepoint.rollback()
    return False


def gather(session: Session, account: Account, amount: Money, *, now: datetime) -> int | None:
    """Bring `amount` together in one part of an account; None when all parts together hold less.

    Needed when the money that is left lies scattered in parts that are each too small. Locks the account against
    others who gather, then every part in order.
    """
    session.execute(queries.locked_to_gather(account.id))
    parts = session.scalars(queries.parts(account.id).execution_options(populate_existing=True)).all()
    target = max(parts, key=lambda part: part.balance_minor)
    if target.balance_minor >= amount.minor:
        return target.part
    if sum(part.balance_minor for part in parts) < amount.minor:
        return None
    source_id = new_id()
    moves = [
        Move(
            "gather",
            source_id,
            f"part {part.part}",
            Place(account.kind, account.id, part.part),
            Place(account.kind, account.id, target.part),
            Money(part.balance_minor, account.currency),
        )
        for part in parts
        if part is not target and part.balance_minor > 0
    ]
    post(session, moves, now=now)
    for part in parts:
        session.expire(part)
    return target.part
