"""Decisions about the task that is set aside for a person while they finish the present one. Pure."""

from datetime import datetime, timedelta

LEASE = timedelta(seconds=120)
"""A task that was set aside is let go when its desk has been silent for so long ..."""
KEPT_MAX = timedelta(minutes=15)
"""... or when it has waited for so long, however busy the desk."""
TASKS_EACH = 3
"""Free tasks for each person at work that a project must have before one is set aside. With fewer, the last tasks
would go to and fro between people who wait for each other."""
PEOPLE_MAX = 200
"""People at work beyond this number are not counted: so long a queue is long enough for everybody."""
NOT_BEGUN = "set aside and not begun"
"""Why a claim ended that nobody had begun."""


def lease_end(now: datetime) -> datetime:
    return now + LEASE


def kept_until(leased_until: datetime, set_aside_at: datetime, now: datetime) -> datetime:
    """The lease after a sign of life from the desk: `LEASE` from now, up to `KEPT_MAX` in all; never shortened."""
    return max(leased_until, min(now + LEASE, set_aside_at + KEPT_MAX))


def is_long_enough(free: int, people: int) -> bool:
    """Whether a queue with so many free tasks can spare one for each of the people at work."""
    return free >= TASKS_EACH * max(1, people)
