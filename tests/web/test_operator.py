"""Operators' pages through HTTP: money that can be followed, payout runs, jobs, events; and who may not."""

import csv
import io
import json
from decimal import Decimal

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

import preceptor.people.jobs  # noqa: F401
from preceptor.kit import events, jobs, jobs_admin
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import new_id, show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind, AccountPart, Payout, PayoutBatch, PayoutState, Posting
from preceptor.web import operator_money, operator_system
from preceptor.work.service import approve_due, prove_work
from tests.factories import User, World, join, make_client, make_contributor, make_world
from tests.web.acting import Desk, Seating, judge, statements

MONEY = "/operator/money"
FORMULA = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    return make_world(session, now=clock.now(), tasks=3, overlap=2)


@pytest.fixture
def seat(client: TestClient, runtime: Runtime, session: Session, clock: FixedClock) -> Seating:
    return Seating(client, runtime, session, clock)


@pytest.fixture
def desk(seat: Seating, world: World) -> Desk:
    return seat(world.operator)


@pytest.fixture
def earners(session: Session, world: World, clock: FixedClock) -> list[User]:
    """Two people who have earned 0.42 USD each."""
    people = join(session, world, now=clock.now(), people=2)
    for person in people:
        judge(session, person, world, clock)
    approve_due(session, now=clock.now())
    session.flush()
    return people


def proven(session: Session) -> bool:
    session.flush()
    return money.prove(session).ok and prove_work(session)[1] == []


def made_run(desk: Desk) -> str:
    made = desk.post(f"{MONEY}/payouts", currency="USD", minimum="")
    assert made.status_code == 303, made.text
    return made.headers["location"]


def all_routes() -> list[APIRoute]:
    found = [*operator_money.router.routes, *operator_system.router.routes]
    return [route for route in found if isinstance(route, APIRoute)]


# --- Doors


def test_every_operator_page_is_closed_to_every_other_role(
    session: Session, world: World, desk: Desk, seat: Seating, earners: list[User], clock: FixedClock
) -> None:
    run = made_run(desk)
    payout = session.scalars(select(Payout)).first()
    posting = session.scalars(select(Posting)).first()
    assert payout is not None
    assert posting is not None
    ids = {
        "account_id": show_id("account", posting.from_account_id),
        "posting_id": show_id("posting", posting.id),
        "batch_id": run.rpartition("/")[2],
        "payout_id": show_id("payout", payout.id),
        "job_id": "1",
    }
    others = [world.client, world.reviewer, earners[0], make_contributor(session, now=clock.now())]
    routes = all_routes()
    assert len(routes) >= 20
    for route in routes:
        path = route.path.format(**ids)
        for user in others:
            browser = seat(user)
            for method in route.methods or ():
                answer = browser.get(path) if method == "GET" else browser.post(path)
                assert answer.status_code == 403, (method, path)
    session.refresh(payout)
    assert payout.state is PayoutState.PENDING


def test_an_operators_key_without_the_scope_is_refused(
    client: TestClient, session: Session, world: World, clock: FixedClock
) -> None:
    from preceptor.people.service.keys import create_key

    _, key = create_key(session, SYSTEM, person_id=world.operator.id, name="reader", scopes=["read"], now=clock.now())
    session.flush()
    for path in (
        MONEY,
        f"{MONEY}/postings",
        f"{MONEY}/payouts",
        "/operator/jobs",
        "/operator/events",
        "/operator/events.csv",
    ):
        assert client.get(path, headers={"authorization": f"Bearer {key}"}).status_code == 403, path


# --- Balances


def test_balances_come_to_zero_and_the_proof_is_computed(session: Session, desk: Desk, earners: list[User]) -> None:
    assert "All balances come to zero" in desk.get(MONEY).text
    proof = desk.post(f"{MONEY}/prove")
    assert 'data-proof="holds"' in proof.text
    assert "Balances to the cent" in proof.text
    one = select(AccountPart.account_id).where(AccountPart.balance_minor > 100).limit(1).scalar_subquery()
    session.execute(
        update(AccountPart).where(AccountPart.account_id == one).values(balance_minor=AccountPart.balance_minor + 1)
    )
    assert "do not come to zero" in desk.get(MONEY).text
    broken = desk.post(f"{MONEY}/prove").text
    assert 'data-proof="broken"' in broken
    assert "its postings say" in broken


def test_a_proof_that_takes_too_long_says_so(session: Session, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from preceptor.work.service import proof

    monkeypatch.setattr(operator_money, "PROOF_SECONDS_MAX", 1)
    monkeypatch.setitem(proof._CHECKS, "slow", "SELECT count(*) FROM (SELECT pg_sleep(3)) AS slow")
    answer = desk.post(f"{MONEY}/prove")
    assert "preceptor doctor --ledger" in answer.text
    assert "All balances come to zero" in desk.get(MONEY).text


def test_a_posting_leads_to_its_source_its_accounts_and_its_siblings(
    session: Session, world: World, desk: Desk, earners: list[User]
) -> None:
    earned = session.scalars(select(Posting).where(Posting.purpose == "earn")).first()
    assert earned is not None
    reserved = session.scalars(
        select(Posting).where(Posting.source_id == earned.source_id, Posting.purpose == "reserve")
    ).one()
    page = desk.get(f"{MONEY}/postings/{show_id('posting', earned.id)}").text
    assert show_id("posting", reserved.id) in page
    assert show_id("claim", earned.source_id) in page
    assert any(f"/operator/people/{show_id('person', user.id)}" in page for user in earners)
    account = desk.get(f"{MONEY}/accounts/{show_id('account', earned.to_account_id)}").text
    assert show_id("posting", earned.id) in account
    assert "0.42" in account
    found = desk.get(f"{MONEY}/postings?q={show_id('claim', earned.source_id)}").text
    assert show_id("posting", earned.id) in found
    assert show_id("posting", reserved.id) in found


@pytest.mark.parametrize(
    ("q", "count"), [("1000.00", 1), ("0.42", 4), ("2026-03-02", None), ("1999-01-01", 0), ("nobody here", 0)]
)
def test_postings_are_found_by_amount_day_and_words(desk: Desk, earners: list[User], q: str, count: int | None) -> None:
    rows = list(csv.DictReader(io.StringIO(desk.get(f"{MONEY}/postings.csv?q={q}").text)))
    assert len(rows) == count if count is not None else rows
    assert all(Decimal(row["amount"]) >= 0 for row in rows)


def test_postings_are_found_by_the_name_of_an_owner(desk: Desk, world: World, earners: list[User]) -> None:
    rows = list(csv.DictReader(io.StringIO(desk.get(f"{MONEY}/postings.csv?q={earners[0].person.email}").text)))
    assert [row["purpose"] for row in rows] == ["earn"]
    assert rows[0]["to_owner"] == earners[0].person.name


def test_exports_do_not_start_formulas(session: Session, world: World, desk: Desk, clock: FixedClock) -> None:
    money.top_up(session, world.operator.actor, world.organization.id, Money(100, "USD"), note=FORMULA, now=clock.now())
    events.record(session, SYSTEM, "=evil.kind()", "task", None, at=clock.now(), data={"x": FORMULA})
    session.flush()
    for path in (f"{MONEY}/postings.csv", "/operator/events.csv"):
        answer = desk.get(path)
        assert "attachment" in answer.headers["content-disposition"]
        cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
        assert cells
        assert [cell for cell in cells if cell[:1] in ("=", "+", "@", "\t", "\r")] == []
    assert FORMULA in desk.get(f"{MONEY}/postings.csv").text.replace('""', '"')


# --- Top-ups


def top_up_of(world: World, *, amount: str, note: str) -> dict[str, str]:
    organization = show_id("organization", world.organization.id)
    return {"organization": organization, "amount": amount, "currency": "USD", "note": note}


def test_a_top_up_is_checked_confirmed_and_booked_once(session: Session, world: World, desk: Desk) -> None:
    given = {
        "organization": show_id("organization", world.organization.id),
        "amount": "1,250.50",
        "currency": "USD",
        "note": "Invoice 7",
    }
    check = desk.post(f"{MONEY}/top-up/check", **given)
    assert check.status_code == 200
    assert "1,250.50" in check.text
    before = money.wallet_balance(session, world.organization.id, "USD")
    once = new_id().hex
    assert desk.post(f"{MONEY}/top-up", **given, once=once).status_code == 303
    again = desk.post(f"{MONEY}/top-up", **given, once=once)
    assert again.status_code == 409
    assert (money.wallet_balance(session, world.organization.id, "USD") - before).amount == "1250.50"
    assert proven(session)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "0", "more than zero"),
        ("amount", "-5", "more than zero"),
        ("amount", "1.005", "digits after the point"),
        ("amount", "much", "not an amount"),
        ("currency", "XXX", "not a currency"),
        ("organization", "org_" + "0" * 32, "Choose an organization"),
        ("note", "n" * 501, "500 characters"),
    ],
)
def test_a_top_up_that_cannot_be_is_refused_beside_its_field(
    session: Session, world: World, desk: Desk, field: str, value: str, said: str
) -> None:
    given = {
        "organization": show_id("organization", world.organization.id),
        "amount": "10.00",
        "currency": "USD",
        "note": "keep me",
    }
    for path in (f"{MONEY}/top-up/check", f"{MONEY}/top-up"):
        refused = desk.post(path, **{**given, field: value, "once": new_id().hex})
        assert refused.status_code == 422
        assert said in refused.text
        assert field == "note" or "keep me" in refused.text


# --- Payout runs


def test_a_payout_run_from_preview_to_settled(session: Session, world: World, desk: Desk, earners: list[User]) -> None:
    preview = desk.get(f"{MONEY}/payouts").text
    assert "0.84" in preview
    assert earners[0].person.name in preview
    run = made_run(desk)
    assert desk.get(f"{run}/file.csv").status_code == 404
    assert desk.post(f"{run}/send").status_code == 303
    file = desk.get(f"{run}/file.csv")
    rows = list(csv.DictReader(io.StringIO(file.text)))
    assert sorted(row["person_id"] for row in rows) == sorted(show_id("person", user.id) for user in earners)
    first, second = session.scalars(select(Payout).order_by(Payout.id)).all()
    refused = desk.post(f"{run}/items/{show_id('payout', first.id)}", outcome="failed", failure=" ")
    assert refused.status_code == 422
    assert "Say why the payout failed" in refused.text
    desk.post(f"{run}/items/{show_id('payout', first.id)}", outcome="failed", failure="Account closed")
    assert money.balance(session, AccountKind.CONTRIBUTOR, first.person_id, "USD").minor == 42
    desk.post(f"{run}/settle")
    session.expire_all()
    assert (first.state, second.state) == (PayoutState.FAILED, PayoutState.PAID)
    shown = desk.get(run).text
    assert "Account closed" in shown
    assert "Settled" in shown
    assert "Account closed" in desk.get(f"{run}?show=failed").text
    assert desk.post(f"{run}/items/{show_id('payout', second.id)}", outcome="paid").status_code == 409
    assert proven(session)


def test_a_run_with_nobody_to_pay_is_not_made(session: Session, world: World, desk: Desk) -> None:
    made = desk.post(f"{MONEY}/payouts", currency="USD", minimum="")
    assert made.headers["location"] == f"{MONEY}/payouts?currency=USD"
    assert session.scalars(select(PayoutBatch)).all() == []


def test_a_payout_is_settled_only_in_its_own_run(session: Session, desk: Desk, earners: list[User]) -> None:
    run = made_run(desk)
    desk.post(f"{run}/send")
    payout = session.scalars(select(Payout)).first()
    assert payout is not None
    foreign = f"{MONEY}/payouts/{show_id('payout_batch', new_id())}/items/{show_id('payout', payout.id)}"
    assert desk.post(foreign, outcome="paid").status_code == 404


# --- Jobs


def failed_job(runtime: Runtime, session: Session) -> int:
    number = jobs.defer(session, "people.send_mail", mail_id=str(new_id()))
    session.execute(
        text("UPDATE procrastinate_jobs SET status = 'failed', attempts = 3 WHERE id = :id"), {"id": number}
    )
    return number


def test_a_failed_job_is_shown_with_its_error_and_can_be_run_again(
    runtime: Runtime, session: Session, desk: Desk, clock: FixedClock
) -> None:
    number = failed_job(runtime, session)
    data = {"job": number, "name": "people.send_mail", "attempt": 3, "error": "SMTPError: <b>no route</b>"}
    events.record(session, SYSTEM, jobs.FAILED_EVENT, "job", jobs.subject_of(number), at=clock.now(), data=data)
    session.flush()
    listed = desk.get("/operator/jobs?show=failed").text
    assert f"/operator/jobs/{number}" in listed
    shown = desk.get(f"/operator/jobs/{number}").text
    assert "SMTPError: &lt;b&gt;no route" in shown
    assert desk.post(f"/operator/jobs/{number}/retry").status_code == 303
    assert jobs_admin.read_job(session, number).line.state == "todo"
    told = session.scalars(select(Event).where(Event.kind == "jobs.retried")).one()
    assert told.actor_id is not None
    again = desk.post(f"/operator/jobs/{number}/retry")
    assert again.status_code == 409
    assert desk.get("/operator/jobs/999999999").status_code == 404


def test_jobs_are_searched_by_name_and_argument(runtime: Runtime, session: Session, desk: Desk) -> None:
    mail = new_id()
    number = jobs.defer(session, "people.send_mail", mail_id=str(mail))
    session.flush()
    assert f"/operator/jobs/{number}" in desk.get(f"/operator/jobs?q={mail}").text
    assert f"/operator/jobs/{number}" not in desk.get("/operator/jobs?q=nothing%27+OR+1=1").text
    assert "people.forget_expired" in desk.get("/operator/jobs").text


# --- Events


def test_events_are_filtered_by_kind_person_project_and_day(
    session: Session, world: World, desk: Desk, earners: list[User]
) -> None:
    project = show_id("project", world.project.id)

    def kinds(query: str) -> list[str]:
        answer = desk.get(f"/operator/events.csv?{query}")
        return [row["kind"] for row in csv.DictReader(io.StringIO(answer.text))]

    assert set(kinds("q=work.submitted")) == {"work.submitted"}
    mine = kinds(f"person={earners[0].person.email}&q=work.")
    assert sorted(mine) == ["work.approved", "work.claimed", "work.submitted"]
    assert set(kinds(f"project={project}&q=work.")) == {"work.approved", "work.claimed", "work.submitted"}
    assert kinds("since=2026-03-03") == []
    assert kinds("until=2026-03-01") == []
    assert kinds("since=2026-03-02&until=2026-03-02&q=money.topped_up") == ["money.topped_up"]
    for impossible in ("person=nobody@example.org", "person=per_1", "project=x", "since=yesterday"):
        assert kinds(impossible) == []
    page = desk.get(f"/operator/events?person={earners[0].person.email}&q=work.")
    assert page.status_code == 200
    assert earners[0].person.name in page.text


def test_events_are_paged_without_gaps(
    desk: Desk, earners: list[User], monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    monkeypatch.setattr(operator_system, "PAGE_ROWS", 3)
    path, seen = "/operator/events?q=work.", 0
    for _ in range(10):
        page = desk.get(path).text
        seen += page.count('<details><summary class="cursor-pointer"><span class="font-medium">work.')
        after = [line for line in page.split('href="') if line.startswith("/operator/events?q=work.&amp;cursor=")]
        if not after:
            break
        path = after[-1].partition('"')[0].replace("&amp;", "&")
    assert seen == len(session.scalars(select(Event).where(Event.kind.startswith("work."))).all())


# --- The API


def test_events_over_the_api_page_by_cursor_for_operators(
    client: TestClient, world: World, earners: list[User]
) -> None:
    first = client.get("/api/v1/events?limit=2&kind=work.", headers=world.operator.headers).json()
    assert len(first["items"]) == 2
    second = client.get(
        f"/api/v1/events?limit=2&kind=work.&cursor={first['next_cursor']}", headers=world.operator.headers
    ).json()
    ids = [int(item["id"]) for item in [*first["items"], *second["items"]]]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 4
    for user in (world.client, world.reviewer, earners[0]):
        assert client.get("/api/v1/events", headers=user.headers).status_code == 403
    assert client.get("/api/v1/events?cursor=x", headers=world.operator.headers).status_code == 422


def test_a_client_reads_its_projects_events_under_pseudonyms(
    client: TestClient, session: Session, world: World, earners: list[User], clock: FixedClock
) -> None:
    path = f"/api/v1/projects/{show_id('project', world.project.id)}/events"
    answer = client.get(path, headers=world.client.headers)
    assert answer.status_code == 200
    body = json.dumps(answer.json())
    assert "work.approved" in body
    for user in earners:
        assert show_id("person", user.id) not in body
        assert str(user.id) not in body
        assert user.person.name not in body
    _, stranger = make_client(session, now=clock.now())
    for user in (stranger, earners[0], world.reviewer):
        assert client.get(path, headers=user.headers).status_code == 404


# --- Cost


def test_lists_take_few_statements_however_long_they_are(
    runtime: Runtime, session: Session, world: World, desk: Desk, earners: list[User], clock: FixedClock
) -> None:
    run = made_run(desk)

    def cost(path: str) -> int:
        with statements(runtime) as seen:
            assert desk.get(path).status_code == 200, path
        return len(seen)

    paths = [
        MONEY, f"{MONEY}/postings", f"{MONEY}/accounts?kind=contributor", f"{MONEY}/payouts", run,
        "/operator/jobs", "/operator/events",
    ]  # fmt: skip
    before = {path: cost(path) for path in paths}
    more = join(session, world, now=clock.now(), people=4)
    for person in more:
        judge(session, person, world, clock)
    approve_due(session, now=clock.now())
    jobs.defer(session, "people.send_mail", mail_id=str(new_id()))
    session.flush()
    assert {path: cost(path) for path in paths} == before
    assert max(before.values()) <= 8, before


# --- Search, manual, reference


def test_the_palette_finds_only_what_one_may_see(
    session: Session, world: World, seat: Seating, earners: list[User], clock: FixedClock
) -> None:
    def hits(desk: Desk, q: str) -> list[str]:
        answer = desk.get(f"/search.json?q={q}")
        assert answer.status_code == 200
        return [hit["href"] for hit in answer.json()]

    project = show_id("project", world.project.id)
    person = f"/operator/people/{show_id('person', earners[0].id)}"
    name = earners[0].person.name.replace(" ", "+")
    assert person in hits(seat(world.operator), name)
    for user in (world.client, world.reviewer, earners[1]):
        assert person not in hits(seat(user), name)
    assert f"/projects/{project}" in hits(seat(world.client), "sums")
    assert f"/review/{project}/next" in hits(seat(world.reviewer), "sums")
    assert f"/board/{project}" in hits(seat(earners[0]), "sums")
    _, stranger = make_client(session, now=clock.now())
    assert not any(project in href for href in hits(seat(stranger), "sums"))
    assert "/operator/money" in hits(seat(world.operator), "")
    assert "/operator/money" not in hits(seat(world.client), "mon")
    assert seat(world.client).client.get("/search.json", headers={"cookie": ""}).status_code in (303, 401)


def test_the_preview_renders_the_field_it_was_asked_for_and_nothing_dangerous(
    desk: Desk,
) -> None:
    headers = {"cookie": f"preceptor_session={desk.cookie}", "hx-target": "div#f-body-preview", "hx-request": "true"}
    fields = {
        "csrf_token": desk.token,
        "title": "not this",
        "body": "# Judge\n\n<script>alert(1)</script> *well* $x^2$",
    }
    answer = desk.client.post("/markdown/preview", data=fields, headers=headers)
    assert answer.status_code == 200
    assert "<em>well</em>" in answer.text
    assert "<math" in answer.text
    assert "not this" not in answer.text
    assert "<script>" not in answer.text


def test_every_refusal_has_its_line_in_the_manual(client: TestClient) -> None:
    page = client.get("/docs/errors")
    assert page.status_code == 200
    for code in ("no_work_left", "own_work", "not_enough_money", "reason_needed", "rate_limited"):
        assert f'id="{code}"' in page.text


def test_the_api_reference_shows_every_operation(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    page = client.get("/docs/api")
    assert page.status_code == 200
    count = sum(
        method in item for item in document["paths"].values() for method in ("get", "post", "put", "patch", "delete")
    )
    assert page.text.count('<details class="panel" id="') == count > 30
    assert "<script src" in page.text
    assert "http://" not in page.text.replace("http://testserver", "")


def test_the_manual_reads_only_its_own_files(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    for hostile in (
        "..%2f..%2fpyproject",
        "../pyproject.toml",
        "%2e%2e/README",
        "index/../../../etc/passwd",
        "x.png",
        "..%2fx.png",
    ):
        assert client.get(f"/docs/{hostile}").status_code == 404
    assert "Disallow: /" in client.get("/robots.txt").text


def test_the_style_page_is_there_in_development(desk: Desk) -> None:
    assert desk.get("/styleguide").status_code == 200
