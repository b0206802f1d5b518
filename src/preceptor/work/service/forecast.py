"""What a project still needs: judgments, money, and tasks that somebody will have to decide; with intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import Row
from sqlalchemy.orm import Session

from preceptor.kit.money import Money
from preceptor.projects.models import OverlapMode, Project
from preceptor.projects.rules import first_overlap, most_asked
from preceptor.quality.adaptive import FLOOR_MIN, Guard, Rules
from preceptor.quality.forecast import forecast as foretell
from preceptor.quality.intervals import Estimate, Floats, bootstrap, wilson
from preceptor.quality.labels import Ints
from preceptor.work import queries_quality
from preceptor.work.models_quality import AnswerState, QualityFit
from preceptor.work.service import overlap
from preceptor.work.service.fitting import newest_fit

SEED = 0
"""The same state of a project gives the same forecast."""
UNDER_WAY_MAX = 4_000
"""Of more open tasks than this, about so many stand for all."""
STOPS_MAX = 20_000


@dataclass(frozen=True)
class ProjectForecast:
    """What is left, and what a settled task costs.

    `judgments`: still to come, those that will be rejected and asked again included; `money` is their pay at today's
    rate, with `money_low` and `money_high`. `to_escalate`: open tasks that will end unsure, to be decided by somebody.
    `per_task`: judgments that a settled task took, and `cost_per_task`; beside it what the same would be with a fixed
    overlap of `fixed` judgments (the cap, which is what it takes to let no task have fewer than adaptive overlap
    might give it; the project's own overlap where it is fixed). `saved`: share of judgments saved by stopping early.
    """

    mode: OverlapMode
    judgments: Estimate
    money: Money | None
    money_low: Money | None
    money_high: Money | None
    to_escalate: Estimate
    per_task: Estimate
    cost_per_task: Money | None
    fixed: int
    fixed_cost_per_task: Money
    saved: Estimate
    untouched: int
    under_way: int
    settled: int
    escalated: int


def forecast(session: Session, project_id: UUID) -> ProjectForecast:
    """A project's forecast. The caller has checked who asks. Five statements; nothing is written."""
    project = session.get_one(Project, project_id)
    counts = _Counts.of(session.execute(queries_quality.STANDING_COUNTS, {"project_id": project_id}).all())
    rejected = session.execute(queries_quality.DECIDED_COUNTS, {"project_id": project_id}).one()
    adaptive = project.overlap_mode is OverlapMode.ADAPTIVE and most_asked_in(project) >= FLOOR_MIN
    if adaptive:
        left, to_escalate = _adaptive_left(session, project, counts)
    else:
        left, to_escalate = _fixed_left(counts), Estimate(0.0, 0.0, 0.0, counts.open)
    judgments = _with_rejections(left, int(rejected.rejected), int(rejected.decided))
    per_task = _per_task(counts)
    fixed = most_asked_in(project) if project.overlap_mode is OverlapMode.ADAPTIVE else project.overlap
    return ProjectForecast(
        mode=project.overlap_mode,
        judgments=judgments,
        money=_pay(project, judgments.value),
        money_low=_pay(project, judgments.low),
        money_high=_pay(project, judgments.high),
        to_escalate=to_escalate,
        per_task=per_task,
        cost_per_task=_pay(project, per_task.value),
        fixed=fixed,
        fixed_cost_per_task=Money(project.rate_minor * fixed, project.currency),
        saved=_saved(per_task, fixed),
        untouched=counts.untouched,
        under_way=counts.under_way,
        settled=counts.settled,
        escalated=counts.escalated,
    )


def _per_task(counts: "_Counts") -> Estimate:
    """Mean judgments of a settled task, with a bootstrap interval over tasks."""
    if not counts.settled:
        return Estimate.unknown("no task is settled yet")
    done, tasks = (np.array(column, dtype=np.float64) for column in zip(*counts.settled_by, strict=True))

    def mean(weights: Floats) -> Floats:
        return np.asarray((weights @ done) / weights.sum(axis=1), dtype=np.float64)

    value = float(mean(tasks[np.newaxis])[0])
    return bootstrap(mean, tasks, value, np.random.default_rng(SEED))


def most_asked_in(project: Project) -> int:
    """The most judgments of one task with the project's adaptive overlap."""
    return most_asked(project.overlap_cap, project.rate_minor, project.price_limit_minor)


@dataclass(frozen=True)
class _Counts:
    """Tasks in the queue by how they stand. `settled_by`: (judgments, how many settled tasks have so many)."""

    untouched: int
    under_way: int
    settled: int
    escalated: int
    missing: int
    """Judgments wanted and not given, by the tasks' own numbers."""
    settled_by: list[tuple[int, int]]

    @property
    def stops(self) -> Ints:
        """Judgments of each settled task; of many, at most about `STOPS_MAX` stand for all."""
        shrink = max(1.0, self.settled / STOPS_MAX)
        stops = [np.full(max(1, round(tasks / shrink)), done, dtype=np.int64) for done, tasks in self.settled_by]
        return np.concatenate(stops) if stops else np.empty(0, dtype=np.int64)

    @property
    def open(self) -> int:
        return self.untouched + self.under_way

    @classmethod
    def of(cls, rows: Sequence[Row[Any]]) -> "_Counts":
        untouched = sum(row.tasks for row in rows if row.done == 0 and row.missing)
        under_way = sum(row.tasks for row in rows if row.done > 0 and row.missing)
        settled = [row for row in rows if row.done > 0 and not row.missing]
        return cls(
            untouched=untouched,
            under_way=under_way,
            settled=sum(row.tasks for row in settled),
            escalated=sum(row.tasks for row in settled if row.answer_state == AnswerState.ESCALATED),
            missing=sum(row.tasks * row.missing for row in rows),
            settled_by=[(row.done, row.tasks) for row in settled],
        )


def _fixed_left(counts: _Counts) -> Estimate:
    """With fixed overlap what is left is known."""
    return Estimate(float(counts.missing), float(counts.missing), float(counts.missing), counts.open)


def _adaptive_left(session: Session, project: Project, counts: _Counts) -> tuple[Estimate, Estimate]:
    fit = newest_fit(session, project.id)
    posterior, labels = _under_way(session, project, counts, _classes(fit))
    prior, pooled = _crowd(fit, project, posterior.shape[1])
    found = foretell(
        posterior,
        labels,
        counts.stops,
        Rules(target=project.confidence, floor=first_overlap(project), cap=most_asked_in(project)),
        prior=prior,
        pooled=pooled,
        rng=np.random.default_rng(SEED),
        untouched=counts.untouched,
        guard=_guard(fit),
    )
    return found.judgments, found.at_cap


def _classes(fit: QualityFit | None) -> int:
    return 2 if fit is None else len(fit.prior)


def _under_way(session: Session, project: Project, counts: _Counts, classes: int) -> tuple[Floats, Ints]:
    """(tasks, classes) posterior of the least sure unit of each open task that was judged, and its judgments."""
    every = max(1, -(-counts.under_way // UNDER_WAY_MAX))
    rows = session.execute(queries_quality.UNDER_WAY, {"project_id": project.id, "every": every}).all()
    chances = [_least_sure(row.units) for row in rows]
    widest = max([classes, *(len(one) for one in chances)])
    posterior = np.zeros((len(rows), widest))
    for place, one in enumerate(chances):
        posterior[place, : len(one)] = one if one else [1.0]
    posterior[posterior.sum(axis=1) == 0, 0] = 1.0
    posterior /= posterior.sum(axis=1, keepdims=True)
    labels = np.array([row.done for row in rows], dtype=np.int64)
    if 0 < len(rows) != counts.under_way:
        # Those that were drawn stand for all.
        drawn = np.arange(counts.under_way) % len(rows)
        return posterior[drawn], labels[drawn]
    return posterior, labels


def _least_sure(units: Mapping[str, Mapping[str, float]]) -> list[float]:
    least = min(units.values(), key=lambda chances: max(chances.values(), default=1.0), default={})
    return list(least.values())


def _crowd(fit: QualityFit | None, project: Project, classes: int) -> tuple[Floats, Floats]:
    """Prior and matrix of the crowd; before a fit, people are taken to meet the project's standard."""
    if fit is not None and len(fit.prior) == classes:
        return np.array(fit.prior), np.array(fit.pooled)
    assumed = overlap.assumed_crowd(classes, project.standard)
    return np.array(assumed.prior), np.array(assumed.pooled)


def _guard(fit: QualityFit | None) -> Guard | None:
    kept = fit.diagnostics.get("guard") if fit is not None else None
    if not kept or not kept["tightened"]:
        return None
    required = inf if kept["required"] is None else kept["required"]
    return Guard(required, kept["stated"], kept["met"], kept["n"], kept["reason"])


def _with_rejections(left: Estimate, rejected: int, decided: int) -> Estimate:
    """A rejected judgment is asked again: what is left grows by one over the share that stands."""
    if left.value is None or not decided:
        return left
    share = wilson(rejected, decided)
    assert share.value is not None
    assert share.low is not None
    assert share.high is not None
    if share.high >= 1:
        return Estimate(left.value, left.low, None, left.n, "every judgment so far was rejected")
    return Estimate(
        left.value / (1 - min(share.value, share.high)),
        (left.low or 0.0) / (1 - share.low),
        (left.high or left.value) / (1 - share.high),
        left.n,
        left.reason,
    )


def _pay(project: Project, judgments: float | None) -> Money | None:
    return None if judgments is None else Money(round(project.rate_minor * judgments), project.currency)


def _saved(per_task: Estimate, fixed: int) -> Estimate:
    """Share of the judgments of fixed overlap; more per task is less saved, so the interval turns round."""
    if per_task.value is None:
        return Estimate.unknown(per_task.reason or "no task is settled yet")
    low = None if per_task.high is None else 1 - per_task.high / fixed
    high = None if per_task.low is None else 1 - per_task.low / fixed
    return Estimate(1 - per_task.value / fixed, low, high, per_task.n, per_task.reason)
