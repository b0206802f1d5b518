"""A client's projects: from nothing to an open one, the list, and while it runs."""

import json
import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.http.edge import COOKIE
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import read_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.projects.models import GuidelinesVersion, Project, ProjectState, TaskState
from tests.factories import World, make_client, make_user
from tests.web.acting import Desk, Seating, statements
from tests.web.client.material import CRITERION, TERMS, base, judged, run_job

# --- From nothing to an open project


def test_a_project_is_made_filled_and_opened_by_forms(
    client: TestClient, runtime: Runtime, session: Session, clock: FixedClock
) -> None:
    organization, owner = make_client(session, now=clock.now())
    operator = make_user(session, now=clock.now(), is_operator=True)
    money.top_up(session, operator.actor, organization.id, Money(10_000, "USD"), note="", now=clock.now())
    desk = Seating(client, runtime, session, clock)(owner, "client")

    made = desk.post("/projects", **TERMS)
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    overview = desk.get(here)
    for missing in ("Guidelines", "Rubric", "Tasks", "Budget"):
        assert missing in overview.text
    refused = desk.post(f"{here}/state", to="open")
    assert refused.status_code == 409
    assert "Still missing" in refused.text

    assert desk.post(f"{here}/guidelines", body="# Judge\n\nthe argument").status_code == 303
    assert desk.post(f"{here}/rubric", **CRITERION).status_code == 303
    lines = [{"prompt": f"Name a prime above {n}.", "response_a": "7", "response_b": "9"} for n in range(4)]
    sent = desk.upload(f"{here}/imports", "primes.jsonl", "\n".join(map(json.dumps, lines)).encode())
    assert sent.status_code == 202
    import_page = sent.json()["redirect"]
    assert "Waiting for a worker" in desk.get(import_page).text
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", import_page.rsplit("/", 1)[-1])))
    assert "4 new tasks" in desk.get(import_page).text
    assert desk.post(f"{here}/money/fund", amount="25.00").status_code == 303
    assert desk.post(f"{here}/state", to="open").status_code == 303

    project = session.get_one(Project, read_id("project", here.rsplit("/", 1)[-1]))
    assert project.state is ProjectState.OPEN
    assert (project.rate_minor, project.overlap, project.lease_seconds) == (42, 3, 1800)
    assert project.config["question"] == "Which is more convincing?"
    assert money.project_funds(session, project.id, "USD").escrow == Money(2_500, "USD")
    assert "Prime" in desk.get(f"{here}/tasks?q=PRIME").text.title()


def test_a_refused_form_keeps_what_was_typed_and_says_where(desk: Desk, session: Session) -> None:
    before = len(session.scalars(select(Project)).all())
    answer = desk.post("/projects", **{**TERMS, "title": "Kept title", "rate": "0.421", "overlap": "3"})
    assert answer.status_code == 422
    assert "Kept title" in answer.text
    assert "has 2 digits after the point" in answer.text
    assert len(session.scalars(select(Project)).all()) == before


def test_a_budget_that_the_wallet_lacks_makes_no_project(desk: Desk, session: Session) -> None:
    before = len(session.scalars(select(Project)).all())
    answer = desk.post("/projects", **{**TERMS, "budget": "999.00"})
    assert answer.status_code == 422
    assert "The wallet holds 0.00 USD" in answer.text
    assert len(session.scalars(select(Project)).all()) == before


def test_dimensions_are_read_row_by_row_and_empty_rows_left_out(
    desk: Desk, session: Session, client: TestClient
) -> None:
    fields = {
        **TERMS,
        "config.dimensions.key": ["", "clear", ""], "config.dimensions.title": ["Is it true?", "Clear", ""],
        "config.dimensions.help": ["Nothing false", "", ""], "config.dimensions.required": ["yes", "no", "yes"],
        "csrf_token": desk.token,
    }  # fmt: skip
    made = client.post("/projects", data=fields, headers={"cookie": f"{COOKIE}={desk.cookie}"})
    project = session.get_one(Project, read_id("project", made.headers["location"].rsplit("/", 1)[-1]))
    assert [(row["key"], row["required"]) for row in project.config["dimensions"]] == [
        ("is_it_true", True), ("clear", False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rate", "seconds", "hourly"),
    [("0.42", "130", "11.63"), ("0.10", "7", "51.43"), ("12.00", "3600", "12.00")],
)
def test_the_hourly_pay_is_exact_to_the_cent(desk: Desk, rate: str, seconds: str, hourly: str) -> None:
    answer = desk.post("/projects/estimate", rate=rate, currency="USD", expected_seconds=seconds, overlap="3")
    assert f'value="{hourly} USD"' in answer.text


def test_settings_of_the_work_are_fixed_once_it_is_open(desk: Desk, world: World, session: Session) -> None:
    page = desk.get(f"{base(world)}/settings").text
    assert "These stay as they are once a project has been open" in page
    changed = desk.post(f"{base(world)}/settings", **{**TERMS, "config.question": "Another?", "rate": "0.50"})
    assert changed.status_code == 303, changed.text
    session.refresh(world.project)
    assert world.project.rate_minor == 50
    assert world.project.config["question"] != "Another?"


def test_pause_resume_and_close_move_the_project(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    world.project.guidelines_version_id = _guidelines(session, world, clock).id
    session.flush()
    for to, state in (("pause", "paused"), ("resume", "open"), ("close", "closing")):
        assert desk.post(f"{base(world)}/state", to=to).status_code == 303
        session.refresh(world.project)
        assert world.project.state == state
    assert desk.post(f"{base(world)}/state", to="fly").status_code == 422


def _guidelines(session: Session, world: World, clock: FixedClock) -> GuidelinesVersion:
    version = GuidelinesVersion(project_id=world.project.id, number=1, body="Judge.", created_at=clock.now())
    session.add(version)
    session.flush()
    return version


# --- The list


def test_the_list_shows_progress_in_a_fixed_number_of_queries(
    desk: Desk, runtime: Runtime, session: Session, world: World, clock: FixedClock
) -> None:
    judged(session, world, clock)
    with statements(runtime) as few:
        assert "6 of 6" in desk.get("/projects").text
    for number in range(12):
        desk.post("/projects", **{**TERMS, "title": f"Another {number}"})
    with statements(runtime) as many:
        assert "Another 11" in desk.get("/projects").text
    assert len(many) == len(few)
    assert len(many) <= 5


def test_the_list_searches_filters_and_sorts(desk: Desk, world: World) -> None:
    for title in ("Zebras", "Apples and pears"):
        desk.post("/projects", **{**TERMS, "title": title})
    found = desk.get("/projects?q=pears+apples").text
    assert "Apples and pears" in found
    assert "Zebras" not in found
    drafts = desk.get("/projects?state=draft&sort=title").text
    assert drafts.index("Apples and pears") < drafts.index("Zebras")
    assert ">Sums<" not in drafts
    assert "Nothing found" in desk.get("/projects?q=%25").text


def test_a_client_without_projects_is_told_what_they_are_for(stranger: Desk) -> None:
    page = stranger.get("/projects")
    assert page.status_code == 200
    assert "Make the first project" in page.text


# --- While it runs


def test_the_overview_says_what_was_done_spent_and_agreed(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    judged(session, world, clock)
    page = desk.get(base(world)).text
    assert re.search(r'data-live="done">6 <span[^>]*>of 6', page)
    assert 'value="2.40 USD"' in page  # six judgments of 0.40
    assert "every" in page
    assert f'hx-get="{base(world)}/live"' in page
    live = desk.get(f"{base(world)}/live", **{"hx-request": "true"})
    assert live.text.lstrip().startswith('<div id="live"')


def test_a_closed_project_stops_asking(desk: Desk, world: World, session: Session) -> None:
    world.project.state = ProjectState.CLOSED
    session.flush()
    assert "hx-trigger" not in desk.get(f"{base(world)}/live").text


def test_a_short_escrow_and_flagged_tasks_need_the_client(desk: Desk, world: World, session: Session) -> None:
    world.tasks[0].state = TaskState.FLAGGED
    world.project.rate_minor = 90_000
    session.flush()
    page = desk.get(f"{base(world)}/live").text
    assert "1 task was reported as broken" in page
    assert "The escrow lacks" in page


@pytest.mark.parametrize("source", ["recorded", "simulated"])
def test_the_source_of_the_data_is_said_wherever_its_numbers_are(
    desk: Desk, world: World, session: Session, source: str
) -> None:
    world.project.data_source = source
    session.flush()
    words = {"recorded": "Recorded judgments", "simulated": "Simulated contributors"}[source]
    for path in ("", "/quality", "/people", "/releases", "/models"):
        assert words in desk.get(base(world) + path).text
    assert source.capitalize() in desk.get("/projects").text
