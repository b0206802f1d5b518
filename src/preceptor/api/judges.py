"""AI judges over the API: made, run, stopped, measured."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, ValidationError
from sqlalchemy.orm import Session

from preceptor.api.endpoints import exact
from preceptor.api.schemas import In, MoneyOut, Out, PageSize
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.kit.errors import Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.people.identify import require_scope
from preceptor.projects import access
from preceptor.tasktypes.base import problems_of
from preceptor.work.access_judging import judge_for_client
from preceptor.work.models_judging import AiJudge, AiJudgeSkill, AiJudgment, JudgeScope, JudgeState, JudgmentOutcome
from preceptor.work.service import judges
from preceptor.work.service.judges import JudgeIn, JudgeReport, RunIn
from preceptor.work.service.judging_progress import RunProgress, progress_of

router = APIRouter(prefix="/api/v1", tags=["judges"])


class NewJudgeIn(In):
    endpoint_id: str = Field(examples=["mep_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    title: str = Field(examples=["Our model, strict"])
    words: str = Field(default="", description="What it is told beside the guidelines and the rubric.")
    critique: bool = Field(default=False, description="Criticises and revises each answer in a second question.")
    both_orders: bool = Field(default=False, description="Asks each task in an order and in the reverse of it.")


class RunJudgeIn(In):
    scope: JudgeScope = Field(default=JudgeScope.JUDGED, description="`judged`: only what it can be measured by.")
    again: bool = Field(default=False, description="Also where earlier runs brought no answer.")
    tasks_max: int | None = Field(default=None, description="Of this run.")
    budget: Decimal | None = Field(default=None, description="Of all that the judge ever costs.")


class InferenceIn(In):
    included: bool


class InferenceOut(Out):
    included: bool = Field(description="Whether AI judges count as one more annotator each.")


class JudgeSkillOut(Out):
    judgments: int
    accuracy: float | None
    low: float | None = Field(description="95 % interval.")
    high: float | None
    reason: str | None
    by_class: list[dict[str, Any]]
    counts: list[list[float]] = Field(description="Expected judgments by true class (row) and given class (column).")
    included: bool
    replacing: dict[str, Any] = Field(
        description="`k.value` of `n` people and the judge are as good as `n` people; unknown with the reason."
    )
    fit_id: str


class RunProgressOut(Out):
    done: int
    total: int = Field(description="Tasks of this run; a budget may end it before.")
    seconds_left: float | None = Field(description="At the speed so far; null before the first judgment.")


class JudgeOut(Out):
    id: str = Field(examples=["jdg_0192f0c1a2b37c0d8e9f0a1b2c3d4e5f"])
    project_id: str
    endpoint_id: str
    title: str
    model: str
    versions: list[str] = Field(description="What the endpoint said that it ran.")
    guidelines: str
    rubric: str
    words: str
    critique: bool
    both_orders: bool
    price_input: MoneyOut
    price_output: MoneyOut
    state: JudgeState
    ended_because: str
    scope: JudgeScope
    tasks_max: int | None
    budget: MoneyOut | None
    outcomes: dict[JudgmentOutcome, int]
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool
    cost: MoneyOut
    median_latency_ms: float | None
    asked_in_both_orders: int
    consistent: int
    skill: JudgeSkillOut | None
    run: RunProgressOut | None = Field(description="How far the run that goes on is; null where none does.")
    created_at: datetime


class JudgesOut(Out):
    items: list[JudgeOut]
    next_cursor: str | None


class JudgmentOut(Out):
    id: str
    task_id: str
    external_id: str
    outcome: JudgmentOutcome
    answer: dict[str, Any] | None
    passes: list[dict[str, Any]] = Field(description="Each time it was asked: order, text, critique, revision, answer.")
    error: str
    consistent: bool | None
    model_version: str | None
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool
    cost: MoneyOut
    latency_ms: int
    created_at: datetime


class JudgmentsOut(Out):
    items: list[JudgmentOut]
    next_cursor: str | None


@router.post("/projects/{project_id}/judges", status_code=201, response_model=JudgeOut)
def make_judge(project_id: str, body: NewJudgeIn, session: Db, actor: CurrentActor, now: Now) -> JudgeOut:
    """Make a judge: a model with the project's guidelines and rubric as they stand now."""
    require_scope(actor, "projects")
    project = access.project_for_client(session, actor, read_id("project", project_id), *access.MANAGERS)
    made = judges.make_judge(session, actor, project, _checked(JudgeIn, body), now=now)
    return shown(session, made, now)


@router.get("/projects/{project_id}/judges", response_model=JudgesOut)
def list_judges(
    project_id: str, session: Db, actor: CurrentActor, now: Now, cursor: str | None = None, limit: PageSize = 50
) -> JudgesOut:
    """A project's judges with what they did and how well, newest first."""
    require_scope(actor, "read", "projects")
    project = access.project_for_client(session, actor, read_id("project", project_id))
    found = judges.list_judges(session, project.id, before=read_cursor("judge", cursor), limit=limit + 1)
    reports = judges.reports(session, found[:limit])
    items = [judge_out(report, progress_of(session, report.judge, now=now)) for report in reports]
    return JudgesOut(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/judges/{judge_id}", response_model=JudgeOut)
def get_judge(judge_id: str, session: Db, actor: CurrentActor, now: Now) -> JudgeOut:
    require_scope(actor, "read", "projects")
    judge, _ = judge_for_client(session, actor, read_id("judge", judge_id))
    return shown(session, judge, now)


@router.post("/judges/{judge_id}/run", response_model=JudgeOut)
def run_judge(judge_id: str, body: RunJudgeIn, session: Db, actor: CurrentActor, now: Now) -> JudgeOut:
    """Have it asked in the background. A task that has a judgment is not asked again."""
    require_scope(actor, "projects")
    judge = judges.request_run(session, actor, read_id("judge", judge_id), _checked(RunIn, body), now=now)
    return shown(session, judge, now)


@router.post("/judges/{judge_id}/stop", response_model=JudgeOut)
def stop_judge(judge_id: str, session: Db, actor: CurrentActor, now: Now) -> JudgeOut:
    """Stop before the next task."""
    require_scope(actor, "projects")
    judge = judges.stop(session, actor, read_id("judge", judge_id), now=now)
    return shown(session, judge, now)


@router.delete("/judges/{judge_id}", response_model=JudgeOut)
def retire_judge(judge_id: str, session: Db, actor: CurrentActor, now: Now) -> JudgeOut:
    """Retire it: asked no more and without a voice. What it said stays."""
    require_scope(actor, "projects")
    judge = judges.retire(session, actor, read_id("judge", judge_id), now=now)
    return shown(session, judge, now)


@router.get("/judges/{judge_id}/judgments", response_model=JudgmentsOut)
def list_judgments(
    judge_id: str,
    session: Db,
    actor: CurrentActor,
    cursor: Annotated[str | None, Query()] = None,
    limit: PageSize = 50,
) -> JudgmentsOut:
    """What it said, newest first, in stored names."""
    require_scope(actor, "read", "projects")
    judge, _ = judge_for_client(session, actor, read_id("judge", judge_id))
    found = judges.list_judgments(session, judge, before=read_cursor("judgment", cursor), limit=limit + 1)
    items = [_judgment_out(judgment, task.external_id) for judgment, task in found[:limit]]
    return JudgmentsOut(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.put("/projects/{project_id}/judges/inference", response_model=InferenceOut)
def set_inference(project_id: str, body: InferenceIn, session: Db, actor: CurrentActor, now: Now) -> InferenceOut:
    """Let AI judges count as one more annotator each, or not. Answers are weighed anew."""
    require_scope(actor, "projects")
    found = judges.set_inference(session, actor, read_id("project", project_id), body.included, now=now)
    return InferenceOut(included=found.judges_in_inference)


def _checked(shape: Any, body: In) -> Any:
    given = {name: getattr(body, name) for name in body.model_fields_set}
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        problems = [{"path": each.path, "message": each.message} for each in problems_of(error)]
        raise Invalid(f"{problems[0]['path']}: {problems[0]['message']}", problems) from None


def shown(session: Session, judge: AiJudge, now: datetime) -> JudgeOut:
    """A judge as the API shows it, with what it did and how far its run is."""
    return judge_out(judges.reports(session, [judge])[0], progress_of(session, judge, now=now))


def judge_out(report: JudgeReport, run: RunProgress | None) -> JudgeOut:
    judge: AiJudge = report.judge
    return JudgeOut(
        id=show_id("judge", judge.id),
        project_id=show_id("project", judge.project_id),
        endpoint_id=show_id("endpoint", judge.endpoint_id),
        title=judge.title,
        model=judge.model,
        versions=list(report.versions),
        guidelines=judge.guidelines,
        rubric=judge.rubric,
        words=judge.words,
        critique=judge.critique,
        both_orders=judge.both_orders,
        price_input=exact(judge.price_input, judge.currency),
        price_output=exact(judge.price_output, judge.currency),
        state=judge.state,
        ended_because=judge.ended_because,
        scope=judge.scope,
        tasks_max=judge.tasks_max,
        budget=None if judge.budget is None else exact(judge.budget, judge.currency),
        outcomes=report.outcomes,
        input_tokens=report.input_tokens,
        output_tokens=report.output_tokens,
        tokens_estimated=report.tokens_estimated,
        cost=exact(report.cost, judge.currency),
        median_latency_ms=report.latency_ms,
        asked_in_both_orders=report.asked_twice,
        consistent=report.consistent,
        skill=_skill_out(report.skill) if report.skill else None,
        run=RunProgressOut(done=run.done, total=run.total, seconds_left=run.seconds_left) if run else None,
        created_at=judge.created_at,
    )


def _skill_out(skill: AiJudgeSkill) -> JudgeSkillOut:
    return JudgeSkillOut(
        judgments=skill.judgments,
        accuracy=skill.accuracy,
        low=skill.low,
        high=skill.high,
        reason=skill.reason,
        by_class=skill.by_class,
        counts=skill.counts,
        included=skill.included,
        replacing=skill.replacing,
        fit_id=show_id("fit", skill.fit_id),
    )


def _judgment_out(judgment: AiJudgment, external_id: str) -> JudgmentOut:
    return JudgmentOut(
        id=show_id("judgment", judgment.id),
        task_id=show_id("task", judgment.task_id),
        external_id=external_id,
        outcome=judgment.outcome,
        answer=judgment.answer,
        passes=judgment.passes,
        error=judgment.error,
        consistent=judgment.consistent,
        model_version=judgment.model_version,
        input_tokens=judgment.input_tokens,
        output_tokens=judgment.output_tokens,
        tokens_estimated=judgment.tokens_estimated,
        cost=exact(judgment.cost, judgment.currency),
        latency_ms=judgment.latency_ms,
        created_at=judgment.created_at,
    )
