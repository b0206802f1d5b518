"""What a kind of work's desk weighs and how soon one can work: headless Chromium on a small running installation.

Each kind is opened from one of its templates. Weights are of scripts and styles, compressed by gzip; "own" is what the
desk of no other kind fetches. Every opening starts with an empty cache. A desk is interactive when Submit stands there
and the task's own element holds something that takes a key or a click.
"""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import median
from typing import Any
from uuid import UUID

import httpx
from playwright.sync_api import Browser, Response, sync_playwright
from tests.conftest import CHROMIUM_ARGUMENTS, DEBIAN_CHROMIUM
from tests.datasets.kind_answers import ANSWERS, SERVED
from tests.datasets.kind_work import echoes
from tests.endpoints.asking import done, make_endpoint, use
from tests.endpoints.servers import serving
from tests.factories import User, World, join
from tests.kind_world import make_kind_world

from bench.server import Server
from preceptor.http.edge import COOKIE
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.people.service.sessions import start_session
from preceptor.projects.models import Task
from preceptor.tasktypes.base import Row, task_type
from preceptor.work import service as work

DESKS: Sequence[tuple[str, str]] = (
    ("comparison", "which-is-better"),
    ("demonstration", "ideal-answer"),
    ("rating", "rubric"),
    ("rubric", "author"),
    ("prompt", "topic-prompts"),
    ("conversation", "live-preference"),
    ("steps", "solution"),
    ("code", "review"),
    ("annotation", "classification"),
    ("annotation", "named-entities"),
    ("annotation", "boxes"),
)
"""Kind and template."""
UNANSWERED = frozenset({"named-entities", "boxes"})
"""Templates that are opened and not submitted: nothing here gives their answers."""
OPENINGS = 5
VIEWPORT = {"width": 1366, "height": 768}
WAIT_MS = 30_000
_WATCH = """
    window.desk = { count: 0 };
    const fields = "input:not([disabled]), textarea, select, [contenteditable=true]";
    const usable = `${fields}, button:not([disabled]), [tabindex='0']`;
    const look = () => {
        const task = document.querySelector("[data-task] > *");
        const submit = [...document.querySelectorAll("button")].some((each) => each.textContent.includes("Submit"));
        const ready = task && submit && [...task.querySelectorAll(usable)].some((each) => each.checkVisibility());
        if (ready && task !== desk.task) Object.assign(desk, { task, at: performance.now(), count: desk.count + 1 });
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    addEventListener("click", () => (desk.clicked = performance.now()), { capture: true });
"""
_READY = """
    ([count, limit]) => new Promise((done, fail) => {
        const look = () =>
            desk.count >= count ? done(desk.at - (count > 1 ? desk.clicked : 0))
            : performance.now() > limit ? fail(new Error("the desk is not ready")) : setTimeout(look, 20);
        look();
    })
"""
"""Milliseconds until so many tasks have stood ready: from navigation for the first, from the last click for others."""


@dataclass(frozen=True)
class Line:
    """What is told of a desk. `next_ms`: from the press of Submit to the next task; None where none was pressed."""

    kind: str
    template: str
    own_kb: float
    together_kb: float
    requests: int
    interactive_ms: float
    next_ms: float | None


@dataclass
class _Seen:
    """Gzipped bytes of scripts and styles by file, requests of the last opening, milliseconds of each."""

    files: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    interactive_ms: list[float] = field(default_factory=list)
    next_ms: list[float] = field(default_factory=list)

    def fetched(self, response: Response) -> None:
        self.requests += 1
        if response.request.resource_type in ("script", "stylesheet"):
            self.files[response.url] = len(gzip.compress(response.body(), 6))


def measure(server: Server, openings: int = OPENINGS) -> list[Line]:
    """Every desk opened so many times; desks take turns, so that a busy moment of the machine meets them alike."""
    runtime = start_runtime(server.settings, database_url=server.url)
    with sync_playwright() as playwright, serving(echoes) as model:
        path = DEBIAN_CHROMIUM if DEBIAN_CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_ARGUMENTS))
        desks = [_Desk.made(runtime, server.base, kind, key, openings, model.url) for kind, key in DESKS]
        for _ in range(openings):
            for desk in desks:
                desk.open_once(browser)
        browser.close()
    runtime.engine.dispose()
    return [desk.line([other.seen for other in desks if other.kind != desk.kind]) for desk in desks]


@dataclass
class _Desk:
    """A project that starts from one template, and somebody who works in it."""

    runtime: Runtime
    base: str
    world: World
    person: User
    template: str
    seen: _Seen = field(default_factory=_Seen)

    @classmethod
    def made(cls, runtime: Runtime, base: str, kind: str, key: str, openings: int, model: str) -> "_Desk":
        template = next(each for each in task_type(kind).templates() if each.key == key)
        config = dict(template.config) | ({"refuse_likeness": 1.0} if "refuse_likeness" in template.config else {})
        rows = [_varied(template.examples, number) for number in range(openings + 1)]
        with runtime.sessions.begin() as session:
            now = datetime.now(UTC)
            world = make_kind_world(
                session, kind=kind, config=config, rows=rows, now=now, guidelines=template.guidelines
            )
            person = join(session, world, now=now)[0]
            if "generate" in task_type(kind).services:
                models = [make_endpoint(session, runtime, world, model, name=f"Model {n}", model=n) for n in "ab"]
                use(session, world, runtime.clock, *models)
        return cls(runtime, base, world, person, key)

    @property
    def kind(self) -> str:
        return self.world.project.task_type

    def open_once(self, browser: Browser) -> None:
        """Claim, give the whole answer as a draft, open the desk with an empty cache, press Submit."""
        place = self._prepared()
        context = browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": self._session(), "url": self.base}])
        page = context.new_page()
        page.add_init_script(_WATCH)
        self.seen.requests = 0
        page.on("response", self.seen.fetched)
        page.goto(f"{self.base}{place}")
        self.seen.interactive_ms.append(page.evaluate(_READY, [1, WAIT_MS]))
        page.wait_for_load_state("networkidle")
        if self.template not in UNANSWERED:
            page.get_by_role("button", name="Submit").click()
            self.seen.next_ms.append(page.evaluate(_READY, [2, 2 * WAIT_MS]))
        context.close()

    def _session(self) -> str:
        with self.runtime.sessions.begin() as session:
            return start_session(
                session, self.person.id, user_agent="bench", address=None, active_role=None, now=datetime.now(UTC)
            )

    def _prepared(self) -> str:
        """The desk's address, with the answer drafted where one is given."""
        with self.runtime.sessions.begin() as session:
            claim = work.claim_next(session, self.person.actor, self.world.project.id, now=datetime.now(UTC)).claim
            found, task = task_type(self.kind), session.get_one(Task, claim.task_id)
            shown = found.present(found.payload_model.model_validate(task.payload), claim.display_order)
        if self.template not in UNANSWERED:
            answer = self._answer(shown, claim.id)
            with self.runtime.sessions.begin() as session:
                work.save_draft(
                    session, self.person.actor, claim.id, answer, claim.draft_number + 1, now=datetime.now(UTC)
                )
        return f"/work/{show_id('project', claim.project_id)}/{show_id('claim', claim.id)}"

    def _answer(self, shown: Row, claim_id: UUID) -> dict[str, Any]:
        config, payload = self.world.project.config, dict(shown)
        if self.kind in SERVED:
            return SERVED[self.kind](payload, config, _Services(self.base, self.person, claim_id))
        return ANSWERS[self.kind](payload, config)

    def line(self, others: Sequence[_Seen]) -> Line:
        seen, elsewhere = self.seen, {name for other in others for name in other.files}
        return Line(
            self.kind,
            self.template,
            sum(size for name, size in seen.files.items() if name not in elsewhere) / 1000,
            sum(seen.files.values()) / 1000,
            seen.requests,
            median(seen.interactive_ms),
            median(seen.next_ms) if seen.next_ms else None,
        )


def _varied(examples: Sequence[Row], number: int) -> dict[str, Any]:
    """An example once more; where it has a topic, another one, so that prompts about it differ."""
    row = dict(examples[number % len(examples)])
    return row | ({"topic": f"{row['topic']} {number}"} if "topic" in row else {})


@dataclass(frozen=True)
class _Services:
    """What the desk offers, over HTTP."""

    base: str
    person: User
    claim_id: UUID

    def ask(self, messages: list[dict[str, str]], shown_as: str, turn: str = "") -> dict[str, Any]:
        body = {"key": f"key-{turn}-{shown_as}", "messages": messages, "shown_as": shown_as, "turn": turn}
        path = f"{self.base}/api/v1/claims/{show_id('claim', self.claim_id)}/generate"
        return done(httpx.post(path, json=body, headers=self.person.headers, timeout=30).text)

    def run(self, answer: dict[str, Any]) -> str:
        raise NotImplementedError("no desk that is measured runs code")
