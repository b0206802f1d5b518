"""Selects over a contributor's own work, returned and not executed."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true, union_all
from sqlalchemy.orm import aliased

from preceptor.kit.events import Event
from preceptor.projects.models import Project, Task
from preceptor.projects.queries import free_tasks
from preceptor.work.models import Claim, ClaimState, Decision, Review, Submission, SubmissionState
from preceptor.work.rules import Standing

SEARCH_CHARACTERS_MAX = 200
DECISION_READ = "work.decision_read"
DECISIONS = ("work.approved", "work.returned", "work.rejected")


def in_standing(standing: Standing) -> ColumnElement[bool]:
    """The condition on submission and claim that `rules.standing` decides for one row."""
    state, held = Submission.state, Claim.state == ClaimState.RETURNED
    match standing:
        case Standing.WAITING:
            return state == SubmissionState.SUBMITTED
        case Standing.RETURNED:
            return and_(state == SubmissionState.RETURNED, held)
        case Standing.REVISED:
            return and_(state == SubmissionState.RETURNED, ~held)
        case Standing.APPROVED:
            return state == SubmissionState.APPROVED
        case Standing.REJECTED:
            return state == SubmissionState.REJECTED
        case Standing.LAPSED:
            return state == SubmissionState.LAPSED


def _lines(person_id: UUID) -> Select[tuple[Submission, Claim, Project, Review, Any, list[str]]]:
    return (
        select(Submission, Claim, Project, Review, Task.payload, Task.content_ratings)
        .join(Claim, Claim.id == Submission.claim_id)
        .join(Project, Project.id == Submission.project_id)
        .join(Task, Task.id == Submission.task_id)
        .outerjoin(Review, Review.submission_id == Submission.id)
        .where(Submission.person_id == person_id)
    )


def results(
    person_id: UUID,
    *,
    standing: Standing | None = None,
    project_id: UUID | None = None,
    search: str = "",
    before: UUID | None = None,
    limit: int,
) -> Select[tuple[Submission, Claim, Project, Review, Any, list[str]]]:
    """A person's submissions with claim, project, review, payload and the task's own ratings, newest first."""
    found = _lines(person_id).order_by(Submission.id.desc()).limit(limit)
    if standing is not None:
        found = found.where(in_standing(standing))
    if project_id is not None:
        found = found.where(Submission.project_id == project_id)
    if search:
        like = f"%{_literal(search[:SEARCH_CHARACTERS_MAX])}%"
        found = found.where(or_(Project.title.ilike(like), Task.payload["prompt"].astext.ilike(like)))
    return found if before is None else found.where(Submission.id < before)


def _literal(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def result_counts(person_id: UUID) -> Select[tuple[SubmissionState, bool, int]]:
    """(state, held for revision, how many) over a person's submissions."""
    held = (Claim.state == ClaimState.RETURNED).label("held")
    return (
        select(Submission.state, held, func.count())
        .join(Claim, Claim.id == Submission.claim_id)
        .where(Submission.person_id == person_id)
        .group_by(Submission.state, held)
    )


def feedback(person_id: UUID, *, limit: int) -> Select[tuple[Submission, Claim, Project, Review, Any, list[str]]]:
    """What waits for a revision, and people's decisions not yet opened: returned first, then rejected, then praise."""
    opened = exists().where(Event.subject_id == Submission.id, Event.kind == DECISION_READ)
    waits = in_standing(Standing.RETURNED)
    told = and_(
        Review.id.is_not(None),
        or_(Review.decision != Decision.APPROVE, Review.comment != ""),
        Submission.state.in_([SubmissionState.REJECTED, SubmissionState.APPROVED, SubmissionState.LAPSED]),
        ~opened,
    )
    urgency = (waits, Submission.state == SubmissionState.REJECTED, Submission.decided_at)
    return _lines(person_id).where(or_(waits, told)).order_by(*(column.desc() for column in urgency)).limit(limit)


def pending(person_id: UUID) -> Select[Any]:
    """Per currency: what submitted work will pay when it is approved, and between when and when that is due."""
    return (
        select(
            Claim.currency,
            func.sum(Claim.rate_minor).label("minor"),
            func.count().label("tasks"),
            func.min(Submission.decide_at).label("first_at"),
            func.max(Submission.decide_at).label("last_at"),
        )
        .join(Claim, Claim.id == Submission.claim_id)
        .where(Submission.person_id == person_id, Submission.state == SubmissionState.SUBMITTED)
        .group_by(Claim.currency)
        .order_by(Claim.currency)
    )


def open_claims(person_id: UUID) -> Select[tuple[Claim, Project]]:
    """Tasks that a person holds right now, the lease that ends first on top."""
    return (
        select(Claim, Project)
        .join(Project, Project.id == Claim.project_id)
        .where(Claim.person_id == person_id, Claim.state == ClaimState.OPEN)
        .order_by(Claim.leased_until)
    )


def free_counts(person_id: UUID, project_ids: list[UUID], *, most: int) -> Select[tuple[UUID, int]]:
    """(project, tasks free for this person and of what they chose to see), counted up to `most` so that a long queue
    stays cheap. Whether today's share of a rating is used up is not asked here."""
    mine = aliased(Claim)
    taken_before = exists().where(
        mine.task_id == Task.id, mine.person_id == person_id, mine.state != ClaimState.EXPIRED
    )
    unrated, rated = (
        select(Task.id).where(Task.project_id == Project.id, each, ~taken_before).correlate(Project).limit(most)
        for each in free_tasks(person_id)
    )
    some = union_all(unrated, rated).limit(most).lateral()
    return (
        select(Project.id, func.count(some.c.id))
        .select_from(Project)
        .outerjoin(some, true())
        .where(Project.id.in_(project_ids))
        .group_by(Project.id)
    )


def worked_times(project_ids: list[UUID], *, latest: int) -> Select[tuple[UUID, int, float]]:
    """(project, how many, median seconds worked) over the latest submissions that have a time."""
    recent = (
        select(Submission.worked_seconds)
        .where(Submission.project_id == Project.id, Submission.worked_seconds > 0)
        .order_by(Submission.id.desc())
        .limit(latest)
        .lateral()
    )
    median = func.percentile_cont(0.5).within_group(recent.c.worked_seconds)
    return (
        select(Project.id, func.count(recent.c.worked_seconds), func.coalesce(median, 0))
        .select_from(Project)
        .join(recent, true())
        .where(Project.id.in_(project_ids))
        .group_by(Project.id)
    )


def claim_results(person_id: UUID, claim_ids: list[UUID]) -> Select[tuple[UUID, UUID, str]]:
    """(claim, its latest submission, project title) of a person's own claims."""
    return (
        select(Submission.claim_id, Submission.id, Project.title)
        .join(Project, Project.id == Submission.project_id)
        .where(Submission.claim_id.in_(claim_ids), Submission.person_id == person_id)
        .distinct(Submission.claim_id)
        .order_by(Submission.claim_id, Submission.revision.desc())
    )


def revisions(claim_id: UUID) -> Select[tuple[Submission]]:
    return select(Submission).where(Submission.claim_id == claim_id).order_by(Submission.revision)


def reviews_of_claim(claim_id: UUID) -> Select[tuple[Review]]:
    """Reviews of a claim's submissions, newest first."""
    return (
        select(Review)
        .join(Submission, Submission.id == Review.submission_id)
        .where(Submission.claim_id == claim_id)
        .order_by(Review.id.desc())
    )


def decision_event(submission_id: UUID) -> Select[tuple[Event]]:
    """The event that says by which rule a submission was decided."""
    return (
        select(Event)
        .where(Event.subject_id == submission_id, Event.kind.in_(DECISIONS))
        .order_by(Event.id.desc())
        .limit(1)
    )


def is_read(submission_id: UUID) -> Select[tuple[bool]]:
    return select(exists().where(Event.subject_id == submission_id, Event.kind == DECISION_READ))
