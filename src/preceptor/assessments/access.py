"""The only ways to an assessment, its known answers and somebody's attempts."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.assessments import queries
from preceptor.assessments.errors import ContributorsOnly
from preceptor.assessments.models import Assessment, AssessmentItem, Attempt
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.access import acts_as_operator, require_org_role
from preceptor.people.models import OrgRole, Person, PersonState

MANAGERS = (OrgRole.OWNER, OrgRole.MANAGER)


def require_client(actor: Actor, org_id: UUID, *roles: str) -> None:
    """Members of the organization with one of the roles, and operators; strangers get `NotFound`."""
    if acts_as_operator(actor):
        return
    require_org_role(actor, org_id, *roles)


def assessment_for_client(session: Session, actor: Actor, assessment_id: UUID, *roles: str) -> Assessment:
    """An assessment of the actor's own organization."""
    found = session.get(Assessment, assessment_id)
    if found is None:
        raise NotFound("assessment")
    try:
        require_client(actor, found.org_id, *roles)
    except NotFound:
        raise NotFound("assessment") from None
    return found


def gold_items(session: Session, actor: Actor, assessment_id: UUID) -> list[AssessmentItem]:
    """Questions with their known answers: for the client's managers and operators only."""
    assessment_for_client(session, actor, assessment_id, *MANAGERS)
    return list(session.scalars(queries.items(assessment_id)))


def live_assessment_for(session: Session, qualification_id: UUID) -> Assessment | None:
    """The newest assessment that is still given and grants this qualification."""
    return session.scalar(queries.granting(qualification_id))


def taker(session: Session, actor: Actor) -> Person:
    """The contributor who asks, able to take tests."""
    person = session.get(Person, actor.person_id) if actor.person_id is not None else None
    if person is None or person.state is not PersonState.ACTIVE:
        raise ContributorsOnly
    if not person.is_contributor or person.email_confirmed_at is None:
        raise ContributorsOnly
    return person


def assessment_for_contributor(session: Session, actor: Actor, assessment_id: UUID) -> Assessment:
    """A test that is given, or was and the person has tried it. Known answers are not part of it."""
    person = taker(session, actor)
    found = session.get(Assessment, assessment_id)
    if found is None:
        raise NotFound("assessment")
    if found.retired_at is not None and not session.scalars(queries.attempts(person.id, [found.id])).first():
        raise NotFound("assessment")
    return found


def own_attempt(session: Session, actor: Actor, attempt_id: UUID, *, lock: bool = False) -> Attempt:
    """An attempt of the person who asks; somebody else's does not exist for them."""
    if actor.person_id is None:
        raise NotFound("attempt")
    found = session.scalar(queries.own_attempt(attempt_id, actor.person_id, lock=lock))
    if found is None:
        raise NotFound("attempt")
    return found
