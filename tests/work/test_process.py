"""How an answer came about: what is kept, what is not, and who sees it."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.work import service as work
from preceptor.work.models import Claim
from preceptor.work.service import process
from preceptor.work.service.process import Paste, process_of
from tests.factories import User, World, join, make_world


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=2, overlap=2)


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now(), people=1)[0]


@pytest.fixture
def claim(session: Session, world: World, person: User, clock: FixedClock) -> Claim:
    return work.claim_next(session, person.actor, world.project.id, now=clock.now()).claim


def save(
    session: Session, person: User, claim: Claim, clock: FixedClock, text: str, number: int, *pastes: Paste
) -> None:
    draft = {"justification": text}
    work.save_draft(session, person.actor, claim.id, draft, number, pastes=pastes, now=clock.now())


def test_states_that_follow_each_other_quickly_are_one(
    session: Session, person: User, claim: Claim, clock: FixedClock
) -> None:
    for number in range(1, 31):
        save(session, person, claim, clock, "x" * number, number)
        clock.at += timedelta(seconds=1)
    kept = process_of(session, claim).saved
    assert [step.answer for step in kept] == [{"justification": "x"}, {"justification": "x" * 16}]


def test_a_paste_is_kept_by_its_size_and_field_and_not_by_its_text(
    session: Session, person: User, claim: Claim, clock: FixedClock
) -> None:
    save(session, person, claim, clock, "secret words", 1, Paste("Why?", 12), Paste("A" * 500, 3))
    found = process_of(session, claim)
    assert [(step.field, step.size, step.answer) for step in found.pastes] == [("Why?", 12, None), ("A" * 80, 3, None)]
    assert found.pasted_characters == 15


def test_a_draft_that_arrives_late_leaves_no_step(
    session: Session, person: User, claim: Claim, clock: FixedClock
) -> None:
    save(session, person, claim, clock, "new", 5)
    clock.at += timedelta(minutes=1)
    save(session, person, claim, clock, "old", 4, Paste("Why?", 9))
    assert len(process_of(session, claim).steps) == 1


def test_there_is_an_end_to_what_is_kept(
    session: Session, person: User, claim: Claim, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "STEPS_MAX", 3)
    for number in range(1, 6):
        save(session, person, claim, clock, str(number), number, Paste("Why?", number), Paste("Why?", number))
        clock.at += timedelta(minutes=1)
    assert len(process_of(session, claim).steps) == 3


def test_a_large_state_is_kept_by_its_size(session: Session, person: User, claim: Claim, clock: FixedClock) -> None:
    save(session, person, claim, clock, "x" * process.ANSWER_BYTES_MAX, 1)
    (step,) = process_of(session, claim).steps
    assert step.answer is None
    assert step.size > process.ANSWER_BYTES_MAX


def test_active_time_is_the_union_of_beats_whatever_is_lost_doubled_or_out_of_order(
    session: Session, person: User, claim: Claim, clock: FixedClock
) -> None:
    start = clock.now()
    # 20 s apart; the one at 60 is lost (a gap of 40 still counts), 80 comes twice, 70 arrives after it.
    for second in (20, 40, 80, 80, 70, 100):
        work.beat(session, person.actor, claim.id, now=start + timedelta(seconds=second))
    assert process_of(session, claim).active_seconds == 100
    # Nothing was heard for five minutes: that was no work.
    work.beat(session, person.actor, claim.id, now=start + timedelta(seconds=400))
    assert process_of(session, claim).active_seconds == 100
