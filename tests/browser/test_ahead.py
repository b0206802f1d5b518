"""The next task is fetched while the present one is worked on, files and all."""

import time
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Request, expect
from sqlalchemy import select, update

from preceptor.kit.ids import show_id
from preceptor.media.rules import media_url
from preceptor.people.service import content
from preceptor.projects.models import Project, Task
from preceptor.work import rules_ahead, service
from preceptor.work.models import Claim, ClaimState
from tests.browser.conftest import Live, sign_in
from tests.factories import User, World, join, make_world, pair_payload
from tests.media import files
from tests.media.making import add_file

pytestmark = pytest.mark.browser

WAIT_SECONDS_MAX = 15
WHY = "A names its source, and B only asserts."


@pytest.fixture
def world(live: Live) -> World:
    """Eight tasks, each with a picture of its own."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=now, tasks=8, lease_seconds=1800)
        made.project.opened_at = now
    for number, task in enumerate(made.tasks):
        data = files.picture("PNG", size=(300 + number, 200))
        picture = add_file(live.runtime, made.client.actor, made.organization.id, data, f"{number}.png")
        shown = {"type": "image_url", "image_url": {"url": media_url(picture.id), "alt": f"Street {number}"}}
        payload = pair_payload(number)
        payload["prompt"] = [{"role": "user", "content": [{"type": "text", "text": f"Pair {number}"}, shown]}]
        with live.runtime.sessions.begin() as session:
            session.execute(update(Task).where(Task.id == task.id).values(payload=payload))
    return made


@pytest.fixture
def worker(live: Live, world: World) -> User:
    with live.runtime.sessions.begin() as session:
        return join(session, world, now=live.clock.now())[0]


@pytest.fixture
def asked(page: Page) -> list[str]:
    """Method and path of every request of the page."""
    seen: list[str] = []

    def note(request: Request) -> None:
        seen.append(f"{request.method} {request.url.split('?')[0]}")

    page.on("request", note)
    return seen


def open_desk(page: Page, live: Live, world: World, worker: User) -> None:
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("button", name="Start").first.click()
    expect(page.get_by_role("button", name="Submit")).to_be_visible()


def answer_all_but_sending(page: Page) -> None:
    """The answer is complete; the next task and its picture have come."""
    with page.expect_response(lambda reply: reply.url.endswith("/ahead")), page.expect_response(is_file):
        page.get_by_role("radio", name="A better", exact=True).click()
        page.get_by_label("Why?").fill(WHY)
    page.wait_for_load_state("networkidle")


def is_file(reply: object) -> bool:
    return "/media/med_" in str(getattr(reply, "url", "")) and getattr(reply, "request").method == "GET"  # noqa: B009


def claims(live: Live) -> dict[ClaimState, int]:
    with live.runtime.sessions() as session:
        states = list(session.scalars(select(Claim.state)))
    return {state: states.count(state) for state in states}


def become(page: Page, live: Live, wanted: dict[ClaimState, int]) -> None:
    """Wait for what a page sends as it is left, which nothing in the browser tells of."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while claims(live) != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert claims(live) == wanted


def proven(live: Live) -> bool:
    with live.runtime.sessions() as session:
        return service.prove_work(session)[1] == []


def test_the_next_task_stands_there_without_another_request(
    page: Page, live: Live, world: World, worker: User, asked: list[str]
) -> None:
    open_desk(page, live, world, worker)
    expect(page.get_by_text("Pair 0")).to_be_visible()
    answer_all_but_sending(page)
    assert claims(live) == {ClaimState.OPEN: 1, ClaimState.AHEAD: 1}
    expect(page.get_by_text("Pair 1")).to_have_count(0)
    before = len(asked)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Pair 1")).to_be_visible()
    picture = page.get_by_role("img", name="Street 1")
    expect(picture).to_have_js_property("naturalWidth", 301)
    fetched = [each for each in asked[before:] if "/draft" not in each]
    assert [each.rsplit("/", 1)[1] for each in fetched] == ["submission"], "its payload and picture had come before"
    assert claims(live) == {ClaimState.SUBMITTED: 1, ClaimState.OPEN: 1}
    assert proven(live)


def test_skipping_brings_it_too(page: Page, live: Live, world: World, worker: User) -> None:
    open_desk(page, live, world, worker)
    answer_all_but_sending(page)
    page.get_by_text("Skip", exact=True).click()
    page.get_by_role("button", name="Outside what I know").click()
    expect(page.get_by_text("Pair 1")).to_be_visible()
    expect(page.get_by_label("Why?")).to_have_value("")
    assert claims(live) == {ClaimState.SKIPPED: 1, ClaimState.OPEN: 1}


def test_an_answer_that_is_refused_keeps_both_tasks(page: Page, live: Live, world: World, worker: User) -> None:
    open_desk(page, live, world, worker)
    answer_all_but_sending(page)
    page.get_by_label("Why?").fill("Short")
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Not complete yet.")).to_be_visible()
    assert claims(live) == {ClaimState.OPEN: 1, ClaimState.AHEAD: 1}
    page.get_by_label("Why?").fill(WHY)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Pair 1")).to_be_visible()


def test_leaving_the_page_lets_the_next_task_go(page: Page, live: Live, world: World, worker: User) -> None:
    open_desk(page, live, world, worker)
    answer_all_but_sending(page)
    page.goto(f"{live.url}/home")
    become(page, live, {ClaimState.OPEN: 1, ClaimState.EXPIRED: 1})
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    page.get_by_role("link", name="Go on with your task").first.click()
    expect(page.get_by_label("Why?")).to_have_value(WHY)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Pair 0")).to_have_count(0)
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    assert proven(live)


def test_the_next_task_of_a_killed_page_is_swept(page: Page, live: Live, world: World, worker: User) -> None:
    open_desk(page, live, world, worker)
    answer_all_but_sending(page)
    page.route("**/let-go", lambda route: route.abort())
    page.goto("about:blank")
    assert claims(live) == {ClaimState.OPEN: 1, ClaimState.AHEAD: 1}
    live.clock.ahead = rules_ahead.LEASE + timedelta(seconds=5)
    service.sweep(live.runtime.sessions, now=live.clock.now())
    assert claims(live) == {ClaimState.OPEN: 1, ClaimState.EXPIRED: 1}
    assert proven(live)


def test_a_task_that_was_swept_meanwhile_is_followed_by_another(
    page: Page, live: Live, world: World, worker: User
) -> None:
    open_desk(page, live, world, worker)
    answer_all_but_sending(page)
    with live.runtime.sessions.begin() as session:
        service.let_go_idle(session, now=live.clock.now() + 2 * rules_ahead.LEASE)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Pair 0")).to_have_count(0)
    expect(page.get_by_label("Why?")).to_have_value("")
    assert claims(live)[ClaimState.OPEN] == 1


def test_what_may_disturb_comes_ahead_and_stays_covered(
    page: Page, live: Live, world: World, worker: User, asked: list[str]
) -> None:
    with live.runtime.sessions.begin() as session:
        session.execute(update(Project).values(content_ratings=["violence"]))
        content.choose(session, worker.actor, {"violence": 20}, now=live.clock.now())
    open_desk(page, live, world, worker)
    page.get_by_role("button", name="Show the task").click()
    page.get_by_role("radio", name="A better", exact=True).click()
    with page.expect_response(lambda reply: reply.url.endswith("/ahead")):
        page.get_by_label("Why?").fill(WHY)
    page.wait_for_load_state("networkidle")
    before = len(asked)
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("heading", name="This task is covered")).to_be_visible()
    expect(page.get_by_text("Pair 1")).to_have_count(0)
    with live.runtime.sessions() as session:
        assert content.exposure(session, worker.id, now=live.clock.now())["violence"].seen == 2
    files_before = [each for each in asked[:before] if "/media/" in each]
    assert len(set(files_before)) == 1, "of the next task nothing was fetched that it covers"
    page.get_by_role("button", name="Show the task").click()
    expect(page.get_by_text("Pair 1")).to_be_visible()
