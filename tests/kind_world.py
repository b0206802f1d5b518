"""An open, funded project of any kind of work, with tasks that the kind's own importer has read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

import preceptor.datasets.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.datasets import service as datasets
from preceptor.datasets.models import Release
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import GuidelinesVersion
from preceptor.projects.service import starting
from preceptor.tasktypes.base import task_type, to_json
from preceptor.work import service as work
from tests.factories import World, make_world


def columns_of(kind: str, row: dict[str, Any]) -> dict[str, str]:
    """The mapping that an import finds by itself: target -> column, for a row whose columns have usual names."""
    targets = task_type(kind).importer.targets
    found = ((target, [name for name in names if name in row]) for target, names in targets.items())
    return {target: names[0] for target, names in found if names}


def imported(kind: str, row: dict[str, Any]) -> dict[str, Any]:
    """The payload that an import of this row stores."""
    return to_json(task_type(kind).importer.convert(row, columns_of(kind, row)).payload)


def make_kind_world(
    session: Session,
    *,
    kind: str,
    config: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    now: datetime,
    overlap: int = 1,
    title: str = "Work of a kind",
    guidelines: str = "",
    lease_seconds: int = 1800,
) -> World:
    """Like `make_world`, for this kind of work; each row is a task."""
    world = make_world(session, now=now, tasks=len(rows), overlap=overlap, lease_seconds=lease_seconds)
    project = world.project
    project.task_type, project.title = kind, title
    project.config = to_json(task_type(kind).config_model.model_validate(config))
    project.opened_at = now
    for task, row in zip(world.tasks, rows, strict=True):
        task.payload = imported(kind, row)
    if guidelines:
        version = GuidelinesVersion(project_id=project.id, number=1, body=guidelines, created_at=now)
        session.add(version)
        session.flush()
        project.guidelines_version_id = version.id
    return world


def template_world(
    session: Session, *, kind: str, key: str, now: datetime, overlap: int = 1, runtime: Runtime | None = None
) -> World:
    """A project that starts from one of the kind's templates, with its examples as tasks.

    With a `runtime` the examples' files are sent, which commits what the session has written; without one their
    addresses lead nowhere.
    """
    template = next(each for each in task_type(kind).templates() if each.key == key)
    world = make_kind_world(
        session,
        kind=kind,
        config=dict(template.config),
        rows=template.examples,
        now=now,
        overlap=overlap,
        title=template.title,
        guidelines=template.guidelines,
    )
    if runtime is not None and template.files:
        session.commit()
        session.begin()
        sent = starting.send_examples(runtime, world.client.actor, world.project.org_id, template)
        for task in world.tasks:
            task = session.merge(task)
            task.payload = starting.with_files(task.payload, sent)
    return world


def approve_and_release(runtime: Runtime, world: World, *, now: datetime, late: datetime) -> Release:
    """Everything submitted is approved (at `late`), and a release is built."""
    with runtime.sessions.begin() as session:
        work.approve_due(session, now=late)
        project_id: UUID = world.project.id
        asked = datasets.request_release(session, world.client.actor, project_id, "First", now=now)
    return datasets.build_release(runtime, asked.id)
