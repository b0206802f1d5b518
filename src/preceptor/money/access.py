"""The only ways to get a row about money that a user asked for."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.money.models import Account, Payout, PayoutBatch
from preceptor.people.access import require_operator

__all__ = ["account_for_operator", "payout_batch", "payout_for_operator", "require_operator"]


def payout_batch(session: Session, actor: Actor, batch_id: UUID) -> PayoutBatch:
    """A payout batch, for operators only."""
    require_operator(actor)
    batch = session.get(PayoutBatch, batch_id)
    if batch is None:
        raise NotFound("payout_batch")
    return batch


def payout_for_operator(session: Session, actor: Actor, payout_id: UUID) -> Payout:
    """One payout, locked, for operators only."""
    require_operator(actor)
    payout = session.get(Payout, payout_id, with_for_update=True)
    if payout is None:
        raise NotFound("payout")
    return payout


def account_for_operator(session: Session, actor: Actor, account_id: UUID) -> Account:
    """Any account of the ledger, for operators only."""
    require_operator(actor)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound("account")
    return account
