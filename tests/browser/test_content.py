"""Material that not everybody wants to see: chosen in the settings, covered on the desk, and pastes that are told."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.work.models import ClaimStep
from tests.browser.conftest import Live, check_axe, shoot, sign_in
from tests.factories import User, World, join, make_world

pytestmark = pytest.mark.browser


@pytest.fixture
def world(live: Live) -> World:
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=live.clock.now(), tasks=3)
        made.project.opened_at = live.clock.now()
        made.project.content_ratings = ["violence"]
    return made


@pytest.fixture
def worker(live: Live, world: World) -> User:
    with live.runtime.sessions.begin() as session:
        return join(session, world, now=live.clock.now())[0]


def test_what_was_not_chosen_is_not_offered_and_what_was_is_covered(
    page: Page, live: Live, world: World, worker: User
) -> None:
    board = f"{live.url}/board/{show_id('project', world.project.id)}"
    sign_in(page, live, worker)
    page.goto(board)
    expect(page.get_by_text("Its material may show: violence and injury").first).to_be_visible()
    page.goto(f"{live.url}/settings#content")
    page.get_by_role("checkbox", name="Violence and injury").check()
    page.get_by_label("Violence and injury: tasks a day").fill("2")
    check_axe(page)
    shoot(page, "settings-content")
    page.get_by_role("button", name="Save what I see").click()
    expect(page.get_by_text("What you see is chosen.")).to_be_visible()

    page.goto(board)
    page.get_by_role("button", name="Start").first.click()
    expect(page.get_by_role("heading", name="This task is covered")).to_be_visible()
    assert page.locator("preceptor-comparison").count() == 0, "covered, nothing of the task is in the page"
    expect(page.get_by_role("button", name="Submit")).to_be_disabled()
    check_axe(page)
    shoot(page, "desk-covered")
    page.get_by_role("button", name="Show the task").click()
    expect(page.get_by_role("radiogroup")).to_be_visible()
    page.get_by_role("radio", name="A better", exact=True).click()
    why = page.get_by_label("Why?")
    why.focus()
    page.evaluate(
        """() => {
        const data = new DataTransfer();
        data.setData("text/plain", "It adds up, and the other one does not.");
        document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
        }"""
    )
    why.fill("It adds up, and the other one does not.")
    expect(page.get_by_text("Saved ", exact=False).first).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    # The next one is covered again.
    expect(page.get_by_role("heading", name="This task is covered")).to_be_visible()
    with live.runtime.sessions.begin() as session:
        pastes = session.scalars(select(ClaimStep).where(ClaimStep.kind == "pasted")).all()
        assert [(step.field, step.size) for step in pastes] == [("Why?", 39)]
    page.get_by_role("button", name="Skip it").click()
    expect(page.get_by_text("You have seen as much as you chose for today")).to_be_visible()
    shoot(page, "desk-limit")
