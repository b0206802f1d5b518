"""How alike people answer, aspect by aspect, by the task type's own distance: a ranking, a criterion, a control."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import Any, Final
from uuid import UUID

import numpy as np
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.projects.models import Project, Task, TaskState
from preceptor.quality import Estimate
from preceptor.quality.intervals import bootstrap_ratio
from preceptor.tasktypes.working import Working
from preceptor.work.models import Submission
from preceptor.work.service.quality import COUNTED

JUDGMENTS_MAX: Final = 2_000
"""The newest ones are compared."""
PAIRS_OF_TASK_MAX: Final = 45
"""Of ten people; comparing spans or shapes costs milliseconds, and more pairs of one task say little more."""
SEED: Final = 0
"""Of the bootstrap: the same answers give the same interval."""


@dataclass(frozen=True)
class AspectAgreement:
    """Mean agreement (one minus distance) of two people on one task, tasks resampled for the interval.

    Not corrected for chance: what two people who guess would reach depends on the aspect.
    """

    key: str
    title: str
    agreement: Estimate
    pairs: int


def aspect_agreement(session: Session, project: Project) -> list[AspectAgreement]:
    """Every aspect of the project's task type, worst first, over the newest judgments that count."""
    kind = project.kind
    titles = kind.aspects()
    sums: dict[str, list[tuple[float, int]]] = {key: [] for key in titles}
    for payload, answers in _judged_together(session, project.id, kind):
        for key, (total, pairs) in _compared(kind, payload, answers).items():
            if key in sums:
                sums[key].append((total, pairs))
    found = [_agreement(key, titles[key], tasks) for key, tasks in sums.items()]
    return sorted(found, key=lambda each: (each.agreement.value is None, each.agreement.value or 0.0))


def _judged_together(session: Session, project_id: UUID, kind: Working) -> list[tuple[BaseModel, list[BaseModel]]]:
    """Tasks with the answers of several people, among the newest judgments; not gold."""
    newest = (
        select(Submission.task_id, Submission.answer)
        .join(Task, Task.id == Submission.task_id)
        .where(Submission.project_id == project_id, Submission.state.in_(COUNTED), Task.state != TaskState.GOLD)
        .order_by(Submission.id.desc())
        .limit(JUDGMENTS_MAX)
    )
    given: dict[UUID, list[Any]] = {}
    for task_id, answer in session.execute(newest):
        given.setdefault(task_id, []).append(answer)
    shared = {task_id: answers for task_id, answers in given.items() if len(answers) > 1}
    payloads = session.execute(select(Task.id, Task.payload).where(Task.id.in_(shared)))
    return [
        (kind.payload(payload), [kind.answer(answer) for answer in shared[task_id]]) for task_id, payload in payloads
    ]


def _compared(kind: Working, payload: BaseModel, answers: Sequence[BaseModel]) -> Mapping[str, tuple[float, int]]:
    """Aspect -> (sum of agreement, number of pairs) over the pairs of one task."""
    sums: dict[str, tuple[float, int]] = {}
    for one, other in islice(combinations(answers, 2), PAIRS_OF_TASK_MAX):
        for key, distance in kind.distance(payload, one, other).items():
            total, pairs = sums.get(key, (0.0, 0))
            sums[key] = (total + 1 - distance, pairs + 1)
    return sums


def _agreement(key: str, title: str, tasks: Sequence[tuple[float, int]]) -> AspectAgreement:
    pairs = sum(count for _, count in tasks)
    if not pairs:
        return AspectAgreement(key, title, Estimate.unknown("no task has two answers to compare"), 0)
    totals = np.array([total for total, _ in tasks])
    counts = np.array([count for _, count in tasks], dtype=float)
    return AspectAgreement(key, title, bootstrap_ratio(totals, counts, np.random.default_rng(SEED)), pairs)
