"""A client's model endpoints in a real browser: added, tried against the real local model, chosen for a project."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from preceptor.endpoints import local
from preceptor.kit.ids import show_id
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.endpoints.asking import KEY
from tests.endpoints.servers import says, serving
from tests.factories import World, make_world

pytestmark = pytest.mark.browser


@pytest.fixture
def world(live: Live) -> World:
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=live.clock.now(), tasks=1)
        made.project.task_type, made.project.config = "conversation", {}
        for task in made.tasks:
            task.payload = {"brief": "Say hello."}
    return made


@pytest.mark.local_model
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_local_model_is_added_tried_and_chosen(
    live: Live, open_page: Callable[..., Page], world: World, scheme: Scheme
) -> None:
    lacking = local.missing()
    if lacking is not None:
        pytest.skip(f"the local model is not installed: {lacking} is missing; `make local-model` installs it")
    page = open_page(scheme, DESK)
    sign_in(page, live, world.client, role="client")
    page.goto(f"{live.url}/models/endpoints")
    check_axe(page)
    page.get_by_role("link", name="Use the local model").click()
    check_axe(page)
    page.get_by_role("button", name="Add and test").click()
    expect(page.get_by_text(re.compile("First word after"))).to_be_visible(timeout=60_000)
    expect(page.locator("#tested")).to_contain_text("SmolLM2")
    check_axe(page)
    shoot(page, f"endpoint-{scheme}")
    page.goto(f"{live.url}/projects/{show_id('project', world.project.id)}/endpoints")
    answering = page.locator("#role-generate")
    answering.get_by_label("Place of Local model").fill("1")
    answering.get_by_label("Questions to Local model for each person").fill("20")
    answering.get_by_role("button", name="Save").click()
    expect(page.locator("#role-generate").get_by_label("Place of Local model")).to_have_value("1")
    check_axe(page)
    shoot(page, f"project-endpoints-{scheme}")
    page.goto(f"{live.url}/models/endpoints")
    expect(page.get_by_role("row", name=re.compile("Local model"))).to_contain_text("SmolLM2")
    shoot(page, f"endpoints-{scheme}")
    local.stop()


def test_a_key_goes_in_and_never_comes_out(live: Live, open_page: Callable[..., Page], world: World) -> None:
    with serving(says("It works.")) as server:
        object.__setattr__(live.runtime.settings, "outgoing_reach", "loopback")
        page = open_page("light", PHONE)
        sign_in(page, live, world.client, role="client")
        page.goto(f"{live.url}/models/endpoints/new")
        page.get_by_label("Name").fill("Ours")
        page.get_by_label("Address").fill(server.url)
        page.get_by_label("Model", exact=True).fill("our-7b")
        page.get_by_label(re.compile("API key")).fill(KEY)
        page.get_by_role("button", name="Add and test").click()
        expect(page.locator("#tested")).to_contain_text("It works.")
        assert server.asked[0].headers["authorization"] == f"Bearer {KEY}"
        expect(page.get_by_text("A key is set.")).to_be_visible()
        assert KEY not in page.content()
        check_axe(page)
        shoot(page, "endpoint-phone")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_address_inside_is_refused_in_words(live: Live, page: Page, world: World) -> None:
    sign_in(page, live, world.client, role="client")
    page.goto(f"{live.url}/models/endpoints/new")
    page.get_by_label("Name").fill("Inside")
    page.get_by_label("Address").fill("http://169.254.169.254/v1")
    page.get_by_label("Model", exact=True).fill("m")
    page.get_by_role("button", name="Add and test").click()
    expect(page.locator("#tested")).to_contain_text("inside the server's own network")
