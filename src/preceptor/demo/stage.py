"""Setting the stage: the people, the client's organization and money, the projects."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.demo.material import Material, Rater
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import show_veiled
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.people.identify import by_api_key
from preceptor.people.service.accounts import create_person
from preceptor.people.service.keys import create_key
from preceptor.people.service.organizations import create_organization
from preceptor.projects.models import Project, Task
from preceptor.projects.service.members import add_reviewer, join
from preceptor.projects.service.projects import create_project, publish_guidelines, publish_rubric
from preceptor.projects.settings import Criterion, ProjectSettings

ORGANIZATION = "Demo lab"
PERSONAS: Mapping[str, dict[str, Any]] = {
    "operator": {"name": "Demo operator", "is_operator": True},
    "client": {"name": "Demo client"},
    "contributor": {"name": "Demo contributor", "is_contributor": True},
    "reviewer": {"name": "Demo reviewer", "is_reviewer": True, "is_contributor": True},
}
SCOPES: Mapping[str, list[str]] = {
    "operator": ["read", "operate"],
    "client": ["read", "projects", "review"],
    "contributor": ["read", "work"],
    "reviewer": ["read", "review"],
}
WALLET = Money(1_000_000, "USD")
RATE_MINOR = 12
EXPECTED_SECONDS = 60
REVIEW_PERCENT = 4
SECOND_REVIEWER = Rater("second", "Simulated second reviewer", "reviewer2@demo.invalid")


@dataclass(frozen=True)
class Cast:
    """The four people whom a visitor can be, with their keys, and the client's organization."""

    people: Mapping[str, UUID]
    keys: Mapping[str, str]
    actors: Mapping[str, Actor]
    org_id: UUID


def make_cast(session: Session, *, simulated: bool, now: datetime) -> Cast:
    """Create operator, client, contributor and reviewer, and a client organization with money in its wallet.

    `simulated`: the contributor's work is done by one of the simulated contributors, and the account says so.
    """
    roles = {role: dict(about) for role, about in PERSONAS.items()}
    roles["contributor"]["simulated"] = simulated
    people = {
        role: create_person(session, SYSTEM, email=f"{role}@demo.invalid", confirmed=True, now=now, **about).id
        for role, about in roles.items()
    }
    organization = create_organization(session, SYSTEM, name=ORGANIZATION, owner_id=people["client"], now=now)
    keys = {role: make_key(session, person, SCOPES[role], now=now) for role, person in people.items()}
    actors = {role: by_api_key(session, key, now=now).actor for role, key in keys.items()}
    money.top_up(session, actors["operator"], organization.id, WALLET, note="Demo money", now=now)
    return Cast(people, keys, actors, organization.id)


def make_key(session: Session, person_id: UUID, scopes: Sequence[str], *, now: datetime) -> str:
    _, key = create_key(session, SYSTEM, person_id=person_id, name="demo", scopes=scopes, now=now)
    return key


def make_project(session: Session, cast: Cast, material: Material, *, budget: Money, now: datetime) -> Project:
    """The client's project for this material: guidelines, rubric, reviewer and money, still a draft without tasks."""
    client = cast.actors["client"]
    settings = ProjectSettings(
        title=material.title,
        summary=material.summary,
        config={
            "question": material.question,
            "justification_min_chars": material.justification_min_chars,
            "scale_strength": material.source == "simulated",
        },
        overlap=material.overlap,
        rate_minor=RATE_MINOR,
        expected_seconds=EXPECTED_SECONDS,
        data_source=material.source,
        **{"review_percent": REVIEW_PERCENT, **material.quality},
    )
    project = create_project(session, client, cast.org_id, settings, now=now)
    publish_guidelines(session, client, project.id, material.guidelines, now=now)
    publish_rubric(
        session, client, project.id, [Criterion.model_validate(criterion) for criterion in material.rubric], now=now
    )
    add_reviewer(session, client, project.id, cast.people["reviewer"], now=now)
    money.fund_project(session, client, org_id=cast.org_id, project_id=project.id, amount=budget, now=now)
    return project


def make_rater(session: Session, rater: Rater, *, now: datetime) -> tuple[UUID, str]:
    """An account for a rater, marked as not a human who signs in, with a key to work by: (person, key)."""
    person = create_person(
        session, SYSTEM, email=rater.email, name=rater.name, is_contributor=True, simulated=True, confirmed=True,
        now=now,
    )  # fmt: skip
    return person.id, make_key(session, person.id, ["read", "work"], now=now)


def make_second_reviewer(session: Session, cast: Cast, project_id: UUID, *, now: datetime) -> str:
    """An openly simulated colleague of the demo's reviewer in this project; returns the key to review by."""
    person = create_person(
        session, SYSTEM, email=SECOND_REVIEWER.email, name=SECOND_REVIEWER.name, is_reviewer=True, simulated=True,
        confirmed=True, now=now,
    )  # fmt: skip
    add_reviewer(session, cast.actors["client"], project_id, person.id, now=now)
    return make_key(session, person.id, SCOPES["reviewer"], now=now)


def make_raters(
    transaction: Callable[[], Any],
    raters: Sequence[Rater],
    project_id: UUID,
    done: Callable[[], None],
    now: Callable[[], datetime],
    there: Mapping[str, tuple[UUID, str]],
) -> tuple[dict[str, UUID], dict[str, str]]:
    """Accounts for all raters, joined to the project: (people, keys) by rater. Committed every hundred.

    `there`: (person, key) of raters who have an account.
    """
    people, keys = {}, {}
    for start in range(0, len(raters), 100):
        with transaction() as session:
            for rater in raters[start : start + 100]:
                account = there.get(rater.key) or make_rater(session, rater, now=now())
                people[rater.key], keys[rater.key] = account
                actor = Actor(people[rater.key], name=rater.name, roles=frozenset({"contributor"}))
                join(session, actor, project_id, now=now())
                done()
    return people, keys


def task_ids(session: Session, project_id: UUID, key: bytes) -> dict[str, str]:
    """Ids of a project's tasks, as those who work on them see them, by external id."""
    rows = session.execute(select(Task.external_id, Task.id).where(Task.project_id == project_id))
    return {external_id: show_veiled("task", task_id, key) for external_id, task_id in rows}
