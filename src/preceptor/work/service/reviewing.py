"""Reviewing: one submission at a time, decided with reasons."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id
from preceptor.projects.models import Project, RubricVersion, Task
from preceptor.work import access, queries, rules
from preceptor.work.errors import AlreadyDecided, NothingToReview, ReasonNeeded, UnderReview
from preceptor.work.models import Claim, Decision, Review, Submission, SubmissionState
from preceptor.work.service import deciding

COMMENT_CHARS_MAX = 5000


@dataclass(frozen=True)
class CriterionVerdict:
    """What a reviewer found on one criterion of the rubric; `quote` is a span marked in the submission."""

    key: str
    verdict: Literal["met", "not_met", "unclear"]
    comment: str = ""
    quote: str = ""


@dataclass(frozen=True)
class ReviewItem:
    """A submission leased to a reviewer, with everything needed to judge it."""

    submission: Submission
    claim: Claim
    task: Task
    project: Project
    rubric: list[dict[str, object]] = field(default_factory=list)


def next_for_review(
    session: Session, actor: Actor, project_id: UUID | None = None, *, skip: Sequence[UUID] = (), now: datetime
) -> ReviewItem:
    """Lease the oldest waiting submission to the reviewer; the one they have open comes first."""
    projects = access.reviewable_projects(session, actor)
    ids = [project.id for project in projects if project_id in (None, project.id)]
    assert actor.person_id is not None
    submission = session.scalar(queries.next_to_review(actor.person_id, ids, now, skip=list(skip)))
    if submission is None:
        raise NothingToReview
    return _lease(session, actor, submission, now)


def open_for_review(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> ReviewItem:
    """Lease one named submission; `UnderReview` when another reviewer has it."""
    submission = access.submission_for_review(session, actor, submission_id, lock=True)
    _refuse_unless_free(submission, actor, now)
    return _lease(session, actor, submission, now)


def skip_review(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> None:
    """Give a submission back to the review queue."""
    submission = access.submission_for_review(session, actor, submission_id, lock=True)
    if submission.reviewer_id == actor.person_id:
        submission.reviewer_id = submission.review_leased_until = None


def decide(
    session: Session,
    actor: Actor,
    submission_id: UUID,
    decision: Decision,
    *,
    comment: str,
    criteria: Sequence[CriterionVerdict] = (),
    worked_seconds: int = 0,
    now: datetime,
) -> Review:
    """Approve, return or reject, with reasons that the contributor reads. Deciding the same again is the same.

    A return needs a comment; a rejection needs a comment and at least one criterion that is not met.
    """
    submission = access.submission_for_review(session, actor, submission_id, lock=True)
    known = {str(criterion["key"]) for criterion in _rubric(session, submission)}
    _refuse_without_reasons(decision, comment, criteria, known)
    if submission.state is not SubmissionState.SUBMITTED:
        return _same_decision(session, actor, submission, decision)
    _refuse_unless_free(submission, actor, now)
    review = _record(session, actor, submission, decision, comment, criteria, worked_seconds, now)
    match decision:
        case Decision.APPROVE:
            deciding.approve(session, actor, [submission], "review", now=now)
        case Decision.RETURN:
            deciding.send_back(session, actor, submission, "review", now=now)
        case Decision.REJECT:
            deciding.reject(session, actor, submission, "review", now=now)
    return review


def _lease(session: Session, actor: Actor, submission: Submission, now: datetime) -> ReviewItem:
    submission.reviewer_id, submission.review_leased_until = actor.person_id, now + rules.REVIEW_LEASE
    session.flush()
    claim = session.get_one(Claim, submission.claim_id)
    return ReviewItem(
        submission,
        claim,
        session.get_one(Task, submission.task_id),
        session.get_one(Project, submission.project_id),
        _rubric(session, submission),
    )


def _rubric(session: Session, submission: Submission) -> list[dict[str, object]]:
    """The rubric that was in force when the task was claimed."""
    version_id = session.get_one(Claim, submission.claim_id).rubric_version_id
    return list(session.get_one(RubricVersion, version_id).criteria) if version_id else []


def _refuse_unless_free(submission: Submission, actor: Actor, now: datetime) -> None:
    if submission.state is not SubmissionState.SUBMITTED:
        raise AlreadyDecided
    leased = submission.review_leased_until is not None and submission.review_leased_until > now
    if leased and submission.reviewer_id != actor.person_id:
        raise UnderReview


def _refuse_without_reasons(
    decision: Decision, comment: str, criteria: Sequence[CriterionVerdict], known: set[str]
) -> None:
    unknown = [verdict.key for verdict in criteria if verdict.key not in known]
    if unknown:
        raise Invalid(f"The rubric has no criterion {unknown[0]!r}. It has {', '.join(sorted(known)) or 'none'}.")
    if len(comment) > COMMENT_CHARS_MAX:
        raise Invalid(f"The comment is longer than {COMMENT_CHARS_MAX} characters.")
    if decision is Decision.APPROVE:
        return
    if len(comment.strip()) < rules.REASON_CHARS_MIN:
        raise ReasonNeeded(
            f"Write at least {rules.REASON_CHARS_MIN} characters: the contributor reads this and learns from it.",
            [{"path": "comment", "message": "too short"}],
        )
    if decision is Decision.REJECT and known and all(verdict.verdict != "not_met" for verdict in criteria):
        raise ReasonNeeded(
            "Mark at least one criterion as not met, so that it is clear what the rejection rests on.",
            [{"path": "criteria", "message": "none is marked not met"}],
        )


def _record(
    session: Session,
    actor: Actor,
    submission: Submission,
    decision: Decision,
    comment: str,
    criteria: Sequence[CriterionVerdict],
    worked_seconds: int,
    now: datetime,
) -> Review:
    review = Review(
        id=new_id(),
        submission_id=submission.id,
        project_id=submission.project_id,
        reviewer_id=actor.person_id,
        decision=decision,
        comment=comment.strip(),
        criteria=[asdict(verdict) for verdict in criteria],
        rubric_version_id=session.get_one(Claim, submission.claim_id).rubric_version_id,
        worked_seconds=max(0, min(worked_seconds, 86400)),
        created_at=now,
    )
    session.add(review)
    session.flush()
    return review


def _same_decision(session: Session, actor: Actor, submission: Submission, decision: Decision) -> Review:
    found = session.scalar(queries.review_of(submission.id))
    if found is None or found.reviewer_id != actor.person_id or found.decision is not decision:
        raise AlreadyDecided
    return found
