"""`preceptor sandbox`: run a file in the sandbox, say what can be run, and try to break out."""

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from preceptor.cli.connect import console, errors, refusals
from preceptor.sandbox.escapes import try_escapes
from preceptor.sandbox.isolation import required
from preceptor.sandbox.languages import language, languages
from preceptor.sandbox.programs import MIB, Limits, Program, Verdict
from preceptor.sandbox.running import run

app = typer.Typer(help="Run code without network and without files of others, or not at all.", no_args_is_help=True)

USUAL = Limits()
BY_SUFFIX = {".py": "python", ".js": "javascript", ".mjs": "javascript", ".sh": "bash"}
ENDED_STATUS = 124
"""Exit status where a limit ended the program, as `timeout` has it."""


@app.command("check")
def check() -> None:
    """Try to break out in every way we know, and print what came of it. Exit status 1 if anything got out."""
    with refusals():
        layers = required().layers
    console.print("Held by: " + "; ".join(layers))
    table = Table(box=None, show_header=False)
    held = 0
    tried = list(try_escapes())
    for each in tried:
        held += each.held
        mark = "[green]held[/green]" if each.held else "[bold red]ESCAPED[/bold red]"
        table.add_row(mark, each.attempt.title, f"[dim]{escape(each.seen[:200])}[/dim]")
    console.print(table)
    console.print(f"{held} of {len(tried)} attempts held.")
    raise typer.Exit(0 if held == len(tried) else 1)


@app.command("languages")
def list_languages() -> None:
    """Say what can be run here."""
    table = Table(box=None, show_header=False)
    for each in languages().values():
        table.add_row(each.name, f"{each.title} {each.version}", f"starts with {each.entry}")
    console.print(table)


@app.command("run")
def run_file(
    file: Annotated[Path, typer.Argument(help="The program.", exists=True, dir_okay=False)],
    name: Annotated[str, typer.Option("--language", help="By the file's ending when left out.")] = "",
    stdin: Annotated[bool, typer.Option("--stdin", help="Pass standard input on.")] = False,
    seconds: Annotated[float, typer.Option(help="Wall time.")] = USUAL.wall_seconds,
    memory: Annotated[int, typer.Option(help="Memory in MiB.")] = USUAL.memory_bytes // MIB,
) -> None:
    """Run one file and give its output and exit status; 124 where a limit ended it."""
    limits = dataclasses.replace(
        USUAL, wall_seconds=seconds, cpu_seconds=max(1, round(seconds)), memory_bytes=memory * MIB
    )
    with refusals():
        runtime = language(name or BY_SUFFIX.get(file.suffix, file.suffix.lstrip(".")))
        text = file.read_text(encoding="utf-8", errors="replace")
        given = sys.stdin.read() if stdin else ""
        result = run(Program(runtime.name, {runtime.entry: text}, (runtime.entry,), given), limits)
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    if result.verdict is not Verdict.FINISHED:
        errors.print(f"[red]Ended by its limit: {result.verdict.value}.[/red]")
        raise typer.Exit(ENDED_STATUS)
    status = result.exit_status or 0
    raise typer.Exit(status if status >= 0 else 128 - status)
