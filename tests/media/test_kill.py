"""`kill -9` of the process that takes an upload, between two parts and within one: what was acknowledged is there."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime
from preceptor.media.rules import PIECE_BYTES, media_key
from tests.factories import make_world
from tests.media import files
from tests.media.test_tus import PART, TUS, told

GIVE_UP_SECONDS = 60


@contextmanager
def server(database: str, folder: Path) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """One web process of its own."""
    program = (
        "import socket, uvicorn\n"
        "from preceptor.cli.application import create_app\n"
        "door = socket.socket(); door.bind(('127.0.0.1', 0)); print(door.getsockname()[1], flush=True)\n"
        "uvicorn.Server(uvicorn.Config(create_app(), log_level='warning', lifespan='off')).run(sockets=[door])\n"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith("PRECEPTOR_")}
    env |= {
        "PRECEPTOR_DATABASE_URL": database,
        "PRECEPTOR_DATA_DIR": str(folder),
        "PRECEPTOR_SECRET_KEY": "test-secret",
    }
    process = subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        _wait_for(port)
        yield process, port
    finally:
        process.kill()
        process.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + GIVE_UP_SECONDS
    while True:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            asked.request("GET", "/robots.txt")
            asked.getresponse().read()
            return
        except OSError:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.1)


def ask(port: int, method: str, path: str, headers: dict[str, str], body: Any = None) -> http.client.HTTPResponse:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS)
    asked.request(method, path, body=body, headers=headers)
    return asked.getresponse()


def test_an_upload_survives_the_death_of_its_process(open_runtime: Callable[..., Runtime], tmp_path: Path) -> None:
    runtime = open_runtime()
    database = runtime.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with runtime.sessions.begin() as session:
        world = make_world(session, now=runtime.clock.now())
    data = files.wav(3 * PIECE_BYTES / 8000)
    headers = {**world.client.headers, **TUS}
    project = show_id("project", world.project.id)
    about = told(filename="long.wav", project=project, sha256=hashlib.sha256(data).hexdigest())

    with server(database, tmp_path) as (process, port):
        made = ask(port, "POST", "/api/v1/media/uploads",
                   {**headers, "Upload-Length": str(len(data)), "Upload-Metadata": about})  # fmt: skip
        where = str(made.getheader("Location"))
        part = {**headers, "Content-Type": PART, "Upload-Offset": "0"}
        assert ask(port, "PATCH", where, part, data[:1_000_000]).getheader("Upload-Offset") == "1000000"
        process.send_signal(signal.SIGKILL)
        process.wait(30)

    with server(database, tmp_path) as (process, port):
        stands = int(str(ask(port, "HEAD", where, headers).getheader("Upload-Offset")))
        assert stands == 1_000_000
        reached = _killed_within(process, port, where, headers, data, stands)
        assert reached > stands, "a part that was under way counts as far as it was written"

    with server(database, tmp_path) as (_, port):
        stands = int(str(ask(port, "HEAD", where, headers).getheader("Upload-Offset")))
        assert stands >= reached
        rest = {**headers, "Content-Type": PART, "Upload-Offset": str(stands)}
        last = ask(port, "PATCH", where, rest, data[stands:])
        assert last.status == 204, last.read()
        media = str(last.getheader("Upload-Media"))
        found = json.loads(ask(port, "GET", f"/api/v1/media/{media}", headers).read())
    assert found["sha256"] == hashlib.sha256(data).hexdigest()
    assert runtime.storage.size(media_key(world.organization.id, _id(media))) == len(data)
    assert runtime.storage.list("media-uploads") == []


def _id(media: str) -> Any:
    from preceptor.kit.ids import read_id

    return read_id("media", media)


def _killed_within(
    process: "subprocess.Popen[str]", port: int, where: str, headers: dict[str, str], data: bytes, stands: int
) -> int:
    """Send a part slowly enough to be killed in its middle; returns what another request said had been written."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS)
    asked.putrequest("PATCH", where)
    told = {**headers, "Content-Type": PART, "Upload-Offset": str(stands), "Content-Length": str(len(data) - stands)}
    for name, value in told.items():
        asked.putheader(name, value)
    asked.endheaders()
    asked.send(data[stands : stands + 2 * PIECE_BYTES + 12_345])
    deadline, reached = time.monotonic() + GIVE_UP_SECONDS, stands
    while reached < stands + PIECE_BYTES:
        assert time.monotonic() < deadline, "nothing was acknowledged while the part arrived"
        time.sleep(0.05)
        reached = int(str(ask(port, "HEAD", where, headers).getheader("Upload-Offset")))
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    return reached


@pytest.fixture(autouse=True)
def _no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PRECEPTOR_") and "TEST" not in name]:
        monkeypatch.delenv(name)
