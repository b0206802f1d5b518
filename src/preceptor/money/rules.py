"""Decisions about money, pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from uuid import UUID

from preceptor.kit.money import Money
from preceptor.money.models import AccountKind, PayoutState

BUSY_PARTS = 32
"""Parts of an account that many people draw on at once. As many claims of one project as there are parts can be
under way without waiting for each other: more than the connections of two web processes."""

LOCK_ORDER: Mapping[AccountKind, int] = {
    # Everybody locks parts in this order, so that nobody waits in a circle.
    AccountKind.BANK: 0,
    AccountKind.WALLET: 1,
    AccountKind.ESCROW: 2,
    AccountKind.RESERVED: 3,
    AccountKind.CONTRIBUTOR: 4,
    AccountKind.PAYING: 5,
    AccountKind.PAID: 6,
}

PAYOUT_MOVES: Mapping[PayoutState, frozenset[PayoutState]] = {
    PayoutState.PENDING: frozenset({PayoutState.SENT, PayoutState.FAILED}),
    PayoutState.SENT: frozenset({PayoutState.PAID, PayoutState.FAILED}),
    PayoutState.PAID: frozenset(),
    PayoutState.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Place:
    """One part of one account: what a posting moves money from or to, and the unit of locking."""

    kind: AccountKind
    account_id: UUID
    part: int = 0

    @property
    def lock_key(self) -> tuple[int, UUID, int]:
        return LOCK_ORDER[self.kind], self.account_id, self.part


@dataclass(frozen=True, slots=True)
class Move:
    """A posting to be made. (`source_kind`, `source_id`, `purpose`) can be booked only once, ever."""

    source_kind: str
    source_id: UUID
    purpose: str
    from_place: Place
    to_place: Place
    amount: Money
    note: str | None = None


def parts_of(kind: AccountKind) -> int:
    return BUSY_PARTS if kind in (AccountKind.ESCROW, AccountKind.RESERVED) else 1


def changes(moves: Iterable[Move]) -> list[tuple[Place, int]]:
    """Net change of every place touched, in lock order."""
    net: dict[Place, int] = {}
    for move in moves:
        net[move.from_place] = net.get(move.from_place, 0) - move.amount.minor
        net[move.to_place] = net.get(move.to_place, 0) + move.amount.minor
    return sorted(net.items(), key=lambda item: item[0].lock_key)


def hourly(rate: Money, expected_seconds: int) -> Money:
    """What a rate per task comes to in an hour at the expected time per task."""
    return rate.times(Fraction(3600, max(expected_seconds, 1)))
