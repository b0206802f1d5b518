"""Reviewers measured: gold reviews and blind double reviews, which look like any other."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.fairness.models import Appeal, AppealState, DecisionReceipt
from preceptor.kit.events import Event
from preceptor.kit.ids import read_id, show_id
from preceptor.money.models import Posting
from preceptor.projects.models import ProjectReviewer
from preceptor.work import service
from preceptor.work.models import Decision, Review, Submission, SubmissionState
from preceptor.work.models_quality import CheckKind, GoldReview, ReviewCheck
from preceptor.work.service import appeals, review_checks, review_overview
from tests.conftest import NOW
from tests.factories import PREFER_A, User, World, join, make_user, make_world

REASON = "The sum is wrong, and the reason does not mention it at all."
NOT_MET = [{"key": "right", "verdict": "not_met", "comment": "It is not right."}]


@dataclass
class Desk:
    """A reviewed project, and two reviewers at its queue."""

    client: TestClient
    session: Session
    world: World
    second: User

    @property
    def first(self) -> User:
        return self.world.reviewer

    @property
    def project(self) -> str:
        return f"/api/v1/projects/{show_id('project', self.world.project.id)}"

    def settings(self, **values: int) -> None:
        for name, value in values.items():
            setattr(self.world.project, name, value)
        self.session.flush()

    def submit(self, number: int = 1) -> list[UUID]:
        """So many people answer one task each."""
        given = []
        for user in join(self.session, self.world, now=NOW, people=number):
            claim = service.claim_next(self.session, user.actor, self.world.project.id, now=NOW).claim
            given.append(service.submit(self.session, user.actor, claim.id, PREFER_A, now=NOW).id)
        return given

    def next(self, reviewer: User) -> dict[str, Any]:
        answer = self.client.post("/api/v1/reviews/next", headers=reviewer.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def decide(self, reviewer: User, submission: str, decision: str) -> Any:
        body: dict[str, Any] = {"decision": decision, "worked_seconds": 7}
        if decision != "approve":
            body |= {"comment": REASON, "criteria": NOT_MET}
        return self.client.post(f"/api/v1/submissions/{submission}/review", headers=reviewer.headers, json=body)

    def make_gold(self, submission_id: UUID, decision: str) -> Any:
        body = {"submission_id": show_id("submission", submission_id), "decision": decision, "explanation": REASON}
        return self.client.post(f"{self.project}/quality/gold-reviews", headers=self.world.client.headers, json=body)

    def checks(self) -> list[ReviewCheck]:
        return list(self.session.scalars(select(ReviewCheck).execution_options(populate_existing=True)))


@pytest.fixture
def desk(client: TestClient, session: Session) -> Desk:
    world = make_world(session, now=NOW, tasks=8, overlap=4, review_percent=100)
    second = make_user(session, now=NOW, is_reviewer=True)
    session.add(ProjectReviewer(project_id=world.project.id, person_id=second.id, created_at=NOW))
    session.flush()
    return Desk(client, session, world, second)


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smallest of all draws: whatever can be drawn is drawn."""

    class Least(random.Random):
        def random(self) -> float:
            return 0.0

    monkeypatch.setattr(review_checks, "_DRAWS", Least())


def decided_twice(desk: Desk, first: str = "approve") -> tuple[UUID, dict[str, Any]]:
    """The first reviewer decides a submission; the second is served it as a check while another one waits."""
    desk.settings(double_percent=100)
    decided, _ = desk.submit(2)
    assert desk.decide(desk.first, show_id("submission", decided), first).status_code == 201
    return decided, desk.next(desk.second)


@pytest.mark.usefixtures("always")
def test_a_double_review_looks_like_a_real_one(desk: Desk) -> None:
    decided, served = decided_twice(desk)
    assert served["submission"]["id"] == show_id("submission", decided)
    desk.settings(double_percent=0)
    (real,) = desk.session.scalars(select(Submission.id).where(Submission.state == SubmissionState.SUBMITTED)).all()
    opened = desk.next(desk.first)
    assert opened["submission"]["id"] == show_id("submission", real)
    assert served["submission"]["state"] == opened["submission"]["state"] == "submitted"
    assert served["submission"]["decided_at"] is None
    assert served["submission"]["review"] is None
    assert served.keys() == opened.keys()
    assert served["submission"].keys() == opened["submission"].keys()


@pytest.mark.usefixtures("always")
def test_a_check_changes_neither_work_nor_pay_and_leaves_no_event(desk: Desk) -> None:
    decided, served = decided_twice(desk)
    before = [desk.session.scalar(select(func.count()).select_from(each)) for each in (Event, Posting, Review)]
    answer = desk.decide(desk.second, served["submission"]["id"], "reject")
    assert answer.status_code == 201
    assert answer.json()["decision"] == "reject"
    after = [desk.session.scalar(select(func.count()).select_from(each)) for each in (Event, Posting, Review)]
    assert before == after
    work = desk.session.get_one(Submission, decided, populate_existing=True)
    assert work.state is SubmissionState.APPROVED
    (check,) = desk.checks()
    assert (check.kind, check.known, check.decision, check.reviewer_id) == (
        CheckKind.DOUBLE,
        "approve",
        Decision.REJECT,
        desk.second.id,
    )
    assert (check.comment, check.worked_seconds) == (REASON, 7)


@pytest.mark.usefixtures("always")
def test_a_check_asks_for_reasons_like_any_review_and_counts_once(desk: Desk) -> None:
    _, served = decided_twice(desk)
    submission = served["submission"]["id"]
    bare = desk.client.post(
        f"/api/v1/submissions/{submission}/review", headers=desk.second.headers, json={"decision": "reject"}
    )
    assert (bare.status_code, bare.json()["code"]) == (422, "reason_needed")
    first, again = (desk.decide(desk.second, submission, "reject") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    other = desk.decide(desk.second, submission, "approve")
    assert (other.status_code, other.json()["code"]) == (409, "already_decided")


@pytest.mark.usefixtures("always")
def test_the_first_reviewer_never_gets_their_own_decision_back(desk: Desk) -> None:
    desk.settings(double_percent=100)
    decided, waiting = desk.submit(2)
    desk.decide(desk.first, show_id("submission", decided), "approve")
    assert desk.next(desk.first)["submission"]["id"] == show_id("submission", waiting)


@pytest.mark.usefixtures("always")
def test_a_check_comes_only_while_real_work_waits(desk: Desk) -> None:
    desk.settings(double_percent=100)
    (decided,) = desk.submit(1)
    desk.decide(desk.first, show_id("submission", decided), "approve")
    assert len(desk.checks()) == 1
    empty = desk.client.post("/api/v1/reviews/next", headers=desk.second.headers)
    assert (empty.status_code, empty.json()["code"]) == (404, "nothing_to_review")


@pytest.mark.usefixtures("always")
def test_leaving_and_coming_back_finds_the_same_check(desk: Desk) -> None:
    _, served = decided_twice(desk)
    assert desk.next(desk.second)["submission"]["id"] == served["submission"]["id"]


@pytest.mark.usefixtures("always")
def test_the_page_shows_a_check_undecided_and_takes_it_by_the_same_form(desk: Desk) -> None:
    decided, _ = decided_twice(desk, "reject")
    sheet = review_overview.review_sheet(desk.session, desk.second.actor, decided)
    assert sheet.submission.state is SubmissionState.SUBMITTED
    assert sheet.review is None
    assert review_overview.other_judgments(desk.session, sheet) == []
    opened = review_overview.open_review(desk.session, desk.second.actor, now=NOW)
    assert opened is not None
    assert opened.id == decided


@pytest.mark.usefixtures("always")
def test_a_skipped_check_looks_like_skipped_work_and_waits_for_others_too(desk: Desk) -> None:
    decided, _ = decided_twice(desk, "reject")
    before = waiting(desk, desk.second)
    service.skip_review(desk.session, desk.second.actor, decided, now=NOW)
    sheet = review_overview.review_sheet(desk.session, desk.second.actor, decided)
    assert (sheet.submission.state, sheet.review) == (SubmissionState.SUBMITTED, None)
    assert waiting(desk, desk.second) == before
    assert desk.next(desk.second)["submission"]["id"] == show_id("submission", decided)
    third = another_reviewer(desk)
    assert desk.next(third)["submission"]["id"] == show_id("submission", decided)
    for reviewer in (desk.second, third):
        service.skip_review(desk.session, reviewer.actor, decided, now=NOW)
    assert len(desk.checks()) == 2


@pytest.mark.usefixtures("always")
def test_who_decided_the_appeal_about_some_work_does_not_get_it_as_a_check(desk: Desk) -> None:
    desk.settings(double_percent=100)
    decided, _ = desk.submit(2)
    desk.decide(desk.first, show_id("submission", decided), "reject")
    assert waiting(desk, desk.second) == 2
    receipt = desk.session.scalars(select(DecisionReceipt)).one()
    found = Appeal(
        receipt_id=receipt.id,
        person_id=receipt.person_id,
        project_id=receipt.project_id,
        first_decider_id=receipt.decided_by,
        words=REASON,
        created_at=NOW,
    )
    desk.session.add(found)
    desk.session.flush()
    appeals.decide_appeal(desk.session, desk.second.actor, found.id, AppealState.STANDS, REASON, now=NOW)
    assert waiting(desk, desk.second) == 1


def another_reviewer(desk: Desk) -> User:
    found = make_user(desk.session, now=NOW, is_reviewer=True)
    desk.session.add(ProjectReviewer(project_id=desk.world.project.id, person_id=found.id, created_at=NOW))
    desk.session.flush()
    return found


def waiting(desk: Desk, reviewer: User, *, now: datetime = NOW) -> int:
    (line,) = review_overview.review_queue(desk.session, reviewer.actor, now=now)
    return line.waiting


@pytest.mark.usefixtures("always")
def test_a_check_is_counted_like_work_and_each_decision_takes_one_away(desk: Desk) -> None:
    desk.settings(double_percent=100)
    decided, *_ = desk.submit(3)
    assert waiting(desk, desk.second) == 3
    desk.decide(desk.first, show_id("submission", decided), "approve")
    seen = [waiting(desk, desk.second)]
    desk.settings(double_percent=0)
    for _ in range(2):
        served = desk.next(desk.second)["submission"]["id"]
        seen.append(waiting(desk, desk.second))
        desk.decide(desk.second, served, "approve")
        seen.append(waiting(desk, desk.second))
    assert len([check for check in desk.checks() if check.decision]) == 1
    # The check and two real ones: opened, decided, opened, decided.
    assert seen == [3, 3, 2, 2, 1]
    assert waiting(desk, desk.first) == 1


@pytest.mark.usefixtures("always")
def test_what_was_decided_by_a_check_stands_in_the_own_record_like_any_decision(desk: Desk) -> None:
    desk.settings(double_percent=100)
    decided, real, _ = desk.submit(3)
    desk.decide(desk.first, show_id("submission", decided), "approve")
    desk.settings(double_percent=0)
    desk.decide(desk.second, show_id("submission", real), "approve")
    served = desk.next(desk.second)["submission"]["id"]
    assert served == show_id("submission", decided)
    desk.decide(desk.second, served, "reject")
    actor = desk.second.actor
    lines = review_overview.decisions_made(desk.session, actor)
    assert [(line.submission.id, line.review.decision) for line in lines] == [
        (decided, Decision.REJECT),
        (real, Decision.APPROVE),
    ]
    older = review_overview.decisions_made(desk.session, actor, before=lines[0].review.id)
    assert [line.submission.id for line in older] == [real]
    assert [line.submission.id for line in review_overview.decisions_made(desk.session, actor, search="mention")] == [
        decided
    ]
    assert review_overview.decision_counts(desk.session, actor)[Decision.REJECT] == 1
    assert review_overview.review_record(desk.session, actor).decisions == 2
    sheet = review_overview.review_sheet(desk.session, actor, decided)
    assert sheet.review is not None
    assert (sheet.review.comment, sheet.submission.state) == (REASON, SubmissionState.REJECTED)
    first = review_overview.review_sheet(desk.session, desk.first.actor, decided)
    assert first.review is not None
    assert first.review.decision is Decision.APPROVE


@pytest.mark.usefixtures("always")
def test_a_check_of_old_work_decides_itself_in_time_from_now(desk: Desk) -> None:
    decided, served = decided_twice(desk)
    desk.session.get_one(Submission, decided).decide_at = NOW - timedelta(days=20)
    desk.session.flush()
    sheet = review_overview.review_sheet(desk.session, desk.second.actor, decided)
    assert sheet.submission.decide_at == NOW + timedelta(seconds=desk.world.project.review_seconds)
    assert served["submission"]["created_at"] == NOW.isoformat().replace("+00:00", "Z")


@pytest.mark.usefixtures("always")
def test_a_check_that_is_left_over_is_owed_to_nobody(desk: Desk) -> None:
    desk.settings(double_percent=100)
    decided, last = desk.submit(2)
    desk.decide(desk.first, show_id("submission", decided), "approve")
    assert waiting(desk, desk.second) == 2
    late = NOW + timedelta(seconds=desk.world.project.review_seconds + 1)
    # In time with real work it waits, and no longer than real work would.
    assert waiting(desk, desk.second, now=late) == 1
    desk.decide(desk.first, show_id("submission", last), "approve")
    assert waiting(desk, desk.second) == 0
    assert review_overview.open_review(desk.session, desk.second.actor, now=NOW) is None


# --- Gold reviews


@pytest.mark.usefixtures("always")
def test_a_gold_review_measures_by_the_known_decision(desk: Desk) -> None:
    decided, real, _ = desk.submit(3)
    desk.decide(desk.first, show_id("submission", decided), "approve")
    assert desk.make_gold(decided, "reject").status_code == 201
    desk.settings(gold_review_percent=50)
    desk.decide(desk.second, show_id("submission", real), "approve")
    # One real one is left, and the known one that came in its place.
    assert waiting(desk, desk.second) == 2
    served = desk.next(desk.second)
    assert served["submission"]["id"] == show_id("submission", decided)
    assert served["submission"]["state"] == "submitted"
    assert desk.decide(desk.second, served["submission"]["id"], "reject").status_code == 201
    found = desk.client.get(f"{desk.project}/quality/reviewers", headers=desk.world.client.headers).json()
    second = next(one for one in found["items"] if one["person_id"] == show_id("person", desk.second.id))
    assert (second["gold"]["value"], second["gold"]["n"], second["reviews"]) == (1.0, 1, 1)
    # Nobody is given the same known decision twice.
    assert desk.next(desk.second)["submission"]["id"] != show_id("submission", decided)


def test_only_decided_work_becomes_a_gold_review_and_only_by_a_manager(desk: Desk) -> None:
    (submission,) = desk.submit(1)
    refused = desk.make_gold(submission, "approve")
    assert refused.status_code == 422
    desk.decide(desk.first, show_id("submission", submission), "approve")
    body = {"submission_id": show_id("submission", submission), "decision": "approve", "explanation": REASON}
    path = f"{desk.project}/quality/gold-reviews"
    assert desk.client.post(path, headers=desk.first.headers, json=body).status_code == 404
    assert desk.make_gold(submission, "approve").status_code == 201
    assert desk.make_gold(submission, "reject").json()["decision"] == "reject"
    (kept,) = desk.session.scalars(select(GoldReview).execution_options(populate_existing=True)).all()
    assert (kept.decision, kept.created_by) == (Decision.REJECT, desk.world.client.id)


# --- What they say


@pytest.mark.usefixtures("always")
def test_agreement_of_two_reviewers_has_a_kappa(desk: Desk) -> None:
    desk.settings(double_percent=100)
    for first, second in (("approve", "approve"), ("approve", "reject"), ("reject", "reject"), ("reject", "reject")):
        decided, waiting = desk.submit(2)
        desk.decide(desk.first, show_id("submission", decided), first)
        served = desk.next(desk.second)
        assert read_id("submission", served["submission"]["id"]) == decided
        desk.decide(desk.second, served["submission"]["id"], second)
        # Out of the way, so that the next pair is about fresh work.
        desk.session.get_one(Submission, waiting).review_wanted = False
        desk.session.flush()
    found = {one.reviewer_id: one for one in review_checks.reviewer_quality(desk.session, desk.world.project.id)}
    for reviewer in (desk.first, desk.second):
        one = found[reviewer.id]
        assert (one.double.value, one.double.n) == (0.75, 4)
        # Observed 3/4, by chance 1/2 (2/4 x 1/4 + 2/4 x 3/4): kappa is 1/2.
        assert one.kappa.value == pytest.approx(0.5)
    assert (found[desk.first.id].reviews, found[desk.second.id].reviews) == (4, 0)


def test_without_checks_nothing_is_claimed(desk: Desk) -> None:
    (submission,) = desk.submit(1)
    desk.decide(desk.first, show_id("submission", submission), "approve")
    (only,) = review_checks.reviewer_quality(desk.session, desk.world.project.id)
    assert (only.gold.value, only.double.value, only.kappa.value) == (None, None, None)
    assert only.gold.reason
    assert desk.checks() == []
