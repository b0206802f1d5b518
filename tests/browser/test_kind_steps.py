"""Step marks in a real browser: by mouse, by keyboard alone, on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from tests.browser.conftest import PHONE, Live, by_mouse_and_by_finger, check_axe, check_in_both_schemes, shoot, sign_in
from tests.browser.writing import answer_of
from tests.factories import World, join
from tests.kind_world import template_world

pytestmark = pytest.mark.browser


def started(live: Live, page: Page, key: str) -> World:
    """A contributor's desk with the first task of a template."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = template_world(session, kind="steps", key=key, now=now)
        worker = join(session, world, now=now)[0]
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("list", name="Steps")).to_be_visible()
    return world


def mark(page: Page, step: int, verdict: str) -> None:
    page.get_by_role("group", name=f"Mark of step {step}", exact=True).get_by_role("radio", name=verdict).click()


def select_source(page: Page, words: str) -> None:
    page.evaluate(
        """(words) => {
            const text = document.querySelector('.steps-source-text [data-quotable]:not([hidden])');
            const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf(words);
                if (at >= 0) { getSelection().setBaseAndExtent(node, at, node, at + words.length); return; }
            }
            throw new Error('not found: ' + words);
        }""",
        words,
    )


@by_mouse_and_by_finger
def test_sentences_are_checked_against_sources_by_mouse(page: Page, live: Live) -> None:
    started(live, page, "facts")
    mark(page, 1, "Wrong")
    page.get_by_role("tab", name="Parish chronicle").click()
    select_source(page, "autumn of 1886")
    page.get_by_role("button", name="Quote for step 1").click()
    page.get_by_role("group", name="Kind of error in step 1").get_by_text("Number or date").click()
    page.get_by_role("button", name="Correct").first.click()
    fix = page.get_by_label("Step 1 as it should read")
    fix.fill("The lighthouse on Skarholm was lit in 1886 and stands 31 metres high.")
    for step, words in ((2, "Paraffin"), (3, "May 1967")):
        mark(page, step, "Correct")
        select_source(page, words)
        page.get_by_role("button", name=f"Quote for step {step}").click()
    mark(page, 4, "Neutral")
    mark(page, 5, "Unsupported")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    marks = answer_of(live)["marks"]
    assert [marks[str(at)]["verdict"] for at in range(5)] == ["wrong", "correct", "correct", "neutral", "unsupported"]
    assert marks["0"]["category"] == "number"
    assert marks["0"]["quotes"][0]["text"] == "autumn of 1886"
    assert marks["0"]["quotes"][0]["where"] == "chronicle"
    assert marks["0"]["correction"].startswith("The lighthouse on Skarholm was lit in 1886")


def test_the_first_wrong_step_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, "solution")
    keys = page.keyboard
    keys.press("1")
    keys.press("1")
    keys.press("j")
    keys.press("w")
    expect(page.get_by_text("First error in step 4")).to_be_visible()
    expect(page.get_by_text("not asked")).to_have_count(1)
    keys.press("c")
    keys.press("e")
    keys.press("Control+a")
    keys.type("The second part takes 120 / 40 = 3 h.")
    keys.press("Escape")
    keys.press("m")
    keys.type("120 / 40 is 3.")
    keys.press("Escape")
    keys.press("n")
    keys.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer = answer_of(live)
    assert [answer["marks"][str(at)]["verdict"] for at in range(4)] == ["correct", "correct", "correct", "wrong"]
    assert "4" not in answer["marks"]
    assert answer["marks"]["3"]["category"] == "calculation"
    assert answer["marks"]["3"]["correction"] == "The second part takes 120 / 40 = 3 h."
    assert answer["final_correct"] is False


def test_a_source_is_quoted_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, "facts")
    keys = page.keyboard
    keys.press("1")
    keys.press("q")
    expect(page.get_by_text("next text")).to_be_visible()
    keys.press("ArrowDown")
    keys.press("Enter")
    quotes = page.get_by_role("list", name="Quotes")
    expect(quotes).to_contain_text("White round tower with gallery")
    keys.press("u")
    keys.type("https://example.org/pilot")
    keys.press("Enter")
    expect(page.get_by_role("list", name="Web addresses")).to_contain_text("example.org/pilot")


@pytest.mark.parametrize("key", ["solution", "facts"])
def test_steps_are_legible(page: Page, live: Live, key: str) -> None:
    started(live, page, key)
    page.keyboard.press("1")
    page.keyboard.press("4" if key == "facts" else "3")
    if key == "solution":
        page.keyboard.press("e")
        page.keyboard.press("Escape")
    else:
        page.keyboard.press("q")
    check_in_both_schemes(page, f"steps-{key}")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_steps_on_a_phone(open_page: Callable[..., Page], live: Live) -> None:
    page = open_page("light", PHONE)
    started(live, page, "solution")
    mark(page, 2, "Wrong")
    shoot(page, "steps-phone")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
