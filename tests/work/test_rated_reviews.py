"""Reviewers and what they chose to see: what they are handed, what is counted, and what they are told."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.people.service import content
from preceptor.projects.service import tasks
from preceptor.work import service as work
from preceptor.work.errors import ContentLimitReached, ContentNotChosen, NothingToReview
from preceptor.work.models import Decision, Submission
from preceptor.work.service import review_overview
from preceptor.work.service.reviewing import next_for_review, open_for_review, skip_review
from tests.factories import PREFER_A, User, World, join, make_world


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    """Three answered tasks, all to be reviewed; the first and the last show violence."""
    made = make_world(session, now=clock.now(), tasks=3, overlap=1, review_percent=100)
    (person,) = join(session, made, now=clock.now())
    for _ in made.tasks:
        held = work.claim_next(session, person.actor, made.project.id, now=clock.now())
        work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())
        clock.at += timedelta(minutes=1)
    ids = [made.tasks[0].id, made.tasks[2].id]
    tasks.rate_tasks(session, made.client.actor, made.project.id, ids, ["violence"], now=clock.now())
    return made


def choose(session: Session, person: User, clock: FixedClock, **limits: int) -> None:
    content.choose(session, person.actor, limits, now=clock.now())


def review(session: Session, world: World, clock: FixedClock) -> int:
    """Approve the next one; which task it was."""
    item = next_for_review(session, world.reviewer.actor, now=clock.now())
    work.decide(session, world.reviewer.actor, item.submission.id, Decision.APPROVE, comment="", now=clock.now())
    return [task.id for task in world.tasks].index(item.task.id)


def seen(session: Session, person: User, clock: FixedClock) -> int:
    return content.exposure(session, person.id, now=clock.now())["violence"].seen


def test_reviewers_are_handed_what_they_chose_to_see(session: Session, world: World, clock: FixedClock) -> None:
    (line,) = review_overview.review_queue(session, world.reviewer.actor, now=clock.now())
    assert (line.waiting, line.kept) == (1, 2)
    assert review(session, world, clock) == 1
    with pytest.raises(ContentNotChosen, match="violence and injury"):
        review(session, world, clock)
    choose(session, world.reviewer, clock, violence=1)
    (line,) = review_overview.review_queue(session, world.reviewer.actor, now=clock.now())
    assert (line.waiting, line.kept) == (2, 0)
    assert review(session, world, clock) == 0
    with pytest.raises(ContentLimitReached, match="as much as you chose for today"):
        review(session, world, clock)
    clock.at += timedelta(days=1)
    assert review(session, world, clock) == 2
    with pytest.raises(NothingToReview):
        review(session, world, clock)


def test_what_the_project_shows_keeps_all_of_it_back(session: Session, world: World, clock: FixedClock) -> None:
    world.project.content_ratings = ["crime"]
    session.flush()
    choose(session, world.reviewer, clock, violence=9)
    (line,) = review_overview.review_queue(session, world.reviewer.actor, now=clock.now())
    assert (line.waiting, line.kept) == (0, 3)
    with pytest.raises(ContentNotChosen, match="crime"):
        review(session, world, clock)


def test_what_is_open_stays_open_and_counts_once(session: Session, world: World, clock: FixedClock) -> None:
    choose(session, world.reviewer, clock, violence=1)
    actor = world.reviewer.actor
    first = next_for_review(session, actor, now=clock.now())
    assert first.ratings == ("violence",)
    assert next_for_review(session, actor, now=clock.now()).submission.id == first.submission.id
    open_for_review(session, actor, first.submission.id, now=clock.now())
    assert seen(session, world.reviewer, clock) == 1
    choose(session, world.reviewer, clock)
    assert next_for_review(session, actor, now=clock.now()).submission.id == first.submission.id
    skip_review(session, actor, first.submission.id, now=clock.now())
    assert review(session, world, clock) == 1


def test_a_named_submission_is_refused_for_the_same_reasons(session: Session, world: World, clock: FixedClock) -> None:
    choose(session, world.reviewer, clock, violence=1)
    first = next_for_review(session, world.reviewer.actor, now=clock.now())
    other = next(
        each.id
        for each in session.scalars(select(Submission).where(Submission.project_id == world.project.id))
        if each.task_id == world.tasks[2].id and each.id != first.submission.id
    )
    with pytest.raises(ContentLimitReached):
        open_for_review(session, world.reviewer.actor, other, now=clock.now())
    choose(session, world.reviewer, clock)
    with pytest.raises(ContentNotChosen):
        open_for_review(session, world.reviewer.actor, other, now=clock.now())


def test_a_check_is_kept_back_like_what_it_looks_like(session: Session, world: World, clock: FixedClock) -> None:
    world.project.double_percent = 100
    session.flush()
    choose(session, world.reviewer, clock, violence=9)
    assert review(session, world, clock) == 0, "waits for a second decision from now on"
    assert handed(session, world, clock) == {1}
    choose(session, world.client, clock, violence=99)
    assert handed(session, world, clock) == {0, 1, 2}


def handed(session: Session, world: World, clock: FixedClock) -> set[int]:
    """Which tasks the manager, who reviews too, is handed in 30 looks into the queue."""
    found, order = set(), [task.id for task in world.tasks]
    last: list[UUID] = []
    for _ in range(30):
        try:
            item = next_for_review(session, world.client.actor, skip=last, now=clock.now())
        except (NothingToReview, ContentNotChosen):
            last = []
            continue
        item = next_for_review(session, world.client.actor, skip=last, now=clock.now())
        last = [item.submission.id]
        found.add(order.index(item.task.id))
        skip_review(session, world.client.actor, item.submission.id, now=clock.now())
    return found
