"""A run of an AI judge: tasks are read in one transaction, models asked in none, each judgment written in another.

One run of a judge goes on at a time. A run that is cut off goes on with the next one: a task that has a judgment is
not asked again, and a reply that had come before the cut is taken as it is, since each question has a key of its own
and the order in which a task is shown is drawn from the judge, the task and the run.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.endpoints import asking
from preceptor.endpoints.chat import ChatMessage, Outcome
from preceptor.endpoints.client import estimated_tokens
from preceptor.endpoints.errors import EndpointBusy
from preceptor.endpoints.models import Generation, ModelEndpoint, Purpose
from preceptor.endpoints.service import generating
from preceptor.endpoints.service.generating import Asker, Begun
from preceptor.endpoints.settings import Parameters
from preceptor.kit import events, jobs
from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import show_id
from preceptor.kit.locks import only_one
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import Project, Task
from preceptor.tasktypes import judging as forms
from preceptor.tasktypes.base import Problem, UnknownLabel, to_json
from preceptor.tasktypes.generation import Turn
from preceptor.tasktypes.judging import CannotJudge, Judgeable, JudgedInOrders
from preceptor.tasktypes.working import Working
from preceptor.work import queries_judging
from preceptor.work.models_judging import AiJudge, AiJudgment, JudgeState, JudgmentOutcome
from preceptor.work.service import judges

AT_ONCE_MAX = 8
"""Questions of one run under way at a time; the endpoint's own limit holds beside it."""
PAGE_TASKS = 50
SLICE_SECONDS = 300.0
"""A run gives its worker back after this long and goes on in another job."""
PATIENCE_SECONDS = 600.0
"""How long a run waits for an endpoint that is busy with others before it ends."""
FAILURES_MAX = 5
"""So many failures of the endpoint one after another end a run."""
PROBLEMS_MAX = 20

DONE = "Every task that was wanted has been asked about."
ENOUGH = "As many tasks as were wanted have been asked about."
SPENT = "The budget would not hold for another task."


def run_judge(runtime: Runtime, judge_id: UUID, *, seconds: float = SLICE_SECONDS) -> None:
    """Ask a judge until its run is over, or for so long; then another job goes on. Nothing where it does not run."""
    with only_one(runtime.engine, judge_id):
        with transaction(runtime.sessions) as session:
            plan = _planned(session, judge_id)
        if plan is None:
            return
        because = asyncio.run(_Run(runtime, plan, time.monotonic() + seconds).to_its_end())
        now = runtime.clock.now()
        with transaction(runtime.sessions) as session:
            if because:
                judges.ended(session, judge_id, plan.judge.run, because, now=now)
            else:
                jobs.defer(session, judges.RUN_JOB, lock=f"judge-{judge_id}", judge_id=str(judge_id))


@dataclass(frozen=True)
class _Plan:
    """What a run works by; read once, since a judge's questions never change."""

    judge: AiJudge
    project: Project
    kind: Working
    judgeable: Judgeable
    endpoint: ModelEndpoint
    spent: Decimal
    asked: int

    @property
    def at_once(self) -> int:
        return min(AT_ONCE_MAX, self.endpoint.concurrency)


def _planned(session: Session, judge_id: UUID) -> _Plan | None:
    judge = session.scalar(queries_judging.judge(judge_id))
    if judge is None or judge.state is not JudgeState.RUNNING:
        return None
    project = session.get_one(Project, judge.project_id)
    kind = project.kind
    if not isinstance(kind.kind, Judgeable):
        return None
    spent = session.scalars(queries_judging.spent(judge.id)).one()
    asked = session.scalars(queries_judging.judged_in_run(judge.id, judge.run)).one()
    endpoint = session.get_one(ModelEndpoint, judge.endpoint_id)
    return _Plan(judge, project, kind, kind.kind, endpoint, Decimal(spent), asked)


class _Ended(Exception):
    """The run is over; the words say why."""


@dataclass
class _Run:
    runtime: Runtime
    plan: _Plan
    until: float
    waiting: "deque[UUID]" = field(default_factory=deque)
    after: UUID | None = None
    taken: int = 0
    spent: Decimal = Decimal(0)
    held: Decimal = Decimal(0)
    """What the judgments under way may come to."""
    failures: int = 0
    because: str = ""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def to_its_end(self) -> str:
        """Why the run is over; empty where only its time is."""
        self.spent, self.taken = self.plan.spent, self.plan.asked
        async with asyncio.TaskGroup() as group:
            for _ in range(self.plan.at_once):
                group.create_task(self._work())
        return self.because

    async def _work(self) -> None:
        try:
            while not self.because and time.monotonic() < self.until:
                async with self.turn:
                    task = await self._next()
                    worst = self._reserved(task)
                try:
                    await self._judge(task)
                finally:
                    self.held -= worst
        except _Ended as ended:
            self.because = self.because or str(ended)

    async def _next(self) -> Task:
        if self.plan.judge.tasks_max is not None and self.taken >= self.plan.judge.tasks_max:
            raise _Ended(ENOUGH)
        if not self.waiting:
            self.waiting.extend(await asking.in_transaction(self.runtime, self._page))
            if not self.waiting:
                raise _Ended(DONE)
            self.after = self.waiting[-1]
        return await asking.in_transaction(self.runtime, self._read)

    def _page(self, session: Session) -> list[UUID]:
        return list(session.scalars(queries_judging.next_tasks(self.plan.judge, after=self.after, limit=PAGE_TASKS)))

    def _read(self, session: Session) -> Task:
        judge = session.scalars(queries_judging.judge(self.plan.judge.id)).one()
        if judge.state is not JudgeState.RUNNING or judge.run != self.plan.judge.run:
            raise _Ended(judges.STOPPED)
        return session.get_one(Task, self.waiting.popleft())

    def _reserved(self, task: Task) -> Decimal:
        """Hold what the task may cost at most; `_Ended` where the budget does not have it."""
        self.taken += 1
        worst = self._worst(task)
        if self.plan.judge.budget is not None and self.spent + self.held + worst > self.plan.judge.budget:
            raise _Ended(SPENT)
        self.held += worst
        return worst

    def _worst(self, task: Task) -> Decimal:
        longest = Parameters.model_validate(self.plan.endpoint.parameters).max_tokens
        try:
            order = self.plan.kind.display_order(self.plan.kind.payload(task.payload), Random(0))
            tokens = estimated_tokens(self._question(task, order))
        except CannotJudge:
            return Decimal(0)
        once = generating.cost_of(self.plan.endpoint, tokens, longest)
        if self.plan.judge.critique:
            again = tokens + longest + estimated_tokens(forms.CRITIQUE)
            once += generating.cost_of(self.plan.endpoint, again, longest)
        return once * (2 if self.plan.judge.both_orders else 1)

    def _question(self, task: Task, order: Sequence[str]) -> list[ChatMessage]:
        plan, judge = self.plan, self.plan.judge
        shown = plan.kind.payload(plan.kind.present(plan.kind.payload(task.payload), order))
        guidelines = "\n\n".join(part for part in (judge.guidelines, judge.words) if part.strip())
        return _chat(plan.judgeable.judge_messages(shown, plan.kind.config, guidelines, judge.rubric))

    # --- One task

    async def _judge(self, task: Task) -> None:
        plan, judge = self.plan, self.plan.judge
        said = _Said()
        rng = Random(f"{judge.id}:{task.id}:{judge.run}")
        order = plan.kind.display_order(plan.kind.payload(task.payload), rng)
        orders = [order, order[::-1]] if judge.both_orders and isinstance(plan.kind.kind, JudgedInOrders) else [order]
        try:
            for number, each in enumerate(orders):
                said.answers.append(await self._pass(task, each, number, said))
            self._join(said)
        except CannotJudge as error:
            said.outcome, said.error = JudgmentOutcome.UNFIT, str(error)
        except _NoReply as error:
            said.outcome, said.error = JudgmentOutcome.FAILED, str(error)
        except _NoAnswer as error:
            said.outcome, said.error = JudgmentOutcome.UNREADABLE, str(error)
        await self._keep(task, said)

    async def _pass(self, task: Task, order: Sequence[str], number: int, said: "_Said") -> BaseModel:
        """Put the task to the model in one order; the answer in stored names."""
        plan, judge = self.plan, self.plan.judge
        shown = plan.kind.payload(plan.kind.present(plan.kind.payload(task.payload), order))
        told: dict[str, Any] = {"order": list(order), "text": "", "critique": "", "revision": "", "problems": []}
        told["generations"] = []
        said.passes.append(told)
        question = self._question(task, order)
        key = f"judge-{judge.id.hex}-{judge.run}-{number}"
        told["text"] = await self._reply(task, f"{key}-answer", question, told)
        read = plan.judgeable.judged_answer(told["text"], shown, plan.kind.config)
        if judge.critique and isinstance(read, BaseModel):
            turns = forms.critique_messages([Turn(**each) for each in question], told["text"])
            told["revision"] = await self._reply(task, f"{key}-critique", _chat(turns), told)
            revised = forms.read_revision(told["revision"])
            if isinstance(revised, list):
                read = revised
            else:
                told["critique"] = revised[0]
                told["first"] = _stored(plan.kind, read, order)
                read = plan.judgeable.judged_answer(revised[1], shown, plan.kind.config)
        if isinstance(read, list):
            told["problems"] = [{"path": each.path, "message": each.message} for each in read[:PROBLEMS_MAX]]
            raise _NoAnswer(_in_a_sentence(read))
        told["answer"] = _stored(plan.kind, read, order)
        return plan.kind.answer(told["answer"])

    def _join(self, said: "_Said") -> None:
        kind = self.plan.kind
        answer: BaseModel | None = said.answers[0]
        if len(said.answers) > 1 and isinstance(kind.kind, JudgedInOrders):
            answer, said.consistent = kind.kind.joined(said.answers[0], said.answers[1], kind.config)
        said.outcome = JudgmentOutcome.ANSWERED if answer is not None else JudgmentOutcome.UNDECIDED
        said.answer = to_json(answer) if answer is not None else None

    async def _reply(self, task: Task, key: str, messages: list[ChatMessage], told: dict[str, Any]) -> str:
        """What the model says, asked once for each key; `_NoReply` where no whole reply came."""
        there = await asking.in_transaction(
            self.runtime, lambda session: session.scalar(queries_judging.finished(task.id, key))
        )
        if there is None:
            begun = await self._begun(task, key, messages)
            ended = await asking.complete(self.runtime, begun)
            there = await asking.in_transaction(
                self.runtime, lambda session: session.get_one(Generation, ended.generation_id)
            )
        told["generations"].append(show_id("generation", there.id))
        if there.outcome is not Outcome.FINISHED:
            told["cut"] = there.text
            raise _NoReply(there.error or "The endpoint gave no whole reply.")
        return there.text

    async def _begun(self, task: Task, key: str, messages: list[ChatMessage]) -> Begun:
        patience = time.monotonic() + PATIENCE_SECONDS
        asker = Asker(Purpose.JUDGE, key, project_id=self.plan.project.id, task_id=task.id)
        begin = partial(self._begin, messages, asker)
        while True:
            try:
                return await asking.begin_when_free(begin)
            except EndpointBusy as busy:
                if time.monotonic() > patience:
                    raise _Ended(f"The endpoint was busy for {PATIENCE_SECONDS / 60:.0f} minutes.") from busy
                await asyncio.sleep(min(busy.retry_after_seconds, 30))
            except AppError as refusal:
                raise _Ended(refusal.message) from refusal

    def _begin(self, messages: list[ChatMessage], asker: Asker) -> Begun:
        with transaction(self.runtime.sessions) as session:
            now = self.runtime.clock.now()
            return generating.begin(session, self.plan.endpoint.id, messages, asker, now=now)

    async def _keep(self, task: Task, said: "_Said") -> None:
        now = self.runtime.clock.now()
        kept = await asking.in_transaction(self.runtime, lambda session: keep(session, self.plan, task.id, said, now))
        self.spent += kept
        failed = said.outcome is JudgmentOutcome.FAILED
        self.failures = self.failures + 1 if failed else 0
        if self.failures >= FAILURES_MAX:
            raise _Ended(f"The endpoint failed {FAILURES_MAX} times one after another: {said.error}")


class _NoReply(Exception):
    """The endpoint gave no whole reply."""


class _NoAnswer(Exception):
    """The reply holds no answer."""


@dataclass
class _Said:
    """What came of one task."""

    outcome: JudgmentOutcome = JudgmentOutcome.FAILED
    answer: dict[str, Any] | None = None
    answers: list[BaseModel] = field(default_factory=list)
    passes: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    consistent: bool | None = None


def keep(session: Session, plan: _Plan, task_id: UUID, said: _Said, now: datetime) -> Decimal:
    """Write a judgment, or in place of one that brought no answer; returns by how much its cost has grown.

    Tokens and cost are the sums of everything that this judge was ever asked about the task, as the endpoint counted.
    """
    judge = plan.judge
    asked = list(session.scalars(queries_judging.generations(task_id, f"judge-{judge.id.hex}-")))
    there = session.scalar(
        select(AiJudgment).where(AiJudgment.judge_id == judge.id, AiJudgment.task_id == task_id).with_for_update()
    )
    if there is None:
        there = AiJudgment(judge_id=judge.id, task_id=task_id, project_id=judge.project_id, created_at=now)
        there.cost, there.currency = Decimal(0), judge.currency
        session.add(there)
    before = there.cost
    there.outcome, there.answer, there.passes, there.error = said.outcome, said.answer, said.passes, said.error
    there.consistent, there.run, there.updated_at = said.consistent, judge.run, now
    there.model_version = next((each.model_version or each.model for each in reversed(asked)), None)
    there.input_tokens = sum(each.input_tokens for each in asked)
    there.output_tokens = sum(each.output_tokens for each in asked)
    there.tokens_estimated = any(each.tokens_estimated for each in asked)
    there.cost = sum((each.cost for each in asked), Decimal(0))
    there.currency = asked[-1].currency if asked else there.currency
    there.latency_ms = sum(each.latency_ms or 0 for each in asked)
    session.flush()
    events.record(
        session,
        SYSTEM,
        "work.ai_judged",
        "judgment",
        there.id,
        at=now,
        org_id=plan.project.org_id,
        project_id=judge.project_id,
        data={"judge": show_id("judge", judge.id), "outcome": said.outcome.value},
    )
    return there.cost - before


def _stored(kind: Working, answer: BaseModel, order: Sequence[str]) -> dict[str, Any]:
    try:
        return dict(to_json(kind.canonical(answer, order)))
    except UnknownLabel as error:
        raise _NoAnswer(str(error)) from error


def _in_a_sentence(problems: Sequence[Problem]) -> str:
    first = problems[0]
    return f"{first.path}: {first.message}" if first.path else first.message


def _chat(turns: Sequence[Turn]) -> list[ChatMessage]:
    return [{"role": turn["role"], "content": turn["content"]} for turn in turns]
