"""Covered until asked for, in a real browser: the review desk, a client's task, and the desk of every kind of work."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.media.rules import media_url
from preceptor.people.service import content
from preceptor.projects.models import Task
from preceptor.tasktypes.base import task_type, task_types
from preceptor.work import service as work
from preceptor.work.errors import ContentNotChosen
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.browser.test_contributor import debate
from tests.factories import PREFER_A, World, join, make_world
from tests.kind_world import template_world
from tests.media import files
from tests.media.making import add_file
from tests.web.acting import judge

pytestmark = pytest.mark.browser


@pytest.fixture
def world(live: Live) -> World:
    """Two answers that show violence wait for a reviewer who chose to see it."""
    clock = FixedClock(live.clock.now())
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=clock.now(), tasks=2, overlap=1, review_percent=100)
        for number, task in enumerate(made.tasks):
            task.payload = debate(number)
        session.flush()
        person = join(session, made, now=clock.now())[0]
        for _ in made.tasks:
            judge(session, person, made, clock)
        for task in made.tasks:
            task.content_ratings = ["violence", "disturbing"]
        for who in (made.reviewer, made.client):
            content.choose(session, who.actor, {"violence": 9, "disturbing": 9}, now=clock.now())
    return made


def begin_review(page: Page, live: Live, world: World) -> None:
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review/{show_id('project', world.project.id)}/next")
    expect(page.locator("preceptor-review:defined")).to_be_attached()


def test_a_reviewer_looks_and_decides_by_mouse(live: Live, world: World, page: Page) -> None:
    begin_review(page, live, world)
    cover = page.get_by_role("region", name="Covered submission")
    expect(cover).to_contain_text("Violence and injury, Other disturbing material")
    assert page.locator("preceptor-comparison").count() == 0, "covered, nothing of it is in the page"
    expect(page.get_by_role("button", name="Approve")).to_be_disabled()
    check_axe(page)
    shoot(page, "rated-review-covered", full=False)
    cover.get_by_role("button", name="Show the submission").click()
    expect(page.locator("preceptor-comparison .scale")).to_be_visible()
    check_axe(page)
    shoot(page, "rated-review-shown", full=False)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Approved. Here is the next one.")).to_be_visible()
    expect(page.get_by_role("region", name="Covered submission")).to_be_visible()


def test_a_reviewer_looks_and_decides_by_keyboard(live: Live, world: World, page: Page) -> None:
    begin_review(page, live, world)
    for key in ("a", "x", "r"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("region", name="Covered submission")).to_be_visible()
    page.keyboard.press("v")
    expect(page.locator("preceptor-comparison .scale")).to_be_visible()
    assert page.evaluate("document.activeElement.contains(document.querySelector('preceptor-comparison'))")
    page.keyboard.press("a")
    expect(page.get_by_text("Approved. Here is the next one.")).to_be_visible()
    # Skipping is open without looking.
    expect(page.locator("preceptor-review:defined")).to_be_attached()
    page.keyboard.press("n")
    expect(page).to_have_url(f"{live.url}/review")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_covered_review_desk_on_a_phone(
    live: Live, world: World, open_page: Callable[..., Page], scheme: Scheme
) -> None:
    page = open_page(scheme=scheme, viewport=PHONE)
    begin_review(page, live, world)
    expect(page.get_by_role("region", name="Covered submission")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    check_axe(page)
    shoot(page, f"rated-review-phone-{scheme}", full=False)


def test_a_client_rates_tasks_in_the_list_and_looks_at_one(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.client, role="client")
    page.goto(f"{live.url}/projects/{show_id('project', world.project.id)}/tasks")
    page.get_by_role("checkbox", name="Choose sum-0").check()
    page.get_by_text("What the chosen tasks may show").click()
    page.get_by_role("checkbox", name="Sexual content").check()
    check_axe(page)
    shoot(page, "rated-list")
    page.get_by_role("button", name="Rate the chosen tasks").click()
    expect(page.get_by_text("1 task rated: sexual content.")).to_be_visible()
    page.get_by_label("May show").select_option("sexual")
    expect(page.get_by_role("link", name="sum-0")).to_be_visible()
    expect(page.get_by_role("link", name="sum-1")).to_have_count(0)
    page.get_by_role("link", name="sum-0").click()
    covered = page.get_by_role("region", name="Covered material")
    expect(covered).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        check_axe(page)
        shoot(page, f"rated-task-{scheme}")
    covered.get_by_role("button", name="Show the material").click()
    expect(page.get_by_role("article", name="A").or_(page.get_by_role("article")).first).to_be_visible()
    with live.runtime.sessions() as session:
        assert session.get_one(Task, world.tasks[0].id).content_ratings == ["sexual"]


@pytest.mark.parametrize("kind", sorted(task_types()))
def test_a_rated_task_of_every_kind_is_withheld_and_covered(kind: str, page: Page, live: Live) -> None:
    """Nobody gets it who did not choose it; who did finds it covered, by keyboard, with nothing fetched before."""
    template = next(each for each in task_type(kind).templates() if each.examples)
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        made = template_world(session, kind=kind, key=template.key, now=now)
        worker = join(session, made, now=now)[0]
        for task in made.tasks:
            task.content_ratings = ["hate"]
        session.flush()
        with pytest.raises(ContentNotChosen), session.begin_nested():
            work.claim_next(session, worker.actor, made.project.id, now=now)
        content.choose(session, worker.actor, {"hate": 9}, now=now)
    sign_in(page, live, worker)
    page.set_viewport_size({"width": DESK["width"], "height": DESK["height"]})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/media/" in request.url else None)
    page.goto(f"{live.url}/board/{show_id('project', made.project.id)}")
    page.get_by_role("button", name="Start").first.click()
    expect(page.get_by_role("region", name="This task is covered")).to_be_visible()
    assert page.locator(f"preceptor-{kind}").count() == 0
    assert page.locator("preceptor-workspace :is(img, video, audio, canvas, iframe, object)").count() == 0
    assert asked == []
    page.keyboard.press("v")
    expect(page.locator(f"[data-task] > preceptor-{kind} > *").first).to_be_visible()
    expect(page.get_by_role("region", name="This task is covered")).to_have_count(0)


def in_words_pictures_and_sound(live: Live) -> World:
    """A rated comparison whose prompt holds a picture, a sound and a film from the client's files."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=now, tasks=1, overlap=1, review_percent=100)
    actor, org = made.client.actor, made.organization.id
    picture = add_file(live.runtime, actor, org, files.picture("PNG", size=(600, 300)), "street.png")
    sound = add_file(live.runtime, actor, org, files.wav(4), "speech.wav")
    film = add_file(live.runtime, actor, org, files.mp4(), "film.mp4")
    parts = [
        {"type": "text", "text": "Which description fits?"},
        {"type": "image_url", "image_url": {"url": media_url(picture.id), "alt": "A street"}},
        {"type": "audio_url", "audio_url": {"url": media_url(sound.id), "title": "What is said"}},
        {"type": "video_url", "video_url": {"url": media_url(film.id), "title": "What happens"}},
    ]
    with live.runtime.sessions.begin() as session:
        task = session.get_one(Task, made.tasks[0].id)
        task.payload = {**task.payload, "prompt": [{"role": "user", "content": parts}]}
        task.content_ratings = ["violence"]
    return made


def test_no_file_is_fetched_before_it_is_asked_for(open_page: Callable[..., Page], live: Live) -> None:
    """On the contributor's desk, the reviewer's desk and the client's task, by keyboard."""
    world = in_words_pictures_and_sound(live)
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        worker = join(session, world, now=now)[0]
        for who in (worker, world.reviewer):
            content.choose(session, who.actor, {"violence": 9}, now=now)

    def looks(page: Page, path: str, *keys: str) -> None:
        """Covered nothing is fetched; by the keys, picture, sound and film are there."""
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{live.url}{path}")
        expect(page.get_by_role("region").filter(has_text="covered").first).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.locator("main :is(img, audio, video), preceptor-workspace :is(img, audio, video)").count() == 0
        assert [url for url in asked if "/media/" in url] == []
        for key in keys:
            page.keyboard.press(key)
        expect(page.locator('img[alt="A street"]')).to_have_js_property("naturalWidth", 600)
        expect(page.locator("audio")).to_be_attached()
        expect(page.locator("video")).to_be_attached()
        assert [url for url in asked if "/media/" in url] != []

    with live.runtime.sessions.begin() as session:
        held = work.claim_next(session, worker.actor, world.project.id, now=now).claim
    project = show_id("project", world.project.id)
    page = open_page()
    sign_in(page, live, worker)
    looks(page, f"/work/{project}/{show_id('claim', held.id)}", "v")
    with live.runtime.sessions.begin() as session:
        given = work.submit(session, worker.actor, held.id, PREFER_A, now=now)
    page = open_page()
    sign_in(page, live, world.reviewer, role="reviewer")
    page.goto(f"{live.url}/review")
    looks(page, f"/review/submission/{show_id('submission', given.id)}", "v")
    page = open_page()
    sign_in(page, live, world.client, role="client")
    page.goto(f"{live.url}/projects/{project}/tasks/{show_id('task', world.tasks[0].id)}")
    page.get_by_role("button", name="Show the material").focus()
    assert page.locator("main :is(img, audio, video)").count() == 0
    page.keyboard.press("Enter")
    expect(page.locator('img[alt="A street"]')).to_have_js_property("naturalWidth", 600)
    expect(page.locator("video")).to_be_attached()
