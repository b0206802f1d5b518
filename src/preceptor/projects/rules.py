"""Decisions about projects as pure functions: moves, what may change when, queue order, who may work."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from preceptor.people import content
from preceptor.projects.models import MembershipState, OverlapMode, Project, ProjectState
from preceptor.quality.adaptive import FLOOR_MIN

MOVES: Mapping[ProjectState, frozenset[ProjectState]] = {
    ProjectState.DRAFT: frozenset({ProjectState.OPEN}),
    ProjectState.OPEN: frozenset({ProjectState.PAUSED, ProjectState.CLOSING}),
    ProjectState.PAUSED: frozenset({ProjectState.OPEN, ProjectState.CLOSING}),
    ProjectState.CLOSING: frozenset({ProjectState.CLOSED}),
    ProjectState.CLOSED: frozenset(),
}

CLOSED_PLACES: Mapping[MembershipState, str] = {
    MembershipState.PAUSED: "Your place in this project is paused. The decision with its reasons, and the way to "
    "appeal, stands under Decisions.",
    MembershipState.RETRAINING: "This project asks you to practise before you take further tasks. Pass the practice, "
    "or appeal the decision under Decisions.",
    MembershipState.REMOVED: "Your place in this project was ended. The decision with its reasons, and the way to "
    "appeal, stands under Decisions.",
}
"""Places that take no task, with what the person is told. Work that they hold can be finished and is paid."""

_WORDS = frozenset({"title", "summary"})
_TERMS = _WORDS | {
    "overlap",
    "lease_seconds",
    "expected_seconds",
    "review_percent",
    "review_seconds",
    "revision_seconds",
    "rate_minor",
    "qualification_id",
    "overlap_mode",
    "overlap_floor",
    "overlap_cap",
    "confidence",
    "price_limit_minor",
    "gold_percent",
    "standard",
    "review_mode",
    "risk_percent",
    "double_percent",
    "gold_review_percent",
    "appeal_seconds",
    "content_ratings",
}
QUALITY = frozenset({"overlap_mode", "overlap_floor", "overlap_cap", "confidence", "price_limit_minor"})
"""Settings that decide how often a task is asked; a change looks at every open task again."""
# What people have been shown and answered must keep its meaning, so the settings of the work itself
# are fixed once a project has been open. A new rate holds for claims made after it.
CHANGEABLE: Mapping[ProjectState, frozenset[str]] = {
    ProjectState.DRAFT: _TERMS | {"config", "blind_review", "currency"},
    ProjectState.OPEN: _TERMS,
    ProjectState.PAUSED: _TERMS,
    ProjectState.CLOSING: _WORDS,
    ProjectState.CLOSED: frozenset(),
}

TAKES_TASKS = frozenset({ProjectState.DRAFT, ProjectState.OPEN, ProjectState.PAUSED})

PRIORITY_MOST_URGENT, PRIORITY_USUAL, PRIORITY_LEAST_URGENT = 1, 5, 9
PLACES_PER_PRIORITY = 2**40


def position(priority: int, sequence: int) -> int:
    """Place in the queue: priority first (1 before 9), then arrival. Distinct for distinct sequences."""
    if not PRIORITY_MOST_URGENT <= priority <= PRIORITY_LEAST_URGENT:
        raise ValueError(f"a priority lies in 1..9, not {priority}")
    if not 0 <= sequence < PLACES_PER_PRIORITY:
        raise ValueError(f"the queue holds {PLACES_PER_PRIORITY} places, not {sequence}")
    return priority * PLACES_PER_PRIORITY + sequence


def most_asked(cap: int, rate_minor: int, price_limit_minor: int | None) -> int:
    """The most judgments of one task with adaptive overlap: the cap, or fewer where the price limit pays for fewer
    at this rate; at least one."""
    if price_limit_minor is None or rate_minor == 0:
        return cap
    return max(1, min(cap, price_limit_minor // rate_minor))


def least_asked(floor: int, most: int) -> int:
    """The fewest: the floor, never below what the quality engine asks for however sure it is, within the most."""
    return min(max(floor, FLOOR_MIN), most)


def first_overlap(project: Project) -> int:
    """How many judgments a fresh task is given out for: with adaptive overlap the fewest that it may have."""
    if project.overlap_mode is OverlapMode.FIXED:
        return project.overlap
    most = most_asked(project.overlap_cap, project.rate_minor, project.price_limit_minor)
    return least_asked(project.overlap_floor, most)


@dataclass(frozen=True, slots=True)
class Applicant:
    """What decides whether a person may work, read once for any number of projects."""

    person_id: UUID
    active: bool
    contributor: bool
    email_confirmed: bool
    qualification_ids: frozenset[UUID]
    org_ids: frozenset[UUID]
    content_ratings: frozenset[str] = frozenset()
    """What the person chose to see."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What a project asks of a person."""

    org_id: UUID
    state: ProjectState
    qualification_id: UUID | None
    qualification_title: str | None = None
    assessment_href: str | None = None
    """Where the missing qualification can be earned."""
    content_ratings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why not: a stable code, a sentence for the person, and where to mend it if they can."""

    code: str
    text: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Eligibility:
    reasons: tuple[Reason, ...] = ()

    @property
    def eligible(self) -> bool:
        return not self.reasons


def eligibility(applicant: Applicant, opening: Opening) -> Eligibility:
    """Whether a person may work on a project, with every reason against it."""
    return Eligibility((*_about_person(applicant), *_about_project(applicant, opening)))


def _about_person(applicant: Applicant) -> tuple[Reason, ...]:
    reasons = []
    if not applicant.active:
        reasons.append(Reason("suspended", "Your account is suspended. Write to the operator."))
    if not applicant.contributor:
        reasons.append(Reason("not_a_contributor", "Your account does not have the contributor role.", "/settings"))
    if not applicant.email_confirmed:
        reasons.append(
            Reason("email_not_confirmed", "Confirm your e-mail address first: use the link we sent.", "/settings")
        )
    return tuple(reasons)


def _about_project(applicant: Applicant, opening: Opening) -> tuple[Reason, ...]:
    reasons = []
    if opening.state is not ProjectState.OPEN:
        reasons.append(Reason("project_not_open", _NOT_OPEN[opening.state]))
    if opening.org_id in applicant.org_ids:
        reasons.append(Reason("own_organization", "You belong to the organization that pays for this project."))
    needed = opening.qualification_id
    if needed is not None and needed not in applicant.qualification_ids:
        title = opening.qualification_title or "a qualification"
        how = "Pass its test to get it." if opening.assessment_href else "Ask the client for it."
        reasons.append(Reason("qualification_missing", f"This project needs “{title}”. {how}", opening.assessment_href))
    unseen = content.not_chosen(opening.content_ratings, applicant.content_ratings)
    if unseen:
        reasons.append(Reason("content_not_chosen", content.invitation(unseen), "/settings#content"))
    return tuple(reasons)


_NOT_OPEN = {
    ProjectState.DRAFT: "This project has not opened yet.",
    ProjectState.OPEN: "",
    ProjectState.PAUSED: "This project is paused. Come back later.",
    ProjectState.CLOSING: "This project is closing and gives out no more tasks.",
    ProjectState.CLOSED: "This project is closed.",
}


@dataclass(frozen=True, slots=True)
class CheckItem:
    """One line of the checklist before opening. `help` says what to do while it is not done."""

    key: str
    title: str
    done: bool
    help: str
