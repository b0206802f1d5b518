"""The doors to known answers: their client's managers, and whoever has been checked by one and may learn it.

A contributor never gets the known answer of a task that may still be given to them: theirs are tasks that they have
answered and that are decided, and tasks that check nobody any more.
"""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.projects import access as projects
from preceptor.projects.models import Membership, MembershipState, Task, TaskGold
from preceptor.work import queries_gold
from preceptor.work.errors_gold import ConcernedYourself
from preceptor.work.models import Claim, Submission
from preceptor.work.models_quality import GoldChallenge, GoldResult


def own_gold(
    session: Session, actor: Actor, submission_id: UUID
) -> tuple[GoldResult, TaskGold, Claim, Submission] | None:
    """What a decided answer of one's own was compared with, by any of its revisions; None for nothing, or not yet.

    Missing, somebody else's, ordinary and undecided look the same.
    """
    if actor.person_id is None:
        return None
    row = session.execute(queries_gold.own_gold(actor.person_id, submission_id)).one_or_none()
    return None if row is None else row._tuple()


def gold_task(
    session: Session, actor: Actor, project_id: UUID, task_id: UUID, *, lock: bool = False
) -> tuple[Task, TaskGold]:
    """A task with its known answer, for managers of the client. Locks the task, then the answer."""
    task = projects.task_for_client(session, actor, project_id, task_id, *projects.MANAGERS)
    if lock:
        session.refresh(task, with_for_update={"key_share": True})
    gold = session.get(TaskGold, task.id, with_for_update=lock or None, populate_existing=True)
    if gold is None:
        raise NotFound("known_answer")
    return task, gold


def challenge_for_client(session: Session, actor: Actor, challenge_id: UUID, *, lock: bool = False) -> GoldChallenge:
    """A challenge to a key of the actor's own organization; decided by nobody who answered the task."""
    found = session.get(GoldChallenge, challenge_id, with_for_update=lock or None, populate_existing=True)
    if found is None:
        raise NotFound("challenge")
    try:
        projects.project_for_client(session, actor, found.project_id, *projects.MANAGERS)
    except NotFound:
        raise NotFound("challenge") from None
    if lock and session.scalar(queries_gold.was_checked_by(actor.person_id, found.task_id)):
        raise ConcernedYourself
    return found


def practising(session: Session, actor: Actor, project_id: UUID) -> Membership:
    """The membership of somebody who may practise in a project: everybody in it whom nobody removed."""
    held = projects.membership_of(session, actor, project_id)
    if held is None or held.state in (MembershipState.LEFT, MembershipState.REMOVED):
        raise NotFound("project")
    return held
