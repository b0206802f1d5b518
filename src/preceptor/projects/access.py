"""The only ways to a project, task, import or gold answer that somebody asked for.

Strangers get `NotFound` for what exists and for what does not; members with too small a role get `Forbidden`.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from preceptor.kit.errors import Forbidden, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.people.models import OrgRole
from preceptor.projects import queries, rules
from preceptor.projects.models import (
    GuidelinesVersion,
    Import,
    Membership,
    MembershipState,
    Project,
    ProjectState,
    RubricVersion,
    Task,
    TaskGold,
)

MANAGERS = (OrgRole.OWNER, OrgRole.MANAGER)
"""Roles that may change an organization's projects."""
BOARD_PROJECTS_MAX = 200


class RoleTooSmall(Forbidden):
    """Your role in this organization only lets you look. Ask an owner or manager."""

    code = "role_too_small"


# --- The client's door


def role_in(actor: Actor, org_id: UUID) -> OrgRole | None:
    """What the actor is in an organization; operators and the system act as owners, strangers get None."""
    if actor.kind == "system":
        return OrgRole.OWNER
    if actor.org_id not in (None, org_id):
        return None
    if _operates(actor):
        return OrgRole.OWNER
    held = actor.org_roles.get(org_id)
    return None if held is None else OrgRole(held)


def _operates(actor: Actor) -> bool:
    return "operator" in actor.roles and actor.org_id is None and (actor.scopes is None or "operate" in actor.scopes)


def require_role(actor: Actor, org_id: UUID, *roles: str, what: str = "organization") -> None:
    """Refuse strangers (`NotFound`) and members who have none of `roles` (`RoleTooSmall`; none named: any will do)."""
    held = role_in(actor, org_id)
    if held is None:
        raise NotFound(what)
    if roles and held not in roles:
        raise RoleTooSmall


def project_for_client(session: Session, actor: Actor, project_id: UUID, *roles: str, lock: bool = False) -> Project:
    """A project of the actor's own organization, where the actor has one of `roles` (none named: any)."""
    project = session.scalar(queries.project(project_id, lock=lock))
    if project is None:
        raise NotFound("project")
    require_role(actor, project.org_id, *roles, what="project")
    return project


def visible_to_client(actor: Actor) -> Select[tuple[Project]]:
    """The projects of the actor's organizations, newest first; all of them for an operator."""
    newest_first = select(Project).order_by(Project.id.desc())
    if actor.kind == "system" or _operates(actor):
        return newest_first
    mine = [org_id for org_id in actor.org_roles if actor.org_id in (None, org_id)]
    return newest_first.where(Project.org_id.in_(mine))


def projects_for_client(session: Session, actor: Actor, project_ids: set[UUID]) -> dict[UUID, Project]:
    """Those of these projects that belong to the actor's organizations, by id."""
    if not project_ids:
        return {}
    found = session.scalars(visible_to_client(actor).where(Project.id.in_(project_ids)))
    return {project.id: project for project in found}


def task_for_client(session: Session, actor: Actor, project_id: UUID, task_id: UUID, *roles: str) -> Task:
    project_for_client(session, actor, project_id, *roles)
    task = session.get(Task, task_id)
    if task is None or task.project_id != project_id:
        raise NotFound("task")
    return task


def task_of_client(session: Session, actor: Actor, task_id: UUID) -> Task:
    """A task by its id alone, in whichever of the actor's projects it is."""
    task = session.get(Task, task_id)
    if task is None:
        raise NotFound("task")
    return task_for_client(session, actor, task.project_id, task_id)


def task_of_contributor(session: Session, actor: Actor, task_id: UUID) -> Task:
    """A task by its id alone, of a project that the actor has joined."""
    task = session.get(Task, task_id)
    if task is None or membership_of(session, actor, task.project_id) is None:
        raise NotFound("task")
    return task


def import_for_client(session: Session, actor: Actor, project_id: UUID, import_id: UUID) -> Import:
    project_for_client(session, actor, project_id)
    found = session.get(Import, import_id, populate_existing=True)
    if found is None or found.project_id != project_id:
        raise NotFound("import")
    return found


def gold_of(session: Session, actor: Actor, project_id: UUID, task_id: UUID) -> TaskGold | None:
    """The known answer of a task: for managers of the client, operators and the system, and nobody else."""
    task_for_client(session, actor, project_id, task_id, *MANAGERS)
    return session.get(TaskGold, task_id)


def gold_tasks(session: Session, actor: Actor, project_id: UUID, *, limit: int) -> list[tuple[Task, TaskGold]]:
    """Gold tasks with their known answers, through the same door as `gold_of`."""
    project_for_client(session, actor, project_id, *MANAGERS)
    return [(task, gold) for task, gold in session.execute(queries.gold_tasks(project_id, limit))]


# --- The contributor's door


def project_for_contributor(session: Session, actor: Actor, project_id: UUID) -> Project:
    """A project that is or was open to contributors. Drafts are the client's own."""
    project = session.scalar(queries.project(project_id))
    if project is None or project.state is ProjectState.DRAFT or "contributor" not in actor.roles:
        raise NotFound("project")
    if project.state is not ProjectState.OPEN and membership_of(session, actor, project_id) is None:
        raise NotFound("project")
    return project


def membership_of(session: Session, actor: Actor, project_id: UUID) -> Membership | None:
    """The actor's own membership, in whatever state."""
    if actor.person_id is None:
        return None
    return session.scalar(queries.membership(project_id, actor.person_id))


def applicant(session: Session, person_id: UUID) -> rules.Applicant:
    """What decides whether a person may work, in one statement."""
    row = session.execute(queries.applicant(person_id)).one_or_none()
    if row is None:
        raise NotFound("person")
    return rules.Applicant(
        person_id=row.id,
        active=row.active,
        contributor=row.is_contributor,
        email_confirmed=row.email_confirmed,
        qualification_ids=frozenset(row.qualification_ids),
        org_ids=frozenset(row.org_ids),
        content_ratings=frozenset(row.content_ratings),
    )


def openings(session: Session, projects: list[Project]) -> dict[UUID, rules.Opening]:
    """What each project asks of people, by project, in one statement."""
    needing = [project.id for project in projects if project.qualification_id is not None]
    required = {}
    if needing:
        required = {row.id: row for row in session.execute(queries.qualification_of(needing))}
    return {project.id: _opening(project, required.get(project.id)) for project in projects}


def _opening(project: Project, required: object | None) -> rules.Opening:
    assessment_id: UUID | None = getattr(required, "assessment_id", None)
    return rules.Opening(
        org_id=project.org_id,
        state=project.state,
        qualification_id=project.qualification_id,
        qualification_title=getattr(required, "title", None),
        assessment_href=f"/tests/{show_id('assessment', assessment_id)}" if assessment_id else None,
        content_ratings=tuple(project.content_ratings),
    )


@dataclass(frozen=True)
class BoardEntry:
    """One project on a contributor's board."""

    project: Project
    joined: bool
    membership_state: MembershipState | None
    eligibility: rules.Eligibility
    has_work: bool
    """Some task waits to be taken by somebody (not necessarily by this person)."""


def board(session: Session, actor: Actor) -> list[BoardEntry]:
    """Open projects and those the actor has joined, newest first, with every reason against. Three statements."""
    if actor.person_id is None or "contributor" not in actor.roles:
        return []
    person = applicant(session, actor.person_id)
    rows = session.execute(queries.on_board(actor.person_id).limit(BOARD_PROJECTS_MAX)).all()
    asked = openings(session, [project for project, _, _ in rows])
    return [
        BoardEntry(
            project=project,
            joined=membership is not None,
            membership_state=membership.state if membership is not None else None,
            eligibility=rules.eligibility(person, asked[project.id]),
            has_work=has_work,
        )
        for project, membership, has_work in rows
    ]


# --- The reviewer's door


# --- What belongs to whoever sees the project


def current_guidelines(session: Session, project: Project) -> GuidelinesVersion | None:
    """The version that new claims are made under. Pass a project that came from this file."""
    version_id = project.guidelines_version_id
    return None if version_id is None else session.get(GuidelinesVersion, version_id)


def current_rubric(session: Session, project: Project) -> RubricVersion | None:
    version_id = project.rubric_version_id
    return None if version_id is None else session.get(RubricVersion, version_id)


def guidelines_versions(session: Session, project: Project) -> list[GuidelinesVersion]:
    """All versions, newest first."""
    statement = select(GuidelinesVersion).where(GuidelinesVersion.project_id == project.id)
    return list(session.scalars(statement.order_by(GuidelinesVersion.number.desc())))


def rubric_versions(session: Session, project: Project) -> list[RubricVersion]:
    statement = select(RubricVersion).where(RubricVersion.project_id == project.id)
    return list(session.scalars(statement.order_by(RubricVersion.number.desc())))
