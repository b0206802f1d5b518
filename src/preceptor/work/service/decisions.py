"""Decisions about people as they are read: by the person, by who decides an appeal, by operators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.fairness import queries as receipts
from preceptor.fairness import rules as fairness_rules
from preceptor.fairness import service as fairness
from preceptor.fairness.models import Appeal, AppealOrigin, DecisionReceipt
from preceptor.fairness.queries import OF_WORK, ReceiptsWanted
from preceptor.kit.events import Actor
from preceptor.kit.money import Money
from preceptor.people import content
from preceptor.people.access import require_operator
from preceptor.people.models import Member
from preceptor.projects.models import Project, RubricVersion
from preceptor.tasktypes.base import Row, to_json
from preceptor.work import access_decisions, queries, queries_decisions
from preceptor.work.models import Claim, ClaimState, Review, Submission


class Decider(StrEnum):
    """Who decided, as the person is told: a role, never a name."""

    REVIEWER = "reviewer"
    CLIENT = "client"
    OPERATOR = "operator"


@dataclass(frozen=True)
class DecisionLine:
    """One decision in a list."""

    receipt: DecisionReceipt
    appeal: Appeal | None
    project: Project | None
    payload: Row | None
    """Of the task, in stored names; show only what `tasktypes` presents of it. None where no work was decided."""
    task_ratings: Sequence[str] = ()

    @property
    def ratings(self) -> tuple[str, ...]:
        """What project and task may show; none of the material stands in lists then."""
        return content.together(self.project.content_ratings if self.project else (), self.task_ratings)

    @property
    def outcome(self) -> str:
        """One of `fairness.queries.OUTCOMES`."""
        return "not_appealed" if self.appeal is None else self.appeal.state.value


@dataclass(frozen=True)
class Work:
    """The submission that was decided about, as its author saw and sent it."""

    submission: Submission
    claim: Claim
    shown: Row
    answer: Row
    review: Review | None
    criteria: list[Mapping[str, Any]]
    """Of the rubric in force when the task was claimed."""
    ratings: tuple[str, ...] = ()
    """What project and task may show; covered until asked for."""


@dataclass(frozen=True)
class DecisionSheet:
    """One decision with all that belongs to it. Names nobody: who reads it adds the names that they may see."""

    receipt: DecisionReceipt
    appeal: Appeal | None
    project: Project | None
    work: Work | None
    decider: Decider
    rule_title: str
    rule_text: str

    @property
    def pay(self) -> Money | None:
        return None if self.work is None else Money(self.work.claim.rate_minor, self.work.claim.currency)

    @property
    def paid(self) -> bool:
        return self.work is not None and self.work.claim.state is ClaimState.APPROVED

    @property
    def corrected(self) -> bool:
        """Whether a corrected known answer decided it, and nobody's second look."""
        return self.appeal is not None and self.appeal.origin is AppealOrigin.GOLD_CHALLENGE

    def may_appeal(self, now: datetime) -> bool:
        return self.appeal is None and fairness_rules.in_time(self.receipt.appeal_until, now)


# --- Lists


def own_decisions(
    session: Session, actor: Actor, *, outcome: str = "all", before: UUID | None = None, limit: int = 50
) -> list[DecisionLine]:
    """Decisions about the person who asks, newest first. Three statements."""
    assert actor.person_id is not None
    return _lines(session, ReceiptsWanted(person_id=actor.person_id, outcome=outcome, before=before, limit=limit))


def all_decisions(session: Session, actor: Actor, wanted: ReceiptsWanted) -> list[DecisionLine]:
    """Every decision against anybody, for operators."""
    require_operator(actor)
    return _lines(session, wanted)


def _lines(session: Session, wanted: ReceiptsWanted) -> list[DecisionLine]:
    rows = [(receipt, appeal) for receipt, appeal in session.execute(receipts.receipts(wanted))]
    return _with_subjects(session, rows)


def _with_subjects(session: Session, rows: Sequence[tuple[DecisionReceipt, Appeal | None]]) -> list[DecisionLine]:
    projects = _projects(session, [receipt for receipt, _ in rows])
    ids = [receipt.submission_id for receipt, _ in rows if receipt.submission_id is not None]
    rows_of = session.execute(queries_decisions.subjects(ids)) if ids else ()
    subjects = {submission_id: (payload, ratings) for submission_id, payload, ratings in rows_of}
    return [
        DecisionLine(
            receipt,
            appeal,
            projects.get(receipt.project_id) if receipt.project_id else None,
            *(subjects.get(receipt.submission_id, (None, ())) if receipt.submission_id else (None, ())),
        )
        for receipt, appeal in rows
    ]


def _projects(session: Session, found: Iterable[DecisionReceipt]) -> dict[UUID, Project]:
    ids = {receipt.project_id for receipt in found if receipt.project_id is not None}
    return {each.id: each for each in session.scalars(queries_decisions.projects(list(ids)))} if ids else {}


def names_of(session: Session, actor: Actor, ids: Iterable[UUID]) -> dict[UUID, str]:
    """Names by person, for operators."""
    require_operator(actor)
    wanted = list(set(ids))
    return {row[0]: row[1] for row in session.execute(queries_decisions.people(wanted))} if wanted else {}


@dataclass(frozen=True)
class QueueLine:
    """An appeal in the queue of who may decide it."""

    line: DecisionLine
    appeal: Appeal
    decided_first: bool
    """By the person who looks at the queue: somebody else has to decide this one."""


def appeal_queue(
    session: Session, actor: Actor, *, decided: bool = False, before: UUID | None = None, limit: int = 50
) -> list[QueueLine]:
    """Appeals within the actor's reach: those that wait, oldest first, or those decided, newest first."""
    assert actor.person_id is not None
    reach = access_decisions.reach_of(session, actor)
    wanted = receipts.appeals(reach, actor.person_id, open_only=not decided, before=before, limit=limit)
    found = [(receipt, appeal) for appeal, receipt in session.execute(wanted)]
    lines = _with_subjects(session, found)
    return [
        QueueLine(line, line.appeal, line.appeal.first_decider_id == actor.person_id)
        for line in lines
        if line.appeal is not None
    ]


def appeals_waiting(session: Session, actor: Actor) -> int:
    """How many appeals the actor could decide now."""
    if actor.person_id is None:
        return 0
    reach = access_decisions.reach_of(session, actor)
    return int(session.scalar(receipts.waiting(reach, actor.person_id)) or 0)


# --- One decision


def own_decision(session: Session, actor: Actor, receipt_id: UUID) -> DecisionSheet:
    """A decision about the person who asks."""
    return _sheet(session, fairness.own_receipt(session, actor, receipt_id))


def decision_to_read(session: Session, actor: Actor, receipt_id: UUID) -> DecisionSheet:
    """A decision for the person whom it concerns, or for operators."""
    return _sheet(session, access_decisions.receipt_to_read(session, actor, receipt_id))


def appeal_sheet(session: Session, actor: Actor, appeal_id: UUID) -> DecisionSheet:
    """An appeal within the actor's reach with the decision it is about."""
    _, receipt = access_decisions.appeal_to_decide(session, actor, appeal_id)
    return _sheet(session, receipt)


def decision_of_submission(session: Session, submission_id: UUID) -> tuple[DecisionReceipt, Appeal | None] | None:
    """The receipt of a submission that the caller may see, with its appeal."""
    row = session.execute(receipts.receipts_of_submissions([submission_id])).one_or_none()
    return None if row is None else (row[0], row[1])


def _sheet(session: Session, receipt: DecisionReceipt) -> DecisionSheet:
    project = session.get(Project, receipt.project_id) if receipt.project_id else None
    return DecisionSheet(
        receipt=receipt,
        appeal=fairness.appeal_of(session, receipt.id),
        project=project,
        work=_work(session, receipt.submission_id, project) if receipt.submission_id and project else None,
        decider=_decider(session, receipt, project),
        rule_title=fairness_rules.title_of(receipt.rule),
        rule_text=fairness_rules.text_of(receipt.rule, receipt.rule_version),
    )


def _decider(session: Session, receipt: DecisionReceipt, project: Project | None) -> Decider:
    if receipt.kind in OF_WORK:
        return Decider.REVIEWER
    if project is not None and session.get(Member, (project.org_id, receipt.decided_by)) is not None:
        return Decider.CLIENT
    return Decider.OPERATOR


def _work(session: Session, submission_id: UUID, project: Project) -> Work:
    submission, claim, task = session.execute(queries_decisions.submission_with_claim(submission_id)).one()
    kind = project.kind
    rubric = session.get(RubricVersion, claim.rubric_version_id) if claim.rubric_version_id else None
    given = kind.answer(submission.answer)
    return Work(
        submission=submission,
        claim=claim,
        shown=kind.present(kind.payload(task.payload), claim.display_order),
        answer=to_json(kind.as_shown(given, claim.display_order)),
        review=session.scalar(queries.review_of(submission.id)),
        criteria=list(rubric.criteria) if rubric is not None else [],
        ratings=content.together(project.content_ratings, task.content_ratings),
    )
