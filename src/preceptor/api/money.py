"""Money over the API: wallets, escrow, statements, payouts."""

from datetime import datetime

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from preceptor.api.schemas import In, MoneyIn, MoneyOut, Out, PageSize, money_out
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Now
from preceptor.http.idempotency import Once
from preceptor.kit.errors import Invalid
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.money import Money, minor_digits
from preceptor.money import access, service
from preceptor.money.models import AccountKind, PayoutBatch
from preceptor.money.service import StatementLine
from preceptor.people.access import organization
from preceptor.people.identify import require_scope
from preceptor.projects.access import project_for_client

router = APIRouter(prefix="/api/v1", tags=["money"])


class TopUpIn(In):
    money: MoneyIn
    note: str = Field(default="", max_length=500, examples=["Invoice 2026-014"])


class WalletOut(Out):
    organization_id: str
    balance: MoneyOut


class FundsOut(Out):
    project_id: str
    escrow: MoneyOut
    reserved: MoneyOut


class LineOut(Out):
    id: str
    at: datetime
    purpose: str
    other_account: str
    amount: MoneyOut
    balance_after: MoneyOut
    note: str | None


class StatementOut(Out):
    balance: MoneyOut
    items: list[LineOut]
    next_cursor: str | None


class PayoutBatchIn(In):
    currency: str = Field(examples=["USD"], min_length=3, max_length=3)
    minimum: str | None = Field(default=None, examples=["5.00"])


class PayoutBatchOut(Out):
    id: str
    state: str
    total: MoneyOut
    payouts: int
    rail: str


@router.post("/organizations/{org_id}/top-ups", status_code=201, response_model=WalletOut)
def top_up(org_id: str, body: TopUpIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Record money that a client has paid in (operators)."""
    require_scope(actor, "operate")
    access.require_operator(actor)
    org = organization(session, actor, read_id("organization", org_id)).id
    amount = body.money.money()

    def make() -> WalletOut:
        service.top_up(session, actor, org, amount, note=body.note, now=now)
        return WalletOut(
            organization_id=org_id, balance=money_out(service.wallet_balance(session, org, amount.currency))
        )

    return once.answer(make)


@router.post("/projects/{project_id}/funds", status_code=201, response_model=FundsOut)
def fund(project_id: str, body: MoneyIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Move money from the organization's wallet into a project's escrow."""
    require_scope(actor, "projects")
    project = project_for_client(session, actor, read_id("project", project_id), "owner", "manager")
    amount = body.money()
    if amount.currency != project.currency:
        raise Invalid(f"This project pays in {project.currency}; {amount} cannot be used for it.")

    def make() -> FundsOut:
        service.fund_project(session, actor, org_id=project.org_id, project_id=project.id, amount=amount, now=now)
        return funds_out(project_id, service.project_funds(session, project.id, project.currency))

    return once.answer(make)


@router.get("/projects/{project_id}/funds", response_model=FundsOut)
def funds(project_id: str, session: Db, actor: CurrentActor) -> FundsOut:
    """What a project may still spend, and what live claims have reserved."""
    require_scope(actor, "read", "projects", "operate")
    project = project_for_client(session, actor, read_id("project", project_id))
    return funds_out(project_id, service.project_funds(session, project.id, project.currency))


@router.get("/me/statement", response_model=StatementOut)
def my_statement(
    session: Db, actor: CurrentActor, currency: str = "USD", cursor: str | None = None, limit: PageSize = 50
) -> StatementOut:
    """Your earnings and payouts, newest first; the balance after each line reconciles to the cent."""
    require_scope(actor, "read", "work")
    minor_digits(currency)
    assert actor.person_id is not None
    lines = service.statement_of(
        session, AccountKind.CONTRIBUTOR, actor.person_id, currency, before=read_cursor("posting", cursor), limit=limit
    )
    held = service.balance(session, AccountKind.CONTRIBUTOR, actor.person_id, currency)
    return statement_out(held, lines, limit)


@router.post("/payout-batches", status_code=201, response_model=PayoutBatchOut)
def create_batch(body: PayoutBatchIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Set aside every contributor's balance for payment (operators)."""
    require_scope(actor, "operate")
    access.require_operator(actor)
    minimum = Money.parse(body.minimum, body.currency) if body.minimum else None
    minor_digits(body.currency)
    return once.answer(
        lambda: batch_out(service.create_payout_batch(session, actor, currency=body.currency, minimum=minimum, now=now))
    )


@router.post("/payout-batches/{batch_id}/send", response_model=PayoutBatchOut)
def send_batch(batch_id: str, session: Db, runtime: CurrentRuntime, actor: CurrentActor, now: Now) -> PayoutBatchOut:
    """Hand the batch to its rail: the CSV rail writes the file that a bank would be sent. Safe to repeat."""
    require_scope(actor, "operate")
    batch = access.payout_batch(session, actor, read_id("payout_batch", batch_id))
    return batch_out(service.send_batch(session, runtime.storage, actor, batch.id, now=now))


@router.post("/payout-batches/{batch_id}/settle", response_model=PayoutBatchOut)
def settle_batch(batch_id: str, session: Db, actor: CurrentActor, now: Now) -> PayoutBatchOut:
    """Book every open payout of a sent batch as paid."""
    require_scope(actor, "operate")
    batch = access.payout_batch(session, actor, read_id("payout_batch", batch_id))
    service.settle_batch(session, actor, batch.id, now=now)
    session.refresh(batch)
    return batch_out(batch)


def funds_out(project_id: str, held: service.ProjectFunds) -> FundsOut:
    return FundsOut(project_id=project_id, escrow=money_out(held.escrow), reserved=money_out(held.reserved))


def statement_out(held: Money, lines: list[StatementLine], limit: int) -> StatementOut:
    items = [
        LineOut(
            id=show_id("posting", line.posting_id),
            at=line.at,
            purpose=line.purpose,
            other_account=line.other,
            amount=money_out(line.amount),
            balance_after=money_out(line.balance_after),
            note=line.note,
        )
        for line in lines
    ]
    return StatementOut(balance=money_out(held), items=items, next_cursor=items[-1].id if len(items) == limit else None)


def batch_out(batch: PayoutBatch) -> PayoutBatchOut:
    return PayoutBatchOut(
        id=show_id("payout_batch", batch.id),
        state=batch.state,
        total=money_out(Money(batch.total_minor, batch.currency)),
        payouts=batch.payouts,
        rail=batch.rail,
    )
