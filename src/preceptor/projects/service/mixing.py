"""Gold in the mix: tasks with a known answer leave the queue while the project mixes them in, and return to it.

A task in state `gold` is in nobody's queue; a claim serves one by a draw. Its `wanted` is larger by
`GOLD_CAPACITY`, so that everybody may be asked once while the table's own rule (`taken <= wanted`) holds, and so
that the overlap it had is not forgotten. Nothing else has so large a `wanted`.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlalchemy.orm import Session

from preceptor.projects.models import GOLD_CAPACITY, Project, Task, TaskGold, TaskState


def follow_setting(session: Session, project: Project, before: int) -> int:
    """Move tasks between queue and mix after `gold_percent` was `before`; returns how many. Flushes nothing else."""
    if (before > 0) == (project.gold_percent > 0):
        return 0
    return _mix_in(session, project.id) if project.gold_percent > 0 else _put_back(session, project.id)


def _mix_in(session: Session, project_id: UUID) -> int:
    known = select(TaskGold.task_id).where(TaskGold.project_id == project_id, TaskGold.retired_because.is_(None))
    return _move(
        session, project_id, TaskState.OPEN, Task.id.in_(known), {"state": TaskState.GOLD, "wanted": wanted_as_gold()}
    )


def _put_back(session: Session, project_id: UUID) -> int:
    """To their old places. A search for the next task begins again at the front, so nobody misses them."""
    return _move(
        session,
        project_id,
        TaskState.GOLD,
        Task.project_id == project_id,
        {"state": TaskState.OPEN, "wanted": wanted_in_queue()},
    )


def _move(
    session: Session, project_id: UUID, state: TaskState, which: ColumnElement[bool], values: dict[str, object]
) -> int:
    # Locked in the order of the queue, as everywhere where several tasks are locked at once.
    found = select(Task.id).where(Task.project_id == project_id, Task.state == state, which)
    ids = session.scalars(found.order_by(Task.position, Task.id).with_for_update(key_share=True)).all()
    if not ids:
        return 0
    # Looked at again: a task may have been hidden while its lock was waited for.
    changed = update(Task).where(Task.id.in_(found)).values(values).execution_options(synchronize_session="fetch")
    moved = session.execute(changed)
    assert isinstance(moved, CursorResult)
    return moved.rowcount


def wanted_as_gold() -> ColumnElement[int]:
    """`wanted` of a task that is mixed in from the queue."""
    return Task.wanted + GOLD_CAPACITY


def wanted_in_queue() -> ColumnElement[int]:
    """`wanted` of a task that leaves the mix: its overlap, or what people have taken already if that is more."""
    return func.greatest(Task.taken, Task.wanted - GOLD_CAPACITY)


def place_of(session: Session, task: Task) -> TaskState:
    """Where a task belongs that is to be given to people again: in the mix, or in the queue."""
    project = session.get_one(Project, task.project_id)
    gold = session.get(TaskGold, task.id) if project.gold_percent > 0 else None
    return TaskState.OPEN if gold is None or gold.retired_because is not None else TaskState.GOLD


def move(task: Task, to: TaskState) -> None:
    """Set the state of a locked task, and its `wanted` where it enters or leaves the mix."""
    if to is TaskState.GOLD and task.state is not TaskState.GOLD:
        task.wanted += GOLD_CAPACITY
    elif task.state is TaskState.GOLD and to is not TaskState.GOLD:
        task.wanted = max(task.taken, task.wanted - GOLD_CAPACITY)
    task.state = to
