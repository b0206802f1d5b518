"""Calibration practice: what people practise on, what they are told, and how retraining ends."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.fairness.models import ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import show_id
from preceptor.money import service as money
from preceptor.projects.models import Membership, MembershipState, Task, TaskGold
from preceptor.work import rules_gold
from preceptor.work.errors import Incomplete
from preceptor.work.errors_gold import PractisedOn
from preceptor.work.models import Submission
from preceptor.work.models_quality import GoldResult, PracticeAnswer
from preceptor.work.service import deciding, gold, membership_decisions, practice
from preceptor.work.service.practice import PracticeFeedback, PracticeItem
from tests.factories import User, World, join, make_contributor
from tests.work.golden import answer_gold, golden_world, know


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    """Six known answers; the last five of them out of the mix."""
    world = golden_world(session, clock, tasks=40, gold=6, overlap=50)
    for task in world.tasks[1:6]:
        gold.retire_gold(session, world.client.actor, world.project.id, task.id, now=clock.now())
    return world


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def ask(session: Session, world: World, person: User, clock: FixedClock) -> PracticeItem:
    item = practice.next_item(session, person.actor, world.project.id, now=clock.now())
    assert item is not None
    return item


def shown_answer(session: Session, item: PracticeItem, *, right: bool) -> dict[str, Any]:
    """The right answer, or the opposite, in shown names; found by what stands in the responses."""
    key = session.get_one(TaskGold, item.task_id).answer["ranks"]
    best = min(key, key=key.get)
    stored = session.get_one(Task, item.task_id).payload["responses"]
    text = {each["id"]: each["messages"][0]["content"] for each in stored}[best]
    shown: Any = item.payload["responses"]
    name = next(each["id"] for each in shown if each["messages"][0]["content"] == text)
    other = "B" if name == "A" else "A"
    first, second = (name, other) if right else (other, name)
    return {"ranks": {first: 1, second: 2}, "strength": 2, "justification": "Because this sum is the right one."}


def practise(
    session: Session, world: World, person: User, clock: FixedClock, *, right: bool = True
) -> tuple[PracticeItem, PracticeFeedback]:
    item = ask(session, world, person, clock)
    given = shown_answer(session, item, right=right)
    told = practice.answer_item(
        session, person.actor, world.project.id, item.task_id, given, round=item.round, now=clock.now()
    )
    return item, told


def retrain(session: Session, world: World, person: User, clock: FixedClock) -> None:
    membership_decisions.decide_about_member(
        session, world.client.actor, world.project.id, person.id, ReceiptKind.RETRAIN, rule="below_standard",
        reason="Please look again at how sums are judged here.", now=clock.now(),
    )  # fmt: skip


def test_practice_never_shows_gold_that_may_still_be_asked(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    live = world.tasks[0].id
    seen = {practise(session, world, person, clock)[0].task_id for _ in range(8)}
    assert seen == {task.id for task in world.tasks[1:6]}
    with pytest.raises(NotFound):
        practice.answer_item(session, person.actor, world.project.id, live, {}, round=0, now=clock.now())


def test_own_mistakes_come_first_once_they_are_decided(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    given = answer_gold(session, world, person, clock, "r2", decided=False)
    assert ask(session, world, person, clock).task_id != given.task_id
    deciding.approve(session, SYSTEM, [given], "not sampled for review", now=clock.now())
    item = ask(session, world, person, clock)
    assert (item.task_id, item.own_mistake) == (given.task_id, True)


def test_what_has_the_labels_that_a_person_misses_comes_next() -> None:
    misses_ties = {("2", "0"): 4, ("0", "1"): 1}
    tie = rules_gold.practice_urgency(misses_ties, {"2"}, own_mistake=False)
    first = rules_gold.practice_urgency(misses_ties, {"0"}, own_mistake=False)
    never_missed = rules_gold.practice_urgency(misses_ties, {"1"}, own_mistake=False)
    mistake = rules_gold.practice_urgency(misses_ties, {"1"}, own_mistake=True)
    assert mistake > tie > first > never_missed


def test_nothing_comes_again_before_everything_was_there(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    order = [practise(session, world, person, clock)[0].task_id for _ in range(10)]
    assert len(set(order[:5])) == 5
    assert order[:5] == order[5:]


def test_a_wrong_answer_is_explained_at_once_in_the_names_that_were_shown(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    item, told = practise(session, world, person, clock, right=False)
    right = shown_answer(session, item, right=True)["ranks"]
    assert (told.passed, told.score, told.explanation) == (False, 0.0, "It adds up.")
    assert told.known_answer["ranks"] == right
    best = min(right, key=right.get)
    assert any(f"The reference ranked {best} above" in reason for reason in told.reasons)


def test_practice_is_unpaid_and_no_part_of_the_data(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    before = money.project_funds(session, world.project.id, "USD")
    practise(session, world, person, clock)
    assert money.project_funds(session, world.project.id, "USD") == before
    assert session.scalar(select(func.count()).select_from(Submission)) == 0
    assert session.scalar(select(func.count()).select_from(GoldResult)) == 0
    assert session.scalars(select(PracticeAnswer.passed)).all() == [True]


def test_an_incomplete_answer_is_refused_by_name_and_not_kept(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    item = ask(session, world, person, clock)
    for answer in ({}, {"ranks": {"A": 1}}, {"ranks": {"A": 1, "C": 2}}, {"ranks": "A"}):
        with pytest.raises(Incomplete):
            practice.answer_item(
                session, person.actor, world.project.id, item.task_id, answer, round=item.round, now=clock.now()
            )
    assert session.scalar(select(func.count()).select_from(PracticeAnswer)) == 0


def test_four_right_of_five_different_tasks_end_a_retraining(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    retrain(session, world, person, clock)
    finished = [
        practise(session, world, person, clock, right=right)[1].progress.finished
        for right in (True, False, True, True, True)
    ]
    assert finished == [False, False, False, False, True]
    held = session.get_one(Membership, (world.project.id, person.id), populate_existing=True)
    assert held.state is MembershipState.ACTIVE
    assert session.scalar(select(func.count()).where(Event.kind == "work.practice_passed")) == 1


def test_answers_from_before_the_retraining_do_not_count(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    for _ in range(5):
        practise(session, world, person, clock)
    clock.at += timedelta(minutes=1)
    retrain(session, world, person, clock)
    _, told = practise(session, world, person, clock)
    assert (told.progress.retraining, told.progress.answered, told.progress.right) == (True, 1, 1)


def test_getting_one_task_right_again_and_again_is_not_enough() -> None:
    one, two = uuid4(), uuid4()
    assert rules_gold.last_different([(one, True)] * 9) == [True]
    assert rules_gold.last_different([(one, True), (two, False), (one, False)]) == [True, False]
    assert not rules_gold.has_passed_practice([True] * 3 + [False] * 2)
    assert rules_gold.has_passed_practice([True] * 4 + [False])


def test_retraining_needs_enough_to_practise_on(session: Session, world: World, clock: FixedClock) -> None:
    assert practice.has_material(session, world.project.id)
    few = golden_world(session, clock, gold=3)
    assert not practice.has_material(session, few.project.id)


def test_a_project_without_material_tells_its_client_once_a_person(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock)
    person = join(session, world, now=clock.now())[0]
    for _ in range(2):
        assert practice.next_item(session, person.actor, world.project.id, now=clock.now()) is None
    summary = gold.gold_summary(session, world.client.actor, world.project.id)
    assert (summary.practice_wanted, summary.retraining_possible) == (1, False)


def test_what_somebody_has_practised_on_checks_nobody_again(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    item, _ = practise(session, world, person, clock)
    project = world.project.id
    with pytest.raises(PractisedOn):
        gold.restore_gold(session, world.client.actor, project, item.task_id, now=clock.now())
    untouched = next(task for task in world.tasks[1:6] if task.id != item.task_id)
    assert gold.restore_gold(session, world.client.actor, project, untouched.id, now=clock.now()).state == "gold"


def test_strangers_and_removed_people_do_not_practise(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    stranger = make_contributor(session, now=clock.now())
    with pytest.raises(NotFound):
        practice.progress(session, stranger.actor, world.project.id)
    membership_decisions.decide_about_member(
        session, world.client.actor, world.project.id, person.id, ReceiptKind.REMOVE, rule="below_standard",
        reason="Known answers were missed again and again.", now=clock.now(),
    )  # fmt: skip
    session.expire_all()
    with pytest.raises(NotFound):
        practice.next_item(session, person.actor, world.project.id, now=clock.now())


def test_practice_over_the_api(
    session: Session, client: TestClient, world: World, person: User, clock: FixedClock
) -> None:
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/practice"
    asked = client.post(f"{path}/next", headers=person.headers).json()
    item = asked["item"]
    assert asked["progress"]["material"] == 5
    assert item["task_id"] not in {show_id("task", task.id) for task in world.tasks}
    assert [response["id"] for response in item["task"]["responses"]] == ["A", "B"]
    answer = {"ranks": {"A": 1, "B": 2}, "strength": 1, "justification": "The first one seems right to me."}
    body = {"task_id": item["task_id"], "round": item["round"], "answer": answer}
    told = client.post(f"{path}/answer", headers=person.headers, json=body).json()
    assert told["explanation"] == "It adds up."
    assert told["passed"] == (told["known_answer"]["ranks"] == {"A": 1, "B": 2})


def test_a_known_answer_in_the_ordinary_queue_is_no_material(session: Session, clock: FixedClock) -> None:
    world = golden_world(session, clock, gold=0, percent=0)
    know(session, world.tasks[0])
    person = join(session, world, now=clock.now())[0]
    assert practice.next_item(session, person.actor, world.project.id, now=clock.now()) is None
