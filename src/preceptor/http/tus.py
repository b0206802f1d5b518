"""Resumable uploads by the tus protocol 1.0.0: creation (also with data), checksum, expiration, termination.

A part is written to the file store in pieces while it arrives, and each piece is acknowledged to the database before
the next is read: a connection or process that dies costs at most one piece. Answers with an error are always problem
documents. https://tus.io/protocols/resumable-upload
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import format_datetime
from functools import wraps
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from preceptor.http.edge import CurrentRuntime
from preceptor.http.media import MediaOut, actor_of, media_out, place_of
from preceptor.http.problems import STATUS, problem
from preceptor.kit.db import transaction
from preceptor.kit.errors import AppError, Invalid, Kind
from preceptor.kit.events import Actor
from preceptor.kit.ids import read_id, show_id
from preceptor.kit.runtime import Runtime
from preceptor.media import access, kinds, rules
from preceptor.media import service as media_service
from preceptor.media.checks.sniffing import HEAD_BYTES
from preceptor.media.errors import MediaRefused, MediaTooLarge, PartDiffers, UploadElsewhere, UploadOver
from preceptor.media.finishing import finish_upload, look_at_beginning, refuse, remove
from preceptor.media.models import Media, MediaUpload, UploadState
from preceptor.media.service import Arrived

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
ALGORITHMS = ("sha256", "sha1")
PART_TYPE = "application/offset+octet-stream"
METADATA_CHARACTERS_MAX = 4_096
HEADERS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
DIFFERS_STATUS = 460
"""The checksum extension's own number."""


class WrongVersion(Invalid):
    """This server speaks tus 1.0.0. Send the header `Tus-Resumable: 1.0.0`."""

    code = "tus_version"


class WrongPart(Invalid):
    """A part is sent as `application/offset+octet-stream` with `Upload-Offset`."""

    code = "tus_part"


class UploadBusy(AppError):
    """This upload is being checked. Ask again in a moment."""

    code = "upload_busy"
    kind: Kind = "unavailable"


_STATUS: dict[type[AppError], int] = {
    WrongVersion: 412, WrongPart: 415, MediaTooLarge: 413, PartDiffers: DIFFERS_STATUS, UploadBusy: 423,
}  # fmt: skip


class UploadOut(BaseModel):
    """How far an upload is, and what became of it."""

    model_config = ConfigDict(extra="forbid")

    id: str
    state: UploadState
    name: str
    offset_bytes: int
    length_bytes: int
    problem: str | None
    media: MediaOut | None


@dataclass(frozen=True)
class Seen:
    """An upload as it stood when it was asked for."""

    upload: MediaUpload
    actor: Actor


Endpoint = Callable[..., Awaitable[Response]]


def _told(endpoint: Endpoint) -> Endpoint:
    """Answer refusals as problem documents with the protocol's own status numbers."""

    @wraps(endpoint)
    async def answered(request: Request, **named: object) -> Response:
        try:
            if request.method not in ("OPTIONS", "GET") and request.headers.get("tus-resumable") != VERSION:
                raise WrongVersion
            return await endpoint(request=request, **named)
        except AppError as error:
            answer = problem(error, _STATUS.get(type(error), STATUS[error.kind]))
            answer.headers.update({**HEADERS, **({"Tus-Version": VERSION} if type(error) is WrongVersion else {})})
            return answer

    return answered


def tus_router(prefix: str) -> APIRouter:
    """The endpoints of the protocol below `prefix`. Who asks may come by cookie or by API key."""
    # The protocol is described by its own standard; the reference shows what is ours.
    router = APIRouter(prefix=prefix, include_in_schema=False)

    @router.options("", status_code=204)
    async def about() -> Response:
        """What the server speaks: versions, extensions, the largest file."""
        told = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(kinds.FILE_BYTES_MAX),
            "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        }
        return Response(status_code=204, headers={**HEADERS, **told})

    @router.post("", status_code=201)
    @_told
    async def create(request: Request, runtime: CurrentRuntime) -> Response:
        """Begin an upload of `Upload-Length` bytes; its address comes back as `Location`.

        `Upload-Metadata` names `filename`, `project`, `claim` or `organization` (an id), and may name `filetype` and
        `sha256`, which is checked at the end.
        """
        upload, actor = await run_in_threadpool(_create, request, runtime)
        headers = {
            **HEADERS,
            **_expiry(upload),
            "Location": f"{request.url.path.rstrip('/')}/{show_id('media_upload', upload.id)}",
        }
        if request.headers.get("content-type") != PART_TYPE:
            return Response(status_code=201, headers=headers)
        received = await _receive(request, runtime, Seen(upload, actor), 0)
        return Response(status_code=201, headers={**headers, **received})

    @router.head("/{upload_id}")
    @_told
    async def stand(request: Request, runtime: CurrentRuntime, upload_id: str) -> Response:
        """Where an upload stands, so that the client goes on from there."""
        seen = await run_in_threadpool(_seen, request, runtime, upload_id)
        upload, media = seen.upload, seen.upload.media_id
        if upload.state is UploadState.CHECKING:
            raise UploadBusy
        if upload.state is UploadState.REFUSED:
            raise MediaRefused(upload.problem)
        if upload.state is UploadState.RECEIVING and upload.offset_bytes == upload.length_bytes:
            media = await run_in_threadpool(_finish, runtime, seen)
        length = {"Upload-Offset": str(upload.offset_bytes), "Upload-Length": str(upload.length_bytes)}
        return Response(headers={**HEADERS, **length, **_expiry(upload), **_kept(media)})

    @router.patch("/{upload_id}", status_code=204)
    @_told
    async def continue_upload(request: Request, runtime: CurrentRuntime, upload_id: str) -> Response:
        """Send the next part, from `Upload-Offset` on. The last one is answered when the file is checked and kept.

        `Upload-Media` then names it. With `Upload-Checksum` a part counts only when all of it arrived as it was sent.
        """
        if request.headers.get("content-type") != PART_TYPE:
            raise WrongPart
        offset = request.headers.get("upload-offset", "")
        if not (offset.isascii() and offset.isdigit() and len(offset) < 19):
            raise WrongPart
        seen = await run_in_threadpool(_seen, request, runtime, upload_id)
        return Response(status_code=204, headers={**HEADERS, **await _receive(request, runtime, seen, int(offset))})

    @router.delete("/{upload_id}", status_code=204)
    @_told
    async def cancel(request: Request, runtime: CurrentRuntime, upload_id: str) -> Response:
        """End an upload and remove what came of it."""
        await run_in_threadpool(_cancel, request, runtime, upload_id)
        return Response(status_code=204, headers=HEADERS)

    @router.get("/{upload_id}", response_model=UploadOut)
    @_told
    async def result(request: Request, runtime: CurrentRuntime, upload_id: str) -> Response:
        """How far an upload is, and the file that it became, for a day after its end."""
        return await run_in_threadpool(_result, request, runtime, upload_id)

    return router


# --- Creating


def _create(request: Request, runtime: Runtime) -> tuple[MediaUpload, Actor]:
    length = request.headers.get("upload-length", "")
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise Invalid("`Upload-Length` must be the file's size in bytes; it cannot be told later.")
    named = {**dict(request.query_params), **read_metadata(request.headers.get("upload-metadata", ""))}
    with transaction(runtime.sessions) as session:
        actor = actor_of(request, session, runtime)
        org_id, project_id = place_of(session, actor, named)
        upload = media_service.create_upload(
            session,
            actor,
            org_id,
            name=named.get("filename") or named.get("name") or "file",
            length=int(length),
            quota=runtime.settings.media_bytes_max,
            project_id=project_id,
            announced_type=named.get("filetype") or named.get("type") or "",
            announced_sha256=named.get("sha256"),
            now=runtime.clock.now(),
        )
        return upload, actor


def read_metadata(header: str) -> dict[str, str]:
    """`Upload-Metadata`: pairs of a key and base64 text."""
    if len(header) > METADATA_CHARACTERS_MAX:
        raise Invalid(f"`Upload-Metadata` may have {METADATA_CHARACTERS_MAX:,} characters.")
    found = {}
    for pair in filter(None, (each.strip() for each in header.split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            raise Invalid("`Upload-Metadata` must hold pairs of a key and base64 of UTF-8 text.") from None
    return found


# --- Reading


def _seen(request: Request, runtime: Runtime, upload_id: str) -> Seen:
    with transaction(runtime.sessions) as session:
        actor = actor_of(request, session, runtime)
        upload = access.own_upload(session, actor, read_id("media_upload", upload_id))
        if upload.expires_at <= runtime.clock.now():
            raise UploadOver
        return Seen(upload, actor)


def _cancel(request: Request, runtime: Runtime, upload_id: str) -> None:
    with transaction(runtime.sessions) as session:
        actor = actor_of(request, session, runtime)
        keys = media_service.cancel_upload(session, actor, read_id("media_upload", upload_id), now=runtime.clock.now())
    remove(runtime.storage, keys)


def _result(request: Request, runtime: Runtime, upload_id: str) -> Response:
    seen, now = _seen(request, runtime, upload_id), runtime.clock.now()
    upload = seen.upload
    with transaction(runtime.sessions) as session:
        media = session.get(Media, upload.media_id) if upload.media_id is not None else None
    key = runtime.settings.signing_key()
    out = UploadOut(
        id=upload_id,
        state=upload.state,
        name=upload.name,
        offset_bytes=upload.offset_bytes,
        length_bytes=upload.length_bytes,
        problem=upload.problem,
        media=media_out(media, key, seen.actor.person_id, now=now) if media is not None else None,
    )
    return JSONResponse(out.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


def _expiry(upload: MediaUpload) -> dict[str, str]:
    return {"Upload-Expires": format_datetime(upload.expires_at, usegmt=True)}


def _kept(media_id: UUID | None) -> dict[str, str]:
    return {"Upload-Media": show_id("media", media_id)} if media_id is not None else {}


# --- Receiving


async def _receive(request: Request, runtime: Runtime, seen: Seen, offset: int) -> dict[str, str]:
    """Take a part in; returns the headers that tell where the upload stands."""
    upload = seen.upload
    if upload.state is UploadState.REFUSED:
        raise MediaRefused(upload.problem)
    if upload.state is not UploadState.RECEIVING:
        raise UploadBusy if upload.state is UploadState.CHECKING else UploadOver
    if len(upload.parts) >= rules.PARTS_MAX:
        raise MediaRefused("This upload came in too many small parts. Start it anew with larger ones.")
    part = _Part(runtime, seen, offset, _announced(request.headers.get("upload-checksum")))
    try:
        async for chunk in request.stream():
            await part.take(chunk)
    except ClientDisconnect:
        await part.broken_off()
        raise
    stands = await part.end()
    headers = {"Upload-Offset": str(stands), **_expiry(part.upload)}
    if stands == upload.length_bytes:
        headers |= _kept(await run_in_threadpool(_finish, runtime, seen))
    return headers


def _finish(runtime: Runtime, seen: Seen) -> UUID | None:
    kept = finish_upload(runtime, seen.upload.id, actor=seen.actor)
    return None if kept is None else kept.id


def _announced(header: str | None) -> tuple[str, bytes] | None:
    """Algorithm and digest of `Upload-Checksum`."""
    if header is None:
        return None
    name, _, coded = header.partition(" ")
    if name not in ALGORITHMS:
        raise Invalid(f"`Upload-Checksum` may use {' or '.join(ALGORITHMS)}.")
    try:
        return name, base64.b64decode(coded, validate=True)
    except binascii.Error:
        raise Invalid("`Upload-Checksum` must be an algorithm and the digest in base64.") from None


class _Part:
    """A part on its way from the connection into the file store."""

    def __init__(self, runtime: Runtime, seen: Seen, offset: int, announced: tuple[str, bytes] | None) -> None:
        upload = seen.upload
        if offset != upload.offset_bytes:
            raise UploadElsewhere(offset_bytes=upload.offset_bytes)
        self.upload = upload
        self._actor = seen.actor
        self._runtime = runtime
        self._stands = offset
        self._left = upload.length_bytes - offset
        self._announced = announced
        self._digest = hashlib.new(announced[0]) if announced else None
        self._waiting = bytearray()
        self._written: list[Arrived] = []

    async def take(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            await self._forget()
            raise Invalid("This part is longer than what is left of the file.")
        if self._digest is not None:
            self._digest.update(chunk)
        self._waiting += chunk
        if len(self._waiting) >= rules.PIECE_BYTES:
            await self._write()

    async def end(self) -> int:
        """Write what is left; returns where the upload stands."""
        await self._write()
        if self._announced is not None and self._digest is not None:
            if not hmac.compare_digest(self._digest.digest(), self._announced[1]):
                await self._forget()
                raise PartDiffers
            await run_in_threadpool(self._acknowledge)
        return self._stands

    async def broken_off(self) -> None:
        """The connection died: what arrived counts, unless it was to be checked as a whole."""
        if self._announced is None:
            await self._write()
        else:
            await self._forget()

    async def _write(self) -> None:
        if not self._waiting:
            return
        data, self._waiting = bytes(self._waiting), bytearray()
        await run_in_threadpool(self._put, data)

    def _put(self, data: bytes) -> None:
        begins = self._stands + sum(each.size for each in self._written)
        key = rules.part_key(self.upload.id, begins, secrets.token_hex(4))
        self._runtime.storage.put(key, data)
        self._written.append(Arrived(key, len(data)))
        if self._announced is None:
            self._acknowledge()

    def _acknowledge(self) -> None:
        """Make what is written count."""
        if not self._written:
            return
        first = self._stands == 0
        try:
            with transaction(self._runtime.sessions) as session:
                self._stands = media_service.keep_parts(
                    session, self.upload.id, self._stands, self._written, now=self._runtime.clock.now()
                )
        except UploadElsewhere:
            remove(self._runtime.storage, [each.key for each in self._written])
            raise
        self._written = []
        with transaction(self._runtime.sessions) as session:
            self.upload = session.get_one(MediaUpload, self.upload.id)
        if first and self._stands >= HEAD_BYTES:
            self._look()

    def _look(self) -> None:
        try:
            look_at_beginning(self._runtime, self.upload)
        except MediaRefused as refusal:
            refuse(self._runtime, self.upload, refusal, self._actor)
            raise

    async def _forget(self) -> None:
        await run_in_threadpool(remove, self._runtime.storage, [each.key for each in self._written])
        self._written = []
