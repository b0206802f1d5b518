"""Training runs: which release, which configuration, which result; the model itself is files."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json
from preceptor.kit.ids import new_id


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    READY = "ready"
    FAILED = "failed"


class TrainingRun(Base):
    __tablename__ = "training_run"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"), index=True)
    release_id: Mapped[UUID] = mapped_column(ForeignKey("release.id"), index=True)
    kind: Mapped[str]
    """"reward" for now."""
    config: Mapped[Json]
    state: Mapped[RunState] = mapped_column(default=RunState.QUEUED)
    folder: Mapped[str]
    metrics: Mapped[Json | None]
    progress_percent: Mapped[int] = mapped_column(default=0)
    failure: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
