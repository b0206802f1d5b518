"""Races on purpose. Each ends with the proofs over all rows; the `without` tests take the lock or the constraint
away and show that the same race then ends badly, so that a promise cannot lose its guard unnoticed."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError
from preceptor.kit.events import Event
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import queries as money_queries
from preceptor.money import service as money
from preceptor.money.models import AccountKind, AccountPart, Payout
from preceptor.projects.models import Membership, Project, ProjectReviewer, ProjectState, Task
from preceptor.work import queries, rules, service
from preceptor.work.errors import NoWorkLeft
from preceptor.work.models import Claim, ClaimState, Decision, Review, Submission
from preceptor.work.service import ClaimedWork, CriterionVerdict
from tests.conftest import NOW
from tests.factories import PREFER_A, User, World, join, make_user, make_world
from tests.races.crowd import CROWD, done, refused, take_away, together, without, wrongs

ROUNDS = 10
"""A weakened guard is tried this often before its loss counts as unnoticed."""
RATE = 42
MakeRuntime = Callable[..., Runtime]


@dataclass(frozen=True)
class Scene:
    runtime: Runtime
    world: World
    people: list[User]

    @property
    def project_id(self) -> UUID:
        return self.world.project.id

    def claim(self, user: User) -> Callable[[Session], ClaimedWork]:
        return lambda session: service.claim_next(session, user.actor, self.project_id, now=NOW)

    def everybody_claims(self) -> list[ClaimedWork | AppError]:
        return together(self.runtime, [self.claim(user) for user in self.people])

    def submit(self, claimed: Claim, user: User, answer: dict[str, object] = PREFER_A) -> Callable[[Session], UUID]:
        return lambda session: service.submit(session, user.actor, claimed.id, dict(answer), now=NOW).id

    def count(self, what: type, *where: object) -> int:
        with self.runtime.sessions() as session:
            return session.scalar(select(func.count()).select_from(what).where(*where)) or 0  # type: ignore[arg-type]

    def escrow_and_reserved(self) -> tuple[int, int]:
        with self.runtime.sessions() as session:
            funds = money.project_funds(session, self.project_id, "USD")
        return funds.escrow.minor, funds.reserved.minor


@pytest.fixture
def runtime(open_runtime: MakeRuntime) -> Runtime:
    return open_runtime(database_connections_max=CROWD)


def set_up(
    runtime: Runtime,
    people: int = CROWD,
    *,
    tasks: int = 3,
    overlap: int = 2,
    budget_minor: int = 1_000_000,
    review_percent: int = 0,
) -> Scene:
    with transaction(runtime.sessions) as session:
        world = make_world(
            session,
            now=NOW,
            tasks=tasks,
            overlap=overlap,
            rate_minor=RATE,
            budget_minor=budget_minor,
            review_percent=review_percent,
        )
        return Scene(runtime, world, join(session, world, now=NOW, people=people))


def submitted(runtime: Runtime, people: int, **more: int) -> tuple[Scene, list[UUID]]:
    """A scene in which everybody has claimed and submitted once."""
    scene = set_up(runtime, people, **more)
    with transaction(runtime.sessions) as session:
        claims = [(user, scene.claim(user)(session).claim) for user in scene.people]
        return scene, [scene.submit(claim, user)(session) for user, claim in claims]


# --- Overlap


def race_for_few_places(runtime: Runtime) -> tuple[Scene, list[ClaimedWork | AppError]]:
    scene = set_up(runtime, tasks=5, overlap=4)
    return scene, scene.everybody_claims()


def test_overlap_is_filled_and_never_exceeded(runtime: Runtime) -> None:
    scene, answers = race_for_few_places(runtime)
    assert Counter(work.claim.task_id for work in done(answers)) == {task.id: 4 for task in scene.world.tasks}
    assert Counter(refused(answers)) == {"no_work_left": CROWD - 20}
    assert scene.count(Event, Event.kind == "work.claimed") == 20
    assert wrongs(runtime) == []


def test_without_lock_and_check_the_overlap_is_exceeded(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(runtime, "ALTER TABLE task DROP CONSTRAINT ck_task_taken_within_wanted")
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))
    assert any("overlap exceeded" in wrongs(race_for_few_places(runtime)[0].runtime) for _ in range(ROUNDS))


def test_without_the_lock_the_check_still_refuses(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))

    def refused_by_the_table() -> bool:
        try:
            race_for_few_places(runtime)
        except IntegrityError as error:
            return "taken_within_wanted" in str(error)
        return False

    assert any(refused_by_the_table() for _ in range(ROUNDS))
    assert wrongs(runtime) == []


# --- One person


def race_of_double_clicks(runtime: Runtime) -> Scene:
    """Eight people with eight tabs each, who all press twice."""
    scene = set_up(runtime, 8, tasks=20, overlap=10)
    clicks = [scene.claim(user) for user in scene.people for _ in range(8)]
    assert refused(together(runtime, clicks)) == []
    return scene


def open_claims_each(scene: Scene) -> set[int]:
    with scene.runtime.sessions() as session:
        counted = select(func.count()).where(Claim.project_id == scene.project_id, Claim.state == ClaimState.OPEN)
        return set(session.scalars(counted.group_by(Claim.person_id)))


def test_double_clicks_leave_one_open_claim_each(runtime: Runtime) -> None:
    scene = race_of_double_clicks(runtime)
    assert open_claims_each(scene) == {1}
    assert scene.escrow_and_reserved()[1] == 8 * RATE
    assert wrongs(runtime) == []


def test_without_membership_lock_and_index_double_clicks_take_two(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(runtime, "DROP INDEX uq_claim_open", "DROP INDEX uq_claim_task_person")
    monkeypatch.setattr(queries, "LOCK_MEMBERSHIP", without(queries.LOCK_MEMBERSHIP, "FOR UPDATE OF m"))
    assert any(max(open_claims_each(race_of_double_clicks(runtime))) > 1 for _ in range(ROUNDS))


def race_over_all_tasks(runtime: Runtime) -> Scene:
    """Each person works with four tabs at once until nothing is left."""
    scene = set_up(runtime, 12, tasks=6, overlap=12)

    def work_on(user: User) -> Callable[[Session], int]:
        def until_nothing_is_left(_: Session) -> int:
            finished = 0
            while True:
                answers = together(runtime, [scene.claim(user)])
                if not done(answers):
                    return finished
                finished += len(done(together(runtime, [scene.submit(done(answers)[0].claim, user)])))

        return until_nothing_is_left

    together_without_transaction = [work_on(user) for user in scene.people for _ in range(4)]
    with ThreadPoolExecutor(len(together_without_transaction)) as pool, runtime.sessions() as unused:
        list(pool.map(lambda job: job(unused), together_without_transaction))
    return scene


def judged_twice(scene: Scene) -> int:
    with scene.runtime.sessions() as session:
        each = select(func.count().label("times")).where(Submission.project_id == scene.project_id)
        each = each.group_by(Submission.task_id, Submission.person_id)
        return sum(times > 1 for times in session.scalars(each))


def test_nobody_judges_a_task_twice_even_with_four_tabs(runtime: Runtime) -> None:
    scene = race_over_all_tasks(runtime)
    assert judged_twice(scene) == 0
    assert scene.count(Submission) == 6 * 12
    assert wrongs(runtime) == []


def test_without_membership_lock_and_index_a_task_is_judged_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(
        runtime,
        "DROP INDEX uq_claim_open",
        "DROP INDEX uq_claim_task_person",
        "ALTER TABLE task DROP CONSTRAINT ck_task_taken_within_wanted",
    )
    monkeypatch.setattr(queries, "LOCK_MEMBERSHIP", without(queries.LOCK_MEMBERSHIP, "FOR UPDATE OF m"))
    monkeypatch.setattr(queries, "PICK_FREE", without(queries.PICK_FREE, "FOR UPDATE OF t SKIP LOCKED"))
    assert any(judged_twice(race_over_all_tasks(runtime)) for _ in range(ROUNDS))


# --- Claimable means funded


@pytest.mark.parametrize("affordable", [1, 20, 47])
def test_a_budget_for_so_many_claims_makes_exactly_so_many(runtime: Runtime, affordable: int) -> None:
    # The budget is spread over 32 parts, none of which holds a whole number of rates: the last ones are gathered.
    scene = set_up(runtime, tasks=10, overlap=10, budget_minor=affordable * RATE + RATE - 1)
    answers = scene.everybody_claims()
    assert Counter(refused(answers)) == {"not_funded": CROWD - affordable}
    assert scene.escrow_and_reserved() == (RATE - 1, affordable * RATE)
    assert wrongs(runtime) == []


def test_without_lock_and_check_more_is_reserved_than_there_is(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(runtime, "ALTER TABLE account_part DROP CONSTRAINT ck_account_part_not_overdrawn")
    monkeypatch.setattr(queries, "TAKE_FREE", without(queries.TAKE_FREE, "FOR UPDATE SKIP LOCKED"))

    def overspent() -> bool:
        scene = set_up(runtime, tasks=10, overlap=10, budget_minor=32 * RATE)
        scene.everybody_claims()
        return "overdrawn" in wrongs(runtime)

    assert any(overspent() for _ in range(ROUNDS))


def test_money_that_arrives_and_leaves_while_people_claim_is_never_spent_twice(runtime: Runtime) -> None:
    scene = set_up(runtime, 48, tasks=10, overlap=10, budget_minor=10 * RATE)
    world, one = scene.world, Money(RATE * 3, "USD")
    whose = {"org_id": world.organization.id, "project_id": scene.project_id}
    with transaction(runtime.sessions) as session:
        money.top_up(session, world.operator.actor, world.organization.id, Money(8 * 3 * RATE, "USD"), note="", now=NOW)

    def fund(session: Session) -> None:
        money.fund_project(session, world.client.actor, **whose, amount=one, now=NOW)

    def take_back(session: Session) -> object:
        return money.take_back_escrow(session, world.client.actor, **whose, currency="USD", now=NOW)

    claims: list[Callable[[Session], object]] = [scene.claim(user) for user in scene.people]
    answers = together(runtime, claims + [fund] * 8 + [take_back] * 8)
    assert set(refused(answers)) <= {"not_funded"}
    with runtime.sessions() as session:
        wallet = money.wallet_balance(session, world.organization.id, "USD").minor
    escrow, reserved = scene.escrow_and_reserved()
    assert wallet + escrow + reserved == (10 + 24) * RATE
    assert reserved == scene.count(Claim) * RATE
    assert wrongs(runtime) == []


# --- No work left


def test_everybody_gets_one_of_as_many_tasks(runtime: Runtime) -> None:
    scene = set_up(runtime, tasks=CROWD, overlap=1)
    answers = scene.everybody_claims()
    assert refused(answers) == []
    assert len({work.claim.task_id for work in done(answers)}) == CROWD
    assert wrongs(runtime) == []


def ask_while_the_last_task_is_locked(runtime: Runtime, *, first_gives_up: bool) -> ClaimedWork | AppError:
    """One person has the last task in an open transaction; another asks; then the first commits or gives up."""
    scene = set_up(runtime, 2, tasks=1, overlap=1)
    first, second = scene.people
    with ThreadPoolExecutor(1) as pool, runtime.sessions() as session:
        scene.claim(first)(session)
        asked = pool.submit(together, runtime, [scene.claim(second)])
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.5)
        if first_gives_up:
            session.rollback()
        else:
            session.commit()
        answer: ClaimedWork | AppError = asked.result(timeout=10)[0]
    return answer


def test_no_work_left_waits_for_tasks_that_are_only_locked(runtime: Runtime) -> None:
    assert isinstance(ask_while_the_last_task_is_locked(runtime, first_gives_up=True), ClaimedWork)
    assert isinstance(ask_while_the_last_task_is_locked(runtime, first_gives_up=False), NoWorkLeft)
    assert wrongs(runtime) == []


def test_without_waiting_no_work_left_is_said_too_early(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_so_at_once(*_: object) -> None:
        raise NoWorkLeft

    monkeypatch.setattr("preceptor.work.service.claims._pick_waiting", say_so_at_once)
    scene = set_up(runtime, 2, tasks=1, overlap=1)
    with runtime.sessions() as session:
        scene.claim(scene.people[0])(session)
        assert refused(together(runtime, [scene.claim(scene.people[1])])) == ["no_work_left"]
        session.rollback()


def test_a_task_given_back_meanwhile_is_found(runtime: Runtime) -> None:
    scene = set_up(runtime, tasks=8, overlap=8)
    held = done(scene.everybody_claims())
    assert len(held) == CROWD
    with transaction(runtime.sessions) as session:
        late = join(session, scene.world, now=NOW, people=16)
    owners = {user.id: user for user in scene.people}

    def release(work: ClaimedWork) -> Callable[[Session], object]:
        user = owners[work.claim.person_id]
        return lambda session: service.release_claim(session, user.actor, work.claim.id, now=NOW)

    jobs: list[Callable[[Session], object]] = [release(work) for work in held[:16]]
    together(runtime, jobs + [scene.claim(user) for user in late])
    still = together(runtime, [scene.claim(user) for user in late])
    assert refused(still) == []
    assert scene.count(Claim, Claim.state == ClaimState.OPEN) == CROWD
    assert wrongs(runtime) == []


# --- Submitting


def race_of_submits(runtime: Runtime) -> tuple[Scene, list[UUID | AppError]]:
    scene = set_up(runtime, 8, tasks=8, overlap=8)
    held = scene.everybody_claims()
    jobs = [scene.submit(work.claim, user) for work, user in zip(done(held), scene.people, strict=True)]
    return scene, together(runtime, jobs * 8)


def test_submitting_eight_times_at_once_is_the_same_as_once(runtime: Runtime) -> None:
    scene, answers = race_of_submits(runtime)
    assert refused(answers) == []
    assert len(set(done(answers))) == 8
    assert scene.count(Submission) == 8
    assert wrongs(runtime) == []


def test_of_two_different_answers_at_once_one_counts(runtime: Runtime) -> None:
    scene = set_up(runtime, 8, tasks=8, overlap=8)
    held = done(scene.everybody_claims())
    other = {**PREFER_A, "ranks": {"A": 2, "B": 1}}
    both = [(PREFER_A, other)[turn % 2] for turn in range(8)]
    jobs = [scene.submit(w.claim, u, given) for w, u in zip(held, scene.people, strict=True) for given in both]
    answers = together(runtime, jobs)
    assert Counter(refused(answers)) == {"already_submitted": 32}
    assert scene.count(Submission) == 8
    assert wrongs(runtime) == []


def test_without_lock_and_constraint_a_submission_is_stored_twice(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away(
        runtime,
        "ALTER TABLE submission DROP CONSTRAINT uq_submission_claim_id_revision",
        "ALTER TABLE task DROP CONSTRAINT ck_task_done_within_taken",
    )
    monkeypatch.setattr(queries, "CLAIM_TO_SUBMIT", without(queries.CLAIM_TO_SUBMIT, "FOR UPDATE OF c"))

    def stored_twice() -> bool:
        race_of_submits(runtime)
        with runtime.sessions() as session:
            each = select(func.count()).select_from(Submission).group_by(Submission.claim_id)
            return max(session.scalars(each)) > 1

    assert any(stored_twice() for _ in range(ROUNDS))


def test_an_answer_and_the_end_of_its_lease_at_once_end_in_one_of_both(runtime: Runtime) -> None:
    scene = set_up(runtime, 32, tasks=32, overlap=1)
    held = done(scene.everybody_claims())
    late = NOW + timedelta(seconds=600) + rules.LEASE_GRACE + timedelta(seconds=1)
    jobs: list[Callable[[Session], object]] = [
        scene.submit(work.claim, user) for work, user in zip(held, scene.people, strict=True)
    ]
    answers = together(runtime, jobs + [lambda session: service.expire_overdue(session, now=late)] * 8)
    assert set(refused(answers)) <= {"lease_over"}
    given, expired = scene.count(Submission), scene.count(Claim, Claim.state == ClaimState.EXPIRED)
    assert given == 32 - len(refused(answers))
    assert given + expired + scene.count(Claim, Claim.state == ClaimState.OPEN) == 32
    assert wrongs(runtime) == []


def test_the_newest_draft_wins_however_they_arrive(runtime: Runtime) -> None:
    scene = set_up(runtime, 1)
    user = scene.people[0]
    claim = done(scene.everybody_claims())[0].claim

    def save(number: int) -> Callable[[Session], int]:
        draft = {"justification": f"draft {number}"}
        return lambda session: service.save_draft(session, user.actor, claim.id, draft, number, now=NOW)

    assert refused(together(runtime, [save(number) for number in range(1, 33)])) == []
    with runtime.sessions() as session:
        assert session.get_one(Claim, claim.id).draft == {"justification": "draft 32"}


# --- Deciding


MET = [CriterionVerdict("right", "met")]
NOT_MET = [CriterionVerdict("right", "not_met")]
REASON = "The second response is the wrong one here."


def test_review_deadline_and_two_reviewers_decide_once(runtime: Runtime) -> None:
    scene, submissions = submitted(runtime, 20, tasks=20, overlap=1, review_percent=100)
    with transaction(runtime.sessions) as session:
        second = make_user(session, now=NOW, is_reviewer=True)
        session.add(ProjectReviewer(project_id=scene.project_id, person_id=second.id, created_at=NOW))
    deadline = NOW + timedelta(days=3)

    def decide(reviewer: User, number: UUID, decision: Decision) -> Callable[[Session], object]:
        criteria = MET if decision is Decision.APPROVE else NOT_MET
        return lambda session: service.decide(
            session, reviewer.actor, number, decision, comment=REASON, criteria=criteria, now=deadline
        )

    jobs = [decide(scene.world.reviewer, number, Decision.REJECT) for number in submissions]
    jobs += [decide(second, number, Decision.APPROVE) for number in submissions]
    jobs += [lambda session: service.approve_due(session, now=deadline)] * 4
    jobs += [lambda session: service.expire_overdue(session, now=deadline)] * 4
    answers = together(runtime, jobs)
    assert set(refused(answers)) <= {"already_decided"}
    approved = scene.count(Claim, Claim.state == ClaimState.APPROVED)
    rejected = scene.count(Claim, Claim.state == ClaimState.REJECTED)
    assert approved + rejected == 20
    assert scene.count(Review, Review.decision == Decision.REJECT) == rejected
    assert scene.count(Event, Event.kind.in_(["work.approved", "work.rejected"])) == 20
    assert scene.escrow_and_reserved() == (1_000_000 - approved * RATE, 0)
    assert wrongs(runtime) == []


def test_two_reviewers_never_have_the_same_submission(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 16, tasks=16, overlap=1, review_percent=100)
    with transaction(runtime.sessions) as session:
        reviewers = [make_user(session, now=NOW, is_reviewer=True) for _ in range(16)]
        session.add_all(
            ProjectReviewer(project_id=scene.project_id, person_id=user.id, created_at=NOW) for user in reviewers
        )

    def take(user: User) -> Callable[[Session], UUID]:
        return lambda session: service.next_for_review(session, user.actor, now=NOW).submission.id

    leased = done(together(runtime, [take(user) for user in reviewers]))
    assert sorted(leased) == sorted(set(leased))
    owner, other = reviewers[0], reviewers[1]
    mine = together(runtime, [take(owner)])[0]
    assert isinstance(mine, UUID)

    def approve(user: User) -> Callable[[Session], object]:
        return lambda session: service.decide(
            session, user.actor, mine, Decision.APPROVE, comment="", criteria=MET, now=NOW
        )

    answers = together(runtime, [approve(user) for user in (owner, other) * 8])
    assert set(refused(answers)) <= {"under_review", "already_decided"}
    assert scene.count(Review, Review.submission_id == mine) == 1
    assert wrongs(runtime) == []


def test_several_workers_sweep_at_once_and_pay_once(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 60, tasks=30, overlap=4)
    extra = done(scene.everybody_claims())
    late = NOW + timedelta(hours=1)
    with ThreadPoolExecutor(6) as pool:
        swept = sum(pool.map(lambda _: service.sweep(runtime.sessions, now=late), range(6)))
    assert swept == 60 + len(extra)
    assert scene.count(Claim, Claim.state == ClaimState.APPROVED) == 60
    assert scene.count(Claim, Claim.state == ClaimState.EXPIRED) == len(extra) == 60
    assert scene.escrow_and_reserved() == (1_000_000 - 60 * RATE, 0)
    assert wrongs(runtime) == []


def test_a_project_closes_after_the_last_claim_and_not_beneath_one(runtime: Runtime) -> None:
    scene = set_up(runtime, 2, tasks=2, overlap=2)
    with ThreadPoolExecutor(1), runtime.sessions() as claiming:
        held = scene.claim(scene.people[0])(claiming)
        with transaction(runtime.sessions) as session:
            session.execute(update(Project).values(state=ProjectState.CLOSING))
        assert service.sweep(runtime.sessions, now=NOW) == 0  # a claim is being made this instant
        claiming.commit()
    assert refused(together(runtime, [scene.claim(scene.people[1])])) == ["project_not_open"]
    assert service.sweep(runtime.sessions, now=NOW) == 0
    assert done(together(runtime, [scene.submit(held.claim, scene.people[0])]))
    assert service.sweep(runtime.sessions, now=NOW) == 2  # the answer is approved, the project closed
    assert scene.escrow_and_reserved() == (0, 0)
    assert wrongs(runtime) == []


def test_a_project_does_not_close_while_somebody_waits_to_claim(runtime: Runtime) -> None:
    scene = set_up(runtime, 1)
    user = scene.people[0]
    with ThreadPoolExecutor(1) as pool, runtime.sessions() as session:
        session.execute(select(Membership).where(Membership.person_id == user.id).with_for_update())
        asked = pool.submit(together, runtime, [scene.claim(user)])
        with pytest.raises(TimeoutError):
            asked.result(timeout=0.5)
        with transaction(runtime.sessions) as other:
            other.execute(update(Project).values(state=ProjectState.CLOSING))
        assert service.sweep(runtime.sessions, now=NOW) == 0
        session.commit()
        assert isinstance(asked.result(timeout=10)[0], ClaimedWork)
    assert service.sweep(runtime.sessions, now=NOW) == 0
    assert wrongs(runtime) == []


# --- Paying


def race_of_payouts(runtime: Runtime) -> Scene:
    scene, _ = submitted(runtime, 20, tasks=20, overlap=1)
    service.sweep(runtime.sessions, now=NOW)

    def pay(session: Session) -> UUID:
        operator = scene.world.operator.actor
        return money.create_payout_batch(session, operator, currency="USD", now=NOW).id

    for batch in done(together(runtime, [pay] * 8)):
        _send_and_settle(scene, batch)
    return scene


def _send_and_settle(scene: Scene, batch: UUID) -> None:
    operator, storage = scene.world.operator.actor, scene.runtime.storage

    def send(session: Session) -> UUID:
        return money.send_batch(session, storage, operator, batch, now=NOW).id

    def settle(session: Session) -> int:
        return money.settle_batch(session, operator, batch, now=NOW)

    assert refused(together(scene.runtime, [send] * 4)) == []
    assert sum(done(together(scene.runtime, [settle] * 4))) == scene.count(Payout, Payout.batch_id == batch)


def paid(runtime: Runtime) -> int:
    with runtime.sessions() as session:
        return money.balance(session, AccountKind.PAID, None, "USD").minor


def test_a_payout_run_eight_times_at_once_pays_once(runtime: Runtime) -> None:
    scene = race_of_payouts(runtime)
    assert scene.count(Payout) == 20
    assert paid(runtime) == 20 * RATE
    assert wrongs(runtime) == []


def test_without_lock_and_check_a_payout_pays_twice(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    take_away(runtime, "ALTER TABLE account_part DROP CONSTRAINT ck_account_part_not_overdrawn")
    locked = money_queries.payable

    def unlocked(currency: str, minimum_minor: int) -> object:
        statement = locked(currency, minimum_minor)
        statement._for_update_arg = None
        return statement

    monkeypatch.setattr(money_queries, "payable", unlocked)
    assert any(race_of_payouts(runtime) and "overdrawn" in wrongs(runtime) for _ in range(ROUNDS))


def test_a_wallet_funds_projects_as_often_as_it_can_and_no_more(runtime: Runtime) -> None:
    scene = set_up(runtime, 1, budget_minor=0)
    world = scene.world
    portion = Money(100, "USD")

    def top_up(session: Session) -> object:
        return money.top_up(session, world.operator.actor, world.organization.id, portion, note="", now=NOW)

    def fund(session: Session) -> None:
        money.fund_project(
            session,
            world.client.actor,
            org_id=world.organization.id,
            project_id=scene.project_id,
            amount=portion,
            now=NOW,
        )

    assert refused(together(runtime, [top_up] * 12)) == []
    answers = together(runtime, [fund] * 32)
    assert Counter(refused(answers)) == {"not_enough_money": 20}
    assert scene.escrow_and_reserved() == (1200, 0)
    assert wrongs(runtime) == []


def test_one_payout_settled_twice_at_once_is_booked_once(runtime: Runtime) -> None:
    scene, _ = submitted(runtime, 4, tasks=4, overlap=1)
    service.sweep(runtime.sessions, now=NOW)
    operator = scene.world.operator.actor
    with transaction(runtime.sessions) as session:
        batch = money.create_payout_batch(session, operator, currency="USD", now=NOW)
        money.send_batch(session, runtime.storage, operator, batch.id, now=NOW)
        payouts = list(session.scalars(select(Payout.id).where(Payout.batch_id == batch.id)))

    def settle(number: UUID, ok: bool) -> Callable[[Session], object]:
        def book(session: Session) -> None:
            payout = session.get_one(Payout, number, with_for_update=True)
            money.settle_payout(session, operator, payout, paid=ok, failure=None if ok else "closed account", now=NOW)

        return book

    answers = together(runtime, [settle(number, ok) for number in payouts for ok in (True, False) * 2])
    assert Counter(refused(answers)) == {"payout_not_open": 12}
    with runtime.sessions() as session:
        held = session.scalar(select(func.sum(AccountPart.balance_minor)).where(AccountPart.may_overdraw.is_(False)))
        assert held == 1_000_000
    assert wrongs(runtime) == []


def test_threads_really_run_at_the_same_time(runtime: Runtime) -> None:
    """The races prove nothing if their threads wait for each other: all are in the database at one moment."""
    inside = threading.Barrier(16)
    assert together(runtime, [lambda session: session.scalar(select(func.count(Task.id))) or inside.wait(10) >= 0] * 16)
