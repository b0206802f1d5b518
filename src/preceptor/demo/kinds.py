"""Every kind of work to try: an open project of each template that brings tasks, and the local model where it is."""

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from preceptor.demo.drafts import drafted
from preceptor.demo.stage import Cast
from preceptor.endpoints.local import missing
from preceptor.endpoints.models import EndpointKind, EndpointRole, ModelEndpoint
from preceptor.endpoints.service import choosing, keeping
from preceptor.endpoints.settings import Choice, EndpointIn, Parameters
from preceptor.kit.db import transaction
from preceptor.kit.ids import show_id
from preceptor.kit.money import Money
from preceptor.kit.runtime import Runtime
from preceptor.money import service as money
from preceptor.projects.models import Project
from preceptor.projects.service import starting
from preceptor.projects.service.members import add_reviewer
from preceptor.projects.service.projects import create_project, open_project
from preceptor.projects.settings import ProjectSettings
from preceptor.tasktypes.base import AnyTaskType, Template, task_types

Bar = Callable[[str, int | None], Callable[[], None]]
BUDGET: Final = Money(2_000, "USD")
RATE_MINOR: Final = 60
OVERLAP: Final = 3
MODELS: Final = {"Steady": 0.1, "Lively": 0.9}
"""Two endpoints of the same small model, told apart by temperature, so that there is something to prefer."""


def add_kinds(runtime: Runtime, cast: Cast, bar: Bar) -> int:
    """Open a project for every template with example tasks; returns how many models there are to talk to.

    Kinds that need a model are left out where the local one is not installed (`make local-model`). Where it is, what
    people correct are drafts that it wrote.
    """
    wanted = [(kind, template) for kind in task_types().values() for template in kind.templates() if template.examples]
    done = bar("Every kind of work, from templates", len(wanted))
    with transaction(runtime.sessions) as session:
        models = _models(session, runtime, cast)
    for kind, template in wanted:
        if models or "generate" not in kind.services:
            shown = drafted(runtime, template, models[0]) if models else template
            files = starting.send_examples(runtime, cast.actors["client"], cast.org_id, shown)
            with transaction(runtime.sessions) as session:
                _open(session, runtime, cast, kind, shown, files, models)
        done()
    return len(models)


def _models(session: Session, runtime: Runtime, cast: Cast) -> list[ModelEndpoint]:
    if missing() is not None and runtime.settings.local_model_url is None:
        return []
    secret, now = runtime.settings.signing_key(), runtime.clock.now()
    return [
        keeping.create_endpoint(
            session,
            cast.actors["client"],
            cast.org_id,
            EndpointIn(
                name=f"{name} (SmolLM2, local)",
                kind=EndpointKind.LOCAL,
                parameters=Parameters(temperature=temperature, max_tokens=160),
            ),
            secret=secret,
            now=now,
        )
        for name, temperature in MODELS.items()
    ]


def _open(
    session: Session,
    runtime: Runtime,
    cast: Cast,
    kind: AnyTaskType,
    template: Template,
    files: Mapping[str, UUID],
    models: list[ModelEndpoint],
) -> None:
    client, now = cast.actors["client"], runtime.clock.now()
    settings = ProjectSettings(
        title=template.title, summary=template.summary, task_type=kind.name, config=template.config, overlap=OVERLAP,
        rate_minor=RATE_MINOR, review_percent=100, data_source="simulated",
    )  # fmt: skip
    project = create_project(session, client, cast.org_id, settings, now=now)
    starting.furnish(session, client, project, template, examples=True, files=files, now=now)
    add_reviewer(session, client, project.id, cast.people["reviewer"], now=now)
    money.fund_project(session, client, org_id=cast.org_id, project_id=project.id, amount=BUDGET, now=now)
    if "generate" in kind.services:
        _choose(session, cast, project, models, runtime)
    open_project(session, client, project.id, now=now)


def _choose(session: Session, cast: Cast, project: Project, models: list[ModelEndpoint], runtime: Runtime) -> None:
    choosing.choose(
        session,
        cast.actors["client"],
        org_id=project.org_id,
        project_id=project.id,
        role=EndpointRole.GENERATE,
        choices=[Choice(endpoint_id=show_id("endpoint", model.id)) for model in models],
        now=runtime.clock.now(),
    )
