"""Decided work to appeal against, made by the services."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

import preceptor.people.jobs  # noqa: F401  (registers what the services defer)
from preceptor.fairness.models import DecisionReceipt
from preceptor.kit.clock import FixedClock
from preceptor.money import service as money
from preceptor.money.models import AccountKind, Posting
from preceptor.projects.models import ProjectReviewer, Task
from preceptor.work import service as work
from preceptor.work.models import Claim, Decision, Submission
from preceptor.work.service import CriterionVerdict
from preceptor.work.service.proof import prove_work
from tests.factories import User, World, join, make_practice, make_user, make_world
from tests.web.acting import judge

WHY = "The choice does not follow from the sum."
WORDS = "The sum is right as I gave it; please check it again."
REASON = "Checked by hand: the answer was right all along."
NOT_MET = CriterionVerdict("right", "not_met", "Wrong side chosen", "adds up")


@dataclass(frozen=True)
class Case:
    """A world with one decided submission, its receipt, and a second reviewer who may look again."""

    world: World
    person: User
    second: User
    submission: Submission
    receipt: DecisionReceipt

    @property
    def claim_id(self) -> UUID:
        return self.submission.claim_id


def make_case(
    session: Session, clock: FixedClock, decision: Decision = Decision.REJECT, *, overlap: int = 2, tasks: int = 1
) -> Case:
    world = make_world(session, now=clock.now(), overlap=overlap, tasks=tasks, review_percent=100)
    make_practice(session, world, now=clock.now())
    person = join(session, world, now=clock.now())[0]
    submission = judge(session, person, world, clock)
    second = add_reviewer(session, world, clock)
    return Case(world, person, second, submission, decide(session, world.reviewer, submission, clock, decision))


def add_reviewer(session: Session, world: World, clock: FixedClock) -> User:
    second = make_user(session, now=clock.now(), is_reviewer=True)
    session.add(ProjectReviewer(project_id=world.project.id, person_id=second.id, created_at=clock.now()))
    session.flush()
    return second


def decide(
    session: Session, reviewer: User, submission: Submission, clock: FixedClock, decision: Decision = Decision.REJECT
) -> DecisionReceipt:
    criteria = [NOT_MET] if decision is Decision.REJECT else []
    work.decide(session, reviewer.actor, submission.id, decision, comment=WHY, criteria=criteria, now=clock.now())
    return receipt_of(session, submission)


def receipt_of(session: Session, submission: Submission) -> DecisionReceipt:
    return session.scalars(select(DecisionReceipt).where(DecisionReceipt.submission_id == submission.id)).one()


def revise(session: Session, case: Case, clock: FixedClock) -> Submission:
    """The person answers the other way round, as a reviewer asked."""
    claim = session.get_one(Claim, case.claim_id)
    first, second = claim.display_order
    shown = dict(zip(claim.display_order, "AB", strict=True))
    answer = {
        "ranks": {shown[first]: 1, shown[second]: 1},
        "strength": 0,
        "justification": "Both are equally good, then.",
    }
    return work.submit(session, case.person.actor, case.claim_id, answer, now=clock.now())


def earned(session: Session, person: User) -> int:
    return money.balance(session, AccountKind.CONTRIBUTOR, person.id, "USD").minor


def appeal_postings(session: Session) -> list[tuple[str, int]]:
    found = (
        select(Posting.purpose, Posting.amount_minor).where(Posting.source_kind == "appeal").order_by(Posting.purpose)
    )
    return [(row[0], row[1]) for row in session.execute(found)]


def counts(session: Session, task_id: UUID) -> tuple[int, int, int]:
    """(wanted, taken, done)"""
    session.expire_all()
    task = session.get_one(Task, task_id)
    return task.wanted, task.taken, task.done


def everything_holds(session: Session) -> None:
    """The books balance, and work and money say the same."""
    session.flush()
    ledger = money.prove(session)
    assert ledger.wrong == []
    assert ledger.imbalance_minor == 0
    _, wrong = prove_work(session)
    assert wrong == []
