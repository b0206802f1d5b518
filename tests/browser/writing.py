"""Projects in which people write, for browser tests: one task type, one template, tasks on a desk."""

from typing import Any

from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.projects.models import GuidelinesVersion
from preceptor.tasktypes.base import Row, task_type
from preceptor.work.models import Submission
from tests.browser.conftest import Live, sign_in
from tests.factories import User, World, join, make_world


def make_writing(live: Live, kind: str, config: Row, payloads: list[Row]) -> tuple[World, User]:
    """An open project of this kind, and somebody who has joined it."""
    now = live.clock.now()
    template = task_type(kind).templates()[0]
    with live.runtime.sessions.begin() as session:
        world = make_world(session, now=now, tasks=len(payloads), review_percent=100, lease_seconds=1800)
        world.project.title, world.project.task_type, world.project.config = template.title, kind, config
        world.project.opened_at, world.project.expected_seconds = now, 600
        for task, payload in zip(world.tasks, payloads, strict=True):
            task.payload = payload
        guidelines = GuidelinesVersion(project_id=world.project.id, number=1, body=template.guidelines, created_at=now)
        session.add(guidelines)
        session.flush()
        world.project.guidelines_version_id = guidelines.id
        worker = join(session, world, now=now)[0]
    return world, worker


def open_desk(page: Page, live: Live, world: World, worker: User) -> None:
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").or_(page.get_by_role("link", name="Go on with your task")).first.click()
    expect(page.get_by_role("button", name="Submit")).to_be_visible()


def submit_fits(page: Page) -> bool:
    """Whether Submit and the editor are on the screen together, without scrolling the page."""
    fits: bool = page.evaluate(
        """() => {
            const inside = (each) => {
                const box = each.getBoundingClientRect();
                return box.top >= 0 && box.bottom <= innerHeight + 1 && box.height > 0;
            };
            const submit = [...document.querySelectorAll("button")].find((each) => each.textContent.includes("Submit"));
            const editor = document.querySelector("preceptor-markdown-editor, preceptor-turns");
            return inside(submit) && editor.getBoundingClientRect().top < innerHeight
                && document.documentElement.scrollHeight <= innerHeight + 1;
        }"""
    )
    return fits


def submissions(live: Live) -> list[Submission]:
    with live.runtime.sessions.begin() as session:
        return list(session.scalars(select(Submission).order_by(Submission.id)))


def answer_of(live: Live) -> dict[str, Any]:
    """The only submission's answer, as it is stored."""
    [submission] = submissions(live)
    return submission.answer


def submitted(page: Page) -> None:
    """The answer has arrived."""
    expect(page.locator("#toasts")).to_contain_text("Submitted")


def saved(page: Page) -> None:
    """The draft is on the server."""
    expect(page.get_by_role("status").filter(has_text="Saved ")).to_be_visible()
