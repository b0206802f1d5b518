"""Reading a project for a release: page by page, in id order, from one snapshot, with flat memory."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row
from sqlalchemy.orm import Session

from preceptor.datasets import queries

PAGE_TASKS = 1_000
PAGE_BYTES = 8 * 1024 * 1024
"""A page ends early when its payloads are this large: its rows exist several times while they are written."""


@dataclass(frozen=True, slots=True)
class TaskWork:
    """One task with all submissions to it, as the columns of `queries.tasks` and `queries.judgments`."""

    task: Row[Any]
    judgments: list[Row[Any]]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """A session that sees the database as it is now for as long as it lasts, and cannot write.

    A release therefore never holds half of what was decided while it was being built.
    """
    frozen = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with Session(frozen) as session, session.begin():
        yield session


def pages(session: Session, project_id: UUID) -> Iterator[list[TaskWork]]:
    """Every task of the project that says something, with its submissions; three statements a page."""
    for ids in _id_pages(session, project_id):
        found: dict[UUID, list[Row[Any]]] = {task_id: [] for task_id in ids}
        for judgment in session.execute(queries.judgments(ids)):
            found[judgment.task_id].append(judgment)
        yield [TaskWork(task, found[task.id]) for task in session.execute(queries.tasks(ids))]


def _id_pages(session: Session, project_id: UUID) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while ahead := session.execute(queries.next_tasks(project_id, after, PAGE_TASKS)).all():
        yield from _cut([(row[0], row[1]) for row in ahead])
        after = ahead[-1][0]


def _cut(sized: Sequence[tuple[UUID, int]]) -> Iterator[list[UUID]]:
    """Split where the payloads together pass `PAGE_BYTES`; a task that is larger stands alone."""
    page: list[UUID] = []
    bytes_in_page = 0
    for task_id, size in sized:
        if page and bytes_in_page + size > PAGE_BYTES:
            yield page
            page, bytes_in_page = [], 0
        page.append(task_id)
        bytes_in_page += size
    if page:
        yield page
