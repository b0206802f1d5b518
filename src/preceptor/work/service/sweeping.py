"""What time does by itself: leases run out, tasks that were set aside go back, answers to gold are compared, unreviewed
submissions are approved, closing projects close."""

from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.projects.service.projects import closing_projects, finish_closing
from preceptor.work import queries, rules
from preceptor.work.models import ClaimState
from preceptor.work.service import ahead, deciding, gold
from preceptor.work.service.endings import give_back

BATCH = 200


def expire_overdue(session: Session, *, now: datetime) -> int:
    """End claims whose lease (and grace) is over; returns how many, at most `BATCH`."""
    claims = session.scalars(queries.overdue_claims(now - rules.LEASE_GRACE, BATCH)).all()
    if claims:
        give_back(session, SYSTEM, claims, ClaimState.EXPIRED, "the lease ran out", now=now)
    return len(claims)


def let_go_idle(session: Session, *, now: datetime) -> int:
    """Let go tasks that are set aside for people whose desk is silent or who cannot begin them; at most `BATCH`."""
    return ahead.let_go_idle(session, BATCH, now=now)


def approve_due(session: Session, *, now: datetime) -> int:
    """Approve submissions that were not sampled, or that nobody reviewed in time; at most `BATCH`."""
    submissions = session.scalars(queries.due_submissions(now, BATCH)).all()
    for rule, wanted in (("not sampled for review", False), ("review deadline passed", True)):
        group = [submission for submission in submissions if submission.review_wanted is wanted]
        if group:
            deciding.approve(session, SYSTEM, group, rule, now=now)
    return len(submissions)


def close_finished_projects(session: Session, *, now: datetime) -> int:
    """Close closing projects that have no live claim left; what their escrow still holds goes back to the client."""
    # Locked before it is looked at, and passed over while somebody claims in it (`queries.LOCK_MEMBERSHIP`):
    # else a project could close beneath a claim that is being made this instant.
    locked = session.scalars(queries.closing_locked(closing_projects(session))).all()
    finished = [each for each in locked if not session.scalar(queries.live_claims(each))]
    for project_id in finished:
        finish_closing(session, project_id, now=now)
    return len(finished)


def sweep(sessions: sessionmaker[Session], *, now: datetime) -> int:
    """Do all that is due, in short transactions; returns how much was done. May run in several workers at once."""
    done = 0
    steps = (
        (expire_overdue, BATCH),
        (let_go_idle, BATCH),
        (gold.score_waiting, gold.SCORE_BATCH),
        (approve_due, BATCH),
    )
    for step, batch in steps:
        while True:
            with transaction(sessions) as session:
                count = step(session, now=now)
            done += count
            if count < batch:
                break
    with transaction(sessions) as session:
        done += close_finished_projects(session, now=now)
    return done
