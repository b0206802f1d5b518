"""A client's people, agreement and money."""

import re

from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.models import AccountKind
from preceptor.money.service import statement_of
from preceptor.projects.models import ProjectState
from tests.factories import World, make_contributor, make_user
from tests.web.acting import Desk
from tests.web.client.material import base, judged, rows_of


def test_people_are_shown_with_intervals_and_without_names(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    people = judged(session, world, clock)
    page = desk.get(f"{base(world)}/people").text
    assert page.count('aria-label="Agreement with others') == 2
    assert all(person.person.email not in page for person in people)
    assert "Krippendorff" in desk.get(f"{base(world)}/quality").text


def test_a_reviewer_is_added_by_address_and_removed(
    desk: Desk, world: World, session: Session, clock: FixedClock
) -> None:
    other = make_user(session, now=clock.now(), is_reviewer=True)
    nobody = make_contributor(session, now=clock.now())
    assert desk.post(f"{base(world)}/reviewers", email=other.person.email.upper()).status_code == 303
    assert other.person.name in desk.get(f"{base(world)}/people").text
    assert desk.post(f"{base(world)}/reviewers", email=nobody.person.email).status_code == 422
    gone = desk.post(f"{base(world)}/reviewers/{show_id('person', other.id)}/remove")
    assert gone.status_code == 303
    assert other.person.name not in desk.get(f"{base(world)}/people").text


def test_the_statement_reconciles_to_the_cent(desk: Desk, world: World, session: Session, clock: FixedClock) -> None:
    judged(session, world, clock)
    world.project.state = ProjectState.PAUSED
    session.flush()
    assert desk.post(f"{base(world)}/money/take-back").status_code == 303
    assert desk.post(f"{base(world)}/money/fund", amount="12.34").status_code == 303
    lines = rows_of(desk.get(f"{base(world)}/money/statement.csv"))
    minor = [int(line["amount"].replace(".", "")) for line in lines]
    assert sum(minor) == 1234
    assert lines[0]["balance_after"] == "12.34"
    assert [line["what"] for line in lines].count("Added from the wallet") == 2
    assert [line["what"] for line in lines].count("Paid for an approved judgment") == 6
    spent = money.project_spent(session, world.organization.id, world.project.id, "USD")
    assert spent == Money(240, "USD")
    wallet = rows_of(desk.get("/money/statement.csv?currency=USD"))
    held = money.wallet_balance(session, world.organization.id, "USD")
    assert sum(int(line["amount"].replace(".", "")) for line in wallet) == held.minor
    assert wallet[0]["balance_after"] == held.amount
    booked = statement_of(session, AccountKind.WALLET, world.organization.id, "USD", limit=500)
    assert sum(line.amount.minor for line in booked) == held.minor
    proof = money.prove(session)
    assert proof.imbalance_minor == 0


def test_an_open_project_keeps_its_money(desk: Desk, world: World, session: Session) -> None:
    before = money.project_funds(session, world.project.id, "USD").escrow
    assert desk.post(f"{base(world)}/money/take-back").status_code == 422
    assert money.project_funds(session, world.project.id, "USD").escrow == before


def test_the_wallet_page_names_the_project_behind_each_move(desk: Desk, world: World) -> None:
    page = desk.get("/money").text
    assert "Paid in" in page
    assert re.search(r"Set aside for a project: <a[^>]*>Sums</a>", page)
