"""A project's suggestions for its client: what is suggested, on which share of the tasks nothing is shown, and what
that did to people."""

from typing import Final

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.web.client_frame import Fields, Frame, Sent, frame, frame_to_change, refusal
from preceptor.web.pages import Client, Page, Pages, go
from preceptor.web.visits import field_errors
from preceptor.work import rules_suggestions
from preceptor.work.models_judging import JudgeState
from preceptor.work.models_suggestions import SuggestionOutcome, SuggestionSource
from preceptor.work.service import judges, suggestions
from preceptor.work.service.suggestions import Setting, Wanted

router = APIRouter()

OUTCOMES: Final = {
    # In words, and what it means.
    SuggestionOutcome.ACCEPTED: ("Accepted", "The answer is the suggestion, whatever was pressed."),
    SuggestionOutcome.EDITED: ("Edited", "The person began with it and changed it."),
    SuggestionOutcome.REJECTED: ("Rejected", "The person did not take it and answered otherwise."),
}


@router.get("/projects/{project_id}/suggestions")
def show_suggestions(page: Page, session: Db, client: Client, project_id: str) -> Response:
    return _show(page, session, frame(session, client, project_id, "models"))


def _show(
    page: Pages, session: Session, at: Frame, values: dict[str, str] | None = None, error: AppError | None = None
) -> HTMLResponse:
    setting = suggestions.setting_of(session, at.project)
    usable = [each for each in judges.list_judges(session, at.project.id) if each.state is not JudgeState.RETIRED]
    return page.show(
        "client/suggestions.html",
        status=200 if error is None else 422,
        at=at,
        setting=setting,
        coverage=suggestions.coverage(session, at.project, setting.judge) if setting.judge else None,
        coverage_max=suggestions.COVERAGE_MAX,
        choices=_choices(at, [(show_id("judge", each.id), each.title) for each in usable]),
        values=values or _values(setting),
        least=rules_suggestions.BLIND_PERCENT_MIN,
        most=rules_suggestions.BLIND_PERCENT_MAX,
        reports=suggestions.reports(session, at.project),
        outcomes=OUTCOMES,
        errors=field_errors(error) if isinstance(error, Invalid) else {},
        error=error.message if error is not None else None,
    )


def _choices(at: Frame, usable: list[tuple[str, str]]) -> list[tuple[str, str]]:
    files = [("file", "What the tasks' file brought along")] if suggestions.can_come_with_tasks(at.project) else []
    return [("off", "Nothing"), *files, *((key, f"The AI judge “{title}”") for key, title in usable)]


def _values(setting: Setting) -> dict[str, str]:
    chosen = show_id("judge", setting.judge.id) if setting.judge else setting.source.value
    return {"suggest": chosen, "blind_percent": str(setting.blind_percent or rules_suggestions.BLIND_PERCENT_DEFAULT)}


@router.post("/projects/{project_id}/suggestions")
def set_suggestions(page: Page, session: Db, client: Client, now: Now, project_id: str, fields: Sent) -> Response:
    at = frame_to_change(session, client, project_id, "models")
    try:
        with session.begin_nested():
            suggestions.set_suggestions(session, client.actor, at.project.id, _wanted(fields), now=now)
    except Invalid as error:
        return _show(page, session, at, fields.plain(), error)
    return go(f"{at.base}/suggestions", "Saved. It holds for tasks that are taken from now on.")


def _wanted(fields: Fields) -> Wanted:
    chosen = fields.text("suggest")
    blind = fields.whole("blind_percent", "The blind share")
    if chosen in (SuggestionSource.OFF, SuggestionSource.FILE):
        return Wanted(SuggestionSource(chosen), None, blind)
    if not chosen.startswith("jdg_"):
        raise refusal("suggest", "Choose what is suggested.")
    return Wanted(SuggestionSource.JUDGE, read_id("judge", chosen), blind)
