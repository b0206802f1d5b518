"""The only way to an AI judge that somebody asked for. Judges are the client's; contributors never see one."""

from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.projects import access
from preceptor.projects.models import Project
from preceptor.work import queries_judging
from preceptor.work.models_judging import AiJudge


def judge_for_client(
    session: Session, actor: Actor, judge_id: UUID, *roles: str, lock: bool = False
) -> tuple[AiJudge, Project]:
    """A judge of a project of the actor's own organization, with the project."""
    found = session.scalar(queries_judging.judge(judge_id, lock=lock))
    if found is None:
        raise NotFound("judge")
    try:
        return found, access.project_for_client(session, actor, found.project_id, *roles)
    except NotFound:
        raise NotFound("judge") from None
