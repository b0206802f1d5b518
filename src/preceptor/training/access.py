"""The only ways to a training run or model that somebody asked for."""

from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from preceptor.kit.errors import NotFound
from preceptor.kit.events import Actor
from preceptor.projects.access import project_for_client, visible_to_client
from preceptor.projects.models import Project
from preceptor.training.errors import ModelNotReady
from preceptor.training.models import RunState, TrainingRun


def run_for_client(session: Session, actor: Actor, run_id: UUID, *roles: str) -> TrainingRun:
    """A run of the actor's organization in whatever state."""
    found = session.get(TrainingRun, run_id, populate_existing=True)
    if found is None:
        raise NotFound("model")
    try:
        project_for_client(session, actor, found.project_id, *roles)
    except NotFound:
        raise NotFound("model") from None
    return found


def finished_run(session: Session, actor: Actor, run_id: UUID) -> TrainingRun:
    """The same, once its model can be used."""
    found = run_for_client(session, actor, run_id)
    if found.state is not RunState.READY:
        raise ModelNotReady
    return found


def runs_visible_to(actor: Actor) -> Select[tuple[TrainingRun]]:
    """Runs of all projects of the actor's organizations, newest first."""
    projects = visible_to_client(actor).order_by(None).with_only_columns(Project.id)
    return select(TrainingRun).where(TrainingRun.project_id.in_(projects)).order_by(TrainingRun.id.desc())
