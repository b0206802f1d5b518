"""The desk fetches the next task while the present one is worked on: what is sent, and what becomes of it."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import ProjectState
from preceptor.work import rules_ahead, service
from preceptor.work.models import Claim, ClaimState
from tests.factories import PREFER_A, World, make_world
from tests.web.acting import Desk, statements
from tests.web.contributor.deeds import start

FETCH_QUERIES = 15
SUBMIT_AND_BEGIN_QUERIES = 10


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=8)


def fetch(desk: Desk, held: dict[str, Any]) -> dict[str, Any]:
    answer = desk.send("POST", held["urls"]["ahead"])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def submit(desk: Desk, held: dict[str, Any], ahead: str | None) -> dict[str, Any]:
    answer = desk.send("POST", held["urls"]["submit"], {"answer": PREFER_A, "ahead": ahead})
    assert answer.status_code == 200, answer.text
    outcome: dict[str, Any] = answer.json()
    return outcome


def state_of(session: Session, shown: str) -> ClaimState:
    session.expire_all()
    return session.scalars(select(Claim.state).where(Claim.id == read_id("claim", shown))).one()


def test_the_desk_gets_the_next_task_whole_and_only_its_times_when_it_begins(
    desk: Desk, runtime: Runtime, session: Session, world: World, clock: FixedClock
) -> None:
    held = desk.workspace(start(desk, world))
    with statements(runtime) as seen:
        ahead = fetch(desk, held)
    assert len(seen) <= FETCH_QUERIES, seen
    assert ahead["task"]["data"]["responses"]
    assert ahead["claim"]["kind"] == "work"
    assert state_of(session, ahead["claim"]["id"]) is ClaimState.AHEAD
    clock.at += timedelta(seconds=40)
    with statements(runtime) as seen:
        outcome = submit(desk, held, ahead["claim"]["id"])
    assert len(seen) <= SUBMIT_AND_BEGIN_QUERIES, seen
    assert "next" not in outcome
    assert outcome["begun"]["claim"]["id"] == ahead["claim"]["id"]
    assert outcome["begun"]["claim"]["server_now"] == clock.now().isoformat()
    assert outcome["begun"]["claim"]["lease_seconds"] == world.project.lease_seconds
    assert state_of(session, ahead["claim"]["id"]) is ClaimState.OPEN
    page = desk.workspace(ahead["urls"]["submit"].removesuffix("/submission"))
    assert page["task"] == ahead["task"], "a reload shows the same task in the same order"


def test_a_reply_to_submit_that_was_lost_is_given_again(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)["claim"]["id"]
    assert submit(desk, held, ahead)["begun"]["claim"]["id"] == ahead
    assert submit(desk, held, ahead)["next"]["claim"]["id"] == ahead


def test_a_desk_that_names_nothing_or_another_task_gets_the_next_one_whole(desk: Desk, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)
    after = submit(desk, held, None)["next"]
    assert after["claim"]["id"] == ahead["claim"]["id"]
    again = submit(desk, after, ahead["claim"]["id"])
    assert again["next"]["claim"]["id"] not in (ahead["claim"]["id"], held["claim"]["id"])


def test_a_refused_answer_leaves_the_next_task_where_it_is(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)["claim"]["id"]
    refused = desk.send("POST", held["urls"]["submit"], {"answer": {"ranks": {"A": 1}}, "ahead": ahead})
    assert refused.status_code == 422
    assert state_of(session, ahead) is ClaimState.AHEAD
    assert submit(desk, held, ahead)["begun"]["claim"]["id"] == ahead


def test_two_tabs_fetch_the_same_task(desk: Desk, world: World) -> None:
    held = desk.workspace(start(desk, world))
    assert fetch(desk, held)["claim"]["id"] == fetch(desk, held)["claim"]["id"]


def test_leaving_the_desk_lets_it_go_and_the_next_is_another_claim(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)
    for _ in range(2):
        assert desk.send("POST", ahead["urls"]["let_go"]).status_code == 204
    assert state_of(session, ahead["claim"]["id"]) is ClaimState.EXPIRED
    assert submit(desk, held, ahead["claim"]["id"])["next"]["claim"]["id"] != ahead["claim"]["id"]


def test_leaving_late_does_not_end_a_task_that_has_begun(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)
    submit(desk, held, ahead["claim"]["id"])
    desk.send("POST", ahead["urls"]["let_go"])
    assert state_of(session, ahead["claim"]["id"]) is ClaimState.OPEN


def test_a_heartbeat_says_whether_it_is_still_there(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    held = desk.workspace(start(desk, world))
    assert desk.send("POST", held["urls"]["heartbeat"]).json()["ahead"] is None
    ahead = fetch(desk, held)["claim"]["id"]
    clock.at += timedelta(seconds=100)
    assert desk.send("POST", held["urls"]["heartbeat"]).json()["ahead"] == ahead
    clock.at += timedelta(seconds=100)
    assert service.let_go_idle(session, now=clock.now()) == 0, "kept by the heartbeat"
    clock.at += rules_ahead.LEASE
    assert service.let_go_idle(session, now=clock.now()) == 1
    assert desk.send("POST", held["urls"]["heartbeat"]).json()["ahead"] is None


def test_skipping_begins_it_with_its_times_alone(desk: Desk, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)["claim"]["id"]
    desk.send("POST", held["urls"]["skip"], {"reason": "other"})
    assert desk.send("POST", held["urls"]["next"], {"ahead": ahead}).json()["begun"]["claim"]["id"] == ahead


def test_a_project_that_pauses_lets_it_go_with_the_answer(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    ahead = fetch(desk, held)["claim"]["id"]
    world.project.state = ProjectState.PAUSED
    session.flush()
    assert submit(desk, held, ahead)["next"] is None
    assert state_of(session, ahead) is ClaimState.EXPIRED


def test_nothing_to_spare_is_no_error(desk: Desk, session: Session, world: World) -> None:
    held = desk.workspace(start(desk, world))
    for task in world.tasks[rules_ahead.TASKS_EACH - 1 :]:
        task.wanted = task.taken
    session.flush()
    answer = desk.send("POST", held["urls"]["ahead"])
    assert (answer.status_code, answer.json()) == (200, None)


def test_the_address_of_a_task_that_has_not_begun_leads_to_the_present_one(desk: Desk, world: World) -> None:
    path = start(desk, world)
    ahead = fetch(desk, desk.workspace(path))
    page = desk.get(ahead["urls"]["submit"].removesuffix("/submission"))
    assert (page.status_code, page.headers["location"]) == (303, f"/work/{show_id('project', world.project.id)}")
    assert desk.get(str(page.headers["location"])).headers["location"] == path
