"""Runs of code: what was run for a claim, within which limits, how it was isolated, and what came of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json, JsonList, SmallInt
from preceptor.kit.ids import new_id


class RunState(StrEnum):
    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    """It could not be run at all: no isolation here, a language that is missing. `result` says which."""


class SandboxRun(Base):
    """One run of a contributor's code, or of the patches they compare. Never changes once it is done."""

    __tablename__ = "sandbox_run"
    __table_args__ = (
        Index("ix_sandbox_run_claim_id", "claim_id"),
        Index("ix_sandbox_run_waiting", "lane", postgresql_where=text("state = 'waiting'")),
        Index("uq_sandbox_run_waiting_person", "person_id", unique=True, postgresql_where=text("state = 'waiting'")),
        CheckConstraint("(state = 'waiting') = (finished_at IS NULL)", name="finished_when_not_waiting"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claim.id"))
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    state: Mapped[RunState] = mapped_column(default=RunState.WAITING)
    answer: Mapped[Json]
    """The answer with the code, in stored names, as it was when the run was asked for."""
    answer_digest: Mapped[str]
    files_digest: Mapped[str]
    """SHA-256 of the code that was run (`TrialPlan.digest`): a submitted answer must be of the same."""
    lane: Mapped[SmallInt]
    """Runs of one lane go one after another; there are as many lanes as runs may go on at once."""
    isolation: Mapped[JsonList]
    limits: Mapped[Json]
    result: Mapped[Json | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
