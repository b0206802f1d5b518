"""Background entry points of files: what is over goes, what was left whole is checked."""

from uuid import UUID

from preceptor.kit.db import transaction
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime
from preceptor.media import queries, rules
from preceptor.media.errors import MediaRefused
from preceptor.media.finishing import finish_upload, remove
from preceptor.media.models import Media, MediaState, UploadState

EXPIRED_AT_ONCE = 500


@job("media.remove_deleted")
def remove_deleted(runtime: Runtime, media_id: str) -> None:
    """Remove the bytes of a deleted file. The row stays, since events speak of it."""
    with transaction(runtime.sessions) as session:
        media = session.get(Media, UUID(media_id))
    if media is not None and media.state is MediaState.DELETED:
        remove(runtime.storage, [make(media.org_id, media.id) for make in (rules.media_key, rules.small_key)])


@job("media.end_uploads", every="41 * * * *")
def end_uploads(runtime: Runtime) -> None:
    """Remove uploads that were left too long, finished or not, with whatever came of them."""
    with transaction(runtime.sessions) as session:
        over = list(session.scalars(queries.expired(runtime.clock.now(), EXPIRED_AT_ONCE)))
    for upload_id in over:
        with transaction(runtime.sessions) as session:
            upload = session.scalar(queries.upload(upload_id, lock=True))
            # A part may have arrived meanwhile, which gives the upload new time.
            gone = upload is not None and upload.expires_at <= runtime.clock.now()
            gone = gone and upload is not None and upload.state is not UploadState.CHECKING
            if gone and upload is not None:
                session.delete(upload)
        if gone:
            remove(runtime.storage, runtime.storage.list(f"media-uploads/{upload_id.hex}"))


@job("media.finish_left", every="* * * * *")
def finish_left(runtime: Runtime) -> None:
    """Check whole uploads whose request died before it could."""
    with transaction(runtime.sessions) as session:
        left = list(session.scalars(queries.left_whole(runtime.clock.now())))
    for upload_id in left:
        try:
            finish_upload(runtime, upload_id)
        except MediaRefused:
            continue  # noted with the upload, for whoever asks
