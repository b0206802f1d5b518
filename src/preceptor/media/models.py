"""Files, uploads that are under way, and what uses a file."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from preceptor.kit.db import Base, BigInt, JsonList
from preceptor.kit.ids import new_id
from preceptor.media.kinds import MediaKind


class MediaState(StrEnum):
    READY = "ready"
    DELETED = "deleted"


class UploadState(StrEnum):
    RECEIVING = "receiving"
    CHECKING = "checking"
    DONE = "done"
    REFUSED = "refused"


class Placed(StrEnum):
    """How a file belongs to a project: filed there by whoever uploaded it, or used by a task or an answer."""

    FILED = "filed"
    TASK = "task"
    ANSWER = "answer"


class Media(Base):
    """A file as it is served. Its bytes lie in the file store under `rules.media_key` and never change."""

    __tablename__ = "media"
    __table_args__ = (
        Index("uq_media_content", "org_id", "sha256", unique=True, postgresql_where=text("state = 'ready'")),
        Index("ix_media_org_id_id", "org_id", "id"),
        CheckConstraint("size_bytes > 0", name="has_bytes"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who uploaded it; None for the command line."""
    sha256: Mapped[str]
    """Of the bytes as they are kept, in hexadecimal."""
    sent_sha256: Mapped[str]
    """Of the bytes as they came, before personal metadata was taken out."""
    size_bytes: Mapped[BigInt]
    media_type: Mapped[str]
    kind: Mapped[MediaKind]
    name: Mapped[str]
    """The file's name as it came, cleaned."""
    width: Mapped[int | None]
    height: Mapped[int | None]
    duration_ms: Mapped[BigInt | None]
    remark: Mapped[str | None]
    state: Mapped[MediaState] = mapped_column(default=MediaState.READY)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class MediaPlace(Base):
    """Where a file belongs and what uses it. A file with a place other than `filed` cannot be deleted."""

    __tablename__ = "media_place"
    __table_args__ = (Index("ix_media_place_project_id", "project_id"),)

    media_id: Mapped[UUID] = mapped_column(ForeignKey("media.id"), primary_key=True)
    placed: Mapped[Placed] = mapped_column(primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    """The task or submission; the project itself where the file is only filed."""
    project_id: Mapped[UUID]


class MediaUpload(Base):
    """An upload as the tus protocol knows it. What has come lies in the file store, part by part."""

    __tablename__ = "media_upload"
    __table_args__ = (
        CheckConstraint("offset_bytes BETWEEN 0 AND length_bytes", name="within_length"),
        CheckConstraint("(state = 'done') = (media_id IS NOT NULL)", name="done_is_kept"),
        Index("ix_media_upload_owner_id", "owner_id"),
        Index("ix_media_upload_expires_at", "expires_at"),
        Index("ix_media_upload_org_id", "org_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organization.id"))
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    project_id: Mapped[UUID | None]
    name: Mapped[str]
    announced_type: Mapped[str]
    announced_sha256: Mapped[str | None]
    length_bytes: Mapped[BigInt]
    offset_bytes: Mapped[BigInt] = mapped_column(default=0)
    parts: Mapped[JsonList] = mapped_column(default=list)
    """Keys in the file store, in order."""
    state: Mapped[UploadState] = mapped_column(default=UploadState.RECEIVING)
    media_id: Mapped[UUID | None] = mapped_column(ForeignKey("media.id"))
    problem: Mapped[str | None]
    """Why it was refused, in words."""
    created_at: Mapped[datetime]
    touched_at: Mapped[datetime]
    expires_at: Mapped[datetime]
