"""`kill -9` of web, worker and database while 64 people work: whatever was acknowledged is there afterwards."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from preceptor.kit.db import make_engine, make_sessions, transaction
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import start_runtime
from preceptor.kit.settings import Settings
from preceptor.money import service as money
from preceptor.money.models import Account, AccountKind, AccountPart
from preceptor.work.models import Claim, ClaimState, Submission
from tests.factories import PREFER_A, User, join, make_world
from tests.races.crowd import wrongs

CLIENTS = 64
EACH = 5
GIVE_UP_SECONDS = 50
RATE = 42


@dataclass(frozen=True)
class Installation:
    process: "subprocess.Popen[str]"
    url: str
    port: int

    def kill(self, sign: str) -> int:
        """SIGKILL one child of the installation whose command line holds `sign`; returns its process id."""
        ours = psutil.Process(self.process.pid).children()
        victim = next(child for child in ours if sign in " ".join(child.cmdline()))
        victim.send_signal(signal.SIGKILL)
        return int(victim.pid)

    def pids(self, sign: str) -> set[int]:
        ours = psutil.Process(self.process.pid).children()
        return {child.pid for child in ours if sign in " ".join(child.cmdline())}


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    env |= {
        "PRECEPTOR_DATA_DIR": str(tmp_path / "data"),
        "PRECEPTOR_PORT": "0",
        "PRECEPTOR_WEB_PROCESSES": "2",
        "PRECEPTOR_SWEEP_SECONDS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.races.installation"],
        env=env,
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        yield Installation(process, where["url"], int(where["base"].rsplit(":", 1)[1]))
    finally:
        process.terminate()
        process.wait(30)


@dataclass
class Worker:
    """A person with a client that tries again until it is told that something was kept."""

    user: User
    port: int
    path: str
    deadline: float
    claims: set[str] = field(default_factory=set)
    drafts: dict[str, dict[str, str]] = field(default_factory=dict)
    submissions: dict[str, str] = field(default_factory=dict)
    failures: int = 0

    def work(self) -> None:
        while len(self.submissions) < EACH:
            claim_id = self._ask("POST", self.path)["id"]
            self.claims.add(claim_id)
            draft = {"justification": f"{self.user.id} thinks about {claim_id}"}
            self._ask("PUT", f"/api/v1/claims/{claim_id}/draft", {"draft": draft, "number": 1})
            self.drafts[claim_id] = draft
            given = self._ask("POST", f"/api/v1/claims/{claim_id}/submission", {"answer": PREFER_A})
            self.submissions[given["id"]] = claim_id

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        while time.monotonic() < self.deadline:
            answer = self._once(method, path, body)
            if answer is not None:
                return answer
            self.failures += 1
            time.sleep(0.1)
        raise TimeoutError(f"{method} {path} was not answered in time")

    def _once(self, method: str, path: str, body: object) -> dict[str, Any] | None:
        """The answer, or None when it failed in a way that a client tries again."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {**self.user.headers, "content-type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            read = response.read()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        if response.status == 503:
            return None
        assert response.status in (200, 201), (response.status, read)
        found: dict[str, Any] = json.loads(read)
        return found


def wait_until(true: Callable[[], bool], deadline: float) -> None:
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def crew(installation: Installation, deadline: float) -> list[Worker]:
    engine = make_engine(installation.url)
    now = datetime.now(UTC)
    with transaction(make_sessions(engine)) as session:
        world = make_world(
            session, now=now, tasks=EACH * 2, overlap=CLIENTS, rate_minor=RATE, budget_minor=CLIENTS * EACH * RATE
        )
        people = join(session, world, now=now, people=CLIENTS)
        path = f"/api/v1/projects/{show_id('project', world.project.id)}/claims"
    engine.dispose()
    return [Worker(user, installation.port, path, deadline) for user in people]


def test_all_acknowledged_work_survives_kills_in_the_middle(installation: Installation, tmp_path: Path) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    workers = crew(installation, deadline)

    def share_done() -> float:
        return sum(len(worker.submissions) for worker in workers) / (CLIENTS * EACH)

    killed: dict[str, int] = {}
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(worker.work) for worker in workers]
        for share, sign in [(0.1, "preceptor.cli.webprocess"), (0.3, "preceptor.cli.worker"), (0.5, "bin/postgres")]:
            wait_until(lambda share=share: share_done() >= share, deadline)  # type: ignore[misc]
            killed[sign] = installation.kill(sign)
        for one in running:
            one.result()
    assert sum(worker.failures for worker in workers) > 0  # the kills were felt
    for sign, pid in killed.items():
        wait_until(lambda sign=sign: bool(installation.pids(sign)), deadline)  # type: ignore[misc]
        assert pid not in installation.pids(sign)
    check_all_is_there(installation, workers, deadline, tmp_path)


def check_all_is_there(installation: Installation, workers: list[Worker], deadline: float, folder: Path) -> None:
    runtime = start_runtime(Settings(data_dir=folder / "look"), database_url=installation.url)
    with runtime.sessions() as session:
        claims = {show_id("claim", claim.id): claim for claim in session.scalars(select(Claim))}
        given = {show_id("submission", item.id): item for item in session.scalars(select(Submission))}
        for worker in workers:
            assert worker.claims <= claims.keys()
            assert {claim_id: claims[claim_id].draft for claim_id in worker.drafts} == worker.drafts
            assert {number: show_id("claim", given[number].claim_id) for number in worker.submissions} == (
                worker.submissions
            )
            assert all(claims[claim_id].person_id == worker.user.id for claim_id in worker.claims)
    assert len(claims) == len(given) == CLIENTS * EACH
    wait_until(lambda: paid_out(runtime.sessions()) == CLIENTS * EACH * RATE, deadline)
    assert wrongs(runtime) == []
    with runtime.sessions() as session:
        assert set(session.scalars(select(Claim.state).distinct())) == {ClaimState.APPROVED}
        assert money.prove(session).imbalance_minor == 0
    runtime.engine.dispose()


def paid_out(session: Session) -> int:
    """What all contributors hold: the worker, too, came back and approved what was due."""
    with session:
        held = select(func.sum(AccountPart.balance_minor)).join(Account, Account.id == AccountPart.account_id)
        return int(session.scalar(held.where(Account.kind == AccountKind.CONTRIBUTOR)) or 0)
