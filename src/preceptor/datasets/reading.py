"""Reading a project for a release: page by page, in id order, from one snapshot, with flat memory."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, Row
from sqlalchemy.orm import Session

from preceptor.datasets import queries
from preceptor.work import queries_quality
from preceptor.work.models import SubmissionState
from preceptor.work.service.overlap import weigh

PAGE_TASKS = 1_000
PAGE_BYTES = 8 * 1024 * 1024
"""A page ends early when its payloads are this large: its rows exist several times while they are written."""


_LIVE = (SubmissionState.SUBMITTED, SubmissionState.APPROVED)
"""Judgments that the quality engine weighs."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a fit makes of one task's judgments: {unit: {label: chance}} and what else is known of the task.

    `at` None: weighed for this release by what the fit knows of people, because judgments have come or gone since.
    """

    fit_id: UUID
    units: Mapping[str, Mapping[str, float]]
    judgments: int
    at: datetime | None
    ambiguity: float | None
    difficulty: float | None


@dataclass(frozen=True, slots=True)
class TaskWork:
    """One task with all submissions to it, as the columns of `queries.tasks` and `queries.judgments`.

    `weighed` is None for gold tasks, for tasks that nobody judged, and before the project's first fit.
    """

    task: Row[Any]
    judgments: list[Row[Any]]
    weighed: Weighed | None


@contextmanager
def snapshot(engine: Engine) -> Iterator[Session]:
    """A session that sees the database as it is now for as long as it lasts, and cannot write.

    A release therefore never holds half of what was decided while it was being built.
    """
    frozen = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with Session(frozen) as session, session.begin():
        yield session


def pages(session: Session, project_id: UUID) -> Iterator[list[TaskWork]]:
    """Every task of the project that says something, with its submissions.

    Three statements a page, and a fourth where tasks were judged since the project's last fit.
    """
    fitted = bool(session.scalar(queries.is_fitted(project_id)))
    for ids in _id_pages(session, project_id):
        found: dict[UUID, list[Row[Any]]] = {task_id: [] for task_id in ids}
        for judgment in session.execute(queries.judgments(ids)):
            found[judgment.task_id].append(judgment)
        tasks = session.execute(queries.tasks(ids)).all()
        kept = {task.id: _kept(task, found[task.id]) for task in tasks if not task.gold}
        missing = [task_id for task_id, weighed in kept.items() if weighed is None and _live(found[task_id])]
        anew = _weighed_anew(session, {task.id: task for task in tasks}, missing) if fitted and missing else {}
        yield [TaskWork(task, found[task.id], kept.get(task.id) or anew.get(task.id)) for task in tasks]


def _live(judgments: Sequence[Row[Any]]) -> list[Row[Any]]:
    return [judgment for judgment in judgments if judgment.state in _LIVE]


def _kept(task: Row[Any], judgments: Sequence[Row[Any]]) -> Weighed | None:
    """What is kept with the task, if a fit weighed exactly the judgments that count now."""
    live = _live(judgments)
    if task.fit_id is None or not live or task.weighed_judgments != len(live):
        return None
    if max(judgment.created_at for judgment in live) > task.weighed_at:
        return None  # One went and another came.
    return Weighed(task.fit_id, task.weighed_units, len(live), task.weighed_at, task.ambiguity, task.difficulty)


def _weighed_anew(session: Session, tasks: Mapping[UUID, Row[Any]], ids: Sequence[UUID]) -> dict[UUID, Weighed]:
    """By the newest fit's crowd and skills, as at submit. Ambiguity and difficulty stay those of the last fit."""
    rows = session.execute(queries_quality.STANDING, {"task_ids": list(ids)}).all()
    return {
        row.id: Weighed(
            row.fit_id, weigh(row).units, len(row.answers), None, tasks[row.id].ambiguity, tasks[row.id].difficulty
        )
        for row in rows
    }


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
