"""Passkeys (WebAuthn level 3): discoverable credentials that replace address and password at once."""

import ipaddress
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, cast
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from preceptor.kit.errors import Invalid
from preceptor.kit.events import Actor, record
from preceptor.people import access, queries, rules
from preceptor.people.errors import LastWayIn, NoPasskeysHere, PasskeyRefused
from preceptor.people.models import Passkey, PasskeyChallenge, Person, PersonState
from preceptor.people.service import limits
from preceptor.people.service.sessions import SESSION_LASTS, Visit, start_session

REGISTER, SIGN_IN = "register", "sign_in"
TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})
FIELD_CHARACTERS_MAX = 20_000

JsonObject = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Whom a passkey is for: the host name, and the exact origin of our pages."""

    id: str
    origin: str

    @classmethod
    def of(cls, base_url: str) -> Self:
        """Raises `NoPasskeysHere` where browsers would refuse: no https, or a bare IP address."""
        url = urlsplit(base_url)
        host = url.hostname or ""
        local = host == "localhost" or host.endswith(".localhost")
        if not host or _is_ip(host) or not (local or url.scheme == "https"):
            raise NoPasskeysHere
        return cls(host, f"{url.scheme}://{url.netloc}")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def begin_registration(session: Session, actor: Actor, party: RelyingParty, *, now: datetime) -> JsonObject:
    """Options for `navigator.credentials.create`; their challenge works once, for five minutes."""
    person = access.self_person(session, actor)
    access.require_self_in_browser(actor, person.id)
    known = list(session.scalars(queries.passkeys(person.id)))
    if len(known) >= rules.PASSKEYS_PER_PERSON_MAX:
        raise Invalid(f"You have {rules.PASSKEYS_PER_PERSON_MAX} passkeys. Remove one that you no longer use.")
    options = generate_registration_options(
        rp_id=party.id,
        rp_name="Preceptor",
        user_id=person.id.bytes,
        user_name=person.email,
        user_display_name=person.name,
        challenge=_new_challenge(session, REGISTER, person.id, now=now),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in known],
    )
    return cast("JsonObject", json.loads(options_to_json(options)))


def finish_registration(
    session: Session, actor: Actor, party: RelyingParty, credential: JsonObject, *, name: str, now: datetime
) -> Passkey:
    """Keep the passkey that the browser made. Raises `PasskeyRefused`."""
    person = access.self_person(session, actor)
    access.require_self_in_browser(actor, person.id)
    challenge = _use_challenge(session, credential, REGISTER, person.id, now=now)
    try:
        verified = verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise PasskeyRefused from error
    if session.scalar(queries.passkey_by_credential(verified.credential_id)) is not None:
        raise PasskeyRefused("This passkey is known already.")
    passkey = Passkey(
        person_id=person.id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        transports=_transports(credential),
        name=rules.clean_name(name),
        created_at=now,
    )
    session.add(passkey)
    session.flush()
    record(session, actor, "people.passkey_added", "passkey", passkey.id, at=now, person_id=person.id)
    return passkey


def begin_sign_in(session: Session, party: RelyingParty, visit: Visit, *, now: datetime) -> JsonObject:
    """Options for `navigator.credentials.get`: whoever has a passkey for this host is offered it."""
    limits.count(session, limits.SIGN_IN_PER_NETWORK, rules.network_of(visit.address), now=now)
    options = generate_authentication_options(
        rp_id=party.id,
        challenge=_new_challenge(session, SIGN_IN, None, now=now),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return cast("JsonObject", json.loads(options_to_json(options)))


def finish_sign_in(
    session: Session,
    party: RelyingParty,
    credential: JsonObject,
    *,
    visit: Visit,
    lasts: timedelta = SESSION_LASTS,
    now: datetime,
) -> str:
    """Start a session for the owner of the passkey; returns its secret. Raises `PasskeyRefused`.

    A counter that does not grow means that the passkey was copied: then it is refused (WebAuthn, section 6.1.1).
    """
    challenge = _use_challenge(session, credential, SIGN_IN, None, now=now)
    passkey, person = _passkey_and_owner(session, credential)
    try:
        verified = verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise PasskeyRefused from error
    if person.state is not PersonState.ACTIVE:
        raise PasskeyRefused("This account is suspended. The mail about it says why, and how to answer.")
    passkey.sign_count, passkey.last_used_at = verified.new_sign_count, now
    return start_session(
        session,
        person.id,
        user_agent=visit.user_agent,
        address=visit.address,
        lasts=lasts,
        method="passkey",
        now=now,
    )


def _passkey_and_owner(session: Session, credential: JsonObject) -> tuple[Passkey, Person]:
    wanted = queries.passkey_by_credential(_bytes_at(credential, "rawId")).with_for_update()
    passkey = session.scalar(wanted)
    if passkey is None:
        raise PasskeyRefused("This passkey is not known here. It may have been removed; use your password.")
    handle = _part(credential, "response").get("userHandle")
    if handle and _decode(handle) != passkey.person_id.bytes:
        raise PasskeyRefused
    return passkey, session.get_one(Person, passkey.person_id)


def list_passkeys(session: Session, actor: Actor) -> list[Passkey]:
    """One's own passkeys, the oldest first."""
    return list(session.scalars(queries.passkeys(access.self_person(session, actor).id)))


def remove_passkey(session: Session, actor: Actor, passkey_id: UUID, *, now: datetime) -> None:
    """Forget a passkey. The last one stays while there is no password."""
    passkey = access.own_passkey(session, actor, passkey_id)
    access.require_self_in_browser(actor, passkey.person_id)
    person = session.get_one(Person, passkey.person_id, with_for_update=True)
    if person.password_hash is None and len(session.scalars(queries.passkeys(person.id)).all()) == 1:
        raise LastWayIn
    session.delete(passkey)
    record(session, actor, "people.passkey_removed", "passkey", passkey.id, at=now, person_id=person.id)


def _new_challenge(session: Session, purpose: str, person_id: UUID | None, *, now: datetime) -> bytes:
    challenge = secrets.token_bytes(32)
    session.add(
        PasskeyChallenge(
            person_id=person_id, challenge=challenge, purpose=purpose, expires_at=now + rules.CHALLENGE_LASTS
        )
    )
    session.flush()
    return challenge


def _use_challenge(
    session: Session, credential: JsonObject, purpose: str, person_id: UUID | None, *, now: datetime
) -> bytes:
    """The challenge that the browser answered, taken out of the table so that no second answer can use it."""
    try:
        answered = json.loads(_bytes_at(_part(credential, "response"), "clientDataJSON"))
        challenge = _decode(answered["challenge"])
    except (ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    taken = session.scalar(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.challenge == challenge,
            PasskeyChallenge.purpose == purpose,
            PasskeyChallenge.person_id.is_not_distinct_from(person_id),
            PasskeyChallenge.expires_at > now,
        )
        .returning(PasskeyChallenge.challenge)
    )
    if taken is None:
        raise PasskeyRefused("That took too long, or this answer was used already. Try again.")
    return taken


def _part(credential: JsonObject, name: str) -> JsonObject:
    part = credential.get(name)
    if not isinstance(part, dict):
        raise PasskeyRefused
    return part


def _bytes_at(credential: JsonObject, name: str) -> bytes:
    return _decode(credential.get(name))


def _decode(value: object) -> bytes:
    if not isinstance(value, str) or len(value) > FIELD_CHARACTERS_MAX:
        raise PasskeyRefused
    try:
        return base64url_to_bytes(value)
    except ValueError as error:
        raise PasskeyRefused from error


def _transports(credential: JsonObject) -> list[str]:
    given = _part(credential, "response").get("transports")
    return sorted(TRANSPORTS.intersection(str(each) for each in given)) if isinstance(given, list) else []
