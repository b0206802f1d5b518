"""Projects: making and changing them, versions of guidelines and rubric, and moves between states."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from preceptor.kit import events, jobs
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import PREFIXES, read_id
from preceptor.money import service as money
from preceptor.people.models import Qualification
from preceptor.projects import access, queries, rules
from preceptor.projects.errors import FieldFixed, MoveRefused, NotReady, UnknownKind
from preceptor.projects.models import (
    GOLD_CAPACITY,
    GuidelinesVersion,
    OverlapMode,
    Project,
    ProjectState,
    RubricVersion,
    Task,
    TaskState,
)
from preceptor.projects.service import mixing
from preceptor.projects.service.checklist import checklist
from preceptor.projects.settings import Criterion, Guidelines, ProjectChanges, ProjectSettings, Rubric
from preceptor.tasktypes.base import AnyTaskType, Row, UnknownTaskType, problems_of, task_type, to_json

PROJECTS_PAGE_MAX = 200
RECONSIDER_JOB = "work.reconsider_overlap"
"""By name, since work stands above projects."""


def create_project(
    session: Session, actor: Actor, org_id: UUID, settings: ProjectSettings, *, now: datetime
) -> Project:
    """A new draft. Its task type's template fills in what `config` leaves out."""
    access.require_role(actor, org_id, *access.MANAGERS)
    kind = kind_of(settings.task_type)
    _check_qualification(session, org_id, settings.qualification_id)
    config = kind.templates()[0].config if settings.config is None else settings.config
    project = Project(
        **settings.model_dump(exclude={"config"}),
        org_id=org_id,
        config=clean_config(kind, config),
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(project)
    session.flush()
    money.open_project_accounts(session, project.id, project.currency, now=now)
    _record(session, actor, "project.created", project, now, title=project.title)
    return project


def update_project(
    session: Session, actor: Actor, project_id: UUID, changes: ProjectChanges, *, now: datetime
) -> Project:
    """Change the given fields where the project's state allows it (`rules.CHANGEABLE`).

    A new rate holds for claims made from now on. A new overlap holds for tasks added from now on; in a draft,
    where nobody has begun, also for the tasks that had the old one. New rules of adaptive overlap, and switching
    between it and fixed overlap, hold for all tasks: a job decides about each anew.
    """
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    wanted = {name: value for name, value in changes.wanted().items() if getattr(project, name) != value}
    fixed = sorted(wanted.keys() - rules.CHANGEABLE[project.state])
    if fixed:
        raise FieldFixed([name.replace("_", " ") for name in fixed], project.state)
    _check_qualification(session, project.org_id, cast("UUID | None", wanted.get("qualification_id")))
    _check_floor(project, wanted)
    if "config" in wanted:
        wanted["config"] = clean_config(kind_of(project.task_type), cast("Row", wanted["config"]))
    if "currency" in wanted:
        _change_currency(session, project, cast("str", wanted["currency"]), now)
    asks_anew = _asks_anew(project, wanted)
    if asks_anew:
        # Not for update of other columns only: this waits for every claim and submission under way, so that each of
        # them counts either before the change or by it.
        session.execute(select(Project.id).where(Project.id == project.id).with_for_update())
    if "overlap" in wanted and project.state is ProjectState.DRAFT:
        _reset_overlap(session, project, cast("int", wanted["overlap"]))
    before = {name: str(getattr(project, name)) for name in wanted}
    gold_percent = project.gold_percent
    for name, value in wanted.items():
        setattr(project, name, value)
    mixing.follow_setting(session, project, gold_percent)
    if asks_anew:
        _ask_anew(session, project)
    if wanted:
        _record(session, actor, "project.changed", project, now, fields=sorted(wanted), before=before)
    session.flush()
    return project


def kind_of(name: str) -> AnyTaskType:
    """The task type, or a refusal in words where no installed package offers it."""
    try:
        return task_type(name)
    except UnknownTaskType:
        raise UnknownKind(f"There is no task type {name!r} in this installation.") from None


def clean_config(kind: AnyTaskType, config: Row) -> Row:
    """The task type's settings as they are stored; Invalid names every field that is wrong."""
    try:
        return to_json(kind.config_model.model_validate(config))
    except ValidationError as error:
        raise refused(error, "config") from None


def refused(error: ValidationError, under: str) -> Invalid:
    """A pydantic error as our refusal, its paths below `under`."""
    problems = [
        {"path": f"{under}.{problem.path}".strip("."), "message": problem.message} for problem in problems_of(error)
    ]
    return Invalid(f"{problems[0]['path']}: {problems[0]['message']}", problems)


def _check_qualification(session: Session, org_id: UUID, qualification_id: UUID | None) -> None:
    if qualification_id is None:
        return
    found = session.get(Qualification, qualification_id)
    if found is None or found.org_id != org_id:
        raise NotFound("qualification")


def _check_floor(project: Project, wanted: Mapping[str, object]) -> None:
    floor = cast("int", wanted.get("overlap_floor", project.overlap_floor))
    cap = cast("int", wanted.get("overlap_cap", project.overlap_cap))
    if floor > cap:
        told = f"The floor ({floor}) lies above the cap ({cap}). Lower the floor or raise the cap."
        raise Invalid(told, [{"path": "overlap_floor", "message": told}])


def _asks_anew(project: Project, wanted: Mapping[str, object]) -> bool:
    """Whether a change of settings changes how often tasks are asked that are there already."""
    adaptive = wanted.get("overlap_mode", project.overlap_mode) == OverlapMode.ADAPTIVE
    decides = rules.QUALITY | {"rate_minor", "gold_percent"} if adaptive else {"overlap_mode"}
    return not decides.isdisjoint(wanted)


def _ask_anew(session: Session, project: Project) -> None:
    """In a draft, where nobody has begun, every task is simply fresh; else a job decides, since there may be many."""
    if project.state is not ProjectState.DRAFT:
        jobs.defer(session, RECONSIDER_JOB, project_id=str(project.id))
        return
    session.flush()
    fresh = rules.first_overlap(project)
    gold = case((Task.state == TaskState.GOLD, GOLD_CAPACITY), else_=0)
    session.execute(update(Task).where(Task.project_id == project.id).values(wanted=fresh + gold))


def _change_currency(session: Session, project: Project, currency: str, now: datetime) -> None:
    funds = money.project_funds(session, project.id, project.currency)
    if funds.escrow.minor or funds.reserved.minor:
        raise FieldFixed(["currency"], "funded")
    money.open_project_accounts(session, project.id, currency, now=now)


def _reset_overlap(session: Session, project: Project, overlap: int) -> None:
    same_as_before = (Task.project_id == project.id, Task.wanted % GOLD_CAPACITY == project.overlap)
    changed = update(Task).where(*same_as_before).values(wanted=Task.wanted - project.overlap + overlap)
    session.execute(changed)


# --- Versions


def publish_guidelines(
    session: Session, actor: Actor, project_id: UUID, body: str, *, now: datetime
) -> GuidelinesVersion:
    """A new version that claims are made under from now on. The same text again publishes nothing new."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    _refuse_finished(project)
    text = cast("Guidelines", _checked(Guidelines, {"body": body})).body
    current = access.current_guidelines(session, project)
    if current is not None and current.body == text:
        return current
    version = GuidelinesVersion(
        project_id=project.id,
        number=(current.number if current else 0) + 1,
        body=text,
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(version)
    session.flush()
    project.guidelines_version_id = version.id
    _record(session, actor, "project.guidelines_published", project, now, number=version.number)
    return version


def publish_rubric(
    session: Session, actor: Actor, project_id: UUID, criteria: list[Criterion], *, now: datetime
) -> RubricVersion:
    """A new version that submissions are reviewed by from now on. The same criteria publish nothing new."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    _refuse_finished(project)
    rubric = cast("Rubric", _checked(Rubric, {"criteria": [criterion.model_dump() for criterion in criteria]}))
    wanted = [to_json(criterion) for criterion in rubric.criteria]
    current = access.current_rubric(session, project)
    if current is not None and current.criteria == wanted:
        return current
    version = RubricVersion(
        project_id=project.id,
        number=(current.number if current else 0) + 1,
        criteria=wanted,
        created_by=actor.person_id,
        created_at=now,
    )
    session.add(version)
    session.flush()
    project.rubric_version_id = version.id
    _record(session, actor, "project.rubric_published", project, now, number=version.number)
    return version


def _checked(shape: type[BaseModel], values: dict[str, object]) -> BaseModel:
    try:
        return shape.model_validate(values)
    except ValidationError as error:
        raise refused(error, "") from None


def _refuse_finished(project: Project) -> None:
    if project.state is ProjectState.CLOSED:
        raise FieldFixed(["guidelines and rubric"], project.state)


# --- Moves


def open_project(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> Project:
    """Let contributors in; NotReady names what the checklist still misses. Opening an open project is the same."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    if project.state is ProjectState.OPEN:
        return project
    missing = [item.title for item in checklist(session, project) if not item.done]
    if missing and project.state in (ProjectState.DRAFT, ProjectState.PAUSED):
        raise NotReady(missing)
    project.opened_at = project.opened_at or now
    return move(session, project, ProjectState.OPEN, actor=actor, now=now)


def pause_project(session: Session, actor: Actor, project_id: UUID, *, now: datetime, reason: str = "") -> Project:
    """No new claims until it is resumed; work that has begun goes on."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    return move(session, project, ProjectState.PAUSED, actor=actor, now=now, reason=reason)


def resume_project(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> Project:
    """Open a paused project again; what the checklist asks for must still be there."""
    return open_project(session, actor, project_id, now=now)


def close_project(session: Session, actor: Actor, project_id: UUID, *, now: datetime, reason: str = "") -> Project:
    """Give out no more tasks for good. Live claims, revisions and reviews finish; then a sweep closes it."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    return move(session, project, ProjectState.CLOSING, actor=actor, now=now, reason=reason)


def closing_projects(session: Session) -> list[UUID]:
    """Projects that wait for their last work to be decided."""
    return list(session.scalars(select(Project.id).where(Project.state == ProjectState.CLOSING)))


def finish_closing(session: Session, project_id: UUID, *, now: datetime) -> Project:
    """Closing becomes closed. Only the sweep that has seen no live claim and no undecided submission calls this.

    The free escrow goes back to the client's wallet in the same transaction.
    """
    project = session.scalars(queries.project(project_id, lock=True)).one()
    if project.state is not ProjectState.CLOSING:
        return project
    project.closed_at = now
    move(session, project, ProjectState.CLOSED, actor=SYSTEM, now=now)
    money.take_back_escrow(
        session, SYSTEM, org_id=project.org_id, project_id=project.id, currency=project.currency, now=now
    )
    return project


_MOVED = {
    ProjectState.OPEN: "project.opened",
    ProjectState.PAUSED: "project.paused",
    ProjectState.CLOSING: "project.closing",
    ProjectState.CLOSED: "project.closed",
}


def move(
    session: Session, project: Project, to: ProjectState, *, actor: Actor, now: datetime, reason: str = ""
) -> Project:
    """The one place that assigns a project's state. The project is locked by the caller; same state is no move."""
    if project.state is to:
        return project
    if to not in rules.MOVES[project.state]:
        raise MoveRefused(f"This project is {project.state}; it cannot become {to}.", state=project.state, to=to)
    before, project.state = project.state, to
    _record(session, actor, _MOVED[to], project, now, before=before, reason=reason)
    session.flush()
    return project


@dataclass(frozen=True)
class ProjectPage:
    """`next_before` is the id to pass as `before` for the next page, None on the last."""

    projects: list[Project]
    next_before: UUID | None


def list_projects(
    session: Session,
    actor: Actor,
    *,
    state: ProjectState | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> ProjectPage:
    """Projects of the actor's organizations (all for an operator), newest first."""
    statement = access.visible_to_client(actor)
    if state is not None:
        statement = statement.where(Project.state == state)
    if before is not None:
        statement = statement.where(Project.id < before)
    size = min(limit, PROJECTS_PAGE_MAX)
    found = list(session.scalars(statement.limit(size + 1)))
    return ProjectPage(found[:size], found[size - 1].id if len(found) > size else None)


def find_project(session: Session, actor: Actor, wanted: str) -> Project:
    """One of the actor's projects by its id as shown, or by its exact title; Invalid where a title fits several."""
    if wanted.startswith(f"{PREFIXES['project']}_"):
        return access.project_for_client(session, actor, read_id("project", wanted))
    found = session.scalars(access.visible_to_client(actor).where(Project.title == wanted).limit(2)).all()
    if not found:
        raise NotFound("project")
    if len(found) > 1:
        raise Invalid(f"Several projects are called {wanted!r}. Give the project's id (prj_...).")
    return found[0]


def count_by_state(session: Session, actor: Actor) -> dict[ProjectState, int]:
    """How many projects of the actor's organizations are in each state."""
    visible = access.visible_to_client(actor).order_by(None).subquery()
    rows = session.execute(select(visible.c.state, func.count()).group_by(visible.c.state))
    return {ProjectState(state): count for state, count in rows}


def _record(session: Session, actor: Actor, kind: str, project: Project, now: datetime, **data: object) -> None:
    events.record(
        session,
        actor,
        kind,
        "project",
        project.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        data=data,
    )
