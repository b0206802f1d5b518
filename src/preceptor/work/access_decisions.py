"""The only ways to a receipt or an appeal that a user asked for."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from preceptor.fairness import service as fairness
from preceptor.fairness.models import Appeal, DecisionReceipt
from preceptor.fairness.queries import OF_WORK, Reach
from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.people.access import acts_as_operator
from preceptor.projects import access as projects
from preceptor.projects.models import Membership, Project
from preceptor.work import access


def reach_of(session: Session, actor: Actor) -> Reach:
    """Whose appeals the actor may decide.

    Operators all of them; managers of a client all of its projects; reviewers those about work in the projects that
    name them. A suspension is the operators' alone.
    """
    found = access.reviewable_projects(session, actor)
    managed = [project.id for project in found if actor.org_roles.get(project.org_id) in projects.MANAGERS]
    return Reach(acts_as_operator(actor), tuple(project.id for project in found), tuple(managed))


def within(reach: Reach, receipt: DecisionReceipt) -> bool:
    """Whether a decision is within somebody's reach: the same condition as `fairness.queries.appeals`."""
    if reach.everything:
        return True
    return receipt.project_id in reach.all_in or (receipt.project_id in reach.work_in and receipt.kind in OF_WORK)


def appeal_to_decide(
    session: Session, actor: Actor, appeal_id: UUID, *, lock: bool = False
) -> tuple[Appeal, DecisionReceipt]:
    """An appeal within the actor's reach, with its receipt. Locked, the receipt is first, and the appeal read anew.

    Out of reach and missing look the same. Whether this person may decide it is said by name afterwards
    (`fairness.refuse_wrong_decider`).
    """
    receipt_id = session.scalar(select(Appeal.receipt_id).where(Appeal.id == appeal_id))
    if receipt_id is None:
        raise NotFound("appeal")
    receipt = fairness.receipt_of(session, receipt_id, lock=lock)
    found = fairness.appeal_of(session, receipt_id)
    if found is None or not within(reach_of(session, actor), receipt):
        raise NotFound("appeal")
    return found, receipt


def receipt_to_read(session: Session, actor: Actor, receipt_id: UUID) -> DecisionReceipt:
    """A decision for the person whom it concerns, or for operators; everybody else finds nothing."""
    if acts_as_operator(actor):
        return fairness.receipt_of(session, receipt_id)
    return fairness.own_receipt(session, actor, receipt_id)


def member_to_decide(session: Session, actor: Actor, project_id: UUID, person_id: UUID) -> tuple[Project, Membership]:
    """Somebody's place in a project, locked, for managers of its client and operators."""
    project = projects.project_for_client(session, actor, project_id, *projects.MANAGERS)
    wanted = select(Membership).where(Membership.project_id == project_id, Membership.person_id == person_id)
    held = session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if held is None:
        raise NotFound("member")
    return project, held
