"""One local model for all processes of an installation: started by their parent, kept running, ended with it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from pydantic import SecretStr

from preceptor.endpoints import local
from preceptor.endpoints.errors import LocalModelFailed
from preceptor.endpoints.local import LocalServer
from preceptor.kit.settings import Settings

PAUSE_SECONDS = 30.0
"""Between two tries to start a model again that does not come up."""


class KeptModel:
    """A running local model which, when it dies, comes back at the same address with the same key."""

    def __init__(self) -> None:
        self._server = LocalServer.start()
        self._port = urlsplit(self._server.base_url).port or 0
        self._not_before = 0.0

    def told(self, settings: Settings) -> Settings:
        """The settings by which other processes find it."""
        key = SecretStr(self._server.api_key)
        return settings.model_copy(update={"local_model_url": self._server.base_url, "local_model_key": key})

    def restart_if_dead(self) -> bool:
        """Start it again if it has ended; whether that was so. For `Supervisor.keep`."""
        if self._server.running or time.monotonic() < self._not_before:
            return False
        self._server.stop()
        try:
            self._server = LocalServer.start(port=self._port, api_key=self._server.api_key)
        except LocalModelFailed:
            self._not_before = time.monotonic() + PAUSE_SECONDS
            return False
        return True

    def stop(self) -> None:
        self._server.stop()


@contextmanager
def kept_model(settings: Settings) -> Iterator[KeptModel | None]:
    """The local model while the block lasts; None where it is not installed or the settings name one that runs."""
    if settings.local_model_url is not None or local.missing() is not None:
        yield None
        return
    model = KeptModel()
    try:
        yield model
    finally:
        model.stop()
