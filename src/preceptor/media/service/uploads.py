"""Uploads: begun, continued part by part, checked, kept or refused. What was acknowledged is written.

Order for a part: its bytes go to the file store first, then one statement moves the upload's offset on, only from where
the part begins. A process that dies between leaves bytes that nobody counts; the job that ends uploads removes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, cast, func, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor, record
from preceptor.kit.ids import show_id
from preceptor.media import access, kinds, queries, rules
from preceptor.media.checks import Examined
from preceptor.media.errors import (
    MediaQuotaFull,
    MediaRefused,
    MediaTooLarge,
    TooManyUploads,
    UploadElsewhere,
    UploadOver,
)
from preceptor.media.models import Media, MediaUpload, Placed, UploadState
from preceptor.media.service.placing import place_media
from preceptor.people.models import Organization


@dataclass(frozen=True)
class Arrived:
    """Bytes that lie in the file store and follow one another from where the upload stands."""

    key: str
    size: int


def create_upload(
    session: Session,
    actor: Actor,
    org_id: UUID,
    *,
    name: str,
    length: int,
    quota: int,
    project_id: UUID | None = None,
    announced_type: str = "",
    announced_sha256: str | None = None,
    now: datetime,
) -> MediaUpload:
    """Begin an upload of `length` bytes. The caller has checked that the actor may add files to the organization.

    `quota` is the organization's space in bytes; unfinished uploads count with their whole length, so that two at a
    time cannot overrun it. Lock: the organization.
    """
    if length < 1:
        raise MediaRefused("This file is empty. Choose another one.")
    if length > kinds.FILE_BYTES_MAX:
        raise MediaTooLarge(f"A file may have {kinds.FILE_BYTES_MAX // kinds.MEBI:,} MiB. Make it smaller.")
    sha256 = rules.checked_sha256(announced_sha256)
    session.scalar(select(Organization.id).where(Organization.id == org_id).with_for_update(key_share=True))
    taken = (session.scalar(queries.bytes_kept(org_id)) or 0) + (session.scalar(queries.bytes_coming(org_id)) or 0)
    if taken + length > quota:
        raise MediaQuotaFull(quota_bytes=quota, used_bytes=taken)
    if actor.person_id is not None and (session.scalar(queries.uploads_open(actor.person_id)) or 0) >= (
        rules.UPLOADS_OPEN_MAX
    ):
        raise TooManyUploads
    upload = MediaUpload(
        org_id=org_id,
        owner_id=actor.person_id,
        project_id=project_id,
        name=rules.clean_name(name),
        announced_type=announced_type[:100],
        announced_sha256=sha256,
        length_bytes=length,
        offset_bytes=0,
        parts=[],
        created_at=now,
        touched_at=now,
        expires_at=now + rules.UPLOAD_KEPT_FOR,
    )
    session.add(upload)
    session.flush()
    return upload


def keep_parts(session: Session, upload_id: UUID, offset: int, arrived: Sequence[Arrived], *, now: datetime) -> int:
    """Move an upload on by parts that lie in the store and begin at `offset`; returns where it stands now.

    `UploadElsewhere` when it stands at another byte, so that of two that send the same part one is refused.
    """
    keys, size = [each.key for each in arrived], sum(each.size for each in arrived)
    moved = session.execute(
        update(MediaUpload)
        .where(
            MediaUpload.id == upload_id,
            MediaUpload.state == UploadState.RECEIVING,
            MediaUpload.offset_bytes == offset,
            MediaUpload.length_bytes >= offset + size,
            func.jsonb_array_length(MediaUpload.parts).cast(Integer) + len(keys) <= rules.PARTS_MAX,
        )
        .values(
            offset_bytes=offset + size,
            parts=MediaUpload.parts.op("||")(cast(keys, JSONB)),
            touched_at=now,
            expires_at=now + rules.UPLOAD_KEPT_FOR,
        )
        .returning(MediaUpload.offset_bytes)
        .execution_options(synchronize_session=False)
    ).scalar()
    if moved is None:
        raise UploadElsewhere
    return moved


def start_check(session: Session, upload_id: UUID, *, now: datetime) -> MediaUpload | None:
    """Take a whole upload to be checked; None when it is not whole, or when somebody is at it or was."""
    upload = session.scalar(queries.upload(upload_id, lock=True))
    if upload is None or upload.offset_bytes < upload.length_bytes:
        return None
    died = upload.state is UploadState.CHECKING and upload.touched_at < now - rules.CHECK_GIVEN_UP_AFTER
    if upload.state is not UploadState.RECEIVING and not died:
        return None
    upload.state = UploadState.CHECKING
    upload.touched_at = now
    session.flush()
    return upload


def keep_media(
    session: Session,
    actor: Actor,
    upload: MediaUpload,
    examined: Examined,
    *,
    media_id: UUID,
    sha256: str,
    sent_sha256: str,
    size: int,
    now: datetime,
) -> Media:
    """Enter a checked file whose bytes lie in the store; the one of the same content where there is one already.

    Returns what the upload became. When that is not `media_id`, the caller removes the bytes it stored.
    Lock order: organization, then upload.
    """
    session.scalar(select(Organization.id).where(Organization.id == upload.org_id).with_for_update(key_share=True))
    kept = session.scalar(queries.same_content(upload.org_id, sha256))
    if kept is None:
        kept = Media(
            id=media_id,
            org_id=upload.org_id,
            owner_id=upload.owner_id,
            sha256=sha256,
            sent_sha256=sent_sha256,
            size_bytes=size,
            media_type=examined.media_type.mime,
            kind=examined.media_type.kind,
            name=upload.name,
            width=examined.width,
            height=examined.height,
            duration_ms=None if examined.seconds is None else round(examined.seconds * 1000),
            remark=examined.remark,
            created_at=now,
        )
        session.add(kept)
        session.flush()
        _record(session, actor, kept, upload.project_id, "media.created", now)
    if upload.project_id is not None:
        place_media(session, [kept.id], Placed.FILED, upload.project_id, upload.project_id)
    upload = session.merge(upload)
    upload.state, upload.media_id = UploadState.DONE, kept.id
    upload.expires_at = now + rules.RESULT_KEPT_FOR
    upload.touched_at = now
    session.flush()
    return kept


def refuse_upload(session: Session, actor: Actor, upload_id: UUID, problem: str, *, now: datetime) -> None:
    """Note why an upload cannot stay. Its bytes are the caller's to remove."""
    upload = session.scalar(queries.upload(upload_id, lock=True))
    if upload is None or upload.state is UploadState.DONE:
        return
    upload.state, upload.problem = UploadState.REFUSED, problem
    upload.expires_at, upload.touched_at = now + rules.RESULT_KEPT_FOR, now
    record(
        session,
        actor,
        "media.refused",
        "media_upload",
        upload.id,
        at=now,
        org_id=upload.org_id,
        project_id=upload.project_id,
        data={"name": upload.name, "problem": problem},
    )


def cancel_upload(session: Session, actor: Actor, upload_id: UUID, *, now: datetime) -> list[str]:
    """End an upload of one's own; returns the keys of its parts, which the caller removes after the commit."""
    upload = access.own_upload(session, actor, upload_id, lock=True)
    if upload.state is UploadState.CHECKING:
        raise UploadOver("This upload is being checked and can no longer be cancelled. Delete the file afterwards.")
    keys = [str(key) for key in upload.parts]
    session.delete(upload)
    session.flush()
    return keys


def unfinished_uploads(session: Session, actor: Actor, org_id: UUID, *, now: datetime) -> list[MediaUpload]:
    """The actor's own uploads that wait for more, newest first."""
    return list(session.scalars(queries.unfinished_of(actor.person_id, org_id, now).limit(rules.UPLOADS_OPEN_MAX)))


def _record(session: Session, actor: Actor, media: Media, project_id: UUID | None, kind: str, now: datetime) -> None:
    record(
        session,
        actor,
        kind,
        "media",
        media.id,
        at=now,
        org_id=media.org_id,
        project_id=project_id,
        data={
            "media": show_id("media", media.id),
            "name": media.name,
            "type": media.media_type,
            "size_bytes": media.size_bytes,
            "sha256": media.sha256,
        },
    )
