"""Adaptive overlap: asked until sure enough, never beyond the cap, never stranded."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

import preceptor.work.jobs  # noqa: F401  a job can be deferred once it is registered
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.models import OverlapMode, ProjectState, Task, TaskState
from preceptor.quality import adaptive
from preceptor.work import jobs, rules_quality, service
from preceptor.work.errors import TaskTaken
from preceptor.work.models import Decision
from preceptor.work.models_quality import AnswerState
from preceptor.work.rules_quality import Terms
from preceptor.work.service import CriterionVerdict, overlap, restoring
from tests.conftest import NOW
from tests.factories import join, pair_payload
from tests.work.adaptive import TIE, A, Asking, B, make_asking, shown

ASKING, RESOLVED, ESCALATED = AnswerState.ASKING, AnswerState.RESOLVED, AnswerState.ESCALATED


@pytest.fixture
def asking(session: Session) -> Asking:
    return make_asking(session, now=NOW)


def terms(**changes: Any) -> Terms:
    usual = {
        "mode": OverlapMode.ADAPTIVE,
        "overlap": 3,
        "floor": 3,
        "cap": 7,
        "required": 0.95,
        "rate_minor": 42,
        "price_limit_minor": None,
    }
    return Terms(**{**usual, **changes})


# --- The rule


@given(
    floor=st.integers(1, 9),
    more=st.integers(0, 9),
    limit=st.none() | st.integers(1, 1000),
    done=st.integers(0, 20),
    live=st.integers(0, 5),
    confidence=st.floats(0, 1),
    mode=st.sampled_from(OverlapMode),
)
def test_a_plan_strands_nobody_and_never_asks_beyond_the_cap(
    floor: int, more: int, limit: int | None, done: int, live: int, confidence: float, mode: OverlapMode
) -> None:
    settings = terms(mode=mode, floor=floor, cap=floor + more, price_limit_minor=limit)
    found = rules_quality.plan(settings, taken=done + live, done=done, confidence=confidence)
    assert found.wanted >= done + live
    assert (found.state is ASKING) <= (found.wanted > done)
    if mode is OverlapMode.ADAPTIVE:
        assert found.wanted <= max(done + live, settings.most)
        # One more than what is in the air at most, and nothing while somebody is at work.
        assert found.wanted <= max(done + live, settings.least, done + 1)


@given(floor=st.integers(3, 6), more=st.integers(0, 4), done=st.integers(0, 12), confidence=st.floats(0.34, 1))
def test_a_plan_is_what_the_library_decides(floor: int, more: int, done: int, confidence: float) -> None:
    settings = terms(floor=floor, cap=floor + more)
    found = rules_quality.plan(settings, taken=done, done=done, confidence=confidence)
    rest = (1 - confidence) / 2
    state = adaptive.TaskState([confidence, rest, rest], done)
    decided = adaptive.decide(state, adaptive.Rules(target=0.95, floor=floor, cap=floor + more))
    by_kind = {adaptive.Ask: ASKING, adaptive.Stop: RESOLVED, adaptive.Escalate: ESCALATED}
    if confidence >= rest:
        assert found.state is by_kind[type(decided)]


# --- In the submit transaction


def test_three_who_agree_are_enough(asking: Asking) -> None:
    asking.judge(A, A)
    assert asking.quality().state is ASKING
    asking.judge(A)
    found = asking.quality()
    assert asking.counts() == (3, 3, 3)
    assert (found.state, found.judgments) == (RESOLVED, 3)
    assert found.confidence > 0.95
    assert found.units["r1|r2"][A] == pytest.approx(found.confidence, abs=1e-6)
    assert sum(found.units["r1|r2"].values()) == pytest.approx(1, abs=1e-5)


def test_one_who_disagrees_brings_in_one_more_and_nobody_twice(asking: Asking) -> None:
    asking.judge(A, A, B)
    assert asking.counts() == (4, 3, 3)
    assert asking.quality().state is ASKING
    assert asking.quality().value_of_next is not None
    held = asking.claim()
    with pytest.raises(TaskTaken):
        asking.claim()
    asking.submit(held, A)
    assert asking.quality().state in (ASKING, RESOLVED)


def test_a_task_that_stays_split_is_escalated_at_the_cap(asking: Asking) -> None:
    asking.judge(A, B, TIE, A, B, TIE, A)
    assert asking.counts() == (7, 7, 7)
    assert asking.quality().state is ESCALATED
    kinds = asking.session.scalars(
        select(Event.kind).where(Event.subject_id == asking.world.tasks[0].id).order_by(Event.id)
    ).all()
    assert kinds == ["work.asked_again"] * 4 + ["work.answer_escalated"]


def test_the_price_limit_ends_the_asking(session: Session) -> None:
    asking = make_asking(session, now=NOW, price_limit_minor=4 * 42 + 1)
    asking.judge(A, B, TIE, A)
    assert asking.counts() == (4, 4, 4)
    assert asking.quality().state is ESCALATED


def test_the_target_decides_how_many_are_asked(session: Session) -> None:
    strict = make_asking(session, now=NOW, confidence=0.995)
    strict.judge(A, A, A)
    assert strict.counts() == (4, 3, 3)
    assert strict.quality().state is ASKING


def test_the_new_place_is_found_by_somebody_whose_search_had_passed_it(session: Session) -> None:
    asking = make_asking(session, now=NOW, tasks=4)
    early = join(session, asking.world, now=NOW)[0]
    for _ in range(3):
        # The person is served tasks 1 to 3 while the first is full: their cursor passes it.
        asking.world.tasks[0].state = TaskState.FLAGGED
        session.flush()
        claim = service.claim_next(session, early.actor, asking.project_id, now=NOW).claim
        service.submit(session, early.actor, claim.id, shown(claim.display_order, A), now=NOW)
    asking.world.tasks[0].state = TaskState.OPEN
    session.flush()
    asking.judge(A, A, B)
    assert asking.counts() == (4, 3, 3)
    found = service.claim_next(session, early.actor, asking.project_id, now=NOW)
    assert found.claim.task_id == asking.world.tasks[0].id


# --- What comes later


def decide(asking: Asking, submission_id: Any, decision: Decision) -> None:
    verdicts = [CriterionVerdict(key="right", verdict="not_met", comment="It is not right.")]
    service.decide(
        asking.session,
        asking.world.reviewer.actor,
        submission_id,
        decision,
        comment="The sum is wrong, and the reason does not mention it at all.",
        criteria=verdicts if decision is Decision.REJECT else [],
        now=asking.now,
    )


def test_a_rejection_after_resolution_asks_again(asking: Asking) -> None:
    first, *_ = asking.judge(A, A, A)
    decide(asking, first, Decision.REJECT)
    assert asking.counts() == (3, 2, 2)
    assert asking.quality().state is ASKING
    asking.judge(A)
    assert asking.counts() == (3, 3, 3)
    assert asking.quality().state is RESOLVED


def test_a_rejection_that_leaves_enough_asks_nobody(asking: Asking) -> None:
    *_, odd = asking.judge(A, A, B)
    asking.judge(A)
    before = asking.quality().state
    decide(asking, odd, Decision.REJECT)
    assert asking.counts() == (3, 3, 3)
    assert asking.quality().state is RESOLVED
    assert before is ASKING


def test_a_return_keeps_its_place_and_the_revision_is_weighed(asking: Asking) -> None:
    claims = [asking.claim() for _ in range(3)]
    given = [asking.submit(claim, A) for claim in claims]
    decide(asking, given[0], Decision.RETURN)
    assert asking.counts() == (3, 3, 2)
    assert asking.quality().state is ASKING
    asking.submit(claims[0], B)
    assert asking.counts() == (4, 3, 3)
    assert (asking.quality().state, asking.quality().judgments) == (ASKING, 3)


@pytest.mark.parametrize("ending", ["expired", "released", "skipped"])
def test_a_claim_that_ends_gives_its_place_to_somebody_else(asking: Asking, ending: str) -> None:
    asking.judge(A, A)
    held = asking.claim()
    actor = asking.actors[held.id]
    match ending:
        case "expired":
            service.expire_overdue(asking.session, now=NOW + timedelta(hours=1))
        case "released":
            service.release_claim(asking.session, actor, held.id, now=NOW)
        case "skipped":
            service.skip_claim(asking.session, actor, held.id, "unclear", now=NOW)
    assert asking.counts() == (3, 2, 2)
    assert asking.quality().state is ASKING


def test_the_answer_of_somebody_at_work_counts_after_a_stop(asking: Asking) -> None:
    """More were let in than are needed: who holds the task finishes it and is paid, and nobody new comes."""
    asking.task().wanted = 4
    asking.session.flush()
    *answered, held = [asking.claim() for _ in range(4)]
    for claim in answered:
        asking.submit(claim, A)
    assert asking.counts() == (4, 4, 3)
    assert asking.quality().state is RESOLVED
    with pytest.raises(TaskTaken):
        asking.claim()
    asking.submit(held, B)
    assert asking.counts()[1:] == (4, 4)
    assert asking.quality().judgments == 4


# --- New settings


def reconsider(runtime: Runtime, asking: Asking) -> None:
    asking.session.flush()
    jobs.reconsider_overlap(runtime, str(asking.project_id))


def test_switching_to_adaptive_stops_what_is_sure_and_strands_nobody(runtime: Runtime, session: Session) -> None:
    asking = make_asking(session, now=NOW, tasks=3, overlap_mode=OverlapMode.FIXED)
    for number in range(3):
        asking.task(number).wanted = 6
    session.flush()
    asking.judge(A, A, A, number=0)
    held = asking.claim(1)
    asking.judge(A, A, number=1)
    asking.judge(A, B, TIE, number=2)
    asking.world.project.overlap_mode = OverlapMode.ADAPTIVE
    reconsider(runtime, asking)
    assert [asking.counts(number) for number in range(3)] == [(3, 3, 3), (3, 3, 2), (4, 3, 3)]
    assert [asking.quality(number).state for number in range(3)] == [RESOLVED, ASKING, ASKING]
    asking.submit(held, A)
    assert asking.quality(1).state is RESOLVED


def test_a_raised_floor_asks_again_and_a_lowered_cap_ends_it(runtime: Runtime, session: Session) -> None:
    asking = make_asking(session, now=NOW)
    asking.judge(A, A, A)
    asking.world.project.overlap_floor = 5
    reconsider(runtime, asking)
    assert asking.counts() == (5, 3, 3)
    assert asking.quality().state is ASKING
    asking.judge(B, TIE)
    asking.world.project.overlap_floor, asking.world.project.overlap_cap = 3, 4
    reconsider(runtime, asking)
    assert asking.counts() == (5, 5, 5)
    assert asking.quality().state in (RESOLVED, ESCALATED)


def test_switching_back_to_fixed_gives_every_task_its_overlap(runtime: Runtime, session: Session) -> None:
    asking = make_asking(session, now=NOW, tasks=2)
    asking.judge(A, A, A)
    asking.world.project.overlap_mode, asking.world.project.overlap = OverlapMode.FIXED, 5
    reconsider(runtime, asking)
    assert [asking.counts(number)[0] for number in range(2)] == [5, 5]


def test_reconsidering_twice_is_the_same_as_once(runtime: Runtime, session: Session) -> None:
    asking = make_asking(session, now=NOW, tasks=2)
    asking.judge(A, A, B)
    before = (asking.counts(), asking.quality().state)
    changed = [overlap.reconsider_project(runtime.sessions, asking.project_id, now=NOW) for _ in range(2)]
    assert (asking.counts(), asking.quality().state) == before
    assert changed == [0, 0]


# --- Over HTTP


def statements_of_a_submit(client: TestClient, runtime: Runtime, asking: Asking) -> list[str]:
    """What the database is asked when somebody sends an answer."""
    person = join(asking.session, asking.world, now=NOW)[0]
    claim = service.claim_next(asking.session, person.actor, asking.project_id, now=NOW).claim
    asking.session.flush()
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(str(arguments[2]))

    event.listen(runtime.engine, "before_cursor_execute", note)
    try:
        answer = client.post(
            f"/api/v1/claims/{show_id('claim', claim.id)}/submission",
            headers=person.headers,
            json={"answer": shown(claim.display_order, A)},
        )
    finally:
        event.remove(runtime.engine, "before_cursor_execute", note)
    assert answer.status_code == 201, answer.text
    return [each for each in statements if "SAVEPOINT" not in each]


def test_fixed_overlap_pays_nothing_for_adaptive_overlap(
    client: TestClient, runtime: Runtime, session: Session
) -> None:
    fixed = make_asking(session, now=NOW, overlap_mode=OverlapMode.FIXED)
    adaptive_one = make_asking(session, now=NOW)
    usual = statements_of_a_submit(client, runtime, fixed)
    with_decision = statements_of_a_submit(client, runtime, adaptive_one)
    assert not any("task_quality" in each and "CLAIM" not in each.upper() for each in usual)
    about_work = [each for each in usual if "claim" in each]
    assert len(about_work) == 2
    # One statement reads what the judgments say, one writes what follows.
    assert len(with_decision) == len(usual) + 2


def test_new_settings_are_sent_by_the_client_and_hold_for_all_tasks(
    client: TestClient, runtime: Runtime, session: Session
) -> None:
    asking = make_asking(session, now=NOW, tasks=2, overlap_mode=OverlapMode.FIXED)
    for number in range(2):
        asking.task(number).wanted = 6
    session.flush()
    asking.judge(A, A, A)
    path = f"/api/v1/projects/{show_id('project', asking.project_id)}"
    headers = asking.world.client.headers
    changed = client.patch(path, headers=headers, json={"overlap_mode": "adaptive", "overlap_cap": 5})
    assert changed.status_code == 200, changed.text
    assert [asking.counts(number)[0] for number in range(2)] == [6, 6]
    (job,) = session.execute(text("SELECT task_name, args FROM procrastinate_jobs")).all()
    assert job.task_name == "work.reconsider_overlap"
    jobs.reconsider_overlap(runtime, **job.args)
    assert [asking.counts(number)[0] for number in range(2)] == [3, 3]
    assert asking.quality().state is RESOLVED
    added = client.post(
        f"{path}/tasks", headers=headers, json={"tasks": [{"external_id": "new", "payload": pair_payload(9)}]}
    )
    assert added.status_code < 300, added.text
    assert session.scalar(select(Task.wanted).where(Task.external_id == "new")) == 3


def test_in_a_draft_new_settings_hold_at_once(client: TestClient, session: Session) -> None:
    asking = make_asking(session, now=NOW, overlap_mode=OverlapMode.FIXED, state=ProjectState.DRAFT)
    path = f"/api/v1/projects/{show_id('project', asking.project_id)}"
    body = {"overlap_mode": "adaptive", "overlap_floor": 4, "overlap_cap": 5}
    assert client.patch(path, headers=asking.world.client.headers, json=body).status_code == 200
    assert asking.counts() == (4, 0, 0)


def test_an_upheld_appeal_counts_again_and_strands_nobody(asking: Asking) -> None:
    first, *_ = asking.judge(A, B, A)
    assert asking.counts() == (4, 3, 3)
    decide(asking, first, Decision.REJECT)
    assert asking.counts() == (3, 2, 2)
    asking.judge(A)
    before = asking.counts()
    restoring.restore_submission(asking.session, asking.world.operator.actor, first, now=NOW)
    wanted, taken, done = asking.counts()
    assert (taken, done) == (before[1] + 1, before[2] + 1)
    assert taken <= wanted
    assert (asking.quality().state is ASKING) <= (wanted > done)
    assert asking.quality().judgments == done


def test_a_task_that_leaves_the_mix_of_gold_is_asked_on(asking: Asking) -> None:
    asking.judge(A, A, B)
    task = asking.task()
    # As gold it was given to many; back in the queue it wants no more than it has.
    task.wanted = task.taken
    asking.session.flush()
    overlap.back_in_queue(asking.session, task, now=NOW)
    assert asking.counts() == (4, 3, 3)
