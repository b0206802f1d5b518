"""What must hold of the desk of every installed kind of work, whoever wrote it: one screen, themes, a phone, axe."""

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from preceptor.tasktypes.base import task_types
from tests.browser.conftest import DESK, PHONE, TABLET, Live, check_axe, shoot, sign_in
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


def tried(kind: str) -> list[str]:
    """The templates of a kind that bring tasks to try them with."""
    return [template.key for template in task_types()[kind].templates() if template.examples]


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_is_a_desk_that_one_can_work_at(kind: str, page: Page, live: Live) -> None:
    assert tried(kind), f"{kind} has no template with example tasks"
    for key in tried(kind):
        with live.runtime.sessions() as session:
            world = template_world(session, kind=kind, key=key, now=live.clock.now(), runtime=live.runtime)
            worker = join(session, world, now=live.clock.now())[0]
            session.commit()
        sign_in(page, live, worker)
        page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
        page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
        page.get_by_role("button", name="Start").first.click()
        submit = page.get_by_role("button", name="Submit")
        expect(submit).to_be_in_viewport()
        expect(page.locator(f"[data-task] > preceptor-{kind} > *").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        # Guidelines stand beside the work and not over it; the page itself never scrolls sideways.
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), key
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            check_axe(page)
            shoot(page, f"kind-{kind}-{key}-{scheme}", full=False)
        page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
        expect(submit).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{key} on a phone"
        shoot(page, f"kind-{kind}-{key}-phone", full=False)
        page.set_viewport_size({"width": TABLET["width"], "height": TABLET["height"]})
        expect(submit).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{key} on a tablet"
        assert page.evaluate(TOO_SMALL, TARGET_MIN) == [], f"{key}: too small for a finger"
        # The guidelines, still open, stand under the work.
        work, guidelines = page.locator("[data-task]"), page.get_by_role("complementary", name="Help for this task")
        work.evaluate("each => scrollTo(0, document.documentElement.scrollHeight)")
        below, above = guidelines.bounding_box(), work.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] + above["height"] <= below["y"] + 1, f"{key} on a tablet"
        shoot(page, f"kind-{kind}-{key}-tablet", full=False)
        # An empty answer is refused in words, and nothing is lost by it.
        page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
        page.keyboard.press("?")
        expect(page.get_by_role("dialog").get_by_text("Submit", exact=True)).to_be_visible()
        page.keyboard.press("Escape")
