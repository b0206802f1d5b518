"""A real browser against a real server: uvicorn in a thread, a database of its own, Chromium by Playwright."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    expect,
)

from preceptor.cli.application import create_app
from preceptor.http.edge import COOKIE
from preceptor.kit.runtime import Runtime
from preceptor.people.service.sessions import start_session
from preceptor.web import assets
from tests.factories import User

DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
TABLET = {"width": 820, "height": 1180}
by_mouse_and_by_finger = pytest.mark.parametrize("page", ["mouse", "finger"], indirect=True)
"""The same work twice: with a mouse on a desk, and with taps on a tablet held upright."""
START_SECONDS_MAX = 20
Scheme = Literal["light", "dark"]

# Two cores that also run a database and a browser are slow at times; what never comes still fails.
expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A real browser on two busy cores misses a moment now and then. One more try tells that from a mistake, which
    fails twice; the summary says `R` for every such try, so that none stays unseen."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


class MovingClock:
    """The system's clock, moved ahead by `ahead`."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True)
class Live:
    """A running server with its own database."""

    url: str
    runtime: Runtime
    clock: MovingClock


@pytest.fixture
def live(open_runtime: Callable[..., Runtime]) -> Iterator[Live]:
    try:
        assets.manifest()
    except assets.AssetsNotBuilt as missing:
        pytest.fail(str(missing))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    clock = MovingClock()
    runtime = replace(open_runtime(public_url=f"http://127.0.0.1:{port}"), clock=clock)
    server = uvicorn.Server(
        uvicorn.Config(create_app(runtime), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS_MAX
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)
    yield Live(f"http://127.0.0.1:{port}", runtime, clock)
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Makes pages in fresh contexts. A script error or a breach of the content security policy fails the test."""
    contexts: list[BrowserContext] = []
    problems: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            problems.append(message.text)

    def make(scheme: Scheme = "light", viewport: dict[str, int] = DESK, *, touch: bool = False) -> Page:
        context = browser.new_context(
            viewport=viewport,  # type: ignore[arg-type]
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="UTC",
            has_touch=touch,
        )
        contexts.append(context)
        context.on("page", lambda page: _listen(page, heard, problems))
        return context.new_page()

    yield make
    for context in contexts:
        context.close()
    assert problems == []


def _listen(page: Page, heard: Callable[[ConsoleMessage], None], problems: list[str]) -> None:
    page.on("console", heard)
    page.on("pageerror", lambda error: problems.append(str(error)))


@pytest.fixture
def page(open_page: Callable[..., Page], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Page:
    if getattr(request, "param", "mouse") == "mouse":
        return open_page()
    monkeypatch.setattr(Locator, "click", Locator.tap)
    return open_page(viewport=TABLET, touch=True)


def is_wide(page: Page) -> bool:
    return page.viewport_size is not None and page.viewport_size["width"] >= DESK["width"]


def sign_in(page: Page, live: Live, user: User, *, role: str | None = None) -> None:
    """Give the browser a session of this person."""
    with live.runtime.sessions.begin() as session:
        secret = start_session(
            session, user.id, user_agent="browser test", address=None, active_role=role, now=live.clock.now()
        )
    page.context.add_cookies([{"name": COOKIE, "value": secret, "url": live.url}])


def check_axe(page: Page) -> None:
    """No serious or critical finding of axe on the page as it stands."""
    # Colours that are still fading in are not the ones that people read.
    page.evaluate(
        """Promise.race([
            Promise.allSettled(document.getAnimations().map((each) => each.finished)),
            new Promise((done) => setTimeout(done, 1000)),
        ])"""
    )
    found = Axe().run(page).response["violations"]
    serious = [
        f"{each['id']} ({each['impact']}): {node['target']} {node['failureSummary'][:200]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]
    assert serious == [], f"{page.url}\n" + "\n".join(serious)


def check_in_both_schemes(page: Page, name: str) -> None:
    """No serious finding of axe on the page as it stands, in light and in dark; pictures of both."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        check_axe(page)
        shoot(page, f"{name}-{scheme}", full=False)


def shoot(page: Page, name: str, *, full: bool = True) -> None:
    """Save a picture under PRECEPTOR_SHOTS, where that is set."""
    folder = os.environ.get("PRECEPTOR_SHOTS")
    if folder:
        page.wait_for_timeout(250)
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=full)
