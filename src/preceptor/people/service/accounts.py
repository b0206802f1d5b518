"""Accounts: signing up, confirming, changing and resetting passwords, roles, suspension."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from preceptor.fairness import rules as fairness_rules
from preceptor.fairness import service as fairness
from preceptor.fairness.models import ReceiptKind
from preceptor.kit.errors import Invalid, NotFound
from preceptor.kit.events import SYSTEM, Actor, record
from preceptor.people import access, queries, rules
from preceptor.people.errors import BadLink, EmailTaken, LastOperator, SignUpsClosed, WrongPassword
from preceptor.people.identify import digest
from preceptor.people.models import EmailToken, Person, PersonState, TokenPurpose
from preceptor.people.passwords import Passwords, standard_passwords
from preceptor.people.service import mail, organizations, sessions

SUSPENSION_RULE = "operator_decision"
ANSWER_MAIL = "If you think that this is wrong, answer this mail: another look is taken by a person."


def create_person(
    session: Session,
    actor: Actor,
    *,
    email: str,
    name: str,
    password: str | None = None,
    is_operator: bool = False,
    is_contributor: bool = False,
    is_reviewer: bool = False,
    simulated: bool = False,
    confirmed: bool = False,
    passwords: Passwords | None = None,
    now: datetime,
) -> Person:
    """Make an account for somebody: operators, the command line and the demo do this.

    Without a password the person signs in by passkey or a reset link only. Raises `EmailTaken`.
    """
    access.require_operator(actor)
    email, name = rules.clean_email(email), rules.clean_name(name)
    if password is not None:
        rules.check_password(password, email=email, name=name)
    person = Person(
        email=email,
        name=name,
        password_hash=None if password is None else (passwords or standard_passwords()).hash(password),
        is_operator=is_operator,
        is_contributor=is_contributor,
        is_reviewer=is_reviewer,
        simulated=simulated,
        email_confirmed_at=now if confirmed else None,
        created_at=now,
    )
    return _add(session, actor, person, now=now)


def _add(session: Session, actor: Actor, person: Person, *, now: datetime) -> Person:
    try:
        with session.begin_nested():
            session.add(person)
            session.flush()
    except IntegrityError as error:
        raise EmailTaken from error
    record(
        session,
        actor,
        "people.person_created",
        "person",
        person.id,
        at=now,
        person_id=person.id,
        data=_roles(person) | {"simulated": person.simulated},
    )
    return person


def _roles(person: Person) -> dict[str, object]:
    return {
        "operator": person.is_operator,
        "contributor": person.is_contributor,
        "reviewer": person.is_reviewer,
    }


def join_as_newcomer(
    session: Session, secret: str, *, name: str, password: str, passwords: Passwords, now: datetime
) -> Person:
    """Sign up by an invitation's link and accept it. The link proves the address. Raises `BadLink`, `EmailTaken`."""
    invitation, _ = organizations.read_invitation(session, secret, now=now)
    name = rules.clean_name(name)
    rules.check_password(password, email=invitation.email, name=name)
    person = Person(
        email=invitation.email,
        name=name,
        password_hash=passwords.hash(password),
        email_confirmed_at=now,
        created_at=now,
    )
    _add(session, Actor(None, "system", name), person, now=now)
    actor = Actor(person.id, "person", person.name)
    organizations.accept_invitation(session, actor, secret, email=person.email, now=now)
    return person


def sign_up(
    session: Session,
    *,
    email: str,
    name: str,
    password: str,
    organization: str | None = None,
    base_url: str,
    open_to_all: bool = True,
    passwords: Passwords,
    now: datetime,
) -> None:
    """Take a sign-up and send a mail about it. With an organization the person becomes its owner, else a contributor.

    Says nothing about whether the address has an account already: then that account's owner is told by mail instead,
    and the same work is done.
    """
    if not open_to_all:
        raise SignUpsClosed
    email, name = rules.clean_email(email), rules.clean_name(name)
    rules.check_password(password, email=email, name=name)
    if organization is not None:
        organization = rules.clean_name(organization, path="organization")
    password_hash = passwords.hash(password)
    taken = session.scalar(queries.person_by_email(email))
    if taken is not None:
        _tell_owner(session, taken, base_url, now=now)
        return
    person = Person(
        email=email, name=name, password_hash=password_hash, is_contributor=organization is None, created_at=now
    )
    try:
        _add(session, Actor(None, "system", name), person, now=now)
    except EmailTaken:  # by a sign-up at the same moment: answer as to any other
        taken = session.scalars(queries.person_by_email(email)).one()
        _tell_owner(session, taken, base_url, now=now)
        return
    if organization is not None:
        organizations.create_organization(session, SYSTEM, name=organization, owner_id=person.id, now=now)
    send_confirmation(session, person, base_url=base_url, now=now)


def _tell_owner(session: Session, person: Person, base_url: str, *, now: datetime) -> None:
    body = (
        f"Hello {person.name},\n\nsomebody, probably you, tried to sign up with this e-mail address, which has an "
        f"account already.\n\nSign in: {base_url}/sign-in\nForgot the password? {base_url}/forgot\n\n"
        "If it was not you, nothing has changed and you need not do anything.\n"
    )
    mail.send(session, person.email, "You already have an account", body, now=now)


def send_confirmation(session: Session, person: Person, *, base_url: str, now: datetime) -> None:
    """Mail a link that proves that the address belongs to the person."""
    secret = _make_token(session, person.id, TokenPurpose.CONFIRM_EMAIL, rules.CONFIRM_WITHIN, now=now)
    body = (
        f"Hello {person.name},\n\nconfirm your e-mail address to start:\n\n{base_url}/confirm/{secret}\n\n"
        f"The link works for {rules.CONFIRM_WITHIN.days} days. If you did not sign up, ignore this mail.\n"
    )
    mail.send(session, person.email, "Confirm your e-mail address", body, now=now)


def resend_confirmation(session: Session, email: str, *, base_url: str, now: datetime) -> None:
    """Mail the link again to somebody who has shown the right password."""
    person = session.scalar(queries.person_by_email(email.strip()))
    if person is not None and person.email_confirmed_at is None:
        send_confirmation(session, person, base_url=base_url, now=now)


def confirm_email(session: Session, secret: str, *, now: datetime) -> Person:
    """Use a confirmation link, once. Raises `BadLink`."""
    person = _use_token(session, secret, TokenPurpose.CONFIRM_EMAIL, now=now)
    _confirm(session, Actor(person.id, "person", person.name), person, now=now)
    return person


def confirm_for(session: Session, actor: Actor, person_id: UUID, *, now: datetime) -> Person:
    """An operator vouches for an address, where mail cannot be sent."""
    person = access.person_for_operator(session, actor, person_id, lock=True)
    _confirm(session, actor, person, now=now)
    return person


def _confirm(session: Session, actor: Actor, person: Person, *, now: datetime) -> None:
    if person.email_confirmed_at is None:
        person.email_confirmed_at = now
        record(session, actor, "people.email_confirmed", "person", person.id, at=now, person_id=person.id)


def ask_reset(session: Session, email: str, *, base_url: str, now: datetime) -> None:
    """Mail a reset link if the address has an active account. The caller cannot tell which was the case."""
    person = session.scalar(queries.person_by_email(email.strip()))
    if person is None or person.state is not PersonState.ACTIVE:
        return
    mail_reset(session, person, base_url=base_url, now=now)


def mail_reset(session: Session, person: Person, *, base_url: str, now: datetime) -> str:
    """Mail a link that sets a new password; also returned, for the command line."""
    secret = _make_token(session, person.id, TokenPurpose.RESET_PASSWORD, rules.RESET_WITHIN, now=now)
    link = f"{base_url}/reset/{secret}"
    body = (
        f"Hello {person.name},\n\nset a new password here:\n\n{link}\n\n"
        "The link works once, within an hour. If you did not ask for it, ignore this mail: your password stays.\n"
    )
    mail.send(session, person.email, "Set a new password", body, now=now)
    record(session, SYSTEM, "people.reset_asked", "person", person.id, at=now, person_id=person.id)
    return link


def check_reset_link(session: Session, secret: str, *, now: datetime) -> Person:
    """Whose password the link would set. Raises `BadLink`."""
    return _token_person(session, secret, TokenPurpose.RESET_PASSWORD, now=now)[1]


def reset_password(session: Session, secret: str, password: str, *, passwords: Passwords, now: datetime) -> Person:
    """Set a new password by a mailed link. Ends every session, and confirms the address that the mail reached."""
    token, person = _token_person(session, secret, TokenPurpose.RESET_PASSWORD, now=now)
    rules.check_password(password, email=person.email, name=person.name)
    token.used_at = now
    actor = Actor(person.id, "person", person.name)
    _set_password(session, actor, person, password, passwords, now=now)
    _confirm(session, actor, person, now=now)
    sessions.revoke_all(session, actor, person.id, now=now)
    return person


def set_password(
    session: Session,
    actor: Actor,
    person_id: UUID,
    password: str,
    *,
    passwords: Passwords | None = None,
    now: datetime,
) -> None:
    """An operator (or the command line) sets a password. Ends every session of the person."""
    person = access.person_for_operator(session, actor, person_id, lock=True)
    rules.check_password(password, email=person.email, name=person.name)
    _set_password(session, actor, person, password, passwords or standard_passwords(), now=now)
    sessions.revoke_all(session, actor, person_id, now=now)


def change_password(
    session: Session,
    actor: Actor,
    *,
    current: str | None,
    new: str,
    keep_session: UUID | None,
    passwords: Passwords,
    now: datetime,
) -> None:
    """Change one's own password; the current one must be right unless there was none. Ends all other sessions."""
    person = access.self_person(session, actor)
    access.require_self_in_browser(actor, person.id)
    if person.password_hash is not None and not passwords.verify(person.password_hash, current or ""):
        raise WrongPassword(problems=[{"path": "current", "message": "This is not your current password."}])
    rules.check_password(new, email=person.email, name=person.name)
    _set_password(session, actor, person, new, passwords, now=now)
    sessions.revoke_others(session, actor, keep=keep_session, now=now)


def _set_password(
    session: Session, actor: Actor, person: Person, password: str, passwords: Passwords, *, now: datetime
) -> None:
    person.password_hash = passwords.hash(password)
    record(session, actor, "people.password_changed", "person", person.id, at=now, person_id=person.id)
    # A link that was mailed before must not undo this.
    session.execute(
        update(EmailToken)
        .where(
            EmailToken.person_id == person.id,
            EmailToken.purpose == TokenPurpose.RESET_PASSWORD,
            EmailToken.used_at.is_(None),
        )
        .values(used_at=now)
    )


def change_profile(session: Session, actor: Actor, *, name: str, now: datetime) -> Person:
    """Change one's own name."""
    person = access.self_person(session, actor)
    access.require_self_in_browser(actor, person.id)
    old, person.name = person.name, rules.clean_name(name)
    if old != person.name:
        record(session, actor, "people.renamed", "person", person.id, at=now, person_id=person.id)
    return person


def set_roles(
    session: Session,
    actor: Actor,
    person_id: UUID,
    *,
    is_operator: bool,
    is_contributor: bool,
    is_reviewer: bool,
    reason: str = "",
    now: datetime,
) -> Person:
    """Give and take roles. Taking one away needs a reason, which stands in the event and is mailed to the person."""
    person, others = access.person_among_operators(session, actor, person_id)
    before = _roles(person)
    after: dict[str, object] = {"operator": is_operator, "contributor": is_contributor, "reviewer": is_reviewer}
    taken = [role for role, held in before.items() if held and not after[role]]
    if before == after:
        return person
    if taken:
        reason = rules.clean_reason(reason)
        _require_human(actor)
    if "operator" in taken and not others:
        raise LastOperator
    person.is_operator, person.is_contributor, person.is_reviewer = is_operator, is_contributor, is_reviewer
    data = {"before": before, "after": after} | ({"reason": reason} if taken else {})
    record(session, actor, "people.roles_changed", "person", person.id, at=now, person_id=person.id, data=data)
    if taken:
        _tell_decision(session, person, f"no longer has the role {' and '.join(taken)}", reason, now=now)
    return person


def suspend(
    session: Session,
    actor: Actor,
    person_id: UUID,
    *,
    reason: str,
    rule: str = SUSPENSION_RULE,
    now: datetime,
) -> Person:
    """Shut a person out under a rule (`fairness.rules.RULES`), for a reason that they are told.

    Sessions end and keys stop; earnings stay. A decision receipt says who decided; the person may appeal it.
    """
    person, others = access.person_among_operators(session, actor, person_id)
    reason = rules.clean_reason(reason)
    _require_human(actor)
    if person.state is PersonState.SUSPENDED:
        return person
    if person.is_operator and not others:
        raise LastOperator
    applied = fairness_rules.rule_for(ReceiptKind.SUSPEND, rule)
    if applied is None:
        raise Invalid(
            f"{rule!r} is no rule for a suspension.", [{"path": "rule", "message": "choose one of the rules"}]
        )
    receipt = fairness.give_receipt(
        session,
        actor,
        ReceiptKind.SUSPEND,
        person.id,
        rule=applied.key,
        rule_version=applied.version,
        statement=reason,
        now=now,
    )
    person.state, person.receipt_id = PersonState.SUSPENDED, receipt.id
    record(
        session,
        actor,
        "people.suspended",
        "person",
        person.id,
        at=now,
        person_id=person.id,
        data={"rule": receipt.rule, "reason": reason, "receipt": str(receipt.id)},
    )
    sessions.revoke_all(session, actor, person.id, now=now)
    appeal = (
        f"You can appeal until {receipt.appeal_until:%-d %b %Y, %H:%M} UTC: sign in as before, and you are shown the "
        "decision and the way to appeal. Somebody else then looks at it."
    )
    _tell_decision(session, person, "is suspended", reason, appeal, now=now)
    return person


def suspension_of(session: Session, email: str) -> UUID | None:
    """The receipt of the suspension of the account with this address, for who has proved that it is theirs."""
    person = session.scalar(queries.person_by_email(email.strip()))
    return person.receipt_id if person is not None and person.state is PersonState.SUSPENDED else None


def suspended_by(session: Session, receipt_id: UUID) -> Person | None:
    """Who is suspended by this decision now."""
    found = select(Person).where(Person.receipt_id == receipt_id, Person.state == PersonState.SUSPENDED)
    return session.scalar(found)


def unsuspend(session: Session, actor: Actor, person_id: UUID, *, reason: str = "", now: datetime) -> Person:
    """Let a person in again."""
    person = access.person_for_operator(session, actor, person_id, lock=True)
    if person.state is PersonState.ACTIVE:
        return person
    person.state = PersonState.ACTIVE
    data: dict[str, object] = {"reason": reason.strip()} if reason.strip() else {}
    record(session, actor, "people.unsuspended", "person", person.id, at=now, person_id=person.id, data=data)
    body = f"Hello {person.name},\n\nyour account is open again. You can sign in as before.\n"
    mail.send(session, person.email, "Your account is open again", body, now=now)
    return person


def _require_human(actor: Actor) -> None:
    """Nothing adverse happens to a person without a human who decided it."""
    if actor.person_id is None:
        raise NotFound("person")


def _tell_decision(
    session: Session, person: Person, what: str, reason: str, appeal: str = ANSWER_MAIL, *, now: datetime
) -> None:
    body = (
        f"Hello {person.name},\n\nan operator decided that your account {what}.\n\nReason: {reason}\n\n"
        f"What you have earned stays yours and is paid out as promised. {appeal}\n"
    )
    mail.send(session, person.email, "A decision about your account", body, now=now)


def _make_token(session: Session, person_id: UUID, purpose: TokenPurpose, lasts: timedelta, *, now: datetime) -> str:
    secret = secrets.token_urlsafe(32)
    session.add(
        EmailToken(
            person_id=person_id, purpose=purpose, token_hash=digest(secret), created_at=now, expires_at=now + lasts
        )
    )
    session.flush()
    return secret


def _token_person(session: Session, secret: str, purpose: TokenPurpose, *, now: datetime) -> tuple[EmailToken, Person]:
    token = session.scalar(queries.open_token(digest(secret), purpose, now).with_for_update())
    person = session.get(Person, token.person_id, with_for_update=True) if token is not None else None
    if token is None or person is None or person.state is not PersonState.ACTIVE:
        raise BadLink
    return token, person


def _use_token(session: Session, secret: str, purpose: TokenPurpose, *, now: datetime) -> Person:
    token, person = _token_person(session, secret, purpose, now=now)
    token.used_at = now
    return person
