"""Two people overturn at the same moment, with real threads and commits: pay lands exactly once."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

import preceptor.people.jobs  # noqa: F401  (registers what the services defer)
from preceptor.fairness.models import Appeal, AppealState
from preceptor.kit.clock import FixedClock
from preceptor.kit.db import transaction
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.money.models import AccountKind, Posting
from preceptor.projects.models import Task
from preceptor.work.models import Claim, ClaimState, Decision, Submission, SubmissionState
from preceptor.work.service import appeals, restoring
from tests.conftest import NOW
from tests.factories import User
from tests.fairness.cases import REASON, WORDS, Case, make_case, revise
from tests.races.crowd import done, refused, together, wrongs

MakeRuntime = Callable[..., Runtime]


@pytest.fixture
def runtime(open_runtime: MakeRuntime) -> Runtime:
    return open_runtime(database_connections_max=16)


def appealed(runtime: Runtime, *, drained: bool, overlap: int = 1) -> tuple[Case, UUID]:
    """A committed case with an open appeal; `drained`: neither escrow nor wallet holds anything."""
    clock = FixedClock(NOW)
    with transaction(runtime.sessions) as session:
        case = make_case(session, clock, overlap=overlap)
        found = appeals.appeal(session, case.person.actor, case.receipt.id, WORDS, now=NOW)
        if drained:
            empty(session, case, clock)
        return case, found.id


def empty(session: Session, case: Case, clock: FixedClock) -> None:
    world, other = case.world, make_case(session, clock).world
    org_id, actor = world.organization.id, world.client.actor
    money.take_back_escrow(session, actor, org_id=org_id, project_id=world.project.id, currency="USD", now=NOW)
    held = money.wallet_balance(session, org_id, "USD")
    money.fund_project(session, actor, org_id=org_id, project_id=other.project.id, amount=held, now=NOW)


def overturn(by: User, appeal_id: UUID) -> Callable[[Session], UUID]:
    return lambda session: (
        appeals.decide_appeal(session, by.actor, appeal_id, AppealState.OVERTURNED, REASON, now=NOW).id
    )


def paid(runtime: Runtime, case: Case) -> tuple[int, int]:
    """(balance of the person, postings that paid them)"""
    with runtime.sessions() as session:
        balance = money.balance(session, AccountKind.CONTRIBUTOR, case.person.id, "USD").minor
        earned = select(func.count()).where(Posting.purpose == "earn", Posting.source_id == case.claim_id)
        return balance, session.scalar(earned) or 0


@pytest.mark.parametrize("drained", [False, True])
def test_two_who_overturn_at_once_pay_once(runtime: Runtime, drained: bool) -> None:
    case, appeal_id = appealed(runtime, drained=drained)
    deciders = [case.second, case.world.client, case.world.operator] * 2
    answers = together(runtime, [overturn(by, appeal_id) for by in deciders])
    # Whoever won may have asked twice, which is the same as once.
    assert len(done(answers)) in (1, 2)
    assert set(refused(answers)) == {"appeal_decided"}
    assert paid(runtime, case) == (42, 1)
    assert wrongs(runtime) == []


def test_a_corrected_key_and_an_appeal_at_once_pay_once(runtime: Runtime) -> None:
    case, appeal_id = appealed(runtime, drained=True)

    def corrected(session: Session) -> UUID:
        return appeals.overturn_for_gold(session, case.world.client.actor, case.receipt, reason=REASON, now=NOW).id

    appealed_too = [overturn(by, appeal_id) for by in (case.second, case.world.operator)]
    together(runtime, [*appealed_too, corrected, corrected])
    assert paid(runtime, case) == (42, 1)
    assert wrongs(runtime) == []


def test_many_appeals_against_one_empty_escrow_are_all_paid(runtime: Runtime) -> None:
    cases = [appealed(runtime, drained=True) for _ in range(6)]
    answers = together(runtime, [overturn(case.second, appeal_id) for case, appeal_id in cases])
    assert len(done(answers)) == 6
    assert [paid(runtime, case) for case, _ in cases] == [(42, 1)] * 6
    assert wrongs(runtime) == []


def test_the_ledger_itself_refuses_a_second_pay(runtime: Runtime) -> None:
    """Were the locks and states gone, the posting's own uniqueness would still stand."""
    case, appeal_id = appealed(runtime, drained=True)
    together(runtime, [overturn(case.second, appeal_id)])
    with transaction(runtime.sessions) as session:
        session.execute(update(Claim).where(Claim.id == case.claim_id).values(state="rejected"))
        session.execute(update(Task).where(Task.id == case.submission.task_id).values(taken=0, done=0))

    def again(session: Session) -> None:
        restoring.restore_submission(session, case.world.operator.actor, case.submission.id, now=NOW)

    assert refused(together(runtime, [again])) == ["already_posted"]
    with runtime.sessions() as session:
        assert session.scalars(select(Appeal.state)).one() is AppealState.OVERTURNED
    assert paid(runtime, case) == (42, 1)


@contextmanager
def meanwhile(runtime: Runtime, action: Callable[[Session], object]) -> Iterator[Future[None]]:
    """Run an action in a transaction of its own, and go on here once it waits for a lock."""

    def run() -> None:
        with transaction(runtime.sessions) as session:
            action(session)

    waits = text("""SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                    AND wait_event_type = 'Lock'""")
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(run)
        for _ in range(500):
            with runtime.sessions() as session:
                if session.scalar(waits) or started.done():
                    break
            time.sleep(0.01)
        yield started


def test_a_revision_sent_while_its_return_is_overturned_lapses(runtime: Runtime) -> None:
    with transaction(runtime.sessions) as session:
        case = make_case(session, FixedClock(NOW), Decision.RETURN)

    def restore(session: Session) -> None:
        restoring.restore_submission(session, case.world.operator.actor, case.submission.id, now=NOW)

    with transaction(runtime.sessions) as session:
        revision = revise(session, case, FixedClock(NOW)).id
        with meanwhile(runtime, restore) as restored:
            session.commit()
            restored.result(10)
    with runtime.sessions() as session:
        assert session.get_one(Claim, case.claim_id).state is ClaimState.APPROVED
        assert session.get_one(Submission, revision).state is SubmissionState.LAPSED
    assert paid(runtime, case) == (42, 1)
    assert wrongs(runtime) == []


def test_who_pays_for_an_overturned_decision_waits_for_the_task_without_holding_money(runtime: Runtime) -> None:
    """Claims lock a task and then money: the other way round, two would wait for each other."""
    case, appeal_id = appealed(runtime, drained=False)
    escrow = text("""SELECT p.part FROM account_part p JOIN account a ON a.id = p.account_id
                     WHERE a.kind = 'escrow' AND a.owner_id = :project FOR UPDATE OF p NOWAIT""")
    with transaction(runtime.sessions) as session:
        session.get_one(Task, case.submission.task_id, with_for_update=True)
        with meanwhile(runtime, overturn(case.second, appeal_id)) as overturned:
            assert session.execute(escrow, {"project": case.world.project.id}).all()
            session.commit()
            overturned.result(10)
    assert paid(runtime, case) == (42, 1)
