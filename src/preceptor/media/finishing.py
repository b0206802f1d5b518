"""The end of an upload: its parts put together, checked, cleaned and kept, or refused and removed.

Runs in the request that brought the last byte, and by a job where that request's process died. No row is locked while
bytes are read or written.
"""

import tempfile
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import new_id
from preceptor.kit.runtime import Runtime
from preceptor.kit.storage import Storage
from preceptor.media import rules, service
from preceptor.media.checks import Examined, examine, first_look
from preceptor.media.errors import MediaDigestDiffers, MediaRefused, UploadOver
from preceptor.media.models import Media, MediaUpload

COPY_BYTES = 1024 * 1024


def finish_upload(runtime: Runtime, upload_id: UUID, *, actor: Actor = SYSTEM) -> Media | None:
    """Check and keep a whole upload. `MediaRefused` says why it cannot stay; its bytes are gone then.

    None when the upload is not whole, or is in other hands. Run again after a crash, it ends the same way.
    """
    with transaction(runtime.sessions) as session:
        upload = service.start_check(session, upload_id, now=runtime.clock.now())
    if upload is None:
        return None
    try:
        return _check_and_keep(runtime, upload, actor)
    except MediaRefused as refusal:
        refuse(runtime, upload, refusal, actor)
        raise


def take_whole(runtime: Runtime, upload: MediaUpload, path: Path, *, actor: Actor) -> Media:
    """Keep a file that lies on local disk as the whole of an upload that was just begun."""
    key = rules.part_key(upload.id, 0, "whole")
    size = runtime.storage.put(key, path)
    with transaction(runtime.sessions) as session:
        service.keep_parts(session, upload.id, 0, [service.Arrived(key, size)], now=runtime.clock.now())
    kept = finish_upload(runtime, upload.id, actor=actor)
    if kept is None:
        raise UploadOver
    return kept


def refuse(runtime: Runtime, upload: MediaUpload, refusal: MediaRefused, actor: Actor) -> None:
    """Note why an upload is refused, then remove what has come of it."""
    with transaction(runtime.sessions) as session:
        service.refuse_upload(session, actor, upload.id, refusal.message, now=runtime.clock.now())
    remove(runtime.storage, runtime.storage.list(f"media-uploads/{upload.id.hex}"))


def look_at_beginning(runtime: Runtime, upload: MediaUpload) -> None:
    """Refuse by the first part what can never stay."""
    if not upload.parts:
        return
    head = b""
    for chunk in runtime.storage.stream(str(upload.parts[0])):
        head = chunk
        break
    first_look(head, upload.length_bytes)


def _check_and_keep(runtime: Runtime, upload: MediaUpload, actor: Actor) -> Media:
    folder = runtime.settings.data_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix="media-") as place:
        path = Path(place, "file")
        sent = _put_together(runtime.storage, upload, path)
        if upload.announced_sha256 not in (None, sent):
            raise MediaDigestDiffers
        examined = examine(path, upload.name, upload.announced_type)
        return _keep(runtime, upload, path, examined, sent, actor)


def _put_together(storage: Storage, upload: MediaUpload, path: Path) -> str:
    """Copy the parts one after another into a file; returns the SHA-256 of the whole."""
    digest = sha256()
    with path.open("wb") as out:
        for key in upload.parts:
            for chunk in storage.stream(str(key)):
                digest.update(chunk)
                out.write(chunk)
    if path.stat().st_size != upload.length_bytes:
        raise MediaDigestDiffers("Parts of this upload are lost. Send the file again.")
    return digest.hexdigest()


def _keep(runtime: Runtime, upload: MediaUpload, path: Path, examined: Examined, sent: str, actor: Actor) -> Media:
    with path.open("rb") as file:
        digest = sha256()
        while chunk := file.read(COPY_BYTES):
            digest.update(chunk)
    media_id = new_id()
    key = rules.media_key(upload.org_id, media_id)
    size = runtime.storage.put(key, path)
    small = rules.small_key(upload.org_id, media_id)
    if examined.small is not None:
        runtime.storage.put(small, examined.small)
    with transaction(runtime.sessions) as session:
        kept = service.keep_media(
            session,
            actor,
            upload,
            examined,
            media_id=media_id,
            sha256=digest.hexdigest(),
            sent_sha256=sent,
            size=size,
            now=runtime.clock.now(),
        )
    parts = [str(part) for part in upload.parts]
    remove(runtime.storage, parts if kept.id == media_id else [*parts, key, small])
    return kept


def remove(storage: Storage, keys: Iterable[str]) -> None:
    """Remove files; what is gone already is gone."""
    for key in keys:
        try:
            storage.delete(key)
        except NotFound:
            continue
