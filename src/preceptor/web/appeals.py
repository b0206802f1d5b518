"""Appeals to decide, and every decision with how it held up, for operators."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.fairness import rules
from preceptor.fairness.errors import DecidedFirst, DecidesAboutThemselves, StatementNeeded
from preceptor.fairness.models import AppealState, ReceiptKind
from preceptor.fairness.queries import OUTCOMES, ReceiptsWanted
from preceptor.http.edge import Db, Known, Now
from preceptor.http.problems import STATUS
from preceptor.kit.errors import AppError
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people.access import acts_as_operator
from preceptor.people.identify import SignedIn, require_scope
from preceptor.projects.access import MANAGERS
from preceptor.projects.models import Project
from preceptor.web.client_frame import SHORT_NAME_CHARACTERS, address
from preceptor.web.decisions import CHIPS, DECIDERS, shown_work, title_of
from preceptor.web.pages import Operator, Page, Pages, go
from preceptor.work.service import appeals, decisions
from preceptor.work.service.decisions import DecisionSheet

router = APIRouter()

QUEUE = "/appeals"
ALL = "/operator/decisions"
PAGE_ROWS = 50
KINDS: Mapping[str, str] = {
    "all": "Every kind",
    ReceiptKind.RETURN: "Returned",
    ReceiptKind.REJECT: "Rejected",
    ReceiptKind.RETRAIN: "Practice first",
    ReceiptKind.PAUSE: "Paused",
    ReceiptKind.REMOVE: "Removed",
    ReceiptKind.SUSPEND: "Suspended",
}
SAID = {
    AppealState.STANDS: "The decision stands. The person gets your reason by mail.",
    AppealState.OVERTURNED: "The decision is overturned and undone. The person gets your reason by mail.",
}


# --- The queue


@router.get(QUEUE)
def show_queue(page: Page, session: Db, known: Known, show: str = "open", cursor: str | None = None) -> Response:
    """Appeals that the person may look at: those that wait, oldest first, or those decided."""
    decided = show == "decided"
    before = read_id("appeal", cursor) if cursor else None
    lines = decisions.appeal_queue(session, known.actor, decided=decided, before=before, limit=PAGE_ROWS + 1)
    shown = lines[:PAGE_ROWS]
    more = show_id("appeal", shown[-1].appeal.id) if len(lines) > PAGE_ROWS else None
    waiting = decisions.appeals_waiting(session, known.actor)
    return page.show(
        "decisions/queue.html",
        lines=[(line, title_of(line.line)) for line in shown],
        decided=decided,
        chips=[
            ("Waiting", QUEUE, not decided, waiting),
            ("Decided", address(QUEUE, show="decided"), decided, None),
        ],
        next_href=address(QUEUE, show=show, cursor=more) if more else None,
        first_href=address(QUEUE, show=show) if cursor else None,
        operator=acts_as_operator(known.actor),
    )


# --- One appeal


@router.get(QUEUE + "/{appeal_id}")
def show_appeal(page: Page, session: Db, known: Known, appeal_id: str) -> Response:
    require_scope(known.actor, "review")
    return _appeal(page, session, known, appeal_id)


@router.post(QUEUE + "/{appeal_id}")
def decide_appeal(
    page: Page,
    session: Db,
    known: Known,
    now: Now,
    appeal_id: str,
    outcome: Annotated[str, Form(max_length=20)] = "",
    reason: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Let the decision stand or overturn it, and go to the next appeal."""
    require_scope(known.actor, "review")
    if outcome not in (AppealState.STANDS, AppealState.OVERTURNED):
        chosen = StatementNeeded("Choose whether the decision stands or is overturned.")
        return _appeal(page, session, known, appeal_id, outcome=outcome, reason=reason, refusal=chosen)
    to = AppealState(outcome)
    try:
        appeals.decide_appeal(session, known.actor, read_id("appeal", appeal_id), to, reason, now=now)
    except (StatementNeeded, DecidedFirst, DecidesAboutThemselves) as refusal:
        return _appeal(page, session, known, appeal_id, outcome=outcome, reason=reason, refusal=refusal)
    return go(QUEUE, SAID[to])


def _appeal(
    page: Pages,
    session: Session,
    known: SignedIn,
    appeal_id: str,
    *,
    outcome: str = "",
    reason: str = "",
    refusal: AppError | None = None,
) -> Response:
    sheet = decisions.appeal_sheet(session, known.actor, read_id("appeal", appeal_id))
    return page.show(
        "decisions/appeal.html",
        status=200 if refusal is None else STATUS[refusal.kind],
        sheet=sheet,
        key=appeal_id,
        shown=shown_work(page, sheet),
        whose=_whose(page, session, known.actor, sheet),
        decider=_decider(session, known.actor, sheet),
        refused=_why_not(known.actor, sheet),
        outcome=outcome,
        reason=reason,
        error=refusal.message if refusal is not None else None,
        reason_min=rules.REASON_CHARS_MIN,
        reason_max=rules.REASON_CHARS_MAX,
    )


def _whose(page: Pages, session: Session, actor: Actor, sheet: DecisionSheet) -> str | None:
    """Whom it is about, as far as this person may know: operators by name, the client by pseudonym, reviewers not."""
    person_id = sheet.receipt.person_id
    if acts_as_operator(actor):
        return decisions.names_of(session, actor, [person_id]).get(person_id)
    if sheet.project is not None and _manages(actor, sheet.project):
        named = pseudonyms(page.runtime.settings.signing_key(), sheet.project.org_id)
        return named(person_id)[:SHORT_NAME_CHARACTERS]
    return None


def _manages(actor: Actor, project: Project) -> bool:
    return actor.org_roles.get(project.org_id) in MANAGERS and actor.org_id in (None, project.org_id)


def _decider(session: Session, actor: Actor, sheet: DecisionSheet) -> str:
    if sheet.receipt.decided_by == actor.person_id:
        return "You"
    if acts_as_operator(actor):
        found = decisions.names_of(session, actor, [sheet.receipt.decided_by])
        return found.get(sheet.receipt.decided_by, DECIDERS[sheet.decider])
    return DECIDERS[sheet.decider]


def _why_not(actor: Actor, sheet: DecisionSheet) -> str | None:
    """Why this person may look and not decide; None where they may."""
    if actor.person_id == sheet.receipt.person_id:
        return DecidesAboutThemselves().message
    return DecidedFirst().message if actor.person_id == sheet.receipt.decided_by else None


# --- Every decision


@router.get(ALL)
def show_all(
    page: Page,
    session: Db,
    operator: Operator,
    show: str = "all",
    kind: str = "all",
    project: str | None = None,
    person: str | None = None,
    by: str | None = None,
    cursor: str | None = None,
) -> Response:
    """Every decision against anybody, with filters in the URL, and how each decider's decisions held up."""
    wanted = ReceiptsWanted(
        person_id=read_id("person", person) if person else None,
        project_id=read_id("project", project) if project else None,
        decided_by=read_id("person", by) if by else None,
        kind=ReceiptKind(kind) if kind in set(ReceiptKind) else None,
        outcome=show if show in OUTCOMES else "all",
        before=read_id("receipt", cursor) if cursor else None,
        limit=PAGE_ROWS + 1,
    )
    lines = decisions.all_decisions(session, operator.actor, wanted)
    shown = lines[:PAGE_ROWS]
    rates = appeals.overturn_rates_by_decider(session, operator.actor, project_id=wanted.project_id)
    people = {line.receipt.person_id for line in shown} | {line.receipt.decided_by for line in shown} | set(rates)
    given = {"show": show, "kind": kind, "project": project, "person": person, "by": by}
    more = show_id("receipt", shown[-1].receipt.id) if len(lines) > PAGE_ROWS else None
    return page.show(
        "decisions/all.html",
        lines=[(line, title_of(line)) for line in shown],
        names=decisions.names_of(session, operator.actor, people),
        rates=sorted(rates.items(), key=lambda item: -item[1].decisions),
        chips=[(label, _filtered(given, show=key), key == wanted.outcome, None) for key, label in CHIPS.items()],
        kinds=[
            (label, _filtered(given, kind=key), key == (wanted.kind or "all"), None) for key, label in KINDS.items()
        ],
        narrowed=any((project, person, by)),
        next_href=_filtered(given, cursor=more) if more else None,
        first_href=_filtered(given) if cursor else None,
    )


def _filtered(given: Mapping[str, str | None], **changed: str | None) -> str:
    chosen = {**given, **changed}
    return address(ALL, **{name: value for name, value in chosen.items() if value not in (None, "all")})


@router.get(ALL + "/{receipt_id}")
def show_one(page: Page, session: Db, operator: Operator, receipt_id: str) -> Response:
    """One decision as operators read it: with names, and the appeal where there is one."""
    sheet = decisions.decision_to_read(session, operator.actor, read_id("receipt", receipt_id))
    return page.show(
        "decisions/appeal.html",
        sheet=sheet,
        key=show_id("appeal", sheet.appeal.id) if sheet.appeal is not None else "",
        shown=shown_work(page, sheet),
        whose=_whose(page, session, operator.actor, sheet),
        decider=_decider(session, operator.actor, sheet),
        refused=_why_not(operator.actor, sheet),
        outcome="",
        reason="",
        error=None,
        reason_min=rules.REASON_CHARS_MIN,
        reason_max=rules.REASON_CHARS_MAX,
    )
