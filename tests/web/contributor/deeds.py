"""What a contributor does on their pages, and what a client and a reviewer do meanwhile."""

import re
from html import unescape
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.assessments.service.assessments import create_assessment
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.projects.models import Task
from preceptor.work import service
from preceptor.work.models import Decision, Submission
from tests.factories import PREFER_A, World, pair_payload
from tests.web.acting import Answer, Desk


def words(page: Answer) -> str:
    """The page as a person reads it."""
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", page.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(text)).strip()


def start(desk: Desk, world: World) -> str:
    """Press Start; returns the path of the desk."""
    answer = desk.post(f"/work/{show_id('project', world.project.id)}")
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def submit(desk: Desk, world: World, answer: dict[str, Any] = PREFER_A) -> dict[str, Any]:
    path = start(desk, world)
    sent = desk.send("POST", f"{path}/submission", {"answer": answer, "worked_seconds": 3})
    assert sent.status_code == 200, sent.text
    outcome: dict[str, Any] = sent.json()
    return outcome


def only_submission(session: Session) -> Submission:
    return session.scalars(select(Submission).order_by(Submission.id.desc()).limit(1)).one()


def decide(session: Session, world: World, decision: Decision, clock: FixedClock, **said: Any) -> Submission:
    given = only_submission(session)
    reasons = {"comment": "Say which sentence decided it, please.", **said}
    service.decide(session, world.reviewer.actor, given.id, decision, now=clock.now(), **reasons)
    session.flush()
    return given


def one_more(session: Session, world: World, clock: FixedClock, number: int = 9) -> World:
    session.add(
        Task(
            project_id=world.project.id,
            external_id=f"more-{number}",
            payload=pair_payload(number),
            position=90 + number,
            wanted=1,
            created_at=clock.now(),
        )
    )
    session.flush()
    return world


def make_test(session: Session, world: World, clock: FixedClock, questions: int = 2) -> str:
    """A test that the world's project asks for; A, the true sum, is always right. Returns its shown id."""
    answer = {"ranks": {"r1": 1, "r2": 2}, "strength": 3}
    items = [
        ItemIn(
            payload=pair_payload(number), answer=answer, explanation=f"{number} + {number} is **{2 * number}**.",
            practice=number >= questions,
        )
        for number in range(questions + 2)
    ]  # fmt: skip
    wanted = AssessmentIn(
        title="Adding up", introduction="Check *every* sum.", qualification_title="Sums checked", questions=questions,
        attempts_max=2, items=items, config={"question": "Which sum is right?", "justification_min_chars": 0},
    )  # fmt: skip
    made = create_assessment(session, world.client.actor, world.organization.id, wanted, now=clock.now())
    world.project.qualification_id = made.qualification_id
    session.flush()
    return show_id("assessment", made.id)


def right_answer(held: dict[str, Any], *, wrong: bool = False) -> dict[str, Any]:
    asked = re.search(r"(\d+) \+", held["task"]["data"]["prompt"][0]["html"])
    assert asked is not None
    total = str(2 * int(asked.group(1)))
    responses = held["task"]["data"]["responses"]
    best = next(each["label"] for each in responses if f"is {total}." in each["body"]["text"])
    other = next(each["label"] for each in responses if each["label"] != best)
    first, second = (other, best) if wrong else (best, other)
    return {"ranks": {first: 1, second: 2}, "strength": 3, "justification": ""}


def take_test(desk: Desk, test_id: str, *, wrong: bool = False) -> str:
    """Answer every question; returns where the last answer leads."""
    assert desk.post(f"/tests/{test_id}/attempt").status_code == 303
    held = desk.workspace(f"/tests/{test_id}/attempt")
    while True:
        answer = {"answer": right_answer(held, wrong=wrong), "worked_seconds": 2}
        assert desk.send("PUT", held["urls"]["draft"], answer).status_code == 200
        sent = desk.send("POST", held["urls"]["submit"], answer)
        assert sent.status_code == 200, sent.text
        if "redirect" in sent.json():
            return str(sent.json()["redirect"])
        held = sent.json()["next"]
