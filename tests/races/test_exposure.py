"""The daily limit of what a person sees, asked for in many projects at the same moment: it holds, nothing is lost."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.runtime import Runtime
from preceptor.people.service import content
from preceptor.projects.models import Membership, Task
from preceptor.work import service as work
from preceptor.work.models import Claim
from preceptor.work.service import ClaimedWork, showing
from tests.conftest import NOW
from tests.factories import User, World, make_contributor, make_world
from tests.races.crowd import done, refused, together, wrongs

PROJECTS, LIMIT = 12, 3


def set_up(runtime: Runtime) -> tuple[User, list[World]]:
    """A person in twelve projects, each with a task that shows violence and one behind it that shows nothing."""
    with transaction(runtime.sessions) as session:
        person = make_contributor(session, now=NOW)
        worlds = [make_world(session, now=NOW, tasks=2, overlap=1) for _ in range(PROJECTS)]
        for world in worlds:
            world.tasks[0].content_ratings = ["violence"]
            session.add(Membership(project_id=world.project.id, person_id=person.id, joined_at=NOW))
        content.choose(session, person.actor, {"violence": LIMIT}, now=NOW)
    return person, worlds


def claims(person: User, worlds: list[World]) -> list[Callable[[Session], ClaimedWork]]:
    def one(world: World) -> Callable[[Session], ClaimedWork]:
        return lambda session: work.claim_next(session, person.actor, world.project.id, now=NOW)

    return [one(world) for world in worlds]


def test_the_limit_holds_over_projects_and_the_rest_get_other_tasks(runtime: Runtime) -> None:
    person, worlds = set_up(runtime)
    answers = together(runtime, claims(person, worlds))
    assert refused(answers) == []
    assert len([held for held in done(answers) if held.ratings]) == LIMIT
    with runtime.sessions() as session:
        assert content.exposure(session, person.id, now=NOW)["violence"].seen == LIMIT
        rated = select(func.count()).select_from(Claim).join(Task, Task.id == Claim.task_id)
        assert session.scalar(rated.where(Task.content_ratings != [])) == LIMIT
        assert session.scalar(select(func.count()).select_from(Claim)) == PROJECTS
    assert wrongs(runtime) == []


def test_without_counting_under_the_lock_the_limit_is_passed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(showing, "count_shown", lambda *_, **__: True)
    person, worlds = set_up(runtime)
    assert len([held for held in done(together(runtime, claims(person, worlds))) if held.ratings]) > LIMIT
