"""Decisions about oneself: the list, one decision with all that it rests on, and the way to appeal."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy.orm import Session

from preceptor.fairness import rules
from preceptor.fairness.errors import AlreadyAppealed, AppealTooLate, WordsNeeded
from preceptor.fairness.models import DecisionReceipt, ReceiptKind
from preceptor.fairness.queries import OUTCOMES
from preceptor.http.edge import Db, Known, Now
from preceptor.http.problems import STATUS
from preceptor.kit.errors import AppError, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.people import content
from preceptor.people.service import accounts
from preceptor.tasktypes.base import task_type
from preceptor.web.client_frame import address
from preceptor.web.pages import Page, Pages, go
from preceptor.web.rendering import addresses_in
from preceptor.web.results import marked
from preceptor.web.workspace import element_data, excerpt
from preceptor.work.service import appeals, decisions
from preceptor.work.service.decisions import Decider, DecisionLine, DecisionSheet, Work

router = APIRouter()

Words = Annotated[str, Form(max_length=20_000)]
LIST = "/decisions"
PAGE_ROWS = 30
LINK_LASTS = timedelta(hours=1)
CHIPS = {
    "all": "All",
    "not_appealed": "Not appealed",
    "open": "Under appeal",
    "stands": "Stands",
    "overturned": "Overturned",
}
DECIDERS: Mapping[Decider, str] = {
    Decider.REVIEWER: "A reviewer of this project",
    Decider.CLIENT: "The client of this project",
    Decider.OPERATOR: "An operator of this installation",
}


@router.get(LIST)
def show_decisions(page: Page, session: Db, known: Known, show: str = "all", cursor: str | None = None) -> Response:
    """What was decided against the person who asks, newest first."""
    outcome = show if show in OUTCOMES else "all"
    before = read_id("receipt", cursor) if cursor else None
    lines = decisions.own_decisions(session, known.actor, outcome=outcome, before=before, limit=PAGE_ROWS + 1)
    shown = lines[:PAGE_ROWS]
    more = show_id("receipt", shown[-1].receipt.id) if len(lines) > PAGE_ROWS else None
    return page.show(
        "decisions/list.html",
        lines=[(line, title_of(line)) for line in shown],
        show=outcome,
        chips=[
            (label, address(LIST, show=key if key != "all" else ""), key == outcome, None)
            for key, label in CHIPS.items()
        ],
        next_href=address(LIST, show=show, cursor=more) if more else None,
        first_href=address(LIST, show=show) if cursor else None,
        contributor="contributor" in known.actor.roles,
    )


def title_of(line: DecisionLine) -> str:
    """A few words on what a decision was about."""
    if line.payload is not None and line.project is not None:
        return excerpt(line.project, line.payload, ratings=line.ratings)
    return line.project.title if line.project is not None else "The account"


@router.get(LIST + "/{receipt_id}")
def show_decision(page: Page, session: Db, known: Known, now: Now, receipt_id: str) -> Response:
    return _decision(page, session, known.actor, read_id("receipt", receipt_id), now)


@router.post(LIST + "/{receipt_id}/appeal")
def appeal(page: Page, session: Db, known: Known, now: Now, receipt_id: str, words: Words = "") -> Response:
    """Ask that somebody else looks again."""
    found = read_id("receipt", receipt_id)
    try:
        appeals.appeal(session, known.actor, found, words, now=now)
    except (WordsNeeded, AlreadyAppealed, AppealTooLate) as refusal:
        return _decision(page, session, known.actor, found, now, words=words, refusal=refusal)
    return go(f"{LIST}/{receipt_id}", "Your appeal is with somebody who has not decided before. You get a mail.")


def _decision(
    page: Pages,
    session: Session,
    actor: Actor,
    receipt_id: UUID,
    now: datetime,
    *,
    words: str = "",
    refusal: AppError | None = None,
) -> Response:
    sheet = decisions.own_decision(session, actor, receipt_id)
    return page.show(
        "decisions/decision.html",
        status=200 if refusal is None else STATUS[refusal.kind],
        sheet=sheet,
        key=show_id("receipt", receipt_id),
        shown=shown_work(page, sheet),
        decider=decider_words(sheet),
        words=words,
        error=refusal.message if refusal is not None else None,
        words_min=rules.WORDS_CHARS_MIN,
        words_max=rules.WORDS_CHARS_MAX,
        may_appeal=sheet.may_appeal(now),
        now=now,
    )


def decider_words(sheet: DecisionSheet) -> str:
    """Who decided, by role; where work is reviewed blind, that it was."""
    said = DECIDERS[sheet.decider]
    blind = sheet.decider is Decider.REVIEWER and sheet.project is not None and sheet.project.blind_review
    return f"{said}, who did not see your name" if blind else said


@dataclass(frozen=True)
class ShownWork:
    """A decided submission as its page shows it."""

    title: str
    warnings: list[str]
    """What it may show; covered until asked for."""
    element: str
    element_json: dict[str, Any]
    reason: Markup
    criteria: list[dict[str, Any]]


def shown_work(page: Pages, sheet: DecisionSheet) -> ShownWork | None:
    """The submission as its author saw and sent it, quoted spans marked; None where no work was decided."""
    if sheet.work is None or sheet.project is None:
        return None
    answer = dict(sheet.work.answer)
    reason = str(answer.pop("justification", "") or "")
    sign = page.sign(sheet.project.org_id)
    data = element_data(sheet.project.task_type, sheet.work.shown, sheet.project.config, sign)
    criteria = criteria_of(sheet.work)
    return ShownWork(
        title=excerpt(sheet.project, sheet.work.shown, ratings=sheet.work.ratings),
        warnings=content.words(sheet.work.ratings),
        element=task_type(sheet.project.task_type).element,
        element_json={"data": data, "draft": answer, "readonly": True, "media": addresses_in(answer, sign)},
        reason=marked(reason, [each["quote"] for each in criteria if each["quote"]]),
        criteria=criteria,
    )


def criteria_of(work: Work) -> list[dict[str, Any]]:
    """Each criterion of the rubric in its order, with what the reviewer found on it (verdict None: nothing said)."""
    found: Sequence[Mapping[str, Any]] = work.review.criteria if work.review is not None else []
    given = {verdict["key"]: verdict for verdict in found}
    return [
        {
            "title": criterion["title"],
            "description": criterion.get("description", ""),
            **{name: given.get(criterion["key"], {}).get(name) or none for name, none in FOUND.items()},
        }
        for criterion in work.criteria
    ]


FOUND: Mapping[str, str | None] = {"verdict": None, "comment": "", "quote": ""}


# --- Somebody whose account is suspended cannot sign in, and can still read and appeal that


def suspension_path(page: Pages, session: Session, email: str, now: datetime) -> str | None:
    """Where somebody who has just proved who they are reads why they are shut out; None where nothing is on record.

    The link is signed and lasts `LINK_LASTS`: it opens this one decision and nothing else.
    """
    receipt_id = accounts.suspension_of(session, email)
    if receipt_id is None:
        return None
    until = int((now + LINK_LASTS).timestamp())
    return f"/suspended/{show_id('receipt', receipt_id)}.{until}.{_signature(page, receipt_id, until)}"


def _signature(page: Pages, receipt_id: UUID, until: int) -> str:
    key = page.runtime.settings.signing_key()
    return hmac.new(key, b"suspension" + receipt_id.bytes + str(until).encode(), hashlib.sha256).hexdigest()


def _opened(page: Pages, session: Session, token: str, now: datetime) -> tuple[Actor, DecisionReceipt]:
    """The person and the suspension that a signed link opens; whatever is wrong with it, there is nothing here."""
    shown, _, rest = token.partition(".")
    until, _, signature = rest.partition(".")
    receipt_id = read_id("receipt", shown)
    if not until.isdecimal() or not hmac.compare_digest(signature, _signature(page, receipt_id, int(until))):
        raise NotFound("page")
    if now > datetime.fromtimestamp(int(until), UTC):
        raise NotFound("page")
    person = accounts.suspended_by(session, receipt_id)
    if person is None:
        raise NotFound("page")
    actor = Actor(person.id, "person", person.name)
    receipt = decisions.own_decision(session, actor, receipt_id).receipt
    if receipt.kind is not ReceiptKind.SUSPEND:
        raise NotFound("page")
    return actor, receipt


@router.get("/suspended/{token}")
def show_suspension(page: Page, session: Db, now: Now, token: str) -> Response:
    actor, receipt = _opened(page, session, token, now)
    return _suspension(page, session, actor, receipt.id, token, now)


@router.post("/suspended/{token}/appeal")
def appeal_suspension(page: Page, session: Db, now: Now, token: str, words: Words = "") -> Response:
    actor, receipt = _opened(page, session, token, now)
    try:
        appeals.appeal(session, actor, receipt.id, words, now=now)
    except (WordsNeeded, AlreadyAppealed, AppealTooLate) as refusal:
        return _suspension(page, session, actor, receipt.id, token, now, words=words, refusal=refusal)
    return go(f"/suspended/{token}")


def _suspension(
    page: Pages,
    session: Session,
    actor: Actor,
    receipt_id: UUID,
    token: str,
    now: datetime,
    *,
    words: str = "",
    refusal: AppError | None = None,
) -> Response:
    sheet = decisions.own_decision(session, actor, receipt_id)
    return page.show(
        "decisions/suspended.html",
        status=200 if refusal is None else STATUS[refusal.kind],
        sheet=sheet,
        token=token,
        words=words,
        error=refusal.message if refusal is not None else None,
        words_min=rules.WORDS_CHARS_MIN,
        words_max=rules.WORDS_CHARS_MAX,
        may_appeal=sheet.may_appeal(now),
    )
