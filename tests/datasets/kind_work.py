"""Projects of any kind, worked on by one person through the services and the API: from template to exported release."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow.parquet as pq
from fastapi.testclient import TestClient

from preceptor.cli.application import create_app
from preceptor.datasets import service as datasets
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from preceptor.tasktypes.base import task_type
from preceptor.work import jobs
from preceptor.work import service as work
from preceptor.work.service import running
from tests.conftest import NOW
from tests.datasets.kind_answers import ANSWERS, SERVED
from tests.endpoints.asking import done, make_endpoint, use
from tests.endpoints.servers import Connection, says, serving
from tests.factories import User, World, join
from tests.kind_world import approve_and_release, template_world


@dataclass
class Desk:
    """A claimed task, and what the kind's desk offers beside it."""

    runtime: Runtime
    person: User
    claim_id: UUID

    def ask(self, messages: list[dict[str, str]], shown_as: str, turn: str = "") -> dict[str, Any]:
        """What a model says: `text` and `generation`."""
        key = f"key-{len(messages)}-{shown_as}-{turn or self._next()}"
        body = {"key": key, "messages": messages, "shown_as": shown_as, "turn": turn}
        path = f"/api/v1/claims/{show_id('claim', self.claim_id)}/generate"
        with TestClient(create_app(self.runtime)) as client:
            return done(client.post(path, json=body, headers=self.person.headers).text)

    def run(self, answer: dict[str, Any]) -> str:
        """The id of a run of this answer's code in the sandbox, when it has ended."""
        with self.runtime.sessions.begin() as session:
            asked = running.request_run(
                session, self.person.actor, self.claim_id, answer, self.runtime.settings, now=NOW
            )
        jobs.run_code(self.runtime, str(asked.id))
        return show_id("run", asked.id)

    _asked: int = 0

    def _next(self) -> int:
        self._asked += 1
        return self._asked


def echoes(to: Connection) -> None:
    """A model that answers with what it was asked last, and by which model."""
    body = to.asked.body
    says(f"{body['model']} heard: {body['messages'][-1]['content']}", model=body["model"])(to)


@contextmanager
def with_models(runtime: Runtime, world: World) -> Iterator[None]:
    """Two models behind a real server, chosen for the project."""
    with serving(echoes) as server:
        with runtime.sessions.begin() as session:
            models = [
                make_endpoint(session, runtime, world, server.url, name=f"Endpoint {model}", model=model)
                for model in ("first", "second")
            ]
            use(session, world, runtime.clock, *models)
        yield


def worked(runtime: Runtime, kind: str, key: str) -> World:
    """Every task of a template's project, judged by one person."""
    settings = runtime.settings.model_copy(update={"outgoing_reach": "loopback"})
    runtime = replace(runtime, clock=FixedClock(NOW), settings=settings)
    with runtime.sessions.begin() as session:
        world = template_world(session, kind=kind, key=key, now=NOW)
        person = join(session, world, now=NOW)[0]
    if "generate" in task_type(kind).services:
        with with_models(runtime, world):
            _work(runtime, world, person)
    else:
        _work(runtime, world, person)
    return world


def _work(runtime: Runtime, world: World, person: User) -> None:
    kind = world.project.task_type
    for _ in world.tasks:
        with runtime.sessions.begin() as session:
            claim = work.claim_next(session, person.actor, world.project.id, now=NOW).claim
            found, task = task_type(kind), session.get_one(Task, claim.task_id)
            shown = found.present(found.payload_model.model_validate(task.payload), claim.display_order)
        config = world.project.config
        served = SERVED.get(kind)
        answer = served(shown, config, Desk(runtime, person, claim.id)) if served else ANSWERS[kind](shown, config)
        with runtime.sessions.begin() as session:
            work.submit(session, person.actor, claim.id, answer, now=NOW)


def exported(runtime: Runtime, world: World, folder: Path) -> Path:
    """Everything approved and released into this folder."""
    release = approve_and_release(runtime, world, now=NOW, late=NOW + timedelta(days=10))
    with runtime.sessions.begin() as session:
        datasets.export_release(session, world.client.actor, runtime.storage, release.id, folder)
    return folder


def rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    return [row for path in sorted((folder / table).glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
