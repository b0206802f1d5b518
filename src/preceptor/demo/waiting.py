"""Waiting for the worker, with a limit and a name for what is waited for."""

import time
from collections.abc import Callable, Iterator

POLL_SECONDS = 0.25
WAIT_SECONDS_MAX = 180.0

Bar = Callable[[str, int | None], Callable[[], None]]
"""Opens a progress bar (title, total) and returns what moves it on by one."""


class DemoFailed(Exception):
    """A step did not come to its end; the message names it."""


def ticks(what: str) -> Iterator[None]:
    """Until `WAIT_SECONDS_MAX` have passed; then it is said what did not end."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        yield
        time.sleep(POLL_SECONDS)
    raise DemoFailed(f"{what} did not end within {WAIT_SECONDS_MAX:.0f} s; `preceptor doctor` may say why")
