"""What is recorded is said before the start, and shown in full to its author and to reviewers."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from tests.factories import PREFER_A, User, World, join, make_world
from tests.web.acting import Seating


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=1, review_percent=100)


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now(), people=1)[0]


def test_it_is_told_kept_and_shown(
    client: TestClient, runtime: Runtime, session: Session, clock: FixedClock, world: World, person: User
) -> None:
    seat = Seating(client, runtime, session, clock)
    desk = seat(person, "contributor")
    project = show_id("project", world.project.id)
    assert "how much text you paste into the answer" in desk.get(f"/board/{project}").text
    urls = desk.send("POST", f"/work/{project}/next").json()["urls"]
    draft = {"answer": {"justification": "Because it adds up."}, "pastes": [{"field": "Why?", "size": 11}]}
    assert desk.send("PUT", urls["draft"], draft).status_code == 200
    given = desk.send("POST", urls["submit"], {"answer": PREFER_A}).json()
    mine = desk.get(given["history_entry"]["href"]).text
    assert "11 characters pasted into “Why?”" in mine
    assert "Because it adds up." in mine
    reviewer = seat(world.reviewer, "reviewer")
    key = given["history_entry"]["href"].rsplit("/", 1)[-1]
    assert "11 characters pasted" in reviewer.get(f"/review/submission/{key}").text


def test_pastes_beyond_the_limit_are_refused(
    client: TestClient, runtime: Runtime, session: Session, clock: FixedClock, world: World, person: User
) -> None:
    desk = Seating(client, runtime, session, clock)(person, "contributor")
    urls = desk.send("POST", f"/work/{show_id('project', world.project.id)}/next").json()["urls"]
    many = {"answer": {}, "pastes": [{"field": "", "size": 1}] * 51}
    assert desk.send("PUT", urls["draft"], many).status_code == 422
