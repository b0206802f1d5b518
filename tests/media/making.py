"""Files that are there, put in by the same way as by users."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.events import Actor
from preceptor.kit.runtime import Runtime
from preceptor.media import service
from preceptor.media.finishing import take_whole
from preceptor.media.models import Media


def add_file(
    runtime: Runtime,
    actor: Actor,
    org_id: UUID,
    data: bytes,
    name: str,
    *,
    project_id: UUID | None = None,
    now: datetime | None = None,
) -> Media:
    """Check and keep a file of an organization."""
    now = now or runtime.clock.now()
    with transaction(runtime.sessions) as session:
        upload = service.create_upload(
            session, actor, org_id, name=name, length=len(data), quota=10**12, project_id=project_id, now=now
        )
    path = Path(runtime.settings.data_dir, "sent")
    path.write_bytes(data)
    return take_whole(runtime, upload, path, actor=actor)
