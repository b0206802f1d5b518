"""The background fit: what it reads, what it finds, what it writes, and when it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from preceptor.projects.models import OverlapMode, Task, TaskGold
from preceptor.quality.evidence import e_process
from preceptor.quality.labels import Labels
from preceptor.quality.truth.dawid_skene import dawid_skene
from preceptor.work import jobs, rules_quality, service
from preceptor.work.models import Claim, Submission
from preceptor.work.models_quality import (
    AnswerState,
    Evidence,
    EvidenceKind,
    EvidenceState,
    PersonSkill,
    QualityFit,
    TaskQuality,
)
from preceptor.work.service import finding, fitting, forecast
from preceptor.work.service.judgments import read_judgments
from tests import factories
from tests.conftest import NOW
from tests.factories import User, World, join, make_world
from tests.work.adaptive import TIE, A, B, shown


@dataclass
class Crowd:
    """A project in which people have judged; the right answer of task n is A where n is even, else B."""

    runtime: Runtime
    session: Session
    world: World
    people: list[User]

    @property
    def project_id(self) -> UUID:
        return self.world.project.id

    def judge(self, user: User, number: int, better: str) -> Submission:
        task = self.world.tasks[number]
        claim = service.claim_task(self.session, user.actor, self.project_id, task.id, now=NOW).claim
        return service.submit(self.session, user.actor, claim.id, shown(claim.display_order, better), now=NOW)

    def judged(self, votes: Callable[[int, int, str], str], *, seconds: Callable[[int], int] = lambda _: 0) -> "Crowd":
        """Everybody judges every task, a minute apart: `votes` and `seconds` take person, task, and who was shown
        first. Written as the services write it, in three statements, since a fit wants many."""
        claims, submissions = [], []
        for number, task in enumerate(self.world.tasks):
            for place, user in enumerate(self.people):
                order = [A, B] if (number + place) % 3 else [B, A]
                at = NOW + timedelta(minutes=number)
                better = votes(place, number, order[0])
                ranks = {A: 1, B: 1} if better == TIE else {better: 1, (B if better == A else A): 2}
                ids = {"task_id": task.id, "project_id": self.project_id, "person_id": user.id, "created_at": at}
                claim = {"id": new_id(), "state": "submitted", "leased_until": at, "rate_minor": 42, **ids}
                claims.append({**claim, "currency": "USD", "money_part": 0, "display_order": order})
                answer = {"ranks": ranks, "strength": 2, "justification": "This one adds up, the other does not."}
                given = {"id": new_id(), "claim_id": claim["id"], "answer": answer, "worked_seconds": seconds(place)}
                submissions.append({**ids, **given, "review_wanted": False, "decide_at": at})
        self.session.execute(insert(Claim), claims)
        self.session.execute(insert(Submission), submissions)
        taken = len(self.people)
        of_project = update(Task).where(Task.project_id == self.project_id)
        self.session.execute(of_project.values(taken=taken, done=taken, wanted=taken))
        return self

    def task(self, task_id: UUID) -> Task:
        return next(task for task in self.world.tasks if task.id == task_id)

    def fit(self, **more: Any) -> QualityFit:
        self.session.flush()
        self.session.expire_all()
        found = fitting.fit_project(self.runtime, self.project_id, new_id(), **more)
        assert found is not None
        return found

    def skill(self, user: User) -> PersonSkill:
        return self.session.get_one(PersonSkill, (self.project_id, user.id), populate_existing=True)

    def quality(self, number: int) -> TaskQuality:
        return self.session.get_one(TaskQuality, self.world.tasks[number].id, populate_existing=True)

    def make_gold(self, number: int) -> None:
        best, other = (A, B) if number % 2 == 0 else (B, A)
        task_id = self.world.tasks[number].id
        self.session.add(TaskGold(task_id=task_id, project_id=self.project_id, answer={"ranks": {best: 1, other: 2}}))
        self.session.flush()


def right(number: int) -> str:
    return (A, B)[number % 2]


def wrong(number: int) -> str:
    return (B, A)[number % 2]


def make_crowd(runtime: Runtime, session: Session, *, tasks: int, people: int) -> Crowd:
    world = make_world(session, now=NOW, tasks=tasks, overlap=people)
    return Crowd(runtime, session, world, join(session, world, now=NOW, people=people))


@pytest.fixture
def crowd(runtime: Runtime, session: Session) -> Crowd:
    """Twelve tasks by four people who are right and one who is wrong each time."""
    made = make_crowd(runtime, session, tasks=12, people=5)
    return made.judged(lambda person, number, _: wrong(number) if person == 4 else right(number))


# --- What is read


def test_labels_become_places_and_only_what_counts_is_read(crowd: Crowd) -> None:
    rejected = crowd.session.scalars(select(Submission).where(Submission.task_id == crowd.world.tasks[0].id)).first()
    assert rejected is not None
    crowd.session.execute(update(Submission).where(Submission.id == rejected.id).values(state="lapsed", decided_at=NOW))
    crowd.make_gold(3)
    crowd.session.flush()
    found = read_judgments(crowd.runtime.sessions, crowd.project_id)
    number = [crowd.world.tasks.index(task) for task in map(crowd.task, found.tasks)]
    assert len(found) == 59
    assert found.labels.items == 12
    assert found.labels.classes == 3
    assert found.classes == [A, B, TIE]
    assert found.units[0] == (("r1|r2", (A, B, TIE)),)
    assert found.gold.tolist() == [1 if each == 3 else -1 for each in number]
    assert found.given.tolist() == [4 if each == 0 else 5 for each in number]
    by_item = [found.labels.label[found.labels.item == item] for item in range(12)]
    assert [int(np.bincount(labels, minlength=3).argmax()) for labels in by_item] == [each % 2 for each in number]


def test_places_are_where_each_person_saw_the_answers(crowd: Crowd) -> None:
    found = read_judgments(crowd.runtime.sessions, crowd.project_id)
    assert sorted({tuple(row) for row in found.places.tolist()}) == [(0, 1, 2), (1, 0, 2)]


# --- What is found


def test_a_fit_knows_the_answers_and_the_people(crowd: Crowd) -> None:
    fit = crowd.fit()
    assert (fit.labels, fit.tasks, fit.people, fit.classes) == (60, 12, 5, [A, B, TIE])
    assert fit.alpha is not None
    assert fit.cpu_seconds > 0
    assert fit.accuracy is None
    for number in range(12):
        units = crowd.quality(number).units["r1|r2"]
        assert max(units, key=units.__getitem__) == right(number)
    good, bad = crowd.skill(crowd.people[0]), crowd.skill(crowd.people[4])
    assert good.accuracy is not None
    assert bad.accuracy is not None
    assert good.accuracy > 0.7 > 0.4 > bad.accuracy
    assert good.low is not None
    assert good.low < good.accuracy
    assert np.sum(good.counts) == pytest.approx(12, abs=0.01)
    assert [one["label"] for one in good.by_class] == [A, B, TIE]
    assert good.drift[-1]["until"].startswith("2026-03-02T09:11")
    assert good.watch is not None
    assert good.watch["accuracy"]["n"] == 12


def test_gold_is_evidence_and_accuracy_comes_from_a_fit_that_did_not_see_it(crowd: Crowd) -> None:
    """Task 0 has a surprising key: the fit believes it, and the accuracy counts that people missed it."""
    best, other = B, A
    crowd.session.add(
        TaskGold(task_id=crowd.world.tasks[0].id, project_id=crowd.project_id, answer={"ranks": {best: 1, other: 2}})
    )
    crowd.make_gold(1)
    fit = crowd.fit(method="dawid-skene")
    assert (fit.accuracy, fit.majority_accuracy) == (0.5, 0.5)
    assert crowd.quality(0).units["r1|r2"][B] == 1.0
    assert fit.diagnostics["gold"] == 2


def test_gold_in_the_mix_is_left_out_of_agreement(runtime: Runtime, session: Session) -> None:
    made = make_crowd(runtime, session, tasks=12, people=4)
    made.judged(lambda person, number, _: (A, B)[person % 2] if number == 0 else right(number))
    everything = made.fit().alpha
    made.make_gold(0)
    session.execute(update(Task).where(Task.id == made.world.tasks[0].id).values(state="gold"))
    assert everything is not None
    assert everything < 1
    assert made.fit().alpha == pytest.approx(1)


def test_a_withdrawn_key_is_no_evidence(crowd: Crowd) -> None:
    crowd.make_gold(0)
    crowd.session.execute(update(TaskGold).values(retired_because="withdrawn"))
    assert crowd.fit(method="majority").diagnostics["gold"] == 0


def test_a_label_that_nobody_gives_is_no_answer_to_anything(runtime: Runtime, session: Session) -> None:
    """Left in, it would be taken for the truth of whatever people are split about."""
    crowd = make_crowd(runtime, session, tasks=60, people=5)
    draws = np.random.default_rng(2)
    slips = draws.random((60, 5)) < 0.2
    crowd.judged(lambda person, number, _: wrong(number) if slips[number, person] else right(number))
    fit = crowd.fit(method="dawid-skene")
    assert fit.prior[2] < 0.01
    assert sum(fit.prior) == pytest.approx(1)
    assert max(crowd.quality(number).units["r1|r2"][TIE] for number in range(60)) == 0
    ties = crowd.skill(crowd.people[0]).by_class[2]
    assert (ties["label"], ties["accuracy"]) == (TIE, None)
    assert ties["reason"]


def test_a_split_task_is_more_ambiguous_than_a_unanimous_one(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=10, people=6)
    crowd.judged(lambda person, number, _: wrong(number) if number == 4 and person % 2 else right(number))
    crowd.fit()
    split, clear = crowd.quality(4), crowd.quality(5)
    assert split.ambiguity is not None
    assert clear.ambiguity is not None
    assert split.ambiguity > clear.ambiguity
    assert split.difficulty is not None
    assert split.difficulty > (clear.difficulty or 0)
    assert split.confidence < clear.confidence


# --- Evidence


def test_somebody_who_is_wrong_each_time_is_found_and_told_in_words(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=30, people=5)
    bad = crowd.people[4]
    crowd.judged(lambda person, number, _: wrong(number) if person == 4 else right(number))
    fit = crowd.fit()
    (found,) = session.scalars(select(Evidence).where(Evidence.kind == EvidenceKind.ACCURACY)).all()
    assert found.person_id == bad.id
    assert found.log_e_max >= np.log(1 / found.false_alarms)
    assert "below the project's standard of 70%" in found.statement
    assert found.path[-1] == [30, pytest.approx(found.log_e, abs=1e-3)]
    created = found.created_at
    crowd.fit()
    assert len(session.scalars(select(Evidence).where(Evidence.kind == EvidenceKind.ACCURACY)).all()) == 1
    assert found.created_at == created
    assert fit.diagnostics["chosen_at"] == 150


def test_who_always_clicks_the_same_place_shows_a_habit(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=40, people=4)
    lazy = crowd.people[3]
    crowd.judged(lambda person, number, first: first if person == 3 else right(number))
    crowd.fit(method="dawid-skene")
    kinds = {row.kind: row for row in session.scalars(select(Evidence).where(Evidence.person_id == lazy.id))}
    assert "one place on the page" in kinds[EvidenceKind.HABIT].statement
    assert not session.scalars(select(Evidence).where(Evidence.person_id != lazy.id)).all()


def test_who_answers_in_no_time_shows_in_speed(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=40, people=6)
    crowd.judged(lambda _, number, __: right(number), seconds=lambda person: 2 if person == 5 else 60 + 3 * person)
    crowd.fit(method="majority")
    (found,) = session.scalars(select(Evidence)).all()
    assert (found.kind, found.person_id) == (EvidenceKind.SPEED, crowd.people[5].id)


def test_two_with_the_same_wrong_answers_show_in_copying(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=60, people=7)
    draws = np.random.default_rng(4)
    slips = draws.random((60, 7)) < 0.15
    slips[:, 5] = draws.random(60) < 0.4
    slips[:, 6] = slips[:, 5]
    crowd.judged(lambda person, number, _: wrong(number) if slips[number, person] else right(number))
    crowd.fit(method="dawid-skene")
    found = session.scalars(select(Evidence).where(Evidence.kind == EvidenceKind.COPYING)).all()
    pair = {crowd.people[5].id, crowd.people[6].id}
    assert [{row.person_id, row.other_person_id} for row in found] == [pair, pair]


@pytest.mark.parametrize(("classes", "own_kind"), [(2, False), (3, False), (3, True)])
def test_people_at_the_standard_rarely_look_below_it(classes: int, own_kind: bool) -> None:
    """The outcome of a judgment is held against the least that somebody at the standard would reach by what the others
    say, also where everybody has a kind of error of their own."""
    draws = np.random.default_rng(11)
    people, tasks, standard, alarms = 40, 300, 0.7, 0
    truth = draws.integers(0, classes, tasks)
    item, person = np.repeat(np.arange(tasks), 5), np.concatenate([draws.permutation(people)[:5] for _ in range(tasks)])
    slip = 1 + person % (classes - 1) if own_kind else draws.integers(1, classes, len(item))
    label = np.where(draws.random(len(item)) < standard, truth[item], (truth[item] + slip) % classes)
    labels = Labels.of(item, person, label, classes=classes)
    posterior = dawid_skene(labels).posterior
    for outcomes, expected in finding.against_standard(labels, posterior, standard):
        alarms += e_process(outcomes, expected, false_alarm_rate=finding.FALSE_ALARMS).reached
    assert alarms <= 2


def test_a_finding_that_was_put_aside_comes_back_when_it_has_grown(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=30, people=5)
    crowd.judged(lambda person, number, _: wrong(number) if person == 4 else right(number))
    crowd.fit()
    found = session.scalars(select(Evidence).where(Evidence.kind == EvidenceKind.ACCURACY)).one()
    found.state, now = EvidenceState.SEEN, found.log_e_max
    crowd.fit()
    assert (found.state, found.log_e_max) == (EvidenceState.SEEN, now)
    found.log_e_max = now - 1
    crowd.fit()
    assert (found.state, found.log_e_max) == (EvidenceState.SEEN, now - 1)
    found.log_e_max = now - fitting.STRONGER
    crowd.fit()
    assert (found.state, found.log_e_max) == (EvidenceState.OPEN, now)


def test_a_finding_says_that_its_rate_is_that_of_one_fit(runtime: Runtime, session: Session) -> None:
    crowd = make_crowd(runtime, session, tasks=30, people=5)
    crowd.judged(lambda person, number, _: wrong(number) if person == 4 else right(number))
    crowd.fit()
    found = session.scalars(select(Evidence).where(Evidence.kind == EvidenceKind.ACCURACY)).one()
    assert found.statement.endswith(
        "If it is true, the chance of ever seeing 100 to 1 or more is at most 0.01. " + finding.ANEW
    )


# --- What is written


def test_a_second_fit_replaces_and_the_first_stays_in_the_history(crowd: Crowd) -> None:
    first = crowd.fit(method="majority")
    second = crowd.fit(method="dawid-skene")
    assert {row.fit_id for row in crowd.session.scalars(select(PersonSkill))} == {second.id}
    page = fitting.list_fits(crowd.session, crowd.project_id, limit=1)
    assert [fit.id for fit in page.fits] == [second.id]
    assert page.next_before == second.id
    assert fitting.list_fits(crowd.session, crowd.project_id, before=second.id).fits[0].id == first.id


def test_a_fit_that_is_there_is_left_as_it_is(crowd: Crowd) -> None:
    first = crowd.fit(method="majority")
    again = fitting.fit_project(crowd.runtime, crowd.project_id, first.id, method="dawid-skene")
    assert again is not None
    assert again.method == "majority"


def test_somebody_whose_work_was_all_rejected_loses_the_old_skill(crowd: Crowd) -> None:
    crowd.fit(method="majority")
    bad = crowd.people[4]
    crowd.session.execute(update(Submission).where(Submission.person_id == bad.id).values(state="lapsed"))
    crowd.fit(method="majority")
    left = crowd.session.scalars(select(PersonSkill.person_id)).all()
    assert sorted(left) == sorted(user.id for user in crowd.people[:4])


def test_fixed_overlap_is_resolved_when_it_is_full(crowd: Crowd) -> None:
    crowd.session.execute(update(Task).where(Task.id == crowd.world.tasks[2].id).values(wanted=7))
    crowd.fit(method="majority")
    assert crowd.quality(2).state is AnswerState.ASKING
    assert crowd.quality(3).state is AnswerState.RESOLVED


def test_new_skills_stop_and_reopen_tasks_of_adaptive_overlap(crowd: Crowd) -> None:
    project = crowd.world.project
    project.overlap_mode, project.overlap_cap = OverlapMode.ADAPTIVE, 9
    crowd.session.flush()
    crowd.fit(method="dawid-skene")
    tasks = crowd.session.scalars(select(Task).execution_options(populate_existing=True)).all()
    assert all(task.wanted == task.taken == 5 for task in tasks)
    assert {crowd.quality(number).state for number in range(12)} == {AnswerState.RESOLVED}


# --- When it runs


@pytest.mark.parametrize(
    ("new", "before", "minutes", "due"),
    [
        (0, 100, 600, False),
        (1, 0, None, True),
        (49, 100, 2, False),
        (50, 100, 0.5, False),
        (50, 100, 2, True),
        (99, 2_000, 2, False),
        (100, 2_000, 2, True),
        (1, 2_000, 15, True),
    ],
)
def test_a_fit_is_due_by_new_judgments_and_by_time(new: int, before: int, minutes: float | None, due: bool) -> None:
    last = None if minutes is None else NOW - timedelta(minutes=minutes)
    assert rules_quality.fit_is_due(new, before, last, NOW) is due


def test_a_costly_fit_is_not_made_again_soon() -> None:
    assert not rules_quality.fit_is_due(500, 1_000, NOW - timedelta(minutes=20), NOW, cost=150)
    assert rules_quality.fit_is_due(500, 1_000, NOW - timedelta(minutes=26), NOW, cost=150)


def test_projects_are_due_when_something_was_judged_since(crowd: Crowd, clock: FixedClock) -> None:
    assert fitting.request_due_fits(crowd.session, now=clock.now()) == [crowd.project_id]
    crowd.fit(method="majority")
    assert fitting.request_due_fits(crowd.session, now=clock.now() + timedelta(hours=1)) == []
    crowd.world.tasks[0].wanted = 6
    late = join(crowd.session, crowd.world, now=NOW)[0]
    crowd.judge(late, 0, right(0))
    assert fitting.request_due_fits(crowd.session, now=clock.now() + timedelta(minutes=5)) == []
    assert fitting.request_due_fits(crowd.session, now=clock.now() + timedelta(hours=1)) == [crowd.project_id]


# --- Over HTTP


def path(crowd: Crowd, rest: str) -> str:
    return f"/api/v1/projects/{show_id('project', crowd.project_id)}/{rest}"


def test_a_client_asks_for_a_fit_and_reads_it(client: TestClient, crowd: Crowd) -> None:
    headers = crowd.world.client.headers
    assert client.get(path(crowd, "quality/fit"), headers=headers).status_code == 404
    started = client.post(path(crowd, "quality/fits"), headers=headers)
    assert started.status_code == 202
    asked = crowd.session.execute(text("SELECT task_name, args FROM procrastinate_jobs")).one()
    assert asked.task_name == fitting.FIT_JOB
    jobs.fit_quality(crowd.runtime, **asked.args)
    latest = client.get(path(crowd, "quality/fit?limit=2"), headers=headers).json()
    assert latest["id"] == started.json()["id"]
    assert (latest["tasks"], latest["workers"], latest["labels"]) == (12, 5, 60)
    assert latest["alpha"]["value"] is not None
    assert latest["cpu_seconds"] > 0
    assert {"method", "accuracy", "ece", "majority_accuracy"} <= latest.keys()
    assert len(latest["posteriors"]["items"]) == len(latest["skills"]["items"]) == 2
    cursor = latest["posteriors"]["next_cursor"]
    more = client.get(path(crowd, f"quality/fit?limit=200&cursor={cursor}&skills_after=2"), headers=headers).json()
    assert len(more["posteriors"]["items"]) == 10
    assert (len(more["skills"]["items"]), more["skills"]["next_after"]) == (3, None)
    history = client.get(path(crowd, "quality/fits"), headers=headers).json()
    assert [fit["id"] for fit in history["items"]] == [latest["id"]]


def test_skills_are_shown_by_pseudonym(client: TestClient, crowd: Crowd) -> None:
    crowd.fit(method="majority")
    said = client.get(path(crowd, "quality/fit"), headers=crowd.world.client.headers).text
    assert not any(user.id.hex in said or str(user.id) in said for user in crowd.people)


def test_known_answers_are_among_the_posteriors_of_managers_only(client: TestClient, crowd: Crowd) -> None:
    crowd.make_gold(3)
    crowd.fit(method="majority")
    viewer = factories.make_user(crowd.session, now=NOW)
    org_id = crowd.world.organization.id
    add_member(crowd.session, SYSTEM, org_id=org_id, person_id=viewer.id, role=OrgRole.VIEWER, now=NOW)
    crowd.session.flush()
    known = show_id("task", crowd.world.tasks[3].id)
    seen = {
        user.id: [
            task["task_id"]
            for task in client.get(path(crowd, "quality/fit"), headers=user.headers).json()["posteriors"]["items"]
        ]
        for user in (crowd.world.client, viewer)
    }
    assert (len(seen[crowd.world.client.id]), known in seen[crowd.world.client.id]) == (12, True)
    assert (len(seen[viewer.id]), known in seen[viewer.id]) == (11, False)
    crowd.session.execute(update(TaskQuality).values(ambiguity=0.9))
    listed = {
        user.id: client.get(path(crowd, "quality/findings"), headers=user.headers).text
        for user in (crowd.world.client, viewer)
    }
    assert (known in listed[crowd.world.client.id], known in listed[viewer.id]) == (True, False)


def test_nothing_can_be_fitted_before_anything_was_judged(
    client: TestClient, runtime: Runtime, session: Session
) -> None:
    empty = make_crowd(runtime, session, tasks=1, people=1)
    refused = client.post(path(empty, "quality/fits"), headers=empty.world.client.headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "nothing_to_fit")


@pytest.mark.parametrize("rest", ["quality/fit", "quality/fits", "forecast", "quality/errors", "quality/reviewers"])
def test_strangers_and_contributors_read_none_of_it(client: TestClient, crowd: Crowd, rest: str) -> None:
    crowd.fit(method="majority")
    _, stranger = factories.make_client(crowd.session, now=NOW)
    assert client.get(path(crowd, rest), headers=crowd.world.client.headers).status_code == 200
    assert client.get(path(crowd, rest), headers=stranger.headers).status_code == 404
    assert client.get(path(crowd, rest), headers=crowd.people[0].headers).status_code == 404


# --- Forecast


def test_what_fixed_overlap_still_needs_is_known(client: TestClient, crowd: Crowd) -> None:
    crowd.session.execute(update(Task).where(Task.id == crowd.world.tasks[2].id).values(wanted=8))
    found = client.get(path(crowd, "forecast"), headers=crowd.world.client.headers).json()
    assert (found["judgments"]["value"], found["judgments"]["low"], found["judgments"]["high"]) == (3, 3, 3)
    assert found["money"] == {"amount": "1.26", "currency": "USD"}
    assert (found["untouched"], found["under_way"], found["settled"]) == (0, 1, 11)
    assert (found["per_task"]["value"], found["fixed"], found["saved"]["value"]) == (5, 5, 0)


def test_adaptive_overlap_forecasts_between_floor_and_cap(client: TestClient, crowd: Crowd) -> None:
    project = crowd.world.project
    project.overlap_mode, project.overlap_cap = OverlapMode.ADAPTIVE, 9
    crowd.session.add_all(
        Task(
            project_id=project.id,
            external_id=f"new-{number}",
            payload=factories.pair_payload(number),
            position=100 + number,
            wanted=3,
            created_at=NOW,
        )
        for number in range(30)
    )
    crowd.session.flush()
    crowd.fit(method="dawid-skene")
    found = client.get(path(crowd, "forecast"), headers=crowd.world.client.headers).json()
    assert 90 <= found["judgments"]["low"] <= found["judgments"]["value"] <= found["judgments"]["high"] <= 270
    assert (found["untouched"], found["settled"], found["escalated"]) == (30, 12, 0)
    assert found["fixed"] == 9
    assert found["saved"]["value"] == pytest.approx(1 - 5 / 9)


def test_rejections_are_asked_again_and_so_forecast(crowd: Crowd) -> None:
    crowd.session.execute(update(Task).where(Task.id == crowd.world.tasks[2].id).values(wanted=15))
    before = forecast.forecast(crowd.session, crowd.project_id).judgments
    crowd.session.execute(update(Submission).values(state="approved", decided_at=NOW))
    after = forecast.forecast(crowd.session, crowd.project_id).judgments
    assert (before.value, before.high) == (10, 10)
    # Nothing was rejected of 60: surely few will be, and how few is in the interval.
    assert after.value == pytest.approx(10)
    assert after.high is not None
    assert 10 < after.high < 11
