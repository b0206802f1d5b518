"""How alike people answer, aspect by aspect."""

import pytest
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.projects.models import Task, TaskState
from preceptor.work import service as work
from preceptor.work.service.aspects import aspect_agreement
from tests.factories import PREFER_A, World, join, make_world

PREFER_B = {**PREFER_A, "ranks": {"A": 2, "B": 1}}


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2)


def _answer(session: Session, world: World, clock: FixedClock, stored_first: list[bool]) -> None:
    """Two people judge all tasks; the second prefers the response that stands first in storage where it is said."""
    for number, person in enumerate(join(session, world, now=clock.now(), people=2)):
        for place in range(len(world.tasks)):
            held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
            first_is_a = held.claim.display_order[0] == "r1"
            wanted_first = True if number == 0 else stored_first[place]
            answer = PREFER_A if first_is_a is wanted_first else PREFER_B
            work.submit(session, person.actor, held.claim.id, answer, now=clock.now())
    session.flush()


def test_two_who_answer_alike_agree_fully_and_opposites_not_at_all(
    session: Session, world: World, clock: FixedClock
) -> None:
    (before,) = aspect_agreement(session, world.project)
    assert before.agreement.value is None
    assert before.agreement.reason
    _answer(session, world, clock, [True, False, True])
    (found,) = aspect_agreement(session, world.project)
    assert (found.key, found.title, found.pairs) == ("answer", "Ranking", 3)
    assert found.agreement.value == pytest.approx(2 / 3)
    assert found.agreement.reason == "3 units are too few for an interval; 10 are needed"


def test_gold_tasks_are_left_out(session: Session, world: World, clock: FixedClock) -> None:
    _answer(session, world, clock, [True, True, True])
    session.get_one(Task, world.tasks[0].id).state = TaskState.GOLD
    session.flush()
    assert aspect_agreement(session, world.project)[0].pairs == 2
