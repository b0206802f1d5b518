"""People over the API: who asks, keys, sessions, organizations and their members; for operators everybody."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import Field

from preceptor.api.schemas import In, Out, PageSize
from preceptor.http.cursor import read_cursor
from preceptor.http.edge import CurrentActor, CurrentRuntime, Db, Known, Now
from preceptor.http.idempotency import Once
from preceptor.kit.ids import read_id, show_id
from preceptor.people import access
from preceptor.people.identify import SCOPES, SignedIn, require_scope
from preceptor.people.models import (
    ApiKey,
    AuthSession,
    Invitation,
    Member,
    Organization,
    OrgRole,
    Person,
    PersonQualification,
    Qualification,
)
from preceptor.people.queries import PeopleWanted
from preceptor.people.service import accounts, directory, keys, organizations, qualifications, sessions

router = APIRouter(prefix="/api/v1", tags=["people"])

Scope = Literal["work", "read", "projects", "review", "operate"]
PeopleFilter = Literal[
    "all", "operators", "clients", "contributors", "reviewers", "suspended", "unconfirmed", "simulated"
]
EMAIL = "ada@example.org"
PERSON_ID = "per_0192f0c1a2b37c4d8e5f60718293a4b5"
ORG_ID = "org_0192f0c1a2b37c4d8e5f60718293a4b5"


class MembershipOut(Out):
    organization_id: str = Field(examples=[ORG_ID])
    role: OrgRole


class MeOut(Out):
    id: str = Field(examples=[PERSON_ID])
    name: str = Field(examples=["Ada Byron"])
    email: str = Field(examples=[EMAIL])
    roles: list[str] = Field(examples=[["contributor"]])
    organizations: list[MembershipOut]
    scopes: list[str] | None = Field(description="What this API key may do; null in a browser: everything.")


class MeIn(In):
    name: str = Field(examples=["Ada Byron"], max_length=100)


class KeyIn(In):
    name: str = Field(examples=["import script"], max_length=100)
    scopes: list[Scope] = Field(examples=[["read", "projects"]], min_length=1, max_length=len(SCOPES))
    organization_id: str | None = Field(default=None, description="Bind the key to one organization.")
    expires_at: datetime | None = None


class KeyOut(Out):
    id: str
    name: str
    prefix: str = Field(description="The key starts with `pk_<prefix>_`.", examples=["5f21c07e"])
    scopes: list[str]
    organization_id: str | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class NewKeyOut(KeyOut):
    secret: str = Field(description="Shown this once.", examples=["pk_5f21c07e_..."])


class KeysOut(Out):
    items: list[KeyOut]
    next_cursor: None = None


class SessionOut(Out):
    id: str
    user_agent: str | None
    address: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


class SessionsOut(Out):
    items: list[SessionOut]
    next_cursor: None = None


class RevokedOut(Out):
    revoked: int = Field(examples=[3])


class OrganizationIn(In):
    name: str = Field(examples=["Reasoning Lab"], max_length=100)


class OrganizationOut(Out):
    id: str = Field(examples=[ORG_ID])
    name: str
    role: OrgRole | None = Field(description="Your role there; null for operators who are no members.")
    created_at: datetime


class OrganizationsOut(Out):
    items: list[OrganizationOut]
    next_cursor: None = None


class MemberOut(Out):
    person_id: str = Field(examples=[PERSON_ID])
    name: str
    email: str
    role: OrgRole
    since: datetime


class MembersOut(Out):
    items: list[MemberOut]
    next_cursor: None = None


class MemberIn(In):
    person_id: str = Field(examples=[PERSON_ID])
    role: OrgRole


class RoleIn(In):
    role: OrgRole


class InvitationIn(In):
    email: str = Field(examples=[EMAIL], max_length=254)
    role: OrgRole = OrgRole.VIEWER


class InvitationOut(Out):
    id: str
    email: str
    role: OrgRole
    created_at: datetime
    expires_at: datetime


class InvitationsOut(Out):
    items: list[InvitationOut]
    next_cursor: None = None


class QualificationIn(In):
    title: str = Field(examples=["Argument reading"], max_length=100)
    description: str = Field(default="", max_length=2000)


class QualificationOut(Out):
    id: str
    title: str
    description: str


class QualificationsOut(Out):
    items: list[QualificationOut]
    next_cursor: None = None


class GrantIn(In):
    person_id: str = Field(examples=[PERSON_ID])


class GrantOut(Out):
    person_id: str
    qualification_id: str
    source: str
    granted_at: datetime


class ReasonIn(In):
    reason: str = Field(examples=["Shares the account with others, seen in the sessions of 2 March."], max_length=2000)


class PersonIn(In):
    email: str = Field(examples=[EMAIL], max_length=254)
    name: str = Field(examples=["Ada Byron"], max_length=100)
    is_operator: bool = False
    is_contributor: bool = False
    is_reviewer: bool = False
    confirmed: bool = Field(default=False, description="You vouch for the address; no mail is sent.")


class PersonOut(Out):
    id: str = Field(examples=[PERSON_ID])
    email: str
    name: str
    state: str = Field(examples=["active"])
    is_operator: bool
    is_contributor: bool
    is_reviewer: bool
    simulated: bool
    email_confirmed_at: datetime | None
    created_at: datetime


class PeopleOut(Out):
    items: list[PersonOut]
    next_cursor: str | None


class RolesIn(In):
    is_operator: bool
    is_contributor: bool
    is_reviewer: bool
    reason: str = Field(default="", max_length=2000, description="Needed when a role is taken away.")


def _me(known: SignedIn) -> MeOut:
    actor = known.actor
    assert actor.person_id is not None
    return MeOut(
        id=show_id("person", actor.person_id),
        name=actor.name,
        email=known.email,
        roles=sorted(actor.roles),
        organizations=[
            MembershipOut(organization_id=show_id("organization", org), role=OrgRole(role))
            for org, role in actor.org_roles.items()
        ],
        scopes=None if actor.scopes is None else sorted(actor.scopes),
    )


def _key(key: ApiKey) -> KeyOut:
    return KeyOut(
        id=show_id("api_key", key.id),
        name=key.name,
        prefix=key.prefix,
        scopes=key.scopes,
        organization_id=None if key.org_id is None else show_id("organization", key.org_id),
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        expires_at=key.expires_at,
    )


def _session(row: AuthSession, known: SignedIn) -> SessionOut:
    return SessionOut(
        id=show_id("session", row.id),
        user_agent=row.user_agent,
        address=row.address,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        current=row.id == known.session_id,
    )


def _organization(row: Organization, role: str | None) -> OrganizationOut:
    return OrganizationOut(
        id=show_id("organization", row.id),
        name=row.name,
        role=None if role is None else OrgRole(role),
        created_at=row.created_at,
    )


def _member(row: Member, person: Person) -> MemberOut:
    return MemberOut(
        person_id=show_id("person", row.person_id),
        name=person.name,
        email=person.email,
        role=row.role,
        since=row.created_at,
    )


def _invitation(row: Invitation) -> InvitationOut:
    return InvitationOut(
        id=show_id("invitation", row.id),
        email=row.email,
        role=row.role,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )


def _qualification(row: Qualification) -> QualificationOut:
    return QualificationOut(id=show_id("qualification", row.id), title=row.title, description=row.description)


def _grant(row: PersonQualification) -> GrantOut:
    return GrantOut(
        person_id=show_id("person", row.person_id),
        qualification_id=show_id("qualification", row.qualification_id),
        source=row.source,
        granted_at=row.granted_at,
    )


def _person(row: Person) -> PersonOut:
    return PersonOut(
        id=show_id("person", row.id),
        email=row.email,
        name=row.name,
        state=row.state.value,
        is_operator=row.is_operator,
        is_contributor=row.is_contributor,
        is_reviewer=row.is_reviewer,
        simulated=row.simulated,
        email_confirmed_at=row.email_confirmed_at,
        created_at=row.created_at,
    )


# Oneself


@router.get("/me")
def read_me(known: Known) -> MeOut:
    """Who you are here, and what this key may do."""
    return _me(known)


@router.patch("/me")
def change_me(body: MeIn, session: Db, known: Known, now: Now) -> PersonOut:
    """Change your name."""
    return _person(accounts.change_profile(session, known.actor, name=body.name, now=now))


@router.get("/keys")
def list_keys(session: Db, actor: CurrentActor) -> KeysOut:
    """Your API keys, newest first, without their secrets."""
    require_scope(actor, "read")
    assert actor.person_id is not None
    return KeysOut(items=[_key(key) for key in keys.list_keys(session, actor, actor.person_id)])


@router.post("/keys", status_code=201)
def create_key(body: KeyIn, session: Db, actor: CurrentActor, now: Now) -> NewKeyOut:
    """Make an API key, in a browser session. The secret is in this answer only, so no Idempotency-Key is taken."""
    assert actor.person_id is not None
    key, secret = keys.create_key(
        session,
        actor,
        person_id=actor.person_id,
        name=body.name,
        scopes=body.scopes,
        org_id=None if body.organization_id is None else read_id("organization", body.organization_id),
        expires_at=body.expires_at,
        now=now,
    )
    return NewKeyOut(**_key(key).model_dump(), secret=secret)


@router.delete("/keys/{key_id}", status_code=204)
def revoke_key(key_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Stop a key at once."""
    keys.revoke_key(session, actor, read_id("api_key", key_id), now=now)


@router.get("/sessions")
def list_sessions(session: Db, known: Known, now: Now) -> SessionsOut:
    """Where you are signed in, the latest first."""
    require_scope(known.actor, "read")
    assert known.actor.person_id is not None
    rows = sessions.list_sessions(session, known.actor, known.actor.person_id, now=now)
    return SessionsOut(items=[_session(row, known) for row in rows])


@router.delete("/sessions/{session_id}", status_code=204)
def revoke_session(session_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Sign another browser out."""
    sessions.revoke_session(session, actor, read_id("session", session_id), now=now)


@router.post("/sessions/revoke-others")
def revoke_other_sessions(session: Db, known: Known, now: Now) -> RevokedOut:
    """Sign every other browser out."""
    return RevokedOut(revoked=sessions.revoke_others(session, known.actor, keep=known.session_id, now=now))


# Organizations


@router.get("/organizations")
def list_organizations(session: Db, actor: CurrentActor) -> OrganizationsOut:
    """The organizations that you are a member of."""
    require_scope(actor, "read")
    found = organizations.list_organizations(session, actor)
    return OrganizationsOut(items=[_organization(row, actor.org_roles.get(row.id)) for row in found])


@router.post("/organizations", status_code=201, response_model=OrganizationOut)
def create_organization(body: OrganizationIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Found an organization with yourself as its owner (in a browser session, or by an operator)."""
    assert actor.person_id is not None
    owner_id = actor.person_id

    def make() -> OrganizationOut:
        row = organizations.create_organization(session, actor, name=body.name, owner_id=owner_id, now=now)
        return _organization(row, OrgRole.OWNER)

    return once.answer(make)


@router.get("/organizations/{org_id}")
def read_organization(org_id: str, session: Db, actor: CurrentActor) -> OrganizationOut:
    require_scope(actor, "read")
    row = access.organization(session, actor, read_id("organization", org_id))
    return _organization(row, actor.org_roles.get(row.id))


@router.patch("/organizations/{org_id}")
def rename_organization(
    org_id: str, body: OrganizationIn, session: Db, actor: CurrentActor, now: Now
) -> OrganizationOut:
    """Rename it (owners)."""
    require_scope(actor, "projects")
    org = read_id("organization", org_id)
    row = organizations.rename_organization(session, actor, org, name=body.name, now=now)
    return _organization(row, actor.org_roles.get(row.id))


@router.get("/organizations/{org_id}/members")
def list_members(org_id: str, session: Db, actor: CurrentActor) -> MembersOut:
    """Who belongs to it, in the order they joined."""
    require_scope(actor, "read")
    found = organizations.list_members(session, actor, read_id("organization", org_id))
    return MembersOut(items=[_member(row, person) for row, person in found])


@router.post("/organizations/{org_id}/members", status_code=201, response_model=MemberOut)
def add_member(org_id: str, body: MemberIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Make somebody a member without asking them (operators). Members invite instead."""
    access.require_operator(actor)
    org, person_id = read_id("organization", org_id), read_id("person", body.person_id)

    def make() -> MemberOut:
        row = organizations.add_member(session, actor, org_id=org, person_id=person_id, role=body.role, now=now)
        return _member(row, access.person_for_operator(session, actor, person_id))

    return once.answer(make)


@router.patch("/organizations/{org_id}/members/{person_id}")
def change_member(
    org_id: str, person_id: str, body: RoleIn, session: Db, actor: CurrentActor, now: Now
) -> MembershipOut:
    """Give a member another role."""
    require_scope(actor, "projects")
    row = organizations.change_member_role(
        session,
        actor,
        org_id=read_id("organization", org_id),
        person_id=read_id("person", person_id),
        role=body.role,
        now=now,
    )
    return MembershipOut(organization_id=org_id, role=row.role)


@router.delete("/organizations/{org_id}/members/{person_id}", status_code=204)
def remove_member(org_id: str, person_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    """Take a member out, or leave."""
    require_scope(actor, "projects")
    organizations.remove_member(
        session, actor, org_id=read_id("organization", org_id), person_id=read_id("person", person_id), now=now
    )


@router.get("/organizations/{org_id}/invitations")
def list_invitations(org_id: str, session: Db, actor: CurrentActor, now: Now) -> InvitationsOut:
    """Invitations that wait for an answer (owners and managers)."""
    require_scope(actor, "read")
    found = organizations.list_invitations(session, actor, read_id("organization", org_id), now=now)
    return InvitationsOut(items=[_invitation(row) for row in found])


@router.post("/organizations/{org_id}/invitations", status_code=201, response_model=InvitationOut)
def invite(
    org_id: str, body: InvitationIn, once: Once, session: Db, actor: CurrentActor, runtime: CurrentRuntime, now: Now
) -> Response:
    """Invite an e-mail address."""
    require_scope(actor, "projects")
    org = read_id("organization", org_id)

    def make() -> InvitationOut:
        base_url = runtime.settings.base_url
        return _invitation(
            organizations.invite(
                session, actor, org_id=org, email=body.email, role=body.role, base_url=base_url, now=now
            )
        )

    return once.answer(make)


@router.delete("/invitations/{invitation_id}", status_code=204)
def withdraw_invitation(invitation_id: str, session: Db, actor: CurrentActor, now: Now) -> None:
    require_scope(actor, "projects")
    organizations.withdraw_invitation(session, actor, read_id("invitation", invitation_id), now=now)


# Qualifications


@router.get("/organizations/{org_id}/qualifications")
def list_qualifications(org_id: str, session: Db, actor: CurrentActor) -> QualificationsOut:
    """What the organization's projects can ask for."""
    require_scope(actor, "read")
    found = qualifications.list_qualifications(session, actor, read_id("organization", org_id))
    return QualificationsOut(items=[_qualification(row) for row in found])


@router.post("/organizations/{org_id}/qualifications", status_code=201, response_model=QualificationOut)
def create_qualification(
    org_id: str, body: QualificationIn, once: Once, session: Db, actor: CurrentActor, now: Now
) -> Response:
    require_scope(actor, "projects")
    org = read_id("organization", org_id)
    return once.answer(
        lambda: _qualification(
            qualifications.create_qualification(session, actor, org, body.title, body.description, now=now)
        )
    )


@router.post("/qualifications/{qualification_id}/holders", status_code=201, response_model=GrantOut)
def grant(qualification_id: str, body: GrantIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Give somebody a qualification (the organization's owners and managers, operators)."""
    require_scope(actor, "projects")
    kind, person_id = read_id("qualification", qualification_id), read_id("person", body.person_id)
    return once.answer(
        lambda: _grant(qualifications.grant(session, actor, person_id=person_id, qualification_id=kind, now=now))
    )


@router.post("/qualifications/{qualification_id}/holders/{person_id}/revoke", status_code=204)
def revoke_qualification(
    qualification_id: str, person_id: str, body: ReasonIn, session: Db, actor: CurrentActor, now: Now
) -> None:
    """Take a qualification away, for a reason that the person is told."""
    require_scope(actor, "projects")
    qualifications.revoke(
        session,
        actor,
        person_id=read_id("person", person_id),
        qualification_id=read_id("qualification", qualification_id),
        reason=body.reason,
        now=now,
    )


# Operators


@router.get("/people")
def list_people(
    session: Db,
    actor: CurrentActor,
    search: Annotated[str, Query(max_length=200, description="Words in name or address.")] = "",
    filter: PeopleFilter = "all",
    cursor: str | None = None,
    limit: PageSize = 50,
) -> PeopleOut:
    """Everybody, newest first (operators)."""
    wanted = PeopleWanted(search, filter, read_cursor("person", cursor), limit)
    page = directory.list_people(session, actor, wanted)
    following = None if page.next_before is None else show_id("person", page.next_before)
    return PeopleOut(items=[_person(row) for row in page.people], next_cursor=following)


@router.post("/people", status_code=201, response_model=PersonOut)
def create_person(body: PersonIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
    """Make an account without a password (operators). The person sets one by a reset link."""
    access.require_operator(actor)
    return once.answer(lambda: _person(accounts.create_person(session, actor, **body.model_dump(), now=now)))


@router.get("/people/{person_id}")
def read_person(person_id: str, session: Db, actor: CurrentActor) -> PersonOut:
    return _person(access.person_for_operator(session, actor, read_id("person", person_id)))


@router.put("/people/{person_id}/roles")
def set_roles(person_id: str, body: RolesIn, session: Db, actor: CurrentActor, now: Now) -> PersonOut:
    """Give and take roles (operators)."""
    return _person(accounts.set_roles(session, actor, read_id("person", person_id), **body.model_dump(), now=now))


class SuspensionIn(ReasonIn):
    rule: str = Field(
        default=accounts.SUSPENSION_RULE,
        description="copying, automated, conduct or operator_decision; it stands in the decision receipt.",
    )


@router.post("/people/{person_id}/suspend")
def suspend(person_id: str, body: SuspensionIn, session: Db, actor: CurrentActor, now: Now) -> PersonOut:
    """Shut somebody out, for a reason that they are told and may appeal to another operator (operators)."""
    found = read_id("person", person_id)
    return _person(accounts.suspend(session, actor, found, reason=body.reason, rule=body.rule, now=now))


@router.post("/people/{person_id}/unsuspend")
def unsuspend(person_id: str, session: Db, actor: CurrentActor, now: Now) -> PersonOut:
    """Let somebody in again (operators)."""
    return _person(accounts.unsuspend(session, actor, read_id("person", person_id), now=now))
