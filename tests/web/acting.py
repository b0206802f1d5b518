"""Signed-in browsers without scripts, for tests of pages: cookie, token, and a count of statements."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi.testclient import TestClient
from sqlalchemy import event
from sqlalchemy.orm import Session

from preceptor.http.edge import COOKIE
from preceptor.kit.clock import FixedClock
from preceptor.kit.runtime import Runtime
from preceptor.people.identify import csrf_token
from preceptor.people.service.sessions import start_session
from preceptor.work import service as work
from preceptor.work.models import Submission
from tests.factories import PREFER_A as PREFER_A
from tests.factories import User, World


class Answer(Protocol):
    """What tests read of a response, whichever HTTP library the test client runs on."""

    @property
    def status_code(self) -> int: ...
    @property
    def text(self) -> str: ...
    @property
    def content(self) -> bytes: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    def json(self) -> Any: ...


@dataclass
class Desk:
    """One person's browser."""

    client: TestClient
    cookie: str
    token: str

    def get(self, path: str, **headers: str) -> Answer:
        return self.client.get(path, headers={**self._headers(), **headers})

    def post(self, path: str, **fields: str) -> Answer:
        return self.client.post(path, data={**fields, "csrf_token": self.token}, headers=self._headers())

    def send(self, method: str, path: str, body: object = None) -> Answer:
        """JSON, as the pages' own scripts send it."""
        return self.client.request(method, path, json=body, headers=self._scripted())

    def upload(self, path: str, name: str, content: bytes, **fields: str) -> Answer:
        return self.client.post(path, files={"file": (name, content)}, data=fields, headers=self._scripted())

    def workspace(self, path: str) -> dict[str, Any]:
        """What a page hands to its workspace element."""
        page = self.get(path)
        assert page.status_code == 200, page.text
        found = re.search(r'<preceptor-workspace><script type="application/json">(.*?)</script>', page.text, re.S)
        assert found is not None
        held: dict[str, Any] = json.loads(found.group(1))
        return held

    def _scripted(self) -> dict[str, str]:
        return {**self._headers(), "x-csrf-token": self.token, "accept": "application/json"}

    def _headers(self) -> dict[str, str]:
        return {"cookie": f"{COOKIE}={self.cookie}"}


@dataclass
class Seating:
    """Seats people at their browsers."""

    client: TestClient
    runtime: Runtime
    session: Session
    clock: FixedClock

    def __call__(self, user: User, role: str | None = None) -> Desk:
        secret = start_session(
            self.session, user.id, user_agent="test", address=None, active_role=role, now=self.clock.now()
        )
        return Desk(self.client, secret, csrf_token(secret, self.runtime.settings.signing_key()))


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE")):
            seen.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    yield seen
    event.remove(runtime.engine, "before_cursor_execute", note)


def judge(
    session: Session, person: User, world: World, clock: FixedClock, better: str = "r1", why: str = ""
) -> Submission:
    """One judgment of the next task, in response ids whatever order was shown."""
    claimed = work.claim_next(session, person.actor, world.project.id, now=clock.now())
    shown = dict(zip(claimed.claim.display_order, "AB", strict=True))
    worse = "r2" if better == "r1" else "r1"
    answer = {
        "ranks": {shown[better]: 1, shown[worse]: 2}, "strength": 2,
        "justification": why or "This one adds up, and the other does not.",
    }  # fmt: skip
    return work.submit(session, person.actor, claimed.claim.id, answer, now=clock.now())
