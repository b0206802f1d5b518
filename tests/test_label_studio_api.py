"""Label Studio's API: what it refuses, and that the unmodified SDK works on it from a config to an export."""

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.api.label_studio_import import IMPORT_TASKS_MAX
from preceptor.cli.application import create_app
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.projects.service import members, projects
from preceptor.projects.service.numbers import NUMBER_BITS, numbers_of, thing_of
from preceptor.projects.settings import Criterion, ProjectChanges
from preceptor.work import service as work
from preceptor.work.models import Claim, Submission
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionPlan, SuggestionSource
from preceptor.work.service import suggestions
from preceptor.work.service.suggestions import Wanted
from tests.conftest import NOW
from tests.factories import User, join, make_client, make_contributor, make_user, make_world

CONFIG = (
    '<View><Text name="text" value="$text"/>'
    '<Labels name="entity" toName="text"><Label value="PER"/><Label value="ORG"/></Labels>'
    '<Choices name="tone" toName="text" required="true"><Choice value="good"/><Choice value="bad"/></Choices></View>'
)
ROOT = Path(__file__).parents[1]
START_SECONDS_MAX = 20


def token(user: User) -> dict[str, str]:
    return {"authorization": f"Token {user.key}"}


@pytest.fixture
def owner(session: Session) -> User:
    return make_client(session, now=NOW)[1]


@pytest.fixture
def project(client: TestClient, owner: User) -> dict[str, Any]:
    sent = {"title": "Tones", "description": "Of sentences", "label_config": CONFIG, "expert_instruction": "# Listen"}
    answer = client.post("/ls/api/projects/", json=sent, headers=token(owner))
    assert answer.status_code == 201, answer.text
    return cast("dict[str, Any]", answer.json())


def imported(client: TestClient, owner: User, project: dict[str, Any], rows: object) -> Any:
    return client.post(f"/ls/api/projects/{project['id']}/import?return_task_ids=true", json=rows, headers=token(owner))


def opened(session: Session, owner: User, project_id: UUID) -> User:
    """The project made ready and open; a contributor who has joined it."""
    operator = make_user(session, now=NOW, is_operator=True)
    changes = ProjectChanges.model_validate({"rate_minor": 30, "currency": "USD", "review_percent": 0})
    made = projects.update_project(session, owner.actor, project_id, changes, now=NOW)
    projects.publish_rubric(session, owner.actor, project_id, [Criterion(key="right", title="Right")], now=NOW)
    if made.guidelines_version_id is None:
        projects.publish_guidelines(session, owner.actor, project_id, "# Listen", now=NOW)
    budget = Money(10_000, "USD")
    money.top_up(session, operator.actor, made.org_id, budget, note="", now=NOW)
    money.fund_project(session, owner.actor, org_id=made.org_id, project_id=project_id, amount=budget, now=NOW)
    projects.open_project(session, owner.actor, project_id, now=NOW)
    contributor = make_contributor(session, now=NOW)
    members.join(session, contributor.actor, project_id, now=NOW)
    session.flush()
    return contributor


def good(text: str = "good") -> dict[str, Any]:
    return {"id": "c", "from_name": "tone", "to_name": "text", "type": "choices", "value": {"choices": [text]}}


def test_the_version_is_told_to_everybody(client: TestClient) -> None:
    assert client.get("/ls/api/version/").json()["edition"] == "Community"


def test_without_a_key_there_is_nothing(client: TestClient) -> None:
    for path in ("projects/", "tasks/?project=1", "current-user/whoami"):
        answer = client.get(f"/ls/api/{path}")
        assert answer.status_code == 401
        assert answer.json()["code"] == "not_signed_in"
    assert client.get("/ls/api/projects/", headers={"authorization": "Token pk_wrong"}).status_code == 401


def test_a_project_is_a_draft_with_the_config_and_the_instructions(client: TestClient, owner: User) -> None:
    sent = {"title": "Tones", "label_config": CONFIG, "expert_instruction": "# Listen", "color": "#fff", "workspace": 3}
    made = client.post("/ls/api/projects/", json=sent, headers=token(owner)).json()
    found = client.get(f"/ls/api/projects/{made['id']}/", headers=token(owner)).json()
    assert found == made
    assert (found["title"], found["label_config"], found["expert_instruction"]) == ("Tones", CONFIG, "# Listen")
    assert found["is_draft"] is True
    listed = client.get("/ls/api/projects/", headers=token(owner)).json()
    assert [each["id"] for each in listed["results"]] == [made["id"]]
    assert client.get("/ls/api/projects/?page=2", headers=token(owner)).status_code == 404


def test_a_config_that_does_not_work_is_refused_with_the_line(
    client: TestClient, owner: User, project: dict[str, Any]
) -> None:
    wrong = "<View>\n<Vector name='v' toName='t'/></View>"
    answer = client.post("/ls/api/projects/", json={"title": "x", "label_config": wrong}, headers=token(owner))
    assert answer.status_code == 422
    assert "line 2, <Vector>: this tag of Label Studio is not supported" in answer.text
    checked = client.post(
        f"/ls/api/projects/{project['id']}/validate/", json={"label_config": wrong}, headers=token(owner)
    )
    assert checked.status_code == 400
    assert "line 2" in checked.json()["validation_errors"]["label_config"][0]
    fine = client.post(
        f"/ls/api/projects/{project['id']}/validate/", json={"label_config": CONFIG}, headers=token(owner)
    )
    assert fine.status_code == 204


def test_changes_reach_the_project(client: TestClient, owner: User, project: dict[str, Any]) -> None:
    wider = CONFIG.replace('value="bad"', 'value="poor"')
    sent = {"title": "Moods", "label_config": wider}
    answer = client.patch(f"/ls/api/projects/{project['id']}/", json=sent, headers=token(owner)).json()
    assert (answer["title"], answer["label_config"]) == ("Moods", wider)


def test_tasks_come_in_both_forms_and_only_once(client: TestClient, owner: User, project: dict[str, Any]) -> None:
    rows = [{"data": {"text": "Fine."}}, {"text": "Bad."}]
    first = imported(client, owner, project, rows)
    assert first.status_code == 201, first.text
    assert first.json()["task_count"] == 2
    again = imported(client, owner, project, rows).json()
    assert again["task_count"] == 0
    assert again["task_ids"] == first.json()["task_ids"]
    listed = client.get(f"/ls/api/tasks/?project={project['id']}&page_size=1&page=2", headers=token(owner)).json()
    assert listed["total"] == 2
    assert [task["data"] for task in listed["tasks"]] == [{"text": "Bad."}]
    beyond = client.get(f"/ls/api/tasks/?project={project['id']}&page=2", headers=token(owner)).json()
    assert beyond["tasks"] == []


def test_tasks_that_do_not_fit_the_config_are_refused_together(
    client: TestClient, owner: User, project: dict[str, Any]
) -> None:
    answer = imported(client, owner, project, [{"text": "Fine."}, {"words": "Bad."}])
    assert answer.status_code == 422
    assert "the data has no field text" in answer.text
    assert client.get(f"/ls/api/projects/{project['id']}", headers=token(owner)).json()["task_number"] == 0


@pytest.mark.parametrize("body", [b"", b"[1]", b'{"a": 1, "a": 2}', b"\xff", b"nonsense", b'[{"data": 3}]'])
def test_what_is_no_list_of_tasks_is_refused(
    client: TestClient, owner: User, project: dict[str, Any], body: bytes
) -> None:
    answer = client.post(f"/ls/api/projects/{project['id']}/import", content=body, headers=token(owner))
    assert answer.status_code == 422


def test_one_request_takes_a_limited_number_of_tasks(client: TestClient, owner: User, project: dict[str, Any]) -> None:
    answer = imported(client, owner, project, [{}] * (IMPORT_TASKS_MAX + 1))
    assert answer.status_code == 422
    assert "At most 10,000 tasks" in answer.text


def test_an_annotation_is_a_claim_and_a_submission_of_the_keys_person(
    client: TestClient, session: Session, owner: User, project: dict[str, Any]
) -> None:
    imported(client, owner, project, [{"text": "Fine."}])
    contributor = opened(session, owner, thing_of(session, project["id"], "project"))
    task = client.get(f"/ls/api/projects/{project['id']}/next", headers=token(contributor)).json()
    assert task["data"] == {"text": "Fine."}
    path = f"/ls/api/tasks/{task['id']}/annotations/"
    refused = client.post(path, json={"result": []}, headers=token(contributor))
    assert refused.status_code == 422
    assert "tone is not answered" in refused.text
    made = client.post(path, json={"result": [good()], "lead_time": 3.5}, headers=token(contributor))
    assert made.status_code == 201, made.text
    submission = session.scalars(select(Submission)).one()
    assert submission.person_id == contributor.id
    assert thing_of(session, made.json()["id"], "submission") == submission.id
    assert session.scalars(select(Claim)).one().rate_minor == 30

    (shown,) = client.get(f"/ls/api/tasks/?project={project['id']}", headers=token(owner)).json()["tasks"]
    (annotation,) = shown["annotations"]
    assert annotation["result"] == [good()]
    assert str(contributor.id) not in json.dumps(shown)
    assert annotation["completed_by"]["id"] != made.json()["completed_by"]
    one = client.get(f"/ls/api/tasks/{shown['id']}/annotations/", headers=token(owner)).json()
    assert one == [annotation]


def predicted(text: str) -> dict[str, Any]:
    return {"data": {"text": text}, "predictions": [{"model_version": "tagger-7", "result": [good()]}]}


def kept(session: Session) -> list[tuple[bool, bool | None, str | None]]:
    session.expire_all()
    found = session.scalars(select(ClaimSuggestion).order_by(ClaimSuggestion.claim_id))
    return [(each.shown, each.used, each.outcome) for each in found]


def blind(session: Session, owner: User, project: dict[str, Any], percent: int) -> None:
    project_id = thing_of(session, project["id"], "project")
    wanted = Wanted(SuggestionSource.FILE, None, 20)
    suggestions.set_suggestions(session, owner.actor, project_id, wanted, now=NOW)
    session.get_one(SuggestionPlan, project_id).blind_percent = percent
    session.flush()


def test_the_next_tasks_prediction_is_what_its_person_is_suggested(
    client: TestClient, session: Session, owner: User, project: dict[str, Any]
) -> None:
    imported(client, owner, project, [predicted("One."), predicted("Two."), predicted("Three.")])
    contributor = opened(session, owner, thing_of(session, project["id"], "project"))
    for answer, parent in (("good", None), ("bad", 1)):
        task = client.get(f"/ls/api/projects/{project['id']}/next", headers=token(contributor)).json()
        [prediction] = task["predictions"]
        assert (prediction["model_version"], task["total_predictions"]) == ("tagger-7", 1)
        assert [(each["from_name"], each["value"]) for each in prediction["result"]] == [
            ("tone", {"choices": ["good"]})
        ]
        sent = {"result": [good(answer)], **({"parent_prediction": prediction["id"]} if parent else {})}
        path = f"/ls/api/tasks/{task['id']}/annotations/"
        assert client.post(path, json=sent, headers=token(contributor)).status_code == 201
    assert kept(session) == [(True, None, "accepted"), (True, True, "edited")]
    blind(session, owner, project, 100)
    task = client.get(f"/ls/api/projects/{project['id']}/next", headers=token(contributor))
    assert task.json()["predictions"] == []
    assert "tagger-7" not in task.text
    assert kept(session)[-1] == (False, None, None)


@pytest.mark.parametrize("percent", [0, 100])
def test_an_annotation_of_a_task_that_was_never_sent_is_neither_shown_nor_blind(
    client: TestClient, session: Session, owner: User, project: dict[str, Any], percent: int
) -> None:
    ids = imported(client, owner, project, [predicted("One."), predicted("Two.")]).json()["task_ids"]
    contributor = opened(session, owner, thing_of(session, project["id"], "project"))
    blind(session, owner, project, percent)
    path = f"/ls/api/tasks/{ids[0]}/annotations/"
    refused = client.post(path, json={"result": []}, headers=token(contributor))
    assert refused.status_code == 422
    assert client.post(path, json={"result": [good()]}, headers=token(contributor)).status_code == 201
    assert session.scalars(select(Submission)).one().answer == {"result": [good()]}
    assert kept(session) == []
    # Who was sent the task and lost its lease has met the suggestion, or was drawn to do without.
    claimed = client.get(f"/ls/api/projects/{project['id']}/next", headers=token(contributor)).json()
    work.expire_overdue(session, now=NOW + timedelta(days=1))
    path = f"/ls/api/tasks/{claimed['id']}/annotations/"
    assert client.post(path, json={"result": [good()]}, headers=token(contributor)).status_code == 201
    assert kept(session)[-1] == ((True, None, "accepted") if percent == 0 else (False, None, None))


def test_who_has_not_joined_cannot_annotate(
    client: TestClient, session: Session, owner: User, project: dict[str, Any]
) -> None:
    ids = imported(client, owner, project, [{"text": "Fine."}]).json()["task_ids"]
    opened(session, owner, thing_of(session, project["id"], "project"))
    stranger = make_contributor(session, now=NOW)
    path = f"/ls/api/tasks/{ids[0]}/annotations/"
    assert client.post(path, json={"result": [good()]}, headers=token(stranger)).status_code == 404
    assert client.post(path, json={"result": [good()]}, headers=token(owner)).status_code == 404


def test_an_open_claim_is_never_answered_with_another_tasks_answer(
    client: TestClient, session: Session, owner: User, project: dict[str, Any]
) -> None:
    ids = imported(client, owner, project, [{"text": "One."}, {"text": "Two."}]).json()["task_ids"]
    contributor = opened(session, owner, thing_of(session, project["id"], "project"))
    client.get(f"/ls/api/projects/{project['id']}/next", headers=token(contributor))
    held = numbers_of(session, [session.scalars(select(Claim.task_id)).one()]).popitem()[1]
    other = next(number for number in ids if number != held)
    answer = client.post(f"/ls/api/tasks/{other}/annotations/", json={"result": [good()]}, headers=token(contributor))
    assert answer.json()["code"] == "another_task_open"
    assert session.scalars(select(Submission)).all() == []


def test_strangers_and_other_kinds_of_work_see_nothing(
    client: TestClient, session: Session, project: dict[str, Any]
) -> None:
    stranger = make_client(session, now=NOW)[1]
    for path in (f"projects/{project['id']}/", f"projects/{project['id']}/export", f"tasks/?project={project['id']}"):
        assert client.get(f"/ls/api/{path}", headers=token(stranger)).status_code == 404
    world = make_world(session, now=NOW)
    number = numbers_of(session, [world.project.id])[world.project.id]
    answer = client.get(f"/ls/api/projects/{number}/", headers=token(world.client))
    assert answer.json()["code"] == "not_an_annotation_project"
    (worker,) = join(session, world, now=NOW)
    answer = client.get(f"/ls/api/projects/{number}/next", headers=token(worker))
    assert answer.json()["code"] == "not_an_annotation_project"
    assert client.get(f"/ls/api/projects/{2**200}/", headers=token(stranger)).status_code == 404


def test_numbers_stay_the_same_and_fit_every_reader_of_json(session: Session) -> None:
    world = make_world(session, now=NOW, tasks=20)
    things = [task.id for task in world.tasks]
    numbers = numbers_of(session, things)
    assert numbers_of(session, things[::-1]) == numbers
    assert len(set(numbers.values())) == 20
    assert max(numbers.values()) < 1 << NUMBER_BITS
    assert list(numbers.values()) != sorted(numbers.values())


def test_unknown_formats_are_named(client: TestClient, owner: User, project: dict[str, Any]) -> None:
    answer = client.get(f"/ls/api/projects/{project['id']}/export?exportType=VOC", headers=token(owner))
    assert answer.status_code == 422
    assert "Build a release" in answer.text
    assert client.get(f"/ls/api/projects/{project['id']}/export/formats", headers=token(owner)).json() == [
        "JSON", "JSON_MIN",
    ]  # fmt: skip


# --- The SDK itself


def sdk_python() -> str:
    """A Python in which `label-studio-sdk` is installed; the SDK does not share our environment."""
    given = os.environ.get("PRECEPTOR_SDK_PYTHON")
    found = given or str(ROOT / ".venv-sdk" / "bin" / "python")
    if not Path(found).exists():
        pytest.skip("needs label-studio-sdk: make .venv-sdk, or set PRECEPTOR_SDK_PYTHON")
    return found


def sdk(script: str, **given: object) -> Any:
    """What a script prints as its last line, with `ls` connected and `given` at hand."""
    head = "import json, sys\ngiven = json.loads(sys.argv[1])\n"
    if "url" in given:
        head += (
            "from label_studio_sdk import LabelStudio\n"
            "ls = LabelStudio(base_url=given['url'] + '/ls', api_key=given['key'])\n"
        )
    environment = {"PATH": os.environ["PATH"], "HOME": str(Path.home()), "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [sdk_python(), "-c", head + script, json.dumps(given)],
        capture_output=True, text=True, timeout=120, env=environment, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture
def server(open_runtime: Callable[..., Runtime]) -> Iterator[tuple[str, Runtime]]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    runtime = open_runtime(public_url=url)
    running = uvicorn.Server(
        uvicorn.Config(create_app(runtime), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS_MAX
    while not running.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield url, runtime
    running.should_exit = True
    thread.join(timeout=10)


CREATE = """
project = ls.projects.create(title="Tones", label_config=given["config"], expert_instruction="# Listen")
assert ls.projects.get(id=project.id).get_label_interface().find_tags("control")
sent = [{"data": {"text": "Ada works at Acme"}}, {"data": {"text": "It rains"}, "predictions": [
    {"model_version": "m1", "score": 0.7, "result": [
        {"from_name": "tone", "to_name": "text", "type": "choices", "value": {"choices": ["bad"]}}]}]}]
ls.projects.import_tasks(id=project.id, request=sent, return_task_ids=True)
tasks = list(ls.tasks.list(project=project.id))
assert [task.data["text"] for task in tasks] == ["Ada works at Acme", "It rains"]
assert tasks[1].predictions[0].model_version == "m1" if hasattr(tasks[1].predictions[0], "model_version") else True
assert [each.title for each in ls.projects.list()] == ["Tones"]
print(json.dumps({"project": project.id, "tasks": [task.id for task in tasks]}))
"""
ANNOTATE = """
for task, result in zip(given["tasks"], given["results"]):
    made = ls.annotations.create(id=task, result=result, lead_time=4.2)
    assert made.result == result, made
print(json.dumps(len(given["tasks"])))
"""
EXPORT = """
whole = ls.projects.exports.as_json(given["project"])
short = json.loads(ls.projects.exports.as_binary(given["project"], export_type="JSON_MIN"))
print(json.dumps({"whole": whole, "short": short}))
"""
CONVERT = """
import pathlib, tempfile
from label_studio_sdk.converter import Converter
folder = tempfile.mkdtemp()
source = pathlib.Path(folder) / "tasks.json"
source.write_text(json.dumps(given["tasks"]))
converter = Converter(given["config"], folder, download_resources=False)
converter.convert(str(source), folder + "/conll", "CONLL2003", is_dir=False)
converter.convert(str(source), folder + "/min", "JSON_MIN", is_dir=False)
print(json.dumps({
    "conll": (pathlib.Path(folder) / "conll" / "result.conll").read_text(),
    "min": json.loads((pathlib.Path(folder) / "min" / "result.json").read_text()),
}))
"""


def test_the_sdk_creates_imports_annotates_and_exports(server: tuple[str, Runtime]) -> None:
    sdk_python()
    url, runtime = server
    with runtime.sessions.begin() as session:
        owner = make_client(session, now=NOW)[1]
    made = sdk(CREATE, url=url, key=owner.key, config=CONFIG)
    with runtime.sessions.begin() as session:
        contributor = opened(session, owner, thing_of(session, made["project"], "project"))
    marked = [
        {"id": "e1", "from_name": "entity", "to_name": "text", "type": "labels",
         "value": {"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}},
        {"id": "e2", "from_name": "entity", "to_name": "text", "type": "labels",
         "value": {"start": 13, "end": 17, "text": "Acme", "labels": ["ORG"]}},
        good(),
    ]  # fmt: skip
    results = [marked, [good("bad")]]
    assert sdk(ANNOTATE, url=url, key=contributor.key, tasks=made["tasks"], results=results) == 2
    exported = sdk(EXPORT, url=url, key=owner.key, project=made["project"])
    assert [task["annotations"][0]["result"] for task in exported["whole"]] == results
    assert [row["tone"] for row in exported["short"]] == ["good", "bad"]
    converted = sdk(CONVERT, tasks=exported["whole"], config=CONFIG)
    assert "Ada -X- _ B-PER\nworks -X- _ O\nat -X- _ O\nAcme -X- _ B-ORG" in converted["conll"]
    theirs = {row["id"]: (row["tone"], row.get("entity")) for row in converted["min"]}
    assert theirs == {row["id"]: (row["tone"], row.get("entity")) for row in exported["short"]}


MASKS = """
import numpy as np
from label_studio_sdk.converter import brush
packed = []
for case in given["cases"]:
    mask = np.array(case["mask"], dtype=np.uint8).reshape(case["height"], case["width"])
    unpacked = brush.decode_rle(case["rle"]).reshape(case["height"], case["width"], 4)[:, :, 3]
    assert ((unpacked > 0) == (mask > 0)).all()
    packed.append([int(byte) for byte in brush.mask2rle(mask * 255)])
print(json.dumps(packed))
"""


def test_masks_are_packed_as_the_sdk_packs_them() -> None:
    import numpy as np

    from preceptor.tasktypes.annotation import brush

    sdk_python()
    rng = np.random.default_rng(1)
    masks = [rng.random((5, 7)) < 0.5, np.add.outer(np.arange(60) ** 2, np.arange(90) ** 2) < 2500]
    cases = [
        {"width": mask.shape[1], "height": mask.shape[0], "mask": mask.astype(int).ravel().tolist(),
         "rle": brush.encode(mask)} for mask in masks
    ]  # fmt: skip
    for mask, packed in zip(masks, sdk(MASKS, cases=cases), strict=True):
        assert np.array_equal(brush.decode(packed, mask.shape[1], mask.shape[0]), mask)
