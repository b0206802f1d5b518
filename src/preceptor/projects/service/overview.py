"""A client's list of projects with how far each is, in a fixed number of statements."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.projects import access, queries
from preceptor.projects.models import Project, ProjectState

CARDS_PAGE_MAX = 50
SORTS: Final = {"new": "Newest first", "old": "Oldest first", "title": "By title"}


@dataclass(frozen=True)
class ProjectCard:
    """One project of a list. Judgments and finished tasks are of tasks that were not retired."""

    project: Project
    tasks: int
    finished: int
    flagged: int
    judgments_wanted: int
    judgments_done: int


@dataclass(frozen=True)
class ProjectCards:
    """`next_offset` is where the next page begins, None on the last."""

    cards: list[ProjectCard]
    next_offset: int | None


def project_cards(
    session: Session,
    actor: Actor,
    *,
    search: str = "",
    state: ProjectState | None = None,
    sort: str = "new",
    offset: int = 0,
    limit: int = 20,
) -> ProjectCards:
    """The actor's projects whose title or summary holds every word of `search`. Two statements."""
    wanted = access.visible_to_client(actor)
    if state is not None:
        wanted = wanted.where(Project.state == state)
    for word in search[: queries.SEARCH_CHARACTERS_MAX].split():
        wanted = wanted.where(
            Project.title.icontains(word, autoescape=True) | Project.summary.icontains(word, autoescape=True)
        )
    size = min(limit, CARDS_PAGE_MAX)
    found = list(session.scalars(_sorted(wanted, sort).offset(offset).limit(size + 1)))
    return ProjectCards(_with_counts(session, found[:size]), offset + size if len(found) > size else None)


def _sorted(wanted: Select[tuple[Project]], sort: str) -> Select[tuple[Project]]:
    match sort:
        case "old":
            return wanted.order_by(None).order_by(Project.id)
        case "title":
            return wanted.order_by(None).order_by(Project.title, Project.id)
        case _:
            return wanted


def _with_counts(session: Session, projects: list[Project]) -> list[ProjectCard]:
    ids: list[UUID] = [project.id for project in projects]
    rows = {row.project_id: row for row in session.execute(queries.task_counts_of(ids))} if ids else {}
    cards = []
    for project in projects:
        row = rows.get(project.id)
        counts = (row.total, row.finished, row.flagged, row.judgments_wanted, row.judgments_done) if row else (0,) * 5
        cards.append(ProjectCard(project, *map(int, counts)))
    return cards
