"""What must hold of the desk of every installed kind of work, whoever wrote it: one screen, themes, a phone, axe."""

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from preceptor.tasktypes.base import task_types
from tests.browser.conftest import DESK, PHONE, TABLET, Live, check_in_both_schemes, shoot, sign_in
from tests.factories import join
from tests.kind_world import template_world

pytestmark = pytest.mark.browser

KINDS = sorted(task_types())
TARGET_MIN = 24
"""CSS pixels: success criterion 2.5.8 of WCAG 2.2 (AA). Inputs count with their labels."""
TOO_SMALL = """(least) => [...document.querySelectorAll("[data-task] :is(button, input, select, [role=tab])")]
    .filter((each) => each.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !each.disabled)
    .filter((each) => !each.closest(".sr-only, [class*=cm-]") && !each.classList.contains("sr-only"))
    .map((each) => [each, [each, ...(each.labels ?? [])].map((part) => part.getBoundingClientRect())])
    .filter(([each, boxes]) => boxes[0].width > 1 && boxes[0].height > 1)
    .filter(([each, boxes]) => !boxes.some((box) => box.width > least - 0.5 && box.height > least - 0.5))
    .map(([each, [box]]) => `${each.outerHTML.slice(0, 160)}: ${Math.round(box.width)} x ${Math.round(box.height)}`)
"""


TEMPLATES = [(kind, each.key) for kind in KINDS for each in task_types()[kind].templates() if each.examples]


def test_every_kind_has_a_template_to_try() -> None:
    assert {kind for kind, _ in TEMPLATES} == set(KINDS)


@pytest.mark.parametrize(("kind", "key"), TEMPLATES, ids=[f"{kind}-{key}" for kind, key in TEMPLATES])
def test_every_template_is_a_desk_that_one_can_work_at(kind: str, key: str, page: Page, live: Live) -> None:
    open_desk(page, live, kind, key)
    name = f"kind-{kind}-{key}"
    # Guidelines stand beside the work and not over it; the page itself never scrolls sideways.
    assert not scrolls_sideways(page)
    check_in_both_schemes(page, name)
    resize(page, PHONE)
    assert not scrolls_sideways(page)
    shoot(page, f"{name}-phone", full=False)
    resize(page, TABLET)
    assert not scrolls_sideways(page)
    assert page.evaluate(TOO_SMALL, TARGET_MIN) == [], "too small for a finger"
    check_guidelines_stand_under_the_work(page)
    shoot(page, f"{name}-tablet", full=False)
    resize(page, DESK)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog").get_by_text("Submit", exact=True)).to_be_visible()


def open_desk(page: Page, live: Live, kind: str, key: str) -> None:
    with live.runtime.sessions() as session:
        world = template_world(session, kind=kind, key=key, now=live.clock.now(), runtime=live.runtime)
        worker = join(session, world, now=live.clock.now())[0]
        session.commit()
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").first.click()
    expect(page.get_by_role("button", name="Submit")).to_be_in_viewport()
    expect(page.locator(f"[data-task] > preceptor-{kind} > *").first).to_be_visible()
    page.wait_for_load_state("networkidle")


def resize(page: Page, to: dict[str, int]) -> None:
    page.set_viewport_size({"width": to["width"], "height": to["height"]})
    expect(page.get_by_role("button", name="Submit")).to_be_in_viewport()


def scrolls_sideways(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return wide


def check_guidelines_stand_under_the_work(page: Page) -> None:
    work, guidelines = page.locator("[data-task]"), page.get_by_role("complementary", name="Help for this task")
    work.evaluate("each => scrollTo(0, document.documentElement.scrollHeight)")
    below, above = guidelines.bounding_box(), work.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"] + 1
