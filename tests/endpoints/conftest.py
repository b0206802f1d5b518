"""A project whose people may ask models, and the real local model where it is installed."""

import os
from collections.abc import Iterator

import pytest

from preceptor.endpoints import local
from preceptor.endpoints.local import LocalServer


@pytest.fixture(scope="session")
def local_server() -> Iterator[LocalServer]:
    """The small real model behind its real server; the test skips where it is not installed."""
    lacking = local.missing()
    if lacking is not None:
        pytest.skip(f"the local model is not installed: {lacking} is missing; `make local-model` installs it")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    server = LocalServer.start()
    yield server
    server.stop()
