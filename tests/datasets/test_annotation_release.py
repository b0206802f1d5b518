"""A project of annotations from import to release and back: tables, and the files of other tools."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
from pycocotools.coco import COCO

import preceptor.datasets.jobs  # noqa: F401  a release is built by a job, which has to be registered
from preceptor.datasets import service as datasets
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.projects.service import imports, members, projects
from preceptor.projects.settings import Criterion, ProjectSettings, TaskIn
from preceptor.tasktypes.annotation import AnnotationType
from preceptor.work import service as work
from tests.conftest import NOW
from tests.factories import make_client, make_contributor, make_user

CONFIG = (
    '<View><Image name="image" value="$image"/><Text name="caption" value="$caption"/>'
    '<RectangleLabels name="box" toName="image"><Label value="Cat"/><Label value="Dog"/></RectangleLabels>'
    '<Labels name="word" toName="caption"><Label value="Animal"/></Labels>'
    '<Choices name="fits" toName="caption" required="true"><Choice value="yes"/><Choice value="no"/></Choices></View>'
)


def marked(x: float, label: str, fits: str) -> dict[str, Any]:
    """What one person made of a task."""
    box = {"x": x, "y": 10, "width": 30, "height": 40, "rotation": 0, "rectanglelabels": [label]}
    word = {"start": 2, "end": 5, "text": "cat", "labels": ["Animal"]}
    size = {"original_width": 200, "original_height": 100}
    return {
        "result": [
            {"id": "b", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "value": box, **size},
            {"id": "w", "from_name": "word", "to_name": "caption", "type": "labels", "value": word},
            {"id": "f", "from_name": "fits", "to_name": "caption", "type": "choices", "value": {"choices": [fits]}},
        ]
    }


def test_annotations_are_imported_judged_released_and_imported_again(
    open_runtime: Callable[..., Runtime], tmp_path: Path
) -> None:
    runtime = open_runtime()
    given = [marked(10, "Cat", "yes"), marked(11, "Cat", "yes"), marked(12, "Cat", "no")]
    with runtime.sessions.begin() as session:
        organization, client = make_client(session, now=NOW)
        operator = make_user(session, now=NOW, is_operator=True)
        settings = ProjectSettings(
            title="Cats", task_type="annotation", config={"label_config": CONFIG}, overlap=3, rate_minor=20,
            review_percent=0,
        )  # fmt: skip
        project = projects.create_project(session, client.actor, organization.id, settings, now=NOW)
        projects.publish_guidelines(session, client.actor, project.id, "# Cats", now=NOW)
        criteria = [Criterion(key="right", title="Right")]
        projects.publish_rubric(session, client.actor, project.id, criteria, now=NOW)
        payload = {"data": {"image": "https://images.example/cat.png", "caption": "A cat"}}
        task = TaskIn.model_validate({"external_id": "cat-1", "payload": payload})
        imports.import_tasks_now(session, client.actor, project.id, [task], now=NOW)
        budget = Money(10_000, "USD")
        money.top_up(session, operator.actor, organization.id, budget, note="", now=NOW)
        money.fund_project(session, client.actor, org_id=organization.id, project_id=project.id, amount=budget, now=NOW)
        projects.open_project(session, client.actor, project.id, now=NOW)
        for answer in given:
            person = make_contributor(session, now=NOW)
            members.join(session, person.actor, project.id, now=NOW)
            claimed = work.claim_next(session, person.actor, project.id, now=NOW)
            work.submit(session, person.actor, claimed.claim.id, answer, now=NOW)
        project_id = project.id
    folder = released(runtime, client, project_id, tmp_path)

    (row,) = rows(folder, "annotations")
    joint = {each["type"]: each["value"] for each in json.loads(row["result"])}
    assert joint["rectanglelabels"]["x"] == 11
    assert joint["choices"] == {"choices": ["yes"]}
    assert [(unit["unit"], unit["label"], unit["votes"]) for unit in row["labels"]] == [("fits", "yes", 3)]
    assert sorted(region["control"] for region in rows(folder, "regions")) == ["box"] * 3 + ["word"] * 3

    coco = COCO(str(folder / "files" / "coco" / "instances.json"))
    assert [each["bbox"] for each in coco.loadAnns(coco.getAnnIds())] == [[22, 10, 60, 40]]
    assert "cat -X- _ B-Animal" in (folder / "files" / "spans" / "spans.conll").read_text()
    (exported,) = json.loads((folder / "files" / "label_studio" / "tasks.json").read_text())
    assert exported["data"] == payload["data"]
    results = [annotation["result"] for annotation in exported["annotations"]]
    assert sorted(results, key=str) == sorted((answer["result"] for answer in given), key=str)

    kind = AnnotationType()
    again = kind.importer.convert(
        exported, {"data": "data", "annotations": "annotations", "predictions": "predictions"}
    )
    assert json.loads(again.payload.model_dump_json(include={"data"})) == payload
    assert again.imported_answer is not None
    (first,) = [row for row in rows(folder, "judgments") if json.loads(row["result"]) == results[0]]
    assert first["counted"]


def released(runtime: Runtime, client: Any, project_id: UUID, folder: Path) -> Path:
    """Everything approved as time goes by, and a release of it in a folder."""
    with runtime.sessions.begin() as session:
        work.approve_due(session, now=NOW + timedelta(days=10))
        release = datasets.request_release(session, client.actor, project_id, title="First", now=NOW)
        release_id = release.id
    datasets.build_release(runtime, release_id)
    with runtime.sessions.begin() as session:
        datasets.export_release(session, client.actor, runtime.storage, release_id, folder / "out")
    return folder / "out"


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(folder / table).to_pylist()
    return found
