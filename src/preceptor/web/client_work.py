"""A project's tasks: the list, one task with every judgment, and reports of broken ones."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response

from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentRuntime, Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people import content
from preceptor.people.identify import SignedIn
from preceptor.projects import access
from preceptor.projects.models import Project, Task, TaskState
from preceptor.projects.service import tasks
from preceptor.projects.service.tasks import ANY_RATING, TaskCounts
from preceptor.web.client_frame import Frame, Sent, address, csv_download, frame, frame_to_change, names_in
from preceptor.web.client_material import material_of, verdict_view, words_of
from preceptor.web.pages import Client, Page, go
from preceptor.web.workspace import excerpt, ratings_of
from preceptor.work import rules
from preceptor.work.service import dossier, resolve_flags
from preceptor.work.service.dossier import verdicts_of

router = APIRouter()

LIST = "/projects/{project_id}/tasks"

PAGE_ROWS = 50
EXPORT_ROWS = 200


@dataclass(frozen=True)
class Filter:
    """What a chip shows."""

    label: str
    state: TaskState | None = None
    finished: bool | None = None

    def count(self, counts: TaskCounts) -> int:
        match self.label:
            case "Waiting":
                return counts.open - counts.finished
            case "Done":
                return counts.finished
            case "Flagged":
                return counts.flagged
            case "Retired":
                return counts.retired
            case "Gold":
                return counts.gold
            case _:
                return counts.total


FILTERS: Final = {
    "all": Filter("All"),
    "waiting": Filter("Waiting", TaskState.OPEN, finished=False),
    "done": Filter("Done", TaskState.OPEN, finished=True),
    "flagged": Filter("Flagged", TaskState.FLAGGED),
    "retired": Filter("Retired", TaskState.RETIRED),
    "gold": Filter("Gold", TaskState.GOLD),
}


@dataclass(frozen=True)
class Wanted:
    """What the list shows: search, filter, topic."""

    search: str
    show: str
    topic: str
    rating: str
    """A content rating, `any`, or empty."""
    uncovered: bool
    """Show the words of material that is covered otherwise."""

    @property
    def query(self) -> dict[str, str]:
        show = "" if self.show == "all" else self.show
        uncovered = "1" if self.uncovered else ""
        return {"q": self.search, "show": show, "topic": self.topic, "rating": self.rating, "uncovered": uncovered}


def _wanted(
    q: Annotated[str, Query(max_length=200)] = "",
    show: str = "all",
    topic: Annotated[str, Query(max_length=200)] = "",
    rating: str = "",
    uncovered: str = "",
) -> Wanted:
    known = rating if rating == ANY_RATING or rating in content.RATINGS else ""
    return Wanted(q, show if show in FILTERS else "all", topic, known, uncovered == "1")


AsWanted = Annotated[Wanted, Depends(_wanted)]


@router.get(LIST)
def list_tasks(
    page: Page,
    session: Db,
    client: Client,
    project_id: str,
    wanted: AsWanted,
    cursor: str | None = None,
) -> Response:
    at = frame(session, client, project_id, "work")
    chosen = FILTERS[wanted.show]
    found = tasks.list_tasks(
        session,
        client.actor,
        at.project.id,
        state=chosen.state,
        finished=chosen.finished,
        topic=wanted.topic or None,
        search=wanted.search or None,
        rating=wanted.rating or None,
        after=read_cursor("task", cursor),
        limit=PAGE_ROWS,
    )
    found_verdicts = verdicts_of(session, at.project, found.tasks)
    counts = tasks.task_counts(session, client.actor, at.project.id)
    here = f"{at.base}/tasks"
    return page.show(
        "client/tasks.html",
        at=at,
        rows=[(task, show_id("task", task.id), _title(at.project, task, wanted)) for task in found.tasks],
        ratings=content.RATINGS,
        rated=bool(wanted.rating or counts.rated),
        covers=any(ratings_of(at.project, task) for task in found.tasks),
        uncover_href=address(here, **{**wanted.query, "uncovered": "" if wanted.uncovered else "1"}),
        verdicts={task_id: verdict_view(verdict) for task_id, verdict in found_verdicts.items()},
        counts=counts,
        wanted=wanted,
        chips=[
            (
                each.label,
                address(here, **{**wanted.query, "show": "" if name == "all" else name}),
                name == wanted.show,
                each.count(counts),
            )
            for name, each in FILTERS.items()
        ],
        topics=tasks.topics_of(session, client.actor, at.project.id),
        here=here,
        first_href=address(here, **wanted.query) if cursor else None,
        next_href=_next(here, wanted, found.next_after),
        export_href=address(f"{here}/export.csv", **wanted.query),
    )


def _title(project: Project, task: Task, wanted: Wanted) -> str:
    """What the list calls a task; of rated material no words unless asked for."""
    if ratings_of(project, task) and not wanted.uncovered:
        return task.external_id
    return excerpt(project, task.payload)


def _next(here: str, wanted: Wanted, after: UUID | None) -> str | None:
    return None if after is None else address(here, **wanted.query, cursor=show_id("task", after))


@router.get(f"{LIST}/export.csv")
def export_tasks(
    runtime: CurrentRuntime,
    session: Db,
    client: Client,
    project_id: str,
    wanted: AsWanted,
) -> Response:
    """Every task of the list as it is filtered, not only those of one page."""
    at = frame(session, client, project_id, "work")
    header = (
        *("task", "external_id", "topic", "state", "priority", "wanted", "taken", "done", "verdict", "votes", "of"),
        "content_ratings",
    )
    return csv_download(f"tasks-{at.key}.csv", header, _exported(runtime, client, at, wanted))


def _exported(runtime: Runtime, client: SignedIn, at: Frame, wanted: Wanted) -> Iterator[tuple[object, ...]]:
    # Its own session: the request's one has ended when the answer is written.
    chosen, after = FILTERS[wanted.show], None
    with runtime.sessions() as session:
        while True:
            found = tasks.list_tasks(
                session,
                client.actor,
                at.project.id,
                state=chosen.state,
                finished=chosen.finished,
                topic=wanted.topic or None,
                search=wanted.search or None,
                rating=wanted.rating or None,
                after=after,
                limit=EXPORT_ROWS,
            )
            verdicts = verdicts_of(session, at.project, found.tasks)
            for task in found.tasks:
                said = verdict_view(verdicts.get(task.id))
                yield (
                    show_id("task", task.id),
                    task.external_id,
                    task.topic or "",
                    task.state.value,
                    task.priority,
                    task.overlap,
                    task.taken,
                    task.done,
                    said.label if said else "",
                    said.votes if said else 0,
                    said.of if said else 0,
                    ",".join(task.content_ratings),
                )
            session.expunge_all()
            after = found.next_after
            if after is None:
                return


@router.get(f"{LIST}/{{task_id}}")
def show_task(page: Page, session: Db, client: Client, project_id: str, task_id: str) -> Response:
    at = frame(session, client, project_id, "work")
    found = dossier.task_dossier(session, client.actor, at.project.id, read_id("task", task_id))
    gold = access.gold_of(session, client.actor, at.project.id, found.task.id) if at.manages else None
    known = found.kind.answer(gold.answer) if gold else None
    return page.show(
        "client/task.html",
        at=at,
        task=found.task,
        task_id=task_id,
        title=excerpt(at.project, found.task.payload, ratings=ratings_of(at.project, found.task)),
        warnings=content.words(ratings_of(at.project, found.task)),
        ratings=content.RATINGS,
        material=material_of(found.kind, found.payload, page.sign(at.project.org_id)),
        judgments=[(each, words_of(found.kind, found.payload, each.answer)) for each in found.judgments],
        units=[(unit, verdict_view(verdict), verdict.counts) for unit, verdict in found.consensus.units.items()],
        gold=(words_of(found.kind, found.payload, known), gold.explanation) if gold else None,
        flags=found.flags,
        flag_reasons=rules.FLAG_REASONS,
        events=[(event, EVENT_WORDS.get(event.kind, event.kind)) for event in found.events],
        names=names_in(page, at.project.org_id),
    )


EVENT_WORDS: Final = {
    "work.claimed": "Taken",
    "work.set_aside": "Set aside as somebody's next",
    "work.let_go": "Not begun, back in the queue",
    "work.submitted": "Submitted",
    "work.approved": "Approved",
    "work.returned": "Returned for revision",
    "work.rejected": "Rejected",
    "work.skipped": "Skipped",
    "work.released": "Given back",
    "work.expired": "Lease ran out",
    "work.task_flagged": "Reported as broken",
    "work.task_kept": "Reports looked at: kept",
    "work.task_retired": "Reports looked at: retired",
    "task.retired": "Retired",
    "task.restored": "Put back into the queue",
    "task.rated": "Content rated",
}


@router.post(f"{LIST}/ratings")
def rate_selected(session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    """Say what the chosen tasks may show, and come back to the list as it was."""
    at = frame_to_change(session, client, project_id, "work")
    back = fields.text("back")
    here = f"{at.base}/tasks"
    back = back if back.startswith(f"{here}?") else here
    ids = [read_id("task", each) for each in fields.all("task")]
    if not ids:
        return go(back, "Choose the tasks first: mark them in the list.", tone="warning")
    found = tasks.rate_tasks(session, client.actor, at.project.id, ids, fields.all("content_ratings"), now=now)
    return go(back, _said(found))


@router.post(f"{LIST}/{{task_id}}/ratings")
def rate_task(session: Db, client: Client, now: Now, project_id: str, task_id: str, fields: Sent) -> Response:
    """Say what one task may show."""
    at = frame_to_change(session, client, project_id, "work")
    wanted = fields.all("content_ratings")
    found = tasks.rate_tasks(session, client.actor, at.project.id, [read_id("task", task_id)], wanted, now=now)
    return go(f"{at.base}/tasks/{task_id}", _said(found))


def _said(found: Sequence[Task]) -> str:
    ratings, number = content.words(found[0].content_ratings), f"{len(found):,} task{'' if len(found) == 1 else 's'}"
    if not ratings:
        return f"{number} without ratings of their own now."
    return f"{number} rated: {', '.join(ratings).lower()}. Only people who chose to see that are given them."


@router.post(f"{LIST}/{{task_id}}/state")
def move_task(session: Db, client: Client, now: Now, project_id: str, task_id: str, fields: Sent) -> Response:
    """Keep or retire a task; open reports about it are settled at the same time."""
    at = frame_to_change(session, client, project_id, "work")
    task = access.task_for_client(session, client.actor, at.project.id, read_id("task", task_id), *access.MANAGERS)
    keep = fields.text("to") == "keep"
    if task.state is TaskState.FLAGGED:
        resolve_flags(session, client.actor, task, keep=keep, now=now)
    elif keep:
        tasks.restore_task(session, client.actor, at.project.id, task.id, now=now, reason=fields.text("reason"))
    else:
        tasks.retire_task(session, client.actor, at.project.id, task.id, now=now, reason=fields.text("reason"))
    said = "The task is in the queue again." if keep else "The task is retired. Work on it that has begun is paid."
    return go(f"{at.base}/tasks/{task_id}", said)
