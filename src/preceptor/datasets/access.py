"""The only ways to a release that somebody asked for: through the project, by members of its organization."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.datasets import queries
from preceptor.datasets.errors import ReleaseNotReady
from preceptor.datasets.models import Release, ReleaseState
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.projects.access import project_for_client

MANIFEST = "manifest.json"
"""Holds the digest of every other file of a release."""


def release_for_client(session: Session, actor: Actor, release_id: UUID, *roles: str) -> Release:
    """A release of the actor's organization in whatever state; strangers learn nothing."""
    found = session.scalar(queries.release(release_id))
    if found is None:
        raise NotFound("release")
    try:
        project_for_client(session, actor, found.project_id, *roles)
    except NotFound:
        raise NotFound("release") from None
    return found


def finished_release(session: Session, actor: Actor, release_id: UUID, *roles: str) -> Release:
    """The same, once it is built."""
    found = release_for_client(session, actor, release_id, *roles)
    if found.state is not ReleaseState.READY:
        raise ReleaseNotReady
    return found


def file_names(found: Release) -> list[str]:
    """Paths of a finished release's files, the manifest last."""
    manifest = found.manifest or {}
    return [*sorted(manifest.get("files", {})), MANIFEST]


def file_key(session: Session, actor: Actor, release_id: UUID, path: str) -> str:
    """Where a file of a release is stored. Only names that the manifest lists exist."""
    found = finished_release(session, actor, release_id)
    if path not in file_names(found):
        raise NotFound("file")
    return f"{found.folder}/{path}"
