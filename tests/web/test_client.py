"""A client's pages, through HTTP with a session cookie."""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from preceptor.assessments.service.assessments import create_assessment
from preceptor.assessments.settings import AssessmentIn, ItemIn
from preceptor.cli.application import create_app
from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.http.edge import COOKIE
from preceptor.kit import jobs
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.money.service import statement_of
from preceptor.people.identify import csrf_token
from preceptor.people.models import OrgRole
from preceptor.people.service.organizations import add_member
from preceptor.people.service.sessions import start_session
from preceptor.projects.models import (
    GuidelinesVersion,
    Import,
    ImportState,
    Project,
    ProjectState,
    RubricVersion,
    Task,
    TaskState,
)
from preceptor.projects.service import imports
from preceptor.training import service as training
from preceptor.web import (
    client_guidelines,
    client_imports,
    client_models,
    client_money,
    client_people,
    client_places,
    client_projects,
    client_quality,
    client_releases,
    client_tests,
    client_work,
)
from preceptor.work import service as work
from preceptor.work.models_quality import Evidence, EvidenceKind
from tests.datasets.judged import Judged, make_judged
from tests.factories import User, World, join, make_client, make_contributor, make_user, make_world, signed
from tests.web.acting import Answer, Desk

MODULES = (
    client_projects, client_work, client_people, client_places, client_guidelines, client_imports,
    client_money, client_quality, client_releases, client_models, client_tests,
)  # fmt: skip
HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
TERMS = {
    "title": "Debates", "summary": "Which argument convinces?", "task_type": "comparison",
    "question": "Which is more convincing?", "ranking": "full", "allow_ties": "true", "scale_strength": "true",
    "justification_min_chars": "20", "overlap": "3", "lease_minutes": "30", "expected_seconds": "130",
    "review_percent": "20", "review_hours": "72", "revision_hours": "48", "blind_review": "true", "rate": "0.42",
    "currency": "USD", "qualification_id": "", "budget": "",
}  # fmt: skip
CRITERION = {
    "criterion_title": "Sound", "criterion_description": "It follows.", "criterion_key": "sound",
    "criterion_scale_min": "1", "criterion_scale_max": "5", "criterion_weight": "1.5",
    "criterion_anchors": "1 = no\n5 = yes",
}  # fmt: skip


def sit_down(client: TestClient, runtime: Runtime, session: Session, user: User, clock: FixedClock) -> Desk:
    secret = start_session(session, user.id, user_agent="test", address=None, active_role="client", now=clock.now())
    return Desk(client, secret, csrf_token(secret, runtime.settings.signing_key()))


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2, rate_minor=40)


@pytest.fixture
def desk(client: TestClient, runtime: Runtime, session: Session, world: World, clock: FixedClock) -> Desk:
    return sit_down(client, runtime, session, world.client, clock)


@pytest.fixture
def viewer(client: TestClient, runtime: Runtime, session: Session, world: World, clock: FixedClock) -> Desk:
    person = make_user(session, now=clock.now())
    add_member(session, SYSTEM, org_id=world.organization.id, person_id=person.id, role=OrgRole.VIEWER, now=clock.now())
    session.flush()
    return sit_down(client, runtime, session, signed(session, person.person, now=clock.now()), clock)


@pytest.fixture
def stranger(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Desk:
    _, owner = make_client(session, now=clock.now())
    return sit_down(client, runtime, session, owner, clock)


def base(world: World) -> str:
    return f"/projects/{show_id('project', world.project.id)}"


def judge(session: Session, person: User, world: World, clock: FixedClock, better: str = "r1", why: str = "") -> None:
    claimed = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    shown = dict(zip(claimed.claim.display_order, "AB", strict=True))
    worse = "r2" if better == "r1" else "r1"
    answer = {
        "ranks": {shown[better]: 1, shown[worse]: 2}, "strength": 2,
        "justification": why or "This one adds up, and the other does not.",
    }  # fmt: skip
    work.submit(session, person.actor, claimed.claim.id, answer, now=clock.now())


def judged(session: Session, world: World, clock: FixedClock, *, why: str = "") -> list[User]:
    """Two people judge every task; what is due is approved."""
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        for _ in world.tasks:
            judge(session, person, world, clock, why=why)
    work.approve_due(session, now=clock.now())
    session.flush()
    return people


def run_job(runtime: Runtime, name: str, **ids: str) -> None:
    jobs.registered[name](runtime, **ids)


@contextmanager
def count_queries(runtime: Runtime) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    yield seen
    event.remove(runtime.engine, "before_cursor_execute", note)


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


# --- From nothing to an open project


def test_a_project_is_made_filled_and_opened_by_forms(
    client: TestClient, runtime: Runtime, session: Session, clock: FixedClock
) -> None:
    organization, owner = make_client(session, now=clock.now())
    operator = make_user(session, now=clock.now(), is_operator=True)
    money.top_up(session, operator.actor, organization.id, Money(10_000, "USD"), note="", now=clock.now())
    desk = sit_down(client, runtime, session, owner, clock)

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
        "dimension_key": ["", "clear", ""], "dimension_title": ["Is it true?", "Clear", ""],
        "dimension_help": ["Nothing false", "", ""], "dimension_required": ["yes", "no", "yes"],
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
    changed = desk.post(f"{base(world)}/settings", **{**TERMS, "question": "Another?", "rate": "0.50"})
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
    with count_queries(runtime) as few:
        assert "6 of 6" in desk.get("/projects").text
    for number in range(12):
        desk.post("/projects", **{**TERMS, "title": f"Another {number}"})
    with count_queries(runtime) as many:
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


# --- Tasks


def test_tasks_page_by_cursor_and_are_searched(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    session.add_all(
        Task(project_id=world.project.id, external_id=f"more-{n}", payload=world.tasks[0].payload, position=10 + n,
             wanted=2, created_at=clock.now())
        for n in range(60)
    )  # fmt: skip
    session.flush()
    first = desk.get(f"{base(world)}/tasks").text
    following = re.search(r'href="([^"]*cursor=tsk_[0-9a-f]+)"\s+rel="next"', first)
    assert following is not None
    second = desk.get(following[1].replace("&amp;", "&")).text
    shown = [set(re.findall(r">(more-\d+|sum-\d+)<", page)) for page in (first, second)]
    assert len(shown[0]) == 50
    assert len(shown[1]) == 13
    assert not shown[0] & shown[1]
    assert set(re.findall(r">(more-\d+|sum-\d+)<", desk.get(f"{base(world)}/tasks?q=more-59").text)) == {"more-59"}


def test_the_export_holds_exactly_what_is_shown(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    world.tasks[0].external_id = "=1+1"
    session.flush()
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        judge(session, person, world, clock)
    everything = rows_of(desk.get(f"{base(world)}/tasks/export.csv"))
    assert sorted(row["external_id"] for row in everything) == ["'=1+1", "sum-1", "sum-2"]
    judged_one = next(row for row in everything if row["external_id"] == "'=1+1")
    assert (judged_one["verdict"], judged_one["votes"], judged_one["of"]) == ("r1", "2", "2")
    done = rows_of(desk.get(f"{base(world)}/tasks/export.csv?show=done"))
    assert [row["done"] for row in done] == ["2"]


def test_the_list_of_tasks_takes_the_same_queries_however_many(
    desk: Desk, runtime: Runtime, session: Session, world: World, clock: FixedClock
) -> None:
    judged(session, world, clock)
    with count_queries(runtime) as seen:
        page = desk.get(f"{base(world)}/tasks")
    assert page.text.count("Unanimous") == 3
    assert len(seen) <= 9, "\n".join(seen)


def test_a_task_shows_every_judgment_with_pseudonym_pay_and_review(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    people = judged(session, world, clock, why="Because it adds up as anybody can check.")
    page = desk.get(f"{base(world)}/tasks/{show_id('task', world.tasks[0].id)}").text
    assert page.count("Because it adds up as anybody can check.") == 2
    assert page.count("r1 &gt; r2, better") == 2
    assert "Unanimous" in page
    assert page.count('value="0.40 USD"') == 2
    for person in people:
        assert person.person.name not in page
        assert person.person.email not in page


def test_a_flagged_task_is_kept_or_retired(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        claimed = work.claim_next(session, person.actor, world.project.id, now=clock.now())
        work.flag_task(session, person.actor, claimed.claim.id, "broken", "Half of it is missing.", now=clock.now())
    task = world.tasks[0]
    assert state_of(session, task) == "flagged"
    here = f"{base(world)}/tasks/{show_id('task', task.id)}"
    assert "Half of it is missing." in desk.get(here).text
    assert desk.post(f"{here}/state", to="keep").status_code == 303
    assert state_of(session, task) == "open"
    assert "Reported as broken</p>" not in desk.get(here).text
    assert desk.post(f"{here}/state", to="retire").status_code == 303
    assert state_of(session, task) == "retired"


def state_of(session: Session, task: Task) -> str:
    session.refresh(task)
    return task.state.value


# --- People, quality, money


def test_people_are_shown_with_intervals_and_without_names(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    people = judged(session, world, clock)
    page = desk.get(f"{base(world)}/people").text
    assert page.count('aria-label="Agreement with others') == 2
    assert all(person.person.email not in page for person in people)
    assert "Krippendorff" in desk.get(f"{base(world)}/quality").text


def test_a_reviewer_is_added_by_address_and_removed(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    other = make_user(session, now=clock.now(), is_reviewer=True)
    nobody = make_contributor(session, now=clock.now())
    assert desk.post(f"{base(world)}/reviewers", email=other.person.email.upper()).status_code == 303
    assert other.person.name in desk.get(f"{base(world)}/people").text
    assert desk.post(f"{base(world)}/reviewers", email=nobody.person.email).status_code == 422
    gone = desk.post(f"{base(world)}/reviewers/{show_id('person', other.id)}/remove")
    assert gone.status_code == 303
    assert other.person.name not in desk.get(f"{base(world)}/people").text


def test_the_statement_reconciles_to_the_cent(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    judged(session, world, clock)
    world.project.state = ProjectState.PAUSED
    session.flush()
    assert desk.post(f"{base(world)}/money/take-back").status_code == 303
    assert desk.post(f"{base(world)}/money/fund", amount="12.34").status_code == 303
    lines = rows_of(desk.get(f"{base(world)}/money/statement.csv"))
    minor = [int(line["amount"].replace(".", "")) for line in lines]
    assert sum(minor) == 1234
    assert lines[0]["balance_after"] == "12.34"
    assert [line["what"] for line in lines].count("Added from the wallet") == 2
    assert [line["what"] for line in lines].count("Paid for an approved judgment") == 6
    spent = money.project_spent(session, world.organization.id, world.project.id, "USD")
    assert spent == Money(240, "USD")
    wallet = rows_of(desk.get("/money/statement.csv?currency=USD"))
    held = money.wallet_balance(session, world.organization.id, "USD")
    assert sum(int(line["amount"].replace(".", "")) for line in wallet) == held.minor
    assert wallet[0]["balance_after"] == held.amount
    booked = statement_of(session, AccountKind.WALLET, world.organization.id, "USD", limit=500)
    assert sum(line.amount.minor for line in booked) == held.minor
    proof = money.prove(session)
    assert proof.imbalance_minor == 0


def test_an_open_project_keeps_its_money(desk: Desk, world: World, session: Session) -> None:
    before = money.project_funds(session, world.project.id, "USD").escrow
    assert desk.post(f"{base(world)}/money/take-back").status_code == 422
    assert money.project_funds(session, world.project.id, "USD").escrow == before


def test_the_wallet_page_names_the_project_behind_each_move(desk: Desk, world: World) -> None:
    page = desk.get("/money").text
    assert "Paid in" in page
    assert re.search(r"Set aside for a project: <a[^>]*>Sums</a>", page)


# --- Guidelines and rubric


def test_versions_are_numbered_and_compared(desk: Desk, world: World, session: Session) -> None:
    for body in ("# One\n\nfirst line", "# One\n\nsecond line"):
        assert desk.post(f"{base(world)}/guidelines", body=body).status_code == 303
    again = desk.post(f"{base(world)}/guidelines", body="# One\n\nsecond line")
    assert again.status_code == 303
    numbers = session.scalars(
        select(GuidelinesVersion.number).where(GuidelinesVersion.project_id == world.project.id)
    ).all()
    assert sorted(numbers) == [1, 2]
    page = desk.get(f"{base(world)}/guidelines?from=1&to=2").text
    assert re.search(r"<ins[^>]*>.*second line</ins>", page)
    assert re.search(r"<del[^>]*>.*first line</del>", page)
    assert desk.get(f"{base(world)}/guidelines?from=1&to=9").status_code == 404


def test_a_rubric_with_a_mistake_names_the_criterion(desk: Desk, world: World, session: Session) -> None:
    wrong = {**CRITERION, "criterion_anchors": "9 = off the scale"}
    answer = desk.post(f"{base(world)}/rubric", **wrong)
    assert answer.status_code == 422
    assert "Criterion 1" in answer.text
    assert "not on the scale" in answer.text
    assert desk.post(f"{base(world)}/rubric", **CRITERION).status_code == 303
    newest = session.scalars(
        select(RubricVersion).where(RubricVersion.project_id == world.project.id).order_by(RubricVersion.number.desc())
    ).first()
    assert newest is not None
    assert newest.criteria[0]["anchors"] == {"1": "no", "5": "yes"}


def test_a_preview_is_safe(desk: Desk) -> None:
    answer = desk.post("/markdown/preview", text=f"# Hello\n\n{HOSTILE}")
    assert "Hello</h3>" in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text


# --- Import


def test_a_file_of_unknown_layout_is_mapped_by_hand(
    desk: Desk, runtime: Runtime, world: World, session: Session
) -> None:
    rows = [{"ask": f"Question {n}", "left": "yes, because", "right": "no, since"} for n in range(3)]
    sent = desk.upload(f"{base(world)}/imports", "odd.jsonl", "\n".join(map(json.dumps, rows)).encode())
    here = sent.json()["redirect"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", here.rsplit("/", 1)[-1])))
    failed = desk.get(here).text
    assert "Nothing was imported" in failed
    assert '<option value="left"' in failed
    refused = desk.post(f"{here}/again", column_prompt="ask")
    assert refused.status_code == 422
    again = desk.post(f"{here}/again", column_prompt="ask", column_response_a="left", column_response_b="right")
    assert again.status_code == 303
    there = again.headers["location"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", there.rsplit("/", 1)[-1])))
    assert "3 new tasks" in desk.get(there).text


def test_the_report_names_line_field_and_problem(desk: Desk, runtime: Runtime, world: World, session: Session) -> None:
    good = {"prompt": "Which?", "response_a": "a", "response_b": "b"}
    lines = [json.dumps(good), json.dumps({**good, "priority": 77}), "{broken"]
    sent = desk.upload(f"{base(world)}/imports", "bad.jsonl", "\n".join(lines).encode())
    here = sent.json()["redirect"]
    run_job(runtime, "projects.run_import", import_id=str(read_id("import", here.rsplit("/", 1)[-1])))
    page = desk.get(here).text
    found = session.get_one(Import, read_id("import", here.rsplit("/", 1)[-1]), populate_existing=True)
    assert [problem["line"] for problem in found.problems] == [2, 3]
    assert "priority" in page
    assert "2 problems" in page


# --- Releases and models


@dataclass
class House:
    """A project with everything a client can have, committed, and the desks of who looks at it."""

    judged: Judged
    owner: Desk
    viewer: Desk
    stranger: Desk
    ids: dict[str, str]

    @property
    def base(self) -> str:
        return f"/projects/{self.ids['project_id']}"


@pytest.fixture
def house(open_runtime: Callable[..., Runtime]) -> Iterator[House]:
    runtime = open_runtime()
    now = runtime.clock.now()
    judged = make_judged(runtime, tasks=20, people=2, overlap=2, now=now)
    for person in judged.people:
        for _ in judged.world.tasks:
            judged.judge(person, "r1")
    judged.approve_all()
    release = judged.release(HOSTILE)
    owner = judged.world.client
    with runtime.sessions.begin() as session:
        run = training.request_run(session, owner.actor, release.id, now=now)
        found = _failed_import(session, runtime, judged.world, now)
        made = create_assessment(session, owner.actor, judged.world.organization.id, _assessment(judged), now=now)
        viewer = _viewer(session, judged.world, now)
        _, stranger = make_client(session, now=now)
        secrets = [_session(session, user, now) for user in (owner, viewer, stranger)]
        evidence = _evidence(session, judged, now)
    training.train_run(runtime, run.id)
    ids = {
        "project_id": show_id("project", judged.project_id), "task_id": show_id("task", judged.world.tasks[0].id),
        "person_id": show_id("person", judged.world.reviewer.id), "release_id": show_id("release", release.id),
        "model_id": show_id("model", run.id), "import_id": show_id("import", found.id),
        "assessment_id": show_id("assessment", made.id), "evidence_id": show_id("evidence", evidence.id),
        "name": pseudonyms(runtime.settings.signing_key(), judged.world.organization.id)(judged.people[0].id),
    }  # fmt: skip
    app = create_app(runtime)
    with TestClient(app, follow_redirects=False, headers={"sec-fetch-site": "same-origin"}) as client:
        key = runtime.settings.signing_key()
        desks = [Desk(client, secret, csrf_token(secret, key)) for secret in secrets]
        yield House(judged, owner=desks[0], viewer=desks[1], stranger=desks[2], ids=ids)


def _evidence(session: Session, judged: Judged, now: datetime) -> Evidence:
    found = Evidence(
        project_id=judged.project_id, person_id=judged.people[0].id, kind=EvidenceKind.SPEED, log_e=3.5, log_e_max=3.5,
        false_alarms=0.05, n=20, path=[[1, 0.2], [20, 3.5]], statement="Answers came very fast.", created_at=now,
        updated_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def _session(session: Session, user: User, now: datetime) -> str:
    return start_session(session, user.id, user_agent="test", address=None, active_role="client", now=now)


def _viewer(session: Session, world: World, now: datetime) -> User:
    person = make_user(session, now=now)
    add_member(session, SYSTEM, org_id=world.organization.id, person_id=person.id, role=OrgRole.VIEWER, now=now)
    session.flush()
    return signed(session, person.person, now=now)


def _failed_import(session: Session, runtime: Runtime, world: World, now: datetime) -> Import:
    key = imports.file_key(world.project.id, "d" * 64)
    runtime.storage.put(key, b'{"ask": "?", "left": "a", "right": "b"}\n')
    found = Import(
        project_id=world.project.id, filename="odd.jsonl", file_key=key, digest="d" * 64, size_bytes=40,
        state=ImportState.FAILED, problem_count=1, problems=[{"line": 1, "field": None, "problem": HOSTILE}],
        created_at=now, finished_at=now,
    )  # fmt: skip
    session.add(found)
    session.flush()
    return found


def _assessment(judged: Judged) -> AssessmentIn:
    item = ItemIn(payload=judged.world.tasks[0].payload, answer={"ranks": {"r1": 1, "r2": 2}}, explanation=HOSTILE)
    return AssessmentIn(title=HOSTILE, qualification_title="Sums", questions=1, items=[item])


def test_a_release_is_read_as_its_card_and_fetched_by_signed_links(house: House) -> None:
    here = f"{house.base}/releases/{house.ids['release_id']}"
    page = house.owner.get(here).text
    assert "load_dataset" in page
    assert "first finished release" in page
    assert "---\n" not in page
    link = house.owner.get(f"{here}/file?path=manifest.json")
    assert link.status_code == 303
    assert link.headers["location"].startswith("/files/releases/")
    assert hashlib.sha256(house.owner.get(link.headers["location"]).content).hexdigest() in page
    assert house.owner.get(f"{here}/file?path=../../secret").status_code == 404


def test_a_second_release_says_what_changed(house: House) -> None:
    second = house.judged.release("Second")
    page = house.owner.get(f"{house.base}/releases/{show_id('release', second.id)}").text
    assert "0 added, 0 changed, 0 removed" in page


def test_a_release_of_nothing_is_refused_in_words(desk: Desk, world: World) -> None:
    answer = desk.post(f"{base(world)}/releases", title="Empty")
    assert answer.status_code == 422
    assert "no judgments" in answer.text


def test_a_release_in_the_making_shows_its_progress(
    desk: Desk, runtime: Runtime, world: World, session: Session, clock: FixedClock
) -> None:
    judged(session, world, clock)
    asked = desk.post(f"{base(world)}/releases", title="Soon")
    assert asked.status_code == 303, asked.text
    page = desk.get(asked.headers["location"])
    assert "Waiting for a worker" in page.text
    assert 'hx-trigger="every 1s"' in page.text


def test_a_model_is_shown_beside_the_length_baseline_and_scores(house: House) -> None:
    here = f"{house.base}/models/{house.ids['model_id']}"
    page = house.owner.get(here).text
    assert "Always the longer response" in page
    assert "Accuracy of the model" in page
    scored = house.owner.post(f"{here}/score", prompt="What is 2 + 2?", response_a="It is 4.", response_b="It is 4.")
    assert re.search(r"[+-]\d+\.\d{3}", scored.text)
    assert "It finds both equally good." in scored.text
    refused = house.owner.post(f"{here}/score", prompt="", response_a="")
    assert "Give a prompt" in refused.text
    assert house.ids["model_id"] in house.owner.get("/models").text
    assert house.ids["model_id"] not in house.stranger.get("/models").text


# --- Entry tests


def test_a_test_is_made_of_an_uploaded_file_and_retired(desk: Desk, world: World, session: Session) -> None:
    rows = [
        {
            "prompt": f"Which is even? {n}", "response_a": "2", "response_b": "3", "gold": "a",
            "gold_explanation": "Two is even.",
        }
        for n in range(6)
    ]  # fmt: skip
    fields = {
        "title": "Even numbers", "introduction": "Read.", "qualification_title": "Even", "questions": "4",
        "practice_items": "2", "pass_percent": "80", "time_minutes": "10", "attempts_max": "2", "cooldown_hours": "1",
    }  # fmt: skip
    made = desk.upload("/tests/manage", "items.jsonl", "\n".join(map(json.dumps, rows)).encode(), **fields)
    assert made.status_code == 303, made.text
    here = made.headers["location"]
    page = desk.get(here).text
    assert page.count("Two is even.") == 6
    assert page.count(">Practice<") == 2
    assert "Even numbers" in desk.get("/tests/manage").text
    assert "Even</option>" in desk.get("/projects/new").text
    assert desk.post(f"{here}/retire").status_code == 303
    assert "Retired" in desk.get(here).text


def test_a_test_of_too_few_items_says_so_and_keeps_the_form(desk: Desk) -> None:
    answer = desk.post("/tests/manage", title="Short", questions="4", practice_items="0", pass_percent="80",
                       time_minutes="10", attempts_max="2", cooldown_hours="1")  # fmt: skip
    assert answer.status_code == 422
    assert "Upload a file of items" in answer.text
    assert 'value="Short"' in answer.text


# --- Who may see and do what


NOT_OF_ONE_ORGANIZATION = {
    ("GET", "/projects"), ("POST", "/projects"), ("GET", "/projects/new"), ("POST", "/projects/estimate"),
    ("GET", "/money"), ("GET", "/money/statement.csv"), ("GET", "/models"),
    ("GET", "/tests/manage"), ("GET", "/tests/manage/new"), ("POST", "/tests/manage"),
}  # fmt: skip


def routes() -> Iterator[tuple[str, str]]:
    """Method and path of every route of the client's pages."""
    for module in MODULES:
        for route in module.router.routes:
            assert isinstance(route, APIRoute)
            yield from ((method, route.path) for method in sorted((route.methods or set()) - {"HEAD"}))


def filled(house: House) -> list[tuple[str, str]]:
    """The routes that name something of one organization, with ids of things that exist there."""
    found = [(method, path.format(**house.ids)) for method, path in routes() if "{" in path]
    files = [
        f"{house.base}/releases/{house.ids['release_id']}/file?path={name}" for name in ("README.md", "manifest.json")
    ]
    return [*found, *(("GET", path) for path in files)]


def ask(desk: Desk, method: str, path: str) -> Answer:
    if method == "GET":
        return desk.get(path)
    if path.endswith("/imports"):
        return desk.upload(path, "tasks.jsonl", b"{}")
    return desk.post(path)


def test_every_route_is_looked_at() -> None:
    named = {(method, path) for method, path in routes() if "{" in path}
    assert {*routes()} - named == NOT_OF_ONE_ORGANIZATION
    assert len(named) > 30


def test_another_organization_finds_nothing_anywhere(house: House) -> None:
    for method, path in filled(house):
        answer = ask(house.stranger, method, path)
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code}"
        assert "Sums" not in answer.text
    for path in ("/money", "/money/statement.csv", "/tests/manage", "/tests/manage/new"):
        org = show_id("organization", house.judged.world.organization.id)
        assert house.stranger.get(f"{path}?org={org}").status_code == 404
    assert house.stranger.get(f"/tests/manage/new?project={house.ids['project_id']}").status_code == 404
    taken = house.stranger.post(
        "/projects", **TERMS, organization=show_id("organization", house.judged.world.organization.id)
    )
    assert taken.status_code == 404


def test_nobody_gets_in_without_signing_in(house: House) -> None:
    nobody = Desk(house.owner.client, "", "")
    for method, path in filled(house):
        assert ask(nobody, method, path).status_code in (303, 401, 403), f"{method} {path}"


def test_a_contributor_has_no_client_pages(house: House) -> None:
    runtime = house.judged.runtime
    with runtime.sessions.begin() as session:
        secret = _session(session, house.judged.people[0], runtime.clock.now())
    desk = Desk(house.owner.client, secret, csrf_token(secret, runtime.settings.signing_key()))
    for method, path in filled(house):
        assert ask(desk, method, path).status_code in (403, 404), f"{method} {path}"


def test_a_viewer_sees_everything_and_changes_nothing(house: House) -> None:
    with house.judged.runtime.sessions() as session:
        before = session.scalar(select(func.max(Event.id)))
    reads = ("/score",)
    for method, path in filled(house):
        if path.endswith("/file"):
            continue  # without the name of a file there is nothing to see
        answer = ask(house.viewer, method, path)
        if method == "GET" or path.endswith(reads):
            assert answer.status_code in (200, 303), f"{method} {path}: {answer.status_code}"
        else:
            assert answer.status_code == 403, f"{method} {path}: {answer.status_code}"
    assert house.viewer.post("/projects", **TERMS).status_code == 403
    with house.judged.runtime.sessions() as session:
        assert session.scalar(select(func.max(Event.id))) == before


def test_a_viewer_meets_no_gold_and_no_buttons_that_change(house: House) -> None:
    house.judged.make_gold(house.judged.world.tasks[0])
    task = f"{house.base}/tasks/{house.ids['task_id']}"
    assert "Gold, shown to managers only" in house.owner.get(task).text
    for path in (task, house.base, f"{house.base}/money", f"{house.base}/people", f"{house.base}/releases"):
        page = house.viewer.get(path).text
        assert "Gold, shown" not in page
        assert 'action="/projects' not in page.replace(f'action="{house.base}/tasks"', "")
    assert HOSTILE not in house.viewer.get(f"/tests/manage/{house.ids['assessment_id']}").text
    assert "Items" not in house.viewer.get(f"/tests/manage/{house.ids['assessment_id']}").text


def test_what_strangers_wrote_stays_inert_on_every_page(house: House) -> None:
    runtime = house.judged.runtime
    with runtime.sessions.begin() as session:
        project = session.get_one(Project, house.judged.project_id)
        project.title, project.summary = HOSTILE, HOSTILE
        task = session.get_one(Task, house.judged.world.tasks[0].id)
        task.external_id, task.topic = HOSTILE, HOSTILE
        task.payload = {
            "prompt": [{"role": "user", "content": HOSTILE}],
            "responses": [
                {"id": f"r{n}", "source": HOSTILE, "messages": [{"role": "assistant", "content": HOSTILE}]}
                for n in (1, 2)
            ],
        }  # fmt: skip
    checked = 0
    for method, path in filled(house):
        if method == "GET" and not path.endswith(".csv") and "/file" not in path:
            page = house.owner.get(path).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
            checked += 1
    assert checked > 15
    assert "<script>alert" not in house.owner.get("/projects").text
