"""Selects over the whole ledger for operators, returned and not executed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import aliased

from preceptor.money.models import Account, AccountKind, AccountPart, Payout, PayoutBatch, PayoutState, Posting
from preceptor.people.models import Organization, Person

SEARCH_CHARACTERS_MAX = 200
SOURCE_KINDS = ("top_up", "funding", "defunding", "claim", "appeal", "payout", "gather")
"""What makes postings; `Posting.source_kind`."""


@dataclass(frozen=True)
class PostingsWanted:
    """Which postings: everything that is set must fit."""

    source_kind: str | None = None
    currency: str | None = None
    account_id: UUID | None = None
    source_id: UUID | None = None
    posting_id: UUID | None = None
    words: str = ""
    """In the note, or in the name of the organization or person on either side."""
    minor: int | None = None
    """An exact amount in minor units."""
    since: datetime | None = None
    until: datetime | None = None
    before: UUID | None = None
    limit: int = 50


def postings(wanted: PostingsWanted) -> Select[tuple[Posting, Account, Account]]:
    """Postings with the accounts on both sides, newest first."""
    source, target = aliased(Account), aliased(Account)
    return (
        select(Posting, source, target)
        .join(source, source.id == Posting.from_account_id)
        .join(target, target.id == Posting.to_account_id)
        .where(*_conditions(wanted))
        .order_by(Posting.id.desc())
        .limit(wanted.limit)
    )


def _conditions(wanted: PostingsWanted) -> list[ColumnElement[bool]]:
    given: list[tuple[object, ColumnElement[bool]]] = [
        (wanted.source_kind, Posting.source_kind == wanted.source_kind),
        (wanted.currency, Posting.currency == wanted.currency),
        (wanted.source_id, Posting.source_id == wanted.source_id),
        (wanted.posting_id, Posting.id == wanted.posting_id),
    ]
    found = [condition for value, condition in given if value is not None]
    if wanted.since is not None:
        found.append(Posting.at >= wanted.since)
    if wanted.until is not None:
        found.append(Posting.at < wanted.until)
    if wanted.before is not None:
        found.append(Posting.id < wanted.before)
    if wanted.minor is not None:
        found.append(Posting.amount_minor == wanted.minor)
    if wanted.account_id is not None:
        found.append(or_(Posting.from_account_id == wanted.account_id, Posting.to_account_id == wanted.account_id))
    if wanted.words:
        found.append(_named(wanted.words[:SEARCH_CHARACTERS_MAX]))
    return found


def _named(words: str) -> ColumnElement[bool]:
    organizations = select(Organization.id).where(Organization.name.icontains(words, autoescape=True))
    people = select(Person.id).where(
        or_(Person.name.icontains(words, autoescape=True), Person.email.icontains(words, autoescape=True))
    )
    owned = select(Account.id).where(or_(Account.owner_id.in_(organizations), Account.owner_id.in_(people)))
    return or_(
        Posting.note.icontains(words, autoescape=True),
        Posting.from_account_id.in_(owned),
        Posting.to_account_id.in_(owned),
    )


def imbalance_by_currency() -> Select[tuple[str, int]]:
    """(currency, sum over all accounts): zero when money was only ever moved."""
    return (
        select(Account.currency, func.sum(AccountPart.balance_minor))
        .join(AccountPart, AccountPart.account_id == Account.id)
        .group_by(Account.currency)
        .order_by(Account.currency)
    )


def accounts(kind: AccountKind, currency: str | None, before: UUID | None, limit: int) -> Select[tuple[Account, int]]:
    """Accounts of one kind with what they hold, the one opened last first."""
    found = (
        select(Account, func.sum(AccountPart.balance_minor))
        .join(AccountPart, AccountPart.account_id == Account.id)
        .where(Account.kind == kind)
        .group_by(Account.id)
        .order_by(Account.id.desc())
        .limit(limit)
    )
    if currency is not None:
        found = found.where(Account.currency == currency)
    return found if before is None else found.where(Account.id < before)


def would_be_paid(currency: str, minimum_minor: int, limit: int) -> Select[tuple[UUID, str, str, int]]:
    """(person, name, address, balance) of who reaches the smallest payout, the most first. Locks nothing."""
    return (
        select(Person.id, Person.name, Person.email, AccountPart.balance_minor)
        .join(Account, Account.owner_id == Person.id)
        .join(AccountPart, AccountPart.account_id == Account.id)
        .where(*_payable(currency, minimum_minor))
        .order_by(AccountPart.balance_minor.desc(), Person.id)
        .limit(limit)
    )


def would_be_paid_in_all(currency: str, minimum_minor: int) -> Select[Any]:
    return (
        select(func.count().label("people"), func.coalesce(func.sum(AccountPart.balance_minor), 0).label("minor"))
        .join(Account, Account.id == AccountPart.account_id)
        .where(*_payable(currency, minimum_minor))
    )


def _payable(currency: str, minimum_minor: int) -> list[ColumnElement[bool]]:
    return [
        Account.kind == AccountKind.CONTRIBUTOR,
        Account.currency == currency,
        AccountPart.balance_minor >= max(minimum_minor, 1),
    ]


def batches(before: UUID | None, limit: int) -> Select[tuple[PayoutBatch]]:
    found = select(PayoutBatch).order_by(PayoutBatch.id.desc()).limit(limit)
    return found if before is None else found.where(PayoutBatch.id < before)


def payouts(
    batch_id: UUID, *, state: PayoutState | None, words: str, before: UUID | None, limit: int
) -> Select[tuple[Payout, str, str]]:
    """(payout, name, address) of a batch, newest first."""
    found = (
        select(Payout, Person.name, Person.email)
        .join(Person, Person.id == Payout.person_id)
        .where(Payout.batch_id == batch_id)
        .order_by(Payout.id.desc())
        .limit(limit)
    )
    if state is not None:
        found = found.where(Payout.state == state)
    for word in words[:SEARCH_CHARACTERS_MAX].split():
        found = found.where(
            or_(Person.name.icontains(word, autoescape=True), Person.email.icontains(word, autoescape=True))
        )
    return found if before is None else found.where(Payout.id < before)


def payout_states(batch_id: UUID) -> Select[tuple[PayoutState, int, int]]:
    """(state, payouts, minor units) of a batch."""
    return (
        select(Payout.state, func.count(), func.sum(Payout.amount_minor))
        .where(Payout.batch_id == batch_id)
        .group_by(Payout.state)
    )
