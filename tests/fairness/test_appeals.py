"""Appeals: once, in time, decided by somebody else, and an overturned decision is undone and paid."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from preceptor.fairness.errors import (
    AlreadyAppealed,
    AppealDecided,
    AppealTooLate,
    DecidedFirst,
    DecidesAboutThemselves,
    HumanNeeded,
    StatementNeeded,
    WordsNeeded,
)
from preceptor.fairness.models import Appeal, AppealOrigin, AppealState
from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import NotFound
from preceptor.kit.events import SYSTEM, Actor, Event
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.people.models import OutboxMail, PersonState
from preceptor.people.service import accounts
from preceptor.projects.models import ProjectState
from preceptor.projects.service import projects as project_service
from preceptor.work import service as work
from preceptor.work.models import Claim, ClaimState, Decision, SubmissionState
from preceptor.work.models_quality import GoldReview
from preceptor.work.service import appeals, decisions
from preceptor.work.service.sweeping import close_finished_projects, expire_overdue
from tests.factories import User, join, make_client, make_contributor, make_user
from tests.fairness.cases import (
    REASON,
    WORDS,
    Case,
    appeal_postings,
    counts,
    decide,
    earned,
    everything_holds,
    make_case,
    revise,
)
from tests.web.acting import judge

OVERTURNED, STANDS = AppealState.OVERTURNED, AppealState.STANDS


@pytest.fixture
def case(session: Session, clock: FixedClock) -> Case:
    return make_case(session, clock)


def ask(session: Session, case: Case, clock: FixedClock, words: str = WORDS) -> Appeal:
    return appeals.appeal(session, case.person.actor, case.receipt.id, words, now=clock.now())


def answer(
    session: Session, case: Case, clock: FixedClock, to: AppealState = OVERTURNED, by: User | None = None
) -> Appeal:
    found = ask(session, case, clock)
    return appeals.decide_appeal(session, (by or case.second).actor, found.id, to, REASON, now=clock.now())


# --- Asking


def test_asking_twice_in_the_same_words_is_one_appeal(session: Session, clock: FixedClock, case: Case) -> None:
    assert ask(session, case, clock).id == ask(session, case, clock).id
    with pytest.raises(AlreadyAppealed):
        ask(session, case, clock, "And in other words as well, once more.")
    assert session.scalar(select(func.count()).where(Event.kind == "work.appealed")) == 1


def test_few_words_are_refused(session: Session, clock: FixedClock, case: Case) -> None:
    with pytest.raises(WordsNeeded):
        ask(session, case, clock, "Not fair.")


def test_the_last_moment_counts_and_the_next_is_too_late(session: Session, clock: FixedClock, case: Case) -> None:
    clock.at = case.receipt.appeal_until + timedelta(seconds=1)
    with pytest.raises(AppealTooLate):
        ask(session, case, clock)
    clock.at = case.receipt.appeal_until
    assert ask(session, case, clock).state is AppealState.OPEN


def test_somebody_elses_decision_cannot_be_found_or_appealed(session: Session, clock: FixedClock, case: Case) -> None:
    stranger = make_contributor(session, now=clock.now())
    with pytest.raises(NotFound):
        appeals.appeal(session, stranger.actor, case.receipt.id, WORDS, now=clock.now())
    with pytest.raises(NotFound):
        decisions.own_decision(session, stranger.actor, case.receipt.id)


# --- Who decides


def test_the_first_decider_is_refused_by_name(session: Session, clock: FixedClock, case: Case) -> None:
    with pytest.raises(DecidedFirst):
        answer(session, case, clock, by=case.world.reviewer)


def test_the_database_refuses_the_first_decider_too(session: Session, clock: FixedClock, case: Case) -> None:
    found = ask(session, case, clock)
    change = text("UPDATE appeal SET state = 'stands', reason = 'x', decided_at = now(), decided_by = :by")
    for by, name in ((case.world.reviewer.id, "by_somebody_else"), (case.person.id, "not_by_the_person")):
        with pytest.raises(DBAPIError, match=name), session.begin_nested():
            session.execute(change, {"by": by})
    session.execute(change, {"by": case.second.id})
    session.refresh(found)
    assert found.state is STANDS


def test_the_person_and_the_system_decide_nothing(session: Session, clock: FixedClock, case: Case) -> None:
    found = ask(session, case, clock)
    case.person.person.is_operator = True
    as_operator = make_operator_of(case.person)
    with pytest.raises(DecidesAboutThemselves):
        appeals.decide_appeal(session, as_operator, found.id, OVERTURNED, REASON, now=clock.now())
    with pytest.raises(HumanNeeded):
        appeals.decide_appeal(session, SYSTEM, found.id, OVERTURNED, REASON, now=clock.now())


def make_operator_of(user: User) -> Actor:
    return Actor(user.id, "person", user.person.name, frozenset({"operator"}))


def test_strangers_find_no_appeal(session: Session, clock: FixedClock, case: Case) -> None:
    found = ask(session, case, clock)
    _, stranger = make_client(session, now=clock.now())
    other_reviewer = make_user(session, now=clock.now(), is_reviewer=True)
    for nobody in (stranger, other_reviewer, make_contributor(session, now=clock.now())):
        assert decisions.appeal_queue(session, nobody.actor) == []
        with pytest.raises(NotFound):
            decisions.appeal_sheet(session, nobody.actor, found.id)
        with pytest.raises(NotFound):
            appeals.decide_appeal(session, nobody.actor, found.id, OVERTURNED, REASON, now=clock.now())


@pytest.mark.parametrize("who", ["second", "client", "operator"])
def test_reviewers_managers_and_operators_may_decide(session: Session, clock: FixedClock, case: Case, who: str) -> None:
    by = case.second if who == "second" else getattr(case.world, who)
    assert answer(session, case, clock, STANDS, by).decided_by == by.id


def test_the_queue_tells_who_decided_first_that_somebody_else_decides(
    session: Session, clock: FixedClock, case: Case
) -> None:
    found = ask(session, case, clock)
    mine, theirs = (decisions.appeal_queue(session, user.actor) for user in (case.world.reviewer, case.second))
    assert [(line.appeal.id, line.decided_first) for line in (*mine, *theirs)] == [(found.id, True), (found.id, False)]
    assert decisions.appeals_waiting(session, case.world.reviewer.actor) == 0
    assert decisions.appeals_waiting(session, case.second.actor) == 1


def test_an_outcome_needs_its_reason_and_is_final(session: Session, clock: FixedClock, case: Case) -> None:
    found = ask(session, case, clock)
    with pytest.raises(StatementNeeded):
        appeals.decide_appeal(session, case.second.actor, found.id, STANDS, "No.", now=clock.now())
    appeals.decide_appeal(session, case.second.actor, found.id, STANDS, REASON, now=clock.now())
    again = appeals.decide_appeal(session, case.second.actor, found.id, STANDS, REASON, now=clock.now())
    assert again.id == found.id
    with pytest.raises(AppealDecided):
        appeals.decide_appeal(session, case.second.actor, found.id, OVERTURNED, REASON, now=clock.now())
    with pytest.raises(AppealDecided):
        appeals.decide_appeal(session, case.world.client.actor, found.id, STANDS, REASON, now=clock.now())


# --- What an outcome does


def test_a_decision_that_stands_changes_nothing_but_is_told(session: Session, clock: FixedClock, case: Case) -> None:
    answer(session, case, clock, STANDS)
    session.refresh(case.submission)
    assert case.submission.state is SubmissionState.REJECTED
    assert earned(session, case.person) == 0
    told = session.scalars(select(OutboxMail).where(OutboxMail.to_email == case.person.person.email)).all()
    assert "stands" in told[-1].subject
    assert REASON in told[-1].body
    everything_holds(session)


def test_an_overturned_rejection_is_approved_and_paid_from_escrow(
    session: Session, clock: FixedClock, case: Case
) -> None:
    escrow = money.project_funds(session, case.world.project.id, "USD").escrow
    answer(session, case, clock)
    claim = session.get_one(Claim, case.claim_id)
    session.refresh(case.submission)
    assert (case.submission.state, claim.state) == (SubmissionState.APPROVED, ClaimState.APPROVED)
    assert earned(session, case.person) == 42
    assert escrow - money.project_funds(session, case.world.project.id, "USD").escrow == Money(42, "USD")
    assert appeal_postings(session) == [("earn", 42)]
    assert counts(session, claim.task_id) == (2, 1, 1)
    everything_holds(session)


@pytest.mark.parametrize(
    ("to", "right"), [(AppealState.OVERTURNED, Decision.APPROVE), (AppealState.STANDS, Decision.REJECT)]
)
def test_what_an_appeal_settled_becomes_a_review_with_a_known_decision(
    session: Session, clock: FixedClock, case: Case, to: AppealState, right: Decision
) -> None:
    answer(session, case, clock, to)
    known = session.get_one(GoldReview, case.submission.id)
    assert known.decision is right
    assert known.explanation


def test_a_slot_that_was_given_away_makes_the_task_want_one_more(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, overlap=1)
    judge(session, join(session, case.world, now=clock.now())[0], case.world, clock)
    task_id = case.submission.task_id
    assert counts(session, task_id) == (1, 1, 1)
    answer(session, case, clock)
    assert counts(session, task_id) == (2, 2, 2)
    everything_holds(session)


def test_an_empty_escrow_is_covered_by_the_wallet(session: Session, clock: FixedClock, case: Case) -> None:
    drain(session, case, clock)
    answer(session, case, clock)
    assert earned(session, case.person) == 42
    assert appeal_postings(session) == [("earn", 42), ("fund", 42)]
    spent = money.project_spent(session, case.world.organization.id, case.world.project.id, "USD")
    assert spent == Money(42, "USD")
    everything_holds(session)


def test_an_empty_wallet_is_covered_by_the_installation(session: Session, clock: FixedClock, case: Case) -> None:
    drain(session, case, clock)
    elsewhere = make_case(session, clock).world
    session.flush()
    held = money.wallet_balance(session, case.world.organization.id, "USD")
    move_away(session, case, elsewhere.project.id, held, clock)
    answer(session, case, clock)
    assert earned(session, case.person) == 42
    assert appeal_postings(session) == [("earn", 42), ("guarantee", 42)]
    told = session.scalars(select(Event).where(Event.kind == "money.guaranteed")).one()
    assert told.data == {"amount": "0.42", "currency": "USD"}
    assert money.project_spent(session, case.world.organization.id, case.world.project.id, "USD").minor == 0
    everything_holds(session)


def drain(session: Session, case: Case, clock: FixedClock) -> None:
    """Everything that the escrow holds goes back to the client's wallet."""
    world = case.world
    money.take_back_escrow(
        session, world.client.actor, org_id=world.organization.id, project_id=world.project.id, currency="USD",
        now=clock.now(),
    )  # fmt: skip


def move_away(session: Session, case: Case, project_id: UUID, amount: Money, clock: FixedClock) -> None:
    money.fund_project(
        session, case.world.client.actor, org_id=case.world.organization.id, project_id=project_id, amount=amount,
        now=clock.now(),
    )  # fmt: skip


def test_a_closed_project_still_pays(session: Session, clock: FixedClock, case: Case) -> None:
    project_service.move(
        session, case.world.project, ProjectState.CLOSING, actor=case.world.client.actor, now=clock.now()
    )
    session.flush()
    assert close_finished_projects(session, now=clock.now()) == 1
    answer(session, case, clock)
    assert earned(session, case.person) == 42
    everything_holds(session)


# --- Returned work


def test_an_overturned_return_is_approved_as_it_stands_from_its_reservation(
    session: Session, clock: FixedClock
) -> None:
    case = make_case(session, clock, Decision.RETURN)
    answer(session, case, clock)
    session.refresh(case.submission)
    assert case.submission.state is SubmissionState.APPROVED
    assert earned(session, case.person) == 42
    assert appeal_postings(session) == []
    assert counts(session, case.submission.task_id) == (2, 1, 1)
    everything_holds(session)


def test_a_revision_that_was_not_needed_gives_way_to_the_first_answer(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    revision = revise(session, case, clock)
    answer(session, case, clock)
    session.refresh(case.submission)
    session.refresh(revision)
    assert (case.submission.state, revision.state) == (SubmissionState.APPROVED, SubmissionState.LAPSED)
    assert earned(session, case.person) == 42
    everything_holds(session)


def test_a_revision_that_was_approved_stays_and_nothing_is_paid_twice(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    revision = revise(session, case, clock)
    work.decide(session, case.second.actor, revision.id, Decision.APPROVE, comment="", now=clock.now())
    answer(session, case, clock)
    session.refresh(case.submission)
    assert case.submission.state is SubmissionState.RETURNED
    assert earned(session, case.person) == 42
    everything_holds(session)


def test_return_and_rejection_of_one_claim_are_paid_once_when_both_fall(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    revision = revise(session, case, clock)
    rejected = decide(session, case.world.reviewer, revision, clock)
    answer(session, case, clock)
    found = appeals.appeal(session, case.person.actor, rejected.id, WORDS, now=clock.now())
    appeals.decide_appeal(session, case.second.actor, found.id, OVERTURNED, REASON, now=clock.now())
    assert earned(session, case.person) == 42
    assert appeal_postings(session) == [("earn", 42)]
    everything_holds(session)


def test_a_lapsed_return_is_paid_anew(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    clock.at += timedelta(days=3)
    assert expire_overdue(session, now=clock.now()) == 1
    answer(session, case, clock)
    session.refresh(case.submission)
    assert case.submission.state is SubmissionState.APPROVED
    assert appeal_postings(session) == [("earn", 42)]
    everything_holds(session)


def test_a_task_taken_again_since_is_paid_by_that_claim(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, Decision.RETURN)
    clock.at += timedelta(days=3)
    expire_overdue(session, now=clock.now())
    again = judge(session, case.person, case.world, clock)
    assert again.task_id == case.submission.task_id
    answer(session, case, clock)
    assert earned(session, case.person) == 0
    work.decide(session, case.second.actor, again.id, Decision.APPROVE, comment="", now=clock.now())
    assert earned(session, case.person) == 42
    everything_holds(session)


def test_a_task_taken_again_and_skipped_since_is_paid_as_it_was_answered_first(
    session: Session, clock: FixedClock
) -> None:
    case = make_case(session, clock, Decision.RETURN)
    clock.at += timedelta(days=3)
    expire_overdue(session, now=clock.now())
    again = work.claim_next(session, case.person.actor, case.world.project.id, now=clock.now()).claim
    assert again.task_id == case.submission.task_id
    work.skip_claim(session, case.person.actor, again.id, "unclear", now=clock.now())
    answer(session, case, clock)
    assert earned(session, case.person) == 42
    assert counts(session, case.submission.task_id) == (2, 1, 1)
    everything_holds(session)


def test_a_task_set_aside_again_since_is_let_go_and_paid_as_it_was_answered_first(
    session: Session, clock: FixedClock
) -> None:
    case = make_case(session, clock, Decision.RETURN, tasks=6)
    clock.at += timedelta(days=3)
    expire_overdue(session, now=clock.now())
    for _ in case.world.tasks[1:-1]:
        passed_over = work.claim_next(session, case.person.actor, case.world.project.id, now=clock.now()).claim
        work.skip_claim(session, case.person.actor, passed_over.id, "unclear", now=clock.now())
    held = work.claim_next(session, case.person.actor, case.world.project.id, now=clock.now()).claim
    aside = work.fetch_ahead(session, case.person.actor, held.id, now=clock.now())
    assert aside is not None
    assert aside.claim.task_id == case.submission.task_id
    answer(session, case, clock)
    assert earned(session, case.person) == 42
    assert session.get_one(Claim, aside.claim.id).state is ClaimState.EXPIRED
    everything_holds(session)


# --- Suspensions


def test_an_overturned_suspension_opens_the_account(session: Session, clock: FixedClock, case: Case) -> None:
    first, person = case.world.operator, case.person
    other = make_user(session, now=clock.now(), is_operator=True)
    accounts.suspend(session, first.actor, person.id, reason="Shares the account with others.", now=clock.now())
    receipt_id = person.person.receipt_id
    assert receipt_id is not None
    found = appeals.appeal(session, person.actor, receipt_id, WORDS, now=clock.now())
    for nobody in (case.second, case.world.client):
        with pytest.raises(NotFound):
            appeals.decide_appeal(session, nobody.actor, found.id, OVERTURNED, REASON, now=clock.now())
    with pytest.raises(DecidedFirst):
        appeals.decide_appeal(session, first.actor, found.id, OVERTURNED, REASON, now=clock.now())
    appeals.decide_appeal(session, other.actor, found.id, OVERTURNED, REASON, now=clock.now())
    assert person.person.state is PersonState.ACTIVE


# --- Corrected keys


def test_a_corrected_key_overturns_even_by_who_decided_first(session: Session, clock: FixedClock, case: Case) -> None:
    decider = case.world.reviewer.actor
    found = appeals.overturn_for_gold(session, decider, case.receipt, reason=REASON, now=clock.now())
    again = appeals.overturn_for_gold(session, decider, case.receipt, reason=REASON, now=clock.now())
    assert found.id == again.id
    assert (found.origin, found.state) == (AppealOrigin.GOLD_CHALLENGE, OVERTURNED)
    assert earned(session, case.person) == 42
    everything_holds(session)


@pytest.mark.parametrize("before", [None, STANDS])
def test_a_corrected_key_decides_an_appeal_that_waits_or_was_lost(
    session: Session, clock: FixedClock, case: Case, before: AppealState | None
) -> None:
    mine = ask(session, case, clock) if before is None else answer(session, case, clock, before)
    found = appeals.overturn_for_gold(session, case.world.reviewer.actor, case.receipt, reason=REASON, now=clock.now())
    assert (found.id, found.state, found.words) == (mine.id, OVERTURNED, WORDS)
    assert earned(session, case.person) == 42


# --- Rates


def test_rates_count_appeals_of_people_with_intervals(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock, tasks=4)
    assert appeals.overturn_rates(session, case.world.project.id).overturn_rate.value is None
    answer(session, case, clock)
    for state in (STANDS, None):
        submission = judge(session, case.person, case.world, clock)
        receipt = decide(session, case.world.reviewer, submission, clock)
        if state is not None:
            found = appeals.appeal(session, case.person.actor, receipt.id, WORDS, now=clock.now())
            appeals.decide_appeal(session, case.second.actor, found.id, state, REASON, now=clock.now())
    rates = appeals.overturn_rates(session, case.world.project.id)
    assert (rates.decisions, rates.appealed, rates.decided, rates.overturned) == (3, 2, 2, 1)
    assert rates.overturn_rate.value == 0.5
    assert rates.overturn_rate.low is not None
    assert rates.overturn_rate.low < 0.5
    by_decider = appeals.overturn_rates_by_decider(session, case.world.operator.actor)
    assert by_decider[case.world.reviewer.id].overturned == 1


def test_a_corrected_key_is_no_fault_of_the_reviewer(session: Session, clock: FixedClock, case: Case) -> None:
    appeals.overturn_for_gold(session, case.world.client.actor, case.receipt, reason=REASON, now=clock.now())
    rates = appeals.overturn_rates(session, case.world.project.id)
    assert (rates.decisions, rates.appealed, rates.overturned, rates.corrected) == (1, 0, 0, 1)
