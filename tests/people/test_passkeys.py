"""Passkeys in a real browser with a virtual authenticator (WebAuthn automation over the DevTools protocol)."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page
from sqlalchemy import select

from preceptor.cli.application import create_app
from preceptor.kit.events import SYSTEM
from preceptor.kit.runtime import Runtime
from preceptor.people.errors import NoPasskeysHere
from preceptor.people.models import AuthSession, Passkey, PasskeyChallenge
from preceptor.people.passwords import Passwords
from preceptor.people.service import accounts
from preceptor.people.service.passkeys import RelyingParty

PASSWORD = "quiet lantern orbit"

# What the sign-in button does, but giving back what was sent, so that it can be sent again.
SIGN_IN = """async () => {
  const csrf = document.querySelector('meta[name="csrf-token"]').content;
  const send = (url, body) => fetch(url, {method: "POST", body: JSON.stringify(body),
    headers: {"Content-Type": "application/json", "Accept": "application/json", "X-CSRF-Token": csrf}});
  const options = await (await send("/passkeys/sign-in/options", {})).json();
  const got = await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options)});
  const body = {credential: got.toJSON()};
  const answer = await send("/passkeys/sign-in", body);
  return {status: answer.status, answer: await answer.json(), body};
}"""
SEND = """async (body) => {
  const csrf = document.querySelector('meta[name="csrf-token"]').content;
  const answer = await fetch("/passkeys/sign-in", {method: "POST", body: JSON.stringify(body),
    headers: {"Content-Type": "application/json", "Accept": "application/json", "X-CSRF-Token": csrf}});
  return {status: answer.status, answer: await answer.json()};
}"""


@dataclass
class Site:
    url: str
    runtime: Runtime


@pytest.fixture
def site(open_runtime: Callable[..., Runtime]) -> Iterator[Site]:
    """The application on a real port of localhost, which counts as a secure context."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        url = f"http://localhost:{door.getsockname()[1]}"
        runtime = open_runtime(public_url=url)
        server = uvicorn.Server(uvicorn.Config(create_app(runtime), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]})
        thread.start()
        yield Site(url, runtime)
        server.should_exit = True
        thread.join()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    opened = browser.new_context()
    yield opened
    opened.close()


def add_authenticator(context: BrowserContext, page: Page) -> tuple[CDPSession, str]:
    devtools = context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    added = devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return devtools, str(added["authenticatorId"])


@pytest.fixture
def ada(site: Site, context: BrowserContext) -> Page:
    """Ada, signed in by password, with the settings page open."""
    with site.runtime.sessions() as session, session.begin():
        cheap = Passwords(time_cost=1, memory_kib=8)
        accounts.create_person(
            session,
            SYSTEM,
            email="ada@example.org",
            name="Ada Byron",
            password=PASSWORD,
            is_contributor=True,
            confirmed=True,
            passwords=cheap,
            now=site.runtime.clock.now(),
        )
    page = context.new_page()
    page.goto(f"{site.url}/sign-in?next=/settings")
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/settings")
    return page


def add_passkey(page: Page) -> None:
    page.get_by_role("button", name="Add a passkey").click()
    page.get_by_text("Chrome on Linux").first.wait_for()
    page.get_by_role("button", name="Remove").wait_for()


def sign_out(context: BrowserContext, page: Page, site: Site) -> None:
    context.clear_cookies()
    page.goto(f"{site.url}/sign-in?next=/settings")


@pytest.mark.browser
def test_a_passkey_is_added_and_signs_in(site: Site, context: BrowserContext, ada: Page) -> None:
    add_authenticator(context, ada)
    add_passkey(ada)
    sign_out(context, ada, site)
    ada.get_by_role("button", name="Sign in with a passkey").click()
    ada.wait_for_url("**/settings")
    ada.get_by_role("heading", name="Passkeys").wait_for()
    with site.runtime.sessions() as session:
        [passkey] = session.scalars(select(Passkey))
        assert passkey.sign_count > 0
        assert passkey.last_used_at is not None
        assert session.scalar(select(PasskeyChallenge)) is None
        assert len(session.scalars(select(AuthSession)).all()) == 2


@pytest.mark.browser
def test_an_answer_signs_in_once_only(site: Site, context: BrowserContext, ada: Page) -> None:
    add_authenticator(context, ada)
    add_passkey(ada)
    sign_out(context, ada, site)
    first = ada.evaluate(SIGN_IN)
    assert first["status"] == 200, first
    sign_out(context, ada, site)
    again = ada.evaluate(SEND, first["body"])
    assert (again["status"], again["answer"]["code"]) == (422, "passkey_refused")
    forged: dict[str, Any] = {"credential": {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}}
    assert ada.evaluate(SEND, forged)["status"] == 422


@pytest.mark.browser
def test_a_copied_passkey_is_found_out_by_its_counter(site: Site, context: BrowserContext, ada: Page) -> None:
    devtools, authenticator = add_authenticator(context, ada)
    add_passkey(ada)
    [stored] = devtools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    for _ in range(3):
        sign_out(context, ada, site)
        assert ada.evaluate(SIGN_IN)["status"] == 200
    devtools.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    devtools.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": stored})
    sign_out(context, ada, site)
    refused = ada.evaluate(SIGN_IN)
    assert (refused["status"], refused["answer"]["code"]) == (422, "passkey_refused")


@pytest.mark.browser
def test_a_removed_passkey_no_longer_signs_in(site: Site, context: BrowserContext, ada: Page) -> None:
    add_authenticator(context, ada)
    add_passkey(ada)
    ada.get_by_role("button", name="Remove").click()
    ada.get_by_role("dialog").get_by_role("button", name="Remove").click()
    ada.get_by_text("The passkey is removed").wait_for()
    sign_out(context, ada, site)
    refused = ada.evaluate(SIGN_IN)
    assert (refused["status"], refused["answer"]["code"]) == (422, "passkey_refused")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "https://10.0.0.1", "http://example.org", "http://[::1]:80"])
def test_passkeys_need_a_name_and_a_secure_page(url: str) -> None:
    with pytest.raises(NoPasskeysHere):
        RelyingParty.of(url)


def test_the_relying_party_is_the_host_without_its_port() -> None:
    assert RelyingParty.of("https://work.example.org:8443") == RelyingParty(
        "work.example.org", "https://work.example.org:8443"
    )
    assert RelyingParty.of("http://localhost:8000").id == "localhost"
