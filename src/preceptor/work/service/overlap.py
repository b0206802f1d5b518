"""Adaptive overlap: after each judgment, ask one more person, stop, or escalate.

Everything is decided under the lock of the task, which each submission, rejection and ended claim takes anyway to
count: the last one to come sees all judgments before it. What is decided is always one plan (`rules_quality.plan`)
computed from what counts now, so a decision can be made anew at any time, and twice is the same as once.

The posterior is that of a class-wise model: people's confusion counts from the newest fit, shrunk towards the crowd's
(`quality.incremental.item_posterior`), calibrated as that fit was. Skills stand still between two fits; the judgments
of the task do not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session, sessionmaker

from preceptor.kit.db import run_in_transaction
from preceptor.projects.models import OverlapMode, Project, Task, TaskState
from preceptor.quality.asking import expected_gain
from preceptor.quality.incremental import Counts, Crowd, item_posterior
from preceptor.quality.picking import read_calibration
from preceptor.tasktypes.working import Working, working
from preceptor.work import queries, queries_quality, rules_quality
from preceptor.work.models_quality import AnswerState
from preceptor.work.rules_quality import Plan, Terms

PAGE_TASKS = 200
"""Tasks looked at in one transaction: their locks are held for tenths of a second."""
DIGITS = 6
ACCURACY_MARGIN = 0.05
"""Before the first fit people are taken to be at least this much better than chance."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the judgments of one task say together.

    `units`: chance of each label by unit. `confidence`: the least sure unit's greatest chance; 1 where the task has
    no units, since there is nothing to infer. `value_of_next`: see `TaskQuality`.
    """

    units: dict[str, dict[str, float]]
    confidence: float
    value_of_next: float | None


def after_submission(session: Session, task_id: UUID, *, now: datetime) -> Plan | None:
    """Decide about the task of an answer just stored. The caller's statement has locked the task."""
    return _decide(session, [task_id], now, write_all=True).get(task_id)


def after_gold(session: Session, task_id: UUID, *, now: datetime) -> None:
    """What an answer to a gold task does instead: the same reading, weighing and writing, and nothing is decided.

    Its author could else tell it by the time it takes. The caller's statement has locked the task.
    """
    row = session.execute(queries_quality.STANDING_GOLD, {"task_ids": [task_id]}).one()
    plan = Plan(row.wanted, AnswerState.RESOLVED)
    # Told is a change of state, and the state of a gold task does not change.
    kept = _to_keep(row, weigh(row), plan, now) | {"told": None}
    session.execute(queries_quality.KEEP_GOLD, kept)


def after_change(session: Session, task_ids: Sequence[UUID], *, now: datetime) -> None:
    """Decide anew after judgments were rejected or returned, or claims ended. The caller holds the tasks' locks."""
    session.flush()
    _decide(session, task_ids, now, write_all=True)


def back_in_queue(session: Session, task: Task, *, now: datetime) -> None:
    """A locked task is given to people again, from the mix of gold or after somebody has looked: with adaptive overlap
    decide anew, since nobody may come who would."""
    session.flush()
    if task.state is TaskState.OPEN and session.get_one(Project, task.project_id).overlap_mode is OverlapMode.ADAPTIVE:
        after_change(session, [task.id], now=now)


def reconsider_project(sessions: sessionmaker[Session], project_id: UUID, *, now: datetime) -> int:
    """Decide anew about every task of a project, in short transactions; returns how many plans changed.

    For new settings and new skills. Only tasks whose plan would change are locked. Whoever changes settings has
    waited for all submissions under way (`projects.service.projects.update_project`), so each one counts either here
    or by the new settings.
    """
    changed, after = 0, None
    while True:
        with sessions() as session:
            ids = list(session.scalars(queries_quality.tasks_page(project_id, after=after, limit=PAGE_TASKS)))
            rows = session.execute(queries_quality.STANDING, {"task_ids": ids})
            stale = [row.id for row in rows if row.task_state != TaskState.GOLD and _is_stale(row)]
        if not ids:
            return changed
        changed += reconsider(sessions, stale, now=now)
        after = ids[-1]


def _is_stale(row: Row[Any]) -> bool:
    return _plan(row, weigh(row)) != Plan(row.wanted, AnswerState(row.answer_state or AnswerState.ASKING))


def _plan(row: Row[Any], weighed: Weighed) -> Plan:
    return rules_quality.plan(terms_of(row), taken=row.taken, done=row.done, confidence=weighed.confidence)


def reconsider(sessions: sessionmaker[Session], task_ids: Sequence[UUID], *, now: datetime) -> int:
    """Decide anew about some tasks, `PAGE_TASKS` at a time; returns how many plans changed."""
    return sum(run_in_transaction(sessions, partial(_decide_page, page, now)) for page in _pages(task_ids))


def _decide_page(task_ids: list[UUID], now: datetime, session: Session) -> int:
    session.execute(queries.tasks_locked(task_ids))
    return len(_decide(session, task_ids, now, write_all=False))


def _pages(ids: Sequence[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), PAGE_TASKS):
        yield list(ids[start : start + PAGE_TASKS])


def _decide(session: Session, task_ids: Sequence[UUID], now: datetime, *, write_all: bool) -> dict[UUID, Plan]:
    """Plans of these locked tasks, written; of those that changed only, unless `write_all`."""
    plans, values = {}, []
    for row in session.execute(queries_quality.STANDING, {"task_ids": list(task_ids)}):
        if row.task_state == TaskState.GOLD:
            continue  # Its answer is known; it is given out by another rule.
        weighed = weigh(row)
        plan = _plan(row, weighed)
        if write_all or plan != Plan(row.wanted, AnswerState(row.answer_state or AnswerState.ASKING)):
            plans[row.id] = plan
            values.append(_to_keep(row, weighed, plan, now))
    # In the order of ids, as the fit writes its posteriors: two writers never wait for each other in a circle.
    if values:
        session.execute(queries_quality.KEEP_PLAN, values)
    return plans


def terms_of(row: Row[Any]) -> Terms:
    """A project's settings for asking, from its columns and the newest fit's diagnostics."""
    guard = (row.diagnostics or {}).get("guard") or {}
    required = row.confidence
    if guard.get("tightened"):
        # No confidence was enough where none is stored: then the cap decides.
        required = max(required, 2.0 if guard.get("required") is None else guard["required"])
    return Terms(
        mode=OverlapMode(row.overlap_mode),
        overlap=row.overlap,
        floor=row.overlap_floor,
        cap=row.overlap_cap,
        required=required,
        rate_minor=row.rate_minor,
        price_limit_minor=row.price_limit_minor,
    )


def weigh(row: Row[Any]) -> Weighed:
    """The posterior of a task's units, from a row of `queries_quality.STANDING`."""
    kind = working(row.task_type, row.config)
    payload = kind.payload(row.payload)
    possible = kind.unit_labels(payload)
    given = _labels_by_unit(kind, payload, possible, row.answers)
    calibration = read_calibration(row.calibration)
    units: dict[str, dict[str, float]] = {}
    least: tuple[float, list[float], Crowd] | None = None
    for unit, names in possible.items():
        crowd = crowd_for(len(names), row)
        chances = unit_posterior(given.get(unit, []), len(names), crowd)
        if calibration is not None and crowd is not None:
            chances = calibration.apply(np.array([chances]))[0].tolist()
        units[unit] = {name: round(chance, DIGITS) for name, chance in zip(names, chances, strict=True)}
        if crowd is not None and (least is None or max(chances) < least[0]):
            least = (max(chances), chances, crowd)
    if least is None:
        return Weighed(units, 1.0, None)
    return Weighed(units, least[0], _value_of_next(least[1], least[2]))


def _labels_by_unit(
    kind: Working, payload: Any, possible: Mapping[str, Sequence[str]], answers: Sequence[tuple[Any, Any]]
) -> dict[str, list[tuple[Counts | None, int]]]:
    """Per unit: (confusion counts of the person, place of the label) of every answer."""
    given: dict[str, list[tuple[Counts | None, int]]] = {}
    for answer, counts in answers:
        labels = kind.labels(payload, kind.answer(answer))
        for unit, place in rules_quality.places(labels, possible).items():
            given.setdefault(unit, []).append((counts, place))
    return given


def crowd_for(classes: int, row: Row[Any]) -> Crowd | None:
    """The crowd of the newest fit; before there is one (or for more classes than it knew), people are taken to meet
    the project's standard. None for a single class, where nothing is to be decided."""
    if classes < 2:
        return None
    if row.prior is not None and len(row.prior) >= classes:
        return Crowd(
            tuple(row.prior), tuple(_as_chances(counts) for counts in row.pooled), row.diagnostics["shrinkage"]
        )
    return assumed_crowd(classes, row.standard)


def assumed_crowd(classes: int, standard: float) -> Crowd:
    """People before anything is known about them: as good as the project expects, and better than chance."""
    return Crowd.assumed(classes, accuracy=max(standard, 1 / classes + ACCURACY_MARGIN))


def _as_chances(counts: Sequence[float]) -> tuple[float, ...]:
    total = sum(counts)
    return tuple(count / total for count in counts) if total > 0 else (1 / len(counts),) * len(counts)


def unit_posterior(given: Sequence[tuple[Counts | None, int]], classes: int, crowd: Crowd | None) -> list[float]:
    """Chances of a unit's labels. A unit with fewer labels than the crowd has classes keeps to its own."""
    if crowd is None:
        return [1.0] * classes
    unknown = ((0.0,) * crowd.classes,) * crowd.classes
    labels = [(counts if counts and len(counts) == crowd.classes else unknown, place) for counts, place in given]
    chances = list(item_posterior(labels, crowd.pooled, crowd.prior, crowd.shrinkage)[:classes])
    total = sum(chances)
    return [chance / total for chance in chances] if total > 0 else [1 / classes] * classes


def _value_of_next(chances: list[float], crowd: Crowd) -> float:
    padded = chances + [0.0] * (crowd.classes - len(chances))
    return float(expected_gain(padded, crowd.pooled))


_TOLD = {
    AnswerState.ASKING: "work.answer_reopened",
    AnswerState.RESOLVED: "work.answer_resolved",
    AnswerState.ESCALATED: "work.answer_escalated",
}


def _told(row: Row[Any], plan: Plan) -> str | None:
    """Which event to leave: a change of state first, else an extra ask."""
    if plan.state != (row.answer_state or AnswerState.ASKING):
        return _TOLD[plan.state]
    return "work.asked_again" if plan.wanted > row.wanted else None


def _to_keep(row: Row[Any], weighed: Weighed, plan: Plan, now: datetime) -> dict[str, Any]:
    data = {"judgments": row.done, "wanted": plan.wanted, "confidence": round(weighed.confidence, DIGITS)}
    return {
        "task_id": row.id,
        "project_id": row.project_id,
        "org_id": row.org_id,
        "wanted": plan.wanted,
        "judgments": row.done,
        "units": orjson.dumps(weighed.units).decode(),
        "confidence": weighed.confidence,
        "state": plan.state,
        "value_of_next": weighed.value_of_next,
        "fit_id": row.fit_id,
        "told": _told(row, plan),
        "data": orjson.dumps(data).decode(),
        "now": now,
    }
