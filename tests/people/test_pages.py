"""Accounts as people use them: through the pages."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from preceptor.cli.application import create_app
from preceptor.http.edge import COOKIE
from preceptor.kit.clock import FixedClock
from preceptor.kit.events import SYSTEM, Event
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.people.models import AuthSession, OutboxMail, Person, RateWindow
from preceptor.people.passwords import Passwords
from preceptor.people.service import accounts, organizations

CHEAP = Passwords(time_cost=1, memory_kib=8)
PASSWORD = "quiet lantern orbit"
SAME_SITE = {"sec-fetch-site": "same-origin"}


class Browser:
    """A browser that keeps cookies and sends back the token of the page it has open."""

    def __init__(self, runtime: Runtime) -> None:
        self.http = TestClient(create_app(runtime), follow_redirects=False, headers=SAME_SITE)

    def get(self, path: str, status: int = 200) -> str:
        response = self.http.get(path)
        assert response.status_code == status, response.text
        return str(response.text)

    def post(self, path: str, status: int = 303, **fields: object) -> str:
        """Send a form; returns where it leads, or the page that came back."""
        fields["csrf_token"] = self.token()
        response = self.http.post(path, data=fields)
        assert response.status_code == status, (response.status_code, response.text)
        return str(response.headers.get("location") or response.text)

    def token(self) -> str:
        page = self.http.get("/check-mail").text
        found = re.search(r'name="csrf-token" content="([^"]*)"', page)
        assert found is not None
        return found[1]

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        self.post("/sign-in", email=email, password=password)
        assert COOKIE in self.http.cookies


@pytest.fixture
def browser(runtime: Runtime) -> Callable[[], Browser]:
    return lambda: Browser(runtime)


@pytest.fixture
def people(runtime: Runtime, clock: FixedClock) -> Callable[..., Person]:
    def make(email: str, **roles: bool) -> Person:
        with runtime.sessions() as session, session.begin():
            return accounts.create_person(
                session,
                SYSTEM,
                email=email,
                name=email.partition("@")[0].capitalize(),
                password=PASSWORD,
                confirmed=True,
                passwords=CHEAP,
                now=clock.now(),
                **roles,
            )

    return make


def mails(runtime: Runtime, to: str) -> list[OutboxMail]:
    with runtime.sessions() as session:
        wanted = select(OutboxMail).where(OutboxMail.to_email == to).order_by(OutboxMail.id)
        return list(session.scalars(wanted))


def link(mail: OutboxMail) -> str:
    found = re.search(r"http://testserver(/\S+)", mail.body)
    assert found is not None
    return found[1]


def events(runtime: Runtime, kind: str) -> list[Event]:
    with runtime.sessions() as session:
        return list(session.scalars(select(Event).where(Event.kind == kind)))


Make = Callable[..., Person]
Open = Callable[[], Browser]


def sign_up(browser: Browser, email: str, **more: str) -> str:
    fields: dict[str, object] = {"name": "Ada Byron", "email": email, "password": PASSWORD, "purpose": "work"}
    return browser.post("/sign-up", 303, **(fields | dict(more)))


def test_sign_up_confirm_and_sign_in(runtime: Runtime, browser: Open) -> None:
    ada = browser()
    assert sign_up(ada, "ada@example.org") == "/check-mail"
    refused = ada.post("/sign-in", status=401, email="ada@example.org", password=PASSWORD)
    assert "Confirm your e-mail address first" in refused
    first, again = mails(runtime, "ada@example.org")
    assert first.subject == again.subject == "Confirm your e-mail address"
    assert "Confirm my address" in ada.get(link(first))
    assert ada.post(link(first)).startswith("/sign-in?email=ada%40example.org")
    ada.sign_in("ADA@example.org")
    assert ada.http.get("/").headers["location"] == "/home"
    assert "Ada Byron" in ada.get("/settings")
    [event] = events(runtime, "people.email_confirmed")
    assert event.person_id == event.actor_id


def test_a_confirmation_link_works_once_and_not_for_ever(runtime: Runtime, browser: Open, clock: FixedClock) -> None:
    ada = browser()
    sign_up(ada, "ada@example.org")
    [mail] = mails(runtime, "ada@example.org")
    ada.post(link(mail))
    assert "has been used" in ada.post(link(mail), status=410)
    sign_up(ada, "bob@example.org")
    clock.at += timedelta(days=4)
    ada.post(link(mails(runtime, "bob@example.org")[0]), status=410)


def test_a_client_signs_up_with_an_organization(runtime: Runtime, browser: Open) -> None:
    lab = browser()
    page = lab.post(
        "/sign-up", status=422, name="Ada", email="a@lab.org", password=PASSWORD, purpose="project", organization=" "
    )
    assert "Enter a name of 1 to 100 characters" in page
    assert mails(runtime, "a@lab.org") == []
    sign_up(lab, "a@lab.org", purpose="project", organization="Reasoning Lab")
    lab.post(link(mails(runtime, "a@lab.org")[0]))
    lab.sign_in("a@lab.org")
    assert lab.http.get("/").headers["location"] == "/projects"
    assert "Reasoning Lab" in lab.get("/organization")


def test_signing_up_with_a_taken_address_looks_like_any_other(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org", is_contributor=True)
    stranger = browser()
    taken = stranger.http.post(
        "/sign-up", data={"name": "X Y", "email": "Ada@Example.org", "password": PASSWORD, "purpose": "work"}
    )
    fresh = stranger.http.post(
        "/sign-up", data={"name": "X Y", "email": "new@example.org", "password": PASSWORD, "purpose": "work"}
    )
    assert (taken.status_code, taken.headers["location"], taken.text) == (303, "/check-mail", fresh.text)
    [mail] = mails(runtime, "ada@example.org")
    assert mail.subject == "You already have an account"
    with runtime.sessions() as session:
        assert session.scalar(select(func.count()).where(func.lower(Person.email) == "ada@example.org")) == 1


def test_asking_for_a_reset_never_tells_who_has_an_account(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org")
    stranger = browser()
    known = stranger.http.post("/forgot", data={"email": "ada@example.org"})
    unknown = stranger.http.post("/forgot", data={"email": "nobody@example.org"})
    assert (known.status_code, known.text) == (unknown.status_code, unknown.text) == (303, "")
    assert known.headers["location"] == unknown.headers["location"] == "/check-mail"
    assert len(mails(runtime, "ada@example.org")) == 1
    assert mails(runtime, "nobody@example.org") == []


def test_wrong_password_and_unknown_address_answer_alike(browser: Open, people: Make) -> None:
    people("ada@example.org")
    stranger = browser()
    answers = {
        stranger.post("/sign-in", status=401, email=email, password="not the password").replace(email, "EMAIL")
        for email in ("ada@example.org", "nobody@example.org")
    }
    assert len(answers) == 1


def test_a_reset_sets_the_password_and_ends_every_session(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org")
    thief, ada = browser(), browser()
    thief.sign_in("ada@example.org")
    ada.post("/forgot", email="ada@example.org")
    reset = link(mails(runtime, "ada@example.org")[0])
    assert "one of the passwords that are tried first" in ada.post(reset, status=422, password="password123")
    ada.post(reset, password="another lantern orbit")
    assert thief.http.get("/settings").headers["location"].startswith("/sign-in")
    ada.get(reset, status=410)
    ada.post("/sign-in", status=401, email="ada@example.org", password=PASSWORD)
    ada.sign_in("ada@example.org", "another lantern orbit")


def test_changing_the_password_needs_the_current_one(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org")
    here, elsewhere = browser(), browser()
    here.sign_in("ada@example.org")
    elsewhere.sign_in("ada@example.org")
    new = "another lantern orbit"
    assert "not your current" in here.post("/settings/password", status=422, current="guess", new=new)
    elsewhere.get("/settings")
    here.post("/settings/password", current=PASSWORD, new=new)
    here.get("/settings")
    assert elsewhere.http.get("/settings").status_code == 303


@pytest.mark.parametrize("password", ["short", "Password123", "aaaaaaaaaaaa", "ada@example.org"])
def test_easy_passwords_are_refused(runtime: Runtime, browser: Open, password: str) -> None:
    page = browser().post(
        "/sign-up", status=422, name="Ada B", email="ada@example.org", password=password, purpose="work"
    )
    assert 'id="f-password-error"' in page
    assert mails(runtime, "ada@example.org") == []


def test_sign_in_is_limited_for_one_address(runtime: Runtime, browser: Open, people: Make, clock: FixedClock) -> None:
    people("ada@example.org")
    people("bob@example.org")
    guesser = browser()
    for _ in range(10):
        guesser.post("/sign-in", status=401, email="ada@example.org", password="wrong guess")
    limited = guesser.http.post("/sign-in", data={"email": "Ada@example.org", "password": PASSWORD})
    assert limited.status_code == 429
    wait = int(limited.headers["retry-after"])
    assert 0 < wait <= 30 * 60
    browser().sign_in("bob@example.org")
    clock.at += timedelta(seconds=wait)
    guesser.sign_in("ada@example.org")


def test_sign_in_is_limited_for_one_network(runtime: Runtime, browser: Open, people: Make, clock: FixedClock) -> None:
    people("ada@example.org")
    with runtime.sessions() as session, session.begin():
        session.add(RateWindow(key="sign_in.network:testclient", window_start=clock.now(), count=100))
    guesser = browser()
    response = guesser.http.post("/sign-in", data={"email": "ada@example.org", "password": PASSWORD})
    assert response.status_code == 429


def test_a_correct_sign_in_forgets_earlier_mistakes(browser: Open, people: Make) -> None:
    people("ada@example.org")
    for _ in range(3):
        ada = browser()
        for _ in range(6):
            ada.post("/sign-in", status=401, email="ada@example.org", password="wrong guess")
        ada.sign_in("ada@example.org")


def test_changes_from_another_site_are_refused(browser: Open, people: Make, runtime: Runtime) -> None:
    people("ada@example.org")
    ada = browser()
    ada.sign_in("ada@example.org")
    form = {"name": "Mallory", "csrf_token": ada.token()}
    foreign = ada.http.post("/settings/profile", data=form, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    for token in ("", "0" * 64):
        assert ada.http.post("/settings/profile", data={"name": "Mallory", "csrf_token": token}).status_code == 403
    other = browser()
    other.sign_in("ada@example.org")
    assert ada.http.post("/settings/profile", data={"name": "M", "csrf_token": other.token()}).status_code == 403
    assert "Mallory" not in ada.get("/settings")
    ada.post("/settings/profile", name="Ada  Byron")
    assert "Ada Byron" in ada.get("/settings")
    assert (
        ada.http.post(
            "/sign-in",
            data={"email": "ada@example.org", "password": PASSWORD},
            headers={"sec-fetch-site": "cross-site"},
        ).status_code
        == 403
    )


def test_a_revoked_session_is_out_at_once(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org")
    here, lost = browser(), browser()
    here.sign_in("ada@example.org")
    lost.sign_in("ada@example.org")
    with runtime.sessions() as session:
        rows = list(session.scalars(select(AuthSession).order_by(AuthSession.id)))
    here.post(f"/settings/sessions/{show_id('session', rows[1].id)}/revoke")
    assert lost.http.get("/settings").status_code == 303
    here.get("/settings")


def test_nobody_revokes_somebody_elses_session(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org")
    people("bob@example.org")
    ada, bob = browser(), browser()
    ada.sign_in("ada@example.org")
    bob.sign_in("bob@example.org")
    with runtime.sessions() as session:
        [row] = session.scalars(
            select(AuthSession)
            .join(Person, Person.id == AuthSession.person_id)
            .where(Person.email == "ada@example.org")
        )
    bob.post(f"/settings/sessions/{show_id('session', row.id)}/revoke", status=404)
    ada.get("/settings")


def test_a_session_ends_by_itself(browser: Open, people: Make, clock: FixedClock) -> None:
    people("ada@example.org")
    ada = browser()
    ada.sign_in("ada@example.org")
    clock.at += timedelta(days=29)
    ada.get("/settings")
    clock.at += timedelta(days=2)
    assert ada.http.get("/settings").status_code == 303


def test_signing_out_ends_the_session_on_the_server(browser: Open, people: Make) -> None:
    people("ada@example.org")
    ada = browser()
    ada.sign_in("ada@example.org")
    kept = ada.http.cookies[COOKIE]
    ada.post("/sign-out")
    again = ada.http.get("/settings", headers={"cookie": f"{COOKIE}={kept}"})
    assert again.status_code == 303


@pytest.mark.parametrize("where", ["https://evil.example", "//evil.example", "/\\evil.example", "evil"])
def test_next_never_leaves_the_site(browser: Open, people: Make, where: str) -> None:
    people("ada@example.org")
    assert browser().post("/sign-in", email="ada@example.org", password=PASSWORD, next=where) == "/"


def test_roles_can_be_switched_only_to_those_that_are_held(browser: Open, people: Make) -> None:
    people("ada@example.org", is_contributor=True, is_reviewer=True)
    ada = browser()
    ada.sign_in("ada@example.org")
    assert ada.http.get("/").headers["location"] == "/review"
    assert ada.post("/role", role="contributor") == "/home"
    assert ada.http.get("/").headers["location"] == "/home"
    ada.post("/role", role="operator", status=404)


def test_a_key_is_shown_once_and_revoked_for_good(runtime: Runtime, browser: Open, people: Make) -> None:
    people("ada@example.org", is_contributor=True)
    ada = browser()
    ada.sign_in("ada@example.org")
    page = ada.post("/settings/keys", status=200, name="script", days=30, scopes=["read"])
    found = re.search(r"pk_[0-9a-f]{8}_[0-9a-f]{64}", page)
    assert found is not None
    settings = ada.get("/settings")
    assert found[0] not in settings
    key_id = re.search(r"/settings/keys/(key_[0-9a-f]{32})/revoke", settings)
    assert key_id is not None
    script = TestClient(create_app(runtime), headers={"authorization": f"Bearer {found[0]}"})
    assert script.get("/api/v1/me").json()["scopes"] == ["read"]
    ada.post(f"/settings/keys/{key_id[1]}/revoke")
    refused = script.get("/api/v1/me")
    assert (refused.status_code, refused.json()["code"]) == (401, "bad_api_key")


def test_a_key_without_scope_or_name_is_refused(browser: Open, people: Make) -> None:
    people("ada@example.org")
    ada = browser()
    ada.sign_in("ada@example.org")
    assert "Choose at least one" in ada.post("/settings/keys", status=422, name="script", days=30)
    assert "Only an operator" in ada.post("/settings/keys", status=422, name="script", days=30, scopes=["operate"])


def test_invited_people_join_by_their_link(runtime: Runtime, browser: Open, people: Make, clock: FixedClock) -> None:
    owner = people("owner@lab.org")
    people("bob@example.org", is_contributor=True)
    with runtime.sessions() as session, session.begin():
        organization = organizations.create_organization(
            session, SYSTEM, name="Lab", owner_id=owner.id, now=clock.now()
        )
    base = f"/organization/{show_id('organization', organization.id)}"
    boss = browser()
    boss.sign_in("owner@lab.org")
    boss.post(f"{base}/invitations", email="new@lab.org", role="manager")
    boss.post(f"{base}/invitations", email="bob@example.org", role="viewer")
    newcomer, bob = browser(), browser()
    invitation = link(mails(runtime, "new@lab.org")[0])
    assert "Make my account" in newcomer.get(invitation)
    newcomer.post(f"{invitation}/sign-up", name="Nova", password=PASSWORD)
    assert "owner@lab.org" in newcomer.get("/organization")
    bob.sign_in("bob@example.org")
    bob.post(invitation, status=410)
    invitation = link(mails(runtime, "bob@example.org")[0])
    newcomer.post(invitation, status=403)
    bob.post(invitation)
    assert "Nova" in bob.get("/organization")
    assert "Invite somebody" not in bob.get("/organization")
    bob.post(f"{base}/invitations", email="x@example.org", role="viewer", status=403)
    newcomer.post(f"{base}/members/{show_id('person', owner.id)}/remove", status=403)


def test_the_last_owner_stays(runtime: Runtime, browser: Open, people: Make, clock: FixedClock) -> None:
    owner = people("owner@lab.org")
    with runtime.sessions() as session, session.begin():
        organization = organizations.create_organization(
            session, SYSTEM, name="Lab", owner_id=owner.id, now=clock.now()
        )
    member = f"/organization/{show_id('organization', organization.id)}/members/{show_id('person', owner.id)}"
    boss = browser()
    boss.sign_in("owner@lab.org")
    boss.post(f"{member}/remove", status=409)
    boss.post(f"{member}/role", role="viewer", status=409)
    assert "Owner" in boss.get("/organization")


def test_one_organization_never_sees_anothers_members(
    runtime: Runtime, browser: Open, people: Make, clock: FixedClock
) -> None:
    ada, eve = people("ada@lab.org"), people("eve@other.org")
    with runtime.sessions() as session, session.begin():
        lab = organizations.create_organization(session, SYSTEM, name="Lab", owner_id=ada.id, now=clock.now())
        organizations.create_organization(session, SYSTEM, name="Other", owner_id=eve.id, now=clock.now())
    lab_id = show_id("organization", lab.id)
    outsider = browser()
    outsider.sign_in("eve@other.org")
    assert "ada@lab.org" not in outsider.get("/organization")
    for path in (f"/organization?org={lab_id}", f"/api/v1/organizations/{lab_id}"):
        assert "ada@lab.org" not in outsider.get(path, status=404)
    for part in ("members", "invitations", "qualifications"):
        outsider.get(f"/api/v1/organizations/{lab_id}/{part}", status=404)
    ada_id = show_id("person", ada.id)
    for path, fields in (
        (f"/organization/{lab_id}/invitations", {"email": "eve2@other.org", "role": "owner"}),
        (f"/organization/{lab_id}/members/{ada_id}/role", {"role": "viewer"}),
        (f"/organization/{lab_id}/members/{ada_id}/remove", {}),
        (f"/organization/{lab_id}/rename", {"name": "Mine"}),
    ):
        outsider.post(path, status=404, **fields)
    assert [row["name"] for row in outsider.http.get("/api/v1/organizations").json()["items"]] == ["Other"]


def test_operators_find_suspend_and_readmit_people(runtime: Runtime, browser: Open, people: Make) -> None:
    people("boss@example.org", is_operator=True)
    ada = people("ada@example.org", is_contributor=True)
    operator, contributor = browser(), browser()
    operator.sign_in("boss@example.org")
    contributor.sign_in("ada@example.org")
    listing = operator.get("/operator/people?q=ada&show=contributors")
    assert "ada@example.org" in listing
    assert "boss@example.org" not in listing.partition('id="people"')[2]
    page = f"/operator/people/{show_id('person', ada.id)}"
    assert "at least 10 characters" in operator.post(f"{page}/suspend", status=422, reason="because")
    contributor.get("/settings")
    reason = "Two people use this account, as its sessions show."
    operator.post(f"{page}/suspend", reason=reason)
    assert contributor.http.get("/settings").status_code == 303
    decision = contributor.post("/sign-in", email="ada@example.org", password=PASSWORD)
    assert decision.startswith("/suspended/")
    assert reason in contributor.get(decision)
    assert contributor.http.get("/settings").status_code == 303
    [event] = events(runtime, "people.suspended")
    assert (event.data["reason"], event.person_id) == (reason, ada.id)
    assert event.actor_id is not None
    assert reason in mails(runtime, "ada@example.org")[-1].body
    assert reason in operator.get(page)
    operator.post(f"{page}/unsuspend")
    contributor.sign_in("ada@example.org")


def test_taking_a_role_away_needs_a_reason(runtime: Runtime, browser: Open, people: Make) -> None:
    boss = people("boss@example.org", is_operator=True)
    ada = people("ada@example.org", is_contributor=True)
    operator = browser()
    operator.sign_in("boss@example.org")
    page = f"/operator/people/{show_id('person', ada.id)}/roles"
    operator.post(page, status=422, is_reviewer="true")
    operator.post(page, is_reviewer="true", is_contributor="true")
    operator.post(page, is_reviewer="true", reason="Asked for it by mail on 1 March.")
    assert "1 March" in mails(runtime, "ada@example.org")[-1].body
    mine = f"/operator/people/{show_id('person', boss.id)}/roles"
    assert "Make another person operator" in operator.post(mine, status=409, reason="I am tired of operating.")


@pytest.mark.parametrize("path", ["/operator/people", "/operator/people/new", "/operator/outbox"])
def test_operator_pages_are_for_operators(browser: Open, people: Make, path: str) -> None:
    people("ada@example.org", is_contributor=True)
    ada = browser()
    ada.sign_in("ada@example.org")
    ada.get(path, status=403)
    assert browser().http.get(path).headers["location"].startswith("/sign-in")


def test_an_operator_makes_an_account_and_its_owner_sets_the_password(
    runtime: Runtime, browser: Open, people: Make
) -> None:
    people("boss@example.org", is_operator=True)
    operator = browser()
    operator.sign_in("boss@example.org")
    operator.get("/operator/people/new")
    assert "Enter an address" in operator.post("/operator/people", status=422, name="New", email="new")
    operator.post("/operator/people", name="New Person", email="new@example.org", is_contributor="true")
    newcomer = browser()
    newcomer.post(link(mails(runtime, "new@example.org")[0]), password=PASSWORD)
    newcomer.sign_in("new@example.org")
    assert "Set a new password" in operator.get("/operator/outbox")


def test_demo_sign_in_exists_in_demo_mode_only(
    open_runtime: Callable[..., Runtime], browser: Open, people: Make
) -> None:
    people("operator@demo.invalid", is_operator=True)
    assert "/demo/sign-in" not in browser().get("/sign-in")
    browser().post("/demo/sign-in/operator", status=404)
    for mode, status in (("normal", 404), ("demo", 303)):
        runtime = open_runtime(mode=mode)
        with runtime.sessions() as session, session.begin():
            if mode == "demo":
                accounts.create_person(
                    session, SYSTEM, email="operator@demo.invalid", name="Op", is_operator=True, now=runtime.clock.now()
                )
        visitor = Browser(runtime)
        assert ("/demo/sign-in/operator" in visitor.get("/sign-in")) is (mode == "demo")
        visitor.post("/demo/sign-in/operator", status=status)
        visitor.post("/demo/sign-in/nobody", status=404)
        visitor.get("/operator/people", status=200 if mode == "demo" else 303)
        visitor.get("/operator/outbox", status=200 if mode == "demo" else 404)


def test_people_are_listed_page_by_page_with_few_queries(runtime: Runtime, browser: Open, people: Make) -> None:
    people("boss@example.org", is_operator=True)
    for number in range(60):
        people(f"person{number:02}@example.org")
    operator = browser()
    operator.sign_in("boss@example.org")
    first = operator.get("/operator/people")
    following = re.search(r'href="(/operator/people\?cursor=per_[0-9a-f]{32})"', first)
    assert following is not None
    second = operator.get(following[1])
    on_first, on_second = (set(re.findall(r"person\d\d@example.org", page)) for page in (first, second))
    assert len(on_first) == 50
    assert len(on_second) == 10
    assert not on_first & on_second
