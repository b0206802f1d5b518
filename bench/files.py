"""Import of many tasks and release of many judgments: rows a second and the most memory that the process took.

Each runs in a process of its own, started as `python -m bench.files VERB ...`, so that its peak is its own.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from bench.server import Server
from bench.world import World
from preceptor.cli.worker import register_jobs
from preceptor.datasets import service as datasets
from preceptor.kit.db import transaction
from preceptor.kit.events import SYSTEM
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.kit.settings import Settings
from preceptor.projects import jobs as project_jobs
from preceptor.projects.service import imports

JUDGMENTS_EACH = 5
_JUDGED = text("""
    WITH judged AS (
        SELECT uuidv7() AS claim_id, t.id AS task_id, person_number(p) AS person_id,
               CASE WHEN (t.position + p) % 7 < 5 THEN '{"r1": 1, "r2": 2}' ELSE '{"r1": 2, "r2": 1}' END AS ranks
        FROM task t, generate_series(CAST(:first AS int), CAST(:first AS int) + 4) p WHERE t.project_id = :project_id
    ), held AS (
        INSERT INTO claim (id, task_id, project_id, person_id, state, leased_until, rate_minor, currency, money_part,
                           display_order, draft_number, worked_seconds, created_at)
        SELECT claim_id, task_id, :project_id, person_id, 'approved', :now, 0, 'USD', 0, '{r1,r2}', 0, 60, :now
        FROM judged
    ), counted AS (
        UPDATE task SET taken = wanted, done = wanted WHERE project_id = :project_id
    )
    INSERT INTO submission (id, claim_id, task_id, project_id, person_id, revision, answer, state, worked_seconds,
                            review_wanted, decide_at, created_at, decided_at)
    SELECT uuidv7(), claim_id, task_id, :project_id, person_id, 1,
           jsonb_build_object('ranks', ranks::jsonb, 'strength', 2, 'both_bad', false, 'ratings', '{}'::jsonb,
                              'justification', 'The better one adds up, the other is off by one.'),
           'approved', 60, false, :now, :now, :now
    FROM judged
""")


@dataclass(frozen=True)
class Bulk:
    rows: int
    seconds: float
    peak_mib: float
    """Most memory that the process ever took ..."""
    before_mib: float
    """... and what it took before its first row."""

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds


def measure(server: Server, world: World, rows: int, folder: Path) -> dict[str, Bulk]:
    """An import of so many tasks, and a release of so many judgments (five to a task)."""
    file = folder / "tasks.jsonl"
    _write_tasks(file, rows)
    into = world.add_project(claims=1)
    judged = _judged_project(world, rows // JUDGMENTS_EACH)
    imported = _in_own_process("import", server.url, folder, into, rows, str(file))
    released = _in_own_process("release", server.url, folder, judged, rows)
    assert server.count(f"SELECT count(*) FROM task WHERE project_id = '{into}'") == rows
    assert server.count(f"SELECT judgments FROM release WHERE project_id = '{judged}'") == rows
    return {"import": imported, "release": released}


def _write_tasks(file: Path, rows: int) -> None:
    filler = "It follows from what was said above, and can be checked by hand. " * 4
    with file.open("w") as out:
        for number in range(rows):
            task = {
                "id": f"t{number}",
                "prompt": f"What is {number} + {number}?",
                "response_a": f"It is {2 * number}. {filler}",
                "response_b": f"It is {2 * number + 1}. {filler}",
            }
            out.write(json.dumps(task) + "\n")


def _judged_project(world: World, tasks: int) -> UUID:
    first = world.people
    world.add_people(JUDGMENTS_EACH)
    project = world.add_project(claims=1)
    world.add_tasks(project, tasks, wanted=JUDGMENTS_EACH)
    with world.engine.begin() as connection:
        connection.execute(_JUDGED, {"project_id": project, "first": first, "now": world.now})
    world.settle()
    return project


def _in_own_process(verb: str, url: str, folder: Path, project: UUID, rows: int, *more: str) -> Bulk:
    command = [sys.executable, "-m", "bench.files", verb, url, str(folder), str(project), str(rows), *more]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return Bulk(**json.loads(done.stdout))


def _import(runtime: Runtime, project: UUID, file: str) -> Callable[[], object]:
    with Path(file).open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    key = imports.file_key(project, digest)
    size = runtime.storage.put(key, Path(file))
    with transaction(runtime.sessions) as session:
        accepted = imports.accept_file(
            session,
            SYSTEM,
            project,
            filename="tasks.jsonl",
            stored_key=key,
            digest=digest,
            size=size,
            mapping=None,
            now=runtime.clock.now(),
        )
    return lambda: project_jobs.carry_out(runtime, accepted.id)


def _release(runtime: Runtime, project: UUID) -> Callable[[], object]:
    with transaction(runtime.sessions) as session:
        release = datasets.request_release(session, SYSTEM, project, "Bench", now=runtime.clock.now())
    return lambda: datasets.build_release(runtime, release.id)


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(verb: str, url: str, folder: str, project: str, rows: str, *more: str) -> None:
    register_jobs()
    runtime = start_runtime(Settings(data_dir=Path(folder)), database_url=url)
    prepare = _import if verb == "import" else _release
    work = prepare(runtime, UUID(project), *more)
    before, began = _peak_mib(), time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    print(json.dumps(asdict(Bulk(int(rows), seconds, _peak_mib(), before))))


if __name__ == "__main__":
    main(*sys.argv[1:])
