"""Suggestions over the API: what a project suggests, and what that did to its people."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import Field

from preceptor.api.quality import EstimateOut, estimate_out
from preceptor.api.schemas import In, Out
from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects import access
from preceptor.quality.anchoring import Sides
from preceptor.work import rules_suggestions
from preceptor.work.models_suggestions import SuggestionOutcome, SuggestionSource
from preceptor.work.service import suggestions
from preceptor.work.service.suggestions import Setting, Stretch, SuggestionReport, Wanted

router = APIRouter(prefix="/api/v1", tags=["suggestions"])


class SuggestionsIn(In):
    source: SuggestionSource = Field(description="`judge`: an AI judge's answers. `file`: what tasks brought along.")
    judge_id: str | None = Field(default=None, examples=["jdg_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    blind_percent: int = Field(
        default=rules_suggestions.BLIND_PERCENT_DEFAULT,
        description=f"Share of tasks on which nothing is shown, {rules_suggestions.BLIND_PERCENT_MIN} to "
        f"{rules_suggestions.BLIND_PERCENT_MAX}.",
    )


class SuggestionsOut(Out):
    source: SuggestionSource
    judge_id: str | None
    blind_percent: int
    decided: bool = Field(description="False: nobody has set this; what files bring along is shown to everybody.")
    on: bool = Field(description="People may meet suggestions. Not so where the judge is retired.")


class SidesOut(Out):
    shown: EstimateOut
    blind: EstimateOut
    difference: EstimateOut = Field(description="Shown less blind; tasks are the units of the interval.")


class OutcomeOut(Out):
    count: int
    share: EstimateOut


class AspectOut(Out):
    title: str
    edited: EstimateOut = Field(description="Mean distance to the suggestion where it was taken and changed.")
    distance: SidesOut = Field(description="Mean distance of all answers to the suggestion, 0 the same, 1 opposite.")


class ComparedOut(Out):
    blind_percent: int
    since: datetime = Field(description="When the first of these tasks was claimed.")
    shown: int
    blind: int


class SuggestionReportOut(Out):
    source: SuggestionSource
    judge_id: str | None
    judge_title: str | None
    shown: int = Field(description="First answers given with the suggestion in sight.")
    blind: int = Field(description="First answers on tasks that were drawn to be judged without it.")
    outcomes: dict[SuggestionOutcome, OutcomeOut]
    compared: ComparedOut | None = Field(
        description="The newest answers that were drawn at one blind share: shown and blind are compared among them "
        "alone. Null: nothing was drawn, because nobody had set a share."
    )
    agreement: SidesOut = Field(
        description="How often people give the suggestion's labels: its difference is anchoring."
    )
    right_where_suggestion_wrong: SidesOut = Field(description="By known answers.")
    right_where_suggestion_right: SidesOut
    median_seconds: SidesOut
    aspects: dict[str, AspectOut]
    cut: bool = Field(description=f"Only the newest {suggestions.JUDGMENTS_MAX:,} answers were looked at.")


class SuggestionReportsOut(Out):
    items: list[SuggestionReportOut] = Field(description="By source, the newest first.")
    next_cursor: None = None


@router.get("/projects/{project_id}/suggestions", response_model=SuggestionsOut)
def get_suggestions(project_id: str, session: Db, actor: CurrentActor) -> SuggestionsOut:
    """What the project suggests to people, and on which share of its tasks nothing is shown."""
    require_scope(actor, "read", "projects")
    project = access.project_for_client(session, actor, read_id("project", project_id))
    return setting_out(suggestions.setting_of(session, project))


@router.put("/projects/{project_id}/suggestions", response_model=SuggestionsOut)
def set_suggestions(project_id: str, body: SuggestionsIn, session: Db, actor: CurrentActor, now: Now) -> SuggestionsOut:
    """Say what is suggested from now on. Claims that are open keep what they were given."""
    require_scope(actor, "projects")
    judge = read_id("judge", body.judge_id) if body.judge_id else None
    wanted = Wanted(body.source, judge, body.blind_percent)
    return setting_out(suggestions.set_suggestions(session, actor, read_id("project", project_id), wanted, now=now))


@router.get("/projects/{project_id}/suggestions/report", response_model=SuggestionReportsOut)
def report_suggestions(project_id: str, session: Db, actor: CurrentActor) -> SuggestionReportsOut:
    """What suggestions did: accepted, edited, rejected, and how far people who see them judge otherwise."""
    require_scope(actor, "read", "projects")
    project = access.project_for_client(session, actor, read_id("project", project_id))
    return SuggestionReportsOut(items=[report_out(each) for each in suggestions.reports(session, project)])


def setting_out(found: Setting) -> SuggestionsOut:
    return SuggestionsOut(
        source=found.source,
        judge_id=show_id("judge", found.judge.id) if found.judge else None,
        blind_percent=found.blind_percent,
        decided=found.decided,
        on=found.on,
    )


def sides_out(found: Sides) -> SidesOut:
    parts: dict[str, Any] = {
        "shown": estimate_out(found.shown),
        "blind": estimate_out(found.blind),
        "difference": estimate_out(found.difference),
    }
    return SidesOut(**parts)


def compared_out(found: Stretch) -> ComparedOut:
    return ComparedOut(blind_percent=found.percent, since=found.since, shown=found.shown, blind=found.blind)


def report_out(found: SuggestionReport) -> SuggestionReportOut:
    return SuggestionReportOut(
        source=found.source,
        judge_id=show_id("judge", found.judge.id) if found.judge else None,
        judge_title=found.judge.title if found.judge else None,
        shown=found.shown,
        blind=found.blind,
        outcomes={
            each: OutcomeOut(count=count, share=estimate_out(share)) for each, (count, share) in found.outcomes.items()
        },
        compared=compared_out(found.compared) if found.compared else None,
        agreement=sides_out(found.agreement),
        right_where_suggestion_wrong=sides_out(found.wrong),
        right_where_suggestion_right=sides_out(found.right),
        median_seconds=sides_out(found.seconds),
        aspects={
            key: AspectOut(title=each.title, edited=estimate_out(each.edited), distance=sides_out(each.sides))
            for key, each in found.aspects.items()
        },
        cut=found.cut,
    )
