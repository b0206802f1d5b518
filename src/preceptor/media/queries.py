"""Selects of files and uploads."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from preceptor.media import rules
from preceptor.media.kinds import MediaKind
from preceptor.media.models import Media, MediaPlace, MediaState, MediaUpload, Placed, UploadState

OPEN_STATES = (UploadState.RECEIVING, UploadState.CHECKING)
SORTS = {"newest": "Newest first", "name": "Name", "largest": "Largest first"}


def media(media_id: UUID, *, lock: bool = False) -> Select[tuple[Media]]:
    wanted = select(Media).where(Media.id == media_id, Media.state == MediaState.READY)
    return wanted.with_for_update() if lock else wanted


def same_content(org_id: UUID, sha256: str) -> Select[tuple[Media]]:
    return select(Media).where(Media.org_id == org_id, Media.sha256 == sha256, Media.state == MediaState.READY)


def sent_before(org_id: UUID, sent_sha256: str) -> Select[tuple[Media]]:
    wanted = select(Media).where(Media.org_id == org_id, Media.state == MediaState.READY)
    return wanted.where(or_(Media.sent_sha256 == sent_sha256, Media.sha256 == sent_sha256)).order_by(Media.id).limit(1)


def listed(
    org_id: UUID, project_id: UUID | None, *, search: str = "", kind: MediaKind | None = None
) -> Select[tuple[Media]]:
    """Files of an organization, or those filed in or used by one project of it."""
    wanted = select(Media).where(Media.org_id == org_id, Media.state == MediaState.READY)
    if project_id is not None:
        wanted = wanted.where(Media.id.in_(select(MediaPlace.media_id).where(MediaPlace.project_id == project_id)))
    for word in search.lower().split():
        wanted = wanted.where(func.lower(Media.name).contains(word, autoescape=True))
    return wanted if kind is None else wanted.where(Media.kind == kind)


def page(wanted: Select[tuple[Media]], sort: str, after: Media | None, limit: int) -> Select[tuple[Media]]:
    """One page of a list; `after` is the last row of the page before."""
    match sort:
        case "name":
            if after is not None:
                here = (func.lower(Media.name), Media.id)
                wanted = wanted.where(func.row(*here) > func.row(after.name.lower(), after.id))
            wanted = wanted.order_by(func.lower(Media.name), Media.id)
        case "largest":
            if after is not None:
                wanted = wanted.where(func.row(Media.size_bytes, Media.id) < func.row(after.size_bytes, after.id))
            wanted = wanted.order_by(Media.size_bytes.desc(), Media.id.desc())
        case _:
            if after is not None:
                wanted = wanted.where(Media.id < after.id)
            wanted = wanted.order_by(Media.id.desc())
    return wanted.limit(limit)


def uses(media_ids: list[UUID]) -> Select[tuple[UUID, Placed, int]]:
    """How many tasks and answers use each of these files."""
    return (
        select(MediaPlace.media_id, MediaPlace.placed, func.count())
        .where(MediaPlace.media_id.in_(media_ids), MediaPlace.placed != Placed.FILED)
        .group_by(MediaPlace.media_id, MediaPlace.placed)
    )


def known(org_id: UUID, media_ids: list[UUID]) -> Select[tuple[UUID]]:
    """Those of these files that the organization has, held against deletion until the transaction ends."""
    wanted = select(Media.id).where(Media.id.in_(media_ids), Media.org_id == org_id, Media.state == MediaState.READY)
    return wanted.order_by(Media.id).with_for_update(read=True, key_share=True)


def tasks_using(media_id: UUID, project_id: UUID) -> Select[tuple[UUID]]:
    wanted = select(MediaPlace.subject_id).where(MediaPlace.media_id == media_id, MediaPlace.project_id == project_id)
    return wanted.where(MediaPlace.placed == Placed.TASK).order_by(MediaPlace.subject_id)


def bytes_kept(org_id: UUID) -> Select[tuple[int]]:
    total = func.coalesce(func.sum(Media.size_bytes), 0)
    return select(total).where(Media.org_id == org_id, Media.state == MediaState.READY)


def bytes_coming(org_id: UUID) -> Select[tuple[int]]:
    total = func.coalesce(func.sum(MediaUpload.length_bytes), 0)
    return select(total).where(MediaUpload.org_id == org_id, MediaUpload.state.in_(OPEN_STATES))


def uploads_open(owner_id: UUID | None) -> Select[tuple[int]]:
    wanted = select(func.count()).select_from(MediaUpload)
    return wanted.where(MediaUpload.owner_id == owner_id, MediaUpload.state.in_(OPEN_STATES))


def unfinished_of(owner_id: UUID | None, org_id: UUID, now: datetime) -> Select[tuple[MediaUpload]]:
    wanted = select(MediaUpload).where(MediaUpload.owner_id == owner_id, MediaUpload.org_id == org_id)
    wanted = wanted.where(MediaUpload.state == UploadState.RECEIVING, MediaUpload.expires_at > now)
    return wanted.order_by(MediaUpload.id.desc())


def upload(upload_id: UUID, *, lock: bool = False) -> Select[tuple[MediaUpload]]:
    wanted = select(MediaUpload).where(MediaUpload.id == upload_id)
    return wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted


def expired(now: datetime, limit: int) -> Select[tuple[UUID]]:
    wanted = select(MediaUpload.id).where(MediaUpload.expires_at <= now, MediaUpload.state != UploadState.CHECKING)
    return wanted.order_by(MediaUpload.id).limit(limit)


def left_whole(now: datetime) -> Select[tuple[UUID]]:
    """Uploads whose bytes are all there, and whose check never began or died."""
    whole = (MediaUpload.state == UploadState.RECEIVING) & (MediaUpload.offset_bytes == MediaUpload.length_bytes)
    died = MediaUpload.state == UploadState.CHECKING
    return select(MediaUpload.id).where(
        (whole & (MediaUpload.touched_at < now - rules.LEFT_WHOLE_AFTER))
        | (died & (MediaUpload.touched_at < now - rules.CHECK_GIVEN_UP_AFTER))
    )


def place(rows: list[dict[str, Any]]) -> Any:
    return insert(MediaPlace).values(rows).on_conflict_do_nothing()
