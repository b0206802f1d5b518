"""A new project out of a template: its guidelines, rubric and a few tasks to try, as the task type brings them."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from preceptor.kit.events import Actor
from preceptor.kit.runtime import Runtime
from preceptor.media.models import Placed
from preceptor.media.rules import media_url
from preceptor.media.sending import send_file
from preceptor.media.service import place_media
from preceptor.projects.errors import UnknownTemplate
from preceptor.projects.models import Project
from preceptor.projects.service import imports, projects
from preceptor.projects.settings import Criterion, TaskIn
from preceptor.tasktypes.base import EXAMPLE_FILE, AnyTaskType, Row, Template

_NAMED: Final = re.compile(re.escape(EXAMPLE_FILE) + r"([A-Za-z0-9_.-]+)")
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


def send_examples(runtime: Runtime, actor: Actor, org_id: UUID, template: Template) -> dict[str, UUID]:
    """Put the files of a template's examples into an organization; returns which is which, by name.

    The caller has checked that the actor may add files there. Each file is checked and stored in transactions of its
    own, so call it where no row is locked; what the organization has already is not sent again. Where no project
    comes of it, the files lie in the organization without a use, and can be deleted.
    """
    return {
        name: send_file(runtime, actor, path, name=name, org_id=org_id, project_id=None).media.id
        for name, path in template.files.items()
    }


def furnish(
    session: Session,
    actor: Actor,
    project: Project,
    template: Template,
    *,
    examples: bool,
    files: Mapping[str, UUID] | None = None,
    now: datetime,
) -> None:
    """Publish the template's guidelines and rubric in a new project; add its example tasks where they are wanted.

    `files` are what `send_examples` returned, for a template whose examples show files.
    """
    projects.publish_guidelines(session, actor, project.id, template.guidelines, now=now)
    criteria = [Criterion.model_validate(criterion) for criterion in template.rubric or USUAL_RUBRIC]
    projects.publish_rubric(session, actor, project.id, criteria, now=now)
    if examples and template.examples:
        sent = files or {}
        tasks = [
            TaskIn(external_id=f"example-{number}", payload=with_files(payload, sent))
            for number, payload in enumerate(template.examples, start=1)
        ]
        imports.import_tasks_now(session, actor, project.id, tasks, now=now)
        place_media(session, sent.values(), Placed.FILED, project.id, project.id)


def with_files(payload: Row, files: Mapping[str, UUID]) -> Row:
    """An example with the addresses of files that were sent. KeyError names one that was not."""
    written = orjson.dumps(payload).decode()
    found: Row = orjson.loads(_NAMED.sub(lambda name: media_url(files[name[1]]), written))
    return found
