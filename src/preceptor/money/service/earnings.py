"""What a contributor has earned, been paid and may still earn, read from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, func, select
from sqlalchemy.orm import Session

from preceptor.kit.money import Money
from preceptor.money import queries
from preceptor.money.models import Account, AccountKind, Payout, Posting


@dataclass(frozen=True)
class DayEarned:
    """Earnings of one UTC day in one currency."""

    day: date
    amount: Money
    tasks: int


def earned_by_day(session: Session, person_id: UUID, *, since: datetime) -> list[DayEarned]:
    """What was earned from `since` on, by day, oldest first; days without earnings are absent. One statement."""
    day = func.timezone("UTC", Posting.at).cast(Date)
    wanted = (
        select(day, Posting.currency, func.sum(Posting.amount_minor), func.count())
        .join(Account, Account.id == Posting.to_account_id)
        .where(
            Account.kind == AccountKind.CONTRIBUTOR,
            Account.owner_id == person_id,
            Posting.purpose == "earn",
            Posting.at >= since,
        )
        .group_by(day, Posting.currency)
        .order_by(day, Posting.currency)
    )
    return [DayEarned(when, Money(int(minor), code), tasks) for when, code, minor, tasks in session.execute(wanted)]


def balances_of(session: Session, person_id: UUID) -> list[Money]:
    """What a contributor has to be paid, one amount for each currency ever earned in. One statement."""
    rows = session.execute(queries.owned_balances([AccountKind.CONTRIBUTOR], [person_id]))
    return sorted((Money(int(minor), code) for _, _, code, minor in rows), key=lambda held: held.currency)


def payouts_to(session: Session, person_id: UUID, *, limit: int = 50) -> list[Payout]:
    """A person's payouts, newest first."""
    return list(session.scalars(queries.payout_list(person_id, None, limit)))


def escrow_of(session: Session, project_ids: Sequence[UUID]) -> dict[UUID, int]:
    """Minor units that each project can still promise; a project whose escrow was never opened is absent."""
    if not project_ids:
        return {}
    rows = session.execute(queries.owned_balances([AccountKind.ESCROW], list(project_ids)))
    return {owner: int(minor) for _, owner, _, minor in rows if owner is not None}
