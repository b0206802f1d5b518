"""How large a request may be: small everywhere, large only where files are taken and streamed to disk."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preceptor.http.problems import problem
from preceptor.kit.errors import Invalid
from preceptor.kit.settings import Settings

TAKES_FILES = re.compile(r"/(imports?|evaluations?|evaluate|tests/manage/[a-z]+)/?$")
"""Routes that stream an upload to disk and hold it to `upload_bytes_max` themselves."""


class RequestTooLarge(Invalid):
    """This request is larger than this installation accepts here. Send files through an import instead."""

    code = "request_too_large"


class _Exceeded(Exception):
    pass


class BodyLimit:
    """Refuses bodies over `request_bytes_max` with 413, by their announced length or as they come in."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.limit = settings.request_bytes_max

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD") or TAKES_FILES.search(scope["path"]):
            await self.app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self.limit:
            await self._refuse(scope, receive, send)
            return
        await self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.limit:
                raise _Exceeded
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except _Exceeded:
            if not started:
                await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        mebibytes = self.limit // 1024**2
        refusal = problem(RequestTooLarge(f"A request here may hold {mebibytes} MiB. Send files through an import."))
        refusal.status_code = 413
        await refusal(scope, receive, send)
