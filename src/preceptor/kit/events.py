"""Events: what happened, appended in the same transaction as the change itself.

The audit page, live progress, notifications and webhooks read from here and from nowhere else.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from preceptor.kit.db import Base, Json

ActorKind = Literal["person", "api_key", "system"]


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a person in a browser, a person's API key, or the system itself.

    `roles` holds "operator", "contributor", "reviewer"; `org_roles` maps an organization to
    "owner", "manager" or "viewer". `scopes` is None for a browser session (everything).
    """

    person_id: UUID | None
    kind: ActorKind = "person"
    name: str = ""
    roles: frozenset[str] = frozenset()
    org_roles: dict[UUID, str] = field(default_factory=dict)
    scopes: frozenset[str] | None = None
    org_id: UUID | None = None
    """An API key may be bound to one organization; then it sees no other."""


SYSTEM = Actor(person_id=None, kind="system", name="Preceptor")


class Event(Base):
    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_project_id_id", "project_id", "id"),
        Index("ix_event_person_id_id", "person_id", "id"),
        Index("ix_event_subject_id", "subject_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    kind: Mapped[str]
    """Past tense, domain first: "work.claimed", "project.opened"."""
    actor_kind: Mapped[str]
    actor_id: Mapped[UUID | None]
    org_id: Mapped[UUID | None]
    project_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    """The person whom the event concerns, if any."""
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    data: Mapped[Json] = mapped_column(server_default=text("'{}'::jsonb"))


def record(
    session: Session,
    actor: Actor,
    kind: str,
    subject_kind: str,
    subject_id: UUID | None,
    *,
    at: datetime,
    org_id: UUID | None = None,
    project_id: UUID | None = None,
    person_id: UUID | None = None,
    data: Json | None = None,
) -> None:
    """Append one event to the running transaction."""
    session.add(
        Event(
            at=at,
            kind=kind,
            actor_kind=actor.kind,
            actor_id=actor.person_id,
            org_id=org_id,
            project_id=project_id,
            person_id=person_id,
            subject_kind=subject_kind,
            subject_id=subject_id,
            data=data or {},
        )
    )
