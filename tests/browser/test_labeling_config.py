"""The editor of labeling configs in a real browser: by clicking, as XML, with a look at a task."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.projects.models import Project
from preceptor.tasktypes.annotation.markup import Tag, parse
from tests.browser.conftest import PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import User, make_client

pytestmark = pytest.mark.browser

FIELD = "textarea[name='config.label_config']"


@pytest.fixture
def client(live: Live) -> User:
    with live.runtime.sessions.begin() as session:
        return make_client(session, now=live.clock.now())[1]


def open_form(page: Page, live: Live, client: User, template: str = "classification") -> None:
    sign_in(page, live, client, role="client")
    page.goto(f"{live.url}/projects/new?task_type=annotation&template={template}")
    expect(page.locator(".lcfg-good")).to_be_visible()


def config_of(page: Page) -> str:
    return page.locator(FIELD).input_value()


def tags(xml: str, name: str) -> list[Tag]:
    return [tag for tag in parse(xml).walk() if tag.name == name]


def test_a_field_is_added_by_clicking_and_kept_with_the_project(live: Live, page: Page, client: User) -> None:
    open_form(page, live, client)
    page.get_by_role("button", name="Number", exact=True).click()
    added = page.locator(".lcfg-card").last
    added.get_by_label("Question").fill("How long did it take?")
    added.get_by_label("Help").fill("In minutes")
    added.get_by_label("To", exact=True).fill("60")
    added.get_by_label("Must be answered").check()
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("heading", name="How long did it take?")).to_be_visible()
    expect(preview.get_by_text("to 60")).to_be_visible()
    [number] = tags(config_of(page), "Number")
    assert number.attrs == {"name": "number", "toName": "text", "max": "60", "required": "true"}
    page.get_by_role("button", name=re.compile("Create|Save|Make")).last.click()
    expect(page.get_by_text("The project is a draft now.")).to_be_visible()
    with live.runtime.sessions() as session:
        kept = session.scalars(select(Project.config)).one()
    assert len(tags(kept["label_config"], "Number")) == 1


def test_options_order_and_deletion_are_undone(live: Live, page: Page, client: User) -> None:
    open_form(page, live, client)
    before = config_of(page)
    topic = page.locator(".lcfg-card", has=page.locator("input[value], input").first).nth(1)
    options = topic.get_by_label(re.compile("^Options"))
    options.fill(options.input_value() + "\nRefund")
    options.blur()
    assert [each.attrs["value"] for each in tags(config_of(page), "Choice")][4] == "Refund"
    page.get_by_role("button", name=re.compile("^Move .* down$")).nth(1).click()
    assert config_of(page).index('name="tone"') < config_of(page).index('name="topic"')
    page.get_by_role("button", name=re.compile("^Delete ")).first.click()
    expect(page.get_by_text("Deleted:")).to_be_visible()
    for _ in range(3):
        page.get_by_role("button", name="Undo").first.click()
    assert [tag.attrs for tag in parse(config_of(page)).walk()] == [tag.attrs for tag in parse(before).walk()]


def test_xml_names_what_is_wrong_at_its_line(live: Live, page: Page, client: User) -> None:
    open_form(page, live, client)
    page.get_by_role("tab", name="XML").click()
    page.locator(".cm-content").click()
    page.keyboard.press("Control+Home")
    page.keyboard.press("End")
    page.keyboard.type("\n<Texxt name='x'/>")
    found = page.get_by_role("list", name="What was found")
    expect(found).to_contain_text("did you mean Text?")
    expect(found.get_by_role("button")).to_have_text("line 2")
    expect(page.locator(".cm-found-error")).to_contain_text("Texxt")
    expect(page.get_by_text("The preview comes back when the errors are mended.")).to_be_visible()
    page.keyboard.type("<")
    expect(page.get_by_role("tab", name="Form")).to_be_disabled()


def test_a_form_is_built_by_keys_alone(live: Live, page: Page, client: User) -> None:
    open_form(page, live, client)
    page.get_by_role("button", name="Stars", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".lcfg-card").last.get_by_label("Question")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("How clear is it?")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert 'value="How clear is it?"' in config_of(page)
    expect(page).to_have_url(re.compile("/projects/new"))


def test_sample_data_can_be_ones_own(live: Live, page: Page, client: User) -> None:
    open_form(page, live, client)
    page.get_by_role("button", name="Sample data").click()
    data = page.get_by_label("Sample data, JSON")
    data.fill('{"text": "Where is my parcel?"}')
    data.blur()
    expect(page.get_by_role("region", name="Preview").get_by_text("Where is my parcel?", exact=True)).to_be_visible()
    data.fill("{")
    data.blur()
    expect(page.get_by_role("alert")).to_contain_text("not JSON")


@pytest.mark.parametrize(
    ("scheme", "viewport"), [("light", None), ("dark", None), ("light", PHONE)], ids=["light", "dark", "phone"]
)
def test_the_editor_is_accessible(
    live: Live, client: User, open_page: Callable[..., Page], scheme: Scheme, viewport: dict[str, int] | None
) -> None:
    page = open_page(scheme, viewport) if viewport else open_page(scheme)
    open_form(page, live, client, "named-entities")
    check_axe(page)
    shoot(page, f"labeling-config-form-{scheme}-{'phone' if viewport else 'desk'}")
    page.get_by_role("tab", name="XML").click()
    expect(page.locator(".cm-content")).to_be_visible()
    check_axe(page)
    shoot(page, f"labeling-config-xml-{scheme}-{'phone' if viewport else 'desk'}")
