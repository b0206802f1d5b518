"""Single tasks that not everybody wants to see: who is given them, what is counted, what is said when they are left."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Event
from preceptor.people.service import content
from preceptor.projects import access
from preceptor.projects.models import Task
from preceptor.projects.service import tasks
from preceptor.work import queries, queries_rated
from preceptor.work import service as work
from preceptor.work.errors import ContentLimitReached, ContentNotChosen, NoWorkLeft, TaskTaken
from preceptor.work.models import Claim
from preceptor.work.service.day import work_left
from tests.factories import PREFER_A, User, World, join, make_user, make_world


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    """Four tasks: violence, nothing, violence and hate, nothing."""
    made = make_world(session, now=clock.now(), tasks=4, overlap=2)
    for at, ratings in ((0, ["violence"]), (2, ["violence", "hate"])):
        rate(session, made, clock, [at], ratings)
    return made


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def rate(session: Session, world: World, clock: FixedClock, at: list[int], ratings: list[str]) -> None:
    ids = [world.tasks[each].id for each in at]
    tasks.rate_tasks(session, world.client.actor, world.project.id, ids, ratings, now=clock.now())


def choose(session: Session, person: User, clock: FixedClock, **limits: int) -> None:
    content.choose(session, person.actor, limits, now=clock.now())


def take(session: Session, person: User, world: World, clock: FixedClock) -> int:
    """Do the next task; which one it was."""
    held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())
    return [task.id for task in world.tasks].index(held.claim.task_id)


def everything(session: Session, person: User, world: World, clock: FixedClock) -> Iterator[int]:
    while True:
        try:
            yield take(session, person, world, clock)
        except (ContentLimitReached, ContentNotChosen, NoWorkLeft):
            return


# --- Who is given what


@pytest.mark.parametrize(
    ("limits", "given"),
    [
        ({}, [1, 3]),
        ({"violence": 9}, [0, 1, 3]),
        ({"hate": 9}, [1, 3]),
        ({"hate": 9, "violence": 9}, [0, 1, 2, 3]),
        ({"hate": 9, "violence": 1}, [0, 1, 3]),
    ],
    ids=["nothing", "violence", "hate", "both", "one a day"],
)
def test_people_are_given_what_they_chose_in_the_order_of_the_queue(
    session: Session, world: World, person: User, clock: FixedClock, limits: dict[str, int], given: list[int]
) -> None:
    choose(session, person, clock, **limits)
    assert list(everything(session, person, world, clock)) == given


def test_what_the_project_shows_is_asked_too(session: Session, world: World, person: User, clock: FixedClock) -> None:
    world.project.content_ratings = ["crime"]
    choose(session, person, clock, violence=9)
    with pytest.raises(ContentNotChosen, match="crime"):
        take(session, person, world, clock)
    choose(session, person, clock, violence=9, crime=9)
    assert list(everything(session, person, world, clock)) == [0, 1, 3]
    seen = content.exposure(session, person.id, now=clock.now())
    assert {rating: each.seen for rating, each in seen.items()} == {"crime": 3, "violence": 1}


def test_what_is_shown_is_said_with_the_task(session: Session, world: World, person: User, clock: FixedClock) -> None:
    world.project.content_ratings = ["hate"]
    choose(session, person, clock, violence=9, hate=9)
    first = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    again = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    assert first.fresh
    assert not again.fresh
    assert first.ratings == again.ratings == ("violence", "hate")
    assert content.exposure(session, person.id, now=clock.now())["violence"].seen == 1, "asking again counts nothing"


def test_a_named_task_is_refused_for_the_same_reasons(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    rated, both = world.tasks[0], world.tasks[2]
    project = world.project.id
    with pytest.raises(ContentNotChosen, match="violence and injury"):
        work.claim_task(session, person.actor, project, rated.id, now=clock.now())
    choose(session, person, clock, violence=1, hate=9)
    held = work.claim_task(session, person.actor, project, rated.id, now=clock.now())
    work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())
    with pytest.raises(ContentLimitReached, match="violence and injury"):
        work.claim_task(session, person.actor, project, both.id, now=clock.now())
    with pytest.raises(TaskTaken):
        work.claim_task(session, person.actor, project, make_user(session, now=clock.now()).id, now=clock.now())


def test_a_task_that_is_rated_while_somebody_holds_it_stays_with_them(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    held = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    assert held.ratings == ()
    rate(session, world, clock, [1], ["sexual"])
    again = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    assert (again.claim.id, again.ratings) == (held.claim.id, ("sexual",))
    work.submit(session, person.actor, held.claim.id, PREFER_A, now=clock.now())


def test_skipping_and_giving_back_leave_no_mark(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    choose(session, person, clock, violence=9, hate=9)
    skipped = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    work.skip_claim(session, person.actor, skipped.claim.id, "uncomfortable", now=clock.now())
    released = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    work.release_claim(session, person.actor, released.claim.id, now=clock.now())
    for table in ("gold_result", "person_skill", "decision_receipt", "submission", "flag"):
        assert session.scalar(text(f"SELECT count(*) FROM {table} WHERE person_id = :who"), {"who": person.id}) == 0
    session.expire_all()
    assert [task.taken for task in world.tasks] == [0, 0, 0, 0]


# --- When only rated tasks are left


def test_it_is_said_what_stands_in_the_way(session: Session, world: World, person: User, clock: FixedClock) -> None:
    assert list(everything(session, person, world, clock)) == [1, 3]
    with pytest.raises(ContentNotChosen, match="Nothing else is left") as refusal:
        take(session, person, world, clock)
    assert "violence and injury, hate and harassment" in refusal.value.message
    choose(session, person, clock, violence=1)
    assert take(session, person, world, clock) == 0
    with pytest.raises(ContentNotChosen) as refusal:
        take(session, person, world, clock)
    assert "may show: hate and harassment" in refusal.value.message
    assert "as much as you chose for today: violence and injury" in refusal.value.message
    choose(session, person, clock, violence=1, hate=1)
    with pytest.raises(ContentLimitReached, match="as much as you chose for today: violence and injury"):
        take(session, person, world, clock)
    clock.at += timedelta(days=1)
    assert take(session, person, world, clock) == 2
    with pytest.raises(NoWorkLeft):
        take(session, person, world, clock)


def test_the_board_counts_what_the_person_chose_to_see(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    def left() -> tuple[bool, int]:
        (entry,) = access.board(session, person.actor)
        return entry.has_work, work_left(session, person.actor, [world.project.id])[world.project.id]

    assert left() == (True, 2)
    choose(session, person, clock, violence=9)
    assert left() == (True, 3)
    session.execute(update(Task).where(Task.content_ratings == []).values(state="retired"))
    assert left() == (True, 1)
    choose(session, person, clock, sexual=9)
    assert left() == (False, 0)


# --- Who rates


def test_rating_leaves_one_event_for_each_task_that_changes(session: Session, world: World, clock: FixedClock) -> None:
    rate(session, world, clock, [0, 1], ["hate", "violence"])
    assert [task.content_ratings for task in world.tasks[:2]] == [["violence", "hate"]] * 2
    rate(session, world, clock, [0, 1], ["violence", "hate", "hate"])
    found = session.scalars(select(Event).where(Event.kind == "task.rated").order_by(Event.id)).all()
    assert [event.data for event in found[2:]] == [
        {"before": ["violence"], "content_ratings": ["violence", "hate"]},
        {"before": [], "content_ratings": ["violence", "hate"]},
    ]
    assert tasks.task_counts(session, world.client.actor, world.project.id).rated == 3
    rate(session, world, clock, [0, 1, 2], [])
    assert tasks.task_counts(session, world.client.actor, world.project.id).rated == 0


def test_only_managers_rate_and_only_their_own_tasks(session: Session, world: World, clock: FixedClock) -> None:
    other = make_world(session, now=clock.now())
    for actor, error in ((other.client.actor, NotFound), (world.reviewer.actor, NotFound)):
        with pytest.raises(error):
            tasks.rate_tasks(session, actor, world.project.id, [world.tasks[0].id], ["hate"], now=clock.now())
    with pytest.raises(NotFound):
        tasks.rate_tasks(session, other.client.actor, other.project.id, [world.tasks[1].id], ["hate"], now=clock.now())
    assert world.tasks[1].content_ratings == []


def test_a_rating_that_does_not_exist_is_named(session: Session, world: World, clock: FixedClock) -> None:
    with pytest.raises(Invalid, match="no content rating 'spiders'; there are violence, hate, sexual"):
        rate(session, world, clock, [0], ["spiders"])


def test_too_large_a_selection_is_refused(session: Session, world: World, clock: FixedClock) -> None:
    with pytest.raises(Invalid, match="At most 1,000 tasks"):
        rate(session, world, clock, [0] * 1001, ["hate"])


def test_tasks_are_found_by_what_they_show(session: Session, world: World) -> None:
    def found(rating: str) -> list[str]:
        page = tasks.list_tasks(session, world.client.actor, world.project.id, rating=rating)
        return [task.external_id for task in page.tasks]

    assert found("any") == ["sum-0", "sum-2"]
    assert found("hate") == ["sum-2"]
    assert found("sexual") == []


# --- What it costs


def test_a_hundred_thousand_rated_tasks_are_passed_over_without_reading_them(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    """By the plans that PostgreSQL runs, in rows read and blocks touched; not by a clock."""
    session.flush()
    session.execute(
        text("""
            INSERT INTO task (id, project_id, external_id, payload, priority, position, wanted, taken, done, state,
                              content_ratings, created_at)
            SELECT gen_random_uuid(), t.project_id, 'more-' || n, t.payload, 5, 100 + n, 3, 0, 0, 'open',
                   CASE WHEN n <= 100000 THEN ARRAY['sexual'] ELSE '{}'::text[] END, t.created_at
            FROM task t, generate_series(1, 120000) n WHERE t.id = :task
        """),
        {"task": world.tasks[0].id},
    )
    session.execute(text("ANALYZE task"))
    who = {"project_id": world.project.id, "person_id": person.id, "allowed": ["violence"]}
    where = {**who, "after": 50, "until": 2**62}
    for statement, name in (
        (queries.PICK_FREE, "ix_task_claimable"),
        (queries_rated.PICK_AMONG_RATED, "ix_task_claimable_rated"),
        (queries_rated.FIRST_AMONG_RATED, "ix_task_claimable_rated"),
        (queries_rated.KEPT_BACK, "ix_task_claimable_rated"),
        (queries.LOCK_MEMBERSHIP, "ix_task_claimable_rated"),
    ):
        explained = text(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {statement.text}")
        (plan,) = session.execute(explained, where).scalars().one()
        assert name in json.dumps(plan), statement.text
        assert most_rows(plan["Plan"]) < 50, statement.text
        assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 200, statement.text
    assert session.execute(queries_rated.PICK_AMONG_RATED, where).one().position == 100_101
    assert session.scalar(select(Claim.id)) is None


def most_rows(plan: dict[str, Any]) -> int:
    """The most rows that any step read or threw away."""
    own = int(plan["Actual Rows"]) + int(plan.get("Rows Removed by Filter", 0))
    return max([own, *(most_rows(each) for each in plan.get("Plans", []))])
