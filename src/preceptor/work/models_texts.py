"""Signatures of written texts, by which near duplicates in a project are found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, SmallInt
from preceptor.kit.ids import new_id


class TextSignature(Base):
    """One text of a project: what somebody submitted (`claim_id`), or one that came with a task.

    Holds no text: that stays where it is, and is read again for the few candidates that a search finds.
    """

    __tablename__ = "text_signature"
    __table_args__ = (
        Index("ix_text_signature_bands", "bands", postgresql_using="gin"),
        Index("uq_text_signature_claim", "claim_id", unique=True, postgresql_where=text("claim_id IS NOT NULL")),
        Index("uq_text_signature_place", "task_id", "place", unique=True, postgresql_where=text("claim_id IS NULL")),
        Index(
            "ix_text_signature_task",
            "project_id",
            text("task_id DESC"),
            postgresql_where=text("claim_id IS NULL AND place = 0"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claim.id"))
    place: Mapped[SmallInt]
    """Which of the texts that came with the task. Every task that was looked at has a row of place 0."""
    person_id: Mapped[UUID | None]
    bands: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    """Keys of which similar texts share one (`likeness.band_keys`, salted by project); none for an empty text."""
    signature: Mapped[bytes]
    """`likeness.signature`, as its bytes."""
    created_at: Mapped[datetime]
