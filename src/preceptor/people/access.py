"""The only ways to get a row about people that a user asked for, and who may do what."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from preceptor.kit.errors import Forbidden, NotFound
from preceptor.kit.events import Actor
from preceptor.people import queries
from preceptor.people.errors import BrowserNeeded
from preceptor.people.identify import require_scope
from preceptor.people.models import (
    ApiKey,
    AuthSession,
    Invitation,
    Member,
    Organization,
    OrgRole,
    Passkey,
    Person,
    PersonState,
    Qualification,
)


def is_operator(actor: Actor) -> bool:
    """Whether the actor runs this installation; the system does too."""
    return actor.kind == "system" or "operator" in actor.roles


def acts_as_operator(actor: Actor) -> bool:
    """Whether the actor may do what operators do: a key needs the scope `operate`, and is bound to no organization."""
    allowed = actor.org_id is None and (actor.scopes is None or "operate" in actor.scopes)
    return actor.kind == "system" or (is_operator(actor) and allowed)


def require_operator(actor: Actor) -> None:
    """Refuse everybody but operators, and those of their API keys that do not act as one."""
    if not is_operator(actor):
        raise Forbidden("This is for operators of the installation.")
    require_scope(actor, "operate")
    if not acts_as_operator(actor):
        raise Forbidden("This API key is bound to one organization. Use one that is not.")


def require_org_role(actor: Actor, org_id: UUID, *roles: str) -> None:
    """Refuse who is not a member (`NotFound`) or a member without one of `roles` (`Forbidden`; none: any role).

    The system may act for every organization. Operators are no members: they have their own pages.
    """
    if actor.kind == "system":
        return
    held = actor.org_roles.get(org_id)
    if held is None or actor.org_id not in (None, org_id):
        raise NotFound("organization")
    if roles and held not in roles:
        raise Forbidden(f"This needs the role {' or '.join(roles)} in the organization; yours is {held}.")


def require_self_in_browser(actor: Actor, person_id: UUID) -> None:
    """Refuse anybody but the person in a browser, or an operator: a leaked API key must not make itself a new one."""
    if acts_as_operator(actor):
        return
    if actor.person_id != person_id:
        raise NotFound("person")
    if actor.kind == "api_key":
        raise BrowserNeeded


def organization(session: Session, actor: Actor, org_id: UUID, *, lock: bool = False) -> Organization:
    """An organization of the actor; operators see all."""
    if not acts_as_operator(actor):
        require_org_role(actor, org_id)
    wanted = select(Organization).where(Organization.id == org_id)
    found = session.scalar(wanted.with_for_update() if lock else wanted)
    if found is None:
        raise NotFound("organization")
    return found


def organizations_visible_to(actor: Actor) -> Select[tuple[Organization]]:
    """The organizations that the actor is a member of."""
    return select(Organization).where(Organization.id.in_(list(actor.org_roles))).order_by(Organization.id)


def member(session: Session, actor: Actor, org_id: UUID, person_id: UUID) -> Member:
    """A member of an organization of the actor. Callers lock the organization first."""
    require_org_role(actor, org_id)
    wanted = select(Member).where(Member.org_id == org_id, Member.person_id == person_id)
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise NotFound("member")
    return found


def invitation(session: Session, actor: Actor, invitation_id: UUID) -> Invitation:
    """An open invitation of an organization that the actor manages."""
    found = session.get(Invitation, invitation_id)
    if found is None:
        raise NotFound("invitation")
    require_org_role(actor, found.org_id, OrgRole.OWNER, OrgRole.MANAGER)
    return found


def person_for_operator(session: Session, actor: Actor, person_id: UUID, *, lock: bool = False) -> Person:
    """Anybody, with personal data: operators only."""
    require_operator(actor)
    wanted = select(Person).where(Person.id == person_id)
    found = session.scalar(wanted.with_for_update().execution_options(populate_existing=True) if lock else wanted)
    if found is None:
        raise NotFound("person")
    return found


def person_among_operators(session: Session, actor: Actor, person_id: UUID) -> tuple[Person, list[Person]]:
    """Anybody, locked together with the active operators besides them, who could take over."""
    require_operator(actor)
    locked = list(session.scalars(queries.operators_and(person_id)))
    found = next((person for person in locked if person.id == person_id), None)
    if found is None:
        raise NotFound("person")
    others = [each for each in locked if each is not found and each.state is PersonState.ACTIVE]
    return found, others


def self_person(session: Session, actor: Actor) -> Person:
    """The person who asks."""
    found = session.get(Person, actor.person_id) if actor.person_id else None
    if found is None:
        raise NotFound("person")
    return found


def own_session(session: Session, actor: Actor, session_id: UUID) -> AuthSession:
    wanted = select(AuthSession).where(AuthSession.id == session_id, AuthSession.person_id == actor.person_id)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound("session")
    return found


def key_of_person(session: Session, actor: Actor, key_id: UUID) -> ApiKey:
    """An API key of the actor; operators reach everybody's, since they may have to revoke it."""
    found = session.get(ApiKey, key_id)
    if found is None or not (found.person_id == actor.person_id or acts_as_operator(actor)):
        raise NotFound("api_key")
    if actor.org_id is not None and found.org_id != actor.org_id:
        raise NotFound("api_key")
    return found


def own_passkey(session: Session, actor: Actor, passkey_id: UUID) -> Passkey:
    wanted = select(Passkey).where(Passkey.id == passkey_id, Passkey.person_id == actor.person_id)
    found = session.scalar(wanted)
    if found is None:
        raise NotFound("passkey")
    return found


def qualification_to_manage(session: Session, actor: Actor, qualification_id: UUID) -> Qualification:
    """A qualification whose organization the actor manages; operators manage all."""
    found = session.get(Qualification, qualification_id)
    if found is None:
        raise NotFound("qualification")
    if not acts_as_operator(actor):
        require_org_role(actor, found.org_id, OrgRole.OWNER, OrgRole.MANAGER)
    return found
