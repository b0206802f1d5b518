"""Statements about suggestions, returned and not executed."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, select

from preceptor.projects.models import Task, TaskGold, TaskState
from preceptor.work.models import Claim, Submission
from preceptor.work.models_judging import AiJudge, AiJudgment, JudgeState, JudgmentOutcome
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionPlan, SuggestionSource


def plan(project_id: UUID, *, lock: bool = False) -> Select[tuple[SuggestionPlan]]:
    wanted = select(SuggestionPlan).where(SuggestionPlan.project_id == project_id)
    return wanted.with_for_update() if lock else wanted


def of_claim(claim_id: UUID) -> Select[tuple[ClaimSuggestion]]:
    return select(ClaimSuggestion).where(ClaimSuggestion.claim_id == claim_id)


def judged(judge_id: UUID, task_id: UUID) -> Select[Any]:
    """(answer, model_version) that a judge in use has given to a task."""
    return (
        select(AiJudgment.answer, AiJudgment.model_version)
        .join(AiJudge, AiJudge.id == AiJudgment.judge_id)
        .where(
            AiJudgment.judge_id == judge_id,
            AiJudgment.task_id == task_id,
            AiJudgment.outcome == JudgmentOutcome.ANSWERED,
            AiJudge.state != JudgeState.RETIRED,
        )
    )


def pressed_before(task_id: UUID, person_id: UUID) -> Select[tuple[bool | None]]:
    """What a person pressed who held the task before and lost the lease."""
    return (
        select(ClaimSuggestion.used)
        .join(Claim, Claim.id == ClaimSuggestion.claim_id)
        .where(ClaimSuggestion.task_id == task_id, Claim.person_id == person_id, ClaimSuggestion.shown)
        .order_by(ClaimSuggestion.claim_id.desc())
        .limit(1)
    )


def sources(project_id: UUID) -> Select[Any]:
    """(source, judge_id) of everything that was suggested in a project, the newest first."""
    return (
        select(ClaimSuggestion.source, ClaimSuggestion.judge_id)
        .where(ClaimSuggestion.project_id == project_id)
        .group_by(ClaimSuggestion.source, ClaimSuggestion.judge_id)
        .order_by(func.max(ClaimSuggestion.created_at).desc())
    )


def _measured(project_id: UUID, source: SuggestionSource, judge_id: UUID | None) -> Any:
    return and_(
        ClaimSuggestion.project_id == project_id,
        ClaimSuggestion.source == source,
        ClaimSuggestion.judge_id == judge_id if judge_id else ClaimSuggestion.judge_id.is_(None),
        ClaimSuggestion.submission_id.is_not(None),
    )


def measured(project_id: UUID, source: SuggestionSource, judge_id: UUID | None, limit: int) -> Select[Any]:
    """First answers to tasks with a suggestion, shown or blind, the newest."""
    return (
        select(
            ClaimSuggestion.claim_id,
            ClaimSuggestion.task_id,
            ClaimSuggestion.shown,
            ClaimSuggestion.agrees,
            ClaimSuggestion.distances,
            ClaimSuggestion.outcome,
            Submission.worked_seconds,
        )
        .join(Submission, Submission.id == ClaimSuggestion.submission_id)
        .where(_measured(project_id, source, judge_id))
        .order_by(ClaimSuggestion.claim_id.desc())
        .limit(limit)
    )


def on_known_answers(project_id: UUID, source: SuggestionSource, judge_id: UUID | None, limit: int) -> Select[Any]:
    """The same of tasks whose known answer stands, with all three answers."""
    return (
        select(
            ClaimSuggestion.task_id,
            ClaimSuggestion.shown,
            ClaimSuggestion.answer.label("suggested"),
            Submission.answer.label("given"),
            TaskGold.answer.label("known"),
            Task.payload,
        )
        .join(Submission, Submission.id == ClaimSuggestion.submission_id)
        .join(Task, Task.id == ClaimSuggestion.task_id)
        .join(TaskGold, and_(TaskGold.task_id == Task.id, TaskGold.retired_because.is_(None)))
        .where(_measured(project_id, source, judge_id))
        .order_by(ClaimSuggestion.claim_id.desc())
        .limit(limit)
    )


def covered(project_id: UUID, judge_id: UUID) -> Select[Any]:
    """(open tasks, those of them that the judge has answered)."""
    answered = exists().where(
        AiJudgment.task_id == Task.id,
        AiJudgment.judge_id == judge_id,
        AiJudgment.outcome == JudgmentOutcome.ANSWERED,
    )
    return select(func.count().label("open"), func.count().filter(answered).label("answered")).where(
        Task.project_id == project_id, Task.state.in_([TaskState.OPEN, TaskState.GOLD])
    )


def of_submissions(submission_ids: Sequence[UUID]) -> Select[tuple[ClaimSuggestion]]:
    """Suggestions of these submissions' claims."""
    claims = select(Submission.claim_id).where(Submission.id.in_(submission_ids))
    return select(ClaimSuggestion).where(ClaimSuggestion.claim_id.in_(claims))
