"""Many people at once: real threads, real commits, and what must be true when they are done."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import TextClause

from preceptor.kit.db import run_in_transaction
from preceptor.kit.errors import AppError
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountPart
from preceptor.projects.models import Task
from preceptor.work import service as work

T = TypeVar("T")
CROWD = 64


def together(runtime: Runtime, jobs: list[Callable[[Session], T]]) -> list[T | AppError]:
    """Every job in a thread and a transaction of its own, all let loose at the same moment.

    A refusal counts as an answer; anything else that a person would see as a crash is raised here.
    """
    gate = threading.Barrier(len(jobs))

    def one(job: Callable[[Session], T]) -> T | AppError:
        gate.wait()
        try:
            return run_in_transaction(runtime.sessions, job)
        except AppError as refusal:
            return refusal

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(one, jobs))


def done(answers: list[T | AppError]) -> list[T]:
    return [answer for answer in answers if not isinstance(answer, AppError)]


def refused(answers: list[T | AppError]) -> list[str]:
    return [answer.code for answer in answers if isinstance(answer, AppError)]


def wrongs(runtime: Runtime) -> list[str]:
    """Everything that the proofs over all rows find wrong; empty is what every race must end in."""
    with runtime.sessions() as session:
        _, wrong = work.prove_work(session)
        overdrawn = session.scalar(
            select(func.count())
            .select_from(AccountPart)
            .where(AccountPart.balance_minor < 0, AccountPart.may_overdraw.is_(False))
        )
        too_full = session.scalar(select(func.count()).select_from(Task).where(Task.taken > Task.wanted))
        found = [*wrong, *money.prove(session).wrong]
    return found + (["overdrawn"] if overdrawn else []) + (["overlap exceeded"] if too_full else [])


def take_away(runtime: Runtime, *statements: str) -> None:
    """Remove constraints and indexes from this test's own database."""
    with runtime.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def without(statement: TextClause, part: str) -> TextClause:
    """The statement without one of its locks, which must be there to be taken out."""
    assert part in statement.text
    return text(statement.text.replace(part, ""))
