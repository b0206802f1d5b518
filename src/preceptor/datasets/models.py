"""Dataset releases: numbered, immutable once built (a trigger refuses changes)."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, Json
from preceptor.kit.ids import new_id


class ReleaseState(StrEnum):
    QUEUED = "queued"
    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


class Release(Base):
    __tablename__ = "release"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("project.id"))
    number: Mapped[int]
    title: Mapped[str]
    state: Mapped[ReleaseState] = mapped_column(default=ReleaseState.QUEUED)
    folder: Mapped[str]
    """Storage prefix of its files."""
    sha256: Mapped[str | None]
    """Digest of manifest.json, which holds the digest of every other file."""
    manifest: Mapped[Json | None]
    pairs: Mapped[int | None]
    judgments: Mapped[int | None]
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_total: Mapped[int | None]
    failure: Mapped[str | None]
    created_by: Mapped[UUID | None]
    created_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
