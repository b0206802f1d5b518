"""Entry tests as a contributor takes them."""

import json
from datetime import timedelta

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from tests.factories import World
from tests.web.acting import Desk
from tests.web.contributor.deeds import make_test, right_answer, start, take_test, words


def test_a_passed_test_opens_the_project(desk: Desk, session: Session, world: World, clock: FixedClock) -> None:
    test_id = make_test(session, world, clock)
    assert "Opens Sums" in words(desk.get("/tests"))
    result = desk.get(take_test(desk, test_id))
    text = words(result)
    assert "You have passed" in text
    assert "100% , 80 needed" in text or "100" in text
    assert "<strong>" in result.text  # explanations are told after a pass
    assert start(desk, world)
    assert "You hold it, with 100 %." in words(desk.get("/tests"))


def test_a_failed_test_hides_the_answers_and_says_when_to_come_back(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    test_id = make_test(session, world, clock)
    result = desk.get(take_test(desk, test_id, wrong=True))
    text = words(result)
    assert "Not passed this time" in text
    assert "Next try" in text
    assert "Wrong" in text
    assert " is 2" not in text
    refused = desk.post(f"/tests/{test_id}/attempt")
    assert refused.status_code == 409
    assert "next attempt opens" in words(refused)


def test_an_attempt_tells_nothing_about_the_known_answer(
    desk: Desk, session: Session, world: World, clock: FixedClock
) -> None:
    test_id = make_test(session, world, clock)
    desk.post(f"/tests/{test_id}/attempt")
    held = desk.workspace(f"/tests/{test_id}/attempt")
    text = json.dumps(held)
    assert held["claim"]["position"] == {"at": 1, "of": 2}
    for secret in ('"r1"', "explanation", "**", "known"):
        assert secret not in text


def test_time_that_runs_out_ends_the_attempt(desk: Desk, session: Session, world: World, clock: FixedClock) -> None:
    test_id = make_test(session, world, clock)
    desk.post(f"/tests/{test_id}/attempt")
    held = desk.workspace(f"/tests/{test_id}/attempt")
    clock.at += timedelta(hours=1)
    assert desk.send("POST", held["urls"]["heartbeat"]).status_code == 410
    over = desk.get(f"/tests/{test_id}/attempt")
    assert over.status_code == 303
    assert "The time ran out" in words(desk.get(over.headers["location"]))


def test_practice_explains_each_answer_and_ends(desk: Desk, session: Session, world: World, clock: FixedClock) -> None:
    test_id = make_test(session, world, clock)
    held = desk.workspace(f"/tests/{test_id}/practice")
    assert held["claim"]["kind"] == "practice"
    told = desk.send("POST", held["urls"]["submit"], {"answer": right_answer(held, wrong=True)}).json()
    assert told["explanation"]["correct"] is False
    assert "<strong>4</strong>" in told["explanation"]["html"]
    second = told["next"]
    last = desk.send("POST", second["urls"]["submit"], {"answer": right_answer(second)}).json()
    assert last["explanation"]["correct"] is True
    assert last["next"] is None
    over = desk.send("POST", second["urls"]["next"])
    assert (over.status_code, over.json()["code"]) == (404, "all_practised")
