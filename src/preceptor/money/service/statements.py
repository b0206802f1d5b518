"""Statements: what moved on an account, line by line, reconciling to its balance."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.money import Money
from preceptor.money import queries
from preceptor.money.models import Account, AccountKind, Posting


@dataclass(frozen=True)
class StatementLine:
    """One posting seen from the account: `amount` is positive when money came in."""

    posting_id: UUID
    at: datetime
    purpose: str
    source_kind: str
    source_id: UUID
    other: AccountKind
    amount: Money
    balance_after: Money
    note: str | None


def statement_of(
    session: Session,
    kind: AccountKind,
    owner_id: UUID | None,
    currency: str,
    *,
    before: UUID | None = None,
    limit: int = 50,
) -> list[StatementLine]:
    """The newest lines (before a posting id), each with the balance after it.

    The balance is carried down from what the account holds now, so the first line of a first page equals it.
    """
    account = session.scalar(queries.account(kind, owner_id, currency))
    if account is None:
        return []
    rows = session.execute(queries.statement([account.id], before, limit)).all()
    held = int(session.scalar(queries.balance(kind, owner_id, currency)) or 0)
    if before is not None:
        held -= _moved_since(session, account, before)
    lines = []
    for posting, signed, other, _ in rows:
        lines.append(_line(posting, int(signed), other, held, currency))
        held -= int(signed)
    return lines


def _line(posting: Posting, signed: int, other: AccountKind, held: int, currency: str) -> StatementLine:
    return StatementLine(
        posting.id,
        posting.at,
        posting.purpose,
        posting.source_kind,
        posting.source_id,
        other,
        Money(signed, currency),
        Money(held, currency),
        posting.note,
    )


def _moved_since(session: Session, account: Account, posting_id: UUID) -> int:
    """Net movement of the account by this posting and all later ones."""
    later = Posting.id >= posting_id
    came = select(func.coalesce(func.sum(Posting.amount_minor), 0)).where(Posting.to_account_id == account.id, later)
    went = select(func.coalesce(func.sum(Posting.amount_minor), 0)).where(Posting.from_account_id == account.id, later)
    return int(session.scalar(came) or 0) - int(session.scalar(went) or 0)
