"""Reviewers measured: some of what they decide has been decided already, or its right decision is known.

A check looks like any other submission to review: it comes by the same draw, stands on the same page without what was
decided, takes the same form, and answers in the same way. It changes nothing about the work or its pay. Two kinds: a
**double** review repeats somebody else's decision, blind; a **gold** review has a decision that a manager has set or an
appeal has settled. A check waits, is counted and stands in a reviewer's own record like any other review, and no longer
than work waits for one. Checks come only while real work waits for the reviewer, so that an item never gives itself
away by being alone; what is left over at the end is owed by nobody.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, make_transient

from preceptor.kit import events
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.projects import access as projects
from preceptor.projects.models import Project
from preceptor.quality.chance import cohen_kappa
from preceptor.quality.intervals import Estimate, wilson
from preceptor.work import queries, queries_quality, rules
from preceptor.work.errors import AlreadyDecided
from preceptor.work.models import Decision, Review, Submission, SubmissionState
from preceptor.work.models_quality import CheckKind, GoldReview, ReviewCheck

EXPLANATION_CHARACTERS_MAX = 5_000
CHECKS_MAX = 20_000
SEED = 0
# From the system's entropy: a check that somebody can foresee measures nothing.
_DRAWS = random.SystemRandom()
_DECISIONS = tuple(Decision)


# --- Drawing


def plan(session: Session, submission: Submission, review: Review, *, now: datetime) -> None:
    """After a real decision: by the project's shares, have somebody else decide it too, and have a decision that is
    known wait beside the work. Both wait from now on, so that they are counted before anybody gets them."""
    project = session.get_one(Project, submission.project_id)
    if rules.is_sampled(project.double_percent, _DRAWS.random()):
        session.add(_waiting(CheckKind.DOUBLE, submission.id, project, review.decision, now))
    # One for p / (1 - p) real decisions makes a share of p of all.
    share = project.gold_review_percent
    if _DRAWS.random() * (100 - share) < share:
        gold = session.scalars(queries_quality.gold_to_review(review.reviewer_id, project.id)).first()
        if gold is not None:
            session.add(_waiting(CheckKind.GOLD, gold.submission_id, project, gold.decision, now))
    session.flush()


def _waiting(kind: CheckKind, submission_id: UUID, project: Project, known: str, now: datetime) -> ReviewCheck:
    return ReviewCheck(
        id=new_id(), submission_id=submission_id, project_id=project.id, kind=kind, known=known, created_at=now
    )


def held_by(
    session: Session,
    actor: Actor,
    project_ids: Sequence[UUID] | None = None,
    *,
    skip: Sequence[UUID] = (),
    now: datetime,
) -> ReviewCheck | None:
    """The check that a reviewer has open in these projects (None: in any), if there is one."""
    return session.scalar(queries_quality.check_held(actor.person_id, project_ids, skip, now))


def drawn(
    session: Session, actor: Actor, project_id: UUID, *, skip: Sequence[UUID], now: datetime
) -> ReviewCheck | None:
    """A check in place of a real submission that waits in a project, or none, by a draw; leased to the reviewer.

    They come in proportion to how many there are beside the real ones.
    """
    waiting = waiting_in(session, actor, [project_id], now=now).get(project_id, NONE_WAITING)
    real = session.scalar(queries.reviews_waiting(project_id)) or 1
    if _DRAWS.random() * (waiting.free + real) >= waiting.free:
        return None
    check = session.scalar(queries_quality.check_to_review(actor.person_id, project_id, skip, now))
    if check is None:
        return None
    if check.kind is CheckKind.GOLD:
        check.known = session.get_one(GoldReview, check.submission_id).decision
    return _lease(session, check, actor, now)


@dataclass(frozen=True)
class Waiting:
    """Checks of a project that a reviewer may have, in the terms of the review queue."""

    free: int
    held: int
    elsewhere: int
    oldest_at: datetime | None
    deadline_at: datetime | None
    held_at: datetime | None
    held_until: datetime | None


NONE_WAITING = Waiting(0, 0, 0, None, None, None, None)


def waiting_in(session: Session, actor: Actor, project_ids: Sequence[UUID], *, now: datetime) -> dict[UUID, Waiting]:
    """Per project; those without a check are absent."""
    rows = session.execute(queries_quality.checks_waiting(actor.person_id, project_ids, now))
    return {row.project_id: Waiting(*row[1:]) for row in rows}


def _lease(session: Session, check: ReviewCheck, actor: Actor, now: datetime) -> ReviewCheck:
    check.reviewer_id, check.leased_until = actor.person_id, now + rules.REVIEW_LEASE
    session.flush()
    return check


# --- On the desk


def open_check(session: Session, actor: Actor, submission_id: UUID, *, lock: bool = False) -> ReviewCheck | None:
    """The check by which a reviewer has a decided submission before them, not decided by them yet."""
    return session.scalar(queries_quality.check_of(actor.person_id, submission_id, lock=lock))


def keep_open(session: Session, check: ReviewCheck, actor: Actor, *, now: datetime) -> None:
    """The lease anew, as opening a real submission does."""
    _lease(session, check, actor, now)


def as_undecided(session: Session, submission: Submission, check: ReviewCheck) -> Submission:
    """A copy of a decided submission as its first reviewer had it, come in when the check was planned and decided in
    time from then. Not part of any session: nothing of it is saved."""
    copy = _copy(submission)
    copy.state, copy.decided_at = SubmissionState.SUBMITTED, None
    copy.reviewer_id, copy.review_leased_until = check.reviewer_id, check.leased_until
    review_seconds = session.get_one(Project, check.project_id).review_seconds
    copy.created_at, copy.decide_at = check.created_at, check.created_at + timedelta(seconds=review_seconds)
    return copy


def as_decided(submission: Submission, check: ReviewCheck) -> Submission:
    """A copy of a submission as if what the reviewer decided by a check had become of it."""
    assert check.decision is not None
    copy = _copy(submission)
    copy.state, copy.decided_at = rules.DECISIONS[check.decision][0], check.decided_at
    return copy


def _copy(submission: Submission) -> Submission:
    copy = Submission(**{column.key: getattr(submission, column.key) for column in Submission.__mapper__.columns})
    make_transient(copy)
    return copy


def put_back(session: Session, check: ReviewCheck) -> None:
    """Skipped: it waits for the same reviewer as any skipped submission does, and looks as undecided when they open
    it again. What somebody else should decide too waits for others besides."""
    check.leased_until = None
    more = select(ReviewCheck.id).where(
        ReviewCheck.submission_id == check.submission_id, ReviewCheck.kind == check.kind, ReviewCheck.id != check.id
    )
    if check.kind is CheckKind.DOUBLE and session.scalar(more.limit(1)) is None:
        project = session.get_one(Project, check.project_id)
        assert check.known is not None
        session.add(_waiting(check.kind, check.submission_id, project, check.known, check.created_at))
    session.flush()


def decide_check(
    check: ReviewCheck,
    decision: Decision,
    *,
    comment: str,
    criteria: list[dict[str, Any]],
    rubric_version_id: UUID | None,
    worked_seconds: int,
    now: datetime,
) -> Review:
    """Keep what the reviewer decided. The answer is a review like any other, and is stored nowhere else.

    No event is left: what happened in a project is read by people whom the check would be given away to.
    """
    # As old as a review that is decided now: a reviewer's record is listed by it.
    check.id, check.decision, check.decided_at = new_id(), decision, now
    check.comment, check.criteria, check.worked_seconds = comment.strip(), criteria, max(0, min(worked_seconds, 86400))
    return as_review(check, rubric_version_id)


def own_decided(session: Session, actor: Actor, submission_id: UUID) -> ReviewCheck | None:
    """The check by which a reviewer has decided about a submission."""
    return session.scalar(
        select(ReviewCheck).where(
            ReviewCheck.submission_id == submission_id,
            ReviewCheck.reviewer_id == actor.person_id,
            ReviewCheck.decision.is_not(None),
        )
    )


def decided_before(session: Session, actor: Actor, submission_id: UUID, decision: Decision) -> Review | None:
    """The reviewer's own decision of a check, sent again; `AlreadyDecided` where it was another one."""
    check = own_decided(session, actor, submission_id)
    if check is None:
        return None
    if check.decision is not decision:
        raise AlreadyDecided
    return as_review(check)


def as_review(check: ReviewCheck, rubric_version_id: UUID | None = None) -> Review:
    """A decided check as the review that its reviewer takes it for. Not part of any session."""
    return Review(
        id=check.id,
        submission_id=check.submission_id,
        project_id=check.project_id,
        reviewer_id=check.reviewer_id,
        decision=check.decision,
        comment=check.comment,
        criteria=check.criteria,
        rubric_version_id=rubric_version_id,
        worked_seconds=check.worked_seconds,
        created_at=check.decided_at,
    )


# --- Known decisions


def set_gold_review(
    session: Session,
    actor: Actor,
    project_id: UUID,
    submission_id: UUID,
    decision: Decision,
    explanation: str,
    *,
    now: datetime,
) -> GoldReview:
    """A manager says what the right decision about a decided submission is; saying it anew replaces it.

    The work itself keeps its decision. Checks that reviewers have decided are measured by the decision of that time.
    """
    projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    submission = session.get(Submission, submission_id)
    if submission is None or submission.project_id != project_id:
        raise NotFound("submission")
    if submission.state is SubmissionState.SUBMITTED:
        raise Invalid("This submission is not decided yet. Only a decided one can be a gold review.")
    if not explanation.strip() or len(explanation) > EXPLANATION_CHARACTERS_MAX:
        raise Invalid(
            f"Explain the decision, in at most {EXPLANATION_CHARACTERS_MAX:,} characters: reviewers learn from it.",
            [{"path": "explanation", "message": "is missing or too long"}],
        )
    values = {"decision": decision, "explanation": explanation.strip(), "created_by": actor.person_id}
    row = {"submission_id": submission_id, "project_id": project_id, "created_at": now, **values}
    session.execute(insert(GoldReview).values(row).on_conflict_do_update(index_elements=["submission_id"], set_=values))
    events.record(
        session,
        actor,
        "work.gold_review_set",
        "submission",
        submission_id,
        at=now,
        project_id=project_id,
        data={"decision": decision.value},
    )
    session.flush()
    return session.get_one(GoldReview, submission_id, populate_existing=True)


def keep_as_gold(
    session: Session, submission_id: UUID, project_id: UUID, decision: Decision, why: str, by: UUID, *, now: datetime
) -> None:
    """A decision that was appealed and settled is as certain as reviews get: reviewers can be checked by it. What a
    manager has said already stays."""
    row = {"submission_id": submission_id, "project_id": project_id, "decision": decision, "explanation": why}
    values = {**row, "created_by": by, "created_at": now}
    session.execute(insert(GoldReview).values(values).on_conflict_do_nothing(index_elements=["submission_id"]))


# --- What the checks say


@dataclass(frozen=True)
class ReviewerQuality:
    """One reviewer. Evidence, never a decision.

    `gold`: share of gold reviews decided right. `double`: share of double reviews (as the first or the second of two)
    on which both decided alike, and `kappa`, the same beyond chance (Cohen), with a bootstrap interval.
    """

    reviewer_id: UUID
    reviews: int
    """Real decisions."""
    gold: Estimate
    double: Estimate
    kappa: Estimate


def reviewer_quality(session: Session, project_id: UUID) -> list[ReviewerQuality]:
    """What checks say about a project's reviewers, those with most decisions first. The caller has checked who asks."""
    counts = {row.reviewer_id: int(row.reviews) for row in session.execute(queries_quality.review_counts(project_id))}
    rows = session.execute(queries_quality.decided_checks(project_id, CHECKS_MAX)).all()
    reviewers = counts.keys() | {row.reviewer_id for row in rows} | {row.first_id for row in rows if row.first_id}
    found = [_quality(reviewer, counts.get(reviewer, 0), rows) for reviewer in reviewers]
    return sorted(found, key=lambda one: (-one.reviews, one.reviewer_id))


def _quality(reviewer: UUID, reviews: int, rows: Sequence[Any]) -> ReviewerQuality:
    gold = [row.decision == row.known for row in rows if row.kind is CheckKind.GOLD and row.reviewer_id == reviewer]
    pairs = [
        (row.decision, row.known) if row.reviewer_id == reviewer else (row.known, row.decision)
        for row in rows
        if row.kind is CheckKind.DOUBLE and reviewer in (row.reviewer_id, row.first_id)
    ]
    return ReviewerQuality(
        reviewer_id=reviewer,
        reviews=reviews,
        gold=wilson(sum(gold), len(gold)) if gold else Estimate.unknown("no gold review was decided yet"),
        double=_alike(pairs),
        kappa=_kappa(pairs),
    )


def _alike(pairs: Sequence[tuple[str, str]]) -> Estimate:
    if not pairs:
        return Estimate.unknown("nothing was decided by two reviewers yet")
    return wilson(sum(mine == other for mine, other in pairs), len(pairs))


def _kappa(pairs: Sequence[tuple[str, str]]) -> Estimate:
    if not pairs:
        return Estimate.unknown("nothing was decided by two reviewers yet")
    mine, other = (np.array([_DECISIONS.index(Decision(each)) for each in side]) for side in zip(*pairs, strict=True))
    return cohen_kappa(mine, other, classes=len(_DECISIONS), rng=np.random.default_rng(SEED))
