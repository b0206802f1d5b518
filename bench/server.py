"""An installation of its own for a measurement, and what its processes cost."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from sqlalchemy import Engine

from preceptor.cli.serve import served
from preceptor.kit.db import make_engine
from preceptor.kit.settings import Settings

WEB_PROCESSES = 2


@dataclass(frozen=True)
class Server:
    """Running and ready. The worker is left out: nothing but claims and submits is to be measured."""

    url: str
    base: str
    port: int
    web: tuple[psutil.Process, ...]
    database: psutil.Process
    engine: Engine
    settings: Settings

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU used so far by (web processes, database processes)."""
        backends = [self.database, *self.database.children(recursive=True)]
        return sum(map(_cpu, self.web)), sum(map(_cpu, backends)) + _of_ended_children(self.database)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def count(self, query: str) -> int:
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])


def _cpu(process: psutil.Process) -> float:
    try:
        spent = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(spent.user + spent.system)


def _of_ended_children(process: psutil.Process) -> float:
    spent = process.cpu_times()
    return float(spent.children_user + spent.children_system)


@contextmanager
def running(data_dir: Path) -> Iterator[Server]:
    """A fresh installation on a free port with fsync on, as a user would run it; gone at the end of the block."""
    processes = {"web_processes": WEB_PROCESSES, "worker_processes": 0}
    settings = Settings.model_validate({"data_dir": data_dir, "port": 0, "outgoing_reach": "loopback", **processes})
    with served(settings) as (supervisor, url, base):
        engine = make_engine(url)
        pids = supervisor.pids()
        yield Server(
            url,
            base,
            int(base.rsplit(":", 1)[1]),
            tuple(psutil.Process(pid) for name, pid in pids.items() if name.startswith("web")),
            _database_process(),
            engine,
            settings,
        )
        engine.dispose()


def _database_process() -> psutil.Process:
    ours = psutil.Process().children()
    return next(child for child in ours if child.name() == "postgres")
