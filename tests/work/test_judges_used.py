"""AI judges over the API and on the command line: made, run on a real server, watched, stopped, measured."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from preceptor.cli.application import create_app
from preceptor.cli.main import app
from preceptor.endpoints.models import ModelEndpoint
from preceptor.kit.ids import new_id, read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.work.models_judging import AiJudge
from preceptor.work.service import fitting, judging
from preceptor.work.service.judging_progress import RunProgress, progress_of
from tests.endpoints.asking import make_endpoint
from tests.endpoints.servers import Server, serving
from tests.factories import World, join, make_world
from tests.work.test_fitting import Crowd, right
from tests.work.test_judging import PRICES, truthful

TASKS = 12


@pytest.fixture
def runtime(open_runtime: Callable[..., Runtime]) -> Runtime:
    return open_runtime(outgoing_reach="loopback")


@pytest.fixture
def world(runtime: Runtime) -> World:
    """Twelve sums that three people have judged."""
    with runtime.sessions.begin() as session:
        made = make_world(session, now=runtime.clock.now(), tasks=TASKS, overlap=3)
        people = join(session, made, now=runtime.clock.now(), people=3)
        Crowd(runtime, session, made, people).judged(lambda person, number, _: right(number))
    return made


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(truthful) as made:
        yield made


@pytest.fixture
def endpoint(runtime: Runtime, world: World, server: Server) -> ModelEndpoint:
    with runtime.sessions.begin() as session:
        return make_endpoint(session, runtime, world, server.url, name="Ours", concurrency=1, **PRICES)


def outcomes(judge: dict[str, Any]) -> dict[str, int]:
    """How often what came of it."""
    return {outcome: count for outcome, count in judge["outcomes"].items() if count}


class Caller:
    """The client's program at the API."""

    def __init__(self, runtime: Runtime, world: World) -> None:
        self.http = TestClient(create_app(runtime))
        self.headers = world.client.headers

    def __call__(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = self.http.request(method, f"/api/v1{path}", headers=self.headers, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def call(runtime: Runtime, world: World) -> Caller:
    return Caller(runtime, world)


def test_a_judge_goes_the_whole_way_over_the_api(
    call: Caller, runtime: Runtime, world: World, endpoint: ModelEndpoint
) -> None:
    project = f"/projects/{show_id('project', world.project.id)}"
    asked = {"endpoint_id": show_id("endpoint", endpoint.id), "title": "Ours, strict", "words": "Be strict."}
    made = call("POST", f"{project}/judges", asked, 201)
    assert (made["state"], made["run"], outcomes(made)) == ("idle", None, {})
    judge = f"/judges/{made['id']}"
    started = call("POST", f"{judge}/run", {"scope": "judged", "tasks_max": 5, "budget": "2"})
    assert (started["state"], started["run"]) == ("running", {"done": 0, "total": 5, "seconds_left": None})
    judging.run_judge(runtime, read_id("judge", made["id"]))
    over = call("GET", judge)
    assert (over["state"], over["run"], over["ended_because"]) == ("idle", None, judging.ENOUGH)
    assert outcomes(over) == {"answered": 5}
    call("POST", f"{judge}/run", {"scope": "judged"})
    judging.run_judge(runtime, read_id("judge", made["id"]))
    fitting.fit_project(runtime, world.project.id, new_id(), method="majority")
    [listed] = call("GET", f"{project}/judges")["items"]
    assert outcomes(listed) == {"answered": TASKS}
    assert listed["skill"]["judgments"] == TASKS
    # It was right each time, but twelve times are few.
    assert 0.5 < listed["skill"]["low"] < listed["skill"]["accuracy"] < listed["skill"]["high"] <= 1
    said = call("GET", f"{judge}/judgments?limit=5")
    assert len(said["items"]) == 5
    assert said["items"][0]["passes"][0]["text"]
    rest = call("GET", f"{judge}/judgments?limit=50&cursor={said['next_cursor']}")
    assert len(rest["items"]) == TASKS - 5
    assert call("PUT", f"{project}/judges/inference", {"included": True}) == {"included": True}
    assert call("DELETE", judge)["state"] == "retired"
    assert call("POST", f"{judge}/run", {"scope": "all"}, 409)["code"] == "judge_retired"


def test_a_run_is_stopped_and_goes_on_over_the_api(
    call: Caller, runtime: Runtime, world: World, endpoint: ModelEndpoint, server: Server
) -> None:
    project = f"/projects/{show_id('project', world.project.id)}"
    made = call("POST", f"{project}/judges", {"endpoint_id": show_id("endpoint", endpoint.id), "title": "Ours"}, 201)
    call("POST", f"/judges/{made['id']}/run", {"scope": "all"})
    stopped = call("POST", f"/judges/{made['id']}/stop")
    assert (stopped["state"], stopped["run"]) == ("idle", None)
    judging.run_judge(runtime, read_id("judge", made["id"]))
    assert outcomes(call("GET", f"/judges/{made['id']}")) == {}
    assert server.asked == []


def test_progress_tells_what_is_left_at_the_speed_so_far(
    call: Caller, runtime: Runtime, world: World, endpoint: ModelEndpoint
) -> None:
    project = f"/projects/{show_id('project', world.project.id)}"
    made = call("POST", f"{project}/judges", {"endpoint_id": show_id("endpoint", endpoint.id), "title": "Ours"}, 201)
    judge_id = read_id("judge", made["id"])
    call("POST", f"/judges/{made['id']}/run", {"scope": "judged", "tasks_max": 4})
    judging.run_judge(runtime, judge_id)
    call("POST", f"/judges/{made['id']}/run", {"scope": "judged"})
    with runtime.sessions.begin() as session:
        judge = session.get_one(AiJudge, judge_id)
        begun = judge.changed_at
        assert progress_of(session, judge, now=begun) == RunProgress(0, TASKS - 4, None)
        # As if this run had brought the four that there are: eight are left, at five seconds each.
        judge.run -= 1
        later = progress_of(session, judge, now=begun + timedelta(seconds=20))
        assert later == RunProgress(4, TASKS, 40.0)
        session.rollback()


@pytest.fixture
def type_in(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(False)
    monkeypatch.setenv("PRECEPTOR_DATABASE_URL", url)
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(runtime.settings.data_dir))
    monkeypatch.setenv("PRECEPTOR_OUTGOING_REACH", "loopback")
    monkeypatch.setenv("PRECEPTOR_SECRET_KEY", runtime.settings.signing_key().decode())

    def typed(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, ["judges", *words])
        assert done.exit_code == status, done.output
        return done.output

    return typed


def test_a_judge_goes_the_whole_way_on_the_command_line(
    type_in: Callable[..., str], runtime: Runtime, world: World, endpoint: ModelEndpoint
) -> None:
    project = show_id("project", world.project.id)
    judge = type_in("add", project, "Ours, strict", "--endpoint", "Ours", "--words", "Be strict.").split()[0]
    assert judge.startswith("jdg_")
    ran = type_in("run", judge, "--tasks", "5", "--budget", "2")
    assert "5 answered" in ran
    assert judging.ENOUGH in " ".join(ran.split())
    assert f"{TASKS} answered" in type_in("run", judge)
    fitting.fit_project(runtime, world.project.id, new_id(), method="majority")
    shown = type_in("show", judge)
    assert "Ours, strict" in shown
    assert "not measured" not in shown
    assert judge in type_in("show", project)
    told = json.loads(type_in("show", judge, "--json"))
    assert (told["id"], outcomes(told), told["run"]) == (judge, {"answered": TASKS}, None)
    assert told["skill"]["judgments"] == TASKS
    assert [each["id"] for each in json.loads(type_in("show", project, "--json"))] == [judge]
    assert "is not running" in type_in("stop", judge)
    assert "already" in type_in("add", project, "Ours, strict", "--endpoint", "Ours", status=1)


def test_the_command_line_shows_and_stops_a_run_of_others(
    type_in: Callable[..., str], call: Caller, world: World, endpoint: ModelEndpoint
) -> None:
    project = show_id("project", world.project.id)
    judge = type_in("add", project, "Ours", "--endpoint", "Ours").split()[0]
    call("POST", f"/judges/{judge}/run", {"scope": "judged"})
    assert f"0 of {TASKS} tasks" in type_in("show", judge)
    assert json.loads(type_in("show", judge, "--json"))["run"]["total"] == TASKS
    type_in("stop", judge)
    assert "stopped" in type_in("show", judge).lower()
    assert call("GET", f"/judges/{judge}")["state"] == "idle"
