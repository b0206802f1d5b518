"""What the quality engine keeps: posteriors, skills, fits, evidence, gold results and challenges, review checks."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json, JsonList
from preceptor.kit.ids import new_id
from preceptor.work.models import Decision


class AnswerState(StrEnum):
    ASKING = "asking"
    RESOLVED = "resolved"
    """Sure enough, or as many judgments as were wanted."""
    ESCALATED = "escalated"
    """Still unsure at the cap or the price limit; somebody should look."""


class TaskQuality(Base):
    """What the judgments of a task say together, updated with each of them and made exact by the next fit."""

    __tablename__ = "task_quality"
    __table_args__ = (
        Index("ix_task_quality_project_state", "project_id", "state"),
        Index("ix_task_quality_project_ambiguity", "project_id", "ambiguity"),
    )

    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    judgments: Mapped[int]
    units: Mapped[Json]
    """{unit: {label: probability}}"""
    confidence: Mapped[float]
    """The least sure unit's greatest probability."""
    state: Mapped[AnswerState] = mapped_column(default=AnswerState.ASKING)
    ambiguity: Mapped[float | None]
    """Chance that people legitimately differ here rather than err; from the last fit."""
    difficulty: Mapped[float | None]
    value_of_next: Mapped[float | None]
    """Expected gain in the probability of being right from one more judgment."""
    fit_id: Mapped[UUID | None]
    updated_at: Mapped[datetime]


class PersonSkill(Base):
    """How well a person judges in a project: expected confusion counts, accuracy with an interval, its tests."""

    __tablename__ = "person_skill"

    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    judgments: Mapped[int]
    counts: Mapped[JsonList]
    """classes x classes: expected number of judgments by true class (row) and given class (column)."""
    accuracy: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    by_class: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    by_topic: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    drift: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    """Accuracy over time, oldest first: [{until, accuracy, low, high, n}]."""
    watch: Mapped[Json | None]
    """State of the sequential test against the project's standard (`quality.evidence`)."""
    fit_id: Mapped[UUID | None]
    updated_at: Mapped[datetime]


class QualityFit(Base):
    """One exact fit of a project's judgments. Kept, so that agreement and accuracy can be followed over time."""

    __tablename__ = "quality_fit"
    __table_args__ = (Index("ix_quality_fit_project_id_id", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    method: Mapped[str]
    why: Mapped[str]
    """Why this method, in a sentence."""
    labels: Mapped[int]
    tasks: Mapped[int]
    people: Mapped[int]
    classes: Mapped[JsonList]
    prior: Mapped[JsonList]
    pooled: Mapped[JsonList]
    """The crowd's confusion counts, which individual people are shrunk towards."""
    alpha: Mapped[float | None]
    alpha_low: Mapped[float | None]
    alpha_high: Mapped[float | None]
    accuracy: Mapped[float | None]
    """Share of gold tasks that the fit answers right without knowing the key."""
    majority_accuracy: Mapped[float | None]
    ece: Mapped[float | None]
    calibration: Mapped[Json | None]
    diagnostics: Mapped[Json]
    cpu_seconds: Mapped[float]
    newest_submission_id: Mapped[UUID | None]
    """Judgments up to this one are in it."""
    created_at: Mapped[datetime]


class EvidenceKind(StrEnum):
    ACCURACY = "accuracy"
    """Below the project's standard."""
    DRIFT = "drift"
    SPEED = "speed"
    COPYING = "copying"
    HABIT = "habit"
    """Always the same side, or the same label in long runs."""


class EvidenceState(StrEnum):
    OPEN = "open"
    SEEN = "seen"
    """Looked at; nothing was to be done, or a decision receipt refers to it."""


class Evidence(Base):
    """A finding about a person with a stated false-alarm rate. Never a decision."""

    __tablename__ = "evidence"
    __table_args__ = (
        UniqueConstraint(
            "project_id",
            "person_id",
            "kind",
            "other_person_id",
            name="uq_evidence_subject",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_evidence_person_id", "person_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    other_person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """With whom answers seem to be shared."""
    kind: Mapped[EvidenceKind]
    log_e: Mapped[float]
    """Natural logarithm of the e-value now ..."""
    log_e_max: Mapped[float]
    """... and at its highest."""
    false_alarms: Mapped[float]
    """Greatest chance that an honest person ever shows this."""
    n: Mapped[int]
    """Judgments that it rests on."""
    path: Mapped[JsonList]
    """[[n, log_e], ...], thinned."""
    statement: Mapped[str]
    state: Mapped[EvidenceState] = mapped_column(default=EvidenceState.OPEN)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class GoldResult(Base):
    """How an answer compares with the known one; scored anew when the key is corrected."""

    __tablename__ = "gold_result"
    __table_args__ = (
        Index("ix_gold_result_task_id", "task_id"),
        Index("ix_gold_result_person_project", "person_id", "project_id"),
        Index("ix_gold_result_project_created", "project_id", "created_at"),
        CheckConstraint("score BETWEEN 0 AND 1", name="score_range"),
    )

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    score: Mapped[float]
    passed: Mapped[bool]
    version: Mapped[int]
    """Of the key that it was scored with."""
    expected: Mapped[float]
    """Chance of passing that the person's other gold results gave beforehand."""
    created_at: Mapped[datetime]


class ChallengeState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


class GoldChallenge(Base):
    """A contributor says that a known answer is wrong."""

    __tablename__ = "gold_challenge"
    __table_args__ = (
        UniqueConstraint("task_id", "person_id"),
        Index("ix_gold_challenge_project_state", "project_id", "state"),
        CheckConstraint("decided_by <> person_id", name="not_by_the_person"),
        CheckConstraint("(state = 'open') = (decided_by IS NULL)", name="decided_by_a_human"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    words: Mapped[str]
    state: Mapped[ChallengeState] = mapped_column(default=ChallengeState.OPEN)
    decided_by: Mapped[UUID | None]
    reason: Mapped[str | None]
    new_answer: Mapped[Json | None]
    """The corrected key; None where the task was withdrawn as gold instead."""
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class PracticeAnswer(Base):
    """An answer given in calibration practice: explained at once, unpaid, never part of the data."""

    __tablename__ = "practice_answer"
    __table_args__ = (Index("ix_practice_answer_person_project", "person_id", "project_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    answer: Mapped[Json]
    score: Mapped[float]
    passed: Mapped[bool]
    created_at: Mapped[datetime]


class CheckKind(StrEnum):
    DOUBLE = "double"
    """A second reviewer decides what another has decided, without seeing how."""
    GOLD = "gold"
    """The right decision is known."""


class ReviewCheck(Base):
    """A review that measures the reviewer and changes nothing about the work; looks like any other."""

    __tablename__ = "review_check"
    __table_args__ = (
        UniqueConstraint("submission_id", "reviewer_id"),
        Index("ix_review_check_open", "project_id", "id", postgresql_where=text("decision IS NULL")),
        Index("ix_review_check_reviewer_id", "reviewer_id"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided_at_once"),
        CheckConstraint("decision IS NULL OR reviewer_id IS NOT NULL", name="decided_by_a_human"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    kind: Mapped[CheckKind]
    reviewer_id: Mapped[UUID | None]
    """Who has it open, until `leased_until`, or decided it; without a lease: who has put it back."""
    leased_until: Mapped[datetime | None]
    known: Mapped[str | None]
    """The right decision (gold) or the first reviewer's (double)."""
    decision: Mapped[Decision | None]
    comment: Mapped[str] = mapped_column(default="")
    criteria: Mapped[JsonList] = mapped_column(server_default=text("'[]'::jsonb"))
    worked_seconds: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]


class GoldReview(Base):
    """A submission whose right decision is known: set by a manager, or settled by an appeal."""

    __tablename__ = "gold_review"

    submission_id: Mapped[UUID] = mapped_column(ForeignKey("submission.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    decision: Mapped[Decision]
    explanation: Mapped[str]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
