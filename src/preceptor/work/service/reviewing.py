"""Reviewing: one submission at a time, decided with reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.fairness import rules as fairness_rules
from preceptor.fairness import service as fairness
from preceptor.fairness.models import DecisionReceipt, ReceiptKind
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.events import Actor
from preceptor.kit.ids import new_id, show_id
from preceptor.people import content
from preceptor.people.service.content import exposure
from preceptor.projects.models import Project, RubricVersion, Task
from preceptor.work import access, queries, queries_content, rules
from preceptor.work.errors import AlreadyDecided, NothingToReview, ReasonNeeded, UnderReview
from preceptor.work.models import Claim, Decision, Review, Submission, SubmissionState
from preceptor.work.models_quality import ReviewCheck
from preceptor.work.service import deciding, review_checks, showing

COMMENT_CHARS_MAX = 5000
KEPT_LOOKED_AT_MAX = 200


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
    ratings: tuple[str, ...] = ()
    """What project and task may show; it stays covered until asked for."""


def next_for_review(
    session: Session, actor: Actor, project_id: UUID | None = None, *, skip: Sequence[UUID] = (), now: datetime
) -> ReviewItem:
    """Lease the oldest waiting submission to the reviewer; the one they have open comes first.

    By a draw it is a check instead (`review_checks`), which looks the same.
    """
    projects = access.reviewable_projects(session, actor)
    ids = [project.id for project in projects if project_id in (None, project.id)]
    assert actor.person_id is not None
    if (held := review_checks.held_by(session, actor, ids, skip=skip, now=now)) is not None:
        return _check_item(session, held)
    # In a savepoint: where the day is full meanwhile, the lease is undone too.
    with session.begin_nested():
        submission = session.scalar(queries.next_to_review(actor.person_id, ids, now, skip=list(skip)))
        if submission is None:
            raise _nothing_waits(session, actor.person_id, ids, now)
        if submission.reviewer_id != actor.person_id:
            check = review_checks.drawn(session, actor, submission.project_id, skip=skip, now=now)
            if check is not None:
                submission = session.get_one(Submission, check.submission_id)
                showing.give(session, actor.person_id, submission.task_id, now=now)
                return _check_item(session, check)
        if not _has_open(submission, actor, now):
            showing.give(session, actor.person_id, submission.task_id, now=now)
    return _lease(session, actor, submission, now)


def _nothing_waits(session: Session, reviewer_id: UUID, project_ids: list[UUID], now: datetime) -> AppError:
    """Why there is nothing to review: nothing waits, or only what this reviewer is not shown."""
    kept = session.execute(queries_content.kept_reviews(reviewer_id, project_ids, now, limit=KEPT_LOOKED_AT_MAX))
    ratings = [[*project, *task] for project, task in kept]
    refusal = showing.left_over(ratings, exposure(session, reviewer_id, now=now)) if ratings else None
    return refusal or NothingToReview()


def _has_open(submission: Submission, actor: Actor, now: datetime) -> bool:
    until = submission.review_leased_until
    return submission.reviewer_id == actor.person_id and until is not None and until >= now


def open_for_review(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> ReviewItem:
    """Lease one named submission; `UnderReview` when another reviewer has it.

    What a reviewer did not choose to see is refused, unless they have it open already.
    """
    submission = access.submission_for_review(session, actor, submission_id, lock=True)
    assert actor.person_id is not None
    if (check := review_checks.open_check(session, actor, submission_id)) is not None:
        if check.leased_until is None or check.leased_until < now:
            showing.give(session, actor.person_id, submission.task_id, now=now)
        review_checks.keep_open(session, check, actor, now=now)
        return _check_item(session, check)
    _refuse_unless_free(submission, actor, now)
    if not _has_open(submission, actor, now):
        showing.give(session, actor.person_id, submission.task_id, now=now)
    return _lease(session, actor, submission, now)


def skip_review(session: Session, actor: Actor, submission_id: UUID, *, now: datetime) -> None:
    """Give a submission back to the review queue."""
    submission = access.submission_for_review(session, actor, submission_id, lock=True)
    if (check := review_checks.open_check(session, actor, submission_id, lock=True)) is not None:
        review_checks.put_back(session, check)
    elif submission.reviewer_id == actor.person_id:
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
    if (check := review_checks.open_check(session, actor, submission_id, lock=True)) is not None:
        return review_checks.decide_check(
            check,
            decision,
            comment=comment,
            criteria=[asdict(verdict) for verdict in criteria],
            rubric_version_id=session.get_one(Claim, submission.claim_id).rubric_version_id,
            worked_seconds=worked_seconds,
            now=now,
        )
    if submission.state is not SubmissionState.SUBMITTED:
        return _same_decision(session, actor, submission, decision)
    _refuse_unless_free(submission, actor, now)
    review = _record(session, actor, submission, decision, comment, criteria, worked_seconds, now)
    match decision:
        case Decision.APPROVE:
            deciding.approve(session, actor, [submission], "review", now=now)
        case Decision.RETURN:
            receipt = _give_receipt(session, actor, submission, review, ReceiptKind.RETURN, now)
            deciding.send_back(session, actor, submission, receipt, now=now)
        case Decision.REJECT:
            receipt = _give_receipt(session, actor, submission, review, ReceiptKind.REJECT, now)
            deciding.reject(session, actor, submission, receipt, now=now)
    review_checks.plan(session, submission, review, now=now)
    return review


def _lease(session: Session, actor: Actor, submission: Submission, now: datetime) -> ReviewItem:
    submission.reviewer_id, submission.review_leased_until = actor.person_id, now + rules.REVIEW_LEASE
    session.flush()
    return _item(session, submission)


def _item(session: Session, submission: Submission) -> ReviewItem:
    task = session.get_one(Task, submission.task_id)
    project = session.get_one(Project, submission.project_id)
    return ReviewItem(
        submission,
        session.get_one(Claim, submission.claim_id),
        task,
        project,
        _rubric(session, submission),
        content.together(project.content_ratings, task.content_ratings),
    )


def _check_item(session: Session, check: ReviewCheck) -> ReviewItem:
    """A check as if it were an undecided submission."""
    submission = session.get_one(Submission, check.submission_id)
    return _item(session, review_checks.as_undecided(session, submission, check))


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


def _give_receipt(
    session: Session, actor: Actor, submission: Submission, review: Review, kind: ReceiptKind, now: datetime
) -> DecisionReceipt:
    """What the author is told and may appeal: the comment, and each criterion that was not met with its quote."""
    project = session.get_one(Project, submission.project_id)
    rubric = session.get(RubricVersion, review.rubric_version_id) if review.rubric_version_id else None
    return fairness.give_receipt(
        session,
        actor,
        kind,
        submission.person_id,
        project_id=submission.project_id,
        submission_id=submission.id,
        rule=fairness_rules.REVIEW,
        rule_version="no rubric" if rubric is None else f"rubric {rubric.number}",
        statement=review.comment,
        evidence=review_links(review, list(rubric.criteria) if rubric else []),
        appeal_seconds=project.appeal_seconds,
        now=now,
    )


def review_links(review: Review, rubric: Sequence[Mapping[str, object]]) -> list[fairness.Link]:
    """The review and its criteria that were not met, as evidence of a receipt."""
    titles = {str(criterion["key"]): str(criterion.get("title") or criterion["key"]) for criterion in rubric}
    links = [fairness.Link("review", show_id("review", review.id), review.comment)]
    for found in review.criteria:
        if found["verdict"] == "not_met":
            said = [titles.get(found["key"], found["key"]), found["comment"], found["quote"] and f"“{found['quote']}”"]
            links.append(fairness.Link("criterion", found["key"], " · ".join(part for part in said if part)))
    return links


def _same_decision(session: Session, actor: Actor, submission: Submission, decision: Decision) -> Review:
    if (checked := review_checks.decided_before(session, actor, submission.id, decision)) is not None:
        return checked
    found = session.scalar(queries.review_of(submission.id))
    if found is None or found.reviewer_id != actor.person_id or found.decision is not decision:
        raise AlreadyDecided
    return found
