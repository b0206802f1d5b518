"""`preceptor serve`: database, web and worker processes under one parent."""

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import preceptor
from preceptor.cli.connect import console
from preceptor.cli.postgres import EmbeddedPostgres
from preceptor.cli.processes import Child, Supervisor, listen, web_command
from preceptor.kit.db import make_engine
from preceptor.kit.settings import Settings
from preceptor.migrations import upgrade

APP = "preceptor.cli.application:create_app"


@contextmanager
def served(settings: Settings, *, reload: bool = False) -> Iterator[tuple[Supervisor, str, str]]:
    """Everything running and ready: (supervisor, database URL, base URL). All of it ends with the block."""
    with ExitStack() as stack:
        door = listen(settings.host, settings.port)
        stack.callback(door.close)
        port = door.getsockname()[1]
        settings.signing_key()  # made once, before several processes want it
        supervisor = Supervisor()
        url = settings.database_url
        if url is None:
            database = stack.enter_context(EmbeddedPostgres(settings.data_dir))
            supervisor.keep("database", database.restart_if_dead)
            url = database.url
        stack.enter_context(supervisor)
        _upgrade(url)
        env = child_environment(settings, url, port)
        for number in range(1 if reload else settings.web_processes):
            argv = reloading_command(door) if reload else web_command(door, APP)
            supervisor.start(Child(f"web {number + 1}", argv, env, pass_fds=(door.fileno(),)))
        for number in range(settings.worker_processes):
            supervisor.start(Child(f"worker {number + 1}", (sys.executable, "-m", "preceptor.cli.worker"), env))
        base = f"http://{settings.host}:{port}"
        supervisor.wait_until_ready(f"{base}/readyz")
        yield supervisor, url, base


def serve(settings: Settings, *, reload: bool = False) -> int:
    """Serve until a signal asks for the end."""
    with served(settings, reload=reload) as (supervisor, _, base):
        if supervisor.stopping:
            return 0
        console.print(f"Preceptor serves on [bold]{base}[/bold]  (Ctrl-C stops it)")
        if settings.database_url is None:
            console.print(f"Data: {settings.data_dir}")
        return supervisor.run()


def reloading_command(door: socket.socket) -> tuple[str, ...]:
    """One web process that starts again when the package's code changes."""
    source = str(Path(preceptor.__file__).parent)
    return (
        *(sys.executable, "-m", "uvicorn", "--factory", APP, "--fd", str(door.fileno())),
        *("--reload", "--reload-dir", source, "--log-level", "info"),
    )


def child_environment(settings: Settings, database_url: str, port: int) -> dict[str, str]:
    """The settings of this process for its children, through the same variables an operator would use."""
    values = settings.model_dump(exclude_none=True)
    env = {f"PRECEPTOR_{name.upper()}": _plain(value) for name, value in values.items()}
    return env | {
        "PRECEPTOR_DATABASE_URL": database_url,
        "PRECEPTOR_PORT": str(port),
        # Many small requests share two cores: numeric libraries must not each start a thread per core.
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _plain(value: object) -> str:
    secret = getattr(value, "get_secret_value", None)
    if callable(secret):
        return str(secret())
    return str(value.absolute()) if isinstance(value, Path) else str(value)


def _upgrade(url: str) -> None:
    engine = make_engine(url)
    try:
        upgrade(engine)
    finally:
        engine.dispose()
