"""What a kind of work's desk weighs and how soon one can work: headless Chromium on a small running installation.

Each kind is opened from one of its templates. Weights are of scripts and styles, compressed by gzip; "own" is what the
desk of no other kind fetches. Every opening starts with an empty cache. A desk is interactive when Submit stands there
and the task's own element holds something that takes a key or a click, and its pictures and sound are there.

The next task is timed from the press of Submit, with the task that was fetched ahead and without (that request
refused), taking turns.
"""

import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from statistics import median
from typing import Any
from uuid import UUID

import httpx
import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Response, sync_playwright
from sqlalchemy import update
from tests.conftest import CHROMIUM_ARGUMENTS, DEBIAN_CHROMIUM
from tests.datasets.kind_answers import ANSWERS, SERVED
from tests.datasets.kind_work import echoes
from tests.endpoints.asking import done, make_endpoint, use
from tests.endpoints.servers import serving
from tests.factories import User, World, join
from tests.kind_world import make_kind_world
from tests.media.files import wav
from tests.media.making import add_file

from bench.server import Server
from preceptor.http.edge import COOKIE
from preceptor.kit.events import Actor
from preceptor.kit.ids import show_id
from preceptor.kit.runtime import Runtime, start_runtime
from preceptor.media.rules import media_url
from preceptor.people.service.sessions import start_session
from preceptor.projects.models import Task
from preceptor.tasktypes.base import Row, task_type
from preceptor.work import service as work
from preceptor.work.rules_ahead import TASKS_EACH

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
    ("annotation", "image-preference"),
    ("annotation", "transcription"),
)
"""Kind and template."""
ANNOTATED: Mapping[str, Sequence[Row]] = {
    "named-entities": [
        {
            "id": "n", "from_name": "entity", "to_name": "text", "type": "labels",
            "value": {"start": 0, "end": 4, "text": "Ines", "labels": ["Person"]},
        }
    ],
    "boxes": [
        {
            "id": "b", "from_name": "object", "to_name": "image", "type": "rectanglelabels",
            "value": {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["Circle"]},
        },
    ],
    "image-preference": [
        {"id": "p", "from_name": "better", "to_name": "left", "type": "pairwise", "value": {"selected": "left"}}
    ],
    "transcription": [
        {
            "id": "s", "from_name": "speaker", "to_name": "audio", "type": "labels",
            "value": {"start": 1, "end": 2, "labels": ["Speaker 1"]},
        },
        {
            "id": "s", "from_name": "transcript", "to_name": "audio", "type": "textarea",
            "value": {"start": 1, "end": 2, "text": ["Good morning"]},
        },
        {"id": "q", "from_name": "quality", "to_name": "audio", "type": "choices", "value": {"choices": ["Clear"]}},
    ],
}  # fmt: skip
"""Answers to the other templates of annotation."""
FILES: Mapping[str, Mapping[str, str]] = {
    "boxes": {"image": "photo.jpg"},
    "image-preference": {"image_a": "photo.jpg", "image_b": "photo.jpg"},
    "transcription": {"audio": "voice.wav"},
}
"""Fields that hold a file of the project's own, another one for every task."""
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
        const usableNow = task && submit && [...task.querySelectorAll(usable)].some((each) => each.checkVisibility());
        const ready = usableNow && [...task.querySelectorAll("img")].every((each) => each.complete && each.naturalWidth)
            && [...task.querySelectorAll("[data-loading]")].length === 0;
        if (ready && task !== desk.task) Object.assign(desk, { task, at: performance.now(), count: desk.count + 1 });
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
    addEventListener("click", () => (desk.clicked = performance.now()), { capture: true });
"""
_REPLY = """
    () => {
        const sent = performance.getEntriesByType("resource").filter((each) => each.name.endsWith("/submission"));
        return sent.at(-1).responseEnd - desk.clicked;
    }
"""
"""Milliseconds from the last click until the reply to the answer had come."""
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
    """What is told of a desk. `next_ms`: from the press of Submit to the next task, which was fetched ahead, and
    `reply_ms` of that until the answer was acknowledged; `alone_ms`: the same without fetching ahead."""

    kind: str
    template: str
    own_kb: float
    together_kb: float
    requests: int
    interactive_ms: float
    next_ms: float
    reply_ms: float
    alone_ms: float


@dataclass
class _Seen:
    """Gzipped bytes of scripts and styles by file, requests of the last opening, milliseconds of each."""

    files: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    interactive_ms: list[float] = field(default_factory=list)
    next_ms: list[float] = field(default_factory=list)
    reply_ms: list[float] = field(default_factory=list)
    alone_ms: list[float] = field(default_factory=list)

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
                desk.open_once(browser, ahead=True)
                desk.open_once(browser, ahead=False)
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
        # As many as are answered, and as many more as a queue must have to spare one.
        count = 2 * openings + 2 * TASKS_EACH
        rows = [_varied(template.examples or SOUNDS, number) for number in range(count)]
        with runtime.sessions.begin() as session:
            now = datetime.now(UTC)
            world = make_kind_world(
                session, kind=kind, config=config, rows=rows, now=now, guidelines=template.guidelines
            )
            client = world.client.actor
            person = join(session, world, now=now)[0]
            if "generate" in task_type(kind).services:
                models = [make_endpoint(session, runtime, world, model, name=f"Model {n}", model=n) for n in "ab"]
                use(session, world, runtime.clock, *models)
        if key in FILES:
            _add_files(runtime, client, world, FILES[key])
        return cls(runtime, base, world, person, key)

    @property
    def kind(self) -> str:
        return self.world.project.task_type

    def open_once(self, browser: Browser, *, ahead: bool) -> None:
        """Claim, give the whole answer as a draft, open the desk with an empty cache, press Submit."""
        place = self._prepared()
        context = browser.new_context(viewport=VIEWPORT)  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": self._session(), "url": self.base}])
        page = context.new_page()
        page.add_init_script(_WATCH)
        if ahead:
            self.seen.requests = 0
            page.on("response", self.seen.fetched)
        else:
            page.route("**/ahead", lambda route: route.abort())
        page.goto(f"{self.base}{place}")
        self.seen.interactive_ms.append(page.evaluate(_READY, [1, WAIT_MS]))
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Submit").click()
        passed = page.evaluate(_READY, [2, 2 * WAIT_MS])
        if ahead:
            self.seen.next_ms.append(passed)
            self.seen.reply_ms.append(page.evaluate(_REPLY))
        else:
            self.seen.alone_ms.append(passed)
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
        answer = self._answer(shown, claim.id)
        with self.runtime.sessions.begin() as session:
            work.save_draft(session, self.person.actor, claim.id, answer, claim.draft_number + 1, now=datetime.now(UTC))
        return f"/work/{show_id('project', claim.project_id)}/{show_id('claim', claim.id)}"

    def _answer(self, shown: Row, claim_id: UUID) -> dict[str, Any]:
        config, payload = self.world.project.config, dict(shown)
        if self.template in ANNOTATED:
            return {"result": list(ANNOTATED[self.template])}
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
            median(seen.next_ms),
            median(seen.reply_ms),
            median(seen.alone_ms),
        )


SOUNDS: Sequence[Row] = [{"data": {"audio": "https://example.org/voice.wav"}}]
"""For templates without examples; the address gives way to a file."""


def _add_files(runtime: Runtime, client: Actor, world: World, fields: Mapping[str, str]) -> None:
    """Give every task pictures and sounds of its own."""
    for number, task in enumerate(world.tasks):
        for at, (name, file) in enumerate(fields.items()):
            seed = 10 * number + at
            data = _photo(seed) if file.endswith(".jpg") else wav(20 + seed / 100, rate=16_000)
            media = add_file(runtime, client, world.organization.id, data, file, project_id=world.project.id)
            with runtime.sessions.begin() as session:
                payload = dict(session.get_one(Task, task.id).payload)
                payload["data"] = payload["data"] | {name: media_url(media.id)}
                session.execute(update(Task).where(Task.id == task.id).values(payload=payload))


def _photo(seed: int) -> bytes:
    """A JPEG of some 300 kB that is like no other."""
    shades = np.random.default_rng(seed).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    file = BytesIO()
    Image.fromarray(shades).resize((1200, 800)).save(file, "jpeg", quality=90)
    return file.getvalue()


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
