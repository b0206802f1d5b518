"""What moves on a project's overview, as its templates show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from preceptor.kit.events import Event
from preceptor.projects.models import ProjectState
from preceptor.web.client_frame import Frame, Names, names_in
from preceptor.web.pages import Pages
from preceptor.work.service.live import Pace, ProjectLive, project_live

MOVING: Final = frozenset({ProjectState.DRAFT, ProjectState.OPEN, ProjectState.PAUSED, ProjectState.CLOSING})
PLOT_WIDTH, PLOT_HEIGHT, PLOT_GAP = 720, 96, 4

EVENT_WORDS: Final = {
    "project.created": "The project was made",
    "project.changed": "Settings were changed",
    "project.opened": "The project was opened",
    "project.paused": "The project was paused",
    "project.closing": "The project is closing",
    "project.closed": "The project was closed",
    "project.guidelines_published": "Guidelines were published",
    "project.rubric_published": "A rubric was published",
    "project.joined": "joined",
    "project.left": "left",
    "project.reviewer_added": "A reviewer was added",
    "project.reviewer_removed": "A reviewer was removed",
    "import.accepted": "A file was received",
    "import.finished": "An import was finished",
    "import.failed": "An import failed",
    "tasks.added": "Tasks were added",
    "media.created": "A file was added",
    "media.refused": "A file was refused",
    "task.retired": "A task was retired",
    "task.restored": "A task was put back",
    "work.claimed": "took a task",
    "work.submitted": "submitted a judgment",
    "work.approved": "was approved",
    "work.returned": "got a submission back for revision",
    "work.rejected": "was rejected",
    "work.skipped": "skipped a task",
    "work.released": "gave a task back",
    "work.expired": "let a lease run out",
    "work.task_flagged": "reported a task as broken",
    "work.task_kept": "A reported task was kept",
    "work.task_retired": "A reported task was retired",
    "money.project_funded": "The project was funded",
    "money.escrow_returned": "Escrow went back to the wallet",
    "dataset.release_requested": "A release was asked for",
    "dataset.released": "A release is ready",
    "dataset.release_failed": "A release could not be built",
    "training.requested": "A training was asked for",
    "training.finished": "A model is ready",
    "training.failed": "A training failed",
}


@dataclass(frozen=True)
class Need:
    """Something that waits for the client: in words, and where to do it."""

    text: str
    href: str


@dataclass(frozen=True)
class Bar:
    """One bar of the pace, in the units of the drawing."""

    x: float
    y: float
    width: float
    height: float
    start: datetime
    judgments: int


@dataclass(frozen=True)
class Happening:
    """An event in words, with the pseudonym of the person it is about."""

    event: Event
    words: str
    who: str | None


@dataclass(frozen=True)
class LiveView:
    """What `client/live.html` shows. While `moving`, the page asks for it again."""

    live: ProjectLive
    bars: list[Bar]
    plot: tuple[int, int]
    needs: list[Need]
    happenings: list[Happening]
    moving: bool
    now: datetime


def live_view(page: Pages, session: Session, at: Frame, *, now: datetime) -> LiveView:
    live = project_live(session, at.project, now=now)
    names = names_in(page, at.project.org_id)
    return LiveView(
        live=live,
        bars=bars(live.pace),
        plot=(PLOT_WIDTH, PLOT_HEIGHT),
        needs=needs(at, live),
        happenings=[_happening(event, names) for event in live.events if event.kind in EVENT_WORDS],
        moving=at.project.state in MOVING,
        now=now,
    )


def _happening(event: Event, names: Names) -> Happening:
    words = EVENT_WORDS[event.kind]
    about = event.person_id is not None and words[0].islower()
    return Happening(event, words, names.short(event.person_id) if about and event.person_id else None)


def bars(pace: Pace) -> list[Bar]:
    """The pace as bars over the whole width; the highest fills the height."""
    top = max((each.judgments for each in pace.bins), default=0) or 1
    step = PLOT_WIDTH / len(pace.bins)
    return [
        Bar(
            x=place * step + PLOT_GAP / 2,
            y=PLOT_HEIGHT * (1 - each.judgments / top),
            width=step - PLOT_GAP,
            height=PLOT_HEIGHT * each.judgments / top,
            start=each.start,
            judgments=each.judgments,
        )
        for place, each in enumerate(pace.bins)
    ]


def needs(at: Frame, live: ProjectLive) -> list[Need]:
    """What only the client can do now, most urgent first."""
    found = []
    if at.project.state is ProjectState.DRAFT:
        found.append(Need("Finish the checklist and open the project", f"{at.base}#checklist"))
    if live.short_of is not None and at.project.state in (ProjectState.OPEN, ProjectState.PAUSED):
        found.append(Need(f"The escrow lacks {live.short_of} for the judgments still wanted", f"{at.base}/money"))
    if live.counts.flagged:
        tasks = "1 task was" if live.counts.flagged == 1 else f"{live.counts.flagged} tasks were"
        found.append(Need(f"{tasks} reported as broken", f"{at.base}/tasks?show=flagged"))
    if live.reviews_waiting:
        waits = "1 submission waits" if live.reviews_waiting == 1 else f"{live.reviews_waiting} submissions wait"
        found.append(Need(f"{waits} for a review", f"{at.base}/people#reviewers"))
    return found
