"""What a person has done, for the person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.events import Actor
from preceptor.people import content
from preceptor.projects.models import GuidelinesVersion, Project, RubricVersion, Task
from preceptor.tasktypes.base import Row, to_json
from preceptor.work import access, queries, queries_own, rules
from preceptor.work.models import Claim, Review, Submission, SubmissionState
from preceptor.work.rules import Standing
from preceptor.work.service import showing


@dataclass(frozen=True)
class HistoryLine:
    submission: Submission
    claim: Claim
    project: Project
    review: Review | None
    payload: Row = field(default_factory=dict)
    """The task's payload in stored names; show only what `tasktypes` presents of it."""
    task_ratings: Sequence[str] = ()

    @property
    def ratings(self) -> tuple[str, ...]:
        """What project and task may show; none of the material stands in lists then."""
        return content.together(self.project.content_ratings, self.task_ratings)

    @property
    def standing(self) -> Standing:
        return rules.standing(self.submission.state, self.claim.state)


def own_history(
    session: Session,
    actor: Actor,
    *,
    project_id: UUID | None = None,
    states: Sequence[SubmissionState] = (),
    before: UUID | None = None,
    limit: int = 50,
) -> list[HistoryLine]:
    """The person's own submissions, newest first, in one statement."""
    assert actor.person_id is not None
    rows = session.execute(queries.history(actor.person_id, project_id, list(states), before, limit))
    return [HistoryLine(*row) for row in rows]


def own_results(
    session: Session,
    actor: Actor,
    *,
    standing: Standing | None = None,
    project_id: UUID | None = None,
    search: str = "",
    before: UUID | None = None,
    limit: int = 50,
) -> list[HistoryLine]:
    """The person's own submissions with what they were about, newest first, in one statement.

    `search` looks in project titles and prompts.
    """
    assert actor.person_id is not None
    wanted = queries_own.results(
        actor.person_id, standing=standing, project_id=project_id, search=search.strip(), before=before, limit=limit
    )
    return [HistoryLine(*row) for row in session.execute(wanted)]


def result_counts(session: Session, actor: Actor) -> dict[Standing, int]:
    """How many of the person's submissions stand how; what does not occur is 0."""
    assert actor.person_id is not None
    counts = dict.fromkeys(Standing, 0)
    for state, held, count in session.execute(queries_own.result_counts(actor.person_id)):
        if state is SubmissionState.RETURNED:
            counts[Standing.RETURNED if held else Standing.REVISED] += count
        else:
            counts[Standing.WAITING if state is SubmissionState.SUBMITTED else Standing(state.value)] += count
    return counts


@dataclass(frozen=True)
class Terms:
    """What a claim was made under, whatever holds now: guidelines (Markdown) and the criteria of the rubric."""

    guidelines: str
    guidelines_number: int | None
    criteria: list[Mapping[str, Any]]


def terms_of(session: Session, claim: Claim) -> Terms:
    """Guidelines and rubric of the versions that were in force when the task was claimed."""
    rubric = session.get(RubricVersion, claim.rubric_version_id) if claim.rubric_version_id else None
    guidelines = session.get(GuidelinesVersion, claim.guidelines_version_id) if claim.guidelines_version_id else None
    return Terms(
        guidelines=guidelines.body if guidelines is not None else "",
        guidelines_number=guidelines.number if guidelines is not None else None,
        criteria=list(rubric.criteria) if rubric is not None else [],
    )


@dataclass(frozen=True)
class DecisionReceipt:
    """One submission with what was decided about it, by which rule, on which rubric. For its author."""

    submission: Submission
    claim: Claim
    project: Project
    standing: Standing
    shown: Row
    """The payload as it was shown."""
    answer: Row
    """The answer in the names that were shown."""
    review: Review | None
    rule: str | None
    """By which rule it was decided: "review", "not sampled for review", "review deadline passed"."""
    decided_by: UUID | None
    terms: Terms
    revisions: list[Submission]
    ratings: tuple[str, ...] = ()
    """What project and task may show; covered until asked for."""


def decision_receipt(session: Session, actor: Actor, submission_id: UUID) -> DecisionReceipt:
    """Everything that the author of a submission may know about its decision."""
    submission = access.own_submission(session, actor, submission_id)
    claim = session.get_one(Claim, submission.claim_id)
    project = session.get_one(Project, submission.project_id)
    shown, answer = _as_shown(session, submission, claim, project)
    event = session.scalar(queries_own.decision_event(submission.id))
    terms = terms_of(session, claim)
    return DecisionReceipt(
        submission=submission,
        claim=claim,
        project=project,
        standing=rules.standing(submission.state, claim.state),
        shown=shown,
        answer=answer,
        review=session.scalar(queries.review_of(submission.id)),
        rule=str(event.data.get("rule")) if event is not None and "rule" in event.data else None,
        decided_by=event.actor_id if event is not None else None,
        terms=terms,
        revisions=list(session.scalars(queries_own.revisions(claim.id))),
        ratings=showing.ratings_of(session, submission.task_id),
    )


def _as_shown(session: Session, submission: Submission, claim: Claim, project: Project) -> tuple[Row, Row]:
    kind = project.kind
    payload = session.scalars(select(Task.payload).where(Task.id == submission.task_id)).one()
    shown = kind.present(kind.payload(payload), claim.display_order)
    given = kind.answer(submission.answer)
    return shown, to_json(kind.as_shown(given, claim.display_order))


def note_read(session: Session, actor: Actor, receipt: DecisionReceipt, *, now: datetime) -> None:
    """Remember that the author has opened a decision of a person. Opening it again changes nothing."""
    if receipt.review is None or session.scalar(queries_own.is_read(receipt.submission.id)):
        return
    events.record(
        session,
        actor,
        queries_own.DECISION_READ,
        "submission",
        receipt.submission.id,
        at=now,
        project_id=receipt.project.id,
        person_id=actor.person_id,
    )


@dataclass(frozen=True)
class LastAnswer:
    """What a returned claim was answered with, and what the reviewer said to it."""

    answer: Row
    review: Review | None


def last_answer(session: Session, claim: Claim) -> LastAnswer | None:
    """The newest submission of one's own claim, in the names that were shown."""
    given = list(session.scalars(queries_own.revisions(claim.id)))
    if not given:
        return None
    kind = session.get_one(Project, claim.project_id).kind
    answer = kind.as_shown(kind.answer(given[-1].answer), claim.display_order)
    return LastAnswer(to_json(answer), session.scalar(queries_own.reviews_of_claim(claim.id).limit(1)))


@dataclass(frozen=True)
class EarnedBy:
    """What a line of a statement was earned with."""

    submission_id: UUID
    project_title: str


def earned_by(session: Session, actor: Actor, claim_ids: Sequence[UUID]) -> dict[UUID, EarnedBy]:
    """The person's own claims by id with the submission that earned. One statement; others' claims are absent."""
    if not claim_ids or actor.person_id is None:
        return {}
    rows = session.execute(queries_own.claim_results(actor.person_id, list(claim_ids)))
    return {claim_id: EarnedBy(submission_id, title) for claim_id, submission_id, title in rows}
