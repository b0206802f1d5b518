"""A project's AI judges for its client: making, running and reading them, and letting them count."""

from collections.abc import Sequence
from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a run defers a job, which has to be registered
from preceptor.endpoints.service import keeping
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import Db, Now
from preceptor.kit.errors import AppError, Invalid, NotFound
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import SignedIn
from preceptor.tasktypes.base import problems_of
from preceptor.web.client_frame import Fields, Frame, Sent, frame, frame_to_change
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors
from preceptor.work.access_judging import judge_for_client
from preceptor.work.models_judging import AiJudge, JudgeScope, JudgmentOutcome
from preceptor.work.service import judges
from preceptor.work.service.judges import JudgeIn, RunIn
from preceptor.work.service.judging_progress import progress_of

router = APIRouter()

PAGE_ROWS = 20
STARTING = {"title": "", "endpoint": "", "words": "", "critique": "", "both_orders": ""}
OUTCOMES: dict[JudgmentOutcome, tuple[str, str]] = {
    # In words, and the tone of its pill.
    JudgmentOutcome.ANSWERED: ("Answered", "good"),
    JudgmentOutcome.UNDECIDED: ("Contradicted itself", "attention"),
    JudgmentOutcome.UNREADABLE: ("No answer in the reply", "attention"),
    JudgmentOutcome.FAILED: ("The endpoint failed", "attention"),
    JudgmentOutcome.UNFIT: ("Not for a model", "quiet"),
}


@router.get("/projects/{project_id}/judges")
def list_judges(page: Page, session: Db, client: Client, project_id: str) -> Response:
    return _list(page, session, client, frame(session, client, project_id, "models"))


def _list(
    page: Pages, session: Session, client: SignedIn, at: Frame, values: dict[str, str] | None = None,
    error: AppError | None = None,
) -> HTMLResponse:  # fmt: skip
    found = judges.list_judges(session, at.project.id)
    chosen = judges.offered(session, at.project)
    others = keeping.list_endpoints(session, client.actor, org_id=at.project.org_id)
    offered = [*chosen, *(each for each in others if each.id not in {one.id for one in chosen})]
    return page.show(
        "client/judges.html",
        status=200 if error is None else 422,
        at=at,
        reports=judges.reports(session, found),
        endpoints=[(show_id("endpoint", each.id), f"{each.name} ({each.model})") for each in offered],
        can_judge=judges.can_judge(at.project),
        has_orders=judges.has_orders(at.project),
        values=STARTING | (values or {}),
        errors=field_errors(error) if isinstance(error, Invalid) else {},
        error=error.message if error is not None else None,
    )


@router.post("/projects/{project_id}/judges")
def make_judge(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    try:
        with session.begin_nested():
            made = judges.make_judge(session, client.actor, at.project, _judge_in(fields), now=now)
    except Invalid as error:
        return _list(page, session, client, at, fields.plain(), error)
    return go(_href(at, made), "The judge is made. Have it judge a few tasks first.")


@router.post("/projects/{project_id}/judges/inference")
def set_inference(session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    included = fields.checked("included")
    judges.set_inference(session, client.actor, at.project.id, included, now=now)
    words = "AI judges count as annotators now." if included else "AI judges do not count now."
    return go(f"{at.base}/judges", f"{words} All judgments are being weighed anew.")


@router.get("/projects/{project_id}/judges/{judge_id}")
def show_judge(
    page: Page, session: Db, client: Client, now: Now, project_id: str, judge_id: str, cursor: str | None = None
) -> Response:
    """One judge. While a run goes on the page asks for the part that moves; when it is over, for all of it."""
    at = frame(session, client, project_id, "models")
    judge = _judge(session, client, at, judge_id)
    if "hx-request" not in page.request.headers:
        return _show(page, session, at, judge, now, cursor)
    run = progress_of(session, judge, now=now)
    if run is None:
        return Response(status_code=200, headers={"HX-Refresh": "true"})
    report = judges.reports(session, [judge])[0]
    return page.show("client/judge_live.html", at=at, report=report, href=_href(at, judge), run=run)


def _show(
    page: Pages, session: Session, at: Frame, judge: AiJudge, now: datetime, cursor: str | None = None,
    error: AppError | None = None,
) -> HTMLResponse:  # fmt: skip
    found = judges.list_judgments(session, judge, before=read_cursor("judgment", cursor), limit=PAGE_ROWS + 1)
    kind = at.project.kind
    rows = [
        (judgment, task, kind.in_words(kind.payload(task.payload), kind.answer(judgment.answer)))
        if judgment.answer
        else (judgment, task, None)
        for judgment, task in found[:PAGE_ROWS]
    ]
    return page.show(
        "client/judge.html",
        status=200 if error is None else 422,
        at=at,
        report=judges.reports(session, [judge])[0],
        href=_href(at, judge),
        rows=rows,
        outcomes=OUTCOMES,
        run=progress_of(session, judge, now=now),
        next_href=f"{_href(at, judge)}?cursor={show_id('judgment', rows[-1][0].id)}"
        if len(found) > PAGE_ROWS
        else None,
        error=error.message if error is not None else None,
    )


@router.post("/projects/{project_id}/judges/{judge_id}/run")
def run_judge(
    page: Page, session: Db, client: Client, now: Now, project_id: str, judge_id: str, fields: Sent
) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    judge = _judge(session, client, at, judge_id)
    try:
        with session.begin_nested():
            judges.request_run(session, client.actor, judge.id, _run_in(fields), now=now)
    except Invalid as error:
        return _show(page, session, at, judge, now, error=error)
    return go(_href(at, judge), "The judge is being asked.", tone="info")


@router.post("/projects/{project_id}/judges/{judge_id}/stop")
def stop_judge(session: Db, client: Client, now: Now, project_id: str, judge_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    judge = judges.stop(session, client.actor, _judge(session, client, at, judge_id).id, now=now)
    return go(_href(at, judge), "The run is stopped.")


@router.post("/projects/{project_id}/judges/{judge_id}/retire")
def retire_judge(session: Db, client: Client, now: Now, project_id: str, judge_id: str) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    judges.retire(session, client.actor, _judge(session, client, at, judge_id).id, now=now)
    return go(f"{at.base}/judges", "The judge is retired. What it said stays.")


def _judge(session: Session, client: SignedIn, at: Frame, shown: str) -> AiJudge:
    found, project = judge_for_client(session, client.actor, read_id("judge", shown))
    if project.id != at.project.id:
        raise NotFound("judge")
    return found


def _href(at: Frame, judge: AiJudge) -> str:
    return f"{at.base}/judges/{show_id('judge', judge.id)}"


def _judge_in(fields: Fields) -> JudgeIn:
    try:
        return JudgeIn(
            endpoint_id=fields.text("endpoint"),
            title=fields.text("title"),
            words=fields.written("words"),
            critique=fields.checked("critique"),
            both_orders=fields.checked("both_orders"),
        )
    except ValidationError as error:
        raise _refused(error) from None


def _run_in(fields: Fields) -> RunIn:
    scope = JudgeScope.ALL if fields.text("scope") == JudgeScope.ALL else JudgeScope.JUDGED
    limits: Sequence[str] = ("tasks_max", "budget")
    given = {name: fields.text(name) for name in limits if fields.text(name)}
    try:
        return RunIn.model_validate({"scope": scope, "again": fields.checked("again"), **given})
    except ValidationError as error:
        raise _refused(error) from None


def _refused(error: ValidationError) -> Invalid:
    problems = [
        {"path": each.path, "message": f"{each.message[:1].upper()}{each.message[1:]}."} for each in problems_of(error)
    ]
    return Invalid(problems[0]["message"], problems)
