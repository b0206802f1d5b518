"""Import, work, approval, release, and import again: payloads and answers come back as they were."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

import preceptor.projects.jobs  # noqa: F401  the job that reads files is registered
from preceptor.cli.application import create_app
from preceptor.kit import jobs
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.base import task_type
from preceptor.work.models import Submission
from tests.conftest import NOW
from tests.datasets.kind_work import exported, rows_of, worked
from tests.factories import World
from tests.kind_world import columns_of, make_kind_world

CASES = [
    ("rating", "rubric"),
    ("rating", "checks"),
    ("rating", "grades"),
    ("rubric", "author"),
    ("rubric", "validate"),
    ("steps", "solution"),
    ("steps", "facts"),
]


def imported_again(
    runtime: Runtime, world: World, kind: str, config: dict[str, Any], rows: list[dict[str, Any]]
) -> list[Task]:
    """A file of these rows sent through the API into a new project of this kind."""
    with runtime.sessions.begin() as session:
        empty = make_kind_world(session, kind=kind, config=config, rows=[], now=NOW)
    # Only answers need a mapping: everything else is found by the names of the columns.
    params = {"filename": "again.jsonl"}
    if "answer" in rows[0]:
        columns = columns_of(kind, rows[0]) | {"external_id": "external_id", "imported_answer": "answer"}
        params["mapping"] = json.dumps(columns)
    path = f"/api/v1/projects/{show_id('project', empty.project.id)}/imports"
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with TestClient(create_app(runtime)) as client:
        given = client.post(
            path,
            params=params,
            headers=empty.client.headers,
            content=data,
        )
        assert given.status_code == 202, given.text
        import_id = given.json()["id"]
        jobs.registered["projects.run_import"](runtime, import_id=str(read_id("import", import_id)))
        found = client.get(f"{path}/{import_id}", headers=empty.client.headers).json()
    assert found["state"] == "done", found
    with runtime.sessions.begin() as session:
        return list(session.scalars(select(Task).where(Task.project_id == empty.project.id).order_by(Task.position)))


@pytest.mark.parametrize(("kind", "key"), CASES, ids=[f"{kind}-{key}" for kind, key in CASES])
def test_released_judgments_import_as_the_same_tasks_and_answers(
    open_runtime: Callable[..., Runtime], tmp_path: Path, kind: str, key: str
) -> None:
    runtime = open_runtime()
    world = worked(runtime, kind, key)
    rows = rows_of(exported(runtime, world, tmp_path / "release"), "judgments")
    again = {task.external_id: task for task in imported_again(runtime, world, kind, world.project.config, rows)}
    with runtime.sessions.begin() as session:
        answers = dict(session.execute(select(Submission.task_id, Submission.answer).join(Project)).tuples().all())
    assert len(again) == len(world.tasks)
    for task in world.tasks:
        assert again[task.external_id].payload == task.payload
        assert again[task.external_id].imported_answer == answers[task.id]


def test_an_authored_rubric_becomes_the_criteria_of_rating_tasks(
    open_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    runtime = open_runtime()
    world = worked(runtime, "rubric", "author")
    rubrics = [row for row in rows_of(exported(runtime, world, tmp_path / "release"), "rubrics") if row["responses"]]
    config = dict(next(each for each in task_type("rating").templates() if each.key == "checks").config)
    [task] = imported_again(runtime, world, "rating", config, rubrics)
    assert [(each["title"], each["weight"]) for each in task.payload["criteria"]] == [
        ("Closes the main valve first", 5.0),
        ("Names a safe way to warm it", 2.0),
        ("Recommends an open flame", -4.0),
    ]
