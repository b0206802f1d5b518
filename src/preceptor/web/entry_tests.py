"""Entry tests: what each opens, practice with explanations, the attempt itself, its result."""

from datetime import timedelta
from random import Random
from typing import Any

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup, escape
from pydantic import BaseModel
from sqlalchemy.orm import Session

from preceptor.assessments import access
from preceptor.assessments.models import AttemptState
from preceptor.assessments.rules import Door
from preceptor.assessments.service import attempts, practice
from preceptor.assessments.service.attempts import QuestionView
from preceptor.assessments.service.practice import PracticeFeedback
from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.kit.errors import AppError, Kind, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.markdown import render_markdown
from preceptor.people.identify import require_scope
from preceptor.projects import access as projects
from preceptor.web.pages import Contributor, Page, Pages
from preceptor.web.workspace import Workspace, practice_json, question_json

router = APIRouter()

PRACTICE_LASTS = timedelta(hours=12)
"""Practice has no time limit; the page just wants one to count from."""
RIGHT, PARTLY = 0.999, 0.001


class TestOver(AppError):
    """This attempt is over. Go back to see its result."""

    __test__ = False

    code = "attempt_over"
    kind: Kind = "gone"


class PracticeOver(AppError):
    """You have seen every practice question. Start the test when you feel ready, or go through them once more."""

    code = "all_practised"
    kind: Kind = "not_found"


class AnswerIn(BaseModel):
    answer: dict[str, Any]


# --- Pages


@router.get("/tests")
def show_tests(page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """Every test that is given, what it opens and where one stands."""
    return page.show(
        "contributor/tests.html",
        cards=attempts.tests_for(session, known.actor, now=now),
        opens=opened_by_qualification(session, known.actor),
        doors=Door,
    )


def opened_by_qualification(session: Session, actor: Actor) -> dict[Any, list[Any]]:
    """Projects on the person's board by the qualification that they ask for."""
    opened: dict[Any, list[Any]] = {}
    for entry in projects.board(session, actor):
        if entry.project.qualification_id is not None:
            opened.setdefault(entry.project.qualification_id, []).append(entry.project)
    return opened


@router.get("/tests/{assessment_id}")
def show_test(assessment_id: str, page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """One test: what it is about, its terms, past attempts, and the buttons to practise and to start."""
    found = read_id("assessment", assessment_id)
    card = attempts.card_of(session, known.actor, found, now=now)
    return page.show(
        "contributor/test.html",
        card=card,
        past=attempts.attempts_of(session, known.actor, found),
        opens=opened_by_qualification(session, known.actor).get(card.assessment.qualification_id, []),
        doors=Door,
        running=AttemptState.RUNNING,
    )


@router.post("/tests/{assessment_id}/attempt")
def start(assessment_id: str, session: Db, known: Contributor, now: Now) -> Response:
    """Start the clock, or go on with the attempt that runs."""
    attempts.start_attempt(session, known.actor, read_id("assessment", assessment_id), now=now, rng=Random())
    return RedirectResponse(f"/tests/{assessment_id}/attempt", status_code=303)


@router.get("/tests/{assessment_id}/attempt")
def show_attempt(assessment_id: str, page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """The question to answer now; with none left or the time over, the result."""
    card = attempts.card_of(session, known.actor, read_id("assessment", assessment_id), now=now)
    if card.running is None:
        return RedirectResponse(f"/tests/{assessment_id}", status_code=303)
    view = attempts.current_question(session, known.actor, card.running.id, now=now, rng=Random())
    if view is None:
        attempts.finish_attempt(session, known.actor, card.running.id, now=now)
        return RedirectResponse(attempt_path(assessment_id, show_id("attempt", card.running.id)), status_code=303)
    workspace = _question(page, view, card, now)
    return page.show("contributor/desk.html", workspace=workspace)


def attempt_path(assessment_id: str, attempt_id: str) -> str:
    return f"/tests/{assessment_id}/attempts/{attempt_id}"


@router.get("/tests/{assessment_id}/attempts/{attempt_id}")
def show_attempt_result(
    assessment_id: str, attempt_id: str, page: Page, session: Db, known: Contributor, now: Now
) -> Response:
    """What came of an attempt; while it runs, how to go on."""
    told = attempts.result(session, known.actor, read_id("attempt", attempt_id), now=now)
    if show_id("assessment", told.assessment.id) != assessment_id:
        raise NotFound("attempt")
    return page.show(
        "contributor/attempt.html",
        told=told,
        test_path=f"/tests/{assessment_id}",
        opens=opened_by_qualification(session, known.actor).get(told.assessment.qualification_id, []),
        explanations={one.number: render_markdown(one.explanation) for one in told.questions if one.explanation},
        doors=Door,
        states=AttemptState,
    )


@router.get("/tests/{assessment_id}/practice")
def show_practice(
    assessment_id: str, page: Page, session: Db, known: Contributor, now: Now, at: int = Query(1, ge=1)
) -> Response:
    """Practice: each answer is explained at once and nothing is counted."""
    round = Random().randrange(practice.ROUND_MAX)
    workspace = practice_workspace(page, session, known.actor, assessment_id, at, round, now)
    return page.show("contributor/desk.html", workspace=workspace)


def practice_workspace(
    page: Pages, session: Session, actor: Actor, assessment_id: str, number: int, round: int, now: Any
) -> Workspace:
    view = practice.practice_question(session, actor, read_id("assessment", assessment_id), number, round=round)
    test = view.assessment
    return practice_json(
        view,
        title=test.title,
        introduction=test.introduction,
        leased_until=now + PRACTICE_LASTS,
        sign=page.sign(test.org_id),
        now=now,
    )


# --- What the workspace sends during an attempt


@router.put("/tests/{assessment_id}/attempts/{attempt_id}/{question_id}/draft")
def save_draft(
    attempt_id: str, question_id: str, body: AnswerIn, session: Db, actor: CurrentActor, now: Now
) -> dict[str, Any]:
    require_scope(actor, "work")
    attempt, item = read_id("attempt", attempt_id), read_id("question", question_id)
    attempts.save_draft(session, actor, attempt, item, body.answer, now=now)
    return {"saved_at": now}


@router.post("/tests/{assessment_id}/attempts/{attempt_id}/heartbeat")
def heartbeat(attempt_id: str, session: Db, actor: CurrentActor, now: Now) -> dict[str, Any]:
    """The deadline as the server sees it. It does not move; past it the attempt is over."""
    attempt = access.own_attempt(session, actor, read_id("attempt", attempt_id))
    if attempt.state is not AttemptState.RUNNING or now > attempt.deadline:
        raise TestOver
    return {"leased_until": attempt.deadline, "server_now": now}


@router.post("/tests/{assessment_id}/attempts/{attempt_id}/{question_id}/answer")
def answer(
    assessment_id: str,
    attempt_id: str,
    question_id: str,
    body: AnswerIn,
    page: Page,
    session: Db,
    actor: CurrentActor,
    now: Now,
) -> dict[str, Any]:
    """Keep the answer; the last one ends the attempt and leads to its result."""
    require_scope(actor, "work")
    attempt, item = read_id("attempt", attempt_id), read_id("question", question_id)
    left = attempts.answer_question(session, actor, attempt, item, body.answer, now=now)
    if left == 0:
        attempts.finish_attempt(session, actor, attempt, now=now)
        return {"message": "All answered.", "redirect": attempt_path(assessment_id, attempt_id)}
    return {"message": f"Answer kept. {left} to go.", "next": next_question(page, session, actor, attempt_id, now)}


@router.post("/tests/{assessment_id}/attempts/{attempt_id}/next", response_model=None)
def ask_next_question(attempt_id: str, page: Page, session: Db, actor: CurrentActor, now: Now) -> Workspace:
    require_scope(actor, "work")
    return next_question(page, session, actor, attempt_id, now)


def next_question(page: Pages, session: Session, actor: Actor, attempt_id: str, now: Any) -> Workspace:
    view: QuestionView | None = attempts.current_question(
        session, actor, read_id("attempt", attempt_id), now=now, rng=Random()
    )
    if view is None:
        raise TestOver
    card = attempts.card_of(session, actor, view.attempt.assessment_id, now=now)
    return _question(page, view, card, now)


def _question(page: Pages, view: QuestionView, card: attempts.TestCard, now: Any) -> Workspace:
    test = card.assessment
    return question_json(view, title=test.title, introduction=test.introduction, sign=page.sign(test.org_id), now=now)


# --- What the workspace sends during practice


@router.post("/tests/{assessment_id}/practice/{number}/question", response_model=None)
def practice_question(
    assessment_id: str, number: int, page: Page, session: Db, actor: CurrentActor, now: Now, round: int = Query(0, ge=0)
) -> Workspace:
    try:
        return practice_workspace(page, session, actor, assessment_id, number, round, now)
    except NotFound as missing:
        raise PracticeOver from missing


@router.post("/tests/{assessment_id}/practice/{number}")
def practise(
    assessment_id: str,
    number: int,
    body: AnswerIn,
    page: Page,
    session: Db,
    actor: CurrentActor,
    now: Now,
    round: int = Query(0, ge=0),
) -> dict[str, Any]:
    """Score an answer and explain it, with the next question ready."""
    found = read_id("assessment", assessment_id)
    told = practice.practice_answer(session, actor, found, number, body.answer, round=round)
    following = told.next_number
    return {
        "message": "",
        "explanation": explained(told),
        "next": practice_workspace(page, session, actor, assessment_id, following, round, now) if following else None,
    }


def explained(told: PracticeFeedback) -> dict[str, Any]:
    if told.score >= RIGHT:
        title = "That is the known answer."
    else:
        title = "Partly right." if told.score > PARTLY else "The known answer is different."
    reasons = Markup("").join(Markup("<li>{}</li>").format(reason) for reason in told.reasons)
    listed = Markup("<ul>{}</ul>").format(reasons) if told.reasons else Markup("")
    return {
        "correct": told.score >= RIGHT,
        "title": title,
        "html": f"{render_markdown(told.explanation)}{escape(listed)}",
    }
