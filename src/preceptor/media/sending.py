"""Files from a local disk into the store, part by part, as uploads that go on where an earlier run stopped."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.events import Actor
from preceptor.kit.runtime import Runtime
from preceptor.media import queries, rules, service
from preceptor.media.checks import first_look
from preceptor.media.checks.sniffing import HEAD_BYTES
from preceptor.media.errors import UploadOver
from preceptor.media.finishing import finish_upload
from preceptor.media.models import Media, MediaUpload, Placed

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Sent:
    """What became of a file. `already_there`: the organization had the same content before."""

    media: Media
    already_there: bool


def send_file(
    runtime: Runtime,
    actor: Actor,
    path: Path,
    *,
    name: str,
    org_id: UUID,
    project_id: UUID | None,
    progress: Progress | None = None,
) -> Sent:
    """Add a local file to an organization, and file it under a project.

    `progress` is told how many bytes are in the store. Ended halfway and run again, it goes on from there.
    `MediaRefused` says why a file cannot be taken.
    """
    with path.open("rb") as file:
        first_look(file.read(HEAD_BYTES), path.stat().st_size)
        file.seek(0)
        digest = file_digest(file, "sha256").hexdigest()
    there = _already_there(runtime, org_id, project_id, digest)
    if there is not None:
        return Sent(there, already_there=True)
    upload = _begin(runtime, actor, path, name, org_id, project_id, digest)
    _send_parts(runtime, upload, path, progress or (lambda _: None))
    kept = finish_upload(runtime, upload.id, actor=actor)
    if kept is None:
        raise UploadOver
    return Sent(kept, already_there=False)


def _already_there(runtime: Runtime, org_id: UUID, project_id: UUID | None, digest: str) -> Media | None:
    with transaction(runtime.sessions) as session:
        found = session.scalar(queries.sent_before(org_id, digest))
        if found is not None and project_id is not None:
            service.place_media(session, [found.id], Placed.FILED, project_id, project_id)
        return found


def _begin(
    runtime: Runtime, actor: Actor, path: Path, name: str, org_id: UUID, project_id: UUID | None, digest: str
) -> MediaUpload:
    now, length = runtime.clock.now(), path.stat().st_size
    with transaction(runtime.sessions) as session:
        for left in service.unfinished_uploads(session, actor, org_id, now=now):
            if (left.announced_sha256, left.length_bytes, left.project_id) == (digest, length, project_id):
                return left
        return service.create_upload(
            session,
            actor,
            org_id,
            name=name,
            length=length,
            quota=runtime.settings.media_bytes_max,
            project_id=project_id,
            announced_sha256=digest,
            now=now,
        )


def _send_parts(runtime: Runtime, upload: MediaUpload, path: Path, progress: Progress) -> None:
    offset = upload.offset_bytes
    with path.open("rb") as file:
        file.seek(offset)
        progress(offset)
        while data := file.read(rules.PIECE_BYTES):
            key = rules.part_key(upload.id, offset, secrets.token_hex(4))
            runtime.storage.put(key, data)
            with transaction(runtime.sessions) as session:
                arrived = [service.Arrived(key, len(data))]
                offset = service.keep_parts(session, upload.id, offset, arrived, now=runtime.clock.now())
            progress(offset)
