"""Accounts through their services: limits, links, keys, qualifications, races."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session

from preceptor.kit.clock import FixedClock
from preceptor.kit.errors import Forbidden, Invalid, Limited, NotFound
from preceptor.kit.events import SYSTEM, Actor, Event
from preceptor.kit.runtime import Runtime
from preceptor.people import access, identify, rules
from preceptor.people.errors import (
    AlreadyMember,
    BadEmail,
    BrowserNeeded,
    EmailTaken,
    LastOperator,
    LastOwner,
    NotActive,
    NotYourRole,
    ReasonNeeded,
    UnknownScope,
)
from preceptor.people.identify import BadKey, ScopeMissing
from preceptor.people.models import Organization, OrgRole, OutboxMail, Person
from preceptor.people.passwords import Passwords
from preceptor.people.service import accounts, keys, limits, organizations, qualifications, sessions
from preceptor.people.service.sessions import SignInRefusal, Visit

GOOD = "quiet lantern orbit"
CHEAP = Passwords(time_cost=1, memory_kib=8)
DEARER = Passwords(time_cost=2, memory_kib=16)
HERE = Visit("Test browser", "203.0.113.7")


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()


def make(session: Session, email: str, *, now: datetime, **roles: bool) -> tuple[Person, Actor]:
    """A person, and the actor that they are in a browser."""
    person = accounts.create_person(
        session,
        SYSTEM,
        email=email,
        name=email.partition("@")[0],
        password=GOOD,
        confirmed=True,
        passwords=CHEAP,
        now=now,
        **roles,
    )
    return person, actor_of(session, person, now=now)


def actor_of(session: Session, person: Person, *, now: datetime) -> Actor:
    secret = sessions.start_session(session, person.id, user_agent=None, address=None, now=now)
    found = identify.by_session(session, secret, now=now)
    assert found is not None
    return found.actor


def lab_of(session: Session, owner: Person, *, now: datetime) -> tuple[Organization, Actor]:
    organization = organizations.create_organization(session, SYSTEM, name="Lab", owner_id=owner.id, now=now)
    return organization, actor_of(session, owner, now=now)


def last_event(session: Session) -> Event:
    session.flush()
    return session.scalars(select(Event).order_by(Event.id.desc()).limit(1)).one()


# Accounts


def test_an_address_belongs_to_one_person_in_any_case(session: Session, now: datetime) -> None:
    make(session, "Ada@Example.org", now=now)
    with pytest.raises(EmailTaken):
        make(session, "ada@example.ORG", now=now)
    make(session, "bob@example.org", now=now)  # the refusal has not spoilt the transaction


@pytest.mark.parametrize(
    "email", ["", "ada", "ada@", "@x.org", "a b@x.org", "a@x..org", "a@x.org\nBcc: b@x.org", "a" * 250 + "@x.org"]
)
def test_addresses_that_mail_cannot_reach_are_refused(email: str) -> None:
    with pytest.raises(BadEmail):
        rules.clean_email(email)


def test_addresses_of_the_demo_and_of_other_alphabets_are_fine() -> None:
    for email in ("client@demo.invalid", "ada+work@sub.example.org", "名前@例え.jp", "root@localhost"):
        assert rules.clean_email(f" {email} ") == email


def test_only_operators_make_accounts(session: Session, now: datetime) -> None:
    _, contributor = make(session, "ada@example.org", now=now, is_contributor=True)
    with pytest.raises(Forbidden):
        accounts.create_person(session, contributor, email="x@example.org", name="X", now=now)


def test_an_operators_key_needs_the_scope_operate(session: Session, now: datetime) -> None:
    boss, browser = make(session, "boss@example.org", now=now, is_operator=True)
    _, secret = keys.create_key(session, browser, person_id=boss.id, name="k", scopes=["read"], now=now)
    with pytest.raises(ScopeMissing):
        access.require_operator(identify.by_api_key(session, secret, now=now).actor)
    access.require_operator(browser)


def test_a_hash_is_renewed_when_the_cost_rises(session: Session, now: datetime) -> None:
    person, _ = make(session, "ada@example.org", now=now)
    before = person.password_hash
    secret = sessions.sign_in(session, email="ada@example.org", password=GOOD, visit=HERE, passwords=DEARER, now=now)
    assert isinstance(secret, str)
    assert not isinstance(secret, SignInRefusal)
    assert person.password_hash != before
    assert DEARER.verify(person.password_hash, GOOD)
    assert not DEARER.is_outdated(person.password_hash or "")


def test_the_hashes_are_argon2id() -> None:
    assert CHEAP.hash(GOOD).startswith("$argon2id$")
    assert not CHEAP.verify(None, "the password of nobody")
    assert not CHEAP.verify("not a hash", GOOD)


def test_suspending_ends_sessions_and_stops_keys(session: Session, now: datetime) -> None:
    _, boss = make(session, "boss@example.org", now=now, is_operator=True)
    ada, _ = make(session, "ada@example.org", now=now, is_contributor=True)
    cookie = sessions.start_session(session, ada.id, user_agent=None, address=None, now=now)
    _, secret = keys.create_key(session, SYSTEM, person_id=ada.id, name="k", scopes=["work"], now=now)
    accounts.suspend(session, boss, ada.id, reason="Shares the account with others.", now=now)
    assert identify.by_session(session, cookie, now=now) is None
    with pytest.raises(BadKey):
        identify.by_api_key(session, secret, now=now)
    with pytest.raises(NotActive):
        sessions.start_session(session, ada.id, user_agent=None, address=None, now=now)


@pytest.mark.parametrize("reason", ["", "   ", "bad"])
def test_nothing_adverse_without_a_reason(session: Session, now: datetime, reason: str) -> None:
    _, boss = make(session, "boss@example.org", now=now, is_operator=True)
    ada, _ = make(session, "ada@example.org", now=now, is_contributor=True)
    with pytest.raises(ReasonNeeded):
        accounts.suspend(session, boss, ada.id, reason=reason, now=now)
    with pytest.raises(ReasonNeeded):
        accounts.set_roles(
            session, boss, ada.id, is_operator=False, is_contributor=False, is_reviewer=True, reason=reason, now=now
        )


def test_the_system_alone_decides_nothing_against_a_person(session: Session, now: datetime) -> None:
    ada, _ = make(session, "ada@example.org", now=now)
    with pytest.raises(NotFound):
        accounts.suspend(session, SYSTEM, ada.id, reason="A detector said so, loudly.", now=now)


def test_two_operators_cannot_both_step_down_at_once(open_runtime: Callable[..., Runtime]) -> None:
    runtime = open_runtime()
    now = runtime.clock.now()
    with runtime.sessions() as session, session.begin():
        operators = [make(session, f"boss{n}@example.org", now=now, is_operator=True) for n in range(2)]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def step_down(person: Person, actor: Actor) -> None:
        start.wait()
        try:
            with runtime.sessions() as session, session.begin():
                accounts.set_roles(
                    session,
                    actor,
                    person.id,
                    is_operator=False,
                    is_contributor=False,
                    is_reviewer=False,
                    reason="Leaves the company this week.",
                    now=now,
                )
        except LastOperator:
            outcomes.append("stays")
        else:
            outcomes.append("left")

    threads = [threading.Thread(target=step_down, args=each) for each in operators]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["left", "stays"]


# Limits


def test_a_limit_slides(session: Session, now: datetime) -> None:
    limit = limits.Limit("test", 4, timedelta(minutes=10))
    start = rules.window_start(now, limit.length)
    for _ in range(4):
        limits.count(session, limit, "x", now=start)
    with pytest.raises(Limited) as refused:
        limits.count(session, limit, "X", now=start)
    limits.count(session, limit, "y", now=start)
    wait = timedelta(seconds=refused.value.retry_after_seconds)
    assert limit.length <= wait <= 2 * limit.length


def test_waiting_as_told_is_enough_and_less_is_not() -> None:
    length = timedelta(minutes=15)
    start = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    for previous, current, into in [(0, 10, 0), (0, 10, 300), (10, 3, 60), (14, 9, 0), (20, 10, 899), (3, 25, 10)]:
        now = start + timedelta(seconds=into)
        wait = rules.retry_after_seconds(previous, current, 10, now=now, length=length)

        def at(moment: datetime, previous: int = previous, current: int = current) -> float:
            if moment >= start + length:
                previous, current = current, 0
            if moment >= start + 2 * length:
                previous = 0
            return rules.sliding_count(previous, current, now=moment, length=length)

        assert at(now) >= 10
        assert at(now + timedelta(seconds=wait)) < 10
        if wait > 2:
            assert at(now + timedelta(seconds=wait - 2)) > 9.9


def test_guesses_that_come_at_once_are_all_counted(open_runtime: Callable[..., Runtime]) -> None:
    runtime = open_runtime()
    now = runtime.clock.now()
    with runtime.sessions() as session, session.begin():
        make(session, "ada@example.org", now=now)
    outcomes: list[str] = []
    start = threading.Barrier(24)

    def guess() -> None:
        start.wait()
        try:
            with runtime.sessions() as session, session.begin():
                outcome = sessions.sign_in(
                    session, email="ada@example.org", password="a wrong guess", visit=HERE, passwords=CHEAP, now=now
                )
                outcomes.append(str(outcome))
        except Limited:
            outcomes.append("limited")

    threads = [threading.Thread(target=guess) for _ in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("wrong") == limits.SIGN_IN_PER_EMAIL.maximum
    assert outcomes.count("limited") == 24 - limits.SIGN_IN_PER_EMAIL.maximum


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_customer_counts_as_one_network(address: str | None, network: str) -> None:
    assert rules.network_of(address) == network


# API keys


def test_a_key_is_stored_as_a_digest_and_stops_when_over(session: Session, now: datetime) -> None:
    ada, browser = make(session, "ada@example.org", now=now)
    later = now + timedelta(days=1)
    key, secret = keys.create_key(
        session, browser, person_id=ada.id, name="script", scopes=["work", "read"], expires_at=later, now=now
    )
    assert secret.startswith(f"pk_{key.prefix}_")
    assert key.secret_hash == identify.digest(secret)
    assert secret.encode() not in key.secret_hash
    assert identify.by_api_key(session, secret, now=now).actor.scopes == frozenset({"work", "read"})
    with pytest.raises(BadKey):
        identify.by_api_key(session, secret, now=later)


def test_a_key_makes_no_other_key(session: Session, now: datetime) -> None:
    ada, browser = make(session, "ada@example.org", now=now)
    _, secret = keys.create_key(session, browser, person_id=ada.id, name="k", scopes=["read", "work"], now=now)
    script = identify.by_api_key(session, secret, now=now).actor
    with pytest.raises(BrowserNeeded):
        keys.create_key(session, script, person_id=ada.id, name="k2", scopes=["read"], now=now)
    with pytest.raises(BrowserNeeded):
        sessions.revoke_others(session, script, keep=None, now=now)
    bob, _ = make(session, "bob@example.org", now=now)
    with pytest.raises(NotFound):
        keys.create_key(session, browser, person_id=bob.id, name="k", scopes=["read"], now=now)


def test_scopes_must_exist_and_fit_the_person(session: Session, now: datetime) -> None:
    ada, browser = make(session, "ada@example.org", now=now)
    for scopes in ([], ["everything"], ["read", "operate"]):
        with pytest.raises(UnknownScope):
            keys.create_key(session, browser, person_id=ada.id, name="k", scopes=scopes, now=now)


def test_a_key_bound_to_one_organization_sees_no_other(session: Session, now: datetime) -> None:
    ada, _ = make(session, "ada@example.org", now=now)
    lab, _ = lab_of(session, ada, now=now)
    other, browser = lab_of(session, ada, now=now)
    _, secret = keys.create_key(
        session, browser, person_id=ada.id, name="k", scopes=["read", "projects"], org_id=lab.id, now=now
    )
    script = identify.by_api_key(session, secret, now=now).actor
    access.require_org_role(script, lab.id, "owner")
    with pytest.raises(NotFound):
        access.require_org_role(script, other.id)
    stranger, _ = make(session, "eve@example.org", now=now)
    with pytest.raises(Invalid):
        keys.create_key(session, SYSTEM, person_id=stranger.id, name="k", scopes=["read"], org_id=lab.id, now=now)


def test_last_used_is_kept_to_a_few_minutes(session: Session, now: datetime) -> None:
    ada, _ = make(session, "ada@example.org", now=now)
    key, secret = keys.create_key(session, SYSTEM, person_id=ada.id, name="k", scopes=["read"], now=now)
    for seconds, expected in ((0, 0), (200, 0), (400, 400)):
        moment = now + timedelta(seconds=seconds)
        identify.note_seen(session, identify.by_api_key(session, secret, now=moment), now=moment)
        session.refresh(key)
        assert key.last_used_at == now + timedelta(seconds=expected)


# Organizations


def test_who_may_manage_whom(session: Session, now: datetime) -> None:
    owner, _ = make(session, "owner@lab.org", now=now)
    lab, _ = lab_of(session, owner, now=now)
    people = {}
    for role in ("owner", "manager", "viewer"):
        person, _ = make(session, f"second-{role}@lab.org", now=now)
        organizations.add_member(session, SYSTEM, org_id=lab.id, person_id=person.id, role=role, now=now)
        people[role] = person, actor_of(session, person, now=now)
    newcomer, stranger = make(session, "new@lab.org", now=now)

    def add(actor: Actor, role: str) -> None:
        organizations.add_member(session, actor, org_id=lab.id, person_id=newcomer.id, role=role, now=now)

    for actor, role, refusal in (
        (stranger, "viewer", NotFound),
        (people["viewer"][1], "viewer", NotYourRole),
        (people["manager"][1], "owner", NotYourRole),
    ):
        with pytest.raises(refusal):
            add(actor, role)
    add(people["manager"][1], "manager")
    with pytest.raises(AlreadyMember):
        add(people["owner"][1], "viewer")
    with pytest.raises(NotYourRole):
        organizations.remove_member(session, people["manager"][1], org_id=lab.id, person_id=owner.id, now=now)
    organizations.remove_member(session, people["viewer"][1], org_id=lab.id, person_id=people["viewer"][0].id, now=now)
    assert last_event(session).kind == "people.member_removed"


def test_membership_ends_at_once(session: Session, now: datetime) -> None:
    owner, _ = make(session, "owner@lab.org", now=now)
    lab, boss = lab_of(session, owner, now=now)
    ada, _ = make(session, "ada@lab.org", now=now)
    organizations.add_member(session, boss, org_id=lab.id, person_id=ada.id, role="manager", now=now)
    _, secret = keys.create_key(session, SYSTEM, person_id=ada.id, name="k", scopes=["read"], org_id=lab.id, now=now)
    assert lab.id in identify.by_api_key(session, secret, now=now).actor.org_roles
    organizations.remove_member(session, boss, org_id=lab.id, person_id=ada.id, now=now)
    assert identify.by_api_key(session, secret, now=now).actor.org_roles == {}


def test_two_owners_cannot_both_leave_at_once(open_runtime: Callable[..., Runtime]) -> None:
    runtime = open_runtime()
    now = runtime.clock.now()
    with runtime.sessions() as session, session.begin():
        first, _ = make(session, "one@lab.org", now=now)
        second, _ = make(session, "two@lab.org", now=now)
        lab, _ = lab_of(session, first, now=now)
        organizations.add_member(session, SYSTEM, org_id=lab.id, person_id=second.id, role="owner", now=now)
        owners = [(person, actor_of(session, person, now=now)) for person in (first, second)]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def leave(person: Person, actor: Actor) -> None:
        start.wait()
        try:
            with runtime.sessions() as session, session.begin():
                organizations.remove_member(session, actor, org_id=lab.id, person_id=person.id, now=now)
        except LastOwner:
            outcomes.append("stays")
        else:
            outcomes.append("left")

    threads = [threading.Thread(target=leave, args=each) for each in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["left", "stays"]


def test_a_second_invitation_replaces_the_first(session: Session, now: datetime) -> None:
    owner, _ = make(session, "owner@lab.org", now=now)
    lab, boss = lab_of(session, owner, now=now)
    for role in (OrgRole.VIEWER, OrgRole.MANAGER):
        organizations.invite(session, boss, org_id=lab.id, email="New@lab.org", role=role, base_url="http://x", now=now)
    [waiting] = organizations.list_invitations(session, boss, lab.id, now=now)
    assert waiting.role is OrgRole.MANAGER
    with pytest.raises(AlreadyMember):
        organizations.invite(
            session, boss, org_id=lab.id, email="OWNER@lab.org", role="viewer", base_url="http://x", now=now
        )


# Qualifications


def test_a_qualification_is_held_once_until_it_is_revoked(session: Session, now: datetime) -> None:
    owner, _ = make(session, "owner@lab.org", now=now)
    lab, boss = lab_of(session, owner, now=now)
    ada, contributor = make(session, "ada@example.org", now=now, is_contributor=True)
    kind = qualifications.create_qualification(session, boss, lab.id, "Argument reading", "", now=now)
    first = qualifications.grant(
        session, SYSTEM, person_id=ada.id, qualification_id=kind.id, source="assessment", now=now
    )
    again = qualifications.grant(session, boss, person_id=ada.id, qualification_id=kind.id, now=now)
    assert (first.id, again.source) == (again.id, "assessment")
    assert qualifications.holds(session, ada.id, kind.id)
    with pytest.raises(NotFound):
        qualifications.grant(session, contributor, person_id=ada.id, qualification_id=kind.id, now=now)
    with pytest.raises(ReasonNeeded):
        qualifications.revoke(session, boss, person_id=ada.id, qualification_id=kind.id, reason="no", now=now)
    qualifications.revoke(
        session, boss, person_id=ada.id, qualification_id=kind.id, reason="The test was taken by another.", now=now
    )
    assert not qualifications.holds(session, ada.id, kind.id)
    assert last_event(session).data["reason"] == "The test was taken by another."
    with pytest.raises(NotFound):
        qualifications.revoke(
            session, boss, person_id=ada.id, qualification_id=kind.id, reason="The test was taken by another.", now=now
        )
    renewed = qualifications.grant(session, boss, person_id=ada.id, qualification_id=kind.id, now=now)
    assert renewed.id != first.id
    assert len(qualifications.held_by(session, contributor, ada.id)) == 2


def test_a_qualification_belongs_to_its_organization(session: Session, now: datetime) -> None:
    ada, _ = make(session, "ada@lab.org", now=now)
    eve, _ = make(session, "eve@other.org", now=now)
    lab, boss = lab_of(session, ada, now=now)
    _, rival = lab_of(session, eve, now=now)
    kind = qualifications.create_qualification(session, boss, lab.id, "Reading", "", now=now)
    with pytest.raises(NotFound):
        qualifications.create_qualification(session, rival, lab.id, "Reading", "", now=now)
    with pytest.raises(NotFound):
        qualifications.grant(session, rival, person_id=eve.id, qualification_id=kind.id, now=now)


# Mail


def test_every_mail_asks_for_its_delivery_in_the_same_transaction(session: Session, now: datetime) -> None:
    ada, _ = make(session, "ada@example.org", now=now)
    accounts.ask_reset(session, "ada@example.org", base_url="http://x", now=now)
    [mail] = session.scalars(select(OutboxMail).where(OutboxMail.to_email == ada.email))
    wanted = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'people.send_mail' AND args->>'mail_id' = %s"
    found = session.connection().exec_driver_sql(wanted, (str(mail.id),)).scalar_one()
    assert found == 1


def test_nothing_is_left_of_a_keys_secret_in_events(session: Session, now: datetime) -> None:
    ada, browser = make(session, "ada@example.org", now=now)
    _, secret = keys.create_key(session, browser, person_id=ada.id, name="k", scopes=["read"], now=now)
    session.flush()
    hits = select(func.count()).select_from(Event).where(cast(Event.data, Text).contains(secret.split("_")[2]))
    assert session.scalar(hits) == 0
