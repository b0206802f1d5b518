"""The background fit: all judgments of a project at once, and everything that rests on them written anew.

Three parts, of which only the last writes: judgments are read in pages (`judgments`), measured without the database
(`measuring`, `finding`), and the results written in batches. One fit of a project runs at a time. Running twice is
the same as once, and a fit that is cut off half-way is made good by the next: skills, posteriors and findings are each
replaced as a whole, and the fit's own row is written last but one, so that whatever refers to it exists.

Cost for n judgments: linear in time and memory. Measured at 300,000 judgments of 100,000 tasks by 1,000 people with a
named model: 50 seconds of a processor, half of it to read, and about a kilobyte a judgment at its peak.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from math import log
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit import jobs
from preceptor.kit.db import transaction
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.kit.locks import only_one
from preceptor.kit.runtime import Runtime
from preceptor.projects import access
from preceptor.projects.models import OverlapMode, Project
from preceptor.quality.intervals import Estimate
from preceptor.quality.labels import UNKNOWN
from preceptor.quality.replacing import replacing
from preceptor.quality.skill import drift
from preceptor.quality.truth.choice import AUTO
from preceptor.work import queries_quality, rules_quality
from preceptor.work.models_judging import AiJudgeSkill
from preceptor.work.models_quality import Evidence, EvidenceState, PersonSkill, QualityFit, TaskQuality
from preceptor.work.service import overlap
from preceptor.work.service.finding import Course, Finding, Watched, findings, watch_accuracy
from preceptor.work.service.judgments import ProjectJudgments, items_of_tasks, read_judgments
from preceptor.work.service.measuring import SEED, SHRINKAGE, Measured, Progress, guard_kept, measure

FIT_JOB = "work.fit_quality"
BATCH = 2_000
PAGE_MAX = 200
DIGITS = 6
DRIFT_JUDGMENTS_MAX = 2_000
"""Accuracy over time looks at a person's newest judgments, up to so many."""
TOPICS_MAX = 50
NEW_COUNTED_MAX = 1_000_000
STRONGER = log(10)
"""A finding that somebody has put aside comes back once its evidence is ten times what it was then."""
CHOOSE_MIN = 1_000
CHOOSE_ANEW = 1.5
"""Between two choices among all models (each costs many fits) a project's judgments grow by this factor."""


class NothingToFit(Invalid):
    """There is no judgment to fit yet. Come back when people have submitted their first answers."""

    code = "nothing_to_fit"


# --- Asking for a fit


def request_fit(session: Session, project: Project) -> UUID:
    """Have a fit made now; returns the id that it will have. The project came through an access function."""
    if session.execute(queries_quality.judged_tasks(project.id, after=None, limit=1)).first() is None:
        raise NothingToFit
    fit_id = new_id()
    jobs.defer(session, FIT_JOB, project_id=str(project.id), fit_id=str(fit_id))
    return fit_id


def request_due_fits(session: Session, *, now: datetime) -> list[UUID]:
    """Have fits made of the projects that are due (`rules_quality.fit_is_due`); returns which. One statement."""
    rows = session.execute(queries_quality.FITS_DUE, {"most": NEW_COUNTED_MAX}).all()
    due = [
        row.id
        for row in rows
        if rules_quality.fit_is_due(row.judgments, row.labels or 0, row.created_at, now, cost=row.cpu_seconds or 0.0)
    ]
    for project_id in due:
        jobs.defer(session, FIT_JOB, project_id=str(project_id), fit_id=str(new_id()))
    return due


# --- A fit


def fit_project(
    runtime: Runtime, project_id: UUID, fit_id: UUID, *, method: str = AUTO, progress: Progress | None = None
) -> QualityFit | None:
    """Fit a project's judgments and write what follows. None where nothing was judged; a fit that is there already
    is left as it is."""
    with only_one(runtime.engine, project_id):
        with runtime.sessions() as session:
            if (there := session.get(QualityFit, fit_id)) is not None:
                return there
            project = session.get_one(Project, project_id)
            last = newest_fit(session, project_id)
        started = runtime.clock.now()
        begun = time.thread_time()
        judgments = read_judgments(runtime.sessions, project_id)
        if len(judgments) == 0:
            return None
        among = _still_good(last, len(judgments))
        measured = measure(
            judgments,
            target=project.confidence,
            method=method,
            among=among,
            progress=progress,
            with_judges=project.judges_in_inference,
        )
        watched = watch_accuracy(judgments, measured, project.standard)
        found = findings(judgments, measured, watched, project.standard)
        chosen_at = last.diagnostics["chosen_at"] if last is not None and among else len(judgments)
        fit = _Fit(fit_id, project, judgments, measured, watched, found, chosen_at, started)
        return _write(runtime, fit, begun)


@dataclass(frozen=True)
class _Fit:
    """A fit on its way into the tables."""

    id: UUID
    project: Project
    judgments: ProjectJudgments
    measured: Measured
    watched: Watched
    found: Sequence[Finding]
    chosen_at: int
    """Judgments that there were when its model was chosen among all."""
    at: datetime


def _still_good(last: QualityFit | None, labels: int) -> list[str]:
    """The models that the last choice among all has left, while the judgments are not `CHOOSE_ANEW` times as many."""
    if last is None or not CHOOSE_MIN <= labels <= CHOOSE_ANEW * last.diagnostics.get("chosen_at", 0):
        return []
    return [str(score["name"]) for score in last.diagnostics["scores"] if score["weight"] > 0]


def _write(runtime: Runtime, fit: _Fit, begun: float) -> QualityFit:
    for batch in _batches(_skill_rows(fit)):
        with transaction(runtime.sessions) as session:
            _replace_skills(session, batch)
    for posteriors in _batches(_posterior_rows(fit)):
        with transaction(runtime.sessions) as session:
            _keep_posteriors(session, fit, posteriors)
    judged = _judge_rows(fit)
    with transaction(runtime.sessions) as session:
        _keep_findings(session, fit)
        _replace_judges(session, fit, judged)
        old = delete(PersonSkill).where(PersonSkill.project_id == fit.project.id, PersonSkill.fit_id != fit.id)
        session.execute(old.execution_options(synchronize_session=False))
        row = _fit_row(fit, time.thread_time() - begun)
        session.add(row)
    if fit.project.overlap_mode is OverlapMode.ADAPTIVE:
        # By what people are known to be worth now: some open tasks are sure, some stopped ones are not any more.
        overlap.reconsider_project(runtime.sessions, fit.project.id, now=runtime.clock.now())
    return row


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, BATCH)):
        yield batch


def _fit_row(fit: _Fit, cpu_seconds: float) -> QualityFit:
    judgments, measured = fit.judgments, fit.measured
    return QualityFit(
        id=fit.id,
        project_id=fit.project.id,
        method=measured.picked.name,
        why=measured.picked.why,
        labels=len(judgments),
        tasks=len(judgments.tasks),
        people=len(judgments.people),
        classes=judgments.classes,
        prior=measured.prior.tolist(),
        pooled=measured.pooled.tolist(),
        alpha=measured.alpha.value,
        alpha_low=measured.alpha.low,
        alpha_high=measured.alpha.high,
        accuracy=measured.accuracy,
        majority_accuracy=measured.majority_accuracy,
        ece=measured.calibration.ece,
        calibration=measured.calibration.kept(),
        diagnostics=_diagnostics(fit),
        cpu_seconds=cpu_seconds,
        newest_submission_id=judgments.newest,
        created_at=fit.at,
    )


def _diagnostics(fit: _Fit) -> dict[str, Any]:
    measured = fit.measured
    return {
        "shrinkage": SHRINKAGE,
        "chosen_at": fit.chosen_at,
        "guard": guard_kept(measured.guard, fit.project.confidence),
        "risk_mean": measured.risk_mean,
        "gold": int((fit.judgments.gold != UNKNOWN).sum()),
        "items": fit.judgments.labels.items,
        "alpha_reason": measured.alpha.reason,
        "ambiguous_share": measured.difficulty.rate,
        "iterations": measured.fit.iterations,
        "converged": measured.fit.converged,
        "log_likelihood": measured.fit.log_likelihood,
        "scores": measured.picked.scores,
    }


# --- People


def _skill_rows(fit: _Fit) -> Iterator[dict[str, Any]]:
    """In the order of ids, one after the other."""
    judgments, measured = fit.judgments, fit.measured
    labels = judgments.labels
    order = np.lexsort((judgments.answer, judgments.at, labels.person))
    bounds = np.searchsorted(labels.person[order], np.arange(labels.people + 1))
    for person in sorted(range(labels.people), key=judgments.people.__getitem__):
        skill = measured.skills.of(person)
        rows = order[bounds[person] : bounds[person + 1]][-DRIFT_JUDGMENTS_MAX:]
        yield {
            "project_id": fit.project.id,
            "person_id": judgments.people[person],
            "judgments": skill.judgments,
            "counts": np.round(measured.counts[person], 4).tolist(),
            "accuracy": skill.accuracy.value,
            "low": skill.accuracy.low,
            "high": skill.accuracy.high,
            "by_class": _by_class(fit, skill.by_class),
            "by_topic": _topics(judgments, skill.by_topic),
            "drift": _over_time(fit, rows),
            "watch": {
                "standard": fit.project.standard,
                "accuracy": _watch(fit.watched.accuracy[person]),
                "drift": _watch(fit.watched.drift[person]),
            },
            "fit_id": fit.id,
            "updated_at": fit.at,
        }


def _by_class(fit: _Fit, estimates: Sequence[Estimate]) -> list[dict[str, Any]]:
    """For every class; of one that nobody gave and that is no known answer, nothing can be said."""
    found = dict(zip(fit.measured.used.tolist(), estimates, strict=True))
    unseen = Estimate.unknown("nobody has given this label, and it is no known answer")
    return [{"label": name, **_estimate(found.get(place, unseen))} for place, name in enumerate(fit.judgments.classes)]


def _topics(judgments: ProjectJudgments, estimates: Sequence[Estimate]) -> list[dict[str, Any]]:
    """Topics that the person has judged, those with most judgments first."""
    named = [(name, one) for name, one in zip(judgments.topics, estimates, strict=False) if one.n]
    most = sorted(named, key=lambda pair: (-pair[1].n, pair[0]))[:TOPICS_MAX]
    return [{"topic": name, **_estimate(one)} for name, one in most]


def _over_time(fit: _Fit, rows: "np.typing.NDArray[np.int64]") -> list[dict[str, Any]]:
    evidence = fit.measured.evidence
    windows = drift(evidence.right[rows], evidence.weight[rows]).windows
    return [
        {
            "until": datetime.fromtimestamp(float(fit.judgments.at[rows[window.last]]), UTC).isoformat(),
            **_estimate(window.accuracy),
        }
        for window in windows
    ]


def _estimate(one: Estimate) -> dict[str, Any]:
    return {
        "accuracy": _short(one.value),
        "low": _short(one.low),
        "high": _short(one.high),
        "n": one.n,
        "reason": one.reason,
    }


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _watch(course: Course) -> dict[str, Any]:
    found = course.evidence
    return {
        "n": found.n,
        "log_e": _short(found.log_e),
        "log_e_max": _short(found.log_e_max),
        "log_threshold": _short(found.log_threshold),
        "reached_at": found.reached_at,
        "false_alarms": found.false_alarm_rate,
        "path": course.points,
    }


def _replace_skills(session: Session, rows: list[dict[str, Any]]) -> None:
    statement, key = insert(PersonSkill), ["project_id", "person_id"]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in key}
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=changed), rows)


# --- AI judges


def _judge_rows(fit: _Fit) -> list[dict[str, Any]]:
    return [
        {
            "judge_id": judge_id,
            "project_id": fit.project.id,
            "judgments": found.judgments,
            "counts": np.round(found.counts, 4).tolist(),
            "accuracy": found.accuracy.value,
            "low": found.accuracy.low,
            "high": found.accuracy.high,
            "reason": found.accuracy.reason,
            "by_class": [
                {"label": name, **_estimate(one)}
                for name, one in zip(fit.judgments.classes, found.by_class, strict=True)
            ],
            "included": fit.project.judges_in_inference,
            "replacing": _replacing(fit, number),
            "fit_id": fit.id,
            "updated_at": fit.at,
        }
        for number, (judge_id, found) in enumerate(zip(fit.judgments.judges, fit.measured.judges, strict=True))
    ]


def _replacing(fit: _Fit, judge: int) -> dict[str, Any]:
    """How many human judgments this judge could take the place of, of as many as a task is asked for."""
    judgments, project = fit.judgments, fit.project
    wanted = project.overlap_cap if project.overlap_mode is OverlapMode.ADAPTIVE else project.overlap
    own = judgments.judged.where(judgments.judged.person == judge)
    # Who saw this judge's answers is no measure of doing without it.
    people = judgments.labels.where(~np.isin(judgments.labels.item, judgments.seen_items[judge]))
    found = replacing(people, own, judgments.gold, people=wanted, rng=np.random.default_rng(SEED))
    return {
        "n": found.n,
        "k": asdict(found.k),
        "people": asdict(found.people),
        "panels": [asdict(panel) for panel in found.panels],
        "items": found.items,
        "by": found.by,
        "margin": found.margin,
        "seen": judgments.seen[judge],
    }


def _replace_judges(session: Session, fit: _Fit, rows: list[dict[str, Any]]) -> None:
    session.execute(delete(AiJudgeSkill).where(AiJudgeSkill.project_id == fit.project.id))
    session.add_all(AiJudgeSkill(**row) for row in rows)
    session.flush()


# --- Tasks


def _posterior_rows(fit: _Fit) -> Iterator[dict[str, Any]]:
    """What the judgments of each task say, in the order of ids."""
    judgments, measured = fit.judgments, fit.measured
    posterior, hard = measured.posterior, measured.difficulty
    for task, items in zip(range(len(judgments.tasks)), items_of_tasks(judgments), strict=True):
        units = {
            unit: dict(zip(names, np.round(posterior[item, : len(names)], DIGITS).tolist(), strict=True))
            for item, (unit, names) in zip(items, judgments.units[task], strict=True)
        }
        least = min(items, key=lambda item: float(posterior[item].max()), default=None)
        yield {
            "id": judgments.tasks[task],
            "judgments": int(judgments.given[task]),
            "units": orjson.dumps(units).decode(),
            "confidence": 1.0 if least is None else float(posterior[least].max()),
            "ambiguity": _greatest(hard.ambiguous, items) if judgments.given[task] > 1 else None,
            "difficulty": _greatest(hard.error_rate, items) if judgments.given[task] > 1 else None,
            "value": None if least is None else float(measured.value_of_next[least]),
        }


def _greatest(values: "np.typing.NDArray[np.float64]", items: range) -> float | None:
    known = values[items.start : items.stop]
    known = known[np.isfinite(known)]
    return float(known.max()) if len(known) else None


def _keep_posteriors(session: Session, fit: _Fit, rows: Sequence[dict[str, Any]]) -> None:
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    session.execute(
        queries_quality.KEEP_POSTERIORS,
        {
            **{f"{name}_column": values for name, values in columns.items()},
            "project_id": fit.project.id,
            "fixed": fit.project.overlap_mode is OverlapMode.FIXED,
            "fit_id": fit.id,
            "now": fit.at,
        },
    )


# --- Findings


def _keep_findings(session: Session, fit: _Fit) -> None:
    """Write what has reached its threshold, and follow what had. Somebody has to look again where evidence of a
    finding that was seen has grown past what it was then."""
    known = {
        (row.person_id, row.kind, row.other_person_id): row
        for row in session.scalars(queries_quality.evidence_of_project(fit.project.id))
    }
    people = fit.judgments.people
    for finding in fit.found:
        other = None if finding.other is None else people[finding.other]
        row = known.get((people[finding.person], finding.kind, other))
        if row is None and finding.course.evidence.reached:
            row = Evidence(
                id=new_id(),
                project_id=fit.project.id,
                person_id=people[finding.person],
                other_person_id=other,
                kind=finding.kind,
                created_at=fit.at,
            )
            session.add(row)
        if row is not None:
            _tell(row, finding, fit.at)
    session.flush()


def _tell(row: Evidence, finding: Finding, now: datetime) -> None:
    evidence = finding.course.evidence
    row.log_e, row.n = evidence.log_e, evidence.n
    # Of a finding that was put aside, the greatest stays as it was then: that is what it has to outgrow.
    if row.state is not EvidenceState.SEEN or evidence.log_e_max >= row.log_e_max + STRONGER:
        row.state, row.log_e_max = EvidenceState.OPEN, evidence.log_e_max
    row.false_alarms = evidence.false_alarm_rate or 0.0
    row.path = finding.course.points
    row.statement = finding.statement
    row.updated_at = now


# --- Reading


@dataclass(frozen=True)
class FitPage:
    """`next_before` is the id to pass as `before` for the next page, None on the last."""

    fits: list[QualityFit]
    next_before: UUID | None


def newest_fit(session: Session, project_id: UUID) -> QualityFit | None:
    """The newest fit of a project that came through an access function; None before the first."""
    return session.scalar(queries_quality.newest_fit(project_id))


def latest_fit(session: Session, project_id: UUID) -> QualityFit:
    """The newest fit; `NotFound` before the first."""
    found = newest_fit(session, project_id)
    if found is None:
        raise NotFound("fit")
    return found


@dataclass(frozen=True)
class PosteriorPage:
    """(task, its external id, what its judgments say); `next_after` is the `after` of the next page."""

    rows: list[tuple[UUID, str, TaskQuality]]
    next_after: UUID | None


def list_posteriors(
    session: Session, actor: Actor, project: Project, *, after: UUID | None = None, limit: int = 50
) -> PosteriorPage:
    """What is known about a project's answers, in the order of arrival. The project came through an access function.

    Known answers have their own door: only managers of the client find tasks that have one.
    """
    known = access.role_in(actor, project.org_id) in access.MANAGERS
    size = min(limit, PAGE_MAX)
    rows = [
        (row[0], row[1], row[2])
        for row in session.execute(queries_quality.posteriors(project.id, after=after, limit=size + 1, known=known))
    ]
    return PosteriorPage(rows[:size], rows[size - 1][0] if len(rows) > size else None)


@dataclass(frozen=True)
class SkillPage:
    """`next_offset` is the `offset` of the next page, None on the last."""

    skills: list[PersonSkill]
    next_offset: int | None


def list_skills(session: Session, project_id: UUID, *, offset: int = 0, limit: int = 50) -> SkillPage:
    """What is known about a project's people, those with most judgments first."""
    size = min(limit, PAGE_MAX)
    found = list(session.scalars(queries_quality.skills(project_id, offset=offset, limit=size + 1)))
    return SkillPage(found[:size], offset + size if len(found) > size else None)


def list_fits(session: Session, project_id: UUID, *, before: UUID | None = None, limit: int = 50) -> FitPage:
    """A project's fits, newest first: agreement and accuracy over time."""
    size = min(limit, PAGE_MAX)
    found = list(session.scalars(queries_quality.fits(project_id, before=before, limit=size + 1)))
    return FitPage(found[:size], found[size - 1].id if len(found) > size else None)
