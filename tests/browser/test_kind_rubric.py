"""Rubrics written and validated in a real browser: by mouse, by keyboard alone, on a phone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from tests.browser.conftest import PHONE, Live, by_mouse_and_by_finger, check_axe, check_in_both_schemes, shoot, sign_in
from tests.browser.writing import answer_of
from tests.factories import World, join
from tests.kind_world import template_world

pytestmark = pytest.mark.browser

FIRST = "Tells the reader to close the main valve first"
SECOND = "Names a hair dryer as a safe way to warm the pipe"
FAULT = "Recommends an open flame"


def started(live: Live, page: Page, key: str) -> World:
    """A contributor's desk with the first task of a template."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = template_world(session, kind="rubric", key=key, now=now)
        worker = join(session, world, now=now)[0]
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("list", name="Criteria")).to_be_attached()
    return world


def write(page: Page, number: int, statement: str) -> None:
    page.get_by_role("button", name="Add a criterion").click()
    page.get_by_role("textbox", name=f"Criterion {number}", exact=True).fill(statement)


@by_mouse_and_by_finger
def test_a_rubric_is_written_by_mouse(page: Page, live: Live) -> None:
    started(live, page, "author")
    write(page, 1, SECOND)
    write(page, 2, FIRST)
    write(page, 3, FAULT)
    page.get_by_role("listitem", name="Criterion 3").get_by_text("Penalty").click()
    page.get_by_label("Points of criterion 3, below zero").fill("8")
    page.get_by_role("button", name="Move criterion 2 up").click()
    expect(page.get_by_role("textbox", name="Criterion 1", exact=True)).to_have_value(FIRST)
    page.get_by_role("button", name="Remove criterion 3").click()
    expect(page.get_by_text("2 of 3–20 criteria")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("3 of 3–20 criteria")).to_be_visible()
    page.locator("[data-criterion='1'] .rub-grip").drag_to(page.locator("[data-criterion='2']"))
    expect(page.get_by_role("textbox", name="Criterion 3", exact=True)).to_have_value(SECOND)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    criteria = answer_of(live)["criteria"]
    assert [(each["statement"], each["kind"], each["points"]) for each in criteria] == [
        (FIRST, "must", 5),
        (FAULT, "penalty", -8),
        (SECOND, "must", 5),
    ]


def test_a_rubric_is_written_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, "author")
    keys = page.keyboard
    for statement in (FIRST, SECOND, FAULT):
        keys.press("n")
        keys.type(statement)
        keys.press("Escape")
    keys.press("t")
    keys.press("t")
    keys.press("+")
    keys.press("Shift+K")
    keys.press("r")
    keys.type("It sets houses on fire.")
    keys.press("Escape")
    keys.press("Delete")
    expect(page.get_by_text("2 of 3–20 criteria")).to_be_visible()
    keys.press("z")
    expect(page.get_by_text("3 of 3–20 criteria")).to_be_visible()
    keys.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    criteria = answer_of(live)["criteria"]
    assert [each["statement"] for each in criteria] == [FIRST, FAULT, SECOND]
    assert criteria[1]["kind"] == "penalty"
    assert criteria[1]["points"] == -6
    assert criteria[1]["rationale"] == "It sets houses on fire."


def test_hints_on_wording_come_while_one_writes_and_can_be_answered(page: Page, live: Live) -> None:
    started(live, page, "author")
    write(page, 1, "Gives good advice, see above")
    hints = page.get_by_role("list", name="Hints on criterion 1").get_by_role("listitem")
    expect(hints).to_have_count(2)
    hints.first.get_by_role("button", name="It is fine").click()
    expect(hints).to_have_count(1)
    page.get_by_role("textbox", name="Criterion 1", exact=True).fill(FIRST)
    expect(hints).to_have_count(0)


@by_mouse_and_by_finger
def test_a_rubric_is_validated_by_mouse(page: Page, live: Live) -> None:
    started(live, page, "validate")
    for number in range(1, 5):
        card = page.get_by_role("listitem", name=f"Criterion {number}", exact=True)
        for question in ("Self-contained", "Checkable", "Correct", "Important"):
            said = "no" if number == 3 and question == "Checkable" else "yes"
            card.get_by_role("radio", name=f"{question}: {said}").click()
        card.locator(f"label[data-decision={'mend' if number == 3 else 'keep'}]").click()
    page.get_by_label("Criterion 3 as it should read").fill("Addresses the reader without blame")
    page.get_by_role("button", name="Name one").click()
    page.get_by_role("textbox", name="Missing criterion 1").fill("Warns that the pipe may have burst")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    answer = answer_of(live)
    assert answer["verdicts"]["c3"]["checkable"] is False
    assert answer["verdicts"]["c3"]["proposal"] == "Addresses the reader without blame"
    assert [answer["verdicts"][name]["decision"] for name in ("c1", "c2", "c3", "c4")] == [
        "keep",
        "keep",
        "mend",
        "keep",
    ]
    assert answer["missing"] == ["Warns that the pipe may have burst"]


def test_a_rubric_is_validated_by_keyboard_alone(page: Page, live: Live) -> None:
    started(live, page, "validate")
    keys = page.keyboard
    for number in range(4):
        keys.press("y")
        if number == 2:
            keys.press("2")
            keys.press("d")
            keys.type("Left to taste.")
            keys.press("Escape")
        else:
            keys.press("a")
        keys.press("j")
    keys.press("Control+Enter")
    expect(page.get_by_text("Submitted.")).to_be_visible()
    verdict = answer_of(live)["verdicts"]["c3"]
    assert verdict["checkable"] is False
    assert verdict["decision"] == "drop"
    assert verdict["comment"] == "Left to taste."


@pytest.mark.parametrize("key", ["author", "validate"])
def test_rubrics_are_legible(page: Page, live: Live, key: str) -> None:
    started(live, page, key)
    if key == "author":
        for number, statement in enumerate((FIRST, "Gives appropriate advice, as noted above", FAULT), 1):
            write(page, number, statement)
        page.get_by_role("listitem", name="Criterion 3").get_by_text("Penalty").click()
    else:
        page.keyboard.press("y")
        page.keyboard.press("e")
    check_in_both_schemes(page, f"rubric-{key}")
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("key", ["author", "validate"])
def test_rubrics_on_a_phone(open_page: Callable[..., Page], live: Live, key: str) -> None:
    page = open_page("light", PHONE)
    started(live, page, key)
    if key == "author":
        write(page, 1, "Gives appropriate advice, as noted above")
    shoot(page, f"rubric-{key}-phone")
    check_axe(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
