"""One task as its client sees it: every judgment with its review and pay, reports, and what happened in time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor, Event
from preceptor.kit.money import Money
from preceptor.projects import access as projects
from preceptor.projects.models import Project, Task
from preceptor.quality.consensus import Majority
from preceptor.tasktypes.base import Consensus
from preceptor.tasktypes.working import Working
from preceptor.work import queries
from preceptor.work.models import Claim, Flag, Review, Submission, SubmissionState

EVENTS_SHOWN_MAX = 200
COUNTED = frozenset({SubmissionState.SUBMITTED, SubmissionState.APPROVED})


@dataclass(frozen=True)
class TaskJudgment:
    """A submission to a task with its claim, its answer as parsed, and its review if there is one."""

    submission: Submission
    claim: Claim
    review: Review | None
    simulated: bool
    answer: BaseModel | None
    """None where the stored answer does not fit the task type any more."""

    @property
    def pay(self) -> Money:
        return Money(self.claim.rate_minor, self.claim.currency)


@dataclass(frozen=True)
class TaskDossier:
    project: Project
    task: Task
    kind: Working
    payload: BaseModel
    judgments: list[TaskJudgment]
    consensus: Consensus
    flags: list[Flag]
    events: list[Event]


def task_dossier(session: Session, actor: Actor, project_id: UUID, task_id: UUID) -> TaskDossier:
    """Everything about one task of the actor's organization. People appear by id only; pages show pseudonyms."""
    task = projects.task_for_client(session, actor, project_id, task_id)
    project = projects.project_for_client(session, actor, project_id)
    kind = project.kind
    payload = kind.payload(task.payload)
    judgments = _judgments(session, kind, task_id)
    counted = [each.answer for each in judgments if each.answer and each.submission.state in COUNTED]
    about = [task_id, *(each.submission.id for each in judgments), *(each.claim.id for each in judgments)]
    return TaskDossier(
        project=project,
        task=task,
        kind=kind,
        payload=payload,
        judgments=judgments,
        consensus=kind.consensus(payload, counted),
        flags=list(session.scalars(queries.flags_of_task(task_id))),
        events=list(session.scalars(queries.events_about(project_id, about, EVENTS_SHOWN_MAX))),
    )


def _judgments(session: Session, kind: Working, task_id: UUID) -> list[TaskJudgment]:
    found = session.execute(queries.judgments_of_task(task_id)).all()
    wanted = select(Claim).where(Claim.id.in_([submission.claim_id for submission, _, _ in found]))
    claims = {claim.id: claim for claim in session.scalars(wanted)}
    return [
        TaskJudgment(submission, claims[submission.claim_id], review, person.simulated, _read(kind, submission.answer))
        for submission, person, review in found
    ]


def _read(kind: Working, answer: Mapping[str, object]) -> BaseModel | None:
    try:
        return kind.answer(answer)
    except ValidationError:
        return None


def verdicts_of(session: Session, project: Project, tasks: Sequence[Task]) -> dict[UUID, Majority]:
    """How far people agree on each of these tasks, by its first unit; tasks without judgments are absent.

    The project came through an access function. One statement.
    """
    kind = project.kind
    answers: dict[UUID, list[BaseModel]] = {}
    ids = [task.id for task in tasks if task.done]
    for task_id, answer in session.execute(queries.counted_answers(ids)) if ids else ():
        read = _read(kind, answer)
        if read is not None:
            answers.setdefault(task_id, []).append(read)
    found = {}
    for task in tasks:
        if task.id in answers:
            units = kind.consensus(kind.payload(task.payload), answers[task.id]).units
            if units:
                found[task.id] = next(iter(units.values()))
    return found


def tasks_of_claims(session: Session, project: Project, claim_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The task of each of these claims of a project that came through an access function. One statement."""
    if not claim_ids:
        return {}
    wanted = select(Claim.id, Claim.task_id).where(Claim.project_id == project.id, Claim.id.in_(claim_ids))
    return {row.id: row.task_id for row in session.execute(wanted)}
