"""Gold tasks at work: scoring answers against the known one, and noticing when it has become known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.errors import Invalid
from preceptor.kit.events import SYSTEM, Actor
from preceptor.projects import access as projects
from preceptor.projects.models import Task, TaskGold, TaskState
from preceptor.projects.service import mixing
from preceptor.quality.evidence.result import odds
from preceptor.quality.intervals import Estimate, wilson
from preceptor.tasktypes.base import Score
from preceptor.tasktypes.working import Working, working
from preceptor.work import access_gold, queries_gold, rules_gold
from preceptor.work.errors_gold import NothingToPractiseOn, PractisedOn
from preceptor.work.models import Submission
from preceptor.work.models_quality import GoldResult

GOLD_PAGE_MAX = 200
PRACTICE_NEEDED = "work.practice_needed"
"""The event that somebody wanted to practise and found nothing."""


SCORE_BATCH = 50
"""Answers compared in one transaction, which holds their known answers for about half a second."""


def score_waiting(session: Session, *, now: datetime) -> int:
    """Compare answers to gold tasks that nobody has compared yet, the oldest first; at most `SCORE_BATCH`.

    A step of the sweep, and not of the request that stores an answer: else its author could tell by the time it takes.
    """
    waiting = session.scalars(queries_gold.to_score(SCORE_BATCH)).all()
    score(session, waiting, now=now)
    return len(waiting)


def score(session: Session, submissions: Iterable[Submission], *, now: datetime) -> None:
    """Compare those of these locked submissions that still have to be. Evidence, never a decision.

    Once and for all: an answer whose task has no known answer (any more), or one that scores nothing, is done too.
    Locks the known answers in the order of tasks, after everything else that a decision locks.
    """
    waiting = [submission for submission in submissions if submission.to_score]
    for submission in sorted(waiting, key=lambda each: (each.task_id, each.id)):
        _score(session, submission, now)
        submission.to_score = False
    session.flush()


def _score(session: Session, submission: Submission, now: datetime) -> None:
    asked = queries_gold.gold_to_score(submission.task_id, submission.project_id, submission.person_id)
    row = session.execute(asked).one_or_none()
    if row is None:
        return
    gold, payload, task_type, config, standard, own_passed, own_results, usual_passed, usual_results = row
    scored = score_answer(working(task_type, config), payload, submission.answer, gold.answer)
    if scored is None:
        return
    result = GoldResult(
        submission_id=submission.id,
        task_id=submission.task_id,
        project_id=submission.project_id,
        person_id=submission.person_id,
        score=scored.value,
        passed=rules_gold.passes(scored.value),
        version=gold.version,
        expected=rules_gold.expected_pass(own_passed, own_results, usual_passed, usual_results, standard),
        created_at=now,
    )
    session.add(result)
    _watch_for_leak(session, gold, result, now)
    session.flush()


def score_answer(
    kind: Working, payload: Mapping[str, Any], answer: Mapping[str, Any], key: Mapping[str, Any]
) -> Score | None:
    """How an answer in stored names compares with the key; None where the key says nothing that can be scored."""
    try:
        return kind.score(
            kind.payload(payload),
            kind.answer(answer),
            kind.answer(key),
        )
    except ValueError:
        # The task type says so of a key that judges nothing; pydantic's own errors are of the same kind.
        return None


def _watch_for_leak(session: Session, gold: TaskGold, result: GoldResult, now: datetime) -> None:
    """Follow whether more people pass than their skill explains, and take a task out of the mix whose answer leaked."""
    followed = rules_gold.watch_for_leak(gold.leak, result.passed, result.expected)
    gold.leak, gold.leak_log_e = followed.stored, followed.log_e
    if followed.leaked and gold.retired_because is None:
        # Others lock the task before the known answer, so this waits for nobody: the next answer comes here again.
        task = session.scalars(queries_gold.free_to_retire(gold.task_id)).one_or_none()
        if task is not None:
            why = f"More people pass than their skill explains (evidence {odds(followed.log_e)})."
            retire(session, SYSTEM, task, gold, f"leaked: {why}", "work.gold_leaked", now=now)


def retire(
    session: Session, actor: Actor, task: Task, gold: TaskGold, because: str, event: str, *, now: datetime
) -> None:
    """Take a locked gold task out of the mix; from now on people practise on it. Answers under way go on."""
    mixing.move(task, TaskState.RETIRED)
    gold.retired_because = because
    session.flush()
    data = {"reason": because}
    events.record(session, actor, event, "task", task.id, at=now, project_id=task.project_id, data=data)


# --- The client


@dataclass(frozen=True)
class GoldLine:
    """One gold task as its client sees it. `expected` is the pass rate that people's other results gave."""

    task: Task
    gold: TaskGold
    passed: Estimate
    expected: float | None
    open_challenges: int

    @property
    def practised_on(self) -> bool:
        """Whether it checks nobody any more and people practise on it."""
        return self.task.state is TaskState.RETIRED and self.gold.retired_because is not None


@dataclass(frozen=True)
class GoldPage:
    """`next_after` is the id to pass as `after` for the next page, None on the last."""

    lines: list[GoldLine]
    next_after: UUID | None


@dataclass(frozen=True)
class GoldSummary:
    """Gold tasks of a project: `known` answers, `mixed` in, `practice` for those that people practise on."""

    known: int
    mixed: int
    practice: int
    explained: int
    open_challenges: int
    practice_wanted: int
    """People who wanted to practise and found nothing."""
    retraining_possible: bool
    """Whether there is enough to practise on, so that retraining can be asked of somebody."""


def gold_page(
    session: Session, actor: Actor, project_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> GoldPage:
    """Gold tasks with how people do on them, in the order of arrival, for managers of the client."""
    projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    size = min(limit, GOLD_PAGE_MAX)
    found = list(session.execute(queries_gold.gold_health(project_id, after=after, limit=size + 1)))
    lines = [_line(row) for row in found[:size]]
    return GoldPage(lines, lines[-1].task.id if len(found) > size else None)


def gold_line(session: Session, actor: Actor, project_id: UUID, task_id: UUID) -> GoldLine:
    """One of them."""
    access_gold.gold_task(session, actor, project_id, task_id)
    return _line(session.execute(queries_gold.gold_health(project_id, only=task_id, limit=1)).one())


def _line(row: Row[Any]) -> GoldLine:
    return GoldLine(
        task=row.Task,
        gold=row.TaskGold,
        passed=wilson(row.passed, row.results) if row.results else Estimate.unknown("nobody was checked yet"),
        expected=row.expected / row.results if row.results else None,
        open_challenges=row.open_challenges,
    )


def gold_summary(session: Session, actor: Actor, project_id: UUID) -> GoldSummary:
    projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    row = session.execute(queries_gold.gold_summary(project_id)).one()
    waiting = session.scalar(queries_gold.open_challenges(project_id)) or 0
    wanted = session.scalar(queries_gold.practice_wanted(project_id, PRACTICE_NEEDED)) or 0
    enough = row.practice >= rules_gold.PRACTICE_WINDOW
    return GoldSummary(row.known, row.mixed, row.practice, row.explained, waiting, wanted, enough)


def retire_gold(
    session: Session, actor: Actor, project_id: UUID, task_id: UUID, reason: str = "", *, now: datetime
) -> Task:
    """Take a gold task out of the mix for people to practise on, by a manager of the client."""
    task, gold = access_gold.gold_task(session, actor, project_id, task_id, lock=True)
    if gold.retired_because is None:
        retire(session, actor, task, gold, reason.strip() or "retired by the client", "work.gold_retired", now=now)
    return task


def restore_gold(session: Session, actor: Actor, project_id: UUID, task_id: UUID, *, now: datetime) -> Task:
    """Mix a retired gold task in again, by a manager of the client; its watch for a leak begins anew.

    Refused once somebody has practised on it and so been told the answer (`PractisedOn`).
    """
    task, gold = access_gold.gold_task(session, actor, project_id, task_id, lock=True)
    if gold.retired_because is None:
        return task
    if session.scalar(queries_gold.was_practised_on(task.id)):
        raise PractisedOn
    gold.retired_because, gold.leak, gold.leak_log_e = None, None, 0.0
    mixing.move(task, mixing.place_of(session, task))
    session.flush()
    events.record(session, actor, "work.gold_restored", "task", task.id, at=now, project_id=project_id)
    return task


def explain_gold(
    session: Session, actor: Actor, project_id: UUID, task_id: UUID, explanation: str, *, now: datetime
) -> TaskGold:
    """Say why the known answer is right; people read it with their result and in practice."""
    said = explanation.strip()
    if len(said) > rules_gold.EXPLANATION_CHARS_MAX:
        raise Invalid(f"Use at most {rules_gold.EXPLANATION_CHARS_MAX:,} characters.")
    task, gold = access_gold.gold_task(session, actor, project_id, task_id, lock=True)
    if gold.explanation != said:
        gold.explanation = said
        session.flush()
        events.record(session, actor, "work.gold_explained", "task", task.id, at=now, project_id=project_id)
    return gold


def has_material(session: Session, project_id: UUID, person_id: UUID | None = None) -> bool:
    """Whether a project has enough to practise on for somebody to pass a retraining.

    Counts gold tasks that check nobody any more; for a person, also those that have checked them.
    """
    found = session.scalar(queries_gold.material_count(project_id, person_id)) or 0
    return found >= rules_gold.PRACTICE_WINDOW


def refuse_without_material(session: Session, project_id: UUID, person_id: UUID) -> None:
    """`NothingToPractiseOn` where somebody who was asked to practise could not."""
    if not has_material(session, project_id, person_id):
        refused = NothingToPractiseOn()
        refused.problems = [{"path": "kind", "message": refused.message}]
        raise refused
