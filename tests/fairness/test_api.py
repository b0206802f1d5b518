"""Decisions and appeals over the API."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work.models import Decision
from tests.factories import User, make_client, make_contributor, make_user
from tests.fairness.cases import REASON, WHY, WORDS, Case, decide, earned, everything_holds, make_case
from tests.web.acting import judge


@pytest.fixture
def case(session: Session, clock: FixedClock) -> Case:
    return make_case(session, clock)


def ask(client: TestClient, user: User, method: str, path: str, body: object = None, status: int = 200) -> Any:
    answer = client.request(method, f"/api/v1{path}", headers=user.headers, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def decision_path(case: Case) -> str:
    return f"/decisions/{show_id('receipt', case.receipt.id)}"


def appeal(client: TestClient, case: Case) -> str:
    made = ask(client, case.person, "POST", f"{decision_path(case)}/appeal", {"words": WORDS}, 201)
    return f"/appeals/{made['id']}"


def test_a_decision_is_read_appealed_and_overturned(client: TestClient, session: Session, case: Case) -> None:
    [listed] = ask(client, case.person, "GET", "/me/decisions")["items"]
    assert (listed["kind"], listed["rule_version"], listed["statement"]) == ("reject", "rubric 1", WHY)
    before = ask(client, case.person, "GET", decision_path(case))
    assert (before["decided_by"], before["can_appeal"], before["work"]["paid"]) == ("reviewer", True, False)
    assert before["work"]["criteria"][0]["verdict"] == "not_met"
    path = appeal(client, case)
    [queued] = ask(client, case.second, "GET", "/appeals")["items"]
    assert (queued["appeal"]["words"], queued["you_decided_first"]) == (WORDS, False)
    outcome = {"outcome": "overturned", "reason": REASON}
    assert ask(client, case.second, "POST", f"{path}/decision", outcome)["state"] == "overturned"
    after = ask(client, case.person, "GET", decision_path(case))
    assert (after["appeal"]["reason"], after["can_appeal"], after["work"]["paid"]) == (REASON, False, True)
    assert earned(session, case.person) == 42
    everything_holds(session)


@pytest.mark.parametrize(
    ("who", "body", "status", "code"),
    [
        ("reviewer", {"outcome": "stands", "reason": REASON}, 403, "decided_first"),
        ("client", {"outcome": "stands", "reason": "No."}, 422, "statement_needed"),
        ("client", {"outcome": "whatever", "reason": REASON}, 422, "invalid"),
    ],
)
def test_refusals_have_names(
    client: TestClient, case: Case, who: str, body: dict[str, str], status: int, code: str
) -> None:
    path = appeal(client, case)
    refused = ask(client, getattr(case.world, who), "POST", f"{path}/decision", body, status)
    assert refused["code"] == code


def test_short_words_and_a_second_appeal_are_refused(client: TestClient, case: Case) -> None:
    path = f"{decision_path(case)}/appeal"
    assert ask(client, case.person, "POST", path, {"words": "No."}, 422)["code"] == "words_needed"
    first = ask(client, case.person, "POST", path, {"words": WORDS}, 201)
    assert ask(client, case.person, "POST", path, {"words": WORDS}, 201)["id"] == first["id"]
    other = {"words": "Something else that I thought of later."}
    assert ask(client, case.person, "POST", path, other, 409)["code"] == "already_appealed"


def test_strangers_find_neither_decision_nor_appeal(
    client: TestClient, session: Session, clock: FixedClock, case: Case
) -> None:
    path = appeal(client, case)
    _, owner = make_client(session, now=clock.now())
    strangers = [
        owner,
        make_user(session, now=clock.now(), is_reviewer=True),
        make_contributor(session, now=clock.now()),
    ]
    for stranger in strangers:
        ask(client, stranger, "GET", decision_path(case), status=404)
        ask(client, stranger, "POST", f"{decision_path(case)}/appeal", {"words": WORDS}, 404)
        ask(client, stranger, "GET", path, status=404)
        ask(client, stranger, "POST", f"{path}/decision", {"outcome": "stands", "reason": REASON}, 404)
        assert ask(client, stranger, "GET", "/appeals")["items"] == []
        assert ask(client, stranger, "GET", "/me/decisions")["items"] == []


def test_the_appeal_of_blind_work_says_not_whose_it_is(client: TestClient, case: Case) -> None:
    path = appeal(client, case)
    for reader in (case.second, case.world.client):
        answer = client.get(f"/api/v1{path}", headers=reader.headers)
        assert answer.status_code == 200
        for secret in (case.person.id.hex, str(case.person.id), case.person.person.name, case.person.person.email):
            assert secret not in answer.text
        assert case.world.reviewer.person.name not in answer.text


def test_lists_are_paged(client: TestClient, session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, tasks=3)
    for _ in range(2):
        decide(session, case.world.reviewer, judge(session, case.person, case.world, clock), clock, Decision.REJECT)
    seen: list[str] = []
    cursor = ""
    while True:
        page = ask(client, case.person, "GET", f"/me/decisions?limit=1{cursor}")
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 3


# --- Places


@pytest.mark.parametrize(("act", "state"), [("pause", "paused"), ("retrain", "retraining"), ("remove", "removed")])
def test_a_place_is_closed_on_evidence_and_opened_again(
    client: TestClient, runtime: Runtime, case: Case, act: str, state: str
) -> None:
    world = case.world
    named = pseudonyms(runtime.settings.signing_key(), world.organization.id)(case.person.id)
    base = f"/projects/{show_id('project', world.project.id)}/people/{named}"
    [evidence] = ask(client, world.client, "GET", f"{base}/evidence")["items"]
    assert evidence["kind"] == "review"
    body = {"rule": "guidelines", "reason": WHY, "evidence": [evidence["key"]]}
    closed = ask(client, world.client, "POST", f"{base}/{act}", body)
    assert (closed["person"], closed["state"]) == (named, state)
    [mine, _] = ask(client, case.person, "GET", "/me/decisions")["items"]
    assert mine["id"] == closed["receipt_id"]
    assert [link["kind"] for link in mine["evidence"]] == ["review"]
    claims = f"/projects/{show_id('project', world.project.id)}/claims"
    assert ask(client, case.person, "POST", claims, status=403)["code"] == "not_eligible"
    opened = ask(client, world.client, "POST", f"{base}/reinstate", {})
    assert (opened["state"], opened["receipt_id"]) == ("active", None)


def test_a_place_needs_rule_and_reason(client: TestClient, case: Case) -> None:
    world = case.world
    path = f"/projects/{show_id('project', world.project.id)}/people/{show_id('person', case.person.id)}/pause"
    short = ask(client, world.client, "POST", path, {"rule": "guidelines", "reason": "No."}, 422)
    assert short["code"] == "reason_needed"
    ask(client, world.client, "POST", path, {"rule": "mood", "reason": WHY}, 422)
    ask(client, world.reviewer, "POST", path, {"rule": "guidelines", "reason": WHY}, 404)
    assert ask(client, world.operator, "POST", path, {"rule": "guidelines", "reason": WHY})["state"] == "paused"
