"""Selects about money, returned and not executed."""

from uuid import UUID

from sqlalchemy import Select, and_, case, func, or_, select, text
from sqlalchemy.orm import aliased

from preceptor.money.models import Account, AccountKind, AccountPart, Payout, PayoutState, Posting
from preceptor.money.rules import BUSY_PARTS


def account(kind: AccountKind, owner_id: UUID | None, currency: str) -> Select[tuple[Account]]:
    owner = Account.owner_id == owner_id if owner_id else Account.owner_id.is_(None)
    return select(Account).where(Account.kind == kind, owner, Account.currency == currency)


def balance(kind: AccountKind, owner_id: UUID | None, currency: str) -> Select[tuple[int]]:
    owner = Account.owner_id == owner_id if owner_id else Account.owner_id.is_(None)
    return (
        select(func.coalesce(func.sum(AccountPart.balance_minor), 0))
        .join(Account, Account.id == AccountPart.account_id)
        .where(Account.kind == kind, owner, Account.currency == currency)
    )


def parts(account_id: UUID) -> Select[tuple[AccountPart]]:
    """All parts, locked in part order."""
    return select(AccountPart).where(AccountPart.account_id == account_id).order_by(AccountPart.part).with_for_update()


def locked_to_gather(account_id: UUID) -> Select[tuple[UUID]]:
    """The account, locked against others who want all its parts; postings that name it need not wait."""
    return select(Account.id).where(Account.id == account_id).with_for_update(key_share=True)


PART_WITH = text(f"""
    SELECT part FROM account_part WHERE account_id = :account_id AND balance_minor >= :amount
    ORDER BY (part + :spread) % {BUSY_PARTS} LIMIT 1
""")
LOCK_PART_WITH = text("""
    SELECT part FROM account_part WHERE account_id = :account_id AND part = :part AND balance_minor >= :amount
    FOR UPDATE
""")


def owned_balances(
    kinds: list[AccountKind], owner_ids: list[UUID]
) -> Select[tuple[AccountKind, UUID | None, str, int]]:
    """(kind, owner, currency, balance) of every account of these kinds and owners."""
    return (
        select(Account.kind, Account.owner_id, Account.currency, func.sum(AccountPart.balance_minor))
        .join(AccountPart, AccountPart.account_id == Account.id)
        .where(Account.kind.in_(kinds), Account.owner_id.in_(owner_ids))
        .group_by(Account.kind, Account.owner_id, Account.currency)
    )


def totals() -> Select[tuple[AccountKind, str, int, int]]:
    """(kind, currency, accounts, balance) over the whole installation."""
    return (
        select(
            Account.kind,
            Account.currency,
            func.count(Account.id.distinct()),
            func.sum(AccountPart.balance_minor),
        )
        .join(AccountPart, AccountPart.account_id == Account.id)
        .group_by(Account.kind, Account.currency)
        .order_by(Account.currency, Account.kind)
    )


def statement(
    account_ids: list[UUID], before: UUID | None, limit: int
) -> Select[tuple[Posting, int, AccountKind, UUID | None]]:
    """Postings that touch these accounts, newest first: (posting, signed amount, kind and owner of the other side).

    Moves between two of the accounts (between the parts of an escrow, say) change nothing and are left out.
    """
    incoming = and_(Posting.to_account_id.in_(account_ids), Posting.from_account_id.not_in(account_ids))
    outgoing = and_(Posting.from_account_id.in_(account_ids), Posting.to_account_id.not_in(account_ids))
    other = aliased(Account)
    signed = case((incoming, Posting.amount_minor), else_=-Posting.amount_minor)
    found = (
        select(Posting, signed, other.kind, other.owner_id)
        .join(other, other.id == case((incoming, Posting.from_account_id), else_=Posting.to_account_id))
        .where(or_(incoming, outgoing))
        .order_by(Posting.id.desc())
        .limit(limit)
    )
    return found if before is None else found.where(Posting.id < before)


def payable(currency: str, minimum_minor: int) -> Select[tuple[Account, int]]:
    """Contributor accounts whose balance reaches the smallest payout, locked."""
    return (
        select(Account, AccountPart.balance_minor)
        .join(AccountPart, AccountPart.account_id == Account.id)
        .where(
            Account.kind == AccountKind.CONTRIBUTOR,
            Account.currency == currency,
            AccountPart.balance_minor >= minimum_minor,
        )
        .order_by(Account.id)
        .with_for_update(of=AccountPart)
    )


def payouts_of(batch_id: UUID) -> Select[tuple[Payout]]:
    return select(Payout).where(Payout.batch_id == batch_id).order_by(Payout.id)


def open_payouts(batch_id: UUID) -> Select[tuple[int]]:
    undecided = [PayoutState.PENDING, PayoutState.SENT]
    return select(func.count()).where(Payout.batch_id == batch_id, Payout.state.in_(undecided))


CHECK_PARTS = text("""
    SELECT a.kind, p.account_id, p.part, p.balance_minor, coalesce(s.total, 0) AS posted_minor
    FROM account_part p JOIN account a ON a.id = p.account_id
    LEFT JOIN (
        SELECT account_id, part, sum(amount) AS total FROM (
            SELECT to_account_id AS account_id, to_part AS part, amount_minor AS amount FROM posting
            UNION ALL SELECT from_account_id, from_part, -amount_minor FROM posting
        ) AS legs GROUP BY account_id, part
    ) AS s ON s.account_id = p.account_id AND s.part = p.part
    WHERE p.balance_minor <> coalesce(s.total, 0) OR (p.balance_minor < 0 AND a.kind <> 'bank')
""")
CHECK_CURRENCY = text("""
    SELECT count(*) FROM posting x
    JOIN account f ON f.id = x.from_account_id JOIN account t ON t.id = x.to_account_id
    WHERE f.currency <> x.currency OR t.currency <> x.currency
""")
IMBALANCE = text("SELECT coalesce(sum(balance_minor), 0) FROM account_part")


def payout_list(person_id: UUID | None, before: UUID | None, limit: int) -> Select[tuple[Payout]]:
    found = select(Payout).order_by(Payout.id.desc()).limit(limit)
    if person_id is not None:
        found = found.where(Payout.person_id == person_id)
    return found if before is None else found.where(Payout.id < before)


def moved_between(from_account: UUID, to_account: UUID) -> Select[tuple[int]]:
    """Everything that ever went from one account to another."""
    return select(func.coalesce(func.sum(Posting.amount_minor), 0)).where(
        Posting.from_account_id == from_account, Posting.to_account_id == to_account
    )


def moved_since(account_ids: list[UUID], posting_id: UUID) -> Select[tuple[int]]:
    """Net movement of these accounts by this posting and all later ones."""
    came = case((Posting.to_account_id.in_(account_ids), Posting.amount_minor), else_=0)
    went = case((Posting.from_account_id.in_(account_ids), Posting.amount_minor), else_=0)
    touches = or_(Posting.to_account_id.in_(account_ids), Posting.from_account_id.in_(account_ids))
    return select(func.coalesce(func.sum(came - went), 0)).where(touches, Posting.id >= posting_id)
