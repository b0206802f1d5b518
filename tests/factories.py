"""Test data made by the services, so that what tests see is what users can reach."""

from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.people.identify import by_api_key
from preceptor.people.models import Organization, Person
from preceptor.people.service.accounts import create_person
from preceptor.people.service.keys import create_key
from preceptor.people.service.organizations import create_organization
from preceptor.projects.models import (
    Membership,
    Project,
    ProjectReviewer,
    ProjectState,
    RubricVersion,
    Task,
    TaskGold,
    TaskState,
)

NUMBERS = count(1)
QUESTION = "Which answer is better?"


@dataclass(frozen=True)
class User:
    """A person with an API key of all scopes and the actor behind it."""

    person: Person
    key: str
    actor: Actor

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.key}"}


def make_user(
    session: Session,
    *,
    now: datetime,
    is_operator: bool = False,
    is_contributor: bool = False,
    is_reviewer: bool = False,
) -> User:
    number = next(NUMBERS)
    person = create_person(
        session,
        SYSTEM,
        email=f"person{number}@example.org",
        name=f"Person {number}",
        is_operator=is_operator,
        is_contributor=is_contributor,
        is_reviewer=is_reviewer,
        confirmed=True,
        now=now,
    )
    return signed(session, person, now=now)


def signed(session: Session, person: Person, *, now: datetime) -> User:
    scopes = ["work", "read", "projects", "review", *(["operate"] if person.is_operator else [])]
    _, key = create_key(session, SYSTEM, person_id=person.id, name="test", scopes=scopes, now=now)
    session.flush()
    return User(person, key, by_api_key(session, key, now=now).actor)


def make_contributor(session: Session, *, now: datetime) -> User:
    return make_user(session, now=now, is_contributor=True)


def make_client(session: Session, *, now: datetime) -> tuple[Organization, User]:
    owner = make_user(session, now=now)
    organization = create_organization(session, SYSTEM, name=f"Lab {next(NUMBERS)}", owner_id=owner.id, now=now)
    session.flush()
    return organization, signed(session, owner.person, now=now)


def pair_payload(number: int = 0) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": f"What is {number} + {number}?"}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": f"It is {2 * number}."}]},
            {"id": "r2", "messages": [{"role": "assistant", "content": f"It is {2 * number + 1}."}]},
        ],
    }


PREFER_A: dict[str, Any] = {"ranks": {"A": 1, "B": 2}, "strength": 2, "justification": "A adds up, and B does not."}


@dataclass(frozen=True)
class World:
    """An open, funded project with tasks, its client, an operator and a reviewer."""

    organization: Organization
    client: User
    operator: User
    reviewer: User
    project: Project
    tasks: list[Task]


def make_world(
    session: Session,
    *,
    now: datetime,
    tasks: int = 3,
    overlap: int = 2,
    rate_minor: int = 42,
    budget_minor: int = 100_000,
    review_percent: int = 0,
    lease_seconds: int = 600,
    rubric: bool = True,
) -> World:
    organization, client = make_client(session, now=now)
    operator = make_user(session, now=now, is_operator=True)
    reviewer = make_user(session, now=now, is_reviewer=True)
    project = Project(
        org_id=organization.id,
        title="Sums",
        task_type="comparison",
        config={"question": QUESTION},
        state=ProjectState.OPEN,
        overlap=overlap,
        lease_seconds=lease_seconds,
        review_percent=review_percent,
        rate_minor=rate_minor,
        currency="USD",
        created_at=now,
        created_by=client.id,
    )
    session.add(project)
    session.flush()
    if rubric:
        _add_rubric(session, project, now)
    session.add(ProjectReviewer(project_id=project.id, person_id=reviewer.id, created_at=now))
    made = [
        Task(
            project_id=project.id,
            external_id=f"sum-{number}",
            payload=pair_payload(number),
            position=number,
            wanted=overlap,
            created_at=now,
        )
        for number in range(tasks)
    ]
    session.add_all(made)
    session.flush()
    money.open_project_accounts(session, project.id, "USD", now=now)
    if budget_minor:
        budget = Money(budget_minor, "USD")
        money.top_up(session, operator.actor, organization.id, budget, note="", now=now)
        money.fund_project(session, client.actor, org_id=organization.id, project_id=project.id, amount=budget, now=now)
    return World(organization, client, operator, reviewer, project, made)


def _add_rubric(session: Session, project: Project, now: datetime) -> None:
    criteria = [
        {
            "key": "right",
            "title": "Right",
            "description": "The choice is right.",
            "scale_min": 1,
            "scale_max": 7,
            "weight": 1,
            "anchors": {},
        },
    ]
    version = RubricVersion(project_id=project.id, number=1, criteria=criteria, created_at=now)
    session.add(version)
    session.flush()
    project.rubric_version_id = version.id


def make_practice(session: Session, world: World, *, now: datetime, tasks: int = 5) -> list[Task]:
    """Gold tasks that check nobody any more, so that people can be asked to practise."""
    made = [
        Task(
            project_id=world.project.id,
            external_id=f"practice-{number}",
            payload=pair_payload(number),
            position=10_000 + number,
            state=TaskState.RETIRED,
            wanted=world.project.overlap,
            created_at=now,
        )
        for number in range(tasks)
    ]
    session.add_all(made)
    session.flush()
    known = {"ranks": {"r1": 1, "r2": 2}}
    session.add_all(
        TaskGold(task_id=task.id, project_id=world.project.id, answer=known, retired_because="to practise on")
        for task in made
    )
    session.flush()
    return made


def join(session: Session, world: World, *, now: datetime, people: int = 1) -> list[User]:
    """Contributors who have joined the world's project."""
    joined = [make_contributor(session, now=now) for _ in range(people)]
    session.add_all(Membership(project_id=world.project.id, person_id=user.id, joined_at=now) for user in joined)
    session.flush()
    return joined
