"""Code tasks from the template to the files of a release, and back in as tasks."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from preceptor.datasets import service as datasets
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.base import task_type
from preceptor.tasktypes.code import CodeAnswer, CodePayload
from preceptor.tasktypes.code.templates import TEMPLATES
from preceptor.work import jobs
from preceptor.work import service as work
from preceptor.work.service import running
from tests.conftest import NOW
from tests.datasets.judged import Judged, make_judged

BY_KEY = {template.key: template for template in TEMPLATES}
WHY = "Said in at least twenty characters."
GIVEN: dict[str, dict[str, Any]] = {
    "write": {"files": {"main.py": "print(1)\n"}},
    "compare": {
        "preferred": "A",
        "strength": 2,
        "causes": {"A": "root", "B": "symptom"},
        "ratings": {"correct": {"A": 7, "B": 2}, "fits": {"A": 6, "B": 3}},
    },
    "review": {
        "marks": [
            {"path": "cache.py", "line": 7, "line_end": 7, "severity": "critical", "category": "crash", "comment": "x"}
        ],
        "verdict": "change",
    },
}
MAIN = {"write": "solutions", "compare": "pairs", "review": "defects"}


def judge(judged: Judged, key: str) -> None:
    """The first task of the project: its code run where it has tests, answered and approved."""
    [person], runtime = judged.people, judged.runtime
    with runtime.sessions.begin() as session:
        claim = work.claim_next(session, person.actor, judged.project_id, now=judged.now).claim
        run = None
        if key != "review":
            run = running.request_run(session, person.actor, claim.id, GIVEN[key], runtime.settings, now=judged.now)
    if run is not None:
        jobs.run_code(runtime, str(run.id))
    answer = {**GIVEN[key], "explanation": WHY, "run": show_id("run", run.id) if run else None}
    with runtime.sessions.begin() as session:
        work.submit(session, person.actor, claim.id, answer, now=judged.now)
    judged.approve_all()


@pytest.mark.parametrize("key", ["write", "compare", "review"])
def test_a_project_of_code_becomes_files_and_its_judgments_come_in_again(
    key: str, open_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    judged = make_judged(open_runtime(), tasks=1, people=1, overlap=1, now=NOW)
    template = BY_KEY[key]
    payload = dict(template.examples[0])
    if key == "write":
        # A problem that the given code solves, so that there is a solution to release.
        payload["tests"] = [
            {"name": "seen", "expected": "1"},
            {"name": "unseen", "expected": "1", "hidden": True},
        ]
    with judged.runtime.sessions.begin() as session:
        project = session.get_one(Project, judged.project_id)
        project.task_type, project.config = "code", dict(template.config)
        session.get_one(Task, judged.world.tasks[0].id).payload = payload
    judge(judged, key)
    release = judged.release()
    with judged.runtime.sessions() as session:
        datasets.export_release(
            session, judged.world.client.actor, judged.runtime.storage, release.id, tmp_path / "release"
        )

    [row] = pq.read_table(tmp_path / "release" / MAIN[key]).to_pylist()
    assert row["task_id"] == show_id("task", judged.world.tasks[0].id)
    [judgment] = pq.read_table(tmp_path / "release" / "judgments").to_pylist()
    columns = {name: name for name in ("problem", "language", "files", "entry", "tests", "patches")}
    material = task_type("code").importer.convert(judgment, columns | {"imported_answer": "answer"})
    assert material.payload == CodePayload.model_validate(payload)
    assert isinstance(material.imported_answer, CodeAnswer)
    assert material.imported_answer.explanation == WHY
    if key == "write":
        assert (row["tests"], row["hidden_tests_passed"]) == (1, 1)
