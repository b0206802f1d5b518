"""What became of one's work: the list of results and the decision on each."""

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import Response
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.people import content
from preceptor.people.identify import SignedIn
from preceptor.tasktypes.base import task_type
from preceptor.web.pages import Contributor, Page, Pages
from preceptor.web.rendering import addresses_in
from preceptor.web.workspace import element_data, excerpt
from preceptor.work.rules import Standing
from preceptor.work.service import history as histories
from preceptor.work.service import suggesting
from preceptor.work.service.challenges import seen_gold
from preceptor.work.service.decisions import decision_of_submission
from preceptor.work.service.history import DecisionReceipt, HistoryLine
from preceptor.work.service.process import process_of

router = APIRouter()

PAGE_ROWS = 30
EXPORT_ROWS_MAX = 10_000
CHIPS = (
    (None, "All"),
    (Standing.RETURNED, "Needs you"),
    (Standing.WAITING, "Waiting"),
    (Standing.APPROVED, "Approved"),
    (Standing.REJECTED, "Rejected"),
    (Standing.LAPSED, "Lapsed"),
)
RULES: Mapping[str, str] = {
    "review": "Drawn for review; a person read it and decided.",
    "not sampled for review": "Not drawn for review, so approved as it is.",
    "review deadline passed": "Drawn for review; nobody decided in time, so approved.",
    "appeal": "An appeal overturned the first decision: approved as it was sent.",
}

Search = Annotated[str, Query(max_length=200)]


@router.get("/results")
def results(
    page: Page,
    session: Db,
    known: Contributor,
    q: Search = "",
    state: Standing | None = None,
    before: str | None = None,
) -> Response:
    """The person's own submissions, newest first."""
    cursor = read_id("submission", before) if before else None
    lines = histories.own_results(session, known.actor, standing=state, search=q, before=cursor, limit=PAGE_ROWS + 1)
    counts = histories.result_counts(session, known.actor)
    shown = lines[:PAGE_ROWS]
    last = show_id("submission", shown[-1].submission.id) if len(lines) > PAGE_ROWS else None
    return page.show(
        "contributor/results.html",
        rows=[(line, excerpt(line.project, line.payload, ratings=line.ratings), pay_of(line)) for line in shown],
        q=q,
        state=state.value if state else "",
        chips=[(label, link(q, key), key is state, count_of(counts, key)) for key, label in CHIPS],
        next_href=link(q, state, before=last) if last else None,
        first_href=link(q, state) if before else None,
        export_href=link(q, state, path="/results.csv"),
        any_result=sum(counts.values()) > 0,
    )


def count_of(counts: Mapping[Standing, int], standing: Standing | None) -> int:
    return sum(counts.values()) if standing is None else counts[standing]


def link(q: str, state: Standing | None, *, before: str | None = None, path: str = "/results") -> str:
    given = {"q": q, "state": state.value if state else "", "before": before or ""}
    chosen = urlencode({name: value for name, value in given.items() if value})
    return f"{path}?{chosen}" if chosen else path


def pay_of(line: HistoryLine) -> Money:
    return Money(line.claim.rate_minor, line.claim.currency)


@router.get("/results.csv")
def export_results(session: Db, known: Contributor, q: Search = "", state: Standing | None = None) -> Response:
    """The rows of the list as CSV, under the same search and filter; the newest `EXPORT_ROWS_MAX`."""
    lines = histories.own_results(session, known.actor, standing=state, search=q, limit=EXPORT_ROWS_MAX)
    head = ("submission", "project", "task", "revision", "submitted_at", "state", "decided_at", "pay", "currency")
    rows = [
        (
            show_id("submission", line.submission.id),
            line.project.title,
            excerpt(line.project, line.payload, "", ratings=line.ratings),
            line.submission.revision,
            line.submission.created_at.isoformat(),
            line.standing.value,
            line.submission.decided_at.isoformat() if line.submission.decided_at else "",
            pay_of(line).amount,
            line.claim.currency,
        )
        for line in lines
    ]
    return csv_file("results.csv", head, rows)


def csv_file(name: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Response:
    """A CSV download. Text that a spreadsheet would run as a formula is quoted."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_inert(value) for value in row] for row in rows)
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8", headers=disposition)


def _inert(value: object) -> object:
    # OWASP, CSV injection: a leading = + - @ starts a formula. Numbers stay numbers.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "@", "\t", "\r") else value


@router.get("/results/{submission_id}")
def show_result(submission_id: str, page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """The decision on one submission, with its reasons; opening it marks them as read."""
    return result_page(page, session, known, submission_id, now)


def result_page(
    page: Pages,
    session: Session,
    known: SignedIn,
    submission_id: str,
    now: datetime,
    *,
    challenge_error: str | None = None,
    challenge_words: str = "",
) -> Response:
    """The page of one submission, again with what was refused of a challenge to its known answer."""
    receipt = histories.decision_receipt(session, known.actor, read_id("submission", submission_id))
    histories.note_read(session, known.actor, receipt, now=now)
    kind = task_type(receipt.project.task_type)
    sign = page.sign(receipt.project.org_id)
    data = element_data(receipt.project.task_type, receipt.shown, receipt.project.config, sign)
    answer = dict(receipt.answer)
    reason = str(answer.pop("justification", "") or "")
    gold = seen_gold(session, known.actor, receipt.submission.id)
    return page.show(
        "contributor/result.html",
        status=200 if challenge_error is None else 422,
        gold=gold,
        gold_json={"data": data, "draft": gold.key, "readonly": True} if gold else None,
        challenge_error=challenge_error,
        challenge_words=challenge_words,
        receipt=receipt,
        title=excerpt(receipt.project, receipt.shown, ratings=receipt.ratings),
        warnings=content.words(receipt.ratings),
        pay=Money(receipt.claim.rate_minor, receipt.claim.currency),
        element=kind.element,
        element_json={"data": data, "draft": answer, "readonly": True, "media": addresses_in(answer, sign)},
        reason=marked(reason, quotes_of(receipt)),
        criteria=verdicts(receipt),
        rule=RULES.get(receipt.rule or ""),
        decision=decision_of_submission(session, receipt.submission.id),
        process=process_of(session, receipt.claim),
        suggestion=suggesting.of_claim(session, receipt.claim.id),
        now=now,
    )


def quotes_of(receipt: DecisionReceipt) -> list[str]:
    given = receipt.review.criteria if receipt.review is not None else []
    return [quote for verdict in given if (quote := str(verdict.get("quote") or "").strip())]


def marked(text: str, quotes: Sequence[str]) -> Markup:
    """The text with each quoted span in <mark>; quotes that do not occur in it change nothing. All else escaped."""
    spans = sorted((start, start + len(quote)) for quote in quotes if (start := text.find(quote)) >= 0)
    parts, at = [], 0
    for start, end in spans:
        if end <= at:
            continue
        start = max(start, at)
        parts += [escape(text[at:start]), Markup("<mark>"), escape(text[start:end]), Markup("</mark>")]
        at = end
    return Markup("").join([*parts, escape(text[at:])])


def verdicts(receipt: DecisionReceipt) -> list[dict[str, Any]]:
    """Each criterion of the rubric in its order, with what the reviewer found on it (None: nothing said)."""
    given = {verdict["key"]: verdict for verdict in (receipt.review.criteria if receipt.review is not None else [])}
    return [
        {
            "title": criterion["title"],
            "description": criterion.get("description", ""),
            "verdict": given[criterion["key"]]["verdict"] if criterion["key"] in given else None,
            "comment": given.get(criterion["key"], {}).get("comment", ""),
            "quote": given.get(criterion["key"], {}).get("quote", ""),
        }
        for criterion in receipt.terms.criteria
    ]
