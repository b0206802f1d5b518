"""Content ratings of tasks through every door: files, the API, and the pages of client, contributor and reviewer."""

import json

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.service import content
from preceptor.projects.models import Task
from preceptor.work.models import Submission
from tests.factories import PREFER_A, User, World, join, make_world, pair_payload
from tests.web.acting import Desk, Seating, judge

WORDS = "Violence and injury"
COVERED = "<template>"


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2, review_percent=100)


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def manager(seat: Seating, world: World) -> Desk:
    return seat(world.client, "client")


@pytest.fixture
def worker(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def base(world: World) -> str:
    return f"/projects/{show_id('project', world.project.id)}"


def key(task: Task) -> str:
    return show_id("task", task.id)


def api(world: World) -> str:
    return f"/api/v1{base(world)}"


# --- Over the API


def test_tasks_come_in_with_ratings_and_are_found_by_them(client: TestClient, world: World) -> None:
    tasks = [
        {"external_id": f"n-{n}", "payload": pair_payload(n), "content_ratings": ratings}
        for n, ratings in enumerate([["violence", "hate"], []])
    ]
    headers = world.client.headers
    made = client.post(f"{api(world)}/tasks", json={"tasks": tasks}, headers=headers)
    assert made.status_code in (200, 201), made.text
    found = client.get(f"{api(world)}/tasks?rating=hate", headers=headers).json()["items"]
    assert [(task["external_id"], task["content_ratings"]) for task in found] == [("n-0", ["violence", "hate"])]
    wrong = [{"external_id": "n-9", "payload": pair_payload(9), "content_ratings": ["spiders"]}]
    refused = client.post(f"{api(world)}/tasks", json={"tasks": wrong}, headers=headers)
    assert refused.status_code == 422
    assert "spiders" in refused.text
    assert "disturbing" in refused.text, "names what there is"
    assert client.get(f"{api(world)}/tasks?rating=spiders", headers=headers).status_code == 422


def test_a_selection_is_rated_by_either_name(client: TestClient, session: Session, world: World) -> None:
    body = {"task_ids": [key(world.tasks[0])], "external_ids": ["sum-2"], "content_ratings": ["sexual"]}
    done = client.put(f"{api(world)}/task-ratings", json=body, headers=world.client.headers)
    assert [task["external_id"] for task in done.json()["items"]] == ["sum-0", "sum-2"]
    session.expire_all()
    assert [task.content_ratings for task in world.tasks] == [["sexual"], [], ["sexual"]]
    unknown = client.put(
        f"{api(world)}/task-ratings", json=body | {"external_ids": ["no"]}, headers=world.client.headers
    )
    assert "no task with the external id 'no'" in unknown.text


def test_a_claim_over_the_api_says_what_it_shows(
    client: TestClient, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    for task in world.tasks:
        task.content_ratings = ["violence"]
    session.flush()
    refused = client.post(f"{api(world)}/claims", headers=worker.headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "content_not_chosen")
    content.choose(session, worker.actor, {"violence": 1}, now=clock.now())
    held = client.post(f"{api(world)}/claims", headers=worker.headers).json()
    assert held["content_ratings"] == ["violence"]
    path = f"/api/v1/claims/{held['id']}/submission"
    assert client.post(path, json={"answer": PREFER_A}, headers=worker.headers).status_code == 201
    limited = client.post(f"{api(world)}/claims", headers=worker.headers)
    assert (limited.status_code, limited.json()["code"]) == (429, "content_limit_reached")
    content.choose(session, world.reviewer.actor, {"violence": 1}, now=clock.now())
    item = client.post("/api/v1/reviews/next", headers=world.reviewer.headers).json()
    assert item["content_ratings"] == ["violence"]


# --- The client's pages


def test_a_manager_rates_one_task_and_a_selection(manager: Desk, session: Session, world: World) -> None:
    one = f"{base(world)}/tasks/{key(world.tasks[0])}"
    assert "What this task may show" in manager.get(one).text
    said = manager.post(f"{one}/ratings", content_ratings="violence")
    assert said.headers["location"] == one
    session.expire_all()
    assert world.tasks[0].content_ratings == ["violence"]
    page = manager.get(one).text
    assert f"It may show: <strong>{WORDS}</strong>" in page
    assert COVERED in page
    assert "Content rated" in page
    manager.post(f"{base(world)}/tasks/ratings", task=key(world.tasks[1]), content_ratings="hate")
    session.expire_all()
    assert world.tasks[1].content_ratings == ["hate"]
    nothing = manager.post(f"{base(world)}/tasks/ratings", content_ratings="hate")
    assert nothing.status_code == 303
    outside = manager.post(f"{base(world)}/tasks/ratings", task=key(world.tasks[1]), back="https://example.org/?x")
    assert outside.headers["location"] == f"{base(world)}/tasks"


def test_the_list_names_rated_tasks_by_their_id_until_asked(manager: Desk, session: Session, world: World) -> None:
    world.tasks[0].payload = {**world.tasks[0].payload, "prompt": [{"role": "user", "content": "A cruel question"}]}
    world.tasks[0].content_ratings = ["violence"]
    session.flush()
    here = f"{base(world)}/tasks"
    page = manager.get(here).text
    assert "A cruel question" not in page
    assert WORDS in page
    assert "A cruel question" in manager.get(f"{here}?uncovered=1").text
    only = manager.get(f"{here}?rating=violence").text
    assert "sum-0" in only
    assert "sum-1" not in only
    assert "sum-0" in manager.get(f"{here}/export.csv?rating=any").text
    assert "sum-1" not in manager.get(f"{here}/export.csv?rating=any").text


# --- Contributor and reviewer


def test_nothing_left_but_rated_tasks_is_a_page_with_the_way_to_the_settings(
    seat: Seating, session: Session, world: World, worker: User
) -> None:
    for task in world.tasks:
        task.content_ratings = ["violence"]
    session.flush()
    page = seat(worker).post(f"/work/{show_id('project', world.project.id)}")
    assert page.status_code == 409
    assert "violence and injury" in page.text
    assert 'href="/settings#content"' in page.text


def test_what_was_answered_stays_covered_in_results_and_lists(
    seat: Seating, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    world.tasks[0].payload = {**world.tasks[0].payload, "prompt": [{"role": "user", "content": "A cruel question"}]}
    session.flush()
    given = judge(session, worker, world, clock)
    world.tasks[0].content_ratings = ["violence"]
    session.flush()
    mine = seat(worker)
    shown = mine.get(f"/results/{show_id('submission', given.id)}").text
    assert COVERED in shown
    assert "A cruel question" not in shown.split(COVERED)[0]
    for path in ("/results", f"/board/{show_id('project', world.project.id)}", "/results.csv"):
        page = mine.get(path).text
        assert "A cruel question" not in page, path


def test_the_review_desk_is_covered_and_handed_only_to_who_chose_it(
    seat: Seating, session: Session, world: World, worker: User, clock: FixedClock
) -> None:
    given = judge(session, worker, world, clock)
    world.tasks[0].content_ratings = ["violence"]
    session.flush()
    desk = seat(world.reviewer)
    queue = desk.get("/review").text
    assert "kept from you by what you chose to see" in queue
    following = desk.get(f"/review/{show_id('project', world.project.id)}/next")
    assert following.headers["location"] == "/review"
    path = f"/review/submission/{show_id('submission', given.id)}"
    assert desk.get(path).status_code == 403
    assert "What you want to see" in desk.get("/settings").text
    content.choose(session, world.reviewer.actor, {"violence": 1}, now=clock.now())
    page = desk.get(path).text
    before, after = page.split(COVERED, 1)
    assert f"It may show: <strong>{WORDS}</strong>" in before
    assert "<preceptor-comparison" not in before
    assert "<preceptor-comparison" in after.split("</template>")[0]
    desk.post(path, decision="approve")
    session.expire_all()
    decided = desk.get(path).text
    assert "<preceptor-comparison" not in decided.split(COVERED)[0]
    assert session.scalars(select(Submission)).one().state == "approved"
    assert "Covered: violence and injury" in desk.get("/review/done").text


def test_a_file_is_read_with_ratings_in_any_of_its_forms(session: Session, world: World) -> None:
    from io import BytesIO

    from preceptor.projects.importing import ImportedTask, RowProblem, read_tasks

    rows = [
        {"id": n, "prompt": "p", "chosen": "a", "rejected": f"b {n}", "content_ratings": given}
        for n, given in enumerate(["violence", "hate; Self-harm", ["crime"], '["sexual"]', None, "", "spiders", 7])
    ]
    file = BytesIO("\n".join(json.dumps(row) for row in rows).encode())
    found = list(read_tasks(file, "rows.jsonl", world.project.kind.kind.importer))
    ratings = [item.content_ratings for item in found if isinstance(item, ImportedTask)]
    assert ratings == [("violence",), ("hate", "self_harm"), ("crime",), ("sexual",), (), ()]
    problems = [item for item in found if isinstance(item, RowProblem)]
    assert [problem.field for problem in problems] == ["content_ratings", "content_ratings"]
    assert "no content rating 'spiders'; there are violence" in problems[0].problem
    assert problems[0].line == 7
