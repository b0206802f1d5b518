"""Decisions and appeals in a real browser: by keyboard, in the dark, on a phone."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from preceptor.datasets.pseudonyms import pseudonyms
from preceptor.fairness.models import ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.money import service as money
from preceptor.people.service import accounts
from preceptor.web.decisions import LIST
from preceptor.work.service import membership_decisions as places
from preceptor.work.service import prove_work
from tests.browser.conftest import PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.browser.test_contributor import debate
from tests.fairness.cases import REASON, WHY, WORDS, Case, make_case

pytestmark = pytest.mark.browser


@dataclass(frozen=True)
class Stage:
    case: Case
    place_receipt: str
    name: str


@pytest.fixture
def stage(live: Live) -> Stage:
    """A rejected submission, and a place of the same person that asks for practice."""
    clock = FixedClock(live.clock.now())
    with live.runtime.sessions.begin() as session:
        case = make_case(session, clock, tasks=2)
        case.world.project.title = "Debates: which argument is more convincing?"
        for number, task in enumerate(case.world.tasks):
            task.payload = debate(number)
        receipt = places.decide_about_member(
            session, case.world.client.actor, case.world.project.id, case.person.id, ReceiptKind.RETRAIN,
            rule="guidelines", reason=WHY, now=clock.now(),
        )  # fmt: skip
    name = pseudonyms(live.runtime.settings.signing_key(), case.world.organization.id)(case.person.id)
    return Stage(case, show_id("receipt", receipt.id), name)


def receipt_path(stage: Stage) -> str:
    return f"{LIST}/{show_id('receipt', stage.case.receipt.id)}"


def fits(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def test_a_rejection_is_appealed_and_overturned_by_keyboard(
    live: Live, stage: Stage, open_page: Callable[..., Page]
) -> None:
    person = open_page()
    sign_in(person, live, stage.case.person)
    person.goto(f"{live.url}{LIST}")
    check_axe(person)
    shoot(person, "decisions")
    person.goto(f"{live.url}{receipt_path(stage)}")
    expect(person.locator("preceptor-comparison .scale")).to_be_visible()
    check_axe(person)
    shoot(person, "decision")
    person.locator("#f-words").focus()
    person.keyboard.type(WORDS)
    person.keyboard.press("Tab")
    person.keyboard.press("Enter")
    expect(person.get_by_text("Under appeal")).to_be_visible()

    second = open_page()
    sign_in(second, live, stage.case.second, role="reviewer")
    second.goto(f"{live.url}/appeals")
    check_axe(second)
    shoot(second, "appeals")
    second.keyboard.press("j")
    second.keyboard.press("Enter")
    expect(second.locator("preceptor-comparison .scale")).to_be_visible()
    check_axe(second)
    shoot(second, "appeal")
    second.locator("input[name=outcome]").first.focus()
    second.keyboard.press("ArrowDown")
    second.keyboard.press("Tab")
    second.keyboard.type(REASON)
    second.keyboard.press("Tab")
    second.keyboard.press("Enter")
    expect(second.get_by_text("overturned and undone")).to_be_visible()

    person.reload()
    expect(person.get_by_text("is in the balance")).to_be_visible()
    check_axe(person)
    with live.runtime.sessions() as session:
        assert money.prove(session).ok
        assert prove_work(session)[1] == []


@pytest.mark.parametrize(("scheme", "width"), [("dark", "desk"), ("light", "phone"), ("dark", "phone")])
def test_pages_of_decisions_in_the_dark_and_on_a_phone(
    live: Live, stage: Stage, open_page: Callable[..., Page], scheme: Scheme, width: str
) -> None:
    page = open_page(scheme, PHONE) if width == "phone" else open_page(scheme)
    sign_in(page, live, stage.case.person)
    project = show_id("project", stage.case.world.project.id)
    for path in (LIST, receipt_path(stage), f"{LIST}/{stage.place_receipt}", f"/board/{project}"):
        look(page, live, path, f"{scheme}-{width}")
    sign_in(page, live, stage.case.world.client, role="client")
    for path in ("/appeals", f"/projects/{project}/people", f"/projects/{project}/people/{stage.name}"):
        look(page, live, path, f"{scheme}-{width}")
    sign_in(page, live, stage.case.world.operator, role="operator")
    look(page, live, "/operator/decisions", f"{scheme}-{width}")


def look(page: Page, live: Live, path: str, kind: str) -> None:
    page.goto(f"{live.url}{path}")
    fits(page)
    check_axe(page)
    shoot(page, f"{path.strip('/').replace('/', '-')[:40]}-{kind}")


def test_a_place_is_removed_after_confirming(live: Live, stage: Stage, page: Page) -> None:
    sign_in(page, live, stage.case.world.client, role="client")
    project = show_id("project", stage.case.world.project.id)
    page.goto(f"{live.url}/projects/{project}/people/{stage.name}")
    page.get_by_text("Remove", exact=True).click()
    page.get_by_label("Under which rule").select_option("guidelines")
    page.get_by_label("Why?").fill(WHY)
    page.locator("input[name=evidence]").first.check()
    page.get_by_role("button", name="Go on").click()
    check_axe(page)
    shoot(page, "place-confirm")
    page.get_by_role("button", name="Remove this person").click()
    expect(page.get_by_text("The place has ended.")).to_be_visible()
    check_axe(page)
    shoot(page, "place")


def test_somebody_shut_out_reads_why(live: Live, stage: Stage, page: Page) -> None:
    person = stage.case.person.person
    with live.runtime.sessions.begin() as session:
        operator = stage.case.world.operator
        accounts.set_password(session, operator.actor, person.id, "a long pass phrase 9", now=live.clock.now())
        accounts.suspend(session, operator.actor, person.id, reason=WHY, now=live.clock.now())
    page.goto(f"{live.url}/sign-in")
    page.get_by_label("E-mail").fill(person.email)
    page.locator("input[name=password]").fill("a long pass phrase 9")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Your account is suspended")).to_be_visible()
    check_axe(page)
    shoot(page, "suspended")


def test_the_menus_fit_at_a_small_desk(live: Live, stage: Stage, open_page: Callable[..., Page]) -> None:
    page = open_page("light", {"width": 1024, "height": 768})
    for user, role, path in (
        (stage.case.world.operator, "operator", "/appeals"),
        (stage.case.world.client, "client", "/appeals"),
        (stage.case.person, "contributor", LIST),
    ):
        sign_in(page, live, user, role=role)
        page.goto(f"{live.url}{path}")
        fits(page)
        shoot(page, f"menu-{role}", full=False)
