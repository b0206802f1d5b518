"""Reviewing over the API."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import Field

from preceptor.api.schemas import In, Out
from preceptor.api.work import ReviewOut, SubmissionOut, review_out, submission_out
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.ids import read_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import require_scope
from preceptor.tasktypes.base import to_json
from preceptor.work import service
from preceptor.work.models import Decision
from preceptor.work.service import CriterionVerdict, ReviewItem

router = APIRouter(prefix="/api/v1", tags=["review"])


class ReviewItemOut(Out):
    """A submission leased to you for 30 minutes. It does not say whose it is."""

    submission: SubmissionOut
    task_type: str
    task: dict[str, Any] = Field(
        description="As its author saw it: responses are named A, B, ..., without sources, notes and suggestions."
    )
    answer: dict[str, Any] = Field(description="In the names of `task`.")
    rubric: list[dict[str, Any]]
    content_ratings: list[str] = Field(description="What it may show; keep it covered until the reviewer asks for it.")


class VerdictIn(In):
    key: str = Field(examples=["accuracy"])
    verdict: Literal["met", "not_met", "unclear"]
    comment: str = Field(default="", max_length=2000)
    quote: str = Field(default="", max_length=2000, description="A span marked in the submission.")


class DecisionIn(In):
    decision: Decision
    comment: str = Field(default="", max_length=5000)
    criteria: list[VerdictIn] = Field(default=[], max_length=50)
    worked_seconds: int = Field(default=0, ge=0)


@router.post("/reviews/next", response_model=ReviewItemOut)
def next_review(
    session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now, project_id: str | None = None
) -> ReviewItemOut:
    """The oldest submission that waits for you; the one you have open comes first."""
    require_scope(actor, "review")
    project = read_id("project", project_id) if project_id else None
    return review_item_out(service.next_for_review(session, actor, project, now=now), runtime)


@router.post("/submissions/{submission_id}/review", status_code=201, response_model=ReviewOut)
def decide(submission_id: str, body: DecisionIn, session: Db, actor: CurrentActor, now: Now) -> ReviewOut:
    """Approve, return or reject. Returning needs a comment, rejecting also a criterion that is not met."""
    require_scope(actor, "review")
    review = service.decide(
        session,
        actor,
        read_id("submission", submission_id),
        body.decision,
        comment=body.comment,
        criteria=[CriterionVerdict(**verdict.model_dump()) for verdict in body.criteria],
        worked_seconds=body.worked_seconds,
        now=now,
    )
    return review_out(review)


def review_item_out(item: ReviewItem, runtime: Runtime) -> ReviewItemOut:
    kind, order = item.project.kind, item.claim.display_order
    return ReviewItemOut(
        submission=submission_out(item.submission, runtime),
        task_type=item.project.task_type,
        task=kind.present(kind.payload(item.task.payload), order),
        answer=to_json(kind.as_shown(kind.answer(item.submission.answer), order)),
        rubric=item.rubric,
        content_ratings=list(item.ratings),
    )
