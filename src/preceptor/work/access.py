"""The only ways to get a row of work that a user asked for."""

from uuid import UUID

from sqlalchemy import false, select
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.projects.models import Project, ProjectReviewer
from preceptor.work import queries
from preceptor.work.errors import OwnWork
from preceptor.work.models import Claim, Submission


def own_claim(session: Session, actor: Actor, claim_id: UUID, *, lock: bool = False) -> Claim:
    """A claim of the person who asks; missing and somebody else's look the same."""
    wanted = select(Claim).where(Claim.id == claim_id, Claim.person_id == actor.person_id)
    # What was read before the lock may have changed while it was waited for.
    locked = wanted.with_for_update().execution_options(populate_existing=True)
    claim = session.scalar(locked if lock else wanted)
    if claim is None:
        raise NotFound("claim")
    return claim


def open_claim(session: Session, actor: Actor, project_id: UUID) -> Claim | None:
    """The task that the person holds in a project right now, if any."""
    if actor.person_id is None:
        return None
    return session.scalar(queries.open_claim(actor.person_id, project_id))


def own_submission(session: Session, actor: Actor, submission_id: UUID) -> Submission:
    wanted = select(Submission).where(Submission.id == submission_id, Submission.person_id == actor.person_id)
    submission = session.scalar(wanted)
    if submission is None:
        raise NotFound("submission")
    return submission


def reviewable_projects(session: Session, actor: Actor) -> list[Project]:
    """Projects whose submissions this person may review: named as reviewer there, or manages the client.

    Being named counts only while the person is a reviewer; a key bound to an organization reaches no other.
    """
    managed = [org for org, role in actor.org_roles.items() if role in ("owner", "manager")]
    named = select(ProjectReviewer.project_id).where(ProjectReviewer.person_id == actor.person_id)
    as_reviewer = Project.id.in_(named) if "reviewer" in actor.roles else false()
    wanted = select(Project).where(Project.org_id.in_(managed) | as_reviewer).order_by(Project.id)
    if actor.org_id is not None:
        wanted = wanted.where(Project.org_id == actor.org_id)
    return list(session.scalars(wanted))


def submission_for_review(session: Session, actor: Actor, submission_id: UUID, *, lock: bool = False) -> Submission:
    """A submission that this person may decide about; their own is refused by name."""
    wanted = select(Submission).where(Submission.id == submission_id)
    submission = session.scalar(wanted.with_for_update() if lock else wanted)
    allowed = {project.id for project in reviewable_projects(session, actor)}
    if submission is None or submission.project_id not in allowed:
        raise NotFound("submission")
    if submission.person_id == actor.person_id:
        raise OwnWork
    return submission
