"""What one has earned: balance, what is pending, this week, the statement, payouts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money, minor_digits
from preceptor.money.models import AccountKind
from preceptor.money.service import StatementLine, earnings, statement_of
from preceptor.money.service.earnings import DayEarned
from preceptor.web.contributor import totals, week_start
from preceptor.web.pages import Contributor, Page
from preceptor.web.results import csv_file
from preceptor.work.service import day as days_at_work
from preceptor.work.service import history as histories
from preceptor.work.service.history import EarnedBy

router = APIRouter()

PAGE_ROWS = 40
EXPORT_ROWS_MAX = 20_000
WEEKS_SHOWN = 8
PURPOSES = {
    "earn": "Approved work",
    "set_aside": "Payout",
    "failed": "Payout came back",
}

Currency = Annotated[str | None, Query(min_length=3, max_length=3)]


@router.get("/earnings")
def show_earnings(
    page: Page, session: Db, known: Contributor, now: Now, currency: Currency = None, before: str | None = None
) -> Response:
    """Balance, pending pay with dates, this week, and the statement with a running balance."""
    person_id = person_of(known.actor)
    balances = earnings.balances_of(session, person_id)
    pending = days_at_work.pending_pay(session, known.actor)
    chosen = chosen_currency(currency, [*balances, *(each.amount for each in pending)])
    cursor = read_id("posting", before) if before else None
    lines = statement_of(session, AccountKind.CONTRIBUTOR, person_id, chosen, before=cursor, limit=PAGE_ROWS + 1)
    days = earnings.earned_by_day(session, person_id, since=week_start(now) - timedelta(weeks=WEEKS_SHOWN - 1))
    this_week = [day for day in days if day.day >= week_start(now).date()]
    shown = lines[:PAGE_ROWS]
    last = show_id("posting", shown[-1].posting_id) if len(lines) > PAGE_ROWS else None
    return page.show(
        "contributor/earnings.html",
        balance=next((held for held in balances if held.currency == chosen), Money(0, chosen)),
        pending=next((each for each in pending if each.amount.currency == chosen), None),
        earned=next(iter(totals([day.amount for day in this_week if day.amount.currency == chosen])), Money(0, chosen)),
        earned_tasks=sum(day.tasks for day in this_week if day.amount.currency == chosen),
        week=week_bars(days, chosen, now),
        weeks=week_totals(days, chosen, now),
        currency=chosen,
        currencies=currencies_of([*balances, *(each.amount for each in pending)], chosen),
        lines=with_sources(session, known.actor, shown),
        payouts=[payout for payout in earnings.payouts_to(session, person_id) if payout.currency == chosen],
        next_href=f"/earnings?currency={chosen}&before={last}" if last else None,
        first_href=f"/earnings?currency={chosen}" if before else None,
        export_href=f"/earnings.csv?currency={chosen}",
    )


def person_of(actor: Actor) -> UUID:
    assert actor.person_id is not None
    return actor.person_id


def chosen_currency(asked: str | None, amounts: Sequence[Money]) -> str:
    """The currency asked for, else the one with the most in it, else US dollars."""
    if asked is not None:
        minor_digits(asked)
        return asked
    return max(amounts, key=lambda amount: amount.minor).currency if amounts else "USD"


def currencies_of(amounts: Sequence[Money], chosen: str) -> list[tuple[str, str, bool]]:
    found = sorted({amount.currency for amount in amounts} | {chosen})
    return [(code, f"/earnings?currency={code}", code == chosen) for code in found] if len(found) > 1 else []


def week_bars(days: Sequence[DayEarned], currency: str, now: datetime) -> list[tuple[datetime, DayEarned | None, bool]]:
    """Monday to Sunday of this week: (midnight UTC, what was earned, whether it is today)."""
    earned = {day.day: day for day in days if day.amount.currency == currency}
    monday = week_start(now)
    dates = [monday + timedelta(days=number) for number in range(7)]
    return [(midnight, earned.get(midnight.date()), midnight.date() == now.date()) for midnight in dates]


def week_totals(days: Sequence[DayEarned], currency: str, now: datetime) -> list[tuple[datetime, Money]]:
    """What each of the last weeks brought, oldest first, as (Monday, amount)."""
    mondays = [week_start(now) - timedelta(weeks=back) for back in reversed(range(WEEKS_SHOWN))]
    sums = dict.fromkeys(mondays, Money(0, currency))
    for day in days:
        monday = max((each for each in mondays if each.date() <= day.day), default=None)
        if monday is not None and day.amount.currency == currency:
            sums[monday] += day.amount
    return list(sums.items())


def with_sources(
    session: Session, actor: Actor, lines: Sequence[StatementLine]
) -> list[tuple[StatementLine, str, EarnedBy | None]]:
    """Statement lines with their purpose in words and, for earnings, the submission behind them."""
    claims = [line.source_id for line in lines if line.source_kind in ("claim", "appeal")]
    sources = histories.earned_by(session, actor, claims)
    return [(line, words_of(line), sources.get(line.source_id)) for line in lines]


def words_of(line: StatementLine) -> str:
    if line.source_kind == "appeal":
        return "Approved after an appeal"
    return PURPOSES.get(line.purpose, line.purpose.replace("_", " ").capitalize())


@router.get("/earnings.csv")
def export_earnings(session: Db, known: Contributor, currency: Currency = None) -> Response:
    """The statement as CSV, newest first: the newest `EXPORT_ROWS_MAX` lines, each with the balance after it."""
    person_id = person_of(known.actor)
    chosen = chosen_currency(currency, earnings.balances_of(session, person_id))
    lines = statement_of(session, AccountKind.CONTRIBUTOR, person_id, chosen, limit=EXPORT_ROWS_MAX)
    rows = [
        (
            show_id("posting", line.posting_id),
            line.at.isoformat(),
            words,
            source.project_title if source else "",
            show_id("submission", source.submission_id) if source else "",
            line.amount.amount,
            line.balance_after.amount,
            chosen,
        )
        for line, words, source in with_sources(session, known.actor, lines)
    ]
    head = ("posting", "at", "what", "project", "submission", "amount", "balance_after", "currency")
    return csv_file("earnings.csv", head, rows)
