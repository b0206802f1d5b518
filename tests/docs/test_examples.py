"""The manual's examples do what it says: its task type is installed and used, its API script is run."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from preceptor.cli.application import create_app
from preceptor.cli.processes import Child, Supervisor, listen, web_command
from preceptor.cli.serve import APP, child_environment
from preceptor.datasets import service as datasets
from preceptor.kit.ids import read_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Membership
from preceptor.tasktypes.base import task_type
from preceptor.work import service as work
from tests import factories
from tests.manual import code

REASON = "It answers what was asked, and it is right."


# --- The task type


@pytest.mark.usefixtures("stars_installed")
def test_the_example_is_found_by_its_entry_point() -> None:
    kind = task_type("stars")
    assert kind.title == "Stars for a response"
    empty = kind.answer_model.model_validate({})
    payload = kind.payload_model.model_validate(_payload())
    assert [problem.path for problem in kind.check(payload, empty, kind.config_model())] == ["stars", "reason"]


@pytest.mark.usefixtures("stars_installed")
def test_the_example_goes_through_the_main_job(open_runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    runtime = open_runtime()
    with runtime.sessions.begin() as session:
        now = runtime.clock.now()
        organization, client = factories.make_client(session, now=now)
        operator = factories.make_user(session, now=now, is_operator=True)
        people = [factories.make_contributor(session, now=now) for _ in range(2)]
        org = f"org_{organization.id.hex}"
    with TestClient(create_app(runtime)) as http:
        project = _open_project(http, org, client.headers, operator.headers)
        with runtime.sessions.begin() as session:
            session.add_all(
                Membership(project_id=read_id("project", project), person_id=user.id, joined_at=now) for user in people
            )
        for user in people:
            claim = http.post(f"/api/v1/projects/{project}/claims", headers=user.headers).json()
            assert claim["task"]["response"][0]["content"] == "7"
            path = f"/api/v1/claims/{claim['id']}/submission"
            refused = http.post(path, json={"answer": {"reason": REASON}}, headers=user.headers)
            assert refused.json()["problems"] == [{"path": "stars", "message": "Give one to 5 stars."}]
            given = http.post(path, json={"answer": {"stars": 4, "reason": REASON}}, headers=user.headers)
            assert given.status_code == 201, given.text
        work.sweep(runtime.sessions, now=runtime.clock.now())
        quality = http.get(f"/api/v1/projects/{project}/quality", headers=client.headers).json()
        assert quality["agreement"]["unanimous"] == 1
        asked = http.post(f"/api/v1/projects/{project}/releases", json={"title": "Stars"}, headers=client.headers)
    release = read_id("release", asked.json()["id"])
    datasets.build_release(runtime, release)
    assert _stars_released(runtime, release, tmp_path / "out") == [4]


def _payload() -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": "Name a prime."}],
        "response": [{"role": "assistant", "content": "7"}],
    }


def _open_project(http: TestClient, org: str, client: dict[str, str], operator: dict[str, str]) -> str:
    def post(who: dict[str, str], path: str, body: dict[str, Any]) -> Any:
        answer = http.post(f"/api/v1{path}", json=body, headers=who)
        assert answer.is_success, answer.text
        return answer.json()

    usd = {"currency": "USD"}
    terms = {"task_type": "stars", "title": "Stars", "overlap": 2, "review_percent": 0}
    asked = {**terms, "organization_id": org, "rate": {"amount": "0.10", **usd}}
    project = str(post(client, "/projects", asked)["id"])
    post(client, f"/projects/{project}/guidelines", {"body": "# Stars"})
    post(client, f"/projects/{project}/rubrics", {"criteria": [{"key": "right", "title": "Right"}]})
    post(client, f"/projects/{project}/tasks", {"tasks": [{"external_id": "1", "payload": _payload()}]})
    post(operator, f"/organizations/{org}/top-ups", {"money": {"amount": "5.00", **usd}})
    post(client, f"/projects/{project}/funds", {"amount": "5.00", **usd})
    post(client, f"/projects/{project}/moves", {"to": "open"})
    return project


def _stars_released(runtime: Runtime, release_id: Any, folder: Path) -> list[int]:
    from preceptor.kit.events import SYSTEM

    with runtime.sessions.begin() as session:
        datasets.export_release(session, SYSTEM, runtime.storage, release_id, folder)
    return [int(row["stars"]) for row in pq.read_table(folder / "stars").to_pylist()]


# --- The API script


@pytest.fixture
def site(open_runtime: Callable[..., Runtime]) -> Iterator[tuple[str, dict[str, str]]]:
    """(address, environment) of a web process and a worker on a database of their own."""
    runtime = open_runtime(sweep_seconds=1)
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with listen("127.0.0.1", 0) as door, Supervisor(out=sys.stderr) as supervisor:
        port = door.getsockname()[1]
        env = child_environment(runtime.settings, url, port)
        supervisor.start(Child("web", web_command(door, APP), env, pass_fds=(door.fileno(),)))
        supervisor.start(Child("worker", (sys.executable, "-m", "preceptor.cli.worker"), env))
        assert supervisor.wait_until_ready(f"http://127.0.0.1:{port}/readyz", timeout=120)
        yield f"http://127.0.0.1:{port}", env


def test_the_script_of_the_api_guide_runs(site: tuple[str, dict[str, str]], tmp_path: Path) -> None:
    base, env = site
    script = "set -euo pipefail\n" + "\n".join(code("api-guide.md", "bash"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, **env, "BASE": base, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert '"total":{"amount":"0.50","currency":"USD"}' in done.stdout.replace(" ", "")
    (pair,) = pq.read_table(tmp_path / "pairs.parquet").to_pylist()
    assert pair["chosen"] == [{"role": "assistant", "content": "7 is a prime."}]
    assert pair["label_source"] == "judgments"
