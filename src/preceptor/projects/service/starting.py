"""A new project out of a template: its guidelines, rubric and a few tasks to try, as the task type brings them."""

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.projects.errors import UnknownTemplate
from preceptor.projects.models import Project
from preceptor.projects.service import imports, projects
from preceptor.projects.settings import Criterion, TaskIn
from preceptor.tasktypes.base import AnyTaskType, Row, Template

USUAL_RUBRIC: Final[tuple[Row, ...]] = (
    {
        "key": "choice",
        "title": "Sound choice",
        "description": "The choice follows from the guidelines and from what the responses say.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 2.0,
        "anchors": {"1": "against the guidelines", "3": "can be defended", "5": "clearly right"},
    },
    {
        "key": "reason",
        "title": "Useful reason",
        "description": "The reason names what decided it, so that somebody else could check it.",
        "scale_min": 1,
        "scale_max": 5,
        "weight": 1.0,
        "anchors": {"1": "says nothing", "3": "names something true", "5": "names the deciding place"},
    },
)
"""What a project of a kind without a rubric of its own is reviewed by."""


def template_of(kind: AnyTaskType, key: str) -> Template:
    """The template of that key; UnknownTemplate names those there are."""
    found = {template.key: template for template in kind.templates()}
    if key not in found:
        raise UnknownTemplate(f"{kind.title} has no template {key!r}. There are: {', '.join(found)}.")
    return found[key]


def furnish(
    session: Session, actor: Actor, project: Project, template: Template, *, examples: bool, now: datetime
) -> None:
    """Publish the template's guidelines and rubric in a new project; add its example tasks where they are wanted."""
    projects.publish_guidelines(session, actor, project.id, template.guidelines, now=now)
    criteria = [Criterion.model_validate(criterion) for criterion in template.rubric or USUAL_RUBRIC]
    projects.publish_rubric(session, actor, project.id, criteria, now=now)
    if examples and template.examples:
        tasks = [
            TaskIn(external_id=f"example-{number}", payload=payload)
            for number, payload in enumerate(template.examples, start=1)
        ]
        imports.import_tasks_now(session, actor, project.id, tasks, now=now)
