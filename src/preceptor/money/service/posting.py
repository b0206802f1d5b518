"""The one way money moves."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.errors import CheckViolation, UniqueViolation
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preceptor.kit.ids import new_id
from preceptor.money import rules
from preceptor.money.errors import AlreadyPosted, NotEnoughMoney
from preceptor.money.models import Posting
from preceptor.money.rules import Move

_CHANGE = text(
    "UPDATE account_part SET balance_minor = balance_minor + :change WHERE account_id = :id AND part = :part"
)


def post(session: Session, moves: Sequence[Move], *, now: datetime) -> None:
    """Book the moves: all of them or, with an error, none.

    Places are locked in one order everywhere (`rules.LOCK_ORDER`). What would take a place below zero raises
    `NotEnoughMoney`; a source and purpose booked before raises `AlreadyPosted`. Both leave the transaction
    unusable, as any refused constraint does: the caller's edge rolls it back.
    """
    if not moves:
        return
    changes = [{"change": change, "id": place.account_id, "part": place.part} for place, change in rules.changes(moves)]
    try:
        session.execute(_CHANGE, changes)
        session.execute(insert(Posting), [_row(move, now) for move in moves])
    except IntegrityError as error:
        if isinstance(error.orig, CheckViolation):
            raise NotEnoughMoney from error
        if isinstance(error.orig, UniqueViolation):
            raise AlreadyPosted from error
        raise


def _row(move: Move, now: datetime) -> dict[str, object]:
    return {
        "id": new_id(),
        "at": now,
        "source_kind": move.source_kind,
        "source_id": move.source_id,
        "purpose": move.purpose,
        "from_account_id": move.from_place.account_id,
        "from_part": move.from_place.part,
        "to_account_id": move.to_place.account_id,
        "to_part": move.to_place.part,
        "amount_minor": move.amount.minor,
        "currency": move.amount.currency,
        "note": move.note,
    }
