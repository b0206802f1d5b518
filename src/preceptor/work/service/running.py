"""Running a contributor's code: asked for in one transaction, run in none, written in another.

    request_run   counts the try, writes the row, defers the job        (a request's transaction)
    perform_run   reads the row, runs outside any transaction, writes   (a worker's job)
    with_run      puts the outcome into the answer that names the run   (at submit)

A run that a killed worker left is performed again by the job's retry: nothing was written meanwhile.
"""

import dataclasses
import hashlib
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from preceptor.kit import events, jobs
from preceptor.kit.clock import Clock
from preceptor.kit.db import Json, transaction
from preceptor.kit.errors import AppError, NotFound
from preceptor.kit.events import SYSTEM, Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.settings import Settings
from preceptor.people.service import limits as rates
from preceptor.projects.models import Project, Task
from preceptor.sandbox.isolation import required
from preceptor.sandbox.programs import MIB, Limits
from preceptor.sandbox.testing import Case, CaseResult, Compare, Outcome, run_tests
from preceptor.tasktypes import trying
from preceptor.tasktypes.base import UnknownLabel, problems_of, to_json
from preceptor.tasktypes.trying import RunsCode, Tally, Trial, TrialPlan, tallies_from
from preceptor.tasktypes.working import Working
from preceptor.work import access, rules
from preceptor.work.errors import ClaimEnded, Incomplete, LeaseOver
from preceptor.work.errors_running import NothingToRun, NotRunnable, RunUnderWay
from preceptor.work.models import Claim, ClaimState
from preceptor.work.models_running import RunState, SandboxRun

RUN_JOB = "work.run_code"
RATE_LENGTH = timedelta(minutes=10)
RETRY_SECONDS = 5
SHOWN_CHARACTERS_MAX = 10_000
"""Of each output of each test, as kept and shown."""
WORKABLE = frozenset({ClaimState.OPEN, ClaimState.RETURNED})


def runs_at_once(settings: Settings) -> int:
    """How many runs may go on at once: as set, else half of the processors, and at least one."""
    return settings.sandbox_runs_at_once or max(1, (os.cpu_count() or 1) // 2)


def request_run(
    session: Session, actor: Actor, claim_id: UUID, answer: dict[str, Any], settings: Settings, *, now: datetime
) -> SandboxRun:
    """Have the code of an answer (in shown names, complete or not) run against the task's tests.

    Refused by name: a claim that is no longer worked on, a kind that runs nothing, an answer without code, a second
    run while another one goes on (`RunUnderWay`), too many in a while (`Limited`).
    """
    claim = access.own_claim(session, actor, claim_id)
    if claim.state not in WORKABLE:
        raise LeaseOver if claim.state is ClaimState.EXPIRED else ClaimEnded
    if rules.lease_is_over(claim.leased_until, now):
        raise LeaseOver
    kind, code, payload = _material(session, claim)
    canonical = _read(kind, answer, claim.display_order)
    plan = _plan(kind, code, payload, canonical)
    assert actor.person_id is not None
    held = session.scalar(
        select(SandboxRun).where(SandboxRun.person_id == actor.person_id, SandboxRun.state == RunState.WAITING)
    )
    if held is not None:
        return _the_same(held, claim, plan)
    limit = rates.Limit("sandbox.person", settings.sandbox_runs_per_person, RATE_LENGTH)
    rates.count(session, limit, str(actor.person_id), now=now)
    stored = to_json(canonical)
    run = SandboxRun(
        claim_id=claim.id,
        project_id=claim.project_id,
        person_id=actor.person_id,
        answer=stored,
        answer_digest=hashlib.sha256(orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        files_digest=plan.digest,
        lane=_quietest_lane(session, runs_at_once(settings)),
        isolation=[],
        limits=dataclasses.asdict(limits_of(plan)),
        created_at=now,
    )
    _write(session, run)
    jobs.defer(session, RUN_JOB, lock=f"sandbox-{run.lane}", run_id=str(run.id))
    return run


def _the_same(held: SandboxRun, claim: Claim, plan: TrialPlan) -> SandboxRun:
    """The run that goes on already, for who asks for it again: a page was reloaded, or a button pressed twice."""
    if held.claim_id != claim.id or held.files_digest != plan.digest:
        raise RunUnderWay(retry_after_seconds=RETRY_SECONDS)
    return held


def _write(session: Session, run: SandboxRun) -> None:
    try:
        with session.begin_nested():
            session.add(run)
    except IntegrityError as error:
        raise RunUnderWay(retry_after_seconds=RETRY_SECONDS) from error


def _material(session: Session, claim: Claim) -> tuple[Working, RunsCode, BaseModel]:
    project = session.get_one(Project, claim.project_id)
    kind = project.kind
    if "run" not in kind.kind.services or not isinstance(kind.kind, RunsCode):
        raise NotRunnable
    stored = session.scalars(select(Task.payload).where(Task.id == claim.task_id)).one()
    return kind, kind.kind, kind.payload(stored)


def _read(kind: Working, answer: dict[str, Any], order: list[str]) -> BaseModel:
    try:
        return kind.canonical(kind.answer(answer), order)
    except ValidationError as error:
        listed = [{"path": each.path, "message": each.message} for each in problems_of(error)]
        raise Incomplete(listed[0]["message"], listed) from error
    except UnknownLabel as error:
        raise Incomplete(str(error)) from error


def _plan(kind: Working, code: RunsCode, payload: BaseModel, answer: BaseModel) -> TrialPlan:
    try:
        return code.plan(payload, answer, kind.config)
    except trying.NothingToRun as error:
        raise NothingToRun(str(error)) from error


def _quietest_lane(session: Session, lanes: int) -> int:
    """The lane with the fewest waiting runs, so that one person's many tests keep only one lane busy."""
    waiting = (
        select(SandboxRun.lane, func.count()).where(SandboxRun.state == RunState.WAITING).group_by(SandboxRun.lane)
    )
    busy = dict(session.execute(waiting).tuples().all())
    return min(range(lanes), key=lambda lane: busy.get(lane, 0))


def own_run(session: Session, actor: Actor, claim_id: UUID, run_id: UUID) -> SandboxRun:
    """A run of one's own claim; missing and somebody else's look the same."""
    claim = access.own_claim(session, actor, claim_id)
    run = session.get(SandboxRun, run_id)
    if run is None or run.claim_id != claim.id:
        raise NotFound("run")
    return run


# --- In the worker


def perform_run(sessions: sessionmaker[Session], run_id: UUID, clock: Clock) -> None:
    """Run what was asked for and write what came of it. A run that is done already is left as it is."""
    with transaction(sessions) as session:
        run = session.get(SandboxRun, run_id)
        if run is None or run.state is not RunState.WAITING:
            return
        kind, code, payload = _material(session, session.get_one(Claim, run.claim_id))
        plan = _plan(kind, code, payload, kind.answer(run.answer))
    state, isolation, result = _outcome(plan)
    with transaction(sessions) as session:
        _finish(session, run_id, state, isolation, result, clock.now())


def _outcome(plan: TrialPlan) -> tuple[RunState, list[str], Json]:
    try:
        isolation = required()
        subjects = {name: _subject(plan, files) for name, files in plan.subjects.items()}
    except AppError as refusal:
        return RunState.REFUSED, [], {"refused": refusal.message, "code": refusal.code}
    return RunState.DONE, list(isolation.layers), {"subjects": subjects}


def limits_of(plan: TrialPlan) -> Limits:
    """The plan's limits, with the rest as usual; computing may take all of the wall time."""
    return Limits(
        cpu_seconds=max(1, round(plan.seconds)), wall_seconds=plan.seconds * 2, memory_bytes=plan.memory_mib * MIB
    )


def _subject(plan: TrialPlan, files: Mapping[str, str]) -> Json:
    results = run_tests(plan.language, files, [_case(trial) for trial in plan.trials], limits_of(plan))
    told = [_told(result, trial) for result, trial in zip(results, plan.trials, strict=True)]
    return {"cases": told, "tally": dataclasses.asdict(_tally(told))}


def _case(trial: Trial) -> Case:
    return Case(trial.name, trial.argv, trial.stdin, trial.expected, Compare(trial.compare), trial.files)


def _told(result: CaseResult, trial: Trial) -> Json:
    return {
        "name": result.name,
        "hidden": trial.hidden,
        "outcome": result.outcome.value,
        "message": result.message,
        "stdout": result.stdout[:SHOWN_CHARACTERS_MAX].replace("\0", "\N{REPLACEMENT CHARACTER}"),
        "stderr": result.stderr[-SHOWN_CHARACTERS_MAX:].replace("\0", "\N{REPLACEMENT CHARACTER}"),
        "seconds": round(result.wall_seconds, 3),
    }


def _tally(told: list[Json]) -> Tally:
    passed = [each for each in told if each["outcome"] == Outcome.PASSED]
    return Tally(
        passed=sum(not each["hidden"] for each in passed),
        of=sum(not each["hidden"] for each in told),
        hidden_passed=sum(each["hidden"] for each in passed),
        hidden_of=sum(each["hidden"] for each in told),
    )


def _finish(session: Session, run_id: UUID, state: RunState, isolation: list[str], result: Json, now: datetime) -> None:
    run = session.get(SandboxRun, run_id, with_for_update=True)
    if run is None or run.state is not RunState.WAITING:
        return  # a second performance of the same run was quicker
    run.state, run.isolation, run.result, run.finished_at = state, isolation, result, now
    events.record(
        session,
        SYSTEM,
        "work.code_run",
        "run",
        run.id,
        at=now,
        project_id=run.project_id,
        person_id=run.person_id,
        data={"claim": str(run.claim_id), "state": state.value, "files": run.files_digest},
    )


# --- What is shown, and what counts


def shown_run(session: Session, run: SandboxRun) -> Json:
    """A run as its author may see it: subjects in shown names, and of hidden tests nothing at all."""
    told: Json = {"id": show_id("run", run.id), "state": run.state.value}
    if run.result is None or run.state is not RunState.DONE:
        return told | ({"refused": run.result["refused"]} if run.result else {})
    claim = session.get_one(Claim, run.claim_id)
    kind = session.get_one(Project, run.project_id).kind
    return told | {
        "isolation": run.isolation,
        "subjects": dict(
            sorted(
                (kind.shown_label(name, claim.display_order), _seen(subject))
                for name, subject in run.result["subjects"].items()
            )
        ),
    }


def _seen(subject: Json) -> Json:
    tally = tallies_from({"": subject["tally"]})[""]
    cases = [
        {name: value for name, value in case.items() if name != "hidden"}
        for case in subject["cases"]
        if not case["hidden"]
    ]
    return {"cases": cases, "passed": tally.passed, "of": tally.of}


def with_run(session: Session, kind: Working, payload: BaseModel, claim_id: UUID, answer: BaseModel) -> BaseModel:
    """The answer with what the installation knows of its run; `Incomplete` where a run is wanted and none fits.

    A run fits when it belongs to this claim and was of exactly this code. Where it was refused for want of a sandbox,
    the answer is taken without a count: that is not the contributor's fault.
    """
    code = kind.kind
    if "run" not in code.services or not isinstance(code, RunsCode):
        return answer
    named = code.run_of(answer)
    wanted = code.run_wanted(payload, answer, kind.config)
    if named is None:
        if wanted:
            raise _wanted("Run the tests on the code as it stands, then submit.")
        return code.with_tallies(answer, None)
    run = _run_named(session, claim_id, named)
    if run is None or run.files_digest != _plan(kind, code, payload, answer).digest:
        raise _wanted("The last run was of other code. Run the tests again, then submit.")
    if run.result is None:
        raise _wanted("The tests are still running. Submit when they are done.")
    tallies = {name: subject["tally"] for name, subject in run.result.get("subjects", {}).items()}
    return code.with_tallies(answer, tallies_from(tallies))


def _run_named(session: Session, claim_id: UUID, named: str) -> SandboxRun | None:
    try:
        run = session.get(SandboxRun, read_id("run", named))
    except NotFound:
        return None
    return run if run is not None and run.claim_id == claim_id else None


def _wanted(message: str) -> Incomplete:
    return Incomplete(message, [{"path": "run", "message": message}])
