"""`preceptor media`: files for tasks, straight from the disk."""

import json
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from preceptor.cli.connect import console, errors, installation, refusals
from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.kit.runtime import Runtime
from preceptor.media.errors import MediaRefused
from preceptor.media.kinds import FILE_BYTES_MAX
from preceptor.media.rules import media_url
from preceptor.media.sending import Sent, send_file
from preceptor.projects.models import Project
from preceptor.projects.service.projects import find_project

app = typer.Typer(help="Files that tasks show: pictures, recordings, films, documents.", no_args_is_help=True)

FILES_MAX = 100_000
"""Of one folder."""


@app.callback()
def about() -> None:
    """Files that tasks show: pictures, recordings, films, documents."""


@app.command("add")
def add(
    path: Annotated[Path, typer.Argument(help="A file, or a folder with files in it.", exists=True)],
    project: Annotated[str, typer.Option(help="The project's id (prj_...) or its exact title.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Write the names with their addresses here, as JSONL.")
    ] = None,
) -> None:
    """Add files to a project, and say under which address each stands in tasks.

    For each file a line of JSON tells its name (with folders, as below PATH) and its `media:` address. Ended halfway
    and run again, it goes on where it stopped; what is there already is not sent again. Files that cannot be taken
    are named at the end, with exit status 1.
    """
    refused: list[tuple[str, str]] = []
    with refusals(), installation() as runtime, _output(out) as lines:
        with transaction(runtime.sessions) as session:
            found = find_project(session, SYSTEM, project)
        sent = 0
        for file in _files(path):
            name = file.name if path.is_file() else file.relative_to(path).as_posix()
            try:
                one = _send(runtime, found, file, name)
            except MediaRefused as refusal:
                refused.append((name, refusal.message))
                continue
            sent += 1
            line = {"name": name, "url": media_url(one.media.id), "type": one.media.media_type}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            lines.flush()
    for name, why in refused:
        errors.print(f"[red]{name}[/red]: {why}")
    if out is not None:
        console.print(f"[green]{sent:,} files[/green] are in {found.title}; their addresses are in {out}.")
    if refused:
        errors.print(f"[red]{len(refused):,} files were not taken.[/red]")
        raise typer.Exit(1)


def _output(out: Path | None) -> AbstractContextManager[TextIO]:
    """A file to be closed, or the standard output, which is not."""
    return out.open("w", encoding="utf-8") if out is not None else nullcontext(sys.stdout)


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    found = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each, path))
    if len(found) > FILES_MAX:
        raise typer.BadParameter(f"{path} holds {len(found):,} files; at most {FILES_MAX:,} go at once")
    yield from found


def _hidden(file: Path, below: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(below).parts)


def _send(runtime: Runtime, project: Project, file: Path, name: str) -> Sent:
    size = file.stat().st_size
    if not 0 < size <= FILE_BYTES_MAX:
        raise MediaRefused("This file is empty." if not size else "This file is too large.")
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        line = bar.add_task(name, total=size)
        return send_file(
            runtime,
            SYSTEM,
            file,
            name=name,
            org_id=project.org_id,
            project_id=project.id,
            progress=lambda there: bar.update(line, completed=there),
        )
