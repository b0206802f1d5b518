"""A project's suggestions, and what became of the one that belongs to a claim."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json


class SuggestionSource(StrEnum):
    OFF = "off"
    JUDGE = "judge"
    """What an AI judge has said of the task."""
    FILE = "file"
    """What came with the task, in kinds whose payloads bring predictions along."""


class SuggestionOutcome(StrEnum):
    """What became of a suggestion that was shown, by the first answer that was submitted."""

    ACCEPTED = "accepted"
    """The answer is the suggestion, whatever was pressed."""
    EDITED = "edited"
    """The person began with it and changed it."""
    REJECTED = "rejected"
    """The person did not take it, and answered otherwise."""


class SuggestionPlan(Base):
    """What a project suggests, and on which share of its tasks nothing is shown. One for a project that has decided."""

    __tablename__ = "suggestion_plan"
    __table_args__ = (
        CheckConstraint("blind_percent BETWEEN 0 AND 100", name="blind_range"),
        CheckConstraint("(source = 'judge') = (judge_id IS NOT NULL)", name="judge_named"),
    )

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    source: Mapped[SuggestionSource]
    judge_id: Mapped[UUID | None] = mapped_column(ForeignKey("ai_judge.id"))
    blind_percent: Mapped[int]
    salt: Mapped[UUID]
    """Keys the draw of blind tasks, so that nobody foresees it; made once and never changed."""
    changed_at: Mapped[datetime]


class ClaimSuggestion(Base):
    """The suggestion for a claim, as it stood when the claim was taken, whether it was shown or not.

    `agrees`, `distances` and `outcome` are of the first answer, written with it; later revisions have been told what
    is wrong.
    """

    __tablename__ = "claim_suggestion"
    __table_args__ = (
        # Newest first within a source, and whether there is a source at all, without reading what others suggested.
        Index("ix_claim_suggestion_source", "project_id", "source", "judge_id", "created_at"),
        Index("ix_claim_suggestion_task_id", "task_id", postgresql_where=text("shown")),
        CheckConstraint("(source = 'judge') = (judge_id IS NOT NULL)", name="judge_named"),
        CheckConstraint("(submission_id IS NULL) = (agrees IS NULL)", name="measured_when_submitted"),
        CheckConstraint("(outcome IS NOT NULL) = (shown AND submission_id IS NOT NULL)", name="outcome_of_shown"),
        CheckConstraint("shown OR used IS NULL", name="only_shown_is_used"),
        CheckConstraint("shown OR blind_percent IS NOT NULL", name="blind_is_drawn"),
        CheckConstraint("blind_percent BETWEEN 0 AND 100", name="blind_range"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    source: Mapped[SuggestionSource]
    judge_id: Mapped[UUID | None] = mapped_column(ForeignKey("ai_judge.id"))
    model: Mapped[str]
    """What the model says of its version, or what the file calls it."""
    shown: Mapped[bool]
    """False: the task was drawn to be judged blind."""
    blind_percent: Mapped[int | None]
    """The share at which it was drawn; None where nothing was, because nobody had set one."""
    answer: Mapped[Json]
    """In stored names."""
    used: Mapped[bool | None]
    """What the person pressed last: to begin with it, or to do without; None for neither."""
    used_at: Mapped[datetime | None]
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    agrees: Mapped[bool | None]
    """The first answer gives the same labels, shown or not."""
    distances: Mapped[Json | None]
    """Aspect -> distance of the first answer to the suggestion."""
    outcome: Mapped[SuggestionOutcome | None]
    created_at: Mapped[datetime]
