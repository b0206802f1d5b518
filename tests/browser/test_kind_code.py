"""Code tasks at the desk in a real browser: written, compared and reviewed, by mouse and by keyboard alone."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.cli.worker import register_jobs, run_jobs
from preceptor.kit.ids import show_id
from preceptor.tasktypes.base import task_type
from preceptor.tasktypes.code.templates import TEMPLATES
from preceptor.work.models import Claim, Submission
from tests.browser.conftest import PHONE, Live, Scheme, by_mouse_and_by_finger, check_axe, is_wide, shoot, sign_in
from tests.factories import User, World, join, make_world

pytestmark = pytest.mark.browser

BY_KEY = {template.key: template for template in TEMPLATES}
MERGE = """\
import sys
taken = []
for start, end in sorted(tuple(map(int, line.split())) for line in sys.stdin if line.strip()):
    if taken and start <= taken[-1][1]:
        taken[-1][1] = max(taken[-1][1], end)
    else:
        taken.append([start, end])
for start, end in taken:
    print(start, end)
"""
WHY = "Sorted by start, each booking grows the last one or begins a new one."


@pytest.fixture
def jobs(live: Live) -> Iterator[None]:
    """A worker beside the server, as `preceptor serve` has one."""
    register_jobs()
    stopping = threading.Event()
    worker = threading.Thread(target=lambda: asyncio.run(run_jobs(live.runtime, stopping)))
    worker.start()
    yield
    stopping.set()
    worker.join()


@pytest.fixture
def make_desk(live: Live, jobs: None, page: Page, open_page: Callable[..., Page]) -> Callable[..., tuple[Page, World]]:
    """A page with a code task of this template on the desk."""

    def make(key: str, scheme: Scheme = "light", viewport: dict[str, int] | None = None) -> tuple[Page, World]:
        desk = open_page(scheme, viewport) if viewport else page
        desk.emulate_media(color_scheme=scheme)
        world, worker = make_code_world(live, key)
        sign_in(desk, live, worker)
        desk.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
        desk.get_by_role("button", name="Start").click()
        expect(desk.locator("preceptor-code-view")).to_be_visible()
        return desk, world

    return make


def make_code_world(live: Live, key: str) -> tuple[World, User]:
    template, now = BY_KEY[key], live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = make_world(session, now=now, tasks=2, overlap=1, lease_seconds=1800)
        world.project.task_type, world.project.config = "code", dict(template.config)
        world.project.title = template.title
        for task, payload in zip(world.tasks, [*template.examples, *template.examples], strict=False):
            task.payload = dict(payload)
        worker = join(session, world, now=now)[0]
    return world, worker


def given(live: Live) -> dict[str, Any]:
    with live.runtime.sessions.begin() as session:
        return dict(session.scalars(select(Submission)).one().answer)


def shown_as(live: Live) -> dict[str, str]:
    """Letter on the desk by stored id of the patch."""
    with live.runtime.sessions.begin() as session:
        claim = session.scalars(select(Claim)).one()
        return dict(zip(claim.display_order, "AB", strict=True))


# --- Writing


@by_mouse_and_by_finger
def test_code_is_written_run_and_submitted_by_mouse(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("write")
    page.get_by_role("button", name="Run tests").click()
    expect(page.get_by_text("There is no code to run yet")).to_be_visible()
    editor = page.get_by_role("textbox", name="main.py")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text("print(1)\n")
    page.get_by_role("button", name="Run tests").click()
    expect(page.get_by_text("0 of 3 passed")).to_be_visible()
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(MERGE)
    page.get_by_label("How does it work?").fill(WHY)
    expect(page.get_by_text("Run the tests on the code as it stands.")).to_be_visible()
    page.get_by_role("button", name="Run tests").click()
    expect(page.get_by_text("3 of 3 passed")).to_be_visible()
    check_axe(page)
    shoot(page, "code-write", full=False)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Longest word without a repeated letter")).to_be_visible()
    answer = given(live)
    assert answer["files"] == {"main.py": MERGE}
    assert answer["tested"] == {"solution": {"passed": 3, "of": 3, "hidden_passed": 3, "hidden_of": 3}}


def test_code_is_written_by_keyboard_alone(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("write")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(MERGE)
    page.keyboard.press("Tab")  # indents
    assert page.evaluate("document.activeElement.localName") == "preceptor-code-view"
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Alt+Enter")
    expect(page.get_by_text("3 of 3 passed")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")  # leaves
    assert page.evaluate("document.activeElement.localName") == "textarea"
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Longest word without a repeated letter")).to_be_visible()
    assert given(live)["files"]["main.py"].strip() == MERGE.strip()


def test_files_are_added_and_taken_away(make_desk: Callable[..., tuple[Page, World]]) -> None:
    page, _ = make_desk("write")
    page.get_by_role("button", name="New file").click()
    page.get_by_label("Name of the new file").fill("../up.py")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Use a relative path")).to_be_visible()
    page.get_by_label("Name of the new file").fill("parts/sums.py")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tab", name="parts/sums.py")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name="Remove parts/sums.py").click()
    expect(page.get_by_role("tab", name="main.py")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tab")).to_have_count(1 + page.locator(".desk-side [role=tab]").count())


def test_code_and_run_are_there_again_after_a_reload(make_desk: Callable[..., tuple[Page, World]]) -> None:
    page, _ = make_desk("write")
    page.get_by_role("textbox", name="main.py").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(MERGE)
    page.get_by_role("button", name="Run tests").click()
    expect(page.get_by_text("3 of 3 passed")).to_be_visible()
    expect(page.get_by_text("Saved")).to_be_visible()
    page.reload()
    expect(page.get_by_text("3 of 3 passed")).to_be_visible()
    expect(page.get_by_role("textbox", name="main.py")).to_contain_text("taken.append")


# --- Comparing


@by_mouse_and_by_finger
def test_two_patches_are_compared_by_mouse(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("compare")
    letters = shown_as(live)
    page.get_by_role("button", name="Run tests").click()
    expect(page.get_by_text("A: 1 of 1 passed · B: 1 of 1 passed")).to_be_visible()
    page.get_by_role("button", name=f"Patch {letters['p1']}").click()
    expect(page.locator("preceptor-code-view")).to_contain_text("+ 50) // 100")
    page.get_by_role("radio", name=f"{letters['p1']} much better").click()
    for name, label in (("p1", "Mends the root cause"), ("p2", "Treats a symptom")):
        page.get_by_role("group", name=f"Patch {letters[name]}: root cause or symptom").get_by_role(
            "radio", name=label
        ).click()
        for criterion in ("Correct", "Fits the code"):
            rating = "6" if name == "p1" else "2"
            page.get_by_role("group", name=f"{criterion} of {letters[name]}, 1 to 7").get_by_role(
                "radio", name=rating, exact=True
            ).click()
    page.get_by_label("Why?").fill("It changes the rounding; the other adds a cent where it should not.")
    check_axe(page)
    shoot(page, "code-compare", full=False)
    if is_wide(page):
        page.get_by_role("button", name="Side by side").click()
        expect(page.locator("preceptor-code-view .cm-mergeView")).to_be_visible()
        check_axe(page)
        shoot(page, "code-compare-split", full=False)
    page.get_by_role("button", name="Submit").click()
    # The next task: nothing is chosen there.
    expect(page.get_by_role("radio", name=f"{letters['p1']} much better")).not_to_be_checked()
    answer = given(live)
    assert (answer["preferred"], answer["strength"]) == ("p1", 3)
    assert answer["causes"] == {"p1": "root", "p2": "symptom"}
    assert answer["tested"]["p1"]["hidden_passed"] == 1
    assert answer["tested"]["p2"]["hidden_passed"] == 0


def test_two_patches_are_compared_by_keyboard_alone(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("compare")
    letters = shown_as(live)
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press(letters["p2"].lower())
    expect(page.locator("preceptor-code-view")).to_contain_text("make up for the lost cent")
    page.keyboard.press("d")
    expect(page.locator("preceptor-code-view .cm-mergeView")).to_be_visible()
    page.keyboard.press("1" if letters["p1"] == "A" else "7")
    expect(page.get_by_role("radio", name=f"{letters['p1']} much better")).to_be_checked()
    for label in ("A", "B"):
        focus(page, f"Patch {label}: root cause or symptom")
        page.keyboard.press("Space")
        for criterion in ("Correct", "Fits the code"):
            focus(page, f"{criterion} of {label}, 1 to 7")
            page.keyboard.press("Space")
    focus(page, "Why?")
    page.keyboard.type("It changes the rounding itself.")
    page.keyboard.press("Control+Enter")
    # The next task: nothing is chosen there.
    expect(page.get_by_role("radio", name=f"{letters['p1']} much better")).not_to_be_checked()
    assert given(live)["causes"] == {"p1": "root", "p2": "root"}


def focus(page: Page, name: str) -> None:
    """Press Tab until the focus is in the group or on the field of this name."""
    held = """() => {
        const at = document.activeElement;
        return at.closest("fieldset")?.querySelector("legend")?.textContent ?? at.labels?.[0]?.textContent ?? "";
    }"""
    for _ in range(80):
        page.keyboard.press("Tab")
        if str(page.evaluate(held)).strip() == name:
            return
    pytest.fail(f"{name!r} cannot be reached by Tab")


# --- Reviewing


def line_number(page: Page, line: int) -> Any:
    return page.locator(".cm-lineNumbers .cm-gutterElement", has_text=str(line)).filter(visible=True).first


@by_mouse_and_by_finger
def test_defects_are_marked_by_mouse(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("review")
    page.locator(".cm-lineNumbers .cm-gutterElement").get_by_text("7", exact=True).click()
    page.get_by_role("radio", name="critical").check(force=True)
    page.get_by_label("Kind of defect").select_option("wrong_result")
    page.get_by_role("textbox", name="What is wrong?").fill(
        "All caches share one dictionary: the default is made once."
    )
    page.get_by_label("Suggested mend").fill("self.kept = {}")
    start = page.locator(".cm-lineNumbers .cm-gutterElement").get_by_text("20", exact=True)
    start.hover()
    page.mouse.down()
    page.locator(".cm-lineNumbers .cm-gutterElement").get_by_text("22", exact=True).hover()
    page.mouse.up()
    expect(page.get_by_text("cache.py, lines 20 to 22")).to_be_visible()
    page.locator("[data-mark='1']").get_by_role("radio", name="major").check(force=True)
    page.get_by_label("Kind of defect").select_option("wrong_result")
    page.get_by_role("textbox", name="What is wrong?").fill("One entry more than `size` is kept.")
    page.get_by_role("radio", name="Request changes").check(force=True)
    check_axe(page)
    shoot(page, "code-review", full=False)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("It is meant to make discounts exact")).to_be_visible()
    marks = given(live)["marks"]
    assert [(mark["path"], mark["line"], mark["line_end"], mark["severity"]) for mark in marks] == [
        ("cache.py", 7, 7, "critical"),
        ("cache.py", 20, 22, "major"),
    ]


def test_defects_are_marked_by_keyboard_alone(make_desk: Callable[..., tuple[Page, World]], live: Live) -> None:
    page, _ = make_desk("review")
    page.locator("body").click(position={"x": 2, "y": 2})
    page.keyboard.press("e")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("m")
    expect(page.get_by_text("cache.py, line 7", exact=False)).to_be_visible()
    page.keyboard.press("ArrowRight")  # from minor to major
    page.keyboard.press("Tab")
    page.keyboard.press("w")  # “Wrong result”
    page.keyboard.press("Tab")
    page.keyboard.type("The default dictionary is shared by all.")
    page.keyboard.press("Escape")
    focus(page, "Verdict")
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("It is meant to make discounts exact")).to_be_visible()
    answer = given(live)
    assert (answer["marks"][0]["severity"], answer["marks"][0]["category"]) == ("major", "wrong_result")
    assert answer["verdict"] == "approve"


# --- Looks


@pytest.mark.parametrize("key", ["write", "compare", "review"])
def test_everything_is_on_one_screen(key: str, make_desk: Callable[..., tuple[Page, World]]) -> None:
    page, _ = make_desk(key)
    expect(page.get_by_role("button", name="Submit")).to_be_in_viewport(ratio=1)
    expect(page.get_by_role("heading", level=2, name=str(BY_KEY[key].config["question"]))).to_be_in_viewport(ratio=1)
    expect(page.locator("preceptor-code-view")).to_be_in_viewport(ratio=0.99)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("key", ["write", "compare", "review"])
def test_dark_and_on_a_phone(key: str, make_desk: Callable[..., tuple[Page, World]]) -> None:
    page, _ = make_desk(key, "dark")
    check_axe(page)
    shoot(page, f"code-{key}-dark", full=False)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_axe(page)
    shoot(page, f"code-{key}-phone")


def test_the_kind_is_found_by_its_name() -> None:
    assert task_type("code").element == "preceptor-code"
