"""Runs of code: asked for, performed, shown without what is hidden, and verified when the answer comes."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import Limited
from preceptor.kit.events import Event
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.kit.settings import Settings
from preceptor.projects.models import Task, TaskGold, TaskState
from preceptor.sandbox.errors import SandboxUnavailable
from preceptor.tasktypes.base import to_json
from preceptor.tasktypes.code.models import CodeConfig
from preceptor.work import jobs, service
from preceptor.work.errors import Incomplete, LeaseOver
from preceptor.work.errors_running import NothingToRun, NotRunnable, RunUnderWay
from preceptor.work.models import Claim
from preceptor.work.models_quality import GoldResult
from preceptor.work.models_running import RunState, SandboxRun
from preceptor.work.service import gold, running
from tests.factories import User, World, join, make_world

RIGHT = {"files": {"main.py": "print(sum(map(int, input().split())))\n"}}
WRONG = {"files": {"main.py": "print(3)\n"}}
WHY = "It reads both numbers and adds them up."


def sums() -> dict[str, Any]:
    return {
        "problem": "Print the sum of two numbers.",
        "tests": [
            {"name": "seen", "stdin": "1 2", "expected": "3"},
            {"name": "secret", "stdin": "20 22", "expected": "42", "hidden": True},
        ],
    }


@dataclass
class Bench:
    """A project of code tasks, and somebody who has one open."""

    session: Session
    runtime: Runtime
    world: World
    worker: User
    claim: Claim

    def ask(self, answer: dict[str, Any]) -> SandboxRun:
        now = self.runtime.clock.now()
        return running.request_run(
            self.session, self.worker.actor, self.claim.id, answer, self.runtime.settings, now=now
        )

    def run(self, answer: dict[str, Any]) -> SandboxRun:
        run = self.ask(answer)
        self.session.commit()
        jobs.run_code(self.runtime, str(run.id))
        self.session.expire_all()
        return self.session.get_one(SandboxRun, run.id)

    def submit(self, answer: dict[str, Any], run: SandboxRun | None) -> Any:
        given = {**answer, "explanation": WHY, "run": show_id("run", run.id) if run else None}
        return service.submit(self.session, self.worker.actor, self.claim.id, given, now=self.runtime.clock.now())


@pytest.fixture
def make_bench(runtime: Runtime, clock: FixedClock) -> Callable[..., Bench]:
    def make(session: Session, payload: dict[str, Any] | None = None, **config: Any) -> Bench:
        world = make_world(session, now=clock.now(), tasks=3)
        world.project.task_type, world.project.config = "code", to_json(CodeConfig.model_validate(config))
        for task in world.tasks:
            task.payload = payload or sums()
        [worker] = join(session, world, now=clock.now())
        session.flush()
        claim = service.claim_next(session, worker.actor, world.project.id, now=clock.now()).claim
        return Bench(session, runtime, world, worker, claim)

    return make


@pytest.fixture
def bench(runtime: Runtime, make_bench: Callable[..., Bench]) -> Any:
    with runtime.sessions() as session:
        yield make_bench(session)


def test_what_is_shown_of_a_run_holds_nothing_of_hidden_tests(bench: Bench) -> None:
    run = bench.run(WRONG)
    assert run.state is RunState.DONE
    shown = running.shown_run(bench.session, run)
    assert [case["outcome"] for case in shown["subjects"]["solution"]["cases"]] == ["passed"]
    assert (shown["subjects"]["solution"]["passed"], shown["subjects"]["solution"]["of"]) == (1, 1)
    assert "secret" not in str(shown)
    assert "hidden" not in str(shown)


def test_the_task_on_the_desk_holds_no_hidden_test(bench: Bench) -> None:
    shown: dict[str, Any] = dict(service.open_work(bench.session, bench.claim).shown)
    assert [test["name"] for test in shown["tests"]] == ["seen"]
    assert shown["hidden_tests"] == 1
    assert "42" not in str(shown)


def test_a_run_is_kept_with_its_isolation_limits_and_event(bench: Bench) -> None:
    run = bench.run(RIGHT)
    assert run.limits["wall_seconds"] == 20.0
    assert any("network" in layer for layer in run.isolation)
    assert run.result is not None
    assert run.result["subjects"]["solution"]["tally"] == {"passed": 1, "of": 1, "hidden_passed": 1, "hidden_of": 1}
    event = bench.session.scalars(select(Event).where(Event.kind == "work.code_run")).one()
    assert event.subject_id == run.id


def test_submitting_keeps_the_installations_own_count(bench: Bench) -> None:
    """Whatever the answer says of itself."""
    run = bench.run(WRONG)
    boast = {**WRONG, "tested": {"solution": {"passed": 9, "of": 9, "hidden_passed": 9, "hidden_of": 9}}}
    submission = bench.submit(boast, run)
    assert submission.answer["tested"] == {"solution": {"passed": 1, "of": 1, "hidden_passed": 0, "hidden_of": 1}}
    assert bench.submit(boast, run).id == submission.id


def test_code_that_was_not_run_is_not_taken(bench: Bench) -> None:
    with pytest.raises(Incomplete, match="Run the tests on the code as it stands"):
        bench.submit(RIGHT, None)


def test_a_run_of_other_code_does_not_count(bench: Bench) -> None:
    run = bench.run(WRONG)
    with pytest.raises(Incomplete, match="The last run was of other code"):
        bench.submit(RIGHT, run)


def test_a_run_of_another_claim_does_not_count(bench: Bench, runtime: Runtime, clock: FixedClock) -> None:
    """Nobody passes on a run of theirs."""
    run = bench.run(RIGHT)
    [other] = join(bench.session, bench.world, now=clock.now())
    claim = service.claim_next(bench.session, other.actor, bench.world.project.id, now=clock.now()).claim
    theirs = Bench(bench.session, runtime, bench.world, other, claim)
    with pytest.raises(Incomplete, match="The last run was of other code"):
        theirs.submit(RIGHT, run)


def test_a_run_that_goes_on_is_not_a_result(bench: Bench) -> None:
    run = bench.ask(RIGHT)
    with pytest.raises(Incomplete, match="still running"):
        bench.submit(RIGHT, run)


def test_one_run_at_a_time_and_the_same_is_the_same(bench: Bench) -> None:
    run = bench.ask(RIGHT)
    assert bench.ask(RIGHT).id == run.id
    with pytest.raises(RunUnderWay):
        bench.ask(WRONG)


def test_runs_are_limited_per_person(bench: Bench) -> None:
    bench.runtime = Runtime(
        Settings.model_validate({**bench.runtime.settings.model_dump(), "sandbox_runs_per_person": 2}),
        bench.runtime.engine,
        bench.runtime.sessions,
        bench.runtime.storage,
        bench.runtime.clock,
    )
    bench.run(RIGHT)
    bench.run(WRONG)
    with pytest.raises(Limited):
        bench.ask(RIGHT)


def test_a_job_that_runs_twice_changes_nothing(bench: Bench) -> None:
    run = bench.run(RIGHT)
    finished, result = run.finished_at, run.result
    jobs.run_code(bench.runtime, str(run.id))
    bench.session.expire_all()
    again = bench.session.get_one(SandboxRun, run.id)
    assert (again.finished_at, again.result) == (finished, result)


def test_where_nothing_isolates_the_answer_is_taken_without_a_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The contributor is told, and does not pay for what the installation lacks."""

    def none() -> None:
        raise SandboxUnavailable("Code is not run here. Missing: user namespaces.")

    monkeypatch.setattr(running, "required", none)
    run = bench.run(RIGHT)
    assert run.state is RunState.REFUSED
    assert "user namespaces" in running.shown_run(bench.session, run)["refused"]
    assert bench.submit(RIGHT, run).answer.get("tested", {}) == {}


def test_a_language_that_is_missing_is_told_by_name(runtime: Runtime, make_bench: Callable[..., Bench]) -> None:
    with runtime.sessions() as session:
        bench = make_bench(session, {**sums(), "language": "cobol", "entry": "main.cob"})
        run = bench.run({"files": {"main.cob": "x"}})
        assert "'cobol' cannot be run here" in running.shown_run(session, run)["refused"]


def test_nothing_is_run_without_code_or_tests(runtime: Runtime, make_bench: Callable[..., Bench]) -> None:
    with runtime.sessions() as session:
        bench = make_bench(session, {"problem": "Write anything."}, run_required=False)
        with pytest.raises(NothingToRun, match="no tests"):
            bench.ask(RIGHT)
    with runtime.sessions() as session, pytest.raises(NothingToRun, match="no code"):
        make_bench(session).ask({})


def test_other_kinds_of_work_run_nothing(runtime: Runtime, clock: FixedClock) -> None:
    with runtime.sessions() as session:
        world = make_world(session, now=clock.now())
        [worker] = join(session, world, now=clock.now())
        claim = service.claim_next(session, worker.actor, world.project.id, now=clock.now()).claim
        with pytest.raises(NotRunnable):
            running.request_run(session, worker.actor, claim.id, RIGHT, runtime.settings, now=clock.now())


def test_an_ended_claim_runs_nothing(bench: Bench, clock: FixedClock) -> None:
    bench.claim.leased_until = clock.now() - timedelta(hours=1)
    with pytest.raises(LeaseOver):
        bench.ask(RIGHT)


def test_patches_are_run_each_by_its_shown_name(runtime: Runtime, make_bench: Callable[..., Bench]) -> None:
    patch = "--- a/main.py\n+++ b/main.py\n@@ -1 +1 @@\n-print(0)\n+print({})\n"
    payload = {
        **sums(),
        "files": {"main.py": "print(0)\n"},
        "patches": [
            {"id": "good", "diff": patch.format("sum(map(int, input().split()))")},
            {"id": "bad", "diff": patch.format("3")},
        ],
    }
    with runtime.sessions() as session:
        bench = make_bench(session, payload, mode="compare", ask_cause=False)
        run = bench.run({})
        assert run.result is not None
        passed = {name: subject["tally"]["hidden_passed"] for name, subject in run.result["subjects"].items()}
        assert passed == {"good": 1, "bad": 0}
        assert set(running.shown_run(session, run)["subjects"]) == {"A", "B"}
        letters = dict(zip(bench.claim.display_order, "AB", strict=True))
        answer = {"preferred": letters["good"], "strength": 3}
        stored = bench.submit(answer, run).answer
        assert stored["preferred"] == "good"
        assert stored["tested"]["bad"]["hidden_passed"] == 0


def test_hidden_tests_are_the_score_of_a_gold_task(bench: Bench, clock: FixedClock) -> None:
    task = bench.session.get_one(Task, bench.claim.task_id)
    task.state = TaskState.GOLD
    bench.session.add(TaskGold(task_id=task.id, project_id=task.project_id, answer=RIGHT))
    bench.submit(WRONG, bench.run(WRONG))
    bench.session.commit()
    gold.score_waiting(bench.session, now=clock.now())
    assert bench.session.scalars(select(GoldResult.score)).one() == 0.0


def test_no_transaction_is_open_while_code_runs(
    open_runtime: Callable[..., Runtime], make_bench: Callable[..., Bench], clock: FixedClock
) -> None:
    """Seen from the database: while the program sleeps, no connection of ours is in a transaction."""
    runtime = open_runtime()
    with runtime.sessions.begin() as session:
        bench = make_bench(session)
        bench.runtime = replace(runtime, clock=clock)
        run_id = bench.ask({"files": {"main.py": "import time\ntime.sleep(2)\n"}}).id
    open_ones: list[int] = []
    done = threading.Event()

    def watch() -> None:
        with runtime.engine.connect() as connection:
            while not done.wait(0.2):
                states = text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
                )
                open_ones.append(connection.execute(states).scalar_one())
                connection.rollback()

    watcher = threading.Thread(target=watch)
    watcher.start()
    jobs.run_code(runtime, str(run_id))
    done.set()
    watcher.join()
    assert open_ones.count(0) >= 5
    assert max(open_ones, default=0) <= 1


def test_over_the_api_a_run_is_asked_for_and_told(bench: Bench, client: TestClient) -> None:
    bench.session.commit()
    claim = f"/api/v1/claims/{show_id('claim', bench.claim.id)}"
    started = client.post(f"{claim}/run", json={"answer": RIGHT}, headers=bench.worker.headers)
    assert (started.status_code, started.json()["state"]) == (202, "waiting")
    jobs.run_code(bench.runtime, str(read_id("run", started.json()["id"])))
    told = client.get(f"{claim}/runs/{started.json()['id']}", headers=bench.worker.headers).json()
    assert told["state"] == "done"
    assert told["subjects"]["solution"]["cases"][0]["outcome"] == "passed"
    stranger = client.get(f"{claim}/runs/{started.json()['id']}", headers=bench.world.client.headers)
    assert stranger.status_code == 404
