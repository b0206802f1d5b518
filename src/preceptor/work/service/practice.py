"""Calibration practice: tasks whose answer is known, explained at once, unpaid and never part of the data.

Aimed at the mistakes a person makes. The material is what has checked the person already, and gold tasks that check
nobody any more; so practising never tells what may still be asked.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy.orm import Session

from preceptor.fairness.models import DecisionReceipt
from preceptor.kit import events
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people import content
from preceptor.projects.models import Membership, MembershipState, Project, Task, TaskGold
from preceptor.quality.tally import by_position
from preceptor.tasktypes.base import Problem, Row, UnknownLabel, problems_of, to_json
from preceptor.tasktypes.working import Working
from preceptor.work import access_gold, queries_gold, rules_gold
from preceptor.work.errors import Incomplete
from preceptor.work.models_quality import PracticeAnswer
from preceptor.work.service import membership_decisions
from preceptor.work.service.gold import PRACTICE_NEEDED
from preceptor.work.service.gold import has_material as has_material

MATERIAL_MAX = 500
ANSWERS_MAX = 1_000
ROUND_MAX = 1_000_000


@dataclass(frozen=True)
class PracticeProgress:
    """How practice goes. `retraining` is None for who practises by choice."""

    answered: int
    """Practice answers, since retraining was asked for if it was."""
    recent: tuple[bool, ...]
    """Whether the last different tasks were right, newest first; at most `rules_gold.PRACTICE_WINDOW`."""
    material: int
    """Tasks that this person can practise on."""
    retraining: bool
    finished: bool
    """Whether the last answer has ended the retraining."""

    @property
    def right(self) -> int:
        return sum(self.recent)


@dataclass(frozen=True)
class PracticeItem:
    """One task to practise on, as shown. `round` draws the order of display; send it back with the answer."""

    task_id: UUID
    round: int
    project: Project
    config: dict[str, Any]
    payload: Row
    own_mistake: bool
    """Whether the person has once got it wrong in work that counted."""
    ratings: tuple[str, ...] = ()
    """What project and task may show; covered until asked for."""


@dataclass(frozen=True)
class PracticeFeedback:
    """What an answer was worth and why; the known answer in the names that were shown."""

    score: float
    passed: bool
    reasons: tuple[str, ...]
    explanation: str
    known_answer: Row
    progress: PracticeProgress


def progress(session: Session, actor: Actor, project_id: UUID) -> PracticeProgress:
    """How far a person has come with practice in a project."""
    held = access_gold.practising(session, actor, project_id)
    return _progress(session, held)


def next_item(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> PracticeItem | None:
    """The task that the person would learn most from: own mistakes first, then what has the labels they miss.

    None where there is nothing to practise on; the client is told of it, once a person, by an event that their gold
    page counts.
    """
    held = access_gold.practising(session, actor, project_id)
    project = session.get_one(Project, project_id)
    kind = project.kind
    material = [row._tuple() for row in session.execute(_material(held))]
    if not material:
        _tell_client(session, actor, project, held, now)
        return None
    answered = list(session.scalars(queries_gold.practised(held.person_id, project_id, None).limit(ANSWERS_MAX)))
    task, own_mistake = _most_urgent(kind, material, answered)
    turn = sum(answer.task_id == task.id for answer in answered) % ROUND_MAX
    _, shown = _shown(kind, task, turn, held.person_id)
    ratings = content.together(project.content_ratings, task.content_ratings)
    return PracticeItem(task.id, turn, project, project.config, to_json(shown), own_mistake, ratings)


def answer_item(
    session: Session,
    actor: Actor,
    project_id: UUID,
    task_id: UUID,
    answer: Mapping[str, Any],
    *,
    round: int,
    now: datetime,
) -> PracticeFeedback:
    """Score an answer (in shown names), keep it, and explain it. Enough right ones end a retraining.

    `Incomplete` says what is missing, as at work; NotFound for a task that is not practice material of this person.
    Lock order: membership, which `finish_retraining` takes; nothing else is locked.
    """
    held = access_gold.practising(session, actor, project_id)
    row = session.execute(queries_gold.practice_task(held.person_id, project_id, task_id)).one_or_none()
    if row is None:
        raise NotFound("task")
    task, known = row._tuple()
    project = session.get_one(Project, project_id)
    kind = project.kind
    order, shown = _shown(kind, task, round, held.person_id)
    given = _read(kind, shown, answer)
    key = kind.as_shown(kind.answer(known.answer), order)
    scored = kind.score(shown, given, key)
    passed = rules_gold.passes(scored.value)
    session.add(
        PracticeAnswer(
            project_id=project_id,
            person_id=held.person_id,
            task_id=task.id,
            answer=to_json(_canonical(kind, given, order)),
            score=scored.value,
            passed=passed,
            created_at=now,
        )
    )
    session.flush()
    _record(session, actor, "work.practised", project, held.person_id, now, {"task": str(task.id), "passed": passed})
    return PracticeFeedback(
        score=scored.value,
        passed=passed,
        reasons=scored.reasons,
        explanation=known.explanation,
        known_answer=to_json(key),
        progress=_after_answer(session, actor, project, held, now),
    )


# --- What to practise on


def _material(held: Membership) -> Any:
    return queries_gold.practice_material(held.person_id, held.project_id, MATERIAL_MAX)


def _most_urgent(
    kind: Working, material: Sequence[tuple[Task, TaskGold, Any, bool | None]], answered: Sequence[PracticeAnswer]
) -> tuple[Task, bool]:
    """The task to ask next, with whether it was an own mistake. Among equals, the one practised longest ago."""
    keys = {task.id: _places(kind, task, known.answer) for task, known, _, _ in material}
    confusions = _confusions(kind, material, keys)
    ago: dict[UUID, int] = {}
    for place, answer in enumerate(answered):
        ago.setdefault(answer.task_id, place)

    def urgency(row: tuple[Task, TaskGold, Any, bool | None]) -> tuple[int, bool, int]:
        task, _, _, passed = row
        # Nothing comes again before everything else was there.
        return ago.get(task.id, ANSWERS_MAX), *rules_gold.practice_urgency(
            confusions, set(keys[task.id].values()), passed is False
        )

    best = max(material, key=urgency)
    return best[0], best[3] is False


def _places(kind: Working, task: Task, answer: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an answer by unit, named by position so that they mean the same in every task."""
    payload = kind.payload(task.payload)
    labels = kind.labels(payload, kind.answer(answer))
    return {unit: str(place) for unit, place in by_position(labels, kind.unit_labels(payload)).items()}


def _confusions(
    kind: Working,
    material: Sequence[tuple[Task, TaskGold, Any, bool | None]],
    keys: Mapping[UUID, Mapping[str, str]],
) -> Counter[tuple[str, str]]:
    """The person's mistakes on known answers by (right label, given label)."""
    found: Counter[tuple[str, str]] = Counter()
    for task, _, answer, passed in material:
        if passed is False and answer is not None:
            given = _places(kind, task, answer)
            found.update(
                (right, given.get(unit, "")) for unit, right in keys[task.id].items() if given.get(unit) != right
            )
    return found


def _shown(kind: Working, task: Task, round: int, person_id: UUID) -> tuple[list[str], BaseModel]:
    # Nothing is stored before the answer, so the order is drawn from person and round: the same when it comes back.
    payload = kind.payload(task.payload)
    order = kind.display_order(payload, Random(f"{task.id}:{person_id}:{round % ROUND_MAX}"))
    return order, kind.payload(kind.present(payload, order))


def _read(kind: Working, shown: BaseModel, answer: Mapping[str, Any]) -> BaseModel:
    """A complete answer in shown names, by the task type's own rules."""
    try:
        given = kind.answer(answer)
    except ValidationError as error:
        raise _incomplete(problems_of(error)) from None
    problems = kind.check(shown, given)
    if problems:
        raise _incomplete(problems)
    return given


def _canonical(kind: Working, given: BaseModel, order: Sequence[str]) -> BaseModel:
    try:
        return kind.canonical(given, order)
    except UnknownLabel as error:
        raise Incomplete(str(error)) from error


def _incomplete(problems: Sequence[Problem]) -> Incomplete:
    found = [{"path": problem.path, "message": problem.message} for problem in problems]
    return Incomplete(problems[0].message, found)


# --- Progress and retraining


def _progress(session: Session, held: Membership, *, finished: bool = False) -> PracticeProgress:
    retraining = held.state is MembershipState.RETRAINING
    since = _asked_at(session, held) if retraining or finished else None
    answered = list(session.scalars(queries_gold.practised(held.person_id, held.project_id, since).limit(ANSWERS_MAX)))
    recent = rules_gold.last_different((answer.task_id, answer.passed) for answer in answered)
    material = session.scalar(queries_gold.material_count(held.project_id, held.person_id)) or 0
    return PracticeProgress(len(answered), tuple(recent), material, retraining, finished)


def _asked_at(session: Session, held: Membership) -> datetime | None:
    receipt = session.get(DecisionReceipt, held.receipt_id) if held.receipt_id is not None else None
    return receipt.decided_at if receipt is not None else None


def _after_answer(
    session: Session, actor: Actor, project: Project, held: Membership, now: datetime
) -> PracticeProgress:
    so_far = _progress(session, held)
    if not so_far.retraining or not rules_gold.has_passed_practice(so_far.recent):
        return so_far
    ended = membership_decisions.finish_retraining(session, held.person_id, project.id, now=now)
    if ended:
        data = {"right": so_far.right, "of": len(so_far.recent)}
        _record(session, actor, "work.practice_passed", project, held.person_id, now, data)
    return _progress(session, held, finished=ended)


def _tell_client(session: Session, actor: Actor, project: Project, held: Membership, now: datetime) -> None:
    """Leave word that somebody found nothing to practise on, once for each person."""
    if not session.scalar(queries_gold.was_told(PRACTICE_NEEDED, project.id, held.person_id)):
        _record(session, actor, PRACTICE_NEEDED, project, held.person_id, now, {})


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    project: Project,
    person_id: UUID,
    now: datetime,
    data: Mapping[str, Any],
) -> None:
    events.record(
        session,
        actor,
        kind,
        "project",
        project.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        person_id=person_id,
        data=dict(data),
    )
