"""A client's money: into the wallet, into a project's escrow, back."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.kit.money import Money
from preceptor.money import queries
from preceptor.money.errors import BadAmount, NotEnoughMoney
from preceptor.money.models import AccountKind
from preceptor.money.rules import BUSY_PARTS, Move, Place
from preceptor.money.service.accounts import balance, ensure_account, place
from preceptor.money.service.posting import post


@dataclass(frozen=True)
class ProjectFunds:
    """A project's money: free to be claimed, and set aside for live claims."""

    escrow: Money
    reserved: Money


def top_up(
    session: Session,
    actor: Actor,
    org_id: UUID,
    amount: Money,
    *,
    note: str,
    top_up_id: UUID | None = None,
    now: datetime,
) -> UUID:
    """Record money that a client has paid in. Only an operator may (checked by the caller's access).

    A form that brings its own `top_up_id` books once, however often it is sent: then `AlreadyPosted`.
    """
    if amount.minor <= 0:
        raise BadAmount
    top_up_id = top_up_id or new_id()
    bank = place(session, AccountKind.BANK, None, amount.currency, now=now)
    wallet = place(session, AccountKind.WALLET, org_id, amount.currency, now=now)
    post(session, [Move("top_up", top_up_id, "top_up", bank, wallet, amount, note or None)], now=now)
    events.record(
        session,
        actor,
        "money.topped_up",
        "organization",
        org_id,
        at=now,
        org_id=org_id,
        data={"amount": amount.amount, "currency": amount.currency, "note": note},
    )
    return top_up_id


def open_project_accounts(session: Session, project_id: UUID, currency: str, *, now: datetime) -> None:
    """Open escrow and reserved before the first claim, so that claims need not."""
    ensure_account(session, AccountKind.ESCROW, project_id, currency, now=now)
    ensure_account(session, AccountKind.RESERVED, project_id, currency, now=now)


def fund_project(
    session: Session, actor: Actor, *, org_id: UUID, project_id: UUID, amount: Money, now: datetime
) -> None:
    """Move money from the client's wallet into a project's escrow, spread evenly over its parts."""
    if amount.minor <= 0:
        raise BadAmount
    open_project_accounts(session, project_id, amount.currency, now=now)
    held = wallet_balance(session, org_id, amount.currency)
    if held < amount:
        raise NotEnoughMoney(f"The wallet holds {held}, and {amount} was asked for. Ask the operator to top it up.")
    wallet = place(session, AccountKind.WALLET, org_id, amount.currency, now=now)
    escrow = ensure_account(session, AccountKind.ESCROW, project_id, amount.currency, now=now)
    funding_id = new_id()
    moves = [
        Move("funding", funding_id, f"part {part}", wallet, Place(AccountKind.ESCROW, escrow.id, part), share)
        for part, share in enumerate(amount.allocate([1] * BUSY_PARTS))
        if share.minor
    ]
    post(session, moves, now=now)
    _record(session, actor, "money.project_funded", org_id, project_id, amount, now)


def take_back_escrow(
    session: Session, actor: Actor, *, org_id: UUID, project_id: UUID, currency: str, now: datetime
) -> Money:
    """Return everything that no claim has reserved from a project's escrow to the wallet."""
    escrow = ensure_account(session, AccountKind.ESCROW, project_id, currency, now=now)
    wallet = place(session, AccountKind.WALLET, org_id, currency, now=now)
    # The wallet first, as funding does it: two that lock in opposite order would wait for each other.
    session.execute(queries.parts(wallet.account_id))
    parts = session.scalars(queries.parts(escrow.id).execution_options(populate_existing=True)).all()
    source_id = new_id()
    moves = [
        Move(
            "defunding",
            source_id,
            f"part {part.part}",
            Place(AccountKind.ESCROW, escrow.id, part.part),
            wallet,
            Money(part.balance_minor, currency),
        )
        for part in parts
        if part.balance_minor > 0
    ]
    post(session, moves, now=now)
    for part in parts:
        session.expire(part)
    returned = Money(sum(move.amount.minor for move in moves), currency)
    if moves:
        _record(session, actor, "money.escrow_returned", org_id, project_id, returned, now)
    return returned


def wallet_balance(session: Session, org_id: UUID, currency: str) -> Money:
    return balance(session, AccountKind.WALLET, org_id, currency)


def project_funds(session: Session, project_id: UUID, currency: str) -> ProjectFunds:
    return ProjectFunds(
        balance(session, AccountKind.ESCROW, project_id, currency),
        balance(session, AccountKind.RESERVED, project_id, currency),
    )


def project_spent(session: Session, org_id: UUID, project_id: UUID, currency: str) -> Money:
    """What a project has paid out in all: what it was given, less what went back and what it still holds.

    Reads the wallet's few postings instead of one for each judgment.
    """
    wallet = session.scalar(queries.account(AccountKind.WALLET, org_id, currency))
    escrow = session.scalar(queries.account(AccountKind.ESCROW, project_id, currency))
    if wallet is None or escrow is None:
        return Money(0, currency)
    given = int(session.scalar(queries.moved_between(wallet.id, escrow.id)) or 0)
    returned = int(session.scalar(queries.moved_between(escrow.id, wallet.id)) or 0)
    held = project_funds(session, project_id, currency)
    return Money(given - returned, currency) - held.escrow - held.reserved


def funds_of_projects(session: Session, project_ids: list[UUID]) -> dict[tuple[UUID, str], ProjectFunds]:
    """Escrow and reserved of several projects by project and currency, in one statement."""
    kinds = [AccountKind.ESCROW, AccountKind.RESERVED]
    held: dict[tuple[UUID, str], dict[AccountKind, int]] = {}
    for kind, owner_id, currency, minor in session.execute(queries.owned_balances(kinds, project_ids)):
        assert owner_id is not None
        held.setdefault((owner_id, currency), {})[kind] = int(minor)
    return {key: ProjectFunds(*(Money(minors.get(kind, 0), key[1]) for kind in kinds)) for key, minors in held.items()}


def wallets_of(session: Session, org_ids: list[UUID]) -> dict[UUID, list[Money]]:
    """What each organization holds, by currency, in one statement; organizations without a wallet are absent."""
    found: dict[UUID, list[Money]] = {}
    for _, owner_id, currency, minor in session.execute(queries.owned_balances([AccountKind.WALLET], org_ids)):
        assert owner_id is not None
        found.setdefault(owner_id, []).append(Money(int(minor), currency))
    return {org_id: sorted(held, key=lambda money: money.currency) for org_id, held in found.items()}


def _record(
    session: Session, actor: Actor, kind: str, org_id: UUID, project_id: UUID, amount: Money, now: datetime
) -> None:
    events.record(
        session,
        actor,
        kind,
        "project",
        project_id,
        at=now,
        org_id=org_id,
        project_id=project_id,
        data={"amount": amount.amount, "currency": amount.currency},
    )
