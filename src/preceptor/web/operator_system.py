"""What runs and what happened: the job queue and the audit log, for operators."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit import events_pages, jobs_admin
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor, Event
from preceptor.kit.events_pages import DOMAINS, EventsWanted
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.jobs_admin import STATES, JobsWanted
from preceptor.people.access import require_operator
from preceptor.people.service import directory
from preceptor.web.client_frame import address, csv_download
from preceptor.web.pages import Operator, Page, go
from preceptor.work.service import trail
from preceptor.work.service.trail import Names

router = APIRouter(prefix="/operator")

JOBS = "/operator/jobs"
EVENTS = "/operator/events"
STATE_WORDS = {"todo": "Waiting", "doing": "Running", "failed": "Failed", "succeeded": "Done"}
PAGE_ROWS = 50
EXPORT_ROWS_MAX = 10_000
EVENT_COLUMNS = ("id", "at", "kind", "by_kind", "by", "about", "project", "organization", "subject", "data")

Words = Annotated[str, Query(max_length=200)]


# --- Jobs


@router.get("/jobs")
def list_jobs(
    page: Page,
    session: Db,
    operator: Operator,
    q: Words = "",
    show: str = "all",
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    """What waits, runs and failed; a job that succeeded leaves the queue."""
    require_operator(operator.actor)
    state = show if show in STATES else None
    found = jobs_admin.list_jobs(session, JobsWanted(state, q, cursor, PAGE_ROWS + 1))
    counts = jobs_admin.count_jobs(session)
    shown = found[:PAGE_ROWS]
    more = shown[-1].id if len(found) > PAGE_ROWS else None
    return page.show(
        "operator/jobs.html",
        jobs=shown,
        counts=counts,
        periodic=jobs_admin.periodic_jobs(session),
        q=q,
        show=state or "all",
        chips=[
            ("All", address(JOBS, q=q), state is None, sum(counts.values())),
            *(
                (words, address(JOBS, q=q, show=each), each == state, counts[each])
                for each, words in STATE_WORDS.items()
            ),
        ],
        refresh_href=address(JOBS, q=q, show=state, cursor=cursor),
        next_href=address(JOBS, q=q, show=state, cursor=more) if more else None,
        first_href=address(JOBS, q=q, show=state) if cursor else None,
    )


@router.get("/jobs/{job_id}")
def show_job(page: Page, session: Db, operator: Operator, job_id: int) -> Response:
    require_operator(operator.actor)
    return page.show("operator/job.html", job=jobs_admin.read_job(session, _number(job_id)))


def _number(job_id: int) -> int:
    if not 0 < job_id < 2**63:
        raise NotFound("job")
    return job_id


@router.post("/jobs/{job_id}/retry")
def retry_job(session: Db, operator: Operator, now: Now, job_id: int) -> Response:
    require_operator(operator.actor)
    jobs_admin.retry_job(session, operator.actor, _number(job_id), now=now)
    return go(f"{JOBS}/{job_id}", "The job is in the queue again.")


# --- Events


class Filter:
    """What the audit page was asked for, as it stands in its address."""

    def __init__(self, q: Words = "", person: Words = "", project: Words = "", since: Words = "", until: Words = ""):
        self.q, self.person, self.project = q.strip(), person.strip(), project.strip()
        self.since, self.until = since.strip(), until.strip()

    def path(self, base: str, **more: object) -> str:
        given = {"q": self.q, "person": self.person, "project": self.project, "since": self.since, "until": self.until}
        return address(base, **{**given, **more})

    def wanted(self, session: Session, actor: Actor, *, before: int | None, limit: int) -> EventsWanted | None:
        """The events that fit; None where it names a person, project or day that cannot be."""
        try:
            until = _day(self.until)
            return EventsWanted(
                kind=self.q,
                person_id=_person(session, actor, self.person),
                project_id=read_id("project", self.project) if self.project else None,
                since=_day(self.since),
                until=until + timedelta(days=1) if until else None,
                before=before,
                limit=limit,
            )
        except (NotFound, ValueError):
            return None


def _day(text: str) -> datetime | None:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC) if text else None


def _person(session: Session, actor: Actor, text: str) -> UUID | None:
    """A person by id or by address."""
    if not text:
        return None
    if "@" not in text:
        return read_id("person", text)
    person = directory.find_by_email(session, actor, text)
    if person is None:
        raise NotFound("person")
    return person.id


def _listed(session: Session, actor: Actor, asked: Filter, before: int | None, limit: int) -> list[Event]:
    require_operator(actor)
    wanted = asked.wanted(session, actor, before=before, limit=limit)
    return events_pages.list_events(session, wanted) if wanted is not None else []


@router.get("/events")
def list_events(
    page: Page,
    session: Db,
    operator: Operator,
    q: Words = "",
    person: Words = "",
    project: Words = "",
    since: Words = "",
    until: Words = "",
    cursor: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
) -> Response:
    """The audit log, newest first."""
    asked = Filter(q, person, project, since, until)
    found = _listed(session, operator.actor, asked, cursor, PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    return page.show(
        "operator/events.html",
        events=[(event, trail.shown_subject(event)) for event in shown],
        names=trail.names_of_events(session, operator.actor, shown),
        asked=asked,
        chips=[
            ("All", asked.path(EVENTS, q=None), not asked.q, None),
            *((each.capitalize(), asked.path(EVENTS, q=f"{each}."), asked.q == f"{each}.", None) for each in DOMAINS),
        ],
        refresh_href=asked.path(EVENTS, cursor=cursor),
        export_href=asked.path(f"{EVENTS}.csv"),
        next_href=asked.path(EVENTS, cursor=shown[-1].id) if len(found) > PAGE_ROWS else None,
        first_href=asked.path(EVENTS) if cursor else None,
    )


@router.get("/events.csv")
def export_events(
    session: Db,
    operator: Operator,
    q: Words = "",
    person: Words = "",
    project: Words = "",
    since: Words = "",
    until: Words = "",
) -> Response:
    """What the list shows, as CSV, up to `EXPORT_ROWS_MAX` rows."""
    asked = Filter(q, person, project, since, until)
    found = _listed(session, operator.actor, asked, None, EXPORT_ROWS_MAX)
    names = trail.names_of_events(session, operator.actor, found)
    return csv_download("events.csv", EVENT_COLUMNS, _rows(found, names))


def _rows(found: Iterable[Event], names: Names) -> Iterable[Sequence[object]]:
    for event in found:
        yield [
            event.id,
            event.at.isoformat(),
            event.kind,
            event.actor_kind,
            names.people.get(event.actor_id, "") if event.actor_id else "",
            names.people.get(event.person_id, "") if event.person_id else "",
            show_id("project", event.project_id) if event.project_id else "",
            show_id("organization", event.org_id) if event.org_id else "",
            trail.shown_subject(event) or event.subject_kind,
            json.dumps(event.data, sort_keys=True),
        ]
