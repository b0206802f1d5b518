"""Who may open a contributor's pages, and in how many statements they are there."""

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work.models import Decision
from tests.factories import PREFER_A, World, join, make_client, make_world
from tests.web.acting import Desk, Seating, statements
from tests.web.contributor.deeds import decide, make_test, only_submission, start, submit

QUERIES_PER_PAGE = 22


@pytest.mark.parametrize("path", ["/home", "/board", "/results", "/earnings", "/tests"])
def test_pages_are_for_contributors(client: TestClient, seat: Seating, world: World, path: str) -> None:
    assert client.get(path).headers["location"].startswith("/sign-in")
    other = seat(world.client)
    assert other.get(path).status_code == 403


def test_nothing_of_another_person_can_be_opened(
    seat: Seating, session: Session, desk: Desk, world: World, clock: FixedClock
) -> None:
    path = start(desk, world)
    submit(desk, world)
    given = only_submission(session)
    stranger = seat(join(session, world, now=clock.now())[0])
    assert stranger.get(path).status_code == 404
    assert stranger.get(f"/results/{show_id('submission', given.id)}").status_code == 404
    assert stranger.send("PUT", f"{path}/draft", {"answer": {}}).status_code == 404
    assert stranger.send("POST", f"{path}/submission", {"answer": PREFER_A}).status_code == 404


def test_a_change_without_the_token_is_refused(desk: Desk, world: World) -> None:
    refused = desk.client.post(f"/work/{show_id('project', world.project.id)}", headers=desk._headers())
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/home", "/board", "/results", "/earnings", "/tests"])
def test_pages_ask_the_same_number_of_questions_for_few_and_many_rows(
    desk: Desk, session: Session, runtime: Runtime, world: World, clock: FixedClock, path: str
) -> None:
    make_client(session, now=clock.now())
    with statements(runtime) as few:
        assert desk.get(path).status_code == 200
    for _ in range(3):
        submit(desk, world)
        decide(session, world, Decision.APPROVE, clock)
    for _ in range(5):
        more = make_world(session, now=clock.now())
        make_test(session, more, clock)
    with statements(runtime) as many:
        assert desk.get(path).status_code == 200
    assert len(many) <= QUERIES_PER_PAGE
    assert len(many) - len(few) <= 3, "\n".join(many)
