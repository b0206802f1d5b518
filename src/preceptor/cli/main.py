"""The command line: `preceptor`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

import preceptor
from preceptor.cli import backup as archives
from preceptor.cli import (
    demo,
    doctor,
    endpoints,
    imports,
    judges,
    kinds,
    media,
    quality,
    ratings,
    releases,
    sandbox,
    suggestions,
    training,
    users,
)
from preceptor.cli.connect import console, database, errors, installation, refusals
from preceptor.cli.postgres import PostgresError
from preceptor.cli.processes import ProcessError
from preceptor.cli.serve import serve as serve_installation
from preceptor.kit.settings import Settings
from preceptor.migrations import current_revision, upgrade

app = typer.Typer(
    name="preceptor",
    help="The open, self-hosted human-data platform: from a person's judgment to a better model.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
db = typer.Typer(help="The database schema.", no_args_is_help=True)
app.add_typer(db, name="db")
app.add_typer(users.app, name="user")
app.add_typer(quality.app, name="quality")
app.add_typer(media.app, name="media")
app.add_typer(sandbox.app, name="sandbox")
app.add_typer(endpoints.app, name="endpoints")
app.add_typer(judges.app, name="judges")
app.add_typer(suggestions.app, name="suggestions")
app.command("import")(imports.import_file)
app.command("rate")(ratings.rate_tasks)
app.command("release")(releases.build_release)
app.command("export")(releases.export_release)
app.command("task-types")(kinds.list_kinds)
app.command("train")(training.train)
app.command("score")(training.score)
app.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(preceptor.__version__)
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Settings come from PRECEPTOR_* variables; `preceptor doctor` says what is missing."""


@app.command()
def serve(
    port: Annotated[int | None, typer.Option(help="Port to listen on (PRECEPTOR_PORT, 8000).")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on (PRECEPTOR_HOST, 127.0.0.1).")] = None,
    data: Annotated[Path | None, typer.Option(help="Data folder (PRECEPTOR_DATA_DIR).")] = None,
    web: Annotated[int | None, typer.Option(help="Web processes (PRECEPTOR_WEB_PROCESSES, 1).")] = None,
    reload: Annotated[bool, typer.Option("--reload", help="Restart on changed code (development).")] = False,
) -> None:
    """Run Preceptor: its own PostgreSQL unless PRECEPTOR_DATABASE_URL is set, the pages, the API and the worker."""
    given = {"port": port, "host": host, "data_dir": data, "web_processes": web}
    settings = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    try:
        raise typer.Exit(serve_installation(settings, reload=reload))
    except (PostgresError, ProcessError) as error:
        errors.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date (also done by `serve` on start)."""
    with refusals(), installation() as runtime:
        upgrade(runtime.engine)
        console.print(f"The schema is at revision {current_revision(runtime.engine)}.")


@app.command("doctor")
def examine(
    ledger: Annotated[bool, typer.Option("--ledger", help="Prove the ledger's invariants over all rows.")] = False,
) -> None:
    """Say what is missing and how to mend it. Exit status 1 when something is wrong."""
    with refusals():
        ok = _prove_ledger() if ledger else _examine()
    raise typer.Exit(0 if ok else 1)


def _examine() -> bool:
    findings = list(doctor.examine(Settings()))
    table = Table(box=None, show_header=False)
    for finding in findings:
        table.add_row("[green]ok[/green]" if finding.ok else "[red]mend[/red]", finding.what, finding.seen)
        if not finding.ok:
            table.add_row("", "", f"[yellow]{finding.mend}[/yellow]")
    console.print(table)
    return all(finding.ok for finding in findings)


def _prove_ledger() -> bool:
    with installation() as runtime, console.status("Proving the ledger over all rows"):
        held, wrong = doctor.prove_ledger(runtime)
    for promise in held:
        console.print(f"[green]holds[/green]  {promise}")
    for failure in wrong:
        console.print(f"[red]WRONG[/red]  {failure}")
    console.print("[bold green]The ledger balances to the cent.[/bold green]" if not wrong else "")
    return not wrong


@app.command()
def backup(
    archive: Annotated[Path, typer.Argument(help="The .tar file to write.")],
) -> None:
    """Write database and files into one archive with digests."""
    settings = Settings()
    with refusals(), database(settings) as url, console.status("Backing up"):
        try:
            manifest = archives.backup(url, _files(settings), archive)
        except archives.BackupError as error:
            errors.print(f"[red]{error}[/red]")
            raise typer.Exit(1) from error
    console.print(f"{archive}: {len(manifest.members)} members, {archive.stat().st_size / 1024**2:.1f} MiB")


@app.command()
def restore(
    archive: Annotated[Path, typer.Argument(help="An archive written by `preceptor backup`.", exists=True)],
    force: Annotated[bool, typer.Option(help="Replace what is in the database and the file folder now.")] = False,
) -> None:
    """Read an archive back into an empty installation."""
    settings = Settings()
    with refusals(), database(settings) as url, console.status("Restoring"):
        try:
            archives.restore(url, _files(settings), archive, force=force)
        except archives.BackupError as error:
            errors.print(f"[red]{error}[/red]")
            raise typer.Exit(1) from error
    console.print("Restored. Start Preceptor with `preceptor serve`.")


def _files(settings: Settings) -> Path | None:
    return None if settings.storage_url else settings.data_dir / "files"
