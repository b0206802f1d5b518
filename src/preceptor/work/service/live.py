"""A project while it runs: pace, forecast, what waits for somebody. Cheap enough to be asked every two seconds."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.events import Event
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.money.service import ProjectFunds
from preceptor.projects.models import Project, ProjectState
from preceptor.projects.queries import task_counts
from preceptor.projects.service.tasks import TaskCounts
from preceptor.quality.pace import seconds_left
from preceptor.work import queries
from preceptor.work.service.overview import with_gold
from preceptor.work.service.quality import Agreement, project_quality

WINDOW: Final = timedelta(hours=24)
"""What the pace is taken from."""
BINS: Final = 24
SHORT_SPAN: Final = timedelta(hours=2)
"""Work that began less than this ago is drawn in bins of five minutes instead of hours."""
EVENTS_SHOWN: Final = 8
AGREEMENT_KEPT: Final = timedelta(seconds=20)
"""Agreement is measured anew at most this often; everything else is always as of now."""
PROJECTS_KEPT: Final = 256


@dataclass(frozen=True)
class Bin:
    start: datetime
    judgments: int


@dataclass(frozen=True)
class Pace:
    """Judgments in `BINS` bins that end now, and what came in over the last hour."""

    width: timedelta
    bins: list[Bin]
    last_hour: int


@dataclass(frozen=True)
class Finish:
    """When the last judgment is expected. Unknown times are None, and `reason` says why."""

    at: datetime | None
    low: datetime | None
    high: datetime | None
    reason: str | None


@dataclass(frozen=True)
class ProjectLive:
    counts: TaskCounts
    funds: ProjectFunds
    spent: Money
    still_needed: Money
    """What the judgments that nobody has taken yet cost at today's rate, with the gold that is mixed in."""
    pace: Pace
    finish: Finish
    agreement: Agreement
    reviews_waiting: int
    events: list[Event]

    @property
    def forecast(self) -> Money:
        """What the project will have cost when everything wanted is judged and approved."""
        return self.spent + self.funds.reserved + self.still_needed

    @property
    def short_of(self) -> Money | None:
        """What the escrow lacks for the judgments still wanted; None where it suffices."""
        missing = self.still_needed - self.funds.escrow
        return missing if missing.minor > 0 else None


def project_live(session: Session, project: Project, *, now: datetime) -> ProjectLive:
    """Where a project stands. The project came through an access function. Ten statements."""
    counts = TaskCounts(
        **{name: int(value) for name, value in session.execute(task_counts(project.id)).one()._mapping.items()}
    )
    funds = money.project_funds(session, project.id, project.currency)
    gold_percent = project.gold_percent if counts.gold else 0
    open_slots = with_gold(max(0, counts.judgments_wanted - counts.judgments_taken), gold_percent)
    pace, done, since = _pace(session, project.id, now)
    return ProjectLive(
        counts=counts,
        funds=funds,
        spent=money.project_spent(session, project.org_id, project.id, project.currency),
        still_needed=Money(project.rate_minor * open_slots, project.currency),
        pace=pace,
        finish=_finish(project, counts, done, since, now),
        agreement=_agreement(session, project.id, now),
        reviews_waiting=int(session.scalar(queries.reviews_waiting(project.id)) or 0),
        events=list(session.scalars(queries.newest_events(project.id, EVENTS_SHOWN))),
    )


def _pace(session: Session, project_id: UUID, now: datetime) -> tuple[Pace, int, datetime | None]:
    """The pace, with how many judgments the window holds and when the first of them came."""
    span = session.execute(queries.submitted_since(project_id, now - WINDOW, now - timedelta(hours=1))).one()
    short = span.first_at is not None and now - span.first_at < SHORT_SPAN
    width = timedelta(minutes=5) if short else timedelta(hours=1)
    start = _floor(now, width) - width * (BINS - 1)
    rows = session.execute(queries.submitted_by_bin(project_id, start, width)).all()
    counted = {row.start: row.judgments for row in rows}
    bins = [Bin(start + width * place, int(counted.get(start + width * place, 0))) for place in range(BINS)]
    return Pace(width, bins, int(span.last_hour)), int(span.total), span.first_at


def _floor(moment: datetime, width: timedelta) -> datetime:
    seconds = int(width.total_seconds())
    return datetime.fromtimestamp(int(moment.timestamp()) // seconds * seconds, moment.tzinfo)


def _finish(project: Project, counts: TaskCounts, done: int, since: datetime | None, now: datetime) -> Finish:
    remaining = counts.judgments_wanted - counts.judgments_done
    if project.state is not ProjectState.OPEN:
        return Finish(None, None, None, "the project is not open")
    if remaining <= 0:
        return Finish(None, None, None, "everything wanted is judged")
    # The pace is that of all judgments, gold ones too.
    claims = with_gold(remaining, project.gold_percent if counts.gold else 0)
    left = seconds_left(done, (now - since).total_seconds() if since else 0.0, claims)
    return Finish(_later(now, left.value), _later(now, left.low), _later(now, left.high), left.reason)


YEARS: Final = timedelta(days=3_650)


def _later(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + min(timedelta(seconds=min(seconds, YEARS.total_seconds())), YEARS)


_agreements: OrderedDict[UUID, tuple[datetime, Agreement]] = OrderedDict()


def _agreement(session: Session, project_id: UUID, now: datetime) -> Agreement:
    found = _agreements.get(project_id)
    if found is None or not timedelta(0) <= now - found[0] < AGREEMENT_KEPT or found[1].units == 0:
        found = (now, project_quality(session, project_id).agreement)
    _agreements[project_id] = found
    _agreements.move_to_end(project_id)
    while len(_agreements) > PROJECTS_KEPT:
        _agreements.popitem(last=False)
    return found[1]
