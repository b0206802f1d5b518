"""A client's AI judges in a real browser: made, run through a real server, measured, and read."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import new_id, show_id
from preceptor.projects.models import Task
from preceptor.work.models_judging import AiJudge
from preceptor.work.service import fitting, judging
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.endpoints.asking import make_endpoint
from tests.endpoints.servers import Connection, says, serving
from tests.factories import World, join, make_world
from tests.work.test_fitting import Crowd, right

pytestmark = pytest.mark.browser

WRONG_EVERY = 9


@pytest.fixture
def world(live: Live) -> World:
    """Sixty sums that three people have judged."""
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=live.clock.now(), tasks=60, overlap=3)
        people = join(session, made, now=live.clock.now(), people=3)
        Crowd(live.runtime, session, made, people).judged(lambda person, number, _: right(number))
        for number, task in enumerate(session.scalars(select(Task).order_by(Task.position))):
            payload = json.loads(json.dumps(task.payload))
            answers = [each["messages"][0] for each in payload["responses"]]
            answers[number % 2]["content"], answers[1 - number % 2]["content"] = "It is right.", "It is wrong."
            task.payload = payload
    return made


def sees_it(to: Connection) -> None:
    """Takes what says that it is right, wherever it stands; now and then says nothing of use."""
    asked = to.asked.body["messages"][1]["content"]
    first = asked.index("It is right.") < asked.index("It is wrong.")
    number = int(asked.split("What is ")[1].split(" ")[0])
    better = "A" if first else "B"
    reply = {"justification": "This one says so itself, and it is.", "better": better, "strength": 2}
    says(json.dumps(reply) if number % WRONG_EVERY else "I cannot tell.")(to)


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_a_judge_is_made_run_measured_and_read(
    live: Live, open_page: Callable[..., Page], world: World, scheme: Scheme, size: dict[str, int]
) -> None:
    name = f"{scheme}-{size['width']}"
    object.__setattr__(live.runtime.settings, "outgoing_reach", "loopback")
    with serving(sees_it) as server:
        with live.runtime.sessions.begin() as session:
            make_endpoint(
                session, live.runtime, world, server.url, name="Ours", model="our-7b", concurrency=8,
                requests_per_minute=1_000, price_input="0.15", price_output="0.6",
            )  # fmt: skip
        page = open_page(scheme, size)
        sign_in(page, live, world.client, role="client")
        base = f"{live.url}/projects/{show_id('project', world.project.id)}"
        page.goto(f"{base}/judges")
        expect(page.get_by_text("No AI judge yet")).to_be_visible()
        check_axe(page)
        page.get_by_label("Title").fill("Strict judge")
        page.get_by_label("What it is told beside them").fill("Be strict.")
        page.get_by_role("button", name="Make the judge").click()
        expect(page.get_by_role("heading", name="Strict judge")).to_be_visible()
        page.get_by_label("It may cost, all in all").fill("1.50")
        page.get_by_role("button", name="Ask it").click()
        expect(page.get_by_role("button", name="Stop")).to_be_visible()
        with live.runtime.sessions() as session:
            judge = session.scalars(select(AiJudge)).one()
        run = page.locator("#judge-run")
        expect(run).to_contain_text("0 of 60 tasks")
        # On a thread of its own, as in a worker: the browser has the loop of this one.
        with ThreadPoolExecutor(1) as worker:
            worker.submit(judging.run_judge, live.runtime, judge.id, seconds=0.1).result()
            # Nobody reloads: the page tells by itself how far the run is, what it has cost and how long it takes.
            expect(run).to_contain_text(re.compile(r"[1-9]\d? of 60 tasks · \d+ (s|min) left"))
            expect(run).to_contain_text(re.compile(r"Cost so far 0\.\d+ USD of at most 1\.5 USD"))
            check_axe(page)
            shoot(page, f"judge-running-{name}")
            worker.submit(judging.run_judge, live.runtime, judge.id).result()
        fitting.fit_project(live.runtime, world.project.id, new_id(), method="majority")
        expect(run).to_have_count(0)
        page.reload()
        expect(page.get_by_text(re.compile("Every task that was wanted"))).to_be_visible()
        expect(page.get_by_text("No answer in the reply").first).to_be_visible()
        expect(page.locator("#replacing")).to_contain_text("the people who were not drawn")
        check_axe(page)
        shoot(page, f"judge-{name}")
        page.goto(f"{base}/judges")
        expect(page.get_by_role("row", name=re.compile("Strict judge"))).to_contain_text("tiny-1")
        page.get_by_role("button", name="Count them as annotators").click()
        expect(page.get_by_text("They are heard as one more annotator each")).to_be_visible()
        check_axe(page)
        shoot(page, f"judges-{name}")
        page.goto(f"{base}/quality#judges")
        expect(page.locator("#judges")).to_contain_text("AI")
        expect(page.locator("#judges")).to_contain_text("Strict judge")
        check_axe(page)
        shoot(page, f"quality-judges-{name}")
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
