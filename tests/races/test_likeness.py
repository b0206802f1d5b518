"""The same text submitted by several people at the same moment."""

from collections import Counter
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.kit.runtime import Runtime
from preceptor.work import queries_texts, service
from preceptor.work.service import likeness
from tests.conftest import NOW
from tests.factories import User, join, make_world
from tests.races.crowd import done, refused, together

PEOPLE = 8
PROMPT = {"messages": [{"role": "user", "content": "Why does ice float on water although it is colder?"}]}


def race(runtime: Runtime) -> tuple[int, Counter[str]]:
    """How many of eight got through with the same text, and what the others were told."""
    with runtime.sessions.begin() as session:
        world = make_world(session, now=NOW, tasks=PEOPLE, overlap=1)
        world.project.task_type, world.project.config = "prompt", {"difficulties": []}
        for number, task in enumerate(world.tasks):
            task.payload = {"topic": f"Topic {number}"}
        people = join(session, world, now=NOW, people=PEOPLE)
        session.flush()
        held = [(service.claim_next(session, user.actor, world.project.id, now=NOW).claim.id, user) for user in people]
    with runtime.sessions.begin() as session:
        # Signing what came with the tasks would make them wait for each other as well.
        likeness.find_similar(session, held[0][1].actor, held[0][0], PROMPT, now=NOW)

    def submit(claim: UUID, user: User) -> Callable[[Session], UUID]:
        return lambda session: service.submit(session, user.actor, claim, PROMPT, now=NOW).id

    answers = together(runtime, [submit(claim, user) for claim, user in held])
    return len(done(answers)), Counter(refused(answers))


def test_of_eight_who_submit_the_same_at_once_one_gets_through(runtime: Runtime) -> None:
    assert race(runtime) == (1, {"too_alike": PEOPLE - 1})


def test_without_the_lock_more_than_one_would_get_through(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries_texts, "LOCK_TEXTS", text("SELECT CAST(:key AS bigint)"))
    assert max(race(runtime)[0] for _ in range(3)) > 1
