"""Projects in which people write, from import to exported release, made by the services and committed."""

import json
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import select

import preceptor.datasets.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.datasets import service as datasets
from preceptor.kit.runtime import Runtime
from preceptor.projects.jobs import carry_out
from preceptor.projects.models import Task
from preceptor.projects.service import imports
from preceptor.projects.settings import TaskIn
from preceptor.tasktypes.base import Row
from preceptor.work import service as work
from tests import factories
from tests.conftest import NOW
from tests.factories import World


@dataclass
class Writing:
    """A project of one kind without tasks, and somebody who works in it."""

    runtime: Runtime
    world: World
    worker: factories.User

    def add(self, *payloads: Row) -> None:
        given = [TaskIn(external_id=f"task-{number}", payload=each) for number, each in enumerate(payloads)]
        with self.runtime.sessions.begin() as session:
            imports.import_tasks_now(session, self.world.client.actor, self.world.project.id, given, now=NOW)

    def write(self, *answers: Row) -> None:
        """One answer to each of the next tasks; all are approved."""
        for answer in answers:
            with self.runtime.sessions.begin() as session:
                actor = self.worker.actor
                claimed = work.claim_next(session, actor, self.world.project.id, now=NOW)
                work.submit(session, actor, claimed.claim.id, answer, now=NOW + timedelta(seconds=60))
        with self.runtime.sessions.begin() as session:
            work.approve_due(session, now=NOW + timedelta(days=30))

    def release(self, folder: Path) -> Path:
        with self.runtime.sessions.begin() as session:
            asked = datasets.request_release(
                session, self.world.client.actor, self.world.project.id, "Written", now=NOW
            )
        built = datasets.build_release(self.runtime, asked.id)
        with self.runtime.sessions.begin() as session:
            client, storage = self.world.client.actor, self.runtime.storage
            datasets.export_release(session, client, storage, built.id, folder)
        return folder

    def import_rows(self, rows: list[dict[str, Any]]) -> None:
        """A file of these rows, as somebody uploads it."""
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        digest = sha256(data).hexdigest()
        key = imports.file_key(self.world.project.id, digest)
        self.runtime.storage.put(key, data)
        with self.runtime.sessions.begin() as session:
            accepted = imports.accept_file(
                session,
                self.world.client.actor,
                self.world.project.id,
                filename="judgments.jsonl",
                stored_key=key,
                digest=digest,
                size=len(data),
                mapping=None,
                now=NOW,
            )
        done = carry_out(self.runtime, accepted.id)
        assert done is not None
        assert done.state == "done", done

    def tasks(self) -> list[tuple[Row, Row | None]]:
        """Payload and answer that came along, in the order in which they are worked on."""
        with self.runtime.sessions.begin() as session:
            wanted = select(Task).where(Task.project_id == self.world.project.id).order_by(Task.position)
            return [(task.payload, task.imported_answer) for task in session.scalars(wanted)]


def make_writing(runtime: Runtime, kind: str, config: Row) -> Writing:
    with runtime.sessions.begin() as session:
        world = factories.make_world(session, now=NOW, tasks=0, overlap=1)
        world.project.task_type, world.project.config = kind, config
        worker = factories.join(session, world, now=NOW)[0]
    return Writing(runtime, world, worker)


def rows_of(release: Path, table: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(next((release / table).glob("*.parquet"))).to_pylist()
    return rows
