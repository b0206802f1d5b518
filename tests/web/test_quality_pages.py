"""Quality as each role reads it: the client's page, the contributor's skill, the operator's evidence board."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.work.models import Submission
from preceptor.work.models_quality import Evidence, EvidenceState
from tests.factories import make_client, make_contributor
from tests.web.acting import Desk, Seating, statements
from tests.work.test_fitting import Crowd, make_crowd, right, wrong

ALWAYS_WRONG = 4


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def crowd(runtime: Runtime, session: Session) -> Crowd:
    """Thirty tasks by four people who are right and one who is wrong each time, fitted."""
    made = make_crowd(runtime, session, tasks=30, people=5)
    made.judged(lambda person, number, _: wrong(number) if person == ALWAYS_WRONG else right(number))
    made.fit()
    session.flush()
    return made


@pytest.fixture
def client_desk(seat: Seating, crowd: Crowd) -> Desk:
    return seat(crowd.world.client)


def quality_of(crowd: Crowd) -> str:
    return f"/projects/{show_id('project', crowd.project_id)}/quality"


# --- The client


def test_the_client_reads_answers_cost_people_and_evidence(client_desk: Desk, crowd: Crowd) -> None:
    page = client_desk.get(quality_of(crowd))
    assert page.status_code == 200
    for part in ("Agreement", "Answers", "Cost of a settled task", "Skill by person", "Below the standard"):
        assert part in page.text
    assert crowd.people[ALWAYS_WRONG].person.name not in page.text


def test_before_the_first_fit_the_page_says_so_and_offers_one(
    seat: Seating, runtime: Runtime, session: Session
) -> None:
    made = make_crowd(runtime, session, tasks=2, people=2).judged(lambda person, number, _: right(number))
    session.flush()
    desk = seat(made.world.client)
    assert "Not weighed yet" in desk.get(quality_of(made)).text
    asked = desk.post(f"{quality_of(made)}/fit")
    assert asked.status_code == 303
    assert asked.headers["location"] == quality_of(made)


def test_the_page_costs_the_same_number_of_statements_for_more_tasks(
    seat: Seating, client_desk: Desk, crowd: Crowd, runtime: Runtime, session: Session
) -> None:
    larger = make_crowd(runtime, session, tasks=60, people=5)
    larger.judged(lambda person, number, _: wrong(number) if person == ALWAYS_WRONG else right(number))
    larger.fit()
    session.flush()
    with statements(runtime) as few:
        client_desk.get(quality_of(crowd))
    desk = seat(larger.world.client)
    with statements(runtime) as many:
        desk.get(quality_of(larger))
    assert len(many) <= len(few) + 1


def test_another_client_finds_no_quality_page(seat: Seating, crowd: Crowd, session: Session, clock: FixedClock) -> None:
    _, stranger = make_client(session, now=clock.now())
    desk = seat(stranger)
    assert desk.get(quality_of(crowd)).status_code == 404
    assert desk.post(f"{quality_of(crowd)}/fit").status_code == 404


def test_evidence_is_marked_as_seen_and_stays(client_desk: Desk, crowd: Crowd, session: Session) -> None:
    found = session.scalars(select(Evidence).where(Evidence.project_id == crowd.project_id)).first()
    assert found is not None
    base = f"/projects/{show_id('project', crowd.project_id)}"
    assert client_desk.post(f"{base}/evidence/{show_id('evidence', found.id)}/seen").status_code == 303
    session.refresh(found)
    assert found.state is EvidenceState.SEEN


# --- The contributor


def test_a_contributor_reads_their_own_skill_with_its_interval(seat: Seating, crowd: Crowd) -> None:
    desk = seat(crowd.people[0])
    assert crowd.world.project.title in desk.get("/skills").text
    page = desk.get(f"/skills/{show_id('project', crowd.project_id)}").text
    assert 'role="img" aria-label="Accuracy' in page
    assert "None of your decided judgments differs" in page


def test_who_saw_it_differently_finds_the_tasks_in_the_names_they_were_shown(
    seat: Seating, crowd: Crowd, session: Session
) -> None:
    # A decision is what opens the comparison: before, it would tell people what others said.
    person = crowd.people[ALWAYS_WRONG]
    desk = seat(person)
    path = f"/skills/{show_id('project', crowd.project_id)}"
    assert "None of your decided judgments differs" in desk.get(path).text
    own = update(Submission).where(Submission.person_id == person.id)
    session.execute(own.values(state="approved", decided_at=crowd.world.project.created_at))
    page = desk.get(path).text
    assert "Settled answer" in page
    assert set(re.findall(r'data-label="You said"[^>]*>\s*([^<]*?)\s*<', page)) == {"A", "B"}


def test_nothing_weighed_yet_says_what_will_be_here(seat: Seating, session: Session, clock: FixedClock) -> None:
    desk = seat(make_contributor(session, now=clock.now()))
    assert "Nothing weighed yet" in desk.get("/skills").text


def test_nobody_reads_the_skill_of_others(seat: Seating, crowd: Crowd, session: Session, clock: FixedClock) -> None:
    desk = seat(make_contributor(session, now=clock.now()))
    assert desk.get(f"/skills/{show_id('project', crowd.project_id)}").status_code == 404


# --- The operator


def test_the_board_lists_who_stands_out_and_draws_the_path(seat: Seating, crowd: Crowd) -> None:
    desk = seat(crowd.world.operator)
    person = crowd.people[ALWAYS_WRONG].person
    board = desk.get("/operator/evidence").text
    assert person.name in board
    assert crowd.people[0].person.name not in board
    page = desk.get(f"/operator/evidence/{show_id('person', person.id)}").text
    assert "preceptor-chart" in page
    assert "Speaks from here" in page


def test_seen_evidence_moves_to_the_other_list(seat: Seating, crowd: Crowd, session: Session) -> None:
    desk = seat(crowd.world.operator)
    for found in session.scalars(select(Evidence).where(Evidence.project_id == crowd.project_id)).all():
        key = show_id("evidence", found.id)
        assert desk.post(f"/operator/evidence/{key}/seen", back="https://elsewhere.example").headers["location"] == (
            "/operator/evidence"
        )
    name = crowd.people[ALWAYS_WRONG].person.name
    assert name not in desk.get("/operator/evidence").text
    assert name in desk.get("/operator/evidence?state=seen").text


@pytest.mark.parametrize("who", ["client", "contributor"])
def test_only_operators_see_the_board(seat: Seating, crowd: Crowd, who: str) -> None:
    desk = seat(crowd.world.client if who == "client" else crowd.people[0])
    assert desk.get("/operator/evidence").status_code in (403, 404)


# --- The same over the API


def test_the_api_says_what_the_pages_say(client: TestClient, crowd: Crowd) -> None:
    base = f"/api/v1/projects/{show_id('project', crowd.project_id)}"
    found = client.get(f"{base}/evidence", headers=crowd.world.client.headers).json()["items"]
    assert found
    assert all(not each["person"].startswith("per_") for each in found)
    board = client.get("/api/v1/evidence", headers=crowd.world.operator.headers).json()["items"]
    assert {each["person"] for each in board} == {show_id("person", crowd.people[ALWAYS_WRONG].id)}
    seen = client.post(f"{base}/evidence/{found[0]['id']}/seen", headers=crowd.world.client.headers)
    assert seen.json()["state"] == "seen"
    skills = client.get("/api/v1/me/skills", headers=crowd.people[0].headers).json()["items"]
    assert [each["judgments"] for each in skills] == [30]
    parts = client.get(f"{base}/quality/findings", headers=crowd.world.client.headers).json()
    assert set(parts) == {"ambiguous", "escalated", "criteria"}


@pytest.mark.parametrize("path", ["/evidence", "/quality/findings"])
def test_strangers_read_none_of_it_over_the_api(
    client: TestClient, crowd: Crowd, session: Session, clock: FixedClock, path: str
) -> None:
    _, stranger = make_client(session, now=clock.now())
    base = f"/api/v1/projects/{show_id('project', crowd.project_id)}"
    assert client.get(f"{base}{path}", headers=stranger.headers).status_code == 404
    assert client.get(f"{base}{path}", headers=crowd.people[0].headers).status_code == 404
    assert client.get("/api/v1/evidence", headers=crowd.people[0].headers).status_code in (403, 404)
