"""Proof over all rows that the ledger is right."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.money import queries
from preceptor.money.models import Account, Posting


@dataclass(frozen=True)
class LedgerProof:
    """`wrong` names every broken invariant; empty means that each one holds over all rows."""

    accounts: int
    postings: int
    imbalance_minor: int
    wrong: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    """The invariants that were checked and hold, in words."""

    @property
    def ok(self) -> bool:
        return not self.wrong


def prove(session: Session) -> LedgerProof:
    """Check balances against postings, signs and currencies over the whole ledger.

    Runs in one snapshot when the caller's transaction is REPEATABLE READ; cost is one pass over all postings.
    """
    wrong: list[str] = []
    held: list[str] = []
    for row in session.execute(queries.CHECK_PARTS):
        wrong.append(
            f"{row.kind} account {row.account_id} part {row.part} says {row.balance_minor}, "
            f"its postings say {row.posted_minor}"
        )
    if not wrong:
        held.append("every balance equals the sum of its postings, and only the bank is below zero")
    mixed = int(session.scalar(queries.CHECK_CURRENCY) or 0)
    (wrong if mixed else held).append(f"{mixed} postings mix currencies")
    imbalance = int(session.scalar(queries.IMBALANCE) or 0)
    (wrong if imbalance else held).append(f"all balances together come to {imbalance}")
    accounts = int(session.scalar(select(func.count()).select_from(Account)) or 0)
    postings = int(session.scalar(select(func.count()).select_from(Posting)) or 0)
    return LedgerProof(accounts, postings, imbalance, wrong, held)
