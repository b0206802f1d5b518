"""What reviewers see around their decisions: the queue, the material, their own record and how it held up."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.people import content
from preceptor.people.models import Person
from preceptor.projects.models import GuidelinesVersion, Project, RubricVersion, Task
from preceptor.quality.consensus import majority
from preceptor.quality.intervals import Estimate, wilson
from preceptor.tasktypes.base import Row, to_json
from preceptor.work import access, queries, queries_review
from preceptor.work.models import Claim, Decision, Review, Submission, SubmissionState
from preceptor.work.service import review_checks
from preceptor.work.service.review_checks import NONE_WAITING, Waiting

DECISIONS_WEIGHED_MAX = 500
"""A reviewer's agreement rests on their newest decisions, up to this many."""

COUNTED = frozenset({SubmissionState.SUBMITTED, SubmissionState.APPROVED})
Labels = Mapping[str, str]
Given = Sequence[tuple[Submission, Review | None]]


# --- The queue


@dataclass(frozen=True)
class QueueLine:
    """One project's queue as a reviewer sees it; times are None where nothing waits."""

    project: Project
    waiting: int
    elsewhere: int
    """Open with other reviewers."""
    oldest_at: datetime | None
    deadline_at: datetime | None
    """The first of them is approved without a decision at this moment."""
    kept: int = 0
    """Kept from this reviewer, who did not choose to see what they may show or has seen enough of it today."""


def review_queue(session: Session, actor: Actor, *, now: datetime) -> list[QueueLine]:
    """Every project the actor may review, the nearest deadline first. Checks count like anything else that waits,
    while anything else does. Three statements."""
    assert actor.person_id is not None
    projects = access.reviewable_projects(session, actor)
    ids = [project.id for project in projects]
    rows = {row.project_id: row for row in session.execute(queries_review.waiting(actor.person_id, ids, now))}
    checks = review_checks.waiting_in(session, actor, ids, now=now)
    lines = [_line(project, rows.get(project.id), checks.get(project.id, NONE_WAITING)) for project in projects]
    return sorted(lines, key=lambda line: (not line.waiting, line.deadline_at or now, line.project.title))


def _line(project: Project, row: Any, checks: Waiting) -> QueueLine:
    if row is None or not row.waiting:
        # Without real work a check comes to nobody; one that is open stays so.
        elsewhere, kept = (0, 0) if row is None else (row.elsewhere, row.kept)
        return QueueLine(project, checks.held, elsewhere, checks.held_at, checks.held_until, kept)
    return QueueLine(
        project,
        row.waiting + checks.free + checks.held,
        row.elsewhere + checks.elsewhere,
        min(filter(None, [row.oldest_at, checks.oldest_at])),
        min(filter(None, [row.deadline_at, checks.deadline_at])),
        row.kept,
    )


def open_review(session: Session, actor: Actor, *, now: datetime) -> Submission | None:
    """The submission that the actor has open for review, so that leaving and coming back is safe."""
    assert actor.person_id is not None
    if (check := review_checks.held_by(session, actor, now=now)) is not None:
        return review_checks.as_undecided(session, session.get_one(Submission, check.submission_id), check)
    return session.scalar(queries_review.open_with(actor.person_id, now))


# --- One submission


@dataclass(frozen=True)
class EarlierRound:
    """A former revision of the same claim: what was answered, and what a reviewer asked for."""

    submission: Submission
    review: Review | None
    answer: Row


@dataclass(frozen=True)
class ReviewSheet:
    """A submission as its reviewer reads it: in the order its author saw, without ids, sources and gold."""

    submission: Submission
    claim: Claim
    project: Project
    review: Review | None
    """The decision, once there is one."""
    shown: Row
    answer: Row
    criteria: list[Mapping[str, Any]]
    guidelines: GuidelinesVersion | None
    earlier: list[EarlierRound]
    author: str | None
    """Who wrote it; None where the project is reviewed blind."""
    ratings: tuple[str, ...] = ()
    """What project and task may show; covered until asked for."""


def review_sheet(session: Session, actor: Actor, submission_id: UUID) -> ReviewSheet:
    """Everything needed to judge one submission. Other people's judgments are not in it: see `other_judgments`."""
    submission = access.submission_for_review(session, actor, submission_id)
    check = review_checks.open_check(session, actor, submission_id)
    review = None if check is not None else session.scalar(queries.review_of(submission.id))
    if check is not None:
        submission = review_checks.as_undecided(session, submission, check)
    elif (decided := review_checks.own_decided(session, actor, submission_id)) is not None:
        submission, review = review_checks.as_decided(submission, decided), review_checks.as_review(decided)
    claim = session.get_one(Claim, submission.claim_id)
    project = session.get_one(Project, submission.project_id)
    task = session.get_one(Task, submission.task_id)
    kind = project.kind
    rubric = session.get(RubricVersion, claim.rubric_version_id) if claim.rubric_version_id else None
    guidelines = session.get(GuidelinesVersion, claim.guidelines_version_id) if claim.guidelines_version_id else None
    rounds = session.execute(queries_review.rounds_before(claim.id, submission.revision))
    return ReviewSheet(
        submission=submission,
        claim=claim,
        project=project,
        review=review,
        shown=kind.present(kind.payload(task.payload), claim.display_order),
        answer=_as_shown(project, claim, submission),
        criteria=list(rubric.criteria) if rubric is not None else [],
        guidelines=guidelines,
        earlier=[EarlierRound(given, review, _as_shown(project, claim, given)) for given, review in rounds],
        author=None if project.blind_review else session.get_one(Person, submission.person_id).name,
        ratings=content.together(project.content_ratings, task.content_ratings),
    )


def _as_shown(project: Project, claim: Claim, submission: Submission) -> Row:
    kind = project.kind
    given = kind.answer(submission.answer)
    return to_json(kind.as_shown(given, claim.display_order))


@dataclass(frozen=True)
class OtherJudgment:
    """Somebody else's answer to the same task, in the names of the submission that was reviewed. Nameless."""

    submission: Submission
    review: Review | None
    answer: Row


def other_judgments(session: Session, sheet: ReviewSheet) -> list[OtherJudgment]:
    """What others answered to the task; nothing before the decision, so that it stays the reviewer's own."""
    if sheet.review is None and sheet.submission.decided_at is None:
        return []
    given = session.execute(queries_review.given_to_tasks([sheet.submission.task_id]))
    return [
        OtherJudgment(other, review, _as_shown(sheet.project, sheet.claim, other))
        for other, review in given
        if other.claim_id != sheet.claim.id and other.state in COUNTED
    ]


# --- The reviewer's own record


class Support(StrEnum):
    """Whether the others' answers to a task bear out a decision."""

    YES = "yes"
    NO = "no"
    SPLIT = "split"
    """They are divided."""
    UNKNOWN = "unknown"
    """Nobody else has answered yet."""


@dataclass(frozen=True)
class DecidedLine:
    """One of the reviewer's decisions."""

    review: Review
    submission: Submission
    project: Project
    payload: Row
    support: Support


@dataclass(frozen=True)
class ReviewRecord:
    """How a reviewer's decisions held up, over the newest `DECISIONS_WEIGHED_MAX`.

    `with_consensus`: an approved answer agrees with the majority of the others' counted answers, a returned or
    rejected one does not. `with_reviewers`: another reviewer decided alike about the same answer to the same task.
    Each is unknown until there is something to compare with.
    """

    decisions: int
    with_consensus: Estimate
    with_reviewers: Estimate


def decisions_made(
    session: Session,
    actor: Actor,
    *,
    decision: Decision | None = None,
    search: str = "",
    before: UUID | None = None,
    limit: int = 50,
) -> list[DecidedLine]:
    """The actor's own decisions, newest first, each with whether the others bear it out. Three statements."""
    rows = _decided(session, actor, decision=decision, search=search.strip(), before=before, limit=limit)
    given = _given(session, [submission.task_id for _, submission, _, _ in rows])
    return [
        DecidedLine(review, submission, project, payload, _support(review, submission, project, payload, others))
        for review, submission, project, payload in rows
        for others in [given[submission.task_id]]
    ]


def _decided(
    session: Session,
    actor: Actor,
    *,
    decision: Decision | None = None,
    search: str = "",
    before: UUID | None = None,
    limit: int,
) -> list[tuple[Review, Submission, Project, Row]]:
    """Decisions of the actor, newest first: reviews, and what they took for reviews."""
    assert actor.person_id is not None
    who = actor.person_id
    reviews = queries_review.decided_by(who, decision=decision, search=search, before=before, limit=limit)
    checks = queries_review.checked_by(who, decision=decision, search=search, before=before, limit=limit)
    found = [row._tuple() for row in session.execute(reviews)]
    found += [(review_checks.as_review(check), *rest) for check, *rest in session.execute(checks)]
    return sorted(found, key=lambda row: row[0].id, reverse=True)[:limit]


def decision_counts(session: Session, actor: Actor, search: str = "") -> dict[Decision, int]:
    """How many decisions of each kind; what does not occur is 0."""
    assert actor.person_id is not None
    found = Counter(
        {row[0]: row[1] for row in session.execute(queries_review.decision_counts(actor.person_id, search.strip()))}
    )
    found.update(
        {row[0]: row[1] for row in session.execute(queries_review.checked_counts(actor.person_id, search.strip()))}
    )
    return {decision: found[decision] for decision in Decision}


def review_record(session: Session, actor: Actor) -> ReviewRecord:
    """The actor's agreement with the consensus and with other reviewers. Three statements."""
    rows = _decided(session, actor, limit=DECISIONS_WEIGHED_MAX)
    given = _given(session, [submission.task_id for _, submission, _, _ in rows])
    supports, alike = [], []
    for review, submission, project, payload in rows:
        others = given[submission.task_id]
        supports.append(_support(review, submission, project, payload, others))
        alike += list(_decided_alike(review, submission, project, payload, others))
    clear = [support for support in supports if support in (Support.YES, Support.NO)]
    return ReviewRecord(
        len(rows), _share([support is Support.YES for support in clear], "no other answers yet"), _share(alike)
    )


def _given(session: Session, task_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Submission, Review | None]]]:
    found: dict[UUID, list[tuple[Submission, Review | None]]] = {task_id: [] for task_id in task_ids}
    if found:
        for submission, review in session.execute(queries_review.given_to_tasks(list(found))):
            found[submission.task_id].append((submission, review))
    return found


def _share(answers: Sequence[bool], when_none: str = "no other reviewer judged the same answers yet") -> Estimate:
    return wilson(sum(answers), len(answers)) if answers else Estimate.unknown(when_none)


def _support(review: Review, submission: Submission, project: Project, payload: Row, given: Given) -> Support:
    """Leaves out the submission itself and everything else its author answered."""
    others = [other for other, _ in given if other.person_id != submission.person_id and other.state in COUNTED]
    if not others:
        return Support.UNKNOWN
    labels = _labels(project, payload, [submission, *others])
    borne_out = _agrees_with_majority(labels[submission.id], [labels[other.id] for other in others])
    if borne_out is None:
        return Support.SPLIT
    return Support.YES if borne_out is (review.decision is Decision.APPROVE) else Support.NO


def _agrees_with_majority(own: Labels, others: Sequence[Labels]) -> bool | None:
    """Whether every unit that the others decide has the label of their majority; None where they decide none."""
    decided = 0
    for unit, label in own.items():
        found = majority([other[unit] for other in others if unit in other]).label
        if found is None:
            continue
        decided += 1
        if found != label:
            return False
    return True if decided else None


def _decided_alike(
    review: Review, submission: Submission, project: Project, payload: Row, given: Given
) -> Iterable[bool]:
    """One entry for every decision of another reviewer about the same answer by somebody else."""
    rivals = [
        (other, theirs)
        for other, theirs in given
        if theirs is not None and theirs.reviewer_id != review.reviewer_id and other.person_id != submission.person_id
    ]
    if not rivals:
        return
    labels = _labels(project, payload, [submission, *(other for other, _ in rivals)])
    for other, theirs in rivals:
        if labels[other.id] == labels[submission.id]:
            yield (theirs.decision is Decision.APPROVE) is (review.decision is Decision.APPROVE)


def _labels(project: Project, payload: Row, submissions: Iterable[Submission]) -> dict[UUID, Labels]:
    kind = project.kind
    task: BaseModel = kind.payload(payload)
    return {each.id: kind.labels(task, kind.answer(each.answer)) for each in submissions}
