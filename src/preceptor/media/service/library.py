"""The files of an organization: lists, what uses them, deleting."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import Actor, record
from preceptor.kit.ids import show_id
from preceptor.kit.jobs import defer
from preceptor.media import access, queries
from preceptor.media.errors import MediaInUse
from preceptor.media.kinds import MediaKind
from preceptor.media.models import Media, MediaState, Placed


@dataclass(frozen=True)
class Used:
    """How many tasks and answers use a file."""

    tasks: int = 0
    answers: int = 0

    @property
    def any(self) -> bool:
        return bool(self.tasks or self.answers)


@dataclass(frozen=True)
class Page:
    """Some files with their uses, and the last one's id where more follow."""

    items: list[tuple[Media, Used]]
    next_after: UUID | None


@dataclass(frozen=True)
class Quota:
    """Space of an organization in bytes; unfinished uploads count as used."""

    used: int
    total: int


def list_media(
    session: Session,
    org_id: UUID,
    project_id: UUID | None,
    *,
    search: str = "",
    kind: MediaKind | None = None,
    sort: str = "newest",
    after: UUID | None = None,
    limit: int,
) -> Page:
    """A page of an organization's or project's files. The caller has checked who asks. Three statements at most."""
    last = session.get(Media, after) if after is not None else None
    wanted = queries.listed(org_id, project_id, search=search, kind=kind)
    rows = list(session.scalars(queries.page(wanted, sort, last, limit + 1)))
    shown = rows[:limit]
    uses = used_by(session, [row.id for row in shown])
    return Page([(row, uses[row.id]) for row in shown], shown[-1].id if len(rows) > limit else None)


def used_by(session: Session, media_ids: list[UUID]) -> dict[UUID, Used]:
    """What uses each of these files, in one statement."""
    counts: dict[tuple[UUID, Placed], int] = {}
    if media_ids:
        counts = {(media_id, placed): count for media_id, placed, count in session.execute(queries.uses(media_ids))}
    return {each: Used(counts.get((each, Placed.TASK), 0), counts.get((each, Placed.ANSWER), 0)) for each in media_ids}


def tasks_using(session: Session, media_id: UUID, project_id: UUID, *, limit: int) -> list[UUID]:
    """Some of the tasks of a project that use a file."""
    return list(session.scalars(queries.tasks_using(media_id, project_id).limit(limit)))


def quota_of(session: Session, org_id: UUID, quota: int) -> Quota:
    used = (session.scalar(queries.bytes_kept(org_id)) or 0) + (session.scalar(queries.bytes_coming(org_id)) or 0)
    return Quota(used, quota)


def delete_media(session: Session, actor: Actor, media_id: UUID, *, now: datetime) -> Media:
    """Delete a file that nothing uses. Its bytes go by a job after the commit."""
    media = access.media_for_client(session, actor, media_id, *access.MANAGERS, lock=True)
    if used_by(session, [media_id])[media_id].any:
        raise MediaInUse
    media.state, media.deleted_at = MediaState.DELETED, now
    session.flush()
    data = {"media": show_id("media", media.id), "name": media.name, "size_bytes": media.size_bytes}
    record(session, actor, "media.deleted", "media", media.id, at=now, org_id=media.org_id, data=data)
    defer(session, "media.remove_deleted", media_id=str(media.id))
    return media
