"""Claims, submissions, reviews, flags."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, BigInt, Json, JsonList, SmallInt
from preceptor.kit.ids import new_id


class ClaimState(StrEnum):
    OPEN = "open"
    AHEAD = "ahead"
    """Set aside as the next task of a person who still works on another: nothing of it counts before it is opened."""
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """A reviewer asked for a revision; held until `leased_until`."""
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RELEASED = "released"
    SKIPPED = "skipped"


class SubmissionState(StrEnum):
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"
    """Returned and not revised in time, or a revision that was not needed after all: its return was overturned."""


class Decision(StrEnum):
    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"


class Claim(Base):
    """A person holds a task under a lease. The rate is fixed here and never changes (a trigger refuses it)."""

    __tablename__ = "claim"
    __table_args__ = (
        # Nobody judges the same task twice; a lease that ran out or was given back may be taken again.
        Index(
            "uq_claim_task_person",
            "task_id",
            "person_id",
            unique=True,
            postgresql_where=text("state NOT IN ('expired', 'released')"),
        ),
        Index("uq_claim_open", "project_id", "person_id", unique=True, postgresql_where=text("state = 'open'")),
        Index("uq_claim_ahead", "project_id", "person_id", unique=True, postgresql_where=text("state = 'ahead'")),
        Index("ix_claim_lease", "leased_until", postgresql_where=text("state IN ('open', 'returned')")),
        Index("ix_claim_person_id_id", "person_id", "id"),
        Index("ix_claim_task_id", "task_id"),
        Index("ix_claim_project_id_id", "project_id", "id"),
        CheckConstraint("rate_minor >= 0", name="rate_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    state: Mapped[ClaimState] = mapped_column(default=ClaimState.OPEN)
    leased_until: Mapped[datetime]
    rate_minor: Mapped[BigInt]
    currency: Mapped[str]
    money_part: Mapped[SmallInt]
    """Which part of escrow and reserved this claim's money sits in."""
    display_order: Mapped[list[str]]
    """Response ids in the order they were shown."""
    guidelines_version_id: Mapped[UUID | None]
    rubric_version_id: Mapped[UUID | None]
    draft: Mapped[Json | None]
    """As the person sees it: shown labels, not response ids."""
    draft_number: Mapped[int] = mapped_column(default=0)
    """Counts up in the browser; an older draft that arrives late is ignored."""
    draft_saved_at: Mapped[datetime | None]
    worked_seconds: Mapped[int] = mapped_column(default=0)
    last_beat_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    """Why it was skipped or released."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class StepKind(StrEnum):
    SAVED = "saved"
    PASTED = "pasted"


class ClaimStep(Base):
    """How an answer came about: states that were saved, and text that was pasted into it. Nothing else is kept.

    The person was told before they started, and sees all of it.
    """

    __tablename__ = "claim_step"
    __table_args__ = (
        Index("ix_claim_step_claim_id_id", "claim_id", "id"),
        CheckConstraint("size >= 0", name="size_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    kind: Mapped[StepKind]
    at: Mapped[datetime]
    field: Mapped[str] = mapped_column(default="")
    """What the person was pasting into, as the page names it."""
    size: Mapped[int]
    """Characters of the saved answer as JSON, or of the pasted text."""
    answer: Mapped[Json | None]
    """The saved state in shown names; None where it is too large to keep, and for a paste."""


class Submission(Base):
    """An answer given. A revision is a new row; nothing here is overwritten but its state."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("claim_id", "revision"),
        Index("ix_submission_due", "decide_at", postgresql_where=text("state = 'submitted'")),
        Index("ix_submission_to_score", "id", postgresql_where=text("to_score")),
        Index(
            "ix_submission_to_review",
            "project_id",
            "created_at",
            postgresql_where=text("state = 'submitted' AND review_wanted"),
        ),
        Index("ix_submission_task_id", "task_id"),
        Index("ix_submission_person_id_id", "person_id", "id"),
        Index("ix_submission_project_id_id", "project_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    revision: Mapped[int] = mapped_column(default=1)
    answer: Mapped[Json]
    """In response ids, whatever order was shown."""
    state: Mapped[SubmissionState] = mapped_column(default=SubmissionState.SUBMITTED)
    worked_seconds: Mapped[int]
    review_wanted: Mapped[bool]
    review_reason: Mapped[str | None]
    """Why it was sampled: "random", "revision", or the risk that spoke for it ("risk: new person")."""
    review_chance: Mapped[float | None]
    """The chance with which it was drawn; random ones estimate the project's quality without bias."""
    to_score: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """An answer to a gold task that is still to be compared with the known one; by the next sweep."""
    decide_at: Mapped[datetime]
    """When it is approved if nobody decides before."""
    reviewer_id: Mapped[UUID | None]
    """Who has it open for review, until `review_leased_until`."""
    review_leased_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class Review(Base):
    """A person's decision about one submission, with its reasons. One per submission."""

    __tablename__ = "review"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), unique=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    reviewer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    decision: Mapped[Decision]
    comment: Mapped[str]
    criteria: Mapped[JsonList]
    """[{key, verdict: "met"|"not_met"|"unclear", comment, quote}]; a rejection names at least one."""
    rubric_version_id: Mapped[UUID | None]
    worked_seconds: Mapped[int]
    created_at: Mapped[datetime]


class Flag(Base):
    """A contributor reports a broken task."""

    __tablename__ = "flag"
    __table_args__ = (UniqueConstraint("task_id", "person_id"), Index("ix_flag_project_id", "project_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    comment: Mapped[str]
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
