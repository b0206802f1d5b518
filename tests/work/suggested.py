"""Projects whose tasks have a model's suggestion, for tests of what becomes of it."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Task
from preceptor.work.models_judging import AiJudge, AiJudgment, JudgmentOutcome
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionSource
from preceptor.work.service import suggestions
from preceptor.work.service.suggestions import Setting, Wanted
from tests.endpoints.asking import make_endpoint
from tests.factories import World

Answers = Callable[[int], dict[str, Any] | None]


def prefers(best: str, strength: int = 2) -> dict[str, Any]:
    """A judge's answer in stored names, with a reason of its own."""
    worse = "r2" if best == "r1" else "r1"
    return {"ranks": {best: 1, worse: 2}, "strength": strength, "justification": "It adds up, says the model."}


def add_judge(session: Session, runtime: Runtime, world: World, answers: Answers, title: str = "Judge") -> AiJudge:
    """A judge that has said `answers(number)` of each task; None where it gave no answer."""
    now = runtime.clock.now()
    endpoint = make_endpoint(session, runtime, world, "https://models.example.com/v1", name=title)
    judge = AiJudge(
        project_id=world.project.id, endpoint_id=endpoint.id, title=title, guidelines="", rubric="", words="",
        critique=False, both_orders=False, model="tiny", price_input=0, price_output=0, currency="USD",
        ended_because="", created_at=now, changed_at=now,
    )  # fmt: skip
    session.add(judge)
    session.flush()
    tasks = session.scalars(select(Task).where(Task.project_id == world.project.id).order_by(Task.position))
    for number, task in enumerate(tasks):
        answer = answers(number)
        session.add(
            AiJudgment(
                judge_id=judge.id, task_id=task.id, project_id=world.project.id, answer=answer, passes=[], error="",
                outcome=JudgmentOutcome.ANSWERED if answer else JudgmentOutcome.UNREADABLE, model_version="tiny-1",
                input_tokens=1, output_tokens=1, tokens_estimated=False, cost=0, currency="USD", latency_ms=1, run=1,
                created_at=now, updated_at=now,
            )
        )  # fmt: skip
    session.flush()
    return judge


def suggest(session: Session, runtime: Runtime, world: World, judge: AiJudge | None, blind: int = 20) -> Setting:
    """Have a judge suggest, or (None) what came with the tasks."""
    source = SuggestionSource.JUDGE if judge else SuggestionSource.FILE
    wanted = Wanted(source, judge.id if judge else None, blind)
    actor = world.client.actor
    return suggestions.set_suggestions(session, actor, world.project.id, wanted, now=runtime.clock.now())


def kept(session: Session, claim_id: UUID) -> ClaimSuggestion:
    return session.get_one(ClaimSuggestion, claim_id, populate_existing=True)
