"""Rating in a real browser: by mouse, by keyboard alone, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.work.models import Claim, Submission
from tests.browser.conftest import PHONE, Live, by_mouse_and_by_finger, check_axe, check_in_both_schemes, shoot, sign_in
from tests.factories import World, join
from tests.kind_world import make_kind_world, template_world

pytestmark = pytest.mark.browser


def started(live: Live, page: Page, key: str) -> World:
    """A contributor's desk with the first task of a template."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = template_world(session, kind="rating", key=key, now=now)
        worker = join(session, world, now=now)[0]
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("tablist", name="Responses").first).to_be_visible()
    return world


def given(live: Live) -> tuple[dict[str, Any], list[str]]:
    """The one answer submitted, and the order in which responses were shown."""
    with live.runtime.sessions.begin() as session:
        [submission] = session.scalars(select(Submission))
        return submission.answer, list(session.get_one(Claim, submission.claim_id).display_order)


def select_words(page: Page, words: str) -> None:
    """Select a passage of the response in front, as a mouse would."""
    page.evaluate(
        """(words) => {
            const text = document.querySelector('.rate-text [data-quotable]');
            const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
            for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                const at = node.data.indexOf(words);
                if (at >= 0) { getSelection().setBaseAndExtent(node, at, node, at + words.length); return; }
            }
            throw new Error('not found: ' + words);
        }""",
        words,
    )


def choose(page: Page, criterion: str, value: str) -> None:
    page.get_by_role("group", name=criterion, exact=True).get_by_role("radio", name=value).first.click()


@by_mouse_and_by_finger
def test_a_rating_by_mouse(page: Page, live: Live) -> None:
    started(live, page, "rubric")
    front = page.locator(".rate-text").inner_text()
    choose(page, "Correct", "2")
    select_words(page, front.split()[1])
    page.get_by_role("button", name="Quote for “Correct”").click()
    expect(page.get_by_role("list", name="Quotes")).to_contain_text(front.split()[1])
    choose(page, "Helpful", "4")
    choose(page, "Clear", "5")
    expect(page.get_by_role("tab", name="Response A")).to_contain_text("54 %")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Not complete yet.")).to_be_visible()
    page.get_by_role("tab", name="Response B").click()
    for criterion in ("Correct", "Helpful", "Clear"):
        choose(page, criterion, "5")
    expect(page.get_by_role("tab", name="Response B")).to_contain_text("100 %")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer, order = given(live)
    first, second = order
    assert {key: mark["value"] for key, mark in answer["scores"][first].items()} == {
        "correct": 2,
        "helpful": 4,
        "clear": 5,
    }
    assert {mark["value"] for mark in answer["scores"][second].values()} == {5}
    [span] = answer["scores"][first]["correct"]["quotes"]
    assert span["where"] == first
    assert span["text"] in front.split()[1]


def test_a_rating_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, "checks")
    keys = page.keyboard
    for label in ("a", "b"):
        keys.press(label)
        keys.press("y")
        keys.press("q")
        expect(page.get_by_text("next text")).to_be_visible()
        keys.press("ArrowDown")
        keys.press("Shift+ArrowLeft")
        keys.press("Enter")
        expect(page.get_by_role("list", name="Quotes")).to_have_count(1)
        keys.press("j")
        keys.press("0")
        keys.press("j")
        keys.press("n")
        keys.press("m")
        keys.type("I checked the numbers.")
        keys.press("Escape")
        keys.press("k")
        keys.press("k")
    keys.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer, order = given(live)
    for name in order:
        marks = answer["scores"][name]
        assert marks["answers"]["value"] == 1
        assert marks["reason"]["na"] is True
        assert marks["invented"] == {"value": 0, "na": False, "quotes": [], "comment": "I checked the numbers."}
        assert marks["answers"]["quotes"][0]["where"] == name


def test_a_reference_that_is_held_back_opens_once_all_is_graded(page: Page, live: Live) -> None:
    started(live, page, "grades")
    reference = page.get_by_role("button", name="Reference answer")
    expect(reference).to_be_disabled()
    page.keyboard.press("v")
    page.keyboard.type("72")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.type("90")
    expect(reference).to_be_enabled()
    expect(page.get_by_role("tab", name="Response A")).to_contain_text("76 %")
    reference.click()
    expect(page.get_by_role("region", name="Reference answer")).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer, [name] = given(live)
    assert answer["reference_opened"] is True
    assert {key: mark["value"] for key, mark in answer["scores"][name].items()} == {"content": 72, "form": 90}


@pytest.mark.parametrize("key", ["rubric", "checks", "grades"])
def test_a_rating_is_legible(page: Page, live: Live, key: str) -> None:
    started(live, page, key)
    page.keyboard.press("y" if key == "checks" else "4")
    if key != "grades":
        page.keyboard.press("q")
    check_in_both_schemes(page, f"rating-{key}")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


def test_a_rating_on_a_phone(open_page: Callable[..., Page], live: Live) -> None:
    page = open_page("light", PHONE)
    started(live, page, "rubric")
    choose(page, "Correct", "2")
    select_words(page, page.locator(".rate-text").inner_text().split()[1])
    shoot(page, "rating-phone")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


HOSTILE = (
    "The area is $\\frac{1}{2}ab$, *not* `a*b` &amp; never <img src=x onerror=alert(1)> more 🌊.\n\n"
    "- first\n- **second** item"
)


@pytest.mark.parametrize(
    ("words", "quote"),
    [("not", "not"), ("second", "second"), ("item", "item"), ("a*b", "a*b"), ("more", "more")],
    ids=["emphasis", "bold", "list", "code", "after html"],
)
def test_a_quote_is_found_behind_markup_and_html_stays_inert(page: Page, live: Live, words: str, quote: str) -> None:
    now = live.clock.now()
    row = {"prompt": "What is its area?", "responses": [HOSTILE]}
    with live.runtime.sessions.begin() as session:
        world = make_kind_world(session, kind="rating", config={}, rows=[row], now=now)
        worker = join(session, world, now=now)[0]
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").click()
    expect(page.locator(".rate-text img")).to_have_count(0)
    choose(page, "Correct", "2")
    select_words(page, words)
    page.keyboard.press("q")
    expect(page.get_by_role("list", name="Quotes")).to_contain_text(quote)
    choose(page, "Helpful", "2")
    choose(page, "Clear", "2")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer, [name] = given(live)
    [span] = answer["scores"][name]["correct"]["quotes"]
    assert span["text"] == quote
    assert HOSTILE[span["start"] : span["end"]] == quote
