"""A client with an organization and a draft project, and a stranger from another organization."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.people.models import Organization
from preceptor.projects.models import Project
from preceptor.projects.service import imports, projects
from preceptor.projects.settings import Criterion, ProjectSettings, TaskIn
from tests.conftest import NOW
from tests.factories import User, make_client, make_user, pair_payload

CRITERION = Criterion(key="right", title="Right", anchors={"1": "wrong", "5": "right"})


@dataclass(frozen=True)
class Lab:
    """A draft project with its client, an operator, and a client of another organization."""

    organization: Organization
    owner: User
    operator: User
    stranger: User
    project: Project

    @property
    def owner_in_browser(self) -> Actor:
        """The owner with everything that the owner may do."""
        return replace(self.owner.actor, kind="person", scopes=None)

    @property
    def path(self) -> str:
        return f"/api/v1/projects/{show_id('project', self.project.id)}"


def settings(**changes: object) -> ProjectSettings:
    return ProjectSettings.model_validate({"title": "Sums", "rate_minor": 50, "overlap": 2, **changes})


def new_task(number: int, **changes: object) -> TaskIn:
    return TaskIn.model_validate({"external_id": f"sum-{number}", "payload": pair_payload(number), **changes})


@pytest.fixture
def lab(session: Session) -> Lab:
    organization, owner = make_client(session, now=NOW)
    _, stranger = make_client(session, now=NOW)
    operator = make_user(session, now=NOW, is_operator=True)
    project = projects.create_project(session, owner.actor, organization.id, settings(), now=NOW)
    return Lab(organization, owner, operator, stranger, project)


def make_ready(session: Session, lab: Lab) -> Project:
    """Everything that the checklist asks for."""
    found = lab.project
    projects.publish_guidelines(session, lab.owner.actor, found.id, "# Judge the sums", now=NOW)
    projects.publish_rubric(session, lab.owner.actor, found.id, [CRITERION], now=NOW)
    imports.import_tasks_now(session, lab.owner.actor, found.id, [new_task(1)], now=NOW)
    fund(session, lab, 1_000)
    return found


def fund(session: Session, lab: Lab, minor: int) -> None:
    amount = Money(minor, lab.project.currency)
    org_id = lab.organization.id
    money.top_up(session, lab.operator.actor, org_id, amount, note="", now=NOW)
    money.fund_project(session, lab.owner.actor, org_id=org_id, project_id=lab.project.id, amount=amount, now=NOW)


@pytest.fixture
def opened(session: Session, lab: Lab) -> Project:
    """The lab's project, open to contributors."""
    make_ready(session, lab)
    return projects.open_project(session, lab.owner.actor, lab.project.id, now=NOW)


@pytest.fixture
def count_statements(runtime: Runtime) -> Iterator[Callable[[], int]]:
    """How many statements have gone to the database so far."""
    sent: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    yield lambda: len(sent)
    event.remove(runtime.engine, "before_cursor_execute", note)
