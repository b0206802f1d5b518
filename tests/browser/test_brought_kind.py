"""A kind of work that comes in a package of its own, with its own element: the manual's example, on the desk."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.work.models import Submission
from tests.browser.conftest import Live, check_axe, shoot, sign_in
from tests.factories import User, World, join, make_world

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("stars_installed")]

PAYLOAD = {
    "prompt": [{"role": "user", "content": "Name a **prime**."}],
    "response": [{"role": "assistant", "content": "7 <script>alert(1)</script>"}],
}
REASON = "It answers what was asked, and it is right."


@pytest.fixture
def stars(live: Live) -> tuple[World, User]:
    with live.runtime.sessions.begin() as session:
        world = make_world(session, now=live.clock.now(), tasks=2, review_percent=100)
        world.project.task_type, world.project.config = "stars", {}
        for task in world.tasks:
            task.payload = PAYLOAD
        return world, join(session, world, now=live.clock.now())[0]


def test_its_element_is_fetched_worked_at_and_shown_to_the_reviewer(
    page: Page, live: Live, stars: tuple[World, User]
) -> None:
    world, worker = stars
    sign_in(page, live, worker)
    with page.expect_response(lambda answer: "/kinds/example-stars-" in answer.url) as fetched:
        page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
        page.get_by_role("button", name="Start").click()
    assert fetched.value.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert fetched.value.headers["content-type"].startswith("text/javascript")
    expect(page.get_by_role("region", name="user").locator("strong")).to_have_text("prime")
    check_axe(page)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Give one to 5 stars. Say why in at least 20 characters.")).to_be_visible()
    page.get_by_role("radio", name="4 stars").check()
    page.get_by_label("Why?").fill(REASON)
    shoot(page, "brought-kind", full=False)
    page.get_by_role("button", name="Submit").click()
    # The next task is the same element, made anew.
    expect(page.get_by_label("Why?")).to_have_value("")
    with live.runtime.sessions.begin() as session:
        assert session.scalars(select(Submission.answer)).one() == {"stars": 4, "reason": REASON}
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    expect(page.get_by_role("radio", name="4 stars")).to_be_checked()
    expect(page.get_by_role("radio", name="4 stars")).to_be_disabled()


def test_what_is_no_script_of_a_kind_is_not_found(page: Page, live: Live) -> None:
    for name in ("example-stars-000000000000.js", "stars.py", "..%2Fstars.py"):
        assert page.request.get(f"{live.url}/kinds/{name}").status == 404
