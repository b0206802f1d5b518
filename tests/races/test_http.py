"""The same races through HTTP: two real web processes on one socket, 64 people, one database."""

import http.client
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from preceptor.cli.processes import Child, Supervisor, listen, web_command
from preceptor.cli.serve import APP, child_environment
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id, show_veiled
from preceptor.kit.runtime import Runtime
from preceptor.work.models import Claim, Submission
from tests.conftest import NOW
from tests.factories import PREFER_A, User, join, make_world
from tests.races.crowd import CROWD, wrongs

TASKS, OVERLAP = 24, 16


@dataclass(frozen=True)
class Site:
    runtime: Runtime
    port: int

    def post(self, connection: http.client.HTTPConnection, user: User, path: str, body: object) -> tuple[int, Any]:
        headers = {**user.headers, "content-type": "application/json"}
        connection.request("POST", path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)


@pytest.fixture
def site(open_runtime: Callable[..., Runtime]) -> Iterator[Site]:
    runtime = open_runtime()
    url = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with listen("127.0.0.1", 0) as door, Supervisor(out=sys.stderr) as supervisor:
        port = door.getsockname()[1]
        env = child_environment(runtime.settings, url, port)
        for number in range(2):
            supervisor.start(Child(f"web {number}", web_command(door, APP), env, pass_fds=(door.fileno(),)))
        assert supervisor.wait_until_ready(f"http://127.0.0.1:{port}/readyz", timeout=120)
        yield Site(runtime, port)


def test_64_people_work_a_queue_empty_over_two_web_processes(site: Site) -> None:
    with transaction(site.runtime.sessions) as session:
        world = make_world(session, now=NOW, tasks=TASKS, overlap=OVERLAP, budget_minor=10_000_000)
        people = join(session, world, now=NOW, people=CROWD)
    claims = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    gate = threading.Barrier(CROWD)

    def work(user: User) -> Counter[str]:
        seen: Counter[str] = Counter()
        connection = site.connect()
        gate.wait()
        while True:
            status, claim = site.post(connection, user, claims, None)
            if status == 404:
                assert claim["code"] == "no_work_left"
                connection.close()
                return seen
            assert status == 201, claim
            seen[claim["task_id"]] += 1
            for status_wanted in (201, 201):  # an impatient client sends everything twice
                status, given = site.post(
                    connection, user, f"/api/v1/claims/{claim['id']}/submission", {"answer": PREFER_A}
                )
                assert status == status_wanted, given

    with ThreadPoolExecutor(CROWD) as pool:
        seen = list(pool.map(work, people))
    assert all(times == 1 for each in seen for times in each.values())
    assert Counter(task for each in seen for task in each) == {
        show_veiled("task", task.id, site.runtime.settings.signing_key()): OVERLAP for task in world.tasks
    }
    with site.runtime.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Claim)) == TASKS * OVERLAP
        assert session.scalar(select(func.count()).select_from(Submission)) == TASKS * OVERLAP
    assert wrongs(site.runtime) == []


def test_eight_tabs_of_one_person_get_one_claim_over_two_web_processes(site: Site) -> None:
    with transaction(site.runtime.sessions) as session:
        world = make_world(session, now=NOW, tasks=20, overlap=8)
        people = join(session, world, now=NOW, people=8)
    claims = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    gate = threading.Barrier(CROWD)

    def click(user: User) -> tuple[str, int, str]:
        connection = site.connect()
        gate.wait()
        status, claim = site.post(connection, user, claims, None)
        connection.close()
        return user.key, status, claim["id"]

    with ThreadPoolExecutor(CROWD) as pool:
        answers = list(pool.map(click, [user for user in people for _ in range(8)]))
    assert len({(key, claim_id) for key, _, claim_id in answers}) == 8
    assert Counter(status for _, status, _ in answers) == {201: 8, 200: 56}
    assert wrongs(site.runtime) == []
