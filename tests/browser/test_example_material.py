"""Templates that work on files bring some: made, uploaded and shown by two clicks; their first task can be done."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.projects.models import Project
from preceptor.tasktypes.base import task_types
from preceptor.work.models import Submission
from tests.browser.conftest import DESK, PHONE, Live, check_axe, shoot, sign_in
from tests.browser.test_kind_annotation_media import drag, label
from tests.factories import join, make_client
from tests.kind_world import template_world

pytestmark = pytest.mark.browser

WITH_FILES = sorted(template.key for template in task_types()["annotation"].templates() if template.files)


def speakers(page: Page) -> None:
    expect(page.locator(".track-over")).to_be_visible()
    label(page, "Speaker 1")
    drag(page, page.locator(".track-over"), (0.02, 0.6), (0.4, 0.6))
    page.locator(".anno-side").get_by_role("textbox").first.fill("When does the next train to Lisbon leave?")
    page.get_by_role("radio", name="Clear").check()


def voices(page: Page) -> None:
    expect(page.locator("preceptor-annotation .media-audio")).to_have_count(2)
    page.get_by_role("radio", name="Right is better").check()


def moods(page: Page) -> None:
    expect(page.locator(".track-over")).to_be_visible()
    label(page, "Joy")
    drag(page, page.locator(".track-over"), (0.02, 0.6), (0.3, 0.6))
    page.get_by_role("radio", name="4 of 5").check()


def actions(page: Page) -> None:
    shows_a_film(page, seconds=7)
    label(page, "Sits")
    page.locator(".video-line").focus()
    for key in (*["Shift+ArrowRight"] * 5, "Enter", *["Shift+ArrowRight"] * 4, "Enter"):
        page.keyboard.press(key)
    page.get_by_role("radio", name="Usable").check()


def tracking(page: Page) -> None:
    shows_a_film(page, seconds=5)
    label(page, "Person")
    drag(page, page.locator(".shape-layer"), (0.05, 0.2), (0.15, 0.7))


def receipt(page: Page) -> None:
    expect(page.locator(".picture-view")).to_be_visible()
    label(page, "Total")
    drag(page, page.locator(".shape-layer"), (0.1, 0.6), (0.9, 0.68))
    page.locator(".anno-side").get_by_role("textbox").first.fill("TOTAL 11.00")


def letter(page: Page) -> None:
    expect(page.locator(".pdf-page[data-page='1'] .pdf-text span").first).to_be_attached()
    expect(page.get_by_role("group", name="View").get_by_text("Page 1 of 2")).to_be_visible()
    inked = """() => { const canvas = document.querySelector(".pdf-page[data-page='1'] canvas");
        const seen = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        return seen.some((value, at) => at % 4 === 0 && value < 100); }"""
    page.wait_for_function(inked)
    # What is asked stands beside the page, which has the whole height then.
    assert page.locator(".pdf-view").evaluate("view => view.clientHeight") > 450
    page.get_by_role("radio", name="Letter").check()


WORK: dict[str, Callable[[Page], None]] = {
    "transcription": speakers,
    "speech-preference": voices,
    "emotion": moods,
    "video-timeline": actions,
    "video-tracking": tracking,
    "document-ocr": receipt,
    "pdf": letter,
}


def shows_a_film(page: Page, seconds: float) -> None:
    expect(page.locator(".picture-view")).to_be_visible()
    found: dict[str, Any] = page.evaluate(
        "(({ videoWidth, videoHeight, duration }) => ({ videoWidth, videoHeight, duration }))"
        "(document.querySelector('preceptor-annotation video'))"
    )
    assert found == {"videoWidth": 320, "videoHeight": 180, "duration": pytest.approx(seconds, abs=0.05)}


def test_two_clicks_make_a_project_with_its_own_files(page: Page, live: Live) -> None:
    with live.runtime.sessions.begin() as session:
        _, owner = make_client(session, now=live.clock.now())
    sign_in(page, live, owner)
    page.goto(f"{live.url}/projects/new")
    page.get_by_role("link", name="Transcription with speakers").click()
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_text("The project is a draft now")).to_be_visible()
    with live.runtime.sessions.begin() as session:
        project = show_id("project", session.scalars(select(Project.id)).one())
    page.goto(f"{live.url}/projects/{project}/files")
    expect(page.get_by_text("station.wav")).to_be_visible()
    expect(page.get_by_text("moods.wav")).to_be_visible()
    shoot(page, "example-files")


@pytest.mark.parametrize("key", WITH_FILES)
def test_the_first_task_shows_its_file_and_can_be_done(key: str, page: Page, live: Live) -> None:
    with live.runtime.sessions() as session:
        world = template_world(session, kind="annotation", key=key, now=live.clock.now(), runtime=live.runtime)
        worker = join(session, world, now=live.clock.now())[0]
        session.commit()
        project = show_id("project", world.project.id)
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{project}")
    page.get_by_role("button", name="Start").first.click()
    WORK[key](page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        shoot(page, f"example-{key}-{scheme}", full=False)
        check_axe(page)
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    page.reload()
    expect(page.get_by_role("button", name="Submit")).to_be_in_viewport()
    expect(page.locator("preceptor-annotation .media").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shoot(page, f"example-{key}-phone", full=False)
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.")).to_be_visible()
    with live.runtime.sessions.begin() as session:
        assert session.scalars(select(Submission)).one().answer["result"]
