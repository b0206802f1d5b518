"""Statements about suggestions, returned and not executed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, and_, func, literal, null, select, union_all

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
        .order_by(ClaimSuggestion.created_at.desc(), ClaimSuggestion.claim_id.desc())
        .limit(1)
    )


def sent_before(task_id: UUID, person_id: UUID) -> Select[tuple[UUID]]:
    """A claim of this person on this task that had a suggestion, shown or blind."""
    claims = select(Claim.id).where(Claim.task_id == task_id, Claim.person_id == person_id)
    return select(ClaimSuggestion.claim_id).where(ClaimSuggestion.claim_id.in_(claims)).limit(1)


def sources(project_id: UUID, judges: int, limit: int) -> Select[Any]:
    """(source, judge_id, newest moment) of what was suggested in a project, the newest first: what came with the tasks,
    and each of its newest judges. One look into an index for each, however many claims there are."""
    judge = select(AiJudge.id).where(AiJudge.project_id == project_id).order_by(AiJudge.id.desc()).limit(judges)
    of_judges = judge.subquery()
    newest = _newest(project_id, SuggestionSource.JUDGE, of_judges.c.id).correlate(of_judges).scalar_subquery()
    found = union_all(
        select(
            literal(SuggestionSource.FILE.value).label("source"),
            null().cast(Uuid).label("judge_id"),
            _newest(project_id, SuggestionSource.FILE, None).scalar_subquery().label("newest"),
        ),
        select(literal(SuggestionSource.JUDGE.value), of_judges.c.id, newest),
    ).subquery()
    latest_first = (found.c.newest.desc(), found.c.judge_id.desc())
    return select(found).where(found.c.newest.is_not(None)).order_by(*latest_first).limit(limit)


def _newest(
    project_id: UUID, source: SuggestionSource, judge_id: ColumnElement[UUID] | None
) -> Select[tuple[datetime]]:
    """By the moment, which only the index of sources is sorted by: the primary key would be walked to its end in
    search of a source that never suggested."""
    found = select(ClaimSuggestion.created_at).where(_from(project_id, source, judge_id))
    return found.order_by(ClaimSuggestion.created_at.desc()).limit(1)


def _from(
    project_id: UUID, source: SuggestionSource, judge_id: UUID | ColumnElement[UUID] | None
) -> ColumnElement[bool]:
    return and_(
        ClaimSuggestion.project_id == project_id,
        ClaimSuggestion.source == source,
        ClaimSuggestion.judge_id.is_(None) if judge_id is None else ClaimSuggestion.judge_id == judge_id,
    )


def _measured(project_id: UUID, source: SuggestionSource, judge_id: UUID | None) -> ColumnElement[bool]:
    return and_(_from(project_id, source, judge_id), ClaimSuggestion.submission_id.is_not(None))


def measured(project_id: UUID, source: SuggestionSource, judge_id: UUID | None, limit: int) -> Select[Any]:
    """First answers to tasks with a suggestion, shown or blind, the newest."""
    return (
        select(
            ClaimSuggestion.claim_id,
            ClaimSuggestion.task_id,
            ClaimSuggestion.shown,
            ClaimSuggestion.blind_percent,
            ClaimSuggestion.created_at,
            ClaimSuggestion.agrees,
            ClaimSuggestion.distances,
            ClaimSuggestion.outcome,
            Submission.worked_seconds,
        )
        .join(Submission, Submission.id == ClaimSuggestion.submission_id)
        .where(_measured(project_id, source, judge_id))
        .order_by(ClaimSuggestion.created_at.desc(), ClaimSuggestion.claim_id.desc())
        .limit(limit)
    )


def on_known_answers(
    project_id: UUID, source: SuggestionSource, judge_id: UUID | None, since: UUID, percent: int, limit: int
) -> Select[Any]:
    """The same of tasks whose known answer stands, with all three answers: those drawn at this blind share, from this
    claim on."""
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
        .where(
            _measured(project_id, source, judge_id),
            ClaimSuggestion.claim_id >= since,
            ClaimSuggestion.blind_percent == percent,
        )
        .order_by(ClaimSuggestion.created_at.desc(), ClaimSuggestion.claim_id.desc())
        .limit(limit)
    )


def covered(project_id: UUID, judge_id: UUID, limit: int) -> Select[Any]:
    """(tasks, open ones of them, those of these that the judge has answered) among the newest tasks of a project."""
    task = (
        select(Task.id, Task.state).where(Task.project_id == project_id).order_by(Task.id.desc()).limit(limit)
    ).subquery()
    # With a limit of its own it is one look for each task; as EXISTS it may become a table of all that was judged.
    answered = (
        select(literal(1))
        .where(
            AiJudgment.task_id == task.c.id,
            AiJudgment.judge_id == judge_id,
            AiJudgment.outcome == JudgmentOutcome.ANSWERED,
        )
        .limit(1)
        .scalar_subquery()
    )
    is_open = task.c.state.in_([TaskState.OPEN, TaskState.GOLD])
    return select(
        func.count().label("looked_at"),
        func.count().filter(is_open).label("open"),
        func.count().filter(is_open, answered.is_not(None)).label("answered"),
    ).select_from(task)


def of_submissions(submission_ids: Sequence[UUID]) -> Select[tuple[ClaimSuggestion]]:
    """Suggestions of these submissions' claims."""
    claims = select(Submission.claim_id).where(Submission.id.in_(submission_ids))
    return select(ClaimSuggestion).where(ClaimSuggestion.claim_id.in_(claims))
