"""`preceptor import`: a file of tasks straight into the database, with a progress bar and a report."""

import hashlib
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from preceptor.cli.connect import console, errors, installation, refusals
from preceptor.cli.media_names import read_addresses, with_addresses
from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.projects.importing import MappingRefused, RowProblem, check_file
from preceptor.projects.jobs import carry_out
from preceptor.projects.models import Import, ImportState
from preceptor.projects.service import imports
from preceptor.projects.service.projects import find_project
from preceptor.tasktypes.base import UnknownTaskType, task_type, task_types
from preceptor.tasktypes.importing import Importer

PROBLEMS_PRINTED_MAX = 50


def import_file(
    file: Annotated[
        Path, typer.Argument(help="JSONL, JSON array, CSV or Parquet; may be gzipped.", exists=True, dir_okay=False)
    ],
    project: Annotated[str, typer.Option(help="The project's id (prj_...) or its exact title.")] = "",
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            help="Which column holds what, such as --map prompt=question. Repeat for each.",
            metavar="TARGET=COLUMN",
        ),
    ] = None,
    type_: Annotated[
        str, typer.Option("--type", help="Task type that a dry run reads the file for.", metavar="NAME")
    ] = "comparison",
    media: Annotated[
        Path | None,
        typer.Option(
            "--media", help="Addresses of files by name, as `preceptor media add --out` writes them.", exists=True
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and check the file; import nothing.")] = False,
) -> None:
    """Import tasks from a file: all of them, or none and a list of what is wrong.

    The usual layouts are recognised: prompt/chosen/rejected, prompt/response_a/response_b, prompt and a list of
    responses, chat messages. The same file is imported once; a task whose id the project has is left as it is.
    With --media, every string in the rows that is the name of one of those files becomes its address.
    """
    mapping = read_map(map_ or [])
    if not (dry_run or project):
        raise typer.BadParameter("name the project by its id or title", param_hint="--project")
    with refusals(), with_addresses(file, read_addresses(media)) if media else nullcontext(file) as rows:
        if dry_run:
            raise typer.Exit(0 if _check(rows, _importer(type_), mapping) else 1)
        with installation() as runtime:
            done = _import(runtime, rows, project, mapping)
    if done.state is ImportState.FAILED:
        found = [RowProblem(one["line"], one["field"], one["problem"]) for one in done.problems]
        _print_problems(found, done.problem_count)
        raise typer.Exit(1)
    console.print(
        f"[green]Imported {done.created:,} tasks[/green] from {done.rows_read:,} rows; "
        f"{done.already_there:,} were there already. ({show_id('import', done.id)})"
    )


def read_map(pairs: Sequence[str]) -> dict[str, str] | None:
    """`prompt=question` and the like as a mapping; None without any."""
    mapping = {}
    for pair in pairs:
        target, sign, column = pair.partition("=")
        if not (sign and target.strip() and column.strip()):
            raise typer.BadParameter(f"{pair!r} is not TARGET=COLUMN, such as prompt=question", param_hint="--map")
        mapping[target.strip()] = column.strip()
    return mapping or None


def _importer(name: str) -> Importer:
    try:
        return task_type(name).importer
    except UnknownTaskType:
        known = ", ".join(task_types())
        raise typer.BadParameter(f"there is no task type {name!r}; there are {known}", param_hint="--type") from None


def _check(file: Path, importer: Importer, mapping: dict[str, str] | None) -> bool:
    with file.open("rb") as opened, console.status(f"Reading {file.name}"):
        try:
            report = check_file(opened, file.name, importer, mapping)
        except MappingRefused as refusal:
            _print_problems([RowProblem(0, None, str(refusal))], 1)
            return False
    if report.problem_count:
        _print_problems(report.problems, report.problem_count)
        return False
    console.print(
        f"[green]{report.tasks:,} tasks[/green] in {report.rows:,} rows can be imported; "
        f"{report.duplicates_in_file:,} rows repeat an earlier one. Nothing was imported."
    )
    return True


def _import(runtime: Runtime, file: Path, project: str, mapping: dict[str, str] | None) -> Import:
    import_id = _accept(runtime, file, project, mapping)
    columns = (
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors, transient=not errors.is_terminal) as bar:
        line = bar.add_task(f"Importing {file.name}", total=1.0, rows=0)
        carry_out(
            runtime, import_id, progress=lambda rows, share: bar.update(line, completed=min(share, 1.0), rows=rows)
        )
        bar.update(line, completed=1.0)
    with transaction(runtime.sessions) as session:
        return session.get_one(Import, import_id)


def _accept(runtime: Runtime, file: Path, project: str, mapping: dict[str, str] | None) -> UUID:
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    with transaction(runtime.sessions) as session:
        project_id = find_project(session, SYSTEM, project).id
    key = imports.file_key(project_id, digest)
    runtime.storage.put(key, file)
    with transaction(runtime.sessions) as session:
        accepted = imports.accept_file(
            session,
            SYSTEM,
            project_id,
            filename=file.name,
            stored_key=key,
            digest=digest,
            size=file.stat().st_size,
            mapping=mapping,
            now=runtime.clock.now(),
        )
        return accepted.id


def _print_problems(problems: Sequence[RowProblem], count: int) -> None:
    table = Table("Line", "Field", "Problem", box=None)
    for problem in problems[:PROBLEMS_PRINTED_MAX]:
        table.add_row(str(problem.line) if problem.line else "file", problem.field or "", problem.problem)
    errors.print(table)
    hidden = count - min(len(problems), PROBLEMS_PRINTED_MAX)
    errors.print(
        f"[red]{count:,} problems; nothing was imported.[/red]" + (f" {hidden:,} not shown." if hidden else "")
    )
