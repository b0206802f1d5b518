"""Content that people choose to see: who may claim, how much a day, and what two projects at once can do."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import Invalid
from preceptor.people.service import content
from preceptor.projects.service import members
from preceptor.work import service as work
from preceptor.work.errors import ContentLimitReached, ContentNotChosen
from tests.factories import PREFER_A, User, World, join, make_world


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    made = make_world(session, now=clock.now(), tasks=4, overlap=2)
    made.project.content_ratings = ["violence", "hate"]
    session.flush()
    return made


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    (found,) = join(session, world, now=clock.now(), people=1)
    return found


def choose(session: Session, person: User, clock: FixedClock, **limits: int) -> None:
    content.choose(session, person.actor, limits, now=clock.now())


def take(session: Session, person: User, world: World, clock: FixedClock) -> None:
    held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())


def test_nobody_gets_what_they_did_not_choose(session: Session, world: World, person: User, clock: FixedClock) -> None:
    choose(session, person, clock, violence=5)
    reasons = members.eligibility(session, person.id, world.project).reasons
    assert [reason.code for reason in reasons] == ["content_not_chosen"]
    assert "hate and harassment" in reasons[0].text
    assert "violence" not in reasons[0].text
    with pytest.raises(ContentNotChosen, match="hate and harassment"):
        work.claim_next(session, person.actor, world.project.id, now=clock.now())
    choose(session, person, clock, violence=5, hate=5)
    assert members.eligibility(session, person.id, world.project).eligible
    assert work.claim_next(session, person.actor, world.project.id, now=clock.now()).fresh


def test_the_daily_limit_holds_until_the_next_day_and_an_open_task_stays_open(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    choose(session, person, clock, violence=2, hate=5)
    take(session, person, world, clock)
    held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    again = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    assert again.claim.id == held.claim.id, "asking again is not another task"
    work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())
    with pytest.raises(ContentLimitReached, match="violence and injury"):
        work.claim_next(session, person.actor, world.project.id, now=clock.now())
    found = content.exposure(session, person.id, now=clock.now())
    assert (found["violence"].seen, found["violence"].left, found["hate"].left) == (2, 0, 3)
    clock.at += timedelta(days=1)
    take(session, person, world, clock)


def test_skipping_has_no_penalty_but_the_task_was_shown(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    choose(session, person, clock, violence=2, hate=2)
    for _ in range(2):
        held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
        work.skip_claim(session, person.actor, held.claim.id, "uncomfortable", "", now=clock.now())
    with pytest.raises(ContentLimitReached):
        work.claim_next(session, person.actor, world.project.id, now=clock.now())


def test_choosing_again_replaces_the_choice(session: Session, person: User, clock: FixedClock) -> None:
    choose(session, person, clock, violence=2, hate=5)
    choose(session, person, clock, hate=7)
    found = content.exposure(session, person.id, now=clock.now())
    assert {rating: each.daily_limit for rating, each in found.items()} == {"hate": 7}


@pytest.mark.parametrize("limit", [0, 501])
def test_a_limit_outside_its_bounds_is_refused(session: Session, person: User, clock: FixedClock, limit: int) -> None:
    with pytest.raises(Invalid, match="1 to 500 tasks a day"):
        choose(session, person, clock, violence=limit)


def test_a_rating_that_does_not_exist_is_refused(session: Session, person: User, clock: FixedClock) -> None:
    with pytest.raises(Invalid, match="no content rating 'spiders'"):
        choose(session, person, clock, spiders=3)


def test_counting_stops_at_the_limit_whoever_counts(session: Session, person: User, clock: FixedClock) -> None:
    choose(session, person, clock, violence=1, hate=5)
    assert content.count_shown(session, person.id, ["violence", "hate"], now=clock.now())
    assert not content.count_shown(session, person.id, ["violence", "hate"], now=clock.now())
