"""Getting at an installation from the command line: its settings, and its database however it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import typer
from rich.console import Console

from preceptor.cli.postgres import EmbeddedPostgres, PostgresError
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.kit.settings import Settings
from preceptor.migrations import upgrade

console = Console()
errors = Console(stderr=True)


@contextmanager
def installation(settings: Settings | None = None) -> Iterator[Runtime]:
    """The runtime of this installation, its schema up to date.

    Uses PRECEPTOR_DATABASE_URL, else the embedded server that `preceptor serve` is running on the data folder,
    else starts that server for as long as this lasts.
    """
    settings = settings or Settings()
    with database(settings) as url:
        runtime = start_runtime(settings, database_url=url)
        try:
            upgrade(runtime.engine)
            yield runtime
        finally:
            runtime.engine.dispose()


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """The database's URL, with a server behind it."""
    known = settings.database_url or running_url(settings.data_dir)
    if known is not None:
        yield known
        return
    with EmbeddedPostgres(settings.data_dir) as server:
        yield server.url


def running_url(data_dir: Path) -> str | None:
    """The URL of an embedded server that runs on this folder already, or None."""
    folder = data_dir.absolute() / "postgres"
    try:
        password, port = (folder / "password").read_text().strip(), (folder / "port").read_text().strip()
    except OSError:
        return None
    url = f"postgresql://preceptor:{password}@127.0.0.1:{port}/preceptor"
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return None
    return url


@contextmanager
def refusals() -> Iterator[None]:
    """Turn refusals into a message and exit status 1; bugs keep their traceback."""
    try:
        yield
    except AppError as error:
        errors.print(f"[red]{error.message}[/red]")
        if isinstance(error, Invalid):
            for problem in error.problems[:20]:
                errors.print(f"  {problem.get('path', '')}: {problem.get('message', '')}")
        raise typer.Exit(1) from error
    except PostgresError as error:
        errors.print(f"[red]{error}[/red]")
        raise typer.Exit(1) from error
