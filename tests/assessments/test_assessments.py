"""Entry tests: attempts, cool-down, time limit, what is told when, practice, and who sees the known answers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from threading import Barrier, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.assessments import rules
from preceptor.assessments.errors import (
    AlreadyQualified,
    AnsweredAlready,
    AnswerIncomplete,
    AttemptOver,
    BadAssessment,
    ContributorsOnly,
    NoAttemptsLeft,
    NotShownYet,
    TimeIsUp,
    TooSoon,
)
from preceptor.assessments.jobs import expire_attempts
from preceptor.assessments.models import (
    Assessment,
    AssessmentItem,
    Attempt,
    AttemptAnswer,
    AttemptState,
)
from preceptor.assessments.rules import Door, PastAttempt
from preceptor.assessments.service import assessments, attempts, practice
from preceptor.assessments.settings import AssessmentIn
from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.service.qualifications import holds
from tests.conftest import NOW
from tests.factories import User, make_client, make_contributor, make_user

HOUR = timedelta(hours=1)
REASON = "The sum was added up and this one is right."


def item(number: int, *, practice: bool = False) -> dict[str, Any]:
    """A sum with one right and one wrong answer; the right one says so, so that a test can find it as shown."""
    return {
        "payload": {
            "prompt": [{"role": "user", "content": f"What is {number} + {number}?"}],
            "responses": [
                {"id": "r1", "messages": [{"role": "assistant", "content": f"right: {2 * number}"}]},
                {"id": "r2", "messages": [{"role": "assistant", "content": f"wrong: {2 * number + 1}"}]},
            ],
        },
        "answer": {"ranks": {"r1": 1, "r2": 2}},
        "explanation": f"{number} + {number} is {2 * number}.",
        "practice": practice,
    }


def wanted(**changes: Any) -> AssessmentIn:
    base: dict[str, Any] = {
        "title": "Sums",
        "qualification_title": "Can add",
        "pass_percent": 75,
        "time_limit_seconds": 600,
        "attempts_max": 2,
        "cooldown_seconds": 3_600,
        "questions": 4,
        "items": [item(number) for number in range(6)] + [item(7, practice=True), item(8, practice=True)],
    }
    return AssessmentIn.model_validate({**base, **changes})


def shown_answer(payload: Any, *, right: bool) -> dict[str, Any]:
    """The right or wrong answer to a question as it is shown."""
    best = "right" if right else "wrong"
    ranks = {one["id"]: 1 if one["messages"][0]["content"].startswith(best) else 2 for one in payload["responses"]}
    return {"ranks": ranks, "strength": 2, "justification": REASON}


def right_or_wrong(payload: Any) -> str:
    """What the response that is shown first says."""
    return str(payload["responses"][0]["messages"][0]["content"])


@dataclass(frozen=True)
class School:
    org_id: Any
    owner: User
    assessment: Assessment


@pytest.fixture
def school(session: Session) -> School:
    organization, owner = make_client(session, now=NOW)
    made = assessments.create_assessment(session, owner.actor, organization.id, wanted(), now=NOW)
    return School(organization.id, owner, made)


@pytest.fixture
def taker(session: Session) -> User:
    return make_contributor(session, now=NOW)


def start(session: Session, taker: User, school: School, now: Any = NOW, seed: int = 1) -> Attempt:
    return attempts.start_attempt(session, taker.actor, school.assessment.id, now=now, rng=Random(seed))


def answer_all(session: Session, taker: User, attempt: Attempt, right: int, now: Any = NOW) -> None:
    """Answer every question, the first `right` of them rightly."""
    for number in range(len(attempt.item_ids)):
        view = attempts.current_question(session, taker.actor, attempt.id, now=now, rng=Random(number))
        assert view is not None
        given = shown_answer(view.payload, right=number < right)
        attempts.answer_question(session, taker.actor, attempt.id, view.item_id, given, now=now)


class TestResult:
    def test_a_pass_grants_the_qualification(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        answer_all(session, taker, attempt, right=3)
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        assert (attempt.state, attempt.score_percent) == (AttemptState.PASSED, 75)
        assert holds(session, taker.id, school.assessment.qualification_id)

    def test_a_fail_grants_nothing_and_says_when_the_next_try_opens(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        answer_all(session, taker, attempt, right=2)
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        told = attempts.result(session, taker.actor, attempt.id, now=NOW)
        assert (attempt.state, attempt.score_percent) == (AttemptState.FAILED, 50)
        assert (told.standing.door, told.standing.opens_at) == (Door.COOLING_DOWN, NOW + HOUR)
        assert not holds(session, taker.id, school.assessment.qualification_id)

    def test_the_order_of_display_does_not_change_the_score(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        answer_all(session, taker, attempt, right=4)
        orders = session.scalars(select(AttemptAnswer.display_order).where(AttemptAnswer.attempt_id == attempt.id))
        assert {tuple(order) for order in orders} == {("r1", "r2"), ("r2", "r1")}
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        assert attempt.score_percent == 100

    def test_what_was_not_answered_counts_as_wrong(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        given = shown_answer(view.payload, right=True)
        assert attempts.answer_question(session, taker.actor, attempt.id, view.item_id, given, now=NOW) == 3
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        assert (attempt.state, attempt.score_percent) == (AttemptState.FAILED, 25)

    def test_finishing_twice_changes_nothing(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW + HOUR)
        assert attempt.finished_at == NOW

    def test_reasons_are_told_only_when_no_other_attempt_depends_on_them(
        self, session: Session, school: School, taker: User
    ) -> None:
        for tries in (1, 2):
            now = NOW + tries * 2 * HOUR
            attempt = start(session, taker, school, now=now)
            answer_all(session, taker, attempt, right=0, now=now)
            running = attempts.result(session, taker.actor, attempt.id, now=now)
            assert (running.questions, running.revealed) == ((), False)
            attempts.finish_attempt(session, taker.actor, attempt.id, now=now)
            told = attempts.result(session, taker.actor, attempt.id, now=now)
            assert told.revealed is (tries == 2)
            assert all(bool(one.reasons) is (tries == 2) for one in told.questions)
            assert all((one.explanation is not None) is (tries == 2) for one in told.questions)
        assert told.questions[0].reasons[0].startswith("You ranked ")


class TestDoor:
    def test_starting_again_returns_the_running_attempt(self, session: Session, school: School, taker: User) -> None:
        first = start(session, taker, school)
        assert start(session, taker, school, seed=9) is first

    def test_the_cool_down_is_kept_to_the_second(self, session: Session, school: School, taker: User) -> None:
        attempts.finish_attempt(session, taker.actor, start(session, taker, school).id, now=NOW)
        with pytest.raises(TooSoon, match="2 March 2026 at 10:00 UTC"):
            start(session, taker, school, now=NOW + HOUR - timedelta(seconds=1))
        assert start(session, taker, school, now=NOW + HOUR).number == 2

    def test_attempts_are_used_up(self, session: Session, school: School, taker: User) -> None:
        for number in range(2):
            now = NOW + number * 2 * HOUR
            attempts.finish_attempt(session, taker.actor, start(session, taker, school, now=now).id, now=now)
        with pytest.raises(NoAttemptsLeft, match="all 2 attempts"):
            start(session, taker, school, now=NOW + timedelta(days=30))

    def test_the_qualified_need_not_try_again(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        answer_all(session, taker, attempt, right=4)
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        with pytest.raises(AlreadyQualified):
            start(session, taker, school, now=NOW + 2 * HOUR)

    def test_tests_are_for_confirmed_contributors(self, session: Session, school: School, taker: User) -> None:
        with pytest.raises(ContributorsOnly):
            start(session, make_user(session, now=NOW), school)
        taker.person.email_confirmed_at = None
        with pytest.raises(ContributorsOnly):
            start(session, taker, school)

    def test_a_retired_test_does_not_exist_for_newcomers(self, session: Session, school: School, taker: User) -> None:
        assessments.retire_assessment(session, school.owner.actor, school.assessment.id, now=NOW)
        with pytest.raises(NotFound):
            start(session, taker, school)

    def test_two_starts_at_once_make_one_attempt(self, open_runtime: Callable[..., Runtime]) -> None:
        runtime = open_runtime()
        with runtime.sessions.begin() as session:
            organization, owner = make_client(session, now=NOW)
            made = assessments.create_assessment(session, owner.actor, organization.id, wanted(), now=NOW)
            taker = make_contributor(session, now=NOW)
        seen: list[object] = []
        begun = Barrier(6)

        def begin() -> None:
            begun.wait()
            with runtime.sessions.begin() as session:
                found = attempts.start_attempt(session, taker.actor, made.id, now=NOW, rng=Random())
                seen.append(found.id)

        threads = [Thread(target=begin) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with runtime.sessions.begin() as session:
            total = session.scalar(select(func.count()).select_from(Attempt))
        assert (len(seen), len(set(seen)), total) == (6, 1, 1)


class TestTime:
    LATE = NOW + timedelta(seconds=601)

    def test_an_answer_after_the_deadline_is_refused(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        given = shown_answer(view.payload, right=True)
        with pytest.raises(TimeIsUp):
            attempts.answer_question(session, taker.actor, attempt.id, view.item_id, given, now=self.LATE)
        with pytest.raises(TimeIsUp):
            attempts.save_draft(session, taker.actor, attempt.id, view.item_id, {}, now=self.LATE)

    def test_a_look_after_the_deadline_ends_the_attempt_at_it(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        assert attempts.current_question(session, taker.actor, attempt.id, now=self.LATE, rng=Random(1)) is None
        assert (attempt.state, attempt.finished_at) == (AttemptState.EXPIRED, attempt.deadline)

    def test_who_answered_everything_in_time_is_judged_by_the_score(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        answer_all(session, taker, attempt, right=4)
        attempts.result(session, taker.actor, attempt.id, now=self.LATE)
        assert attempt.state is AttemptState.PASSED
        assert holds(session, taker.id, school.assessment.qualification_id)

    def test_the_job_ends_attempts_that_nobody_looks_at(
        self, session: Session, school: School, taker: User, runtime: Runtime, clock: FixedClock
    ) -> None:
        attempt = start(session, taker, school)
        session.flush()
        expire_attempts(runtime)
        assert session.scalar(select(Attempt.state)) is AttemptState.RUNNING
        clock.at = self.LATE
        expire_attempts(runtime)
        session.refresh(attempt)
        assert attempt.state is AttemptState.EXPIRED

    def test_an_expired_attempt_takes_nothing_more(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        attempts.finish_attempt(session, taker.actor, attempt.id, now=NOW)
        with pytest.raises(AttemptOver):
            attempts.save_draft(session, taker.actor, attempt.id, view.item_id, {}, now=NOW)


class TestAnswers:
    def test_a_reload_shows_the_same_question_in_the_same_order_with_its_draft(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        first = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert first is not None
        draft: dict[str, Any] = {"justification": "not yet"}
        attempts.save_draft(session, taker.actor, attempt.id, first.item_id, draft, now=NOW)
        for seed in range(5):
            again = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(seed))
            assert again is not None
            assert (again.item_id, again.payload, again.draft) == (first.item_id, first.payload, draft)

    def test_an_incomplete_answer_says_what_is_missing(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        with pytest.raises(AnswerIncomplete) as refusal:
            attempts.answer_question(session, taker.actor, attempt.id, view.item_id, {"ranks": {"A": 1}}, now=NOW)
        assert {problem["path"] for problem in refusal.value.problems} == {"ranks", "justification"}

    def test_an_answer_in_stored_names_is_refused(self, session: Session, school: School, taker: User) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        given: dict[str, Any] = {"ranks": {"r1": 1, "r2": 2}, "strength": 1, "justification": REASON}
        with pytest.raises(AnswerIncomplete):
            attempts.answer_question(session, taker.actor, attempt.id, view.item_id, given, now=NOW)

    def test_the_same_answer_twice_is_once_and_another_is_refused(
        self, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        view = attempts.current_question(session, taker.actor, attempt.id, now=NOW, rng=Random(1))
        assert view is not None
        given = shown_answer(view.payload, right=False)
        for _ in range(2):
            left = attempts.answer_question(session, taker.actor, attempt.id, view.item_id, given, now=NOW)
            assert left == 3
        other = shown_answer(view.payload, right=True)
        with pytest.raises(AnsweredAlready):
            attempts.answer_question(session, taker.actor, attempt.id, view.item_id, other, now=NOW)

    def test_questions_come_one_after_the_other(self, session: Session, school: School, taker: User) -> None:
        from uuid import UUID

        attempt = start(session, taker, school)
        with pytest.raises(NotShownYet):
            attempts.save_draft(session, taker.actor, attempt.id, UUID(attempt.item_ids[3]), {}, now=NOW)

    def test_practice_items_never_come_up(self, session: Session, school: School) -> None:
        reserved = set(session.scalars(select(AssessmentItem.id).where(AssessmentItem.practice)))
        for seed in range(20):
            drawn = start(session, make_contributor(session, now=NOW), school, seed=seed).item_ids
            assert len(set(drawn)) == 4
            assert not {str(one) for one in reserved} & set(drawn)


class TestPractice:
    def test_each_answer_is_explained_at_once_as_often_as_one_likes(
        self, session: Session, school: School, taker: User
    ) -> None:
        for turn, right in enumerate((False, True, True)):
            view = practice.practice_question(session, taker.actor, school.assessment.id, 1, round=turn)
            given = shown_answer(view.payload, right=right)
            told = practice.practice_answer(session, taker.actor, school.assessment.id, 1, given, round=turn)
            assert (told.score, told.explanation) == (float(right), "7 + 7 is 14.")
            assert bool(told.reasons) is not right
            assert told.known_answer["ranks"] == shown_answer(view.payload, right=True)["ranks"]
        assert session.scalar(select(func.count()).select_from(Attempt)) == 0

    def test_rounds_change_the_order_of_display(self, session: Session, school: School, taker: User) -> None:
        first = set()
        for turn in range(20):
            view = practice.practice_question(session, taker.actor, school.assessment.id, 1, round=turn)
            first.add(right_or_wrong(view.payload))
        assert first == {"right: 14", "wrong: 15"}

    def test_scored_items_cannot_be_practised(self, session: Session, school: School, taker: User) -> None:
        for number in (0, 3):
            with pytest.raises(NotFound):
                practice.practice_question(session, taker.actor, school.assessment.id, number, round=0)


class TestMaking:
    def make(self, session: Session, school: School, **changes: Any) -> Assessment:
        return assessments.create_assessment(session, school.owner.actor, school.org_id, wanted(**changes), now=NOW)

    def test_too_few_questions_are_refused(self) -> None:
        with pytest.raises(ValueError, match="draws 7 questions, but only 6"):
            wanted(questions=7)

    def test_a_known_answer_that_judges_nothing_is_named(self, session: Session, school: School) -> None:
        bad = [item(number) for number in range(4)]
        bad[2]["answer"] = {"ranks": {"r1": 1}}
        with pytest.raises(BadAssessment) as refusal:
            self.make(session, school, items=bad)
        assert [problem["path"] for problem in refusal.value.problems] == ["items.2.answer"]

    def test_another_organizations_qualification_does_not_exist(self, session: Session, school: School) -> None:
        _, other = make_client(session, now=NOW)
        org_id = next(iter(other.actor.org_roles))
        theirs = assessments.create_assessment(session, other.actor, org_id, wanted(), now=NOW)
        with pytest.raises(NotFound):
            self.make(session, school, qualification_title=None, qualification_id=theirs.qualification_id)


class TestRules:
    def test_a_rounded_score_is_never_better_than_the_score(self) -> None:
        assert rules.whole_percent(79.99) == 79
        assert rules.passes(100 * (0.7 + 0.1), 80)

    def test_a_person_without_attempts_finds_the_door_open(self) -> None:
        found = rules.standing([], qualified=False, attempts_max=1, cooldown=HOUR, now=NOW)
        assert (found.door, found.best_percent, found.opens_at) == (Door.OPEN, None, None)

    def test_the_last_end_counts_for_the_cool_down(self) -> None:
        past = [PastAttempt(AttemptState.FAILED, NOW + step * HOUR, 10 * step) for step in (2, 0, 1)]
        found = rules.standing(past, qualified=False, attempts_max=9, cooldown=HOUR, now=NOW + 2 * HOUR)
        assert (found.door, found.opens_at, found.best_percent) == (Door.COOLING_DOWN, NOW + 3 * HOUR, 20)


class TestApi:
    def test_a_test_from_list_to_result(
        self, client: TestClient, session: Session, school: School, taker: User
    ) -> None:
        test = show_id("assessment", school.assessment.id)
        listed = client.get("/api/v1/tests", headers=taker.headers).json()["items"]
        mine = next(one for one in listed if one["assessment"]["id"] == test)
        assert (mine["qualification"], mine["standing"]["door"], mine["practice_items"]) == ("Can add", "open", 2)
        attempt = client.post(f"/api/v1/tests/{test}/attempts", headers=taker.headers).json()
        path = f"/api/v1/attempts/{attempt['id']}"
        while (question := client.get(f"{path}/question", headers=taker.headers).json())["question_id"]:
            given = {"answer": shown_answer(question["payload"], right=True)}
            one = f"{path}/questions/{question['question_id']}"
            assert client.put(f"{one}/draft", headers=taker.headers, json=given).status_code == 204
            answer = client.post(f"{one}/answer", headers=taker.headers, json=given)
            assert answer.status_code == 200
            assert set(answer.json()) == {"questions_left"}
        told = client.post(f"{path}/finish", headers=taker.headers).json()
        assert (told["attempt"]["state"], told["attempt"]["score_percent"], told["revealed"]) == ("passed", 100, True)

    def test_the_known_answers_have_their_own_door(
        self, client: TestClient, session: Session, school: School, taker: User
    ) -> None:
        path = f"/api/v1/assessments/{show_id('assessment', school.assessment.id)}"
        _, stranger = make_client(session, now=NOW)
        assert len(client.get(f"{path}/items", headers=school.owner.headers).json()["items"]) == 8
        for user in (stranger, taker):
            for part in ("/items", "/figures"):
                assert client.get(path + part, headers=user.headers).status_code == 404

    def test_nothing_that_a_taker_sees_names_the_known_answer(
        self, client: TestClient, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        text = client.get(f"/api/v1/attempts/{show_id('attempt', attempt.id)}/question", headers=taker.headers).text
        assert "explanation" not in text
        assert '"r1"' not in text

    def test_another_persons_attempt_does_not_exist(
        self, client: TestClient, session: Session, school: School, taker: User
    ) -> None:
        attempt = start(session, taker, school)
        other = make_contributor(session, now=NOW)
        path = f"/api/v1/attempts/{show_id('attempt', attempt.id)}"
        for answer in (
            client.get(path, headers=other.headers),
            client.get(f"{path}/question", headers=other.headers),
            client.post(f"{path}/finish", headers=other.headers),
        ):
            assert answer.status_code == 404

    def test_a_test_is_made_once_per_key(self, client: TestClient, session: Session, school: School) -> None:
        path = f"/api/v1/organizations/{show_id('organization', school.org_id)}/assessments"
        headers = {**school.owner.headers, "idempotency-key": "t1"}
        body = wanted(title="Other").model_dump(mode="json", exclude_none=True)
        first = client.post(path, headers=headers, json=body)
        assert first.status_code == 201, first.text
        assert client.post(path, headers=headers, json=body).json() == first.json()
        assert len(client.get(path, headers=headers).json()["items"]) == 2
