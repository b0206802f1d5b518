"""The desk: claiming a task, the page to work on it, and what that page sends while somebody works."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse
from pydantic import AliasChoices, BaseModel, Field
from sqlalchemy.orm import Session

from preceptor.endpoints.models import EndpointRole
from preceptor.endpoints.service import choosing
from preceptor.http.edge import Ask, CurrentActor, CurrentRuntime, Db, Now, SigningKey
from preceptor.kit.errors import AppError, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.media.service import signer
from preceptor.people.identify import require_scope
from preceptor.projects import access as projects
from preceptor.projects.errors import NotEligible
from preceptor.projects.models import Membership, MembershipState, Project
from preceptor.projects.service import members
from preceptor.web.pages import Contributor, Page
from preceptor.web.workspace import Workspace, begun_json, excerpt, work_json
from preceptor.work import access, rules, service
from preceptor.work.errors import (
    ContentLimitReached,
    ContentNotChosen,
    LeaseOver,
    NotFunded,
    NotJoined,
    NotQualified,
    NoWorkLeft,
    ProjectNotOpen,
)
from preceptor.work.models import Claim, ClaimState
from preceptor.work.service import ClaimedWork, running, suggesting
from preceptor.work.service import history as histories
from preceptor.work.service.process import PASTES_AT_ONCE_MAX, Paste

router = APIRouter()

HISTORY_SHOWN = 20
WORKABLE = frozenset({ClaimState.OPEN, ClaimState.RETURNED})
NOTHING_TO_DO = (
    NoWorkLeft,
    NotFunded,
    NotQualified,
    ProjectNotOpen,
    NotJoined,
    NotEligible,
    ContentNotChosen,
    ContentLimitReached,
)
"""Refusals of a claim that are news about the project rather than a mistake of the person."""


# --- Pages


@router.get("/work/{project_id}")
def show_start(project_id: str, session: Db, known: Contributor) -> Response:
    """Where a reload of "start" ends up: at the open task, or at the project."""
    found = read_id("project", project_id)
    projects.project_for_contributor(session, known.actor, found)
    held = access.open_claim(session, known.actor, found)
    return RedirectResponse(f"/board/{project_id}" if held is None else desk_path(held), status_code=303)


@router.post("/work/{project_id}")
def start(project_id: str, page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """Take the next task, joining the project first if need be. Nothing to take is a page that says why."""
    found = read_id("project", project_id)
    project = projects.project_for_contributor(session, known.actor, found)
    try:
        with session.begin_nested():
            join_first(session, known.actor, projects.membership_of(session, known.actor, found), found, now)
            work = service.claim_next(session, known.actor, found, now=now)
    except NOTHING_TO_DO as refusal:
        return page.show(
            "contributor/no_work.html",
            status=404 if refusal.kind == "not_found" else 409,
            project=project,
            refusal=refusal,
            reasons=members.eligibility(session, person_of(known.actor), project).reasons,
        )
    return RedirectResponse(desk_path(work.claim), status_code=303)


def join_first(session: Session, actor: Actor, held: Membership | None, project_id: UUID, now: datetime) -> None:
    if held is None or held.state is MembershipState.LEFT:
        members.join(session, actor, project_id, now=now)


def person_of(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


def desk_path(claim: Claim) -> str:
    return f"/work/{show_id('project', claim.project_id)}/{show_id('claim', claim.id)}"


@router.get("/work/{project_id}/{claim_id}")
def show_desk(
    project_id: str, claim_id: str, page: Page, key: SigningKey, session: Db, known: Contributor, now: Now
) -> Response:
    """The workspace of an open or returned claim; an answered one leads to its result."""
    claim = own_claim(session, known.actor, project_id, claim_id)
    if claim.state is ClaimState.AHEAD:
        return RedirectResponse(f"/work/{project_id}", status_code=303)
    if claim.state not in WORKABLE:
        latest = histories.earned_by(session, known.actor, [claim.id]).get(claim.id)
        if latest is not None:
            return RedirectResponse(f"/results/{show_id('submission', latest.submission_id)}", status_code=303)
        return page.show("contributor/gone.html", status=410, claim=claim, project_id=project_id)
    work = service.open_work(session, claim)
    return page.show("contributor/desk.html", workspace=workspace_of(key, session, known.actor, work, now))


def own_claim(session: Session, actor: Actor, project_id: str, claim_id: str) -> Claim:
    claim = access.own_claim(session, actor, read_id("claim", claim_id))
    if claim.project_id != read_id("project", project_id):
        raise NotFound("claim")
    return claim


def still_mine(claim: Claim) -> Claim:
    """The claim, unless its lease ran out: that is told by its own name and not as any other end."""
    if claim.state is ClaimState.EXPIRED:
        raise LeaseOver
    return claim


def workspace_of(key: bytes, session: Session, actor: Actor, work: ClaimedWork, now: datetime) -> Workspace:
    """A claimed task with its guidelines, rubric and the person's own list."""
    claim = work.claim
    project = projects.project_for_contributor(session, actor, work.project_id)
    terms = histories.terms_of(session, claim)
    returned = claim.state is ClaimState.RETURNED
    return work_json(
        work,
        project,
        guidelines=terms.guidelines,
        rubric=terms.criteria,
        history=histories.own_results(session, actor, project_id=work.project_id, limit=HISTORY_SHOWN),
        last=histories.last_answer(session, claim) if returned else None,
        services=offered(session, project),
        sign=signer(key, project.org_id, actor.person_id, now),
        now=now,
    )


def offered(session: Session, project: Project) -> frozenset[str]:
    """What the desk can do for the kind of work in this project: without a model there is nobody to ask."""
    asked: frozenset[str] = project.kind.kind.services
    if "generate" in asked and not choosing.chosen(session, project.id, EndpointRole.GENERATE):
        return asked - {"generate"}
    return asked


# --- What the workspace sends


class PasteIn(BaseModel):
    """Text that was pasted into a field of the answer: how much, not what."""

    field: Annotated[str, Field(max_length=200)] = ""
    size: Annotated[int, Field(ge=0, le=10_000_000)]


class DraftIn(BaseModel):
    """A draft as the element has it. `number` counts up; without it the draft is taken as the newest."""

    draft: dict[str, Any] = Field(validation_alias=AliasChoices("draft", "answer"))
    number: Annotated[int, Field(ge=1)] | None = None
    pastes: Annotated[list[PasteIn], Field(max_length=PASTES_AT_ONCE_MAX)] = []


class AnswerIn(BaseModel):
    answer: dict[str, Any]


class NextIn(BaseModel):
    """`ahead`: the claim of the task that the desk has fetched ahead. Where that is what comes next, its times are all
    that is sent."""

    ahead: Annotated[str, Field(max_length=40)] | None = None


class SubmissionIn(AnswerIn, NextIn):
    pass


class EndIn(BaseModel):
    """Why somebody skips or flags a task."""

    reason: Annotated[str, Field(max_length=100)] = "other"
    comment: Annotated[str, Field(max_length=2000)] = ""


@router.post("/work/{project_id}/next", response_model=None)
def next_task(
    project_id: str, key: SigningKey, session: Db, actor: CurrentActor, now: Now, body: NextIn | None = None
) -> Workspace | dict[str, Any]:
    """Claim the next task and return it whole, so that it stands on the desk after one request; of one that the desk
    has, `{"begun": …}`."""
    require_scope(actor, "work")
    found = _next(key, session, actor, project_id, body.ahead if body else None, now)
    whole: Workspace | None = found.get("next")
    return whole or found


@router.post("/work/{project_id}/{claim_id}/ahead", response_model=None)
def fetch_ahead(project_id: str, claim_id: str, ask: Ask, key: SigningKey) -> Workspace | None:
    """Set the next task aside and return it whole, while this one is worked on. Null where there is none to spare."""
    try:
        return ask.do("work", lambda session, actor, now: _ahead(key, session, actor, project_id, claim_id, now))
    except AppError:
        # Nobody has asked for this task yet: what stands in the way is told when somebody does.
        return None


def _ahead(
    key: bytes, session: Session, actor: Actor, project_id: str, claim_id: str, now: datetime
) -> Workspace | None:
    work = service.fetch_ahead(session, actor, own_claim(session, actor, project_id, claim_id).id, now=now)
    return None if work is None else workspace_of(key, session, actor, work, now)


@router.post("/work/{project_id}/{claim_id}/let-go", status_code=204)
def let_go(project_id: str, claim_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """The desk is left: the task that it had fetched ahead goes back."""
    require_scope(actor, "work")
    service.let_go_ahead(session, actor, own_claim(session, actor, project_id, claim_id).id, now=now)


@router.put("/work/{project_id}/{claim_id}/draft")
def save_draft(
    project_id: str, claim_id: str, body: DraftIn, session: Db, actor: CurrentActor, now: Now
) -> dict[str, Any]:
    require_scope(actor, "work")
    claim = still_mine(own_claim(session, actor, project_id, claim_id))
    number = body.number or claim.draft_number + 1
    pastes = [Paste(each.field, each.size) for each in body.pastes]
    kept = service.save_draft(session, actor, claim.id, body.draft, number, pastes=pastes, now=now)
    return {"number": kept, "saved_at": now}


class SuggestionUseIn(BaseModel):
    """To begin with the suggestion, to do without it, or (None) to take that back."""

    used: bool | None


@router.post("/work/{project_id}/{claim_id}/suggestion")
def use_suggestion(
    project_id: str, claim_id: str, body: SuggestionUseIn, session: Db, actor: CurrentActor, now: Now
) -> dict[str, Any]:
    require_scope(actor, "work")
    claim = still_mine(own_claim(session, actor, project_id, claim_id))
    return {"used": suggesting.note_use(session, actor, claim.id, body.used, now=now).used}


@router.post("/work/{project_id}/{claim_id}/heartbeat")
def heartbeat(project_id: str, claim_id: str, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    require_scope(actor, "work")
    held = still_mine(own_claim(session, actor, project_id, claim_id))
    claim = service.beat(session, actor, held.id, now=now)
    if rules.lease_is_over(claim.leased_until, now):
        raise LeaseOver
    ahead = service.keep_ahead(session, claim, now=now)
    return {
        "leased_until": claim.leased_until,
        "server_now": now,
        "worked_seconds": claim.worked_seconds,
        "ahead": show_id("claim", ahead) if ahead is not None else None,
    }


@router.post("/work/{project_id}/{claim_id}/submission")
def submit(project_id: str, claim_id: str, body: SubmissionIn, ask: Ask, key: SigningKey) -> dict[str, Any]:
    """Take an answer; the next task comes with the acceptance, so that it stands on the desk after one request.

    Two transactions: whatever keeps the next task from coming, the answer is kept.
    """
    outcome = ask.do("work", lambda session, actor, now: _submit(session, actor, project_id, claim_id, body, now))
    if "redirect" in outcome:
        return outcome
    try:
        found = ask.do("work", lambda session, actor, now: _next(key, session, actor, project_id, body.ahead, now))
    except AppError:
        # The page asks again by itself, and shows what stands in the way.
        found = {"next": None}
    if body.ahead is not None and "begun" not in found:
        # What it has fetched ahead is not wanted any more.
        ask.do("work", lambda session, actor, now: _let_go_own(session, actor, project_id, now))
    return outcome | found


def _submit(
    session: Session, actor: Actor, project_id: str, claim_id: str, body: AnswerIn, now: datetime
) -> dict[str, Any]:
    claim = own_claim(session, actor, project_id, claim_id)
    revision = claim.state is ClaimState.RETURNED
    submission = service.submit(session, actor, claim.id, body.answer, now=now)
    project = session.get_one(Project, claim.project_id)
    work = service.open_work(session, claim)
    entry = {
        "at": now.isoformat(),
        "title": excerpt(project, work.shown, "Task", ratings=work.ratings),
        "state": rules.Standing.WAITING.value,
        "href": f"/results/{show_id('submission', submission.id)}",
    }
    outcome: dict[str, Any] = {"history_entry": entry}
    return outcome | {"redirect": entry["href"]} if revision else outcome


def _next(
    key: bytes, session: Session, actor: Actor, project_id: str, ahead: str | None, now: datetime
) -> dict[str, Any]:
    """`{"begun": …}` for the task that the desk has fetched ahead, else `{"next": …}`, whole."""
    project = read_id("project", project_id)
    if ahead is not None:
        begun = service.begin_ahead(session, actor, project, read_id("claim", ahead), now=now)
        if begun is not None:
            return {"begun": begun_json(ahead, begun, now=now)}
    work = service.claim_next(session, actor, project, now=now)
    return {"next": workspace_of(key, session, actor, work, now)}


def _let_go_own(session: Session, actor: Actor, project_id: str, now: datetime) -> None:
    service.let_go_own(session, actor, read_id("project", project_id), now=now)


@router.post("/work/{project_id}/{claim_id}/run", status_code=202)
def run_code(
    project_id: str,
    claim_id: str,
    body: AnswerIn,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    now: Now,
) -> dict[str, Any]:
    """Have the code as it stands run against the tests; what came of it is asked for at `…/run/{run_id}`."""
    require_scope(actor, "work")
    claim = own_claim(session, actor, project_id, claim_id)
    run = running.request_run(session, actor, claim.id, body.answer, runtime.settings, now=now)
    return running.shown_run(session, run)


@router.get("/work/{project_id}/{claim_id}/run/{run_id}")
def show_run(project_id: str, claim_id: str, run_id: str, session: Db, actor: CurrentActor) -> dict[str, Any]:
    require_scope(actor, "work")
    claim = own_claim(session, actor, project_id, claim_id)
    return running.shown_run(session, running.own_run(session, actor, claim.id, read_id("run", run_id)))


@router.post("/work/{project_id}/{claim_id}/skip")
def skip(project_id: str, claim_id: str, body: EndIn, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    require_scope(actor, "work")
    claim = own_claim(session, actor, project_id, claim_id)
    service.skip_claim(session, actor, claim.id, body.reason, body.comment, now=now)
    return {}


@router.post("/work/{project_id}/{claim_id}/flag")
def flag(project_id: str, claim_id: str, body: EndIn, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    require_scope(actor, "work")
    claim = own_claim(session, actor, project_id, claim_id)
    service.flag_task(session, actor, claim.id, body.reason, body.comment, now=now)
    return {}


@router.post("/work/{project_id}/{claim_id}/release")
def release(project_id: str, claim_id: str, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    require_scope(actor, "work")
    service.release_claim(session, actor, own_claim(session, actor, project_id, claim_id).id, now=now)
    return {}
