"""Statements about AI judges, returned and not executed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select

from preceptor.endpoints.chat import Outcome
from preceptor.endpoints.models import Generation, ModelEndpoint, Purpose
from preceptor.projects.models import Task, TaskGold, TaskState
from preceptor.work.models_judging import (
    AiJudge,
    AiJudgeSkill,
    AiJudgment,
    JudgeScope,
    JudgeState,
    JudgmentOutcome,
)
from preceptor.work.models_suggestions import ClaimSuggestion


def judge(judge_id: UUID, *, lock: bool = False) -> Select[tuple[AiJudge]]:
    wanted = select(AiJudge).where(AiJudge.id == judge_id)
    return wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted


def judges(project_id: UUID, *, before: UUID | None = None, limit: int | None = None) -> Select[tuple[AiJudge]]:
    """A project's judges, newest first, the retired ones too."""
    wanted = select(AiJudge).where(AiJudge.project_id == project_id)
    if before is not None:
        wanted = wanted.where(AiJudge.id < before)
    return wanted.order_by(AiJudge.id.desc()).limit(limit)


def in_use(project_id: UUID, title: str) -> Select[tuple[UUID]]:
    return select(AiJudge.id).where(
        AiJudge.project_id == project_id, AiJudge.title == title, AiJudge.state != JudgeState.RETIRED
    )


def endpoints_of(judge_ids: Sequence[UUID]) -> Select[tuple[UUID, ModelEndpoint]]:
    return (
        select(AiJudge.id, ModelEndpoint)
        .join(ModelEndpoint, ModelEndpoint.id == AiJudge.endpoint_id)
        .where(AiJudge.id.in_(judge_ids))
    )


def tallies(judge_ids: Sequence[UUID]) -> Select[Any]:
    """Per judge: judgments by outcome, tokens, cost, mean latency, agreement of both orders, versions."""
    counts = [func.count().filter(AiJudgment.outcome == outcome).label(outcome.value) for outcome in JudgmentOutcome]
    return (
        select(
            AiJudgment.judge_id,
            *counts,
            func.sum(AiJudgment.cost).label("cost"),
            func.sum(AiJudgment.input_tokens).label("input_tokens"),
            func.sum(AiJudgment.output_tokens).label("output_tokens"),
            func.bool_or(AiJudgment.tokens_estimated).label("tokens_estimated"),
            func.percentile_cont(0.5).within_group(AiJudgment.latency_ms).label("latency_ms"),
            func.count().filter(AiJudgment.consistent.is_(True)).label("consistent"),
            func.count(AiJudgment.consistent).label("asked_twice"),
            func.array_agg(AiJudgment.model_version.distinct())
            .filter(AiJudgment.model_version.is_not(None))
            .label("versions"),
        )
        .where(AiJudgment.judge_id.in_(judge_ids))
        .group_by(AiJudgment.judge_id)
    )


def skills(judge_ids: Sequence[UUID]) -> Select[tuple[AiJudgeSkill]]:
    return select(AiJudgeSkill).where(AiJudgeSkill.judge_id.in_(judge_ids))


def judgments(judge_id: UUID, *, before: UUID | None, limit: int) -> Select[tuple[AiJudgment, Task]]:
    """A judge's judgments with their tasks, newest first."""
    wanted = select(AiJudgment, Task).join(Task, Task.id == AiJudgment.task_id).where(AiJudgment.judge_id == judge_id)
    if before is not None:
        wanted = wanted.where(AiJudgment.id < before)
    return wanted.order_by(AiJudgment.id.desc()).limit(limit)


def _to_judge(judge: AiJudge) -> Any:
    asked_before = and_(AiJudgment.judge_id == judge.id, AiJudgment.task_id == Task.id)
    unanswered = and_(
        AiJudgment.outcome.in_([JudgmentOutcome.FAILED, JudgmentOutcome.UNREADABLE]), AiJudgment.run < judge.run
    )
    settled = exists().where(asked_before, ~unanswered if judge.again else AiJudgment.id.is_not(None))
    known = exists().where(TaskGold.task_id == Task.id, TaskGold.retired_because.is_(None))
    wanted = [
        Task.project_id == judge.project_id,
        Task.state.in_([TaskState.OPEN, TaskState.GOLD]),
        ~settled,
    ]
    if judge.scope is JudgeScope.JUDGED:
        wanted.append(or_(Task.done > 0, known))
    return and_(*wanted)


def next_tasks(judge: AiJudge, *, after: UUID | None, limit: int) -> Select[tuple[UUID]]:
    """Tasks that the judge's run has still to ask about, in the order of arrival."""
    wanted = select(Task.id).where(_to_judge(judge))
    if after is not None:
        wanted = wanted.where(Task.id > after)
    return wanted.order_by(Task.id).limit(limit)


def tasks_left(judge: AiJudge) -> Select[tuple[int]]:
    return select(func.count()).select_from(Task).where(_to_judge(judge))


def judged_in_run(judge_id: UUID, run: int) -> Select[tuple[int]]:
    return select(func.count()).where(AiJudgment.judge_id == judge_id, AiJudgment.run == run)


def spent(judge_id: UUID) -> Select[Any]:
    return select(func.coalesce(func.sum(AiJudgment.cost), 0)).where(AiJudgment.judge_id == judge_id)


def generations(task_id: UUID, key: str) -> Select[tuple[Generation]]:
    """Everything that was asked under keys that begin so, for a task, oldest first."""
    return (
        select(Generation)
        .where(
            Generation.task_id == task_id,
            Generation.claim_id.is_(None),
            Generation.purpose == Purpose.JUDGE,
            Generation.request_key.startswith(key, autoescape=True),
        )
        .order_by(Generation.id)
    )


def finished(task_id: UUID, key: str) -> Select[tuple[Generation]]:
    """A reply to exactly this question that has come already."""
    found = select(Generation).where(
        Generation.task_id == task_id,
        Generation.claim_id.is_(None),
        Generation.purpose == Purpose.JUDGE,
        Generation.request_key == key,
        Generation.outcome == Outcome.FINISHED,
    )
    return found.order_by(Generation.id).limit(1)


def answered_of_tasks(task_ids: Sequence[UUID]) -> Select[Any]:
    """(judge, task, answer, seen) of these tasks, of judges that are not retired. `seen`: somebody who judged the task
    was shown this judge's answer as a suggestion."""
    seen = exists().where(
        ClaimSuggestion.task_id == AiJudgment.task_id,
        ClaimSuggestion.judge_id == AiJudgment.judge_id,
        ClaimSuggestion.shown,
        ClaimSuggestion.submission_id.is_not(None),
    )
    return (
        select(AiJudgment.judge_id, AiJudgment.task_id, AiJudgment.answer, seen.label("seen"))
        .join(AiJudge, AiJudge.id == AiJudgment.judge_id)
        .where(
            AiJudgment.task_id.in_(task_ids),
            AiJudgment.outcome == JudgmentOutcome.ANSWERED,
            AiJudge.state != JudgeState.RETIRED,
        )
        .order_by(AiJudgment.task_id, AiJudgment.judge_id)
    )
