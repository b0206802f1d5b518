"""Writing demonstrations in a real browser: by mouse, by keyboard alone, on a phone, and read by a reviewer."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from preceptor.kit.ids import show_id
from preceptor.tasktypes.demonstration import DemonstrationType
from preceptor.work import service
from tests.browser.conftest import DESK, PHONE, Live, Scheme, by_mouse_and_by_finger, check_axe, shoot, sign_in
from tests.browser.writing import answer_of, make_writing, open_desk, saved, submit_fits, submitted

pytestmark = pytest.mark.browser

ANSWER, CONVERSATION, EDIT = DemonstrationType().templates()
SENTENCE = "Starch crystallises again as bread cools down, and it does so fastest a little above freezing. "
TWO_SOURCES = {**ANSWER.config, "sources_min": 1}
PASTED = """<div><h2>Cold bread</h2><p>It is <b>starch</b> and <a href="https://example.org/a">water</a>.</p>
<ul><li>one</li><li>two</li></ul><script>alert(1)</script><a href="javascript:alert(1)">bad</a></div>"""


def editor(page: Page, name: str = "Write the ideal answer") -> Locator:
    return page.get_by_role("textbox", name=name)


def paste(box: Locator, html: str) -> None:
    """What a browser tells the page when somebody pastes rich text."""
    box.evaluate(
        """(box, html) => {
            const held = new DataTransfer();
            held.setData("text/html", html);
            held.setData("text/plain", "plain");
            box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: held, bubbles: true, cancelable: true }));
        }""",
        html,
    )


# --- The ideal answer


@by_mouse_and_by_finger
def test_an_answer_by_mouse(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", TWO_SOURCES, list(ANSWER.examples))
    open_desk(page, live, world, worker)
    box = editor(page)
    box.click()
    page.keyboard.type(SENTENCE * 2)
    page.get_by_role("button", name="Bold").click()
    page.keyboard.type("Freeze it")
    expect(page.get_by_role("region", name="Preview").locator("strong")).to_have_text("Freeze it")
    assert submit_fits(page)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("Give at least 1 source; 0 so far.")
    page.get_by_role("button", name="Sources").click()
    page.get_by_label("Address of source 1").fill("https://example.org/bread")
    page.get_by_label("Title of source 1").fill("Bread")
    check_axe(page)
    page.get_by_role("button", name="Submit").click()
    submitted(page)
    stored = answer_of(live)
    assert stored["text"] == f"{SENTENCE * 2}**Freeze it**"
    assert stored["sources"] == [{"url": "https://example.org/bread", "title": "Bread", "quote": ""}]


def test_an_answer_by_keyboard_alone(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", TWO_SOURCES, list(ANSWER.examples))
    open_desk(page, live, world, worker)
    page.keyboard.press("e")
    page.keyboard.type(SENTENCE * 2)
    page.keyboard.press("Control+b")
    page.keyboard.type("Freeze it")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("- one\ntwo")
    page.keyboard.press("Tab")  # moves the item in; Escape and Tab leaves
    expect(page.get_by_role("region", name="Preview").locator("li")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()
    page.keyboard.press("s")
    expect(page.get_by_label("Address of source 1")).to_be_focused()
    page.keyboard.type("https://example.org/bread")
    page.keyboard.press("Tab")
    page.keyboard.type("Bread")
    page.keyboard.press("Control+Enter")
    submitted(page)
    stored = answer_of(live)
    assert stored["text"] == f"{SENTENCE * 2}**Freeze it**\n- one\n  - two"
    assert stored["sources"][0]["title"] == "Bread"


def test_rich_text_is_pasted_as_markdown_without_what_could_do_harm(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", ANSWER.config, list(ANSWER.examples))
    open_desk(page, live, world, worker)
    box = editor(page)
    box.click()
    paste(box, PASTED)
    expect(page.get_by_role("region", name="Preview").get_by_role("heading", name="Cold bread")).to_be_visible()
    saved(page)
    with live.runtime.sessions.begin() as session:
        held = service.claim_next(session, worker.actor, world.project.id, now=live.clock.now()).claim
        assert held.draft is not None
        expected = "## Cold bread\n\nIt is **starch** and [water](https://example.org/a).\n\n- one\n- two\n\nbad"
        assert held.draft["text"] == expected


def test_rules_are_told_while_writing_and_lead_to_the_place(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", ANSWER.config, list(ANSWER.examples))
    open_desk(page, live, world, worker)
    editor(page).click()
    page.keyboard.type(f"Sure, that is easy. {SENTENCE * 2}")
    told = page.get_by_role("list", name="Style")
    expect(told).to_contain_text("Begin with the answer itself")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("Begin with the answer itself")
    told.get_by_role("button", name="Show where").click()
    page.keyboard.type("No")
    expect(editor(page)).to_contain_text("No, that is easy.")
    expect(told).to_have_count(0)


def test_a_long_draft_is_kept_to_its_last_character(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", ANSWER.config, list(ANSWER.examples))
    long = (SENTENCE * 20 + "\n\n") * 104
    with live.runtime.sessions.begin() as session:
        held = service.claim_next(session, worker.actor, world.project.id, now=live.clock.now()).claim
        service.save_draft(session, worker.actor, held.id, {"text": long}, 1, now=live.clock.now())
    open_desk(page, live, world, worker)
    page.keyboard.press("e")
    page.keyboard.press("Control+End")
    page.keyboard.type("The last words.")
    page.keyboard.press("Control+Enter")
    submitted(page)
    assert answer_of(live)["text"] == f"{long}The last words."


# --- A conversation


def test_a_conversation_by_mouse_with_a_turn_removed_brought_back_and_dragged(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", CONVERSATION.config, list(CONVERSATION.examples))
    open_desk(page, live, world, worker)
    for number, role in enumerate(("User", "Assistant", "User", "Assistant"), start=1):
        page.locator(".turn-add").get_by_role("button", name=f"{role} turn").click()
        expect(editor(page, f"Turn {number}, {role}")).to_be_focused()
        page.keyboard.type(f"Words of turn {number}.")
    assert submit_fits(page)
    check_axe(page)
    shoot(page, "dem-conversation", full=False)
    page.get_by_role("button", name="Remove user turn 3").click()
    expect(page.get_by_text("Write at least 4 turns; 3 so far.")).to_be_visible()
    page.get_by_role("button", name="Bring it back").click()
    page.locator(".wr-editor").evaluate("(each) => each.scrollTo(0, 0)")
    page.locator(".turn").nth(2).locator(".turn-grip").drag_to(page.locator(".turn").first.locator(".turn-text"))
    expect(page.get_by_label("Turn 1, User")).to_contain_text("Words of turn 3.")
    page.get_by_role("button", name="Move user turn 1 down").click()
    page.get_by_role("button", name="Move user turn 2 down").click()
    page.get_by_role("button", name="Submit").click()
    submitted(page)
    assert [turn["content"] for turn in answer_of(live)["turns"]] == [f"Words of turn {n}." for n in range(1, 5)]


def test_a_conversation_by_keyboard_alone(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", CONVERSATION.config, list(CONVERSATION.examples))
    open_desk(page, live, world, worker)
    page.keyboard.press("e")
    for number in range(1, 5):
        expect(editor(page, f"Turn {number}")).to_be_focused()
        page.keyboard.type(f"Words of turn {number}.")
        if number < 4:
            page.keyboard.press("Alt+Enter")
    page.keyboard.press("Alt+Shift+ArrowUp")
    expect(page.get_by_text("two turns of the assistant in a row")).to_be_visible()
    page.keyboard.press("Alt+Shift+ArrowDown")
    page.keyboard.press("Control+Enter")
    submitted(page)
    turns = answer_of(live)["turns"]
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 2
    assert [turn["content"] for turn in turns] == [f"Words of turn {n}." for n in range(1, 5)]


# --- A corrected draft


def test_a_draft_is_corrected_with_changes_shown_and_one_taken_back(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", EDIT.config, list(EDIT.examples))
    open_desk(page, live, world, worker)
    changes = page.get_by_role("region", name="Changes")
    expect(changes).to_contain_text("Nothing is changed yet.")
    box = editor(page, "Correct the draft")
    box.click()
    page.keyboard.press("Control+Home")
    for _ in range(len("Great question! ")):
        page.keyboard.press("Delete")
    page.keyboard.press("Control+End")
    page.keyboard.type(" In short: 500 light seconds.")
    expect(changes).to_contain_text("5 words added, 2 removed")
    expect(box.locator("del")).to_have_text("Great question! ")
    expect(box.locator("ins")).to_have_text(" In short: 500 light seconds.")
    assert submit_fits(page)
    check_axe(page)
    shoot(page, "dem-edit", full=False)
    changes.get_by_role("button", name="Take back: In short").click()
    expect(changes).to_contain_text("0 words added, 2 removed")
    page.get_by_role("button", name="Submit").click()
    submitted(page)
    draft = str(EDIT.examples[0]["draft"])
    assert answer_of(live)["text"] == draft.removeprefix("Great question! ")


def test_changes_are_walked_and_taken_back_by_keyboard_alone(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", EDIT.config, list(EDIT.examples))
    open_desk(page, live, world, worker)
    changes = page.get_by_role("region", name="Changes")
    page.keyboard.press("e")
    page.keyboard.press("Control+Home")
    for _ in range(len("Great question! ")):
        page.keyboard.press("Delete")
    page.keyboard.press("Control+End")
    page.keyboard.type(" Not quite.")
    expect(changes).to_contain_text("2 words added, 2 removed")
    page.keyboard.press("F8")  # round the end to the first one
    page.keyboard.press("F8")
    page.keyboard.press("Alt+r")
    expect(changes).to_contain_text("0 words added, 2 removed")
    page.keyboard.press("Control+Enter")
    submitted(page)
    draft = str(EDIT.examples[0]["draft"])
    assert answer_of(live)["text"] == draft.removeprefix("Great question! ")


# --- As others see it


@pytest.mark.parametrize(("scheme", "viewport"), [("dark", DESK), ("light", PHONE)], ids=["dark", "phone"])
def test_writing_in_the_dark_and_on_a_phone(
    open_page: Callable[..., Page], live: Live, scheme: Scheme, viewport: dict[str, int]
) -> None:
    world, worker = make_writing(live, "demonstration", ANSWER.config, list(ANSWER.examples))
    page = open_page(scheme, viewport)
    open_desk(page, live, world, worker)
    editor(page).click()
    page.keyboard.type(f"Sure. {SENTENCE * 2}\n\n```python\nprint(1)\n```\n")
    if viewport is PHONE:
        page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").locator("pre")).to_be_visible()
    saved(page)
    check_axe(page)
    shoot(page, f"dem-{scheme}-{viewport['width']}", full=False)
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= viewport["width"]


def test_a_reviewer_sees_what_was_changed(page: Page, live: Live) -> None:
    world, worker = make_writing(live, "demonstration", EDIT.config, list(EDIT.examples))
    text = str(EDIT.examples[0]["draft"]).replace("8 seconds", "8 minutes and 20 seconds")
    answer: dict[str, Any] = {
        "text": text.removeprefix("Great question! "),
        "sources": [{"url": "https://example.org/light", "title": "Light"}],
    }
    with live.runtime.sessions.begin() as session:
        held = service.claim_next(session, worker.actor, world.project.id, now=live.clock.now()).claim
        service.submit(session, worker.actor, held.id, answer, now=live.clock.now())
    sign_in(page, live, world.reviewer)
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    read = page.get_by_role("region", name="What was written").last
    expect(read.locator("del").first).to_contain_text("Great question!")
    expect(read.locator("ins")).to_contain_text("minutes and 20")
    expect(read.get_by_role("link", name="Light")).to_be_visible()
    check_axe(page)
    shoot(page, "dem-review", full=False)
