"""A client's tasks: the list, its export, one task with its judgments."""

import re

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from preceptor.work import service as work
from tests.factories import World, join
from tests.web.acting import Desk, judge, statements
from tests.web.client.material import base, judged, rows_of


def test_tasks_page_by_cursor_and_are_searched(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    session.add_all(
        Task(project_id=world.project.id, external_id=f"more-{n}", payload=world.tasks[0].payload, position=10 + n,
             wanted=2, created_at=clock.now())
        for n in range(60)
    )  # fmt: skip
    session.flush()
    first = desk.get(f"{base(world)}/tasks").text
    following = re.search(r'href="([^"]*cursor=tsk_[0-9a-f]+)"\s+rel="next"', first)
    assert following is not None
    second = desk.get(following[1].replace("&amp;", "&")).text
    shown = [set(re.findall(r">(more-\d+|sum-\d+)<", page)) for page in (first, second)]
    assert len(shown[0]) == 50
    assert len(shown[1]) == 13
    assert not shown[0] & shown[1]
    assert set(re.findall(r">(more-\d+|sum-\d+)<", desk.get(f"{base(world)}/tasks?q=more-59").text)) == {"more-59"}


def test_the_export_holds_exactly_what_is_shown(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    world.tasks[0].external_id = "=1+1"
    session.flush()
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        judge(session, person, world, clock)
    everything = rows_of(desk.get(f"{base(world)}/tasks/export.csv"))
    assert sorted(row["external_id"] for row in everything) == ["'=1+1", "sum-1", "sum-2"]
    judged_one = next(row for row in everything if row["external_id"] == "'=1+1")
    assert (judged_one["verdict"], judged_one["votes"], judged_one["of"]) == ("r1", "2", "2")
    done = rows_of(desk.get(f"{base(world)}/tasks/export.csv?show=done"))
    assert [row["done"] for row in done] == ["2"]


def test_the_list_of_tasks_takes_the_same_queries_however_many(
    desk: Desk, runtime: Runtime, session: Session, world: World, clock: FixedClock
) -> None:
    judged(session, world, clock)
    with statements(runtime) as seen:
        page = desk.get(f"{base(world)}/tasks")
    assert page.text.count("Unanimous") == 3
    assert len(seen) <= 9, "\n".join(seen)


def test_a_task_shows_every_judgment_with_pseudonym_pay_and_review(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    people = judged(session, world, clock, why="Because it adds up as anybody can check.")
    page = desk.get(f"{base(world)}/tasks/{show_id('task', world.tasks[0].id)}").text
    assert page.count("Because it adds up as anybody can check.") == 2
    assert page.count("r1 &gt; r2, better") == 2
    assert "Unanimous" in page
    assert page.count('value="0.40 USD"') == 2
    for person in people:
        assert person.person.name not in page
        assert person.person.email not in page


def test_a_flagged_task_is_kept_or_retired(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        claimed = work.claim_next(session, person.actor, world.project.id, now=clock.now())
        work.flag_task(session, person.actor, claimed.claim.id, "broken", "Half of it is missing.", now=clock.now())
    task = world.tasks[0]
    assert state_of(session, task) == "flagged"
    here = f"{base(world)}/tasks/{show_id('task', task.id)}"
    assert "Half of it is missing." in desk.get(here).text
    assert desk.post(f"{here}/state", to="keep").status_code == 303
    assert state_of(session, task) == "open"
    assert "Reported as broken</p>" not in desk.get(here).text
    assert desk.post(f"{here}/state", to="retire").status_code == 303
    assert state_of(session, task) == "retired"


def state_of(session: Session, task: Task) -> str:
    session.refresh(task)
    return task.state.value
