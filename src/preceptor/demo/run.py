"""The main job, run once in front of the user: import, judge, review, pay, release, train.

Everything people would do goes over the HTTP API of the running installation, as the person who would do it.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.demo import stage, summary
from preceptor.demo.http import Api, Refused
from preceptor.demo.material import Material
from preceptor.demo.replay import Stage, Tally, replay_votes, simulate_votes
from preceptor.demo.simulation import Simulation
from preceptor.demo.stage import Cast
from preceptor.demo.summary import Summary
from preceptor.demo.training import train_and_test
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money.models import PayoutBatchState
from preceptor.projects.models import Project, Task
from preceptor.projects.service.projects import open_project
from preceptor.tasktypes.base import task_type
from preceptor.work.models import Submission, SubmissionState
from preceptor.work.service import prove_work
from preceptor.work.service.quality import project_quality

POLL_SECONDS = 0.25
WAIT_SECONDS_MAX = 180.0
PAYOUT_MINIMUM = "0.01"

Bar = Callable[[str, int | None], Callable[[], None]]
"""Opens a progress bar (title, total) and returns what moves it on by one."""


class DemoFailed(Exception):
    """A step did not come to its end; the message names it."""


class Run:
    """One run of the main job. `bar` shows progress; `summary` fills as the stages end."""

    def __init__(self, runtime: Runtime, base: str, material: Material, simulation: Simulation | None, bar: Bar):
        self.runtime = runtime
        self.base = base
        self.material = material
        self.simulation = simulation
        self.bar = bar
        self.summary = Summary(source=material.source)
        self.tally = Tally()

    def run(self) -> Summary:
        started = time.monotonic()
        with self._stage("people"):
            cast, project_id = self._set_the_stage()
        with self._stage("import"):
            place = self._import(cast, project_id)
        with self._stage("judge"):
            self._judge(place)
        with self._stage("review"):
            self._review(cast, place, project_id)
        with self._stage("pay"):
            self._pay(cast)
        with self._stage("release"):
            release_id = self._release(cast, project_id)
        with self._stage("train"):
            train_and_test(
                self.runtime, cast, self.material, release_id, self.summary, self.base, self.bar, upload, build_release
            )
        with self._stage("measure"):
            self._measure(project_id)
        self.summary.seconds["total"] = round(time.monotonic() - started, 2)
        return self.summary

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.summary.seconds[name] = round(time.monotonic() - started, 2)

    # --- Stages

    def _set_the_stage(self) -> tuple[Cast, UUID]:
        now = self.runtime.clock.now
        wanted = len(self.material.votes) or len(self.material.tasks) * self.material.overlap
        budget = Money(stage.RATE_MINOR * (wanted + 500), "USD")
        with transaction(self.runtime.sessions) as session:
            cast = stage.make_cast(session, now=now())
            project_id = stage.make_project(session, cast, self.material, budget=budget, now=now()).id
        self.cast = cast
        return cast, project_id

    def _import(self, cast: Cast, project_id: UUID) -> Stage:
        project = show_id("project", project_id)
        client = Api(self.base, cast.keys["client"])
        import_file(client, project, "tasks.jsonl", self.material.tasks, self.bar)
        client.close()
        now = self.runtime.clock.now
        with transaction(self.runtime.sessions) as session:
            open_project(session, cast.actors["client"], project_id, now=now())
        done = self.bar("Accounts for the raters", len(self.material.raters))
        made = stage.make_raters(
            lambda: transaction(self.runtime.sessions), self.material.raters, project_id, done, now
        )
        with transaction(self.runtime.sessions) as session:
            ids = stage.task_ids(session, project_id)
        return Stage(self.base, project, made, ids)

    def _judge(self, place: Stage) -> None:
        if self.simulation is None:
            self.summary.expected_submissions = len(self.material.votes)
            done = self.bar("Recorded judgments, over HTTP", len(self.material.votes))
            replay_votes(place, self.material, self.tally, done)
            return
        wanted = len(self.material.tasks) * self.material.overlap
        self.summary.expected_submissions = wanted
        done = self.bar("Simulated judgments, over HTTP", wanted)
        simulate_votes(place, self.material, self.simulation, self.tally, done)

    def _review(self, cast: Cast, place: Stage, project_id: UUID) -> None:
        names = {task: external_id for external_id, task in place.task_ids.items()}
        done = self.bar("Review of sampled work", self._count(summary.to_review, project_id))
        reviewer = Api(self.base, cast.keys["reviewer"])
        while rejected := self._decide_all(reviewer, place.project, names, done):
            # A rejected judgment frees its place in the queue; somebody else takes it, and that may be drawn again.
            self.summary.expected_submissions += rejected
            assert self.simulation is not None, "recorded judgments are never rejected"
            again = self.bar("Rejected judgments are made anew", rejected)
            simulate_votes(place, self.material, self.simulation, self.tally, again)
        reviewer.close()
        self._wait("Approvals are posted", project_id)

    def _decide_all(self, reviewer: Api, project: str, names: dict[str, str], done: Callable[[], None]) -> int:
        rejected = 0
        while True:
            try:
                item = reviewer.post(f"/reviews/next?project_id={project}")
            except Refused as refusal:
                if refusal.code == "nothing_to_review":
                    return rejected
                raise
            body = self._decision(item, names[item["submission"]["task_id"]])
            rejected += body["decision"] == "reject"
            reviewer.post(f"/submissions/{item['submission']['id']}/review", body)
            done()

    def _decision(self, item: dict[str, Any], external_id: str) -> dict[str, Any]:
        """Recorded judgments are approved: they are people's honest opinions. Simulated ones are held to the key."""
        ranks = item["answer"].get("ranks", {})
        order = [ranks.get(response["id"], 99) for response in item["task"]["responses"]]
        if self.simulation is None or not self.simulation.is_wrong(external_id, order):
            return {"decision": "approve", "comment": "", "worked_seconds": 20}
        criterion = item["rubric"][0]["key"]
        comment = "The response put first contains an error that checking the last step would have shown."
        verdict = {"key": criterion, "verdict": "not_met", "comment": comment}
        return {"decision": "reject", "comment": comment, "criteria": [verdict], "worked_seconds": 40}

    def _pay(self, cast: Cast) -> None:
        done = self.bar("Payout to everybody", 3)
        operator = Api(self.base, cast.keys["operator"])
        batch = operator.post("/payout-batches", {"currency": "USD", "minimum": PAYOUT_MINIMUM})
        done()
        operator.post(f"/payout-batches/{batch['id']}/send")
        done()
        settled = operator.post(f"/payout-batches/{batch['id']}/settle")
        done()
        operator.close()
        if settled["state"] != PayoutBatchState.SETTLED:
            raise DemoFailed(f"the payout batch is {settled['state']}, not settled")

    def _release(self, cast: Cast, project_id: UUID) -> str:
        client = Api(self.base, cast.keys["client"])
        built = build_release(client, show_id("project", project_id), "First release", self.bar)
        client.close()
        self.summary.release_sha256, self.summary.release_pairs = built["sha256"], built["pairs"]
        release_id: str = built["id"]
        return release_id

    def _measure(self, project_id: UUID) -> None:
        with transaction(self.runtime.sessions) as session:
            for name, value in asdict(summary.count(session, project_id)).items():
                setattr(self.summary, name, value)
            self.summary.lost = summary.lost(session, self.tally.acknowledged)
            _, wrong = prove_work(session)
            self.summary.ledger_wrong = len(wrong)
            found = project_quality(session, project_id).agreement.alpha
            self.summary.alpha, self.summary.alpha_low, self.summary.alpha_high = found.value, found.low, found.high
            consensus = majorities(session, project_id)
        accuracy, compared = summary.consensus_accuracy(consensus, self.material.truth)
        self.summary.consensus_accuracy, self.summary.consensus_compared = accuracy, compared
        self.summary.consensus_note = self.material.truth_note

    # --- Waiting for the worker

    def _count(self, statement: Callable[[Session, UUID], int], project_id: UUID) -> int:
        with transaction(self.runtime.sessions) as session:
            return statement(session, project_id)

    def _wait(self, title: str, project_id: UUID) -> None:
        """Until the worker has decided about everything that nobody reviews."""
        before = self._count(summary.waiting, project_id)
        if not before:
            return
        done = self.bar(title, before)
        for _ in _ticks(title):
            left = self._count(summary.waiting, project_id)
            for _ in range(before - left):
                done()
            before = left
            if not left:
                return


def import_file(client: Api, project: str, name: str, rows: Any, bar: Bar) -> dict[str, Any]:
    """Upload rows as a JSON Lines file, as a client would, and wait until the worker has taken them in."""
    data = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    return upload(client, project, name, data, len(rows), bar)


def upload(client: Api, project: str, name: str, data: bytes, rows: int | None, bar: Bar) -> dict[str, Any]:
    done = bar(f"Import of {name}", rows)
    shown = 0
    answer = client.upload(f"/projects/{project}/imports?filename={name}", data)
    for _ in _ticks("the import"):
        found = client.get(f"/projects/{project}/imports/{answer['id']}")
        for _ in range(found["rows_read"] - shown):
            done()
        shown = max(shown, found["rows_read"])
        if found["state"] == "done":
            return found
        if found["state"] == "failed":
            raise DemoFailed(f"the import was refused: {found['problems'][:3]}")
    raise AssertionError("unreachable")


def build_release(client: Api, project: str, title: str, bar: Bar) -> dict[str, Any]:
    """Ask for a release and wait until it is built."""
    done = bar("Dataset release", None)
    answer = client.post(f"/projects/{project}/releases", {"title": title})
    for _ in _ticks("the release"):
        found = client.get(f"/releases/{answer['id']}")
        if found["state"] == "ready":
            done()
            return found
        if found["state"] == "failed":
            raise DemoFailed(f"the release failed: {found.get('failure')}")
    raise AssertionError("unreachable")


def majorities(session: Session, project_id: UUID) -> dict[str, int | None]:
    """Position of the response that most counted judgments prefer, for tasks of two; None where they are split."""
    kind = task_type(session.get_one(Project, project_id).task_type)
    counted = [SubmissionState.SUBMITTED, SubmissionState.APPROVED]
    rows = session.execute(
        select(Task.external_id, Task.payload, func.jsonb_agg(Submission.answer))
        .join(Submission, Submission.task_id == Task.id)
        .where(Task.project_id == project_id, Submission.state.in_(counted))
        .group_by(Task.id)
    )
    found: dict[str, int | None] = {}
    for external_id, payload, answers in rows:
        if len(payload["responses"]) != 2:
            continue
        parsed = kind.payload_model.model_validate(payload)
        consensus = kind.consensus(parsed, [kind.answer_model.model_validate(answer) for answer in answers])
        (unit,) = consensus.units.values()
        found[external_id] = {"r1": 0, "r2": 1}.get(unit.label or "")
    return found


def _ticks(what: str) -> Iterator[None]:
    """Until `WAIT_SECONDS_MAX` have passed; then it is said what did not end."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        yield
        time.sleep(POLL_SECONDS)
    raise DemoFailed(f"{what} did not end within {WAIT_SECONDS_MAX:.0f} s; `preceptor doctor` may say why")
