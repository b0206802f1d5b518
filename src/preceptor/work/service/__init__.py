"""What people do with tasks."""

from preceptor.work.service.ahead import keep_ahead, let_go_ahead, let_go_own
from preceptor.work.service.claims import (
    Begun,
    ClaimedWork,
    begin_ahead,
    claim_next,
    claim_task,
    fetch_ahead,
    open_work,
)
from preceptor.work.service.endings import flag_task, release_claim, resolve_flags, skip_claim
from preceptor.work.service.overview import ProjectProgress, project_progress
from preceptor.work.service.progress import beat, save_draft
from preceptor.work.service.proof import prove_work
from preceptor.work.service.quality import PersonQuality, ProjectQuality, person_quality, project_quality
from preceptor.work.service.reviewing import CriterionVerdict, ReviewItem, decide, next_for_review, skip_review
from preceptor.work.service.submitting import submit
from preceptor.work.service.sweeping import approve_due, close_finished_projects, expire_overdue, let_go_idle, sweep

__all__ = [
    "Begun",
    "ClaimedWork",
    "CriterionVerdict",
    "PersonQuality",
    "ProjectProgress",
    "ProjectQuality",
    "ReviewItem",
    "approve_due",
    "beat",
    "begin_ahead",
    "claim_next",
    "claim_task",
    "close_finished_projects",
    "decide",
    "expire_overdue",
    "fetch_ahead",
    "flag_task",
    "keep_ahead",
    "let_go_ahead",
    "let_go_idle",
    "let_go_own",
    "next_for_review",
    "open_work",
    "person_quality",
    "project_progress",
    "project_quality",
    "prove_work",
    "release_claim",
    "resolve_flags",
    "save_draft",
    "skip_claim",
    "skip_review",
    "submit",
    "sweep",
]
