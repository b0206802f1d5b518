"""The pages of decisions and appeals, through HTTP with a session cookie."""

import re
from html import unescape

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.fairness.models import Appeal, AppealState, ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.passwords import passwords_for
from preceptor.people.service import accounts
from preceptor.projects.models import Membership, MembershipState
from preceptor.work.models import Decision
from preceptor.work.service import appeals
from preceptor.work.service import membership_decisions as places
from tests.factories import User, join, make_client, make_contributor, make_user
from tests.fairness.cases import REASON, WHY, WORDS, Case, decide, earned, everything_holds, make_case
from tests.web.acting import Answer, Desk, Seating, judge, statements

PAGE_STATEMENTS = 16


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def case(session: Session, clock: FixedClock) -> Case:
    return make_case(session, clock)


def words(page: Answer) -> str:
    assert page.status_code in (200, 422), page.text
    text = re.sub(r"<script.*?</script>|<[^>]+>", " ", page.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(text)).strip()


def path_of(case: Case) -> str:
    return f"/decisions/{show_id('receipt', case.receipt.id)}"


def open_appeal(session: Session, case: Case, clock: FixedClock) -> str:
    found = appeals.appeal(session, case.person.actor, case.receipt.id, WORDS, now=clock.now())
    session.flush()
    return f"/appeals/{show_id('appeal', found.id)}"


# --- The person


def test_nothing_decided_says_so(session: Session, clock: FixedClock, seat: Seating) -> None:
    desk = seat(make_contributor(session, now=clock.now()))
    assert "No decision against you" in words(desk.get("/decisions"))
    assert "Nothing fits" in words(desk.get("/decisions?show=overturned"))


def test_a_decision_is_listed_and_read_with_everything_it_rests_on(seat: Seating, case: Case) -> None:
    desk = seat(case.person)
    assert path_of(case) in desk.get("/decisions").text
    shown = words(desk.get(path_of(case)))
    for expected in (
        WHY, "Right", "Not met", "Wrong side chosen", "adds up", "A reviewer of this project",  "who did not see",
        "Review against the rubric", "rubric 1", "$0.42", "went back to the project", "Appeal this decision",
    ):  # fmt: skip
        assert expected in shown
    assert case.world.reviewer.person.name not in shown


def test_a_result_leads_to_its_decision(seat: Seating, case: Case) -> None:
    desk = seat(case.person)
    assert path_of(case) in desk.get(f"/results/{show_id('submission', case.submission.id)}").text


def test_an_appeal_is_sent_once_and_its_outcome_read(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    desk = seat(case.person)
    short = desk.post(f"{path_of(case)}/appeal", words="Not fair.")
    assert short.status_code == 422
    assert "Not fair." in short.text
    assert desk.post(f"{path_of(case)}/appeal", words=WORDS).status_code == 303
    shown = words(desk.get(path_of(case)))
    assert "Under appeal" in shown
    assert WORDS in shown
    found = session.scalars(select(Appeal)).one()
    appeals.decide_appeal(session, case.second.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    outcome = words(desk.get(path_of(case)))
    assert "Overturned" in outcome
    assert REASON in outcome
    assert "$0.42 is in the balance" in outcome
    assert case.second.person.name not in outcome
    assert "An appeal overturned the first decision" in words(
        desk.get(f"/results/{show_id('submission', case.submission.id)}")
    )
    assert "Approved after an appeal" in words(desk.get("/earnings"))


def test_a_late_appeal_is_refused_with_the_date(clock: FixedClock, seat: Seating, case: Case) -> None:
    desk = seat(case.person)
    clock.at = case.receipt.appeal_until.replace(microsecond=1)
    late = desk.post(f"{path_of(case)}/appeal", words=WORDS)
    assert late.status_code == 410
    assert "16 Mar 2026" in late.text


def test_others_find_no_decision_of_mine(session: Session, clock: FixedClock, seat: Seating, case: Case) -> None:
    _, stranger = make_client(session, now=clock.now())
    for nobody in (case.world.reviewer, case.world.client, stranger, make_contributor(session, now=clock.now())):
        desk = seat(nobody)
        assert desk.get(path_of(case)).status_code == 404
        assert desk.post(f"{path_of(case)}/appeal", words=WORDS).status_code == 404


def test_the_list_takes_a_fixed_number_of_statements(
    session: Session, clock: FixedClock, runtime: Runtime, seat: Seating
) -> None:
    case = make_case(session, clock, tasks=6)
    for _ in range(4):
        decide(session, case.world.reviewer, judge(session, case.person, case.world, clock), clock)
    session.flush()
    desk = seat(case.person)
    desk.get("/decisions")
    with statements(runtime) as seen:
        desk.get("/decisions")
    assert len(seen) <= PAGE_STATEMENTS


# --- Who decides


def test_an_empty_queue_says_what_comes_here(seat: Seating, case: Case) -> None:
    assert "No appeal waits" in words(seat(case.second).get("/appeals"))


def test_an_appeal_is_read_side_by_side_and_overturned(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    path = open_appeal(session, case, clock)
    desk = seat(case.second)
    assert path in desk.get("/appeals").text
    shown = words(desk.get(path))
    for expected in (WHY, WORDS, "Not met", "Wrong side chosen", "A reviewer of this project"):
        assert expected in shown
    refused = desk.post(path, outcome="overturned", reason="Yes.")
    assert refused.status_code == 422
    assert desk.post(path, outcome="", reason=REASON).status_code == 422
    assert desk.post(path, outcome="overturned", reason=REASON).status_code == 303
    assert earned(session, case.person) == 42
    assert "Overturned" in words(desk.get("/appeals?show=decided"))
    everything_holds(session)


def test_the_first_decider_reads_why_somebody_else_decides(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    path = open_appeal(session, case, clock)
    desk = seat(case.world.reviewer)
    page = desk.get(path)
    assert "You made the decision that is appealed" in words(page)
    assert 'name="outcome"' not in page.text
    assert desk.post(path, outcome="stands", reason=REASON).status_code == 403


def test_a_blind_review_stays_blind_on_appeal(session: Session, clock: FixedClock, seat: Seating, case: Case) -> None:
    path = open_appeal(session, case, clock)
    person = case.person.person
    for reader in (case.second, case.world.client):
        page = seat(reader).get(path)
        assert person.name not in page.text
        assert show_id("person", person.id) not in page.text
        assert str(person.id) not in page.text
    assert person.name in seat(case.world.operator).get(path).text


def test_strangers_find_no_appeal(session: Session, clock: FixedClock, seat: Seating, case: Case) -> None:
    path = open_appeal(session, case, clock)
    _, stranger = make_client(session, now=clock.now())
    for nobody in (stranger, make_user(session, now=clock.now(), is_reviewer=True), case.person):
        desk = seat(nobody)
        assert desk.get(path).status_code == 404
        assert desk.post(path, outcome="overturned", reason=REASON).status_code == 404
        assert path not in desk.get("/appeals").text


# --- Rates


def test_rates_are_published_where_people_decide_to_join(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    board = f"/board/{show_id('project', case.world.project.id)}"
    newcomer = seat(make_contributor(session, now=clock.now()))
    assert "No appeal decided yet" in words(newcomer.get(board))
    path = open_appeal(session, case, clock)
    seat(case.second).post(path, outcome="overturned", reason=REASON)
    for page in (newcomer.get(board), seat(case.world.client).get(people(case))):
        assert "1 of 1 appeal decided" in words(page)


# --- The client


def people(case: Case) -> str:
    return f"/projects/{show_id('project', case.world.project.id)}/people"


def place_path(page: Answer) -> str:
    found = re.search(r'href="(/projects/prj_\w+/people/p_\w+)"', page.text)
    assert found is not None
    return found.group(1)


def test_a_place_is_paused_after_confirming_and_opened_again(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    desk = seat(case.world.client)
    path = place_path(desk.get(people(case)))
    assert WHY in words(desk.get(path))
    sent = {"kind": "pause", "rule": "guidelines", "reason": WHY}
    assert desk.post(f"{path}/decide", **(sent | {"reason": "Bad."})).status_code == 422
    assert desk.post(f"{path}/decide", **(sent | {"rule": "operator_decision"})).status_code == 422
    confirm = desk.post(f"{path}/decide", **sent)
    assert "can appeal" in words(confirm)
    assert membership(session, case).state is MembershipState.ACTIVE
    assert desk.post(f"{path}/decide", **sent, confirmed="true").status_code == 303
    assert membership(session, case).state is MembershipState.PAUSED
    assert "Paused" in words(desk.get(people(case)))
    board = seat(case.person).get(f"/board/{show_id('project', case.world.project.id)}")
    assert "Read the decision" in words(board)
    assert desk.post(f"{path}/reinstate").status_code == 303
    assert membership(session, case).state is MembershipState.ACTIVE


def membership(session: Session, case: Case) -> Membership:
    return session.get_one(Membership, (case.world.project.id, case.person.id), populate_existing=True)


def test_another_client_and_a_viewer_decide_about_nobody(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    path = place_path(seat(case.world.client).get(people(case)))
    _, stranger = make_client(session, now=clock.now())
    for nobody in (stranger, case.world.reviewer, case.person):
        desk = seat(nobody)
        assert desk.get(path).status_code in (403, 404)
        sent = {"kind": "pause", "rule": "guidelines", "reason": WHY, "confirmed": "true"}
        assert desk.post(f"{path}/decide", **sent).status_code in (403, 404)
    assert membership(session, case).state is MembershipState.ACTIVE


def test_the_page_of_a_place_names_nobody(seat: Seating, case: Case) -> None:
    desk = seat(case.world.client)
    page = desk.get(place_path(desk.get(people(case))))
    assert case.person.person.name not in page.text
    assert case.person.id.hex not in page.text


# --- Operators


def test_operators_see_all_decisions_with_filters_and_rates(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    world = case.world
    places.decide_about_member(
        session, world.operator.actor, world.project.id, case.person.id, ReceiptKind.PAUSE, rule="careless", reason=WHY,
        now=clock.now(),
    )  # fmt: skip
    desk = seat(world.operator, "operator")
    rows = rows_of(desk, "")
    assert len(rows) == 2
    assert len(rows_of(desk, "?kind=pause")) == 1
    assert len(rows_of(desk, f"?by={show_id('person', world.reviewer.id)}")) == 1
    assert rows_of(desk, "?show=overturned") == []
    for path in rows:
        assert case.person.person.name in words(desk.get(path))
    assert world.reviewer.person.name in words(desk.get("/operator/decisions"))
    assert seat(world.client).get("/operator/decisions").status_code == 403


def rows_of(desk: Desk, query: str) -> list[str]:
    page = desk.get(f"/operator/decisions{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'href="(/operator/decisions/rcp_\w+)"', page.text)


# --- Suspended


def test_somebody_shut_out_reads_why_and_appeals_without_signing_in(
    session: Session, clock: FixedClock, runtime: Runtime, client: TestClient, seat: Seating, case: Case
) -> None:
    person = case.person.person
    person.password_hash = passwords_for(runtime.settings).hash("a long pass phrase 9")
    other = make_user(session, now=clock.now(), is_operator=True)
    reason = "Shares the account with others."
    accounts.suspend(session, case.world.operator.actor, person.id, reason=reason, rule="automated", now=clock.now())
    session.flush()
    wrong = client.post("/sign-in", data={"email": person.email, "password": "not that one"})
    assert wrong.status_code == 401
    told = client.post("/sign-in", data={"email": person.email, "password": "a long pass phrase 9"})
    path = told.headers["location"]
    assert path.startswith("/suspended/")
    shown = client.get(path)
    assert reason in shown.text
    assert "own" in shown.text
    assert client.post(f"{path}/appeal", data={"words": "No."}).status_code == 422
    assert client.post(f"{path}/appeal", data={"words": WORDS}).status_code == 303
    assert "Under appeal" in client.get(path).text
    found = session.scalars(select(Appeal)).one()
    assert (found.person_id, found.words) == (person.id, WORDS)
    appeals.decide_appeal(session, other.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    assert client.get(path).status_code == 404
    signed = client.post("/sign-in", data={"email": person.email, "password": "a long pass phrase 9"})
    assert not signed.headers["location"].startswith("/suspended/")


def test_a_forged_or_old_link_opens_nothing(
    session: Session, clock: FixedClock, runtime: Runtime, client: TestClient, case: Case
) -> None:
    person = case.person.person
    person.password_hash = passwords_for(runtime.settings).hash("a long pass phrase 9")
    accounts.suspend(session, case.world.operator.actor, person.id, reason=WHY, now=clock.now())
    session.flush()
    told = client.post("/sign-in", data={"email": person.email, "password": "a long pass phrase 9"})
    path = told.headers["location"]
    receipt, until, signature = path.removeprefix("/suspended/").split(".")
    forged = [
        f"{receipt}.{until}.{'0' * 64}",
        f"{receipt}.{int(until) + 9999}.{signature}",
        f"{show_id('receipt', case.receipt.id)}.{until}.{signature}",
        receipt,
    ]
    assert {client.get(f"/suspended/{token}").status_code for token in forged} == {404}
    assert client.get(path).status_code == 200
    clock.at = clock.at.replace(hour=clock.at.hour + 2)
    assert client.get(path).status_code == 404


def test_returned_work_is_revised_or_appealed(session: Session, clock: FixedClock, seat: Seating) -> None:
    case = make_case(session, clock, Decision.RETURN)
    shown = words(seat(case.person).get(path_of(case)))
    assert "Revise it" in shown
    assert "$0.42 stays set aside while it can be revised" in shown


def test_people_without_judgments_are_found_when_their_place_is_closed(
    session: Session, clock: FixedClock, seat: Seating, case: Case
) -> None:
    idle: User = join(session, case.world, now=clock.now())[0]
    places.decide_about_member(
        session, case.world.client.actor, case.world.project.id, idle.id, ReceiptKind.REMOVE, rule="fit", reason=WHY,
        now=clock.now(),
    )  # fmt: skip
    assert "Places that are closed" in words(seat(case.world.client).get(people(case)))
