"""`preceptor rate`: what single tasks may show, set from the command line."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.orm import Session

from preceptor.cli.connect import console, installation, refusals
from preceptor.kit.db import transaction
from preceptor.kit.errors import Invalid
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import read_id
from preceptor.people import content
from preceptor.projects.service import tasks
from preceptor.projects.service.projects import find_project


def rate_tasks(
    project: Annotated[str, typer.Option(help="The project's id (prj_...) or its exact title.")],
    named: Annotated[
        list[str] | None, typer.Argument(help="Tasks: ids (tsk_...) or your own ids.", metavar="TASK")
    ] = None,
    rating: Annotated[
        list[str] | None,
        typer.Option("--rating", help=f"What they may show: {', '.join(content.RATINGS)}. Repeat for several."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Take the tasks' own ratings away.")] = False,
    from_file: Annotated[
        Path | None, typer.Option("--file", help="More tasks, one id a line.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Say what tasks may show that not everybody wants to see: exactly these ratings from now on.

    From then on only people who chose to see all of it are given the tasks, covered until they ask.
    """
    if bool(rating) == clear:
        raise typer.BadParameter("name at least one rating, or --clear", param_hint="--rating")
    lines = from_file.read_text().splitlines() if from_file else []
    wanted = list(dict.fromkeys([*(named or []), *(line.strip() for line in lines if line.strip())]))
    if not wanted:
        raise typer.BadParameter("name at least one task", param_hint="TASK")
    with refusals(), installation() as runtime:
        number = 0
        # All or none, as over the API; in parts, since that many fit into one question.
        with transaction(runtime.sessions) as session:
            project_id = find_project(session, SYSTEM, project).id
            ids = _ids(session, project_id, wanted)
            for start in range(0, len(ids), tasks.RATED_AT_ONCE_MAX):
                part = ids[start : start + tasks.RATED_AT_ONCE_MAX]
                now = runtime.clock.now()
                number += len(tasks.rate_tasks(session, SYSTEM, project_id, part, rating or [], now=now))
    said = ", ".join(content.words(rating or [])).lower() or "no ratings of their own"
    console.print(f"[green]{number:,} tasks[/green]: {said}.")


def _ids(session: Session, project_id: UUID, wanted: list[str]) -> list[UUID]:
    own = tasks.ids_of(session, SYSTEM, project_id, wanted)
    unknown = [name for name in wanted if name not in own and not name.startswith("tsk_")]
    if unknown:
        raise Invalid(f"The project has no task {unknown[0]!r}.")
    return list(dict.fromkeys(own.get(name) or read_id("task", name) for name in wanted))
