"""A client's statements: the wallet of an organization, and what one project received and paid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.money import Money
from preceptor.money import queries
from preceptor.money.models import AccountKind, Posting
from preceptor.money.rules import BUSY_PARTS

LINES_PAGE_MAX = 500


@dataclass(frozen=True)
class ClientLine:
    """One event of money. Funding is booked in parts; here it is one line of their sum."""

    posting_id: UUID
    """Of the oldest posting in the line; the page after it begins before this one."""
    at: datetime
    source_kind: str
    source_id: UUID
    purpose: str
    other: AccountKind
    other_owner: UUID | None
    amount: Money
    balance_after: Money
    note: str | None


@dataclass(frozen=True)
class ClientStatement:
    """`balance` is what is held now; `next_before` is the cursor of the next page, None on the last."""

    balance: Money
    lines: list[ClientLine]
    next_before: UUID | None


def wallet_statement(
    session: Session, org_id: UUID, currency: str, *, before: UUID | None = None, limit: int = 50
) -> ClientStatement:
    """Money that came into an organization's wallet, went to its projects, and came back."""
    return _statement(session, [AccountKind.WALLET], org_id, currency, before, limit)


def project_statement(
    session: Session, project_id: UUID, currency: str, *, before: UUID | None = None, limit: int = 50
) -> ClientStatement:
    """What a project was given, what approved judgments were paid, what went back. Reservations are still its own."""
    return _statement(session, [AccountKind.ESCROW, AccountKind.RESERVED], project_id, currency, before, limit)


Rows = Sequence[tuple[Posting, int, AccountKind, UUID | None]]


def _statement(
    session: Session, kinds: list[AccountKind], owner_id: UUID, currency: str, before: UUID | None, limit: int
) -> ClientStatement:
    accounts = [found for kind in kinds if (found := session.scalar(queries.account(kind, owner_id, currency)))]
    ids = [account.id for account in accounts]
    held = sum(int(session.scalar(queries.balance(kind, owner_id, currency)) or 0) for kind in kinds)
    balance = Money(held, currency)
    if not ids:
        return ClientStatement(balance, [], None)
    size = min(limit, LINES_PAGE_MAX)
    # Enough more that the parts of the last line are all there.
    rows = [tuple(row) for row in session.execute(queries.statement(ids, before, size + BUSY_PARTS))]
    if before is not None:
        held -= int(session.scalar(queries.moved_since(ids, before)) or 0)
    lines, used = _lines(rows, size, held, currency)
    return ClientStatement(balance, lines, lines[-1].posting_id if used < len(rows) else None)


def _lines(rows: Rows, size: int, held: int, currency: str) -> tuple[list[ClientLine], int]:
    """Postings of one source and direction as one line, until `size` postings are used."""
    lines: list[ClientLine] = []
    used = 0
    for _, group in groupby(rows, key=lambda row: (row[0].source_kind, row[0].source_id, row[2], row[3], row[1] > 0)):
        if used >= size:
            break
        parts = list(group)
        used += len(parts)
        newest, oldest = parts[0], parts[-1]
        moved = sum(int(part[1]) for part in parts)
        lines.append(
            ClientLine(
                posting_id=oldest[0].id,
                at=newest[0].at,
                source_kind=newest[0].source_kind,
                source_id=newest[0].source_id,
                purpose=newest[0].purpose,
                other=newest[2],
                other_owner=newest[3],
                amount=Money(moved, currency),
                balance_after=Money(held, currency),
                note=newest[0].note,
            )
        )
        held -= moved
    return lines, used
