"""Decisions about work, pure: transitions, leases, sampling, who may do what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from preceptor.fairness.models import ReceiptKind
from preceptor.projects.models import MembershipState
from preceptor.work.models import ClaimState, Decision, SubmissionState

LEASE_GRACE = timedelta(seconds=30)
"""An answer this late is still taken: slow networks and clocks that differ cost nobody their work."""
LEASE_KEEP = timedelta(minutes=5)
"""While somebody works, at least this much lease is left ..."""
LEASE_STRETCH_MAX = 2
"""... until this many times the project's lease has passed."""
BEAT_GAP_MAX = timedelta(seconds=45)
"""A longer silence between two heartbeats does not count as work."""
REVIEW_LEASE = timedelta(minutes=30)
FLAGS_TO_HIDE = 2
"""Reports of a broken task that take it out of the queue until a manager looks."""
DRAFT_BYTES_MAX = 512 * 1024
REASON_CHARS_MIN = 20
SKIP_REASONS: Mapping[str, str] = {
    "not_my_field": "Outside what I know",
    "unclear": "The task is unclear to me",
    "too_long": "Too long for the time I have",
    "uncomfortable": "I would rather not judge this content",
    "technical": "It does not display properly",
    "other": "Something else",
}
FLAG_REASONS: Mapping[str, str] = {
    "broken": "It does not display or cannot be answered",
    "same": "The responses are the same",
    "language": "Wrong language",
    "personal_data": "It shows personal data",
    "harmful": "Harmful content without a warning",
    "other": "Something else",
}

MOVES: Mapping[ClaimState, frozenset[ClaimState]] = {
    ClaimState.AHEAD: frozenset({ClaimState.OPEN, ClaimState.EXPIRED}),
    ClaimState.OPEN: frozenset({ClaimState.SUBMITTED, ClaimState.EXPIRED, ClaimState.RELEASED, ClaimState.SKIPPED}),
    ClaimState.SUBMITTED: frozenset({ClaimState.RETURNED, ClaimState.APPROVED, ClaimState.REJECTED}),
    ClaimState.RETURNED: frozenset({ClaimState.SUBMITTED, ClaimState.EXPIRED, ClaimState.RELEASED, ClaimState.SKIPPED}),
    ClaimState.APPROVED: frozenset(),
    ClaimState.REJECTED: frozenset(),
    ClaimState.EXPIRED: frozenset(),
    ClaimState.RELEASED: frozenset(),
    ClaimState.SKIPPED: frozenset(),
}
LIVE = frozenset({ClaimState.AHEAD, ClaimState.OPEN, ClaimState.SUBMITTED, ClaimState.RETURNED})
"""States in which a claim's pay is reserved."""


@dataclass(frozen=True)
class Restoration:
    """What a claim becomes when an appeal overturns the return or rejection of its answer.

    `reserved`: whether its pay is still set aside; else it was given back and is paid anew. `taken` and `done`: what
    the counts of its task change by.
    """

    reserved: bool
    taken: int
    done: int


APPEAL_MOVES: Mapping[ClaimState, Restoration] = {
    # Nothing but an overturned appeal makes these moves, all to approved. An approved claim has nothing to restore.
    ClaimState.RETURNED: Restoration(reserved=True, taken=0, done=1),
    ClaimState.SUBMITTED: Restoration(reserved=True, taken=0, done=0),
    ClaimState.REJECTED: Restoration(reserved=False, taken=1, done=1),
    ClaimState.EXPIRED: Restoration(reserved=False, taken=1, done=1),
    ClaimState.RELEASED: Restoration(reserved=False, taken=1, done=1),
    ClaimState.SKIPPED: Restoration(reserved=False, taken=1, done=1),
}

MEMBERSHIP_MOVES: Mapping[MembershipState, frozenset[MembershipState]] = {
    MembershipState.ACTIVE: frozenset(
        {MembershipState.LEFT, MembershipState.RETRAINING, MembershipState.PAUSED, MembershipState.REMOVED}
    ),
    MembershipState.LEFT: frozenset({MembershipState.ACTIVE, MembershipState.PAUSED, MembershipState.REMOVED}),
    MembershipState.RETRAINING: frozenset({MembershipState.ACTIVE, MembershipState.PAUSED, MembershipState.REMOVED}),
    MembershipState.PAUSED: frozenset({MembershipState.ACTIVE, MembershipState.RETRAINING, MembershipState.REMOVED}),
    MembershipState.REMOVED: frozenset({MembershipState.ACTIVE}),
}
"""What may become of a place in a project. Whoever left may still be paused or removed, else leaving would be a way
around it."""
MEMBERSHIP_DECISIONS: Mapping[ReceiptKind, MembershipState] = {
    ReceiptKind.RETRAIN: MembershipState.RETRAINING,
    ReceiptKind.PAUSE: MembershipState.PAUSED,
    ReceiptKind.REMOVE: MembershipState.REMOVED,
}

DECISIONS: Mapping[Decision, tuple[SubmissionState, ClaimState]] = {
    Decision.APPROVE: (SubmissionState.APPROVED, ClaimState.APPROVED),
    Decision.RETURN: (SubmissionState.RETURNED, ClaimState.RETURNED),
    Decision.REJECT: (SubmissionState.REJECTED, ClaimState.REJECTED),
}


def lease_end(now: datetime, lease_seconds: int) -> datetime:
    return now + timedelta(seconds=lease_seconds)


def kept_lease(leased_until: datetime, claimed_at: datetime, lease_seconds: int, now: datetime) -> datetime:
    """The lease after a sign of life: never less than `LEASE_KEEP` away, up to a total of twice the lease."""
    latest = claimed_at + timedelta(seconds=lease_seconds * LEASE_STRETCH_MAX)
    return max(leased_until, min(now + LEASE_KEEP, latest))


def lease_is_over(leased_until: datetime, now: datetime) -> bool:
    return now > leased_until + LEASE_GRACE


def worked_between(last_beat: datetime | None, now: datetime) -> int:
    """Whole seconds of work that a heartbeat adds; doubled, reordered and late beats add none."""
    if last_beat is None or now <= last_beat or now - last_beat > BEAT_GAP_MAX:
        return 0
    return round((now - last_beat).total_seconds())


def is_sampled(percent: int, draw: float) -> bool:
    """Whether a submission goes to review, by a draw in [0, 1) that nobody could know before they submitted."""
    return draw * 100 < percent


def decide_at(now: datetime, review_wanted: bool, review_seconds: int) -> datetime:
    """When a submission is approved if nobody decides before: at once when nobody is meant to look."""
    return now + timedelta(seconds=review_seconds) if review_wanted else now


class Standing(StrEnum):
    """How a submission stands, in the words that its author reads."""

    WAITING = "waiting"
    RETURNED = "returned"
    """Waits for a revision by its author."""
    REVISED = "revised"
    """Was returned; a newer revision or the end of the claim has taken its place."""
    APPROVED = "approved"
    REJECTED = "rejected"
    LAPSED = "lapsed"


def standing(submission: SubmissionState, claim: ClaimState) -> Standing:
    """How one submission stands, given its own state and that of its claim."""
    match submission:
        case SubmissionState.SUBMITTED:
            return Standing.WAITING
        case SubmissionState.RETURNED:
            return Standing.RETURNED if claim is ClaimState.RETURNED else Standing.REVISED
        case SubmissionState.APPROVED:
            return Standing.APPROVED
        case SubmissionState.REJECTED:
            return Standing.REJECTED
        case SubmissionState.LAPSED:
            return Standing.LAPSED
