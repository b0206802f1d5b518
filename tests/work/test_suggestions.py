"""Suggestions: who sees them, what becomes of them, and that a blind share stays blind."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from preceptor.projects.access import RoleTooSmall
from preceptor.projects.models import TaskGold
from preceptor.work import service as work
from preceptor.work.errors import ClaimEnded
from preceptor.work.errors_suggestions import (
    BlindShareOutOfRange,
    JudgeNeeded,
    NoSuggestionsInFiles,
    NothingSuggested,
)
from preceptor.work.models import Claim
from preceptor.work.models_judging import AiJudge, JudgeState
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionOutcome, SuggestionPlan, SuggestionSource
from preceptor.work.rules_suggestions import BLIND_PERCENT_MAX, BLIND_PERCENT_MIN, is_blind
from preceptor.work.service import suggesting, suggestions
from preceptor.work.service.suggestions import Wanted
from tests.conftest import NOW
from tests.factories import User, World, join, make_contributor, make_world, signed
from tests.kind_world import make_kind_world
from tests.work.suggested import add_judge, kept, prefers, suggest

CONFIG = """
<View>
  <Text name="text" value="$text"/>
  <Choices name="mood" toName="text" required="true"><Choice value="Good"/><Choice value="Bad"/></Choices>
</View>
"""


@pytest.fixture
def world(runtime: Runtime, session: Session) -> World:
    return make_world(session, now=NOW, tasks=40)


@pytest.fixture
def worker(session: Session, world: World) -> User:
    return join(session, world, now=NOW)[0]


@pytest.fixture
def judge(runtime: Runtime, session: Session, world: World) -> AiJudge:
    return add_judge(session, runtime, world, lambda number: prefers("r1"))


def set_share(session: Session, world: World, percent: int) -> None:
    """A share outside the limits, to see one side alone."""
    plan = session.get_one(SuggestionPlan, world.project.id)
    plan.blind_percent = percent
    session.flush()


def answer_of(claim: Claim, best: str, strength: int = 2) -> dict[str, Any]:
    shown = dict(zip(claim.display_order, "AB", strict=True))
    worse = "r2" if best == "r1" else "r1"
    reason = "This one adds up, the other does not."
    return {"ranks": {shown[best]: 1, shown[worse]: 2}, "strength": strength, "justification": reason}


def answered(session: Session, worker: User, world: World, best: str, used: bool | None, strength: int = 2) -> Any:
    claimed = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    if used is not None:
        suggesting.note_use(session, worker.actor, claimed.claim.id, used, now=NOW)
    work.submit(session, worker.actor, claimed.claim.id, answer_of(claimed.claim, best, strength), now=NOW)
    return kept(session, claimed.claim.id)


# --- Which tasks are blind


def test_the_draw_of_blind_tasks_is_the_same_every_time_and_as_large_as_asked() -> None:
    salt = UUID(int=7)
    tasks = [UUID(int=number) for number in range(20_000)]
    for percent in (5, 20, 50):
        blind = {task for task in tasks if is_blind(task, salt, percent)}
        assert blind == {task for task in tasks if is_blind(task, salt, percent)}
        assert len(blind) / len(tasks) == pytest.approx(percent / 100, abs=0.01)
    assert {task for task in tasks if is_blind(task, salt, 20)} <= {task for task in tasks if is_blind(task, salt, 50)}
    other = {task for task in tasks if is_blind(task, UUID(int=8), 20)}
    both = sum(is_blind(task, salt, 20) for task in other)
    assert both / len(tasks) == pytest.approx(0.04, abs=0.01)


def test_no_task_is_blind_at_nothing_and_every_one_at_all() -> None:
    tasks = [uuid4() for _ in range(200)]
    assert not any(is_blind(task, UUID(int=1), 0) for task in tasks)
    assert all(is_blind(task, UUID(int=1), 100) for task in tasks)


def test_everybody_is_on_the_same_side_of_a_task(
    runtime: Runtime, session: Session, world: World, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge, blind=50)
    people = join(session, world, now=NOW, people=2)
    sides: dict[UUID, set[bool]] = {}
    for person in people:
        for task in world.tasks[:12]:
            claim = work.claim_task(session, person.actor, world.project.id, task.id, now=NOW).claim
            sides.setdefault(task.id, set()).add(kept(session, claim.id).shown)
            work.submit(session, person.actor, claim.id, answer_of(claim, "r1"), now=NOW)
    assert all(len(side) == 1 for side in sides.values())
    assert {side.pop() for side in sides.values()} == {True, False}


# --- What is shown


def test_a_suggestion_is_in_the_names_that_the_person_sees_and_without_the_models_reason(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    claimed = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    assert claimed.suggestion is not None
    name = dict(zip(claimed.claim.display_order, "AB", strict=True))
    assert claimed.suggestion.answer["ranks"] == {name["r1"]: 1, name["r2"]: 2}
    assert claimed.suggestion.answer["justification"] == ""
    assert name["r1"] in claimed.suggestion.words
    assert (claimed.suggestion.model, claimed.suggestion.used) == ("", None)
    again = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    assert again.suggestion == claimed.suggestion


def test_who_judges_blind_gets_nothing_of_it_and_is_measured_all_the_same(
    runtime: Runtime, client: TestClient, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 100)
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    given = client.post(path, headers=worker.headers).json()
    assert given["suggestion"] is None
    assert "model" not in str(given["task"]).lower()
    claim = session.scalars(select(Claim)).one()
    with pytest.raises(NothingSuggested):
        suggesting.note_use(session, worker.actor, claim.id, True, now=NOW)
    work.submit(session, worker.actor, claim.id, answer_of(claim, "r1"), now=NOW)
    found = kept(session, claim.id)
    assert (found.shown, found.agrees, found.outcome, found.distances) == (False, True, None, {"answer": 0.0})


def test_a_task_that_the_judge_could_not_answer_has_no_suggestion(
    runtime: Runtime, session: Session, world: World, worker: User
) -> None:
    judge = add_judge(session, runtime, world, lambda number: None)
    suggest(session, runtime, world, judge)
    claimed = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    assert claimed.suggestion is None
    assert session.scalars(select(ClaimSuggestion)).all() == []


def test_a_gold_task_is_treated_like_the_others(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    task = world.tasks[0]
    session.add(TaskGold(task_id=task.id, project_id=world.project.id, answer={"ranks": {"r1": 2, "r2": 1}}))
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    assert work.claim_task(session, worker.actor, world.project.id, task.id, now=NOW).suggestion is not None


def test_an_open_claim_keeps_what_it_was_given(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    before = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    off = Wanted(SuggestionSource.OFF)
    suggestions.set_suggestions(session, world.client.actor, world.project.id, off, now=NOW)
    after = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    assert after.suggestion == before.suggestion is not None
    work.release_claim(session, worker.actor, before.claim.id, now=NOW)
    assert work.claim_next(session, worker.actor, world.project.id, now=NOW).suggestion is None


def test_a_retired_judge_suggests_nothing(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    judge.state = JudgeState.RETIRED
    session.flush()
    assert work.claim_next(session, worker.actor, world.project.id, now=NOW).suggestion is None
    assert not suggestions.setting_of(session, world.project).on


# --- What becomes of it


@pytest.mark.parametrize(
    ("best", "strength", "used", "outcome", "agrees"),
    [
        ("r1", 2, True, SuggestionOutcome.ACCEPTED, True),
        ("r1", 2, False, SuggestionOutcome.ACCEPTED, True),
        ("r1", 2, None, SuggestionOutcome.ACCEPTED, True),
        ("r1", 3, True, SuggestionOutcome.EDITED, True),
        ("r2", 2, True, SuggestionOutcome.EDITED, False),
        ("r2", 2, False, SuggestionOutcome.REJECTED, False),
        ("r2", 2, None, SuggestionOutcome.REJECTED, False),
        ("r1", 1, None, SuggestionOutcome.REJECTED, True),
    ],
)
def test_what_became_of_it_is_told_by_the_answer(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge,
    best: str, strength: int, used: bool | None, outcome: SuggestionOutcome, agrees: bool,
) -> None:  # fmt: skip
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    found = answered(session, worker, world, best, used, strength)
    assert (found.outcome, found.agrees, found.used) == (outcome, agrees, used)
    assert found.distances == {"answer": 0.0 if best == "r1" else 1.0}
    assert found.submission_id is not None


def test_pressing_is_told_once_and_only_by_who_holds_the_claim(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    claim = work.claim_next(session, worker.actor, world.project.id, now=NOW).claim
    stranger = make_contributor(session, now=NOW)
    with pytest.raises(NotFound):
        suggesting.note_use(session, stranger.actor, claim.id, True, now=NOW)
    for used in (True, True, None, False):
        suggesting.note_use(session, worker.actor, claim.id, used, now=NOW)
    told = session.scalars(
        select(Event.kind).where(Event.subject_kind == "claim", Event.kind.contains("suggestion")).order_by(Event.id)
    )
    assert list(told) == ["work.suggestion_used", "work.suggestion_put_back", "work.suggestion_declined"]
    work.submit(session, worker.actor, claim.id, answer_of(claim, "r1"), now=NOW)
    session.expire_all()
    with pytest.raises(ClaimEnded):
        suggesting.note_use(session, worker.actor, claim.id, True, now=NOW)


def test_who_gets_a_task_again_after_the_lease_finds_how_the_draft_began(
    runtime: Runtime, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    suggest(session, runtime, world, judge)
    set_share(session, world, 0)
    first = work.claim_next(session, worker.actor, world.project.id, now=NOW)
    suggesting.note_use(session, worker.actor, first.claim.id, True, now=NOW)
    work.save_draft(session, worker.actor, first.claim.id, answer_of(first.claim, "r1"), 1, now=NOW)
    later = NOW + timedelta(hours=2)
    work.expire_overdue(session, now=later)
    second = work.claim_task(session, worker.actor, world.project.id, first.claim.task_id, now=later)
    assert second.claim.id != first.claim.id
    assert second.suggestion is not None
    assert second.suggestion.used is True


# --- Files


def annotation_world(session: Session, predictions: int = 1, tasks: int = 4) -> World:
    def predicted(label: str) -> dict[str, Any]:
        value = {"choices": [label]}
        return {"id": "p", "from_name": "mood", "to_name": "text", "type": "choices", "value": value}

    guesses = [{"model_version": "tagger-7", "result": [predicted("Good")]}] * predictions
    rows = [{"data": {"text": f"Text {number}"}, "predictions": guesses} for number in range(tasks)]
    return make_kind_world(session, kind="annotation", config={"label_config": CONFIG}, rows=rows, now=NOW)


def chosen(label: str, **more: Any) -> dict[str, Any]:
    result = {"id": "mine", "from_name": "mood", "to_name": "text", "type": "choices", "value": {"choices": [label]}}
    return {"result": [{**result, **more}]}


def test_what_a_file_brings_along_is_a_suggestion_like_any_other(runtime: Runtime, session: Session) -> None:
    world = annotation_world(session)
    worker = join(session, world, now=NOW)[0]
    outcomes = []
    for label, used in (("Good", True), ("Bad", True), ("Bad", False), ("Good", None)):
        claimed = work.claim_next(session, worker.actor, world.project.id, now=NOW)
        assert not claimed.shown.get("predictions")
        assert claimed.suggestion is not None
        assert claimed.suggestion.model == "tagger-7"
        results: Any = claimed.suggestion.answer["result"]
        assert [(each["origin"], each["value"]) for each in results] == [("prediction", {"choices": ["Good"]})]
        if used is not None:
            suggesting.note_use(session, worker.actor, claimed.claim.id, used, now=NOW)
        work.submit(session, worker.actor, claimed.claim.id, chosen(label), now=NOW)
        outcomes.append(kept(session, claimed.claim.id).outcome)
    # The last came to the same answer by itself: ids and origins of results make no difference.
    assert [each and each.value for each in outcomes] == ["accepted", "edited", "rejected", "accepted"]


def test_a_blind_task_hides_what_the_file_brought_along(runtime: Runtime, client: TestClient, session: Session) -> None:
    world = annotation_world(session)
    worker = join(session, world, now=NOW)[0]
    suggest(session, runtime, world, None)
    set_share(session, world, 100)
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    given = client.post(path, headers=worker.headers)
    assert given.json()["suggestion"] is None
    assert "tagger-7" not in given.text
    assert "Good" not in str(given.json()["task"])


def test_a_project_that_hides_predictions_suggests_none(runtime: Runtime, session: Session) -> None:
    world = annotation_world(session)
    world.project.config = {**world.project.config, "show_predictions": False}
    worker = join(session, world, now=NOW)[0]
    assert work.claim_next(session, worker.actor, world.project.id, now=NOW).suggestion is None


@pytest.mark.parametrize("decided", [False, True])
def test_a_reviewer_gets_the_task_as_its_author_saw_it(
    runtime: Runtime, client: TestClient, session: Session, decided: bool
) -> None:
    world = annotation_world(session)
    world.project.review_percent = 100
    for task in world.tasks:
        task.payload = {**task.payload, "meta": {"guess": "secret note"}}
    if decided:
        suggest(session, runtime, world, None)
    worker = join(session, world, now=NOW)[0]
    claim = work.claim_next(session, worker.actor, world.project.id, now=NOW).claim
    work.submit(session, worker.actor, claim.id, chosen("Bad"), now=NOW)
    given = client.post("/api/v1/reviews/next", headers=world.reviewer.headers)
    assert given.status_code == 200, given.text
    assert given.json()["task"]["data"] == {"text": "Text 0"}
    for hidden in ("tagger-7", "Good", "secret note"):
        assert hidden not in given.text.replace(CONFIG, "")


def test_a_reviewer_reads_responses_by_the_names_that_the_author_saw(
    runtime: Runtime, client: TestClient, session: Session, world: World, worker: User
) -> None:
    world.project.review_percent = 100
    session.flush()
    claim = work.claim_next(session, worker.actor, world.project.id, now=NOW).claim
    given = answer_of(claim, "r2")
    work.submit(session, worker.actor, claim.id, given, now=NOW)
    item = client.post("/api/v1/reviews/next", headers=world.reviewer.headers).json()
    payload = world.tasks[0].payload
    stored = {each["id"]: each["messages"] for each in payload["responses"]}
    assert [each["id"] for each in item["task"]["responses"]] == ["A", "B"]
    assert [each["messages"] for each in item["task"]["responses"]] == [stored[each] for each in claim.display_order]
    assert item["answer"]["ranks"] == given["ranks"]


# --- Setting it


def test_only_managers_set_it_and_each_change_leaves_an_event(
    runtime: Runtime, session: Session, world: World, judge: AiJudge
) -> None:
    viewer = make_contributor(session, now=NOW)
    add_member(
        session, world.client.actor, org_id=world.organization.id, person_id=viewer.id, role=OrgRole.VIEWER, now=NOW
    )
    actor = signed(session, viewer.person, now=NOW).actor
    wanted = Wanted(SuggestionSource.JUDGE, judge.id, 30)
    with pytest.raises(RoleTooSmall):
        suggestions.set_suggestions(session, actor, world.project.id, wanted, now=NOW)
    found = suggestions.set_suggestions(session, world.client.actor, world.project.id, wanted, now=NOW)
    assert (found.source, found.blind_percent, found.decided, found.on) == (SuggestionSource.JUDGE, 30, True, True)
    salt = session.get_one(SuggestionPlan, world.project.id).salt
    off = Wanted(SuggestionSource.OFF, None, 30)
    assert not suggestions.set_suggestions(session, world.client.actor, world.project.id, off, now=NOW).on
    assert session.get_one(SuggestionPlan, world.project.id, populate_existing=True).salt == salt
    told = session.scalars(select(Event).where(Event.kind == "work.suggestions_changed").order_by(Event.id)).all()
    assert [each.data["source"] for each in told] == ["judge", "off"]


def test_what_cannot_be_is_refused(runtime: Runtime, session: Session, world: World, judge: AiJudge) -> None:
    other = make_world(session, now=NOW, tasks=1)
    theirs = add_judge(session, runtime, other, lambda number: None, title="Theirs")
    refused = [
        (Wanted(SuggestionSource.JUDGE, judge.id, BLIND_PERCENT_MIN - 1), BlindShareOutOfRange),
        (Wanted(SuggestionSource.JUDGE, judge.id, BLIND_PERCENT_MAX + 1), BlindShareOutOfRange),
        (Wanted(SuggestionSource.JUDGE), JudgeNeeded),
        (Wanted(SuggestionSource.JUDGE, theirs.id), JudgeNeeded),
        (Wanted(SuggestionSource.OFF, judge.id), JudgeNeeded),
        (Wanted(SuggestionSource.FILE), NoSuggestionsInFiles),
    ]
    for wanted, error in refused:
        with pytest.raises(error):
            suggestions.set_suggestions(session, world.client.actor, world.project.id, wanted, now=NOW)
    assert not suggestions.setting_of(session, world.project).decided


def test_the_api_sets_reads_and_reports(
    runtime: Runtime, client: TestClient, session: Session, world: World, worker: User, judge: AiJudge
) -> None:
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/suggestions"
    headers = world.client.headers
    assert client.get(path, headers=headers).json() == {
        "source": "off", "judge_id": None, "blind_percent": 0, "decided": False, "on": False,
    }  # fmt: skip
    body = {"source": "judge", "judge_id": show_id("judge", judge.id)}
    assert client.put(path, headers=headers, json=body).json()["blind_percent"] == 20
    assert client.put(path, headers=headers, json={**body, "blind_percent": 3}).status_code == 422
    assert client.get(path, headers=make_contributor(session, now=NOW).headers).status_code == 404
    set_share(session, world, 0)
    claims = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    claim = client.post(claims, headers=worker.headers).json()
    answer = claim["suggestion"]["answer"]
    used = client.put(f"/api/v1/claims/{claim['id']}/suggestion", headers=worker.headers, json={"used": True})
    assert used.json() == {"used": True}
    own = {**answer, "justification": "The sum is right there and not here."}
    sent = client.post(f"/api/v1/claims/{claim['id']}/submission", headers=worker.headers, json={"answer": own})
    assert sent.status_code == 201, sent.text
    [report] = client.get(f"{path}/report", headers=headers).json()["items"]
    assert (report["shown"], report["blind"], report["judge_title"]) == (1, 0, "Judge")
    assert report["outcomes"]["accepted"]["count"] == 1
    assert report["agreement"]["difference"]["value"] is None
    assert "20 tasks a side are needed" in report["agreement"]["difference"]["reason"]
