"""Calibration practice in a project: what it is for, the desk, and what the desk sends."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup, escape
from sqlalchemy.orm import Session

from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.errors import AppError, Kind
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, read_veiled, show_veiled
from preceptor.kit.markdown import render_markdown
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import require_scope
from preceptor.projects import access as projects
from preceptor.web.desk import AnswerIn
from preceptor.web.pages import Contributor, Page, Pages
from preceptor.web.workspace import Workspace, calibration_json
from preceptor.work import rules_gold
from preceptor.work.service import practice
from preceptor.work.service.practice import PracticeFeedback

router = APIRouter(prefix="/practice")

LASTS = timedelta(hours=12)
"""Practice has no lease; the desk is only told that there is time."""


class NothingToPractise(AppError):
    """There is nothing to practise on in this project yet. The client has been told."""

    code = "no_practice_material"
    kind: Kind = "not_found"


@router.get("/{project_id}")
def show_practice(project_id: str, page: Page, session: Db, known: Contributor) -> Response:
    """What practice is for, how it goes so far, and the way to the desk."""
    found = read_id("project", project_id)
    progress = practice.progress(session, known.actor, found)
    return page.show(
        "contributor/practice.html",
        project=projects.project_for_contributor(session, known.actor, found),
        key=project_id,
        progress=progress,
        window=rules_gold.PRACTICE_WINDOW,
        passes=rules_gold.PRACTICE_PASSES,
    )


@router.post("/{project_id}")
def start(project_id: str, page: Page, session: Db, known: Contributor, runtime: CurrentRuntime, now: Now) -> Response:
    """To the desk, or back with the news that there is nothing to practise on (of which the client is told)."""
    found = read_id("project", project_id)
    if practice.next_item(session, known.actor, found, now=now) is None:
        return RedirectResponse(f"/practice/{project_id}", status_code=303)
    return RedirectResponse(f"/practice/{project_id}/desk", status_code=303)


@router.get("/{project_id}/desk")
def show_desk(
    project_id: str, page: Page, session: Db, known: Contributor, runtime: CurrentRuntime, now: Now
) -> Response:
    """The real workspace with the task that the person would learn most from."""
    workspace = _next(page, session, known.actor, read_id("project", project_id), runtime, now)
    if workspace is None:
        return RedirectResponse(f"/practice/{project_id}", status_code=303)
    return page.show("contributor/desk.html", workspace=workspace)


def _next(
    page: Pages, session: Session, actor: Actor, project_id: UUID, runtime: Runtime, now: datetime
) -> Workspace | None:
    item = practice.next_item(session, actor, project_id, now=now)
    if item is None:
        return None
    guidelines = projects.current_guidelines(session, item.project)
    return calibration_json(
        item,
        practice.progress(session, actor, project_id),
        task=show_veiled("task", item.task_id, runtime.settings.signing_key()),
        guidelines=guidelines.body if guidelines is not None else "",
        leased_until=now + LASTS,
        sign=page.sign(item.project.org_id),
        now=now,
    )


@router.post("/{project_id}/next", response_model=None)
def ask_next(
    project_id: str, page: Page, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> Workspace:
    require_scope(actor, "work")
    workspace = _next(page, session, actor, read_id("project", project_id), runtime, now)
    if workspace is None:
        raise NothingToPractise
    return workspace


@router.post("/{project_id}/answer")
def answer(
    project_id: str,
    body: AnswerIn,
    page: Page,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    now: Now,
    task: Annotated[str, Query(max_length=100)],
    round: Annotated[int, Query(ge=0, le=practice.ROUND_MAX)] = 0,
) -> dict[str, Any]:
    """Score an answer and explain it, with the next task ready; the end of a retraining leads back to the page."""
    require_scope(actor, "work")
    found, key = read_id("project", project_id), runtime.settings.signing_key()
    wanted = read_veiled("task", task, key)
    told = practice.answer_item(session, actor, found, wanted, body.answer, round=round, now=now)
    following = None if told.progress.finished else _next(page, session, actor, found, runtime, now)
    return {"message": "", "explanation": explained(told), "next": following}


def explained(told: PracticeFeedback) -> dict[str, Any]:
    """Whether it was right, why, and where that leaves the person."""
    if told.passed:
        title = "That is the known answer." if told.score == 1 else "Close enough to the known answer."
    else:
        title = "The known answer is different."
    if told.progress.finished:
        title += " You have passed the practice: your place is open again."
    listed = Markup("").join(Markup("<li>{}</li>").format(reason) for reason in told.reasons)
    reasons = Markup("<ul>{}</ul>").format(listed) if told.reasons else Markup("")
    how = Markup("<p>{}</p>").format(_standing(told))
    return {
        "correct": told.passed,
        "title": title,
        "html": f"{render_markdown(told.explanation)}{escape(reasons)}{escape(how)}",
    }


def _standing(told: PracticeFeedback) -> str:
    progress = told.progress
    said = f"{progress.right} of your last {len(progress.recent)} different tasks are right."
    if progress.retraining:
        said += f" Retraining ends with {rules_gold.PRACTICE_PASSES} right of the last {rules_gold.PRACTICE_WINDOW}."
    return said
