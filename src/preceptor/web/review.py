"""Reviewing: the queue, one submission beside its rubric, and what one has decided."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.http.problems import STATUS
from preceptor.kit.errors import AppError, Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people import content
from preceptor.people.identify import SignedIn, require_scope
from preceptor.tasktypes.base import task_type
from preceptor.web.client_frame import Fields, Sent, address
from preceptor.web.pages import Page, Pages, Reviewer, go
from preceptor.web.rendering import addresses_in
from preceptor.web.visits import field_errors
from preceptor.web.workspace import element_data, excerpt
from preceptor.work import rules
from preceptor.work.errors import (
    AlreadyDecided,
    ContentLimitReached,
    ContentNotChosen,
    NothingToReview,
    UnderReview,
)
from preceptor.work.models import Claim, Decision, SubmissionState
from preceptor.work.service import CriterionVerdict, decide, next_for_review, review_overview, skip_review
from preceptor.work.service.process import process_of
from preceptor.work.service.review_overview import DecidedLine, ReviewSheet
from preceptor.work.service.reviewing import open_for_review
from preceptor.work.service.showing import rated

router = APIRouter(prefix="/review")

PAGE_ROWS = 50
SKIPPED_MAX = 50
"""So many skipped submissions stay behind in a row; with more the first come up again."""
DECISIONS: Mapping[str, str] = {"approve": "Approved", "return": "Returned", "reject": "Rejected"}
DONE = "/review/done"


# --- The queue


@router.get("")
def show_queue(page: Page, session: Db, reviewer: Reviewer, now: Now) -> Response:
    """How much waits in each project, and how one's own decisions have held up."""
    return page.show(
        "review/queue.html",
        lines=review_overview.review_queue(session, reviewer.actor, now=now),
        open_now=review_overview.open_review(session, reviewer.actor, now=now),
        record=review_overview.review_record(session, reviewer.actor),
        counts=review_overview.decision_counts(session, reviewer.actor),
        now=now,
    )


@router.get("/done")
def show_done(
    page: Page,
    session: Db,
    reviewer: Reviewer,
    q: Annotated[str, Query(max_length=200)] = "",
    show: str = "all",
    cursor: str | None = None,
) -> Response:
    """One's own decisions, newest first."""
    decision = Decision(show) if show in DECISIONS else None
    lines = review_overview.decisions_made(
        session,
        reviewer.actor,
        decision=decision,
        search=q,
        before=read_id("review", cursor) if cursor else None,
        limit=PAGE_ROWS + 1,
    )
    counts = review_overview.decision_counts(session, reviewer.actor, q)
    shown = lines[:PAGE_ROWS]
    covered = rated(session, [line.submission.task_id for line in shown])
    more = show_id("review", shown[-1].review.id) if len(lines) > PAGE_ROWS else None
    return page.show(
        "review/done.html",
        lines=[(line, _title(line, covered.get(line.submission.task_id, ()))) for line in shown],
        words=DECISIONS,
        q=q,
        show=decision.value if decision else "all",
        chips=_chips(q, decision, counts),
        record=review_overview.review_record(session, reviewer.actor),
        next_href=address(DONE, q=q, show=decision and decision.value, cursor=more) if more else None,
        first_href=address(DONE, q=q, show=decision and decision.value) if cursor else None,
    )


def _title(line: DecidedLine, ratings: Sequence[str]) -> str:
    return excerpt(line.project, line.payload, ratings=ratings)


def _chips(q: str, decision: Decision | None, counts: Mapping[Decision, int]) -> list[tuple[str, str, bool, int]]:
    each = [
        (DECISIONS[kind.value], address(DONE, q=q, show=kind.value), kind is decision, counts[kind])
        for kind in Decision
    ]
    return [("All", address(DONE, q=q), decision is None, sum(counts.values())), *each]


# --- One submission


@router.get("/{project_id}/next")
def show_next(session: Db, reviewer: Reviewer, now: Now, project_id: str) -> Response:
    """The submission that has waited longest; the one that is open comes first."""
    return _go_to_next(session, reviewer, read_id("project", project_id), [], now)


def _go_to_next(
    session: Session, reviewer: SignedIn, project_id: UUID, skipped: list[UUID], now: Now, said: str = ""
) -> Response:
    require_scope(reviewer.actor, "review")
    try:
        item = next_for_review(session, reviewer.actor, project_id, skip=skipped, now=now)
    except (ContentNotChosen, ContentLimitReached) as refusal:
        return go("/review", " ".join(filter(None, [said, refusal.message])), tone="warning")
    except NothingToReview:
        left = "The submissions that you skipped are left for others or for later." if skipped else ""
        return go("/review", " ".join(filter(None, [said, "Nothing more waits in this project.", left])))
    path = f"/review/submission/{show_id('submission', item.submission.id)}"
    return go(address(path, skip=",".join(show_id("submission", each) for each in skipped)), said or None)


@router.get("/submission/{submission_id}")
def show_submission(
    page: Page,
    session: Db,
    reviewer: Reviewer,
    now: Now,
    submission_id: str,
    skip: Annotated[str, Query(max_length=SKIPPED_MAX * 40)] = "",
) -> Response:
    """A submission to decide about, leased to who opens it; once it is decided, what was decided."""
    require_scope(reviewer.actor, "review")
    sheet = review_overview.review_sheet(session, reviewer.actor, read_id("submission", submission_id))
    if sheet.submission.state is not SubmissionState.SUBMITTED:
        return _decided(page, session, sheet)
    open_for_review(session, reviewer.actor, sheet.submission.id, now=now)
    return _desk(page, session, reviewer, sheet, now, skip=skip)


def _desk(
    page: Pages,
    session: Session,
    reviewer: SignedIn,
    sheet: ReviewSheet,
    now: Now,
    *,
    skip: str,
    sent: Fields | None = None,
    refusal: AppError | None = None,
) -> Response:
    queue = review_overview.review_queue(session, reviewer.actor, now=now)
    waiting = next((line.waiting for line in queue if line.project.id == sheet.project.id), 0)
    return page.show(
        "review/desk.html",
        status=200 if refusal is None else STATUS[refusal.kind],
        sheet=sheet,
        warnings=content.words(sheet.ratings),
        process=process_of(session, session.get_one(Claim, sheet.submission.claim_id)),
        key=show_id("submission", sheet.submission.id),
        element=task_type(sheet.project.task_type).element,
        workspace=_element(page, sheet, sheet.answer),
        earlier=[(each, _element(page, sheet, each.answer)) for each in sheet.earlier],
        waiting=waiting,
        skip=skip,
        values=sent.plain() if sent is not None else {},
        refused=refusal.message if refusal is not None else "",
        errors=field_errors(refusal) if refusal is not None else {},
        reason_min=rules.REASON_CHARS_MIN,
        titles=_titles(sheet),
    )


def _element(page: Pages, sheet: ReviewSheet, answer: Any) -> dict[str, Any]:
    sign = page.sign(sheet.project.org_id)
    data = element_data(sheet.project.task_type, sheet.shown, sheet.project.config, sign)
    return {"data": data, "draft": answer, "readonly": True, "media": addresses_in(answer, sign)}


def _titles(sheet: ReviewSheet) -> dict[str, str]:
    return {str(criterion["key"]): str(criterion["title"]) for criterion in sheet.criteria}


def _decided(page: Pages, session: Session, sheet: ReviewSheet) -> Response:
    others = review_overview.other_judgments(session, sheet)
    return page.show(
        "review/decided.html",
        sheet=sheet,
        warnings=content.words(sheet.ratings),
        key=show_id("submission", sheet.submission.id),
        element=task_type(sheet.project.task_type).element,
        workspace=_element(page, sheet, sheet.answer),
        others=[(other, _element(page, sheet, other.answer)) for other in others],
        titles=_titles(sheet),
        words=DECISIONS,
        subject=excerpt(sheet.project, sheet.shown, ratings=sheet.ratings),
    )


@router.post("/submission/{submission_id}")
def decide_submission(
    page: Page, session: Db, reviewer: Reviewer, now: Now, submission_id: str, sent: Sent
) -> Response:
    """Decide, and have the next one open at once. What is refused comes back with everything that was written."""
    require_scope(reviewer.actor, "review")
    found = read_id("submission", submission_id)
    sheet = review_overview.review_sheet(session, reviewer.actor, found)
    try:
        decision = _decision(sent)
        decide(
            session,
            reviewer.actor,
            found,
            decision,
            comment=sent.text("comment"),
            criteria=_verdicts(sheet, sent),
            worked_seconds=_worked(sent),
            now=now,
        )
    except (Invalid, UnderReview) as error:
        return _desk(page, session, reviewer, sheet, now, skip=sent.text("skip"), sent=sent, refusal=error)
    except AlreadyDecided:
        return go(f"/review/submission/{submission_id}", "This was decided meanwhile. Nothing changed.", tone="warning")
    said = f"{DECISIONS[decision.value]}. Here is the next one."
    return _go_to_next(session, reviewer, sheet.project.id, _skipped(sent.text("skip")), now, said)


def _decision(sent: Fields) -> Decision:
    try:
        return Decision(sent.text("decision"))
    except ValueError:
        raise Invalid("Choose approve, return or reject.") from None


def _worked(sent: Fields) -> int:
    text = sent.text("worked_seconds")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def _verdicts(sheet: ReviewSheet, sent: Fields) -> list[CriterionVerdict]:
    """The criteria about which something was said; words without a verdict count as unclear."""
    found = []
    for criterion in sheet.criteria:
        key = str(criterion["key"])
        verdict = sent.text(f"verdict_{key}")
        comment, quote = sent.text(f"comment_{key}")[:2000], sent.text(f"quote_{key}")[:2000]
        if verdict not in ("met", "not_met", "unclear"):
            verdict = "unclear" if comment or quote else ""
        if verdict:
            found.append(CriterionVerdict(key, cast('Literal["met", "not_met", "unclear"]', verdict), comment, quote))
    return found


@router.post("/submission/{submission_id}/skip")
def skip_submission(session: Db, reviewer: Reviewer, now: Now, submission_id: str, sent: Sent) -> Response:
    """Leave a submission to others; it does not come up again until the queue is opened anew."""
    require_scope(reviewer.actor, "review")
    found = read_id("submission", submission_id)
    sheet = review_overview.review_sheet(session, reviewer.actor, found)
    skip_review(session, reviewer.actor, found, now=now)
    skipped = [*_skipped(sent.text("skip")), found][-SKIPPED_MAX:]
    return _go_to_next(session, reviewer, sheet.project.id, skipped, now)


def _skipped(text: str) -> list[UUID]:
    found = []
    for each in text.split(",")[:SKIPPED_MAX]:
        try:
            found.append(read_id("submission", each))
        except NotFound:
            continue
    return found
