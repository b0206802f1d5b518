"""`Idempotency-Key` on every POST that creates: a repeat gets the first answer again and creates nothing.

How an endpoint uses it::

    @router.post("/projects", status_code=201, response_model=ProjectOut)
    def create_project(body: ProjectIn, once: Once, session: Db, actor: CurrentActor, now: Now) -> Response:
        return once.answer(lambda: project_out(projects.create_project(session, actor, ..., now=now)))

- Without the header `make` simply runs.
- With it, the key is written first, in the request's own transaction. A second request with the same key waits
  on that row; when the first one commits, the second replays its answer (header `Idempotency-Replayed: true`).
- A refusal rolls the transaction back and the key with it: what failed may be tried again with the same key.
- The same key with another method, path, query or body is refused: 409 `idempotency_key_reused`.
- Keys belong to the person, and are forgotten after `KEPT_FOR`.

The answer is stored as JSON: the repeat is equal to it, though its keys may come in another order.
Do not use this for answers that hold a secret (a new API key).
Endpoints that stream their body use `OnceStreamed` and pass the digest of what they read as `content`.

After the IETF draft "The Idempotency-Key HTTP Header Field" (draft-ietf-httpapi-idempotency-key-header).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from preceptor.http.edge import CurrentActor, Db, Now
from preceptor.kit.errors import AppError, Invalid
from preceptor.kit.idempotency import IdempotencyRecord
from preceptor.kit.jobs import job
from preceptor.kit.runtime import Runtime

KEY_CHARACTERS_MAX = 255
KEPT_FOR = timedelta(days=2)
REPLAYED = {"Idempotency-Replayed": "true"}

KeyHeader = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of up to 255 characters, new for each thing to create. A repeat of the same request "
        "with the same key gets the first answer again.",
        examples=["3f1c1d7e-import-march"],
    ),
]


class IdempotencyKeyReused(AppError):
    """This Idempotency-Key was used for another request. Use a new key for each thing that you create."""

    code = "idempotency_key_reused"


class OnceGate:
    """Runs what creates at most once for a key. Made for one request by `Once` or `OnceStreamed`."""

    def __init__(
        self, session: Session, person_id: UUID | None, key: str | None, request_digest: bytes, now: datetime
    ) -> None:
        self._session = session
        self._person_id = person_id
        self._key = _checked(key)
        self._request_digest = request_digest
        self._now = now

    def answer(self, make: Callable[[], BaseModel], *, status: int = 201, content: str = "") -> Response:
        """The answer of `make`, or the stored one where this key was answered before.

        `content` is the digest of a body that was streamed, so that the same key with another file is refused.
        """
        if self._key is None or self._person_id is None:
            return JSONResponse(jsonable_encoder(make()), status_code=status)
        digest = sha256(self._request_digest + content.encode()).digest()
        earlier = self._taken(self._person_id, self._key, digest)
        if earlier is not None:
            return JSONResponse(earlier.body, status_code=earlier.status, headers=REPLAYED)
        body = jsonable_encoder(make())
        self._keep(self._person_id, self._key, status, body)
        return JSONResponse(body, status_code=status)

    def _taken(self, person_id: UUID, key: str, digest: bytes) -> IdempotencyRecord | None:
        # The insert waits for a concurrent request with the same key to end; only then is the answer
        # of that one there to be read.
        claimed = self._session.execute(
            insert(IdempotencyRecord)
            .values(person_id=person_id, key=key, request_digest=digest, status=0, body={}, created_at=self._now)
            .on_conflict_do_nothing()
            .returning(IdempotencyRecord.key)
        ).first()
        if claimed is not None:
            return None
        earlier = self._session.get_one(IdempotencyRecord, (person_id, key), populate_existing=True)
        if earlier.request_digest != digest:
            raise IdempotencyKeyReused
        return earlier

    def _keep(self, person_id: UUID, key: str, status: int, body: object) -> None:
        self._session.execute(
            update(IdempotencyRecord)
            .where(IdempotencyRecord.person_id == person_id, IdempotencyRecord.key == key)
            .values(status=status, body=body)
        )


def _checked(key: str | None) -> str | None:
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_CHARACTERS_MAX or not key.isprintable():
        raise Invalid(f"Idempotency-Key must be 1 to {KEY_CHARACTERS_MAX} printable characters.")
    return key


def request_digest(request: Request, body: bytes = b"") -> bytes:
    """SHA-256 over method, path, query and body."""
    start = f"{request.method} {request.url.path}?{request.url.query}\n"
    return sha256(start.encode() + body).digest()


async def get_once(request: Request, session: Db, actor: CurrentActor, now: Now, key: KeyHeader = None) -> OnceGate:
    body = await request.body() if key is not None else b""
    return OnceGate(session, actor.person_id, key, request_digest(request, body), now)


Once = Annotated[OnceGate, Depends(get_once, scope="function")]


@dataclass(frozen=True)
class StreamedKey:
    """The key of a request whose body has not been read; `gate` is made once there is a session."""

    request: Request
    key: str | None

    def gate(self, session: Session, person_id: UUID | None, *, now: datetime) -> OnceGate:
        return OnceGate(session, person_id, self.key, request_digest(self.request), now)


async def get_streamed_key(request: Request, key: KeyHeader = None) -> StreamedKey:
    return StreamedKey(request, key)


OnceStreamed = Annotated[StreamedKey, Depends(get_streamed_key)]


def forget_old_keys(session: Session, *, now: datetime) -> None:
    """Drop keys past their time, so that the table stays small."""
    session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.created_at < now - KEPT_FOR))


@job("http.forget_idempotency_keys", every="23 * * * *")
def forget_idempotency_keys(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        forget_old_keys(session, now=runtime.clock.now())
