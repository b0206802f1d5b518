"""Decision receipts and appeals."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, JsonList
from preceptor.kit.ids import new_id


class ReceiptKind(StrEnum):
    RETURN = "return"
    """Sent back for revision."""
    REJECT = "reject"
    RETRAIN = "retrain"
    """Practice before further tasks of the project."""
    PAUSE = "pause"
    REMOVE = "remove"
    SUSPEND = "suspend"
    """Shut out of the installation."""


class AppealState(StrEnum):
    OPEN = "open"
    STANDS = "stands"
    """Somebody else looked, and the decision stands."""
    OVERTURNED = "overturned"


class AppealOrigin(StrEnum):
    PERSON = "person"
    GOLD_CHALLENGE = "gold_challenge"
    """The known answer that the decision rested on was corrected."""


class DecisionReceipt(Base):
    """What was decided about a person, by whom, under which rule, on which evidence. Append-only.

    The database refuses a rejected or returned submission, a paused, retraining or removed membership and a
    suspended person without one.
    """

    __tablename__ = "decision_receipt"
    __table_args__ = (
        Index("ix_decision_receipt_person_id_id", "person_id", "id"),
        Index("ix_decision_receipt_project_id_id", "project_id", "id"),
        Index(
            "uq_decision_receipt_submission",
            "submission_id",
            unique=True,
            postgresql_where=text("submission_id IS NOT NULL"),
        ),
        CheckConstraint("(submission_id IS NOT NULL) = (kind IN ('return', 'reject'))", name="subject_fits_kind"),
        CheckConstraint("(project_id IS NULL) = (kind = 'suspend')", name="project_fits_kind"),
        CheckConstraint("decided_by <> person_id", name="nobody_decides_about_themselves"),
        CheckConstraint("statement <> ''", name="says_why"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[ReceiptKind]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """Whom it concerns."""
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"))
    submission_id: Mapped[UUID | None] = mapped_column(ForeignKey("submission.id"))
    rule: Mapped[str]
    """Which rule was applied: "review", "below the project's standard", ..."""
    rule_version: Mapped[str]
    """Of the rule: the rubric's number ("rubric 3"), or the version of the product's own rules."""
    statement: Mapped[str]
    """The reason, as the person reads it."""
    evidence: Mapped[JsonList]
    """[{kind, id, text}]: what it rests on; `kind` is "review", "criterion", "gold", "evidence", "submission"."""
    decided_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    """A human, never the system."""
    decided_at: Mapped[datetime]
    appeal_until: Mapped[datetime]


class Appeal(Base):
    """A receipt looked at again, by somebody else. One per receipt."""

    __tablename__ = "appeal"
    __table_args__ = (
        Index("ix_appeal_open", "created_at", postgresql_where=text("state = 'open'")),
        Index("ix_appeal_person_id_id", "person_id", "id"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by_a_human"),
        CheckConstraint("decided_by <> person_id", name="not_by_the_person"),
        CheckConstraint("decided_by <> first_decider_id OR origin <> 'person'", name="by_somebody_else"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    receipt_id: Mapped[UUID] = mapped_column(ForeignKey("decision_receipt.id"), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    project_id: Mapped[UUID | None] = mapped_column(ForeignKey("project.id"), index=True)
    first_decider_id: Mapped[UUID]
    """Who decided first (from the receipt): may not decide again."""
    origin: Mapped[AppealOrigin] = mapped_column(default=AppealOrigin.PERSON)
    words: Mapped[str]
    """Why the person thinks that the decision is wrong."""
    state: Mapped[AppealState] = mapped_column(default=AppealState.OPEN)
    decided_by: Mapped[UUID | None]
    reason: Mapped[str | None]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
