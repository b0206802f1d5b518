"""A contributor's home and board: what there is to do, what it pays, and why or why not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy.orm import Session

from preceptor.http.edge import Db, Now
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id
from preceptor.kit.money import Money
from preceptor.money.rules import hourly
from preceptor.money.service import earnings
from preceptor.projects import access
from preceptor.projects.access import BoardEntry
from preceptor.projects.models import MembershipState, Project, ProjectState
from preceptor.projects.rules import CLOSED_PLACES, Eligibility, Reason
from preceptor.projects.service import members
from preceptor.web.pages import Contributor, Page, go
from preceptor.web.workspace import excerpt
from preceptor.work import access as work_access
from preceptor.work.service import appeals, suggestions
from preceptor.work.service import day as days_at_work
from preceptor.work.service import history as histories
from preceptor.work.service.day import LEFT_COUNTED_MAX, TaskTime
from preceptor.work.service.history import HistoryLine

router = APIRouter()

Shown = Literal["all", "ready", "joined", "locked"]
Order = Literal["new", "pay", "short"]
CHIPS: tuple[tuple[Shown, str], ...] = (
    ("all", "All"),
    ("ready", "Ready for you"),
    ("joined", "Joined"),
    ("locked", "Needs something first"),
)
SORTS: tuple[tuple[Order, str], ...] = (("new", "Newest"), ("pay", "Best paid"), ("short", "Shortest"))
HOME_OFFERS_MAX = 6


@dataclass(frozen=True)
class Offer:
    """A project as a contributor is offered it."""

    project: Project
    eligibility: Eligibility
    membership: MembershipState | None
    time: TaskTime
    left: int
    """Tasks free for this person, counted up to `LEFT_COUNTED_MAX`."""
    funded: bool

    @property
    def pay(self) -> Money:
        return Money(self.project.rate_minor, self.project.currency)

    @property
    def hourly(self) -> Money:
        return hourly(self.pay, self.time.seconds)

    @property
    def joined(self) -> bool:
        return self.membership is MembershipState.ACTIVE

    @property
    def paused_here(self) -> bool:
        """Whether a decision keeps the person from taking tasks here."""
        return self.membership in CLOSED_PLACES

    @property
    def ready(self) -> bool:
        """Starting now gives a task."""
        return self.eligibility.eligible and not self.paused_here and self.left > 0 and self.funded

    @property
    def left_words(self) -> str:
        return f"{LEFT_COUNTED_MAX}+" if self.left >= LEFT_COUNTED_MAX else f"{self.left:,}"

    @property
    def reason(self) -> Reason | None:
        """The first thing that stands in the way, as one sentence."""
        if self.eligibility.reasons:
            return self.eligibility.reasons[0]
        if self.membership is not None and self.membership in CLOSED_PLACES:
            return Reason(f"membership_{self.membership.value}", CLOSED_PLACES[self.membership], "/decisions")
        if self.left == 0:
            return Reason("no_work_left", "No task is free for you right now. New ones appear here.")
        if not self.funded:
            return Reason("not_funded", "Waits for the client to add money. Finished work is not affected.")
        return None


def offers(session: Session, actor: Actor, entries: Sequence[BoardEntry]) -> list[Offer]:
    """Board entries with how long, how many and whether there is money. Three statements for any number."""
    projects = [entry.project for entry in entries]
    ids = [project.id for project in projects]
    times = days_at_work.task_times(session, projects)
    left = days_at_work.work_left(session, actor, ids)
    escrow = earnings.escrow_of(session, ids)
    return [
        Offer(
            project=entry.project,
            eligibility=entry.eligibility,
            membership=entry.membership_state,
            time=times[entry.project.id],
            left=left.get(entry.project.id, 0),
            funded=escrow.get(entry.project.id, 0) >= entry.project.rate_minor,
        )
        for entry in entries
    ]


@dataclass(frozen=True)
class Unlock:
    """A step that would open projects."""

    reason: Reason
    titles: list[str]


def unlocks(found: Sequence[Offer]) -> list[Unlock]:
    """What would open more work: each step that leads somewhere once, with the projects behind it."""
    steps: dict[str, Unlock] = {}
    for offer in found:
        reasons = offer.eligibility.reasons
        if len(reasons) == 1 and reasons[0].href is not None:
            steps.setdefault(reasons[0].href, Unlock(reasons[0], [])).titles.append(offer.project.title)
    return list(steps.values())


def week_start(now: datetime) -> datetime:
    """Monday, 00:00 UTC."""
    return (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)


def totals(amounts: Sequence[Money]) -> list[Money]:
    """Sums by currency, in the order of the alphabet."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money(0, amount.currency)) + amount
    return [sums[currency] for currency in sorted(sums)]


@router.get("/home")
def home(page: Page, session: Db, known: Contributor, now: Now) -> Response:
    """What I can do now, what I earned, what was said about my work."""
    actor = known.actor
    assert actor.person_id is not None
    found = offers(session, actor, access.board(session, actor))
    days = earnings.earned_by_day(session, actor.person_id, since=week_start(now))
    ready = sorted((offer for offer in found if offer.ready), key=lambda offer: not offer.joined)
    today = days_at_work.contributor_day(session, actor)
    return page.show(
        "contributor/home.html",
        today=today,
        titles=titles_of(today.feedback),
        earned=totals([day.amount for day in days]),
        earned_tasks=sum(day.tasks for day in days),
        balances=earnings.balances_of(session, actor.person_id),
        ready=ready[:HOME_OFFERS_MAX],
        ready_count=len(ready),
        unlocks=unlocks(found),
        waiting=[offer for offer in found if offer.joined and not offer.ready],
        now=now,
    )


@router.get("/board")
def board(
    page: Page,
    session: Db,
    known: Contributor,
    q: Annotated[str, Query(max_length=200)] = "",
    show: Shown = "all",
    sort: Order = "new",
) -> Response:
    """Every project one may see, with search, filters in the URL, and the reason where one may not start."""
    everything = offers(session, known.actor, access.board(session, known.actor))
    matching = [offer for offer in everything if matches(offer, q)]
    groups = {key: [offer for offer in matching if belongs(offer, key)] for key, _ in CHIPS}
    return page.show(
        "contributor/board.html",
        offers=ordered(groups[show], sort),
        q=q,
        show=show,
        sort=sort,
        sorts=SORTS,
        chips=[(label, board_link(q, key, sort), key == show, len(groups[key])) for key, label in CHIPS],
        any_project=bool(everything),
    )


def matches(offer: Offer, q: str) -> bool:
    text = f"{offer.project.title} {offer.project.summary}".lower()
    return all(word in text for word in q.lower().split())


def belongs(offer: Offer, shown: Shown) -> bool:
    match shown:
        case "all":
            return True
        case "ready":
            return offer.ready
        case "joined":
            return offer.joined
        case "locked":
            return not offer.eligibility.eligible


def ordered(found: Sequence[Offer], sort: Order) -> list[Offer]:
    """Newest first as they come; by pay an hour or by time, whatever the currency is called."""
    match sort:
        case "new":
            return list(found)
        case "pay":
            return sorted(found, key=lambda offer: (offer.project.currency, -offer.hourly.minor))
        case "short":
            return sorted(found, key=lambda offer: offer.time.seconds)


def board_link(q: str, show: Shown, sort: Order) -> str:
    given = {"q": q, "show": show if show != "all" else "", "sort": sort if sort != "new" else ""}
    chosen = urlencode({name: value for name, value in given.items() if value})
    return f"/board?{chosen}" if chosen else "/board"


@router.get("/board/{project_id}")
def show_project(project_id: str, page: Page, session: Db, known: Contributor) -> Response:
    """One project: what is asked, what it pays, what it needs, and the button to start."""
    actor = known.actor
    project = access.project_for_contributor(session, actor, read_id("project", project_id))
    offer = offer_of(session, actor, project)
    guidelines = access.current_guidelines(session, project)
    rubric = access.current_rubric(session, project)
    mine = histories.own_results(session, actor, project_id=project.id, limit=5)
    return page.show(
        "contributor/project.html",
        offer=offer,
        project=project,
        guidelines=guidelines,
        criteria=rubric.criteria if rubric is not None else [],
        held=work_access.open_claim(session, actor, project.id),
        mine=mine,
        titles=titles_of(mine),
        takes_work=project.state is ProjectState.OPEN,
        suggests=suggestions.setting_of(session, project),
        rates=appeals.overturn_rates(session, project.id),
    )


def titles_of(lines: Sequence[HistoryLine]) -> dict[UUID, str]:
    """A few words for each submission, by its id."""
    return {line.submission.id: excerpt(line.project, line.payload, ratings=line.ratings) for line in lines}


def offer_of(session: Session, actor: Actor, project: Project) -> Offer:
    assert actor.person_id is not None
    membership = access.membership_of(session, actor, project.id)
    entry = BoardEntry(
        project=project,
        joined=membership is not None,
        membership_state=membership.state if membership is not None else None,
        eligibility=members.eligibility(session, actor.person_id, project),
        has_work=True,
    )
    return offers(session, actor, [entry])[0]


@router.post("/board/{project_id}/join")
def join(project_id: str, session: Db, known: Contributor, now: Now) -> Response:
    members.join(session, known.actor, read_id("project", project_id), now=now)
    return go(f"/board/{project_id}", "You have joined. Read the guidelines, then start.")


@router.post("/board/{project_id}/leave")
def leave(project_id: str, session: Db, known: Contributor, now: Now) -> Response:
    members.leave(session, known.actor, read_id("project", project_id), now=now)
    return go("/board", "You have left the project. What you submitted there is decided and paid as before.")
