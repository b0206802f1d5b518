"""Answers of ratings, rubrics and steps as others see them: their author, the reviewer, the client."""

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.ids import show_id
from preceptor.projects.models import Task
from preceptor.tasktypes.base import task_type
from preceptor.work import service as work
from tests.browser.conftest import Live, check_axe, shoot, sign_in
from tests.datasets.kind_answers import ANSWERS
from tests.factories import User, World, join
from tests.kind_world import template_world

pytestmark = pytest.mark.browser

CASES = [
    ("rating", "checks", "costs 4"),
    ("rubric", "author", "Recommends an open flame"),
    ("rubric", "validate", "Warns of boiling water in the tap"),
    ("steps", "facts", "Should read"),
]


def submitted(live: Live, kind: str, key: str) -> tuple[World, User, str]:
    """A project whose first task somebody has answered, waiting for review."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        world = template_world(session, kind=kind, key=key, now=now)
        world.project.review_percent = 100
        person = join(session, world, now=now)[0]
    with live.runtime.sessions.begin() as session:
        claim = work.claim_next(session, person.actor, world.project.id, now=now).claim
        found, task = task_type(kind), session.get_one(Task, claim.task_id)
        shown = found.present(found.payload_model.model_validate(task.payload), claim.display_order)
        answer = ANSWERS[kind](shown, world.project.config)
        given = work.submit(session, person.actor, claim.id, answer, now=now)
        return world, person, show_id("submission", given.id)


@pytest.mark.parametrize(("kind", "key", "words"), CASES, ids=[f"{kind}-{key}" for kind, key, _ in CASES])
def test_an_answer_is_shown_to_everybody_who_may_see_it(
    page: Page, live: Live, kind: str, key: str, words: str
) -> None:
    world, person, submission = submitted(live, kind, key)
    project = show_id("project", world.project.id)
    sign_in(page, live, person)
    page.goto(f"{live.url}/results/{submission}")
    shown = page.locator(f"preceptor-{kind}").first
    expect(shown.locator(f"text={words}").or_(shown.locator("textarea").first).first).to_be_visible()
    expect(shown.get_by_role("button", name="Add a criterion")).to_have_count(0)
    shoot(page, f"shown-{kind}-{key}-author")
    check_axe(page)
    page.context.clear_cookies()
    sign_in(page, live, world.reviewer)
    page.goto(f"{live.url}/review/{project}/next")
    expect(page.locator(f"preceptor-{kind}").first).to_be_visible()
    shoot(page, f"shown-{kind}-{key}-review", full=False)
    check_axe(page)
    page.context.clear_cookies()
    sign_in(page, live, world.client)
    page.goto(f"{live.url}/projects/{project}/tasks/{show_id('task', world.tasks[0].id)}")
    expect(page.get_by_text("Prompt", exact=True).first).to_be_visible()
    shoot(page, f"shown-{kind}-{key}-client")
    check_axe(page)
