"""Keeping AI judges: making one, having it run, stopping it, letting it count, and reading what it did.

What a judge is asked never changes, so that whatever is measured is about one prompt. It stands beside people and never
among them: it takes no claim, no task counts it, and no money moves.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.endpoints import access as endpoint_access
from preceptor.endpoints.models import COST_DIGITS, EndpointRole, ModelEndpoint
from preceptor.endpoints.service import choosing
from preceptor.endpoints.settings import Line
from preceptor.kit import events, jobs
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import read_id
from preceptor.projects import access
from preceptor.projects.models import GuidelinesVersion, Project, RubricVersion, Task
from preceptor.tasktypes.judging import Judgeable, JudgedInOrders, rubric_text
from preceptor.tasktypes.messages import storable_text
from preceptor.work import queries_judging
from preceptor.work.access_judging import judge_for_client
from preceptor.work.errors_judging import JudgeRetired, JudgeTitleTaken, NotJudgeable, OneOrder
from preceptor.work.models_judging import (
    AiJudge,
    AiJudgeSkill,
    AiJudgment,
    JudgeScope,
    JudgeState,
    JudgmentOutcome,
)
from preceptor.work.service import fitting

RUN_JOB = "work.run_judge"
TITLE_CHARACTERS_MAX = 100
WORDS_CHARACTERS_MAX = 20_000
TASKS_MAX = 1_000_000
PAGE_MAX = 200
STOPPED = "Stopped by hand."


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class JudgeIn(_Shape):
    """A new judge."""

    endpoint_id: str
    title: Annotated[Line, Field(max_length=TITLE_CHARACTERS_MAX)]
    words: Annotated[str, Field(max_length=WORDS_CHARACTERS_MAX), AfterValidator(storable_text)] = ""
    critique: bool = False
    both_orders: bool = False


class RunIn(_Shape):
    """What a run asks about, and where it stops. `budget` is for all that the judge ever costs."""

    scope: JudgeScope = JudgeScope.JUDGED
    again: bool = False
    tasks_max: Annotated[int, Field(ge=1, le=TASKS_MAX)] | None = None
    budget: Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=18, decimal_places=COST_DIGITS)] | None = None


def can_judge(project: Project) -> bool:
    """Whether models can judge this kind of work at all."""
    return isinstance(project.kind.kind, Judgeable)


def has_orders(project: Project) -> bool:
    """Whether this kind shows things in an order that may sway a judge."""
    return isinstance(project.kind.kind, JudgedInOrders)


def make_judge(session: Session, actor: Actor, project: Project, given: JudgeIn, *, now: datetime) -> AiJudge:
    """Make a judge, prompted with the guidelines and the rubric as they stand now. The project came through an access
    function, for change."""
    if not can_judge(project):
        raise NotJudgeable
    if given.both_orders and not has_orders(project):
        raise OneOrder
    endpoint = endpoint_access.endpoint_for_client(session, actor, read_id("endpoint", given.endpoint_id))
    if endpoint.org_id != project.org_id:
        raise NotFound("endpoint")
    # The project's row keeps two of one title apart.
    access.project_for_client(session, actor, project.id, *access.MANAGERS, lock=True)
    if session.scalar(queries_judging.in_use(project.id, given.title)) is not None:
        raise JudgeTitleTaken(problems=[{"path": "title", "message": "This project has a judge of this title."}])
    guidelines, rubric = _told_to_people(session, project)
    judge = AiJudge(
        project_id=project.id,
        endpoint_id=endpoint.id,
        title=given.title,
        guidelines=guidelines,
        rubric=rubric,
        words=given.words,
        critique=given.critique,
        both_orders=given.both_orders,
        model=endpoint.model,
        price_input=endpoint.price_input,
        price_output=endpoint.price_output,
        currency=endpoint.currency,
        ended_because="",
        created_by=actor.person_id,
        created_at=now,
        changed_at=now,
    )
    session.add(judge)
    session.flush()
    _record(session, actor, "work.judge_made", judge, project, now, title=judge.title, model=judge.model)
    return judge


def _told_to_people(session: Session, project: Project) -> tuple[str, str]:
    """The guidelines and the rubric that people work by, as text."""
    guidelines = session.scalar(select(GuidelinesVersion).where(GuidelinesVersion.id == project.guidelines_version_id))
    rubric = session.scalar(select(RubricVersion).where(RubricVersion.id == project.rubric_version_id))
    return guidelines.body if guidelines else "", rubric_text(rubric.criteria) if rubric else ""


def request_run(session: Session, actor: Actor, judge_id: UUID, wanted: RunIn, *, now: datetime) -> AiJudge:
    """Have a judge asked, in the background. Asked for while it runs, the new limits hold from its next task on."""
    judge, project = judge_for_client(session, actor, judge_id, *access.MANAGERS, lock=True)
    if judge.state is JudgeState.RETIRED:
        raise JudgeRetired
    judge.state, judge.run, judge.ended_because = JudgeState.RUNNING, judge.run + 1, ""
    judge.scope, judge.again = wanted.scope, wanted.again
    judge.tasks_max, judge.budget, judge.changed_at = wanted.tasks_max, wanted.budget, now
    _record(session, actor, "work.judge_run_wanted", judge, project, now, run=judge.run, scope=judge.scope.value)
    jobs.defer(session, RUN_JOB, lock=f"judge-{judge.id}", judge_id=str(judge.id))
    return judge


def stop(session: Session, actor: Actor, judge_id: UUID, *, now: datetime) -> AiJudge:
    """Stop a run before its next task; what is asked already is still recorded."""
    judge, project = judge_for_client(session, actor, judge_id, *access.MANAGERS, lock=True)
    if judge.state is JudgeState.RUNNING:
        _end(session, actor, judge, project, STOPPED, now)
    return judge


def ended(session: Session, judge_id: UUID, run: int, because: str, *, now: datetime) -> None:
    """A run is over by itself; nothing where another one was asked for meanwhile. Judges are measured by a new fit."""
    judge = session.scalars(queries_judging.judge(judge_id, lock=True)).one()
    if judge.state is not JudgeState.RUNNING or judge.run != run:
        return
    project = session.get_one(Project, judge.project_id)
    _end(session, SYSTEM, judge, project, because, now)
    _measure_anew(session, project)


def _end(session: Session, actor: Actor, judge: AiJudge, project: Project, because: str, now: datetime) -> None:
    judge.state, judge.ended_because, judge.changed_at = JudgeState.IDLE, because, now
    _record(session, actor, "work.judge_run_ended", judge, project, now, run=judge.run, because=because)


def retire(session: Session, actor: Actor, judge_id: UUID, *, now: datetime) -> AiJudge:
    """Ask a judge no more and let it count no more; what it said stays."""
    judge, project = judge_for_client(session, actor, judge_id, *access.MANAGERS, lock=True)
    if judge.state is not JudgeState.RETIRED:
        judge.state, judge.changed_at = JudgeState.RETIRED, now
        _record(session, actor, "work.judge_retired", judge, project, now)
        _measure_anew(session, project)
    return judge


def set_inference(session: Session, actor: Actor, project_id: UUID, included: bool, *, now: datetime) -> Project:
    """Let the project's judges count as one more annotator each, or not. Answers are weighed anew."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS, lock=True)
    if project.judges_in_inference is not included:
        project.judges_in_inference = included
        events.record(
            session,
            actor,
            "work.judges_counted" if included else "work.judges_not_counted",
            "project",
            project.id,
            at=now,
            org_id=project.org_id,
            project_id=project.id,
        )
        _measure_anew(session, project)
    return project


def _measure_anew(session: Session, project: Project) -> None:
    # Where nobody has judged anything there is nothing that a judge could be held against.
    with suppress(fitting.NothingToFit):
        fitting.request_fit(session, project)


def _record(
    session: Session, actor: Actor, kind: str, judge: AiJudge, project: Project, now: datetime, **data: str | int
) -> None:
    events.record(
        session, actor, kind, "judge", judge.id, at=now, org_id=project.org_id, project_id=project.id, data=dict(data)
    )


# --- Reading


@dataclass(frozen=True)
class JudgeReport:
    """A judge with what it did. `latency_ms` is the median of a judgment, `cost` exact and in the judge's currency."""

    judge: AiJudge
    endpoint: ModelEndpoint
    outcomes: dict[JudgmentOutcome, int]
    cost: Decimal
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool
    latency_ms: float | None
    consistent: int
    asked_twice: int
    versions: tuple[str, ...]
    """What the endpoint said that it ran."""
    skill: AiJudgeSkill | None

    @property
    def judgments(self) -> int:
        return sum(self.outcomes.values())

    @property
    def answered(self) -> int:
        return self.outcomes[JudgmentOutcome.ANSWERED]

    @property
    def cost_each(self) -> Decimal | None:
        """Per judgment that brought an answer; what failed is paid for by those."""
        return self.cost / self.answered if self.answered else None


def reports(session: Session, judges: Sequence[AiJudge]) -> list[JudgeReport]:
    """Judges of a project that came through an access function, with what they did; in four statements."""
    ids = [judge.id for judge in judges]
    endpoints = {row[0]: row[1] for row in session.execute(queries_judging.endpoints_of(ids))}
    tallies = {row.judge_id: row for row in session.execute(queries_judging.tallies(ids))}
    skills = {skill.judge_id: skill for skill in session.scalars(queries_judging.skills(ids))}
    found = []
    for judge in judges:
        row = tallies.get(judge.id)
        found.append(
            JudgeReport(
                judge=judge,
                endpoint=endpoints[judge.id],
                outcomes={each: getattr(row, each.value, 0) for each in JudgmentOutcome},
                cost=row.cost if row else Decimal(0),
                input_tokens=row.input_tokens if row else 0,
                output_tokens=row.output_tokens if row else 0,
                tokens_estimated=bool(row and row.tokens_estimated),
                latency_ms=row.latency_ms if row else None,
                consistent=row.consistent if row else 0,
                asked_twice=row.asked_twice if row else 0,
                versions=tuple(row.versions or ()) if row else (),
                skill=skills.get(judge.id),
            )
        )
    return found


def list_judges(
    session: Session, project_id: UUID, *, before: UUID | None = None, limit: int = PAGE_MAX
) -> list[AiJudge]:
    """A project's judges, newest first. The project came through an access function."""
    return list(session.scalars(queries_judging.judges(project_id, before=before, limit=limit)))


def list_judgments(
    session: Session, judge: AiJudge, *, before: UUID | None = None, limit: int = 50
) -> list[tuple[AiJudgment, Task]]:
    """A judge's judgments with their tasks, newest first. The judge came through an access function."""
    rows = session.execute(queries_judging.judgments(judge.id, before=before, limit=limit))
    return [row._tuple() for row in rows]


def offered(session: Session, project: Project) -> list[ModelEndpoint]:
    """Endpoints that the project has chosen to judge, in order."""
    return [endpoint for _, endpoint in choosing.chosen(session, project.id, EndpointRole.JUDGE)]
