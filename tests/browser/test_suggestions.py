"""A model's suggestion on the desk, used by mouse, declined by keys, changed, and read by the client."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from preceptor.kit.ids import show_id
from preceptor.projects.models import Task
from preceptor.work import service as work
from preceptor.work.models import Claim, ClaimState, Submission, SubmissionState
from preceptor.work.models_suggestions import ClaimSuggestion, SuggestionOutcome, SuggestionPlan
from preceptor.work.service import suggesting
from tests.browser.conftest import DESK, PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import User, World, join, make_world
from tests.kind_world import make_kind_world
from tests.work.suggested import add_judge, prefers, suggest
from tests.work.test_suggestions import CONFIG

pytestmark = pytest.mark.browser

WHY = "The sum is right in this one, and wrong in the other."


@pytest.fixture
def world(live: Live) -> World:
    """Sums, and a judge that finds the wrong one clearly better; every task shows what it says."""
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=live.clock.now(), tasks=5)
        made.project.title, made.project.opened_at = "Sums: which answer is right?", live.clock.now()
        judge = add_judge(session, live.runtime, made, lambda number: prefers("r2"), title="Strict judge")
        suggest(session, live.runtime, made, judge)
        session.get_one(SuggestionPlan, made.project.id).blind_percent = 0
    return made


@pytest.fixture
def worker(live: Live, world: World) -> User:
    with live.runtime.sessions.begin() as session:
        return join(session, world, now=live.clock.now())[0]


def begin(page: Page, live: Live, world: World, worker: User) -> None:
    sign_in(page, live, worker)
    page.goto(f"{live.url}/board/{show_id('project', world.project.id)}")
    expect(page.locator("#suggested")).to_contain_text("Some tasks come without one")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("region", name="A model's suggestion")).to_be_visible()


def chosen(page: Page) -> str:
    """The step of the scale that is chosen, empty for none."""
    found = page.locator(".scale label:has(input:checked)")
    return found.inner_text().strip() if found.count() else ""


def outcomes(live: Live) -> list[tuple[Any, Any]]:
    with live.runtime.sessions() as session:
        wanted = select(ClaimSuggestion).where(ClaimSuggestion.submission_id.is_not(None))
        return [(each.outcome, each.used) for each in session.scalars(wanted.order_by(ClaimSuggestion.claim_id))]


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_a_suggestion_is_used_taken_back_and_changed_by_mouse(
    live: Live, open_page: Callable[..., Page], world: World, worker: User, scheme: Scheme, size: dict[str, int]
) -> None:
    name = f"{scheme}-{size['width']}"
    page = open_page(scheme, size)
    begin(page, live, world, worker)
    bar = page.get_by_role("region", name="A model's suggestion")
    expect(bar).to_contain_text("It may be wrong")
    assert chosen(page) == ""
    check_axe(page)
    shoot(page, f"suggestion-open-{name}")
    page.get_by_role("textbox", name=re.compile("Why")).fill(WHY)
    bar.get_by_role("button", name="Use it").click()
    expect(bar).to_contain_text("You began with the model's suggestion")
    expect(page.locator(".scale label:has(input:checked)")).to_have_count(1)
    expect(page.get_by_role("textbox", name=re.compile("Why"))).to_have_value(WHY)
    check_axe(page)
    shoot(page, f"suggestion-used-{name}")
    bar.get_by_role("button", name="Take it back").click()
    expect(page.locator(".scale label:has(input:checked)")).to_have_count(0)
    expect(page.get_by_role("textbox", name=re.compile("Why"))).to_have_value(WHY)
    # What is chosen already is not replaced without asking.
    page.locator(".scale label").nth(0 if "B" in bar.inner_text().split(":")[1] else -1).click()
    mine = chosen(page)
    bar.get_by_role("button", name="Use it").click()
    expect(bar).to_contain_text("This replaces what you have given so far")
    shoot(page, f"suggestion-asks-{name}")
    bar.get_by_role("button", name="Keep mine").click()
    assert chosen(page) == mine
    bar.get_by_role("button", name="Use it").click()
    bar.get_by_role("button", name="Replace it").click()
    expect(bar).to_contain_text("You began with")
    assert chosen(page) != mine
    page.reload()
    expect(bar).to_contain_text("You began with")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.locator(".scale label").nth(3).click()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_text("Submitted.").first).to_be_visible()
    expect(bar).to_contain_text("suggests an answer")
    assert outcomes(live) == [(SuggestionOutcome.EDITED, True)]
    with live.runtime.sessions() as session:
        submission = session.scalars(select(Submission)).one()
    page.goto(f"{live.url}/results/{show_id('submission', submission.id)}")
    expect(page.locator("#suggestion")).to_contain_text("You began with it and changed it")
    check_axe(page)


def test_what_was_begun_with_a_lost_draft_is_the_persons_own_answer(
    live: Live, page: Page, world: World, worker: User
) -> None:
    # The desk was closed between the two requests: what was pressed arrived, and the draft did not.
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        claim = work.claim_next(session, worker.actor, world.project.id, now=now).claim.id
        suggesting.note_use(session, worker.actor, claim, True, now=now)
    sign_in(page, live, worker)
    page.goto(f"{live.url}/work/{show_id('project', world.project.id)}")
    bar = page.get_by_role("region", name="A model's suggestion")
    expect(bar).to_contain_text("suggests an answer")
    page.keyboard.press("4")
    page.get_by_role("textbox", name=re.compile("Why")).fill(WHY)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted.").first).to_be_visible()
    assert outcomes(live) == [(SuggestionOutcome.REJECTED, None)]


def test_suggestions_by_keyboard_alone(live: Live, page: Page, world: World, worker: User) -> None:
    begin(page, live, world, worker)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Use the model's suggestion")
    page.keyboard.press("Escape")
    bar = page.get_by_role("region", name="A model's suggestion")
    page.keyboard.press("Alt+w")
    expect(bar).to_contain_text("You do without")
    page.keyboard.press("Alt+w")
    page.keyboard.press("Alt+u")
    expect(page.locator(".scale label:has(input:checked)")).to_have_count(1)
    page.get_by_role("textbox", name=re.compile("Why")).focus()
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Submitted.").first).to_be_visible()
    expect(bar).to_contain_text("suggests an answer")
    page.keyboard.press("Alt+w")
    page.keyboard.press("4")
    page.get_by_role("textbox", name=re.compile("Why")).focus()
    page.keyboard.type(WHY)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".desk-side, .desk").first).to_be_visible()
    expect(bar).to_contain_text("suggests an answer")
    assert outcomes(live) == [(SuggestionOutcome.ACCEPTED, True), (SuggestionOutcome.REJECTED, False)]


def test_choices_that_came_with_the_file_are_used_and_blind_tasks_say_nothing(live: Live, page: Page) -> None:
    value = {"choices": ["Good"]}
    guess = {"id": "p", "from_name": "mood", "to_name": "text", "type": "choices", "value": value}
    rows = [
        {"data": {"text": f"Text {number}"}, "predictions": [{"model_version": "tagger-7", "result": [guess]}]}
        for number in range(2)
    ]
    with live.runtime.sessions.begin() as session:
        made = make_kind_world(
            session, kind="annotation", config={"label_config": CONFIG}, rows=rows, now=live.clock.now()
        )
        suggest(session, live.runtime, made, None)
        session.get_one(SuggestionPlan, made.project.id).blind_percent = 0
        worker = join(session, made, now=live.clock.now())[0]
    begin(page, live, made, worker)
    bar = page.get_by_role("region", name="A model's suggestion")
    expect(bar).to_contain_text("A model (tagger-7) suggests an answer")
    expect(page.get_by_role("radio", name="Good").or_(page.get_by_role("checkbox", name="Good"))).not_to_be_checked()
    with live.runtime.sessions.begin() as session:
        session.get_one(SuggestionPlan, made.project.id).blind_percent = 100
    bar.get_by_role("button", name="Use it").click()
    expect(page.get_by_role("radio", name="Good").or_(page.get_by_role("checkbox", name="Good"))).to_be_checked()
    expect(page.locator(".anno-field .pill")).to_have_text("suggested")
    check_axe(page)
    shoot(page, "suggestion-annotation")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Text 1")).to_be_visible()
    expect(bar).to_have_count(0)
    page.goto(f"{live.url}/work/{show_id('project', made.project.id)}")
    expect(page.get_by_text("Text 1")).to_be_visible()
    assert "tagger-7" not in page.content()
    assert outcomes(live) == [(SuggestionOutcome.ACCEPTED, True)]


@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", DESK), ("light", PHONE)])
def test_a_client_sets_suggestions_and_reads_what_they_do(
    live: Live, open_page: Callable[..., Page], world: World, scheme: Scheme, size: dict[str, int]
) -> None:
    name = f"{scheme}-{size['width']}"
    page = open_page(scheme, size)
    sign_in(page, live, world.client, role="client")
    page.goto(f"{live.url}/projects/{show_id('project', world.project.id)}/suggestions")
    expect(page.get_by_text("has answered 5 of 5 open tasks")).to_be_visible()
    expect(page.get_by_text("Nothing measured yet")).to_be_visible()
    page.get_by_label("Blind share").fill("35")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Blind share")).to_have_value("35")
    page.get_by_role("radio", name="Nothing").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Off", exact=True)).to_be_visible()
    measured(live, world)
    page.reload()
    expect(page.locator("[data-verdict]")).to_contain_text("Yes.")
    expect(page.locator("[data-compared]")).to_contain_text("133 shown answers and 67 blind")
    expect(page.locator("[data-compared]")).to_contain_text("a blind share of 33 %")
    check_axe(page)
    shoot(page, f"suggestions-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


def measured(live: Live, world: World) -> None:
    """Two hundred first answers: people agree with what they see, and the blind in half of the tasks."""
    now = live.clock.now()
    with live.runtime.sessions.begin() as session:
        other = add_judge(session, live.runtime, world, lambda number: prefers("r2"), title="Other judge")
        worker = join(session, world, now=now)[0]
        for number in range(200):
            task = Task(
                project_id=world.project.id, external_id=f"more-{number}", payload=world.tasks[0].payload,
                position=100 + number, wanted=1, created_at=now,
            )  # fmt: skip
            session.add(task)
            session.flush()
            add_answer(session, world, worker, task, other.id, number, now)


def add_answer(session: Any, world: World, worker: User, task: Task, judge: Any, number: int, now: Any) -> None:
    """Rows as claims and answers leave them."""
    shown, agrees = number % 3 != 0, (number % 3 != 0 and number % 10 != 1) or number % 2 == 0
    claim = Claim(
        task_id=task.id, project_id=world.project.id, person_id=worker.id, state=ClaimState.SUBMITTED,
        leased_until=now, rate_minor=0, currency="USD", money_part=0, display_order=["r1", "r2"], created_at=now,
    )  # fmt: skip
    session.add(claim)
    session.flush()
    submission = Submission(
        claim_id=claim.id, task_id=task.id, project_id=world.project.id, person_id=worker.id,
        answer=prefers("r2" if agrees else "r1"), state=SubmissionState.SUBMITTED,
        worked_seconds=(20 if shown else 30) + number % 9, review_wanted=False, decide_at=now, created_at=now,
    )  # fmt: skip
    session.add(submission)
    session.flush()
    outcome = SuggestionOutcome.ACCEPTED if agrees else SuggestionOutcome.REJECTED
    session.add(
        ClaimSuggestion(
            claim_id=claim.id, project_id=world.project.id, task_id=task.id, source="judge", judge_id=judge,
            model="tiny-1", shown=shown, blind_percent=33, answer=prefers("r2"), submission_id=submission.id,
            agrees=agrees, distances={"answer": 0.0 if agrees else 1.0}, outcome=outcome if shown else None,
            created_at=now,
        )
    )  # fmt: skip
