"""How large a request may be: small everywhere, large only where files are taken and streamed to disk."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from preceptor.http.problems import problem
from preceptor.kit.errors import Invalid
from preceptor.kit.settings import Settings

TAKES_FILES = re.compile(
    r"/(imports?|evaluations?|evaluate|tests/manage/[a-z]+|api/v1/media|media/uploads(/upl_[0-9a-f]+)?)/?$"
)
"""Routes that stream an upload to disk and hold it to `upload_bytes_max` themselves."""
FORM_EXTRA_BYTES = 1024 * 1024
"""Left to those routes, which refuse in better words: boundaries and fields around a file, the file's last bytes."""
LENGTH_DIGITS_MAX = 18


class RequestTooLarge(Invalid):
    """This request is larger than this installation accepts here. Send files through an import instead."""

    code = "request_too_large"


class _Exceeded(Exception):
    pass


class BodyLimit:
    """Refuses bodies over `request_bytes_max` with 413, by their announced length or as they come in.

    Where files are taken, the limit is `upload_bytes_max`.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.limit = settings.request_bytes_max
        self.file_limit = settings.upload_bytes_max + FORM_EXTRA_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        # A form is spooled to disk before anything knows who sent it, so that files have a limit here too.
        limit = self.file_limit if TAKES_FILES.search(scope["path"]) else self.limit
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or len(announced) > LENGTH_DIGITS_MAX or int(announced) > limit:
            await self._refuse(limit, scope, receive, send)
            return
        await self._count(limit, scope, receive, send)

    async def _count(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        seen, started = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
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
                await self._refuse(limit, scope, receive, send)

    async def _refuse(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        mebibytes = limit // 1024**2
        told = f"A request here may hold {mebibytes} MiB. Send files through an import, in parts where they are larger."
        refusal = problem(RequestTooLarge(told), 413)
        await refusal(scope, receive, send)
