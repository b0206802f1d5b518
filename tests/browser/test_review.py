"""Reviewing in a real browser, by keyboard alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.money import service as money
from preceptor.projects.models import GuidelinesVersion, RubricVersion
from preceptor.work.models import Decision, Review, Submission
from preceptor.work.service import prove_work
from tests.browser.conftest import PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.browser.test_contributor import CRITERIA, GUIDELINES, debate
from tests.factories import World, join, make_world
from tests.web.acting import judge

pytestmark = pytest.mark.browser

WHY = [
    "A names a place in the text and gives a second reason, attention; B only says that everybody liked it.",
    "B is shorter and I like sports, so I take B.",
    "Both say that exercise is good. A explains why a habit lasts, which B leaves out altogether.",
]


@pytest.fixture
def world(live: Live) -> World:
    """Three judgments of a debate, by three people, wait for review."""
    from preceptor.kit.clock import FixedClock

    clock = FixedClock(live.clock.now())
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=clock.now(), tasks=2, overlap=3, review_percent=100, rubric=False)
        project = made.project
        project.title = "Debates: which argument is more convincing?"
        for number, task in enumerate(made.tasks):
            task.payload = debate(number)
        rubric = RubricVersion(project_id=project.id, number=1, criteria=CRITERIA, created_at=clock.now())
        guidelines = GuidelinesVersion(project_id=project.id, number=1, body=GUIDELINES, created_at=clock.now())
        session.add_all([rubric, guidelines])
        session.flush()
        project.rubric_version_id, project.guidelines_version_id = rubric.id, guidelines.id
        people = join(session, made, now=clock.now(), people=3)
        for person, why, better in zip(people, WHY, ("r1", "r2", "r1"), strict=True):
            judge(session, person, made, clock, better=better, why=why)
    return made


def decisions(live: Live) -> list[Review]:
    with live.runtime.sessions() as session:
        return list(session.scalars(select(Review).order_by(Review.id)))


def wait_for_keys(page: Page) -> None:
    """Keys work from the moment that the desk's element is there."""
    expect(page.locator("preceptor-review:defined")).to_be_attached()


def test_three_are_reviewed_by_keyboard_alone(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review")
    expect(page.get_by_role("link", name="Start reviewing")).to_be_visible()
    check_axe(page)
    shoot(page, "review-queue")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Approve")).to_be_visible()
    expect(page.locator("preceptor-comparison .scale")).to_be_visible()
    wait_for_keys(page)

    # Mark a piece of the author's reason and quote it, then judge both criteria and approve.
    page.locator("[data-submission] textarea").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("j")
    page.keyboard.press("1")
    page.keyboard.press("q")
    expect(page.locator("[data-quote-shown]:visible q")).to_contain_text("names a place in the text")
    page.keyboard.press("j")
    page.keyboard.press("2")
    page.keyboard.press("c")
    page.keyboard.type("Which place? Say the words.")
    page.keyboard.press("Escape")
    check_axe(page)
    shoot(page, "review-desk", full=False)
    page.keyboard.press("a")
    expect(page.get_by_text("Approved. Here is the next one.")).to_be_visible()
    first = decisions(live)[0]
    assert first.decision is Decision.APPROVE
    assert [(each["key"], each["verdict"]) for each in first.criteria] == [("right", "met"), ("reason", "not_met")]
    assert first.criteria[0]["quote"] == WHY[0]
    assert first.criteria[1]["comment"] == "Which place? Say the words."

    # Returning without words is refused and loses nothing; with words it goes on.
    wait_for_keys(page)
    page.keyboard.press("3")
    page.keyboard.press("r")
    expect(page.get_by_role("alert")).to_contain_text("at least 20 characters")
    expect(page.locator("input[name=verdict_right][value=unclear]")).to_be_checked()
    shoot(page, "review-refused", full=False)
    wait_for_keys(page)
    page.keyboard.press("e")
    page.keyboard.type("Please judge the argument and not the sport; name a sentence.")
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator("textarea[name=comment]")).to_have_value(
        "Please judge the argument and not the sport; name a sentence."
    )
    wait_for_keys(page)
    page.keyboard.press("r")
    expect(page.get_by_text("Returned. Here is the next one.")).to_be_visible()

    # Rejecting asks first.
    wait_for_keys(page)
    page.keyboard.press("2")
    page.keyboard.press("e")
    page.keyboard.type("The reason does not fit the text that is shown here.")
    page.keyboard.press("Escape")
    page.keyboard.press("x")
    expect(page.get_by_role("dialog")).to_contain_text("Not met: The choice follows from the texts")
    check_axe(page)
    shoot(page, "review-reject", full=False)
    assert len(decisions(live)) == 2
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{live.url}/review")
    expect(page.get_by_text("Nothing more waits in this project.")).to_be_visible()
    assert [each.decision for each in decisions(live)] == [Decision.APPROVE, Decision.RETURN, Decision.REJECT]
    with live.runtime.sessions() as session:
        assert money.prove(session).ok
        assert prove_work(session)[1] == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", "desk"), ("light", "phone")])
def test_the_desk_in_the_dark_and_on_a_phone(
    live: Live, world: World, open_page: Callable[..., Page], scheme: Scheme, width: str
) -> None:
    page = open_page(scheme, PHONE) if width == "phone" else open_page(scheme)
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    expect(page.locator("preceptor-comparison .scale")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    check_axe(page)
    shoot(page, f"review-desk-{scheme}-{width}", full=False)
    if width == "phone":
        page.locator(".review-rubric").scroll_into_view_if_needed()
        page.locator("#f-comment").scroll_into_view_if_needed()
        shoot(page, f"review-desk-{scheme}-{width}-below", full=False)
    page.goto(f"{live.url}/review")
    check_axe(page)
    shoot(page, f"review-queue-{scheme}-{width}")


def test_the_decided_page_and_my_decisions(live: Live, world: World, open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    page.locator("textarea[name=comment]").fill("Good: it names the place and the second reason.")
    page.locator("label", has_text="Met").first.click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved. Here is the next one.")).to_be_visible()
    page.goto(f"{live.url}/review/done")
    check_axe(page)
    shoot(page, "review-done")
    with live.runtime.sessions() as session:
        decided = session.scalars(select(Submission).join(Review, Review.submission_id == Submission.id)).one()
    page.get_by_role("link", name="Should physical education").first.click()
    expect(page).to_have_url(f"{live.url}/review/submission/{show_id('submission', decided.id)}")
    expect(page.get_by_text("What others answered")).to_be_visible()
    check_axe(page)
    shoot(page, "review-decided")
