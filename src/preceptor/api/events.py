"""Events over the API: everything for operators, a project's own for its client."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from preceptor.api.schemas import Out, PageSize
from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db
from preceptor.kit import events_pages
from preceptor.kit.errors import Invalid
from preceptor.kit.events import Event
from preceptor.kit.events_pages import EventsWanted
from preceptor.kit.ids import PREFIXES, read_id, show_id
from preceptor.people.access import require_operator
from preceptor.people.identify import require_scope
from preceptor.projects.access import project_for_client

router = APIRouter(prefix="/api/v1", tags=["events"])

CLIENT_DATA = frozenset({"amount", "currency", "pay", "rule", "reason", "number", "count", "tasks", "state", "until"})
"""What a client reads of an event's data; the rest may name people."""

Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.", max_length=20)]
Kind = Annotated[str, Query(description="Events whose kind contains this.", examples=["work."], max_length=100)]


class EventOut(Out):
    id: str = Field(examples=["18204"], description="Counts up with every event of the installation.")
    at: datetime
    kind: str = Field(examples=["work.submitted"])
    by: str | None = Field(description="Who did it; contributors under their pseudonym. Null for Preceptor itself.")
    about: str | None = Field(description="The person whom it concerns, likewise.")
    project_id: str | None
    subject: str | None = Field(examples=["sub_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    data: dict[str, Any]


class EventPage(Out):
    items: list[EventOut]
    next_cursor: str | None


@router.get("/events", response_model=EventPage)
def list_events(
    session: Db,
    actor: CurrentActor,
    kind: Kind = "",
    person_id: str | None = None,
    project_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> EventPage:
    """The audit log, newest first (operators)."""
    require_operator(actor)
    wanted = EventsWanted(
        kind=kind,
        person_id=read_id("person", person_id) if person_id else None,
        project_id=read_id("project", project_id) if project_id else None,
        since=since,
        until=until,
        before=_before(cursor),
        limit=limit + 1,
    )
    found = events_pages.list_events(session, wanted)
    return _page([event_out(event, lambda person: show_id("person", person)) for event in found], limit)


@router.get("/projects/{project_id}/events", response_model=EventPage)
def list_project_events(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    kind: Kind = "",
    cursor: Cursor = None,
    limit: PageSize = 50,
) -> EventPage:
    """What happened in a project, newest first. People appear under the pseudonyms of its releases."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    name = pseudonyms(runtime.settings.signing_key(), project.org_id)
    wanted = EventsWanted(kind=kind, project_id=project.id, before=_before(cursor), limit=limit + 1)
    found = events_pages.list_events(session, wanted)
    return _page([event_out(event, name, only=CLIENT_DATA) for event in found], limit)


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and int(cursor) < 2**63):
        raise Invalid(f"{cursor!r} is not a cursor. Pass `next_cursor` as it was (digits).")
    return int(cursor)


def _page(found: list[EventOut], limit: int) -> EventPage:
    items = found[:limit]
    return EventPage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


def event_out(event: Event, name: Pseudonym, *, only: frozenset[str] | None = None) -> EventOut:
    def named(person: UUID | None) -> str | None:
        return name(person) if person is not None else None

    return EventOut(
        id=str(event.id),
        at=event.at,
        kind=event.kind,
        by=named(event.actor_id),
        about=named(event.person_id),
        project_id=show_id("project", event.project_id) if event.project_id else None,
        subject=_subject(event, name if only is not None else None),
        data=event.data if only is None else {key: value for key, value in event.data.items() if key in only},
    )


def _subject(event: Event, name: Pseudonym | None) -> str | None:
    """A person as subject is named as people are; other subjects by their id."""
    if event.subject_id is None or event.subject_kind not in PREFIXES:
        return None
    if event.subject_kind == "person" and name is not None:
        return name(event.subject_id)
    return show_id(event.subject_kind, event.subject_id)
