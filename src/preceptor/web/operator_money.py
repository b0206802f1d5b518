"""Money as operators see it: balances, accounts, postings that can be followed, top-ups, payout runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.http.downloads import attachment
from preceptor.http.edge import CurrentRuntime, Db, Now
from preceptor.kit.errors import AppError, Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import PREFIXES, new_id, read_id, show_id
from preceptor.kit.money import CURRENCIES, Money, minor_digits
from preceptor.money import access, service
from preceptor.money.errors import NothingToPay
from preceptor.money.models import AccountKind, PayoutBatchState, PayoutState
from preceptor.money.queries_books import SOURCE_KINDS, PostingsWanted
from preceptor.money.service import books
from preceptor.money.service.books import PostingLine
from preceptor.people.service import directory
from preceptor.web.client_frame import Fields, Sent, address, csv_download, refusal
from preceptor.web.pages import Operator, Page, Pages, go
from preceptor.web.visits import field_errors
from preceptor.work.service import trail
from preceptor.work.service.proof import prove_everything
from preceptor.work.service.trail import Names

router = APIRouter(prefix="/operator/money")

BASE = "/operator/money"
PAGE_ROWS = 50
EXPORT_ROWS_MAX = 50_000
PROOF_SECONDS_MAX = 20
ACCOUNT_WORDS = {
    AccountKind.BANK: "Paid in by clients",
    AccountKind.WALLET: "Wallets of organizations",
    AccountKind.ESCROW: "Escrow of projects",
    AccountKind.RESERVED: "Reserved for live claims",
    AccountKind.CONTRIBUTOR: "Balances of contributors",
    AccountKind.PAYING: "On its way in payout runs",
    AccountKind.PAID: "Paid out",
}
SOURCE_WORDS = {
    "top_up": "Top-ups",
    "funding": "Project funding",
    "defunding": "Taken back",
    "claim": "Claims",
    "appeal": "Appeals",
    "payout": "Payouts",
    "gather": "Gathered",
}
POSTING_COLUMNS = (
    *("id", "at", "source_kind", "source_id", "purpose", "from", "from_owner", "to", "to_owner"),
    *("amount", "currency", "note"),
)
TABS = (("balances", "", "Balances"), ("postings", "/postings", "Postings"), ("payouts", "/payouts", "Payout runs"))


def tabs_of(current: str) -> list[tuple[str, str, bool]]:
    return [(BASE + path, label, name == current) for name, path, label in TABS]


# --- Balances and proof


@router.get("")
def show_balances(page: Page, session: Db, operator: Operator) -> Response:
    """Balances by kind and currency, with the sum that must be zero."""
    return page.show(
        "operator/money.html",
        tabs=tabs_of("balances"),
        balances=books.balances(session, operator.actor),
        words=ACCOUNT_WORDS,
    )


@router.post("/prove")
def prove(page: Page, session: Db, operator: Operator, now: Now) -> Response:
    """Check every promise of the ledger over all rows, now. The page shows what was computed, nothing stored."""
    access.require_operator(operator.actor)
    try:
        proof, refused = prove_everything(session, operator.actor, seconds_max=PROOF_SECONDS_MAX), None
    except AppError as error:
        proof, refused = None, error
    return page.show("operator/proof.html", proof=proof, refused=refused, at=now)


@router.get("/accounts/{account_id}")
def show_account(page: Page, session: Db, operator: Operator, account_id: str, cursor: str | None = None) -> Response:
    """One account with its statement; each line leads to its posting."""
    found = books.account_statement(
        session,
        operator.actor,
        read_id("account", account_id),
        before=read_id("posting", cursor) if cursor else None,
        limit=PAGE_ROWS + 1,
    )
    lines = found.lines[:PAGE_ROWS]
    known = trail.names_of_accounts(session, operator.actor, [found.account])
    path = f"{BASE}/accounts/{account_id}"
    more = len(found.lines) > PAGE_ROWS
    return page.show(
        "operator/account.html",
        account=found.account,
        account_id=account_id,
        held=found.held,
        lines=lines,
        owner=known.owner(found.account),
        owner_href=_owner_href(found.account.kind, found.account.owner_id),
        words=ACCOUNT_WORDS,
        next_href=address(path, cursor=show_id("posting", lines[-1].posting_id)) if more else None,
        first_href=path if cursor else None,
    )


def _owner_href(kind: AccountKind, owner_id: UUID | None) -> str | None:
    if kind is AccountKind.CONTRIBUTOR and owner_id is not None:
        return f"/operator/people/{show_id('person', owner_id)}"
    return None


@router.get("/accounts")
def list_accounts(
    page: Page,
    session: Db,
    operator: Operator,
    kind: AccountKind = AccountKind.WALLET,
    currency: Annotated[str | None, Query(max_length=3)] = None,
    cursor: str | None = None,
) -> Response:
    """The accounts behind one balance."""
    before = read_id("account", cursor) if cursor else None
    found = books.list_accounts(session, operator.actor, kind, currency=currency, before=before, limit=PAGE_ROWS + 1)
    shown = found[:PAGE_ROWS]
    more = show_id("account", shown[-1].account.id) if len(found) > PAGE_ROWS else None
    path = f"{BASE}/accounts"
    return page.show(
        "operator/accounts.html",
        tabs=tabs_of("balances"),
        lines=shown,
        names=trail.names_of_accounts(session, operator.actor, [line.account for line in shown]),
        kind=kind,
        words=ACCOUNT_WORDS,
        chips=[
            (ACCOUNT_WORDS[each], address(path, kind=each.value, currency=currency), each is kind, None)
            for each in AccountKind
        ],
        next_href=address(path, kind=kind.value, currency=currency, cursor=more) if more else None,
        first_href=address(path, kind=kind.value, currency=currency) if cursor else None,
    )


# --- Postings


Words = Annotated[str, Query(max_length=200)]


@router.get("/postings")
def list_postings(
    page: Page, session: Db, operator: Operator, q: Words = "", kind: str = "", cursor: str | None = None
) -> Response:
    """Every movement, newest first: by kind of source, or searched by id, amount, name or note."""
    kind = kind if kind in SOURCE_KINDS else ""
    before = read_id("posting", cursor) if cursor else None
    found = books.list_postings(session, operator.actor, _wanted(q, kind, before, PAGE_ROWS + 1))
    shown = found[:PAGE_ROWS]
    more = show_id("posting", shown[-1].posting.id) if len(found) > PAGE_ROWS else None
    path = f"{BASE}/postings"
    return page.show(
        "operator/postings.html",
        tabs=tabs_of("postings"),
        lines=shown,
        names=_names(session, operator.actor, shown),
        q=q,
        kind=kind,
        chips=[
            ("All", address(path, q=q), not kind, None),
            *((SOURCE_WORDS[each], address(path, q=q, kind=each), each == kind, None) for each in SOURCE_KINDS),
        ],
        export_href=address(f"{path}.csv", q=q, kind=kind),
        next_href=address(path, q=q, kind=kind, cursor=more) if more else None,
        first_href=address(path, q=q, kind=kind) if cursor else None,
    )


def _names(session: Session, actor: Actor, lines: Sequence[PostingLine]) -> Names:
    return trail.names_of_accounts(session, actor, [each for line in lines for each in (line.source, line.target)])


def _wanted(q: str, kind: str, before: UUID | None, limit: int) -> PostingsWanted:
    """What a search means: an id with prefix, a date, an amount, or words of a name or note."""
    base = PostingsWanted(source_kind=kind or None, before=before, limit=limit)
    text = q.strip()
    if not text:
        return base
    prefixed = _by_id(text)
    if prefixed is not None:
        return _with_id(base, *prefixed)
    day = _day(text)
    if day is not None:
        return replace(base, since=day, until=day + timedelta(days=1))
    minor = _amount(text)
    if minor is not None:
        return replace(base, minor=minor)
    return replace(base, words=text)


def _with_id(base: PostingsWanted, name: str, found: UUID) -> PostingsWanted:
    match name:
        case "account":
            return replace(base, account_id=found)
        case "posting":
            return replace(base, posting_id=found)
        case _:
            return replace(base, source_id=found)


def _by_id(text: str) -> tuple[str, UUID] | None:
    prefix = text.partition("_")[0]
    for name, given in PREFIXES.items():
        if given == prefix:
            try:
                return name, read_id(name, text)
            except NotFound:
                return None
    return None


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _amount(text: str) -> int | None:
    """Minor units of "12.50" (two digits after the point, as most currencies have); whole numbers are words."""
    plain = text.lstrip("$€£").replace(",", "")
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    if "." not in plain or not amount.is_finite() or abs(amount) > 10**12:
        return None
    exponent = amount.as_tuple().exponent
    return int(amount.scaleb(max(2, -exponent))) if isinstance(exponent, int) else None


@router.get("/postings.csv")
def export_postings(session: Db, operator: Operator, q: Words = "", kind: str = "") -> Response:
    """What the list shows, as CSV, up to `EXPORT_ROWS_MAX` rows."""
    wanted = _wanted(q, kind if kind in SOURCE_KINDS else "", None, EXPORT_ROWS_MAX)
    lines = books.list_postings(session, operator.actor, wanted)
    names = _names(session, operator.actor, lines)
    return csv_download("postings.csv", POSTING_COLUMNS, _rows(lines, names))


def _rows(lines: Iterable[PostingLine], names: Names) -> Iterable[Sequence[object]]:
    for line in lines:
        posting = line.posting
        yield [
            show_id("posting", posting.id),
            posting.at.isoformat(),
            posting.source_kind,
            trail.shown_source(posting.source_kind, posting.source_id),
            posting.purpose,
            line.source.kind.value,
            names.owner(line.source) or "",
            line.target.kind.value,
            names.owner(line.target) or "",
            line.amount.amount,
            posting.currency,
            posting.note or "",
        ]


@router.get("/postings/{posting_id}")
def show_posting(page: Page, session: Db, operator: Operator, posting_id: str) -> Response:
    """One movement: both accounts, what made it, and everything else that the same source moved."""
    found = books.posting_trail(session, operator.actor, read_id("posting", posting_id))
    posting = found.line.posting
    return page.show(
        "operator/posting.html",
        line=found.line,
        posting_id=posting_id,
        siblings=found.siblings,
        names=_names(session, operator.actor, found.siblings),
        source=trail.source_of(session, operator.actor, posting.source_kind, posting.source_id),
        words=ACCOUNT_WORDS,
    )


# --- Top-ups


@router.get("/top-up")
def show_top_up(page: Page, session: Db, operator: Operator, organization: str = "") -> Response:
    return _top_up(page, session, operator.actor, {"organization": organization, "currency": "USD"}, {})


def _top_up(
    page: Pages, session: Session, actor: Actor, values: dict[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    organizations = directory.list_organizations(session, actor)
    return page.show(
        "operator/top_up.html",
        status=status,
        tabs=tabs_of("balances"),
        organizations=[(show_id("organization", each.id), each.name) for each in organizations],
        currencies=[(each, each) for each in sorted(CURRENCIES)],
        values=values,
        errors=errors,
    )


@router.post("/top-up/check")
def check_top_up(page: Page, session: Db, operator: Operator, sent: Sent) -> Response:
    """Say what will be booked, before it is."""
    try:
        name, amount = _sent_top_up(session, operator.actor, sent)
    except Invalid as error:
        return _top_up(page, session, operator.actor, sent.plain(), field_errors(error), 422)
    org_id = read_id("organization", sent.text("organization"))
    held = service.wallet_balance(session, org_id, amount.currency)
    return page.show(
        "operator/top_up_check.html",
        tabs=tabs_of("balances"),
        name=name,
        amount=amount,
        before=held,
        after=held + amount,
        values=sent.plain(),
        once=new_id().hex,
    )


@router.post("/top-up")
def top_up(page: Page, session: Db, operator: Operator, now: Now, sent: Sent) -> Response:
    """Book it. The confirmation carries its own number, so a second click books nothing."""
    try:
        name, amount = _sent_top_up(session, operator.actor, sent)
    except Invalid as error:
        return _top_up(page, session, operator.actor, sent.plain(), field_errors(error), 422)
    service.top_up(
        session,
        operator.actor,
        read_id("organization", sent.text("organization")),
        amount,
        note=sent.text("note"),
        top_up_id=_once(sent),
        now=now,
    )
    return go(BASE, f"{amount} is in the wallet of {name}.")


def _once(sent: Fields) -> UUID:
    try:
        return UUID(hex=sent.text("once"))
    except ValueError:
        raise refusal("form", "Check the amount once more, then confirm.") from None


def _sent_top_up(session: Session, actor: Actor, sent: Fields) -> tuple[str, Money]:
    """The organization's name and the amount, or `Invalid` under the field's name."""
    access.require_operator(actor)
    known = directory.list_organizations(session, actor)
    organizations = {show_id("organization", each.id): each.name for each in known}
    if sent.text("organization") not in organizations:
        raise refusal("organization", "Choose an organization.")
    try:
        amount = Money.parse(sent.text("amount"), sent.text("currency"))
    except Invalid as error:
        raise refusal("amount", error.message) from None
    if amount.minor <= 0:
        raise refusal("amount", "The amount must be more than zero.")
    if len(sent.text("note")) > 500:
        raise refusal("note", "Keep the note under 500 characters.")
    return organizations[sent.text("organization")], amount


# --- Payout runs


@router.get("/payouts")
def list_batches(
    page: Page,
    session: Db,
    operator: Operator,
    currency: Annotated[str, Query(max_length=3)] = "USD",
    minimum: Annotated[str, Query(max_length=20)] = "",
    cursor: str | None = None,
) -> Response:
    """Who would be paid now, and all runs so far."""
    actor = operator.actor
    errors: dict[str, str] = {}
    in_use = sorted({*books.currencies_in_use(session, actor), "USD"})
    currency = currency if currency in in_use else in_use[0]
    try:
        smallest = Money.parse(minimum, currency) if minimum.strip() else None
    except Invalid as error:
        smallest, errors = None, {"minimum": error.message}
    before = read_id("payout_batch", cursor) if cursor else None
    batches = books.list_batches(session, actor, before=before, limit=PAGE_ROWS + 1)
    more = show_id("payout_batch", batches[PAGE_ROWS - 1].id) if len(batches) > PAGE_ROWS else None
    path = f"{BASE}/payouts"
    return page.show(
        "operator/payouts.html",
        tabs=tabs_of("payouts"),
        preview=books.preview_payouts(session, actor, currency=currency, minimum=smallest),
        batches=batches[:PAGE_ROWS],
        currency=currency,
        currencies=[(each, each) for each in in_use],
        minimum=minimum,
        errors=errors,
        next_href=address(path, cursor=more) if more else None,
        first_href=path if cursor else None,
    )


@router.post("/payouts")
def create_batch(session: Db, operator: Operator, now: Now, sent: Sent) -> Response:
    """Set the money aside. Nothing leaves before the run is sent."""
    access.require_operator(operator.actor)
    currency = sent.text("currency")
    minor_digits(currency)
    minimum = Money.parse(sent.text("minimum"), currency) if sent.text("minimum") else None
    try:
        batch = service.create_payout_batch(session, operator.actor, currency=currency, minimum=minimum, now=now)
    except NothingToPay as error:
        return go(address(f"{BASE}/payouts", currency=currency), error.message, tone="warning")
    return go(_batch_path(batch.id), f"{batch.payouts} payouts are set aside. Send the run when you are ready.")


def _batch_path(batch_id: UUID) -> str:
    return f"{BASE}/payouts/{show_id('payout_batch', batch_id)}"


@router.get("/payouts/{batch_id}")
def show_batch(
    page: Page,
    session: Db,
    operator: Operator,
    batch_id: str,
    q: Words = "",
    show: str = "all",
    cursor: str | None = None,
) -> Response:
    return _batch(page, session, operator.actor, batch_id, q=q, show=show, cursor=cursor)


def _batch(
    page: Pages,
    session: Session,
    actor: Actor,
    batch_id: str,
    *,
    q: str = "",
    show: str = "all",
    cursor: str | None = None,
    errors: dict[str, str] | None = None,
) -> Response:
    state = PayoutState(show) if show in [each.value for each in PayoutState] else None
    found = books.read_batch(
        session,
        actor,
        read_id("payout_batch", batch_id),
        state=state,
        words=q,
        before=read_id("payout", cursor) if cursor else None,
        limit=PAGE_ROWS + 1,
    )
    lines = found.lines[:PAGE_ROWS]
    more = show_id("payout", lines[-1].payout.id) if len(found.lines) > PAGE_ROWS else None
    path = f"{BASE}/payouts/{batch_id}"
    shown = state.value if state else None
    counts = {each: found.states.get(each, (0, None))[0] for each in PayoutState}
    return page.show(
        "operator/payout_run.html",
        status=422 if errors else 200,
        batch=found.batch,
        batch_id=batch_id,
        total=Money(found.batch.total_minor, found.batch.currency),
        states=found.states,
        lines=lines,
        q=q,
        show=show,
        chips=[
            ("All", address(path, q=q), state is None, found.batch.payouts),
            *(
                (each.value.capitalize(), address(path, q=q, show=each.value), each is state, counts[each])
                for each in PayoutState
            ),
        ],
        is_draft=found.batch.state is PayoutBatchState.DRAFT,
        is_sent=found.batch.state is PayoutBatchState.SENT,
        errors=errors or {},
        next_href=address(path, q=q, show=shown, cursor=more) if more else None,
        first_href=address(path, q=q, show=shown) if cursor else None,
    )


@router.post("/payouts/{batch_id}/send")
def send(session: Db, runtime: CurrentRuntime, operator: Operator, now: Now, batch_id: str) -> Response:
    """Write what the bank is to be sent."""
    batch = access.payout_batch(session, operator.actor, read_id("payout_batch", batch_id))
    service.send_batch(session, runtime.storage, operator.actor, batch.id, now=now)
    return go(_batch_path(batch.id), "The run is sent: download its file and hand it to the bank.")


@router.get("/payouts/{batch_id}/file.csv")
def download(request: Request, session: Db, runtime: CurrentRuntime, operator: Operator, batch_id: str) -> Response:
    """The file that the rail wrote."""
    batch = access.payout_batch(session, operator.actor, read_id("payout_batch", batch_id))
    if batch.file_key is None:
        raise NotFound("file")
    return attachment(request, runtime.storage, batch.file_key, f"{batch_id}.csv")


@router.post("/payouts/{batch_id}/settle")
def settle_all(session: Db, operator: Operator, now: Now, batch_id: str) -> Response:
    """Book every open payout of the run as paid."""
    batch = access.payout_batch(session, operator.actor, read_id("payout_batch", batch_id))
    count = service.settle_batch(session, operator.actor, batch.id, now=now)
    return go(_batch_path(batch.id), f"{count} payouts are booked as paid.")


@router.post("/payouts/{batch_id}/items/{payout_id}")
def settle_one(
    page: Page, session: Db, operator: Operator, now: Now, batch_id: str, payout_id: str, sent: Sent
) -> Response:
    """Book one payout as paid, or as failed with a reason; then the money is the person's again."""
    batch = access.payout_batch(session, operator.actor, read_id("payout_batch", batch_id))
    payout = access.payout_for_operator(session, operator.actor, read_id("payout", payout_id))
    if payout.batch_id != batch.id:
        raise NotFound("payout")
    paid = sent.text("outcome") == "paid"
    try:
        service.settle_payout(
            session, operator.actor, payout, paid=paid, failure=None if paid else sent.text("failure"), now=now
        )
    except Invalid as error:
        return _batch(page, session, operator.actor, batch_id, errors={payout_id: error.message})
    said = "Booked as paid." if paid else "Booked as failed. The money is back on the person's balance."
    return go(_batch_path(batch.id), said)
