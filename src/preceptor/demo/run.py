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

from preceptor.demo import decisions, stage, summary
from preceptor.demo.decisions import Scene
from preceptor.demo.fits import fit_now, fitted_on_the_way
from preceptor.demo.http import Api
from preceptor.demo.material import Material
from preceptor.demo.measures import quality_of
from preceptor.demo.replay import Stage, Tally, replay_votes, simulate_votes
from preceptor.demo.reviewing import Desk, revise_returned
from preceptor.demo.simulation import OVERLAP_CAP, OVERLAP_FLOOR, Simulation
from preceptor.demo.stage import Cast
from preceptor.demo.summary import Summary
from preceptor.demo.training import train_and_test
from preceptor.demo.waiting import Bar, DemoFailed, ticks
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money.models import PayoutBatchState
from preceptor.projects.models import Project, Task
from preceptor.projects.service.projects import open_project
from preceptor.work.models import Submission, SubmissionState
from preceptor.work.service import prove_work
from preceptor.work.service.quality import project_quality

PAYOUT_MINIMUM = "0.01"
ROUNDS_MAX = 3


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
        self.colleague: list[str] = []
        """The key of the simulated second reviewer, if there is one."""

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
        # Adaptive overlap may ask up to its cap; what is left stays the client's.
        wanted = len(self.material.votes) or len(self.material.tasks) * OVERLAP_CAP
        budget = Money(stage.RATE_MINOR * (wanted + 500), "USD")
        with transaction(self.runtime.sessions) as session:
            cast = stage.make_cast(session, simulated=self.simulation is not None, now=now())
            project_id = stage.make_project(session, cast, self.material, budget=budget, now=now()).id
            if self.simulation is not None:
                self.colleague = [stage.make_second_reviewer(session, cast, project_id, now=now())]
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
        people, keys = stage.make_raters(
            lambda: transaction(self.runtime.sessions), self.material.raters, project_id, done, now, self._there(cast)
        )
        with transaction(self.runtime.sessions) as session:
            ids = stage.task_ids(session, project_id, self.runtime.settings.signing_key())
        return Stage(self.base, project, keys, ids, people)

    def _there(self, cast: Cast) -> dict[str, tuple[UUID, str]]:
        if self.simulation is None:
            return {}
        return {self.simulation.visitor(): (cast.people["contributor"], cast.keys["contributor"])}

    def _judge(self, place: Stage) -> None:
        client = Api(self.base, self.cast.keys["client"])
        if self.simulation is None:
            total = len(self.material.votes)
            done = self.bar("Recorded judgments, over HTTP", total)
            replay_votes(place, self.material, self.tally, fitted_on_the_way(client, place.project, total, done))
            self.summary.expected_submissions = total
        else:
            # How many it takes is what adaptive overlap finds out; the fits are placed by what is likely.
            likely = len(self.material.tasks) * (OVERLAP_FLOOR + 1)
            done = self.bar("Simulated judgments, over HTTP", likely)
            step = fitted_on_the_way(client, place.project, likely, done)
            simulate_votes(place, self.material, self.simulation, self.tally, step)
            self.summary.expected_submissions = len(self.tally.given)
        client.close()

    def _review(self, cast: Cast, place: Stage, project_id: UUID) -> None:
        desk = Desk(self.base, place, [cast.keys["reviewer"], *self.colleague], self.simulation)
        client = Api(self.base, cast.keys["client"])
        self._wait_for_sweep(project_id)
        fit_now(client, place.project, self.bar)
        self._review_waiting(desk, client, project_id)
        if self.simulation is not None:
            self._follow_up(cast, place, project_id, self.simulation)
            self._finish(desk, client, place, project_id, self.simulation)
        client.close()
        self._wait("Approvals are posted", project_id)

    def _review_waiting(self, desk: Desk, client: Api, project_id: UUID) -> None:
        desk.review_all(self.bar("Review of sampled work", self._count(summary.to_review, project_id)), client)

    def _follow_up(self, cast: Cast, place: Stage, project_id: UUID, simulation: Simulation) -> None:
        """What people do about evidence, decisions and known answers, each as themselves."""
        scene = Scene(self.base, place, simulation, cast.keys["client"], cast.keys["reviewer"])
        done = self.bar("Returns, receipts, appeals", None)
        revise_returned(self.base, place, simulation, self.tally, done)
        left_open = decisions.appeal_rejections(scene, done)
        decisions.decide_appeals(scene, left_open, done)
        self._wait_for_sweep(project_id)
        decisions.challenge_known_answers(scene, self.tally, done)
        weak = simulation.weak()
        if decisions.retrain_the_weak(scene, weak):
            decisions.practise(scene, weak, done)
        decisions.pause_the_careless(scene, simulation.careless())

    def _finish(self, desk: Desk, client: Api, place: Stage, project_id: UUID, simulation: Simulation) -> None:
        """Places that rejections, returns and better knowledge of people have opened again, until there are none."""
        for _ in range(ROUNDS_MAX):
            before = len(self.tally.given)
            again = self.bar("What was opened again is judged", None)
            simulate_votes(place, self.material, simulation, self.tally, again)
            self._review_waiting(desk, client, project_id)
            if desk.has_returned():
                revise_returned(self.base, place, simulation, self.tally, again)
                self._review_waiting(desk, client, project_id)
            self._wait_for_sweep(project_id)
            fit_now(client, place.project, self.bar)
            if len(self.tally.given) == before or not self._count(summary.asking, project_id):
                break
        self.summary.expected_submissions = len(self.tally.given)

    def _wait_for_sweep(self, project_id: UUID) -> None:
        """Until everything that nobody reviews is decided."""
        self._until("the sweep", lambda: not self._count(summary.undrawn, project_id))

    def _until(self, what: str, over: Callable[[], bool]) -> None:
        for _ in ticks(what):
            if over():
                return

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
            self.summary.lost = summary.lost(session, [given.submission_id for given in self.tally.given])
            _, wrong = prove_work(session)
            self.summary.ledger_wrong = len(wrong)
            found = project_quality(session, project_id).agreement.alpha
            self.summary.alpha, self.summary.alpha_low, self.summary.alpha_high = found.value, found.low, found.high
            consensus, posterior = majorities(session, project_id), summary.posteriors(session, project_id)
            self.summary.quality = quality_of(session, self.cast.actors["client"], project_id, self._planted())
        accuracy, compared = summary.consensus_accuracy(consensus, self._unknown())
        self.summary.consensus_accuracy, self.summary.consensus_compared = accuracy, compared
        self.summary.posterior_accuracy, _ = summary.consensus_accuracy(posterior, self._unknown())
        self.summary.consensus_note = self.material.truth_note

    def _unknown(self) -> dict[str, int]:
        """The truth about tasks whose answer the project did not know beforehand, under ids that were judged."""
        known = {str(task["external_id"]) for task in self.material.tasks if "gold" in task}
        return {task: better for task, better in self.material.truth.items() if task not in known}

    def _planted(self) -> list[str] | None:
        return None if self.simulation is None else self.simulation.planted()

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
        for _ in ticks(title):
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
    for _ in ticks("the import"):
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
    for _ in ticks("the release"):
        found = client.get(f"/releases/{answer['id']}")
        if found["state"] == "ready":
            done()
            return found
        if found["state"] == "failed":
            raise DemoFailed(f"the release failed: {found.get('failure')}")
    raise AssertionError("unreachable")


def majorities(session: Session, project_id: UUID) -> dict[str, int | None]:
    """Position of the response that most counted judgments prefer, for tasks of two; None where they are split."""
    kind = session.get_one(Project, project_id).kind
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
        parsed = kind.payload(payload)
        consensus = kind.consensus(parsed, [kind.answer(answer) for answer in answers])
        (unit,) = consensus.units.values()
        found[external_id] = {"r1": 0, "r2": 1}.get(unit.label or "")
    return found
