"""Adding tasks to a project's queue: staged by COPY, then placed in one statement under the project's lock.

Lock order: project, then memberships. A claim locks a membership, then a task; new tasks are seen by nobody yet.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from uuid import UUID

from psycopg import Connection
from sqlalchemy import text
from sqlalchemy.orm import Session

from preceptor.kit.ids import new_id
from preceptor.media import service as media
from preceptor.projects import queries, rules
from preceptor.projects.errors import ProjectFinished
from preceptor.projects.models import GOLD_CAPACITY, Project

STAGED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class NewTask:
    """A checked task on its way into a queue; what is stored as JSON is JSON text here.

    `line` orders the tasks among themselves. `overlap` None means the project's own.
    """

    line: int
    external_id: str
    payload: str
    priority: int = rules.PRIORITY_USUAL
    overlap: int | None = None
    topic: str | None = None
    imported_answer: str | None = None
    imported_votes: str | None = None
    gold: str | None = None
    gold_explanation: str | None = None
    content_ratings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Added:
    """`already_there`: tasks whose external id the project had; they were left as they are."""

    created: int
    already_there: int


_COLUMNS = """id, line, external_id, payload, priority, overlap, topic, imported_answer, imported_votes,
              gold, gold_explanation, content_ratings"""
_STAGE = """
    CREATE TEMP TABLE task_staging (
        id uuid, line bigint, external_id text, payload jsonb, priority int, overlap int, topic text,
        imported_answer jsonb, imported_votes jsonb, gold jsonb, gold_explanation text,
        content_ratings text[]
    ) ON COMMIT DROP
"""
_FILL = f"COPY task_staging ({_COLUMNS}) FROM STDIN"
_PLACE = text("""
    INSERT INTO task (id, project_id, import_id, external_id, topic, payload, priority, position, wanted, taken, done,
                      state, imported_answer, imported_votes, content_ratings, created_at)
    SELECT id, :project_id, :import_id, external_id, topic, payload, priority,
           priority * :places + :start + row_number() OVER (ORDER BY line) - 1,
           coalesce(overlap, :overlap) + CASE WHEN gold IS NOT NULL AND :mixed THEN :gold_capacity ELSE 0 END, 0, 0,
           CASE WHEN gold IS NOT NULL AND :mixed THEN 'gold' ELSE 'open' END, imported_answer, imported_votes,
           content_ratings, :now
    FROM task_staging ORDER BY line
    ON CONFLICT (project_id, external_id) DO NOTHING
""")
_PLACE_GOLD = text("""
    INSERT INTO task_gold (task_id, project_id, answer, explanation)
    SELECT s.id, :project_id, s.gold, coalesce(s.gold_explanation, '')
    FROM task_staging s JOIN task t ON t.id = s.id WHERE s.gold IS NOT NULL
""")
_LOWEST = text("SELECT min(priority) AS first, max(priority) AS last FROM task_staging")
_SEND_BACK = text("""
    UPDATE membership SET cursor = :lowest - 1 WHERE project_id = :project_id AND cursor >= :lowest
""")


def stage(session: Session, tasks: Iterable[NewTask], progress: Callable[[int], None] | None = None) -> int:
    """Copy tasks beside the queue, visible to this transaction only; returns how many. Memory stays flat."""
    session.execute(text(_STAGE))
    staged = 0
    for batch in _batches(tasks):
        _copy(session, batch)
        staged += len(batch)
        if progress is not None:
            progress(staged)
    return staged


def _batches(tasks: Iterable[NewTask]) -> Iterator[tuple[NewTask, ...]]:
    waiting = iter(tasks)
    while batch := tuple(islice(waiting, STAGED_AT_ONCE)):
        yield batch


def _copy(session: Session, batch: tuple[NewTask, ...]) -> None:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, Connection)
    # Ids sort by the millisecond and then by chance; sorted, they keep the order of the file.
    ids = sorted(new_id() for _ in batch)
    with connection.cursor() as cursor, cursor.copy(_FILL) as copy:
        for task_id, task in zip(ids, batch, strict=True):
            copy.write_row(
                (
                    task_id,
                    task.line,
                    task.external_id,
                    task.payload,
                    task.priority,
                    task.overlap,
                    task.topic,
                    task.imported_answer,
                    task.imported_votes,
                    task.gold,
                    task.gold_explanation,
                    list(task.content_ratings),
                )
            )


def place(session: Session, project_id: UUID, staged: int, *, import_id: UUID | None, now: datetime) -> Added:
    """Give the staged tasks their places at the end of their priority's queue, and clear the staging.

    Who has been served beyond the most urgent new task is sent back in front of it.
    """
    project = session.scalars(queries.project(project_id, lock=True)).one()
    if project.state not in rules.TAKES_TASKS:
        raise ProjectFinished
    created = _insert(session, project, import_id, now) if staged else 0
    if created:
        _let_in_front(session, project, staged)
    session.execute(text("DROP TABLE task_staging"))
    return Added(created=created, already_there=staged - created)


def _insert(session: Session, project: Project, import_id: UUID | None, now: datetime) -> int:
    where = {
        "project_id": project.id,
        "import_id": import_id,
        "places": rules.PLACES_PER_PRIORITY,
        "start": project.tasks_added,
        "overlap": rules.first_overlap(project),
        "mixed": project.gold_percent > 0,
        "gold_capacity": GOLD_CAPACITY,
        "now": now,
    }
    connection = session.connection()
    with_files = media.find_staged(session, project.org_id)
    created = connection.execute(_PLACE, where).rowcount
    connection.execute(_PLACE_GOLD, {"project_id": project.id})
    if with_files:
        media.place_in_tasks(session, project.id)
    return created


def _let_in_front(session: Session, project: Project, staged: int) -> None:
    priorities = session.execute(_LOWEST).one()
    lowest = rules.position(priorities.first, project.tasks_added)
    if lowest <= project.queue_end:
        # A claim that runs now has not seen the new tasks and is about to move its cursor. Wait for it first.
        session.execute(queries.memberships_locked(project.id)).all()
        session.execute(_SEND_BACK, {"lowest": lowest, "project_id": project.id})
    last = rules.position(priorities.last, project.tasks_added + staged - 1)
    project.queue_end = max(project.queue_end, last)
    project.tasks_added += staged
    session.flush()
