"""Tasks with what people made of them so far, for clients that read annotations without building a release."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.datasets import queries
from preceptor.datasets.pseudonyms import Pseudonym
from preceptor.kit.ids import show_id
from preceptor.projects.models import Project, Task
from preceptor.tasktypes.base import ReleasedJudgment
from preceptor.work.models import SubmissionState

LIVE = (SubmissionState.SUBMITTED, SubmissionState.APPROVED)


def judgments_of(
    session: Session, project: Project, tasks: Sequence[Task], name: Pseudonym
) -> dict[UUID, list[tuple[UUID, ReleasedJudgment[Any]]]]:
    """Task -> (id, judgment) of everything submitted that was not rejected, in order; people by pseudonym.

    One statement. The caller got project and tasks through `projects.access`.
    """
    found: dict[UUID, list[tuple[UUID, ReleasedJudgment[Any]]]] = {task.id: [] for task in tasks}
    kind = project.kind
    for row in session.execute(queries.judgments(list(found))):
        if row.state not in LIVE:
            continue
        judgment = ReleasedJudgment(
            submission_id=show_id("submission", row.id),
            person_pseudonym=name(row.person_id),
            answer=kind.answer(row.answer),
            seconds=float(row.worked_seconds) if row.worked_seconds else None,
            state=str(row.state),
            counted=row.state == SubmissionState.APPROVED,
            submitted_at=row.created_at,
        )
        found[row.task_id].append((row.id, judgment))
    return found
