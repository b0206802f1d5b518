"""AI judges and what they said. A judgment of a model is never a submission: nobody is paid for it, no task counts it
towards its overlap, and no money moves."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.endpoints.models import COST_DIGITS, PRICE_DIGITS
from preceptor.kit.db import Base, Json, JsonList
from preceptor.kit.ids import new_id


class JudgeState(StrEnum):
    IDLE = "idle"
    RUNNING = "running"
    RETIRED = "retired"
    """Asked no more, and without a voice in the answers; what it said stays."""


class JudgeScope(StrEnum):
    """Which tasks a run asks about."""

    JUDGED = "judged"
    """Those that people have judged or whose answer is known: enough to measure the judge by."""
    ALL = "all"


class JudgmentOutcome(StrEnum):
    ANSWERED = "answered"
    UNDECIDED = "undecided"
    """Asked in both orders it contradicted itself, and the project takes no ties."""
    UNREADABLE = "unreadable"
    """No answer could be read out of what the model wrote; it is never guessed."""
    FAILED = "failed"
    """The endpoint gave no whole reply."""
    UNFIT = "unfit"
    """The task cannot be put into words for a model, such as one with pictures. Nobody was asked."""


class AiJudge(Base):
    """A model with a prompt. What is asked never changes, since all that is measured is about this prompt: another
    prompt is another judge."""

    __tablename__ = "ai_judge"
    __table_args__ = (
        Index("uq_ai_judge_title", "project_id", "title", unique=True, postgresql_where=text("state <> 'retired'")),
        CheckConstraint("budget >= 0", name="budget_not_negative"),
        CheckConstraint("tasks_max > 0", name="tasks_max_positive"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    endpoint_id: Mapped[UUID] = mapped_column(ForeignKey("model_endpoint.id"), index=True)
    title: Mapped[str]
    guidelines: Mapped[str]
    """The guidelines that it is prompted with, as they stood when it was made."""
    rubric: Mapped[str]
    """The rubric in words, likewise."""
    words: Mapped[str]
    """What the client tells this judge beside them."""
    critique: Mapped[bool]
    """Each answer is criticised by the guidelines and revised in a second question."""
    both_orders: Mapped[bool]
    """Each task is asked in a drawn order and in the reverse of it."""
    model: Mapped[str]
    price_input: Mapped[Decimal] = mapped_column(Numeric(18, PRICE_DIGITS))
    """Of the endpoint when the judge was made; what was paid stands with each judgment."""
    price_output: Mapped[Decimal] = mapped_column(Numeric(18, PRICE_DIGITS))
    currency: Mapped[str]
    state: Mapped[JudgeState] = mapped_column(default=JudgeState.IDLE)
    run: Mapped[int] = mapped_column(default=0)
    """Counts the runs that were asked for."""
    scope: Mapped[JudgeScope] = mapped_column(default=JudgeScope.JUDGED)
    again: Mapped[bool] = mapped_column(default=False)
    """The run also asks again where earlier ones brought no answer."""
    tasks_max: Mapped[int | None]
    """Of this run; None for all."""
    budget: Mapped[Decimal | None] = mapped_column(Numeric(24, COST_DIGITS))
    """Of all that the judge ever costs, in `currency`; None for no limit."""
    ended_because: Mapped[str]
    """Why the last run ended, in a sentence."""
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class AiJudgment(Base):
    """What one judge says of one task; asked again after a failure, the costs add up."""

    __tablename__ = "ai_judgment"
    __table_args__ = (
        UniqueConstraint("judge_id", "task_id"),
        Index("ix_ai_judgment_task_id", "task_id"),
        CheckConstraint("(outcome = 'answered') = (answer IS NOT NULL)", name="answered_with_answer"),
        CheckConstraint("cost >= 0", name="cost_not_negative"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    judge_id: Mapped[UUID] = mapped_column(ForeignKey("ai_judge.id"))
    task_id: Mapped[UUID] = mapped_column(ForeignKey("task.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    outcome: Mapped[JudgmentOutcome]
    answer: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """In stored names, complete by the kind's own check."""
    passes: Mapped[JsonList]
    """Each time the task was put to it: {order, text, critique, revision, answer, problems, generations}."""
    error: Mapped[str]
    consistent: Mapped[bool | None]
    """Whether both orders gave the same answer; None where only one was asked."""
    model_version: Mapped[str | None]
    input_tokens: Mapped[int]
    output_tokens: Mapped[int]
    tokens_estimated: Mapped[bool]
    cost: Mapped[Decimal] = mapped_column(Numeric(24, COST_DIGITS))
    currency: Mapped[str]
    latency_ms: Mapped[int]
    run: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AiJudgeSkill(Base):
    """How well a judge judges, as the newest fit measured it, and how many human judgments it could replace."""

    __tablename__ = "ai_judge_skill"

    judge_id: Mapped[UUID] = mapped_column(ForeignKey("ai_judge.id"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    judgments: Mapped[int]
    counts: Mapped[JsonList]
    """classes x classes: expected number of judgments by true class (row) and given class (column)."""
    accuracy: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    reason: Mapped[str | None]
    by_class: Mapped[JsonList]
    included: Mapped[bool]
    """Whether the fit heard it as one more annotator; else it was held against the people's answers alone."""
    replacing: Mapped[Json]
    """`quality.replacing.Replacing` as JSON."""
    fit_id: Mapped[UUID]
    updated_at: Mapped[datetime]
