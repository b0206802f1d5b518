"""What every race rests on."""

import threading

from sqlalchemy import func, select

from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from tests.races.crowd import together


def test_threads_really_run_at_the_same_time(runtime: Runtime) -> None:
    """The races prove nothing if their threads wait for each other: all are in the database at one moment."""
    inside = threading.Barrier(16)
    assert together(runtime, [lambda session: session.scalar(select(func.count(Task.id))) or inside.wait(10) >= 0] * 16)
