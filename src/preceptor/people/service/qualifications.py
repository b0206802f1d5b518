"""Qualifications: what a person has shown to know, and what projects can ask for."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor, record
from preceptor.kit.ids import new_id
from preceptor.people import access, queries, rules
from preceptor.people.models import OrgRole, Person, PersonQualification, Qualification

DESCRIPTION_CHARACTERS_MAX = 2000


def create_qualification(
    session: Session, actor: Actor, org_id: UUID, title: str, description: str, *, now: datetime
) -> Qualification:
    """Name something that contributors of an organization's projects can earn."""
    access.require_org_role(actor, org_id, OrgRole.OWNER, OrgRole.MANAGER)
    qualification = Qualification(
        org_id=org_id,
        title=rules.clean_name(title, path="title"),
        description=description.strip()[:DESCRIPTION_CHARACTERS_MAX],
        created_at=now,
    )
    session.add(qualification)
    session.flush()
    record(session, actor, "people.qualification_created", "qualification", qualification.id, at=now, org_id=org_id)
    return qualification


def list_qualifications(session: Session, actor: Actor, org_id: UUID) -> list[Qualification]:
    """An organization's qualifications, by title."""
    access.require_org_role(actor, org_id)
    return list(session.scalars(queries.qualifications_of(org_id)))


def grant(
    session: Session,
    actor: Actor,
    *,
    person_id: UUID,
    qualification_id: UUID,
    source: str = "operator",
    source_id: UUID | None = None,
    now: datetime,
) -> PersonQualification:
    """Give a person a qualification. Somebody who holds it already keeps the one they have.

    For operators, the organization's owners and managers, and the system (a passed assessment).
    """
    qualification = access.qualification_to_manage(session, actor, qualification_id)
    if session.get(Person, person_id) is None:
        raise NotFound("person")
    row = {
        "id": new_id(),
        "person_id": person_id,
        "qualification_id": qualification_id,
        "source": source,
        "source_id": source_id,
        "granted_at": now,
    }
    added = session.scalar(
        insert(PersonQualification).values(row).on_conflict_do_nothing().returning(PersonQualification.id)
    )
    if added is not None:
        _record(session, actor, "people.qualification_granted", qualification, person_id, {"source": source}, now=now)
    return session.scalars(queries.held(person_id, qualification_id)).one()


def revoke(
    session: Session, actor: Actor, *, person_id: UUID, qualification_id: UUID, reason: str, now: datetime
) -> None:
    """Take a qualification away, for a reason that the person is told. Open claims may still be finished."""
    qualification = access.qualification_to_manage(session, actor, qualification_id)
    reason = rules.clean_reason(reason)
    if actor.person_id is None:
        raise NotFound("person")  # a human decides what goes against a person
    held = session.scalar(queries.held(person_id, qualification_id).with_for_update())
    if held is None:
        raise NotFound("qualification")
    held.revoked_at, held.revoked_reason = now, reason
    _record(session, actor, "people.qualification_revoked", qualification, person_id, {"reason": reason}, now=now)


def holds(session: Session, person_id: UUID, qualification_id: UUID) -> bool:
    """Whether the person holds the qualification now."""
    return bool(session.scalar(select(exists(queries.held(person_id, qualification_id)))))


def held_by(session: Session, actor: Actor, person_id: UUID) -> list[tuple[PersonQualification, Qualification, str]]:
    """What a person holds and held, with the organization's name: one's own, or anybody's for an operator."""
    if actor.person_id != person_id:
        access.require_operator(actor)
    return [(held, kind, org) for held, kind, org in session.execute(queries.qualifications_held(person_id))]


def _record(
    session: Session,
    actor: Actor,
    kind: str,
    qualification: Qualification,
    person_id: UUID,
    data: dict[str, object],
    *,
    now: datetime,
) -> None:
    record(
        session,
        actor,
        kind,
        "qualification",
        qualification.id,
        at=now,
        org_id=qualification.org_id,
        person_id=person_id,
        data=data,
    )
