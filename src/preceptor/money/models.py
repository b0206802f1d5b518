"""The ledger: accounts in parts, append-only postings, payouts.

A posting moves a non-negative amount from one account to another, so an entry cannot be out of balance.
A busy account (an escrow that a hundred people claim from at once) is split into parts that are locked
one by one; its balance is the sum of its parts, and no part of it may go below zero.
"""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, BigInt, SmallInt
from preceptor.kit.ids import new_id


class AccountKind(StrEnum):
    BANK = "bank"
    """The outside world that money comes from; the only kind that may go below zero."""
    WALLET = "wallet"
    ESCROW = "escrow"
    RESERVED = "reserved"
    CONTRIBUTOR = "contributor"
    PAYING = "paying"
    """Money of a payout batch on its way to the rail."""
    PAID = "paid"
    """Money that has left through a payout rail."""


class PayoutBatchState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    SETTLED = "settled"


class PayoutState(StrEnum):
    PENDING = "pending"
    SENT = "sent"
    PAID = "paid"
    FAILED = "failed"


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("kind", "owner_id", "currency", postgresql_nulls_not_distinct=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[AccountKind]
    owner_id: Mapped[UUID | None]
    """Organization for a wallet, project for escrow and reserved, person for a contributor; None for the bank."""
    currency: Mapped[str]
    parts: Mapped[SmallInt]
    created_at: Mapped[datetime]


class AccountPart(Base):
    __tablename__ = "account_part"
    __table_args__ = (CheckConstraint("balance_minor >= 0 OR may_overdraw", name="not_overdrawn"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    part: Mapped[SmallInt] = mapped_column(primary_key=True)
    balance_minor: Mapped[BigInt] = mapped_column(default=0)
    may_overdraw: Mapped[bool] = mapped_column(default=False)


class Posting(Base):
    """Append-only (a trigger refuses UPDATE and DELETE); a mistake is reversed by another posting."""

    __tablename__ = "posting"
    __table_args__ = (
        UniqueConstraint("source_id", "purpose", "source_kind"),
        CheckConstraint("amount_minor >= 0", name="amount_not_negative"),
        CheckConstraint("from_account_id <> to_account_id OR from_part <> to_part", name="moves_between_two_places"),
        Index("ix_posting_from_account_id", "from_account_id"),
        Index("ix_posting_to_account_id", "to_account_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    at: Mapped[datetime]
    source_kind: Mapped[str]
    source_id: Mapped[UUID]
    purpose: Mapped[str]
    from_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    from_part: Mapped[SmallInt]
    to_account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"))
    to_part: Mapped[SmallInt]
    amount_minor: Mapped[BigInt]
    currency: Mapped[str]
    note: Mapped[str | None]


class PayoutBatch(Base):
    __tablename__ = "payout_batch"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    state: Mapped[PayoutBatchState] = mapped_column(default=PayoutBatchState.DRAFT)
    currency: Mapped[str]
    rail: Mapped[str]
    total_minor: Mapped[BigInt] = mapped_column(default=0)
    payouts: Mapped[int] = mapped_column(default=0)
    file_key: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Payout(Base):
    __tablename__ = "payout"
    __table_args__ = (
        UniqueConstraint("batch_id", "person_id"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        Index("ix_payout_person_id", "person_id"),
        Index(
            "uq_payout_external",
            "rail",
            "external_id",
            unique=True,
            postgresql_where=text("external_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("payout_batch.id"))
    person_id: Mapped[UUID]
    amount_minor: Mapped[BigInt]
    currency: Mapped[str]
    rail: Mapped[str]
    state: Mapped[PayoutState] = mapped_column(default=PayoutState.PENDING)
    external_id: Mapped[str | None]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
