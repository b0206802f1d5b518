"""`preceptor task-types`: the kinds of work that this installation knows."""

import json
from typing import Annotated

import typer
from rich.table import Table

from preceptor.cli.connect import console, errors
from preceptor.tasktypes.base import UnknownTaskType, task_type, task_types
from preceptor.tasktypes.catalog import describe


def list_kinds(
    name: Annotated[str, typer.Argument(help="Only this one.", metavar="[NAME]")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="As JSON, with the JSON Schemas of payload, answer and settings.")
    ] = False,
) -> None:
    """The task types that are installed, ours and those of other packages."""
    try:
        found = [task_type(name)] if name else list(task_types().values())
    except UnknownTaskType:
        errors.print(f"[red]There is no task type {name!r}.[/red] There are: {', '.join(task_types())}.")
        raise typer.Exit(1) from None
    if as_json:
        # Not through rich, which would wrap lines.
        typer.echo(json.dumps([describe(kind) for kind in found], ensure_ascii=False, indent=2))
        return
    table = Table("Name", "What people do", "Tables of a release", "Templates", box=None)
    for kind in found:
        tables = ", ".join((*kind.tables, "judgments"))
        table.add_row(kind.name, kind.summary, tables, str(len(kind.templates())))
    console.print(table)
