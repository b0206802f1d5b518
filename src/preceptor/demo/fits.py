"""Fits of the quality engine in the demo: some on the way, so that agreement has a course, and a last one."""

import threading
from collections.abc import Callable

from preceptor.demo.http import Api
from preceptor.demo.waiting import Bar, ticks

ON_THE_WAY = (0.3, 0.65)
"""Shares of the likely judgments at which a fit is asked for."""


def fitted_on_the_way(client: Api, project: str, total: int, done: Callable[[], None]) -> Callable[[], None]:
    """A step that also asks for a fit when so many judgments are there. The worker makes it while judging goes on."""
    lock, count, marks = threading.Lock(), 0, [round(share * total) for share in ON_THE_WAY]

    def step() -> None:
        nonlocal count
        done()
        with lock:
            count += 1
            # Under the lock: the client's connection serves one thread at a time.
            if count in marks:
                client.post(f"/projects/{project}/quality/fits")

    return step


def fit_now(client: Api, project: str, bar: Bar) -> None:
    """Have all judgments fitted and wait for it."""
    done = bar("Fit of all judgments", None)
    fit_id = client.post(f"/projects/{project}/quality/fits")["id"]
    for _ in ticks("the fit"):
        if any(fit["id"] == fit_id for fit in client.get(f"/projects/{project}/quality/fits")["items"]):
            done()
            return
