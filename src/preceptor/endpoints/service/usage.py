"""What endpoints were used for, and what it cost."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.endpoints import queries
from preceptor.endpoints.models import Generation, ModelEndpoint

DAYS = 30


@dataclass(frozen=True)
class Day:
    at: datetime
    asked: int
    broken: int
    tokens: int
    cost: Decimal


@dataclass(frozen=True)
class Usage:
    """Of the last `DAYS` days. Times are medians in milliseconds, None where nothing finished."""

    days: tuple[Day, ...]
    first_token_ms: float | None
    latency_ms: float | None

    @property
    def asked(self) -> int:
        return sum(day.asked for day in self.days)

    @property
    def broken(self) -> int:
        return sum(day.broken for day in self.days)

    @property
    def tokens(self) -> int:
        return sum(day.tokens for day in self.days)

    @property
    def cost(self) -> Decimal:
        return sum((day.cost for day in self.days), Decimal(0))


NOTHING = Usage((), None, None)


def usage_of(session: Session, endpoints: list[ModelEndpoint], *, now: datetime) -> dict[UUID, Usage]:
    """Usage by endpoint, in two statements. The endpoints came through an access function."""
    since = (now - timedelta(days=DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    ids = [endpoint.id for endpoint in endpoints]
    days: dict[UUID, list[Day]] = {}
    for endpoint_id, *values in session.execute(queries.by_day(ids, since)):
        days.setdefault(endpoint_id, []).append(Day(*values))
    times = {row[0]: (row[1], row[2]) for row in session.execute(queries.latencies(ids, since))}
    return {each: Usage(tuple(days.get(each, ())), *times.get(each, (None, None))) for each in ids}


def newest(session: Session, endpoint: ModelEndpoint, limit: int) -> list[Generation]:
    return list(session.scalars(queries.newest(endpoint.id, limit)))
