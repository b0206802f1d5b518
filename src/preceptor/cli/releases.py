"""`preceptor release` and `preceptor export`: build a dataset release, and copy one out."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import preceptor.datasets.jobs  # noqa: F401  asking for a release defers a job, which has to be registered
from preceptor.cli.connect import console, installation, refusals
from preceptor.datasets import service
from preceptor.datasets.models import Release
from preceptor.datasets.options import THRESHOLD_MIN, DecidedBy, ReleaseOptions
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.service.projects import find_project


def build_release(
    project: Annotated[str, typer.Argument(help="The project's id (prj_...) or its exact title.")],
    title: Annotated[str, typer.Option(help="What the release is called.")] = "Release",
    decided_by: Annotated[
        DecidedBy | None,
        typer.Option(
            help="How answers are decided.", show_default="majority, until known answers show that the fit is no worse"
        ),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Least probability of an answer decided by posterior.", show_default=str(THRESHOLD_MIN)),
    ] = None,
    gold: Annotated[bool, typer.Option("--gold", help="Gold tasks give pairs too, with the known answer.")] = False,
) -> None:
    """Build a dataset release of a project now, and print its digest."""
    with refusals(), installation() as runtime:
        found = build_now(runtime, project, title, ReleaseOptions(decided_by, threshold, gold))
        console.print(
            f"Release {found.number} ({show_id('release', found.id)}): {found.pairs:,} pairs, "
            f"{found.judgments:,} judgments"
        )
        console.print(f"sha256 {found.sha256}", soft_wrap=True)


def build_now(runtime: Runtime, project: str, title: str, options: ReleaseOptions | None = None) -> Release:
    """Ask for a release and build it here, with a bar. A worker that gets to its job later finds it finished."""
    with runtime.sessions.begin() as session:
        found = find_project(session, SYSTEM, project)
        asked = service.request_release(session, SYSTEM, found.id, title, options=options, now=runtime.clock.now())
    with _bar() as bar:
        line = bar.add_task("Building the release", total=None)
        return service.build_release(
            runtime, asked.id, lambda done, total: bar.update(line, completed=done, total=total)
        )


def export_release(
    release: Annotated[str, typer.Argument(help="The release's id, rel_...")],
    to: Annotated[Path, typer.Option("--to", help="A new or empty folder.")],
) -> None:
    """Copy a finished release into a folder."""
    with refusals(), installation() as runtime, runtime.sessions.begin() as session:
        found = service.export_release(session, SYSTEM, runtime.storage, read_id("release", release), to)
        files = service.file_names(found)
    console.print(f"{len(files)} files in {to}", soft_wrap=True)
    console.print(f"sha256 {found.sha256}", soft_wrap=True)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=console
    )
