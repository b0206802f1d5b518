"""Operators' pages in a real browser: money, payout runs, jobs, events; search and manual."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

import preceptor.people.jobs  # noqa: F401
from preceptor.kit import jobs
from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import new_id
from preceptor.money import service as money
from preceptor.work.service import approve_due
from tests.browser.conftest import PHONE, Live, Scheme, check_axe, shoot, sign_in
from tests.factories import World, join, make_world
from tests.web.acting import judge

pytestmark = pytest.mark.browser


@pytest.fixture
def world(live: Live) -> World:
    """A project in which five people have judged three tasks and earned."""
    clock = FixedClock(live.clock.now())
    with live.runtime.sessions.begin() as session:
        made = make_world(session, now=clock.now(), tasks=3, overlap=5)
        for person in join(session, made, now=clock.now(), people=5):
            for _ in made.tasks:
                judge(session, person, made, clock)
        approve_due(session, now=clock.now())
        jobs.defer(session, "people.send_mail", mail_id=str(new_id()))
    return made


def test_money_is_proven_followed_and_paid_out(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.operator, role="operator")
    page.goto(f"{live.url}/operator/money")
    expect(page.get_by_text("All balances come to zero")).to_be_visible()
    page.get_by_role("button", name="Prove it to the cent").click()
    expect(page.get_by_text("Balances to the cent")).to_be_visible()
    check_axe(page)
    shoot(page, "operator-money")

    page.get_by_role("link", name="Postings", exact=True).click()
    page.keyboard.press("/")
    page.keyboard.type("0.42")
    expect(page.get_by_role("link", name="Earned").first).to_be_visible()
    check_axe(page)
    shoot(page, "operator-postings")
    page.get_by_role("link", name="Earned").first.click()
    expect(page.get_by_text("Everything that the same source moved")).to_be_visible()
    check_axe(page)
    shoot(page, "operator-posting")
    page.get_by_role("link", name="Contributor").first.click()
    expect(page.get_by_text("Balance after").first).to_be_visible()
    check_axe(page)
    shoot(page, "operator-account")

    page.goto(f"{live.url}/operator/money/payouts")
    check_axe(page)
    shoot(page, "operator-payouts")
    page.get_by_role("button", name="Make a payout run").click()
    page.get_by_role("button", name="Set the money aside").click()
    page.get_by_role("button", name="Send …").click()
    page.get_by_role("dialog").get_by_role("button", name="Send").click()
    page.get_by_text("Failed …").first.click()
    page.get_by_placeholder("Why did it fail?").first.fill("Account closed")
    page.get_by_role("button", name="Book as failed").first.click()
    expect(page.get_by_text("Account closed")).to_be_visible()
    check_axe(page)
    shoot(page, "operator-payout-run")
    with page.expect_download() as caught:
        page.get_by_role("link", name="Download the CSV").click()
    assert caught.value.suggested_filename.endswith(".csv")
    page.get_by_role("button", name="All are paid").click()
    page.get_by_role("button", name="Book as paid").click()
    expect(page.get_by_text("Settled").first).to_be_visible()
    with live.runtime.sessions() as session:
        assert money.prove(session).ok


def test_a_top_up_is_confirmed(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.operator, role="operator")
    page.goto(f"{live.url}/operator/money/top-up")
    page.get_by_label("Organization").select_option(label=world.organization.name)
    page.get_by_label("Amount").fill("250.00")
    check_axe(page)
    shoot(page, "operator-top-up")
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_text("Wallet after")).to_be_visible()
    check_axe(page)
    shoot(page, "operator-top-up-check")
    page.get_by_role("button", name="Book it").click()
    expect(page.get_by_text("250.00 USD is in the wallet")).to_be_visible()


def test_jobs_and_events_refresh_by_themselves(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.operator, role="operator")
    page.goto(f"{live.url}/operator/jobs")
    check_axe(page)
    shoot(page, "operator-jobs")
    with live.runtime.sessions.begin() as session:
        number = jobs.defer(session, "people.send_mail", mail_id=str(new_id()))
    expect(page.locator(f"a[href='/operator/jobs/{number}']")).to_be_visible(timeout=15_000)
    page.locator(f"a[href='/operator/jobs/{number}']").click()
    expect(page.get_by_text("Put in the queue")).to_be_visible()
    check_axe(page)
    shoot(page, "operator-job")
    page.goto(f"{live.url}/operator/events?q=work.")
    page.locator("summary", has_text="work.approved").first.click()
    check_axe(page)
    shoot(page, "operator-events")


def test_the_palette_jumps_and_the_manual_reads(live: Live, world: World, page: Page) -> None:
    sign_in(page, live, world.operator, role="operator")
    page.goto(f"{live.url}/operator/money")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("Person")
    expect(page.get_by_role("dialog").get_by_role("option").first).to_be_visible()
    shoot(page, "palette", full=False)
    page.goto(f"{live.url}/docs/api")
    page.locator("details.panel summary", has_text="/claims").first.click()
    check_axe(page)
    shoot(page, "docs-api", full=False)
    page.goto(f"{live.url}/docs/errors")
    check_axe(page)
    shoot(page, "docs-errors", full=False)
    page.goto(f"{live.url}/docs")
    check_axe(page)
    shoot(page, "docs", full=False)


@pytest.mark.parametrize(("scheme", "width"), [("dark", "desk"), ("light", "phone")])
def test_operator_pages_in_the_dark_and_on_a_phone(
    live: Live, world: World, open_page: Callable[..., Page], scheme: Scheme, width: str
) -> None:
    page = open_page(scheme, PHONE) if width == "phone" else open_page(scheme)
    sign_in(page, live, world.operator, role="operator")
    for name, path in (
        ("money", "/operator/money"),
        ("postings", "/operator/money/postings"),
        ("payouts", "/operator/money/payouts"),
        ("jobs", "/operator/jobs"),
        ("events", "/operator/events"),
        ("docs-api", "/docs/api"),
    ):
        page.goto(f"{live.url}{path}")
        check_axe(page)
        fits = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert fits, f"{path} is wider than the screen"
        shoot(page, f"operator-{name}-{scheme}-{width}", full=name != "docs-api")
