"""Contributors who join and leave, and the reviewers of a project."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.kit import events
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.models import Person, PersonState
from preceptor.projects import access, queries, rules
from preceptor.projects.errors import NotAReviewer, NotEligible
from preceptor.projects.models import Membership, MembershipState, Project, ProjectReviewer
from preceptor.projects.rules import Eligibility


def eligibility(session: Session, person_id: UUID, project: Project) -> Eligibility:
    """Whether a person may work on a project now, with every reason against it."""
    person = access.applicant(session, person_id)
    return rules.eligibility(person, access.openings(session, [project])[project.id])


def join(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> Membership:
    """Make the actor a member, or an active one again. NotEligible says why not. Joining twice is the same as once."""
    project = access.project_for_contributor(session, actor, project_id)
    person_id = _person_of(actor)
    found = session.scalar(queries.membership(project_id, person_id).with_for_update())
    if found is not None and found.state is MembershipState.ACTIVE:
        return found
    _refuse_ineligible(eligibility(session, person_id, project))
    if found is not None and found.state in rules.CLOSED_PLACES:
        raise NotEligible(rules.CLOSED_PLACES[found.state], reasons=f"membership_{found.state.value}")
    values = {"project_id": project_id, "person_id": person_id, "joined_at": now}
    # Whoever leaves and comes back starts at the front again: tasks may have been given back meanwhile.
    again = {"state": MembershipState.ACTIVE, "cursor": -1}
    session.execute(
        insert(Membership)
        .values(**values, **again)
        .on_conflict_do_update(index_elements=["project_id", "person_id"], set_=again)
    )
    _record(session, actor, "project.joined", project, now, person_id=person_id)
    return session.get_one(Membership, (project_id, person_id), populate_existing=True)


def _refuse_ineligible(found: Eligibility) -> None:
    if not found.eligible:
        raise NotEligible(
            " ".join(reason.text for reason in found.reasons),
            reasons=", ".join(reason.code for reason in found.reasons),
        )


def leave(session: Session, actor: Actor, project_id: UUID, *, now: datetime) -> Membership:
    """Take no more tasks of a project. A live claim stays with the person until it ends.

    A place that is paused, asks for practice or was ended stays so.
    """
    project = access.project_for_contributor(session, actor, project_id)
    person_id = _person_of(actor)
    found = session.scalar(queries.membership(project_id, person_id).with_for_update())
    if found is None:
        raise NotFound("membership")
    # Leaving and coming back is no way around a decision: that place stays as it was decided.
    if found.state is MembershipState.ACTIVE:
        found.state = MembershipState.LEFT
        _record(session, actor, "project.left", project, now, person_id=person_id)
    session.flush()
    return found


def add_reviewer(
    session: Session, actor: Actor, project_id: UUID, person_id: UUID, *, now: datetime
) -> ProjectReviewer:
    """Let a person with the reviewer role review this project. Adding twice is the same as once."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS)
    person = session.get(Person, person_id)
    # One refusal for unknown and unsuitable, so that ids of people cannot be probed.
    if person is None or not person.is_reviewer or person.state is not PersonState.ACTIVE:
        raise NotAReviewer
    added = session.execute(
        insert(ProjectReviewer)
        .values(project_id=project_id, person_id=person_id, created_at=now)
        .on_conflict_do_nothing()
        .returning(ProjectReviewer.person_id)
    ).first()
    if added is not None:
        _record(session, actor, "project.reviewer_added", project, now, person_id=person_id)
    return session.get_one(ProjectReviewer, (project_id, person_id))


def add_reviewer_by_email(
    session: Session, actor: Actor, project_id: UUID, email: str, *, now: datetime
) -> ProjectReviewer:
    """The same for somebody whose address the client knows; an unknown address is `NotAReviewer` too."""
    access.project_for_client(session, actor, project_id, *access.MANAGERS)
    person_id = session.scalar(queries.reviewer_by_email(email))
    if person_id is None:
        raise NotAReviewer
    return add_reviewer(session, actor, project_id, person_id, now=now)


def remove_reviewer(session: Session, actor: Actor, project_id: UUID, person_id: UUID, *, now: datetime) -> None:
    """Take a person off the reviewers. Reviews already given stay."""
    project = access.project_for_client(session, actor, project_id, *access.MANAGERS)
    found = session.get(ProjectReviewer, (project_id, person_id))
    if found is None:
        raise NotFound("reviewer")
    session.delete(found)
    _record(session, actor, "project.reviewer_removed", project, now, person_id=person_id)
    session.flush()


def reviewers_of(session: Session, actor: Actor, project_id: UUID) -> list[Person]:
    """The project's reviewers by name, for its client."""
    access.project_for_client(session, actor, project_id)
    return list(session.scalars(queries.reviewers(project_id)))


def _person_of(actor: Actor) -> UUID:
    if actor.person_id is None:
        raise NotFound("project")
    return actor.person_id


def _record(session: Session, actor: Actor, kind: str, project: Project, now: datetime, *, person_id: UUID) -> None:
    events.record(
        session,
        actor,
        kind,
        "project",
        project.id,
        at=now,
        org_id=project.org_id,
        project_id=project.id,
        person_id=person_id,
    )
