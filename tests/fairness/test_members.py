"""A place in a project: practice, pause, removal, and back; by whom, on what, and what stays the person's."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.fairness.errors import DecidedFirst, HumanNeeded
from preceptor.fairness.models import AppealState, DecisionReceipt, ReceiptKind
from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import AppError, Forbidden, Invalid, NotFound
from preceptor.kit.events import SYSTEM, Actor, Event
from preceptor.kit.ids import show_id
from preceptor.people.models import OutboxMail
from preceptor.projects.errors import NotEligible
from preceptor.projects.models import Membership, MembershipState
from preceptor.projects.service import members
from preceptor.work import service as work
from preceptor.work.errors import ReasonNeeded
from preceptor.work.errors_gold import NothingToPractiseOn
from preceptor.work.models_quality import Evidence, EvidenceKind, EvidenceState, GoldResult
from preceptor.work.service import appeals
from preceptor.work.service import membership_decisions as places
from tests.factories import PREFER_A, User, World, join, make_client, make_practice, make_user, make_world
from tests.fairness.cases import REASON, WHY, WORDS, Case, everything_holds, make_case
from tests.web.acting import judge

RETRAIN, PAUSE, REMOVE = ReceiptKind.RETRAIN, ReceiptKind.PAUSE, ReceiptKind.REMOVE
STATES = {RETRAIN: "retraining", PAUSE: "paused", REMOVE: "removed"}
WHY_NOT = "Three known answers in a row were missed."


@pytest.fixture
def world(session: Session, clock: FixedClock) -> World:
    made = make_world(session, now=clock.now())
    make_practice(session, made, now=clock.now())
    return made


@pytest.fixture
def person(session: Session, world: World, clock: FixedClock) -> User:
    return join(session, world, now=clock.now())[0]


def decide(
    session: Session,
    world: World,
    person: User,
    clock: FixedClock,
    kind: ReceiptKind = PAUSE,
    *,
    by: Actor | None = None,
    rule: str = "below_standard",
    reason: str = WHY_NOT,
    evidence: list[str] | None = None,
) -> DecisionReceipt:
    return places.decide_about_member(
        session, by or world.client.actor, world.project.id, person.id, kind, rule=rule, reason=reason,
        evidence=evidence or [], now=clock.now(),
    )  # fmt: skip


def place(session: Session, world: World, person: User) -> Membership:
    return session.get_one(Membership, (world.project.id, person.id), populate_existing=True)


@pytest.mark.parametrize("kind", [RETRAIN, PAUSE, REMOVE])
def test_a_closed_place_takes_no_task_and_cannot_be_left_and_joined_again(
    session: Session, world: World, person: User, clock: FixedClock, kind: ReceiptKind
) -> None:
    receipt = decide(session, world, person, clock, kind)
    assert place(session, world, person).state.value == STATES[kind]
    assert (receipt.rule, receipt.rule_version, receipt.statement) == ("below_standard", "1", WHY_NOT)
    with pytest.raises(NotEligible):
        work.claim_next(session, person.actor, world.project.id, now=clock.now())
    members.leave(session, person.actor, world.project.id, now=clock.now())
    with pytest.raises(NotEligible):
        members.join(session, person.actor, world.project.id, now=clock.now())
    assert place(session, world, person).state.value == STATES[kind]


@pytest.mark.parametrize("kind", [PAUSE, REMOVE])
def test_a_task_that_is_held_can_be_finished_and_is_paid(
    session: Session, world: World, person: User, clock: FixedClock, kind: ReceiptKind
) -> None:
    held = work.claim_next(session, person.actor, world.project.id, now=clock.now()).claim
    decide(session, world, person, clock, kind)
    submission = work.submit(session, person.actor, held.id, dict(PREFER_A), now=clock.now())
    work.approve_due(session, now=clock.now())
    session.refresh(submission)
    assert submission.state.value == "approved"
    everything_holds(session)


def test_the_person_is_told_the_reason_and_the_way_to_appeal(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    receipt = decide(session, world, person, clock, REMOVE)
    told = session.scalars(select(OutboxMail).where(OutboxMail.to_email == person.person.email)).one()
    assert WHY_NOT in told.body
    assert "appeal" in told.body
    event = session.scalars(select(Event).where(Event.kind == "project.member_removed")).one()
    assert (event.person_id, event.data["receipt"]) == (person.id, str(receipt.id))


def test_deciding_the_same_again_is_the_same(session: Session, world: World, person: User, clock: FixedClock) -> None:
    assert decide(session, world, person, clock).id == decide(session, world, person, clock).id
    assert decide(session, world, person, clock, REMOVE).kind is REMOVE


@pytest.mark.parametrize(
    ("rule", "reason", "evidence"),
    [("below_standard", "Too bad.", []), ("whim", WHY_NOT, []), ("below_standard", WHY_NOT, ["evidence:evd_1"])],
)
def test_a_decision_needs_a_rule_a_reason_and_evidence_on_record(
    session: Session, world: World, person: User, clock: FixedClock, rule: str, reason: str, evidence: list[str]
) -> None:
    with pytest.raises((Invalid, ReasonNeeded)):
        decide(session, world, person, clock, rule=rule, reason=reason, evidence=evidence)
    assert place(session, world, person).state is MembershipState.ACTIVE


def test_only_managers_and_operators_decide(session: Session, world: World, person: User, clock: FixedClock) -> None:
    _, stranger = make_client(session, now=clock.now())
    viewer = Actor(stranger.id, "person", "", org_roles={world.organization.id: "viewer"})
    refusals: list[tuple[Actor, type[AppError]]] = [
        (world.reviewer.actor, NotFound), (stranger.actor, NotFound), (person.actor, NotFound), (viewer, Forbidden),
        (SYSTEM, HumanNeeded),
    ]  # fmt: skip
    for actor, refusal in refusals:
        with pytest.raises(refusal):
            decide(session, world, person, clock, by=actor)
    assert decide(session, world, person, clock, by=world.operator.actor).decided_by == world.operator.id


def test_evidence_is_chosen_from_what_is_on_record(session: Session, clock: FixedClock) -> None:
    case = make_case(session, clock)
    finding = make_finding(session, case, clock)
    missed = GoldResult(
        submission_id=case.submission.id, task_id=case.submission.task_id, project_id=case.world.project.id,
        person_id=case.person.id, score=0.25, passed=False, version=1, expected=0.7, created_at=clock.now(),
    )  # fmt: skip
    session.add(missed)
    session.flush()
    project_id = case.world.project.id
    offered = places.evidence_about(session, case.world.client.actor, project_id, case.person.id)
    assert [each.link.kind for each in offered] == ["evidence", "gold", "review"]
    receipt = decide(session, case.world, case.person, clock, evidence=[each.key for each in offered])
    assert [link["id"] for link in receipt.evidence] == [each.link.id for each in offered]
    assert WHY in receipt.evidence[2]["text"]
    session.refresh(finding)
    assert finding.state is EvidenceState.SEEN
    # Somebody else's finding is no evidence about this person.
    other = join(session, case.world, now=clock.now())[0]
    with pytest.raises(Invalid):
        decide(session, case.world, other, clock, evidence=[offered[0].key])


def make_finding(session: Session, case: Case, clock: FixedClock) -> Evidence:
    found = Evidence(
        project_id=case.world.project.id, person_id=case.person.id, kind=EvidenceKind.ACCURACY, log_e=4.7,
        log_e_max=5.1, false_alarms=0.01, n=40, path=[[40, 4.7]], statement="Below the standard of 70 %.",
        created_at=clock.now(), updated_at=clock.now(),
    )  # fmt: skip
    session.add(found)
    session.flush()
    assert show_id("evidence", found.id).startswith("evd_")
    return found


def test_nobody_is_asked_to_practise_where_there_is_too_little_to_practise_on(
    session: Session, clock: FixedClock
) -> None:
    world = make_world(session, now=clock.now())
    person = join(session, world, now=clock.now())[0]
    make_practice(session, world, now=clock.now(), tasks=4)
    with pytest.raises(NothingToPractiseOn) as refused:
        decide(session, world, person, clock, RETRAIN)
    assert [problem["path"] for problem in refused.value.problems] == ["kind"]
    assert place(session, world, person).state is MembershipState.ACTIVE
    assert session.scalars(select(DecisionReceipt)).all() == []
    decide(session, world, person, clock, PAUSE)


# --- Back again


@pytest.mark.parametrize("kind", [RETRAIN, PAUSE, REMOVE])
def test_a_place_is_opened_again_without_a_receipt(
    session: Session, world: World, person: User, clock: FixedClock, kind: ReceiptKind
) -> None:
    decide(session, world, person, clock, kind)
    places.reinstate(session, world.client.actor, world.project.id, person.id, now=clock.now())
    places.reinstate(session, world.client.actor, world.project.id, person.id, now=clock.now())
    work.claim_next(session, person.actor, world.project.id, now=clock.now())
    lifted = session.scalars(select(Event).where(Event.kind == "project.member_reinstated")).one()
    assert lifted.data["before"] == STATES[kind]


def test_a_strangers_reinstatement_finds_nothing(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    decide(session, world, person, clock)
    _, stranger = make_client(session, now=clock.now())
    with pytest.raises(NotFound):
        places.reinstate(session, stranger.actor, world.project.id, person.id, now=clock.now())


def test_passed_practice_opens_a_place_that_asked_for_it_and_no_other(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    decide(session, world, person, clock, PAUSE)
    assert not places.finish_retraining(session, person.id, world.project.id, now=clock.now())
    decide(session, world, person, clock, RETRAIN)
    assert places.finish_retraining(session, person.id, world.project.id, now=clock.now())
    assert place(session, world, person).state is MembershipState.ACTIVE


# --- Appeals


@pytest.mark.parametrize("kind", [RETRAIN, PAUSE, REMOVE])
def test_an_overturned_decision_opens_the_place(
    session: Session, world: World, person: User, clock: FixedClock, kind: ReceiptKind
) -> None:
    receipt = decide(session, world, person, clock, kind)
    found = appeals.appeal(session, person.actor, receipt.id, WORDS, now=clock.now())
    with pytest.raises(DecidedFirst):
        appeals.decide_appeal(session, world.client.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    with pytest.raises(NotFound):  # reviewers look again at work, not at places
        appeals.decide_appeal(session, world.reviewer.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    appeals.decide_appeal(session, world.operator.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    assert place(session, world, person).state is MembershipState.ACTIVE


def test_a_later_decision_outlives_the_overturning_of_an_earlier_one(
    session: Session, world: World, person: User, clock: FixedClock
) -> None:
    paused = decide(session, world, person, clock, PAUSE)
    decide(session, world, person, clock, REMOVE)
    found = appeals.appeal(session, person.actor, paused.id, WORDS, now=clock.now())
    appeals.decide_appeal(session, world.operator.actor, found.id, AppealState.OVERTURNED, REASON, now=clock.now())
    assert place(session, world, person).state is MembershipState.REMOVED


def test_whoever_left_can_still_be_removed(session: Session, world: World, person: User, clock: FixedClock) -> None:
    members.leave(session, person.actor, world.project.id, now=clock.now())
    decide(session, world, person, clock, REMOVE)
    with pytest.raises(NotEligible):
        members.join(session, person.actor, world.project.id, now=clock.now())


def test_places_of_others_stay_open(session: Session, world: World, person: User, clock: FixedClock) -> None:
    other = join(session, world, now=clock.now())[0]
    decide(session, world, person, clock, REMOVE)
    judge(session, other, world, clock)
    outsider = make_user(session, now=clock.now(), is_contributor=True)
    with pytest.raises(NotFound):
        decide(session, world, outsider, clock)
