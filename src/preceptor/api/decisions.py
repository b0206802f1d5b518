"""Decisions about people and appeals over the API."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session

from preceptor.api.schemas import In, MoneyOut, Out, PageSize, money_out
from preceptor.datasets.pseudonyms import person_behind, pseudonyms
from preceptor.fairness import rules
from preceptor.fairness.models import Appeal, AppealOrigin, AppealState, DecisionReceipt, ReceiptKind
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import require_scope
from preceptor.projects.access import MANAGERS, project_for_client
from preceptor.projects.models import Membership, MembershipState
from preceptor.work.service import appeals, decisions
from preceptor.work.service import membership_decisions as places
from preceptor.work.service.decisions import Decider, DecisionLine, DecisionSheet

router = APIRouter(prefix="/api/v1", tags=["decisions"])


class EvidenceLinkOut(Out):
    kind: str = Field(description="review, criterion, gold, evidence or submission.")
    id: str
    text: str


class AppealOut(Out):
    id: str = Field(examples=["apl_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    state: AppealState
    origin: AppealOrigin
    words: str = Field(description="Why the person thinks that the decision is wrong.")
    reason: str | None = Field(description="Why it stands or was overturned.")
    created_at: datetime
    decided_at: datetime | None


class DecisionOut(Out):
    """What was decided, under which rule, on what; by a role, never a name."""

    id: str = Field(examples=["rcp_0192f3c4a5b67c8d9e0f1a2b3c4d5e6f"])
    kind: ReceiptKind
    project_id: str | None
    project_title: str | None
    submission_id: str | None
    rule: str
    rule_version: str
    rule_title: str
    statement: str
    evidence: list[EvidenceLinkOut]
    decided_at: datetime
    appeal_until: datetime
    appeal: AppealOut | None


class DecisionPage(Out):
    items: list[DecisionOut]
    next_cursor: str | None


class DecidedWorkOut(Out):
    """The submission as its author saw and sent it."""

    task_type: str
    task: dict[str, Any]
    answer: dict[str, Any]
    criteria: list[dict[str, Any]] = Field(description="Each criterion that was remarked on, with verdict and quote.")
    pay: MoneyOut
    paid: bool


class DecisionDetailOut(DecisionOut):
    rule_text: str
    decided_by: Decider
    work: DecidedWorkOut | None
    can_appeal: bool


class AppealedDecisionOut(DecisionDetailOut):
    """An appeal to decide, with the decision it is about. Whose it is stays unsaid where work is reviewed blind."""

    you_decided_first: bool = Field(description="Then somebody else has to decide this one.")


class QueuedAppealOut(Out):
    appeal: AppealOut
    decision: DecisionOut
    you_decided_first: bool


class AppealQueueOut(Out):
    items: list[QueuedAppealOut]
    next_cursor: str | None


class AppealIn(In):
    words: str = Field(
        max_length=rules.WORDS_CHARS_MAX,
        description=f"What is wrong about the decision, in {rules.WORDS_CHARS_MIN} characters or more.",
    )


class OutcomeIn(In):
    outcome: Literal["stands", "overturned"]
    reason: str = Field(max_length=rules.REASON_CHARS_MAX, description="The person reads it; 20 characters or more.")


class PlaceIn(In):
    rule: str = Field(examples=["below_standard"], description="One of the rules for this decision.")
    reason: str = Field(max_length=rules.REASON_CHARS_MAX, description="The person reads it; 20 characters or more.")
    evidence: list[str] = Field(
        default=[], max_length=rules.EVIDENCE_MAX, description="Keys of what is on record about the person."
    )


class ReinstateIn(In):
    reason: str = Field(default="", max_length=rules.REASON_CHARS_MAX)


class PlaceOut(Out):
    person: str = Field(description="The pseudonym that the organization's releases use.")
    state: MembershipState
    receipt_id: str | None = Field(description="The decision that the state rests on; none while the place is open.")


class EvidenceChoiceOut(Out):
    key: str
    kind: str
    text: str
    at: datetime


class EvidenceChoicesOut(Out):
    items: list[EvidenceChoiceOut]


# --- The person's own


@router.get("/me/decisions", response_model=DecisionPage)
def own_decisions(
    session: Db,
    actor: CurrentActor,
    outcome: Literal["all", "not_appealed", "open", "stands", "overturned"] = "all",
    cursor: str | None = None,
    limit: PageSize = 50,
) -> DecisionPage:
    """Decisions against you, newest first."""
    require_scope(actor, "read", "work")
    before = read_cursor("receipt", cursor)
    lines = decisions.own_decisions(session, actor, outcome=outcome, before=before, limit=limit + 1)
    return DecisionPage(
        items=[line_out(line) for line in lines[:limit]],
        next_cursor=show_id("receipt", lines[limit - 1].receipt.id) if len(lines) > limit else None,
    )


@router.get("/decisions/{receipt_id}", response_model=DecisionDetailOut)
def read_decision(receipt_id: str, session: Db, actor: CurrentActor, now: Now) -> DecisionDetailOut:
    """One decision about you, with everything that it rests on."""
    require_scope(actor, "read", "work")
    sheet = decisions.decision_to_read(session, actor, read_id("receipt", receipt_id))
    return DecisionDetailOut(**_detail(sheet, may_appeal=actor.person_id == sheet.receipt.person_id, now=now))


@router.post("/decisions/{receipt_id}/appeal", status_code=201, response_model=AppealOut)
def appeal(receipt_id: str, body: AppealIn, session: Db, actor: CurrentActor, now: Now) -> AppealOut:
    """Ask that somebody else looks again; once for each decision, in time. The same words again are the same appeal."""
    require_scope(actor, "work")
    return appeal_out(appeals.appeal(session, actor, read_id("receipt", receipt_id), body.words, now=now))


# --- Whoever decides


@router.get("/appeals", response_model=AppealQueueOut)
def list_appeals(
    session: Db,
    actor: CurrentActor,
    state: Literal["open", "decided"] = "open",
    cursor: str | None = None,
    limit: PageSize = 50,
) -> AppealQueueOut:
    """Appeals that you may look at: as reviewer or manager of their project, or as operator."""
    require_scope(actor, "review")
    before = read_cursor("appeal", cursor)
    found = decisions.appeal_queue(session, actor, decided=state == "decided", before=before, limit=limit + 1)
    return AppealQueueOut(
        items=[
            QueuedAppealOut(
                appeal=appeal_out(each.appeal), decision=line_out(each.line), you_decided_first=each.decided_first
            )
            for each in found[:limit]
        ],
        next_cursor=show_id("appeal", found[limit - 1].appeal.id) if len(found) > limit else None,
    )


@router.get("/appeals/{appeal_id}", response_model=AppealedDecisionOut)
def read_appeal(appeal_id: str, session: Db, actor: CurrentActor, now: Now) -> AppealedDecisionOut:
    """An appeal with the decision it is about, side by side."""
    require_scope(actor, "review")
    sheet = decisions.appeal_sheet(session, actor, read_id("appeal", appeal_id))
    return AppealedDecisionOut(
        **_detail(sheet, may_appeal=False, now=now),
        you_decided_first=sheet.receipt.decided_by == actor.person_id,
    )


@router.post("/appeals/{appeal_id}/decision", response_model=AppealOut)
def decide_appeal(appeal_id: str, body: OutcomeIn, session: Db, actor: CurrentActor, now: Now) -> AppealOut:
    """Let the decision stand or overturn it. Never by who decided first; an overturned decision is undone at once."""
    require_scope(actor, "review")
    found = appeals.decide_appeal(
        session, actor, read_id("appeal", appeal_id), AppealState(body.outcome), body.reason, now=now
    )
    return appeal_out(found)


# --- Places in a project


@router.get("/projects/{project_id}/people/{person_id}/evidence", response_model=EvidenceChoicesOut)
def read_evidence(
    project_id: str, person_id: str, session: Db, actor: CurrentActor, runtime: CurrentRuntime
) -> EvidenceChoicesOut:
    """What is on record about a person that a decision may rest on (managers of the client, operators)."""
    require_scope(actor, "read", "projects")
    project = read_id("project", project_id)
    person = _person(session, actor, runtime, project, person_id)
    found = places.evidence_about(session, actor, project, person)
    return EvidenceChoicesOut(
        items=[EvidenceChoiceOut(key=each.key, kind=each.link.kind, text=each.link.text, at=each.at) for each in found]
    )


@router.post("/projects/{project_id}/people/{person_id}/pause", response_model=PlaceOut)
def pause(
    project_id: str, person_id: str, body: PlaceIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> PlaceOut:
    """Give a person no more tasks of the project for now. What they hold can be finished and is paid."""
    return _decide(session, actor, runtime, project_id, person_id, ReceiptKind.PAUSE, body, now)


@router.post("/projects/{project_id}/people/{person_id}/retrain", response_model=PlaceOut)
def retrain(
    project_id: str, person_id: str, body: PlaceIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> PlaceOut:
    """Ask a person to practise before further tasks of the project."""
    return _decide(session, actor, runtime, project_id, person_id, ReceiptKind.RETRAIN, body, now)


@router.post("/projects/{project_id}/people/{person_id}/remove", response_model=PlaceOut)
def remove(
    project_id: str, person_id: str, body: PlaceIn, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> PlaceOut:
    """End a person's place in the project. What they hold can be finished and is paid."""
    return _decide(session, actor, runtime, project_id, person_id, ReceiptKind.REMOVE, body, now)


@router.post("/projects/{project_id}/people/{person_id}/reinstate", response_model=PlaceOut)
def reinstate(
    project_id: str,
    person_id: str,
    body: ReinstateIn,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    now: Now,
) -> PlaceOut:
    """Open a person's place in the project again."""
    require_scope(actor, "projects")
    project = read_id("project", project_id)
    person = _person(session, actor, runtime, project, person_id)
    held = places.reinstate(session, actor, project, person, reason=body.reason, now=now)
    return _place_out(session, actor, runtime, held)


def _decide(
    session: Session,
    actor: Actor,
    runtime: Runtime,
    project_id: str,
    person_id: str,
    kind: ReceiptKind,
    body: PlaceIn,
    now: datetime,
) -> PlaceOut:
    require_scope(actor, "projects")
    project = read_id("project", project_id)
    person = _person(session, actor, runtime, project, person_id)
    places.decide_about_member(
        session, actor, project, person, kind, rule=body.rule, reason=body.reason, evidence=body.evidence, now=now
    )
    return _place_out(session, actor, runtime, session.get_one(Membership, (project, person)))


def _person(session: Session, actor: Actor, runtime: Runtime, project_id: UUID, shown: str) -> UUID:
    """A member of the project, by the pseudonym that its client knows or by id."""
    project = project_for_client(session, actor, project_id, *MANAGERS)
    if not shown.startswith("p_"):
        return read_id("person", shown)
    named = pseudonyms(runtime.settings.signing_key(), project.org_id)
    found = person_behind(named, shown, [held.person_id for held, _ in places.members_of(session, actor, project_id)])
    if found is None:
        raise NotFound("person")
    return found


def _place_out(session: Session, actor: Actor, runtime: Runtime, held: Membership) -> PlaceOut:
    project = project_for_client(session, actor, held.project_id)
    named = pseudonyms(runtime.settings.signing_key(), project.org_id)
    closed = held.state not in (MembershipState.ACTIVE, MembershipState.LEFT)
    receipt = show_id("receipt", held.receipt_id) if closed and held.receipt_id else None
    return PlaceOut(person=named(held.person_id), state=held.state, receipt_id=receipt)


# --- Shapes


def appeal_out(found: Appeal) -> AppealOut:
    return AppealOut(
        id=show_id("appeal", found.id),
        state=found.state,
        origin=found.origin,
        words=found.words,
        reason=found.reason,
        created_at=found.created_at,
        decided_at=found.decided_at,
    )


def line_out(line: DecisionLine) -> DecisionOut:
    title = line.project.title if line.project is not None else None
    return DecisionOut(**_receipt(line.receipt, title, line.appeal))


def _receipt(receipt: DecisionReceipt, title: str | None, found: Appeal | None) -> dict[str, Any]:
    return {
        "id": show_id("receipt", receipt.id),
        "kind": receipt.kind,
        "project_id": show_id("project", receipt.project_id) if receipt.project_id else None,
        "project_title": title,
        "submission_id": show_id("submission", receipt.submission_id) if receipt.submission_id else None,
        "rule": receipt.rule,
        "rule_version": receipt.rule_version,
        "rule_title": rules.title_of(receipt.rule),
        "statement": receipt.statement,
        "evidence": [EvidenceLinkOut(**link) for link in receipt.evidence],
        "decided_at": receipt.decided_at,
        "appeal_until": receipt.appeal_until,
        "appeal": None if found is None else appeal_out(found),
    }


def _detail(sheet: DecisionSheet, *, may_appeal: bool, now: datetime) -> dict[str, Any]:
    return {
        **_receipt(sheet.receipt, sheet.project.title if sheet.project else None, sheet.appeal),
        "rule_text": sheet.rule_text,
        "decided_by": sheet.decider,
        "work": _work_out(sheet),
        "can_appeal": may_appeal and sheet.may_appeal(now),
    }


def _work_out(sheet: DecisionSheet) -> DecidedWorkOut | None:
    if sheet.work is None or sheet.project is None or sheet.pay is None:
        return None
    return DecidedWorkOut(
        task_type=sheet.project.task_type,
        task=dict(sheet.work.shown),
        answer=dict(sheet.work.answer),
        criteria=list(sheet.work.review.criteria) if sheet.work.review is not None else [],
        pay=money_out(sheet.pay),
        paid=sheet.paid,
    )
