"""Files over HTTP, for pages and API alike: who may add them where, and what they look like as JSON."""

from datetime import datetime
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from preceptor.http.edge import get_signed_in
from preceptor.kit.errors import Forbidden, Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.media import rules
from preceptor.media import service as media_service
from preceptor.media.kinds import MediaKind
from preceptor.media.models import Media
from preceptor.people import access as people
from preceptor.people.identify import NotSignedIn, require_scope
from preceptor.people.models import OrgRole
from preceptor.projects import access as projects
from preceptor.projects.models import Project
from preceptor.tasktypes.base import task_type
from preceptor.work import access as work
from preceptor.work.errors import ClaimEnded
from preceptor.work.models import ClaimState

WORKABLE = frozenset({ClaimState.OPEN, ClaimState.RETURNED})


class MediaOut(BaseModel):
    """A file. `url` is how payloads and answers name it; `address` opens it for whoever asked, until it expires."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(examples=["med_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    url: str = Field(examples=["media:med_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    organization_id: str
    name: str
    kind: MediaKind
    type: str = Field(description="What the file is, found from its content.", examples=["image/png"])
    size_bytes: int
    sha256: str = Field(description="Of the file as it is served.")
    sent_sha256: str = Field(description="Of the file as it was sent, before personal metadata was taken out.")
    width: int | None
    height: int | None
    duration_seconds: float | None
    remark: str | None = Field(description="What the sender should know: that name or announced type said otherwise.")
    created_at: datetime
    address: str


def media_out(media: Media, secret: bytes, person_id: UUID | None, *, now: datetime) -> MediaOut:
    """A file as JSON, with an address that works for this person."""
    url = rules.media_url(media.id)
    return MediaOut(
        id=show_id("media", media.id),
        url=url,
        organization_id=show_id("organization", media.org_id),
        name=media.name,
        kind=media.kind,
        type=media.media_type,
        size_bytes=media.size_bytes,
        sha256=media.sha256,
        sent_sha256=media.sent_sha256,
        width=media.width,
        height=media.height,
        duration_seconds=None if media.duration_ms is None else media.duration_ms / 1000,
        remark=media.remark,
        created_at=media.created_at,
        address=media_service.signer(secret, media.org_id, person_id, now)(url),
    )


def actor_of(request: Request, session: Session, runtime: Runtime) -> Actor:
    """Who asks, for endpoints that open their own short transactions."""
    known = get_signed_in(request, session, runtime.clock.now())
    if known is None:
        raise NotSignedIn
    return known.actor


class UploadNowhere(Invalid):
    """Say where the file belongs: `project`, `claim` or `organization`, with its id."""

    code = "upload_nowhere"


def place_of(session: Session, actor: Actor, named: dict[str, str]) -> tuple[UUID, UUID | None]:
    """The organization and project that a new file belongs to, if the actor may add files there.

    Managers of the client add files to a project or to the organization; a contributor adds files to the answer of
    a claim that is open, where the kind of work takes files.
    """
    if named.get("project"):
        require_scope(actor, "projects")
        found = projects.project_for_client(session, actor, read_id("project", named["project"]), *projects.MANAGERS)
        return found.org_id, found.id
    if named.get("claim"):
        require_scope(actor, "work")
        return _place_of_claim(session, actor, read_id("claim", named["claim"]))
    if named.get("organization"):
        require_scope(actor, "projects")
        org_id = read_id("organization", named["organization"])
        people.require_org_role(actor, org_id, OrgRole.OWNER, OrgRole.MANAGER)
        return org_id, None
    raise UploadNowhere


def _place_of_claim(session: Session, actor: Actor, claim_id: UUID) -> tuple[UUID, UUID]:
    claim = work.own_claim(session, actor, claim_id)
    if claim.state not in WORKABLE:
        raise ClaimEnded
    project = session.get_one(Project, claim.project_id)
    if "upload" not in task_type(project.task_type).services:
        raise Forbidden("Answers of this kind of work hold no files.")
    return project.org_id, project.id
