"""How often something may be tried: sliding windows in one small table."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from preceptor.kit.errors import Limited
from preceptor.people import queries, rules
from preceptor.people.models import RateWindow


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `maximum` tries in any `length` of time."""

    name: str
    maximum: int
    length: timedelta


SIGN_IN_PER_EMAIL = Limit("sign_in.email", 10, timedelta(minutes=15))
SIGN_IN_PER_NETWORK = Limit("sign_in.network", 100, timedelta(minutes=15))
MAIL_PER_EMAIL = Limit("mail.email", 5, timedelta(hours=1))
MAIL_PER_NETWORK = Limit("mail.network", 50, timedelta(hours=1))
INVITATIONS_PER_ORGANIZATION = Limit("invitation.organization", 100, timedelta(days=1))


def count(session: Session, limit: Limit, what: str, *, now: datetime) -> None:
    """Count one try, or raise `Limited` with the time to wait when the limit is reached.

    The row stays locked until the transaction ends, so tries with the same key that come at once are counted one
    after the other. It must be committed even when the try fails: callers answer failures instead of raising them.
    """
    key = f"{limit.name}:{what.casefold()}"[:300]
    start = rules.window_start(now, limit.length)
    session.execute(queries.count_one(key, start))
    before, current = _counts(session, key, start, limit)
    if rules.sliding_count(before, current - 1, now=now, length=limit.length) >= limit.maximum:
        raise Limited(
            _message(before, current - 1, limit, now=now),
            retry_after_seconds=rules.retry_after_seconds(
                before, current - 1, limit.maximum, now=now, length=limit.length
            ),
        )


def _counts(session: Session, key: str, start: datetime, limit: Limit) -> tuple[int, int]:
    starts = (start - limit.length, start)
    found = dict(session.execute(queries.windows(key, starts)).tuples().all())
    return found.get(start - limit.length, 0), found.get(start, 0)


def _message(before: int, current: int, limit: Limit, *, now: datetime) -> str:
    seconds = rules.retry_after_seconds(before, current, limit.maximum, now=now, length=limit.length)
    minutes = -(-seconds // 60)
    return f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again."


def forgive(session: Session, limit: Limit, what: str) -> None:
    """Forget the tries, after one that succeeded."""
    session.execute(delete(RateWindow).where(RateWindow.key == f"{limit.name}:{what.casefold()}"[:300]))
