"""What the quality engine found about a project and about one's own work, read for pages and the API.

Nothing is computed here that grows with the number of judgments but the readings of criteria, which look at the
newest ones only; the rest was written down by the last fit.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from preceptor.projects.models import Project, Task, TaskGold, TaskState
from preceptor.quality import Estimate, alpha
from preceptor.work.models import Claim, Submission, SubmissionState
from preceptor.work.models_quality import AnswerState, PersonSkill, QualityFit, TaskQuality

HISTORY_FITS = 200
AMBIGUOUS_MIN = 0.5
"""From here on it is likelier that people legitimately differ than that they err."""
LISTED = 20
READINGS_JUDGMENTS = 5_000
COUNTED = (SubmissionState.SUBMITTED, SubmissionState.APPROVED)
SURE = 0.9
"""A posterior at which one's own different answer is worth a look."""
SEED = 0


# --- For the client


def latest_fit(session: Session, project_id: UUID) -> QualityFit | None:
    """The newest fit, None before the first."""
    wanted = select(QualityFit).where(QualityFit.project_id == project_id).order_by(QualityFit.id.desc()).limit(1)
    return session.scalar(wanted)


def fits_over_time(session: Session, project_id: UUID) -> list[QualityFit]:
    """The newest fits, oldest first."""
    wanted = select(QualityFit).where(QualityFit.project_id == project_id).order_by(QualityFit.id.desc())
    return list(session.scalars(wanted.limit(HISTORY_FITS)))[::-1]


def answer_states(session: Session, project_id: UUID) -> Mapping[AnswerState, int]:
    """How many judged tasks are being asked, resolved, escalated; what does not occur is 0."""
    wanted = (
        select(TaskQuality.state, func.count())
        .join(Task, Task.id == TaskQuality.task_id)
        .where(TaskQuality.project_id == project_id, Task.state != TaskState.GOLD)
        .group_by(TaskQuality.state)
    )
    counts = dict.fromkeys(AnswerState, 0)
    return counts | {state: int(count) for state, count in session.execute(wanted)}


@dataclass(frozen=True)
class JudgedTask:
    """A task with what its judgments say together."""

    task: Task
    quality: TaskQuality

    @property
    def leading(self) -> list[tuple[str, str, float]]:
        """(unit, label, probability) of each unit's likeliest label."""
        found = []
        for unit, chances in self.quality.units.items():
            label = max(chances, key=lambda each: chances[each])
            found.append((unit, label, float(chances[label])))
        return found


def ambiguous_tasks(session: Session, project_id: UUID, limit: int = LISTED, *, known: bool) -> list[JudgedTask]:
    """Tasks on which people seem to differ rightly, the clearest cases first: worth rewriting, or worth keeping as
    soft labels. `known`: also those with a known answer, which only managers may see."""
    wanted = (
        select(Task, TaskQuality)
        .join(TaskQuality, TaskQuality.task_id == Task.id)
        .where(TaskQuality.project_id == project_id, TaskQuality.ambiguity >= AMBIGUOUS_MIN)
        .order_by(TaskQuality.ambiguity.desc(), TaskQuality.task_id)
        .limit(limit)
    )
    if not known:
        wanted = wanted.where(~exists().where(TaskGold.task_id == Task.id))
    return [JudgedTask(task, quality) for task, quality in session.execute(wanted)]


def escalated_tasks(session: Session, project_id: UUID, limit: int = LISTED) -> list[JudgedTask]:
    """Tasks that stayed unsure up to their cap or price limit, the least sure first."""
    wanted = (
        select(Task, TaskQuality)
        .join(TaskQuality, TaskQuality.task_id == Task.id)
        .where(TaskQuality.project_id == project_id, TaskQuality.state == AnswerState.ESCALATED)
        .order_by(TaskQuality.confidence, TaskQuality.task_id)
        .limit(limit)
    )
    return [JudgedTask(task, quality) for task, quality in session.execute(wanted)]


@dataclass(frozen=True)
class CriterionReading:
    """How alike people rate one criterion. `spread` counts pairs of ratings of one thing by how far they lie apart."""

    key: str
    title: str
    agreement: Estimate
    """Krippendorff's alpha, ordinal."""
    ratings: int
    far_apart: float | None
    """Share of things rated by two or more whose ratings span at least half the scale used."""


def criteria_readings(session: Session, project: Project) -> list[CriterionReading]:
    """How alike people read each criterion, worst first, over the newest judgments; empty for kinds of work that
    rate nothing."""
    kind = project.kind
    titles = kind.criteria()
    if not titles:
        return []
    given = _ratings(session, project, list(titles))
    found = [_reading(key, titles[key], list(things.values())) for key, things in given.items()]
    return sorted(found, key=lambda each: (each.agreement.value is None, each.agreement.value or 0.0))


def _ratings(session: Session, project: Project, keys: Sequence[str]) -> dict[str, dict[str, Counter[float]]]:
    """Criterion -> thing rated -> how often it got which rating."""
    kind = project.kind
    wanted = (
        select(Submission.task_id, Submission.answer)
        .where(Submission.project_id == project.id, Submission.state.in_(COUNTED))
        .order_by(Submission.id.desc())
        .limit(READINGS_JUDGMENTS)
    )
    given: dict[str, dict[str, Counter[float]]] = {key: {} for key in keys}
    for task_id, answer in session.execute(wanted):
        for key, things in kind.ratings(kind.answer(answer)).items():
            for thing, rating in things.items():
                if key in given:
                    given[key].setdefault(f"{task_id}/{thing}", Counter())[rating] += 1
    return given


def _reading(key: str, title: str, things: Sequence[Counter[float]]) -> CriterionReading:
    shared = [counts for counts in things if counts.total() >= 2]
    values = [value for counts in things for value in counts]
    half = (max(values) - min(values)) / 2 if values else 0.0
    far = sum(half > 0 and max(counts) - min(counts) >= half for counts in shared)
    return CriterionReading(
        key=key,
        title=title,
        agreement=alpha(things, "ordinal", rng=np.random.default_rng(SEED)),
        ratings=sum(counts.total() for counts in things),
        far_apart=far / len(shared) if shared else None,
    )


def skills_in(session: Session, project_id: UUID) -> list[PersonSkill]:
    """Everybody's skill in a project, those with most judgments first."""
    wanted = select(PersonSkill).where(PersonSkill.project_id == project_id)
    return list(session.scalars(wanted.order_by(PersonSkill.judgments.desc(), PersonSkill.person_id).limit(500)))


# --- For the contributor


@dataclass(frozen=True)
class OwnSkill:
    """One's own skill in a project."""

    project: Project
    skill: PersonSkill


def own_skills(session: Session, person_id: UUID) -> list[OwnSkill]:
    """The person's skills, the newest first. Nobody else's are in it."""
    wanted = (
        select(Project, PersonSkill)
        .join(PersonSkill, PersonSkill.project_id == Project.id)
        .where(PersonSkill.person_id == person_id)
        .order_by(PersonSkill.updated_at.desc(), Project.id)
    )
    return [OwnSkill(project, skill) for project, skill in session.execute(wanted)]


@dataclass(frozen=True)
class OddOneOut:
    """An own judgment that differs from an answer that is all but settled."""

    submission_id: UUID
    payload: Mapping[str, object]
    own: str
    """As the person saw it (A, B, ...), like `others`."""
    others: str
    probability: float
    at: datetime


def odd_ones_out(session: Session, person_id: UUID, project: Project, limit: int = LISTED) -> list[OddOneOut]:
    """The person's newest decided judgments that differ from what is all but settled, to learn from. Not gold: what
    a known answer says is shown only by the door of gold."""
    wanted = (
        select(Submission, Claim.display_order, Task, TaskQuality)
        .join(Claim, Claim.id == Submission.claim_id)
        .join(Task, Task.id == Submission.task_id)
        .join(TaskQuality, TaskQuality.task_id == Submission.task_id)
        .where(
            Submission.person_id == person_id,
            Submission.project_id == project.id,
            Submission.state.in_([SubmissionState.APPROVED, SubmissionState.REJECTED]),
            Task.state != TaskState.GOLD,
            TaskQuality.state == AnswerState.RESOLVED,
        )
        .order_by(Submission.id.desc())
        .limit(limit * 20)
    )
    kind = project.kind
    found: list[OddOneOut] = []
    for submission, order, task, quality in session.execute(wanted):
        payload = kind.payload(task.payload)
        own = kind.labels(payload, kind.answer(submission.answer))
        for unit, label, probability in JudgedTask(task, quality).leading:
            if probability >= SURE and unit in own and own[unit] != label:
                said, settled = kind.shown_label(own[unit], order), kind.shown_label(label, order)
                found.append(OddOneOut(submission.id, task.payload, said, settled, probability, submission.created_at))
        if len(found) >= limit:
            break
    return found[:limit]
