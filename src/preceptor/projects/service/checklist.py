"""What is still missing before a project can open."""

from pydantic import ValidationError
from sqlalchemy.orm import Session

from preceptor.assessments import access as assessments
from preceptor.endpoints.models import EndpointRole
from preceptor.endpoints.service import choosing
from preceptor.kit.money import Money
from preceptor.money import service as money
from preceptor.projects import queries, rules
from preceptor.projects.models import Project
from preceptor.projects.rules import CheckItem
from preceptor.tasktypes.base import UnknownTaskType, task_type, task_types
from preceptor.tasktypes.generation import DirectsModels


def checklist(session: Session, project: Project) -> list[CheckItem]:
    """Every condition of opening with whether it is met, in the order in which a client meets them."""
    items = [
        CheckItem(
            "config",
            "Settings of the work",
            _config_fits(project),
            "Save the settings of the task type once more.",
        ),
        CheckItem(
            "guidelines",
            "Guidelines",
            project.guidelines_version_id is not None,
            "Write and publish what contributors should judge by.",
        ),
        CheckItem(
            "rubric",
            "Rubric",
            project.rubric_version_id is not None,
            "Publish at least one criterion that reviewers decide by.",
        ),
        CheckItem(
            "tasks",
            "Tasks",
            bool(session.scalar(queries.has_open_task(project.id))),
            "Import a file of tasks, or add them through the API.",
        ),
        CheckItem("rate", "Rate", project.rate_minor > 0, "Set what one judgment is paid."),
        _funds(session, project),
    ]
    if isinstance(task_types().get(project.task_type), DirectsModels):
        items.append(_models(session, project))
    if project.qualification_id is not None:
        items.append(_qualification(session, project))
    return items


def _models(session: Session, project: Project) -> CheckItem:
    return CheckItem(
        "models",
        "Models that answer people",
        bool(choosing.chosen(session, project.id, EndpointRole.GENERATE)),
        "Choose the model endpoints that answer people while they work.",
    )


def _config_fits(project: Project) -> bool:
    try:
        task_type(project.task_type).config_model.model_validate(project.config)
    except (UnknownTaskType, ValidationError):
        return False
    return True


def _funds(session: Session, project: Project) -> CheckItem:
    judgments = rules.first_overlap(project)
    needed = Money(project.rate_minor * judgments, project.currency)
    held = money.project_funds(session, project.id, project.currency).escrow
    return CheckItem(
        "funds",
        "Budget",
        held.minor > 0 and needed <= held,
        f"Fund the project with at least {needed}: one task judged {judgments} times. It holds {held}.",
    )


def _qualification(session: Session, project: Project) -> CheckItem:
    qualification_id = project.qualification_id
    assert qualification_id is not None
    earnable = assessments.live_assessment_for(session, qualification_id) is not None
    held = bool(session.scalar(queries.someone_holds(qualification_id)))
    return CheckItem(
        "qualification",
        "Entry test",
        earnable or held,
        "Nobody holds the required qualification, and no test grants it. Make a test, or grant it to people.",
    )
