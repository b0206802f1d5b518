"""Organizations and their members. Lock order: the organization, then its members."""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import Forbidden, NotFound
from preceptor.kit.events import Actor, record
from preceptor.people import access, queries, rules
from preceptor.people.errors import AlreadyMember, BadLink, LastOwner, NotYourRole
from preceptor.people.identify import digest
from preceptor.people.models import Invitation, Member, Organization, OrgRole, Person
from preceptor.people.service import limits, mail


def create_organization(session: Session, actor: Actor, *, name: str, owner_id: UUID, now: datetime) -> Organization:
    """Found an organization; `owner_id` becomes its owner. For oneself, or by an operator for somebody."""
    if actor.person_id != owner_id or actor.kind == "api_key":
        access.require_operator(actor)
    if session.get(Person, owner_id) is None:
        raise NotFound("person")
    organization = Organization(name=rules.clean_name(name), created_at=now)
    session.add(organization)
    session.flush()
    session.add(Member(org_id=organization.id, person_id=owner_id, role=OrgRole.OWNER, created_at=now))
    session.flush()
    record(
        session,
        actor,
        "people.organization_created",
        "organization",
        organization.id,
        at=now,
        org_id=organization.id,
        person_id=owner_id,
    )
    return organization


def rename_organization(session: Session, actor: Actor, org_id: UUID, *, name: str, now: datetime) -> Organization:
    access.require_org_role(actor, org_id, OrgRole.OWNER)
    organization = access.organization(session, actor, org_id, lock=True)
    organization.name = rules.clean_name(name)
    record(session, actor, "people.organization_renamed", "organization", org_id, at=now, org_id=org_id)
    return organization


def list_organizations(session: Session, actor: Actor) -> list[Organization]:
    """The organizations that the actor is a member of."""
    return list(session.scalars(access.organizations_visible_to(actor)))


def list_members(session: Session, actor: Actor, org_id: UUID) -> list[tuple[Member, Person]]:
    """Who belongs to an organization, in the order they joined."""
    access.organization(session, actor, org_id)
    return [(member, person) for member, person in session.execute(queries.members(org_id))]


def add_member(
    session: Session, actor: Actor, *, org_id: UUID, person_id: UUID, role: OrgRole | str, now: datetime
) -> Member:
    """Make a person a member. In the pages people are invited instead, so that they agree first."""
    role = OrgRole(role)
    _require_may_manage(actor, org_id, role)
    access.organization(session, actor, org_id, lock=True)
    if session.get(Person, person_id) is None:
        raise NotFound("person")
    if session.get(Member, (org_id, person_id)) is not None:
        raise AlreadyMember
    return _join(session, actor, org_id, person_id, role, now=now)


def _join(session: Session, actor: Actor, org_id: UUID, person_id: UUID, role: OrgRole, *, now: datetime) -> Member:
    member = Member(org_id=org_id, person_id=person_id, role=role, created_at=now)
    session.add(member)
    session.flush()
    _record(session, actor, "people.member_added", member, {"role": role.value}, now=now)
    return member


def change_member_role(
    session: Session, actor: Actor, *, org_id: UUID, person_id: UUID, role: OrgRole | str, now: datetime
) -> Member:
    """Give a member another role. An organization keeps at least one owner."""
    role = OrgRole(role)
    access.organization(session, actor, org_id, lock=True)
    member = access.member(session, actor, org_id, person_id)
    _require_may_manage(actor, org_id, member.role, role)
    if member.role is role:
        return member
    _keep_an_owner(session, member)
    before, member.role = member.role, role
    session.flush()
    _record(session, actor, "people.member_role_changed", member, {"before": before.value, "role": role.value}, now=now)
    return member


def remove_member(session: Session, actor: Actor, *, org_id: UUID, person_id: UUID, now: datetime) -> None:
    """Take a member out; members may also leave by themselves. An organization keeps at least one owner.

    Their API keys for this organization stop with it, since membership is looked up on each request.
    """
    access.organization(session, actor, org_id, lock=True)
    member = access.member(session, actor, org_id, person_id)
    if actor.person_id != person_id:
        _require_may_manage(actor, org_id, member.role)
    _keep_an_owner(session, member)
    session.delete(member)
    session.flush()
    _record(session, actor, "people.member_removed", member, {"role": member.role.value}, now=now)


def invite(
    session: Session,
    actor: Actor,
    *,
    org_id: UUID,
    email: str,
    role: OrgRole | str,
    base_url: str,
    now: datetime,
) -> Invitation:
    """Mail an invitation. Inviting an address again replaces the earlier invitation; members are refused."""
    role, email = OrgRole(role), rules.clean_email(email)
    _require_may_manage(actor, org_id, role)
    organization = access.organization(session, actor, org_id, lock=True)
    limits.count(session, limits.INVITATIONS_PER_ORGANIZATION, str(org_id), now=now)
    if any(person.email.lower() == email.lower() for _, person in session.execute(queries.members(org_id))):
        raise AlreadyMember
    _withdraw_earlier(session, org_id, email, now=now)
    secret = secrets.token_urlsafe(32)
    invitation = Invitation(
        org_id=org_id,
        email=email,
        role=role,
        token_hash=digest(secret),
        invited_by=actor.person_id,
        created_at=now,
        expires_at=now + rules.INVITATION_LASTS,
    )
    session.add(invitation)
    session.flush()
    data = {"role": role.value}
    record(session, actor, "people.invited", "invitation", invitation.id, at=now, org_id=org_id, data=data)
    body = (
        f"Hello,\n\n{actor.name} invites you to {organization.name} as {role.value}.\n\n"
        f"Accept: {base_url}/invitation/{secret}\n\nThe invitation is open for {rules.INVITATION_LASTS.days} days.\n"
    )
    mail.send(session, email, f"Invitation to {organization.name}", body, now=now)
    return invitation


def _withdraw_earlier(session: Session, org_id: UUID, email: str, *, now: datetime) -> None:
    for earlier in session.scalars(queries.unanswered_invitations(org_id, email)):
        earlier.revoked_at = now
    session.flush()


def withdraw_invitation(session: Session, actor: Actor, invitation_id: UUID, *, now: datetime) -> None:
    invitation = access.invitation(session, actor, invitation_id)
    _require_may_manage(actor, invitation.org_id, invitation.role)
    if invitation.revoked_at is None and invitation.accepted_at is None:
        invitation.revoked_at = now
        record(
            session,
            actor,
            "people.invitation_withdrawn",
            "invitation",
            invitation.id,
            at=now,
            org_id=invitation.org_id,
        )


def list_invitations(session: Session, actor: Actor, org_id: UUID, *, now: datetime) -> list[Invitation]:
    """Invitations that wait for an answer; for those who may invite."""
    access.require_org_role(actor, org_id, OrgRole.OWNER, OrgRole.MANAGER)
    return list(session.scalars(queries.open_invitations(org_id, now)))


def read_invitation(session: Session, secret: str, *, now: datetime) -> tuple[Invitation, Organization]:
    """What a mailed invitation offers. Raises `BadLink`."""
    invitation = session.scalar(queries.open_invitation(digest(secret), now))
    if invitation is None:
        raise BadLink
    return invitation, session.get_one(Organization, invitation.org_id)


def accept_invitation(session: Session, actor: Actor, secret: str, *, email: str, now: datetime) -> Member:
    """Join by a mailed link, as the person whom it was mailed to."""
    invitation, organization = read_invitation(session, secret, now=now)
    if actor.person_id is None or invitation.email.lower() != email.lower():
        raise Forbidden(f"This invitation was sent to {invitation.email}. Sign in with that address to accept it.")
    session.get_one(Organization, organization.id, with_for_update=True)
    session.refresh(invitation)
    if invitation.accepted_at is not None or invitation.revoked_at is not None:
        raise BadLink
    invitation.accepted_at = now
    held = session.get(Member, (organization.id, actor.person_id))
    return held or _join(session, actor, organization.id, actor.person_id, invitation.role, now=now)


def _require_may_manage(actor: Actor, org_id: UUID, *roles: OrgRole) -> None:
    """Operators may mend any organization; members only roles that theirs may manage."""
    if access.is_operator(actor) and org_id not in actor.org_roles:
        access.require_operator(actor)
        return
    access.require_org_role(actor, org_id)
    if not rules.may_manage(OrgRole(actor.org_roles[org_id]), *roles):
        raise NotYourRole


def _keep_an_owner(session: Session, member: Member) -> None:
    if member.role is OrgRole.OWNER and session.scalars(queries.owners(member.org_id)).one() <= 1:
        raise LastOwner


def _record(
    session: Session, actor: Actor, kind: str, member: Member, data: dict[str, object], *, now: datetime
) -> None:
    record(
        session,
        actor,
        kind,
        "organization",
        member.org_id,
        at=now,
        org_id=member.org_id,
        person_id=member.person_id,
        data=data,
    )
