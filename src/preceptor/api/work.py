"""Claims, drafts, submissions: what a contributor does."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response, status
from pydantic import Field
from sqlalchemy.orm import Session

from preceptor.api.schemas import In, MoneyOut, Out, PageSize, json_answer, money_out
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, read_veiled, show_id, show_veiled
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import require_scope
from preceptor.work import access, service
from preceptor.work.models import Claim, ClaimState, Review, Submission, SubmissionState
from preceptor.work.service import ClaimedWork, suggesting
from preceptor.work.service import history as histories

router = APIRouter(prefix="/api/v1", tags=["work"])


class ClaimIn(In):
    task_id: str | None = Field(
        default=None,
        description="Claim this task, by the `task_id` of a claim that you had; without it, the next one for you.",
        examples=[None],
    )


class ClaimOut(Out):
    id: str = Field(examples=["clm_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    project_id: str
    task_id: str = Field(description="The same for everybody who works on the task, and not its id for the client.")
    state: ClaimState
    leased_until: datetime
    rate: MoneyOut
    """Fixed for this claim, whatever happens to the project's rate."""
    worked_seconds: int
    draft: dict[str, Any] | None
    draft_number: int
    draft_saved_at: datetime | None


class SuggestionOut(Out):
    answer: dict[str, Any]
    words: str = Field(description="The same in a few words.")
    model: str = Field(description="As the task's file names it; empty for an AI judge.")
    used: bool | None = Field(description="What you said last: begun with it, done without, neither (null).")


class SuggestionUseIn(In):
    used: bool | None = Field(description="Begin with it, do without it, or (null) take back what you said.")


class ClaimedTaskOut(ClaimOut):
    task_type: str
    config: dict[str, Any]
    task: dict[str, Any] = Field(description="The payload as shown: responses are named A, B, ... in shown order.")
    content_ratings: list[str] = Field(description="What it may show; keep it covered until the person asks for it.")
    suggestion: SuggestionOut | None = Field(
        default=None,
        description="A model's answer in shown names. It binds to nothing, and part of the tasks come without.",
    )


class DraftIn(In):
    draft: dict[str, Any]
    number: int = Field(
        ge=1, le=2**31 - 1, description="Counts up with each change; an older number that arrives late is ignored."
    )


class DraftOut(Out):
    number: int
    saved_at: datetime


class BeatOut(Out):
    state: ClaimState
    leased_until: datetime
    worked_seconds: int
    now: datetime
    ahead_claim_id: str | None = Field(
        description="The claim that is set aside as your next, kept by this beat; null where there is none."
    )


class SubmissionIn(In):
    answer: dict[str, Any] = Field(
        description="In shown names, as the task type's answer schema says.",
        examples=[{"ranks": {"A": 1, "B": 2}, "strength": 2, "justification": "A names its source; B guesses."}],
    )


class ReviewOut(Out):
    decision: str
    comment: str
    criteria: list[dict[str, Any]]
    decided_at: datetime


class SubmissionOut(Out):
    id: str
    claim_id: str
    task_id: str
    project_id: str
    revision: int
    state: SubmissionState
    pay: MoneyOut | None = None
    created_at: datetime
    decided_at: datetime | None
    review: ReviewOut | None = None


class SubmissionPage(Out):
    items: list[SubmissionOut]
    next_cursor: str | None


class SkipIn(In):
    reason: str = Field(examples=["not_my_field"], description="One of the reasons in the workspace's skip menu.")
    comment: str = Field(default="", max_length=2000)


@router.post("/projects/{project_id}/claims", status_code=201, response_model=ClaimedTaskOut)
def claim(project_id: str, ask: Ask, runtime: CurrentRuntime, body: ClaimIn | None = None) -> Response:
    """Claim a task. While one is open the same claim is returned (200), so repeating this is safe."""
    project = read_id("project", project_id)
    task = task_from_worker(body.task_id, runtime) if body is not None and body.task_id is not None else None

    def take(session: Session, actor: Actor, now: datetime) -> ClaimedWork:
        if task is not None:
            return service.claim_task(session, actor, project, task, now=now)
        return service.claim_next(session, actor, project, now=now)

    work = ask.do("work", take)
    return json_answer(claimed_out(work, runtime), status.HTTP_201_CREATED if work.fresh else status.HTTP_200_OK)


@router.post(
    "/claims/{claim_id}/ahead",
    status_code=201,
    response_model=ClaimedTaskOut,
    responses={204: {"description": "There is no task to spare; claim one when this is submitted."}},
)
def fetch_ahead(claim_id: str, ask: Ask, runtime: CurrentRuntime) -> Response:
    """Set the next task aside while you work on this claim, to show it without waiting once this is submitted.

    It is a claim in state `ahead`: nothing of it counts yet. The next `POST /projects/{project_id}/claims` opens it.
    Heartbeats of the open claim keep it; silence for two minutes, or its release, lets it go without a trace.
    """
    claim_uuid = read_id("claim", claim_id)
    work = ask.do("work", lambda session, actor, now: service.fetch_ahead(session, actor, claim_uuid, now=now))
    if work is None:
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    return json_answer(claimed_out(work, runtime), status.HTTP_201_CREATED if work.fresh else status.HTTP_200_OK)


@router.get("/claims/{claim_id}", response_model=ClaimedTaskOut)
def get_claim(claim_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime) -> ClaimedTaskOut:
    """One of your claims with its task and draft."""
    require_scope(actor, "read", "work")
    found = access.own_claim(session, actor, read_id("claim", claim_id))
    return claimed_out(service.open_work(session, found), runtime)


@router.put("/claims/{claim_id}/draft", response_model=DraftOut)
def put_draft(claim_id: str, body: DraftIn, ask: Ask) -> Response:
    """Save a draft. Once this answers, the draft survives anything."""
    claim_uuid = read_id("claim", claim_id)

    def save(session: Session, actor: Actor, now: datetime) -> DraftOut:
        number = service.save_draft(session, actor, claim_uuid, body.draft, body.number, now=now)
        return DraftOut(number=number, saved_at=now)

    return json_answer(ask.do("work", save))


@router.put("/claims/{claim_id}/suggestion", response_model=SuggestionUseIn)
def use_suggestion(claim_id: str, body: SuggestionUseIn, session: Db, actor: CurrentActor, now: Now) -> SuggestionUseIn:
    """Say that you begin with the model's suggestion, or do without it; what became of it is measured by the answer."""
    require_scope(actor, "work")
    kept = suggesting.note_use(session, actor, read_id("claim", claim_id), body.used, now=now)
    return SuggestionUseIn(used=kept.used)


@router.post("/claims/{claim_id}/heartbeat", response_model=BeatOut)
def heartbeat(claim_id: str, ask: Ask) -> Response:
    """A sign of life while working: counts time and keeps the lease from running out under your hands."""
    claim_uuid = read_id("claim", claim_id)

    def beat(session: Session, actor: Actor, now: datetime) -> BeatOut:
        found = service.beat(session, actor, claim_uuid, now=now)
        ahead = service.keep_ahead(session, found, now=now)
        return BeatOut(
            state=found.state,
            leased_until=found.leased_until,
            worked_seconds=found.worked_seconds,
            now=now,
            ahead_claim_id=show_id("claim", ahead) if ahead is not None else None,
        )

    return json_answer(ask.do("work", beat))


@router.post("/claims/{claim_id}/submission", status_code=201, response_model=SubmissionOut)
def submit(claim_id: str, body: SubmissionIn, ask: Ask, runtime: CurrentRuntime) -> Response:
    """Submit an answer. The same answer again returns the same submission."""
    claim_uuid = read_id("claim", claim_id)

    def give(session: Session, actor: Actor, now: datetime) -> Submission:
        return service.submit(session, actor, claim_uuid, body.answer, now=now)

    return json_answer(submission_out(ask.do("work", give), runtime), status.HTTP_201_CREATED)


@router.post("/claims/{claim_id}/skip", response_model=ClaimOut)
def skip(claim_id: str, body: SkipIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now) -> ClaimOut:
    """Leave this task for others, with a reason."""
    require_scope(actor, "work")
    ended = service.skip_claim(session, actor, read_id("claim", claim_id), body.reason, body.comment, now=now)
    return claim_out(ended, runtime)


@router.post("/claims/{claim_id}/release", response_model=ClaimOut)
def release(claim_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now) -> ClaimOut:
    """Give a task back to the queue."""
    require_scope(actor, "work")
    return claim_out(service.release_claim(session, actor, read_id("claim", claim_id), now=now), runtime)


@router.post("/claims/{claim_id}/flag", response_model=ClaimOut)
def flag(claim_id: str, body: SkipIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now) -> ClaimOut:
    """Report a broken task; this ends the claim."""
    require_scope(actor, "work")
    ended = service.flag_task(session, actor, read_id("claim", claim_id), body.reason, body.comment, now=now)
    return claim_out(ended, runtime)


@router.get("/submissions", response_model=SubmissionPage)
def my_submissions(
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    project_id: str | None = None,
    state: SubmissionState | None = None,
    cursor: str | None = None,
    limit: PageSize = 50,
) -> SubmissionPage:
    """Your submissions, newest first, with their reviews."""
    require_scope(actor, "read", "work")
    lines = histories.own_history(
        session,
        actor,
        project_id=read_id("project", project_id) if project_id else None,
        states=[state] if state else [],
        before=read_cursor("submission", cursor),
        limit=limit + 1,
    )
    items = [submission_out(line.submission, runtime, line.claim, line.review) for line in lines[:limit]]
    return SubmissionPage(items=items, next_cursor=items[-1].id if len(lines) > limit else None)


def task_for_worker(task_id: UUID, runtime: Runtime) -> str:
    """A task's id for those who work on it.

    Its own id tells when it was added, and so which tasks come out of the queue's order: those with a known answer.
    """
    return show_veiled("task", task_id, runtime.settings.signing_key())


def task_from_worker(shown: str, runtime: Runtime) -> UUID:
    return read_veiled("task", shown, runtime.settings.signing_key())


def claim_fields(claim: Claim, runtime: Runtime) -> dict[str, Any]:
    return {
        "id": show_id("claim", claim.id),
        "project_id": show_id("project", claim.project_id),
        "task_id": task_for_worker(claim.task_id, runtime),
        "state": claim.state,
        "leased_until": claim.leased_until,
        "rate": money_out(Money(claim.rate_minor, claim.currency)),
        "worked_seconds": claim.worked_seconds,
        "draft": claim.draft,
        "draft_number": claim.draft_number,
        "draft_saved_at": claim.draft_saved_at,
    }


def claim_out(claim: Claim, runtime: Runtime) -> ClaimOut:
    return ClaimOut(**claim_fields(claim, runtime))


def claimed_out(work: ClaimedWork, runtime: Runtime) -> ClaimedTaskOut:
    fields = claim_fields(work.claim, runtime)
    given = work.suggestion
    suggestion = given and SuggestionOut(answer=given.answer, words=given.words, model=given.model, used=given.used)
    return ClaimedTaskOut(
        **fields,
        task_type=work.task_type,
        config=work.config,
        task=work.shown,
        content_ratings=list(work.ratings),
        suggestion=suggestion,
    )


def submission_out(
    submission: Submission, runtime: Runtime, claim: Claim | None = None, review: Review | None = None
) -> SubmissionOut:
    paid = claim is not None and claim.state is ClaimState.APPROVED
    return SubmissionOut(
        id=show_id("submission", submission.id),
        claim_id=show_id("claim", submission.claim_id),
        task_id=task_for_worker(submission.task_id, runtime),
        project_id=show_id("project", submission.project_id),
        revision=submission.revision,
        state=submission.state,
        pay=money_out(Money(claim.rate_minor, claim.currency)) if paid and claim else None,
        created_at=submission.created_at,
        decided_at=submission.decided_at,
        review=review_out(review) if review else None,
    )


def review_out(review: Review) -> ReviewOut:
    return ReviewOut(
        decision=review.decision, comment=review.comment, criteria=review.criteria, decided_at=review.created_at
    )
