"""How far a project has come, what it has cost, and when it may be done: a few grouped statements."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Any
from uuid import UUID

from scipy.special import gammaincinv
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from preceptor.kit.money import Money
from preceptor.projects.models import Project, Task, TaskState
from preceptor.work.models import Claim, ClaimState, Submission

SERIES_JUDGMENTS_MAX = 50_000
"""The series looks no further back than so many judgments."""
SERIES_DAYS = 14
SERIES_POINTS_MAX = 120
BUCKET_SECONDS = (60, 300, 900, 3_600, 6 * 3_600, 86_400)
RATE_WINDOW = timedelta(hours=24)
RATE_WINDOW_MIN = timedelta(minutes=1)
JUDGMENTS_MIN_FOR_RATE = 5
LEVEL = 0.95


@dataclass(frozen=True)
class Rate:
    """Judgments an hour over the last `window`, with a 95 % interval; None with the reason where unknown.

    The interval is Garwood's exact one for a Poisson count. People come in bursts, so the truth is wider.
    """

    per_hour: float | None
    low: float | None
    high: float | None
    judgments: int
    window: timedelta
    reason: str | None = None


@dataclass(frozen=True)
class Forecast:
    """When the last judgment may be in, if people go on as in the rate's window."""

    at: datetime | None
    earliest: datetime | None
    latest: datetime | None
    reason: str | None = None


@dataclass(frozen=True)
class SeriesPoint:
    at: datetime
    """Start of the bucket."""
    judgments: int


@dataclass(frozen=True)
class ProjectProgress:
    """`tasks_done`: all wanted judgments given. `tasks_in_work`: somebody holds one. `tasks_waiting`: could be taken.

    A task can be in work and waiting at once. `wanted`, `given` (counted: under review or approved) and the
    rest are judgments. Tasks that were retired count nowhere but in `tasks_retired`.
    """

    tasks_total: int
    tasks_done: int
    tasks_in_work: int
    tasks_waiting: int
    tasks_flagged: int
    tasks_retired: int
    tasks_gold: int
    """Mixed in for their known answer; they are not among the others, and their judgments are not wanted ones."""
    gold_percent: int
    """Share of claims that are given one of them; the forecast and what is needed allow for it."""
    wanted: int
    given: int
    under_review: int
    approved: int
    rejected: int
    returned: int
    open_claims: int
    cost: Money
    """Earned by contributors for approved judgments."""
    committed: Money
    """Reserved for claims that are open (or set aside as somebody's next), returned or under review."""
    spend_per_hour: Money | None
    rate: Rate
    forecast: Forecast
    bucket_seconds: int
    series: tuple[SeriesPoint, ...]

    @property
    def remaining(self) -> int:
        """Judgments still wanted."""
        return max(0, self.wanted - self.given)


def project_progress(session: Session, project_id: UUID, *, now: datetime) -> ProjectProgress:
    """A project's progress for its client, in four statements. The caller has checked who asks."""
    project = session.get_one(Project, project_id)
    tasks = session.execute(_task_counts(project_id)).one()
    claims = {row.state: row for row in session.execute(_claim_counts(project_id))}
    moments = _moments(session, project_id, now)
    rate = rate_of(moments, now)
    remaining = max(0, int(tasks.wanted) - int(tasks.given))

    def count(state: ClaimState) -> int:
        return int(claims[state].number) if state in claims else 0

    def pay(*states: ClaimState) -> Money:
        return Money(sum(int(claims[state].minor) for state in states if state in claims), project.currency)

    bucket_seconds, series = series_of(moments)
    return ProjectProgress(
        tasks_total=tasks.total,
        tasks_done=tasks.done,
        tasks_in_work=tasks.in_work,
        tasks_waiting=tasks.waiting,
        tasks_flagged=tasks.flagged,
        tasks_retired=tasks.retired,
        tasks_gold=tasks.gold,
        gold_percent=project.gold_percent if tasks.gold else 0,
        wanted=int(tasks.wanted),
        given=int(tasks.given),
        under_review=count(ClaimState.SUBMITTED),
        approved=count(ClaimState.APPROVED),
        rejected=count(ClaimState.REJECTED),
        returned=count(ClaimState.RETURNED),
        open_claims=count(ClaimState.OPEN),
        cost=pay(ClaimState.APPROVED),
        committed=pay(ClaimState.AHEAD, ClaimState.OPEN, ClaimState.RETURNED, ClaimState.SUBMITTED),
        spend_per_hour=_spend(rate, Money(project.rate_minor, project.currency)),
        rate=rate,
        forecast=forecast_of(rate, with_gold(remaining, project.gold_percent if tasks.gold else 0), now),
        bucket_seconds=bucket_seconds,
        series=series,
    )


def _task_counts(project_id: UUID) -> Select[Any]:
    live = Task.state.not_in([TaskState.RETIRED, TaskState.GOLD])
    return select(
        func.count().filter(live).label("total"),
        func.count().filter(live, Task.done >= Task.wanted).label("done"),
        func.count().filter(live, Task.taken > Task.done).label("in_work"),
        func.count().filter(Task.state == TaskState.OPEN, Task.taken < Task.wanted).label("waiting"),
        func.count().filter(Task.state == TaskState.FLAGGED).label("flagged"),
        func.count().filter(Task.state == TaskState.RETIRED).label("retired"),
        func.count().filter(Task.state == TaskState.GOLD).label("gold"),
        func.coalesce(func.sum(Task.wanted).filter(live), 0).label("wanted"),
        func.coalesce(func.sum(Task.done).filter(live), 0).label("given"),
    ).where(Task.project_id == project_id)


def _claim_counts(project_id: UUID) -> Select[Any]:
    return (
        select(Claim.state, func.count().label("number"), func.sum(Claim.rate_minor).label("minor"))
        .where(Claim.project_id == project_id)
        .group_by(Claim.state)
    )


def _moments(session: Session, project_id: UUID, now: datetime) -> list[tuple[datetime, int]]:
    """(minute, judgments submitted in it) of the newest judgments, in order."""
    newest = (
        select(Submission.created_at)
        .where(Submission.project_id == project_id)
        .order_by(Submission.id.desc())
        .limit(SERIES_JUDGMENTS_MAX)
        .subquery()
    )
    minute = func.date_trunc("minute", newest.c.created_at)
    found = (
        select(minute, func.count())
        .where(newest.c.created_at > now - timedelta(days=SERIES_DAYS), newest.c.created_at <= now)
        .group_by(minute)
        .order_by(minute)
    )
    return [(moment, count) for moment, count in session.execute(found)]


def rate_of(moments: list[tuple[datetime, int]], now: datetime) -> Rate:
    """How fast judgments came in during the last day, or since the first of them if that is later."""
    recent = [(moment, count) for moment, count in moments if moment > now - RATE_WINDOW]
    judgments = sum(count for _, count in recent)
    if judgments < JUDGMENTS_MIN_FOR_RATE:
        why = f"{judgments} judgments in the last 24 hours; {JUDGMENTS_MIN_FOR_RATE} are needed to tell a rate"
        return Rate(None, None, None, judgments, RATE_WINDOW, why)
    window = max(now - recent[0][0], RATE_WINDOW_MIN)
    hours = window / timedelta(hours=1)
    tail = (1 - LEVEL) / 2
    # Garwood, "Fiducial limits for the Poisson distribution", Biometrika 1936.
    low = float(gammaincinv(judgments, tail))
    high = float(gammaincinv(judgments + 1, 1 - tail))
    return Rate(judgments / hours, low / hours, high / hours, judgments, window)


def with_gold(judgments: int, gold_percent: int) -> int:
    """How many claims it takes until so many wanted judgments are in, when a share of claims is given gold."""
    return ceil(Fraction(judgments * 100, 100 - gold_percent))


def forecast_of(rate: Rate, remaining: int, now: datetime) -> Forecast:
    """The rate carried on until nothing remains."""
    if remaining == 0:
        return Forecast(None, None, None, "all wanted judgments are in")
    if rate.per_hour is None or rate.low is None or rate.high is None:
        return Forecast(None, None, None, rate.reason)

    def after(per_hour: float) -> datetime:
        return now + timedelta(hours=remaining / per_hour)

    return Forecast(after(rate.per_hour), after(rate.high), after(rate.low))


def series_of(moments: list[tuple[datetime, int]]) -> tuple[int, tuple[SeriesPoint, ...]]:
    """Bucket length in seconds and the judgments of every bucket, empty ones included, for a plot."""
    if not moments:
        return BUCKET_SECONDS[0], ()
    span = (moments[-1][0] - moments[0][0]).total_seconds()
    fitting = (seconds for seconds in BUCKET_SECONDS if span / seconds <= SERIES_POINTS_MAX)
    bucket = next(fitting, BUCKET_SECONDS[-1])
    counts: dict[int, int] = {}
    for moment, count in moments:
        start = int(moment.timestamp()) // bucket * bucket
        counts[start] = counts.get(start, 0) + count
    starts = range(min(counts), max(counts) + 1, bucket)
    zone = moments[0][0].tzinfo
    return bucket, tuple(SeriesPoint(datetime.fromtimestamp(start, zone), counts.get(start, 0)) for start in starts)


def _spend(rate: Rate, pay: Money) -> Money | None:
    """What an hour costs at the rate of work and the present pay."""
    return None if rate.per_hour is None else pay.times(Fraction(rate.per_hour).limit_denominator(10_000))
