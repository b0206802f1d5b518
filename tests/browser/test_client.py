"""A client at work in a real browser: from an empty list to an open project, and every page of a project that runs."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select
from sqlalchemy.orm import Session

import preceptor.training.jobs  # noqa: F401
from preceptor.datasets import service as datasets
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.people.models import Organization
from preceptor.projects.jobs import carry_out
from preceptor.projects.models import Import, Project, ProjectState, Task, TaskState
from preceptor.projects.service import imports as importing
from preceptor.training import service as training
from preceptor.work import service as work
from preceptor.work.models import Submission
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import User, World, join, make_client, make_user, make_world

pytestmark = pytest.mark.browser

GUIDELINES = "# What to judge\n\n1. Judge the **argument**, not your own opinion.\n2. Read both to the end."
QUESTIONS = (
    "Should physical education be mandatory in schools?", "Should plastic water bottles be banned?",
    "Should voting be compulsory?", "Is tap water safe to drink?", "Should books be replaced by tablets?",
    "Should junk food be taxed?", "Is it better to rent or to buy?", "Should homework be abolished?",
)  # fmt: skip
GOOD = (
    "Yes: habits that are formed early last. A child who learns to enjoy moving carries this into adult life, and no "
    "advice at forty replaces it. Schools reach every child, also those whose parents have no money for a club."
)
WEAK = "I think it is good because everybody I know says so, and the others are just lazy."
WHY = "It names a reason that could be checked, while the other one only asserts."


def material(number: int) -> dict[str, Any]:
    return {
        "prompt": [{"role": "user", "content": f"{QUESTIONS[number % len(QUESTIONS)]} Which argument convinces?"}],
        "responses": [
            {"id": "r1", "messages": [{"role": "assistant", "content": GOOD}]},
            {"id": "r2", "messages": [{"role": "assistant", "content": WEAK + " Really." * (number % 3)}]},
        ],
    }


def rich_client(session: Session, now: datetime) -> tuple[Organization, User]:
    organization, owner = make_client(session, now=now)
    operator = make_user(session, now=now, is_operator=True)
    money.top_up(session, operator.actor, organization.id, Money(250_000, "USD"), note="Invoice 14", now=now)
    return organization, owner


@dataclass
class Running:
    """A project that has been worked on for some hours, with releases, a model, a flag and a failed import."""

    live: Live
    world: World
    people: list[User]
    release: UUID
    model: UUID
    failed: UUID

    @property
    def base(self) -> str:
        return f"{self.live.url}/projects/{show_id('project', self.world.project.id)}"

    def judge(self, person: User, *, odd: bool = False) -> None:
        with self.live.runtime.sessions.begin() as session:
            give(session, person, self.world, self.live.clock.now(), odd=odd)


def give(session: Session, person: User, world: World, now: datetime, *, odd: bool) -> None:
    claimed = work.claim_next(session, person.actor, world.project.id, now=now - timedelta(seconds=95))
    for seconds in (60, 30):
        work.beat(session, person.actor, claimed.claim.id, now=now - timedelta(seconds=seconds))
    letters = dict(zip(claimed.claim.display_order, "AB", strict=True))
    better, worse = ("r2", "r1") if odd else ("r1", "r2")
    answer = {"ranks": {letters[better]: 1, letters[worse]: 2}, "strength": 2, "justification": WHY}
    work.submit(session, person.actor, claimed.claim.id, answer, now=now)


@pytest.fixture
def running(live: Live) -> Running:
    runtime, now = live.runtime, live.clock.now()
    with runtime.sessions.begin() as session:
        world = make_world(
            session, now=now - timedelta(hours=9), tasks=24, overlap=4, rate_minor=42, budget_minor=6_000
        )
        project = world.project
        project.title, project.summary = "Debates: which argument is more convincing?", "Two arguments on one side."
        project.data_source = "simulated"
        for number, task in enumerate(world.tasks):
            task.payload, task.topic = material(number), QUESTIONS[number % 4].removeprefix("Should ").rstrip("?")
        people = join(session, world, now=now, people=4)
    _work(runtime, world, people, now)
    release = _release(runtime, world, now)
    with runtime.sessions.begin() as session:
        run = training.request_run(session, world.client.actor, release, now=now)
        session.get_one(Task, world.tasks[-1].id).state = TaskState.FLAGGED
        failed = _import(session, runtime, world, now)
    training.train_run(runtime, run.id)
    carry_out(runtime, failed)
    return Running(live, world, people, release, run.id, failed)


def _work(runtime: Runtime, world: World, people: list[User], now: datetime) -> None:
    for place, person in enumerate(people[:3]):
        for number in range(20):
            at = now - timedelta(hours=8) + timedelta(minutes=22 * number + place)
            with runtime.sessions.begin() as session:
                give(session, person, world, at, odd=number % 4 == 3 or (number + place) % 11 == 0)
    with runtime.sessions.begin() as session:
        work.approve_due(session, now=now)


def _release(runtime: Runtime, world: World, now: datetime) -> UUID:
    with runtime.sessions.begin() as session:
        asked = datasets.request_release(session, world.client.actor, world.project.id, "First pilot", now=now)
    return datasets.build_release(runtime, asked.id).id


def _import(session: Session, runtime: Runtime, world: World, now: datetime) -> UUID:
    rows = [{"ask": each, "left": GOOD, "right": WEAK} for each in QUESTIONS]
    data = "\n".join(map(json.dumps, rows)).encode()
    key = importing.file_key(world.project.id, "e" * 64)
    runtime.storage.put(key, data)
    return importing.accept_file(
        session, world.client.actor, world.project.id, filename="debates-march.jsonl", stored_key=key,
        digest="e" * 64, size=len(data), mapping=None, now=now,
    ).id  # fmt: skip


@pytest.fixture
def importer(live: Live) -> Iterator[None]:
    """A worker for imports: carries out what was accepted, as the background job does."""
    stop = threading.Event()

    def work_on() -> None:
        while not stop.wait(0.1):
            with live.runtime.sessions() as session:
                waiting = session.scalars(select(Import.id).where(Import.state == "queued")).all()
            for import_id in waiting:
                carry_out(live.runtime, import_id)

    thread = threading.Thread(target=work_on)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_a_project_is_made_filled_and_opened(live: Live, page: Page, importer: None, tmp_path: Path) -> None:
    with live.runtime.sessions.begin() as session:
        _, owner = rich_client(session, live.clock.now())
    sign_in(page, live, owner, role="client")
    page.goto(f"{live.url}/projects")
    page.get_by_role("link", name="Make the first project").click()
    expect(page.get_by_role("heading", name="What kind of work?")).to_be_visible()
    check_axe(page)
    shoot(page, "client-templates")
    page.get_by_role("link", name="Which response is better?").click()
    check_axe(page)

    page.get_by_label("Title").first.fill("Debates")
    page.get_by_label("Summary").fill("Which of two arguments is more convincing?")
    page.get_by_role("checkbox", name="Add 2 example tasks").uncheck()
    page.get_by_role("button", name="Add to qualities").click()
    page.get_by_label("Quality", exact=True).fill("Reasoning")
    page.get_by_label("Rate for one judgment").fill("0.60")
    page.get_by_label("Expected time").fill("120")
    expect(page.locator("#estimate")).to_contain_text("$18.00 an hour")
    page.get_by_label("Budget to set aside now").fill("100.00")
    expect(page.locator("#estimate")).to_contain_text("166 judgments")
    shoot(page, "client-new-project")
    page.get_by_role("button", name="Make the draft").click()
    expect(page.get_by_role("heading", name="Before it can open")).to_be_visible()
    shoot(page, "client-draft")

    page.goto(f"{page.url}/guidelines")
    page.get_by_role("textbox", name="Text").fill(GUIDELINES)
    page.get_by_role("tab", name="Preview").click()
    expect(page.locator("#f-body-preview strong")).to_have_text("argument")
    page.get_by_role("tab", name="Write").click()
    page.get_by_role("button", name="Publish version 2").first.click()
    expect(page.get_by_text("Version 2 of the guidelines is published.")).to_be_visible()
    expect(page.get_by_role("heading", name="Rubric, version 1")).to_be_visible()
    check_axe(page)
    shoot(page, "client-guidelines")

    page.goto(page.url.replace("/guidelines", "/imports").partition("#")[0])
    file = tmp_path / "tasks.jsonl"
    rows = [
        {"id": f"d-{n}", "prompt": each, "response_a": GOOD, "response_b": WEAK} for n, each in enumerate(QUESTIONS)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    page.locator('input[type="file"]').set_input_files(file)
    expect(page.get_by_text("tasks.jsonl")).to_be_visible()
    check_axe(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("8 new tasks")).to_be_visible(timeout=15_000)

    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Ready to open")).to_be_visible()
    page.get_by_role("button", name="Open project …").click()
    expect(page.get_by_role("dialog")).to_contain_text("0.60 USD")
    page.get_by_role("dialog").get_by_role("button", name="Open project").click()
    expect(page.get_by_text("The project is open.")).to_be_visible()
    with live.runtime.sessions() as session:
        project = session.get_one(Project, read_id("project", page.url.rsplit("/", 1)[-1]))
        assert project.state is ProjectState.OPEN
        assert [row["key"] for row in project.config["dimensions"]] == ["reasoning"]


def test_progress_moves_without_a_reload(running: Running, page: Page) -> None:
    sign_in(page, running.live, running.world.client, role="client")
    page.goto(running.base)
    done = page.locator('[data-live="done"]')
    expect(done).to_contain_text("60 of")
    page.evaluate("window.stayed = true")
    page.locator("#live summary").first.click()
    running.judge(running.people[3])
    expect(done).to_contain_text("61 of", timeout=8_000)
    running.judge(running.people[3])
    expect(done).to_contain_text("62 of", timeout=8_000)
    assert page.evaluate("window.stayed") is True
    expect(page.locator("#live details").first).to_have_attribute("open", "")


def test_closing_asks_for_the_name(running: Running, page: Page) -> None:
    sign_in(page, running.live, running.world.client, role="client")
    page.goto(running.base)
    page.get_by_role("button", name="Close …").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("goes back to your wallet")
    check_axe(page)
    dialog.get_by_role("textbox").fill("something else")
    dialog.get_by_role("button", name="Close project").click()
    assert running.live.runtime.sessions().get_one(Project, running.world.project.id).state is ProjectState.OPEN
    dialog.get_by_role("textbox").fill(running.world.project.title)
    dialog.get_by_role("button", name="Close project").click()
    expect(page.get_by_text("The project is closing.")).to_be_visible()


def pages_of(running: Running) -> dict[str, str]:
    task = show_id("task", running.world.tasks[0].id)
    return {
        "projects": f"{running.live.url}/projects",
        "overview": running.base,
        "settings": f"{running.base}/settings",
        "tasks": f"{running.base}/tasks",
        "task": f"{running.base}/tasks/{task}",
        "people": f"{running.base}/people",
        "quality": f"{running.base}/quality",
        "project-money": f"{running.base}/money",
        "imports": f"{running.base}/imports",
        "import": f"{running.base}/imports/{show_id('import', running.failed)}",
        "releases": f"{running.base}/releases",
        "release": f"{running.base}/releases/{show_id('release', running.release)}",
        "project-models": f"{running.base}/models",
        "model": f"{running.base}/models/{show_id('model', running.model)}",
        "models": f"{running.live.url}/models",
        "money": f"{running.live.url}/money",
        "tests": f"{running.live.url}/tests/manage",
        "new-test": f"{running.live.url}/tests/manage/new",
    }


LOOKS: tuple[tuple[str, Scheme, dict[str, int]], ...] = (
    ("light", "light", DESK), ("dark", "dark", DESK), ("phone", "light", PHONE),
)  # fmt: skip


def test_every_page_is_fit_to_be_seen(running: Running, open_page: Callable[..., Page]) -> None:
    """In both themes and on a phone: no serious finding of axe, nothing wider than the window."""
    for look, scheme, viewport in LOOKS:
        page = open_page(scheme, viewport)
        sign_in(page, running.live, running.world.client, role="client")
        for name, url in pages_of(running).items():
            page.goto(url)
            shoot(page, f"client-{name}-{look}")
            check_axe(page)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            assert wide <= 0, f"{name} is {wide} px wider than the window ({look})"


def test_a_model_answers_on_its_page(running: Running, page: Page) -> None:
    sign_in(page, running.live, running.world.client, role="client")
    page.goto(pages_of(running)["model"])
    page.get_by_label("Prompt").fill(QUESTIONS[0])
    page.get_by_label("Response", exact=True).fill(GOOD)
    page.get_by_label("Another response").fill(WEAK)
    page.get_by_role("button", name="Score").click()
    expect(page.locator("#scores")).to_contain_text(re.compile(r"It prefers the (first|second) one"))
    shoot(page, "client-model-scored")


def test_a_list_is_walked_by_keyboard_and_searched_as_one_types(running: Running, page: Page) -> None:
    sign_in(page, running.live, running.world.client, role="client")
    page.goto(f"{running.base}/tasks")
    page.keyboard.press("/")
    page.keyboard.type("sum-17")
    expect(page.locator("#task-list tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=sum-17"))
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="sum-17")).to_be_visible()
    with running.live.runtime.sessions() as session:
        assert session.scalars(select(Submission.id)).first() is not None
