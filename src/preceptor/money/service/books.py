"""The books as operators read them: balances, accounts, postings, payout runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.money import access, queries, queries_books
from preceptor.money.models import Account, AccountKind, Payout, PayoutBatch, PayoutState, Posting
from preceptor.money.queries_books import PostingsWanted
from preceptor.money.service.accounts import balance
from preceptor.money.service.statements import StatementLine, statement_of

PREVIEW_PEOPLE_MAX = 100
SIBLINGS_MAX = 100


@dataclass(frozen=True)
class KindBalance:
    """What all accounts of one kind and currency hold together."""

    kind: AccountKind
    accounts: int
    held: Money


@dataclass(frozen=True)
class Balances:
    """The installation's money. `imbalance` holds every currency and is zero in each when nothing is wrong."""

    kinds: list[KindBalance]
    imbalance: list[Money]

    @property
    def even(self) -> bool:
        return all(left.minor == 0 for left in self.imbalance)


def balances(session: Session, actor: Actor) -> Balances:
    """Balances by kind and currency with their sum. Two statements over accounts, none over postings."""
    access.require_operator(actor)
    rows = session.execute(queries.totals())
    kinds = [KindBalance(kind, count, Money(int(minor), currency)) for kind, currency, count, minor in rows]
    left = session.execute(queries_books.imbalance_by_currency())
    order = list(AccountKind)
    kinds.sort(key=lambda line: (line.held.currency, order.index(line.kind)))
    return Balances(kinds, [Money(int(minor), currency) for currency, minor in left])


@dataclass(frozen=True)
class PostingLine:
    """One posting with the accounts on both sides."""

    posting: Posting
    source: Account
    target: Account

    @property
    def amount(self) -> Money:
        return Money(self.posting.amount_minor, self.posting.currency)


def list_postings(session: Session, actor: Actor, wanted: PostingsWanted) -> list[PostingLine]:
    """Postings, newest first, in one statement."""
    access.require_operator(actor)
    return [PostingLine(*row) for row in session.execute(queries_books.postings(wanted))]


@dataclass(frozen=True)
class PostingTrail:
    """A posting and everything else that its source posted, oldest first; the posting itself is among them."""

    line: PostingLine
    siblings: list[PostingLine]


def posting_trail(session: Session, actor: Actor, posting_id: UUID) -> PostingTrail:
    found = list_postings(session, actor, PostingsWanted(posting_id=posting_id, limit=1))
    if not found:
        raise NotFound("posting")
    wanted = PostingsWanted(source_id=found[0].posting.source_id, limit=SIBLINGS_MAX)
    return PostingTrail(found[0], list_postings(session, actor, wanted)[::-1])


@dataclass(frozen=True)
class AccountLine:
    account: Account
    held: Money


def list_accounts(
    session: Session,
    actor: Actor,
    kind: AccountKind,
    *,
    currency: str | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[AccountLine]:
    """Accounts of one kind with their balances, the one opened last first."""
    access.require_operator(actor)
    rows = session.execute(queries_books.accounts(kind, currency, before, limit))
    return [AccountLine(account, Money(int(minor), account.currency)) for account, minor in rows]


@dataclass(frozen=True)
class AccountStatement:
    """An account with a page of its statement; the first line's balance is what the account holds."""

    account: Account
    held: Money
    lines: list[StatementLine]


def account_statement(
    session: Session, actor: Actor, account_id: UUID, *, before: UUID | None = None, limit: int = 50
) -> AccountStatement:
    account = access.account_for_operator(session, actor, account_id)
    held = balance(session, account.kind, account.owner_id, account.currency)
    lines = statement_of(session, account.kind, account.owner_id, account.currency, before=before, limit=limit)
    return AccountStatement(account, held, lines)


# --- Payout runs


@dataclass(frozen=True)
class PayoutPreview:
    """Who a payout run would pay now. `people` lists the largest amounts, `count` and `total` cover everybody."""

    count: int
    total: Money
    people: list[tuple[UUID, str, str, Money]]


def preview_payouts(session: Session, actor: Actor, *, currency: str, minimum: Money | None = None) -> PayoutPreview:
    """What `create_payout_batch` would do at this moment; changes and locks nothing."""
    access.require_operator(actor)
    smallest = minimum.minor if minimum else 1
    row = session.execute(queries_books.would_be_paid_in_all(currency, smallest)).one()
    people = session.execute(queries_books.would_be_paid(currency, smallest, PREVIEW_PEOPLE_MAX))
    return PayoutPreview(
        row.people,
        Money(int(row.minor), currency),
        [(person, name, email, Money(minor, currency)) for person, name, email, minor in people],
    )


def list_batches(session: Session, actor: Actor, *, before: UUID | None = None, limit: int = 50) -> list[PayoutBatch]:
    """Payout runs, newest first."""
    access.require_operator(actor)
    return list(session.scalars(queries_books.batches(before, limit)))


@dataclass(frozen=True)
class PayoutLine:
    payout: Payout
    name: str
    email: str

    @property
    def amount(self) -> Money:
        return Money(self.payout.amount_minor, self.payout.currency)


@dataclass(frozen=True)
class BatchPage:
    """A payout run with how its payouts stand and a page of them."""

    batch: PayoutBatch
    states: dict[PayoutState, tuple[int, Money]]
    lines: list[PayoutLine]


def read_batch(
    session: Session,
    actor: Actor,
    batch_id: UUID,
    *,
    state: PayoutState | None = None,
    words: str = "",
    before: UUID | None = None,
    limit: int = 50,
) -> BatchPage:
    """One payout run in three statements."""
    batch = access.payout_batch(session, actor, batch_id)
    rows = session.execute(queries_books.payout_states(batch_id))
    states = {held: (count, Money(int(minor), batch.currency)) for held, count, minor in rows}
    found = session.execute(queries_books.payouts(batch_id, state=state, words=words, before=before, limit=limit))
    return BatchPage(batch, states, [PayoutLine(*row) for row in found])


def currencies_in_use(session: Session, actor: Actor) -> Sequence[str]:
    """Currencies that have accounts here, in alphabetical order."""
    access.require_operator(actor)
    return [currency for currency, _ in session.execute(queries_books.imbalance_by_currency())]
