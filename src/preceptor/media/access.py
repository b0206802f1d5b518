"""The only ways to a file or upload that somebody asked for."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.media import queries
from preceptor.media.models import Media, MediaUpload
from preceptor.people import access as people
from preceptor.people.models import OrgRole

MANAGERS = (OrgRole.OWNER, OrgRole.MANAGER)


def media_for_client(session: Session, actor: Actor, media_id: UUID, *roles: str, lock: bool = False) -> Media:
    """A file of an organization that the actor is a member of (with one of `roles`, where some are named)."""
    found = session.scalar(queries.media(media_id, lock=lock))
    if found is None:
        raise NotFound("file")
    if people.acts_as_operator(actor):
        return found
    if actor.org_roles.get(found.org_id) is None or actor.org_id not in (None, found.org_id):
        raise NotFound("file")
    people.require_org_role(actor, found.org_id, *roles)
    return found


def media_to_serve(session: Session, media_id: UUID) -> Media:
    """A file for whoever holds a signed address; the caller checks that address against the row."""
    found = session.scalar(queries.media(media_id))
    if found is None:
        raise NotFound("file")
    return found


def own_upload(session: Session, actor: Actor, upload_id: UUID, *, lock: bool = False) -> MediaUpload:
    """An upload of whoever asks; nobody else ever sees it."""
    found = session.scalar(queries.upload(upload_id, lock=lock))
    if found is None or found.owner_id != actor.person_id or actor.org_id not in (None, found.org_id):
        raise NotFound("upload")
    return found
