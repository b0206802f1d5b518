"""What a process runs on: settings, database, files and clock, made once at start."""

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from preceptor.kit.clock import Clock, SystemClock
from preceptor.kit.db import make_engine, make_sessions
from preceptor.kit.settings import Settings
from preceptor.kit.storage import Storage, open_storage


@dataclass(frozen=True)
class Runtime:
    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    storage: Storage
    clock: Clock


def start_runtime(settings: Settings, *, database_url: str | None = None, clock: Clock | None = None) -> Runtime:
    """Open the database (lazily) and the file store."""
    url = database_url or settings.database_url
    if url is None:
        raise ValueError("no database: set PRECEPTOR_DATABASE_URL, or start with `preceptor serve`, which runs one")
    engine = make_engine(url, connections_max=settings.database_connections_max)
    return Runtime(settings, engine, make_sessions(engine), open_storage(settings), clock or SystemClock())
