"""What the quality engine knows about a project over the API: fits, forecasts, error rates, reviewers."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from preceptor.api.quality import EstimateOut, estimate_out
from preceptor.api.schemas import In, MoneyOut, Out, PageSize, money_out
from preceptor.datasets.pseudonyms import Pseudonym, pseudonyms
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects import access
from preceptor.projects.access import project_for_client
from preceptor.work.models import Decision
from preceptor.work.models_quality import AnswerState, PersonSkill, QualityFit, TaskQuality
from preceptor.work.service import fitting, forecast, review_checks, risk

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["quality"])


class FitStartedOut(Out):
    id: str = Field(description="The id that the fit will have. It is there when `GET .../quality/fit` names it.")


class FitOut(Out):
    """One fit of all judgments that counted at that time."""

    id: str
    created_at: datetime
    method: str = Field(description="The models whose answers were averaged, the one with most weight first.")
    why: str
    labels: int = Field(description="Judgments, one for each unit of an answer.")
    tasks: int
    workers: int
    classes: list[str]
    alpha: EstimateOut = Field(description="Krippendorff's alpha, nominal.")
    accuracy: float | None = Field(description="On tasks with a known answer, by a fit that was not shown them.")
    majority_accuracy: float | None
    ece: float | None = Field(description="Expected calibration error, on known answers held out.")
    calibration: dict[str, Any] | None
    cpu_seconds: float


class FitPageOut(Out):
    items: list[FitOut]
    next_cursor: str | None


class SkillEstimateOut(Out):
    accuracy: float | None
    low: float | None
    high: float | None
    n: int
    reason: str | None


class ClassSkillOut(SkillEstimateOut):
    label: str


class TopicSkillOut(SkillEstimateOut):
    topic: str


class WindowOut(SkillEstimateOut):
    until: datetime


class SkillOut(Out):
    person_id: str = Field(description="The pseudonym that the organization's releases use.")
    judgments: int
    accuracy: float | None
    low: float | None = Field(description="95 % credible interval.")
    high: float | None
    confusion: list[list[float]] = Field(description="Expected judgments by true class (row) and given class.")
    by_class: list[ClassSkillOut]
    by_topic: list[TopicSkillOut]
    over_time: list[WindowOut]


class SkillPageOut(Out):
    items: list[SkillOut]
    next_after: int | None = Field(description="`skills_after` of the next page; null on the last.")


class PosteriorOut(Out):
    task_id: str
    external_id: str
    judgments: int
    units: dict[str, dict[str, float]] = Field(description="Probability of each label by unit of judgment.")
    confidence: float
    state: AnswerState
    ambiguity: float | None = Field(description="Chance that people differ with good reason.")
    difficulty: float | None = Field(description="Chance that somebody drawn from the crowd errs here.")
    value_of_next: float | None = Field(description="Rise of the chance to be right from one more judgment.")


class PosteriorPageOut(Out):
    items: list[PosteriorOut]
    next_cursor: str | None


class LatestFitOut(FitOut):
    skills: SkillPageOut
    posteriors: PosteriorPageOut


class ProjectForecastOut(Out):
    judgments: EstimateOut = Field(description="Judgments still to come.")
    money: MoneyOut | None = Field(description="Their pay at today's rate.")
    money_low: MoneyOut | None
    money_high: MoneyOut | None
    to_escalate: EstimateOut = Field(description="Tasks that will end unsure.")
    per_task: EstimateOut = Field(description="Judgments that a settled task took.")
    cost_per_task: MoneyOut | None
    fixed: int = Field(description="Judgments per task with fixed overlap, for comparison.")
    fixed_cost_per_task: MoneyOut
    saved: EstimateOut = Field(description="Share of judgments saved against fixed overlap.")
    untouched: int
    under_way: int
    settled: int
    escalated: int


class ReasonOut(Out):
    reason: str
    errors: EstimateOut


class ErrorRateOut(Out):
    random: EstimateOut = Field(description="From the random share of reviews alone: unbiased.")
    weighted: EstimateOut = Field(description="From all reviews, each weighed by one over its chance.")
    waiting: int = Field(description="Drawn and not reviewed yet.")
    by_reason: list[ReasonOut]


class ReviewerQualityOut(Out):
    person_id: str
    reviews: int
    gold: EstimateOut = Field(description="Share of reviews with a known decision that were decided so.")
    double: EstimateOut = Field(description="Share of reviews decided alike by a second reviewer, blind.")
    kappa: EstimateOut = Field(description="The same beyond chance (Cohen).")


class ReviewersQualityOut(Out):
    items: list[ReviewerQualityOut]
    next_cursor: None = None


class GoldReviewIn(In):
    submission_id: str
    decision: Decision
    explanation: str = Field(min_length=1, max_length=review_checks.EXPLANATION_CHARACTERS_MAX)


class GoldReviewOut(Out):
    submission_id: str
    decision: Decision
    explanation: str
    created_at: datetime


@router.post("/quality/fits", status_code=202, response_model=FitStartedOut)
def start_fit(project_id: str, session: Db, actor: CurrentActor) -> FitStartedOut:
    """Fit all judgments now. It runs in the background; fits are also made by themselves as judgments come in."""
    require_scope(actor, "projects")
    project = project_for_client(session, actor, read_id("project", project_id), *access.MANAGERS)
    return FitStartedOut(id=show_id("fit", fitting.request_fit(session, project)))


@router.get("/quality/fits", response_model=FitPageOut)
def list_fits(
    project_id: str, session: Db, actor: CurrentActor, cursor: str | None = None, limit: PageSize = 50
) -> FitPageOut:
    """The project's fits, newest first: agreement and accuracy over time."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    page = fitting.list_fits(session, project.id, before=read_cursor("fit", cursor), limit=limit)
    items = [FitOut(**_fit_fields(fit)) for fit in page.fits]
    return FitPageOut(items=items, next_cursor=_shown("fit", page.next_before))


@router.get("/quality/fit", response_model=LatestFitOut)
def latest_fit(
    project_id: str,
    session: Db,
    actor: CurrentActor,
    runtime: CurrentRuntime,
    cursor: str | None = None,
    skills_after: Annotated[int, Query(ge=0, description="How many skills were read before.")] = 0,
    limit: PageSize = 50,
) -> LatestFitOut:
    """The newest fit with pages of skills and posteriors. Posteriors are as of now: later answers are in them."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    fit = fitting.latest_fit(session, project.id)
    posteriors = fitting.list_posteriors(session, actor, project, after=read_cursor("task", cursor), limit=limit)
    skills = fitting.list_skills(session, project.id, offset=skills_after, limit=limit)
    name = pseudonyms(runtime.settings.signing_key(), project.org_id)
    return LatestFitOut(
        **_fit_fields(fit),
        skills=SkillPageOut(
            items=[_skill_out(skill, name) for skill in skills.skills],
            next_after=skills.next_offset,
        ),
        posteriors=PosteriorPageOut(
            items=[_posterior_out(*row) for row in posteriors.rows],
            next_cursor=_shown("task", posteriors.next_after),
        ),
    )


@router.get("/forecast", response_model=ProjectForecastOut)
def project_forecast(project_id: str, session: Db, actor: CurrentActor) -> ProjectForecastOut:
    """Judgments and money left, and what a settled task costs beside fixed overlap."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    return forecast_out(forecast.forecast(session, project.id))


@router.get("/quality/errors", response_model=ErrorRateOut)
def errors(project_id: str, session: Db, actor: CurrentActor) -> ErrorRateOut:
    """How often answers are not approved as they were given, estimated from reviews."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id))
    found = risk.error_rate(session, project.id)
    return ErrorRateOut(
        random=estimate_out(found.random),
        weighted=estimate_out(found.weighted),
        waiting=found.waiting,
        by_reason=[ReasonOut(reason=reason, errors=estimate_out(share)) for reason, share in found.by_reason],
    )


@router.get("/quality/reviewers", response_model=ReviewersQualityOut)
def reviewers(project_id: str, session: Db, actor: CurrentActor) -> ReviewersQualityOut:
    """What known decisions and blind second reviews say about the project's reviewers."""
    require_scope(actor, "read")
    project = project_for_client(session, actor, read_id("project", project_id), *access.MANAGERS)
    return ReviewersQualityOut(
        items=[
            ReviewerQualityOut(
                person_id=show_id("person", found.reviewer_id),
                reviews=found.reviews,
                gold=estimate_out(found.gold),
                double=estimate_out(found.double),
                kappa=estimate_out(found.kappa),
            )
            for found in review_checks.reviewer_quality(session, project.id)
        ]
    )


@router.post("/quality/gold-reviews", status_code=201, response_model=GoldReviewOut)
def set_gold_review(project_id: str, body: GoldReviewIn, session: Db, actor: CurrentActor, now: Now) -> GoldReviewOut:
    """Say what the right decision about a decided submission is. Reviewers are measured by it; the work stays as it
    was decided."""
    require_scope(actor, "projects")
    found = review_checks.set_gold_review(
        session,
        actor,
        read_id("project", project_id),
        read_id("submission", body.submission_id),
        body.decision,
        body.explanation,
        now=now,
    )
    return GoldReviewOut(
        submission_id=show_id("submission", found.submission_id),
        decision=found.decision,
        explanation=found.explanation,
        created_at=found.created_at,
    )


def forecast_out(found: forecast.ProjectForecast) -> ProjectForecastOut:
    return ProjectForecastOut(
        judgments=estimate_out(found.judgments),
        money=money_out(found.money) if found.money else None,
        money_low=money_out(found.money_low) if found.money_low else None,
        money_high=money_out(found.money_high) if found.money_high else None,
        to_escalate=estimate_out(found.to_escalate),
        per_task=estimate_out(found.per_task),
        cost_per_task=money_out(found.cost_per_task) if found.cost_per_task else None,
        fixed=found.fixed,
        fixed_cost_per_task=money_out(found.fixed_cost_per_task),
        saved=estimate_out(found.saved),
        untouched=found.untouched,
        under_way=found.under_way,
        settled=found.settled,
        escalated=found.escalated,
    )


def _shown(kind: str, value: UUID | None) -> str | None:
    return None if value is None else show_id(kind, value)


def _fit_fields(fit: QualityFit) -> dict[str, Any]:
    return {
        "id": show_id("fit", fit.id),
        "created_at": fit.created_at,
        "method": fit.method,
        "why": fit.why,
        "labels": fit.labels,
        "tasks": fit.tasks,
        "workers": fit.people,
        "classes": fit.classes,
        "alpha": EstimateOut(
            value=fit.alpha,
            low=fit.alpha_low,
            high=fit.alpha_high,
            n=fit.diagnostics["items"],
            reason=fit.diagnostics["alpha_reason"],
        ),
        "accuracy": fit.accuracy,
        "majority_accuracy": fit.majority_accuracy,
        "ece": fit.ece,
        "calibration": fit.calibration,
        "cpu_seconds": fit.cpu_seconds,
    }


def _skill_out(skill: PersonSkill, name: Pseudonym) -> SkillOut:
    return SkillOut(
        person_id=name(skill.person_id),
        judgments=skill.judgments,
        accuracy=skill.accuracy,
        low=skill.low,
        high=skill.high,
        confusion=skill.counts,
        by_class=skill.by_class,
        by_topic=skill.by_topic,
        over_time=skill.drift,
    )


def _posterior_out(task_id: UUID, external_id: str, quality: TaskQuality) -> PosteriorOut:
    return PosteriorOut(
        task_id=show_id("task", task_id),
        external_id=external_id,
        judgments=quality.judgments,
        units=quality.units,
        confidence=quality.confidence,
        state=quality.state,
        ambiguity=quality.ambiguity,
        difficulty=quality.difficulty,
        value_of_next=quality.value_of_next,
    )
