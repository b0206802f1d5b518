"""Entry tests: assessments made of gold items, attempts and their answers."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json, JsonList
from preceptor.kit.ids import new_id


class AttemptState(StrEnum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    EXPIRED = "expired"


class Assessment(Base):
    __tablename__ = "assessment"
    __table_args__ = (
        CheckConstraint("pass_percent BETWEEN 1 AND 100", name="pass_range"),
        CheckConstraint("attempts_max >= 1", name="attempts_range"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"), index=True)
    qualification_id: Mapped[UUID] = mapped_column(ForeignKey("qualification.id"), index=True)
    title: Mapped[str]
    introduction: Mapped[str] = mapped_column(default="")
    task_type: Mapped[str]
    config: Mapped[Json]
    pass_percent: Mapped[int]
    time_limit_seconds: Mapped[int]
    attempts_max: Mapped[int]
    cooldown_seconds: Mapped[int]
    questions: Mapped[int]
    """How many items an attempt draws."""
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class AssessmentItem(Base):
    __tablename__ = "assessment_item"
    __table_args__ = (UniqueConstraint("assessment_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"))
    number: Mapped[int]
    payload: Mapped[Json]
    answer: Mapped[Json]
    explanation: Mapped[str]
    practice: Mapped[bool] = mapped_column(default=False)
    """Used in practice mode, where each answer is explained; never in an attempt."""


class Attempt(Base):
    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("assessment_id", "person_id", "number"),
        Index(
            "uq_attempt_running",
            "assessment_id",
            "person_id",
            unique=True,
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessment.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    number: Mapped[int]
    state: Mapped[AttemptState] = mapped_column(default=AttemptState.RUNNING)
    item_ids: Mapped[JsonList]
    """The drawn items in order, as uuid text."""
    score_percent: Mapped[int | None]
    started_at: Mapped[datetime]
    deadline: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class AttemptAnswer(Base):
    __tablename__ = "attempt_answer"

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("assessment_item.id"), primary_key=True)
    display_order: Mapped[list[str]]
    draft: Mapped[Json | None]
    answer: Mapped[Json | None]
    score: Mapped[float | None]
    reasons: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    shown_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
