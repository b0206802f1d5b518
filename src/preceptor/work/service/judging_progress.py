"""How far a run of an AI judge is, and how long the rest will take."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from preceptor.work import queries_judging
from preceptor.work.models_judging import AiJudge, JudgeState


@dataclass(frozen=True)
class RunProgress:
    """`done` of `total` tasks of the run that goes on; `seconds_left` at the speed so far, None before the first."""

    done: int
    total: int
    seconds_left: float | None


def progress_of(session: Session, judge: AiJudge, *, now: datetime) -> RunProgress | None:
    """Of the run that goes on; None where none does. A budget may end a run before its total. Two statements."""
    if judge.state is not JudgeState.RUNNING:
        return None
    done = session.scalars(queries_judging.judged_in_run(judge.id, judge.run)).one()
    left = session.scalars(queries_judging.tasks_left(judge)).one()
    if judge.tasks_max is not None:
        left = min(left, max(0, judge.tasks_max - done))
    # A running judge was last changed when its run was asked for.
    elapsed = (now - judge.changed_at).total_seconds()
    return RunProgress(done, done + left, elapsed * left / done if done else None)
