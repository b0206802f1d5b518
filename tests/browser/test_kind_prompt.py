"""Writing prompts in a real browser: by mouse, by keyboard alone, on a phone, and read by a reviewer."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from preceptor.kit.ids import show_id
from preceptor.tasktypes.prompt import PromptType
from preceptor.work import service
from tests.browser.conftest import DESK, PHONE, Live, Scheme, by_mouse_and_by_finger, check_axe, is_wide, shoot, sign_in
from tests.browser.writing import answer_of, make_writing, open_desk, saved, submissions, submit_fits, submitted

pytestmark = pytest.mark.browser

TOPIC, HARD = PromptType().templates()
EXAMPLE = "A helium balloon floats in a car with closed windows. Which way does it move when I brake?"
NEW = "My pressure cooker hisses long before its water boils. Is the food inside already hotter than 100 degrees?"


def editor(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Write a prompt")


@by_mouse_and_by_finger
def test_a_hard_prompt_by_mouse(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "prompt", HARD.config, list(HARD.examples))
    open_desk(page, live, world, worker)
    editor(page).click()
    page.keyboard.type(EXAMPLE.replace("?", " hard?"))
    expect(page.get_by_text("Too like another prompt: change it.")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type(NEW)
    expect(page.get_by_text("Unlike every other prompt of this project.")).to_be_visible()
    page.get_by_label("Can be answered in one paragraph").check()
    page.get_by_label("No calculation with more than two steps").check()
    page.get_by_text("hard", exact=False).locator("xpath=self::label").click()
    page.get_by_label("Add a tag").fill("steam")
    page.get_by_label("Add a tag").press("Enter")
    page.get_by_role("button", name="Reference answer").click()
    page.get_by_role("textbox", name="Reference answer").click()
    page.keyboard.type("No: steam escapes as pressure rises; it gets hotter only once the valve closes.")
    page.get_by_role("button", name="Why it fails").click()
    page.get_by_role("textbox", name="Why it fails").click()
    page.keyboard.type("It takes the hissing for the boiling.")
    # On a tablet held upright the brief above scrolls away.
    assert submit_fits(page) or not is_wide(page)
    check_axe(page)
    shoot(page, "prm-work", full=False)
    page.get_by_role("button", name="Models' answers").click()
    expect(page.get_by_text("No model is offered here, so nothing has to be run.")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    submitted(page)
    stored = answer_of(live)
    assert stored["messages"] == [{"role": "user", "content": NEW}]
    assert (stored["difficulty"], stored["tags"], stored["constraints_met"]) == ("hard", ["steam"], [0, 1])
    assert stored["why_fails"] == "It takes the hissing for the boiling."
    assert stored["runs_waived"] is True


def test_a_prompt_by_keyboard_alone(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "prompt", TOPIC.config, list(TOPIC.examples))
    open_desk(page, live, world, worker)
    constraint = page.get_by_label("Says for how many people")
    for _ in range(20):
        if constraint.evaluate("(each) => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("2")
    page.keyboard.press("e")
    page.keyboard.type("I cook for forty on a camp stove with one flame. What can I make in three pots?")
    page.keyboard.press("Escape")
    tag = page.get_by_label("Add a tag")
    for _ in range(20):
        if tag.evaluate("(each) => each === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.type("camping")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(page.get_by_role("textbox", name="Reference answer")).to_be_focused()
    page.keyboard.type("A stew, rice and fruit.")
    page.keyboard.press("Control+Enter")
    submitted(page)
    stored = answer_of(live)
    assert (stored["difficulty"], stored["tags"], stored["constraints_met"]) == ("medium", ["camping"], [0, 1])
    assert stored["reference"] == "A stew, rice and fruit."


def test_somebody_elses_prompt_is_known_only_by_how_much_is_in_common(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "prompt", TOPIC.config, list(TOPIC.examples))
    answer: dict[str, Any] = {
        "messages": [{"role": "user", "content": NEW}],
        "difficulty": "easy",
        "tags": ["a"],
        "constraints_met": [0, 1],
    }
    with live.runtime.sessions.begin() as session:
        from tests.factories import join

        other = join(session, world, now=live.clock.now())[0]
        held = service.claim_next(session, other.actor, world.project.id, now=live.clock.now()).claim
        service.submit(session, other.actor, held.id, answer, now=live.clock.now())
    open_desk(page, live, world, worker)
    editor(page).click()
    page.keyboard.type(NEW.replace("100", "90"))
    alike = page.get_by_role("status").filter(has_text="Too like another prompt")
    expect(alike).to_contain_text("% in common with someone else's prompt")
    expect(alike).not_to_contain_text("pressure cooker")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("too like another one")
    assert len(submissions(live)) == 1


@pytest.mark.parametrize(("scheme", "viewport"), [("dark", DESK), ("light", PHONE)], ids=["dark", "phone"])
def test_writing_in_the_dark_and_on_a_phone(
    open_page: Callable[..., Page], live: Live, scheme: Scheme, viewport: dict[str, int]
) -> None:
    world, worker = make_writing(live, "prompt", HARD.config, list(HARD.examples))
    page = open_page(scheme, viewport)
    open_desk(page, live, world, worker)
    editor(page).click()
    page.keyboard.type(EXAMPLE)
    expect(page.get_by_text("Too like another prompt: change it.")).to_be_visible()
    saved(page)
    check_axe(page)
    shoot(page, f"prm-{scheme}-{viewport['width']}")
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_reviewer_sees_the_prompt_with_its_claims_and_runs(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "prompt", HARD.config, list(HARD.examples))
    answer: dict[str, Any] = {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": NEW}],
        "difficulty": "hard",
        "tags": ["steam"],
        "constraints_met": [0, 1],
        "reference": "No.",
        "why_fails": "It takes the hissing for the boiling.",
        "runs_waived": True,
    }
    with live.runtime.sessions.begin() as session:
        held = service.claim_next(session, worker.actor, world.project.id, now=live.clock.now()).claim
        service.submit(session, worker.actor, held.id, answer, now=live.clock.now())
    sign_in(page, live, world.reviewer)
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    read = page.get_by_role("region", name="What was written").last
    expect(read).to_contain_text(NEW)
    expect(read).to_contain_text("It takes the hissing for the boiling.")
    expect(read).to_contain_text("No model could be run")
    check_axe(page)
    shoot(page, "prm-review", full=False)
