"""Gold in a real browser: health, a challenge from the result to the corrected key, and practice on the real desk."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.clock import FixedClock
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id
from preceptor.projects.models import TaskGold
from preceptor.work.models_quality import GoldChallenge
from preceptor.work.service import gold
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import User, World, join
from tests.work.golden import answer_gold, golden_world

pytestmark = pytest.mark.browser

WORDS = "Both add up here; the second one even says why."
REASON = "We looked again, and neither of the two is better."


@pytest.fixture
def scene(live: Live) -> tuple[World, User, str]:
    """A project with gold, somebody who got one of them wrong, and the path of that result."""
    clock = FixedClock(live.clock.now())
    with transaction(live.runtime.sessions) as session:
        world = golden_world(session, clock, tasks=30, gold=7, overlap=50)
        person, *others = join(session, world, now=clock.now(), people=4)
        for task in world.tasks[1:6]:
            gold.retire_gold(session, world.client.actor, world.project.id, task.id, now=clock.now())
        for other in others:
            answer_gold(session, world, other, clock)
        given = answer_gold(session, world, person, clock, "r2")
        return world, person, f"/results/{show_id('submission', given.id)}"


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", PHONE)])
def test_a_challenge_from_the_result_to_the_corrected_key(
    live: Live,
    open_page: Callable[..., Page],
    scene: tuple[World, User, str],
    scheme: Scheme,
    viewport: dict[str, int],
) -> None:
    world, person, result = scene
    name = f"gold-{scheme}"
    page = open_page(scheme, viewport)
    sign_in(page, live, person)
    page.goto(f"{live.url}{result}")
    expect(page.get_by_role("heading", name="The answer to this task was known")).to_be_visible()
    check_axe(page)
    shoot(page, f"{name}-result")
    page.get_by_text("This known answer is wrong").click()
    page.get_by_label("What is wrong with it").fill(WORDS)
    page.get_by_role("button", name="Challenge the answer").click()
    expect(page.get_by_text("You challenged this answer")).to_be_visible()

    client = open_page(scheme, viewport)
    sign_in(client, live, world.client)
    base = f"{live.url}/projects/{show_id('project', world.project.id)}"
    client.goto(f"{base}/gold")
    check_axe(client)
    shoot(client, f"{name}-health")
    client.goto(f"{base}/gold/{show_id('task', world.tasks[0].id)}")
    check_axe(client)
    shoot(client, f"{name}-task")
    client.goto(f"{base}/challenges")
    check_axe(client)
    client.get_by_role("link", name="What is").first.click()
    check_axe(client)
    shoot(client, f"{name}-challenge")
    client.get_by_text("Another answer is right").click()
    client.get_by_role("button", name="Decide").click()
    expect(client.get_by_text("correct the known answer")).to_be_visible()
    check_axe(client)
    client.keyboard.press("4")
    client.get_by_role("textbox").first.fill(REASON)
    client.keyboard.press("Control+Enter")
    expect(client.get_by_text("No open challenge")).to_be_visible()
    with live.runtime.sessions() as session:
        task_id = session.scalars(select(GoldChallenge.task_id)).one()
        assert session.get_one(TaskGold, task_id).answer["ranks"] == {"r1": 1, "r2": 1}


@pytest.mark.parametrize(("scheme", "viewport"), [("dark", DESK), ("light", PHONE)])
def test_practice_on_the_real_desk_is_explained_at_once(
    live: Live,
    open_page: Callable[..., Page],
    scene: tuple[World, User, str],
    scheme: Scheme,
    viewport: dict[str, int],
) -> None:
    world, person, _ = scene
    page = open_page(scheme, viewport)
    sign_in(page, live, person)
    page.goto(f"{live.url}/practice/{show_id('project', world.project.id)}")
    check_axe(page)
    shoot(page, f"practice-{scheme}")
    page.get_by_role("button", name="Practise").click()
    expect(page.get_by_role("heading", name="Sums: practice, unpaid")).to_be_visible()
    page.keyboard.press("2")
    page.get_by_role("textbox").first.fill("This one has the sum that is right.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("of your last 1 different tasks")).to_be_visible()
    expect(page.get_by_text("It adds up.")).to_be_visible()
    check_axe(page)
    shoot(page, f"practice-{scheme}-explained")
